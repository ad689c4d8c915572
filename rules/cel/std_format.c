/* SPDX-License-Identifier: Apache-2.0
 *
 * "%s has %d".format([…]), quote() and base64. Texts are built in a strbuf (heap) and then moved to the run's arena; the
 * strbuf is bounded by CEL_MAX_VALUE_BYTES.
 */
#include "rules/cel/std_format.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "rules/cel/print.h"
#include "rules/cel/run.h"
#include "rules/cel/time.h"

enum { MAX_PRECISION = 100 };

/* Moves the text to the arena and frees the buffer. */
static struct cel_value settle(struct cel_run *run, struct strbuf *take_buf)
{
	struct cel_value value;
	char *bytes = run_bytes(run, take_buf->len, &value);
	if (bytes != NULL) {
		memcpy(bytes, strbuf_text(take_buf), take_buf->len);
		value = cel_string((struct slice){bytes, take_buf->len});
	}
	strbuf_done(take_buf);
	return value;
}

struct formatter {
	struct cel_run *run;
	struct strbuf buf;
	struct cel_value error; /* CEL_ERROR once something went wrong */
};

static bool fail(struct formatter *formatter, const char *clause, struct cel_value value)
{
	formatter->error = cel_fail(formatter->run, ERR_CEL_ARGUMENT, "%s does not take `%s`", clause,
				    cel_type_label(cel_type_of(value)));
	return false;
}

/* ---- %s */

static bool put_text(struct formatter *formatter, struct cel_value value);

static bool is_full(struct formatter *formatter)
{
	if (formatter->buf.len <= CEL_MAX_VALUE_BYTES)
		return false;
	formatter->error = cel_fail(formatter->run, ERR_CEL_TOO_LARGE, "the text would have more than %d bytes",
				    CEL_MAX_VALUE_BYTES);
	return true;
}

static bool put_list(struct formatter *formatter, const struct cel_list *list)
{
	strbuf_putc(&formatter->buf, '[');
	for (uint32_t i = 0; i < list->count; i++) {
		if (i != 0)
			strbuf_puts(&formatter->buf, ", ");
		if (!put_text(formatter, list->items[i]))
			return false;
	}
	strbuf_putc(&formatter->buf, ']');
	return true;
}

/* A key as text, for sorting the entries as the specification asks. */
struct key_text {
	char *text;
	uint32_t entry;
};

static int compare_key_texts(const void *a, const void *b)
{
	return strcmp(((const struct key_text *)a)->text, ((const struct key_text *)b)->text);
}

static struct key_text *sorted_keys(struct formatter *formatter, const struct cel_map *map)
{
	struct key_text *keys = arena_array(formatter->run->arena, map->count, sizeof *keys);
	for (uint32_t i = 0; i < map->count; i++) {
		struct formatter key = {.run = formatter->run, .buf = STRBUF_INIT};
		(void)put_text(&key, map->entries[i].key); /* keys are simple: it cannot fail */
		keys[i].text = arena_memdupz(formatter->run->arena, strbuf_text(&key.buf), key.buf.len);
		keys[i].entry = i;
		strbuf_done(&key.buf);
	}
	qsort(keys, map->count, sizeof *keys, compare_key_texts);
	return keys;
}

static bool put_map(struct formatter *formatter, const struct cel_map *map)
{
	struct key_text *keys = sorted_keys(formatter, map);
	strbuf_putc(&formatter->buf, '{');
	for (uint32_t i = 0; i < map->count; i++) {
		strbuf_printf(&formatter->buf, "%s%s: ", i != 0 ? ", " : "", keys[i].text);
		if (!put_text(formatter, map->entries[keys[i].entry].value))
			return false;
	}
	strbuf_putc(&formatter->buf, '}');
	return true;
}

static void put_double(struct strbuf *buf, double number)
{
	if (isinf(number))
		strbuf_puts(buf, number > 0 ? "Infinity" : "-Infinity");
	else
		cel_print_double(buf, number, false);
}

