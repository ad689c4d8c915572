/* SPDX-License-Identifier: Apache-2.0
 *
 * rules/calendar/calendar_question and rules/calendar/calendar_text: a question a line, and each thing that can be wrong with it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "rules/base/arena.h"
#include "rules/base/err.h"
#include "rules/base/strbuf.h"
#include "rules/calendar/calendar.h"
#include "rules/calendar/calendar_question.h"
#include "rules/calendar/calendar_text.h"
#include "rules/text/zone.h"

/* An office in Berlin with a half day, a holiday, a Saturday that makes up for it, and lunch. */
#define BERLIN                                                                                                                \
	"\"tz\": \"Europe/Berlin\", \"week\": {\"mon\": [[\"09:00\", \"17:00\"]], \"tue\": [[\"09:00\", \"17:00\"]], "            \
	"\"wed\": [[\"09:00\", \"17:00\"]], \"thu\": [[\"09:00\", \"17:00\"]], \"fri\": [[\"09:00\", \"12:00\"], [\"13:00\", \"17:00\"]]}, " \
	"\"dates\": {\"2026-12-24\": [[\"09:00\", \"12:00\"]], \"2026-12-19\": [[\"10:00\", \"14:00\"]]}, "                         \
	"\"holidays\": [\"2026-12-25\"], \"breaks\": {\"mon\": [[\"12:00\", \"13:00\"]], \"2026-12-16\": [[\"09:00\", \"10:00\"]]}"

struct example {
	const char *ask;    /* members beside BERLIN */
	const char *answer; /* the result, or a part of the error */
};

static void ask(const char *line, struct strbuf *out)
{
	struct arena arena = ARENA_INIT;
	strbuf_clear(out);
	calendar_question_answer(slice_of(line), &arena, out);
	arena_done(&arena);
}

static void questions_are_answered(void **state)
{
	(void)state;
	static const struct example examples[] = {
		{"\"op\": \"deadline\", \"start\": \"2026-12-23T16:00\", \"seconds\": 18000", "\"2026-12-28T09:00:00Z\""},
		{"\"op\": \"deadline\", \"start\": \"2026-12-18T15:00:00Z\", \"seconds\": 7200", "\"2026-12-19T10:00:00Z\""},
		{"\"op\": \"deadline\", \"start\": \"2026-12-23T16:00\", \"span\": \"1bd 1bh\"", "\"2026-12-28T09:00:00Z\""},
		{"\"op\": \"deadline\", \"start\": \"2026-12-18T16:00:00+01:00\", \"seconds\": -0.5", "\"2026-12-18T14:59:59.500Z\""},
		{"\"op\": \"deadline_before\", \"start\": \"2026-12-28T09:30\", \"seconds\": 3600", "\"2026-12-24T10:30:00Z\""},
		{"\"op\": \"deadline_before\", \"start\": \"2026-12-28T09:30\", \"span\": \"1bd\"", "\"2026-12-24T08:30:00Z\""},
		{"\"op\": \"elapsed\", \"from\": \"2026-12-14\", \"to\": \"2026-12-15\"", "25200"},
		{"\"op\": \"elapsed\", \"from\": \"2026-12-17\", \"to\": \"2026-12-16\"", "-25200"},
		{"\"op\": \"elapsed\", \"from\": \"2026-12-15T09:00:00.250\", \"to\": \"2026-12-15T09:00:01\"", "0.75"},
		{"\"op\": \"is_open\", \"at\": \"2026-12-18T12:30\"", "false"},
		{"\"op\": \"is_open\", \"at\": \"2026-12-18 13:00:00\"", "true"},
		{"\"op\": \"is_open\", \"at\": \"2026-12-18T12:30Z\"", "true"},
		{"\"op\": \"is_open\", \"at\": \"2026-12-18 08:30-03:00\"", "false"},
		{"\"op\": \"next_open\", \"start\": \"2026-12-24T12:00\"", "\"2026-12-28T08:00:00Z\""},
		{"\"op\": \"last_open\", \"at\": \"2026-12-27T12:00\"", "\"2026-12-24T11:00:00Z\""},
		{"\"op\": \"add_days\", \"start\": \"2026-12-23T16:00\", \"days\": 1", "\"2026-12-24T11:00:00Z\""},
		{"\"op\": \"add_days\", \"start\": \"2026-12-23\", \"days\": 2", "\"2026-12-28\""},
		{"\"op\": \"add_days\", \"start\": \"2026-12-27T08:00\", \"days\": 0", "\"2026-12-28T08:00:00Z\""},
		{"\"op\": \"subtract_days\", \"start\": \"2026-12-27T08:00\", \"days\": 0", "\"2026-12-24T11:00:00Z\""},
		{"\"op\": \"subtract_days\", \"start\": \"2026-12-27T08:00\", \"days\": 0, \"outside\": \"to_opening\"", "\"2026-12-24T08:00:00Z\""},
		{"\"op\": \"subtract_days\", \"start\": \"2026-12-27\", \"days\": 1", "\"2026-12-23\""},
		{"\"op\": \"add_days\", \"start\": \"2026-12-27T08:00\", \"days\": 1, \"outside\": \"keep_time\"", "\"2026-12-29T07:00:00Z\""},
		{"\"op\": \"add_days\", \"start\": \"2026-12-27T08:00\", \"days\": 1, \"origin\": \"working_hours spec\"", "\"2026-12-29T07:00:00Z\""},
		{"\"op\": \"subtract_days\", \"start\": \"2026-12-27T08:00\", \"days\": 0, \"origin\": \"a/business_time\"", "\"2026-12-24T08:00:00Z\""},
		{"\"op\": \"subtract_days\", \"start\": \"2026-12-27T08:00\", \"days\": 0, \"origin\": \"a/business_time\", \"outside\": \"clamp\"", "\"2026-12-24T11:00:00Z\""},
		{"\"op\": \"subtract_days\", \"start\": \"2026-12-27T08:00\", \"days\": 0, \"origin\": \"another\"", "\"2026-12-24T11:00:00Z\""},
		{"\"op\": \"days_between\", \"from\": \"2026-12-18\", \"to\": \"2026-12-28\"", "6"},
		/* clocks go forward at 02:00 on 2026-03-29, back at 03:00 on 2026-10-25 */
		{"\"op\": \"next_open\", \"start\": \"2026-03-29T02:30\"", "\"2026-03-30T07:00:00Z\""},
		{"\"op\": \"deadline\", \"start\": \"2026-03-29T02:30\", \"span\": \"1h\"", "\"2026-03-29T02:00:00Z\""},
		{"\"op\": \"deadline\", \"start\": \"2026-10-25T02:30\", \"span\": \"1h\"", "\"2026-10-25T01:30:00Z\""},
	};
	struct strbuf line = STRBUF_INIT, out = STRBUF_INIT, wanted = STRBUF_INIT;
	for (size_t n = 0; n < sizeof examples / sizeof *examples; n++) {
		strbuf_clear(&line);
		strbuf_clear(&wanted);
		strbuf_printf(&line, "{\"id\": %zu, %s, %s}", n, examples[n].ask, BERLIN);
		strbuf_printf(&wanted, "{\"id\":%zu,\"result\":%s}\n", n, examples[n].answer);
		ask(strbuf_text(&line), &out);
		assert_string_equal(strbuf_text(&out), strbuf_text(&wanted));
	}
	strbuf_done(&line);
	strbuf_done(&out);
	strbuf_done(&wanted);
}

