/* SPDX-License-Identifier: Apache-2.0
 *
 * What a level that fell due does to its lead, for rules/clocks_lead.c.
 */
#ifndef LR_RULES_CLOCKS_ACT_H
#define LR_RULES_CLOCKS_ACT_H

#include <stdbool.h>

struct clock;
struct clock_plan;
struct clock_told;
struct work;

/* Tells the level, then gives the lead to somebody else or to the pool where it asks for that. */
void clocks_act(struct work *work, const struct clock *clock, const struct clock_plan *plan,
                const struct clock_told *told);

/* For activity.touch: when it is of the rep from whom a breach took the lead, he had acted in time, and nobody has acted since,
 * the lead is his again and its clock as it was. Returns whether it is. */
bool clocks_give_back(struct work *work);

#endif
