/* SPDX-License-Identifier: Apache-2.0
 *
 * A small rule core with the symbols of rules.h, for the simulator only.
 *
 * It exists beside the real core because a fault schedule should meet what the protocol allows and the real rules do not
 * (yet) do often: every lead writes four keys, releases write tombstones, rings turn with each lead, and every third
 * record makes no write at all. It is also some ten times faster. It reads the two members of the simulator's own
 * records by text search, which is all the parsing it needs.
 *
 *     captured  -> known lead or identity: lead.duplicate; else lead.assigned to the ring's next rep, clock started
 *     touch     -> stops the clock          release -> forgets lead and identity          other -> rejected
 *     timer     -> followup.reminder, then followup.overdue
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "rules/base/arena.h"
#include "rules/base/map.h"
#include "rules/rules.h"
#include "tests/sim/reference.h"

enum { TOY_REPS = 3, TOY_REMIND_MS = 6000, TOY_OVERDUE_MS = 14000 };

enum toy_kind { TOY_CAPTURED, TOY_TOUCH, TOY_RELEASE, TOY_BAD };

struct prepared {
	const struct record *record;
	enum toy_kind kind;
	struct slice lead_id, email, lead_key, ident_key;
};

struct toy_lead {
	int owner, level, duplicates;
	int64_t deadline_ms; /* 0: no clock */
	struct slice email;
};

struct decider {
	struct rules_view view;
	struct arena *arena;
	struct map writes; /* key -> struct write */
};

/* ---- text */

static struct slice member(struct slice json, const char *name, struct arena *arena)
{
	const char *mark = arena_printf(arena, "\"%s\":\"", name);
	const char *at = json.len ? memmem(json.p, json.len, mark, strlen(mark)) : NULL;

	if (!at)
		return SLICE_NONE;
	at += strlen(mark);
	const char *end = memchr(at, '"', (size_t)(json.p + json.len - at));
	return end ? (struct slice){at, (size_t)(end - at)} : SLICE_NONE;
}

static struct slice text(struct arena *arena, const char *prefix, struct slice rest)
{
	return slice_of(arena_printf(arena, "%s%.*s", prefix, SLICE_ARG(rest)));
}

static struct slice put_lead(struct arena *arena, const struct toy_lead *lead)
{
	return slice_of(arena_printf(arena, "%d %d %d %" PRId64 " %.*s", lead->owner, lead->level, lead->duplicates,
	                             lead->deadline_ms, SLICE_ARG(lead->email)));
}

static struct toy_lead get_lead(struct slice value, struct arena *arena)
{
	struct toy_lead lead = {0};
	int used = 0;
	const char *bytes = arena_memdupz(arena, value.p, value.len);

	int count = sscanf(bytes, "%d %d %d %" SCNd64 " %n", &lead.owner, &lead.level, &lead.duplicates, &lead.deadline_ms,
	                   &used);
	assert(count == 4);
	lead.email = slice_of(bytes + used);
	return lead;
}

static int64_t due_of(const struct toy_lead *lead)
{
	if (lead->deadline_ms == 0 || lead->level >= 2)
		return 0;
	return lead->level == 0 ? lead->deadline_ms - TOY_OVERDUE_MS + TOY_REMIND_MS : lead->deadline_ms;
}

/* ---- preparing */

struct prepared *rules_prepare(const struct model *model, const struct record *record, int64_t now_ms,
                               struct arena *arena)
{
	struct prepared *prepared = arena_alloc(arena, sizeof(*prepared));
	struct slice type = member(record->value, "type", arena);

	(void)model, (void)now_ms; /* the toy has neither configuration nor defaults */
	prepared->record = record;
	prepared->lead_id = member(record->value, "lead_id", arena);
	prepared->email = member(record->value, "email", arena);
	prepared->kind = TOY_BAD;
	if (record->kind == RECORD_CAPTURED && prepared->lead_id.len > 0 && prepared->email.len > 0)
		prepared->kind = TOY_CAPTURED;
	else if (record->kind == RECORD_ACTIVITY && prepared->lead_id.len > 0)
		prepared->kind = slice_is(type, "activity.release") ? TOY_RELEASE : TOY_TOUCH;
	prepared->lead_key = text(arena, "lead/", prepared->lead_id);
	prepared->ident_key = text(arena, "ident/", prepared->email);
	return prepared;
}

