/* SPDX-License-Identifier: Apache-2.0
 *
 * Conversions between types, size(), type() and dyn().
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "rules/cel/print.h"
#include "rules/cel/run.h"
#include "rules/cel/stdlib.h"
#include "rules/cel/time.h"
#include "rules/cel/utf8.h"

enum { NUMBER_BYTES = 64 };

static struct cel_value same(struct cel_run *run, const struct cel_value *args)
{
	(void)run;
	return args[0];
}

static struct cel_value out_of_range(struct cel_run *run, const char *type)
{
	return cel_fail(run, ERR_CEL_OVERFLOW, "the value does not fit into %s", type);
}

static struct cel_value unreadable(struct cel_run *run, struct cel_value text, const char *type)
{
	int shown = text.len < 60 ? (int)text.len : 60;
	return cel_fail(run, ERR_CEL_CONVERSION, "\"%.*s\" is not a %s", shown, text.len ? text.as.bytes : "", type);
}

/* A NUL-terminated copy for the C library; false when it is too long to be a number. */
static bool copy_number(struct cel_value text, char copy[NUMBER_BYTES])
{
	if (text.len == 0 || text.len >= NUMBER_BYTES)
		return false;
	memcpy(copy, text.as.bytes, text.len);
	copy[text.len] = '\0';
	return strlen(copy) == text.len;
}

/* ---- int, uint */

static struct cel_value int_from_uint(struct cel_run *run, const struct cel_value *args)
{
	return args[0].as.natural > INT64_MAX ? out_of_range(run, "int") : cel_int((int64_t)args[0].as.natural);
}

/* The conformance suite leaves out both ends of the range, where a double no longer tells neighbours apart. */
static struct cel_value int_from_double(struct cel_run *run, const struct cel_value *args)
{
	double number = args[0].as.number;
	if (!(number > -9223372036854775808.0 && number < 9223372036854775808.0))
		return out_of_range(run, "int");
	return cel_int((int64_t)number);
}

static struct cel_value int_from_text(struct cel_run *run, const struct cel_value *args)
{
	char text[NUMBER_BYTES], *end;
	if (!copy_number(args[0], text) || !(text[0] == '-' || text[0] == '+' || (text[0] >= '0' && text[0] <= '9')))
		return unreadable(run, args[0], "int");
	errno = 0;
	long long number = strtoll(text, &end, 10);
	return *end != '\0' || end == text || errno != 0 ? unreadable(run, args[0], "int") : cel_int(number);
}

static struct cel_value int_from_time(struct cel_run *run, const struct cel_value *args)
{
	(void)run;
	return cel_int(args[0].as.integer);
}

static struct cel_value uint_from_int(struct cel_run *run, const struct cel_value *args)
{
	return args[0].as.integer < 0 ? out_of_range(run, "uint") : cel_uint((uint64_t)args[0].as.integer);
}

static struct cel_value uint_from_double(struct cel_run *run, const struct cel_value *args)
{
	double number = args[0].as.number;
	if (!(number > -1.0 && number < 18446744073709551616.0))
		return out_of_range(run, "uint");
	return cel_uint((uint64_t)number);
}

static struct cel_value uint_from_text(struct cel_run *run, const struct cel_value *args)
{
	char text[NUMBER_BYTES], *end;
	if (!copy_number(args[0], text) || text[0] < '0' || text[0] > '9')
		return unreadable(run, args[0], "uint");
	errno = 0;
	unsigned long long number = strtoull(text, &end, 10);
	return *end != '\0' || errno != 0 ? unreadable(run, args[0], "uint") : cel_uint(number);
}

/* ---- double, bool */

static struct cel_value double_from_int(struct cel_run *run, const struct cel_value *args)
{
	(void)run;
	return cel_double((double)args[0].as.integer);
}

static struct cel_value double_from_uint(struct cel_run *run, const struct cel_value *args)
{
	(void)run;
	return cel_double((double)args[0].as.natural);
}

