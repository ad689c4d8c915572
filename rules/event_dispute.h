/* SPDX-License-Identifier: Apache-2.0
 *
 * lead.dispute: what happens while several claim a lead.
 */
#ifndef LR_RULES_EVENT_DISPUTE_H
#define LR_RULES_EVENT_DISPUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/slice.h"

struct work;

struct claimant {
	struct slice rep;
	int64_t claimed_ms, followed_ms; /* 0: none */
	bool is_in_territory, has_key_person;
	bool is_recorded;  /* the follow-up is; else he says so */
	bool is_full;      /* it is decided, and he holds as many leads as he may */
	bool is_for_other; /* not told: rules/dispute.h, mark o */
};

struct dispute_step {
	const char *step;      /* "opened", "evidence", "decided", "undecided", "closed" */
	const char *criterion; /* what decided, or the order that closed it; NULL: nothing yet */
	struct slice winner;
	int64_t owner_followed_ms; /* as recorded; 0: none is */
	const struct claimant *claimants;
	size_t count;
	int64_t until_ms;
};
void event_dispute(struct work *work, const struct dispute_step *step);

#endif
