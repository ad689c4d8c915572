/* SPDX-License-Identifier: Apache-2.0
 *
 * Judges what a schedule has left behind, from the broker's logs alone.
 *
 * The committed transactions of a shard, in the order in which they were decided, must be a serial execution of the
 * rules: each one is decided again by a fresh core from the state that the ones before it left, with the times that its
 * events tell, and must come to the same events and writes, byte for byte. So a lost turn of a ring, a stale owner or a
 * timer that fired twice is a difference, whatever caused it. Beside that, without the rules: every input record has its
 * outcome in the transaction that moved the offset over it and in no other, ids are unique, no identity has two owners,
 * heads chain. At rest the view and a fold of leads.state are that same state.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/head.h"
#include "daemon/mutation.h"
#include "rules/base/map.h"
#include "tests/sim/broker.h"
#include "tests/sim/redis_model.h"
#include "tests/sim/reference.h"

struct judge {
	struct sim *sim;
	int32_t shard;
	struct map state;      /* key -> struct write: what the committed transactions so far came to */
	struct map ids;        /* event id -> anything */
	struct map owned;      /* e-mail -> lead that has it */
	struct map emails;     /* lead -> e-mail of the record that brought it */
	struct head head;
	int64_t offsets[SIM_TOPICS];
	bool *has_outcome[SIM_TOPICS];
	uint64_t txn_number;
};

static const uint64_t map_seed[2] = {11, 12};

static const struct record *find_record(const struct judge *judge, struct slice cause, size_t *ret_topic)
{
	const struct input *inputs = judge->sim->broker->inputs[judge->shard];

	for (size_t topic = 0; topic < SIM_TOPICS; topic++) {
		char name[64];
		const char *topic_name = topic == 0 ? "leads.captured" : "leads.activity";
		int len = snprintf(name, sizeof(name), "%s/%d/", topic_name, judge->shard);
		if (!slice_has_prefix(cause, (struct slice){name, (size_t)len}))
			continue;
		long long offset = atoll(arena_memdupz(&judge->sim->arena, cause.p + len, cause.len - (size_t)len));
		if (offset < 0 || offset >= (long long)inputs[topic].count)
			return NULL;
		*ret_topic = topic;
		return &inputs[topic].records[offset];
	}
	return NULL;
}

/* ---- what can be said without the rules */

static void judge_id(struct judge *judge, const struct event *event)
{
	if (map_put(&judge->ids, event->id, judge) != NULL)
		sim_finding(judge->sim, BAD_DUPLICATE, "shard %d: event %.*s twice, again in transaction %" PRIu64,
		            judge->shard, SLICE_ARG(event->id), judge->txn_number);
}

/* A lead that is closed or erased: whoever it was about may come again as a new lead. */
static bool is_over(const struct event *event)
{
	static const char *const states[] = {"\"status\":\"converted\"", "\"status\":\"invalid\"", "\"status\":\"lost\""};

	if (strcmp(event->type, "lead.erased") == 0)
		return true;
	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++)
		if (event->topic == OUT_LIFECYCLE && memmem(event->value.p, event->value.len, states[i], strlen(states[i])))
			return true;
	return false;
}

static void judge_over(struct judge *judge, struct slice lead_id)
{
	struct map_entry *entry;

	for (size_t at = 0; (entry = map_next(&judge->owned, &at)) != NULL;)
		if (slice_equal(*(const struct slice *)entry->value, lead_id))
			map_remove(&judge->owned, entry->key);
}

/* What a merged lead was about belongs to the other one. After a split it may be either's: then it is not judged. */
static void judge_merged(struct judge *judge, const struct event *event)
{
	static const char mark[] = "\"into\":\"";
	const char *at = memmem(event->value.p, event->value.len, mark, sizeof(mark) - 1);
	bool is_merged = strcmp(event->type, "lead.merged") == 0;
	struct map_entry *entry;

	if (!at || (!is_merged && strcmp(event->type, "lead.split") != 0))
		return;
	struct slice *into = arena_alloc(&judge->sim->arena, sizeof *into);
	at += sizeof(mark) - 1;
	const char *end = memchr(at, '"', (size_t)(event->value.p + event->value.len - at));
	*into = (struct slice){arena_memdupz(&judge->sim->arena, at, (size_t)(end - at)), (size_t)(end - at)};
	for (size_t next = 0; (entry = map_next(&judge->owned, &next)) != NULL;) {
		if (is_merged && slice_equal(*(const struct slice *)entry->value, event->subject))
			entry->value = into;
		else if (!is_merged && slice_equal(*(const struct slice *)entry->value, *into))
			map_remove(&judge->owned, entry->key);
	}
}

