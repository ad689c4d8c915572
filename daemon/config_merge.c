/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config_merge.h"

#include <stdlib.h>

#include "rules/base/arena.h"
#include "rules/base/diag.h"
#include "rules/base/mem.h"
#include "rules/json/tree.h"

struct merge_section {
	struct node_member member; /* its value is the only part, or the copy that united parts are collected in */
	struct node *united;       /* that copy; NULL while there is one part */
};

static struct merge_section *find_section(struct merge *merge, struct slice name)
{
	for (size_t i = 0; i < merge->count; i++)
		if (slice_equal(merge->sections[i].member.key->text, name))
			return &merge->sections[i];
	return NULL;
}

static void report_twice(struct merge *merge, const struct node *key, const struct node *first)
{
	struct diag *diag = diags_add(merge->diags, ERR_DUPLICATE, key->span, "the key `%.*s` is in two files",
	                              SLICE_ARG(key->text));
	diag_second(merge->diags, diag, first->span, "first defined here");
}

static void append_items(struct merge *merge, struct node *united, const struct node *part)
{
	const struct node **items = arena_array(merge->arena, united->count + part->count, sizeof *items);
	for (size_t i = 0; i < united->count; i++)
		items[i] = united->items[i];
	for (size_t i = 0; i < part->count; i++)
		items[united->count + i] = part->items[i];
	united->items = items;
	united->count += part->count;
}

static void append_members(struct merge *merge, struct node *united, const struct node *part)
{
	struct node_member *members = arena_array(merge->arena, united->count + part->count, sizeof *members);
	size_t count = united->count;
	for (size_t i = 0; i < count; i++)
		members[i] = united->members[i];
	for (size_t i = 0; i < part->count; i++) {
		const struct node_member *first = node_find(united, part->members[i].key->text);
		if (first != NULL)
			report_twice(merge, part->members[i].key, first->key);
		else
			members[count++] = part->members[i];
	}
	united->members = members;
	united->count = count;
}

static void unite(struct merge *merge, struct merge_section *section, const struct node_member *part)
{
	const struct node *before = section->member.value, *after = part->value;
	if (node_is_empty(after))
		return;
	if (node_is_empty(before)) {
		section->member = *part;
		return;
	}
	if (before->kind == NODE_SCALAR || before->kind != after->kind) {
		report_twice(merge, part->key, section->member.key);
		merge->is_lossy = true;
		return;
	}
	if (section->united == NULL) {
		section->united = arena_alloc(merge->arena, sizeof *section->united);
		*section->united = *before;
		section->member.value = section->united;
	}
	if (after->kind == NODE_SEQUENCE)
		append_items(merge, section->united, after);
	else
		append_members(merge, section->united, after);
}

void merge_add(struct merge *merge, const struct node *root)
{
	if (merge->first_root == NULL)
		merge->first_root = root;
	for (size_t i = 0; i < root->count; i++) {
		struct merge_section *section = find_section(merge, root->members[i].key->text);
		if (section != NULL) {
			unite(merge, section, &root->members[i]);
			continue;
		}
		merge->sections = xreallocarray(merge->sections, merge->count + 1, sizeof *merge->sections);
		merge->sections[merge->count++] = (struct merge_section){root->members[i], NULL};
	}
}

const struct node *merge_finish(struct merge *merge)
{
	struct node *root = arena_alloc(merge->arena, sizeof *root);
	struct node_member *members = arena_array(merge->arena, merge->count, sizeof *members);
	for (size_t i = 0; i < merge->count; i++)
		members[i] = merge->sections[i].member;
	root->kind = NODE_MAPPING;
	root->members = members;
	root->count = merge->count;
	if (merge->first_root != NULL)
		root->span = merge->first_root->span;
	free(merge->sections);
	merge->sections = NULL;
	return root;
}
