/* SPDX-License-Identifier: Apache-2.0
 *
 * A desk that goes from decider to decider (rules/desk.h) says what one would that is made anew.
 */
#include "tests/unit/core_rig.h"

static const int64_t HOUR = 3600000;

static struct decision lead_with_desk(struct rig *rig, struct desk *desk, const char *json)
{
	struct record *record = arena_alloc(&rig->arena, sizeof *record);
	*record = fixture_record(RECORD_CAPTURED, rig->offset++, json);
	struct prepared *prepared = rules_prepare(rig->model, record, rig->now_ms, &rig->arena);
	struct decider *decider = decider_new(rig->model, store_view(&rig->store), &rig->arena);
	struct decision decision;
	decider_use_desk(decider, desk);
	decider_decide(decider, prepared, rig->now_ms, &decision);
	return rig_finish(rig, decider, &decision);
}

/* Two hours ahead by mistake, then right again: ana is away until ten. */
static void a_clock_that_was_wrong_leaves_nothing_behind(void **state)
{
	(void)state;
	struct rig rig;
	struct desk *desk = desk_new();
	rig_open(&rig, "reps: [ana]\nteams: [{id: n, reps: [ana]}]\nroutes: [{name: r, team: n}]\n");
	rig_act(&rig, "{\"type\":\"rep.availability\",\"rep\":\"ana\",\"status\":\"away\",\"until\":\"2026-11-23T10:00:00Z\"}");
	rig.now_ms += 2 * HOUR;
	struct decision d = lead_with_desk(&rig, desk, "{\"lead_id\":\"L1\",\"contact\":{\"email\":\"a@example.com\"}}");
	assert_int_equal(d.outcome, OUTCOME_ASSIGNED);
	rig.now_ms -= 2 * HOUR;
	d = lead_with_desk(&rig, desk, "{\"lead_id\":\"L2\",\"contact\":{\"email\":\"b@example.com\"}}");
	assert_int_equal(d.outcome, OUTCOME_UNASSIGNED);
	desk_free(desk);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clock_that_was_wrong_leaves_nothing_behind),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
