/* SPDX-License-Identifier: Apache-2.0
 *
 * One clock against a reference that counts minutes: random plans, calendars and events. Then the corners by name.
 * CASES=100000 for a longer run.
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
#include "rules/text/zone.h"

enum { MINUTE = 60000, HORIZON = 2000, CASES = 2000, LEVELS = 4 };

static const int64_t MONDAY = 1795392000000; /* 2026-11-23T00:00Z */

static uint64_t random_state;

static uint64_t random_below(uint64_t end)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state % end;
}

/* ---- the world of one case */

struct told_at {
	int64_t minute, cycle;
	int rank;
};

struct story {
	struct told_at items[400];
	size_t count;
};

struct scene {
	struct arena arena;
	struct hours hours[3];
	const struct calendar *calendar;
	bool is_open[HORIZON * 16];
	struct clock_level levels[LEVELS];
	struct clock_plan plan;
	int64_t after, reminder, manager;           /* minutes */
	bool stops[HORIZON], pauses[HORIZON], resumes[HORIZON];
};

static void note(struct story *story, int64_t minute, int64_t cycle, int rank)
{
	if (story->count < sizeof story->items / sizeof *story->items)
		story->items[story->count++] = (struct told_at){minute, cycle, rank};
}

static void make_calendar(struct scene *scene)
{
	struct calendar_spec spec = {.name = "test", .zone = zone_load("UTC")};
	int32_t at = (int32_t)random_below(120);
	size_t count = 1 + random_below(3);
	for (size_t i = 0; i < count; i++) {
		int32_t open = at + 1 + (int32_t)random_below(200), close = open + 30 + (int32_t)random_below(250);
		scene->hours[i] = (struct hours){open * 60, close * 60};
		at = close;
	}
	for (size_t day = 0; day < 7; day++)
		spec.week[day] = (struct hours_list){scene->hours, count};
	struct err err = ERR_INIT;
	scene->calendar = calendar_compile(&spec, &scene->arena, &err);
	assert_non_null(scene->calendar);
	for (int64_t minute = 0; minute < HORIZON * 16; minute++)
		scene->is_open[minute] = calendar_is_open(scene->calendar, MONDAY + minute * MINUTE);
}

static struct span span_of(bool is_business, int64_t minutes)
{
	return is_business ? (struct span){.business_ms = minutes * MINUTE} : (struct span){.elapsed_ms = minutes * MINUTE};
}

static void make_plan(struct scene *scene, bool is_business)
{
	static const enum clock_repeat repeats[] = {CLOCK_NEVER, CLOCK_RESTART, CLOCK_RESET, CLOCK_RESUME};
	struct clock_plan *plan = &scene->plan;
	*plan = (struct clock_plan){.name = SLICE("test"), .kind = CLOCK_STALE, .levels = scene->levels};
	scene->after = 20 + (int64_t)random_below(300);
	scene->reminder = random_below(2) ? 1 + (int64_t)random_below((uint64_t)scene->after + 10) : 0;
	scene->manager = random_below(2) ? 1 + (int64_t)random_below(60) : 0;
	plan->after = span_of(is_business, scene->after);
	plan->repeat = repeats[random_below(4)];
	if (scene->reminder != 0)
		scene->levels[plan->level_count++] = (struct clock_level){
			SLICE("pre_breach"), CLOCK_RANK_REMINDER, span_of(is_business, scene->reminder), CLOCK_NOTIFY};
	scene->levels[plan->level_count++] = (struct clock_level){.name = SLICE("breach"), .rank = CLOCK_RANK_BREACH};
	if (scene->manager != 0)
		scene->levels[plan->level_count++] = (struct clock_level){
			SLICE("manager"), CLOCK_RANK_BREACH + 1, span_of(is_business, scene->manager), CLOCK_NOTIFY};
}

static void make_scene(struct scene *scene, uint64_t seed)
{
	random_state = seed * 0x9E3779B97F4A7C15u + 1;
	memset(scene, 0, sizeof *scene);
	make_calendar(scene);
	make_plan(scene, random_below(2) != 0);
	uint64_t events = random_below(12);
	for (uint64_t i = 0; i < events; i++) {
		int64_t at = 1 + (int64_t)random_below(HORIZON - 1);
		bool *which = random_below(3) == 0 ? scene->stops : random_below(2) ? scene->pauses : scene->resumes;
		which[at] = true;
		if (random_below(3) == 0)
			scene->stops[at] = true; /* at the same instant */
	}
}

