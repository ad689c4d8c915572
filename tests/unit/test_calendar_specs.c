/* SPDX-License-Identifier: Apache-2.0
 *
 * rules/calendar against answers that other systems' own specs give (JSON lines in ../shared/data, or in the folder that
 * LEADROUTER_SHARED_DATA names; skipped where they are absent).
 *
 * The systems disagree about business days when the start lies outside of open time, so each is asked in its own
 * convention (enum calendar_outside). How many of its cases our default answers the same way is printed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>

#include "rules/base/arena.h"
#include "rules/base/err.h"
#include "rules/calendar.h"
#include "rules/text/date.h"
#include "rules/text/zone.h"

enum { LINE_BYTES = 65536 };

static const char *const WEEKDAYS[7] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

struct score {
	int cases, passed, passed_by_default;
};

static const char *text_of(const json_t *row, const char *name)
{
	return json_string_value(json_object_get(row, name));
}

static struct hours_list hours_of(const json_t *pairs, struct arena *arena)
{
	struct hours *items = arena_array(arena, json_array_size(pairs), sizeof *items);
	size_t at;
	const json_t *pair;
	json_array_foreach(pairs, at, pair) {
		const char *open = json_string_value(json_array_get(pair, 0)), *close = json_string_value(json_array_get(pair, 1));
		assert_int_equal(hours_parse(slice_of(open), slice_of(close), &items[at], NULL), 0);
	}
	return (struct hours_list){items, json_array_size(pairs)};
}

static int64_t day_of(const char *date)
{
	int64_t day = 0;
	assert_int_equal(calendar_date_parse((struct slice){date, 10}, &day, NULL), 0);
	return day;
}

static const struct dated_hours *dated_of(json_t *object, size_t *ret_count, struct arena *arena)
{
	struct dated_hours *items = arena_array(arena, json_object_size(object), sizeof *items);
	const char *date;
	json_t *pairs;
	*ret_count = 0;
	json_object_foreach(object, date, pairs)
		items[(*ret_count)++] = (struct dated_hours){day_of(date), hours_of(pairs, arena)};
	return items;
}

static const struct calendar *calendar_of(const json_t *row, struct arena *arena)
{
	struct calendar_spec spec = {.name = "spec", .zone = zone_load(text_of(row, "tz"))};
	struct err err = ERR_INIT;
	for (int weekday = 0; weekday < 7; weekday++)
		spec.week[weekday] = hours_of(json_object_get(json_object_get(row, "week"), WEEKDAYS[weekday]), arena);
	spec.dates = dated_of(json_object_get(row, "dates"), &spec.date_count, arena);
	spec.date_breaks = dated_of(json_object_get(row, "breaks"), &spec.date_break_count, arena);
	json_t *holidays = json_object_get(row, "holidays"), *date;
	struct holiday *days = arena_array(arena, json_array_size(holidays), sizeof *days);
	size_t at;
	json_array_foreach(holidays, at, date)
		days[at] = (struct holiday){day_of(json_string_value(date)), NULL};
	spec.holidays = days;
	spec.holiday_count = json_array_size(holidays);
	const struct calendar *calendar = calendar_compile(&spec, arena, &err);
	if (calendar == NULL)
		fail_msg("%s: %s", text_of(row, "id"), err.text);
	return calendar;
}

static bool is_date(const char *text)
{
	return strlen(text) == 10;
}

static int64_t instant_of(const char *text)
{
	int hour, minute, second;
	assert_int_equal(sscanf(text + 10, "T%2d:%2d:%2dZ", &hour, &minute, &second), 3);
	return (day_of(text) * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second) * 1000;
}

static bool add_days_agrees(const struct calendar *calendar, const json_t *row, enum calendar_outside outside)
{
	const char *start = text_of(row, "start"), *expect = text_of(row, "expect");
	int32_t days = (int32_t)json_integer_value(json_object_get(row, "days"));
	int64_t day;
	if (!is_date(start))
		return calendar_add_days(calendar, instant_of(start), days, outside) == instant_of(expect);
	return calendar_add_dates(calendar, day_of(start), days, &day) && day == day_of(expect);
}

static bool days_between_agrees(const struct calendar *calendar, const json_t *row)
{
	/* Days are counted from date to date, times do not matter. */
	int64_t from = is_date(text_of(row, "from")) ? day_of(text_of(row, "from"))
	                                             : calendar_day_at(calendar, instant_of(text_of(row, "from")));
	int64_t to = is_date(text_of(row, "to")) ? day_of(text_of(row, "to"))
	                                         : calendar_day_at(calendar, instant_of(text_of(row, "to")));
	return calendar_days_between(calendar, from, to) == json_integer_value(json_object_get(row, "expect"));
}

