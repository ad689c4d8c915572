/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading JSON: strict RFC 8259, in one pass over one copy of the bytes.
 *
 *     copy of the input   {"name":"M\u00e4x","n":[1,2]}
 *     after reading       strings are decoded in place and end in a NUL where their quote was; values point at them
 *
 * Members of the container at hand gather on a stack and move to an array of exact size when it closes. Limits are
 * checked before anything is taken, so memory is bounded by them and not by the input. A general parser (jansson) costs
 * ten times as much; the tests hold this one to its answers.
 */
#include "rules/json/json.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rules/base/arena.h"
#include "rules/base/utf8.h"
#include "rules/json/plain.h"

enum { FIRST_ROOM = 64, FEW_MEMBERS = 16 };

struct parser {
	char *start, *at, *end; /* the copy; one NUL stands at `end` */
	struct json_limits limits;
	struct arena *arena;
	struct err *err;
	bool is_wide;
	size_t depth, values;
	struct json *stack;  /* members of the containers that are open, and the value that was read last */
	struct slice *names; /* beside them */
	size_t used, room;
};

/* Only the place is told, never the input: it may be contact data. Always false. */
static bool fail_at(struct parser *parser, const char *at, enum err_code code, const char *what)
{
	size_t line = 1, column = 1;
	for (const char *p = parser->start; p < at; p++) {
		column++;
		if (*p == '\n') {
			line++;
			column = 1;
		}
	}
	err_set(parser->err, code, "%s at line %zu, column %zu", what, line, column);
	return false;
}

static bool fail(struct parser *parser, const char *what)
{
	bool is_over = parser->at >= parser->end;
	return fail_at(parser, parser->at, ERR_JSON_SYNTAX, is_over ? "the document ends too early" : what);
}

static void skip_space(struct parser *parser)
{
	while (*parser->at == ' ' || *parser->at == '\n' || *parser->at == '\t' || *parser->at == '\r')
		parser->at++;
}

static bool take(struct parser *parser, char byte)
{
	if (*parser->at != byte)
		return false;
	parser->at++;
	return true;
}

/* ---- strings */

/* Four hex digits at `p`, or -1. */
static int hex4(const char *p)
{
	int value = 0;
	for (int i = 0; i < 4; i++) {
		char c = p[i];
		int digit = c >= '0' && c <= '9'   ? c - '0'
		            : c >= 'a' && c <= 'f' ? c - 'a' + 10
		            : c >= 'A' && c <= 'F' ? c - 'A' + 10
		                                   : -1;
		if (digit < 0)
			return -1; /* the NUL at the end is no digit either */
		value = value * 16 + digit;
	}
	return value;
}

static char *put_utf8(char *to, int code)
{
	if (code < 0x80) {
		*to++ = (char)code;
	} else if (code < 0x800) {
		*to++ = (char)(0xC0 | code >> 6);
		*to++ = (char)(0x80 | (code & 0x3F));
	} else if (code < 0x10000) {
		*to++ = (char)(0xE0 | code >> 12);
		*to++ = (char)(0x80 | (code >> 6 & 0x3F));
		*to++ = (char)(0x80 | (code & 0x3F));
	} else {
		*to++ = (char)(0xF0 | code >> 18);
		*to++ = (char)(0x80 | (code >> 12 & 0x3F));
		*to++ = (char)(0x80 | (code >> 6 & 0x3F));
		*to++ = (char)(0x80 | (code & 0x3F));
	}
	return to;
}

/* \uXXXX, behind the 'u'; a surrogate only as a pair. Never longer decoded than written. NULL on error. */
static char *unescape_unicode(struct parser *parser, char *to)
{
	int code = hex4(parser->at);
	if (code < 0)
		return fail(parser, "bad \\u escape"), NULL;
	parser->at += 4;
	if (code == 0 && !parser->is_wide)
		return fail_at(parser, parser->at, ERR_JSON_UTF8, "NUL in a string"), NULL;
	if (code >= 0xD800 && code <= 0xDFFF) {
		int low = code <= 0xDBFF && parser->at[0] == '\\' && parser->at[1] == 'u' ? hex4(parser->at + 2) : -1;
		if (low < 0xDC00 || low > 0xDFFF)
			return fail(parser, "lone surrogate"), NULL;
		parser->at += 6;
		code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
	}
	return put_utf8(to, code);
}