/* ---- the reference: counts down minute by minute */

struct counter {
	int64_t cycle, start, left, due; /* due: minute of the breach, -1 before */
	bool is_stopped, is_paused, has_reminded, has_breached, has_escalated;
};

static bool counts_at(const struct scene *scene, int64_t minute)
{
	return scene->plan.after.business_ms == 0 || scene->is_open[minute];
}

static void count_from(const struct scene *scene, struct counter *counter, int64_t minute, int64_t cycle)
{
	*counter = (struct counter){.cycle = cycle, .start = minute, .left = scene->after, .due = -1};
}

/* The minute at which so many countable minutes have passed since `from`. */
static int64_t passed(const struct scene *scene, int64_t from, int64_t minutes)
{
	while (minutes > 0 && from < HORIZON * 16) /* beyond, nobody looks */
		minutes -= counts_at(scene, from++);
	return from;
}

/* How many minutes before `due` the reminder is: the latest minute from which `reminder` countable minutes are left. */
static int64_t before(const struct scene *scene, int64_t due, int64_t minutes)
{
	while (minutes > 0 && due > 0)
		minutes -= counts_at(scene, --due);
	return due;
}

static void reference_events(const struct scene *scene, struct counter *counter, int64_t minute)
{
	enum clock_repeat repeat = scene->plan.repeat;
	bool is_late = counter->due >= 0 ? minute >= counter->due : counter->left == 0;
	if (scene->stops[minute] && !counter->is_stopped) {
		if (repeat == CLOCK_RESTART)
			count_from(scene, counter, minute, counter->cycle + 1);
		else
			counter->is_stopped = true;
	}
	bool may_pause = !counter->is_stopped && (!is_late || (repeat == CLOCK_RESTART && scene->stops[minute]));
	if (scene->pauses[minute])
		counter->is_paused |= may_pause; /* and beats a resume of the same minute */
	else if (scene->resumes[minute] && !counter->is_stopped)
		counter->is_paused = false;
}

static void reference_tell(const struct scene *scene, struct counter *counter, int64_t minute, struct story *story)
{
	if (counter->is_stopped || counter->is_paused)
		return;
	for (;;) {
		int64_t due = counter->due >= 0 ? counter->due : passed(scene, minute, counter->left);
		int64_t remind = scene->reminder != 0 ? before(scene, due, scene->reminder) : -1;
		if (scene->reminder != 0 && !counter->has_reminded && !counter->has_breached && remind > counter->start &&
		    remind < due && minute >= remind) {
			counter->has_reminded = true;
			note(story, minute, counter->cycle, CLOCK_RANK_REMINDER);
			continue;
		}
		if (!counter->has_breached && minute >= due) {
			counter->has_breached = true;
			counter->due = due;
			note(story, minute, counter->cycle, CLOCK_RANK_BREACH);
			continue;
		}
		if (counter->has_breached && scene->manager != 0 && !counter->has_escalated &&
		    minute >= passed(scene, counter->due, scene->manager)) {
			counter->has_escalated = true;
			note(story, minute, counter->cycle, CLOCK_RANK_BREACH + 1);
			continue;
		}
		bool is_over = counter->has_breached && (scene->manager == 0 || counter->has_escalated);
		if (!is_over || scene->plan.repeat != CLOCK_RESTART)
			return;
		int64_t from = counter->due;
		count_from(scene, counter, from, counter->cycle + 1);
		for (int64_t m = from; m < minute && counter->left > 0; m++)
			counter->left -= counts_at(scene, m);
		if (counter->left == 0)
			counter->due = passed(scene, from, scene->after);
	}
}

static void run_reference(const struct scene *scene, struct story *story)
{
	struct counter counter;
	count_from(scene, &counter, 0, 1);
	for (int64_t minute = 0; minute < HORIZON; minute++) {
		reference_events(scene, &counter, minute);
		reference_tell(scene, &counter, minute, story);
		if (!counter.is_stopped && !counter.is_paused && counter.left > 0 && counter.due < 0)
			counter.left -= counts_at(scene, minute);
	}
}

