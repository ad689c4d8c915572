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

/* ---- amounts: whole days of the kind that the plan counts in, and a rest in open time or in time on the wall */

struct amount {
	int64_t days, rest_ms;
};

static int64_t add_days(const struct clock_plan *plan, const struct calendar *calendar, int64_t at_ms, int64_t days)
{
	int32_t count = (int32_t)larger(INT32_MIN + 1, smaller(days, INT32_MAX));
	if (plan->after.business_days != 0 || (count < 0 && clock_is_business(plan)))
		return calendar_add_days(calendar, at_ms, count, CALENDAR_CLAMP);
	return calendar_add_span(calendar, at_ms, &(struct span){.days = count});
}

static int64_t days_apart(const struct clock_plan *plan, const struct calendar *calendar, int64_t from_ms, int64_t to_ms)
{
	int64_t from_day = calendar_day_at(calendar, from_ms), to_day = calendar_day_at(calendar, to_ms);
	if (plan->after.business_days != 0)
		return calendar_days_between(calendar, calendar_day_at(calendar, calendar_next_open(calendar, from_ms)), to_day);
	return plan->after.days != 0 ? to_day - from_day : 0;
}

/* As many as fit. The local time may be a later one, so the last of the dates may be too far. */
static int64_t whole_days(const struct clock_plan *plan, const struct calendar *calendar, int64_t from_ms, int64_t to_ms)
{
	int64_t days = larger(0, smaller(days_apart(plan, calendar, from_ms, to_ms), INT32_MAX));
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
	if (length_ms == 0 || at_ms == CALENDAR_NEVER)
		return at_ms;
	return clock_is_business(plan) ? calendar_deadline(calendar, at_ms, length_ms) : at_ms + length_ms;
}

static struct amount amount_between(const struct clock_plan *plan, const struct calendar *calendar, int64_t from_ms, int64_t to_ms)
{
	int64_t days = whole_days(plan, calendar, from_ms, to_ms);
	return (struct amount){days, larger(0, length_of(plan, calendar, add_days(plan, calendar, from_ms, days), to_ms))};
}

static int64_t add_amount(const struct clock_plan *plan, const struct calendar *calendar, int64_t at_ms, struct amount amount)
{
	return add_length(plan, calendar, add_days(plan, calendar, at_ms, amount.days), amount.rest_ms);
}

/* Where only open time counts, an evening has no length. */
static bool has_length(const struct clock_plan *plan, const struct calendar *calendar, const struct clock_pause *pause)
{
	bool is_open_time_only = clock_is_business(plan) && plan->after.days == 0;
	return pause->to_ms > pause->from_ms &&
	       (!is_open_time_only || calendar_elapsed(calendar, pause->from_ms, pause->to_ms) > 0);
}

/* Never to an earlier time: in open time an opening and the closing before it are as far. */
static int64_t moved_by(const struct clock_plan *plan, const struct calendar *calendar, int64_t due_ms,
                        const struct clock_pause *pause)
{
	struct amount rest = amount_between(plan, calendar, pause->from_ms, due_ms);
	return larger(due_ms, add_amount(plan, calendar, pause->to_ms, rest));
}

static bool moves(const struct clock_plan *plan, const struct calendar *calendar, int64_t due_ms, const struct clock_pause *pause)
{
	return due_ms != CALENDAR_NEVER && pause->from_ms < due_ms && has_length(plan, calendar, pause);
}

/* ---- pauses that are settled */

/* What the plan allows. A closing date is a date, however long after it was named. */
static struct amount allowed(const struct clock *clock, const struct clock_plan *plan)
{
	if (plan->kind == CLOCK_OPPORTUNITY_EXPIRY && clock->wanted_ms != 0)
		return (struct amount){0, 0};
	return (struct amount){plan->after.business_days != 0 ? plan->after.business_days : plan->after.days,
	                       plan->after.business_ms + plan->after.elapsed_ms};
}

