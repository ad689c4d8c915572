/* SPDX-License-Identifier: Apache-2.0
 *
 * rules/calendar/calendar: what each rule of its header means, one case each. Random calendars: test_calendar_random.c.
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
#include "rules/calendar/calendar.h"
#include "rules/calendar/span.h"
#include "rules/text/date.h"
#include "rules/text/zone.h"

enum { HOUR_MS = 3600000 };

static struct arena arena = ARENA_INIT;

/* The list lives as long as the block it stands in. */
#define HOURS(...) ((struct hours_list){(const struct hours[]){__VA_ARGS__}, sizeof((const struct hours[]){__VA_ARGS__}) / sizeof(struct hours)})
#define H(open, close) {(open) * 3600, (close) * 3600}

static const struct hours ALL_DAY[] = {H(0, 24)};

static struct calendar_spec always(const char *zone)
{
	struct calendar_spec spec = {.name = "always", .zone = zone_load(zone)};
	for (int weekday = 0; weekday < 7; weekday++)
		spec.week[weekday] = (struct hours_list){ALL_DAY, 1};
	return spec;
}

static struct calendar_spec nine_to_five(const char *zone)
{
	static const struct hours day[] = {H(9, 17)};
	struct calendar_spec spec = {.name = "office", .zone = zone_load(zone)};
	for (int weekday = 0; weekday < 5; weekday++)
		spec.week[weekday] = (struct hours_list){day, 1};
	return spec;
}

static const struct calendar *compile(const struct calendar_spec *spec)
{
	struct err err = ERR_INIT;
	const struct calendar *calendar = calendar_compile(spec, &arena, &err);
	if (calendar == NULL)
		fail_msg("%s", err.text);
	return calendar;
}

static int64_t day(const char *date)
{
	int64_t number = 0;
	assert_int_equal(calendar_date_parse(slice_of(date), &number, NULL), 0);
	return number;
}

/* "2026-03-29 10:30" in the calendar's zone, first occurrence. */
static int64_t local(const struct calendar *calendar, const char *text)
{
	struct civil civil = {0};
	int year;
	assert_int_equal(sscanf(text, "%d-%d-%d %d:%d", &year, &civil.month, &civil.day, &civil.hour, &civil.minute), 5);
	civil.year = year;
	return zone_from_civil(calendar_zone(calendar), &civil, ZONE_FIRST) * 1000;
}

static void assert_local(const struct calendar *calendar, int64_t at_ms, const char *expected)
{
	struct civil civil;
	char text[64] = "never";
	if (at_ms != CALENDAR_NEVER) {
		zone_to_civil(calendar_zone(calendar), at_ms / 1000, &civil);
		snprintf(text, sizeof text, "%04d-%02d-%02d %02d:%02d", (int)civil.year, civil.month, civil.day, civil.hour,
		         civil.minute);
	}
	assert_string_equal(text, expected);
}

static void a_deadline_skips_nights_and_weekends(void **state)
{
	(void)state;
	struct calendar_spec spec = nine_to_five("Europe/Berlin");
	const struct calendar *calendar = compile(&spec);
	int64_t friday = local(calendar, "2026-11-20 16:00");
	assert_local(calendar, calendar_deadline(calendar, friday, HOUR_MS), "2026-11-20 17:00");
	assert_local(calendar, calendar_deadline(calendar, friday, 2 * HOUR_MS), "2026-11-23 10:00");
	assert_int_equal(calendar_deadline(calendar, friday + 26, 2 * HOUR_MS), calendar_deadline(calendar, friday, 2 * HOUR_MS) + 26);
	assert_local(calendar, calendar_deadline_before(calendar, local(calendar, "2026-11-23 10:00"), 2 * HOUR_MS), "2026-11-20 16:00");
	assert_local(calendar, calendar_next_open(calendar, local(calendar, "2026-11-20 17:00")), "2026-11-23 09:00");
	assert_local(calendar, calendar_last_open(calendar, local(calendar, "2026-11-22 12:00")), "2026-11-20 17:00");
	assert_false(calendar_is_open(calendar, local(calendar, "2026-11-20 17:00")));
	assert_true(calendar_is_open(calendar, local(calendar, "2026-11-20 09:00")));
	assert_int_equal(calendar_elapsed(calendar, friday, friday + 7 * 86400000LL), 40 * HOUR_MS);
	assert_int_equal(calendar_elapsed(calendar, friday + 7 * 86400000LL, friday), -40 * HOUR_MS);
	/* A century later is as cheap: 5 × 8 hours a week, no holiday. */
	int64_t far = calendar_deadline(calendar, friday, 4000LL * 40 * HOUR_MS);
	assert_local(calendar, far, "2103-07-20 16:00");
	assert_string_equal(calendar_name(calendar), "office");
}

