/* SPDX-License-Identifier: Apache-2.0
 *
 * Walks the checked tree. Its depth is bounded by CEL_MAX_DEPTH, so is the recursion.
 */
#include "rules/cel/paths.h"

#include <string.h>

#include "rules/cel/program.h"

struct collect {
	struct cel_path *paths;
	size_t count, room;
	struct arena *keep;
};

static bool is_same(const struct cel_path *a, const struct cel_path *b)
{
	return a->slot == b->slot && a->count == b->count && memcmp(a->path, b->path, a->count * sizeof *a->path) == 0;
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

/* True when the node is a path and was taken. */
static bool take_path(struct collect *collect, const struct node *node)
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
	take(collect, &path);
	return true;
}

static void walk(struct collect *collect, const struct node *node)
{
	if (take_path(collect, node))
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
