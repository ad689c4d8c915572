/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls and operators: which overloads may be meant, what they give, and what to say when there is none.
 */
#include <stdio.h>

#include "rules/cel/check.h"
#include "rules/cel/stdlib.h"

enum { MAX_TABLES = 8, MAX_CANDIDATES = 32, MAX_ARGS = 8, TYPE_LIST_BYTES = 200 };

struct candidates {
	const struct cel_function *items[MAX_CANDIDATES];
	uint32_t count;
	bool is_known; /* there is a function of this name, whatever its arguments */
};

static void consider(struct candidates *candidates, const struct cel_function *row, struct slice name, bool is_method,
		     uint32_t arity)
{
	if (row->is_method != is_method || row->name[0] != name.p[0] || !slice_is(name, row->name))
		return;
	candidates->is_known = true;
	if (row->arity == arity && candidates->count < MAX_CANDIDATES)
		candidates->items[candidates->count++] = row;
}

/* Goes through every function there is: the caller's own, then the library's. `at` begins as zeroes; NULL at the end. */
struct row_cursor {
	size_t table, row;
};

static const struct cel_function *next_row(const struct checker *checker, struct row_cursor *at)
{
	struct function_table own = {checker->env->functions, checker->env->function_count};
	for (;; at->table++, at->row = 0) {
		struct function_table table = at->table == 0 ? own : stdlib_table(at->table - 1);
		if (at->row < table.count)
			return &table.rows[at->row++];
		if (at->table > 0 && table.count == 0)
			return NULL;
	}
}

static struct candidates collect(struct checker *checker, const struct node *node, struct slice name, bool is_method,
				 uint32_t arity)
{
	struct candidates candidates = {.count = 0};
	const struct cel_function *row;
	struct row_cursor at = {0, 0};
	struct function_table operators = stdlib_operators();
	if (name.len == 0)
		return candidates;
	if (node->is_operator)
		for (size_t i = 0; i < operators.count; i++)
			consider(&candidates, &operators.rows[i], name, is_method, arity);
	else
		while ((row = next_row(checker, &at)) != NULL)
			consider(&candidates, row, name, is_method, arity);
	return candidates;
}

/* ---- what to say when nothing fits */

static void type_list(struct checker *checker, const struct node *node, uint32_t from, char *text, size_t size)
{
	size_t len = 0;
	text[0] = '\0';
	for (uint32_t i = from; i < node->arg_count && len < size; i++) {
		int put = snprintf(text + len, size - len, "%s`%s`",
				   i == from ? "" : i + 1 == node->arg_count ? " and " : ", ",
				   check_type_text(checker, node->args[i]->type));
		len += put > 0 ? (size_t)put : 0;
	}
}

static bool is_time(enum cel_kind kind)
{
	return kind == CEL_TIMESTAMP || kind == CEL_DURATION;
}

static bool is_number(enum cel_kind kind)
{
	return kind == CEL_INT || kind == CEL_UINT || kind == CEL_DOUBLE;
}

static bool is_digits(struct cel_value text)
{
	for (uint32_t i = 0; i < text.len; i++)
		if (text.as.bytes[i] < '0' || text.as.bytes[i] > '9')
			return false;
	return text.len > 0;
}

/* A text and a number meet. */
static const char *help_for_number(struct checker *checker, const struct node *operator, const struct node *text,
				   const struct node *number)
{
	if (slice_is(operator->name, "+"))
		return "make a text of the number: string(…)";
	if (number->kind == NODE_CONST && number->value.kind == CEL_INT)
		return arena_printf(checker->keep, "compare with a text: \"%lld\"",
				    (long long)number->value.as.integer);
	if (text->kind == NODE_CONST && is_digits(text->value))
		return arena_printf(checker->keep, "write the number without quotes: %.*s",
				    SLICE_ARG(cel_slice(text->value)));
	return "make a number of the text: int(…)";
}

/* An int and a double meet: only a constant int can be written as the other. */
static const char *help_for_fraction(struct checker *checker, const struct node *whole)
{
	if (whole->kind == NODE_CONST && whole->value.kind == CEL_INT)
		return arena_printf(checker->keep, "int and double do not mix: write %lld.0",
				    (long long)whole->value.as.integer);
	return "int and double do not mix: make a double of the int with double(…)";
}