/* Is the event about the lead that the record brought? Its id is "<type>:<cause>", and that of others has more. */
static bool is_own(const struct judge *judge, const struct event *event, const struct record *record)
{
	return record != NULL &&
	       slice_equal(event->id, slice_of(arena_printf(&judge->sim->arena, "%s:%.*s", event->type, SLICE_ARG(event->cause))));
}

/* Of a lead that waited: of the record that brought it. */
static struct slice email_of(struct judge *judge, const struct event *event, const struct record *record)
{
	const struct slice *known = map_get(&judge->emails, event->subject);

	if (!is_own(judge, event, record))
		return known ? *known : SLICE_NONE;
	struct slice *email = arena_alloc(&judge->sim->arena, sizeof *email);
	*email = reference_email(record);
	map_put(&judge->emails, event->subject, email);
	return *email;
}

static bool gives_or_leaves(const struct event *event)
{
	return strcmp(event->type, "lead.assigned") == 0 || strcmp(event->type, "lead.unassigned") == 0;
}

/* An identity that belongs to a lead must not be assigned once more. */
static void judge_owner(struct judge *judge, const struct event *event)
{
	size_t topic;
	const struct record *record = find_record(judge, event->cause, &topic);

	if (record && strcmp(event->type, "lead.released") == 0)
		map_remove(&judge->owned, event->value);
	if (is_over(event))
		judge_over(judge, event->subject);
	judge_merged(judge, event);
	if (!gives_or_leaves(event))
		return;
	struct slice email = email_of(judge, event, record);
	if (strcmp(event->type, "lead.assigned") != 0 || email.len == 0)
		return;
	const struct slice *first = map_put(&judge->owned, email, (void *)(uintptr_t)&event->subject);
	if (first != NULL && (is_own(judge, event, record) || !slice_equal(*first, event->subject)))
		sim_finding(judge->sim, BAD_DOUBLE, "shard %d: %.*s is assigned a second time, in transaction %" PRIu64 ", as %.*s after %.*s",
		            judge->shard, SLICE_ARG(email), judge->txn_number, SLICE_ARG(event->subject), SLICE_ARG(*first));
}

static void judge_outcome(struct judge *judge, const struct txn_offsets *offsets, const struct record *record,
                          size_t topic)
{
	if (judge->has_outcome[topic][record->offset])
		sim_finding(judge->sim, BAD_DUPLICATE, "shard %d: second outcome of %.*s/%" PRId64 " in transaction %" PRIu64,
		            judge->shard, SLICE_ARG(record->topic), record->offset, judge->txn_number);
	else if (record->offset < judge->offsets[topic] || record->offset >= offsets->offsets[topic])
		sim_finding(judge->sim, BAD_LOG, "shard %d: outcome of %.*s/%" PRId64 " outside the offsets of transaction %" PRIu64,
		            judge->shard, SLICE_ARG(record->topic), record->offset, judge->txn_number);
	judge->has_outcome[topic][record->offset] = true;
}

static void judge_offsets(struct judge *judge, const struct txn_offsets *offsets)
{
	for (size_t topic = 0; topic < SIM_TOPICS; topic++) {
		if (offsets->offsets[topic] < judge->offsets[topic])
			sim_finding(judge->sim, BAD_DUPLICATE,
			            "shard %d: offset of topic %zu goes back from %" PRId64 " to %" PRId64 " in transaction %" PRIu64,
			            judge->shard, topic, judge->offsets[topic], offsets->offsets[topic], judge->txn_number);
		for (int64_t i = judge->offsets[topic]; i < offsets->offsets[topic]; i++)
			if (!judge->has_outcome[topic][i])
				sim_finding(judge->sim, BAD_LOST, "shard %d: topic %zu offset %" PRId64 " was passed without an outcome",
				            judge->shard, topic, i);
		judge->offsets[topic] = offsets->offsets[topic];
	}
}

