/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/cel/lint.h"

void lint_expression(const struct node *root, struct cel_issues *issues, struct arena *keep)
{
	if (root->kind == NODE_CONST && root->value.kind == CEL_BOOL && !root->value.as.boolean)
		issue_warn(issues, keep, ERR_CEL_CONSTANT, root->span, "this is never true");
}