/* ---- the clock */

static void fire_all(const struct scene *scene, struct clock *clock, const struct clock_hours *hours, int64_t minute,
                     struct story *story)
{
	struct clock_told told;
	while (clock_fire(clock, &scene->plan, hours, MONDAY + minute * MINUTE, &told))
		note(story, minute, told.cycle, told.level->rank);
}

static void apply_events(const struct scene *scene, struct clock *clock, const struct clock_hours *hours, int64_t minute)
{
	int64_t at_ms = MONDAY + minute * MINUTE;
	if (scene->stops[minute])
		clock_stop(clock, &scene->plan, hours, at_ms);
	if (scene->pauses[minute])
		clock_pause(clock, &scene->plan, hours, at_ms);
	else if (scene->resumes[minute] && clock->stop_ms == 0)
		clock_resume(clock, &scene->plan, hours, at_ms);
}

static void run_clock(const struct scene *scene, struct story *story, struct clock *ret_clock)
{
	struct clock_hours hours = {scene->calendar, scene->calendar, scene->calendar, NULL};
	struct clock clock = {.cycle = 1};
	clock_start(&clock, &scene->plan, &hours, MONDAY, 0);
	for (int64_t minute = 0; minute < HORIZON; minute++) {
		apply_events(scene, &clock, &hours, minute);
		fire_all(scene, &clock, &hours, minute, story);
	}
	*ret_clock = clock;
}

static int cases(void)
{
	const char *wanted = getenv("CASES");
	return wanted != NULL ? atoi(wanted) : CASES;
}

static void the_clock_is_what_counting_minutes_says(void **state)
{
	(void)state;
	static struct scene scene;
	for (int seed = 1; seed <= cases(); seed++) {
		static struct story is, wanted;
		struct clock clock;
		is.count = wanted.count = 0;
		make_scene(&scene, (uint64_t)seed);
		run_clock(&scene, &is, &clock);
		run_reference(&scene, &wanted);
		for (size_t i = 0; i < is.count || i < wanted.count; i++) {
			bool is_same = i < is.count && i < wanted.count && is.items[i].minute == wanted.items[i].minute &&
			               is.items[i].cycle == wanted.items[i].cycle && is.items[i].rank == wanted.items[i].rank;
			if (!is_same)
				fail_msg("seed %d, %s, item %zu: the clock tells level %d of cycle %d at minute %d, counting %d of %d at %d",
				         seed, clock_repeat_name(scene.plan.repeat), i, i < is.count ? is.items[i].rank : 0,
				         i < is.count ? (int)is.items[i].cycle : 0, i < is.count ? (int)is.items[i].minute : 0,
				         i < wanted.count ? wanted.items[i].rank : 0, i < wanted.count ? (int)wanted.items[i].cycle : 0,
				         i < wanted.count ? (int)wanted.items[i].minute : 0);
		}
		arena_done(&scene.arena);
	}
}

/* Nobody is there from one event to the next: the same levels are told, none twice, none early. */
static void a_downtime_loses_and_repeats_nothing(void **state)
{
	(void)state;
	static struct scene scene;
	for (int seed = 1; seed <= cases() / 4; seed++) {
		static struct story often, seldom;
		struct clock clock;
		often.count = seldom.count = 0;
		make_scene(&scene, (uint64_t)seed);
		memset(scene.stops, 0, sizeof scene.stops);
		run_clock(&scene, &often, &clock);
		struct clock_hours hours = {scene.calendar, scene.calendar, scene.calendar, NULL};
		clock = (struct clock){.cycle = 1};
		clock_start(&clock, &scene.plan, &hours, MONDAY, 0);
		for (int64_t minute = 0; minute < HORIZON; minute++) {
			bool is_event = scene.pauses[minute] || scene.resumes[minute];
			if (is_event && minute > 0)
				fire_all(&scene, &clock, &hours, minute - 1, &seldom);
			apply_events(&scene, &clock, &hours, minute);
		}
		fire_all(&scene, &clock, &hours, HORIZON - 1, &seldom);
		assert_int_equal(often.count, seldom.count);
		for (size_t i = 0; i < often.count; i++) {
			assert_int_equal(often.items[i].rank, seldom.items[i].rank);
			assert_int_equal(often.items[i].cycle, seldom.items[i].cycle);
			assert_true(seldom.items[i].minute >= often.items[i].minute);
		}
		arena_done(&scene.arena);
	}
}

