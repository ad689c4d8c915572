/* SPDX-License-Identifier: Apache-2.0
 *
 * What pauses do to a clock, against a reference that looks at each minute and each day: random calendars in zones whose
 * clocks change, random pauses, all units. CASES=1000 for a longer run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "rules/base/arena.h"
#include "rules/base/err.h"
#include "rules/calendar/calendar.h"
#include "rules/clocks.h"
#include "rules/text/date.h"
#include "rules/text/zone.h"

enum { MINUTE = 60000, DAYS = 90, MINUTES = DAYS * 1440, CASES = 30, PAUSES = 7 };

static const char *const zones[] = {"UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns", "Africa/Cairo",
                                    "Pacific/Chatham"};

static uint64_t random_state;

static int64_t below(int64_t end)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (int64_t)(random_state % (uint64_t)end);
}

/* ---- the world of one case: minutes since `first` */

struct world {
	struct arena arena;
	struct hours hours[8];
	const struct calendar *calendar;
	int64_t first;            /* Unix minute */
	int64_t local[MINUTES];   /* local day * 1440 + minute of the day */
	bool is_open[MINUTES];
	int64_t sum[MINUTES + 1]; /* open minutes before */
	struct clock_level level;
	struct clock_plan plan;
	struct clock_hours by;
};

static int64_t ms_of(const struct world *world, int64_t minute)
{
	return (world->first + minute) * MINUTE;
}

static int64_t minute_of(const struct world *world, int64_t ms)
{
	assert_int_equal(ms % MINUTE, 0);
	return ms / MINUTE - world->first;
}

/* Weekdays with one or two intervals, some shorter than others, some closed. */
static void make_calendar(struct world *world, const struct zone *zone)
{
	struct calendar_spec spec = {.name = "test", .zone = zone};
	for (size_t i = 0; i < 4; i++) {
		int32_t open = 5 + (int32_t)below(5), noon = open + 1 + (int32_t)below(4);
		world->hours[2 * i] = (struct hours){open * 3600, noon * 3600};
		world->hours[2 * i + 1] = (struct hours){(noon + 1) * 3600, (noon + 2 + (int32_t)below(5)) * 3600};
	}
	for (size_t day = 0; day < 7; day++)
		if (day == 0 || below(4) != 0)
			spec.week[day] = (struct hours_list){&world->hours[2 * below(4)], 1 + (size_t)below(2)};
	struct err err = ERR_INIT;
	world->calendar = calendar_compile(&spec, &world->arena, &err);
	assert_non_null(world->calendar);
}

static void look_at_minutes(struct world *world, const struct zone *zone)
{
	for (int64_t minute = 0; minute < MINUTES; minute++) {
		struct civil civil;
		zone_to_civil(zone, ms_of(world, minute) / 1000, &civil);
		world->local[minute] = date_to_day(civil.year, civil.month, civil.day) * 1440 + civil.hour * 60 + civil.minute;
		world->is_open[minute] = calendar_is_open(world->calendar, ms_of(world, minute));
		world->sum[minute + 1] = world->sum[minute] + world->is_open[minute];
	}
}

static struct world *make_world(int seed, struct span after)
{
	struct world *world = calloc(1, sizeof *world);
	random_state = (uint64_t)(seed + 1) * 0x9E3779B97F4A7C15u;
	const struct zone *zone = zone_load(zones[seed % (int)(sizeof zones / sizeof *zones)]);
	assert_non_null(zone);
	make_calendar(world, zone);
	world->first = (29526 + below(360)) * 1440; /* begins somewhere in 2050 */
	look_at_minutes(world, zone);
	world->level = (struct clock_level){.name = SLICE("breach"), .rank = CLOCK_RANK_BREACH};
	world->plan = (struct clock_plan){.name = SLICE("test"), .kind = CLOCK_TOTAL_AGE, .after = after, .levels = &world->level,
	                                  .level_count = 1, .repeat = CLOCK_NEVER};
	world->by = (struct clock_hours){world->calendar, world->calendar, world->calendar, NULL};
	return world;
}

