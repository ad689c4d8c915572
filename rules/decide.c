/* SPDX-License-Identifier: Apache-2.0
 *
 * The door, and the stages of a lead. A stage is a function that says STEP_NEXT or, when the outcome is known, STEP_DONE;
 * the driver is the loop in decide_lead(). What a stage finds out lies in struct work, from where the trace tells it.
 */
#include "rules/decide.h"

#include "rules/base/strbuf.h"
#include "rules/event.h"
#include "rules/followup.h"
#include "rules/model.h"
#include "rules/stages.h"

const char *outcome_name(enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_ASSIGNED:
		return "assigned";
	case OUTCOME_UNASSIGNED:
		return "unassigned";
	case OUTCOME_DUPLICATE:
		return "duplicate";
	case OUTCOME_REJECTED:
		return "rejected";
	case OUTCOME_ACTIVITY:
		return "activity";
	case OUTCOME_TIMER:
		return "timer";
	case OUTCOME_NOTHING:
		return "nothing";
	case OUTCOMES:
		break;
	}
	return "?";
}

/* ---- one piece of work */

void work_begin(struct work *work, struct decider *decider, struct prepared *prepared, int64_t now_ms,
                struct decision *ret)
{
	*ret = (struct decision){0};
	*work = (struct work){.decider = decider, .model = decider->model, .arena = decider->arena, .prepared = prepared,
	                      .now_ms = now_ms, .ret = ret, .team = SIZE_MAX, .rep = SIZE_MAX};
	ret->events = work->events = arena_array(decider->arena, EVENTS_PER_RECORD, sizeof *work->events);
	if (prepared != NULL)
		work->cause = event_cause(prepared->record, work->arena);
}

void work_end(struct work *work)
{
	arena_done(&work->scratch);
}

int work_read_lead(const struct work *work, struct slice lead_id, struct lead_state *ret_state)
{
	struct slice value = overlay_get(&work->decider->overlay, state_lead_key(work->arena, lead_id));
	if (value.len == 0)
		return 0;
	return state_get_lead(value, work->arena, ret_state, NULL) == 0 ? 1 : -1;
}

static struct slice keep(struct arena *arena, struct strbuf *buf)
{
	struct slice copy = {arena_memdupz(arena, strbuf_text(buf), buf->len), buf->len};
	strbuf_done(buf);
	return copy;
}

void work_write_lead(struct work *work, struct slice lead_id)
{
	struct strbuf value = STRBUF_INIT;
	state_put_lead(&value, &work->state);
	overlay_put(&work->decider->overlay, state_lead_key(work->arena, lead_id), keep(work->arena, &value),
	            state_next_due(&work->state));
}

static void write_ident(struct work *work, struct slice key, struct slice lead_id)
{
	struct strbuf value = STRBUF_INIT;
	state_put_ident(&value, &(struct ident_state){work->now_ms, lead_id});
	overlay_put(&work->decider->overlay, key, keep(work->arena, &value), 0);
}

void work_name(struct work *work)
{
	struct decision *ret = work->ret;
	ret->lead_id = work->lead_id;
	ret->owner = work->state.owner;
	ret->team = work->state.team;
	ret->route = work->state.rule;
	ret->grade = work->state.grade;
	ret->source = work->state.source;
	if (work->match.route != NULL)
		ret->rule = (struct place_text){work->match.route->place.file, work->match.route->place.line};
}

/* ---- dedup */

static struct slice ident_name(struct slice key)
{
	size_t prefix = sizeof "ident/" - 1;
	return (struct slice){key.p + prefix, key.len - prefix};
}

/* Leads that this one may repeat. */
struct hit {
	const char *name;
	struct slice lead_id;
	struct lead_state state;
};

static bool is_in_window(const struct work *work, const struct lead_state *state)
{
	return work->model->dedup_window_ms == 0 || work->now_ms - state->at_ms < work->model->dedup_window_ms;
}

/* 1: the lead exists and counts, 0: not, -1: its state is malformed. */
static int look_at(const struct work *work, struct slice lead_id, bool within_window, struct hit *hit)
{
	int found = work_read_lead(work, lead_id, &hit->state);
	if (found <= 0 || (within_window && !is_in_window(work, &hit->state)))
		return found < 0 ? -1 : 0;
	hit->lead_id = lead_id;
	return 1;
}