/* The usual slips with two operands. NULL: nothing helpful to say. */
static const char *help_for_pair(struct checker *checker, const struct node *node)
{
	const struct node *a = node->args[0], *b = node->args[1];
	enum cel_kind left = unify_look(&checker->unifier, a->type)->kind;
	enum cel_kind right = unify_look(&checker->unifier, b->type)->kind;
	const struct node *text = left == CEL_STRING ? a : right == CEL_STRING ? b : NULL;
	enum cel_kind other = text == a ? right : left;
	if (slice_is(node->name, "in"))
		return right == CEL_STRING ? "to look inside a text write text.contains(part)" : NULL;
	if (left == CEL_NULL || right == CEL_NULL)
		return "a field that may be absent is tested with has(…)";
	bool is_sum = slice_is(node->name, "+") || slice_is(node->name, "-");
	if (text != NULL && is_time(other))
		return other == CEL_TIMESTAMP && !is_sum ? "wrap the text: timestamp(\"2026-03-01T09:00:00Z\")"
					      : "wrap the text: duration(\"90m\")";
	if (text != NULL && is_number(other)) {
		return help_for_number(checker, node, text, text == a ? b : a);
	}
	if (is_number(left) && is_number(right))
		return left == CEL_DOUBLE || right == CEL_DOUBLE ? help_for_fraction(checker, left == CEL_DOUBLE ? b : a)
								 : "int and uint do not mix: write 2u, or int(…)";
	return NULL;
}

static void refuse_operator(struct checker *checker, const struct node *node)
{
	char types[TYPE_LIST_BYTES];
	type_list(checker, node, 0, types, sizeof types);
	bool is_minus = slice_is(node->name, "-_");
	struct cel_issue *issue =
		issue_refuse(checker->issues, checker->keep, ERR_CEL_NO_OVERLOAD, node->name_span,
			     "no operator `%.*s` for %s", is_minus ? 1 : (int)node->name.len, node->name.p, types);
	if (issue != NULL && node->arg_count == 2)
		issue->help = help_for_pair(checker, node);
}

static const char *signature(struct checker *checker, const struct cel_function *function)
{
	const char *text = "";
	for (uint32_t i = function->is_method; i < function->arity; i++)
		text = arena_printf(checker->keep, "%s%s%s", text, i == function->is_method ? "" : ", ",
				    cel_type_name(function->params[i], checker->keep));
	if (function->is_method)
		return arena_printf(checker->keep, "%s.%s(%s)", cel_type_name(function->params[0], checker->keep),
				    function->name, text);
	return arena_printf(checker->keep, "%s(%s)", function->name, text);
}

/* The first forms that a function has: "takes: size(string), size(bytes), …" */
static const char *form_list(struct checker *checker, const struct node *node, struct slice name)
{
	const char *list = NULL;
	const struct cel_function *row;
	struct row_cursor at = {0, 0};
	size_t forms = 0;
	while ((row = next_row(checker, &at)) != NULL) {
		if (row->is_method != node->is_method || !slice_is(name, row->name) || ++forms > 4)
			continue;
		list = list == NULL ? arena_printf(checker->keep, "takes: %s", signature(checker, row))
				    : arena_printf(checker->keep, "%s, %s", list, signature(checker, row));
	}
	return list;
}

static void refuse_function(struct checker *checker, const struct node *node, struct slice name)
{
	char types[TYPE_LIST_BYTES];
	type_list(checker, node, 0, types, sizeof types);
	struct cel_issue *issue;
	if (node->arg_count == 0)
		issue = issue_refuse(checker->issues, checker->keep, ERR_CEL_NO_OVERLOAD, node->name_span,
				     "`%.*s()` wants arguments", SLICE_ARG(name));
	else
		issue = issue_refuse(checker->issues, checker->keep, ERR_CEL_NO_OVERLOAD, node->name_span,
				     "no form of `%.*s()` for %s", SLICE_ARG(name), types);
	if (issue != NULL)
		issue->note = form_list(checker, node, name);
}

