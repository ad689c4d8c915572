/* SPDX-License-Identifier: Apache-2.0
 *
 * Forgetting a lead: because somebody asked for it (activity.erase), or because it was closed so long ago (rules/retention.h).
 */
#ifndef LR_RULES_ERASE_H
#define LR_RULES_ERASE_H

#include "rules/base/slice.h"
#include "rules/decide.h"

/* What is stored of work->lead_id goes, with what was merged into it, and the keys under which the person would be known
 * again go or stay as marks that name no lead. The keys of its own events and ids always stay as such marks, under an HMAC
 * like the others: a repeat must not bring it back. `reason` is what the event gives, and may be empty. Nothing of
 * work->state is left but its version. */
void erase_lead(struct work *work, enum idents_fate fate, struct slice reason);

#endif
