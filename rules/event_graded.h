/* SPDX-License-Identifier: Apache-2.0
 *
 * lead.graded: an act, or the time that has passed, has moved a lead into another grade; or a person has said what it is worth.
 */
#ifndef LR_RULES_EVENT_GRADED_H
#define LR_RULES_EVENT_GRADED_H

#include <stddef.h>
#include <stdint.h>

#include "rules/base/slice.h"

struct activity;
struct criterion;
struct work;

struct graded {
	struct slice before;             /* grade */
	int32_t score_before;
	int32_t fit, interest;           /* now */
	const struct criterion **terms;  /* what the act was worth */
	size_t term_count;
	const struct activity *appraiser; /* what a person said; NULL: nobody did */
};

/* work->state has the new grade and score. */
void event_graded(struct work *work, const struct graded *graded);
/* The same of the lead `lead_id`, whose interest has faded: one such event for a grade and an instant, however often the
 * lead is written. */
void event_faded(struct work *work, struct slice lead_id, const struct graded *graded);

#endif
