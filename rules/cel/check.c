/* SPDX-License-Identifier: Apache-2.0
 *
 * The walk over the tree; names are in check_name.c, calls in check_call.c.
 */
#include "rules/cel/check.h"

#include "rules/cel/value.h"

const char *check_type_text(struct checker *checker, const struct cel_type *type)
{
	return cel_type_name(unify_resolve(&checker->unifier, type, true), checker->keep);
}

/* A part that must be bool: an operand of &&, ||, a condition, a macro's predicate. */
static void want_bool(struct checker *checker, struct node *node, const char *where)
{
	const struct cel_type *type = check_node(checker, node);
	if (checker->env->is_unchecked || unify_fits(&checker->unifier, type, &cel_type_bool))
		return;
	struct cel_issue *issue =
		issue_refuse(checker->issues, checker->keep, ERR_CEL_NO_OVERLOAD, node->span, "%s wants `bool`, this is `%s`",
			     where, check_type_text(checker, type));
	type = unify_look(&checker->unifier, type);
	if (type->kind == CEL_STRING)
		issue_help(issue, checker->keep, "to test that it is not empty write `… != \"\"`");
	else if (type->kind == CEL_INT)
		issue_help(issue, checker->keep, "to test that it is not zero write `… != 0`");
}

static const struct cel_type *check_logic(struct checker *checker, struct node *node)
{
	const char *name = node->kind == NODE_AND ? "`&&`" : "`||`";
	for (uint32_t i = 0; i < node->arg_count; i++)
		want_bool(checker, node->args[i], name);
	return &cel_type_bool;
}

static const struct cel_type *check_choice(struct checker *checker, struct node *node)
{
	want_bool(checker, node->args[0], "`?:`");
	const struct cel_type *then = check_node(checker, node->args[1]);
	const struct cel_type *otherwise = check_node(checker, node->args[2]);
	if (checker->env->is_unchecked)
		return &cel_type_dyn;
	if (!unify_fits(&checker->unifier, then, otherwise) && !unify_fits(&checker->unifier, otherwise, then)) {
		issue_refuse(checker->issues, checker->keep, ERR_CEL_NO_OVERLOAD, node->span,
			     "the two sides of `?:` differ: `%s` and `%s`", check_type_text(checker, then),
			     check_type_text(checker, otherwise));
		return &cel_type_dyn;
	}
	return unify_join(&checker->unifier, then, otherwise);
}

/* `?item`, `?key: value`: the optional's content. */
static const struct cel_type *unwrap(struct checker *checker, const struct node *node)
{
	const struct cel_type *type = unify_look(&checker->unifier, node->type);
	if (type->kind == CEL_OPTIONAL)
		return type->item;
	if (type->kind != CEL_DYN && !checker->env->is_unchecked)
		issue_refuse(checker->issues, checker->keep, ERR_CEL_NO_OVERLOAD, node->span,
			     "`?` wants an optional, this is `%s`", check_type_text(checker, type));
	return &cel_type_dyn;
}

static const struct cel_type *check_list(struct checker *checker, struct node *node)
{
	const struct cel_type *item = NULL;
	for (uint32_t i = 0; i < node->arg_count; i++) {
		const struct cel_type *type = check_node(checker, node->args[i]);
		if (node->arg_is_optional != NULL && node->arg_is_optional[i])
			type = unwrap(checker, node->args[i]);
		item = unify_join(&checker->unifier, item, type);
	}
	return type_list_of(checker->work, item != NULL ? item : unify_fresh(&checker->unifier));
}

static void check_key_kind(struct checker *checker, const struct node *node, const struct cel_type *type)
{
	type = unify_look(&checker->unifier, type);
	bool is_fine = type->kind == CEL_BOOL || type->kind == CEL_INT || type->kind == CEL_UINT ||
		       type->kind == CEL_STRING || type->kind == CEL_DYN || type->kind == CEL_PARAM;
	if (is_fine || checker->env->is_unchecked || checker->env->is_lenient)
		return;
	issue_refuse(checker->issues, checker->keep, ERR_CEL_KEY, node->span, "a map key cannot be `%s`",
		     check_type_text(checker, type));
}

