/* SPDX-License-Identifier: Apache-2.0
 *
 * The second axis of the score: interest, which fades (semantics.md 2.7).
 *
 *     fit       what a lead is: base and the criteria of that axis; stays
 *     interest  what it does: criteria with `axis: interest` at intake, score.acts afterwards; halves with every half_life
 *     score     fit + what is left of the interest
 *
 * Nothing runs in the background: the state holds the interest and the time for which it holds, and whoever looks computes
 * what is left, in integers (fixed.h), so that everybody sees the same. Interest is kept in thousandths of a point.
 *
 * The grade is the band of the score, or the cell of a matrix of both axes. Whoever reads a lead's state in a decision finds
 * the score and the grade of that instant. lead.graded tells of another grade: at once when an act brings it, with the next
 * decision that writes the lead when only time has passed.
 */
#ifndef LR_RULES_INTEREST_H
#define LR_RULES_INTEREST_H

#include <stddef.h>
#include <stdint.h>

#include "rules/base/slice.h"
#include "rules/event_graded.h"

struct grade;
struct happened;
struct lead_state;
struct model;
struct work;

enum { INTEREST_UNIT = 1000, INTEREST_MAX = 1000000000, AXIS_BANDS_MAX = 20 };

/* From `from` up to the next higher band; ordered from the highest down; the lowest reaches down to INT32_MIN. */
struct axis_band {
	struct slice name;
	int32_t from;
};

struct grade_matrix {
	const struct axis_band *fit, *interest;
	size_t fit_count, interest_count;
	const size_t *cells; /* [fit][interest] -> index into model.grades */
};

/* The grade of the two axes: by the matrix, else by the bands of their sum. Never NULL. */
const struct grade *interest_grade(const struct model *model, int32_t fit, int32_t interest);
/* Their sum. */
int32_t interest_score(int32_t fit, int32_t interest);
/* What is left of a lead's interest at `now_ms`, in whole points, rounded down. */
int32_t interest_left(const struct model *model, const struct lead_state *state, int64_t now_ms);

/* What has faded since the state was written: score and grade become those of `now_ms`. */
void interest_fade(const struct model *model, struct lead_state *state, int64_t now_ms);
/* Before work->state is written under `lead_id`: another grade that nobody has told of yet is told. */
void interest_tell(struct work *work, struct slice lead_id);

/* Grade and score as they were told last. */
struct graded interest_before(const struct lead_state *state);

/* Intake: work->score into work->state. */
void interest_begin(struct work *work);
/* An act on or of work->state: its points, the new score, and lead.graded if the grade is another one now. */
void interest_happened(struct work *work, const struct happened *happened);

#endif
