/* SPDX-License-Identifier: Apache-2.0
 *
 * The core from bytes to events and writes, with a small real model.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/unit/model_fixture.c"

#include "rules/base/strbuf.h"
#include "rules/json/json.h"
#include "rules/state.h"
#include "rules/story/explain.h"

static const int64_t MONDAY_10 = 1795424400000; /* 2026-11-23T09:00:00Z, 10:00 in Berlin */

/* What one test works with. */
struct bench {
	struct fixture fixture;
	struct store store;
	struct arena arena; /* of the decisions, until the test ends */
	int64_t offset;
};

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	fixture_init(&bench->fixture);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;
	fixture_done(&bench->fixture);
	store_done(&bench->store);
	arena_done(&bench->arena);
	free(bench);
	return 0;
}

static void finish(struct bench *bench, struct decider *decider)
{
	const struct write *writes;
	size_t count;
	decider_finish(decider, &writes, &count);
	store_apply(&bench->store, writes, count);
}

/* A batch of one record. */
static struct decision feed_record(struct bench *bench, struct record *record, int64_t now_ms)
{
	struct decision decision;
	struct record *kept = arena_alloc(&bench->arena, sizeof *kept);
	*kept = *record;
	struct prepared *prepared = rules_prepare(&bench->fixture.model, kept, now_ms, &bench->arena);
	struct decider *decider = decider_new(&bench->fixture.model, store_view(&bench->store), &bench->arena);
	decider_decide(decider, prepared, now_ms, &decision);
	finish(bench, decider);
	return decision;
}

static struct decision feed(struct bench *bench, const char *json, int64_t now_ms)
{
	struct record record = fixture_record(RECORD_CAPTURED, bench->offset++, json);
	return feed_record(bench, &record, now_ms);
}

static struct decision act(struct bench *bench, const char *json, int64_t now_ms)
{
	struct record record = fixture_record(RECORD_ACTIVITY, bench->offset++, json);
	return feed_record(bench, &record, now_ms);
}

static struct decision fire(struct bench *bench, const char *lead_id, int64_t now_ms)
{
	struct decision decision;
	struct decider *decider = decider_new(&bench->fixture.model, store_view(&bench->store), &bench->arena);
	decider_fire(decider, slice_of(lead_id), now_ms, &decision);
	finish(bench, decider);
	return decision;
}

static const struct json *value_of(struct bench *bench, const struct event *event)
{
	struct err err = ERR_INIT;
	const struct json *json =
		json_read(event->value, (struct json_limits){1 << 20, 20, 5000}, &bench->arena, &err);
	assert_string_equal(err.text, "");
	return json;
}

static void expect_text(const struct json *json, const char *name, const char *wanted)
{
	struct slice text = json_get_text(json, name);
	if (!slice_is(text, wanted))
		fail_msg("%s is \"%.*s\", not \"%s\"", name, SLICE_ARG(text), wanted);
}

static void expect_outcome(const struct decision *decision, enum outcome outcome)
{
	if (decision->outcome != outcome)
		fail_msg("%s (%s), not %s", outcome_name(decision->outcome), err_word(decision->code), outcome_name(outcome));
}

static void a_lead_gets_an_owner_and_a_deadline(void **state)
{
	struct bench *bench = *state;
	struct decision d = feed(bench,
	                         "{\"lead_id\":\"L1\",\"source\":\"Website\",\"intent\":\"HIGH\",\"contact\":{\"name\":\" Max "
	                         "Muster \",\"email\":\"Max@Example.com\",\"phone\":\"030 1234567\"},"
	                         "\"company\":{\"employees\":500},\"location\":{\"country\":\"Germany\"}}",
	                         MONDAY_10);
	expect_outcome(&d, OUTCOME_ASSIGNED);
	assert_int_equal(d.event_count, 1);
	const struct event *event = &d.events[0];
	assert_int_equal(event->topic, OUT_ASSIGNMENTS);
	assert_string_equal(event->type, "lead.assigned");
	assert_true(slice_is(event->id, "lead.assigned:leads.captured/0/0"));
	assert_true(slice_is(event->cause, "leads.captured/0/0"));
	const struct json *json = value_of(bench, event);
	expect_text(json, "owner", "ana");
	expect_text(json, "owner_name", "Ana Alvarez");
	expect_text(json, "team", "emea");
	expect_text(json, "reason", "first");
	expect_text(json, "grade", "A");
	expect_text(json, "deadline", "2026-11-23T11:00:00.000Z");
	expect_text(json, "remind_at", "2026-11-23T10:30:00.000Z");
	expect_text(json, "why",
	            "Grade A (score 70); route \"dach-high\" (routes.yaml:2) sends it to team EMEA, where it was the turn of "
	            "Ana Alvarez.");
	expect_text(json_get(json, "rule"), "name", "dach-high");
	assert_int_equal(json_get(json, "terms")->count, 2);
	expect_text(json_get(json_get(json, "lead"), "contact"), "email", "Max@example.com");
	expect_text(json_get(json_get(json, "lead"), "contact"), "phone", "+49301234567");
	expect_text(json_get(json_get(json, "lead"), "location"), "country", "DE");
	expect_text(json_get(json, "lead"), "source", "web");
	expect_text(json_get(json, "trace"), "config", "00112233aabbccdd");
	assert_int_equal(json_get(json_get(json, "trace"), "stages")->count, 10);
	assert_int_equal(json_get(json_get(json, "trace"), "candidates")->count, 3);
	assert_true(slice_is(d.owner, "ana") && slice_is(d.route, "dach-high") && slice_is(d.source, "web"));
	assert_string_equal(store_text(&bench->store, "ring/emea"), "{\"mark\":[0,1,\"bob\"],\"high\":[1,2]}");
	assert_string_equal(store_text(&bench->store, "mem/seat/emea//ana"), "[1,2,1]");
	assert_string_equal(store_text(&bench->store, "mem/rep/ana"), "{\"open\":1}");
	assert_true(rules_due_of(SLICE("lead/L1"), slice_of(store_text(&bench->store, "lead/L1"))) == MONDAY_10 + 5400000);
}

