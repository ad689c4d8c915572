/* SPDX-License-Identifier: Apache-2.0
 *
 * The walk keeps two things: which fields are known to be present here, and whether "true" or "false" is what this part
 * must give to make the whole condition true. `!` turns that round; inside arithmetic and calls it is not known.
 */
#include "rules/cel/lint.h"

#include "rules/base/err.h"
#include "rules/cel/value.h"
#include "rules/text/regex.h"

enum need { NEED_TRUE, NEED_FALSE, NEED_UNKNOWN };

/* A field that is present in the part that is being looked at: has(field) or the like holds there. */
struct fact {
	const struct node *field; /* NODE_HAS or NODE_SELECT */
	const struct fact *next;
};

struct linter {
	const struct cel_env *env;
	struct slice text;
	struct cel_issues *issues;
	struct arena *keep;
};

struct place {
	const struct fact *facts;
	enum need need;
};

static void walk(struct linter *linter, const struct node *node, struct place place);

/* ---- facts */

/* Do both read the same field? Each is a NODE_HAS or a NODE_SELECT. */
static bool is_same_path(const struct node *a, const struct node *b)
{
	for (;; a = a->args[0], b = b->args[0]) {
		if (a->resolution != b->resolution || a->index != b->index)
			return false;
		if (a->resolution != RESOLVED_FIELD)
			return a->resolution == RESOLVED_SLOT || a->resolution == RESOLVED_LOCAL;
	}
}

static bool is_present(const struct fact *fact, const struct node *select)
{
	for (; fact != NULL; fact = fact->next)
		if (is_same_path(fact->field, select))
			return true;
	return false;
}

static bool is_not(const struct node *node)
{
	return node->kind == NODE_CALL && node->is_operator && slice_is(node->name, "!");
}

/* ---- optional fields */

/* The declared field that the node reads when it is optional and has a simple type; NULL otherwise, or when it is read as an
 * optional value. */
static const struct cel_field *optional_field(const struct node *node)
{
	if (node->kind != NODE_SELECT || node->resolution != RESOLVED_FIELD || node->is_optional ||
	    node->args[0]->type->kind != CEL_OBJECT)
		return NULL;
	const struct cel_field *field = &node->args[0]->type->object->fields[node->index];
	bool is_simple = field->type->kind != CEL_OBJECT && field->type->kind != CEL_DYN;
	return field->is_optional && is_simple ? field : NULL;
}

static void warn(struct linter *linter, const struct node *node, const struct cel_field *field, const char *effect)
{
	struct slice path = {linter->text.p + node->span.offset, node->span.length};
	struct strbuf zero = STRBUF_INIT;
	cel_print(&zero, cel_zero(field->type));
	struct cel_issue *issue = issue_warn(linter->issues, linter->keep, ERR_CEL_UNGUARDED, node->span,
					     "`%.*s` may be absent: it then counts as %s%s", SLICE_ARG(path),
					     strbuf_text(&zero), effect);
	issue_help(issue, linter->keep, "test it first: has(%.*s)", SLICE_ARG(path));
	strbuf_done(&zero);
}

/* An optional field, or a text function of one that gives something just as certain when the field is absent:
 * size(x), x.trim(), x.lowerAscii(). NULL: neither. */
static const struct node *find_optional(const struct node *node, struct cel_value *ret_default)
{
	static const char *const same[] = {"lowerAscii", "upperAscii", "trim"};
	if (optional_field(node) != NULL) {
		*ret_default = cel_zero(node->type);
		return node;
	}
	if (node->kind != NODE_CALL || node->is_operator || node->arg_count != 1)
		return NULL;
	const struct node *field = find_optional(node->args[0], ret_default);
	if (field == NULL || ret_default->kind != CEL_STRING)
		return NULL;
	for (size_t i = 0; i < 3; i++)
		if (slice_is(node->name, same[i]))
			return field;
	if (!slice_is(node->name, "size"))
		return NULL;
	*ret_default = cel_int(0);
	return field;
}

