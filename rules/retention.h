/* SPDX-License-Identifier: Apache-2.0
 *
 * How long closed leads are kept (S2-CHANGE): lifecycle.retention gives a time per state, and a lead that has been in it for
 * so long is erased by its timer, as by activity.erase (rules/erase.h). Who must not be contacted stays known as that.
 *
 * A lead keeps `ended`, since when it is closed in a state that has such a time, and `purge`, when it goes; both are
 * brought up with every write of it. A reload that changes the times has all leads looked at in a walk. For one that was
 * closed before there was a time for its state, the time begins when it is looked at: nothing goes too early.
 */
#ifndef LR_RULES_RETENTION_H
#define LR_RULES_RETENTION_H

#include <stdbool.h>

#include "rules/base/slice.h"
#include "rules/rules.h"

struct work;

/* work->state is about to be written. */
void retention_on_write(struct work *work);
/* Erases the lead when its time is over, and the event says so; false: it is not. Nothing of it may be written then. */
bool retention_fire(struct work *work);

/* Once per model: other times than those that were stored have the leads looked at. */
#define RETENTION_WALK RULES_WALK_PREFIX "retention"
void retention_begin(struct work *work);
void retention_visit(struct work *work, struct slice key);

#endif
