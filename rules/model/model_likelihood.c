/* SPDX-License-Identifier: Apache-2.0
 *
 * score.likelihood: from which fields, per which group, and how much is added to what was counted (rules/likelihood.h).
 */
#include "rules/likelihood.h"

#include "rules/kept.h"
#include "rules/model/model_build.h"
#include "rules/schema.h"
#include "rules/state.h"

/* "0.1" in thousandths: at most three digits behind the point. */
static bool read_thousandths(struct slice text, int64_t *ret)
{
	int64_t number = 0;
	int behind = -1;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.p[i];
		if (c == '.' && behind < 0 && i > 0) {
			behind = 0;
			continue;
		}
		if (c < '0' || c > '9' || behind >= 3 || number > 1000)
			return false;
		number = number * 10 + (c - '0');
		behind += behind >= 0;
	}
	for (int i = behind < 0 ? 0 : behind; i < 3; i++)
		number *= 10;
	*ret = number;
	return text.len > 0 && behind != 0;
}

static int64_t read_smoothing(struct model_builder *builder, const struct node *node)
{
	struct slice text;
	int64_t thousandths = 100;
	if (node == NULL || !node_read_text(node, "score.likelihood.smoothing", builder->diags, &text))
		return thousandths;
	if (!read_thousandths(text, &thousandths) || thousandths == 0 || thousandths > 10 * BAYES_SMOOTHING_UNIT)
		diags_add(builder->diags, ERR_OUT_OF_RANGE, node->span, "the smoothing is a number above 0 up to 10, like 0.1");
	return thousandths;
}

static void read_fields(struct model_builder *builder, const struct node *list, struct likelihood_plan *plan)
{
	if (!node_expect_sequence(list, "score.likelihood.fields", builder->diags))
		return;
	if (list->count >= BAYES_FIELDS_MAX) {
		diags_add(builder->diags, ERR_TOO_MANY, list->span, "at most %d fields", BAYES_FIELDS_MAX - 1);
		return;
	}
	const struct schema_row **fields = arena_array(builder->arena, list->count, sizeof *fields);
	for (size_t i = 0; i < list->count; i++) {
		const struct schema_row *row = kept_need_field(builder, list->items[i]);
		if (row != NULL && row->kind != SCHEMA_TEXT)
			diags_add(builder->diags, ERR_WRONG_TYPE, list->items[i]->span, "`%s` is no text: what is counted are equal values",
			          row->path);
		else if (row != NULL)
			fields[plan->field_count++] = row;
	}
	plan->fields = fields;
}

static bool is_status(struct slice name)
{
	for (int status = 0; status < LEAD_STATUSES; status++)
		if (slice_is(name, lead_status_name((enum lead_status)status)))
			return true;
	return false;
}

static void read_stages(struct model_builder *builder, const struct node *list, struct likelihood_plan *plan)
{
	if (list == NULL || !node_expect_sequence(list, "score.likelihood.stages", builder->diags))
		return;
	struct slice *stages = arena_array(builder->arena, list->count, sizeof *stages);
	for (size_t i = 0; i < list->count; i++) {
		struct slice name;
		if (!node_read_text(list->items[i], "a stage", builder->diags, &name))
			continue;
		if (is_status(name))
			stages[plan->stage_count++] = name;
		else
			diags_add(builder->diags, ERR_UNKNOWN_REFERENCE, list->items[i]->span, "no state of a lead is called `%.*s`",
			          SLICE_ARG(name));
	}
	plan->stages = stages;
}

static void read_group(struct model_builder *builder, const struct node *node, struct likelihood_plan *plan)
{
	if (node == NULL)
		return;
	plan->is_by_team = node->kind == NODE_SCALAR && slice_is(node->text, "team");
	if (!plan->is_by_team)
		plan->group = kept_need_field(builder, node);
}

void model_build_likelihood(struct model_builder *builder, const struct node *section)
{
	static const char *const known[] = {"fields", "stages", "group", "smoothing", "least_closed", NULL};
	const struct node *node = node_get(section, "likelihood"), *least;
	if (node == NULL || !node_expect_mapping(node, "score.likelihood", builder->diags))
		return;
	node_check_keys(node, known, "score.likelihood", builder->diags);
	struct likelihood_plan *plan = arena_alloc(builder->arena, sizeof *plan);
	const struct node *fields = node_require(node, "fields", "score.likelihood", builder->diags);
	if (fields != NULL)
		read_fields(builder, fields, plan);
	read_stages(builder, node_get(node, "stages"), plan);
	read_group(builder, node_get(node, "group"), plan);
	plan->bayes.smoothing = read_smoothing(builder, node_get(node, "smoothing"));
	if ((least = node_get(node, "least_closed")) != NULL)
		node_read_int(least, "least_closed", 0, 1000000, builder->diags, &plan->bayes.least_closed);
	builder->model->likelihood = plan;
}