static int64_t seconds_of(const json_t *row, const char *name)
{
	double seconds = json_number_value(json_object_get(row, name)); /* one case has 14759.999999999998 */
	return (int64_t)(seconds + (seconds < 0 ? -0.5 : 0.5));
}

static bool agrees(const struct calendar *calendar, const json_t *row, enum calendar_outside outside)
{
	const char *op = text_of(row, "op"), *start = text_of(row, "start");
	int64_t ms = seconds_of(row, "seconds") * 1000;
	if (strcmp(op, "add_business_days") == 0)
		return add_days_agrees(calendar, row, outside);
	if (strcmp(op, "business_days_between") == 0)
		return days_between_agrees(calendar, row);
	if (strcmp(op, "is_open") == 0)
		return calendar_is_open(calendar, instant_of(text_of(row, "at"))) == json_is_true(json_object_get(row, "expect"));
	if (strcmp(op, "elapsed") == 0)
		return calendar_elapsed(calendar, instant_of(text_of(row, "from")), instant_of(text_of(row, "to"))) ==
		       seconds_of(row, "expect") * 1000;
	int64_t expect = instant_of(text_of(row, "expect"));
	if (strcmp(op, "next_open") == 0)
		return calendar_next_open(calendar, instant_of(start)) == expect;
	if (strcmp(op, "deadline") == 0)
		return calendar_deadline(calendar, instant_of(start), ms) == expect;
	assert_string_equal(op, "deadline_before");
	return calendar_deadline_before(calendar, instant_of(start), ms) == expect;
}

static enum calendar_outside convention_of(const json_t *row)
{
	const char *origin = text_of(row, "origin");
	if (strstr(origin, "working_hours") != NULL)
		return CALENDAR_KEEP_TIME;
	return strstr(origin, "business_time") != NULL ? CALENDAR_TO_OPENING : CALENDAR_CLAMP;
}

/* "0.business_days.before(t)" rolls a closed t backwards and "0.business_days.after(t)" forwards. The recording keeps the
 * 0 and loses the direction, so these cases ask one question and expect two answers. */
static bool is_lost_direction(const json_t *row)
{
	const char *start = text_of(row, "start"), *expect = text_of(row, "expect");
	bool is_add = strcmp(text_of(row, "op"), "add_business_days") == 0;
	return is_add && json_integer_value(json_object_get(row, "days")) == 0 && strcmp(expect, start) < 0;
}

static void run_row(const char *line, struct score *score)
{
	struct arena arena = ARENA_INIT;
	json_error_t error;
	json_t *row = json_loads(line, 0, &error);
	assert_non_null(row);
	const struct calendar *calendar = calendar_of(row, &arena);
	score->cases++;
	score->passed_by_default += agrees(calendar, row, CALENDAR_CLAMP);
	bool is_passed = agrees(calendar, row, convention_of(row));
	score->passed += is_passed;
	if (!is_passed && !is_lost_direction(row))
		fail_msg("%s disagrees", text_of(row, "id"));
	if (!is_passed)
		print_message("%s cannot be told apart from its opposite\n", text_of(row, "id"));
	json_decref(row);
	arena_done(&arena);
}

static void run_file(const char *name)
{
	const char *folder = getenv("LEADROUTER_SHARED_DATA");
	char path[1024];
	snprintf(path, sizeof path, "%s/%s", folder != NULL ? folder : "../shared/data", name);
	FILE *file = fopen(path, "r");
	if (file == NULL)
		skip();
	static char line[LINE_BYTES];
	struct score score = {0, 0, 0};
	while (fgets(line, sizeof line, file) != NULL)
		run_row(line, &score);
	fclose(file);
	print_message("%s: %d of %d, %d of them also by our default\n", name, score.passed, score.cases, score.passed_by_default);
	assert_true(score.cases > 0);
}

static void hours_of_other_systems(void **state)
{
	(void)state;
	run_file("sla_specs.jsonl");
}

static void days_of_other_systems(void **state)
{
	(void)state;
	run_file("sla_days.jsonl");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hours_of_other_systems),
		cmocka_unit_test(days_of_other_systems),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
