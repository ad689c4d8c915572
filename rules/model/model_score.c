/* SPDX-License-Identifier: Apache-2.0
 *
 * Section score: weighted criteria, and the grades as bands of the sum. A band reaches from its `from` up to the next
 * one's, so bands cannot overlap; what can be wrong is two bands with one beginning, and no band or two for the rest.
 */
#include <stdlib.h>

#include "rules/base/arena.h"
#include "rules/base/err.h"
#include "rules/model/model_build.h"

enum { POINTS_MAX = 1000000 };

/* ---- criteria */

/* axis: fit | interest */
static void read_axis(struct model_builder *builder, const struct node *node, struct criterion *criterion)
{
	struct slice text;
	if (node == NULL || !node_read_text(node, "axis", builder->diags, &text))
		return;
	criterion->is_interest = slice_is(text, "interest");
	if (!criterion->is_interest && !slice_is(text, "fit"))
		diags_add(builder->diags, ERR_BAD_VALUE, node->span, "an axis is fit or interest");
}

bool model_read_criterion(struct model_builder *builder, const struct node *node, const struct cel_env *env,
                          struct model_names *names, struct criterion *criterion)
{
	static const char *const known[] = {"name", "points", "when", "axis", NULL};
	int64_t points = 0;
	if (!node_expect_mapping(node, "a criterion", builder->diags))
		return false;
	node_check_keys(node, known, "a criterion", builder->diags);
	const struct node *name = node_require(node, "name", "a criterion", builder->diags);
	const struct node *worth = node_require(node, "points", "a criterion", builder->diags);
	const struct node *when = node_require(node, "when", "a criterion", builder->diags);
	criterion->place = model_place(node);
	read_axis(builder, node_get(node, "axis"), criterion);
	if (worth != NULL && node_read_int(worth, "points", -POINTS_MAX, POINTS_MAX, builder->diags, &points))
		criterion->points = (int32_t)points;
	bool is_named = name != NULL && model_read_name(builder, name, "the name of a criterion", &criterion->name) &&
	                model_names_add(builder, names, criterion->name, name);
	if (when == NULL)
		return false;
	const char *what = arena_printf(&builder->scratch, "criterion `%.*s`", SLICE_ARG(criterion->name));
	if (!model_read_condition(builder, env, when, what, &criterion->when_text, &criterion->when))
		return false;
	if (criterion->when == NULL) {
		diags_add(builder->diags, ERR_BAD_VALUE, when->span, "points that every lead gets belong into score.base");
		return false;
	}
	return is_named;
}

static void build_criteria(struct model_builder *builder, const struct node *list)
{
	if (list == NULL || !node_expect_sequence(list, "score.criteria", builder->diags))
		return;
	if (list->count > MODEL_CRITERIA_MAX) {
		diags_add(builder->diags, ERR_TOO_MANY, list->span, "more than %d criteria", MODEL_CRITERIA_MAX);
		return;
	}
	struct criterion *criteria = arena_array(builder->arena, list->count, sizeof *criteria);
	struct model_names names;
	model_names_init(&names, "criterion");
	for (size_t i = 0; i < list->count; i++)
		model_read_criterion(builder, list->items[i], builder->score_env, &names, &criteria[i]);
	model_names_done(&names);
	builder->model->criteria = criteria;
	builder->model->criterion_count = list->count;
}

/* ---- grades */

struct grade_draft {
	struct grade grade;
	bool is_lowest;
	const struct node *from; /* the node of `from` */
};

bool model_read_span(struct model_builder *builder, const struct node *node, const char *what, struct span *ret_span)
{
	struct slice text;
	struct err err = ERR_INIT;
	if (!node_read_text(node, what, builder->diags, &text))
		return false;
	if (span_parse(text, ret_span, &err) != 0) {
		diags_add(builder->diags, err.code, node->span, "%s", err.text);
		return false;
	}
	bool is_business = ret_span->business_days != 0 || ret_span->business_ms != 0;
	if (is_business && !builder->has_calendar) {
		diags_add(builder->diags, ERR_MISSING_KEY, node->span, "business time needs a calendar, and there is none");
		return false;
	}
	return true;
}