static void end_world(struct world *world)
{
	arena_done(&world->arena);
	free(world);
}

/* ---- the reference */

static int64_t next_open(const struct world *world, int64_t minute)
{
	while (!world->is_open[minute])
		minute++;
	return minute;
}

/* The first minute at which the clock on the wall has come to `local`. */
static int64_t first_at(const struct world *world, int64_t local)
{
	int64_t minute = 0;
	while (world->local[minute] < local)
		minute++;
	return minute;
}

static int64_t add_d(const struct world *world, int64_t minute, int64_t days)
{
	return days == 0 ? minute : first_at(world, world->local[minute] + days * 1440);
}

/* First opening and last closing of a local day; false when it has none. */
static bool opening_of(const struct world *world, int64_t day, int64_t *ret_first, int64_t *ret_last)
{
	bool is_open = false;
	for (int64_t minute = first_at(world, day * 1440); world->local[minute] < (day + 1) * 1440; minute++)
		if (world->is_open[minute]) {
			*ret_first = is_open ? *ret_first : minute;
			*ret_last = minute + 1;
			is_open = true;
		}
	return is_open;
}

static int64_t add_bd(const struct world *world, int64_t minute, int64_t days)
{
	int64_t start = next_open(world, minute), day = world->local[start] / 1440, first = start, last = start;
	if (days == 0)
		return start;
	for (int64_t left = days; left > 0;)
		left -= opening_of(world, ++day, &first, &last);
	int64_t at = first_at(world, day * 1440 + world->local[start] % 1440);
	return at < first ? first : at > last ? last : at;
}

static int64_t add_open(const struct world *world, int64_t minute, int64_t open)
{
	int64_t before = world->sum[minute];
	while (world->sum[minute] - before < open)
		minute++;
	return minute;
}

enum unit { H, BH, D, BD };

/* What is left at `from` of the time until `due`, from `to` on. Never earlier: an opening and the closing before it are as far. */
static int64_t left_from(const struct world *world, enum unit unit, int64_t from, int64_t due, int64_t to)
{
	int64_t days = 0, open = world->sum[due] - world->sum[from], left = 0;
	switch (unit) {
	case H:
		return to + due - from;
	case BH:
		return world->sum[to] == world->sum[from] ? due : add_open(world, to, open);
	case D:
		while (add_d(world, from, days + 1) <= due)
			days++;
		return add_d(world, to, days) + due - add_d(world, from, days);
	case BD:
		if (world->sum[to] == world->sum[from])
			return due;
		while (add_bd(world, from, days + 1) <= due)
			days++;
		left = add_open(world, add_bd(world, to, days), world->sum[due] - world->sum[add_bd(world, from, days)]);
		return left > due ? left : due;
	}
	return -1;
}

static struct span span_of(enum unit unit, int amount)
{
	switch (unit) {
	case H:
		return (struct span){.elapsed_ms = amount * 60 * MINUTE};
	case BH:
		return (struct span){.business_ms = amount * 60 * MINUTE};
	case D:
		return (struct span){.days = amount};
	case BD:
		return (struct span){.business_days = amount};
	}
	return (struct span){0};
}

/* ---- comparing */

static int cases(void)
{
	const char *text = getenv("CASES");
	return text != NULL ? atoi(text) : CASES;
}

static struct clock started(const struct world *world, int64_t minute)
{
	struct clock clock = {.cycle = 1};
	clock_start(&clock, &world->plan, &world->by, ms_of(world, minute), 0);
	assert_true(clock_is_running(&clock));
	return clock;
}

static void stand_still(const struct world *world, struct clock *clock, int64_t from, int64_t to)
{
	clock_pause(clock, &world->plan, &world->by, ms_of(world, from));
	clock_resume(clock, &world->plan, &world->by, ms_of(world, to));
}