/* What other languages call it. */
static const char *familiar_name(struct slice name)
{
	static const char *const pairs[][2] = {
		{"lower", "lowerAscii"},       {"toLowerCase", "lowerAscii"}, {"to_lower", "lowerAscii"},
		{"toLower", "lowerAscii"},     {"toUpper", "upperAscii"},     {"to_upper", "upperAscii"},
		{"upper", "upperAscii"},       {"toUpperCase", "upperAscii"}, {"length", "size"},
		{"len", "size"},	       {"count", "size"},	      {"includes", "contains"},
		{"beginsWith", "startsWith"},  {"starts_with", "startsWith"}, {"ends_with", "endsWith"},
		{"match", "matches"},	       {"like", "matches"},	      {"any", "exists"},
		{"some", "exists"},	       {"every", "all"},	      {"strip", "trim"},
		{"getYear", "getFullYear"},    {"str", "string"},	      {"float", "double"},
	};
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		if (slice_is(name, pairs[i][0]))
			return pairs[i][1];
	return NULL;
}

static void suggest_function(struct checker *checker, struct cel_issue *issue, const struct node *node,
			     struct slice name)
{
	static const char *const macros[] = {"all", "exists", "exists_one", "map", "filter", "has"};
	struct nearest nearest = {.wanted = name, .best = familiar_name(name)};
	const struct cel_function *row;
	struct row_cursor at = {0, 0};
	while ((row = next_row(checker, &at)) != NULL)
		if (row->is_method == node->is_method)
			nearest_consider(&nearest, row->name);
	for (size_t i = 0; i < sizeof macros / sizeof *macros; i++)
		nearest_consider(&nearest, macros[i]);
	if (nearest.best != NULL)
		issue_help(issue, checker->keep, "did you mean `%s`?", nearest.best);
	else if (slice_is(name, "now"))
		issue_help(issue, checker->keep, "`now` is a variable: write it without parentheses");
}

