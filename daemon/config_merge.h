/* SPDX-License-Identifier: Apache-2.0
 *
 * Several trees as one: sections of the same name are united (lists appended, mappings by key). Nodes keep their places.
 */
#ifndef LR_DAEMON_CONFIG_MERGE_H
#define LR_DAEMON_CONFIG_MERGE_H

#include <stdbool.h>
#include <stddef.h>

struct arena;
struct diags;
struct merge_section;
struct node;

struct merge {
	struct arena *arena; /* of all trees and of the result */
	struct diags *diags;
	struct merge_section *sections; /* heap, until merge_finish */
	size_t count;
	const struct node *first_root;
	bool is_lossy; /* a section is in the result only with some of its parts */
};

/* `root` is a mapping. Adds errors: a key of a section in two files, a list in one and a mapping in the other. */
void merge_add(struct merge *merge, const struct node *root);
/* The united tree, a mapping; frees what the merger holds. */
const struct node *merge_finish(struct merge *merge);

#endif
