/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts that a field never holds: `lead.source == "webb"`, `grade in ["A", "E"]`, `lead.location.country == "Germany"`.
 */
#include <stdlib.h>

#include "rules/base/suggest.h"
#include "rules/cel/lint.h"
#include "rules/cel/value.h"

enum { SUGGESTED_FROM = 2000, LISTED_VALUES = 12 }; /* longer vocabularies get neither */

struct comparison {
	const struct cel_vocabulary *vocabulary;
	const struct node *constant;
	struct cel_issues *issues;
	struct arena *keep;
};

/* Does the node read this vocabulary's field? */
static bool reads(const struct cel_vocabulary *vocabulary, const struct node *node)
{
	for (uint32_t i = vocabulary->path_count; i > 0; i--, node = node->args[0])
		if (node->kind != NODE_SELECT || node->resolution != RESOLVED_FIELD || node->is_optional ||
		    node->index != vocabulary->path[i - 1])
			return false;
	return (node->kind == NODE_NAME || node->kind == NODE_SELECT) && node->resolution == RESOLVED_SLOT &&
	       node->index == vocabulary->slot;
}

static const struct cel_vocabulary *find(const struct cel_env *env, const struct node *node)
{
	for (size_t i = 0; i < env->vocabulary_count; i++)
		if (reads(&env->vocabularies[i], node))
			return &env->vocabularies[i];
	return NULL;
}

static int by_bytes(const void *left, const void *right)
{
	const struct slice *a = left, *b = right;
	return slice_compare(*a, *b);
}

static bool is_held(const struct cel_vocabulary *vocabulary, struct slice text)
{
	if (text.len == 0)
		return vocabulary->can_be_absent;
	return vocabulary->count != 0 &&
	       bsearch(&text, vocabulary->values, vocabulary->count, sizeof text, by_bytes) != NULL;
}

static void suggest(const struct comparison *comparison, struct cel_issue *issue, struct slice text)
{
	const struct cel_vocabulary *vocabulary = comparison->vocabulary;
	struct suggest nearest = suggest_for(text);
	for (size_t i = 0; i < vocabulary->count && vocabulary->count <= SUGGESTED_FROM; i++)
		suggest_offer(&nearest, vocabulary->values[i]);
	if (nearest.best.len != 0)
		issue_help(issue, comparison->keep, "did you mean `%.*s`?", SLICE_ARG(nearest.best));
}

static const char *list_values(const struct comparison *comparison)
{
	const struct cel_vocabulary *vocabulary = comparison->vocabulary;
	const char *list = NULL;
	if (vocabulary->note != NULL || vocabulary->count > LISTED_VALUES)
		return vocabulary->note != NULL && vocabulary->note[0] != '\0' ? vocabulary->note : NULL;
	for (size_t i = 0; i < vocabulary->count; i++)
		list = arena_printf(comparison->keep, "%s%s%.*s", list != NULL ? list : "known: ", list != NULL ? ", " : "",
				    SLICE_ARG(vocabulary->values[i]));
	return list;
}

static void report(const struct comparison *comparison, const struct node *node, struct slice text)
{
	const struct cel_vocabulary *vocabulary = comparison->vocabulary;
	struct cel_issue *issue =
		text.len == 0 ? issue_warn(comparison->issues, comparison->keep, ERR_UNKNOWN_VALUE, node->span,
					   "the %s of a lead is never empty", vocabulary->noun)
			      : issue_warn(comparison->issues, comparison->keep, ERR_UNKNOWN_VALUE, node->span,
					   "there is no %s `%.*s`", vocabulary->noun, SLICE_ARG(text));
	if (issue == NULL)
		return;
	suggest(comparison, issue, text);
	issue->note = list_values(comparison);
}

static void report_form(const struct comparison *comparison, const struct node *node, struct slice text, struct slice form)
{
	struct cel_issue *issue = issue_warn(comparison->issues, comparison->keep, ERR_UNKNOWN_VALUE, node->span,
					     "no lead has the %s `%.*s`: cleansing turns it into `%.*s`",
					     comparison->vocabulary->noun, SLICE_ARG(text), SLICE_ARG(form));
	issue_help(issue, comparison->keep, "write \"%.*s\"", SLICE_ARG(form));
}

/* `node` is where the value stands, the list as a whole when its items have no place of their own. */
static void check_value(const struct comparison *comparison, const struct node *node, struct cel_value value)
{
	const struct cel_vocabulary *vocabulary = comparison->vocabulary;
	struct slice text = cel_slice(value);
	if (value.kind != CEL_STRING)
		return;
	if (vocabulary->canonical == NULL) {
		if (!is_held(vocabulary, text))
			report(comparison, node, text);
		return;
	}
	struct slice form = text.len != 0 ? vocabulary->canonical(vocabulary->self, text) : SLICE_NONE;
	if (form.len != 0 && !slice_equal(form, text))
		report_form(comparison, node, text, form);
}

static void check_constant(const struct comparison *comparison)
{
	const struct node *constant = comparison->constant;
	if (constant->value.kind != CEL_LIST) {
		check_value(comparison, constant, constant->value);
		return;
	}
	const struct cel_list *list = constant->value.as.list;
	for (uint32_t i = 0; i < list->count; i++)
		check_value(comparison, constant->arg_count == list->count ? constant->args[i] : constant, list->items[i]);
}

void lint_vocabulary(const struct cel_env *env, const struct node *call, struct cel_issues *issues, struct arena *keep)
{
	static const char *const operators[] = {"==", "!=", "in"};
	bool is_comparison = false;
	for (size_t i = 0; i < 3 && env->vocabulary_count != 0; i++)
		is_comparison |= call->is_operator && call->arg_count == 2 && slice_is(call->name, operators[i]);
	for (uint32_t which = 0; is_comparison && which < 2; which++) {
		struct comparison comparison = {NULL, call->args[!which], issues, keep};
		bool is_list = comparison.constant->value.kind == CEL_LIST;
		if (comparison.constant->kind != NODE_CONST || is_list != slice_is(call->name, "in") ||
		    (is_list && which != 0))
			continue;
		comparison.vocabulary = find(env, call->args[which]);
		if (comparison.vocabulary != NULL)
			check_constant(&comparison);
	}
}