size_t rules_wants(const struct prepared *prepared, struct slice ret_keys[RULES_WANTS_MAX])
{
	ret_keys[0] = prepared->lead_key;
	ret_keys[1] = prepared->ident_key;
	switch (prepared->kind) {
	case TOY_CAPTURED: return 2;
	case TOY_TOUCH:
	case TOY_RELEASE: return 1;
	case TOY_BAD: return 0;
	}
	return 0;
}

bool rules_is_lead(const struct prepared *prepared)
{
	return prepared->kind == TOY_CAPTURED;
}

/* ---- deciding */

struct decider *decider_new(const struct model *model, struct rules_view view, struct arena *arena)
{
	static const uint64_t seed[2] = {1, 2};
	struct decider *decider = arena_alloc(arena, sizeof(*decider));

	(void)model;
	decider->view = view;
	decider->arena = arena;
	map_init(&decider->writes, seed);
	return decider;
}

/* Its decisions keep nothing in their heads. */
struct desk *desk_new(void)
{
	return NULL;
}

void desk_free(struct desk *desk)
{
	(void)desk;
}

void desk_forget(struct desk *desk)
{
	(void)desk;
}

void decider_use_desk(struct decider *decider, struct desk *desk)
{
	(void)decider, (void)desk;
}

static bool look_up(struct decider *decider, struct slice key, struct slice *ret_value)
{
	const struct write *write = map_get(&decider->writes, key);

	if (write) {
		*ret_value = write->value;
		return !write->is_tombstone;
	}
	enum view_answer answer = decider->view.get(decider->view.ctx, key, ret_value);
	assert(answer != VIEW_NOT_READ);
	return answer == VIEW_FOUND;
}

static void put(struct decider *decider, struct slice key, struct slice value, int64_t due_ms)
{
	struct write *write = arena_alloc(decider->arena, sizeof(*write));

	*write = (struct write){.key = key, .value = value, .is_tombstone = value.p == NULL, .due_ms = due_ms};
	struct write *old = map_get(&decider->writes, key);
	if (old)
		*old = *write;
	else
		map_put(&decider->writes, key, write);
}

static void put_lead_key(struct decider *decider, struct slice key, const struct toy_lead *lead)
{
	put(decider, key, put_lead(decider->arena, lead), due_of(lead));
}

static void emit(struct decider *decider, struct decision *ret, const struct event *event)
{
	struct event *copy = arena_alloc(decider->arena, sizeof(*copy));

	*copy = *event;
	ret->events = copy;
	ret->event_count = 1;
}

static void emit_record(struct decider *decider, const struct prepared *prepared, int64_t now_ms, const char *type,
                        struct slice value, struct decision *ret)
{
	const struct record *record = prepared->record;
	const char *cause = arena_printf(decider->arena, "%.*s/%d/%" PRId64, SLICE_ARG(record->topic), record->partition,
	                                 record->offset);
	const struct event event = {
		.topic = ret->outcome == OUTCOME_REJECTED ? OUT_REJECTED : OUT_ASSIGNMENTS,
		.id = slice_of(cause), .type = type, .subject = prepared->lead_id, .cause = slice_of(cause), .at_ms = now_ms,
		.has_value = true, .value = value,
	};

	emit(decider, ret, &event);
}

static int next_rep(struct decider *decider)
{
	struct slice value;
	int turn = look_up(decider, SLICE("ring/team"), &value) ? atoi(arena_memdupz(decider->arena, value.p, value.len)) : 0;

	put(decider, SLICE("ring/team"), slice_of(arena_printf(decider->arena, "%d", turn + 1)), 0);
	return turn;
}