static void intervals_over_midnight_belong_to_their_first_day(void **state)
{
	(void)state;
	struct calendar_spec spec = {.name = "night", .zone = zone_load("UTC")};
	spec.week[4] = HOURS(H(22, 6));
	spec.week[6] = HOURS(H(22, 6)); /* into the next week */
	struct holiday holidays[] = {{day("2026-11-21"), "Saturday"}, {day("2026-11-27"), "Friday"}};
	spec.holidays = holidays;
	spec.holiday_count = 2;
	const struct calendar *calendar = compile(&spec);
	assert_true(calendar_is_open(calendar, local(calendar, "2026-11-21 05:59"))); /* Friday's, though Saturday is off */
	assert_false(calendar_is_open(calendar, local(calendar, "2026-11-21 06:00")));
	assert_false(calendar_is_open(calendar, local(calendar, "2026-11-28 02:00"))); /* Friday was off */
	assert_true(calendar_is_open(calendar, local(calendar, "2026-11-30 02:00")));  /* Sunday's, across the week */
	assert_int_equal(calendar_elapsed(calendar, local(calendar, "2026-11-16 00:00"), local(calendar, "2026-11-23 00:00")),
	                 (6 + 8 + 2) * HOUR_MS);
	assert_true(calendar_is_business_day(calendar, day("2026-11-21")));
	assert_false(calendar_is_business_day(calendar, day("2026-11-28")));
}

static void dates_replace_the_week_and_beat_holidays(void **state)
{
	(void)state;
	struct calendar_spec spec = nine_to_five("Asia/Shanghai");
	struct dated_hours dates[] = {
		{day("2026-12-24"), HOURS(H(9, 12))},          /* half day */
		{day("2026-10-10"), HOURS(H(9, 17))},          /* make-up Saturday */
		{day("2026-12-31"), {NULL, 0}},                /* closed by an empty list */
		{day("2026-12-25"), HOURS(H(10, 11), H(14, 15))}, /* also a holiday: the date wins */
	};
	struct holiday holidays[] = {{day("2026-12-25"), "Christmas"}, {day("2026-10-01"), "National Day"}};
	spec.dates = dates;
	spec.date_count = 4;
	spec.holidays = holidays;
	spec.holiday_count = 2;
	const struct calendar *calendar = compile(&spec);
	assert_local(calendar, calendar_deadline(calendar, local(calendar, "2026-12-24 11:00"), 2 * HOUR_MS), "2026-12-25 11:00");
	assert_local(calendar, calendar_next_open(calendar, local(calendar, "2026-12-24 13:00")), "2026-12-25 10:00");
	assert_true(calendar_is_open(calendar, local(calendar, "2026-10-10 10:00")));
	assert_false(calendar_is_open(calendar, local(calendar, "2026-10-01 10:00")));
	assert_false(calendar_is_open(calendar, local(calendar, "2026-12-31 10:00")));
	assert_int_equal(calendar_days_between(calendar, day("2026-10-04"), day("2026-10-11")), 6);
}

static void breaks_are_cut_out(void **state)
{
	(void)state;
	struct calendar_spec spec = nine_to_five("UTC");
	spec.breaks[0] = HOURS(H(12, 13));
	struct dated_hours breaks[] = {{day("2026-11-16"), HOURS(H(12, 14), H(16, 20))}};
	spec.date_breaks = breaks;
	spec.date_break_count = 1;
	const struct calendar *calendar = compile(&spec);
	assert_int_equal(calendar_elapsed(calendar, local(calendar, "2026-11-16 00:00"), local(calendar, "2026-11-17 00:00")), 5 * HOUR_MS);
	assert_int_equal(calendar_elapsed(calendar, local(calendar, "2026-11-23 00:00"), local(calendar, "2026-11-24 00:00")), 7 * HOUR_MS);
	assert_local(calendar, calendar_deadline(calendar, local(calendar, "2026-11-16 11:30"), HOUR_MS), "2026-11-16 14:30");
}

