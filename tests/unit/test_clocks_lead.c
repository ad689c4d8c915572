/* SPDX-License-Identifier: Apache-2.0
 *
 * The clocks of a lead where the configuration, the owner or the order in which things are heard of changes under them.
 */
#include "tests/unit/core_rig.h"

#include <stdio.h>

enum { HOUR_MS = 3600000, DAY_MS = 24 * HOUR_MS };

static const char PEOPLE[] = "reps: [ana, bob]\n"
                             "teams: [{id: all, reps: [ana, bob]}]\n"
                             "routes: [{name: rest, team: all}]\n";

static const char *rules_with(struct rig *rig, const char *clocks)
{
	return arena_printf(&rig->arena, "%sfollowup: {clocks: [%s]}\n", PEOPLE, clocks);
}

static void open_with(struct rig *rig, const char *clocks)
{
	struct arena scratch = ARENA_INIT;
	rig_open(rig, arena_printf(&scratch, "%sfollowup: {clocks: [%s]}\n", PEOPLE, clocks));
	arena_done(&scratch);
}

static void pass(struct rig *rig, int64_t ms)
{
	rig->now_ms += ms;
}

static size_t count_of_type(const struct decision *decision, const char *type)
{
	size_t count = 0;
	for (size_t i = 0; i < decision->event_count; i++)
		count += strcmp(decision->events[i].type, type) == 0;
	return count;
}

static const struct event *event_of_type(const struct decision *decision, const char *type)
{
	for (size_t i = 0; i < decision->event_count; i++)
		if (strcmp(decision->events[i].type, type) == 0)
			return &decision->events[i];
	fail_msg("no %s", type);
	return NULL;
}

static void capture(struct rig *rig)
{
	struct decision d = rig_lead(rig, "{\"lead_id\":\"L1\",\"contact\":{\"email\":\"jo@example.com\"}}");
	assert_int_equal(d.outcome, OUTCOME_ASSIGNED);
}

/* What the daemon does after a reload: compare, then walk over all leads. */
static struct decision begin_and_visit(struct rig *rig, const char *walk)
{
	struct decider *decider = decider_new(rig->model, store_view(&rig->store), &rig->arena);
	struct decision decision;
	decider_begin(decider, rig->now_ms, &decision);
	rig_finish(rig, decider, &decision);
	decider = decider_new(rig->model, store_view(&rig->store), &rig->arena);
	decider_visit(decider, slice_of(walk), SLICE("L1"), rig->now_ms, &decision);
	return rig_finish(rig, decider, &decision);
}

/* ---- clocks that the configuration takes away */

static void a_clock_without_a_line_ends_when_it_comes_due_and_is_no_breach(void **state)
{
	(void)state;
	struct rig rig;
	open_with(&rig, "{clock: first_response, after: 4h}, {clock: cadence, every: 3d}");
	capture(&rig);
	rig_reload(&rig, rules_with(&rig, "{clock: cadence, every: 3d}"));
	pass(&rig, 4 * HOUR_MS);
	struct decision d = rig_fire(&rig, "L1"); /* the walk has not come by yet */
	assert_int_equal(d.event_count, 1);
	const struct json *event = rig_event(&rig, &d, "followup.rescheduled");
	rig_expect(event, "reason", "withdrawn");
	rig_expect(event, "timer", "first_response");
	assert_null(json_get(event, "deadline"));
	assert_true(slice_is(d.events[0].id, "L1:first_response:1:withdrawn"));
	assert_int_equal(rig_state(&rig, "L1").first_response.due_ms, 0);
	d = rig_fire(&rig, "L1");
	assert_int_equal(d.event_count, 0);
	rig_close(&rig);
}

static void a_walk_that_comes_twice_tells_it_once(void **state)
{
	(void)state;
	struct rig rig;
	open_with(&rig, "{clock: stale, after: 30d}, {clock: total_age, after: 90d}");
	begin_and_visit(&rig, "mem/walk/clocks.1"); /* the first plan is remembered */
	capture(&rig);
	rig_reload(&rig, PEOPLE);
	struct decision d = begin_and_visit(&rig, "mem/walk/clocks.2");
	assert_int_equal(count_of_type(&d, "followup.rescheduled"), 2);
	struct lead_state lead = rig_state(&rig, "L1");
	assert_int_equal(state_next_due(&lead), 0);
	d = begin_and_visit(&rig, "mem/walk/clocks.2");
	assert_int_equal(d.event_count, 0);
	rig_close(&rig);
}