static int look_at_key(struct work *work, enum identity_kind kind, struct hit *hit)
{
	struct slice key = work->prepared->identity.keys[kind];
	struct ident_state ident;
	if (key.len == 0)
		return 0;
	if (work->is_unknown[kind])
		return 0;
	struct slice value = overlay_get(&work->decider->overlay, key);
	if (value.len != 0 && state_get_ident(value, &ident) != 0)
		return -1;
	int found = value.len != 0 ? look_at(work, ident.lead_id, kind != IDENTITY_EVENT, hit) : 0;
	work->is_unknown[kind] = found == 0;
	return found;
}

/* The older lead is the first one; at the same time the lower id. */
static bool is_older(const struct hit *a, const struct hit *b)
{
	if (a->state.at_ms != b->state.at_ms)
		return a->state.at_ms < b->state.at_ms;
	return slice_compare(a->lead_id, b->lead_id) < 0;
}

/* The same event or lead id means the same lead, however old it is. A person's keys count inside the window; when they
 * point to different leads, the older one is the first. */
static int find_first(struct work *work, struct hit *best)
{
	struct hit hit;
	int found = look_at_key(work, IDENTITY_EVENT, best);
	best->name = "same_event";
	if (found != 0)
		return found;
	found = look_at(work, work->lead_id, false, best);
	best->name = work->prepared->has_own_lead_id ? "same_lead_id" : "same_event";
	if (found != 0)
		return found;
	int email = look_at_key(work, IDENTITY_EMAIL, best);
	best->name = "same_email";
	int phone = look_at_key(work, IDENTITY_PHONE, &hit);
	if (email < 0 || phone < 0)
		return -1;
	if (phone > 0 && (email == 0 || is_older(&hit, best))) {
		*best = hit;
		best->name = "same_phone";
	}
	return email > 0 || phone > 0;
}

static bool has_ident(const struct lead_state *state, struct slice name)
{
	for (size_t i = 0; i < state->idents.count; i++)
		if (slice_equal(state->idents.items[i], name))
			return true;
	return false;
}

/* Keys of this record point to the lead from now on, as long as its list has room. Always together with a write of the
 * lead: a reader that finds a key must find its lead in the same state.
 * The key of the event itself goes in unless the lead's id is made from it and says the same (`with_event` false). It is
 * written even when the lead's list is full: the same event must never make a second lead. */
static void link_idents(struct work *work, struct slice lead_id, bool with_event)
{
	for (int kind = 0; kind < IDENTITY_KINDS; kind++) {
		struct slice key = work->prepared->identity.keys[kind];
		struct hit hit;
		if (key.len == 0 || (kind == IDENTITY_EVENT && !with_event) || look_at_key(work, (enum identity_kind)kind, &hit) != 0)
			continue; /* it has a lead that counts already */
		if (!has_ident(&work->state, ident_name(key))) {
			bool has_room = work->state.idents.count < STATE_IDENTS_MAX;
			if (!has_room && kind != IDENTITY_EVENT)
				continue;
			if (has_room)
				work->state.idents.items[work->state.idents.count++] = ident_name(key);
		}
		write_ident(work, key, lead_id);
	}
}

static enum step settle_duplicate(struct work *work, const struct hit *first)
{
	work->hit = first->name;
	work->state = first->state;
	work->state.duplicates++;
	link_idents(work, first->lead_id, true);
	work_write_lead(work, first->lead_id);
	work->ret->outcome = OUTCOME_DUPLICATE;
	work_name(work);
	event_duplicate(work, first->lead_id);
	return STEP_DONE;
}

static enum step stage_dedup(struct work *work)
{
	struct hit first;
	int found = find_first(work, &first);
	if (found > 0)
		return settle_duplicate(work, &first);
	if (found == 0)
		return STEP_NEXT;
	decide_reject(work, work->prepared->record, ERR_STATE_MALFORMED, "", "a stored value is not in our form");
	return STEP_DONE;
}

/* ---- enrich, score */

static struct cel_value instant_value(int64_t ms)
{
	int64_t seconds = ms / 1000 - (ms % 1000 < 0);
	return cel_timestamp(seconds, (uint32_t)(ms - seconds * 1000) * 1000000);
}

/* What plug-ins said is in the prepared record by now: expressions see it from here on. */
static enum step stage_enrich(struct work *work)
{
	struct prepared *prepared = work->prepared;
	const struct cel_map *facts = cel_map_of(work->arena, prepared->facts.entries, prepared->facts.count);
	schema_territories_init(&work->territories, work->model->env, work->model->territories, &prepared->lead);
	work->slots[SLOT_LEAD] = cel_object(&prepared->lead.objects[SCHEMA_LEAD]);
	work->slots[SLOT_NOW] = instant_value(work->now_ms);
	work->slots[SLOT_TERRITORY] = cel_object(&work->territories.object);
	work->slots[SLOT_FACTS] = facts != NULL ? cel_map(facts) : cel_zero(&cel_type_map);
	return STEP_NEXT;
}

