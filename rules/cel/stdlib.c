/* SPDX-License-Identifier: Apache-2.0
 *
 * Operators as rows. `==`, `in` and `[]` are compiled to nodes of their own (compile.c); their rows are for the
 * checker and have no function to call.
 */
#include "rules/cel/stdlib.h"

#include <math.h>

#include "rules/cel/run.h"
#include "rules/cel/std_format.h"
#include "rules/cel/time.h"

const struct cel_type type_a = {.kind = CEL_PARAM, .index = 0};
const struct cel_type type_b = {.kind = CEL_PARAM, .index = 1};
const struct cel_type type_list_a = {.kind = CEL_LIST, .item = &type_a};
const struct cel_type type_map_ab = {.kind = CEL_MAP, .key = &type_a, .item = &type_b};
const struct cel_type type_of_a = {.kind = CEL_TYPE, .item = &type_a};
const struct cel_type type_optional_a = {.kind = CEL_OPTIONAL, .item = &type_a};

static struct cel_value overflow(struct cel_run *run, const char *type)
{
	return cel_fail(run, ERR_CEL_OVERFLOW, "%s overflow", type);
}

static struct cel_value by_zero(struct cel_run *run)
{
	return cel_fail(run, ERR_CEL_DIVIDE, "division by zero");
}

/* ---- int */

static struct cel_value int_add(struct cel_run *run, const struct cel_value *args)
{
	int64_t result;
	bool is_over = __builtin_add_overflow(args[0].as.integer, args[1].as.integer, &result);
	return is_over ? overflow(run, "int") : cel_int(result);
}

static struct cel_value int_subtract(struct cel_run *run, const struct cel_value *args)
{
	int64_t result;
	bool is_over = __builtin_sub_overflow(args[0].as.integer, args[1].as.integer, &result);
	return is_over ? overflow(run, "int") : cel_int(result);
}

static struct cel_value int_multiply(struct cel_run *run, const struct cel_value *args)
{
	int64_t result;
	bool is_over = __builtin_mul_overflow(args[0].as.integer, args[1].as.integer, &result);
	return is_over ? overflow(run, "int") : cel_int(result);
}

static struct cel_value int_divide(struct cel_run *run, const struct cel_value *args)
{
	if (args[1].as.integer == 0)
		return by_zero(run);
	if (args[0].as.integer == INT64_MIN && args[1].as.integer == -1)
		return overflow(run, "int");
	return cel_int(args[0].as.integer / args[1].as.integer);
}

static struct cel_value int_remainder(struct cel_run *run, const struct cel_value *args)
{
	if (args[1].as.integer == 0)
		return by_zero(run);
	if (args[0].as.integer == INT64_MIN && args[1].as.integer == -1)
		return overflow(run, "int");
	return cel_int(args[0].as.integer % args[1].as.integer);
}

static struct cel_value int_negate(struct cel_run *run, const struct cel_value *args)
{
	return args[0].as.integer == INT64_MIN ? overflow(run, "int") : cel_int(-args[0].as.integer);
}

/* ---- uint */

static struct cel_value uint_add(struct cel_run *run, const struct cel_value *args)
{
	uint64_t result;
	bool is_over = __builtin_add_overflow(args[0].as.natural, args[1].as.natural, &result);
	return is_over ? overflow(run, "uint") : cel_uint(result);
}

static struct cel_value uint_subtract(struct cel_run *run, const struct cel_value *args)
{
	uint64_t result;
	bool is_over = __builtin_sub_overflow(args[0].as.natural, args[1].as.natural, &result);
	return is_over ? overflow(run, "uint") : cel_uint(result);
}

static struct cel_value uint_multiply(struct cel_run *run, const struct cel_value *args)
{
	uint64_t result;
	bool is_over = __builtin_mul_overflow(args[0].as.natural, args[1].as.natural, &result);
	return is_over ? overflow(run, "uint") : cel_uint(result);
}

static struct cel_value uint_divide(struct cel_run *run, const struct cel_value *args)
{
	return args[1].as.natural == 0 ? by_zero(run) : cel_uint(args[0].as.natural / args[1].as.natural);
}

static struct cel_value uint_remainder(struct cel_run *run, const struct cel_value *args)
{
	return args[1].as.natural == 0 ? by_zero(run) : cel_uint(args[0].as.natural % args[1].as.natural);
}

/* ---- double: IEEE 754, nothing fails */

static struct cel_value double_add(struct cel_run *run, const struct cel_value *args)
{
	(void)run;
	return cel_double(args[0].as.number + args[1].as.number);
}

