/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/clocks.h"

#include <string.h>

#include "rules/calendar/calendar.h"
#include "rules/calendar/calendar_memo.h"
#include "rules/clock_pause.h"
#include "rules/model.h"

const char *clock_kind_name(enum clock_kind kind)
{
	switch (kind) {
	case CLOCK_FIRST_RESPONSE:
		return "first_response";
	case CLOCK_CADENCE:
		return "cadence";
	case CLOCK_NEXT_FOLLOW_UP:
		return "next_follow_up";
	case CLOCK_RELEASE:
		return "release";
	case CLOCK_NURTURE:
		return "nurture";
	case CLOCK_OPPORTUNITY_EXPIRY:
		return "opportunity_expiry";
	case CLOCK_STALE:
		return "stale";
	case CLOCK_TOTAL_AGE:
		return "total_age";
	case CLOCK_REPORT_DUE:
		return "report_due";
	case CLOCK_KINDS:
		break;
	}
	return "?";
}

const char *clock_repeat_name(enum clock_repeat repeat)
{
	static const char *const names[] = {"never", "restart", "reset", "resume"};
	return names[repeat];
}

const char *clock_action_name(enum clock_action action)
{
	static const char *const names[] = {"notify", "manager", "reassign", "pool"};
	return names[action];
}

/* ---- when */

static int64_t smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* The date that was named, kept within what the plan allows; then the time that it may be late. */
static int64_t due_of_date(const struct clock *clock, const struct clock_plan *plan, const struct clock_hours *hours)
{
	int64_t date_ms = larger(clock->wanted_ms, clock->start_ms);
	if (!span_is_zero(&plan->at_most))
		date_ms = smaller(date_ms, calendar_memo_add(hours->memo, hours->clock, clock->start_ms, &plan->at_most));
	return plan->kind == CLOCK_NEXT_FOLLOW_UP ? calendar_memo_add(hours->memo, hours->clock, date_ms, &plan->after) : date_ms;
}

/* Each unit for itself: 10d, 5d, 2d, 1d, and then nothing. */
static struct span part_of(const struct span *span, int64_t divisor)
{
	return (struct span){.business_days = (int32_t)(span->business_days / divisor), .days = (int32_t)(span->days / divisor),
	                     .business_ms = span->business_ms / divisor, .elapsed_ms = span->elapsed_ms / divisor};
}

static int64_t extended(const struct clock *clock, const struct clock_plan *plan, const struct clock_hours *hours,
                        int64_t due_ms)
{
	struct span step = plan->touch_extends;
	for (int64_t n = 0; n < clock->count && !span_is_zero(&step) && due_ms != CALENDAR_NEVER; n++) {
		if (n >= clock->settled.count)
			due_ms = calendar_memo_add(hours->memo, hours->clock, due_ms, &step);
		step = part_of(&step, plan->touch_divisor);
	}
	return due_ms;
}

static bool is_for_date(const struct clock *clock, const struct clock_plan *plan)
{
	bool is_date = plan->kind == CLOCK_NEXT_FOLLOW_UP || plan->kind == CLOCK_OPPORTUNITY_EXPIRY;
	return is_date && clock->wanted_ms != 0;
}

/* Without the pauses that are kept. */
static int64_t due_unpaused(const struct clock *clock, const struct clock_plan *plan, const struct clock_hours *hours)
{
	int64_t due_ms;
	if (clock->settled.until_ms != 0)
		due_ms = clock_pause_settled(clock, plan, hours);
	else if (is_for_date(clock, plan))
		due_ms = due_of_date(clock, plan, hours);
	else
		due_ms = calendar_memo_add(hours->memo, hours->clock, clock->start_ms, &plan->after);
	return is_for_date(clock, plan) ? due_ms : extended(clock, plan, hours, due_ms);
}

static int64_t due_of(const struct clock *clock, const struct clock_plan *plan, const struct clock_hours *hours)
{
	int64_t due_ms = clock_pause_moved(clock, plan, hours, due_unpaused(clock, plan, hours));
	if (plan->kind != CLOCK_CADENCE || plan->times != 0 || clock->wanted_ms == 0 || due_ms == CALENDAR_NEVER)
		return due_ms;
	if (clock->wanted_ms < due_ms)
		return larger(clock->wanted_ms, clock->start_ms);
	if (span_is_zero(&plan->lengthen_up_to))
		return due_ms;
	return smaller(clock->wanted_ms, calendar_memo_add(hours->memo, hours->clock, due_ms, &plan->lengthen_up_to));
}

