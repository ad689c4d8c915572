/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing JSON into a strbuf, compact, without a tree in between.
 */
#include "rules/json/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

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

enum { MANY = 16 };

/* Which of sixteen bytes need an escape: bit n stands for byte n. Bytes of 0x80 and more never do. */
#ifdef __SSE2__
typedef __m128i many_bytes;

static inline unsigned marks_of(many_bytes bytes)
{
	__m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
	__m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')), backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
	__m128i delete = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7F));
	return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(control, delete), _mm_or_si128(quote, backslash)));
}
#else
typedef struct {
	unsigned char bytes[MANY];
} many_bytes;

static inline unsigned marks_of(many_bytes many)
{
	unsigned marks = 0;
	for (unsigned i = 0; i < MANY; i++)
		marks |= (unsigned)!is_plain(many.bytes[i]) << i;
	return marks;
}
#endif

/* Fewer than 16 bytes: head and tail, which overlap; where a byte stands does not matter for the marks. `ret_seen` gets the
 * bytes that were copied, some of them twice, or spaces. */
static inline void copy_few(char *to, const char *from, size_t len, uint64_t ret_seen[2])
{
	if (len >= 8) {
		memcpy(&ret_seen[0], from, 8);
		memcpy(&ret_seen[1], from + len - 8, 8);
		memcpy(to, &ret_seen[0], 8);
		memcpy(to + len - 8, &ret_seen[1], 8);
	} else if (len >= 4) {
		uint32_t first, last;
		memcpy(&first, from, 4);
		memcpy(&last, from + len - 4, 4);
		memcpy(to, &first, 4);
		memcpy(to + len - 4, &last, 4);
		ret_seen[0] = ret_seen[1] = (uint64_t)first << 32 | last;
	} else {
		unsigned char first = (unsigned char)from[0], middle = (unsigned char)from[len / 2], last = (unsigned char)from[len - 1];
		to[0] = (char)first;
		to[len / 2] = (char)middle;
		to[len - 1] = (char)last;
		ret_seen[0] = ret_seen[1] = 0x2020202020000000u | (uint64_t)first << 16 | (uint64_t)middle << 8 | last;
	}
}

/* Copies the text in the hope that nothing of it needs an escape; false: something does. One look and one copy cost less
 * than a look before the copy. The last 16 bytes overlap the ones before them. */
static inline bool copy_plain(char *to, struct slice text)
{
	many_bytes bytes;
	unsigned marks = 0;
	if (text.len == 0)
		return true;
	if (text.len < MANY) {
		uint64_t seen[2];
		copy_few(to, text.p, text.len, seen);
		memcpy(&bytes, seen, sizeof bytes);
		return marks_of(bytes) == 0;
	}
	for (size_t at = 0; at < text.len - MANY; at += MANY) {
		memcpy(&bytes, text.p + at, MANY);
		memcpy(to + at, &bytes, MANY);
		marks |= marks_of(bytes);
	}
	memcpy(&bytes, text.p + text.len - MANY, MANY);
	memcpy(to + text.len - MANY, &bytes, MANY);
	return (marks | marks_of(bytes)) == 0;
}

/* Bytes before the first that needs an escape. */
static size_t count_plain(struct slice text)
{
	many_bytes bytes;
	size_t at = 0;
	for (; text.len - at >= MANY; at += MANY) {
		memcpy(&bytes, text.p + at, MANY);
		unsigned marks = marks_of(bytes);
		if (marks != 0)
			return at + (size_t)__builtin_ctz(marks);
	}
	while (at < text.len && is_plain((unsigned char)text.p[at]))
		at++;
	return at;
}

/* Without the quotes around. */
static void append_escaped(struct strbuf *out, struct slice text)
{
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
}

static void put_escaped(struct strbuf *out, struct slice text)
{
	strbuf_putc(out, '"');
	append_escaped(out, text);
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

/* Names in our own source need no escapes; any other may. */
enum name_kind { ANY_NAME, OUR_NAME };

static inline __attribute__((always_inline)) bool copy_name(char *to, struct slice name, enum name_kind kind)
{
	if (kind == ANY_NAME)
		return copy_plain(to, name);
	uint64_t seen[2];
	if (name.len < MANY && name.len != 0)
		copy_few(to, name.p, name.len, seen);
	else
		memcpy(to, name.p, name.len);
	return true;
}

/* Everything that comes before a value of up to `more` bytes; returns where the value is to stand. The caller fills it in
 * and calls end_at(). */
static inline __attribute__((always_inline)) char *begin(struct json_writer *writer, struct slice name, size_t more,
                                                         enum name_kind kind)
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
	if (!copy_name(to + 1, name, kind))
		return begin_escaped(writer, name, more, to);
	memcpy(to + 1 + name.len, "\":", 2);
	return to + name.len + 3;
}

static inline void open_with(struct json_writer *writer, struct slice name, char bracket, enum name_kind kind)
{
	char *to = begin(writer, name, 1, kind);
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
	open_with(writer, name, '{', ANY_NAME);
}