/* ---- corners */

static struct clock_plan plain(struct clock_level levels[2], enum clock_repeat repeat)
{
	levels[0] = (struct clock_level){.name = SLICE("breach"), .rank = CLOCK_RANK_BREACH};
	return (struct clock_plan){.name = SLICE("x"), .kind = CLOCK_CADENCE, .after = {.elapsed_ms = 60 * MINUTE},
	                           .levels = levels, .level_count = 1, .repeat = repeat};
}

struct corner {
	struct arena arena;
	struct clock_level levels[2];
	struct clock_plan plan;
	struct clock_hours hours;
	struct clock clock;
};

static int64_t at(int64_t minute)
{
	return MONDAY + minute * MINUTE;
}

static void corner_open(struct corner *corner, enum clock_repeat repeat)
{
	static const struct hours all_day = {0, 24 * 3600};
	struct calendar_spec spec = {.name = "always", .zone = zone_load("UTC")};
	struct err err = ERR_INIT;
	*corner = (struct corner){.clock = {.cycle = 1}};
	for (size_t day = 0; day < 7; day++)
		spec.week[day] = (struct hours_list){&all_day, 1};
	const struct calendar *calendar = calendar_compile(&spec, &corner->arena, &err);
	corner->plan = plain(corner->levels, repeat);
	corner->hours = (struct clock_hours){calendar, calendar, calendar, NULL};
	clock_start(&corner->clock, &corner->plan, &corner->hours, at(0), 0);
}

static void a_stop_that_is_heard_of_late_counts_when_it_happened(void **state)
{
	(void)state;
	struct corner c;
	struct clock_told told;
	corner_open(&c, CLOCK_NEVER);
	assert_true(clock_fire(&c.clock, &c.plan, &c.hours, at(61), &told));
	assert_true(clock_stop(&c.clock, &c.plan, &c.hours, at(59)));
	assert_int_equal(c.clock.stop_ms, at(59));
	assert_true(clock_stop(&c.clock, &c.plan, &c.hours, at(30))); /* an even earlier one */
	assert_int_equal(c.clock.stop_ms, at(30));
	assert_false(clock_stop(&c.clock, &c.plan, &c.hours, at(45)));
	assert_false(clock_stop(&c.clock, &c.plan, &c.hours, at(-1))); /* before the cycle: not its business */
	arena_done(&c.arena);
}

static void cycles_rise_and_levels_are_told_once_each(void **state)
{
	(void)state;
	struct corner c;
	struct clock_told told;
	corner_open(&c, CLOCK_NEVER);
	assert_true(clock_fire(&c.clock, &c.plan, &c.hours, at(60), &told));
	assert_false(clock_fire(&c.clock, &c.plan, &c.hours, at(6000), &told));
	clock_start(&c.clock, &c.plan, &c.hours, at(70), 0); /* a new owner */
	assert_int_equal(c.clock.cycle, 2);
	clock_end(&c.clock);
	assert_false(clock_is_running(&c.clock));
	clock_end(&c.clock);
	clock_start(&c.clock, &c.plan, &c.hours, at(80), 0);
	assert_int_equal(c.clock.cycle, 3);
	assert_int_equal(c.clock.due_ms, at(140));
	arena_done(&c.arena);
}

static void windows_that_are_met_pass_silently(void **state)
{
	(void)state;
	struct corner c;
	struct clock_told told;
	corner_open(&c, CLOCK_RESTART);
	c.plan.times = 2;
	assert_true(clock_count(&c.clock, at(1)));
	assert_false(clock_count(&c.clock, at(-1)));
	assert_true(clock_count(&c.clock, at(2)));
	assert_false(clock_fire(&c.clock, &c.plan, &c.hours, at(119), &told));
	assert_int_equal(c.clock.cycle, 2);
	assert_true(clock_count(&c.clock, at(70)));
	assert_int_equal(clock_roll(&c.clock, &c.plan, &c.hours, at(119), &told), 0);
	assert_int_equal(clock_roll(&c.clock, &c.plan, &c.hours, at(125), &told), 2); /* one act is not two */
	assert_int_equal(told.count, 1);
	assert_int_equal(told.cycle, 2);
	assert_int_equal(clock_roll(&c.clock, &c.plan, &c.hours, at(125), &told), 0);
	assert_int_equal(c.clock.start_ms, at(120));
	arena_done(&c.arena);
}

