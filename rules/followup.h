/* SPDX-License-Identifier: Apache-2.0
 *
 * The first-response clock: when it is due, and which levels have fallen due.
 */
#ifndef LR_RULES_FOLLOWUP_H
#define LR_RULES_FOLLOWUP_H

#include <stdbool.h>
#include <stdint.h>

struct grade;
struct lead_state;
struct model;

/* Name of the timer in ids and events. */
#define FOLLOWUP_TIMER "first_response"

enum followup_level { FOLLOWUP_NOTHING, FOLLOWUP_REMINDER, FOLLOWUP_OVERDUE };

/* "", "pre_breach", "breach". */
const char *followup_level_name(enum followup_level level);

/* Sets deadline and reminder of a lead that was given to somebody at `start_ms`. A grade without a clock, no grade (NULL), and a deadline
 * outside the calendar's range, set none; a reminder that would not lie between start and deadline is left out. */
void followup_start(const struct model *model, const struct grade *grade, int64_t start_ms, struct lead_state *lead);
/* The next level that is due at `now_ms`, and marks it as fired. Call again until nothing is due. */
enum followup_level followup_fire(struct lead_state *lead, int64_t now_ms);

#endif