/* ---- the same decisions again */

static enum view_answer state_get(void *ctx, struct slice key, struct slice *ret_value)
{
	struct judge *judge = ctx;
	const struct write *write = map_get(&judge->state, key);

	if (!write)
		return VIEW_ABSENT;
	*ret_value = write->value;
	return VIEW_FOUND;
}

static void state_each(void *ctx, struct slice prefix, void (*see)(void *arg, struct slice key), void *arg)
{
	const struct judge *judge = ctx;
	const struct map_entry *entry;
	for (size_t at = 0; (entry = map_next(&judge->state, &at)) != NULL;)
		if (slice_has_prefix(entry->key, prefix))
			see(arg, entry->key);
}

static bool same_event(const struct event *a, const struct event *b)
{
	bool same = a->topic == b->topic && slice_equal(a->id, b->id) && strcmp(a->type, b->type) == 0 &&
	            slice_equal(a->subject, b->subject) && slice_equal(a->cause, b->cause) && a->at_ms == b->at_ms &&
	            slice_equal(a->key, b->key) && slice_equal(a->value, b->value) && a->header_count == b->header_count;

	for (size_t i = 0; same && i < a->header_count; i++)
		same = slice_equal(a->headers[i].name, b->headers[i].name) &&
		       slice_equal(a->headers[i].value, b->headers[i].value);
	return same;
}

/* "timer:<lead>:…": the lead. */
static struct slice timer_lead(struct slice cause)
{
	const char *from = cause.p + strlen("timer:");
	const char *end = memchr(from, ':', cause.len - strlen("timer:"));

	return end ? (struct slice){from, (size_t)(end - from)} : SLICE_NONE;
}

/* Set aside because it was too large for the broker: the rules have no part in this outcome. */
static bool is_set_aside(const struct judge *judge, const struct event *event)
{
	const struct refused *refused = judge->sim->refused;

	while (refused && !slice_equal(refused->cause, event->cause))
		refused = refused->next;
	return refused != NULL && event->topic == OUT_REJECTED;
}

static void judge_due(struct judge *judge, struct decider *decider, struct slice lead_id, const struct event *event)
{
	struct slice key = slice_of(arena_printf(&judge->sim->arena, "lead/%.*s", SLICE_ARG(lead_id)));
	const struct write *write = map_get(&judge->state, key);

	(void)decider;
	/* what records of the same batch did to the lead is judged by the comparison of events */
	if (write && write->due_ms > event->at_ms)
		sim_finding(judge->sim, BAD_EARLY, "shard %d: %.*s fired %" PRId64 " ms early", judge->shard,
		            SLICE_ARG(event->id), write->due_ms - event->at_ms);
}

/* "walk:<key>:<lead>", a lead that was visited; "walk:<key>", the end of the walk. */
static void walk_again(struct decider *decider, const struct event *first, struct decision *ret)
{
	struct slice key = {first->cause.p + strlen("walk:"), first->cause.len - strlen("walk:")};
	const char *colon = memchr(key.p, ':', key.len);

	if (!colon) {
		decider_walked(decider, key, first->at_ms, ret);
		return;
	}
	struct slice lead_id = {colon + 1, (size_t)(key.p + key.len - colon - 1)};
	key.len = (size_t)(colon - key.p);
	decider_visit(decider, key, lead_id, first->at_ms, ret);
}

/* "waited:<lead>:<version>": an event about the lead was too large for the broker. */
static void set_aside_again(struct decider *decider, const struct event *first, struct decision *ret)
{
	decider_set_aside(decider, first->subject, false, first->at_ms, ret);
}