static struct amount left(const struct clock *clock, const struct clock_plan *plan)
{
	struct amount whole = allowed(clock, plan);
	return (struct amount){whole.days - clock->settled.days, whole.rest_ms - clock->settled.rest_ms};
}

static void settle(struct clock *clock, const struct clock_plan *plan, const struct calendar *calendar, int64_t due_ms,
                   const struct clock_pause *pause)
{
	struct amount whole = allowed(clock, plan), rest = amount_between(plan, calendar, pause->from_ms, due_ms);
	int64_t moved_ms = add_amount(plan, calendar, pause->to_ms, rest);
	if (moved_ms < due_ms)
		rest.rest_ms += length_of(plan, calendar, moved_ms, due_ms);
	clock->settled = (struct clock_settled){pause->to_ms, whole.days - rest.days, whole.rest_ms - rest.rest_ms, clock->count,
	                                        moved_ms < due_ms ? due_ms : 0};
}

int64_t clock_pause_settled(const struct clock *clock, const struct clock_plan *plan, const struct clock_hours *hours)
{
	const struct clock_settled *settled = &clock->settled;
	int64_t at_ms = larger(settled->until_ms, add_amount(plan, hours->clock, settled->until_ms, left(clock, plan)));
	bool is_as_far = settled->due_ms > at_ms && length_of(plan, hours->clock, at_ms, settled->due_ms) == 0;
	return is_as_far ? settled->due_ms : at_ms;
}

void clock_pause_left(const struct clock *clock, const struct clock_plan *plan, struct span *ret_left)
{
	struct amount amount = left(clock, plan);
	int32_t days = (int32_t)larger(0, smaller(amount.days, INT32_MAX));
	int64_t rest_ms = larger(0, amount.rest_ms);
	*ret_left = (struct span){.business_days = plan->after.business_days != 0 ? days : 0,
	                          .days = plan->after.business_days != 0 ? 0 : days,
	                          .business_ms = clock_is_business(plan) ? rest_ms : 0,
	                          .elapsed_ms = clock_is_business(plan) ? 0 : rest_ms};
}

void clock_pause_began(struct clock *clock, const struct clock_plan *plan, const struct clock_hours *hours, int64_t start_ms)
{
	if (clock->settled.until_ms == 0)
		return;
	struct amount more = amount_between(plan, hours->clock, start_ms, clock->start_ms);
	clock->settled.days += more.days;
	clock->settled.rest_ms += more.rest_ms;
}

/* ---- pauses that are kept */

static size_t count_of(const struct clock *clock)
{
	size_t count = 0;
	while (count < CLOCK_PAUSES_MAX && clock->pauses[count].to_ms != 0)
		count++;
	return count;
}

void clock_pause_note(struct clock *clock, const struct clock_plan *plan, const struct clock_hours *hours, int64_t due_ms,
                      struct clock_pause pause)
{
	size_t count = count_of(clock);
	if (pause.to_ms <= pause.from_ms)
		return;
	if (count > 0 && pause.from_ms <= clock->pauses[count - 1].to_ms) {
		clock->pauses[count - 1].to_ms = larger(pause.to_ms, clock->pauses[count - 1].to_ms);
		return;
	}
	if (count == CLOCK_PAUSES_MAX) {
		if (moves(plan, hours->clock, due_ms, &clock->pauses[0]))
			settle(clock, plan, hours->clock, due_ms, &clock->pauses[0]);
		memmove(clock->pauses, clock->pauses + 1, --count * sizeof *clock->pauses);
	}
	clock->pauses[count] = pause;
}

int64_t clock_pause_moved(const struct clock *clock, const struct clock_plan *plan, const struct clock_hours *hours,
                          int64_t due_ms)
{
	for (size_t i = 0; i < count_of(clock); i++) {
		const struct clock_pause *pause = &clock->pauses[i];
		if (moves(plan, hours->clock, due_ms, pause))
			due_ms = moved_by(plan, hours->clock, due_ms, pause);
	}
	return due_ms;
}