/* Only comparable when both use one and the same kind of unit. */
static bool is_reminder_too_early(const struct span *response, const struct span *remind)
{
	const int64_t a[] = {response->business_days, response->days, response->business_ms, response->elapsed_ms};
	const int64_t b[] = {remind->business_days, remind->days, remind->business_ms, remind->elapsed_ms};
	size_t used = 0, kind = 0;
	for (size_t i = 0; i < 4; i++)
		if (a[i] != 0 || b[i] != 0) {
			used++;
			kind = i;
		}
	return used == 1 && b[kind] >= a[kind];
}

static void read_clock(struct model_builder *builder, const struct node *node, struct grade *grade)
{
	const struct node *response = node_get(node, "first_response"), *remind = node_get(node, "remind_before");
	grade->has_first_response =
		response != NULL && model_read_span(builder, response, "first_response", &grade->first_response);
	if (grade->has_first_response && span_is_zero(&grade->first_response))
		diags_add(builder->diags, ERR_OUT_OF_RANGE, response->span, "a first response of no time would always be overdue");
	if (grade->stops && response != NULL)
		diags_add(builder->diags, ERR_BAD_VALUE, response->span, "a grade that stops is never assigned, so no clock runs");
	if (remind == NULL || !model_read_span(builder, remind, "remind_before", &grade->remind_before))
		return;
	if (response == NULL)
		diags_add(builder->diags, ERR_MISSING_KEY, remind->span, "remind_before needs a first_response");
	else if (grade->has_first_response && is_reminder_too_early(&grade->first_response, &grade->remind_before)) {
		struct diag *diag = diags_add(builder->diags, ERR_OUT_OF_RANGE, remind->span,
		                              "the reminder would come before the clock starts");
		diag_second(builder->diags, diag, response->span, "the whole time there is");
	}
}

bool model_read_from(struct model_builder *builder, const struct node *node, int32_t *ret_from)
{
	int64_t number = 0;
	*ret_from = INT32_MIN;
	if (node->kind == NODE_SCALAR && slice_is(node->text, "lowest"))
		return true;
	if (!node_read_int(node, "from", -INT32_MAX, INT32_MAX, builder->diags, &number))
		return false;
	*ret_from = (int32_t)number;
	return true;
}

static bool read_from(struct model_builder *builder, const struct node *node, struct grade_draft *draft)
{
	draft->from = node;
	if (!model_read_from(builder, node, &draft->grade.from))
		return false;
	draft->is_lowest = draft->grade.from == INT32_MIN;
	return true;
}

static bool read_grade(struct model_builder *builder, const struct node *node, struct model_names *names,
                       bool has_matrix, struct grade_draft *draft)
{
	static const char *const known[] = {"grade", "from", "stops", "first_response", "remind_before", NULL};
	*draft = (struct grade_draft){.is_lowest = false};
	if (!node_expect_mapping(node, "a grade", builder->diags))
		return false;
	node_check_keys(node, known, "a grade", builder->diags);
	const struct node *letter = node_require(node, "grade", "a grade", builder->diags);
	const struct node *from = node_get(node, "from"), *stops = node_get(node, "stops");
	if (from == NULL && !has_matrix)
		from = node_require(node, "from", "a grade", builder->diags);
	else if (from != NULL && has_matrix)
		diags_add(builder->diags, ERR_BAD_VALUE, from->span, "score.matrix says which leads have this grade, not a band");
	draft->grade.place = model_place(node);
	if (stops != NULL)
		node_read_bool(stops, "stops", builder->diags, &draft->grade.stops);
	read_clock(builder, node, &draft->grade);
	bool is_named = letter != NULL && model_read_name(builder, letter, "a grade", &draft->grade.letter) &&
	                model_names_add(builder, names, draft->grade.letter, letter);
	if (has_matrix)
		return is_named;
	return from != NULL && read_from(builder, from, draft) && is_named;
}