static void what_was_told_is_not_told_again_by_a_new_plan(void **state)
{
	(void)state;
	struct corner c;
	struct clock_told told;
	corner_open(&c, CLOCK_NEVER);
	assert_true(clock_fire(&c.clock, &c.plan, &c.hours, at(60), &told));
	c.plan.after.elapsed_ms = 90 * MINUTE;
	assert_true(clock_plan_again(&c.clock, &c.plan, &c.hours));
	assert_int_equal(c.clock.due_ms, at(90));
	assert_false(clock_fire(&c.clock, &c.plan, &c.hours, at(900), &told));
	c.levels[1] = (struct clock_level){SLICE("manager"), CLOCK_RANK_BREACH + 1, {.elapsed_ms = 30 * MINUTE}, CLOCK_TELL_MANAGER};
	c.plan.level_count = 2; /* a level that is new is told */
	assert_false(clock_plan_again(&c.clock, &c.plan, &c.hours));
	assert_int_equal(c.clock.next_ms, at(120));
	arena_done(&c.arena);
}

static void a_date_is_kept_within_what_the_plan_allows(void **state)
{
	(void)state;
	struct corner c;
	corner_open(&c, CLOCK_RESTART);
	clock_want(&c.clock, &c.plan, &c.hours, at(20));
	assert_int_equal(c.clock.due_ms, at(20));
	clock_want(&c.clock, &c.plan, &c.hours, at(2000));
	assert_int_equal(c.clock.due_ms, at(60));
	c.plan.lengthen_up_to.elapsed_ms = 30 * MINUTE;
	clock_want(&c.clock, &c.plan, &c.hours, at(70));
	assert_int_equal(c.clock.due_ms, at(70));
	clock_want(&c.clock, &c.plan, &c.hours, at(2000));
	assert_int_equal(c.clock.due_ms, at(90));
	c.plan = (struct clock_plan){.kind = CLOCK_NEXT_FOLLOW_UP, .levels = c.levels, .level_count = 1,
	                             .at_most = {.elapsed_ms = 100 * MINUTE}};
	clock_start(&c.clock, &c.plan, &c.hours, at(5), at(1000));
	assert_int_equal(c.clock.due_ms, at(105));
	clock_start(&c.clock, &c.plan, &c.hours, at(5), at(1)); /* never before it was set */
	assert_int_equal(c.clock.due_ms, at(5));
	arena_done(&c.arena);
}

static void release_open(struct corner *c)
{
	corner_open(c, CLOCK_RESET);
	c->plan.kind = CLOCK_RELEASE;
	c->plan.touch_extends.elapsed_ms = 11 * MINUTE;
	c->plan.touch_divisor = CLOCK_EXTENSION_DIVISOR;
	c->levels[1] = c->levels[0];
	c->levels[0] = (struct clock_level){SLICE("pre_breach"), CLOCK_RANK_REMINDER, {.elapsed_ms = 10 * MINUTE}, CLOCK_NOTIFY};
	c->plan.level_count = 2;
	assert_false(clock_plan_again(&c->clock, &c->plan, &c->hours));
}

static void each_touch_extends_by_less_and_all_of_them_are_bounded(void **state)
{
	(void)state;
	struct corner c;
	release_open(&c);
	int64_t before_ms = c.clock.due_ms, gained_ms = INT64_MAX;
	for (int64_t minute = 1; minute < 59; minute++) {
		bool has_moved = clock_extend(&c.clock, &c.plan, &c.hours, at(minute));
		assert_int_equal(has_moved, c.clock.due_ms > before_ms);
		assert_true(!has_moved || c.clock.due_ms - before_ms <= gained_ms / 2);
		gained_ms = has_moved ? c.clock.due_ms - before_ms : gained_ms;
		before_ms = c.clock.due_ms;
	}
	assert_true(c.clock.due_ms > at(60 + 20) && c.clock.due_ms < at(60 + 22));
	clock_plan_again(&c.clock, &c.plan, &c.hours); /* and computed anew it is the same */
	assert_int_equal(c.clock.due_ms, before_ms);
	arena_done(&c.arena);
}

