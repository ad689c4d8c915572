/* SPDX-License-Identifier: Apache-2.0
 *
 * rules/text/zone and date: odd changes of clocks, and names that must not reach the file system.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "rules/text/date.h"
#include "rules/text/zone.h"

static const struct zone *need_zone(const char *name)
{
	const struct zone *zone = zone_load(name);
	assert_non_null(zone);
	return zone;
}

static int64_t at(const char *name, struct civil civil, enum zone_pick pick)
{
	return zone_from_civil(need_zone(name), &civil, pick);
}

static void a_zone_is_loaded_once(void **state)
{
	(void)state;
	const struct zone *berlin = need_zone("Europe/Berlin");
	assert_ptr_equal(berlin, zone_load("Europe/Berlin"));
	assert_string_equal(zone_name(berlin), "Europe/Berlin");
	assert_ptr_not_equal(berlin, need_zone("Asia/Shanghai"));
}

static void names_cannot_leave_the_zone_folder(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"", "/etc/passwd", "../../../etc/passwd", "Europe/../Europe/Berlin", "Europe//Berlin", "Europe/", "Mars/Base",
		"localtime", "right/UTC", "posix/UTC", "file:Europe/Berlin", "Fixed/UTC+01:00:00", "Europe/Berlin\n", ".", "tzdata.zi",
		"Aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	};
	for (size_t n = 0; n < sizeof bad / sizeof *bad; n++)
		assert_null(zone_load(bad[n]));
	assert_null(zone_load(NULL));
	need_zone("UTC");
	need_zone("Etc/GMT+3");
	need_zone("America/Argentina/Buenos_Aires");
}

static void a_skipped_time_is_the_first_instant_after_the_gap(void **state)
{
	(void)state;
	/* 2026-03-29 02:30 does not exist in Berlin: clocks jump at 01:00 UTC. */
	struct civil skipped = {.year = 2026, .month = 3, .day = 29, .hour = 2, .minute = 30};
	assert_int_equal(at("Europe/Berlin", skipped, ZONE_FIRST), 1774746000);
	assert_int_equal(at("Europe/Berlin", skipped, ZONE_LAST), 1774746000);
	assert_true(zone_is_skipped(need_zone("Europe/Berlin"), &skipped));
	/* The whole 30th of December 2011 is missing in Samoa. */
	struct civil lost_day = {.year = 2011, .month = 12, .day = 30, .hour = 12};
	assert_int_equal(at("Pacific/Apia", lost_day, ZONE_FIRST), 1325239200);
}

static void a_repeated_time_is_picked(void **state)
{
	(void)state;
	struct civil repeated = {.year = 2026, .month = 10, .day = 25, .hour = 2, .minute = 30};
	int64_t first = at("Europe/Berlin", repeated, ZONE_FIRST), last = at("Europe/Berlin", repeated, ZONE_LAST);
	assert_int_equal(last - first, 3600);
	assert_int_equal(zone_offset_at(need_zone("Europe/Berlin"), first), 7200);
	assert_int_equal(zone_offset_at(need_zone("Europe/Berlin"), last), 3600);
	struct civil lord_howe = {.year = 2026, .month = 4, .day = 5, .hour = 1, .minute = 45};
	assert_int_equal(at("Australia/Lord_Howe", lord_howe, ZONE_LAST) - at("Australia/Lord_Howe", lord_howe, ZONE_FIRST), 1800);
}

static void civil_and_back(void **state)
{
	(void)state;
	static const char *const names[] = {"UTC", "Asia/Kathmandu", "America/St_Johns", "Pacific/Chatham", "Africa/Cairo"};
	for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
		const struct zone *zone = need_zone(names[n]);
		for (int64_t t = -2000000000; t < 6000000000; t += 86400 * 97 + 12345) {
			struct civil civil;
			zone_to_civil(zone, t, &civil);
			int64_t first = zone_from_civil(zone, &civil, ZONE_FIRST), last = zone_from_civil(zone, &civil, ZONE_LAST);
			assert_true(t == first || t == last);
			assert_int_equal(civil.weekday, date_weekday(date_to_day(civil.year, civil.month, civil.day)));
		}
	}
}

static void changes_are_found_in_order(void **state)
{
	(void)state;
	const struct zone *zone = need_zone("America/New_York");
	int64_t change = 0;
	assert_true(zone_next_change(zone, 1767225600, &change)); /* from 2026-01-01 */
	assert_int_equal(change, 1772953200);                     /* 2026-03-08T07:00Z */
	assert_true(zone_next_change(zone, change, &change));
	assert_int_equal(change, 1793512800); /* 2026-11-01T06:00Z */
	assert_false(zone_next_change(need_zone("UTC"), 0, &change));
}

static void dates_agree_with_the_c_library(void **state)
{
	(void)state;
	for (int64_t day = -200000; day < 200000; day += 13) {
		time_t t = day * SECONDS_PER_DAY;
		struct tm tm;
		gmtime_r(&t, &tm);
		int64_t year;
		int month, date;
		date_from_day(day, &year, &month, &date);
		assert_int_equal(year, tm.tm_year + 1900);
		assert_int_equal(month, tm.tm_mon + 1);
		assert_int_equal(date, tm.tm_mday);
		assert_int_equal(date_weekday(day), (tm.tm_wday + 6) % 7);
		assert_int_equal(date_to_day(year, month, date), day);
		assert_true(date_is_valid(year, month, date));
	}
	assert_false(date_is_valid(2026, 2, 29));
	assert_true(date_is_valid(2024, 2, 29));
	assert_false(date_is_valid(2026, 13, 1));
	assert_false(date_is_valid(2026, 4, 31));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_zone_is_loaded_once),
		cmocka_unit_test(names_cannot_leave_the_zone_folder),
		cmocka_unit_test(a_skipped_time_is_the_first_instant_after_the_gap),
		cmocka_unit_test(a_repeated_time_is_picked),
		cmocka_unit_test(civil_and_back),
		cmocka_unit_test(changes_are_found_in_order),
		cmocka_unit_test(dates_agree_with_the_c_library),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