static void nothing_stored_tells_who_it_is(void **state)
{
	struct bench *bench = *state;
	feed(bench, "{\"lead_id\":\"L1\",\"contact\":{\"name\":\"Max\",\"email\":\"max@example.com\",\"phone\":\"030 1234567\"}}",
	     MONDAY_10);
	assert_int_equal(bench->store.count, 6); /* lead, two identities; rotation, seat and load of its owner */
	for (size_t i = 0; i < bench->store.count; i++) {
		assert_null(strstr(bench->store.rows[i].value, "max"));
		assert_null(strstr(bench->store.rows[i].value, "1234567"));
		assert_null(strstr(bench->store.rows[i].key, "1234567"));
	}
}

static void the_same_person_goes_to_the_first_owner(void **state)
{
	struct bench *bench = *state;
	feed(bench, "{\"lead_id\":\"L1\",\"contact\":{\"email\":\"max@example.com\"},\"location\":{\"country\":\"FR\"}}", MONDAY_10);
	struct decision d = feed(bench, "{\"lead_id\":\"L2\",\"contact\":{\"email\":\"MAX@EXAMPLE.COM\",\"phone\":\"0301234567\"}}",
	                         MONDAY_10 + 1000);
	expect_outcome(&d, OUTCOME_DUPLICATE);
	const struct json *json = value_of(bench, &d.events[0]);
	expect_text(json, "lead_id", "L2");
	expect_text(json, "first_lead_id", "L1");
	expect_text(json, "match", "same_email");
	expect_text(json, "owner", "ana");
	assert_non_null(strstr(store_text(&bench->store, "lead/L2"), "\"into\":\"L1\"")); /* nothing but a pointer */
	assert_null(strstr(store_text(&bench->store, "lead/L2"), "\"owner\""));
	/* the phone of the repeat leads to the first as well */
	d = feed(bench, "{\"lead_id\":\"L3\",\"contact\":{\"phone\":\"+49 30 1234567\"}}", MONDAY_10 + 2000);
	expect_outcome(&d, OUTCOME_DUPLICATE);
	expect_text(value_of(bench, &d.events[0]), "match", "same_phone");
	assert_non_null(strstr(store_text(&bench->store, "lead/L1"), "\"dups\":2"));
}

static void the_same_event_or_lead_id_is_one_lead_for_ever(void **state)
{
	struct bench *bench = *state;
	static const char json[] = "{\"lead_id\":\"L1\",\"contact\":{\"wechat\":\"max\"}}";
	feed(bench, json, MONDAY_10);
	struct decision d = feed(bench, json, MONDAY_10 + (int64_t)400 * 86400000);
	expect_outcome(&d, OUTCOME_DUPLICATE);
	expect_text(value_of(bench, &d.events[0]), "match", "same_lead_id");
	struct header headers[] = {{SLICE("ce_specversion"), SLICE("1.0")}, {SLICE("ce_id"), SLICE("e1")},
	                           {SLICE("ce_source"), SLICE("shop")}, {SLICE("ce_type"), SLICE("com.shop.lead.captured")}};
	struct record record = fixture_record(RECORD_CAPTURED, 10, "{\"lead_id\":\"L5\",\"contact\":{\"wechat\":\"x\"}}");
	record.headers = headers;
	record.header_count = 4;
	d = feed_record(bench, &record, MONDAY_10);
	expect_outcome(&d, OUTCOME_ASSIGNED);
	record.value = SLICE("{\"lead_id\":\"L6\",\"contact\":{\"wechat\":\"x\"}}");
	record.offset = 11;
	d = feed_record(bench, &record, MONDAY_10);
	expect_outcome(&d, OUTCOME_DUPLICATE);
	expect_text(value_of(bench, &d.events[0]), "match", "same_event");
	record.value = SLICE("{\"contact\":{\"wechat\":\"x\"}}");
	record.offset = 12;
	headers[1].value = SLICE("e2");
	d = feed_record(bench, &record, MONDAY_10);
	expect_outcome(&d, OUTCOME_ASSIGNED);
	d = feed_record(bench, &record, MONDAY_10);
	expect_outcome(&d, OUTCOME_DUPLICATE);
	expect_text(value_of(bench, &d.events[0]), "match", "same_event");
}

