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
 * So a pause of no length does nothing, nor does one in closed time to a clock that has only units of open time; no pause gives
 * an earlier due time, and a longer one gives no earlier one (but for d where it ends in an hour that comes twice: the same local
 * time of another day follows the clock on the wall); and pauses of h and bh clocks do what one of the same time does,
 * wherever they lie.
 * A pause that begins at the due time or later does nothing: it was late by then.
 *
 * The last pauses of a cycle are kept with their times, so that another calendar or plan counts them anew. Before one more is
 * kept the oldest is settled: the clock remembers when it ended and how much of its time was used by then. With the same plan
 * and calendar that is exactly the due time that all of them give, however many there were. It cannot be so for another plan or
 * calendar: a day's worth depends on the hours around each pause, so nothing shorter than all the pauses answers for all
 * calendars. There what was used stays used, days as days and time as time, and what is left runs by the new ones from the end
 * of the settled pauses on; for h, m and s that is exact, and for bh and bm while the calendar is the same.
 */
#ifndef LR_RULES_CLOCK_PAUSE_H
#define LR_RULES_CLOCK_PAUSE_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/calendar/span.h"

struct clock;
struct clock_hours;
struct clock_pause;
struct clock_plan;

/* Does the plan count in open time? */
bool clock_is_business(const struct clock_plan *plan);
/* Keeps one more pause of this cycle. One that begins where the last one ended makes that longer. When there are too many, the
 * oldest is settled. `due_ms` is the due time without those that are kept. */
void clock_pause_note(struct clock *clock, const struct clock_plan *plan, const struct clock_hours *hours, int64_t due_ms,
                      struct clock_pause pause);
/* The due time behind the settled pauses, if there are any: without those that are kept, and without later extensions. */
int64_t clock_pause_settled(const struct clock *clock, const struct clock_plan *plan, const struct clock_hours *hours);
/* What was left when the last of them ended. */
void clock_pause_left(const struct clock *clock, const struct clock_plan *plan, struct span *ret_left);
/* The cycle began at `start_ms`, earlier than was known: so much more of its time was used. */
void clock_pause_began(struct clock *clock, const struct clock_plan *plan, const struct clock_hours *hours, int64_t start_ms);
/* The due time behind the pauses that are kept, of a clock that would be due at `due_ms` without them. CALENDAR_NEVER stays. */
int64_t clock_pause_moved(const struct clock *clock, const struct clock_plan *plan, const struct clock_hours *hours,
                          int64_t due_ms);

#endif
