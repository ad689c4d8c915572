/* SPDX-License-Identifier: Apache-2.0
 *
 * Names: macro variables first, then variables of the env (longest dotted path first, container by container), then
 * the names of types. And fields of declared objects.
 */
#include "rules/cel/check.h"

enum { PATH_BYTES = 256, LISTED_FIELDS = 12 };

static const struct cel_type any_optional = {.kind = CEL_OPTIONAL, .item = &cel_type_dyn};

static const struct {
	const char *name;
	const struct cel_type *type;
} type_names[] = {
	{"bool", &cel_type_bool},
	{"int", &cel_type_int},
	{"uint", &cel_type_uint},
	{"double", &cel_type_double},
	{"string", &cel_type_string},
	{"bytes", &cel_type_bytes},
	{"list", &cel_type_list},
	{"map", &cel_type_map},
	{"null_type", &cel_type_null},
	{"type", &cel_type_type},
	{"optional_type", &any_optional},
	{"google.protobuf.Timestamp", &cel_type_timestamp},
	{"google.protobuf.Duration", &cel_type_duration},
};

static const struct scope *find_local(const struct checker *checker, struct slice name)
{
	for (const struct scope *scope = checker->scope; scope != NULL; scope = scope->up)
		if (slice_equal(scope->name, name))
			return scope;
	return NULL;
}

static bool find_variable(struct checker *checker, struct node *node, const char *path,
			  const struct cel_type **ret_type)
{
	for (size_t i = 0; i < checker->env->variable_count; i++) {
		const struct cel_variable *variable = &checker->env->variables[i];
		if (strcmp(variable->name, path) != 0)
			continue;
		node->resolution = RESOLVED_SLOT;
		node->index = (uint32_t)i;
		*ret_type = checker->env->is_unchecked ? &cel_type_dyn : variable->type;
		return true;
	}
	return false;
}

static bool find_type(struct checker *checker, struct node *node, const char *path, const struct cel_type **ret_type)
{
	for (size_t i = 0; i < sizeof type_names / sizeof *type_names; i++) {
		if (strcmp(type_names[i].name, path) != 0)
			continue;
		node->resolution = RESOLVED_CONST;
		node->value = (struct cel_value){.kind = CEL_TYPE, .as.type = type_names[i].type};
		*ret_type = type_with_item(checker->work, CEL_TYPE, type_names[i].type);
		return true;
	}
	return false;
}

bool check_resolve_path(struct checker *checker, struct node *node, const char *path, bool is_rooted,
			const struct cel_type **ret_type)
{
	const char *container = is_rooted ? NULL : checker->env->container;
	size_t len = container != NULL ? strlen(container) : 0;
	while (len > 0) {
		const char *inside = arena_printf(checker->work, "%.*s.%s", (int)len, container, path);
		if (find_variable(checker, node, inside, ret_type))
			return true;
		while (len > 0 && container[--len] != '.')
			;
	}
	return find_variable(checker, node, path, ret_type) || find_type(checker, node, path, ret_type);
}

const char *check_path(struct checker *checker, const struct node *node)
{
	char path[PATH_BYTES];
	size_t start = sizeof path - 1;
	path[start] = '\0';
	for (;; node = node->args[0]) {
		if ((node->kind != NODE_SELECT && node->kind != NODE_NAME) || node->is_optional ||
		    node->name.len + 1 > start)
			return NULL;
		start -= node->name.len;
		memcpy(path + start, node->name.p, node->name.len);
		if (node->kind == NODE_NAME)
			break;
		path[--start] = '.';
	}
	if (!node->is_rooted && find_local(checker, node->name) != NULL)
		return NULL;
	return arena_strdup(checker->work, path + start);
}

/* A name that is known, but not here. */
static const char *who_knows(const struct cel_env *env, struct slice name)
{
	for (size_t i = 0; i < env->elsewhere_count; i++)
		if (slice_is(name, env->elsewhere[i].name))
			return env->elsewhere[i].who;
	return NULL;
}

