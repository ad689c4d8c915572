/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/score.h"

#include "rules/base/arena.h"
#include "rules/interest.h"
#include "rules/model.h"

/* Sorted from the highest band down; the last one takes everything that is left. */
const struct grade *score_grade(const struct model *model, int32_t score)
{
	size_t i = 0;
	while (i + 1 < model->grade_count && score < model->grades[i].from)
		i++;
	return &model->grades[i];
}

static int32_t clamp(int64_t total)
{
	if (total > INT32_MAX)
		return INT32_MAX;
	return total < INT32_MIN ? INT32_MIN : (int32_t)total;
}

struct score_range score_range(const struct model *model)
{
	int64_t least = model->score_base, most = model->score_base;
	for (size_t i = 0; i < model->criterion_count; i++)
		*(model->criteria[i].points < 0 ? &least : &most) += model->criteria[i].points;
	if (model->act_count != 0)
		least = INT32_MIN, most = INT32_MAX; /* acts add up without end */
	return (struct score_range){clamp(least), clamp(most)};
}

void score_lead(const struct model *model, const struct cel_value *slots, struct arena *arena, struct arena *scratch,
                struct score *ret_score)
{
	struct score score = {0};
	int64_t fit = model->score_base, interest = 0; /* 2,000 criteria of int32 points stay far inside int64 */
	score.terms = arena_array(arena, model->criterion_count, sizeof *score.terms);
	score.failed = arena_array(arena, model->criterion_count, sizeof *score.failed);
	for (size_t i = 0; i < model->criterion_count; i++) {
		const struct criterion *criterion = &model->criteria[i];
		struct cel_value value = cel_bool(true); /* no condition: always */
		if (criterion->when != NULL)
			value = cel_eval(criterion->when, slots, scratch, model->cel_step_limit);
		if (cel_is_true(value)) {
			score.terms[score.term_count++] = criterion;
			*(criterion->is_interest ? &interest : &fit) += criterion->points;
		} else if (cel_is_error(value)) {
			score.failed[score.failed_count++] = criterion;
		}
	}
	score.fit = clamp(fit);
	score.interest = clamp(interest);
	score.total = clamp(fit + interest);
	score.grade = interest_grade(model, score.fit, score.interest);
	*ret_score = score;
}

const struct grade *score_band(const struct model *model, struct slice letter)
{
	for (size_t i = 0; i < model->grade_count; i++)
		if (slice_equal(model->grades[i].letter, letter))
			return &model->grades[i];
	return NULL;
}
