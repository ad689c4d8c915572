/* SPDX-License-Identifier: Apache-2.0
 *
 * `leadctl ring` as people see it, out of a shard that has decided: what each was given and is owed, and who is next, by
 * rotation or by load.
 */
#include "tests/unit/core_rig.h"

#include "rules/pool_report.h"
#include "rules/story/story_ring.h"

static const char CONFIG[] =
	"reps: [ana, ben, {id: jörg, active: false}, cleo]\n"
	"teams:\n"
	"  - {id: north, reps: [ana, {rep: ben, weight: 2}, jörg, cleo], nobody: [wait], %s}\n"
	"routes: [{name: rest, team: north}]\n";

static void setup(struct rig *rig, const char *options, int leads)
{
	char text[sizeof CONFIG + 100];
	snprintf(text, sizeof text, CONFIG, options);
	rig_open(rig, text);
	for (int i = 0; i < leads; i++)
		rig_lead(rig, arena_printf(&rig->arena, "{\"lead_id\":\"L%d\",\"contact\":{\"email\":\"p%d@example.com\"}}", i, i));
}

/* As the control socket answers. */
static const struct json *answer(struct rig *rig)
{
	struct strbuf text = STRBUF_INIT;
	struct json_writer writer = JSON_WRITER(&text);
	json_open_array(&writer, NULL);
	json_open_object(&writer, NULL);
	json_put_int(&writer, "shard", 0);
	pool_report(&writer, "ring", rig->model, store_view(&rig->store), 0, rig->now_ms);
	json_close_object(&writer);
	json_close_array(&writer);
	struct slice copy = {arena_memdupz(&rig->arena, text.bytes, text.len), text.len};
	strbuf_done(&text);
	const struct json *shards = json_read(copy, (struct json_limits){1 << 16, 8, 1000}, &rig->arena, NULL);
	assert_non_null(shards);
	return shards;
}

static void expect_table(struct rig *rig, const char *wanted)
{
	struct strbuf said = STRBUF_INIT;
	story_ring(&said, answer(rig));
	assert_string_equal(strbuf_text(&said), wanted);
	strbuf_done(&said);
	rig_close(rig);
}

static void a_table_says_who_was_given_what_and_who_is_next(void **state)
{
	(void)state;
	struct rig rig;
	setup(&rig, "capacity: {open: 3}", 5);
	rig_act(&rig, "{\"type\":\"activity.decline\",\"lead_id\":\"L1\",\"actor\":\"ana\"}");
	rig_act(&rig, "{\"type\":\"rep.availability\",\"rep\":\"cleo\",\"status\":\"away\"}");
	expect_table(&rig, "Shard 0, team north, stride; there: 1; leads that wait: 0\n"
	                   "next ana; turns given: 5; rounds apart: 2\n"
	                   "  rep   weight    given       owed    position   open  presence\n"
	                   "  ana        1        0       1.25         0/1      0  available; 1 given back\n"
	                   "  ben        2        3       2.50         3/2      3  at open limit\n"
	                   "  cleo       1        2       1.25         2/1      2  away\n"
	                   "  jörg       1        0       0.00         1/1      0  not active\n");
}

static void who_is_next_by_load_has_the_least_of_it(void **state)
{
	(void)state;
	struct rig rig;
	setup(&rig, "choose_by: load", 4);
	rig_act(&rig, "{\"type\":\"activity.disqualify\",\"lead_id\":\"L2\",\"reason\":\"no_need\"}");
	expect_table(&rig, "Shard 0, team north, stride, by load; there: 3; leads that wait: 0\n"
	                   "next cleo, ben, ana; turns given: 4; rounds apart: 0\n"
	                   "  rep   weight    given       owed    position   open  presence\n"
	                   "  ana        1        1       1.00         1/1      1  available\n"
	                   "  ben        2        2       2.00         2/2      2  available\n"
	                   "  cleo       1        1       1.00         1/1      0  available\n"
	                   "  jörg       1        0       0.00         1/1      0  not active\n");
}

static void a_lane_has_a_table_of_its_own(void **state)
{
	(void)state;
	struct rig rig;
	setup(&rig, "rotation: credit, lanes: [{name: hot, when: lead.intent == \"high\"}]", 1);
	expect_table(&rig, "Shard 0, team north, credit; there: 3; leads that wait: 0\n"
	                   "next ana, cleo, ben; turns given: 1; rounds apart: 0.4\n"
	                   "  rep   weight    given       owed    position   open  presence\n"
	                   "  ana        1        0       0.25         1/1      0  available\n"
	                   "  ben        2        1       0.50        -2/2      1  available\n"
	                   "  cleo       1        0       0.25         1/1      0  available\n"
	                   "  jörg       1        0       0.00         0/1      0  not active\n"
	                   "Lane hot: next ben, ana, cleo; turns given: 0; rounds apart: 0\n"
	                   "  rep   weight    given       owed    position   open  presence\n"
	                   "  ana        1        0       0.00         0/1      0  available\n"
	                   "  ben        2        0       0.00         0/2      1  available\n"
	                   "  cleo       1        0       0.00         0/1      0  available\n"
	                   "  jörg       1        0       0.00         0/1      0  not active\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_says_who_was_given_what_and_who_is_next),
		cmocka_unit_test(who_is_next_by_load_has_the_least_of_it),
		cmocka_unit_test(a_lane_has_a_table_of_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
