/* SPDX-License-Identifier: Apache-2.0
 *
 * A shard in memory: time, order of timers, what a batch may change (nothing), and state that can be rebuilt from its log.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/unit/model_fixture.c"

#include "rules/base/strbuf.h"
#include "rules/world.h"

/* 2026-11-23T09:00:00Z, a Monday: the fixture's calendar is open from here */
static const int64_t NOW = 1795424400000;
enum { MINUTE = 60000, HOUR = 60 * MINUTE };

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);
	fixture_init(fixture);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	fixture_done(*state);
	free(*state);
	return 0;
}

static struct world *world_of(const struct fixture *fixture, size_t batch)
{
	return world_new(&fixture->model, &(struct world_settings){.batch = batch, .now_ms = NOW});
}

static size_t feed_text(struct world *world, enum record_kind kind, const char *json)
{
	return world_feed(world, &(struct world_record){.kind = kind, .value = slice_of(json)});
}

/* Grade A: two business hours, a reminder half an hour before. */
static void feed_lead(struct world *world, const char *id)
{
	char json[200];
	snprintf(json, sizeof json, "{\"lead_id\":\"%s\",\"intent\":\"high\",\"source\":\"referral\",\"contact\":{\"email\":\"%s@example.com\"}}",
	         id, id);
	feed_text(world, RECORD_CAPTURED, json);
}

static void feed_touch(struct world *world, const char *id)
{
	char json[200];
	snprintf(json, sizeof json, "{\"type\":\"activity.touch\",\"lead_id\":\"%s\"}", id);
	feed_text(world, RECORD_ACTIVITY, json);
}

static void expect_event(const struct world *world, size_t index, int64_t at_ms, const char *type, const char *lead_id)
{
	const struct world_decision *made = world_decision(world, index);
	assert_int_equal(made->at_ms, at_ms);
	assert_int_equal(made->decision.event_count, 1);
	assert_string_equal(made->decision.events[0].type, type);
	assert_true(slice_is(made->decision.lead_id, lead_id));
}

static int64_t deadline_of(const struct world *world, const char *key)
{
	return world_due_of(world, slice_of(key));
}

static void timers_fire_each_at_its_own_time_in_order_of_time_and_key(void **state)
{
	struct world *world = world_of(*state, 1);
	feed_lead(world, "b");
	feed_lead(world, "a");
	world_advance(world, NOW + 10 * MINUTE);
	feed_lead(world, "c");
	int64_t remind_ms = deadline_of(world, "lead/a");
	assert_int_equal(remind_ms, deadline_of(world, "lead/b"));
	assert_int_equal(remind_ms, world_next_due(world));
	assert_int_equal(deadline_of(world, "lead/c"), remind_ms + 10 * MINUTE);
	world_advance(world, NOW + 8 * HOUR);
	assert_int_equal(world_now_ms(world), NOW + 8 * HOUR);
	assert_int_equal(world_decision_count(world), 9);
	expect_event(world, 3, remind_ms, "followup.reminder", "a");
	expect_event(world, 4, remind_ms, "followup.reminder", "b");
	expect_event(world, 5, remind_ms + 10 * MINUTE, "followup.reminder", "c");
	expect_event(world, 6, remind_ms + 30 * MINUTE, "followup.overdue", "a");
	expect_event(world, 7, remind_ms + 30 * MINUTE, "followup.overdue", "b");
	expect_event(world, 8, remind_ms + 40 * MINUTE, "followup.overdue", "c");
	assert_int_equal(world_next_due(world), 0);
	world_free(world);
}

static void an_act_at_the_instant_of_the_timer_comes_first(void **state)
{
	struct world *world = world_of(*state, 1);
	feed_lead(world, "a");
	int64_t remind_ms = deadline_of(world, "lead/a");
	world_advance(world, remind_ms);
	assert_int_equal(world_decision_count(world), 1);
	feed_touch(world, "a");
	world_settle(world);
	world_advance(world, remind_ms + 8 * HOUR);
	assert_int_equal(world_decision_count(world), 2);
	expect_event(world, 1, remind_ms, "lead.status", "a");
	world_free(world);
}

static void what_is_due_now_fires_when_the_instant_is_settled(void **state)
{
	struct world *world = world_of(*state, 1);
	feed_lead(world, "a");
	int64_t remind_ms = deadline_of(world, "lead/a");
	world_advance(world, remind_ms);
	world_settle(world);
	assert_int_equal(world_decision_count(world), 2);
	expect_event(world, 1, remind_ms, "followup.reminder", "a");
	world_free(world);
}

static void what_came_due_while_nobody_was_there_fires_late(void **state)
{
	struct world *world = world_of(*state, 1);
	feed_lead(world, "a");
	world_sleep(world, NOW + 24 * HOUR);
	assert_int_equal(world_decision_count(world), 1);
	world_settle(world);
	assert_int_equal(world_decision_count(world), 2);
	const struct world_decision *made = world_decision(world, 1);
	assert_int_equal(made->at_ms, NOW + 24 * HOUR);
	assert_true(slice_is(made->key, "lead/a"));
	assert_int_equal(made->record, SIZE_MAX);
	assert_string_equal(made->decision.events[made->decision.event_count - 1].type, "followup.overdue");
	assert_int_equal(world_next_due(world), 0);
	world_free(world);
}

