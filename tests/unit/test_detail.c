/* SPDX-License-Identifier: Apache-2.0
 *
 * What explain finds out by looking on: the values behind a clause, and that looking on changes nothing. The whole of it as
 * people see it is in tests/rules/explain.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/calendar/calendar.h"
#include "rules/event_shown.h"
#include "rules/story/detail.h"
#include "rules/story/rehearse.h"
#include "rules/story/story.h"
#include "tests/unit/model_fixture.c"

enum { NOW_MS = 1795168800 };

static const char LEAD[] = "{\"lead_id\":\"L1\",\"source\":\"web\",\"intent\":\"high\",\"contact\":{\"email\":\"max@example.com\","
			   "\"phone\":\"+4930123456\"},\"company\":{\"employees\":50},\"location\":{\"country\":\"DE\"},"
			   "\"attributes\":{\"plan\":\"pro\",\"seats\":3,\"call\":\"+49 30 1234567\"}}";

struct values {
	const char *clause, *expected;
	bool is_unmasked;
	struct strbuf out;
};

static void on_stage(void *ctx, enum stage stage, struct work *work)
{
	struct values *values = ctx;
	struct json_writer writer = JSON_WRITER(&values->out);
	if (stage != STAGE_score)
		return;
	json_open_object(&writer, NULL);
	detail_put_values(&writer, work->model->env, work->slots, slice_of(values->clause), values->is_unmasked, &work->scratch);
	json_close_object(&writer);
}

static void check_values(struct values values)
{
	struct fixture fixture;
	struct arena arena = ARENA_INIT;
	struct decision decision;
	const struct observer observer = {.on_stage = on_stage, .ctx = &values};
	fixture_init(&fixture);
	struct rehearsal *rehearsal = rehearsal_new(&fixture.model);
	const struct record record = fixture_record(RECORD_CAPTURED, 0, LEAD);
	rehearsal_decide(rehearsal, rules_prepare(&fixture.model, &record, NOW_MS, &arena), NOW_MS, &observer, &arena, &decision);
	assert_string_equal(strbuf_text(&values.out), values.expected);
	strbuf_done(&values.out);
	rehearsal_free(rehearsal);
	arena_done(&arena);
	fixture_done(&fixture);
}

static void values_are_those_of_the_names_in_a_clause(void **state)
{
	(void)state;
	static const struct values cases[] = {
		{.clause = "lead.company.employees > 100",
		 .expected = "{\"values\":[{\"name\":\"lead.company.employees\",\"value\":\"50\"}]}"},
		{.clause = "lead.source == \"lead.intent\" || grade == 'A'",
		 .expected = "{\"values\":[{\"name\":\"lead.source\",\"value\":\"\\\"web\\\"\"},{\"name\":\"grade\",\"value\":\"\\\"B\\\"\"}]}"},
		{.clause = "has(lead.interest.budget.amount)",
		 .expected = "{\"values\":[{\"name\":\"lead.interest.budget.amount\",\"absent\":true}]}"},
		{.clause = "facts[\"vip.is\"] == true", .expected = "{\"values\":[{\"name\":\"facts[\\\"vip.is\\\"]\",\"absent\":true}]}"},
		{.clause = "lead.source.startsWith('x') && lead.source != ''",
		 .expected = "{\"values\":[{\"name\":\"lead.source\",\"value\":\"\\\"web\\\"\"}]}"},
		{.clause = "[1].exists(x, x == lead.attributes.seats)",
		 .expected = "{\"values\":[{\"name\":\"lead.attributes.seats\",\"value\":\"3\"}]}"},
		{.clause = "1 < 2", .expected = "{}"},
		{.clause = "lead.source == 'unfinished", .expected = "{\"values\":[{\"name\":\"lead.source\",\"value\":\"\\\"web\\\"\"}]}"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		check_values(cases[i]);
}

static void contact_data_among_them_is_masked(void **state)
{
	(void)state;
	static const struct values cases[] = {
		{.clause = "lead.contact.email != ''",
		 .expected = "{\"values\":[{\"name\":\"lead.contact.email\",\"value\":\"\\\"m***@example.com\\\"\"}]}"},
		{.clause = "lead.contact.email != ''",
		 .is_unmasked = true,
		 .expected = "{\"values\":[{\"name\":\"lead.contact.email\",\"value\":\"\\\"max@example.com\\\"\"}]}"},
		{.clause = "lead.attributes.plan == 'pro'",
		 .expected = "{\"values\":[{\"name\":\"lead.attributes.plan\",\"value\":\"\\\"p***\\\"\"}]}"},
		{.clause = "lead.attributes.call == ''",
		 .expected = "{\"values\":[{\"name\":\"lead.attributes.call\",\"value\":\"\\\"+***\\\"\"}]}"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		check_values(cases[i]);
}

/* The decision with a detail and without one. */
static void looking_on_changes_nothing(void **state)
{
	(void)state;
	struct fixture fixture;
	struct arena arena = ARENA_INIT;
	struct decision decisions[2];
	struct detail detail;
	struct strbuf out = STRBUF_INIT;
	fixture_init(&fixture);
	const struct record record = fixture_record(RECORD_CAPTURED, 0, LEAD);
	for (int i = 0; i < 2; i++) {
		struct rehearsal *rehearsal = rehearsal_new(&fixture.model);
		detail_begin(&detail, &out, false);
		rehearsal_decide(rehearsal, rules_prepare(&fixture.model, &record, NOW_MS, &arena), NOW_MS,
				 i == 0 ? NULL : &detail.observer, &arena, &decisions[i]);
		detail_end(&detail, &decisions[i]);
		strbuf_clear(&out);
		rehearsal_free(rehearsal);
	}
	assert_int_equal(decisions[0].event_count, 1);
	assert_int_equal(decisions[1].event_count, 1);
	assert_true(slice_equal(decisions[0].events[0].value, decisions[1].events[0].value));
	strbuf_done(&out);
	arena_done(&arena);
	fixture_done(&fixture);
}