/* semantics.md 2.6: found by the review. The event was a repeat of a person; redelivered after the window it must not
 * become a lead of its own. */
static void an_event_that_was_a_duplicate_never_becomes_a_lead(void **state)
{
	struct bench *bench = *state;
	feed(bench, "{\"lead_id\":\"L1\",\"contact\":{\"email\":\"max@example.com\"}}", MONDAY_10);
	struct header headers[] = {{SLICE("ce_specversion"), SLICE("1.0")}, {SLICE("ce_id"), SLICE("e2")},
	                           {SLICE("ce_source"), SLICE("shop")}, {SLICE("ce_type"), SLICE("com.shop.lead.captured")}};
	struct record record = fixture_record(RECORD_CAPTURED, 10, "{\"contact\":{\"email\":\"max@example.com\"}}");
	record.headers = headers;
	record.header_count = 4;
	struct decision d = feed_record(bench, &record, MONDAY_10 + 1000);
	expect_outcome(&d, OUTCOME_DUPLICATE);
	expect_text(value_of(bench, &d.events[0]), "match", "same_email");
	record.offset = 11;
	d = feed_record(bench, &record, MONDAY_10 + bench->fixture.model.dedup.windows[DEDUP_EMAIL].ms + 5000);
	expect_outcome(&d, OUTCOME_DUPLICATE);
	expect_text(value_of(bench, &d.events[0]), "match", "same_event");
	expect_text(value_of(bench, &d.events[0]), "first_lead_id", "L1");
}

static void outside_the_window_a_person_is_a_new_lead(void **state)
{
	struct bench *bench = *state;
	feed(bench, "{\"lead_id\":\"L1\",\"contact\":{\"email\":\"max@example.com\"}}", MONDAY_10);
	struct decision d = feed(bench, "{\"lead_id\":\"L2\",\"contact\":{\"email\":\"max@example.com\"}}",
	                         MONDAY_10 + bench->fixture.model.dedup.windows[DEDUP_EMAIL].ms - 1);
	expect_outcome(&d, OUTCOME_DUPLICATE);
	/* the producer's own id of a repeat means the first one for ever; another id is another lead */
	d = feed(bench, "{\"lead_id\":\"L2\",\"contact\":{\"email\":\"other@example.com\"}}",
	         MONDAY_10 + bench->fixture.model.dedup.windows[DEDUP_EMAIL].ms);
	expect_outcome(&d, OUTCOME_DUPLICATE);
	expect_text(value_of(bench, &d.events[0]), "match", "same_lead_id");
	expect_text(value_of(bench, &d.events[0]), "first_lead_id", "L1");
	d = feed(bench, "{\"lead_id\":\"L4\",\"contact\":{\"email\":\"max@example.com\"}}",
	         MONDAY_10 + bench->fixture.model.dedup.windows[DEDUP_EMAIL].ms);
	expect_outcome(&d, OUTCOME_ASSIGNED);
	d = feed(bench, "{\"lead_id\":\"L3\",\"contact\":{\"email\":\"max@example.com\"}}",
	         MONDAY_10 + bench->fixture.model.dedup.windows[DEDUP_EMAIL].ms + 1);
	expect_text(value_of(bench, &d.events[0]), "first_lead_id", "L4");
}

static void a_grade_may_stop_routing(void **state)
{
	struct bench *bench = *state;
	struct decision d = feed(bench, "{\"lead_id\":\"L1\",\"contact\":{\"email\":\"s@uni.edu\"}}", MONDAY_10);
	expect_outcome(&d, OUTCOME_UNASSIGNED);
	assert_string_equal(d.events[0].type, "lead.unassigned");
	expect_text(value_of(bench, &d.events[0]), "reason", "grade_stops");
	/* it is a first all the same */
	d = feed(bench, "{\"lead_id\":\"L2\",\"contact\":{\"email\":\"s@uni.edu\"}}", MONDAY_10);
	expect_outcome(&d, OUTCOME_DUPLICATE);
}

static void places_find_their_team(void **state)
{
	struct bench *bench = *state;
	struct decision d = feed(bench, "{\"contact\":{\"wechat\":\"a\"},\"location\":{\"country\":\"us\",\"region\":\"california\"}}",
	                         MONDAY_10);
	assert_true(slice_is(d.owner, "dee") && slice_is(d.team, "key") && slice_is(d.route, "by-area"));
	assert_int_equal(json_get(value_of(bench, &d.events[0]), "score")->integer, 5); /* the area counts in scores too */
	d = feed(bench, "{\"contact\":{\"wechat\":\"a\"},\"location\":{\"country\":\"USA\"}}", MONDAY_10);
	assert_true(slice_is(d.route, "rest")); /* the area names no team */
	const struct json *trace = json_get(value_of(bench, &d.events[0]), "trace");
	const struct json *routes = json_get(trace, "routes");
	assert_int_equal(routes->count, 4);
	expect_text(&routes->items[0], "result", "no");
	expect_text(&routes->items[0], "clause", "grade == \"A\"");
	expect_text(&routes->items[1], "clause", "\"vip.is\" in facts");
	expect_text(&routes->items[2], "result", "no_team");
	expect_text(&routes->items[2], "area", "nobody");
	expect_text(&routes->items[3], "result", "yes");
}

