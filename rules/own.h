/* SPDX-License-Identifier: Apache-2.0
 *
 * Ownership: the only place where a lead gets or loses its owner (law 6).
 *
 * A change of owner raises the ownership version by one and starts the clocks that hang on it anew, whatever caused it:
 * the rotation, a person's order, a claim, a breach. Who may change what is the business of the caller; what a change
 * means is written here once. The caller writes the lead and its events.
 */
#ifndef LR_RULES_OWN_H
#define LR_RULES_OWN_H

#include <stddef.h>

struct work;

/* work->state belongs to `rep` (an index into model.reps) as a member of `team` (SIZE_MAX: of none) from now on. `reason` is
 * the code that the event carries, a literal. */
void own_give(struct work *work, size_t rep, size_t team, const char *reason);
/* work->state belongs to nobody from now on. */
void own_clear(struct work *work, const char *reason);

#endif