static void clocks_change_inside_an_interval(void **state)
{
	(void)state;
	struct calendar_spec spec = always("America/New_York");
	const struct calendar *calendar = compile(&spec);
	assert_int_equal(calendar_elapsed(calendar, local(calendar, "2026-03-08 00:00"), local(calendar, "2026-03-09 00:00")), 23 * HOUR_MS);
	assert_int_equal(calendar_elapsed(calendar, local(calendar, "2026-11-01 00:00"), local(calendar, "2026-11-02 00:00")), 25 * HOUR_MS);
	spec.week[6] = HOURS(H(2, 3)); /* the hour that is skipped in March and not repeated in November */
	calendar = compile(&spec);
	assert_int_equal(calendar_elapsed(calendar, local(calendar, "2026-03-08 00:00"), local(calendar, "2026-03-09 00:00")), 0);
	assert_false(calendar_is_business_day(calendar, day("2026-03-08")));
	spec.week[6] = HOURS(H(1, 2)); /* repeated in November: from its first beginning to its last end */
	calendar = compile(&spec);
	assert_int_equal(calendar_elapsed(calendar, local(calendar, "2026-11-01 00:00"), local(calendar, "2026-11-02 00:00")), 2 * HOUR_MS);
}

static void a_day_that_never_was(void **state)
{
	(void)state;
	struct calendar_spec spec = always("Pacific/Apia");
	const struct calendar *calendar = compile(&spec);
	assert_false(calendar_is_business_day(calendar, day("2011-12-30")));
	assert_true(calendar_is_business_day(calendar, day("2011-12-31")));
	assert_local(calendar, calendar_add_days(calendar, local(calendar, "2011-12-29 10:00"), 1, CALENDAR_CLAMP), "2011-12-31 10:00");
	assert_int_equal(calendar_elapsed(calendar, local(calendar, "2011-12-29 00:00"), local(calendar, "2012-01-01 00:00")), 48 * HOUR_MS);
}

static void business_days_are_clamped_into_the_opening_span(void **state)
{
	(void)state;
	struct calendar_spec spec = nine_to_five("Europe/Paris");
	spec.week[2] = HOURS(H(11, 12), H(14, 15));
	const struct calendar *calendar = compile(&spec);
	assert_local(calendar, calendar_add_days(calendar, local(calendar, "2026-11-17 09:30"), 1, CALENDAR_CLAMP), "2026-11-18 11:00");
	assert_local(calendar, calendar_add_days(calendar, local(calendar, "2026-11-17 16:30"), 1, CALENDAR_CLAMP), "2026-11-18 15:00");
	assert_local(calendar, calendar_add_days(calendar, local(calendar, "2026-11-17 13:00"), 1, CALENDAR_CLAMP), "2026-11-18 13:00");
	assert_local(calendar, calendar_add_days(calendar, local(calendar, "2026-11-20 18:00"), 1, CALENDAR_CLAMP), "2026-11-24 09:00");
	assert_local(calendar, calendar_add_days(calendar, local(calendar, "2026-11-21 18:00"), 0, CALENDAR_CLAMP), "2026-11-23 09:00");
	assert_local(calendar, calendar_add_days(calendar, local(calendar, "2026-11-21 18:00"), -1, CALENDAR_CLAMP), "2026-11-19 17:00");
	assert_local(calendar, calendar_add_days(calendar, local(calendar, "2026-11-21 18:00"), -1, CALENDAR_TO_OPENING), "2026-11-19 09:00");
	assert_local(calendar, calendar_add_days(calendar, local(calendar, "2026-11-21 18:00"), 1, CALENDAR_KEEP_TIME), "2026-11-24 18:00");
	assert_local(calendar, calendar_add_days(calendar, local(calendar, "2026-11-23 09:00"), -1, CALENDAR_CLAMP), "2026-11-20 09:00");
	assert_int_equal(calendar_add_days(calendar, 0, INT32_MAX, CALENDAR_CLAMP), CALENDAR_NEVER);
	assert_int_equal(calendar_add_days(calendar, 0, INT32_MIN, CALENDAR_CLAMP), CALENDAR_NEVER);
}