static void a_requested_owner_is_taken_if_there(void **state)
{
	struct bench *bench = *state;
	struct decision d = feed(bench, "{\"contact\":{\"wechat\":\"a\"},\"requested_owner\":\"dee\"}", MONDAY_10);
	assert_true(slice_is(d.owner, "dee"));
	expect_text(value_of(bench, &d.events[0]), "reason", "requested");
	expect_text(value_of(bench, &d.events[0]), "why", "Grade B (score 0); the customer asked for Dee Dietz.");
	assert_string_equal(store_text(&bench->store, "ring/key"), "");
	d = feed(bench, "{\"contact\":{\"wechat\":\"a\"},\"requested_owner\":\"cy\"}", MONDAY_10);
	assert_true(slice_is(d.owner, "ana"));
	const struct json *trace = json_get(value_of(bench, &d.events[0]), "trace");
	expect_text(json_get(trace, "requested_owner"), "result", "not_active");
}

static void facts_of_plugins_route(void **state)
{
	struct bench *bench = *state;
	struct record record = fixture_record(RECORD_CAPTURED, 0, "{\"lead_id\":\"L1\",\"contact\":{\"wechat\":\"a\"}}");
	struct prepared *prepared = rules_prepare(&bench->fixture.model, &record, MONDAY_10, &bench->arena);
	assert_true(rules_is_lead(prepared));
	assert_int_equal(rules_add_fact_bool(prepared, "vip.is", true), 0);
	assert_int_equal(rules_add_fact_text(prepared, "vip.bad", SLICE("\xff")), -1);
	assert_true(rules_fill_field(prepared, "location.country", SLICE("FR"), "geo"));
	assert_false(rules_fill_field(prepared, "location.country", SLICE("DE"), "geo"));
	assert_false(rules_fill_field(prepared, "lead_id", SLICE("x"), "geo"));
	assert_true(slice_is(rules_field(prepared, "location.country"), "FR"));
	assert_null(rules_field(prepared, "contact.email").p);
	struct decider *decider = decider_new(&bench->fixture.model, store_view(&bench->store), &bench->arena);
	struct decision d;
	decider_decide(decider, prepared, MONDAY_10, &d);
	finish(bench, decider);
	assert_true(slice_is(d.route, "vip"));
	int taken = 0;
	for (int i = 0; i < 40; i++) {
		char name[16];
		snprintf(name, sizeof name, "p.%d", i);
		taken += rules_add_fact_int(prepared, name, i) == 0;
	}
	assert_int_equal(taken, 31);
}

static void a_touch_stops_the_clock(void **state)
{
	struct bench *bench = *state;
	feed(bench, "{\"lead_id\":\"L1\",\"contact\":{\"wechat\":\"a\"}}", MONDAY_10);
	struct decision d = act(bench, "{\"type\":\"activity.touch\",\"lead_id\":\"L1\",\"actor\":\"bob\"}", MONDAY_10 + 1000);
	expect_outcome(&d, OUTCOME_ACTIVITY);
	expect_text(value_of(bench, &d.events[0]), "status", "assigned"); /* not the owner */
	d = act(bench, "{\"type\":\"activity.touch\",\"lead_id\":\"L1\",\"actor\":\"ana\",\"method\":\"phone\"}", MONDAY_10 + 60000);
	const struct json *json = value_of(bench, &d.events[0]);
	expect_text(json, "status", "in_progress");
	expect_text(json, "previous_status", "assigned");
	assert_true(json_get(json_get(json, "first_response"), "in_time")->boolean);
	assert_int_equal(json_get(json_get(json, "first_response"), "elapsed_ms")->integer, 60000);
	d = fire(bench, "L1", MONDAY_10 + (int64_t)86400000 * 30);
	expect_outcome(&d, OUTCOME_NOTHING);
	assert_int_equal(d.event_count, 0);
}

static void a_repeated_activity_is_taken_once(void **state)
{
	struct bench *bench = *state;
	feed(bench, "{\"lead_id\":\"L1\",\"contact\":{\"wechat\":\"a\"}}", MONDAY_10);
	static const char event[] = "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"crm\",\"type\":\"activity.touch\","
	                            "\"data\":{\"lead_id\":\"L1\"}}";
	struct decision d = act(bench, event, MONDAY_10 + 1);
	assert_false(json_get(value_of(bench, &d.events[0]), "repeated")->boolean);
	char *before = strdup(store_text(&bench->store, "lead/L1"));
	d = act(bench, event, MONDAY_10 + 2);
	assert_true(json_get(value_of(bench, &d.events[0]), "repeated")->boolean);
	assert_string_equal(store_text(&bench->store, "lead/L1"), before);
	free(before);
}