/* Pauses with some time between them, never behind the due time. */
static void compare_case(int seed, enum unit unit)
{
	struct world *world = make_world(seed, span_of(unit, unit == D || unit == BD ? 1 + seed % 8 : 3 + seed % 30));
	int64_t at = 3 * 1440 + below(7 * 1440);
	struct clock clock = started(world, at);
	int64_t due = minute_of(world, clock.due_ms);
	for (int n = 0; n < PAUSES; n++) {
		int64_t from = at + 1 + below(900), to = from + below(n % 2 == 0 ? 4000 : 300);
		if (from >= due)
			break;
		stand_still(world, &clock, from, to);
		due = to > from ? left_from(world, unit, from, due, to) : due;
		at = to;
		if (minute_of(world, clock.due_ms) != due)
			fail_msg("seed %d, unit %d, pause %d: due at %lld, not %lld", seed, (int)unit, n,
			         (long long)minute_of(world, clock.due_ms), (long long)due);
	}
	end_world(world);
}

static void test_pauses_are_those_of_the_reference(void **state)
{
	(void)state;
	for (int seed = 0; seed < cases(); seed++)
		for (enum unit unit = H; unit <= BD; unit++)
			compare_case(seed, unit);
}

/* A pause of no length, and for units of open time one in closed time, does nothing. */
static void test_nothing_of_its_unit_moves_nothing(void **state)
{
	(void)state;
	for (int seed = 0; seed < cases(); seed++)
		for (enum unit unit = H; unit <= BD; unit++) {
			struct world *world = make_world(seed, span_of(unit, 9));
			int64_t at = 3 * 1440 + below(7 * 1440), from = at + below(300), to = from;
			struct clock clock = started(world, at);
			int64_t due_ms = clock.due_ms;
			stand_still(world, &clock, from, from);
			assert_true(clock_is_running(&clock));
			assert_int_equal(clock.due_ms, due_ms);
			while (world->is_open[from])
				from++;
			for (to = from; !world->is_open[to]; to++) {
			}
			if (unit == BH || unit == BD)
				stand_still(world, &clock, from, to);
			assert_int_equal(clock.due_ms, due_ms);
			end_world(world);
		}
}

/* The longer it stands still, the later it is due; one right behind another is the same as both in one. */
static void test_longer_is_never_earlier(void **state)
{
	(void)state;
	for (int seed = 0; seed < cases(); seed++)
		for (enum unit unit = H; unit <= BD; unit++) {
			struct world *world = make_world(seed, span_of(unit, 4));
			int64_t at = 3 * 1440 + below(7 * 1440), from = at + below(200), before_ms = 0;
			for (int64_t to = from; to < from + 4000; to += 97) {
				struct clock once = started(world, at), twice = once;
				if (ms_of(world, from) >= once.due_ms)
					break;
				stand_still(world, &once, from, to);
				stand_still(world, &twice, from, from + (to - from) / 2);
				stand_still(world, &twice, from + (to - from) / 2, to);
				assert_true(once.due_ms >= before_ms);
				assert_int_equal(twice.due_ms, once.due_ms);
				before_ms = once.due_ms;
			}
			end_world(world);
		}
}

/* So many pauses do what one of the same time in the clock's unit does. */
static void test_many_are_as_one(void **state)
{
	(void)state;
	for (int seed = 0; seed < cases(); seed++)
		for (enum unit unit = H; unit <= BH; unit++) {
			struct world *world = make_world(seed, span_of(unit, 60));
			int64_t at = 3 * 1440 + below(7 * 1440), still = 0, end = at;
			struct clock many = started(world, at), one = many;
			for (int n = 0; n < PAUSES; n++) {
				int64_t from = end + 1 + below(60);
				end = from + 1 + below(200);
				still += unit == H ? end - from : world->sum[end] - world->sum[from];
				stand_still(world, &many, from, end);
			}
			int64_t until = unit == H ? at + still : add_open(world, at, still);
			stand_still(world, &one, at, until);
			assert_int_equal(many.due_ms, one.due_ms);
			end_world(world);
		}
}

