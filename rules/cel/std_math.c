/* SPDX-License-Identifier: Apache-2.0
 *
 * The "math" extension. math.greatest and math.least take any number of arguments; the checker gathers them into one
 * list.
 */
#include <math.h>

#include "rules/cel/run.h"
#include "rules/cel/stdlib.h"

/* ---- the greatest and the least */

static bool is_number(struct cel_value value)
{
	return value.kind == CEL_INT || value.kind == CEL_UINT || value.kind == CEL_DOUBLE;
}

static struct cel_value extreme(struct cel_run *run, struct cel_value numbers, enum cel_order wanted)
{
	const struct cel_list *list = numbers.as.list;
	if (list->count == 0)
		return cel_fail(run, ERR_CEL_ARGUMENT, "of no numbers there is no greatest or least");
	if (!run_spend(run, list->count))
		return run_exhausted(run);
	for (uint32_t i = 0; i < list->count; i++)
		if (!is_number(list->items[i]))
			return run_no_overload(run, SLICE("math.greatest"), &list->items[i], 1);
	struct cel_value best = list->items[0];
	for (uint32_t i = 1; i < list->count; i++)
		if (cel_compare(list->items[i], best) == wanted)
			best = list->items[i];
	return best;
}

static struct cel_value greatest_of(struct cel_run *run, const struct cel_value *args)
{
	return extreme(run, args[0], CEL_MORE);
}

static struct cel_value least_of(struct cel_run *run, const struct cel_value *args)
{
	return extreme(run, args[0], CEL_LESS);
}

static struct cel_value itself(struct cel_run *run, const struct cel_value *args)
{
	(void)run;
	return args[0];
}

/* ---- doubles */

static struct cel_value double_ceil(struct cel_run *run, const struct cel_value *args)
{
	(void)run;
	return cel_double(ceil(args[0].as.number));
}

static struct cel_value double_floor(struct cel_run *run, const struct cel_value *args)
{
	(void)run;
	return cel_double(floor(args[0].as.number));
}

static struct cel_value double_round(struct cel_run *run, const struct cel_value *args)
{
	(void)run;
	return cel_double(round(args[0].as.number));
}

static struct cel_value double_trunc(struct cel_run *run, const struct cel_value *args)
{
	(void)run;
	return cel_double(trunc(args[0].as.number));
}

static struct cel_value double_is_nan(struct cel_run *run, const struct cel_value *args)
{
	(void)run;
	return cel_bool(isnan(args[0].as.number));
}

static struct cel_value double_is_inf(struct cel_run *run, const struct cel_value *args)
{
	(void)run;
	return cel_bool(isinf(args[0].as.number));
}

static struct cel_value double_is_finite(struct cel_run *run, const struct cel_value *args)
{
	(void)run;
	return cel_bool(isfinite(args[0].as.number));
}

static struct cel_value root(struct cel_run *run, const struct cel_value *args)
{
	(void)run;
	if (args[0].kind == CEL_INT)
		return cel_double(sqrt((double)args[0].as.integer));
	return cel_double(sqrt(args[0].kind == CEL_UINT ? (double)args[0].as.natural : args[0].as.number));
}

/* ---- magnitude and sign */

static struct cel_value int_abs(struct cel_run *run, const struct cel_value *args)
{
	if (args[0].as.integer == INT64_MIN)
		return cel_fail(run, ERR_CEL_OVERFLOW, "int overflow");
	return cel_int(args[0].as.integer < 0 ? -args[0].as.integer : args[0].as.integer);
}

static struct cel_value double_abs(struct cel_run *run, const struct cel_value *args)
{
	(void)run;
	return cel_double(fabs(args[0].as.number));
}

static struct cel_value int_sign(struct cel_run *run, const struct cel_value *args)
{
	(void)run;
	return cel_int((args[0].as.integer > 0) - (args[0].as.integer < 0));
}

static struct cel_value uint_sign(struct cel_run *run, const struct cel_value *args)
{
	(void)run;
	return cel_uint(args[0].as.natural != 0);
}

static struct cel_value double_sign(struct cel_run *run, const struct cel_value *args)
{
	(void)run;
	double number = args[0].as.number;
	return isnan(number) ? args[0] : cel_double((number > 0) - (number < 0));
}

/* ---- bits; the same for int and uint, as both have 64 */

static struct cel_value bits(struct cel_value like, uint64_t word)
{
	return like.kind == CEL_UINT ? cel_uint(word) : cel_int((int64_t)word);
}

static struct cel_value bits_and(struct cel_run *run, const struct cel_value *args)
{
	(void)run;
	return bits(args[0], args[0].as.natural & args[1].as.natural);
}