static bool put_text(struct formatter *formatter, struct cel_value value)
{
	struct strbuf *buf = &formatter->buf;
	if (is_full(formatter))
		return false;
	switch ((enum cel_kind)value.kind) {
	case CEL_STRING:
	case CEL_BYTES:
		strbuf_append(buf, value.as.bytes, value.len);
		return true;
	case CEL_INT:
		strbuf_put_int(buf, value.as.integer);
		return true;
	case CEL_UINT:
		strbuf_printf(buf, "%" PRIu64, value.as.natural);
		return true;
	case CEL_DOUBLE:
		put_double(buf, value.as.number);
		return true;
	case CEL_TIMESTAMP:
		cel_time_print(buf, value);
		return true;
	case CEL_DURATION:
		cel_duration_print(buf, value);
		return true;
	case CEL_NULL:
	case CEL_BOOL:
	case CEL_TYPE:
		cel_print(buf, value);
		return true;
	case CEL_LIST:
		return put_list(formatter, value.as.list);
	case CEL_MAP:
		return put_map(formatter, value.as.map);
	default:
		return fail(formatter, "%s", value);
	}
}

/* ---- the other clauses */

static bool put_special(struct strbuf *buf, struct cel_value value)
{
	if (value.kind != CEL_DOUBLE || isfinite(value.as.number))
		return false;
	put_double(buf, value.as.number);
	return true;
}

static bool put_decimal(struct formatter *formatter, struct cel_value value)
{
	if (put_special(&formatter->buf, value))
		return true;
	if (value.kind != CEL_INT && value.kind != CEL_UINT && value.kind != CEL_DOUBLE)
		return fail(formatter, "%d", value);
	return put_text(formatter, value);
}

static bool put_fixed(struct formatter *formatter, struct cel_value value, char clause, int precision)
{
	if (put_special(&formatter->buf, value))
		return true;
	double number = value.kind == CEL_INT    ? (double)value.as.integer
			: value.kind == CEL_UINT ? (double)value.as.natural
						 : value.as.number;
	if (value.kind != CEL_INT && value.kind != CEL_UINT && value.kind != CEL_DOUBLE)
		return fail(formatter, clause == 'f' ? "%f" : "%e", value);
	if (clause == 'f')
		strbuf_printf(&formatter->buf, "%.*f", precision, number);
	else
		strbuf_printf(&formatter->buf, "%.*e", precision, number);
	return true;
}

/* The magnitude of an int or uint; a minus is written first. */
static uint64_t magnitude(struct strbuf *buf, struct cel_value value)
{
	if (value.kind != CEL_INT || value.as.integer >= 0)
		return value.as.natural;
	strbuf_putc(buf, '-');
	return 0 - (uint64_t)value.as.integer;
}

static bool put_binary(struct formatter *formatter, struct cel_value value)
{
	if (value.kind == CEL_BOOL)
		value = cel_uint(value.as.boolean);
	if (value.kind != CEL_INT && value.kind != CEL_UINT)
		return fail(formatter, "%b", value);
	uint64_t word = magnitude(&formatter->buf, value);
	int bit = 63;
	while (bit > 0 && (word >> bit & 1) == 0)
		bit--;
	for (; bit >= 0; bit--)
		strbuf_putc(&formatter->buf, (char)('0' + (word >> bit & 1)));
	return true;
}

static bool put_octal(struct formatter *formatter, struct cel_value value)
{
	if (value.kind != CEL_INT && value.kind != CEL_UINT)
		return fail(formatter, "%o", value);
	uint64_t word = magnitude(&formatter->buf, value);
	strbuf_printf(&formatter->buf, "%" PRIo64, word);
	return true;
}

static bool put_hex(struct formatter *formatter, struct cel_value value, bool is_upper)
{
	if (value.kind == CEL_INT || value.kind == CEL_UINT) {
		uint64_t word = magnitude(&formatter->buf, value);
		if (is_upper)
			strbuf_printf(&formatter->buf, "%" PRIX64, word);
		else
			strbuf_printf(&formatter->buf, "%" PRIx64, word);
		return true;
	}
	if (value.kind != CEL_STRING && value.kind != CEL_BYTES)
		return fail(formatter, "%x", value);
	const char *digits = is_upper ? "0123456789ABCDEF" : "0123456789abcdef";
	for (uint32_t i = 0; i < value.len && !is_full(formatter); i++) {
		unsigned char byte = (unsigned char)value.as.bytes[i];
		strbuf_putc(&formatter->buf, digits[byte >> 4]);
		strbuf_putc(&formatter->buf, digits[byte & 15]);
	}
	return formatter->error.kind != CEL_ERROR;
}

