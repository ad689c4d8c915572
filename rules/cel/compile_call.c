/* SPDX-License-Identifier: Apache-2.0
 *
 * Operators and calls to nodes. The forms that rules consist of, a field against a constant, get nodes of their own.
 */
#include "rules/cel/compile.h"
#include "rules/text/regex.h"

/* Up to here trying one text after the other is faster than the sorted index. */
enum { SHORT_TEXT_LIST = 8 };

static bool is_const(const struct node *node, enum cel_kind kind)
{
	return node->kind == NODE_CONST && node->value.kind == kind;
}

static const struct code *compile_equal(struct compiler *compiler, struct node *node)
{
	bool is_not = slice_is(node->name, "!=");
	struct code *code = code_new(compiler, node, is_not ? code_not_equal : code_equal);
	const struct code *const *args = compile_args(compiler, node);
	code->a = args[0];
	code->b = args[1];
	const struct node *text = is_const(node->args[1], CEL_STRING)   ? node->args[1]
				  : is_const(node->args[0], CEL_STRING) ? node->args[0]
									: NULL;
	if (text != NULL) {
		code->run = code_equal_text;
		code->a = text == node->args[1] ? args[0] : args[1];
		code->b = NULL;
		code->index = is_not;
		code->u.name = cel_slice(text->value);
	}
	return fold_constant(compiler, node, code);
}

static uint32_t compare_mask(struct slice name)
{
	bool is_less = name.p[0] == '<', has_same = name.len == 2;
	return (is_less ? COMPARE_LESS : COMPARE_MORE) | (has_same ? COMPARE_SAME : 0u);
}

static const struct code *compile_compare(struct compiler *compiler, struct node *node)
{
	struct code *code = code_new(compiler, node, code_compare);
	const struct code *const *args = compile_args(compiler, node);
	code->a = args[0];
	code->b = args[1];
	code->index = compare_mask(node->name);
	if (is_const(node->args[1], CEL_INT) && node->args[0]->type->kind == CEL_INT) {
		code->run = code_compare_int;
		code->u.value = node->args[1]->value;
	}
	return fold_constant(compiler, node, code);
}

static bool all_texts(const struct cel_list *list)
{
	for (uint32_t i = 0; i < list->count; i++)
		if (list->items[i].kind != CEL_STRING)
			return false;
	return true;
}

static const struct code *compile_in(struct compiler *compiler, struct node *node)
{
	struct code *code = code_new(compiler, node, code_in);
	const struct code *const *args = compile_args(compiler, node);
	code->a = args[0];
	code->b = args[1];
	if (is_const(node->args[1], CEL_LIST)) {
		const struct cel_list *list = node->args[1]->value.as.list;
		const struct cel_map *set;
		if (list->count <= SHORT_TEXT_LIST && all_texts(list)) {
			code->run = code_in_texts;
			code->u.value = node->args[1]->value;
		} else if ((set = cel_set_of(compiler->keep, list->items, list->count)) != NULL) {
			code->run = code_in_set;
			code->u.set = set;
		}
	}
	return fold_constant(compiler, node, code);
}

static const struct code *compile_binary(struct compiler *compiler, struct node *node, code_fn run)
{
	struct code *code = code_new(compiler, node, run);
	const struct code *const *args = compile_args(compiler, node);
	code->a = args[0];
	code->b = args[1];
	return fold_constant(compiler, node, code);
}

static const struct code *compile_not(struct compiler *compiler, struct node *node)
{
	struct code *code = code_new(compiler, node, code_not);
	code->a = compile_args(compiler, node)[0];
	return fold_constant(compiler, node, code);
}

/* Constant patterns are compiled once, here, and refused here. */
static const struct code *compile_matches(struct compiler *compiler, struct node *node)
{
	struct code *code = code_new(compiler, node, code_matches);
	code->a = compile_node(compiler, node->args[0]);
	node->free = node->args[0]->free;
	struct err err = ERR_INIT;
	struct regex *regex = regex_compile(cel_slice(node->args[1]->value), &err);
	if (regex == NULL) {
		if (!compiler->env->is_lenient)
			issue_refuse(compiler->issues, compiler->keep, ERR_CEL_PATTERN, node->args[1]->span, "%s",
				     err.text);
		return NULL;
	}
	struct owned_regex *owned = arena_alloc(compiler->keep, sizeof *owned);
	*owned = (struct owned_regex){regex, compiler->regexes};
	compiler->regexes = owned;
	code->u.regex = regex;
	return fold_constant(compiler, node, code);
}

