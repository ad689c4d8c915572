/* SPDX-License-Identifier: Apache-2.0
 *
 * Events of clocks: followup.reminder, followup.overdue, lead.expiring, followup.rescheduled.
 */
#ifndef LR_RULES_EVENT_CLOCK_H
#define LR_RULES_EVENT_CLOCK_H

#include <stdint.h>

#include "rules/base/slice.h"

struct clock;
struct clock_plan;
struct clock_told;
struct json_writer;
struct work;

/* "deadline" of the first response and the "zone" to show it in; nothing where there is none. */
void event_put_deadline(struct json_writer *writer, struct work *work);
/* A level was told. Its id is <lead>:<timer>:<cycle>:<level>. */
void event_clock_told(struct work *work, struct slice timer, const struct clock_plan *plan,
                      const struct clock_told *told);
/* The due time of a running clock is another one than `old_ms`, because configuration, calendar or lead are. */
void event_clock_moved(struct work *work, struct clock *clock, const struct clock_plan *plan, int64_t old_ms);
/* No line of the configuration has this running clock for the lead any more: it ends, with its cycle. */
void event_clock_withdrawn(struct work *work, const struct clock *clock);

#endif