static const struct cel_type *check_map(struct checker *checker, struct node *node)
{
	const struct cel_type *key = NULL, *value = NULL;
	for (uint32_t i = 0; i < node->arg_count; i += 2) {
		const struct cel_type *key_type = check_node(checker, node->args[i]);
		const struct cel_type *value_type = check_node(checker, node->args[i + 1]);
		if (node->arg_is_optional != NULL && node->arg_is_optional[i])
			value_type = unwrap(checker, node->args[i + 1]);
		check_key_kind(checker, node->args[i], key_type);
		key = unify_join(&checker->unifier, key, key_type);
		value = unify_join(&checker->unifier, value, value_type);
	}
	if (key == NULL)
		return type_map_of(checker->work, unify_fresh(&checker->unifier), unify_fresh(&checker->unifier));
	return type_map_of(checker->work, key, value);
}

/* ---- macros */

static void optional_range(struct checker *checker, struct node *node, const struct cel_type *range,
			   const struct cel_type **ret_item)
{
	if (range->kind == CEL_OPTIONAL)
		*ret_item = range->item;
	else if (range->kind != CEL_DYN && range->kind != CEL_PARAM && !checker->env->is_unchecked)
		issue_refuse(checker->issues, checker->keep, ERR_CEL_NO_OVERLOAD, node->args[0]->span,
			     "`%.*s()` wants an optional, this is `%s`", SLICE_ARG(node->name),
			     check_type_text(checker, range));
}

/* What the macro's variables are, by what is looped over. */
static void range_types(struct checker *checker, struct node *node, const struct cel_type *range,
			const struct cel_type **ret_key, const struct cel_type **ret_item)
{
	*ret_key = *ret_item = &cel_type_dyn;
	range = unify_look(&checker->unifier, range);
	if (node->loop->kind == LOOP_OPT_MAP || node->loop->kind == LOOP_OPT_FLAT_MAP) {
		optional_range(checker, node, range, ret_item);
	} else if (range->kind == CEL_LIST) {
		*ret_key = &cel_type_int;
		*ret_item = range->item;
	} else if (range->kind == CEL_MAP) {
		*ret_key = range->key;
		*ret_item = node->loop->name_count == 1 ? range->key : range->item;
	} else if (range->kind == CEL_PARAM) {
		(void)unify_fits(&checker->unifier, range, &cel_type_dyn); /* an unknown: dyn fits it */
	} else if (range->kind != CEL_DYN && !checker->env->is_unchecked) {
		issue_refuse(checker->issues, checker->keep, ERR_CEL_NO_OVERLOAD, node->args[0]->span,
			     "`%.*s()` goes over a list or a map, this is `%s`", SLICE_ARG(node->name),
			     check_type_text(checker, range));
	}
}

/* Locals are numbered by nesting, so that loops that stand side by side share them. */
static bool reserve_locals(struct checker *checker, struct node *node, uint32_t count)
{
	node->loop->local = checker->local_count;
	if (checker->local_count + count > CEL_MAX_LOCALS) {
		issue_refuse(checker->issues, checker->keep, ERR_CEL_TOO_LARGE, node->span,
			     "more than %d macro variables at once", CEL_MAX_LOCALS);
		return false;
	}
	checker->local_count += count;
	return true;
}

static const struct cel_type *loop_type(struct checker *checker, const struct loop *loop, const struct cel_type *key,
					const struct cel_type *item, const struct cel_type *body)
{
	switch (loop->kind) {
	case LOOP_ALL:
	case LOOP_EXISTS:
	case LOOP_EXISTS_ONE:
		return &cel_type_bool;
	case LOOP_MAP:
		return type_list_of(checker->work, body);
	case LOOP_FILTER:
		return type_list_of(checker->work, item);
	case LOOP_TRANSFORM_MAP:
		return type_map_of(checker->work, key, body);
	case LOOP_OPT_MAP:
		return type_with_item(checker->work, CEL_OPTIONAL, body);
	case LOOP_OPT_FLAT_MAP:
	case LOOP_TRANSFORM_ENTRY:
		return body;
	}
	return &cel_type_dyn;
}