static void spans_apply_days_first(void **state)
{
	(void)state;
	struct calendar_spec spec = nine_to_five("America/New_York");
	const struct calendar *calendar = compile(&spec);
	static const struct {
		const char *start, *span, *due;
	} cases[] = {
		{"2026-11-20 16:00", "4bh", "2026-11-23 12:00"},     {"2026-11-20 16:00", "1bd 2bh", "2026-11-24 10:00"},
		{"2026-11-20 16:00", "1d", "2026-11-21 16:00"},      {"2026-11-20 16:00", "24h", "2026-11-21 16:00"},
		{"2026-03-07 16:00", "1d", "2026-03-08 16:00"},      {"2026-03-07 16:00", "24h", "2026-03-08 17:00"}, /* 23-hour day */
		{"2026-03-07 02:30", "1d", "2026-03-08 03:00"},      /* skipped: the first instant after the gap */
		{"2026-11-20 16:00", "1d 10h", "2026-11-22 02:00"},  {"2026-11-20 18:00", "30bm", "2026-11-23 09:30"},
		{"2026-11-20 16:00", "0h", "2026-11-20 16:00"},      {"2026-11-20 16:00", "1d 1bd", "2026-11-24 09:00"},
	};
	for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
		struct span span;
		assert_int_equal(span_parse(slice_of(cases[n].span), &span, NULL), 0);
		assert_local(calendar, calendar_add_span(calendar, local(calendar, cases[n].start), &span), cases[n].due);
	}
	struct span two_hours = {.business_ms = 2 * HOUR_MS}, compound = {.business_days = 1, .business_ms = HOUR_MS};
	assert_local(calendar, calendar_subtract_span(calendar, local(calendar, "2026-11-23 10:00"), &two_hours), "2026-11-20 16:00");
	assert_local(calendar, calendar_subtract_span(calendar, local(calendar, "2026-11-24 10:00"), &compound), "2026-11-23 09:00");
}

static void an_explanation_lists_counted_and_skipped_time(void **state)
{
	(void)state;
	struct calendar_spec spec = nine_to_five("Europe/Berlin");
	struct holiday holidays[] = {{day("2026-12-25"), "Christmas"}, {day("2026-12-24"), NULL}};
	spec.holidays = holidays;
	spec.holiday_count = 2;
	const struct calendar *calendar = compile(&spec);
	int64_t start = local(calendar, "2026-12-22 16:00"), due = calendar_deadline(calendar, start, 10 * HOUR_MS);
	struct calendar_piece pieces[8];
	bool is_cut;
	assert_int_equal(calendar_explain(calendar, start, due, pieces, 8, &is_cut), 5);
	assert_false(is_cut);
	int64_t open_ms = 0;
	for (size_t n = 0; n < 5; n++) {
		assert_int_equal(pieces[n].from_ms, n == 0 ? start : pieces[n - 1].to_ms);
		assert_int_equal(pieces[n].is_open, n % 2 == 0);
		open_ms += pieces[n].is_open ? pieces[n].to_ms - pieces[n].from_ms : 0;
	}
	assert_int_equal(pieces[4].to_ms, due);
	assert_int_equal(open_ms, 10 * HOUR_MS);
	assert_null(pieces[1].holiday);
	assert_string_equal(pieces[3].holiday, "2026-12-24");
	assert_int_equal(calendar_explain(calendar, start, due, pieces, 2, &is_cut), 2);
	assert_true(is_cut);
}

static void an_opening_that_never_ends_is_one_piece(void **state)
{
	(void)state;
	struct calendar_spec spec = always("Europe/Berlin");
	const struct calendar *calendar = compile(&spec);
	struct calendar_piece pieces[3];
	bool is_cut;
	int64_t start = local(calendar, "2026-01-01 10:00"), end = local(calendar, "2036-01-01 10:00");
	assert_int_equal(calendar_explain(calendar, start, end, pieces, 3, &is_cut), 1);
	assert_int_equal(pieces[0].to_ms, end);
	assert_int_equal(calendar_elapsed(calendar, start, end), end - start);
}

