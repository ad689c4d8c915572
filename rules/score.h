/* SPDX-License-Identifier: Apache-2.0
 *
 * Weighted criteria -> an integer -> a letter.
 */
#ifndef LR_RULES_SCORE_H
#define LR_RULES_SCORE_H

#include <stddef.h>
#include <stdint.h>

#include "rules/cel/cel.h"

struct arena;
struct criterion;
struct grade;
struct model;

struct score {
	int32_t total; /* base and points of the terms; held inside int32 */
	int32_t fit, interest; /* the two axes of it, held likewise */
	const struct grade *grade;
	const struct criterion **terms; /* those that were true, in file order */
	size_t term_count;
	const struct criterion **failed; /* those that could not be evaluated; they count as not true */
	size_t failed_count;
};

/* `slots` as schema.h orders them. The arrays live in the arena; `scratch` is for evaluations. */
void score_lead(const struct model *model, const struct cel_value *slots, struct arena *arena, struct arena *scratch,
                struct score *ret_score);
/* The grade of a score; never NULL: bands have no gaps. */
const struct grade *score_grade(const struct model *model, int32_t score);
/* What score_lead can come to, whichever criteria hold. */
struct score_range {
	int32_t least, most;
};
struct score_range score_range(const struct model *model);

/* The grade that a stored letter names, or NULL: the configuration may have changed since. */
const struct grade *score_band(const struct model *model, struct slice letter);

#endif