/* Settled pauses or not: another amount of the same unit moves the due time by as much. */
static void test_another_plan_moves_by_the_difference(void **state)
{
	(void)state;
	for (int seed = 0; seed < cases(); seed++)
		for (enum unit unit = H; unit <= BH; unit++) {
			struct world *world = make_world(seed, span_of(unit, 60));
			int64_t end = 3 * 1440 + below(7 * 1440);
			struct clock clock = started(world, end);
			for (int n = 0; n < PAUSES; n++) {
				int64_t from = end + 1 + below(60);
				end = from + 1 + below(200);
				stand_still(world, &clock, from, end);
			}
			int64_t due = minute_of(world, clock.due_ms);
			world->plan.after = span_of(unit, 64);
			assert_true(clock_plan_again(&clock, &world->plan, &world->by));
			assert_int_equal(minute_of(world, clock.due_ms), unit == H ? due + 240 : add_open(world, due, 240));
			end_world(world);
		}
}

/* Of days it cannot be so exact: what the settled pauses did is not counted anew. A day for each of them is the most. */
static void compare_another_plan(int seed, enum unit unit)
{
	struct world *world = make_world(seed, span_of(unit, 6 + seed % 6));
	int64_t at = 3 * 1440 + below(5 * 1440), from[PAUSES], to[PAUSES], end = at;
	struct clock clock = started(world, at);
	world->plan.after = span_of(unit, 8 + seed % 6);
	int64_t due = minute_of(world, started(world, at).due_ms), settled = PAUSES - CLOCK_PAUSES_MAX;
	for (int n = 0; n < PAUSES; n++) {
		from[n] = end + 1 + below(400);
		end = to[n] = from[n] + 1 + below(400);
		due = left_from(world, unit, from[n], due, to[n]);
	}
	world->plan.after = span_of(unit, 6 + seed % 6);
	for (int n = 0; n < PAUSES; n++)
		stand_still(world, &clock, from[n], to[n]);
	world->plan.after = span_of(unit, 8 + seed % 6);
	clock_plan_again(&clock, &world->plan, &world->by);
	int64_t is = minute_of(world, clock.due_ms), early = is < due ? is : due, late = is < due ? due : is;
	int64_t most = unit == D ? early + settled * 60 : add_bd(world, early, settled);
	if (late > most)
		fail_msg("seed %d, unit %d: due at %lld, not %lld", seed, (int)unit, (long long)is, (long long)due);
	end_world(world);
}

static void test_another_plan_is_near(void **state)
{
	(void)state;
	for (int seed = 0; seed < cases(); seed++)
		for (enum unit unit = D; unit <= BD; unit++)
			compare_another_plan(seed, unit);
}

/* ---- corners by name */

static struct world *office(struct span after)
{
	struct world *world = calloc(1, sizeof *world);
	static const struct hours day = {9 * 3600, 17 * 3600}, half = {9 * 3600, 13 * 3600};
	struct calendar_spec spec = {.name = "office", .zone = zone_load("Europe/Berlin")};
	for (size_t i = 0; i < 5; i++)
		spec.week[i] = (struct hours_list){i == 4 ? &half : &day, 1};
	struct err err = ERR_INIT;
	world->calendar = calendar_compile(&spec, &world->arena, &err);
	world->first = 1772406000 / 60; /* 2026-03-02T00:00+01:00, a Monday */
	world->level = (struct clock_level){.name = SLICE("breach"), .rank = CLOCK_RANK_BREACH};
	world->plan = (struct clock_plan){.kind = CLOCK_TOTAL_AGE, .after = after, .levels = &world->level, .level_count = 1};
	world->by = (struct clock_hours){world->calendar, world->calendar, world->calendar, NULL};
	return world;
}

static int64_t hour(int64_t day, int64_t hour_of_day)
{
	return (day * 24 + hour_of_day) * 60;
}

static void expect_due(struct span after, int64_t start, int64_t from, int64_t to, int64_t due)
{
	struct world *world = office(after);
	struct clock clock = started(world, start);
	stand_still(world, &clock, from, to);
	assert_int_equal(minute_of(world, clock.due_ms), due);
	end_world(world);
}

enum { MON, TUE, WED, THU, FRI, SAT, SUN, NEXT_MON, NEXT_TUE };