static void decide_again(struct judge *judge, struct decider *decider, const struct txn_offsets *offsets,
                         const struct event *first, struct decision *ret)
{
	struct arena *arena = &judge->sim->arena;
	size_t topic;
	const struct record *record = find_record(judge, first->cause, &topic);

	*ret = (struct decision){0};
	if (record) {
		judge_outcome(judge, offsets, record, topic);
		if (is_set_aside(judge, first)) { /* with whatever text; what it leads to beside the event is the same */
			decider_reject(decider, record, ERR_POISON, "", first->at_ms, ret);
			*ret = (struct decision){.events = first, .event_count = 1};
			return;
		}
		decider_decide(decider, rules_prepare(judge->sim->reference->model, record, first->at_ms, arena), first->at_ms, ret);
		return;
	}
	if (slice_has_prefix(first->cause, SLICE("walk:"))) {
		walk_again(decider, first, ret);
		return;
	}
	if (slice_has_prefix(first->cause, SLICE("waited:"))) {
		set_aside_again(decider, first, ret);
		return;
	}
	if (!slice_has_prefix(first->cause, SLICE("timer:"))) {
		sim_finding(judge->sim, BAD_LOG, "shard %d: cause %.*s", judge->shard, SLICE_ARG(first->cause));
		return;
	}
	struct slice lead_id = timer_lead(first->cause);
	struct slice key = slice_of(arena_printf(arena, "lead/%.*s", SLICE_ARG(lead_id))), value;
	judge_due(judge, decider, lead_id, first);
	if (state_get(judge, key, &value) == VIEW_FOUND)
		decider_fire(decider, lead_id, first->at_ms, ret);
}

static const struct produced *next_of_shard(const struct judge *judge, const struct produced *at)
{
	while (at && at->shard != judge->shard)
		at = at->next;
	return at;
}

/* An event for people; of a long value the part around `from`. */
static const char *event_text(struct judge *judge, const struct event *event, size_t from)
{
	size_t start = from > 30 ? from - 30 : 0;
	struct slice part = {event->value.p + start, event->value.len > start ? event->value.len - start : 0};

	if (part.len > 90)
		part.len = 90;
	return arena_printf(&judge->sim->arena, "%.*s %s @%" PRId64 " %s%.*s", SLICE_ARG(event->id), event->type, event->at_ms,
	                    start > 0 ? "…" : "", SLICE_ARG(part));
}

static size_t difference(struct slice a, struct slice b)
{
	size_t at = 0;

	while (at < a.len && at < b.len && a.p[at] == b.p[at])
		at++;
	return at;
}

static struct slice rest(struct slice text, size_t from)
{
	return from < text.len ? (struct slice){text.p + from, text.len - from} : SLICE_NONE;
}

static bool is_timer(struct slice cause)
{
	return slice_has_prefix(cause, SLICE("timer:"));
}

/* One decision has one cause, but for timers: all that is due for a lead is fired at once, each with a cause of its own. */
static bool is_of_one_decision(const struct event *first, const struct event *event)
{
	if (slice_equal(event->cause, first->cause))
		return true;
	return is_timer(first->cause) && is_timer(event->cause) && event->at_ms == first->at_ms &&
	       slice_equal(timer_lead(event->cause), timer_lead(first->cause));
}

static bool is_walked(const struct event *event)
{
	return slice_has_prefix(event->cause, SLICE("walk:"));
}

/* The lead itself, or one that comes again. */
static bool concerns(const struct judge *judge, const struct event *event, struct slice lead_id)
{
	const char *mark = arena_printf(&judge->sim->arena, "\"first_lead_id\":\"%.*s\"", SLICE_ARG(lead_id));

	return slice_equal(event->subject, lead_id) || memmem(event->value.p, event->value.len, mark, strlen(mark)) != NULL;
}

/* A lead is handed over before it is decided on: an event of the walk, then those of the cause, all of one decision. Returns
 * the first of the latter, NULL for a lead that was visited. */
static const struct produced *own_event(const struct judge *judge, const struct produced *at)
{
	struct slice lead_id = at->event.subject;

	while (at && at->is_event && is_walked(&at->event) && slice_equal(at->event.subject, lead_id))
		at = next_of_shard(judge, at->next);
	return at && at->is_event && !is_walked(&at->event) && concerns(judge, &at->event, lead_id) ? at : NULL;
}

