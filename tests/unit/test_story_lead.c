/* SPDX-License-Identifier: Apache-2.0
 *
 * The words for a lead that was decided: how it came to who has it, by every way in which it can change hands; what became of
 * its record; and that a story of any shape is told. The whole as people see it is in tests/integration/test_explain.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/base/arena.h"
#include "rules/base/strbuf.h"
#include "rules/json/json.h"
#include "rules/story/explain.h"
#include "rules/story/story.h"
#include "rules/story/story_lead.h"

static const struct json_limits limits = {65536, 32, 10000};

/* ---- one sentence */

static void says(const char *type, const char *data, const char *expected)
{
	struct arena arena = ARENA_INIT;
	struct strbuf out = STRBUF_INIT;
	char *text = arena_printf(&arena, "{\"lead_id\":\"L1\",\"decided\":{\"type\":\"lead.assigned\",\"data\":{\"lead_id\":\"L1\",\"owner\":\"bob\","
	                                  "\"reason\":\"requested\"}},\"changed\":{\"type\":\"%s\",\"data\":{\"lead_id\":\"L1\",%s}}}", type, data);
	const struct json *story = json_read(slice_of(text), limits, &arena, NULL);
	assert_non_null(story);
	story_lead_short(&out, story, false);
	assert_string_equal(strbuf_text(&out), expected);
	strbuf_clear(&out);
	story_lead_short(&out, story, true);
	assert_string_equal(strbuf_text(&out), "L1 went to bob because the customer asked for bob.");
	strbuf_done(&out);
	arena_done(&arena);
}

#define GIVEN(reason) "\"reason\":\"" reason "\",\"owner\":\"ana\",\"team\":\"emea\",\"previous_owner\":\"bob\",\"actor\":\"boss\""
#define TAKEN(reason) "\"reason\":\"" reason "\",\"previous_owner\":\"bob\",\"actor\":\"boss\",\"status\":\"released\""

static void the_last_change_of_owner_is_told(void **state)
{
	(void)state;
	says("lead.assigned", GIVEN("manual"), "L1 went to ana because boss ordered it.");
	says("lead.assigned", GIVEN("manual") ",\"comment\":\"knows\\nthem\"", "L1 went to ana because boss ordered it (\"knows them\").");
	says("lead.assigned", GIVEN("claimed"), "L1 went to ana because ana claimed it while it was free.");
	says("lead.assigned", GIVEN("declined"), "L1 went to ana because bob declined it and it was the turn of ana in team emea.");
	says("lead.assigned", GIVEN("breach"), "L1 went to ana because bob did not act in time and it was the turn of ana in team emea.");
	says("lead.assigned", GIVEN("waited"), "L1 went to ana because it had waited for team emea and it was the turn of ana.");
	says("lead.assigned", GIVEN("handed_over"), "L1 went to ana because all that bob had was handed over.");
	says("lead.assigned", GIVEN("dispute"), "L1 went to ana because the dispute about it was decided for ana.");
	says("lead.assigned", "\"reason\":\"new_way\",\"owner\":\"ana\",\"why\":\"Grade A; so.\"", "L1 went to ana: Grade A; so.");
	says("lead.unassigned", TAKEN("released"), "L1 belongs to nobody because bob gave it up.");
	says("lead.unassigned", TAKEN("expired"), "L1 belongs to nobody because nothing had moved for so long that it was taken back from bob.");
	says("lead.unassigned", "\"reason\":\"declined\",\"previous_owner\":\"bob\",\"team\":\"emea\",\"status\":\"waiting\"",
	     "L1 waits for team emea because bob declined it and nobody else could be asked.");
	says("lead.unassigned", "\"reason\":\"manual\",\"status\":\"unassigned\"", "L1 belongs to nobody because somebody took it back from somebody.");
	says("lead.merged", "\"into\":\"L2\",\"match\":\"same_email\",\"owner\":\"cy\",\"owner_name\":\"Cy Chen\"",
	     "Lead L1 went into L2 (same email), which belongs to Cy Chen.");
	says("lead.erased", "\"actor\":\"boss\"", "Lead L1 was erased by boss.");
}

static void tell(const char *text, const char *expected)
{
	struct arena arena = ARENA_INIT;
	struct strbuf out = STRBUF_INIT;
	const struct json *story = json_read(slice_of(text), limits, &arena, NULL);
	assert_non_null(story);
	story_lead_short(&out, story, false);
	assert_string_equal(strbuf_text(&out), expected);
	strbuf_done(&out);
	arena_done(&arena);
}

