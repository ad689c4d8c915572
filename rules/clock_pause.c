/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/clock_pause.h"

#include <string.h>

#include "rules/calendar/calendar.h"
#include "rules/clocks.h"

static int64_t smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

bool clock_is_business(const struct clock_plan *plan)
{
	return plan->after.business_days != 0 || plan->after.business_ms != 0;
}

/* ---- what is left */

/* Whole days on, of the kind that the plan counts in. */
static int64_t add_days(const struct clock_plan *plan, const struct calendar *calendar, int64_t at_ms, int32_t days)
{
	if (plan->after.business_days != 0)
		return calendar_add_days(calendar, at_ms, days, CALENDAR_CLAMP);
	return calendar_add_span(calendar, at_ms, &(struct span){.days = days});
}

static int64_t days_apart(const struct clock_plan *plan, const struct calendar *calendar, int64_t from_ms, int64_t to_ms)
{
	int64_t from_day = calendar_day_at(calendar, from_ms), to_day = calendar_day_at(calendar, to_ms);
	if (plan->after.business_days != 0)
		return calendar_days_between(calendar, calendar_day_at(calendar, calendar_next_open(calendar, from_ms)), to_day);
	return plan->after.days != 0 ? to_day - from_day : 0;
}

/* As many as fit. The local time may be a later one, so the last of the dates may be too far. */
static int32_t whole_days(const struct clock_plan *plan, const struct calendar *calendar, int64_t from_ms, int64_t to_ms)
{
	int32_t days = (int32_t)larger(0, smaller(days_apart(plan, calendar, from_ms, to_ms), INT32_MAX));
	while (days > 0 && add_days(plan, calendar, from_ms, days) > to_ms)
		days--;
	return days;
}

/* Open time, or time on the wall. */
static int64_t length_of(const struct clock_plan *plan, const struct calendar *calendar, int64_t from_ms, int64_t to_ms)
{
	return clock_is_business(plan) ? calendar_elapsed(calendar, from_ms, to_ms) : to_ms - from_ms;
}

static int64_t add_length(const struct clock_plan *plan, const struct calendar *calendar, int64_t at_ms, int64_t length_ms)
{
	if (length_ms <= 0 || at_ms == CALENDAR_NEVER)
		return at_ms;
	return clock_is_business(plan) ? calendar_deadline(calendar, at_ms, length_ms) : at_ms + length_ms;
}

/* What was left at `from_ms` of the time until `due_ms`, from `to_ms` on. */
static int64_t left_from(const struct clock_plan *plan, const struct calendar *calendar, int64_t from_ms, int64_t due_ms,
                         int64_t to_ms)
{
	int32_t days = whole_days(plan, calendar, from_ms, due_ms);
	int64_t rest_ms = length_of(plan, calendar, add_days(plan, calendar, from_ms, days), due_ms);
	return add_length(plan, calendar, add_days(plan, calendar, to_ms, days), rest_ms);
}

/* Where only open time counts, an evening has no length. */
static bool has_length(const struct clock_plan *plan, const struct calendar *calendar, int64_t from_ms, int64_t to_ms)
{
	bool is_open_time_only = clock_is_business(plan) && plan->after.days == 0;
	return to_ms > from_ms && (!is_open_time_only || calendar_elapsed(calendar, from_ms, to_ms) > 0);
}

/* ---- the pauses of a clock */

static size_t count_of(const struct clock *clock)
{
	size_t count = 0;
	while (count < CLOCK_PAUSES_MAX && clock->pauses[count].to_ms != 0)
		count++;
	return count;
}

void clock_pause_note(struct clock *clock, const struct clock_plan *plan, const struct clock_hours *hours, int64_t from_ms,
                      int64_t to_ms)
{
	size_t count = count_of(clock);
	if (to_ms <= from_ms)
		return;
	if (count > 0 && from_ms <= clock->pauses[count - 1].to_ms) {
		clock->pauses[count - 1].to_ms = larger(to_ms, clock->pauses[count - 1].to_ms);
		return;
	}
	if (count == CLOCK_PAUSES_MAX) {
		clock->shift_ms += length_of(plan, hours->clock, clock->pauses[0].from_ms, clock->pauses[0].to_ms);
		memmove(clock->pauses, clock->pauses + 1, --count * sizeof *clock->pauses);
	}
	clock->pauses[count] = (struct clock_pause){from_ms, to_ms};
}

int64_t clock_pause_moved(const struct clock *clock, const struct clock_plan *plan, const struct clock_hours *hours,
                          int64_t due_ms)
{
	const struct calendar *calendar = hours->clock;
	due_ms = add_length(plan, calendar, due_ms, clock->shift_ms);
	for (size_t i = 0; i < count_of(clock) && due_ms != CALENDAR_NEVER; i++) {
		const struct clock_pause *pause = &clock->pauses[i];
		if (pause->from_ms < due_ms && has_length(plan, calendar, pause->from_ms, pause->to_ms))
			due_ms = left_from(plan, calendar, pause->from_ms, due_ms, pause->to_ms);
	}
	return due_ms;
}