static void an_event_is_shown_without_contact_data(void **state)
{
	(void)state;
	static const char event[] = "{\"lead_id\":\"L1\",\"why\":\"so\",\"lead\":{\"source\":\"web\",\"contact\":{\"name\":\"Max\",\"email\":"
				    "\"max@example.com\"},\"company\":{\"employees\":50},\"attributes\":{\"k\":1},\"later\":\"x\"}}";
	const struct json_limits limits = {4096, 16, 100};
	struct arena arena = ARENA_INIT;
	struct strbuf out = STRBUF_INIT;
	struct json_writer writer = JSON_WRITER(&out);
	const struct json *data = json_read(slice_of(event), limits, &arena, NULL);
	event_put_shown(&writer, NULL, data, false);
	assert_string_equal(strbuf_text(&out), "{\"lead_id\":\"L1\",\"why\":\"so\",\"lead\":{\"source\":\"web\",\"contact\":{\"name\":\"M***\","
					       "\"email\":\"m***@example.com\"},\"company\":{\"employees\":50},\"attributes\":\"***\","
					       "\"later\":\"***\"}}");
	strbuf_clear(&out);
	writer = (struct json_writer)JSON_WRITER(&out);
	event_put_shown(&writer, NULL, data, true);
	assert_string_equal(strbuf_text(&out), event);
	strbuf_done(&out);
	arena_done(&arena);
}

/* A story comes from a topic, too: whatever is missing in it, or of another type, is left out. */
static void a_story_of_any_shape_is_told(void **state)
{
	(void)state;
	static const char *const stories[] = {
		"{}", "[]", "{\"events\":[]}", "{\"events\":[7]}", "{\"events\":[{\"type\":\"lead.assigned\"}]}", "{\"reject\":1}",
		"{\"score\":{\"criteria\":[{},1]},\"routes\":[{},[]],\"routes_tried\":9}", "{\"clocks\":[7,{\"pieces\":[{}],\"levels\":[{},1],\"zone\":\"Nowhere\"}]}",
		"{\"keys\":[{\"result\":7}],\"routes_tried\":-1,\"routes\":[{\"values\":[1,{}]}]}",
		"{\"events\":[{\"type\":\"lead.assigned\",\"data\":{\"reason\":\"first\",\"rule\":{\"name\":\"r\"},\"trace\":{\"candidates\":"
		"[{\"result\":\"chosen\",\"position\":\"9\"},{\"position\":\"a/9999999999999999999999\"}],\"facts\":[1],\"stages\":[1]}}}]}",
	};
	const struct json_limits limits = {4096, 16, 100};
	for (size_t i = 0; i < sizeof stories / sizeof *stories; i++) {
		struct arena arena = ARENA_INIT;
		struct strbuf out = STRBUF_INIT;
		const struct json *story = json_read(slice_of(stories[i]), limits, &arena, NULL);
		assert_non_null(story);
		story_text(&out, story);
		story_short(&out, story);
		story_timeline(&out, story);
		assert_false(story_why_not(&out, story, SLICE("x")));
		assert_true(out.len > 0);
		strbuf_done(&out);
		arena_done(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_those_of_the_names_in_a_clause),
		cmocka_unit_test(contact_data_among_them_is_masked),
		cmocka_unit_test(looking_on_changes_nothing),
		cmocka_unit_test(an_event_is_shown_without_contact_data),
		cmocka_unit_test(a_story_of_any_shape_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