/* t.getHours("Europe/Berlin"): the zone is looked up once, here. NULL: leave it to run time. */
static const struct code *compile_time_part(struct compiler *compiler, struct node *node)
{
	enum time_part part;
	struct time_zone zone;
	if (!time_part_of(node->name, &part))
		return NULL;
	if (!time_zone_of(cel_slice(node->args[1]->value), &zone)) {
		if (!compiler->env->is_lenient) {
			struct cel_issue *issue =
				issue_refuse(compiler->issues, compiler->keep, ERR_CEL_ZONE, node->args[1]->span,
					     "unknown time zone \"%.*s\"", SLICE_ARG(cel_slice(node->args[1]->value)));
			issue_help(issue, compiler->keep, "zones are named as in \"Europe/Berlin\", or \"+02:00\"");
		}
		return NULL;
	}
	struct code *code = code_new(compiler, node, code_time_part);
	code->a = compile_node(compiler, node->args[0]);
	code->index = part;
	code->u.zone = zone;
	node->free = node->args[0]->free;
	return fold_constant(compiler, node, code);
}

/* Might one of the caller's own functions be meant? Then no node of the library may stand in. */
static bool has_own_overload(const struct compiler *compiler, const struct node *node)
{
	const struct cel_function *own = compiler->env->functions;
	for (uint32_t i = 0; i < node->overload_count; i++)
		for (size_t k = 0; k < compiler->env->function_count; k++)
			if (node->overloads[i] == &own[k])
				return true;
	return false;
}

/* NULL: it is another method. */
static const struct code *compile_search(struct compiler *compiler, struct node *node)
{
	bool is_start = slice_is(node->name, "startsWith"), is_end = slice_is(node->name, "endsWith");
	if (!is_start && !is_end && !slice_is(node->name, "contains"))
		return NULL;
	struct code *code = code_new(compiler, node, code_search);
	code->a = compile_node(compiler, node->args[0]);
	code->index = is_start ? SEARCH_START : is_end ? SEARCH_END : SEARCH_ANYWHERE;
	code->u.name = cel_slice(node->args[1]->value);
	node->free = node->args[0]->free;
	return fold_constant(compiler, node, code);
}

static const struct code *compile_function(struct compiler *compiler, struct node *node)
{
	const struct code *special = NULL;
	if (node->arg_count == 2 && is_const(node->args[1], CEL_STRING) && !has_own_overload(compiler, node)) {
		if (slice_is(node->name, "matches"))
			special = compile_matches(compiler, node);
		else if (node->is_method && (special = compile_search(compiler, node)) == NULL)
			special = compile_time_part(compiler, node);
	}
	if (special != NULL)
		return special;
	struct code *code = code_new(compiler, node, code_dispatch);
	struct code_dispatch *dispatch = arena_alloc(compiler->keep, sizeof *dispatch);
	dispatch->name = node->name;
	dispatch->candidates = node->overloads;
	dispatch->count = node->overload_count;
	code->args = compile_args(compiler, node);
	code->count = node->arg_count;
	code->u.dispatch = dispatch;
	return fold_constant(compiler, node, code);
}

static const struct code *compile_index(struct compiler *compiler, struct node *node)
{
	return compile_binary(compiler, node, node->is_optional ? code_optional_index : code_index);
}

const struct code *compile_call(struct compiler *compiler, struct node *node)
{
	if (!node->is_operator)
		return compile_function(compiler, node);
	if (slice_is(node->name, "==") || slice_is(node->name, "!="))
		return compile_equal(compiler, node);
	if (node->name.p[0] == '<' || node->name.p[0] == '>')
		return compile_compare(compiler, node);
	if (slice_is(node->name, "in"))
		return compile_in(compiler, node);
	if (slice_is(node->name, "[]"))
		return compile_index(compiler, node);
	if (slice_is(node->name, "!"))
		return compile_not(compiler, node);
	return compile_function(compiler, node);
}
