/* SPDX-License-Identifier: Apache-2.0
 *
 * A compiled expression, as the files that make and run it see it.
 */
#ifndef LR_RULES_CEL_PROGRAM_H
#define LR_RULES_CEL_PROGRAM_H

#include "rules/cel/compile.h"
#include "rules/cel/conjunct.h"
#include "rules/cel/paths.h"

struct cel_program {
	struct slice text;
	const struct cel_type *type;
	const struct code *root;
	uint64_t cost;
	struct owned_regex *regexes;
	struct cel_conjunct *conjuncts;
	size_t conjunct_count;
	const struct cel_path *paths;
	size_t path_count;
};

/* Describes the top-level clauses of a compiled tree. */
void program_find_conjuncts(struct cel_program *program, const struct node *root, struct arena *keep);
/* Lists what the tree reads; before folding, which takes parts away. */
void program_find_paths(struct cel_program *program, const struct node *root, struct arena *keep);
/* A copy that outlives the tree. */
const struct cel_type *program_keep_type(const struct cel_type *type, struct arena *keep);
/* The static estimate. */
uint64_t program_cost(const struct node *root);

#endif
