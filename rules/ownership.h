/* SPDX-License-Identifier: Apache-2.0
 *
 * Section `ownership`: who may claim what, how long a claim is argued about, whose consent an assignment needs.
 */
#ifndef LR_RULES_OWNERSHIP_H
#define LR_RULES_OWNERSHIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/slice.h"
#include "rules/model.h"
#include "rules/owner_match.h"

struct zone;

enum { OWNERSHIP_CONSENTS_MAX = 1000, OWNERSHIP_CAP_MAX = 1000000 };

/* What separates those who claim a lead (semantics.md 2.12). */
#define DISPUTE_CRITERIA(X)                                                     \
	X(FIRST_FOLLOW_UP, "first_follow_up") /* who followed up first */       \
	X(TERRITORY, "territory")             /* whose territory the place is in */ \
	X(KEY_PERSON, "key_person")           /* who influences the key person */

enum dispute_criterion {
#define X(id, name) DISPUTE_##id,
	DISPUTE_CRITERIA(X)
#undef X
	DISPUTE_CRITERIA_COUNT
};
const char *dispute_criterion_name(enum dispute_criterion criterion);

/* Leads given to members of a team wait for somebody's consent. */
struct consent {
	size_t team;
	struct slice by;     /* who consents */
	struct slice within; /* span as written; empty: without end */
	bool is_granted;     /* … after which it counts as given */
};

struct ownership_rules {
	struct slice cool_down; /* spans as written; empty: none */
	struct slice protect_at_most;
	int64_t holding;        /* open leads of somebody who may claim another; 0: any number */
	int64_t claims_per_day; /* 0: any number */
	const struct zone *zone; /* whose midnight; NULL: UTC */
	bool is_release_proposed; /* a release that falls due is proposed, not done */
	/* dispute */
	bool has_dispute;
	struct slice evidence;  /* span as written */
	enum dispute_criterion ladder[DISPUTE_CRITERIA_COUNT];
	size_t ladder_count;
	bool is_managers;       /* when nothing separates: a manager decides, else the owner keeps it */
	size_t dispute_table;   /* index into territories; SIZE_MAX without */
	struct owner_policy match[OWNER_STEP_COUNT];
	const struct consent *consents;
	size_t consent_count;
};

/* Those of the model, or what holds without the section. */
const struct ownership_rules *ownership_rules(const struct model *model);
/* The consent that giving a lead to `rep` of `team` needs, or NULL. */
const struct consent *ownership_consent(const struct model *model, size_t team);

#endif