static void timers_fire_in_order_and_once(void **state)
{
	struct bench *bench = *state;
	static const char json[] = "{\"lead_id\":\"L1\",\"intent\":\"high\",\"company\":{\"employees\":101},\"contact\":{\"wechat\":\"a\"}}";
	feed(bench, json, MONDAY_10);
	struct decision d = fire(bench, "L1", MONDAY_10 + 5400000 - 1);
	expect_outcome(&d, OUTCOME_NOTHING);
	d = fire(bench, "L1", MONDAY_10 + 5400000);
	expect_outcome(&d, OUTCOME_TIMER);
	assert_int_equal(d.event_count, 1);
	assert_string_equal(d.events[0].type, "followup.reminder");
	assert_true(slice_is(d.events[0].id, "L1:first_response:1:pre_breach"));
	assert_true(slice_is(d.events[0].cause, "timer:L1:first_response:1"));
	d = fire(bench, "L1", MONDAY_10 + 5400000);
	expect_outcome(&d, OUTCOME_NOTHING);
	d = fire(bench, "L1", MONDAY_10 + 7200001);
	assert_true(slice_is(d.events[0].id, "L1:first_response:1:breach"));
	assert_int_equal(json_get(value_of(bench, &d.events[0]), "late_ms")->integer, 1);
	expect_outcome(&d, OUTCOME_TIMER);
	assert_int_equal(d.since_ms, MONDAY_10 + 7200000);
	d = fire(bench, "L1", MONDAY_10 + 9000000);
	expect_outcome(&d, OUTCOME_NOTHING);
	d = fire(bench, "unknown", MONDAY_10);
	expect_outcome(&d, OUTCOME_NOTHING);
}

/* What one firing writes, without applying it. */
static const struct write *writes_of_firing(struct bench *bench, const char *lead_id, size_t *ret_count)
{
	const struct write *writes;
	struct decision d;
	struct decider *decider = decider_new(&bench->fixture.model, store_view(&bench->store), &bench->arena);
	decider_fire(decider, slice_of(lead_id), MONDAY_10, &d);
	decider_finish(decider, &writes, ret_count);
	expect_outcome(&d, OUTCOME_NOTHING);
	assert_int_equal(d.event_count, 0);
	return writes;
}

static void a_timer_of_no_lead_is_taken_away(void **state)
{
	struct bench *bench = *state;
	size_t count;
	const struct write *writes = writes_of_firing(bench, "gone", &count);
	assert_int_equal(count, 1);
	assert_true(slice_is(writes[0].key, "lead/gone"));
	assert_true(writes[0].is_tombstone);
	assert_int_equal(writes[0].due_ms, 0);
}

static void a_timer_of_an_unreadable_lead_is_taken_away_and_its_value_stays(void **state)
{
	struct bench *bench = *state;
	static const char newer[] = "{\"ver\":1,\"state\":\"assigned\",\"score\":1,\"at\":1,\"deadline\":5,\"new\":2}";
	const struct write stored = {.key = SLICE("lead/L1"), .value = {newer, sizeof newer - 1}, .due_ms = 5};
	store_apply(&bench->store, &stored, 1);
	size_t count;
	const struct write *writes = writes_of_firing(bench, "L1", &count);
	assert_int_equal(count, 1);
	assert_true(slice_is(writes[0].key, "lead/L1"));
	assert_false(writes[0].is_tombstone);
	assert_true(slice_is(writes[0].value, newer));
	assert_int_equal(writes[0].due_ms, 0);
}

/* A lead that is written later in the same batch lives. */
static void a_tombstone_does_not_outlive_the_lead(void **state)
{
	struct bench *bench = *state;
	struct decision d;
	const struct write *writes;
	size_t count, found = 0;
	struct record record = fixture_record(RECORD_CAPTURED, 7, "{\"lead_id\":\"L1\",\"contact\":{\"wechat\":\"a\"}}");
	struct prepared *prepared = rules_prepare(&bench->fixture.model, &record, MONDAY_10, &bench->arena);
	struct decider *decider = decider_new(&bench->fixture.model, store_view(&bench->store), &bench->arena);
	decider_fire(decider, SLICE("L1"), MONDAY_10, &d);
	decider_decide(decider, prepared, MONDAY_10, &d);
	expect_outcome(&d, OUTCOME_ASSIGNED);
	decider_finish(decider, &writes, &count);
	for (size_t i = 0; i < count; i++)
		if (slice_is(writes[i].key, "lead/L1")) {
			found++;
			assert_false(writes[i].is_tombstone);
			assert_true(writes[i].due_ms > 0 && writes[i].value.len > 0);
		}
	assert_int_equal(found, 1);
}

