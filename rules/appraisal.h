/* SPDX-License-Identifier: Apache-2.0
 *
 * What a person says that a lead is worth (semantics.md 2.8): activity.verdict `graded` with a grade, perhaps with a score, or
 * with how likely it is to be won. It holds whatever happens to the lead, until a person takes it back (`ungraded`): acts
 * and time go on counting, and are what is found then.
 */
#ifndef LR_RULES_APPRAISAL_H
#define LR_RULES_APPRAISAL_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/base/err.h"
#include "rules/base/slice.h"

struct activity;
struct lead_state;
struct work;

enum { APPRAISAL_GRADE = 1, APPRAISAL_SCORE = 2 };                   /* bits of lead_state.appraised */
enum { APPRAISAL_SCORE_MAX = 1000000, APPRAISAL_PERCENT_MAX = 99 };

/* As an activity says it. */
struct appraisal {
	struct slice grade;  /* empty: not given */
	int64_t score;
	bool has_score;
	int64_t percent;     /* how likely it is to be won, from 1; 0: not given */
};

static inline bool appraisal_is(struct slice verdict)
{
	return slice_is(verdict, "graded") || slice_is(verdict, "ungraded");
}

/* The members of a verdict that appraises. 0, or -1 with *err. */
int appraisal_read(struct activity *activity, struct err *err);
/* Decides such a verdict: the lead is written and lead.graded tells. */
void appraisal_decide(struct work *work);
/* Grade and score as they were computed, unless a person has set them. */
void appraisal_grade(struct lead_state *state, struct slice grade, int64_t score);

#endif