static const struct cel_type *check_loop(struct checker *checker, struct node *node)
{
	struct loop *loop = node->loop;
	const struct cel_type *range = check_node(checker, node->args[0]), *key, *item, *body = &cel_type_dyn;
	range_types(checker, node, range, &key, &item);
	if (!reserve_locals(checker, node, loop->name_count))
		return &cel_type_dyn;
	const struct scope *outer = checker->scope;
	struct scope first = {loop->names[0], loop->name_count == 1 ? item : key, loop->local, outer};
	struct scope second = {loop->names[1], item, loop->local + 1, &first};
	checker->scope = loop->name_count == 1 ? &first : &second;
	if (loop->guard != NULL)
		want_bool(checker, loop->guard, arena_printf(checker->keep, "`%.*s()`", SLICE_ARG(node->name)));
	if (loop->body != NULL)
		body = check_node(checker, loop->body);
	checker->scope = outer;
	checker->local_count -= loop->name_count;
	return loop_type(checker, loop, key, item, body);
}

static const struct cel_type *check_bind(struct checker *checker, struct node *node)
{
	const struct cel_type *type = check_node(checker, node->args[0]);
	if (!reserve_locals(checker, node, 1))
		return &cel_type_dyn;
	struct scope scope = {node->loop->names[0], type, node->loop->local, checker->scope};
	checker->scope = &scope;
	const struct cel_type *body = check_node(checker, node->args[1]);
	checker->scope = scope.up;
	checker->local_count--;
	return body;
}

static const struct cel_type *check_one(struct checker *checker, struct node *node)
{
	switch (node->kind) {
	case NODE_CONST:
		return cel_type_of(node->value);
	case NODE_NAME:
		return check_name(checker, node);
	case NODE_SELECT:
	case NODE_HAS:
		return check_select(checker, node);
	case NODE_CALL:
		return check_call(checker, node);
	case NODE_LIST:
		return check_list(checker, node);
	case NODE_MAP:
		return check_map(checker, node);
	case NODE_AND:
	case NODE_OR:
		return check_logic(checker, node);
	case NODE_CHOICE:
		return check_choice(checker, node);
	case NODE_LOOP:
		return check_loop(checker, node);
	case NODE_BIND:
		return check_bind(checker, node);
	case NODE_OBJECT:
		return &cel_type_dyn;
	}
	return &cel_type_dyn;
}

const struct cel_type *check_node(struct checker *checker, struct node *node)
{
	node->type = check_one(checker, node);
	return node->type;
}

/* Only now all is known that will be: types of every node, with dyn for the rest. */
static void settle(struct checker *checker, struct node *node)
{
	node->type = unify_resolve(&checker->unifier, node->type, true);
	for (uint32_t i = 0; i < node->arg_count; i++)
		settle(checker, node->args[i]);
	if (node->loop != NULL && node->loop->guard != NULL)
		settle(checker, node->loop->guard);
	if (node->loop != NULL && node->loop->body != NULL)
		settle(checker, node->loop->body);
}

static void want_result(struct checker *checker, const struct node *root, const struct cel_type *wanted)
{
	if (unify_fits(&checker->unifier, root->type, wanted))
		return;
	struct cel_issue *issue = issue_refuse(checker->issues, checker->keep, ERR_CEL_WRONG_TYPE, root->span,
					       "this must give `%s`, but it gives `%s`", check_type_text(checker, wanted),
					       check_type_text(checker, root->type));
	if (wanted->kind == CEL_BOOL)
		issue_help(issue, checker->keep, "a condition is a comparison, such as lead.intent == \"high\"");
}

void check_expression(const struct check_input *input, struct node *root)
{
	struct checker checker = {
		.env = input->env,
		.issues = input->issues,
		.work = input->work,
		.keep = input->keep,
		.unifier = {.work = input->work},
	};
	check_node(&checker, root);
	if (input->wanted != NULL && !input->issues->is_refused && !input->env->is_unchecked)
		want_result(&checker, root, input->wanted);
	settle(&checker, root);
}
