/* SPDX-License-Identifier: Apache-2.0
 *
 * Every kind of node but operators and calls, which are in compile_call.c.
 */
#include "rules/cel/compile.h"

static const uint64_t READS_VARIABLE = 1ULL << 63;

struct code *code_new(struct compiler *compiler, const struct node *node, code_fn run)
{
	struct code *code = arena_alloc(compiler->keep, sizeof *code);
	code->run = run;
	code->span = node->span;
	return code;
}

const struct code *const *compile_args(struct compiler *compiler, struct node *node)
{
	const struct code **args = arena_array(compiler->keep, node->arg_count, sizeof(struct code *));
	for (uint32_t i = 0; i < node->arg_count; i++) {
		args[i] = compile_node(compiler, node->args[i]);
		node->free |= node->args[i]->free;
	}
	return args;
}

static const struct code *compile_const(struct compiler *compiler, const struct node *node)
{
	struct code *code = code_new(compiler, node, code_const);
	code->u.value = node->value;
	return code;
}

/* A name that the env does not declare; only unchecked expressions get here. */
static const struct code *compile_unknown(struct compiler *compiler, struct node *node, enum err_code code_number)
{
	struct code *code = code_new(compiler, node, code_fail);
	code->index = code_number;
	code->u.name = (struct slice){arena_memdupz(compiler->keep, node->name.p, node->name.len), node->name.len};
	node->free |= READS_VARIABLE;
	return code;
}

/* A node that check has resolved to something that is not computed from its operand. NULL: it is. */
static const struct code *compile_resolved(struct compiler *compiler, struct node *node)
{
	struct code *code;
	switch (node->resolution) {
	case RESOLVED_SLOT:
		code = code_new(compiler, node, code_slot);
		code->index = node->index;
		node->free = READS_VARIABLE;
		return code;
	case RESOLVED_LOCAL:
		code = code_new(compiler, node, code_local);
		code->index = node->index;
		node->free = 1ULL << node->index;
		return code;
	case RESOLVED_CONST:
		node->kind = NODE_CONST;
		return compile_const(compiler, node);
	case RESOLVED_FIELD:
	case RESOLVED_NOT:
		return NULL;
	}
	return NULL;
}

static const struct code *compile_name(struct compiler *compiler, struct node *node)
{
	const struct code *code = compile_resolved(compiler, node);
	return code != NULL ? code : compile_unknown(compiler, node, ERR_CEL_UNKNOWN_NAME);
}

/* NULL: the node is no field, or one that has to be asked for. */
static const struct cel_member *member_of(const struct node *node)
{
	if (node->kind != NODE_SELECT || node->resolution != RESOLVED_FIELD || node->args[0]->type->kind != CEL_OBJECT)
		return NULL;
	const struct cel_object_type *object = node->args[0]->type->object;
	return object->members != NULL ? &object->members[node->index] : NULL;
}

/* variable.part.field at once, where the parts are one object with the variable; else NULL. */
static const struct code *compile_direct(struct compiler *compiler, struct node *node)
{
	const struct cel_member *member = member_of(node), *part;
	if (member == NULL || (member->layout != CEL_TEXT_AT && member->layout != CEL_INT_AT))
		return NULL;
	const struct node *first = node;
	while ((part = member_of(first->args[0])) != NULL && part->layout == CEL_PART_AT)
		first = first->args[0];
	const struct node *root = first->args[0];
	if (root->resolution != RESOLVED_SLOT)
		return NULL;
	struct code *code = code_new(compiler, node, member->layout == CEL_TEXT_AT ? code_slot_text : code_slot_int);
	code->index = member->offset;
	code->count = root->index;
	code->u.place.object = root->type->object;
	code->u.place.field = first->index;
	node->free = READS_VARIABLE;
	return code;
}

/* The same for variable.field of any other kind. */
static const struct code *compile_slot_field(struct compiler *compiler, struct node *node)
{
	const struct node *target = node->args[0];
	struct code *code = code_new(compiler, node, code_slot_field);
	code->index = node->index;
	code->count = target->index;
	code->u.object = target->type->object;
	node->free = READS_VARIABLE;
	return code;
}

static const struct code *compile_field(struct compiler *compiler, struct node *node)
{
	const struct node *target = node->args[0];
	const struct code *direct = compile_direct(compiler, node);
	if (direct != NULL)
		return direct;
	if (node->kind == NODE_SELECT && target->resolution == RESOLVED_SLOT)
		return compile_slot_field(compiler, node);
	struct code *code = code_new(compiler, node, node->kind == NODE_HAS ? code_has_field : code_field);
	code->a = compile_node(compiler, node->args[0]);
	code->index = node->index;
	code->u.object = target->type->object;
	node->free = target->free;
	return code;
}

static const struct code *compile_select(struct compiler *compiler, struct node *node)
{
	const struct code *resolved = compile_resolved(compiler, node);
	if (resolved != NULL)
		return resolved;
	if (node->resolution == RESOLVED_FIELD && node->args[0]->type->kind == CEL_OBJECT && !node->is_optional)
		return compile_field(compiler, node);
	struct code *code = code_new(compiler, node, node->kind == NODE_HAS ? code_has_key : code_select);
	if (node->is_optional)
		code->run = code_optional_select;
	code->a = compile_node(compiler, node->args[0]);
	code->u.name = node->name;
	node->free = node->args[0]->free;
	return fold_constant(compiler, node, code);
}