/* The events of one decision; returns what follows them. */
static const struct produced *judge_cause(struct judge *judge, struct decider *decider,
                                          const struct txn_offsets *offsets, const struct produced *at)
{
	struct decision decision;
	const struct produced *own = is_walked(&at->event) ? own_event(judge, at) : NULL;
	const struct event *first = own ? &own->event : &at->event;
	bool has_come = !own;
	size_t i = 0;

	decide_again(judge, decider, offsets, first, &decision);
	for (; at && at->is_event && (!has_come || is_of_one_decision(first, &at->event)); at = next_of_shard(judge, at->next), i++) {
		has_come |= at == own;
		judge_id(judge, &at->event);
		judge_owner(judge, &at->event);
		if (i < decision.event_count && same_event(&at->event, &decision.events[i]))
			continue;
		const struct event *serial = i < decision.event_count ? &decision.events[i] : NULL;
		size_t from = serial ? difference(at->event.value, serial->value) : 0;
		sim_finding(judge->sim, BAD_LOG, "shard %d: transaction %" PRIu64 " has event %s where a serial run has %s",
		            judge->shard, judge->txn_number, event_text(judge, &at->event, from),
		            serial ? event_text(judge, serial, from) : "none");
	}
	if (i < decision.event_count)
		sim_finding(judge->sim, BAD_LOST, "shard %d: transaction %" PRIu64 " lacks event %s", judge->shard,
		            judge->txn_number, event_text(judge, &decision.events[i], 0));
	return at;
}

static void apply_write(struct map *state, const struct write *write)
{
	if (write->is_tombstone)
		map_remove(state, write->key);
	else
		map_put(state, write->key, (void *)(uintptr_t)write);
}

static bool same_write(const struct write *a, const struct write *b)
{
	return slice_equal(a->key, b->key) && a->is_tombstone == b->is_tombstone &&
	       (a->is_tombstone || (slice_equal(a->value, b->value) && a->due_ms == b->due_ms));
}

/* The index of timers may still name a lead that an earlier batch has erased: the timer is taken away once more, which no event
 * tells of. */
static bool is_timer_of_nobody(struct judge *judge, const struct write *write)
{
	struct slice value;

	return write->is_tombstone && slice_has_prefix(write->key, SLICE("lead/")) &&
	       state_get(judge, write->key, &value) != VIEW_FOUND;
}

static bool is_among(const struct write *writes, size_t count, struct slice key)
{
	for (size_t i = 0; i < count; i++)
		if (slice_equal(writes[i].key, key))
			return true;
	return false;
}

/* The writes of the serial run, with those tombstones in the places that they have in the transaction. */
static void add_timers_of_nobody(struct judge *judge, const struct produced *at, const struct write **inout_writes, size_t *inout_count)
{
	const struct write *serial = *inout_writes;
	size_t count = *inout_count, taken = 0, all = 0, room = count;

	for (const struct produced *p = at; p && !p->is_event && !p->is_barrier; p = next_of_shard(judge, p->next))
		room++;
	struct write *merged = arena_array(&judge->sim->arena, room, sizeof(*merged));
	for (const struct produced *p = at; p && !p->is_event && !p->is_barrier; p = next_of_shard(judge, p->next)) {
		if (is_timer_of_nobody(judge, &p->write) && !is_among(serial, count, p->write.key))
			merged[all++] = p->write;
		else if (taken < count)
			merged[all++] = serial[taken++];
	}
	while (taken < count)
		merged[all++] = serial[taken++];
	*inout_writes = merged;
	*inout_count = all;
}