static struct cel_value double_subtract(struct cel_run *run, const struct cel_value *args)
{
	(void)run;
	return cel_double(args[0].as.number - args[1].as.number);
}

static struct cel_value double_multiply(struct cel_run *run, const struct cel_value *args)
{
	(void)run;
	return cel_double(args[0].as.number * args[1].as.number);
}

/* IEEE 754 defines x / 0; the C language does not, and the sanitizers say so. */
__attribute__((no_sanitize("float-divide-by-zero"))) static struct cel_value double_divide(struct cel_run *run,
											   const struct cel_value *args)
{
	(void)run;
	return cel_double(args[0].as.number / args[1].as.number);
}

static struct cel_value double_negate(struct cel_run *run, const struct cel_value *args)
{
	(void)run;
	return cel_double(-args[0].as.number);
}

/* ---- strings, bytes, lists */

static struct cel_value text_join(struct cel_run *run, const struct cel_value *args)
{
	struct cel_value result = args[0];
	size_t len = (size_t)args[0].len + args[1].len;
	char *bytes = run_bytes(run, len, &result);
	if (bytes == NULL)
		return result;
	if (args[0].len != 0)
		memcpy(bytes, args[0].as.bytes, args[0].len);
	if (args[1].len != 0)
		memcpy(bytes + args[0].len, args[1].as.bytes, args[1].len);
	result.as.bytes = bytes;
	result.len = (uint32_t)len;
	return result;
}

static struct cel_value list_join(struct cel_run *run, const struct cel_value *args)
{
	const struct cel_list *a = args[0].as.list, *b = args[1].as.list;
	size_t count = (size_t)a->count + b->count;
	if (count > CEL_MAX_WEIGHT)
		return cel_fail(run, ERR_CEL_TOO_LARGE, "the list would hold more than %d values", CEL_MAX_WEIGHT);
	struct cel_value *items = arena_array(run->arena, count, sizeof *items);
	if (a->count != 0)
		memcpy(items, a->items, a->count * sizeof *items);
	if (b->count != 0)
		memcpy(items + a->count, b->items, b->count * sizeof *items);
	return run_list(run, items, count);
}

/* ---- time */

static struct cel_value time_shift(struct cel_run *run, struct cel_value at, int64_t nanoseconds)
{
	int64_t whole = nanoseconds / NANOS_PER_SECOND, rest = nanoseconds % NANOS_PER_SECOND + at.len;
	int64_t carry = rest < 0 ? -1 : rest >= NANOS_PER_SECOND;
	int64_t seconds = at.as.integer + whole + carry; /* both far from the limits of 64 bits */
	if (!cel_time_is_valid(seconds))
		return cel_fail(run, ERR_CEL_OVERFLOW, "timestamp out of range");
	return cel_timestamp(seconds, (uint32_t)(rest - carry * NANOS_PER_SECOND));
}

static struct cel_value time_plus_duration(struct cel_run *run, const struct cel_value *args)
{
	return time_shift(run, args[0], args[1].as.integer);
}

static struct cel_value duration_plus_time(struct cel_run *run, const struct cel_value *args)
{
	return time_shift(run, args[1], args[0].as.integer);
}

static struct cel_value time_minus_duration(struct cel_run *run, const struct cel_value *args)
{
	if (args[1].as.integer == INT64_MIN)
		return overflow(run, "duration");
	return time_shift(run, args[0], -args[1].as.integer);
}

static struct cel_value time_minus_time(struct cel_run *run, const struct cel_value *args)
{
	int64_t nanoseconds;
	if (__builtin_mul_overflow(args[0].as.integer - args[1].as.integer, (int64_t)NANOS_PER_SECOND, &nanoseconds) ||
	    __builtin_add_overflow(nanoseconds, (int64_t)args[0].len - (int64_t)args[1].len, &nanoseconds))
		return cel_fail(run, ERR_CEL_OVERFLOW, "duration out of range");
	return cel_duration(nanoseconds);
}

static struct cel_value duration_add(struct cel_run *run, const struct cel_value *args)
{
	int64_t result;
	bool is_over = __builtin_add_overflow(args[0].as.integer, args[1].as.integer, &result);
	return is_over ? overflow(run, "duration") : cel_duration(result);
}

static struct cel_value duration_subtract(struct cel_run *run, const struct cel_value *args)
{
	int64_t result;
	bool is_over = __builtin_sub_overflow(args[0].as.integer, args[1].as.integer, &result);
	return is_over ? overflow(run, "duration") : cel_duration(result);
}