static struct cel_value bits_or(struct cel_run *run, const struct cel_value *args)
{
	(void)run;
	return bits(args[0], args[0].as.natural | args[1].as.natural);
}

static struct cel_value bits_xor(struct cel_run *run, const struct cel_value *args)
{
	(void)run;
	return bits(args[0], args[0].as.natural ^ args[1].as.natural);
}

static struct cel_value bits_not(struct cel_run *run, const struct cel_value *args)
{
	(void)run;
	return bits(args[0], ~args[0].as.natural);
}

static struct cel_value negative_shift(struct cel_run *run)
{
	return cel_fail(run, ERR_CEL_ARGUMENT, "a shift cannot be negative");
}

static struct cel_value bits_left(struct cel_run *run, const struct cel_value *args)
{
	int64_t by = args[1].as.integer;
	return by < 0 ? negative_shift(run) : bits(args[0], by > 63 ? 0 : args[0].as.natural << by);
}

/* Zeros come in from the left, for ints too. */
static struct cel_value bits_right(struct cel_run *run, const struct cel_value *args)
{
	int64_t by = args[1].as.integer;
	return by < 0 ? negative_shift(run) : bits(args[0], by > 63 ? 0 : args[0].as.natural >> by);
}

static const struct cel_type ints = {.kind = CEL_LIST, .item = &cel_type_int};
static const struct cel_type uints = {.kind = CEL_LIST, .item = &cel_type_uint};
static const struct cel_type doubles = {.kind = CEL_LIST, .item = &cel_type_double};
/* only list(dyn) itself: the mixed list of several arguments */
#define ANY_LIST &cel_type_list

#define ROW(text, gives, count, fn, ...)                                                                               \
	{.name = "math." text, .arity = count, .result = gives, .params = {__VA_ARGS__}, .call = fn}
#define INT &cel_type_int
#define UINT &cel_type_uint
#define DOUBLE &cel_type_double
#define EXTREME(text, of_list)                                                                                         \
	ROW(text, INT, 1, itself, INT), ROW(text, UINT, 1, itself, UINT), ROW(text, DOUBLE, 1, itself, DOUBLE),        \
		ROW(text, INT, 1, of_list, &ints), ROW(text, UINT, 1, of_list, &uints),                                \
		ROW(text, DOUBLE, 1, of_list, &doubles), ROW(text, &cel_type_dyn, 1, of_list, ANY_LIST)
#define BITS(text, fn) ROW(text, INT, 2, fn, INT, INT), ROW(text, UINT, 2, fn, UINT, UINT)
#define SHIFT(text, fn) ROW(text, INT, 2, fn, INT, INT), ROW(text, UINT, 2, fn, UINT, INT)

static const struct cel_function maths[] = {
	EXTREME("greatest", greatest_of),
	EXTREME("least", least_of),
	ROW("ceil", DOUBLE, 1, double_ceil, DOUBLE),
	ROW("floor", DOUBLE, 1, double_floor, DOUBLE),
	ROW("round", DOUBLE, 1, double_round, DOUBLE),
	ROW("trunc", DOUBLE, 1, double_trunc, DOUBLE),
	ROW("isNaN", &cel_type_bool, 1, double_is_nan, DOUBLE),
	ROW("isInf", &cel_type_bool, 1, double_is_inf, DOUBLE),
	ROW("isFinite", &cel_type_bool, 1, double_is_finite, DOUBLE),
	ROW("sqrt", DOUBLE, 1, root, INT),
	ROW("sqrt", DOUBLE, 1, root, UINT),
	ROW("sqrt", DOUBLE, 1, root, DOUBLE),
	ROW("abs", INT, 1, int_abs, INT),
	ROW("abs", UINT, 1, itself, UINT),
	ROW("abs", DOUBLE, 1, double_abs, DOUBLE),
	ROW("sign", INT, 1, int_sign, INT),
	ROW("sign", UINT, 1, uint_sign, UINT),
	ROW("sign", DOUBLE, 1, double_sign, DOUBLE),
	BITS("bitAnd", bits_and),
	BITS("bitOr", bits_or),
	BITS("bitXor", bits_xor),
	ROW("bitNot", INT, 1, bits_not, INT),
	ROW("bitNot", UINT, 1, bits_not, UINT),
	SHIFT("bitShiftLeft", bits_left),
	SHIFT("bitShiftRight", bits_right),
};

struct function_table stdlib_math(void)
{
	return (struct function_table){maths, sizeof maths / sizeof *maths};
}