/* An edit that is taken back does not let a cycle come twice: its ids would, too. */
static void a_clock_that_comes_back_goes_on_with_the_next_cycle(void **state)
{
	(void)state;
	struct rig rig;
	open_with(&rig, "{clock: cadence, every: 3d}");
	capture(&rig);
	rig_reload(&rig, PEOPLE);
	struct decision d = rig_act(&rig, "{\"type\":\"activity.touch\",\"lead_id\":\"L1\",\"actor\":\"ana\"}");
	rig_expect(rig_event(&rig, &d, "followup.rescheduled"), "reason", "withdrawn");
	rig_reload(&rig, rules_with(&rig, "{clock: cadence, every: 3d}"));
	d = rig_act(&rig, "{\"type\":\"activity.reassign\",\"lead_id\":\"L1\",\"actor\":\"boss\",\"to\":\"bob\",\"reason\":\"x\"}");
	assert_int_equal(d.outcome, OUTCOME_ACTIVITY);
	pass(&rig, 3 * DAY_MS);
	d = rig_fire(&rig, "L1");
	assert_true(slice_is(event_of_type(&d, "followup.overdue")->id, "L1:cadence:2:breach"));
	rig_close(&rig);
}

/* ---- an id that was used */

/* Cycles of a second lead of that id would begin anew, and with them the ids of its events. */
static void an_erased_id_never_runs_a_clock_again(void **state)
{
	(void)state;
	struct rig rig;
	open_with(&rig, "{clock: first_response, after: 4h}");
	capture(&rig);
	pass(&rig, 4 * HOUR_MS);
	struct decision d = rig_fire(&rig, "L1");
	assert_true(slice_is(event_of_type(&d, "followup.overdue")->id, "L1:first_response:1:breach"));
	d = rig_act(&rig, "{\"type\":\"activity.erase\",\"lead_id\":\"L1\",\"actor\":\"boss\"}");
	assert_int_equal(d.outcome, OUTCOME_ACTIVITY);
	d = rig_lead(&rig, "{\"lead_id\":\"L1\",\"contact\":{\"email\":\"other@example.com\"}}");
	rig_expect_reject(&d, ERR_LEAD_ERASED);
	rig_close(&rig);
}

/* ---- late news */

static void the_first_act_in_time_brings_back_what_a_release_took(void **state)
{
	(void)state;
	struct rig rig;
	open_with(&rig, "{clock: release, after: 10d}");
	capture(&rig);
	pass(&rig, 10 * DAY_MS);
	struct decision d = rig_fire(&rig, "L1");
	rig_expect(rig_event(&rig, &d, "lead.unassigned"), "reason", "expired");
	d = rig_act(&rig, "{\"type\":\"activity.touch\",\"lead_id\":\"L1\",\"actor\":\"ana\",\"at\":\"2026-11-24T09:00:00Z\"}");
	rig_expect(rig_event(&rig, &d, "lead.assigned"), "reason", "acted_in_time");
	rig_close(&rig);
}

static void a_later_act_does_not_for_it_was_no_progress(void **state)
{
	(void)state;
	struct rig rig;
	open_with(&rig, "{clock: release, after: 10d}");
	capture(&rig);
	rig_act(&rig, "{\"type\":\"activity.touch\",\"lead_id\":\"L1\",\"actor\":\"ana\"}");
	pass(&rig, 10 * DAY_MS);
	struct decision d = rig_fire(&rig, "L1");
	rig_expect(rig_event(&rig, &d, "lead.unassigned"), "reason", "expired");
	d = rig_act(&rig, "{\"type\":\"activity.touch\",\"lead_id\":\"L1\",\"actor\":\"ana\",\"at\":\"2026-11-24T09:00:00Z\"}");
	assert_int_equal(count_of_type(&d, "lead.assigned"), 0);
	assert_int_equal(rig_state(&rig, "L1").owner.len, 0);
	rig_close(&rig);
}

/* A move that is heard of late sets the clock back to when it was made, not to when somebody heard of it. */
static void progress_counts_from_when_it_happened(void **state)
{
	(void)state;
	struct rig rig;
	open_with(&rig, "{clock: stale, after: 10d}");
	capture(&rig);
	int64_t start_ms = rig.now_ms;
	pass(&rig, 5 * DAY_MS);
	rig_act(&rig, "{\"type\":\"activity.status\",\"lead_id\":\"L1\",\"actor\":\"ana\",\"stage\":\"offer\",\"at\":\"2026-11-24T09:00:00Z\"}");
	struct lead_state lead = rig_state(&rig, "L1");
	assert_int_equal(state_next_due(&lead), start_ms + 11 * DAY_MS);
	rig_act(&rig, "{\"type\":\"activity.status\",\"lead_id\":\"L1\",\"actor\":\"ana\",\"stage\":\"price\",\"at\":\"2020-01-01T09:00:00Z\"}");
	lead = rig_state(&rig, "L1"); /* before it was given: nothing to go back to */
	assert_int_equal(state_next_due(&lead), start_ms + 11 * DAY_MS);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clock_without_a_line_ends_when_it_comes_due_and_is_no_breach),
		cmocka_unit_test(a_walk_that_comes_twice_tells_it_once),
		cmocka_unit_test(a_clock_that_comes_back_goes_on_with_the_next_cycle),
		cmocka_unit_test(an_erased_id_never_runs_a_clock_again),
		cmocka_unit_test(the_first_act_in_time_brings_back_what_a_release_took),
		cmocka_unit_test(a_later_act_does_not_for_it_was_no_progress),
		cmocka_unit_test(progress_counts_from_when_it_happened),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