static void suggest_name(struct checker *checker, struct cel_issue *issue, struct slice name, bool may_be_text)
{
	const char *who = who_knows(checker->env, name);
	if (who != NULL) {
		issue_help(issue, checker->keep, "only %s know it", who);
		return;
	}
	struct nearest nearest = {.wanted = name};
	for (const struct scope *scope = checker->scope; scope != NULL; scope = scope->up)
		nearest_consider(&nearest, arena_memdupz(checker->work, scope->name.p, scope->name.len));
	for (size_t i = 0; i < checker->env->variable_count; i++)
		nearest_consider(&nearest, checker->env->variables[i].name);
	if (nearest.best != NULL) {
		issue_help(issue, checker->keep, "did you mean `%s`?", nearest.best);
		return;
	}
	/* lead.email written as email */
	for (size_t i = 0; i < checker->env->variable_count; i++) {
		const struct cel_type *type = checker->env->variables[i].type;
		for (size_t k = 0; type->kind == CEL_OBJECT && k < type->object->field_count; k++)
			if (slice_is(name, type->object->fields[k].name)) {
				issue_help(issue, checker->keep, "did you mean `%s.%.*s`?",
					   checker->env->variables[i].name, SLICE_ARG(name));
				return;
			}
	}
	if (may_be_text)
		issue_help(issue, checker->keep, "for a text write it in quotes: \"%.*s\"", SLICE_ARG(name));
}

static const char *name_list(struct checker *checker)
{
	const char *list = "";
	for (size_t i = 0; i < checker->env->variable_count && i < LISTED_FIELDS; i++)
		list = arena_printf(checker->keep, "%s%s%s", list, i == 0 ? "names: " : ", ",
				    checker->env->variables[i].name);
	return checker->env->variable_count > LISTED_FIELDS ? arena_printf(checker->keep, "%s, …", list) : list;
}

const struct cel_type *check_name(struct checker *checker, struct node *node)
{
	const struct scope *local = node->is_rooted ? NULL : find_local(checker, node->name);
	if (local != NULL) {
		node->resolution = RESOLVED_LOCAL;
		node->index = local->local;
		return checker->env->is_unchecked ? &cel_type_dyn : local->type;
	}
	const struct cel_type *type;
	const char *path = check_path(checker, node);
	if (path != NULL && check_resolve_path(checker, node, path, node->is_rooted, &type))
		return type;
	if (!checker->env->is_unchecked) {
		struct cel_issue *issue = issue_refuse(checker->issues, checker->keep, ERR_CEL_UNKNOWN_NAME,
						       node->span, "unknown name `%.*s`", SLICE_ARG(node->name));
		suggest_name(checker, issue, node->name, node != checker->base);
		if (issue != NULL && checker->env->variable_count > 0)
			issue->note = name_list(checker);
	}
	return &cel_type_dyn;
}

/* ---- fields */

static const char *field_list(struct checker *checker, const struct cel_object_type *object)
{
	const char *list = "fields: ";
	if (object->field_count == 0)
		return arena_printf(checker->keep, "the configuration defines nothing for %s", object->name);
	for (size_t i = 0; i < object->field_count && i < LISTED_FIELDS; i++)
		list = arena_printf(checker->keep, "%s%s%s", list, i == 0 ? "" : ", ", object->fields[i].name);
	return object->field_count > LISTED_FIELDS ? arena_printf(checker->keep, "%s, …", list) : list;
}

/* The part that has a field of this name: `contact` has `email`. NULL: none, or several. */
static const char *part_with(const struct cel_object_type *object, struct slice name)
{
	const char *part = NULL;
	for (size_t i = 0; i < object->field_count; i++) {
		const struct cel_type *type = object->fields[i].type;
		for (size_t k = 0; type->kind == CEL_OBJECT && k < type->object->field_count; k++) {
			if (!slice_is(name, type->object->fields[k].name))
				continue;
			if (part != NULL)
				return NULL;
			part = object->fields[i].name;
		}
	}
	return part;
}

