/* SPDX-License-Identifier: Apache-2.0
 *
 * Section `dedup`: by what a person is known again, for how long, and what becomes of one who comes back later
 * (semantics.md 2.6).
 *
 *     key leads to an open lead, inside the window of that key    it is that lead again
 *     … to a closed one, or to one outside the window             a new lead; `returning` says whose
 *     … to nothing                                                a new lead
 */
#ifndef LR_RULES_DEDUP_H
#define LR_RULES_DEDUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/slice.h"

enum dedup_key { DEDUP_EMAIL, DEDUP_PHONE, DEDUP_COMPANY, DEDUP_KEYS };

struct dedup_window {
	bool is_on;
	int64_t ms; /* 0: for ever */
};

#define RETURNING_POLICIES(X)                                                                          \
	X(REROUTE, "reroute")                               /* as the routes say; the event tells of it */  \
	X(SAME_OWNER, "same_owner")                         /* who had the last lead */                     \
	X(IF_AVAILABLE, "same_owner_if_available")          /* … if he could take one from his pool, too */ \
	X(WITHIN, "same_owner_within")                      /* … if the last lead is not too old */         \
	X(NEW_LEAD, "new_lead")                             /* as if nobody had been there before */

enum returning_policy {
#define X(id, name) RETURNING_##id,
	RETURNING_POLICIES(X)
#undef X
	RETURNING_POLICY_COUNT
};
const char *returning_policy_name(enum returning_policy policy);

enum { DEDUP_PUBLIC_MAIL_MAX = 10000 };

struct dedup_rules {
	struct dedup_window windows[DEDUP_KEYS];
	enum returning_policy returning;
	int64_t within_ms;         /* RETURNING_WITHIN */
	bool is_absent_unassigned; /* the last owner cannot take it: it waits for a person's order instead of being routed */
	bool has_company_keys;     /* leads are linked to their company: also set by who matches accounts */
	bool asks_account;         /* an expression reads what is known of the company's latest lead */
	const struct slice *public_mail; /* the site's own, sorted bytewise, beside those that are built in */
	size_t public_mail_count;
};

#endif