static void what_makes_no_sense_is_refused(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct calendar_spec empty = {.name = "empty", .zone = zone_load("UTC")};
	assert_null(calendar_compile(&empty, &arena, &err));
	assert_int_equal(err.code, ERR_EMPTY_CALENDAR);
	assert_string_equal(err.text, "calendar \"empty\" never opens");
	empty.name = "";
	assert_null(calendar_compile(&empty, &arena, &err));
	assert_string_equal(err.text, "the calendar never opens");
	struct calendar_spec spec = nine_to_five("UTC");
	spec.breaks[0] = spec.breaks[1] = spec.breaks[2] = spec.breaks[3] = spec.breaks[4] = HOURS(H(8, 18));
	assert_null(calendar_compile(&spec, &arena, &err)); /* hours, but all of them are breaks */
	assert_int_equal(err.code, ERR_EMPTY_CALENDAR);
	spec = nine_to_five("UTC");
	spec.zone = NULL;
	assert_null(calendar_compile(&spec, &arena, &err));
	assert_int_equal(err.code, ERR_BAD_ZONE);
	spec = nine_to_five("UTC");
	struct dated_hours twice[] = {{day("2026-12-24"), HOURS(H(9, 12))}, {day("2026-12-24"), HOURS(H(9, 13))}};
	spec.dates = twice;
	spec.date_count = 2;
	assert_null(calendar_compile(&spec, &arena, &err));
	assert_string_equal(err.text, "hours for 2026-12-24 are given twice");
	spec = nine_to_five("UTC");
	struct holiday ancient[] = {{day("1969-12-31"), NULL}};
	spec.holidays = ancient;
	spec.holiday_count = 1;
	assert_null(calendar_compile(&spec, &arena, &err));
	assert_int_equal(err.code, ERR_BAD_DATE);
	spec = nine_to_five("UTC");
	spec.week[0] = HOURS({3600, 3600});
	assert_null(calendar_compile(&spec, &arena, &err));
	assert_int_equal(err.code, ERR_BAD_HOURS);
}

static void outside_of_the_range_there_is_nothing(void **state)
{
	(void)state;
	struct calendar_spec spec = nine_to_five("UTC");
	const struct calendar *calendar = compile(&spec);
	static const int64_t instants[] = {INT64_MIN, -1000000000000000, 4800000000000, INT64_MAX - 1, INT64_MAX};
	for (size_t n = 0; n < sizeof instants / sizeof *instants; n++) {
		assert_false(calendar_is_open(calendar, instants[n]));
		assert_false(calendar_is_business_day(calendar, instants[n] / 86400000));
	}
	assert_int_equal(calendar_deadline(calendar, INT64_MAX - 1, 1), CALENDAR_NEVER);
	assert_int_equal(calendar_deadline(calendar, 0, INT64_MAX), CALENDAR_NEVER);
	assert_int_equal(calendar_deadline(calendar, 0, INT64_MIN), CALENDAR_NEVER);
	assert_int_equal(calendar_next_open(calendar, 4800000000000), CALENDAR_NEVER);
	assert_local(calendar, calendar_next_open(calendar, INT64_MIN), "1969-12-29 09:00");
	assert_int_equal(calendar_last_open(calendar, INT64_MIN), CALENDAR_NEVER);
}

/* At St John's clocks went back at 00:01, to 23:01 of the day before: what comes then belongs to Sunday, though the clock
 * shows Saturday, on which nobody works. */
static void a_day_that_has_begun_does_not_end_again(void **state)
{
	(void)state;
	struct calendar_spec spec = {.name = "night", .zone = zone_load("America/St_Johns")};
	const struct hours_list early = HOURS(H(0, 6));
	for (int weekday = 0; weekday < 7; weekday++)
		if (weekday != 5)
			spec.week[weekday] = early;
	const struct calendar *calendar = compile(&spec);
	int64_t again = (day("2010-11-07") * SECONDS_PER_DAY + 3 * 3600) * 1000; /* 03:00 UTC, 23:30 for the second time */
	assert_local(calendar, again, "2010-11-06 23:30");
	assert_true(calendar_is_open(calendar, again));
	assert_int_equal(calendar_day_at(calendar, again), day("2010-11-07"));
	assert_local(calendar, calendar_add_days(calendar, again, 1, CALENDAR_CLAMP), "2010-11-08 00:00");
	assert_local(calendar, calendar_add_days(calendar, again, -1, CALENDAR_CLAMP), "2010-11-05 00:00");
	struct span span = {.days = 1};
	assert_local(calendar, calendar_add_span(calendar, again, &span), "2010-11-07 23:30");
}