static void a_batch_is_decided_when_it_is_full_or_settled(void **state)
{
	struct world *world = world_of(*state, 2);
	feed_lead(world, "a");
	assert_int_equal(world_decision_count(world), 0);
	feed_lead(world, "b");
	assert_int_equal(world_decision_count(world), 2);
	feed_lead(world, "c");
	world_settle(world);
	assert_int_equal(world_decision_count(world), 3);
	assert_int_equal(world_decision(world, 2)->record, 2);
	world_free(world);
}

static void forgetting_leaves_the_state(void **state)
{
	struct world *world = world_of(*state, 1);
	struct slice value;
	feed_lead(world, "a");
	world_forget(world);
	assert_int_equal(world_decision_count(world), 0);
	assert_int_equal(world_get(world, SLICE("lead/a"), &value), VIEW_FOUND);
	feed_lead(world, "a");
	assert_int_equal(world_decision(world, 0)->decision.outcome, OUTCOME_DUPLICATE);
	world_free(world);
}

static void facts_reach_the_rules(void **state)
{
	struct world *world = world_of(*state, 1);
	struct world_fact fact = {.name = "vip.is", .kind = WORLD_FACT_BOOL, .boolean = true};
	world_feed(world, &(struct world_record){.value = SLICE("{\"contact\":{\"email\":\"a@example.com\"}}"),
	                                         .facts = &fact, .fact_count = 1});
	assert_true(slice_is(world_decision(world, 0)->decision.route, "vip"));
	world_free(world);
}

/* ---- the same state, whatever the batch; and from the log alone */

static unsigned next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(*seed >> 33);
}

/* Leads that are new, known and bad, acts, and time. */
static void take_random_step(struct world *world, uint64_t *seed)
{
	char id[24];
	snprintf(id, sizeof id, "L-%u", next_random(seed) % 60);
	switch (next_random(seed) % 6) {
	case 0:
	case 1:
	case 2:
		feed_lead(world, id);
		return;
	case 3:
		feed_touch(world, id);
		return;
	case 4:
		feed_text(world, RECORD_CAPTURED, "{\"contact\":{}}");
		return;
	default:
		world_advance(world, world_now_ms(world) + (int64_t)(next_random(seed) % (40 * MINUTE)));
	}
}

static struct world *random_world(const struct fixture *fixture, size_t batch, uint64_t seed)
{
	struct world *world = world_of(fixture, batch);
	for (int i = 0; i < 400; i++)
		take_random_step(world, &seed);
	world_settle(world);
	return world;
}

static void expect_same_state(const struct world *one, const struct world *other)
{
	struct strbuf a = STRBUF_INIT, b = STRBUF_INIT;
	world_dump(one, &a);
	world_dump(other, &b);
	assert_true(a.len > 0);
	assert_string_equal(strbuf_text(&a), strbuf_text(&b));
	strbuf_done(&a);
	strbuf_done(&b);
}

static void the_batch_size_changes_nothing(void **state)
{
	static const size_t batches[] = {2, 3, 64};
	for (uint64_t seed = 1; seed <= 10; seed++) {
		struct world *one = random_world(*state, 1, seed);
		for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
			struct world *other = random_world(*state, batches[i], seed);
			expect_same_state(one, other);
			world_free(other);
		}
		world_free(one);
	}
}

static void the_log_gives_the_same_state_and_the_same_future(void **state)
{
	struct world *one = random_world(*state, 7, 42), *other = world_of(*state, 1);
	assert_int_equal(world_replay(other, world_log(one)), 0);
	expect_same_state(one, other);
	assert_true(world_next_due(one) > 0);
	assert_int_equal(world_next_due(one), world_next_due(other));
	world_advance(other, world_now_ms(one));
	world_advance(one, NOW + 1000 * (int64_t)HOUR);
	world_advance(other, NOW + 1000 * (int64_t)HOUR);
	expect_same_state(one, other);
	world_free(one);
	world_free(other);
}

static void a_log_that_is_none_is_refused(void **state)
{
	static const char *const logs[] = {"x", "+1,1,ab", "+9,1,ab\n", "+-1,1,ab\n", "-1,0,a"};
	for (size_t i = 0; i < sizeof logs / sizeof *logs; i++) {
		struct world *world = world_of(*state, 1);
		assert_int_equal(world_replay(world, slice_of(logs[i])), -1);
		world_free(world);
	}
}

static void a_tombstone_takes_a_key_and_its_timer_away(void **state)
{
	struct world *world = world_of(*state, 1);
	struct slice value;
	feed_lead(world, "a");
	assert_int_equal(world_replay(world, SLICE("-6,0,lead/a\n")), 0);
	assert_int_equal(world_get(world, SLICE("lead/a"), &value), VIEW_ABSENT);
	assert_int_equal(world_next_due(world), 0);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(timers_fire_each_at_its_own_time_in_order_of_time_and_key, setup, teardown),
		cmocka_unit_test_setup_teardown(an_act_at_the_instant_of_the_timer_comes_first, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_due_now_fires_when_the_instant_is_settled, setup, teardown),
		cmocka_unit_test_setup_teardown(what_came_due_while_nobody_was_there_fires_late, setup, teardown),
		cmocka_unit_test_setup_teardown(a_batch_is_decided_when_it_is_full_or_settled, setup, teardown),
		cmocka_unit_test_setup_teardown(forgetting_leaves_the_state, setup, teardown),
		cmocka_unit_test_setup_teardown(facts_reach_the_rules, setup, teardown),
		cmocka_unit_test_setup_teardown(the_batch_size_changes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(the_log_gives_the_same_state_and_the_same_future, setup, teardown),
		cmocka_unit_test_setup_teardown(a_log_that_is_none_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_tombstone_takes_a_key_and_its_timer_away, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