static int highest_first(const void *left, const void *right)
{
	const struct grade_draft *a = left, *b = right;
	return (a->grade.from < b->grade.from) - (a->grade.from > b->grade.from);
}

static void check_bands(struct model_builder *builder, const struct grade_draft *drafts, size_t count,
                        const struct node *list)
{
	for (size_t i = 1; i < count; i++) {
		if (drafts[i].grade.from != drafts[i - 1].grade.from)
			continue;
		struct diag *diag = diags_add(builder->diags, ERR_BAND_GAP, drafts[i].from->span,
		                              "the grades %.*s and %.*s begin at the same score",
		                              SLICE_ARG(drafts[i - 1].grade.letter), SLICE_ARG(drafts[i].grade.letter));
		diag_second(builder->diags, diag, drafts[i - 1].from->span, "the other one");
	}
	if (count != 0 && drafts[count - 1].is_lowest)
		return;
	struct source_span span = count ? drafts[count - 1].from->span : list->span;
	struct diag *diag = diags_add(builder->diags, ERR_BAND_GAP, span,
	                              count ? "scores below %d have no grade" : "there are no grades",
	                              count ? (int)drafts[count - 1].grade.from : 0);
	diag_help(builder->diags, diag, "one grade has `from: lowest`");
}

static void build_grades(struct model_builder *builder, const struct node *list, bool has_matrix)
{
	if (!node_expect_sequence(list, "score.grades", builder->diags))
		return;
	if (list->count > MODEL_GRADES_MAX) {
		diags_add(builder->diags, ERR_TOO_MANY, list->span, "more than %d grades", MODEL_GRADES_MAX);
		return;
	}
	struct grade_draft *drafts = arena_array(&builder->scratch, list->count, sizeof *drafts);
	struct model_names names;
	size_t count = 0;
	model_names_init(&names, "grade");
	for (size_t i = 0; i < list->count; i++)
		count += read_grade(builder, list->items[i], &names, has_matrix, &drafts[count]);
	model_names_done(&names);
	if (count != list->count)
		return; /* the bands of half a list would be wrong in ways that the other errors explain */
	if (!has_matrix) {
		qsort(drafts, count, sizeof *drafts, highest_first);
		check_bands(builder, drafts, count, list);
	}
	struct grade *grades = arena_array(builder->arena, count, sizeof *grades);
	for (size_t i = 0; i < count; i++)
		grades[i] = drafts[i].grade;
	builder->model->grades = grades;
	builder->model->grade_count = count;
}

/* Each score must have a grade: without any in the configuration all leads are of one that is called "-". */
static void add_only_grade(struct model_builder *builder, const struct node *section)
{
	struct grade *grade = arena_alloc(builder->arena, sizeof *grade);
	*grade = (struct grade){.letter = SLICE("-"), .from = INT32_MIN};
	grade->place = section ? model_place(section) : (struct place){"", 0};
	builder->model->grades = grade;
	builder->model->grade_count = 1;
}

void model_build_score(struct model_builder *builder)
{
	static const char *const known[] = {"base", "criteria", "grades", "half_life", "acts", "matrix", "likelihood", NULL};
	const struct node *section = model_section(builder, "score", NODE_MAPPING);
	const struct node *base = node_get(section, "base"), *grades = node_get(section, "grades");
	int64_t number = 0;
	if (section != NULL)
		node_check_keys(section, known, "score", builder->diags);
	if (base != NULL && node_read_int(base, "score.base", -POINTS_MAX, POINTS_MAX, builder->diags, &number))
		builder->model->score_base = (int32_t)number;
	build_criteria(builder, node_get(section, "criteria"));
	if (grades != NULL)
		build_grades(builder, grades, node_get(section, "matrix") != NULL);
	else
		add_only_grade(builder, section);
	model_build_interest(builder, section);
	model_build_likelihood(builder, section);
}