static struct cel_value double_from_text(struct cel_run *run, const struct cel_value *args)
{
	char text[NUMBER_BYTES * 8], *end;
	if (args[0].len == 0 || args[0].len >= sizeof text)
		return unreadable(run, args[0], "double");
	memcpy(text, args[0].as.bytes, args[0].len);
	text[args[0].len] = '\0';
	bool is_word = strspn(text, "0123456789+-.eE") != args[0].len;
	bool is_special = strcmp(text, "NaN") == 0 || strcmp(text, "Infinity") == 0 || strcmp(text, "-Infinity") == 0 ||
			  strcmp(text, "+Inf") == 0 || strcmp(text, "-Inf") == 0 || strcmp(text, "Inf") == 0;
	if (is_word && !is_special)
		return unreadable(run, args[0], "double");
	double number = strtod(text, &end);
	return *end != '\0' || end == text ? unreadable(run, args[0], "double") : cel_double(number);
}

static struct cel_value bool_from_text(struct cel_run *run, const struct cel_value *args)
{
	static const char *const words[2][5] = {{"0", "f", "false", "FALSE", "False"},
						{"1", "t", "true", "TRUE", "True"}};
	for (int value = 0; value <= 1; value++)
		for (int i = 0; i < 5; i++)
			if (slice_is(cel_slice(args[0]), words[value][i]))
				return cel_bool(value);
	return unreadable(run, args[0], "bool");
}

/* ---- string, bytes */

static struct cel_value text_of(struct cel_run *run, const char *text)
{
	return cel_string(slice_of(arena_strdup(run->arena, text)));
}

static struct cel_value text_from_int(struct cel_run *run, const struct cel_value *args)
{
	char text[NUMBER_BYTES];
	snprintf(text, sizeof text, "%" PRId64, args[0].as.integer);
	return text_of(run, text);
}

static struct cel_value text_from_uint(struct cel_run *run, const struct cel_value *args)
{
	char text[NUMBER_BYTES];
	snprintf(text, sizeof text, "%" PRIu64, args[0].as.natural);
	return text_of(run, text);
}

/* Prints through a strbuf (heap, short) and keeps the text in the arena. */
static struct cel_value text_printed(struct cel_run *run, struct strbuf *take_buf)
{
	struct cel_value value = text_of(run, strbuf_text(take_buf));
	strbuf_done(take_buf);
	return value;
}

static struct cel_value text_from_double(struct cel_run *run, const struct cel_value *args)
{
	struct strbuf buf = STRBUF_INIT;
	cel_print_double(&buf, args[0].as.number, false);
	return text_printed(run, &buf);
}

static struct cel_value text_from_time(struct cel_run *run, const struct cel_value *args)
{
	struct strbuf buf = STRBUF_INIT;
	cel_time_print(&buf, args[0]);
	return text_printed(run, &buf);
}

static struct cel_value text_from_duration(struct cel_run *run, const struct cel_value *args)
{
	struct strbuf buf = STRBUF_INIT;
	cel_duration_print(&buf, args[0]);
	return text_printed(run, &buf);
}

static struct cel_value text_from_bool(struct cel_run *run, const struct cel_value *args)
{
	(void)run;
	return cel_string(args[0].as.boolean ? SLICE("true") : SLICE("false"));
}

static struct cel_value text_from_bytes(struct cel_run *run, const struct cel_value *args)
{
	if (utf8_valid_length(cel_slice(args[0])) != args[0].len)
		return cel_fail(run, ERR_CEL_CONVERSION, "the bytes are not valid UTF-8");
	return cel_string(cel_slice(args[0]));
}

static struct cel_value bytes_from_text(struct cel_run *run, const struct cel_value *args)
{
	(void)run;
	return cel_bytes(cel_slice(args[0]));
}

/* ---- timestamp, duration */

static struct cel_value time_from_text(struct cel_run *run, const struct cel_value *args)
{
	struct cel_value value;
	return cel_time_read(cel_slice(args[0]), &value) ? value : unreadable(run, args[0], "timestamp");
}

static struct cel_value time_from_int(struct cel_run *run, const struct cel_value *args)
{
	if (!cel_time_is_valid(args[0].as.integer))
		return out_of_range(run, "timestamp");
	return cel_timestamp(args[0].as.integer, 0);
}

static struct cel_value duration_from_text(struct cel_run *run, const struct cel_value *args)
{
	struct cel_value value;
	return cel_duration_read(cel_slice(args[0]), &value) ? value : unreadable(run, args[0], "duration");
}