static int64_t level_at(const struct clock *clock, const struct clock_level *level, const struct clock_hours *hours)
{
	if (level->rank < CLOCK_RANK_BREACH)
		return calendar_memo_subtract(hours->memo, hours->clock, clock->due_ms, &level->offset);
	return calendar_memo_add(hours->memo, hours->clock, clock->due_ms, &level->offset);
}

static bool moves_lead(const struct clock_level *level)
{
	return level->action == CLOCK_REASSIGN || level->action == CLOCK_TO_POOL;
}

/* A message waits until its recipient is at work. The very end of working time still is: a deadline often falls there. */
static int64_t heard_at(const struct clock_level *level, const struct clock_plan *plan, const struct clock_hours *hours,
                        int64_t at_ms)
{
	if (!plan->is_heard_when_open || moves_lead(level))
		return at_ms;
	const struct calendar *calendar = level->action == CLOCK_TELL_MANAGER ? hours->manager : hours->owner;
	if (calendar_memo_last_open(hours->memo, calendar, at_ms) == at_ms)
		return at_ms;
	int64_t open_ms = calendar_memo_next_open(hours->memo, calendar, at_ms);
	return open_ms != CALENDAR_NEVER ? open_ms : at_ms;
}

static bool is_told(const struct clock *clock, int rank)
{
	return clock->level != CLOCK_RANK_NONE && rank <= clock->level;
}

/* Levels are told in their order, and a message that waits for the morning must not hold up what is done at night. */
static int64_t before_moves(const struct clock *clock, const struct clock_plan *plan, const struct clock_hours *hours,
                            size_t behind, int64_t heard_ms)
{
	for (size_t i = behind; i < plan->level_count; i++)
		if (moves_lead(&plan->levels[i])) {
			int64_t at_ms = level_at(clock, &plan->levels[i], hours);
			heard_ms = at_ms != CALENDAR_NEVER ? smaller(heard_ms, at_ms) : heard_ms;
		}
	return heard_ms;
}

/* The next level to tell, or NULL. A reminder that would not lie between start and due time is left out, and one from
 * before `from_ms`. */
static const struct clock_level *next_level(const struct clock *clock, const struct clock_plan *plan,
                                            const struct clock_hours *hours, int64_t from_ms, int64_t *ret_at,
                                            int64_t *ret_heard)
{
	for (size_t i = 0; i < plan->level_count; i++) {
		const struct clock_level *level = &plan->levels[i];
		if (is_told(clock, level->rank))
			continue;
		*ret_at = level_at(clock, level, hours);
		if (*ret_at == CALENDAR_NEVER)
			continue;
		*ret_heard = heard_at(level, plan, hours, *ret_at);
		bool is_useful = *ret_at > clock->start_ms && *ret_heard < clock->due_ms && *ret_heard >= from_ms;
		if (level->rank >= CLOCK_RANK_BREACH && *ret_heard > *ret_at)
			*ret_heard = before_moves(clock, plan, hours, i + 1, *ret_heard);
		if (level->rank >= CLOCK_RANK_BREACH || is_useful)
			return level;
	}
	return NULL;
}

bool clock_has_cycle(const struct clock *clock)
{
	return clock->start_ms != 0 && clock->due_ms != 0 && clock->stop_ms == 0;
}

bool clock_is_running(const struct clock *clock)
{
	return clock_has_cycle(clock) && clock->pause_ms == 0;
}

static void arm(struct clock *clock, const struct clock_plan *plan, const struct clock_hours *hours)
{
	int64_t at_ms, heard_ms;
	clock->next_ms = 0;
	if (clock_is_running(clock) && next_level(clock, plan, hours, 0, &at_ms, &heard_ms) != NULL)
		clock->next_ms = heard_ms;
}

/* ---- events */

static void forget_cycle(struct clock *clock)
{
	*clock = (struct clock){.name = clock->name, .cycle = clock->cycle};
}

void clock_start(struct clock *clock, const struct clock_plan *plan, const struct clock_hours *hours, int64_t at_ms,
                 int64_t wanted_ms)
{
	clock_end(clock);
	clock->start_ms = at_ms;
	clock->wanted_ms = wanted_ms;
	int64_t due_ms = due_of(clock, plan, hours);
	if (due_ms == CALENDAR_NEVER || due_ms <= 0) {
		forget_cycle(clock);
		return;
	}
	clock->due_ms = due_ms;
	arm(clock, plan, hours);
}

