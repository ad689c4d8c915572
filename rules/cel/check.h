/* SPDX-License-Identifier: Apache-2.0
 *
 * Names and types: every node gets its type, names their slot, fields their index, calls their possible overloads.
 * In unchecked mode the same walk resolves names and overloads, but refuses nothing.
 */
#ifndef LR_RULES_CEL_CHECK_H
#define LR_RULES_CEL_CHECK_H

#include "rules/cel/ast.h"
#include "rules/cel/unify.h"

/* A macro variable, while its body is checked. */
struct scope {
	struct slice name;
	const struct cel_type *type;
	uint32_t local;
	const struct scope *up;
};

struct checker {
	const struct cel_env *env;
	struct cel_issues *issues;
	struct arena *work, *keep;
	struct unifier unifier;
	const struct scope *scope;
	const struct node *base; /* the last operand that something was selected from or called on */
	uint32_t local_count;    /* in use now */
};

struct check_input {
	const struct cel_env *env;
	const struct cel_type *wanted; /* NULL: any */
	struct cel_issues *issues;
	struct arena *work, *keep;
};

/* Checks the tree. Issues tell what is wrong; the types are final in either case. */
void check_expression(const struct check_input *input, struct node *root);

/* Between check.c, check_name.c and check_call.c. Each returns the node's type, dyn after an issue. */
const struct cel_type *check_node(struct checker *checker, struct node *node);
const struct cel_type *check_name(struct checker *checker, struct node *node);
const struct cel_type *check_select(struct checker *checker, struct node *node);
const struct cel_type *check_call(struct checker *checker, struct node *node);
/* "a.b.c" when the node is such a path of names and no macro variable stands first; NULL otherwise. */
const char *check_path(struct checker *checker, const struct node *node);
/* Is the path a variable or type? Then the node is resolved and *ret_type set. */
bool check_resolve_path(struct checker *checker, struct node *node, const char *path, bool is_rooted,
			const struct cel_type **ret_type);
const char *check_type_text(struct checker *checker, const struct cel_type *type);

#endif