static void days_are_halved_as_days(void **state)
{
	(void)state;
	struct corner c;
	release_open(&c);
	c.plan.after = (struct span){.days = 100};
	c.plan.touch_extends = (struct span){.days = 10, .business_ms = 3 * MINUTE};
	clock_plan_again(&c.clock, &c.plan, &c.hours);
	static const int64_t days[] = {110, 115, 117, 118, 118}, minutes[] = {3, 4, 4, 4, 4};
	for (size_t i = 0; i < 4; i++) {
		assert_true(clock_extend(&c.clock, &c.plan, &c.hours, at(1)));
		assert_in_range(c.clock.due_ms, at(days[i] * 1440 + minutes[i]), at(days[i] * 1440 + minutes[i] + 2));
	}
	arena_done(&c.arena);
}

static void a_touch_counts_only_within_the_cycle_and_before_it_is_due(void **state)
{
	(void)state;
	struct corner c;
	struct clock_told told;
	release_open(&c);
	assert_false(clock_extend(&c.clock, &c.plan, &c.hours, at(0)));  /* with the progress that began it */
	assert_false(clock_extend(&c.clock, &c.plan, &c.hours, at(60))); /* at the due time it is too late */
	assert_true(clock_fire(&c.clock, &c.plan, &c.hours, at(50), &told));
	assert_true(clock_extend(&c.clock, &c.plan, &c.hours, at(55)));
	assert_int_equal(c.clock.due_ms, at(71));
	assert_int_equal(c.clock.next_ms, at(71)); /* it was warned of */
	assert_true(clock_fire(&c.clock, &c.plan, &c.hours, at(71), &told));
	assert_false(clock_extend(&c.clock, &c.plan, &c.hours, at(65))); /* told is told */
	c.plan.touch_extends.elapsed_ms = 0;
	assert_false(clock_extend(&c.clock, &c.plan, &c.hours, at(5)));
	arena_done(&c.arena);
}

/* A lead that was rescued after the warning is warned of once more before it is taken, under another id. */
static void a_reset_behind_a_warning_is_the_next_cycle(void **state)
{
	(void)state;
	struct corner c;
	struct clock_told told;
	release_open(&c);
	clock_reset(&c.clock, &c.plan, &c.hours, at(10));
	assert_int_equal(c.clock.cycle, 1); /* nothing was told of it */
	assert_true(clock_fire(&c.clock, &c.plan, &c.hours, at(60), &told));
	assert_true(clock_extend(&c.clock, &c.plan, &c.hours, at(61)));
	clock_reset(&c.clock, &c.plan, &c.hours, at(62));
	assert_int_equal(c.clock.cycle, 2);
	assert_int_equal(c.clock.due_ms, at(122)); /* what touches had added is gone */
	assert_true(clock_fire(&c.clock, &c.plan, &c.hours, at(112), &told));
	assert_int_equal(told.level->rank, CLOCK_RANK_REMINDER);
	assert_int_equal(told.cycle, 2);
	arena_done(&c.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_clock_is_what_counting_minutes_says),
		cmocka_unit_test(a_downtime_loses_and_repeats_nothing),
		cmocka_unit_test(a_stop_that_is_heard_of_late_counts_when_it_happened),
		cmocka_unit_test(cycles_rise_and_levels_are_told_once_each),
		cmocka_unit_test(windows_that_are_met_pass_silently),
		cmocka_unit_test(what_was_told_is_not_told_again_by_a_new_plan),
		cmocka_unit_test(a_date_is_kept_within_what_the_plan_allows),
		cmocka_unit_test(each_touch_extends_by_less_and_all_of_them_are_bounded),
		cmocka_unit_test(days_are_halved_as_days),
		cmocka_unit_test(a_touch_counts_only_within_the_cycle_and_before_it_is_due),
		cmocka_unit_test(a_reset_behind_a_warning_is_the_next_cycle),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