static void what_is_wrong_is_said(void **state)
{
	(void)state;
	static const struct example examples[] = {
		{"", "{\"id\":null,\"error\":\"LR101[bad_json]"},
		{"{\"id\": \"a\"", "{\"id\":null,\"error\":\"LR101[bad_json]"},
		{"[1]", "{\"id\":null,\"error\":\"LR110[not_an_object]"},
		{"{\"id\": \"a\", \"id\": \"b\"}", "LR104[duplicate_key]"},
		{"{\"id\": \"a\"}", "{\"id\":\"a\",\"error\":\"LR530[bad_question]"},
		{"{\"id\": 1.5, \"op\": \"closes\"}", "{\"id\":null,\"error\":\"LR530[bad_question]"},
		{"{\"op\": \"is_open\", \"at\": \"2026-01-01\"}", "LR040[bad_zone]"},
		{"{\"op\": \"is_open\", \"tz\": \"../../etc/passwd\"}", "LR040[bad_zone]"},
		{"{\"op\": \"is_open\", \"tz\": \"UTC\", \"week\": {}}", "LR023[empty_calendar]"},
		{"{\"op\": \"is_open\", \"tz\": \"UTC\", \"week\": []}", "LR111[wrong_field_type] `week` is no object"},
		{"{\"op\": \"is_open\", \"tz\": \"UTC\", \"week\": {\"monday\": []}}", "LR042[bad_hours] `week` knows"},
		{"{\"op\": \"is_open\", \"tz\": \"UTC\", \"week\": {\"mon\": [\"09:00-17:00\"]}}", "LR042[bad_hours] an interval"},
		{"{\"op\": \"is_open\", \"tz\": \"UTC\", \"week\": {\"mon\": [[\"09:00\", \"25:00\"]]}}", "LR042[bad_hours] \\\"25:00\\\""},
		{"{\"op\": \"is_open\", \"tz\": \"UTC\", \"dates\": {\"2026-02-30\": []}}", "LR043[bad_date]"},
		{"{\"op\": \"is_open\", \"tz\": \"UTC\", \"dates\": {\"mon\": []}}", "LR043[bad_date]"},
		{"{\"op\": \"is_open\", \"tz\": \"UTC\", \"holidays\": [\"tomorrow\"]}", "LR043[bad_date]"},
		{"{\"op\": \"is_open\", \"tz\": \"UTC\", \"holidays\": [7]}", "LR043[bad_date]"},
		{"{\"op\": \"is_open\", " BERLIN "}", "LR116[missing_field] `start`"},
		{"{\"op\": \"is_open\", \"at\": \"noon\", " BERLIN "}", "LR117[bad_time]"},
		{"{\"op\": \"is_open\", \"at\": \"2026-12-24T25:00\", " BERLIN "}", "LR117[bad_time]"},
		{"{\"op\": \"is_open\", \"at\": \"2026-12-24T12:00+1\", " BERLIN "}", "LR117[bad_time]"},
		/* what is quoted of it ends inside of a character */
		{"{\"op\": \"is_open\", \"at\": \"\\u20ac\\u20ac\\u20ac\\u20ac\\u20ac\\u20ac\\u20ac\\u20ac\\u20ac\\u20ac\\u20ac\\u20ac\\u20ac\\u20ac\\u20ac\", " BERLIN "}", "€?\\\" is no time"},
		{"{\"op\": \"elapsed\", \"from\": \"2026-12-24\", " BERLIN "}", "LR116[missing_field] `to`"},
		{"{\"op\": \"deadline\", \"start\": \"2026-12-24\", " BERLIN "}", "LR116[missing_field] `seconds`"},
		{"{\"op\": \"deadline\", \"start\": \"2026-12-24\", \"span\": \"1 fortnight\", " BERLIN "}", "LR041[bad_span]"},
		{"{\"op\": \"deadline\", \"start\": \"2026-12-24\", \"seconds\": 1e11, " BERLIN "}", "LR118[field_out_of_range]"},
		{"{\"op\": \"deadline\", \"start\": \"2026-12-24\", \"seconds\": 9e9, " BERLIN "}", "LR012[out_of_range] there is no such"},
		{"{\"op\": \"deadline\", \"start\": \"9999-12-31\", \"span\": \"3660d\", " BERLIN "}", "LR012[out_of_range] there is no such"},
		{"{\"op\": \"add_days\", \"start\": \"2026-12-24\", \"days\": 1.5, " BERLIN "}", "LR116[missing_field] `days`"},
		{"{\"op\": \"add_days\", \"start\": \"2026-12-24\", \"days\": 5000000, " BERLIN "}", "LR118[field_out_of_range]"},
		{"{\"op\": \"add_days\", \"start\": \"2026-12-24\", \"days\": 900000, " BERLIN "}", "LR012[out_of_range]"},
		{"{\"op\": \"add_days\", \"start\": \"2026-12-24T12:00\", \"days\": 1, \"outside\": \"drop\", " BERLIN "}", "LR016[bad_value]"},
	};
	struct strbuf out = STRBUF_INIT;
	for (size_t n = 0; n < sizeof examples / sizeof *examples; n++) {
		ask(examples[n].ask, &out);
		if (strstr(strbuf_text(&out), examples[n].answer) == NULL || strstr(strbuf_text(&out), "\"error\":\"LR") == NULL)
			fail_msg("%s gives %s, not %s", examples[n].ask, strbuf_text(&out), examples[n].answer);
	}
	strbuf_done(&out);
}