/* The state records that follow; returns what follows them. */
static const struct produced *judge_writes(struct judge *judge, struct decider *decider, const struct produced *at)
{
	const struct write *writes;
	size_t count, i = 0;

	decider_finish(decider, &writes, &count);
	add_timers_of_nobody(judge, at, &writes, &count);
	struct head after = head_after(&judge->head, writes, count);
	for (; at && !at->is_event && !at->is_barrier; at = next_of_shard(judge, at->next), i++) {
		apply_write(&judge->state, &at->write);
		if (i < count && same_write(&at->write, &writes[i]) && head_same_state(&at->head, &after))
			continue;
		struct write none = {.key = SLICE_NONE}, *serial = i < count ? (struct write *)(uintptr_t)&writes[i] : &none;
		size_t from = slice_equal(at->write.key, serial->key) ? difference(at->write.value, serial->value) : 0;
		sim_finding(judge->sim, BAD_LOG,
		            "shard %d: transaction %" PRIu64 " writes %.*s = …%.*s (due %" PRId64 ") where a serial run has %.*s = …%.*s (due %" PRId64
		            "), heads %s",
		            judge->shard, judge->txn_number, SLICE_ARG(at->write.key), SLICE_ARG(rest(at->write.value, from)),
		            at->write.due_ms, SLICE_ARG(serial->key), SLICE_ARG(rest(serial->value, from)), serial->due_ms,
		            head_same_state(&at->head, &after) ? "alike" : "differ");
	}
	if (i < count)
		sim_finding(judge->sim, BAD_LOST, "shard %d: transaction %" PRIu64 " lacks the write of %.*s", judge->shard,
		            judge->txn_number, SLICE_ARG(writes[i].key));
	judge->head = after;
	return at;
}

static const struct write *first_write(const struct judge *judge, const struct produced *at)
{
	while (at && at->is_event)
		at = next_of_shard(judge, at->next);
	return at && !at->is_barrier ? &at->write : NULL;
}

/* The first batch of an opening or of a model begins before it decides. Whether it came to anything is seen from what was
 * written: the plan, or the tick of those who wait before all else. */
static bool has_begun(const struct judge *judge, const struct produced *at)
{
	const struct write *first = first_write(judge, at);

	if (first && slice_is(first->key, "mem/tick/pools"))
		return true;
	for (; at; at = next_of_shard(judge, at->next))
		if (!at->is_event && !at->is_barrier && slice_is(at->write.key, "mem/plan"))
			return true;
	return false;
}

/* All of a batch has one time. Where no event tells it, a tick that was set for at once does, and else it does not matter. */
static int64_t time_of(const struct judge *judge, const struct produced *at)
{
	const struct write *first = first_write(judge, at);

	if (at->is_event)
		return at->event.at_ms;
	return first && slice_is(first->key, "mem/tick/pools") && !first->is_tombstone ? first->due_ms : 0;
}

/* Whoever puts a lead's events in order by their times must find them in the order in which they were decided. */
static void judge_time(struct judge *judge, const struct produced *at)
{
	int64_t batch_ms = time_of(judge, at);

	for (; at && at->is_event; at = next_of_shard(judge, at->next))
		if (at->event.at_ms != batch_ms)
			sim_finding(judge->sim, BAD_LOG, "shard %d: transaction %" PRIu64 " has event %s in a batch of %" PRId64, judge->shard,
			            judge->txn_number, event_text(judge, &at->event, 0), batch_ms);
}

static void judge_txn(struct judge *judge, const struct txn *txn)
{
	const struct txn_offsets *offsets = &txn->offsets[judge->shard];
	const struct produced *at = next_of_shard(judge, txn->produced);
	uint64_t claims = 0;

	judge->txn_number = txn->number;
	if (!at && !offsets->is_set)
		return;
	if (!offsets->is_set)
		sim_finding(judge->sim, BAD_LOG, "shard %d: transaction %" PRIu64 " carries it without its offsets", judge->shard,
		            txn->number);
	while (at) {
		struct decider *decider = decider_new(judge->sim->reference->model, (struct rules_view){state_get, judge, state_each},
		                                      &judge->sim->arena);
		const struct produced *start = at;
		struct decision begun;

		if (has_begun(judge, at))
			decider_begin(decider, time_of(judge, at), &begun);
		judge_time(judge, at);
		while (at && at->is_event)
			at = judge_cause(judge, decider, offsets, at);
		at = judge_writes(judge, decider, at);
		for (; at && at->is_barrier; at = next_of_shard(judge, at->next))
			claims++;
		if (at == start)
			break;
	}
	if (!offsets->is_set)
		return;
	judge_offsets(judge, offsets);
	judge->head.epoch += claims;
	/* these three change the count of claims by themselves; what is asked is whether any harm follows */
	bool epoch_counts =
		!mutation_is("no-claim") && !mutation_is("no-barrier") && !mutation_is("epoch-not-in-head");
	bool fits = epoch_counts ? head_equal(&judge->head, &offsets->head) : head_same_state(&judge->head, &offsets->head);
	if (!fits)
		sim_finding(judge->sim, BAD_LOG,
		            "shard %d: transaction %" PRIu64 " commits head e=%" PRIu64 " q=%" PRIu64 " h=%s, a serial run e=%" PRIu64
		            " q=%" PRIu64 " h=%s",
		            judge->shard, txn->number, offsets->head.epoch, offsets->head.seq, offsets->head.hash,
		            judge->head.epoch, judge->head.seq, judge->head.hash);
	judge->head = offsets->head;
}