static void what_the_record_came_to_is_told(void **state)
{
	(void)state;
	tell("{\"lead_id\":\"L1\",\"decided\":{\"type\":\"lead.unassigned\",\"data\":{\"lead_id\":\"L1\",\"reason\":\"waiting\",\"team\":\"emea\",\"why\":"
	     "\"Grade A; it waits.\"}}}", "L1 waits for team emea: Grade A; it waits.");
	tell("{\"lead_id\":\"L1\",\"decided\":{\"type\":\"lead.unassigned\",\"data\":{\"lead_id\":\"L1\",\"reason\":\"held\",\"why\":\"Grade D.\"}}}",
	     "L1 is held: Grade D.");
	tell("{\"lead_id\":\"L1\",\"decided\":{\"type\":\"lead.rejected\"},\"reject\":{\"number\":\"LR114\",\"code\":\"no_contact\",\"field\":\"contact\","
	     "\"text\":\"nothing is given\"}}", "L1 was rejected: LR114[no_contact] contact: nothing is given");
	/* a route as the event has it comes without its condition: nothing is said of it */
	tell("{\"lead_id\":\"L1\",\"decided\":{\"type\":\"lead.assigned\",\"data\":{\"lead_id\":\"L1\",\"owner\":\"ana\",\"team\":\"emea\",\"reason\":\"first\","
	     "\"rule\":{\"name\":\"r\"}}},\"routes\":[{\"name\":\"r\",\"by_event\":true}]}",
	     "L1 went to ana because route r matched, and ana was next in team emea.");
}

/* ---- an event as `leadctl watch` and the trace of a test say it */

static void reads(const char *type, const char *data, const char *expected)
{
	struct arena arena = ARENA_INIT;
	struct strbuf out = STRBUF_INIT;
	const struct json *event = json_read(slice_of(arena_printf(&arena, "{\"lead_id\":\"L1\",%s}", data)), limits, &arena, NULL);
	assert_non_null(event);
	explain_sentence(&out, slice_of(type), event);
	assert_string_equal(strbuf_text(&out), expected);
	strbuf_done(&out);
	arena_done(&arena);
}

#define DISPUTE(step, criterion) "\"step\":\"" step "\",\"criterion\":\"" criterion "\",\"owner\":\"bob\",\"winner\":\"bob\""

static void the_end_of_a_dispute_says_whether_anything_decided_it(void **state)
{
	(void)state;
	reads("lead.dispute", DISPUTE("decided", "key_person"), "Lead L1: the dispute is over; it belongs to bob by key person.");
	reads("lead.dispute", DISPUTE("decided", "none"), "Lead L1: the dispute is over; it stays with bob, as nothing tells the claims apart.");
	reads("lead.dispute", DISPUTE("decided", "holding_cap"),
	      "Lead L1: the dispute is over; it stays with bob, as whoever claimed it holds as many leads as he may.");
	reads("lead.dispute", DISPUTE("undecided", "manager"),
	      "Lead L1 is claimed by others, and nothing tells the claims apart: a manager has to decide; it stays with bob until then.");
}

/* An exemption, or releases that are only proposed, may keep it where it is. */
static void what_a_breach_asks_for_is_not_told_as_done(void **state)
{
	(void)state;
	reads("followup.overdue", "\"owner\":\"bob\",\"owner_name\":\"Bob\",\"timer\":\"release\",\"deadline\":\"2026-03-12T09:00:00Z\",\"action\":\"pool\"",
	      "Lead L1 is overdue: Bob had until 2026-03-12T09:00:00Z for progress, before the lead is released; it is to be taken back.");
	reads("followup.overdue", "\"owner\":\"bob\",\"owner_name\":\"Bob\",\"timer\":\"first_response\",\"deadline\":\"2026-03-12T09:00:00Z\",\"action\":\"reassign\"",
	      "Lead L1 is overdue: Bob had until 2026-03-12T09:00:00Z for the first contact; somebody else is to get it.");
}

/* ---- why not */

#define ROUTES(more) "\"routes\":[{\"name\":\"a\",\"result\":\"no\",\"clause\":\"x\"" more "},{\"name\":\"b\",\"result\":\"yes\"" more "}]"

