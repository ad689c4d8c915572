/* SPDX-License-Identifier: Apache-2.0
 *
 * Activity that waits for its lead: sealed where it lies, byte for byte when it is rejected.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/unit/model_fixture.c"

#include "rules/pend.h"

static const int64_t NOW = 1795424400000;
enum { WAIT_MS = 600000 };

static const char ACTIVITY_TEXT[] =
	"{\"type\":\"activity.touch\",\"lead_id\":\"L1\",\"outcome\":\"call Jo Miller at +49 30 1234567 or jo@example.com\"}";

struct bench {
	struct fixture fixture;
	struct store store;
	struct arena arena;
};

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	fixture_init(&bench->fixture);
	bench->fixture.model.touch_rules.wait_ms = WAIT_MS;
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

static struct decision feed(struct bench *bench, enum record_kind kind, int64_t offset, const char *json, int64_t now_ms)
{
	struct decision decision;
	struct record *record = arena_alloc(&bench->arena, sizeof *record);
	struct header *headers = arena_array(&bench->arena, 2, sizeof *headers);
	*record = fixture_record(kind, offset, json);
	headers[0] = (struct header){SLICE("traceparent"), SLICE("00-1-2-00")};
	headers[1] = (struct header){SLICE("empty"), SLICE_NONE};
	record->headers = headers;
	record->header_count = 2;
	record->has_key = true;
	record->key = SLICE("a\0key");
	struct decider *decider = decider_new(&bench->fixture.model, store_view(&bench->store), &bench->arena);
	decider_decide(decider, rules_prepare(&bench->fixture.model, record, now_ms, &bench->arena), now_ms, &decision);
	finish(bench, decider);
	return decision;
}

static struct decision fire(struct bench *bench, const char *key, int64_t now_ms)
{
	struct decision decision;
	struct decider *decider = decider_new(&bench->fixture.model, store_view(&bench->store), &bench->arena);
	decider_fire(decider, slice_of(key), now_ms, &decision);
	finish(bench, decider);
	return decision;
}

static void what_waits_is_sealed(void **state)
{
	struct bench *bench = *state;
	struct decision d = feed(bench, RECORD_ACTIVITY, 7, ACTIVITY_TEXT, NOW);
	assert_int_equal(d.outcome, OUTCOME_NOTHING);
	assert_int_equal(d.event_count, 0);
	const char *stored = store_text(&bench->store, "mem/pend/L1");
	assert_true(strlen(stored) > 200);
	assert_null(strstr(stored, "Miller"));
	assert_null(strstr(stored, "1234567"));
	assert_null(strstr(stored, "4d696c6c6572")); /* nor as hex */
	assert_string_equal(store_text(&bench->store, "mem/pend-count"), "1");
	assert_true(rules_due_of(SLICE("mem/pend/L1"), slice_of(stored)) == NOW + WAIT_MS);
}

static void it_is_rejected_byte_for_byte_when_its_time_is_over(void **state)
{
	struct bench *bench = *state;
	feed(bench, RECORD_ACTIVITY, 7, ACTIVITY_TEXT, NOW);
	assert_int_equal(fire(bench, "mem/pend/L1", NOW + WAIT_MS - 1).event_count, 0);
	struct decision d = fire(bench, "mem/pend/L1", NOW + WAIT_MS);
	assert_int_equal(d.event_count, 1);
	assert_int_equal(d.code, ERR_LEAD_NEVER_CAME);
	const struct event *event = &d.events[0];
	assert_int_equal(event->topic, OUT_REJECTED);
	assert_true(slice_is(event->value, ACTIVITY_TEXT));
	assert_true(event->has_key && slice_equal(event->key, SLICE("a\0key")));
	assert_true(slice_is(event->headers[0].value, "00-1-2-00"));
	assert_true(slice_is(event->headers[1].name, "empty") && event->headers[1].value.p == NULL);
	assert_true(slice_is(event->cause, "leads.activity/0/7"));
	assert_string_equal(store_text(&bench->store, "mem/pend/L1"), "");
	assert_string_equal(store_text(&bench->store, "mem/pend-count"), "");
}