static void both_levels_are_told_when_both_are_due(void **state)
{
	struct bench *bench = *state;
	feed(bench, "{\"lead_id\":\"L1\",\"intent\":\"high\",\"source\":\"referral\",\"contact\":{\"wechat\":\"a\"}}", MONDAY_10);
	struct decision d = fire(bench, "L1", MONDAY_10 + 86400000);
	assert_int_equal(d.event_count, 2);
	assert_string_equal(d.events[0].type, "followup.reminder");
	assert_string_equal(d.events[1].type, "followup.overdue");
}

/* ---- explanations */

static void expect_explained(struct bench *bench, const struct event *event, const char *wanted)
{
	struct strbuf text = STRBUF_INIT;
	explain_text(&text, slice_of(event->type), value_of(bench, event));
	assert_string_equal(strbuf_text(&text), wanted);
	strbuf_done(&text);
}

static void events_explain_themselves(void **state)
{
	struct bench *bench = *state;
	struct decision d = feed(bench,
	                         "{\"lead_id\":\"L1\",\"source\":\"referral\",\"contact\":{\"phone\":\"030 1234567\"},"
	                         "\"intent\":\"high\",\"location\":{\"country\":\"BR\"}}",
	                         MONDAY_10);
	expect_explained(bench, &d.events[0],
	                 "Lead L1 went to Ana Alvarez (team World), first contact due 2026-11-23 12:00 +01:00.\n"
	                 "Why       Grade A (score 60); route \"rest\" (routes.yaml:11) sends it to team World, where it was the "
	                 "turn of Ana Alvarez.\n"
	                 "Score     +40 intent (score.yaml:2), +20 referral (score.yaml:4)\n"
	                 "Routes    no      dach-high (routes.yaml:2): lead.location.country in [\"DE\", \"AT\", \"CH\"]\n"
	                 "          no      vip (routes.yaml:5): \"vip.is\" in facts\n"
	                 "          no team by-area (routes.yaml:8)\n"
	                 "          yes     rest (routes.yaml:11)\n"
	                 "Turn      ana 0/1 chosen, dee 0/1 turn comes later\n"
	                 "Changed   contact.phone canonical: 030****567 -> +553****4567\n"
	                 "By        configuration 00112233aabbccdd, leadrouter " LEADROUTER_VERSION "\n");
}

static void every_outcome_has_a_sentence(void **state)
{
	struct bench *bench = *state;
	static const char json[] = "{\"lead_id\":\"L1\",\"contact\":{\"wechat\":\"a\"}}";
	struct strbuf all = STRBUF_INIT;
	struct decision d[5] = {
		feed(bench, json, MONDAY_10),
		feed(bench, json, MONDAY_10),
		feed(bench, "{\"lead_id\":\"L2\",\"contact\":{\"email\":\"s@uni.edu\"}}", MONDAY_10),
		fire(bench, "L1", MONDAY_10 + (int64_t)7 * 86400000),
		act(bench, "{\"type\":\"activity.touch\",\"lead_id\":\"L1\"}", MONDAY_10 + (int64_t)8 * 86400000),
	};
	for (size_t i = 0; i < 5; i++) {
		explain_sentence(&all, slice_of(d[i].events[0].type), value_of(bench, &d[i].events[0]));
		strbuf_putc(&all, '\n');
	}
	assert_string_equal(strbuf_text(&all),
	                    "Lead L1 went to Ana Alvarez (team World), first contact due 2026-11-24 10:00 +01:00.\n"
	                    "Lead L1 is L1 again (same lead id), which belongs to Ana Alvarez (team World).\n"
	                    "Lead L2 went to nobody: grade stops.\n"
	                    "Lead L1 is overdue: Ana Alvarez (team World) had until "
	                    "2026-11-24 10:00 +01:00 for the first contact.\n"
	                    "Lead L1 was touched and is in progress; the first response came late.\n");
	strbuf_done(&all);
}

/* ---- rejects */

