/* SPDX-License-Identifier: Apache-2.0
 *
 * Walks the checked tree. Its depth is bounded by CEL_MAX_DEPTH, so is the recursion.
 */
#include "rules/cel/paths.h"

#include <string.h>

#include "rules/cel/program.h"
#include "rules/cel/value.h"

struct collect {
	struct cel_path *paths;
	size_t count, room;
	struct arena *keep;
};

static bool is_same(const struct cel_path *a, const struct cel_path *b)
{
	return a->slot == b->slot && a->count == b->count && memcmp(a->path, b->path, a->count * sizeof *a->path) == 0 &&
	       slice_equal(a->member, b->member) && a->asked == b->asked && slice_equal(a->word, b->word);
}

static void take(struct collect *collect, const struct cel_path *path)
{
	for (size_t i = 0; i < collect->count; i++)
		if (is_same(&collect->paths[i], path))
			return;
	if (collect->count == collect->room) {
		collect->room = collect->room ? collect->room * 2 : 8;
		struct cel_path *more = arena_array(collect->keep, collect->room, sizeof *more);
		if (collect->count != 0)
			memcpy(more, collect->paths, collect->count * sizeof *more);
		collect->paths = more;
	}
	collect->paths[collect->count++] = *path;
}

static bool is_field(const struct node *node)
{
	return (node->kind == NODE_SELECT || node->kind == NODE_HAS) && node->resolution == RESOLVED_FIELD;
}

/* False: the node is no path. */
static bool read_path(const struct node *node, struct cel_path *ret_path)
{
	const struct node *root = node;
	uint32_t depth = 0;
	for (; is_field(root); root = root->args[0])
		depth++;
	if ((root->kind != NODE_NAME && root->kind != NODE_SELECT) || root->resolution != RESOLVED_SLOT)
		return false;
	struct cel_path path = {.slot = root->index, .offset = node->span.offset, .length = node->span.length};
	path.count = depth < CEL_MAX_PATH ? depth : CEL_MAX_PATH;
	for (; depth > 0; depth--, node = node->args[0])
		if (depth <= CEL_MAX_PATH)
			path.path[depth - 1] = node->index;
	*ret_path = path;
	return true;
}

static bool take_path(struct collect *collect, const struct node *node)
{
	struct cel_path path;
	if (!read_path(node, &path))
		return false;
	take(collect, &path);
	return true;
}

/* ---- members of maps that are only compared */

static bool is_text(const struct node *node)
{
	return node->kind == NODE_CONST && node->value.kind == CEL_STRING;
}

/* lead.attributes.tier, lead.attributes["tier"], has(lead.attributes.tier) */
static bool read_member(const struct node *node, struct cel_path *ret_path)
{
	bool is_index = node->kind == NODE_CALL && node->is_operator && slice_is(node->name, "[]") && is_text(node->args[1]);
	bool is_select = (node->kind == NODE_SELECT || node->kind == NODE_HAS) && node->resolution == RESOLVED_NOT;
	if ((!is_index && !is_select) || node->is_optional || !read_path(node->args[0], ret_path) || ret_path->count == 0)
		return false;
	ret_path->member = is_index ? cel_slice(node->args[1]->value) : node->name;
	ret_path->offset = node->span.offset;
	ret_path->length = node->span.length;
	return true;
}

static void take_word(struct collect *collect, struct cel_path path, enum cel_asked asked, const struct node *text)
{
	path.asked = asked;
	path.word = cel_slice(text->value);
	take(collect, &path);
}

static bool take_listed(struct collect *collect, const struct cel_path *path, const struct node *list)
{
	for (uint32_t i = 0; i < list->arg_count; i++)
		if (list->kind != NODE_LIST || list->arg_is_optional != NULL || !is_text(list->args[i]))
			return false;
	for (uint32_t i = 0; i < list->arg_count; i++)
		take_word(collect, *path, CEL_ASKED_TEXT, list->args[i]);
	return list->kind == NODE_LIST && list->arg_count > 0;
}

/* True when the node asks no more of a member than how it compares, and that was taken. */
static bool take_member(struct collect *collect, const struct node *node)
{
	struct cel_path path;
	if (node->kind == NODE_HAS && read_member(node, &path)) {
		take(collect, &path);
		return true;
	}
	if (node->kind != NODE_CALL || !node->is_operator || node->arg_count != 2)
		return false;
	const struct node *left = node->args[0], *right = node->args[1];
	bool is_in = slice_is(node->name, "in"), is_equal = slice_is(node->name, "==") || slice_is(node->name, "!=");
	if (is_in && read_member(left, &path))
		return take_listed(collect, &path, right);
	if (is_equal && is_text(left) && read_member(right, &path))
		take_word(collect, path, CEL_ASKED_TEXT, left);
	else if (is_equal && is_text(right) && read_member(left, &path))
		take_word(collect, path, CEL_ASKED_TEXT, right);
	else if (is_in && is_text(left) && read_member(right, &path))
		take_word(collect, path, CEL_ASKED_LIST, left);
	else
		return false;
	return true;
}

static void walk(struct collect *collect, const struct node *node)
{
	if (take_member(collect, node) || take_path(collect, node))
		return;
	for (uint32_t i = 0; i < node->arg_count; i++)
		walk(collect, node->args[i]);
	if (node->kind != NODE_LOOP)
		return;
	if (node->loop->guard != NULL)
		walk(collect, node->loop->guard);
	if (node->loop->body != NULL)
		walk(collect, node->loop->body);
}

void program_find_paths(struct cel_program *program, const struct node *root, struct arena *keep)
{
	struct collect collect = {.keep = keep};
	walk(&collect, root);
	program->paths = collect.paths;
	program->path_count = collect.count;
}

const struct cel_path *cel_program_paths(const struct cel_program *program, size_t *ret_count)
{
	*ret_count = program->path_count;
	return program->paths;
}
