/* SPDX-License-Identifier: Apache-2.0
 *
 * Events about changes of owner after intake, and about those that were not made.
 */
#ifndef LR_RULES_EVENT_OWN_H
#define LR_RULES_EVENT_OWN_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/base/err.h"
#include "rules/base/slice.h"

struct order;
struct work;

/* lead.assigned and lead.unassigned by an order. */
void event_given(struct work *work, const struct order *order);
void event_taken(struct work *work, const struct order *order);
/* ownership.conflict: the activity was made for another version of ownership. */
void event_conflict(struct work *work, enum err_code code);
/* claim.rejected: the lead stays where it is, because of `code`. `until_ms`: it can be tried again then; 0: that is not known. */
void event_claim_rejected(struct work *work, enum err_code code, int64_t until_ms);

/* lead.status: an assignment waits for somebody's consent, or did not get it. */
void event_pending(struct work *work, const char *before, struct slice candidate, struct slice asked, const char *verdict);
/* lead.status: who helps the owner, how long it is protected: whatever an order changed but the owner. */
void event_arranged(struct work *work);
/* lead.expiring: a release fell due and is proposed. */
void event_release_proposed(struct work *work, const char *reason);

/* rep.handed_over: what a rep owned goes to others, from now (`is_done` false) until it is done. */
struct handover {
	struct slice rep, to, team, actor, approver, reason;
	struct slice order; /* is_done: the cause of the order */
	bool is_done;
};
void event_handover(struct work *work, const struct handover *handover);

#endif
