/* SPDX-License-Identifier: Apache-2.0
 *
 * The macros of the language: has(), the list macros with one and two variables, cel.bind(), cel.block(). A name with
 * another number of arguments than its macro has is left as an ordinary call, as the specification wants.
 */
#include "rules/cel/parse.h"

static const struct macro {
	const char *name;
	uint32_t arg_count; /* without the target */
	enum loop_kind kind;
	uint32_t name_count;
	bool has_guard;
} macros[] = {
	{"all", 2, LOOP_ALL, 1, false},
	{"exists", 2, LOOP_EXISTS, 1, false},
	{"exists_one", 2, LOOP_EXISTS_ONE, 1, false},
	{"existsOne", 2, LOOP_EXISTS_ONE, 1, false},
	{"map", 2, LOOP_MAP, 1, false},
	{"map", 3, LOOP_MAP, 1, true},
	{"filter", 2, LOOP_FILTER, 1, false},
	{"all", 3, LOOP_ALL, 2, false},
	{"exists", 3, LOOP_EXISTS, 2, false},
	{"exists_one", 3, LOOP_EXISTS_ONE, 2, false},
	{"existsOne", 3, LOOP_EXISTS_ONE, 2, false},
	{"transformList", 3, LOOP_MAP, 2, false},
	{"transformList", 4, LOOP_MAP, 2, true},
	{"transformMap", 3, LOOP_TRANSFORM_MAP, 2, false},
	{"transformMap", 4, LOOP_TRANSFORM_MAP, 2, true},
	{"transformMapEntry", 3, LOOP_TRANSFORM_ENTRY, 2, false},
	{"transformMapEntry", 4, LOOP_TRANSFORM_ENTRY, 2, true},
	{"optMap", 2, LOOP_OPT_MAP, 1, false},
	{"optFlatMap", 2, LOOP_OPT_FLAT_MAP, 1, false},
};

static struct node *expand_has(struct parser *parser, struct node *call)
{
	struct node *field = call->args[0];
	if (field->kind != NODE_SELECT || field->is_optional)
		return parse_fail(parser, ERR_CEL_MACRO, field->span, "has() wants a field, as in has(lead.email)",
				  field->kind == NODE_CALL && slice_is(field->name, "[]")
					  ? "for a key write `\"key\" in map`"
					  : NULL);
	field->kind = NODE_HAS;
	field->span = call->span;
	return field;
}

/* The variable name that argument `from` of the call must be. */
static bool take_variable(struct parser *parser, struct loop *loop, const struct node *call, uint32_t from)
{
	const struct node *variable = call->args[from];
	if (variable->kind != NODE_NAME || variable->is_rooted) {
		const char *message = arena_printf(parser->keep, "argument %u of %.*s() must be a plain name", from,
						   SLICE_ARG(call->name));
		parse_fail(parser, ERR_CEL_MACRO, variable->span, message,
			   "it names the item, as in tags.exists(tag, tag == \"vip\")");
		return false;
	}
	for (uint32_t i = 0; i < loop->name_count; i++)
		if (slice_equal(loop->names[i], variable->name)) {
			parse_fail(parser, ERR_CEL_MACRO, variable->span, "the two variables have the same name", NULL);
			return false;
		}
	loop->names[loop->name_count] = variable->name;
	loop->name_spans[loop->name_count++] = variable->span;
	return true;
}

static struct node *expand_loop(struct parser *parser, struct node *call, const struct macro *macro)
{
	struct node *node = parse_new_node(parser, NODE_LOOP, call->span);
	if (node == NULL)
		return NULL;
	struct loop *loop = arena_alloc(parser->work, sizeof *loop);
	loop->kind = macro->kind;
	for (uint32_t i = 1; i <= macro->name_count; i++)
		if (!take_variable(parser, loop, call, i))
			return NULL;
	uint32_t next = 1 + macro->name_count;
	bool guards = macro->has_guard || macro->kind == LOOP_FILTER || macro->kind == LOOP_ALL ||
		      macro->kind == LOOP_EXISTS || macro->kind == LOOP_EXISTS_ONE;
	if (guards)
		loop->guard = call->args[next++];
	if (next < call->arg_count)
		loop->body = call->args[next];
	node->loop = loop;
	node->name = call->name;
	node->name_span = call->name_span;
	node->depth = call->depth; /* guard and body are below it too */
	return parse_add_arg(parser, node, call->args[0]) ? node : NULL;
}