static const struct code *compile_logic(struct compiler *compiler, struct node *node)
{
	struct code *code = code_new(compiler, node, node->kind == NODE_AND ? code_and : code_or);
	code->args = compile_args(compiler, node);
	code->count = node->arg_count;
	return fold_constant(compiler, node, code);
}

static const struct code *compile_choice(struct compiler *compiler, struct node *node)
{
	struct code *code = code_new(compiler, node, code_choice);
	const struct code *const *args = compile_args(compiler, node);
	code->a = args[0];
	code->b = args[1];
	code->c = args[2];
	return fold_constant(compiler, node, code);
}

/* A list of constants, which configuration is full of: made at once, without a node per item. */
static const struct code *compile_constant_list(struct compiler *compiler, struct node *node)
{
	struct cel_value *items = arena_array(compiler->keep, node->arg_count, sizeof *items);
	for (uint32_t i = 0; i < node->arg_count; i++)
		items[i] = node->args[i]->value;
	node->kind = NODE_CONST;
	node->value = cel_list_of(compiler->keep, items, node->arg_count);
	return compile_const(compiler, node);
}

static bool is_constant_list(const struct node *node)
{
	for (uint32_t i = 0; i < node->arg_count; i++)
		if (node->args[i]->kind != NODE_CONST)
			return false;
	return node->kind == NODE_LIST && node->arg_is_optional == NULL;
}

static const struct code *compile_literal(struct compiler *compiler, struct node *node)
{
	if (is_constant_list(node))
		return compile_constant_list(compiler, node);
	struct code *code = code_new(compiler, node, node->kind == NODE_LIST ? code_list : code_map);
	code->args = compile_args(compiler, node);
	code->count = node->arg_count;
	if (node->arg_is_optional != NULL) {
		bool *copy = arena_array(compiler->keep, node->arg_count, sizeof *copy);
		memcpy(copy, node->arg_is_optional, node->arg_count * sizeof *copy);
		code->u.is_optional = copy;
	}
	return fold_constant(compiler, node, code);
}

/* Nodes below, without what inner loops multiply: those spend for themselves. */
static uint32_t node_count(const struct node *node)
{
	if (node == NULL)
		return 0;
	uint32_t count = 1;
	for (uint32_t i = 0; i < node->arg_count; i++)
		count += node_count(node->args[i]);
	return count;
}

static const struct code *compile_loop(struct compiler *compiler, struct node *node)
{
	const struct loop *loop = node->loop;
	struct code *code = code_new(compiler, node, code_loop);
	struct code_loop *made = arena_alloc(compiler->keep, sizeof *made);
	made->kind = loop->kind;
	made->local = loop->local;
	made->name_count = loop->name_count;
	made->turn_cost = 1 + node_count(loop->guard) + node_count(loop->body);
	made->range = compile_node(compiler, node->args[0]);
	uint64_t free = 0, own = (loop->name_count == 2 ? 3ULL : 1ULL) << loop->local;
	if (loop->guard != NULL) {
		made->guard = compile_node(compiler, loop->guard);
		free |= loop->guard->free;
	}
	if (loop->body != NULL) {
		made->body = compile_node(compiler, loop->body);
		free |= loop->body->free;
	}
	node->free = node->args[0]->free | (free & ~own);
	code->u.loop = made;
	return fold_constant(compiler, node, code);
}

static const struct code *compile_bind(struct compiler *compiler, struct node *node)
{
	struct code *code = code_new(compiler, node, code_bind);
	code->a = compile_node(compiler, node->args[0]);
	code->b = compile_node(compiler, node->args[1]);
	code->index = node->loop->local;
	node->free = node->args[0]->free | (node->args[1]->free & ~(1ULL << node->loop->local));
	return fold_constant(compiler, node, code);
}

const struct code *compile_node(struct compiler *compiler, struct node *node)
{
	switch (node->kind) {
	case NODE_CONST:
		return compile_const(compiler, node);
	case NODE_NAME:
		return compile_name(compiler, node);
	case NODE_SELECT:
	case NODE_HAS:
		return compile_select(compiler, node);
	case NODE_CALL:
		if (node->overload_count == 0 && !node->is_operator) {
			(void)compile_args(compiler, node); /* for what they depend on */
			return compile_unknown(compiler, node, ERR_CEL_UNKNOWN_FUNCTION);
		}
		return compile_call(compiler, node);
	case NODE_LIST:
	case NODE_MAP:
		return compile_literal(compiler, node);
	case NODE_AND:
	case NODE_OR:
		return compile_logic(compiler, node);
	case NODE_CHOICE:
		return compile_choice(compiler, node);
	case NODE_LOOP:
		return compile_loop(compiler, node);
	case NODE_BIND:
		return compile_bind(compiler, node);
	case NODE_OBJECT:
		break;
	}
	return compile_unknown(compiler, node, ERR_CEL_UNKNOWN_NAME);
}