static struct cel_value bool_not(struct cel_run *run, const struct cel_value *args)
{
	(void)run;
	return cel_bool(!args[0].as.boolean);
}

#define T(name) &cel_type_##name
#define BINARY(text, left, right, gives, fn)                                                                           \
	{.name = text, .arity = 2, .result = gives, .params = {left, right}, .call = fn}
#define UNARY(text, operand, gives, fn) {.name = text, .arity = 1, .result = gives, .params = {operand}, .call = fn}
#define ORDER(text, left, right) BINARY(text, &cel_type_##left, &cel_type_##right, &cel_type_bool, NULL)
#define ORDERS(text)                                                                                                   \
	ORDER(text, string, string), ORDER(text, int, int), ORDER(text, double, double), ORDER(text, uint, uint),      \
		ORDER(text, timestamp, timestamp), ORDER(text, duration, duration), ORDER(text, bool, bool),           \
		ORDER(text, bytes, bytes), ORDER(text, int, double), ORDER(text, double, int),                         \
		ORDER(text, int, uint), ORDER(text, uint, int), ORDER(text, uint, double), ORDER(text, double, uint)

static const struct cel_type optional_list = {.kind = CEL_OPTIONAL, .item = &type_list_a};
static const struct cel_type optional_map = {.kind = CEL_OPTIONAL, .item = &type_map_ab};
static const struct cel_type optional_b = {.kind = CEL_OPTIONAL, .item = &type_b};

static const struct cel_function operators[] = {
	BINARY("==", &type_a, &type_a, T(bool), NULL),
	BINARY("!=", &type_a, &type_a, T(bool), NULL),
	ORDERS("<"),
	ORDERS("<="),
	ORDERS(">"),
	ORDERS(">="),
	BINARY("in", &type_a, &type_list_a, T(bool), NULL),
	BINARY("in", &type_a, &type_map_ab, T(bool), NULL),
	BINARY("[]", &type_list_a, T(int), &type_a, NULL),
	BINARY("[]", &type_map_ab, &type_a, &type_b, NULL),
	BINARY("[]", &optional_list, T(int), &type_optional_a, NULL),
	BINARY("[]", &optional_map, &type_a, &optional_b, NULL),
	BINARY("+", T(int), T(int), T(int), int_add),
	BINARY("+", T(uint), T(uint), T(uint), uint_add),
	BINARY("+", T(double), T(double), T(double), double_add),
	BINARY("+", T(string), T(string), T(string), text_join),
	BINARY("+", T(bytes), T(bytes), T(bytes), text_join),
	BINARY("+", &type_list_a, &type_list_a, &type_list_a, list_join),
	BINARY("+", T(timestamp), T(duration), T(timestamp), time_plus_duration),
	BINARY("+", T(duration), T(timestamp), T(timestamp), duration_plus_time),
	BINARY("+", T(duration), T(duration), T(duration), duration_add),
	BINARY("-", T(int), T(int), T(int), int_subtract),
	BINARY("-", T(uint), T(uint), T(uint), uint_subtract),
	BINARY("-", T(double), T(double), T(double), double_subtract),
	BINARY("-", T(timestamp), T(timestamp), T(duration), time_minus_time),
	BINARY("-", T(timestamp), T(duration), T(timestamp), time_minus_duration),
	BINARY("-", T(duration), T(duration), T(duration), duration_subtract),
	BINARY("*", T(int), T(int), T(int), int_multiply),
	BINARY("*", T(uint), T(uint), T(uint), uint_multiply),
	BINARY("*", T(double), T(double), T(double), double_multiply),
	BINARY("/", T(int), T(int), T(int), int_divide),
	BINARY("/", T(uint), T(uint), T(uint), uint_divide),
	BINARY("/", T(double), T(double), T(double), double_divide),
	BINARY("%", T(int), T(int), T(int), int_remainder),
	BINARY("%", T(uint), T(uint), T(uint), uint_remainder),
	UNARY("-_", T(int), T(int), int_negate),
	UNARY("-_", T(double), T(double), double_negate),
	UNARY("!", T(bool), T(bool), bool_not),
};

struct function_table stdlib_operators(void)
{
	return (struct function_table){operators, sizeof operators / sizeof *operators};
}

struct function_table stdlib_table(size_t index)
{
	switch (index) {
	case 0:
		return stdlib_conversions();
	case 1:
		return stdlib_strings();
	case 2:
		return stdlib_times();
	case 3:
		return stdlib_math();
	case 4:
		return stdlib_encoders();
	case 5:
		return stdlib_optionals();
	default:
		return (struct function_table){NULL, 0};
	}
}