bool clock_stop(struct clock *clock, const struct clock_plan *plan, const struct clock_hours *hours, int64_t at_ms)
{
	if (clock->start_ms == 0 || at_ms < clock->start_ms || (clock->stop_ms != 0 && at_ms >= clock->stop_ms))
		return false;
	if (plan->repeat == CLOCK_RESTART) {
		if (at_ms == clock->start_ms && clock->cycle > 1 && clock->level == CLOCK_RANK_NONE)
			return false; /* the act that began this cycle */
		clock_start(clock, plan, hours, at_ms, 0);
		return true;
	}
	clock->stop_ms = at_ms;
	clock->next_ms = 0;
	return true;
}

bool clock_stop_before(struct clock *clock, const struct clock_plan *plan, const struct clock_hours *hours, int64_t at_ms,
                       struct clock *ret_before)
{
	bool is_behind = clock_is_running(clock) && plan->repeat == CLOCK_RESTART && plan->times == 0 && clock->count != 0;
	if (!is_behind || at_ms >= clock->start_ms || is_told(clock, CLOCK_RANK_BREACH))
		return false;
	int64_t began_ms = calendar_subtract_span(hours->clock, clock->start_ms, &plan->after);
	if (at_ms <= began_ms)
		return false;
	*ret_before = (struct clock){.name = clock->name, .start_ms = began_ms, .due_ms = clock->start_ms, .level = CLOCK_RANK_BREACH};
	clock_pause_began(clock, plan, hours, at_ms);
	clock->start_ms = at_ms;
	clock->count = 0;
	clock_plan_again(clock, plan, hours);
	return true;
}

void clock_end(struct clock *clock)
{
	if (clock->start_ms != 0)
		clock->cycle++;
	if (clock->cycle == 0)
		clock->cycle = 1;
	forget_cycle(clock);
}

void clock_pause(struct clock *clock, const struct clock_plan *plan, const struct clock_hours *hours, int64_t at_ms)
{
	(void)plan, (void)hours;
	if (!clock_is_running(clock) || at_ms >= clock->due_ms)
		return; /* it is late already: no pause makes that undone */
	clock->pause_ms = larger(at_ms, clock->start_ms);
	clock->next_ms = 0;
}

void clock_resume(struct clock *clock, const struct clock_plan *plan, const struct clock_hours *hours, int64_t at_ms)
{
	bool is_stopped = clock->stop_ms != 0 && plan->repeat == CLOCK_RESUME;
	int64_t since_ms = is_stopped ? clock->stop_ms : clock->pause_ms;
	if (clock->start_ms == 0 || since_ms == 0 || at_ms < since_ms || (is_stopped && at_ms == since_ms))
		return;
	if (is_stopped)
		clock->stop_ms = 0;
	else
		clock->pause_ms = 0;
	if (since_ms < clock->due_ms) {
		clock_pause_note(clock, plan, hours, due_unpaused(clock, plan, hours), (struct clock_pause){since_ms, at_ms});
		clock_plan_again(clock, plan, hours);
	} else {
		arm(clock, plan, hours);
	}
}

void clock_reset(struct clock *clock, const struct clock_plan *plan, const struct clock_hours *hours, int64_t at_ms)
{
	if (!clock_has_cycle(clock) || at_ms <= clock->start_ms)
		return;
	if (clock->level != CLOCK_RANK_NONE) {
		clock->cycle++; /* another warning has another id */
		clock->level = CLOCK_RANK_NONE;
		clock->moves = 0;
	}
	clock->start_ms = at_ms;
	clock->wanted_ms = clock->count = 0;
	memset(clock->pauses, 0, sizeof clock->pauses);
	clock->settled = (struct clock_settled){0};
	if (clock->pause_ms != 0)
		clock->pause_ms = larger(clock->pause_ms, at_ms);
	clock_plan_again(clock, plan, hours);
}

bool clock_extend(struct clock *clock, const struct clock_plan *plan, const struct clock_hours *hours, int64_t at_ms)
{
	bool is_within = clock_has_cycle(clock) && at_ms > clock->start_ms && at_ms < clock->due_ms;
	if (span_is_zero(&plan->touch_extends) || !is_within || is_told(clock, CLOCK_RANK_BREACH))
		return false;
	clock->count++;
	if (clock_plan_again(clock, plan, hours))
		return true;
	clock->count--; /* so many that nothing is left to add */
	return false;
}

void clock_want(struct clock *clock, const struct clock_plan *plan, const struct clock_hours *hours, int64_t wanted_ms)
{
	clock->wanted_ms = wanted_ms;
	clock_plan_again(clock, plan, hours);
}