static void assign(struct decider *decider, const struct prepared *prepared, int64_t now_ms, struct decision *ret)
{
	struct toy_lead lead = {.owner = next_rep(decider), .deadline_ms = now_ms + TOY_OVERDUE_MS, .email = prepared->email};
	struct slice ident = slice_of(arena_printf(decider->arena, "%" PRId64 " %.*s", now_ms, SLICE_ARG(prepared->lead_id)));

	put_lead_key(decider, prepared->lead_key, &lead);
	put(decider, prepared->ident_key, ident, 0);
	ret->outcome = OUTCOME_ASSIGNED;
	emit_record(decider, prepared, now_ms, "lead.assigned",
	            slice_of(arena_printf(decider->arena, "turn %d rep %d", lead.owner, lead.owner % TOY_REPS)), ret);
}

static void duplicate(struct decider *decider, const struct prepared *prepared, struct slice key, struct slice value,
                      int64_t now_ms, struct decision *ret)
{
	struct toy_lead lead = get_lead(value, decider->arena);

	/* not every record changes the state: batches without a write-set must work too */
	if (prepared->record->offset % 3 != 0) {
		lead.duplicates++;
		put_lead_key(decider, key, &lead);
	}
	ret->outcome = OUTCOME_DUPLICATE;
	emit_record(decider, prepared, now_ms, "lead.duplicate",
	            slice_of(arena_printf(decider->arena, "of %.*s turn %d", SLICE_ARG(key), lead.owner)), ret);
}

static void decide_captured(struct decider *decider, const struct prepared *prepared, int64_t now_ms,
                            struct decision *ret)
{
	struct slice value;

	if (look_up(decider, prepared->lead_key, &value)) {
		duplicate(decider, prepared, prepared->lead_key, value, now_ms, ret);
		return;
	}
	if (look_up(decider, prepared->ident_key, &value)) {
		struct slice key = text(decider->arena, "lead/", rules_ident_lead(value));
		bool is_known = look_up(decider, key, &value);
		assert(is_known);
		duplicate(decider, prepared, key, value, now_ms, ret);
		return;
	}
	assign(decider, prepared, now_ms, ret);
}

static void reject(struct decider *decider, const struct prepared *prepared, int64_t now_ms, struct decision *ret)
{
	ret->outcome = OUTCOME_REJECTED;
	emit_record(decider, prepared, now_ms, "lead.rejected", prepared->record->value, ret);
}

static void decide_activity(struct decider *decider, const struct prepared *prepared, int64_t now_ms,
                            struct decision *ret)
{
	struct slice value;

	if (!look_up(decider, prepared->lead_key, &value)) {
		reject(decider, prepared, now_ms, ret);
		return;
	}
	struct toy_lead lead = get_lead(value, decider->arena);
	ret->outcome = OUTCOME_ACTIVITY;
	if (prepared->kind == TOY_RELEASE) {
		put(decider, prepared->lead_key, SLICE_NONE, 0);
		put(decider, text(decider->arena, "ident/", lead.email), SLICE_NONE, 0);
		emit_record(decider, prepared, now_ms, "lead.released", lead.email, ret);
		return;
	}
	lead.deadline_ms = 0;
	put_lead_key(decider, prepared->lead_key, &lead);
	emit_record(decider, prepared, now_ms, "lead.touched", put_lead(decider->arena, &lead), ret);
}

void decider_decide(struct decider *decider, struct prepared *prepared, int64_t now_ms, struct decision *ret)
{
	*ret = (struct decision){.lead_id = prepared->lead_id};
	switch (prepared->kind) {
	case TOY_CAPTURED: decide_captured(decider, prepared, now_ms, ret); return;
	case TOY_TOUCH:
	case TOY_RELEASE: decide_activity(decider, prepared, now_ms, ret); return;
	case TOY_BAD: reject(decider, prepared, now_ms, ret); return;
	}
}

