/* SPDX-License-Identifier: Apache-2.0
 *
 * Warnings: what is valid CEL but hardly meant.
 */
#ifndef LR_RULES_CEL_LINT_H
#define LR_RULES_CEL_LINT_H

#include "rules/cel/ast.h"

struct cel_env;

/* Walks a tree that has been compiled (constants are folded). Warns
 * - of an optional field that is read without has(), unless its default cannot make the condition true:
 *   `lead.intent == "high"` is fine when intent is absent, `lead.employees < 50` is not;
 * - of a text that the field beside it never holds (cel_env.vocabularies);
 * - of a condition that is never true. */
void lint_expression(const struct cel_env *env, const struct node *root, struct slice text, struct cel_issues *issues,
		     struct arena *keep);

/* The vocabularies alone, for one call: `field == "x"`, `field in ["x", "y"]` and the like. */
void lint_vocabulary(const struct cel_env *env, const struct node *call, struct cel_issues *issues, struct arena *keep);

#endif