void json_open_object_ours(struct json_writer *writer, struct slice name)
{
	open_with(writer, name, '{', OUR_NAME);
}

void json_close_object(struct json_writer *writer)
{
	close_with(writer, '}');
}

void json_open_array_as(struct json_writer *writer, struct slice name)
{
	open_with(writer, name, '[', ANY_NAME);
}

void json_open_array_ours(struct json_writer *writer, struct slice name)
{
	open_with(writer, name, '[', OUR_NAME);
}

void json_close_array(struct json_writer *writer)
{
	close_with(writer, ']');
}

static inline void put_text(struct json_writer *writer, struct slice name, struct slice value, enum name_kind kind)
{
	char *to = begin(writer, name, value.len + 2, kind);
	to[0] = to[value.len + 1] = '"';
	if (copy_plain(to + 1, value)) {
		end_at(writer, to + value.len + 2);
		return;
	}
	end_at(writer, to);
	put_escaped(writer->out, value);
}

void json_put_text_as(struct json_writer *writer, struct slice name, struct slice value)
{
	put_text(writer, name, value, ANY_NAME);
}

void json_put_text_ours(struct json_writer *writer, struct slice name, struct slice value)
{
	put_text(writer, name, value, OUR_NAME);
}

void json_open_text(struct json_writer *writer, const char *name)
{
	open_with(writer, slice_of(name), '"', ANY_NAME);
}

void json_add_text(struct json_writer *writer, struct slice piece)
{
	struct strbuf *out = writer->out;
	if (piece.len >= out->capacity - out->len)
		strbuf_reserve(out, piece.len);
	char *to = out->bytes + out->len;
	if (copy_plain(to, piece))
		end_at(writer, to + piece.len);
	else
		append_escaped(out, piece);
}

void json_close_text(struct json_writer *writer)
{
	close_with(writer, '"');
}

void json_put_int_as(struct json_writer *writer, struct slice name, int64_t value)
{
	char *to = begin(writer, name, DECIMAL_BYTES, ANY_NAME);
	end_at(writer, decimal_put(to, value));
}

void json_put_int_ours(struct json_writer *writer, struct slice name, int64_t value)
{
	char *to = begin(writer, name, DECIMAL_BYTES, OUR_NAME);
	end_at(writer, decimal_put(to, value));
}

void json_put_ints(struct json_writer *writer, struct slice name, const int64_t *values, size_t count)
{
	char *to = begin(writer, name, 2 + count * (DECIMAL_BYTES + 1), ANY_NAME);
	*to++ = '[';
	for (size_t i = 0; i < count; i++) {
		*to = ',';
		to = decimal_put(to + (i != 0), values[i]);
	}
	*to = ']';
	end_at(writer, to + 1);
}

/* Bytes that need no escape. */
static inline void put_bytes(struct json_writer *writer, struct slice name, const char *bytes, size_t len, enum name_kind kind)
{
	char *to = begin(writer, name, len, kind);
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
	put_bytes(writer, name, text, strlen(text), ANY_NAME);
	if (strpbrk(text, ".e") == NULL) /* stays a real when read back */
		strbuf_puts(writer->out, ".0");
}

/* JSON has no infinity and no NaN: null. */
void json_put_real_as(struct json_writer *writer, struct slice name, double value)
{
	if (!isfinite(value)) {
		json_put_null_as(writer, name);
	} else if (fabs(value) < 1e15 && value == floor(value)) { /* the common case, without printf */
		char *to = decimal_put(begin(writer, name, DECIMAL_BYTES + 2, ANY_NAME), (int64_t)value);
		memcpy(to, ".0", 2);
		end_at(writer, to + 2);
	} else {
		put_precise(writer, name, value);
	}
}

void json_put_bool_as(struct json_writer *writer, struct slice name, bool value)
{
	json_put_raw_as(writer, name, value ? SLICE("true") : SLICE("false"));
}

void json_put_null_as(struct json_writer *writer, struct slice name)
{
	json_put_raw_as(writer, name, SLICE("null"));
}

static inline void put_time(struct json_writer *writer, struct slice name, int64_t unix_ms, enum name_kind kind)
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
	char *to = begin(writer, name, sizeof form - 1, kind);
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

void json_put_time_as(struct json_writer *writer, struct slice name, int64_t unix_ms)
{
	put_time(writer, name, unix_ms, ANY_NAME);
}

void json_put_time_ours(struct json_writer *writer, struct slice name, int64_t unix_ms)
{
	put_time(writer, name, unix_ms, OUR_NAME);
}

void json_put_raw_as(struct json_writer *writer, struct slice name, struct slice json)
{
	put_bytes(writer, name, json.p, json.len, ANY_NAME);
}

void json_put_raw_ours(struct json_writer *writer, struct slice name, struct slice json)
{
	put_bytes(writer, name, json.p, json.len, OUR_NAME);
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