/* Nobody waits here. */
void decider_set_aside(struct decider *decider, struct slice lead_id, bool is_cut, int64_t now_ms, struct decision *ret)
{
	(void)decider, (void)lead_id, (void)is_cut, (void)now_ms;
	*ret = (struct decision){.outcome = OUTCOME_NOTHING};
}

void decider_reject(struct decider *decider, const struct record *record, enum err_code code, const char *why,
                    int64_t now_ms, struct decision *ret)
{
	const struct prepared prepared = {.record = record};

	(void)why;
	*ret = (struct decision){.code = code};
	reject(decider, &prepared, now_ms, ret);
}

void decider_fire(struct decider *decider, struct slice lead_id, int64_t now_ms, struct decision *ret)
{
	struct slice key = text(decider->arena, "lead/", lead_id), value;

	*ret = (struct decision){.outcome = OUTCOME_NOTHING, .lead_id = lead_id};
	if (!look_up(decider, key, &value))
		return;
	struct toy_lead lead = get_lead(value, decider->arena);
	int64_t due_ms = due_of(&lead);
	if (due_ms == 0 || due_ms > now_ms)
		return;
	lead.level++;
	put_lead_key(decider, key, &lead);
	ret->outcome = OUTCOME_TIMER;
	/* the deadline tells the clocks of a lead apart that was released and came again */
	const char *cause = arena_printf(decider->arena, "timer:%.*s:%" PRId64, SLICE_ARG(lead_id), lead.deadline_ms);
	const struct event event = {
		.topic = OUT_FOLLOWUPS, .id = slice_of(arena_printf(decider->arena, "%s:%d", cause, lead.level)),
		.type = lead.level == 1 ? "followup.reminder" : "followup.overdue", .subject = lead_id, .cause = slice_of(cause),
		.at_ms = now_ms, .has_value = true, .value = put_lead(decider->arena, &lead),
	};
	emit(decider, ret, &event);
}

/* Nothing is done once per model, and nobody asks for a walk. */
void decider_begin(struct decider *decider, int64_t now_ms, struct decision *ret)
{
	(void)decider, (void)now_ms;
	*ret = (struct decision){.outcome = OUTCOME_NOTHING};
}

void decider_visit(struct decider *decider, struct slice walk_key, struct slice lead_id, int64_t now_ms,
                   struct decision *ret)
{
	(void)walk_key, (void)lead_id;
	decider_begin(decider, now_ms, ret);
}

void decider_walked(struct decider *decider, struct slice walk_key, int64_t now_ms, struct decision *ret)
{
	(void)walk_key;
	decider_begin(decider, now_ms, ret);
}

void decider_finish(struct decider *decider, const struct write **ret_writes, size_t *ret_count)
{
	struct write *writes = arena_array(decider->arena, decider->writes.count, sizeof(*writes));
	struct map_entry *entry;
	size_t count = 0;

	for (size_t at = 0; (entry = map_next(&decider->writes, &at)) != NULL;)
		writes[count++] = *(struct write *)entry->value;
	map_done(&decider->writes);
	*ret_writes = writes;
	*ret_count = count;
}

bool rules_is_memory(struct slice key)
{
	return slice_has_prefix(key, SLICE("ring/"));
}

int64_t rules_due_of(struct slice key, struct slice value)
{
	struct arena arena = ARENA_INIT;

	if (!slice_has_prefix(key, SLICE("lead/")))
		return 0;
	struct toy_lead lead = get_lead(value, &arena);
	arena_done(&arena);
	return due_of(&lead);
}

struct slice rules_lead_beside(struct slice value)
{
	(void)value; /* nobody merges here */
	return SLICE_NONE;
}

struct slice rules_ident_lead(struct slice value)
{
	const char *space = value.len ? memchr(value.p, ' ', value.len) : NULL;

	return space ? (struct slice){space + 1, (size_t)(value.p + value.len - space - 1)} : SLICE_NONE;
}

/* Nothing to be configured. */
bool reference_open(struct reference *ret)
{
	ret->model = NULL;
	return true;
}