static bool put_clause(struct formatter *formatter, struct cel_value value, char clause, int precision)
{
	switch (clause) {
	case 's':
		return put_text(formatter, value);
	case 'd':
		return put_decimal(formatter, value);
	case 'f':
	case 'e':
		return put_fixed(formatter, value, clause, precision);
	case 'b':
		return put_binary(formatter, value);
	case 'o':
		return put_octal(formatter, value);
	case 'x':
	case 'X':
		return put_hex(formatter, value, clause == 'X');
	default:
		formatter->error = cel_fail(formatter->run, ERR_CEL_ARGUMENT, "there is no format clause %%%c", clause);
		return false;
	}
}

/* ".3" behind the percent sign; 6 when there is none, as in C. -1: malformed. */
static int take_precision(struct slice format, size_t *at)
{
	if (*at >= format.len || format.p[*at] != '.')
		return 6;
	int precision = 0;
	for (++*at; *at < format.len && format.p[*at] >= '0' && format.p[*at] <= '9'; ++*at) {
		precision = precision * 10 + (format.p[*at] - '0');
		if (precision > MAX_PRECISION)
			return -1;
	}
	return precision;
}

static bool format_all(struct formatter *formatter, struct slice format, const struct cel_list *list)
{
	uint32_t next = 0;
	for (size_t at = 0; at < format.len; at++) {
		if (format.p[at] != '%') {
			strbuf_putc(&formatter->buf, format.p[at]);
			continue;
		}
		if (++at < format.len && format.p[at] == '%') {
			strbuf_putc(&formatter->buf, '%');
			continue;
		}
		int precision = take_precision(format, &at);
		if (precision < 0 || at >= format.len || next == list->count) {
			formatter->error = cel_fail(formatter->run, ERR_CEL_ARGUMENT,
						    next == list->count ? "the format names more values than given"
									: "the format ends within a clause");
			return false;
		}
		if (!put_clause(formatter, list->items[next++], format.p[at], precision) || is_full(formatter))
			return false;
	}
	return true;
}

struct cel_value cel_format(struct cel_run *run, const struct cel_value *args)
{
	struct formatter formatter = {.run = run, .buf = STRBUF_INIT};
	if (!run_spend(run, 1 + args[0].len / 16 + cel_weight(args[1])))
		return run_exhausted(run);
	if (format_all(&formatter, cel_slice(args[0]), args[1].as.list))
		return settle(run, &formatter.buf);
	strbuf_done(&formatter.buf);
	return formatter.error;
}

struct cel_value cel_quote(struct cel_run *run, const struct cel_value *args)
{
	static const char plain[] = "\a\b\f\n\r\t\v\\\"", names[] = "abfnrtv\\\"";
	struct strbuf buf = STRBUF_INIT;
	strbuf_putc(&buf, '"');
	for (uint32_t i = 0; i < args[0].len; i++) {
		char byte = args[0].as.bytes[i];
		const char *found = byte != '\0' ? strchr(plain, byte) : NULL;
		if (found != NULL)
			strbuf_printf(&buf, "\\%c", names[found - plain]);
		else
			strbuf_putc(&buf, byte);
	}
	strbuf_putc(&buf, '"');
	return settle(run, &buf);
}

/* ---- base64 */

static struct cel_value base64_encode(struct cel_run *run, const struct cel_value *args)
{
	struct strbuf buf = STRBUF_INIT;
	cel_print_base64(&buf, cel_slice(args[0]));
	return settle(run, &buf);
}

static struct cel_value base64_decode(struct cel_run *run, const struct cel_value *args)
{
	struct cel_value error;
	size_t len;
	char *bytes = run_bytes(run, args[0].len, &error);
	if (bytes == NULL)
		return error;
	if (!cel_read_base64(cel_slice(args[0]), bytes, &len))
		return cel_fail(run, ERR_CEL_CONVERSION, "the text is not base64");
	return cel_bytes((struct slice){bytes, len});
}

static const struct cel_function encoders[] = {
	{.name = "base64.encode", .arity = 1, .result = &cel_type_string, .params = {&cel_type_bytes}, .call = base64_encode},
	{.name = "base64.decode", .arity = 1, .result = &cel_type_bytes, .params = {&cel_type_string}, .call = base64_decode},
};

struct function_table stdlib_encoders(void)
{
	return (struct function_table){encoders, sizeof encoders / sizeof *encoders};
}
