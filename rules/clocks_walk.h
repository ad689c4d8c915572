/* SPDX-License-Identifier: Apache-2.0
 *
 * Due times after a change of configuration, for rules/walk.c.
 */
#ifndef LR_RULES_CLOCKS_WALK_H
#define LR_RULES_CLOCKS_WALK_H

#include "rules/base/slice.h"

struct work;

#define CLOCKS_WALK RULES_WALK_PREFIX "clocks."

/* Notes by what due times are computed from now on; asks for a walk when that is not what it was. */
void clocks_begin(struct work *work);
/* Brings work->state to the plan in force, tells what moved and writes it. */
void clocks_visit(struct work *work, struct slice key);

#endif