bool clock_plan_again(struct clock *clock, const struct clock_plan *plan, const struct clock_hours *hours)
{
	if (!clock_has_cycle(clock))
		return false;
	int64_t due_ms = due_of(clock, plan, hours), old_ms = clock->due_ms;
	if (due_ms == CALENDAR_NEVER || due_ms <= 0)
		return false; /* nothing better is known than what was computed */
	clock->due_ms = due_ms;
	arm(clock, plan, hours);
	return due_ms != old_ms;
}

/* ---- what is due */

static void begin_behind(struct clock *clock, const struct clock_plan *plan, const struct clock_hours *hours)
{
	if (clock->pause_ms != 0)
		return;
	clock_start(clock, plan, hours, clock->due_ms, 0);
	clock->count = plan->times == 0 && clock->start_ms != 0;
}

bool clock_count(struct clock *clock, int64_t at_ms)
{
	if (!clock_has_cycle(clock) || at_ms < clock->start_ms || clock->count >= CLOCK_COUNT_MAX)
		return false;
	clock->count++;
	return true;
}

static bool is_met(const struct clock *clock, const struct clock_plan *plan)
{
	return plan->times != 0 && clock->count >= plan->times;
}

bool clock_fire(struct clock *clock, const struct clock_plan *plan, const struct clock_hours *hours, int64_t now_ms,
                struct clock_told *ret_told)
{
	while (clock->next_ms != 0 && clock->next_ms <= now_ms) {
		int64_t at_ms, heard_ms;
		/* what was not to be told when the time was set, such as a reminder of a newer plan, is not told late */
		const struct clock_level *level = next_level(clock, plan, hours, clock->next_ms, &at_ms, &heard_ms);
		if (level == NULL || heard_ms > now_ms) {
			arm(clock, plan, hours); /* the plan is not the one by which the time was computed */
			continue;
		}
		bool was_met = is_met(clock, plan);
		*ret_told = (struct clock_told){level, clock->cycle, clock->start_ms, clock->due_ms, at_ms, clock->count};
		clock->level = level->rank;
		if (was_met && level->rank >= CLOCK_RANK_BREACH)
			begin_behind(clock, plan, hours);
		else if (next_level(clock, plan, hours, 0, &at_ms, &heard_ms) == NULL && plan->repeat == CLOCK_RESTART)
			begin_behind(clock, plan, hours);
		else
			arm(clock, plan, hours);
		if (!was_met)
			return true;
	}
	return false;
}

static const struct clock_level *breach_of(const struct clock_plan *plan)
{
	for (size_t i = 0; i < plan->level_count; i++)
		if (plan->levels[i].rank == CLOCK_RANK_BREACH)
			return &plan->levels[i];
	return NULL;
}

bool clock_overdue(struct clock *clock, const struct clock_plan *plan, int64_t at_ms, struct clock_told *ret_told)
{
	const struct clock_level *breach = breach_of(plan);
	if (!clock_is_running(clock) || at_ms < clock->due_ms || breach == NULL || is_told(clock, breach->rank) || is_met(clock, plan))
		return false;
	*ret_told = (struct clock_told){breach, clock->cycle, clock->start_ms, clock->due_ms, clock->due_ms, clock->count};
	clock->level = breach->rank;
	return true;
}

int clock_roll(struct clock *clock, const struct clock_plan *plan, const struct clock_hours *hours, int64_t at_ms,
               struct clock_told *ret_told)
{
	if (!clock_is_running(clock) || at_ms < clock->due_ms)
		return 0;
	bool tells = clock_overdue(clock, plan, at_ms, ret_told);
	begin_behind(clock, plan, hours);
	return tells ? 2 : 1;
}

/* ---- the short form */

struct clock_plan clock_plan_of_grade(const struct grade *grade, struct clock_level levels[2])
{
	struct clock_plan plan = {.name = SLICE("first_response"), .kind = CLOCK_FIRST_RESPONSE, .after = grade->first_response,
	                          .levels = levels, .repeat = CLOCK_NEVER, .is_heard_when_open = true, .counts_attempts = true,
	                          .file = grade->place.file, .line = grade->place.line};
	if (!span_is_zero(&grade->remind_before))
		levels[plan.level_count++] =
			(struct clock_level){SLICE("pre_breach"), CLOCK_RANK_REMINDER, grade->remind_before, CLOCK_NOTIFY};
	levels[plan.level_count++] = (struct clock_level){.name = SLICE("breach"), .rank = CLOCK_RANK_BREACH};
	return plan;
}
