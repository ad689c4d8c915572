/* SPDX-License-Identifier: Apache-2.0
 *
 * Grades that no lead can get. What the criteria can add up to is a range: every one of them may hold or not. Nothing is
 * said of the lowest one, which has to be there.
 */
#include <inttypes.h>

#include "rules/model/lint.h"
#include "rules/model/model_build.h"
#include "rules/score.h"

/* Where the grade was written. */
static const struct node *letter_node(const struct model_builder *builder, struct slice letter)
{
	const struct node *list = node_get(node_get(builder->root, "score"), "grades");
	for (size_t i = 0; list != NULL && i < list->count; i++) {
		const struct node *node = node_get(list->items[i], "grade");
		if (node != NULL && slice_equal(node->text, letter))
			return node;
	}
	return NULL;
}

static void report(struct model_builder *builder, const struct grade *grade, struct score_range range)
{
	const struct node *node = letter_node(builder, grade->letter);
	if (node == NULL)
		return;
	struct diag *diag = diags_warn(builder->diags, ERR_UNREACHED_GRADE, node->span, "no lead ever gets the grade %.*s",
	                               SLICE_ARG(grade->letter));
	diag_note(builder->diags, diag, "score.base and the criteria together give from %" PRId32 " to %" PRId32, range.least,
	          range.most);
}

void lint_score(struct model_builder *builder)
{
	const struct model *model = builder->model;
	struct score_range range = score_range(model);
	for (size_t i = 0; i + 1 < model->grade_count; i++) {
		const struct grade *grade = &model->grades[i];
		bool is_above = grade->from > range.most;
		bool is_below = i > 0 && model->grades[i - 1].from <= range.least;
		if (is_above || is_below)
			report(builder, grade, range);
	}
}