static void bad_records_are_rejected_byte_for_byte(void **state)
{
	static const struct {
		const char *value, *code, *field;
	} rows[] = {
		{"", "empty_record", ""},
		{"{", "bad_json", ""},
		{"[]", "not_an_object", ""},
		{"{\"contact\":{\"email\":\"a@b.de\",\"email\":\"c@d.de\"}}", "duplicate_key", ""},
		{"{}", "no_contact", "contact"},
		{"{\"contact\":{\"name\":\"x\"}}", "no_contact", "contact"},
		{"{\"contact\":{\"email\":\"not an address\"}}", "bad_contact", "contact"},
		{"{\"contact\":{\"email\":7}}", "wrong_field_type", "contact.email"},
		{"{\"contact\":[]}", "wrong_field_type", "contact"},
		{"{\"contact\":{\"wechat\":\"a\"},\"company\":{\"employees\":-1}}", "field_out_of_range", "company.employees"},
		{"{\"contact\":{\"wechat\":\"a\"},\"captured_at\":\"yesterday\"}", "bad_time", "captured_at"},
		{"{\"contact\":{\"wechat\":\"a\"},\"lead_id\":\"a@b.de\"}", "bad_lead_id", "lead_id"},
		{"{\"type\":\"lead.lost\",\"contact\":{\"wechat\":\"a\"}}", "unknown_type", "type"},
		{"{\"specversion\":\"0.3\",\"id\":\"1\",\"source\":\"s\",\"type\":\"lead.captured\",\"data\":{}}", "bad_cloudevent",
	         "specversion"},
	};
	struct bench *bench = *state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct header original = {SLICE("x"), SLICE_NONE};
		struct record record = fixture_record(RECORD_CAPTURED, (int64_t)i, rows[i].value);
		record.headers = &original;
		record.header_count = 1;
		record.key = SLICE("k");
		record.has_key = true;
		struct decision d = feed_record(bench, &record, MONDAY_10);
		expect_outcome(&d, OUTCOME_REJECTED);
		const struct event *event = &d.events[0];
		assert_int_equal(event->topic, OUT_REJECTED);
		assert_true(slice_is(event->value, rows[i].value) && slice_is(event->key, "k"));
		assert_int_equal(event->header_count, 10);
		assert_true(slice_is(event->headers[0].name, "x") && event->headers[0].value.p == NULL);
		assert_true(slice_is(event->headers[5].name, "leadrouter.error.code"));
		if (!slice_is(event->headers[5].value, rows[i].code) || !slice_is(event->headers[7].value, rows[i].field))
			fail_msg("%s: %.*s at %.*s", rows[i].value, SLICE_ARG(event->headers[5].value),
			         SLICE_ARG(event->headers[7].value));
	}
	assert_int_equal(bench->store.count, 0);
}

static void activities_have_their_codes(void **state)
{
	static const struct {
		const char *value, *code;
	} rows[] = {
		{"{\"type\":\"activity.claim\",\"lead_id\":\"L1\"}", "missing_field"},
		{"{\"type\":\"rep.availability\"}", "missing_field"},
		{"{\"type\":\"activity.dance\",\"lead_id\":\"L1\"}", "unknown_type"},
		{"{\"lead_id\":\"L1\"}", "unknown_type"},
		{"{\"type\":\"activity.touch\"}", "missing_lead_id"},
		{"{\"type\":\"activity.touch\",\"lead_id\":\"L1\"}", "unknown_lead"},
		{"{\"type\":\"activity.touch\",\"lead_id\":\"L1\",\"at\":\"x\"}", "bad_time"},
	};
	struct bench *bench = *state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct decision d = act(bench, rows[i].value, MONDAY_10);
		expect_outcome(&d, OUTCOME_REJECTED);
		assert_string_equal(err_word(d.code), rows[i].code);
	}
}

static void tenants_stay_in_their_partition(void **state)
{
	struct bench *bench = *state;
	static const struct slice tenants[] = {{"acme", 4}, {"globex", 6}};
	bench->fixture.model.tenants = tenants;
	bench->fixture.model.tenant_count = 2;
	static const char json[] = "{\"contact\":{\"wechat\":\"a\"},\"tenant\":\"acme\"}";
	struct record record = fixture_record(RECORD_CAPTURED, 0, json);
	record.partition_count = 6;
	record.partition = rules_partition_of(SLICE("acme"), 6);
	struct decision d = feed_record(bench, &record, MONDAY_10);
	expect_outcome(&d, OUTCOME_ASSIGNED);
	record.partition = (record.partition + 1) % 6;
	d = feed_record(bench, &record, MONDAY_10);
	assert_string_equal(err_word(d.code), "wrong_partition");
	record.value = SLICE("{\"contact\":{\"wechat\":\"a\"}}");
	d = feed_record(bench, &record, MONDAY_10);
	assert_string_equal(err_word(d.code), "missing_tenant");
	record.key = SLICE("nobody");
	record.has_key = true;
	d = feed_record(bench, &record, MONDAY_10);
	assert_string_equal(err_word(d.code), "unknown_tenant");
	record.key = SLICE("globex");
	record.partition = rules_partition_of(SLICE("globex"), 6);
	d = feed_record(bench, &record, MONDAY_10);
	expect_outcome(&d, OUTCOME_ASSIGNED);
}

