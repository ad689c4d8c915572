/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing JSON into a strbuf, compact, without a tree in between.
 */
#include "rules/json/json.h"

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

/* Fewer than 16 bytes. Head and tail overlap; where a byte stands does not matter for the marks. */
static inline two_words copy_few(char *to, struct slice text)
{
	uint64_t head, tail;
	const char *p = text.p;
	if (text.len >= 8) {
		memcpy(&head, p, 8);
		memcpy(&tail, p + text.len - 8, 8);
		memcpy(to, &head, 8);
		memcpy(to + text.len - 8, &tail, 8);
	} else if (text.len >= 4) {
		uint32_t first, last;
		memcpy(&first, p, 4);
		memcpy(&last, p + text.len - 4, 4);
		memcpy(to, &first, 4);
		memcpy(to + text.len - 4, &last, 4);
		head = tail = (uint64_t)first << 32 | last;
	} else {
		unsigned char first = (unsigned char)p[0], middle = (unsigned char)p[text.len / 2], last = (unsigned char)p[text.len - 1];
		to[0] = (char)first;
		to[text.len / 2] = (char)middle;
		to[text.len - 1] = (char)last;
		head = tail = 0x2020202020000000u | (uint64_t)first << 16 | (uint64_t)middle << 8 | last;
	}
	return marks_of((many_bytes)(two_words){head, tail});
}

/* Copies the text in the hope that nothing of it needs an escape; false: something does. One look and one copy cost less
 * than a look before the copy. The last 16 bytes overlap the ones before them. */
static inline bool copy_plain(char *to, struct slice text)
{
	many_bytes bytes;
	two_words marks = {0, 0};
	if (text.len == 0)
		return true;
	if (text.len < sizeof bytes) {
		marks = copy_few(to, text);
		return (marks[0] | marks[1]) == 0;
	}
	for (size_t at = 0; at < text.len - sizeof bytes; at += sizeof bytes) {
		memcpy(&bytes, text.p + at, sizeof bytes);
		memcpy(to + at, &bytes, sizeof bytes);
		marks |= marks_of(bytes);
	}
	memcpy(&bytes, text.p + text.len - sizeof bytes, sizeof bytes);
	memcpy(to + text.len - sizeof bytes, &bytes, sizeof bytes);
	marks |= marks_of(bytes);
	return (marks[0] | marks[1]) == 0;
}

/* Bytes before the first that needs an escape. */
static size_t count_plain(struct slice text)
{
	many_bytes bytes;
	size_t at = 0;
	for (; text.len - at >= sizeof bytes; at += sizeof bytes) {
		memcpy(&bytes, text.p + at, sizeof bytes);
		two_words marks = marks_of(bytes);
		if ((marks[0] | marks[1]) != 0)
			break;
	}
	while (at < text.len && is_plain((unsigned char)text.p[at]))
		at++;
	return at;
}