/* What a comparison of the default with a constant gives. False: it cannot be told. */
static bool compare_default(struct slice operator, struct cel_value zero, struct cel_value constant, bool *ret_result)
{
	enum cel_order order = cel_compare(zero, constant);
	if (order == CEL_UNORDERED)
		return false;
	if (slice_is(operator, "=="))
		*ret_result = order == CEL_SAME;
	else if (slice_is(operator, "!="))
		*ret_result = order != CEL_SAME;
	else if (operator.p[0] == '<')
		*ret_result = order == CEL_LESS || (operator.len == 2 && order == CEL_SAME);
	else if (operator.p[0] == '>')
		*ret_result = order == CEL_MORE || (operator.len == 2 && order == CEL_SAME);
	else
		return false;
	return true;
}

static struct slice turned(struct slice operator)
{
	static const char *const pairs[][2] = {{"<", ">"}, {"<=", ">="}, {">", "<"}, {">=", "<="}};
	for (size_t i = 0; i < 4; i++)
		if (slice_is(operator, pairs[i][0]))
			return slice_of(pairs[i][1]);
	return operator;
}

static bool default_in_list(struct cel_value zero, const struct cel_list *list)
{
	for (uint32_t i = 0; i < list->count; i++)
		if (cel_compare(zero, list->items[i]) == CEL_SAME)
			return true;
	return false;
}

static bool pattern_matches(struct slice pattern, struct cel_value text)
{
	struct err err = ERR_INIT;
	struct regex *regex = regex_compile(pattern, &err);
	bool result = regex != NULL && regex_search(regex, cel_slice(text));
	regex_free(regex);
	return result;
}

/* What the call gives when its operand `which` has the value that absence gives it. False: it cannot be told. */
static bool result_when_absent(const struct node *call, uint32_t which, struct cel_value zero, bool *ret_result)
{
	static const char *const searches[] = {"startsWith", "endsWith", "contains"};
	const struct node *other = call->args[!which];
	if (other->kind != NODE_CONST)
		return false;
	if (call->is_operator && slice_is(call->name, "in") && which == 0 && other->value.kind == CEL_LIST) {
		*ret_result = default_in_list(zero, other->value.as.list);
		return true;
	}
	if (call->is_operator)
		return compare_default(which == 0 ? call->name : turned(call->name), zero, other->value, ret_result);
	if (which != 0 || zero.kind != CEL_STRING || other->value.kind != CEL_STRING)
		return false;
	for (size_t i = 0; i < 3; i++)
		if (slice_is(call->name, searches[i])) {
			*ret_result = other->value.len == 0;
			return true;
		}
	if (!slice_is(call->name, "matches"))
		return false;
	*ret_result = pattern_matches(cel_slice(other->value), zero);
	return true;
}

/* `field == ""`, `field in ["x", ""]`: who writes the empty text has thought of absence. */
static bool names_empty(const struct node *constant)
{
	struct cel_value value = constant->value;
	if (constant->kind != NODE_CONST)
		return false;
	return value.kind == CEL_LIST ? default_in_list(cel_string(SLICE("")), value.as.list)
				      : value.kind == CEL_STRING && value.len == 0;
}

/* ---- learning */

static const struct fact *add_fact(struct linter *linter, const struct node *field, const struct fact *facts)
{
	struct fact *fact = arena_alloc(linter->keep, sizeof *fact);
	*fact = (struct fact){field, facts};
	return fact;
}

/* `x != ""`, `size(x) > 0`: would it give something else if the field were absent? NULL: not known to. */
static const struct node *field_told_by(const struct node *node, bool holds, bool only_empty)
{
	struct cel_value zero;
	bool result;
	if (!only_empty && node->kind == NODE_SELECT && holds && node->type->kind == CEL_BOOL)
		return optional_field(node) != NULL ? node : NULL;
	for (uint32_t which = 0; node->kind == NODE_CALL && node->arg_count == 2 && which < 2; which++) {
		const struct node *field = find_optional(node->args[which], &zero);
		if (field == NULL || !result_when_absent(node, which, zero, &result) || result == holds)
			continue;
		if (!only_empty || (node->is_operator && names_empty(node->args[!which])))
			return field;
	}
	return NULL;
}

