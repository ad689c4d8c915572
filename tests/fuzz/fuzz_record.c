/* SPDX-License-Identifier: Apache-2.0
 *
 * Hostile records through the whole core: prepare, decide, fire, with a small real model.
 *
 * An input reads like a message: a line "captured" or "activity", header lines "name: value", an empty line, the value.
 * Whatever it says, it has exactly one outcome, its events are JSON, and deciding again gives the same bytes.
 */
#include <assert.h>

#include "tests/unit/model_fixture.c"

#include "rules/json/json.h"
#include "rules/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const int64_t NOW = 1795424400000;

static struct slice line(struct slice *rest)
{
	const char *end = rest->len ? memchr(rest->p, '\n', rest->len) : NULL;
	struct slice text = {rest->p, end != NULL ? (size_t)(end - rest->p) : rest->len};
	size_t used = end != NULL ? text.len + 1 : text.len;
	*rest = (struct slice){rest->p + used, rest->len - used};
	return text;
}

static void read_headers(struct slice *rest, struct record *record, struct header *headers, size_t max)
{
	for (struct slice text = line(rest); text.len != 0 && record->header_count < max; text = line(rest)) {
		const char *colon = memchr(text.p, ':', text.len);
		size_t name = colon != NULL ? (size_t)(colon - text.p) : text.len;
		size_t value = name + 2 < text.len ? name + 2 : text.len;
		headers[record->header_count++] = (struct header){
			{text.p, name}, colon != NULL ? (struct slice){text.p + value, text.len - value} : SLICE_NONE};
	}
	record->headers = headers;
}

static void check_event(const struct event *event, const struct record *record, struct arena *arena)
{
	struct err err = ERR_INIT;
	assert(event->id.len != 0 && event->cause.len != 0);
	if (event->topic == OUT_REJECTED)
		assert(slice_equal(event->value, record->value) && event->header_count > record->header_count);
	else
		assert(json_read(event->value, (struct json_limits){1 << 24, 32, 100000}, arena, &err) != NULL);
}

/* Only the timer of a lead that does not exist leaves a tombstone. */
static void check_writes(const struct write *writes, size_t count, bool has_lead, struct arena *arena)
{
	for (size_t i = 0; i < count; i++) {
		struct lead_state lead;
		if (writes[i].is_tombstone) {
			assert(!has_lead && writes[i].due_ms == 0 && slice_has_prefix(writes[i].key, SLICE("lead/")));
			continue;
		}
		if (slice_has_prefix(writes[i].key, SLICE("lead/")))
			assert(state_get_lead(writes[i].value, arena, &lead, NULL) == 0 && writes[i].due_ms == state_next_due(&lead));
		if (slice_has_prefix(writes[i].key, SLICE("ident/")))
			assert(rules_ident_lead(writes[i].value).len != 0);
	}
}

/* Decides the record against an empty past, then the same record again and a timer against what that left. */
static struct slice decide(const struct model *model, struct record *record, struct arena *arena)
{
	struct store store = {NULL, 0};
	struct decider *decider = decider_new(model, store_view(&store), arena);
	struct decision first, second, timer;
	const struct write *writes;
	size_t count;
	decider_decide(decider, rules_prepare(model, record, NOW, arena), NOW, &first);
	assert(first.event_count == 1 && first.outcome != OUTCOME_NOTHING);
	check_event(&first.events[0], record, arena);
	decider_decide(decider, rules_prepare(model, record, NOW, arena), NOW + 1, &second);
	if (first.outcome == OUTCOME_ASSIGNED || first.outcome == OUTCOME_UNASSIGNED)
		assert(second.outcome == OUTCOME_DUPLICATE);
	if (first.lead_id.len != 0)
		decider_fire(decider, first.lead_id, NOW + 30LL * 86400000, &timer);
	decider_finish(decider, &writes, &count);
	check_writes(writes, count, first.outcome != OUTCOME_REJECTED, arena);
	store_apply(&store, writes, count);
	store_done(&store);
	return first.events[0].value;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct fixture fixture;
	if (fixture.model.rep_count == 0)
		fixture_init(&fixture);
	struct slice rest = {(const char *)bytes, size};
	bool is_activity = slice_is(line(&rest), "activity");
	struct header headers[RULES_HEADERS_MAX + 2];
	struct record record = fixture_record(is_activity ? RECORD_ACTIVITY : RECORD_CAPTURED, 7, "");
	read_headers(&rest, &record, headers, RULES_HEADERS_MAX + 2);
	record.value = rest;
	struct arena arena = ARENA_INIT;
	struct slice once = decide(&fixture.model, &record, &arena);
	struct slice again = decide(&fixture.model, &record, &arena);
	assert(slice_equal(once, again));
	arena_done(&arena);
	return 0;
}
