/* SPDX-License-Identifier: Apache-2.0
 *
 * What a rep owned goes to others: rep.handover starts a walk over all leads (mem/walk/handover/<rep>), which gives each open
 * lead of that rep to the rep or team that was named, or to whose turn it is in the lead's team.
 */
#ifndef LR_RULES_HANDOVER_H
#define LR_RULES_HANDOVER_H

#include <stdbool.h>

#include "rules/base/slice.h"

struct work;

#define HANDOVER_PREFIX "mem/walk/handover/"

/* A step of the walk. */
void handover_visit(struct work *work, struct slice key);
void handover_walked(struct work *work, struct slice key);
/* A lead that is decided on while its owner's leads are handed over may be missed by the walk: it is handed over first.
 * Returns whether it was; the lead is written then. */
bool handover_mind(struct work *work);

#endif