static struct node *expand_bind(struct parser *parser, struct node *call)
{
	struct node *node = parse_new_node(parser, NODE_BIND, call->span);
	if (node == NULL)
		return NULL;
	struct loop *loop = arena_alloc(parser->work, sizeof *loop);
	if (!take_variable(parser, loop, call, 1))
		return NULL;
	node->loop = loop;
	node->name = call->name;
	node->name_span = call->name_span;
	if (!parse_add_arg(parser, node, call->args[2]) || !parse_add_arg(parser, node, call->args[3]))
		return NULL;
	return node;
}

/* ---- cel.block([a, b], result): what optimisers of other engines write. Shared parts are bound to names that no text
 * can spell; cel.index(0) and cel.iterVar(0, 0) are such names. */

static struct node *expand_block(struct parser *parser, struct node *call)
{
	const struct node *parts = call->args[1];
	struct node *body = call->args[2];
	if (parts->kind != NODE_LIST)
		return parse_fail(parser, ERR_CEL_MACRO, parts->span, "cel.block() wants a list literal", NULL);
	for (uint32_t i = parts->arg_count; i-- > 0;) {
		struct node *bind = parse_new_node(parser, NODE_BIND, call->span);
		if (bind == NULL)
			return NULL;
		bind->loop = arena_alloc(parser->work, sizeof *bind->loop);
		bind->loop->names[0] = slice_of(arena_printf(parser->keep, "@index%u", i));
		bind->loop->name_count = 1;
		if (!parse_add_arg(parser, bind, parts->args[i]) || !parse_add_arg(parser, bind, body))
			return NULL;
		body = bind;
	}
	return body;
}

static struct node *expand_numbered(struct parser *parser, struct node *call, const char *prefix)
{
	const char *name = prefix;
	for (uint32_t i = 1; i < call->arg_count; i++) {
		const struct node *number = call->args[i];
		if (number->kind != NODE_CONST || number->value.kind != CEL_INT)
			return parse_fail(parser, ERR_CEL_MACRO, number->span, "a number is wanted here", NULL);
		name = arena_printf(parser->keep, i == 1 ? "%s%lld" : "%s:%lld", name,
				    (long long)number->value.as.integer);
	}
	struct node *node = parse_new_node(parser, NODE_NAME, call->span);
	if (node != NULL)
		node->name = slice_of(name);
	return node;
}

static bool is_cel_call(const struct node *call, const char *name, uint32_t arg_count)
{
	const struct node *target = call->args[0];
	return call->is_method && call->arg_count == 1 + arg_count && slice_is(call->name, name) &&
	       target->kind == NODE_NAME && slice_is(target->name, "cel");
}

struct node *macro_expand(struct parser *parser, struct node *call)
{
	if (!call->is_method)
		return call->arg_count == 1 && slice_is(call->name, "has") ? expand_has(parser, call) : call;
	if (is_cel_call(call, "bind", 3))
		return expand_bind(parser, call);
	if (is_cel_call(call, "block", 2))
		return expand_block(parser, call);
	if (is_cel_call(call, "index", 1))
		return expand_numbered(parser, call, "@index");
	if (is_cel_call(call, "iterVar", 2))
		return expand_numbered(parser, call, "@it");
	for (size_t i = 0; i < sizeof macros / sizeof *macros; i++)
		if (call->arg_count == 1 + macros[i].arg_count && slice_is(call->name, macros[i].name))
			return expand_loop(parser, call, &macros[i]);
	return call;
}