static void a_line_is_bounded(void **state)
{
	(void)state;
	struct strbuf line = STRBUF_INIT, out = STRBUF_INIT;
	strbuf_puts(&line, "{\"op\": \"is_open\", \"at\": \"2026-12-24\", " BERLIN);
	while (line.len <= CALENDAR_QUESTION_BYTES_MAX)
		strbuf_putc(&line, ' ');
	strbuf_putc(&line, '}');
	ask(strbuf_text(&line), &out);
	assert_non_null(strstr(strbuf_text(&out), "LR100[too_large]"));
	strbuf_done(&line);
	strbuf_done(&out);
}

static void times_are_written_with_their_offset(void **state)
{
	(void)state;
	static const struct hours all_day[] = {{0, 24 * 3600}};
	struct arena arena = ARENA_INIT;
	struct calendar_spec spec = {.name = "x", .zone = zone_load("America/St_Johns"), .week = {{all_day, 1}}};
	const struct calendar *calendar = calendar_compile(&spec, &arena, NULL);
	char text[CALENDAR_TIME_BYTES];
	calendar_time_format(calendar, 1795300000999, text);
	assert_string_equal(text, "Sat 2026-11-21 18:56:40 -03:30");
	calendar_time_format(calendar, -1, text);
	assert_string_equal(text, "Wed 1969-12-31 20:29:59 -03:30");
	calendar_time_format(calendar, CALENDAR_NEVER, text);
	assert_string_equal(text, "never");
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(questions_are_answered),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(a_line_is_bounded),
		cmocka_unit_test(times_are_written_with_their_offset),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
