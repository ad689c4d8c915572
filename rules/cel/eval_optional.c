/* SPDX-License-Identifier: Apache-2.0
 *
 * Optional values: a.?b and a[?b] give optional.none() where a.b and a[b] would fail for want of a key; and the
 * functions of optionals.
 */
#include "rules/cel/code.h"
#include "rules/cel/stdlib.h"

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
	return value.kind == CEL_ERROR || value.kind == CEL_OPTIONAL ? value : run_some(run, value);
}

/* A node that gives `value`, on the stack of the caller. */
static struct code given(const struct code *like, struct cel_value value)
{
	struct code code = {.run = code_const, .span = like->span};
	code.u.value = value;
	return code;
}

/* What an optional holds, or the value itself. Operands come evaluated: evaluating them again here would double the work
 * at every level of nesting. */
static struct cel_value content_of(struct cel_value value)
{
	return value.kind == CEL_OPTIONAL ? *value.as.inner : value;
}

/* Also of a declared object, whose fields have a value when they are absent. */
struct cel_value code_select_through(const struct code *code, struct cel_run *run, struct cel_value target)
{
	if (target.kind == CEL_ERROR || (target.kind == CEL_OPTIONAL && target.as.inner == NULL))
		return target.kind == CEL_ERROR ? wrap(run, target) : target;
	struct code content = given(code->a, content_of(target)), inner = *code;
	inner.a = &content;
	if (content.u.value.kind == CEL_OBJECT) {
		struct cel_value is_there = code_has_key(&inner, run);
		if (is_there.kind == CEL_BOOL && !is_there.as.boolean)
			return none();
	}
	return wrap(run, code_select(&inner, run));
}

struct cel_value code_index_through(const struct code *code, struct cel_run *run, const struct cel_value pair[2])
{
	if (pair[0].kind == CEL_OPTIONAL && pair[0].as.inner == NULL)
		return pair[0];
	struct code content = given(code->a, content_of(pair[0])), index = given(code->b, pair[1]), inner = *code;
	inner.a = &content;
	inner.b = &index;
	return wrap(run, code_index(&inner, run));
}

struct cel_value code_optional_select(const struct code *code, struct cel_run *run)
{
	return code_select_through(code, run, code_run(code->a, run));
}

struct cel_value code_optional_index(const struct code *code, struct cel_run *run)
{
	struct cel_value pair[2] = {code_run(code->a, run), cel_null()};
	if (pair[0].kind == CEL_ERROR)
		return wrap(run, pair[0]);
	pair[1] = code_run(code->b, run);
	return pair[1].kind == CEL_ERROR ? pair[1] : code_index_through(code, run, pair);
}

struct cel_value code_optional_has(const struct code *code, struct cel_run *run, struct cel_value target)
{
	if (target.as.inner == NULL)
		return cel_bool(false);
	struct code content = given(code->a, *target.as.inner), inner = *code;
	inner.a = &content;
	return code_has_key(&inner, run);
}

/* ---- functions */

static struct cel_value optional_of(struct cel_run *run, const struct cel_value *args)
{
	return run_some(run, args[0]);
}

static struct cel_value optional_none(struct cel_run *run, const struct cel_value *args)
{
	(void)run;
	(void)args;
	return none();
}

static bool is_zero(struct cel_value value)
{
	switch ((enum cel_kind)value.kind) {
	case CEL_NULL:
		return true;
	case CEL_BOOL:
		return !value.as.boolean;
	case CEL_STRING:
	case CEL_BYTES:
		return value.len == 0;
	case CEL_INT:
	case CEL_UINT:
	case CEL_DURATION:
		return value.as.integer == 0;
	case CEL_DOUBLE:
		return value.as.number == 0;
	case CEL_LIST:
		return value.as.list->count == 0;
	case CEL_MAP:
		return value.as.map->count == 0;
	case CEL_OPTIONAL:
		return value.as.inner == NULL;
	default:
		return false;
	}
}

static struct cel_value optional_of_non_zero(struct cel_run *run, const struct cel_value *args)
{
	return is_zero(args[0]) ? none() : run_some(run, args[0]);
}

static struct cel_value optional_has_value(struct cel_run *run, const struct cel_value *args)
{
	(void)run;
	return cel_bool(args[0].as.inner != NULL);
}

static struct cel_value optional_value(struct cel_run *run, const struct cel_value *args)
{
	return args[0].as.inner != NULL ? *args[0].as.inner
					: cel_fail(run, ERR_CEL_NO_KEY, "optional.none() has no value");
}

static struct cel_value optional_or(struct cel_run *run, const struct cel_value *args)
{
	(void)run;
	return args[0].as.inner != NULL ? args[0] : args[1];
}

static struct cel_value optional_or_value(struct cel_run *run, const struct cel_value *args)
{
	(void)run;
	return args[0].as.inner != NULL ? *args[0].as.inner : args[1];
}

#define OPT &type_optional_a
#define A &type_a
#define METHOD(text, gives, count, fn, ...)                                                                            \
	{.name = text, .is_method = true, .arity = count, .result = gives, .params = {__VA_ARGS__}, .call = fn}

static const struct cel_function optionals[] = {
	{.name = "optional.of", .arity = 1, .result = OPT, .params = {A}, .call = optional_of},
	{.name = "optional.ofNonZeroValue", .arity = 1, .result = OPT, .params = {A}, .call = optional_of_non_zero},
	{.name = "optional.none", .arity = 0, .result = OPT, .call = optional_none},
	METHOD("hasValue", &cel_type_bool, 1, optional_has_value, OPT),
	METHOD("value", A, 1, optional_value, OPT),
	METHOD("or", OPT, 2, optional_or, OPT, OPT),
	METHOD("orValue", A, 2, optional_or_value, OPT, A),
};

struct function_table stdlib_optionals(void)
{
	return (struct function_table){optionals, sizeof optionals / sizeof *optionals};
}