static struct cel_value duration_from_int(struct cel_run *run, const struct cel_value *args)
{
	int64_t nanoseconds;
	if (__builtin_mul_overflow(args[0].as.integer, (int64_t)NANOS_PER_SECOND, &nanoseconds))
		return out_of_range(run, "duration");
	return cel_duration(nanoseconds);
}

/* ---- size, type */

static struct cel_value size_of_text(struct cel_run *run, const struct cel_value *args)
{
	(void)run;
	return cel_int((int64_t)utf8_count(cel_slice(args[0])));
}

static struct cel_value size_of_bytes(struct cel_run *run, const struct cel_value *args)
{
	(void)run;
	return cel_int(args[0].len);
}

static struct cel_value size_of_list(struct cel_run *run, const struct cel_value *args)
{
	(void)run;
	return cel_int(args[0].as.list->count);
}

static struct cel_value size_of_map(struct cel_run *run, const struct cel_value *args)
{
	(void)run;
	return cel_int(args[0].as.map->count);
}

static struct cel_value type_of(struct cel_run *run, const struct cel_value *args)
{
	const struct cel_type *type = cel_type_of(args[0]);
	if (args[0].kind == CEL_OBJECT) {
		struct cel_type *own = arena_alloc(run->arena, sizeof *own);
		*own = (struct cel_type){.kind = CEL_OBJECT, .object = args[0].as.object->type};
		type = own;
	}
	return (struct cel_value){.kind = CEL_TYPE, .as.type = type};
}

#define T(name) &cel_type_##name
#define CONVERT(to, from, fn)                                                                                          \
	{.name = #to, .arity = 1, .result = &cel_type_##to, .params = {&cel_type_##from}, .call = fn}
#define SIZE(operand, fn)                                                                                              \
	{.name = "size", .arity = 1, .result = T(int), .params = {operand}, .call = fn},                               \
	{                                                                                                              \
		.name = "size", .is_method = true, .arity = 1, .result = T(int), .params = {operand}, .call = fn       \
	}

static const struct cel_function conversions[] = {
	CONVERT(int, int, same),
	CONVERT(int, uint, int_from_uint),
	CONVERT(int, double, int_from_double),
	CONVERT(int, string, int_from_text),
	CONVERT(int, timestamp, int_from_time),
	CONVERT(uint, uint, same),
	CONVERT(uint, int, uint_from_int),
	CONVERT(uint, double, uint_from_double),
	CONVERT(uint, string, uint_from_text),
	CONVERT(double, double, same),
	CONVERT(double, int, double_from_int),
	CONVERT(double, uint, double_from_uint),
	CONVERT(double, string, double_from_text),
	CONVERT(bool, bool, same),
	CONVERT(bool, string, bool_from_text),
	CONVERT(string, string, same),
	CONVERT(string, int, text_from_int),
	CONVERT(string, uint, text_from_uint),
	CONVERT(string, double, text_from_double),
	CONVERT(string, bool, text_from_bool),
	CONVERT(string, bytes, text_from_bytes),
	CONVERT(string, timestamp, text_from_time),
	CONVERT(string, duration, text_from_duration),
	CONVERT(bytes, bytes, same),
	CONVERT(bytes, string, bytes_from_text),
	CONVERT(timestamp, timestamp, same),
	CONVERT(timestamp, string, time_from_text),
	CONVERT(timestamp, int, time_from_int),
	CONVERT(duration, duration, same),
	CONVERT(duration, string, duration_from_text),
	CONVERT(duration, int, duration_from_int),
	SIZE(T(string), size_of_text),
	SIZE(T(bytes), size_of_bytes),
	SIZE(&type_list_a, size_of_list),
	SIZE(&type_map_ab, size_of_map),
	{.name = "type", .arity = 1, .result = &type_of_a, .params = {&type_a}, .call = type_of},
	{.name = "dyn", .arity = 1, .result = T(dyn), .params = {&type_a}, .call = same},
};

struct function_table stdlib_conversions(void)
{
	return (struct function_table){conversions, sizeof conversions / sizeof *conversions};
}
