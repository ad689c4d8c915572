/* SPDX-License-Identifier: Apache-2.0
 *
 * What the conditions of clocks look at, for rules/clocks_*.c: the lead as far as it is kept, and what happened.
 */
#ifndef LR_RULES_CLOCKS_ENV_H
#define LR_RULES_CLOCKS_ENV_H

#include <stdbool.h>

struct cel_program;
struct happened;
struct lead;
struct work;

/* The lead of work->state: the record that is decided, or what was kept of it. */
const struct lead *clocks_lead(struct work *work);
/* `happened` is NULL for `when`. A condition that cannot be evaluated does not hold. */
bool clocks_holds(struct work *work, const struct cel_program *program, const struct happened *happened);

#endif
