/* SPDX-License-Identifier: Apache-2.0
 *
 * Optional values: a.?b and a[?b] give optional.none() where a.b and a[b] would fail for want of a key.
 */
#include "rules/cel/code.h"

static struct cel_value some(struct cel_run *run, struct cel_value value)
{
	struct cel_value *inner = arena_alloc(run->arena, sizeof *inner);
	*inner = value;
	return (struct cel_value){.kind = CEL_OPTIONAL, .as.inner = inner};
}

static struct cel_value none(void)
{
	return (struct cel_value){.kind = CEL_OPTIONAL};
}

static bool is_absence(struct cel_value value)
{
	return value.kind == CEL_ERROR &&
	       (value.as.error->code == ERR_CEL_NO_KEY || value.as.error->code == ERR_CEL_INDEX);
}

static struct cel_value wrap(struct cel_run *run, struct cel_value value)
{
	if (is_absence(value))
		return none();
	return value.kind == CEL_ERROR || value.kind == CEL_OPTIONAL ? value : some(run, value);
}

/* Runs `step` on the content of an optional operand, or on the operand itself. */
static struct cel_value through(const struct code *code, struct cel_run *run, code_fn step)
{
	struct cel_value target = code_run(code->a, run);
	if (target.kind == CEL_OPTIONAL && target.as.inner == NULL)
		return target;
	struct code content = {.run = code_const, .span = code->a->span};
	content.u.value = target.kind == CEL_OPTIONAL ? *target.as.inner : target;
	struct code inner = *code;
	inner.a = &content;
	return wrap(run, target.kind == CEL_ERROR ? target : step(&inner, run));
}

struct cel_value code_optional_select(const struct code *code, struct cel_run *run)
{
	return through(code, run, code_select);
}

struct cel_value code_optional_index(const struct code *code, struct cel_run *run)
{
	return through(code, run, code_index);
}
