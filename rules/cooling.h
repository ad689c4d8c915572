/* SPDX-License-Identifier: Apache-2.0
 *
 * The cool-down: who lost a lead, by giving it up or for want of progress, waits before he may claim it again. The time
 * is his own: that others have the lead meanwhile, or have had it and lost it, makes it no shorter. An order of a person
 * gives him the lead at once and ends it.
 */
#ifndef LR_RULES_COOLING_H
#define LR_RULES_COOLING_H

#include <stdint.h>

#include "rules/base/slice.h"

struct work;

/* Until when the rep waits before he may claim this lead; 0: he does not. */
int64_t cooling_until(const struct work *work, struct slice rep);
/* The owner, if there is one, is about to lose the lead to nobody. Of more than STATE_COOLING_MAX + 1 who wait, the first
 * is forgotten. */
void cooling_begin(struct work *work);
/* work->state has got its owner: he waits no more, and whose time is over is forgotten. */
void cooling_on_owner(struct work *work);

#endif