static char *unescape(struct parser *parser, char *to)
{
	static const char letters[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
	char letter = *parser->at;
	if (letter == 'u') {
		parser->at++;
		return unescape_unicode(parser, to);
	}
	const char *found = letter != '\0' ? strchr(letters, letter) : NULL;
	if (found == NULL)
		return fail(parser, "bad escape"), NULL;
	parser->at++;
	*to = bytes[found - letters];
	return to + 1;
}

/* The same from `parser->at` on, where something stands that is not plain. */
static bool read_decoded(struct parser *parser, char *start, struct slice *ret)
{
	char *to = parser->at;
	while (*parser->at != '"') {
		if (take(parser, '\\')) {
			to = unescape(parser, to);
			if (to == NULL)
				return false;
		} else if ((unsigned char)*parser->at < 0x20) {
			return fail(parser, "control character in a string");
		} else {
			*to++ = *parser->at++;
		}
	}
	parser->at++;
	*to = '\0';
	*ret = (struct slice){start, (size_t)(to - start)};
	return true;
}

/* From the opening quote on. The closing quote, or what is behind the decoded text, becomes a NUL. */
static bool read_string(struct parser *parser, struct slice *ret)
{
	if (!take(parser, '"'))
		return fail(parser, "a string was expected");
	char *start = parser->at;
	parser->at += json_skip_plain(start, parser->end) - start;
	if (*parser->at != '"')
		return read_decoded(parser, start, ret);
	*parser->at = '\0';
	*ret = (struct slice){start, (size_t)(parser->at - start)};
	parser->at++;
	return true;
}

/* ---- numbers */

static bool skip_digits(struct parser *parser)
{
	if (*parser->at < '0' || *parser->at > '9')
		return fail(parser, "a digit was expected");
	while (*parser->at >= '0' && *parser->at <= '9')
		parser->at++;
	return true;
}

/* strtod wants an end: the byte behind the number is a NUL for a moment. */
static bool convert_real(struct parser *parser, char *start, struct json *to)
{
	char behind = *parser->at;
	*parser->at = '\0';
	to->type = JSON_IS_REAL;
	to->real = strtod(start, NULL);
	*parser->at = behind;
	return isfinite(to->real) || fail_at(parser, start, ERR_JSON_SYNTAX, "number too large");
}

static bool convert_int(struct parser *parser, char *start, struct json *to)
{
	errno = 0;
	to->type = JSON_IS_INT;
	to->integer = strtoll(start, NULL, 10); /* ends by itself: no digit follows */
	if (errno != 0 && parser->is_wide)
		return convert_real(parser, start, to);
	return errno == 0 || fail_at(parser, start, ERR_JSON_SYNTAX, "number too large");
}

static bool read_number(struct parser *parser, struct json *to)
{
	char *start = parser->at;
	bool is_real = false;
	take(parser, '-');
	if (!take(parser, '0') && !skip_digits(parser))
		return false;
	if (take(parser, '.')) {
		is_real = true;
		if (!skip_digits(parser))
			return false;
	}
	if (*parser->at == 'e' || *parser->at == 'E') {
		is_real = true;
		parser->at++;
		if (!take(parser, '+'))
			take(parser, '-');
		if (!skip_digits(parser))
			return false;
	}
	return is_real ? convert_real(parser, start, to) : convert_int(parser, start, to);
}

/* ---- containers */

/* Reads into the place behind the last member on the stack; the caller makes it one by counting it. */
static bool read_value(struct parser *parser);

static void grow(struct parser *parser)
{
	size_t room = parser->room ? parser->room * 2 : FIRST_ROOM;
	struct json *stack = arena_raw(parser->arena, room * sizeof *stack); /* room is bounded by limits.values */
	struct slice *names = arena_raw(parser->arena, room * sizeof *names);
	if (parser->used != 0) {
		memcpy(stack, parser->stack, parser->used * sizeof *stack);
		memcpy(names, parser->names, parser->used * sizeof *names);
	}
	parser->stack = stack;
	parser->names = names;
	parser->room = room;
}

static bool read_name(struct parser *parser, struct slice *ret)
{
	if (!read_string(parser, ret))
		return false;
	skip_space(parser);
	if (!take(parser, ':'))
		return fail(parser, "':' was expected");
	skip_space(parser);
	return true;
}

static bool read_member(struct parser *parser, bool is_object)
{
	struct slice name = SLICE_NONE;
	if ((is_object && !read_name(parser, &name)) || !read_value(parser))
		return false;
	parser->names[parser->used++] = name;
	return true;
}

static int compare_names(const void *a, const void *b)
{
	return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

static bool has_twice_few(const struct slice *names, size_t count)
{
	for (size_t i = 1; i < count; i++)
		for (size_t j = 0; j < i; j++)
			if (slice_equal(names[i], names[j]))
				return true;
	return false;
}

/* Do all names differ in length, first or last byte? Then they need not be compared. */
static bool differ_at_a_glance(const struct slice *names, size_t count)
{
	uint64_t seen[4] = {0};
	for (size_t i = 0; i < count; i++) {
		struct slice name = names[i];
		unsigned mix = (unsigned)name.len;
		if (name.len != 0)
			mix += (unsigned char)name.p[0] * 7u + (unsigned char)name.p[name.len - 1] * 29u;
		uint64_t bit = (uint64_t)1 << mix % 64, *word = &seen[mix / 64 % 4];
		if ((*word & bit) != 0)
			return false;
		*word |= bit;
	}
	return true;
}

/* Many names are sorted first: comparing all pairs of a hostile object would be slow. */
static bool has_twice(struct parser *parser, const struct slice *names, size_t count)
{
	if (count <= FEW_MEMBERS)
		return !differ_at_a_glance(names, count) && has_twice_few(names, count);
	struct slice *sorted = arena_array(parser->arena, count, sizeof *sorted);
	memcpy(sorted, names, count * sizeof *sorted);
	qsort(sorted, count, sizeof *sorted, compare_names);
	for (size_t i = 1; i < count; i++)
		if (slice_equal(sorted[i - 1], sorted[i]))
			return true;
	return false;
}

/* Takes the members above `base` off the stack. */
static bool close_container(struct parser *parser, size_t base, bool is_object)
{
	size_t count = parser->used - base;
	struct json *items = NULL;
	struct slice *names = NULL;
	if (is_object && count > 1 && has_twice(parser, parser->names + base, count))
		return fail_at(parser, parser->at, ERR_JSON_DUPLICATE_KEY, "duplicate key in the object that ends");
	if (count != 0) {
		items = arena_raw(parser->arena, count * sizeof *items);
		memcpy(items, parser->stack + base, count * sizeof *items);
	}
	if (is_object && count != 0) {
		names = arena_raw(parser->arena, count * sizeof *names);
		memcpy(names, parser->names + base, count * sizeof *names);
	}
	if (base == parser->room)
		grow(parser);
	parser->stack[base] = (struct json){.type = is_object ? JSON_IS_OBJECT : JSON_IS_ARRAY, .items = items, .names = names,
	                                    .count = count};
	parser->used = base;
	return true;
}

static bool read_container(struct parser *parser)
{
	bool is_object = *parser->at++ == '{';
	char closing = is_object ? '}' : ']';
	size_t base = parser->used;
	if (++parser->depth > parser->limits.depth) {
		err_set(parser->err, ERR_JSON_TOO_DEEP, "nested deeper than %zu levels", parser->limits.depth);
		return false;
	}
	skip_space(parser);
	while (!take(parser, closing)) {
		if (parser->used != base && !take(parser, ','))
			return fail(parser, "',' or the end of the container was expected");
		skip_space(parser);
		if (!read_member(parser, is_object))
			return false;
		skip_space(parser);
	}
	parser->depth--;
	return close_container(parser, base, is_object);
}

static bool read_word(struct parser *parser, const char *word, struct json value, struct json *to)
{
	size_t len = strlen(word);
	if (strncmp(parser->at, word, len) != 0)
		return fail(parser, "bad syntax");
	parser->at += len;
	*to = value;
	return true;
}

static bool read_scalar(struct parser *parser, struct json *to)
{
	*to = (struct json){.type = JSON_IS_STRING};
	switch (*parser->at) {
	case '"':
		return read_string(parser, &to->text);
	case 't':
		return read_word(parser, "true", (struct json){.type = JSON_IS_BOOL, .boolean = true}, to);
	case 'f':
		return read_word(parser, "false", (struct json){.type = JSON_IS_BOOL}, to);
	case 'n':
		return read_word(parser, "null", (struct json){.type = JSON_IS_NULL}, to);
	default:
		return read_number(parser, to);
	}
}

static bool read_value(struct parser *parser)
{
	if (++parser->values > parser->limits.values) {
		err_set(parser->err, ERR_JSON_TOO_MANY, "more than %zu values", parser->limits.values);
		return false;
	}
	if (*parser->at == '{' || *parser->at == '[')
		return read_container(parser);
	if (parser->used == parser->room)
		grow(parser);
	return read_scalar(parser, &parser->stack[parser->used]);
}

static int check_bytes(struct slice bytes, struct json_limits limits, struct err *err)
{
	if (bytes.len > limits.bytes)
		return err_set(err, ERR_RECORD_TOO_LARGE, "%zu bytes, at most %zu are taken", bytes.len, limits.bytes);
	size_t bad = utf8_first_bad(bytes);
	if (bad != bytes.len)
		return err_set(err, ERR_JSON_UTF8, "byte %zu is not valid UTF-8", bad + 1);
	if (bytes.len != 0 && memchr(bytes.p, '\0', bytes.len) != NULL)
		return err_set(err, ERR_JSON_UTF8, "a NUL byte inside the document");
	return 0;
}

static const struct json *read_document(struct slice bytes, struct json_limits limits, bool is_wide, struct arena *arena,
                                        struct err *err)
{
	if (check_bytes(bytes, limits, err) != 0)
		return NULL;
	char *copy = arena_memdupz(arena, bytes.len ? bytes.p : "", bytes.len);
	struct parser parser = {.start = copy, .at = copy, .end = copy + bytes.len, .limits = limits, .arena = arena,
	                        .err = err, .is_wide = is_wide};
	skip_space(&parser);
	if (!read_value(&parser))
		return NULL;
	skip_space(&parser);
	if (parser.at != parser.end)
		return fail_at(&parser, parser.at, ERR_JSON_SYNTAX, "bytes behind the end of the document"), NULL;
	return parser.stack;
}

const struct json *json_read(struct slice bytes, struct json_limits limits, struct arena *arena, struct err *err)
{
	return read_document(bytes, limits, false, arena, err);
}

const struct json *json_read_wide(struct slice bytes, struct json_limits limits, struct arena *arena, struct err *err)
{
	return read_document(bytes, limits, true, arena, err);
}

/* ---- looking up */

const struct json *json_get(const struct json *object, const char *name)
{
	if (object == NULL || object->type != JSON_IS_OBJECT)
		return NULL;
	struct slice wanted = slice_of(name);
	for (size_t i = 0; i < object->count; i++)
		if (slice_equal(object->names[i], wanted))
			return &object->items[i];
	return NULL;
}

struct slice json_get_text(const struct json *object, const char *name)
{
	const struct json *value = json_get(object, name);
	return value != NULL && value->type == JSON_IS_STRING ? value->text : SLICE_NONE;
}