static enum step settle_unassigned(struct work *work, const char *reason);

static enum step stage_score(struct work *work)
{
	score_lead(work->model, work->slots, work->arena, &work->scratch, &work->score);
	work->state.score = work->score.total;
	work->state.grade = work->score.grade->letter;
	work->slots[SLOT_GRADE] = cel_string(work->score.grade->letter);
	work->slots[SLOT_SCORE] = cel_int(work->score.total);
	return work->score.grade->stops ? settle_unassigned(work, "grade_stops") : STEP_NEXT;
}

/* ---- owner match */

static bool is_member(const struct team *team, size_t rep)
{
	size_t low = 0, high = team->member_count; /* members are in the order of reps */
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (team->members[middle].rep < rep)
			low = middle + 1;
		else
			high = middle;
	}
	return low < team->member_count && team->members[low].rep == rep;
}

static size_t first_team_of(const struct model *model, size_t rep)
{
	for (size_t i = 0; i < model->team_count; i++)
		if (is_member(&model->teams[i], rep))
			return i;
	return SIZE_MAX;
}

/* A customer who names a person gets that person, if he is there (S3-MANUAL); rotations do not move for it. */
static enum step stage_owner_match(struct work *work)
{
	struct slice name = work->prepared->lead.requested_owner;
	if (name.len == 0)
		return STEP_NEXT;
	size_t rep = model_find_rep(work->model, name);
	work->requested = rep == SIZE_MAX ? "unknown" : !work->model->reps[rep].is_active ? "not_active" : "taken";
	if (rep == SIZE_MAX || !work->model->reps[rep].is_active)
		return STEP_NEXT;
	work->rep = rep;
	work->team = first_team_of(work->model, rep);
	work->reason = "requested";
	return STEP_NEXT;
}

/* ---- rules, pool, choose */

static enum step stage_rules(struct work *work)
{
	if (work->rep != SIZE_MAX)
		return STEP_NEXT;
	match_routes(work->model, &work->prepared->lead, work->slots, &work->scratch, &work->match);
	if (work->match.route == NULL)
		return settle_unassigned(work, "no_route");
	work->team = work->match.team;
	work->state.rule = work->match.route->name;
	return STEP_NEXT;
}

/* A ring is read once per batch and stays in memory until the batch is finished. */
static struct ring *ring_of(struct decider *decider, size_t team)
{
	if (decider->rings == NULL) {
		decider->rings = arena_array(decider->arena, decider->model->team_count, sizeof *decider->rings);
		decider->rings_used = arena_array(decider->arena, decider->model->team_count, sizeof *decider->rings_used);
	}
	if (decider->rings[team] != NULL)
		return decider->rings[team];
	struct ring *ring = decider->rings[team] = arena_alloc(decider->arena, sizeof *ring);
	const struct team *members = &decider->model->teams[team];
	struct slice value = overlay_get(&decider->overlay, state_ring_key(decider->arena, members->id));
	ring_open(ring, decider->model, members, value, decider->arena);
	decider->rings_used[decider->rings_used_count++] = team;
	return ring;
}

/* Whom to show in the trace: the first members as they stood before the choice. */
static void note_candidates(struct work *work, const struct ring *ring)
{
	work->candidates_total = ring->team->member_count;
	work->was_ring_malformed = ring->was_malformed;
	for (size_t i = 0; i < ring->team->member_count && i < CANDIDATES_SHOWN; i++)
		work->candidates[work->candidate_count++] =
			(struct candidate){ring->team->members[i].rep, ring->slots[i], false};
}

static enum step stage_pool(struct work *work)
{
	if (work->rep != SIZE_MAX)
		return STEP_NEXT;
	const struct ring *ring = ring_of(work->decider, work->team);
	note_candidates(work, ring);
	work->active_total = ring_candidates(ring);
	return work->active_total == 0 ? settle_unassigned(work, "no_candidate") : STEP_NEXT;
}

/* The chosen one is always shown, in the last row if it is not among the first. */
static void mark_chosen(struct work *work, size_t member, struct ring_slot before)
{
	size_t row = member < CANDIDATES_SHOWN ? member : CANDIDATES_SHOWN - 1;
	work->candidates[row] = (struct candidate){work->rep, before, true};
}

