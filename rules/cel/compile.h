/* SPDX-License-Identifier: Apache-2.0
 *
 * Checked tree to closures, folding what is constant on the way.
 */
#ifndef LR_RULES_CEL_COMPILE_H
#define LR_RULES_CEL_COMPILE_H

#include "rules/cel/code.h"

struct owned_regex {
	struct regex *regex;
	struct owned_regex *next;
};

struct compiler {
	const struct cel_env *env;
	struct cel_issues *issues;
	struct arena *work, *keep;
	struct owned_regex *regexes; /* of the program; freed by cel_program_done */
	uint64_t fold_steps_left;
};

enum { FOLD_STEPS = 20000 };

/* Never fails as such: a constant part that cannot be computed becomes an issue, unless the env is lenient. Folded nodes
 * become NODE_CONST. */
const struct code *compile_node(struct compiler *compiler, struct node *node);

/* Computes `code` now when it depends on nothing. Returns it, or the constant that took its place. */
const struct code *fold_constant(struct compiler *compiler, struct node *node, const struct code *code);

/* Operators and calls (compile_call.c). */
const struct code *compile_call(struct compiler *compiler, struct node *node);
struct code *code_new(struct compiler *compiler, const struct node *node, code_fn run);
const struct code *const *compile_args(struct compiler *compiler, struct node *node);

#endif
