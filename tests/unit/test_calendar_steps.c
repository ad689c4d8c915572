/* SPDX-License-Identifier: Apache-2.0
 *
 * What a question costs, in turns of loops and not in time: a few binary searches, however many holidays there are, however
 * often clocks change and however far away the answer lies. So no case can take a millisecond. What a turn costs:
 * tests/bench/calendar_bench.c.
 */
#include <stddef.h>

static size_t steps;
#define CALENDAR_STEP() (steps++)
#include "rules/calendar/calendar.c" /* instead of the library's own */

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "rules/base/arena.h"

enum { QUESTIONS = 4000, DAYS = 54786 }; /* 1970 to 2119 */

static const char *const ZONES[] = {"UTC", "Europe/Berlin", "Africa/Casablanca", "Australia/Lord_Howe", "America/St_Johns",
                                    "Asia/Gaza", "Pacific/Apia", "Africa/Cairo"};
static const size_t HOLIDAYS[] = {0, 10, 100, 1000, CALENDAR_DATES_MAX};

static uint64_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005 + 1442695040888963407;
	return *state >> 33;
}

/* Three intervals a day; holidays and half days far and near. */
static const struct calendar *make(const char *zone, size_t holiday_count, struct arena *arena)
{
	static const struct hours day[] = {{8 * 3600, 12 * 3600}, {13 * 3600, 17 * 3600}, {22 * 3600, 3600}};
	static struct holiday holidays[CALENDAR_DATES_MAX];
	static struct dated_hours dates[CALENDAR_DATES_MAX];
	struct calendar_spec spec = {.name = "steps", .zone = zone_load(zone), .dates = dates, .holidays = holidays};
	for (int weekday = 0; weekday < 6; weekday++)
		spec.week[weekday] = (struct hours_list){day, 3};
	for (size_t n = 0; n < holiday_count; n++) {
		holidays[n].day = (int64_t)(n * DAYS / holiday_count);
		dates[n] = (struct dated_hours){(int64_t)(n * DAYS / holiday_count) + 2, {day, 1}};
	}
	spec.holiday_count = spec.date_count = holiday_count;
	struct err err = ERR_INIT;
	const struct calendar *calendar = calendar_compile(&spec, arena, &err);
	assert_non_null(calendar);
	return calendar;
}

static size_t log2_of(size_t n)
{
	size_t bits = 0;
	for (; n > 0; n /= 2)
		bits++;
	return bits;
}

/* One search over the blocks and one over the pieces of a week. */
static size_t search_cost(const struct calendar *calendar)
{
	size_t pieces = 1;
	for (size_t n = 0; n < calendar->block_count; n++)
		pieces = calendar->blocks[n].piece_count > pieces ? calendar->blocks[n].piece_count : pieces;
	return log2_of(calendar->block_count + 1) + log2_of(pieces);
}

struct worst {
	size_t deadline, elapsed, open, days;
};

static void note(size_t *worst)
{
	*worst = steps > *worst ? steps : *worst;
	steps = 0;
}

static void ask(const struct calendar *calendar, int64_t at_ms, int64_t amount_ms, int32_t days, struct worst *worst)
{
	steps = 0;
	calendar_deadline(calendar, at_ms, amount_ms);
	note(&worst->deadline);
	calendar_deadline_before(calendar, at_ms, amount_ms);
	note(&worst->deadline);
	calendar_elapsed(calendar, at_ms, at_ms + amount_ms);
	note(&worst->elapsed);
	calendar_next_open(calendar, at_ms);
	note(&worst->open);
	calendar_last_open(calendar, at_ms);
	note(&worst->open);
	calendar_add_days(calendar, at_ms, days, CALENDAR_CLAMP);
	note(&worst->days);
	calendar_subtract_days(calendar, at_ms, days, CALENDAR_TO_OPENING);
	note(&worst->days);
}

static void assert_few_steps(const char *zone, size_t holidays)
{
	struct arena arena = ARENA_INIT;
	const struct calendar *calendar = make(zone, holidays, &arena);
	size_t cost = search_cost(calendar);
	struct worst worst = {0, 0, 0, 0};
	uint64_t random = holidays + 1;
	for (int n = 0; n < QUESTIONS; n++) {
		int64_t at_ms = (int64_t)(next_random(&random) % ((uint64_t)DAYS * 86400)) * 1000;
		int distance = (int)(next_random(&random) % 37); /* from ms to more than a century */
		int64_t amount_ms = (int64_t)(((uint64_t)1 << (distance + 5)) + next_random(&random) % 1000);
		ask(calendar, at_ms, amount_ms, (int32_t)(amount_ms / 86400000), &worst);
	}
	assert_true(worst.deadline > 0 && worst.deadline <= 2 * cost);
	assert_true(worst.elapsed > 0 && worst.elapsed <= 2 * cost);
	assert_true(worst.open > 0 && worst.open <= 3 * cost);
	assert_true(worst.days > 0 && worst.days <= 11 * cost + 6);
	print_message("%s, %zu holidays, %zu blocks: at most %zu steps for a deadline, %zu for days\n", zone, holidays,
	              calendar->block_count, worst.deadline, worst.days);
	arena_done(&arena);
}

static void a_question_costs_a_few_binary_searches(void **state)
{
	(void)state;
	for (size_t z = 0; z < sizeof ZONES / sizeof *ZONES; z++)
		for (size_t n = 0; n < sizeof HOLIDAYS / sizeof *HOLIDAYS; n++)
			assert_few_steps(ZONES[z], HOLIDAYS[n]);
}

/* The steps of a deadline of an hour are those of a deadline of fifty years. */
static void the_distance_does_not_matter(void **state)
{
	(void)state;
	struct arena arena = ARENA_INIT;
	const struct calendar *calendar = make("Europe/Berlin", 1000, &arena);
	const int64_t start_ms = 1795300000000, hour_ms = 3600000;
	steps = 0;
	calendar_deadline(calendar, start_ms, hour_ms);
	size_t near = steps;
	for (int64_t hours = 2; hours < 50 * 2600; hours += 97) {
		steps = 0;
		assert_true(calendar_deadline(calendar, start_ms, hours * hour_ms) != CALENDAR_NEVER);
		assert_true(steps <= near + 6); /* binary searches of the same arrays: a step or two apart each */
	}
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_question_costs_a_few_binary_searches),
		cmocka_unit_test(the_distance_does_not_matter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
