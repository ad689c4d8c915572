/* SPDX-License-Identifier: Apache-2.0
 *
 * Warnings: what is valid CEL but is hardly meant.
 */
#ifndef LR_RULES_CEL_LINT_H
#define LR_RULES_CEL_LINT_H

#include "rules/cel/ast.h"

/* Walks a compiled tree. Warns of optional fields whose default could make a comparison true, and of conditions that do
 * not depend on their input. */
void lint_expression(const struct node *root, struct cel_issues *issues, struct arena *keep);

#endif