static enum step stage_choose(struct work *work)
{
	if (work->rep != SIZE_MAX)
		return STEP_NEXT;
	struct ring *ring = ring_of(work->decider, work->team);
	size_t member = ring_next(ring);
	struct ring_slot before = ring->slots[member];
	before.n--;
	work->rep = ring->team->members[member].rep;
	work->reason = "first";
	mark_chosen(work, member, before);
	return STEP_NEXT;
}

/* ---- what it comes to */

static void settle_state(struct work *work, enum lead_status status)
{
	work->state.status = status;
	work->state.cycle = 1;
	work->state.at_ms = work->now_ms;
	work->state.source = work->prepared->lead.source;
	link_idents(work, work->lead_id, work->prepared->has_own_lead_id);
	work_write_lead(work, work->lead_id);
	work_name(work);
}

static enum step settle_unassigned(struct work *work, const char *reason)
{
	work->reason = reason;
	work->state.why = slice_of(reason);
	if (work->team != SIZE_MAX)
		work->state.team = work->model->teams[work->team].id;
	settle_state(work, LEAD_UNASSIGNED);
	work->ret->outcome = OUTCOME_UNASSIGNED;
	event_unassigned(work);
	return STEP_DONE;
}

static enum step stage_followup(struct work *work)
{
	work->state.version = 1;
	work->state.owner = work->model->reps[work->rep].id;
	if (work->team != SIZE_MAX)
		work->state.team = work->model->teams[work->team].id;
	followup_start(work->model, work->score.grade, work->now_ms, &work->state);
	settle_state(work, LEAD_ASSIGNED);
	work->ret->outcome = OUTCOME_ASSIGNED;
	event_assigned(work);
	return STEP_DONE;
}

static enum step (*const stages[])(struct work *) = {
#define X(name) stage_##name,
	DECIDE_STAGES(X)
#undef X
};

enum {
#define X(name) BEFORE_##name,
	PREPARE_STAGES(X)
#undef X
	STAGES_BEFORE,
};

static void decide_lead(struct work *work)
{
	work->lead_id = work->prepared->lead.lead_id;
	work->stages_run = STAGES_BEFORE;
	for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
		work->stages_run++;
		if (stages[i](work) == STEP_DONE)
			return;
	}
}

/* ---- the door */

struct decider *decider_new(const struct model *model, struct rules_view view, struct arena *arena)
{
	struct decider *decider = arena_alloc(arena, sizeof *decider);
	decider->model = model;
	decider->arena = arena;
	overlay_init(&decider->overlay, view, model->identity_secret, arena);
	return decider;
}

void decider_decide(struct decider *decider, struct prepared *prepared, int64_t now_ms, struct decision *ret)
{
	struct work work;
	work_begin(&work, decider, prepared, now_ms, ret);
	switch (prepared->kind) {
	case PREPARED_REJECT:
		decide_reject(&work, prepared->record, prepared->err.code, prepared->err.where, prepared->err.text);
		break;
	case PREPARED_LEAD:
		decide_lead(&work);
		break;
	case PREPARED_TOUCH:
		decide_touch(&work);
		break;
	}
	work_end(&work);
}

void decider_fire(struct decider *decider, struct slice lead_id, int64_t now_ms, struct decision *ret)
{
	struct work work;
	work_begin(&work, decider, NULL, now_ms, ret);
	work.lead_id = (struct slice){arena_memdupz(decider->arena, lead_id.p, lead_id.len), lead_id.len};
	decide_timers(&work);
	work_end(&work);
}

void decider_reject(struct decider *decider, const struct record *record, enum err_code code, const char *text,
                    int64_t now_ms, struct decision *ret)
{
	struct work work;
	work_begin(&work, decider, NULL, now_ms, ret);
	decide_reject(&work, record, code, "", text);
	work_end(&work);
}

void decider_finish(struct decider *decider, const struct write **ret_writes, size_t *ret_count)
{
	for (size_t i = 0; i < decider->rings_used_count; i++) {
		const struct ring *ring = decider->rings[decider->rings_used[i]];
		struct strbuf value = STRBUF_INIT;
		ring_put(&value, ring, decider->arena);
		overlay_put(&decider->overlay, state_ring_key(decider->arena, ring->team->id), keep(decider->arena, &value), 0);
	}
	*ret_writes = decider->overlay.writes;
	*ret_count = decider->overlay.count;
}
