/* SPDX-License-Identifier: Apache-2.0
 *
 * Constant folding by the evaluator itself: a node that depends on nothing is run while compiling. The steps for this
 * are bounded per expression; what is left over then is simply computed at run time.
 */
#include "rules/cel/compile.h"

static bool is_worth_telling(const struct compiler *compiler, enum err_code code)
{
	return !compiler->env->is_lenient && !compiler->env->is_unchecked && code != ERR_CEL_STEPS;
}

static bool ends_with(struct slice text, const char *end)
{
	size_t len = strlen(end);
	return text.len >= len && memcmp(text.p + text.len - len, end, len) == 0;
}

static const char *help_for(struct slice message)
{
	if (ends_with(message, "is not a duration"))
		return "as in \"90m\", \"1h30m\", \"48h\"; there is no unit above hours";
	if (ends_with(message, "is not a timestamp"))
		return "as in \"2026-03-01T09:00:00Z\" or \"2026-03-01T09:00:00+01:00\"";
	return NULL;
}

static void refuse(struct compiler *compiler, const struct cel_error *error)
{
	/* an outer constant fails because an inner one did: told once */
	for (size_t i = 0; i < compiler->issues->count; i++)
		if (compiler->issues->items[i].offset == error->offset && compiler->issues->items[i].code == error->code)
			return;
	struct extent span = {error->offset, error->length};
	struct cel_issue *issue =
		issue_refuse(compiler->issues, compiler->keep, error->code, span, "%s", error->text);
	if (issue != NULL)
		issue->help = help_for(slice_of(error->text));
}

const struct code *fold_constant(struct compiler *compiler, struct node *node, const struct code *code)
{
	if (node->free != 0 || compiler->issues->is_refused)
		return code;
	struct cel_run run;
	run.slots = NULL;
	run.arena = compiler->keep;
	run.steps_left = compiler->fold_steps_left;
	run.is_exhausted = false;
	run.at = node->span;
	struct cel_value value = code_run(code, &run);
	compiler->fold_steps_left = run.steps_left;
	if (run.is_exhausted)
		return code;
	if (value.kind == CEL_ERROR) {
		if (is_worth_telling(compiler, value.as.error->code))
			refuse(compiler, value.as.error);
		return code;
	}
	node->kind = NODE_CONST;
	node->value = value;
	struct code *folded = code_new(compiler, node, code_const);
	folded->u.value = value;
	return folded;
}