static bool is_macro_name(struct slice name)
{
	static const char *const names[] = {"all", "exists", "exists_one", "existsOne", "map", "filter", "has"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (slice_is(name, names[i]))
			return true;
	return false;
}

static void refuse_unknown(struct checker *checker, const struct node *node, struct slice name)
{
	if (is_macro_name(name)) {
		struct cel_issue *issue =
			issue_refuse(checker->issues, checker->keep, ERR_CEL_MACRO, node->name_span,
				     "`%.*s` is not called this way", SLICE_ARG(name));
		issue_help(issue, checker->keep, slice_is(name, "has") ? "write has(lead.email)"
								       : "write list.%.*s(item, condition)",
			   SLICE_ARG(name));
		return;
	}
	struct cel_issue *issue = issue_refuse(checker->issues, checker->keep, ERR_CEL_UNKNOWN_FUNCTION,
					       node->name_span, "unknown %s `%.*s`",
					       node->is_method ? "method" : "function", SLICE_ARG(name));
	suggest_function(checker, issue, node, name);
}

/* ---- resolving */

/* An unknown (an item of []) must not be bound by whichever candidate happens to come first. */
static const struct cel_type *argument_type(struct checker *checker, const struct node *arg,
					    const struct candidates *candidates)
{
	const struct cel_type *type = unify_look(&checker->unifier, arg->type);
	return type->kind == CEL_PARAM && candidates->count > 1 ? &cel_type_dyn : type;
}

/* Keeps the candidates that fit, and joins what they give. NULL: none fits. */
static const struct cel_type *fit(struct checker *checker, struct node *node, struct candidates *candidates)
{
	const struct cel_type *result = NULL, *from[MAX_ARGS];
	uint32_t kept = 0;
	if (candidates->count == 0)
		return NULL; /* and the arguments may be more than any function has */
	for (uint32_t i = 0; i < node->arg_count; i++)
		from[i] = argument_type(checker, node->args[i], candidates);
	for (uint32_t i = 0; i < candidates->count; i++) {
		const struct cel_function *function = candidates->items[i];
		const struct cel_type *fresh[UNIFY_MAX_PARAMS] = {NULL}, *to[MAX_ARGS];
		for (uint32_t k = 0; k < function->arity; k++)
			to[k] = unify_instance(&checker->unifier, function->params[k], fresh);
		if (!unify_all_fit(&checker->unifier, from, to, function->arity))
			continue;
		const struct cel_type *gives = unify_resolve(
			&checker->unifier, unify_instance(&checker->unifier, function->result, fresh), false);
		bool is_same = result != NULL && unify_look(&checker->unifier, result)->kind == gives->kind;
		result = result == NULL || is_same ? gives : &cel_type_dyn;
		candidates->items[kept++] = function;
	}
	candidates->count = kept;
	return result;
}

static void keep_candidates(struct checker *checker, struct node *node, const struct candidates *candidates)
{
	node->overload_count = candidates->count;
	if (candidates->count == 0)
		return;
	node->overloads = arena_array(checker->keep, candidates->count, sizeof *node->overloads);
	memcpy(node->overloads, candidates->items, candidates->count * sizeof *node->overloads);
}

static const struct cel_type *resolve(struct checker *checker, struct node *node, struct slice name)
{
	struct candidates candidates = {.count = 0};
	if (node->arg_count <= MAX_ARGS)
		candidates = collect(checker, node, name, node->is_method, node->arg_count);
	const struct cel_type *result = &cel_type_dyn;
	if (!checker->env->is_unchecked) {
		result = fit(checker, node, &candidates);
		if (result == NULL && node->is_operator)
			refuse_operator(checker, node);
		else if (result == NULL && candidates.is_known)
			refuse_function(checker, node, name);
		else if (result == NULL)
			refuse_unknown(checker, node, name);
	}
	keep_candidates(checker, node, &candidates);
	return result != NULL ? result : &cel_type_dyn;
}

/* math.greatest(a, b, c) parses as a method of a name `math`: if there is such a function and no such variable, the
 * target becomes part of the name. */
static bool take_namespace(struct checker *checker, struct node *node)
{
	const struct cel_type *ignored;
	struct node probe = {.kind = NODE_NAME};
	const char *path = check_path(checker, node->args[0]);
	if (path == NULL || check_resolve_path(checker, &probe, path, false, &ignored))
		return false;
	struct slice name = slice_of(arena_printf(checker->keep, "%s.%.*s", path, SLICE_ARG(node->name)));
	struct candidates candidates = collect(checker, node, name, false, node->arg_count - 1);
	if (!candidates.is_known)
		return false;
	node->name = name;
	node->name_span = (struct extent){node->args[0]->span.offset,
					node->name_span.offset + node->name_span.length - node->args[0]->span.offset};
	node->is_method = false;
	node->args++;
	node->arg_count--;
	return true;
}

/* Any number of arguments: they are taken as one list. */
static void gather_arguments(struct checker *checker, struct node *node)
{
	bool is_variadic = slice_is(node->name, "math.greatest") || slice_is(node->name, "math.least");
	if (!is_variadic || node->arg_count < 2)
		return;
	struct node *list = arena_alloc(checker->work, sizeof *list);
	*list = (struct node){.kind = NODE_LIST, .span = node->span, .args = node->args, .arg_count = node->arg_count};
	node->args = arena_alloc(checker->work, sizeof *node->args);
	node->args[0] = list;
	node->arg_count = 1;
}

const struct cel_type *check_call(struct checker *checker, struct node *node)
{
	if (node->is_method)
		take_namespace(checker, node);
	if (!node->is_method && !node->is_operator)
		gather_arguments(checker, node);
	if (!node->is_operator && !checker->env->is_unchecked && is_macro_name(node->name)) {
		refuse_unknown(checker, node, node->name); /* its variable would only be called unknown */
		return &cel_type_dyn;
	}
	if (node->is_method)
		checker->base = node->args[0];
	for (uint32_t i = 0; i < node->arg_count; i++)
		check_node(checker, node->args[i]);
	const struct cel_type *type = resolve(checker, node, node->name);
	if (node->is_optional && unify_look(&checker->unifier, type)->kind != CEL_OPTIONAL) /* a[?b] */
		return type_with_item(checker->work, CEL_OPTIONAL, type);
	return type;
}