/* Known answers of Kafka's Java client (org.apache.kafka.common.utils.UtilsTest). */
static void partitions_are_those_of_the_java_client(void **state)
{
	(void)state;
	static const struct {
		const char *key;
		int32_t hash;
	} rows[] = {{"21", -973932308}, {"foobar", -790332482}, {"a-little-bit-long-string", -985981536},
	            {"a-little-bit-longer-string", -1486304829}, {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(rules_partition_of(slice_of(rows[i].key), INT32_MAX), (rows[i].hash & 0x7fffffff) % INT32_MAX);
}

/* ---- the same input gives the same bytes, however it is cut into batches */

enum { RECORDS = 300 };

/* A mixed stream: leads that repeat each other, odd ones, touches, from a fixed seed. */
static void make_stream(struct arena *arena, struct record *records)
{
	uint64_t seed = 42;
	for (int i = 0; i < RECORDS; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		unsigned dice = (unsigned)(seed >> 33);
		const char *json;
		if (dice % 7 == 0)
			json = arena_printf(arena, "{\"type\":\"activity.touch\",\"lead_id\":\"L%u\"}", dice % 97);
		else if (dice % 31 == 0)
			json = "{\"contact\":";
		else
			json = arena_printf(arena,
			                    "{\"lead_id\":\"L%u\",\"intent\":\"%s\",\"company\":{\"employees\":%u},\"contact\":"
			                    "{\"email\":\"p%u@example.com\",\"phone\":\"030 12345%02u\"},\"location\":{\"country\":\"%s\"}}",
			                    dice % 97, dice % 2 ? "high" : "clear", dice % 300, dice % 61, dice % 43,
			                    dice % 3 ? "DE" : "US");
		records[i] = fixture_record(dice % 7 == 0 ? RECORD_ACTIVITY : RECORD_CAPTURED, i, json);
	}
}

/* Everything that leaves the core, as one text. */
static void play(struct bench *bench, const struct record *records, size_t batch, struct strbuf *log)
{
	struct store store = {NULL, 0};
	for (size_t at = 0; at < RECORDS; at += batch) {
		struct decider *decider = decider_new(&bench->fixture.model, store_view(&store), &bench->arena);
		const struct write *writes;
		size_t count;
		for (size_t i = at; i < at + batch && i < RECORDS; i++) {
			struct decision d;
			int64_t now_ms = MONDAY_10 + (int64_t)i * 1000;
			decider_decide(decider, rules_prepare(&bench->fixture.model, &records[i], now_ms, &bench->arena), now_ms, &d);
			for (size_t e = 0; e < d.event_count; e++) {
				strbuf_append(log, d.events[e].id.p, d.events[e].id.len);
				strbuf_append(log, d.events[e].value.p, d.events[e].value.len);
			}
		}
		decider_finish(decider, &writes, &count);
		store_apply(&store, writes, count);
	}
	struct decider *last = decider_new(&bench->fixture.model, store_view(&store), &bench->arena);
	for (int i = 0; i < 97; i++) {
		struct decision d;
		decider_fire(last, slice_of(arena_printf(&bench->arena, "L%d", i)), MONDAY_10 + 7200000, &d);
		for (size_t e = 0; e < d.event_count; e++)
			strbuf_append(log, d.events[e].value.p, d.events[e].value.len);
	}
	for (size_t i = 0; i < store.count; i++) /* in order of first write, which batches must not change for leads */
		if (!rules_is_memory(slice_of(store.rows[i].key)))
			strbuf_printf(log, "%s=%s\n", store.rows[i].key, store.rows[i].value);
	static const char *const memory[] = {"ring/emea", "ring/key", "ring/world", "mem/rep/ana", "mem/rep/bob", "mem/rep/dee",
	                                     "mem/seat/emea//ana", "mem/seat/emea//bob", "mem/seat/world//dee"};
	for (size_t i = 0; i < sizeof memory / sizeof *memory; i++)
		strbuf_printf(log, "%s\n", store_text(&store, memory[i]));
	store_done(&store);
}

static void batches_change_nothing(void **state)
{
	struct bench *bench = *state;
	struct record *records = arena_array(&bench->arena, RECORDS, sizeof *records);
	make_stream(&bench->arena, records);
	struct strbuf whole = STRBUF_INIT;
	play(bench, records, RECORDS, &whole);
	assert_true(whole.len > 100000);
	for (size_t batch = 1; batch < RECORDS; batch = batch * 3 + 1) {
		struct strbuf cut = STRBUF_INIT;
		play(bench, records, batch, &cut);
		assert_int_equal(cut.len, whole.len);
		assert_memory_equal(cut.bytes, whole.bytes, whole.len);
		strbuf_done(&cut);
	}
	strbuf_done(&whole);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_lead_gets_an_owner_and_a_deadline),
		TEST(nothing_stored_tells_who_it_is),
		TEST(the_same_person_goes_to_the_first_owner),
		TEST(the_same_event_or_lead_id_is_one_lead_for_ever),
		TEST(an_event_that_was_a_duplicate_never_becomes_a_lead),
		TEST(outside_the_window_a_person_is_a_new_lead),
		TEST(a_grade_may_stop_routing),
		TEST(places_find_their_team),
		TEST(a_requested_owner_is_taken_if_there),
		TEST(facts_of_plugins_route),
		TEST(a_touch_stops_the_clock),
		TEST(a_repeated_activity_is_taken_once),
		TEST(timers_fire_in_order_and_once),
		TEST(a_timer_of_no_lead_is_taken_away),
		TEST(a_timer_of_an_unreadable_lead_is_taken_away_and_its_value_stays),
		TEST(a_tombstone_does_not_outlive_the_lead),
		TEST(both_levels_are_told_when_both_are_due),
		TEST(events_explain_themselves),
		TEST(every_outcome_has_a_sentence),
		TEST(bad_records_are_rejected_byte_for_byte),
		TEST(activities_have_their_codes),
		TEST(tenants_stay_in_their_partition),
		TEST(partitions_are_those_of_the_java_client),
		TEST(batches_change_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