static void why_not(const char *text, const char *route, const char *expected)
{
	struct arena arena = ARENA_INIT;
	struct strbuf out = STRBUF_INIT;
	const struct json *story = json_read(slice_of(text), limits, &arena, NULL);
	assert_non_null(story);
	assert_int_equal(story_lead_why_not(&out, story, slice_of(route)), expected != NULL);
	assert_string_equal(strbuf_text(&out), expected != NULL ? expected : "");
	strbuf_done(&out);
	arena_done(&arena);
}

static void any_route_says_why_not(void **state)
{
	(void)state;
	static const char then[] = "{\"lead_id\":\"L1\",\"routes_tried\":2,\"route_taken\":\"b\"," ROUTES("") "}";
	why_not(then, "a", "L1: route \"a\" does not match: x.");
	why_not(then, "b", "L1: route \"b\" did take it.");
	why_not(then, "c", NULL);
	static const char both[] = "{\"lead_id\":\"L1\",\"routes_tried\":2,\"route_taken\":\"b\"," ROUTES(",\"by_event\":true")
		",\"again\":{\"same_rules\":false,\"story\":{\"routes_tried\":1,\"route_taken\":\"c\",\"routes\":[{\"name\":\"c\",\"result\":\"yes\"},"
		"{\"name\":\"a\",\"result\":\"yes\"}]}}}";
	why_not(both, "a", "L1: route \"a\" does not match: x. The rules have changed since; by those of now, route \"c\" comes first and would take it"
	                   "; by itself route \"a\" would match.");
	why_not(both, "b", "L1: route \"b\" did take it.");
	why_not(both, "c", "L1: route \"b\" took it, and the event says nothing about route \"c\". The rules have changed since; by those of now, "
	                   "route \"c\" would take it.");
	why_not(both, "d", NULL);
	why_not("{\"lead_id\":\"L1\",\"outcome\":\"duplicate\",\"decided\":{\"data\":{\"first_lead_id\":\"L0\",\"match\":\"same_email\"}}}", "x",
	        "L1: no route was tried, because it is L0 again (same email).");
	why_not("{\"lead_id\":\"L1\",\"outcome\":\"rejected\",\"reject\":{\"number\":\"LR114\",\"code\":\"no_contact\",\"text\":\"t\"}}", "x",
	        "L1: no route was tried, because it was rejected: LR114[no_contact] t.");
}

/* ---- all of it */

static void contains(const char *text, const char *expected)
{
	struct arena arena = ARENA_INIT;
	struct strbuf out = STRBUF_INIT;
	const struct json *story = json_read(slice_of(text), limits, &arena, NULL);
	assert_non_null(story);
	story_lead_text(&out, story);
	if (strstr(strbuf_text(&out), expected) == NULL)
		print_error("%s\n", strbuf_text(&out));
	assert_non_null(strstr(strbuf_text(&out), expected));
	strbuf_done(&out);
	arena_done(&arena);
}

#define RECORD(more) "{\"lead_id\":\"L1\",\"decided\":{\"type\":\"lead.assigned\",\"data\":{}},\"record\":{\"topic\":\"t\",\"partition\":1,\"offset\":2" more

static void what_became_of_the_record_is_told(void **state)
{
	(void)state;
	contains(RECORD(",\"missing\":\"it is not kept any more\"}}"),
	         "Record    t/1/2: it is not kept any more; told from the event alone, without values\n");
	contains(RECORD("},\"again\":{\"same_rules\":true,\"differs\":[]}}"), "t/1/2, decided again by the same rules: it comes out the same\n");
	contains(RECORD("},\"again\":{\"same_rules\":true,\"differs\":[{\"what\":\"team\",\"then\":\"emea\",\"now\":\"\"}]}}"),
	         "what the event says is what happened\n          team: emea -> none\n");
	contains(RECORD("},\"again\":{\"same_rules\":false,\"config\":\"ff\",\"differs\":[],\"story\":{}}}"),
	         "\nThe rules have changed since. By those of now (configuration ff) it would come out the same:\n");
	contains(RECORD("},\"again\":{\"same_rules\":false,\"config\":\"ff\",\"turn_unknown\":true,\"differs\":[{\"what\":\"route\",\"then\":\"a\",\"now\":\"b\"}],"
	                "\"story\":{\"score\":{\"total\":3}}}}"),
	         "it would come out differently:\n          route: a -> b\n          whose turn it was there is not known");
}