static void the_version_follows_the_content(void **state)
{
	(void)state;
	struct calendar_spec spec = nine_to_five("Europe/Berlin"), other = spec;
	uint64_t version = calendar_version(compile(&spec));
	other.name = "another name";
	assert_true(calendar_version(compile(&other)) == version);
	struct holiday thursday = {day("2026-12-24"), NULL}, sunday = {day("2026-12-27"), NULL};
	other.holidays = &thursday;
	other.holiday_count = 1;
	assert_true(calendar_version(compile(&other)) != version);
	other.holidays = &sunday; /* the same answers, but a week of its own: recomputing for nothing does no harm */
	assert_true(calendar_version(compile(&other)) != calendar_version(compile(&spec)));
	other = spec;
	other.zone = zone_load("Europe/Vienna"); /* other clock changes before 1980 */
	assert_true(calendar_version(compile(&other)) != version);
	other = spec;
	other.breaks[0] = HOURS(H(12, 13));
	assert_true(calendar_version(compile(&other)) != version);
}

static void texts(void **state)
{
	(void)state;
	struct hours hours;
	assert_int_equal(hours_parse(SLICE("09:00"), SLICE("18:30"), &hours, NULL), 0);
	assert_int_equal(hours.open, 9 * 3600);
	assert_int_equal(hours.close, 18 * 3600 + 1800);
	assert_int_equal(hours_parse(SLICE("22:00"), SLICE("00:00"), &hours, NULL), 0);
	assert_int_equal(hours.close, SECONDS_PER_DAY);
	assert_int_equal(hours_parse(SLICE("00:00:01"), SLICE("24:00"), &hours, NULL), 0);
	static const char *const bad[][2] = {{"9:00", "18:00"}, {"24:00", "18:00"}, {"09:00", "24:01"}, {"09:00", "09:00"},
	                                     {"09:60", "18:00"}, {"", "18:00"}, {"09.00", "18:00"}, {"09:00", "18:00 "}, {"-1:00", "18:00"}};
	for (size_t n = 0; n < sizeof bad / sizeof *bad; n++)
		assert_int_equal(hours_parse(slice_of(bad[n][0]), slice_of(bad[n][1]), &hours, NULL), -1);
	static const char *const bad_dates[] = {"2026-02-29", "2026-13-01", "26-01-01", "2026/01/01", "2026-1-01", "", "2026-01-011"};
	int64_t number;
	for (size_t n = 0; n < sizeof bad_dates / sizeof *bad_dates; n++)
		assert_int_equal(calendar_date_parse(slice_of(bad_dates[n]), &number, NULL), -1);
}

static int free_arena(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_deadline_skips_nights_and_weekends),
		cmocka_unit_test(intervals_over_midnight_belong_to_their_first_day),
		cmocka_unit_test(dates_replace_the_week_and_beat_holidays),
		cmocka_unit_test(breaks_are_cut_out),
		cmocka_unit_test(clocks_change_inside_an_interval),
		cmocka_unit_test(a_day_that_never_was),
		cmocka_unit_test(business_days_are_clamped_into_the_opening_span),
		cmocka_unit_test(spans_apply_days_first),
		cmocka_unit_test(an_explanation_lists_counted_and_skipped_time),
		cmocka_unit_test(an_opening_that_never_ends_is_one_piece),
		cmocka_unit_test(what_makes_no_sense_is_refused),
		cmocka_unit_test(outside_of_the_range_there_is_nothing),
		cmocka_unit_test(a_day_that_has_begun_does_not_end_again),
		cmocka_unit_test(the_version_follows_the_content),
		cmocka_unit_test(texts),
	};
	return cmocka_run_group_tests(tests, NULL, free_arena);
}