/* `x == true`, `x != false`: x, and whether it holds when the comparison does. NULL: not of this form. */
static const struct node *compared_with_flag(const struct node *node, bool *inout_holds)
{
	bool is_equal = node->kind == NODE_CALL && node->is_operator && slice_is(node->name, "==");
	bool is_other = node->kind == NODE_CALL && node->is_operator && slice_is(node->name, "!=");
	for (uint32_t which = 0; (is_equal || is_other) && which < 2; which++) {
		const struct node *flag = node->args[which];
		if (flag->kind != NODE_CONST || flag->value.kind != CEL_BOOL)
			continue;
		*inout_holds = *inout_holds == (flag->value.as.boolean == is_equal);
		return node->args[!which];
	}
	return NULL;
}

/* What is present when `node` is `holds`: x of has(x) or of a test that absence would not pass, and what the parts of a
 * conjunction (or of a negated disjunction) tell. `only_empty`: of tests only those that name the empty text. */
static const struct fact *learn(struct linter *linter, const struct node *node, bool holds, bool only_empty,
				const struct fact *facts)
{
	if (is_not(node))
		return learn(linter, node->args[0], !holds, only_empty, facts);
	const struct node *compared = compared_with_flag(node, &holds);
	if (compared != NULL)
		return learn(linter, compared, holds, only_empty, facts);
	if (node->kind == NODE_HAS)
		return holds ? add_fact(linter, node, facts) : facts;
	if (node->kind == (holds ? NODE_AND : NODE_OR))
		for (uint32_t i = 0; i < node->arg_count; i++)
			facts = learn(linter, node->args[i], holds, only_empty, facts);
	const struct node *told = field_told_by(node, holds, only_empty);
	return told != NULL ? add_fact(linter, told, facts) : facts;
}

/* ---- the walk */

static void walk_field(struct linter *linter, const struct node *node, struct place place)
{
	const struct cel_field *field = optional_field(node);
	if (field != NULL && !is_present(place.facts, node)) {
		bool is_flag = node->type->kind == CEL_BOOL && place.need != NEED_UNKNOWN;
		if (!is_flag)
			warn(linter, node, field, "");
		else if (place.need == NEED_FALSE)
			warn(linter, node, field, ", which makes this true");
	}
	if (node->arg_count > 0)
		walk(linter, node->args[0], (struct place){place.facts, NEED_UNKNOWN});
}

/* `field op constant`: silent when the default cannot be what makes the condition true. */
static bool walk_test(struct linter *linter, const struct node *call, struct place place)
{
	for (uint32_t which = 0; which < 2; which++) {
		struct cel_value zero;
		const struct node *field_node = find_optional(call->args[which], &zero);
		bool result;
		if (field_node == NULL || is_present(place.facts, field_node) || place.need == NEED_UNKNOWN ||
		    !result_when_absent(call, which, zero, &result))
			continue;
		if (result == (place.need == NEED_TRUE) && !(call->is_operator && names_empty(call->args[!which])))
			warn(linter, field_node, optional_field(field_node), ", which makes this true");
		walk(linter, field_node->args[0], (struct place){place.facts, NEED_UNKNOWN});
		return true;
	}
	return false;
}

