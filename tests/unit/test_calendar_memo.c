/* SPDX-License-Identifier: Apache-2.0
 *
 * rules/calendar/calendar_memo: says what the calendar says, whatever was asked before.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "rules/base/arena.h"
#include "rules/base/err.h"
#include "rules/calendar/calendar.h"
#include "rules/calendar/calendar_memo.h"
#include "rules/text/zone.h"

enum { QUESTIONS = 20000, CALENDARS = 2 };

static const struct calendar *office(const char *zone, int32_t open_hour, struct arena *arena)
{
	const struct hours day = {open_hour * 3600, 17 * 3600};
	struct calendar_spec spec = {.name = "office", .zone = zone_load(zone)};
	struct err err = ERR_INIT;
	for (int weekday = 0; weekday < 5; weekday++)
		spec.week[weekday] = (struct hours_list){&day, 1};
	const struct calendar *calendar = calendar_compile(&spec, arena, &err);
	assert_non_null(calendar);
	return calendar;
}

static uint32_t next(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

/* Few instants and spans, so that most questions come again and many rows are taken by another one in between. */
static void test_answers_are_those_of_the_calendar(void **unused)
{
	(void)unused;
	struct arena arena = ARENA_INIT;
	const struct calendar *calendars[CALENDARS] = {office("Europe/Berlin", 9, &arena), office("Asia/Tokyo", 8, &arena)};
	struct calendar_memo memo = {0};
	uint32_t random = 7;
	for (int i = 0; i < QUESTIONS; i++) {
		const struct calendar *calendar = calendars[next(&random) % CALENDARS];
		int64_t at_ms = 1790000000000 + (int64_t)(next(&random) % 4) * 3600000;
		const struct span span = {.business_days = (int32_t)(next(&random) % 3), .days = (int32_t)(next(&random) % 2),
		                          .business_ms = next(&random) % 2 * 60000, .elapsed_ms = next(&random) % 3 * 60000};
		assert_int_equal(calendar_memo_add(&memo, calendar, at_ms, &span), calendar_add_span(calendar, at_ms, &span));
		assert_int_equal(calendar_memo_subtract(&memo, calendar, at_ms, &span), calendar_subtract_span(calendar, at_ms, &span));
		assert_int_equal(calendar_memo_next_open(&memo, calendar, at_ms), calendar_next_open(calendar, at_ms));
		assert_int_equal(calendar_memo_last_open(&memo, calendar, at_ms), calendar_last_open(calendar, at_ms));
	}
	arena_done(&arena);
}

static void test_without_a_memo(void **unused)
{
	(void)unused;
	struct arena arena = ARENA_INIT;
	const struct calendar *calendar = office("Europe/Berlin", 9, &arena);
	const struct span span = {.business_days = 2};
	assert_int_equal(calendar_memo_add(NULL, calendar, 1790000000000, &span), calendar_add_span(calendar, 1790000000000, &span));
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers_are_those_of_the_calendar),
		cmocka_unit_test(test_without_a_memo),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
