/* SPDX-License-Identifier: Apache-2.0
 *
 * What a level that fell due does to its lead, for rules/clocks_lead.c.
 */
#ifndef LR_RULES_CLOCKS_ACT_H
#define LR_RULES_CLOCKS_ACT_H

struct clock;
struct clock_plan;
struct clock_told;
struct work;

/* Tells the level, then gives the lead to somebody else or to the pool where it asks for that. */
void clocks_act(struct work *work, const struct clock *clock, const struct clock_plan *plan,
                const struct clock_told *told);

#endif
