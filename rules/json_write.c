/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing JSON into a strbuf, compact, without a tree in between.
 */
#include "rules/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/text/date.h"

/* 0: as it is; 'u': \u00XX; anything else: backslash and that character. */
static char escape_of(unsigned char byte)
{
	switch (byte) {
	case '"':
	case '\\':
		return (char)byte;
	case '\b':
		return 'b';
	case '\f':
		return 'f';
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	default:
		return byte < 0x20 || byte == 0x7F ? 'u' : 0;
	}
}

static void put_escape(struct strbuf *out, unsigned char byte, char escape)
{
	static const char hex[] = "0123456789abcdef";
	if (escape == 'u') {
		char text[6] = {'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15]};
		strbuf_append(out, text, sizeof text);
	} else {
		char text[2] = {'\\', escape};
		strbuf_append(out, text, sizeof text);
	}
}

static bool is_plain(unsigned char byte)
{
	return byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7F;
}

/* Bytes side by side; every compiler that we build with lowers this to what the machine has. */
typedef uint8_t many_bytes __attribute__((vector_size(16)));
typedef uint64_t two_words __attribute__((vector_size(16)));

/* Not zero where a byte needs an escape. Bytes of 0x80 and more never do. */
static inline two_words marks_of(many_bytes bytes)
{
	return (two_words)(bytes < 0x20) | (two_words)(bytes == '"') | (two_words)(bytes == '\\') | (two_words)(bytes == 0x7F);
}

/* Up to 16 bytes, some of them twice; where they stand does not matter for a search. */
static inline many_bytes few_bytes(const char *p, size_t len)
{
	uint64_t head, tail;
	if (len >= 8) {
		memcpy(&head, p, 8);
		memcpy(&tail, p + len - 8, 8);
	} else if (len >= 4) {
		uint32_t first, last;
		memcpy(&first, p, 4);
		memcpy(&last, p + len - 4, 4);
		head = tail = (uint64_t)first << 32 | last;
	} else {
		const unsigned char *bytes = (const unsigned char *)p;
		head = tail = 0x2020202020000000u | (uint64_t)bytes[0] << 16 | (uint64_t)bytes[len / 2] << 8 | bytes[len - 1];
	}
	return (many_bytes)(two_words){head, tail};
}

/* Can it be copied as it is? The last look overlaps the one before it. */
static bool is_all_plain(struct slice text)
{
	many_bytes bytes;
	two_words marks = {0, 0};
	if (text.len == 0)
		return true;
	if (text.len <= sizeof bytes) {
		marks = marks_of(few_bytes(text.p, text.len));
		return (marks[0] | marks[1]) == 0;
	}
	for (size_t at = 0; at < text.len - sizeof bytes; at += sizeof bytes) {
		memcpy(&bytes, text.p + at, sizeof bytes);
		marks |= marks_of(bytes);
	}
	memcpy(&bytes, text.p + text.len - sizeof bytes, sizeof bytes);
	marks |= marks_of(bytes);
	return (marks[0] | marks[1]) == 0;
}

static void put_escaped(struct strbuf *out, struct slice text)
{
	strbuf_putc(out, '"');
	while (text.len != 0) {
		size_t plain = 0;
		while (plain < text.len && is_plain((unsigned char)text.p[plain]))
			plain++;
		strbuf_append(out, text.p, plain);
		text = (struct slice){text.p + plain, text.len - plain};
		if (text.len == 0)
			break;
		unsigned char byte = (unsigned char)text.p[0];
		put_escape(out, byte, escape_of(byte));
		text = (struct slice){text.p + 1, text.len - 1};
	}
	strbuf_putc(out, '"');
}

static void put_string(struct strbuf *out, struct slice text)
{
	if (!is_all_plain(text)) {
		put_escaped(out, text);
		return;
	}
	char *to = strbuf_extend(out, text.len + 2);
	to[0] = to[text.len + 1] = '"';
	if (text.len != 0)
		memcpy(to + 1, text.p, text.len);
}

/* ,"name": in one step. */
static void put_name(struct strbuf *out, struct slice name, bool needs_comma)
{
	char *to = strbuf_extend(out, name.len + 3 + needs_comma);
	*to = ',';
	to += needs_comma;
	*to++ = '"';
	memcpy(to, name.p, name.len);
	memcpy(to + name.len, "\":", 2);
}

/* Everything that comes before a value. Names are ours, or were text of a lead: escaped all the same. */
static void begin(struct json_writer *writer, struct slice name)
{
	bool needs_comma = writer->needs_comma;
	writer->needs_comma = true;
	if (name.p != NULL && is_all_plain(name)) {
		put_name(writer->out, name, needs_comma);
		return;
	}
	if (needs_comma)
		strbuf_putc(writer->out, ',');
	if (name.p == NULL)
		return;
	put_string(writer->out, name);
	strbuf_putc(writer->out, ':');
}

static void open_with(struct json_writer *writer, struct slice name, char bracket)
{
	begin(writer, name);
	strbuf_putc(writer->out, bracket);
	writer->needs_comma = false;
}

static void close_with(struct json_writer *writer, char bracket)
{
	strbuf_putc(writer->out, bracket);
	writer->needs_comma = true;
}

void json_open_object_as(struct json_writer *writer, struct slice name)
{
	open_with(writer, name, '{');
}

void json_close_object(struct json_writer *writer)
{
	close_with(writer, '}');
}

void json_open_array_as(struct json_writer *writer, struct slice name)
{
	open_with(writer, name, '[');
}

void json_close_array(struct json_writer *writer)
{
	close_with(writer, ']');
}

void json_put_text_as(struct json_writer *writer, struct slice name, struct slice value)
{
	begin(writer, name);
	put_string(writer->out, value);
}

void json_put_int_as(struct json_writer *writer, struct slice name, int64_t value)
{
	begin(writer, name);
	strbuf_put_int(writer->out, value);
}

/* The shortest text that reads back as the same number; JSON has no infinity and no NaN: null. */
void json_put_real_as(struct json_writer *writer, struct slice name, double value)
{
	begin(writer, name);
	if (!isfinite(value)) {
		strbuf_puts(writer->out, "null");
		return;
	}
	if (fabs(value) < 1e15 && value == floor(value)) { /* the common case, without printf */
		strbuf_put_int(writer->out, (int64_t)value);
		strbuf_puts(writer->out, ".0");
		return;
	}
	char text[40];
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	strbuf_puts(writer->out, text);
	if (strpbrk(text, ".e") == NULL) /* stays a real when read back */
		strbuf_puts(writer->out, ".0");
}

void json_put_bool_as(struct json_writer *writer, struct slice name, bool value)
{
	begin(writer, name);
	strbuf_puts(writer->out, value ? "true" : "false");
}

void json_put_null_as(struct json_writer *writer, struct slice name)
{
	begin(writer, name);
	strbuf_puts(writer->out, "null");
}

/* `digits` decimal digits of `value`, leading zeros kept. */
static void decimal(char *to, int digits, int64_t value)
{
	for (int i = digits - 1; i >= 0; i--, value /= 10)
		to[i] = (char)('0' + value % 10);
}

void json_put_time_as(struct json_writer *writer, struct slice name, int64_t unix_ms)
{
	const int64_t day_ms = (int64_t)SECONDS_PER_DAY * 1000;
	int64_t day = unix_ms / day_ms - (unix_ms % day_ms < 0);
	int64_t rest = unix_ms - day * day_ms, year;
	int month, day_of_month;
	date_from_day(day, &year, &month, &day_of_month);
	if (year < 0 || year > 9999) { /* RFC 3339 has four digits */
		json_put_null_as(writer, name);
		return;
	}
	char text[] = "\"0000-00-00T00:00:00.000Z\"";
	decimal(text + 1, 4, year);
	decimal(text + 6, 2, month);
	decimal(text + 9, 2, day_of_month);
	decimal(text + 12, 2, rest / 3600000);
	decimal(text + 15, 2, rest / 60000 % 60);
	decimal(text + 18, 2, rest / 1000 % 60);
	decimal(text + 21, 3, rest % 1000);
	begin(writer, name);
	strbuf_append(writer->out, text, sizeof text - 1);
}

void json_put_raw_as(struct json_writer *writer, struct slice name, struct slice json)
{
	begin(writer, name);
	strbuf_append(writer->out, json.p, json.len);
}

void json_put_value(struct json_writer *writer, struct slice name, const struct json *json)
{
	switch (json->type) {
	case JSON_IS_NULL:
		json_put_null_as(writer, name);
		return;
	case JSON_IS_BOOL:
		json_put_bool_as(writer, name, json->boolean);
		return;
	case JSON_IS_INT:
		json_put_int_as(writer, name, json->integer);
		return;
	case JSON_IS_REAL:
		json_put_real_as(writer, name, json->real);
		return;
	case JSON_IS_STRING:
		json_put_text_as(writer, name, json->text);
		return;
	case JSON_IS_ARRAY:
		json_open_array_as(writer, name);
		for (size_t i = 0; i < json->count; i++)
			json_put_value(writer, SLICE_NONE, &json->items[i]);
		json_close_array(writer);
		return;
	case JSON_IS_OBJECT:
		json_open_object_as(writer, name);
		for (size_t i = 0; i < json->count; i++)
			json_put_value(writer, json->names[i], &json->items[i]);
		json_close_object(writer);
		return;
	}
}