static void put_escaped(struct strbuf *out, struct slice text)
{
	strbuf_putc(out, '"');
	while (text.len != 0) {
		size_t plain = count_plain(text);
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

enum { NAME_EXTRA = 4 }; /* ,"": */

/* What was written up to `to` is there. */
static inline void end_at(struct json_writer *writer, char *to)
{
	*to = '\0';
	writer->out->len = (size_t)(to - writer->out->bytes);
}

/* A name that needs escapes, behind the comma that ends at `to`. */
static char *begin_escaped(struct json_writer *writer, struct slice name, size_t more, char *to)
{
	end_at(writer, to);
	put_escaped(writer->out, name);
	strbuf_putc(writer->out, ':');
	strbuf_reserve(writer->out, more);
	return writer->out->bytes + writer->out->len;
}

/* Everything that comes before a value of up to `more` bytes; returns where the value is to stand. The caller fills it in
 * and calls end_at(). Names are ours, or were text of a lead: escaped all the same. */
static inline __attribute__((always_inline)) char *begin(struct json_writer *writer, struct slice name, size_t more)
{
	struct strbuf *out = writer->out;
	if (name.len + NAME_EXTRA + more >= out->capacity - out->len)
		strbuf_reserve(out, name.len + NAME_EXTRA + more);
	char *to = out->bytes + out->len;
	*to = ',';
	to += writer->needs_comma;
	writer->needs_comma = true;
	if (name.p == NULL)
		return to;
	*to = '"';
	if (!copy_plain(to + 1, name))
		return begin_escaped(writer, name, more, to);
	memcpy(to + 1 + name.len, "\":", 2);
	return to + name.len + 3;
}

static void open_with(struct json_writer *writer, struct slice name, char bracket)
{
	char *to = begin(writer, name, 1);
	*to = bracket;
	end_at(writer, to + 1);
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
	char *to = begin(writer, name, value.len + 2);
	to[0] = to[value.len + 1] = '"';
	if (copy_plain(to + 1, value)) {
		end_at(writer, to + value.len + 2);
		return;
	}
	end_at(writer, to);
	put_escaped(writer->out, value);
}

void json_put_int_as(struct json_writer *writer, struct slice name, int64_t value)
{
	char *to = begin(writer, name, DECIMAL_BYTES);
	end_at(writer, decimal_put(to, value));
}

/* Bytes that need no escape. */
static inline void put_bytes(struct json_writer *writer, struct slice name, const char *bytes, size_t len)
{
	char *to = begin(writer, name, len);
	if (len != 0)
		memcpy(to, bytes, len);
	end_at(writer, to + len);
}

/* The shortest text that reads back as the same number. */
static void put_precise(struct json_writer *writer, struct slice name, double value)
{
	char text[40];
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	put_bytes(writer, name, text, strlen(text));
	if (strpbrk(text, ".e") == NULL) /* stays a real when read back */
		strbuf_puts(writer->out, ".0");
}

/* JSON has no infinity and no NaN: null. */
void json_put_real_as(struct json_writer *writer, struct slice name, double value)
{
	if (!isfinite(value)) {
		json_put_null_as(writer, name);
	} else if (fabs(value) < 1e15 && value == floor(value)) { /* the common case, without printf */
		char *to = decimal_put(begin(writer, name, DECIMAL_BYTES + 2), (int64_t)value);
		memcpy(to, ".0", 2);
		end_at(writer, to + 2);
	} else {
		put_precise(writer, name, value);
	}
}

void json_put_bool_as(struct json_writer *writer, struct slice name, bool value)
{
	if (value)
		put_bytes(writer, name, "true", 4);
	else
		put_bytes(writer, name, "false", 5);
}

void json_put_null_as(struct json_writer *writer, struct slice name)
{
	put_bytes(writer, name, "null", 4);
}

void json_put_time_as(struct json_writer *writer, struct slice name, int64_t unix_ms)
{
	const int64_t day_ms = (int64_t)SECONDS_PER_DAY * 1000;
	int64_t day = unix_ms / day_ms - (unix_ms % day_ms < 0);
	uint32_t rest = (uint32_t)(unix_ms - day * day_ms);
	int64_t year;
	int month, day_of_month;
	date_from_day(day, &year, &month, &day_of_month);
	if (year < 0 || year > 9999) { /* RFC 3339 has four digits */
		json_put_null_as(writer, name);
		return;
	}
	static const char form[] = "\"0000-00-00T00:00:00.000Z\"";
	char *to = begin(writer, name, sizeof form - 1);
	memcpy(to, form, sizeof form - 1);
	decimal_pair(to + 1, (uint32_t)year / 100);
	decimal_pair(to + 3, (uint32_t)year % 100);
	decimal_pair(to + 6, (uint32_t)month);
	decimal_pair(to + 9, (uint32_t)day_of_month);
	decimal_pair(to + 12, rest / 3600000);
	decimal_pair(to + 15, rest / 60000 % 60);
	decimal_pair(to + 18, rest / 1000 % 60);
	decimal_pair(to + 21, rest % 1000 / 10);
	to[23] = (char)('0' + rest % 10);
	end_at(writer, to + sizeof form - 1);
}

void json_put_raw_as(struct json_writer *writer, struct slice name, struct slice json)
{
	put_bytes(writer, name, json.p, json.len);
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