static void walk_call(struct linter *linter, const struct node *node, struct place place)
{
	lint_vocabulary(linter->env, node, linter->issues, linter->keep);
	if (is_not(node)) {
		enum need turned_need = place.need == NEED_UNKNOWN ? NEED_UNKNOWN
					: place.need == NEED_TRUE  ? NEED_FALSE
								   : NEED_TRUE;
		walk(linter, node->args[0], (struct place){place.facts, turned_need});
		return;
	}
	if (node->arg_count == 2 && walk_test(linter, node, place))
		return;
	for (uint32_t i = 0; i < node->arg_count; i++)
		walk(linter, node->args[i], (struct place){place.facts, NEED_UNKNOWN});
}

/* `… && false`, `… || true`: one part decides, the others might as well not be there. */
static void walk_constant(struct linter *linter, const struct node *logic, const struct node *part)
{
	bool decisive = logic->kind == NODE_OR;
	if (part->kind == NODE_CONST && part->value.kind == CEL_BOOL && part->value.as.boolean == decisive)
		issue_warn(linter->issues, linter->keep, ERR_CEL_CONSTANT, part->span,
			   decisive ? "this is always true, and so is all of `||`"
				    : "this is never true, and so is all of `&&`");
}

static void walk_logic(struct linter *linter, const struct node *node, struct place place)
{
	/* Within a && b each part may count on the others: where one is false the whole is, whatever the others say. When
	 * it is that which makes the condition true, a test that absence fails is no guard but what is warned of. */
	bool is_and = node->kind == NODE_AND, only_empty = place.need != (is_and ? NEED_TRUE : NEED_FALSE);
	const struct fact *facts = learn(linter, node, is_and, only_empty, place.facts);
	for (uint32_t i = 0; i < node->arg_count; i++) {
		walk_constant(linter, node, node->args[i]);
		walk(linter, node->args[i], (struct place){facts, place.need});
	}
}

static void walk_choice(struct linter *linter, const struct node *node, struct place place)
{
	const struct node *condition = node->args[0];
	walk(linter, condition, (struct place){place.facts, NEED_TRUE});
	walk(linter, node->args[1], (struct place){learn(linter, condition, true, false, place.facts), place.need});
	walk(linter, node->args[2], (struct place){learn(linter, condition, false, false, place.facts), place.need});
}

static void walk_loop(struct linter *linter, const struct node *node, struct place place)
{
	const struct loop *loop = node->loop;
	const struct fact *facts = place.facts;
	walk(linter, node->args[0], (struct place){facts, NEED_UNKNOWN});
	if (loop->guard != NULL) {
		walk(linter, loop->guard, (struct place){facts, NEED_TRUE});
		facts = learn(linter, loop->guard, true, false, facts);
	}
	if (loop->body != NULL)
		walk(linter, loop->body, (struct place){facts, NEED_UNKNOWN});
}

static void walk(struct linter *linter, const struct node *node, struct place place)
{
	switch (node->kind) {
	case NODE_CONST:
	case NODE_NAME:
	case NODE_OBJECT:
		return;
	case NODE_SELECT:
		walk_field(linter, node, place);
		return;
	case NODE_AND:
	case NODE_OR:
		walk_logic(linter, node, place);
		return;
	case NODE_CHOICE:
		walk_choice(linter, node, place);
		return;
	case NODE_LOOP:
		walk_loop(linter, node, place);
		return;
	case NODE_CALL:
		walk_call(linter, node, place);
		return;
	case NODE_HAS:
	case NODE_LIST:
	case NODE_MAP:
	case NODE_BIND:
		for (uint32_t i = 0; i < node->arg_count; i++)
			walk(linter, node->args[i], (struct place){place.facts, NEED_UNKNOWN});
		return;
	}
}

void lint_expression(const struct cel_env *env, const struct node *root, struct slice text, struct cel_issues *issues,
		     struct arena *keep)
{
	struct linter linter = {env, text, issues, keep};
	if (root->kind == NODE_CONST && root->value.kind == CEL_BOOL && !root->value.as.boolean)
		issue_warn(issues, keep, ERR_CEL_CONSTANT, root->span, "this is never true");
	walk(&linter, root, (struct place){NULL, NEED_TRUE});
}