static void what_is_known_now_is_told_in_words(void **state)
{
	(void)state;
	contains("{\"state\":[{\"lead\":{\"ver\":2,\"state\":\"assigned\",\"owner\":\"ana\",\"idents\":[\"k\"],\"at\":1795327361063,\"free\":1}}]}",
	         "Now       assigned, owner ana, taken in 2026-11-22T06:02:41.063Z, changes of owner 2\n");
	contains("{\"clocks\":[{\"clock\":\"cadence\",\"zone\":\"UTC\",\"start\":\"2026-11-20T10:00:00Z\",\"stopped\":\"2026-11-20T12:00:00Z\",\"overdue\":true,"
	         "\"due\":\"2026-11-20T11:00:00Z\"}]}", "          stopped   Fri 2026-11-20 12:00, too late\n          due       Fri 2026-11-20 11:00, overdue\n");
	contains("{\"clocks\":[{\"clock\":\"cadence\",\"zone\":\"UTC\",\"paused\":\"2026-11-20T10:30:00Z\",\"paused_before\":\"2026-11-19T16:30:00Z\",\"left_then\":\"3bd 90bm\"}]}",
	         "          paused    before Thu 2026-11-19 16:30, 3bd 90bm were left then\n          paused    Fri 2026-11-20 10:30, and stands still since\n");
	contains("{\"clocks\":[{\"clock\":\"cadence\",\"zone\":\"UTC\",\"pauses\":[{\"from\":\"2026-11-20T10:30:00Z\",\"to\":\"2026-11-21T10:30:00Z\"}]}]}",
	         "          paused    Fri 2026-11-20 10:30 to Sat 2026-11-21 10:30\n");
}

static void who_was_asked_and_could_not_is_told(void **state)
{
	(void)state;
	contains("{\"decided\":{\"data\":{\"trace\":{\"account\":{\"lead_id\":\"L0\",\"owner\":\"cy\",\"status\":\"lost\"}}}}}",
	         "Account   L0, status lost, owner cy\n");
	contains("{\"decided\":{\"type\":\"lead.unassigned\",\"data\":{\"trace\":{\"requested_owner\":{\"rep\":\"bob\",\"result\":\"away\"},\"returning\":{\"lead_id\":\"L0\","
	         "\"owner\":\"cy\",\"result\":\"too_long_ago\"},\"pool\":{\"nobody\":[{\"pool\":\"emea\",\"rejected\":[{\"rep\":\"ana\",\"reason\":\"away\"},"
	         "{\"rep\":\"bob\",\"reason\":\"at_cap\"}],\"rejected_not_shown\":3}]}}}}}",
	         "Owner     the customer asked for bob: away\n          the customer's last lead was with cy, L0: too long ago\n"
	         "Nobody    in team emea: ana away, bob at cap, and 3 more\n");
}

static void a_story_of_any_shape_is_told(void **state)
{
	(void)state;
	static const char *const stories[] = {
		"{}", "{\"decided\":7}", "{\"changed\":[]}", "{\"decided\":{\"data\":[]},\"changed\":{\"data\":1}}", "{\"again\":[]}",
		"{\"again\":{\"same_rules\":false,\"differs\":[1,{}],\"story\":{\"routes\":[{}],\"reject\":1}},\"events\":[1,{\"data\":{}}]}",
		"{\"state\":[{\"lead\":{\"at\":[],\"owner\":null}}],\"record\":{}}", "{\"decided\":{},\"record\":{\"missing\":\"x\",\"offset\":\"y\"}}",
	};
	for (size_t i = 0; i < sizeof stories / sizeof *stories; i++) {
		struct arena arena = ARENA_INIT;
		struct strbuf out = STRBUF_INIT;
		const struct json *story = json_read(slice_of(stories[i]), limits, &arena, NULL);
		assert_non_null(story);
		story_lead_text(&out, story);
		story_lead_short(&out, story, false);
		story_lead_why_not(&out, story, SLICE("x"));
		assert_true(out.len > 0);
		strbuf_done(&out);
		arena_done(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_change_of_owner_is_told),
		cmocka_unit_test(the_end_of_a_dispute_says_whether_anything_decided_it),
		cmocka_unit_test(what_a_breach_asks_for_is_not_told_as_done),
		cmocka_unit_test(what_the_record_came_to_is_told),
		cmocka_unit_test(any_route_says_why_not),
		cmocka_unit_test(what_became_of_the_record_is_told),
		cmocka_unit_test(what_is_known_now_is_told_in_words),
		cmocka_unit_test(who_was_asked_and_could_not_is_told),
		cmocka_unit_test(a_story_of_any_shape_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
