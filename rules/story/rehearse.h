/* SPDX-License-Identifier: Apache-2.0
 *
 * Deciding records over a state that is in memory and goes away: what tools do to show what the daemon would do. The
 * decision itself is rules.h and nothing else.
 *
 *     rehearsal_new ─► rehearsal_know(key, value)…            what is there before, e.g. lead/… and ring/… values
 *                   └► rules_prepare ─► rehearsal_decide …    each is a batch of its own, and the next one sees its writes
 */
#ifndef LR_RULES_STORY_REHEARSE_H
#define LR_RULES_STORY_REHEARSE_H

#include "rules/rules.h"

struct observer;
struct rehearsal; /* heap; one owner */

struct rehearsal *rehearsal_new(const struct model *model);
void rehearsal_free(struct rehearsal *rehearsal);
/* The value of a state key from here on; both are copied. -1 with *err (ERR_BAD_VALUE) when it is no key of ours or its value
 * is malformed. */
int rehearsal_know(struct rehearsal *rehearsal, struct slice key, struct slice value, struct err *err);
/* Decides; what *ret points to lives in `arena`. `observer` may be NULL. */
void rehearsal_decide(struct rehearsal *rehearsal, struct prepared *prepared, int64_t now_ms,
                      const struct observer *observer, struct arena *arena, struct decision *ret);

#endif
