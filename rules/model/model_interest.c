/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of section score that make it two axes: half_life, acts, matrix (rules/interest.h).
 */
#include "rules/interest.h"

#include <stdlib.h>

#include "rules/base/err.h"
#include "rules/clocks_lead.h"
#include "rules/kept.h"
#include "rules/model/model_build.h"
#include "rules/score.h"

enum { DAY_MS = 86400000 };

/* Plain time: how long a day is at work has nothing to do with how fast people forget. */
static void read_half_life(struct model_builder *builder, const struct node *node)
{
	struct slice text;
	struct span span;
	struct err err = ERR_INIT;
	if (!node_read_text(node, "score.half_life", builder->diags, &text))
		return;
	if (span_parse(text, &span, &err) != 0) {
		diags_add(builder->diags, err.code, node->span, "%s", err.text);
		return;
	}
	if (span.business_days != 0 || span.business_ms != 0 || span_is_zero(&span)) {
		diags_add(builder->diags, ERR_BAD_VALUE, node->span, "a half-life is days, hours or minutes, like 14d");
		return;
	}
	builder->model->half_life_ms = (int64_t)span.days * DAY_MS + span.elapsed_ms;
}

static void build_acts(struct model_builder *builder, const struct node *list)
{
	if (list == NULL || !node_expect_sequence(list, "score.acts", builder->diags))
		return;
	if (list->count > MODEL_CRITERIA_MAX) {
		diags_add(builder->diags, ERR_TOO_MANY, list->span, "more than %d acts", MODEL_CRITERIA_MAX);
		return;
	}
	struct criterion *acts = arena_array(builder->arena, list->count, sizeof *acts);
	const struct cel_env *env = clocks_event_env(builder->model->env, builder->arena);
	struct model_names names;
	model_names_init(&names, "act");
	for (size_t i = 0; i < list->count; i++)
		if (model_read_criterion(builder, list->items[i], env, &names, &acts[i]))
			kept_need(builder, acts[i].when, node_get(list->items[i], "when"), "an act of score.acts");
	model_names_done(&names);
	builder->model->acts = acts;
	builder->model->act_count = list->count;
}

/* ---- the matrix */

static int highest_first(const void *left, const void *right)
{
	const struct axis_band *a = left, *b = right;
	return (a->from < b->from) - (a->from > b->from);
}

/* {strong: 40, weak: lowest} */
static const struct axis_band *read_bands(struct model_builder *builder, const struct node *node, const char *what,
                                          size_t *ret_count)
{
	*ret_count = 0;
	if (node == NULL || !node_expect_mapping(node, what, builder->diags))
		return NULL;
	if (node->count > AXIS_BANDS_MAX) {
		diags_add(builder->diags, ERR_TOO_MANY, node->span, "more than %d bands", AXIS_BANDS_MAX);
		return NULL;
	}
	struct axis_band *bands = arena_array(builder->arena, node->count, sizeof *bands);
	for (size_t i = 0; i < node->count; i++) {
		bands[i].name = node->members[i].key->text;
		if (!model_read_from(builder, node->members[i].value, &bands[i].from))
			return NULL;
	}
	qsort(bands, node->count, sizeof *bands, highest_first);
	for (size_t i = 1; i < node->count; i++)
		if (bands[i].from == bands[i - 1].from)
			diags_add(builder->diags, ERR_BAND_GAP, node->span, "the bands %.*s and %.*s of %s begin at the same points",
			          SLICE_ARG(bands[i - 1].name), SLICE_ARG(bands[i].name), what);
	if (node->count == 0 || bands[node->count - 1].from != INT32_MIN) {
		struct diag *diag = diags_add(builder->diags, ERR_BAND_GAP, node->span, "%s leaves points without a band", what);
		diag_help(builder->diags, diag, "one band is `lowest`");
		return NULL;
	}
	*ret_count = node->count;
	return bands;
}

