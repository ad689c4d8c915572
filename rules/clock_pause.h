/* SPDX-License-Identifier: Apache-2.0
 *
 * What pauses do to the due time of a clock: what is left behind a pause is what was left before it, in the clock's own unit.
 *
 *     ──────── p ─────────── due                left = whole days from p to due, and the rest
 *              p ───── r ─────────── due'       due' = r + left
 *
 *   - d: as many whole days as fit (same local time), the rest in time on the wall. A day in which clocks change is a day.
 *   - bd: as many whole business days as fit, by the rule of bd itself (same local time, clamped into the opening span of
 *     that day), the rest in open time.
 *   - h, m, s: time on the wall. bh, bm: open time.
 *   - Compound: whole days of the kind that the span has (bd before d), the rest in open time if the span has any unit of
 *     open time, else in time on the wall.
 *
 * So a pause of no length does nothing, nor does one in closed time to a clock that has only units of open time; a longer
 * pause never gives an earlier due time; and pauses of h and bh clocks do what one of the same time does, wherever they lie.
 * A pause that begins at the due time or later does nothing: it was late by then.
 *
 * The pauses are kept with their times, so that another calendar or plan counts them anew.
 */
#ifndef LR_RULES_CLOCK_PAUSE_H
#define LR_RULES_CLOCK_PAUSE_H

#include <stdbool.h>
#include <stdint.h>

struct clock;
struct clock_hours;
struct clock_plan;

/* Does the plan count in open time? */
bool clock_is_business(const struct clock_plan *plan);
/* Keeps one more pause of this cycle. One that begins where the last one ended makes that longer. When there are too many, the
 * oldest is only kept as a length, in open time or in time on the wall. */
void clock_pause_note(struct clock *clock, const struct clock_plan *plan, const struct clock_hours *hours, int64_t from_ms,
                      int64_t to_ms);
/* The due time behind all pauses of the cycle, of one that would be due at `due_ms` without them. CALENDAR_NEVER stays. */
int64_t clock_pause_moved(const struct clock *clock, const struct clock_plan *plan, const struct clock_hours *hours,
                          int64_t due_ms);

#endif