static void test_corners(void **state)
{
	(void)state;
	/* one business day, though Friday has half of the hours */
	expect_due(span_of(BD, 4), hour(MON, 9), hour(THU, 9), hour(FRI, 9), hour(NEXT_MON, 9));
	/* the day that is left ends with the half day */
	expect_due(span_of(BD, 4), hour(MON, 9), hour(THU, 9), hour(THU, 16), hour(FRI, 13));
	/* whole days and hours: the rest is open time, also over the weekend */
	expect_due((struct span){.business_days = 1, .business_ms = 120 * MINUTE}, hour(THU, 9), hour(FRI, 9), hour(FRI, 12),
	           hour(NEXT_MON, 10));
	/* a week and a day on the wall */
	expect_due(span_of(D, 7), hour(MON, 12), hour(TUE, 12), hour(WED, 12), hour(NEXT_TUE, 12));
	/* it was late by then */
	expect_due(span_of(BD, 1), hour(MON, 9), hour(TUE, 9), hour(THU, 9), hour(TUE, 9));
	expect_due(span_of(D, 1), hour(MON, 9), hour(WED, 9), hour(THU, 9), hour(TUE, 9));
}

/* Four mornings of three hours, of which the first is settled. One hour of its time was used before it. */
static struct clock paused_each_morning(struct world *world)
{
	struct clock clock = started(world, hour(MON, 9));
	for (int64_t day = MON; day <= THU; day++)
		stand_still(world, &clock, hour(day, 10), hour(day, 13));
	assert_int_equal(clock.settled.until_ms, ms_of(world, hour(MON, 13)));
	return clock;
}

static void test_what_was_used_stays_used(void **state)
{
	(void)state;
	struct world *world = office(span_of(BD, 5));
	struct clock clock = paused_each_morning(world);
	assert_int_equal(minute_of(world, clock.due_ms), hour(NEXT_TUE, 13)); /* behind Monday's: 4bd 3bh, next Monday 12:00 */
	world->plan.after = span_of(BD, 6);
	assert_true(clock_plan_again(&clock, &world->plan, &world->by));
	assert_int_equal(minute_of(world, clock.due_ms), hour(NEXT_TUE, 17)); /* 5bd 3bh, next Monday 16:00 */
	end_world(world);
}

static void test_an_extension_behind_settled_pauses_counts_once(void **state)
{
	(void)state;
	struct world *world = office(span_of(BD, 5));
	world->plan.kind = CLOCK_RELEASE;
	world->plan.touch_extends = span_of(BD, 2);
	world->plan.touch_divisor = 2;
	struct clock clock = started(world, hour(MON, 9));
	stand_still(world, &clock, hour(MON, 10), hour(MON, 11));
	assert_true(clock_extend(&clock, &world->plan, &world->by, ms_of(world, hour(MON, 12))));
	for (int64_t day = TUE; day <= THU; day++)
		stand_still(world, &clock, hour(day, 10), hour(day, 11));
	int64_t due_ms = clock.due_ms;
	assert_int_equal(clock.settled.count, 1);
	assert_true(clock_extend(&clock, &world->plan, &world->by, ms_of(world, hour(FRI, 12))));
	assert_int_equal(clock.due_ms, calendar_add_days(world->calendar, due_ms, 1, CALENDAR_CLAMP));
	assert_false(clock_extend(&clock, &world->plan, &world->by, ms_of(world, hour(FRI, 12)) + 1));
	end_world(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pauses_are_those_of_the_reference),
		cmocka_unit_test(test_nothing_of_its_unit_moves_nothing),
		cmocka_unit_test(test_longer_is_never_earlier),
		cmocka_unit_test(test_many_are_as_one),
		cmocka_unit_test(test_another_plan_moves_by_the_difference),
		cmocka_unit_test(test_another_plan_is_near),
		cmocka_unit_test(test_corners),
		cmocka_unit_test(test_what_was_used_stays_used),
		cmocka_unit_test(test_an_extension_behind_settled_pauses_counts_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