static size_t read_cell(struct model_builder *builder, const struct node *row, struct slice name)
{
	const struct node_member *cell = node_find(row, name);
	struct slice letter;
	if (cell == NULL) {
		diags_add(builder->diags, ERR_BAND_GAP, row->span, "the matrix gives no grade for the interest `%.*s`",
		          SLICE_ARG(name));
		return 0;
	}
	if (!node_read_text(cell->value, "a grade", builder->diags, &letter))
		return 0;
	const struct grade *grade = score_band(builder->model, letter);
	if (grade == NULL) {
		diags_add(builder->diags, ERR_UNKNOWN_REFERENCE, cell->value->span, "no grade is called `%.*s`", SLICE_ARG(letter));
		return 0;
	}
	return (size_t)(grade - builder->model->grades);
}

/* {strong: {hot: A, cold: B}, weak: {hot: B, cold: C}} */
static const size_t *read_cells(struct model_builder *builder, const struct node *node, const struct grade_matrix *matrix)
{
	size_t *cells = arena_array(builder->arena, matrix->fit_count * matrix->interest_count, sizeof *cells);
	for (size_t i = 0; i < matrix->fit_count; i++) {
		const struct node_member *row = node_find(node, matrix->fit[i].name);
		if (row == NULL) {
			diags_add(builder->diags, ERR_BAND_GAP, node->span, "the matrix has no row for the fit `%.*s`",
			          SLICE_ARG(matrix->fit[i].name));
			continue;
		}
		if (!node_expect_mapping(row->value, "a row of score.matrix", builder->diags))
			continue;
		for (size_t j = 0; j < matrix->interest_count; j++)
			cells[i * matrix->interest_count + j] =
				read_cell(builder, row->value, matrix->interest[j].name);
	}
	return cells;
}

static void check_names(struct model_builder *builder, const struct node *mapping, const struct axis_band *bands, size_t count,
                        const char *what)
{
	for (size_t i = 0; i < mapping->count; i++) {
		struct slice name = mapping->members[i].key->text;
		size_t band = 0;
		while (band < count && !slice_equal(bands[band].name, name))
			band++;
		if (band == count)
			diags_add(builder->diags, ERR_UNKNOWN_REFERENCE, mapping->members[i].key->span, "no band of %s is called `%.*s`", what,
			          SLICE_ARG(name));
	}
}

static void build_matrix(struct model_builder *builder, const struct node *node)
{
	static const char *const known[] = {"fit", "interest", "grades", NULL};
	if (node == NULL || !node_expect_mapping(node, "score.matrix", builder->diags))
		return;
	node_check_keys(node, known, "score.matrix", builder->diags);
	struct grade_matrix *matrix = arena_alloc(builder->arena, sizeof *matrix);
	const struct node *grades = node_require(node, "grades", "score.matrix", builder->diags);
	matrix->fit = read_bands(builder, node_require(node, "fit", "score.matrix", builder->diags), "fit", &matrix->fit_count);
	matrix->interest = read_bands(builder, node_require(node, "interest", "score.matrix", builder->diags), "interest",
	                              &matrix->interest_count);
	if (grades == NULL || matrix->fit == NULL || matrix->interest == NULL ||
	    !node_expect_mapping(grades, "score.matrix.grades", builder->diags))
		return;
	check_names(builder, grades, matrix->fit, matrix->fit_count, "fit");
	for (size_t i = 0; i < grades->count; i++)
		if (grades->members[i].value->kind == NODE_MAPPING)
			check_names(builder, grades->members[i].value, matrix->interest, matrix->interest_count, "interest");
	matrix->cells = read_cells(builder, grades, matrix);
	builder->model->matrix = matrix;
}

void model_build_interest(struct model_builder *builder, const struct node *section)
{
	const struct node *half_life = node_get(section, "half_life");
	if (half_life != NULL)
		read_half_life(builder, half_life);
	build_acts(builder, node_get(section, "acts"));
	build_matrix(builder, node_get(section, "matrix"));
}