/* ---- at rest */

static void compare_view(struct judge *judge, const char *what, const struct map *is)
{
	struct map_entry *entry;

	for (size_t at = 0; (entry = map_next(&judge->state, &at)) != NULL;) {
		const struct write *should = entry->value, *found = map_get(is, entry->key);
		if (!found || !same_write(found, should))
			sim_finding(judge->sim, BAD_VIEW, "shard %d: %s has %.*s = %.*s, it should be %.*s", judge->shard, what,
			            SLICE_ARG(entry->key), SLICE_ARG(found ? found->value : SLICE("(nothing)")),
			            SLICE_ARG(should->value));
	}
	for (size_t at = 0; (entry = map_next(is, &at)) != NULL;)
		if (!map_get(&judge->state, entry->key))
			sim_finding(judge->sim, BAD_VIEW, "shard %d: %s has %.*s, which should be gone", judge->shard, what,
			            SLICE_ARG(entry->key));
}

static void judge_redis(struct judge *judge)
{
	const struct version *now = judge->sim->redis->shards[judge->shard].now;
	struct map items;

	map_init(&items, map_seed);
	for (size_t i = 0; i < now->count; i++) {
		struct write *write = arena_alloc(&judge->sim->arena, sizeof(*write));
		*write = (struct write){.key = now->items[i].key, .value = now->items[i].value, .due_ms = now->items[i].due_ms};
		map_put(&items, write->key, write);
	}
	compare_view(judge, "the view", &items);
	map_done(&items);
	if (now->head.state != VIEW_HEAD_NORMAL || !head_equal(&now->head.head, &judge->head))
		sim_finding(judge->sim, BAD_VIEW, "shard %d: the view's head is e=%" PRIu64 " q=%" PRIu64 ", committed is e=%" PRIu64
		            " q=%" PRIu64, judge->shard, now->head.head.epoch, now->head.head.seq, judge->head.epoch, judge->head.seq);
}

static void judge_state_log(struct judge *judge)
{
	const struct state_partition *log = &judge->sim->broker->state[judge->shard];
	struct map fold;

	map_init(&fold, map_seed);
	for (size_t i = 0; i < log->count; i++) {
		const struct entry *entry = &log->entries[i];
		if (entry->record && entry->txn->end == TXN_COMMIT && !entry->record->is_barrier)
			apply_write(&fold, &entry->record->write);
	}
	compare_view(judge, "leads.state", &fold);
	map_done(&fold);
}

static void judge_shard(struct sim *sim, int32_t shard)
{
	struct judge judge = {.sim = sim, .shard = shard, .head = sim->broker->bootstrap[shard].head};

	map_init(&judge.state, map_seed);
	map_init(&judge.ids, map_seed);
	map_init(&judge.owned, map_seed);
	map_init(&judge.emails, map_seed);
	for (size_t topic = 0; topic < SIM_TOPICS; topic++)
		judge.has_outcome[topic] = arena_array(&sim->arena, sim->broker->inputs[shard][topic].capacity, sizeof(bool));
	for (const struct txn *txn = sim->broker->committed_txns; txn; txn = txn->next_committed)
		judge_txn(&judge, txn);
	if (sim->counts.stuck == 0) {
		judge_redis(&judge);
		judge_state_log(&judge);
	}
	map_done(&judge.state);
	map_done(&judge.ids);
	map_done(&judge.owned);
	map_done(&judge.emails);
}

void oracle_judge(struct sim *sim)
{
	for (int32_t shard = 0; shard < SIM_SHARDS; shard++)
		judge_shard(sim, shard);
}