static void refuse_field(struct checker *checker, const struct node *node, const struct cel_object_type *object)
{
	struct cel_issue *issue =
		issue_refuse(checker->issues, checker->keep, ERR_CEL_UNKNOWN_FIELD, node->name_span,
			     "unknown field `%.*s` on %s", SLICE_ARG(node->name), object->name);
	struct nearest nearest = {.wanted = node->name};
	for (size_t i = 0; i < object->field_count; i++)
		nearest_consider(&nearest, object->fields[i].name);
	const char *part = part_with(object, node->name);
	if (part != NULL)
		issue_help(issue, checker->keep, "did you mean `%s.%.*s`?", part, SLICE_ARG(node->name));
	else if (nearest.best != NULL)
		issue_help(issue, checker->keep, "did you mean `%s`?", nearest.best);
	if (issue != NULL)
		issue->note = field_list(checker, object);
}

static const struct cel_type *check_field(struct checker *checker, struct node *node,
					  const struct cel_object_type *object)
{
	for (size_t i = 0; i < object->field_count; i++)
		if (slice_is(node->name, object->fields[i].name)) {
			node->resolution = RESOLVED_FIELD;
			node->index = (uint32_t)i;
			return object->fields[i].type;
		}
	if (!checker->env->is_unchecked)
		refuse_field(checker, node, object);
	return &cel_type_dyn;
}

static const struct cel_type *check_key(struct checker *checker, struct node *node, const struct cel_type *map)
{
	if (!unify_fits(&checker->unifier, &cel_type_string, map->key) && !checker->env->is_unchecked)
		issue_refuse(checker->issues, checker->keep, ERR_CEL_NO_OVERLOAD, node->name_span,
			     "`.%.*s` looks up a text, but the keys are `%s`", SLICE_ARG(node->name),
			     check_type_text(checker, map->key));
	return map->item;
}

/* The type of the operand's field or key; operands that are optional are looked through. */
static const struct cel_type *select_from(struct checker *checker, struct node *node, const struct cel_type *type)
{
	type = unify_look(&checker->unifier, type);
	if (type->kind == CEL_OBJECT)
		return check_field(checker, node, type->object);
	if (type->kind == CEL_MAP)
		return check_key(checker, node, type);
	if (type->kind == CEL_OPTIONAL) {
		type = unify_look(&checker->unifier, select_from(checker, node, type->item));
		return type->kind == CEL_OPTIONAL ? type : type_with_item(checker->work, CEL_OPTIONAL, type);
	}
	if (type->kind != CEL_DYN && type->kind != CEL_PARAM && !checker->env->is_unchecked)
		issue_refuse(checker->issues, checker->keep, ERR_CEL_UNKNOWN_FIELD, node->name_span,
			     "`%s` has no field `%.*s`", check_type_text(checker, type), SLICE_ARG(node->name));
	return &cel_type_dyn;
}

const struct cel_type *check_select(struct checker *checker, struct node *node)
{
	const struct cel_type *type;
	const char *path = node->kind == NODE_SELECT ? check_path(checker, node) : NULL;
	const struct node *first = node;
	while (first->kind == NODE_SELECT)
		first = first->args[0];
	if (path != NULL && check_resolve_path(checker, node, path, first->is_rooted, &type))
		return type;
	checker->base = node->args[0];
	type = select_from(checker, node, check_node(checker, node->args[0]));
	if (node->kind == NODE_HAS)
		return &cel_type_bool;
	if (node->is_optional && unify_look(&checker->unifier, type)->kind != CEL_OPTIONAL)
		return type_with_item(checker->work, CEL_OPTIONAL, type);
	return type;
}