static void another_key_leaves_only_the_place(void **state)
{
	struct bench *bench = *state;
	feed(bench, RECORD_ACTIVITY, 7, ACTIVITY_TEXT, NOW);
	model_set_secret(&bench->fixture.model, SLICE("another secret of thirty-two bytes"));
	struct decision d = fire(bench, "mem/pend/L1", NOW + WAIT_MS);
	assert_int_equal(d.event_count, 1);
	assert_int_equal(d.events[0].value.len, 0);
	assert_true(slice_is(d.events[0].cause, "leads.activity/0/7"));
}

static void limits_hold(void **state)
{
	struct bench *bench = *state;
	for (int i = 0; i < PEND_ITEMS_MAX; i++)
		assert_int_equal(feed(bench, RECORD_ACTIVITY, i, ACTIVITY_TEXT, NOW).outcome, OUTCOME_NOTHING);
	assert_int_equal(feed(bench, RECORD_ACTIVITY, 99, ACTIVITY_TEXT, NOW).code, ERR_UNKNOWN_LEAD);
	char large[PEND_RECORD_BYTES_MAX + 200];
	snprintf(large, sizeof large, "{\"type\":\"activity.touch\",\"lead_id\":\"L2\",\"x\":\"%0*d\"}", PEND_RECORD_BYTES_MAX, 1);
	assert_int_equal(feed(bench, RECORD_ACTIVITY, 100, large, NOW).code, ERR_UNKNOWN_LEAD);
	struct store_row *row = NULL;
	for (size_t i = 0; i < bench->store.count; i++)
		if (strcmp(bench->store.rows[i].key, "mem/pend-count") == 0)
			row = &bench->store.rows[i];
	assert_non_null(row);
	free(row->value);
	row->value = strdup("10000");
	row->value_len = 5;
	assert_int_equal(feed(bench, RECORD_ACTIVITY, 101, "{\"type\":\"activity.touch\",\"lead_id\":\"L3\"}", NOW).code,
	                 ERR_UNKNOWN_LEAD);
}

/* Deciding it behind its lead would look at a lead that nobody has read. */
static void what_is_about_two_leads_does_not_wait(void **state)
{
	struct bench *bench = *state;
	assert_int_equal(feed(bench, RECORD_ACTIVITY, 7, "{\"type\":\"activity.merge\",\"lead_id\":\"L1\",\"other\":\"L2\"}", NOW).code,
	                 ERR_UNKNOWN_LEAD);
	assert_int_equal(feed(bench, RECORD_ACTIVITY, 8, "{\"type\":\"activity.split\",\"lead_id\":\"L1\",\"other\":\"L2\"}", NOW).code,
	                 ERR_UNKNOWN_LEAD);
	assert_string_equal(store_text(&bench->store, "mem/pend/L1"), "");
}

static void foreign_values_are_taken_away(void **state)
{
	struct bench *bench = *state;
	static const char *const bad[] = {"{\"due\":1,\"items\":[\"\"]}", "{\"due\":1,\"items\":[\"5 x y\"]}", "{\"due\":1}", "{\"due\":1,\"items\":7}",
	                                  "{\"due\":1,\"items\":[\"5 a/b\"]}", "{\"due\":1,\"items\":[\"5 //// 00ff\"]}"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct write write = {.key = SLICE("mem/pend/L9"), .value = slice_of(bad[i])};
		store_apply(&bench->store, &write, 1);
		fire(bench, "mem/pend/L9", NOW);
		assert_string_equal(store_text(&bench->store, "mem/pend/L9"), "");
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_waits_is_sealed),
		TEST(it_is_rejected_byte_for_byte_when_its_time_is_over),
		TEST(another_key_leaves_only_the_place),
		TEST(limits_hold),
		TEST(what_is_about_two_leads_does_not_wait),
		TEST(foreign_values_are_taken_away),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
