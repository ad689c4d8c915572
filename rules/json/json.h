/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON in and out, behind one door.
 *
 * Reading: strict RFC 8259. Limits on size, depth and number of values hold before anything is taken; duplicate keys, bad
 * UTF-8, NUL and trailing bytes are refused. tests/fuzz/fuzz_json.c holds the reader to the answers of jansson.
 * Writing: a small emitter that appends to a strbuf; output is always valid UTF-8 JSON if the strings given are UTF-8.
 */
#ifndef LR_RULES_JSON_JSON_H
#define LR_RULES_JSON_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/err.h"
#include "rules/base/slice.h"
#include "rules/base/strbuf.h"

struct arena;

enum json_type { JSON_IS_NULL, JSON_IS_BOOL, JSON_IS_INT, JSON_IS_REAL, JSON_IS_STRING, JSON_IS_ARRAY, JSON_IS_OBJECT };

/* One value of a parsed document; immutable, lives in the arena of json_read(). */
struct json {
	enum json_type type;
	bool boolean;
	int64_t integer;
	double real;
	struct slice text;           /* JSON_IS_STRING: decoded */
	const struct json *items;    /* JSON_IS_ARRAY, JSON_IS_OBJECT: `count` values in input order */
	const struct slice *names;   /* JSON_IS_OBJECT: the name of each item */
	size_t count;
};

struct json_limits {
	size_t bytes, depth, values;
};

/* Parses one document. NULL with *err filled (ERR_JSON_*: too large, too deep, too many values, bad syntax with line and
 * column, duplicate key, bad UTF-8); err->text never quotes the input's values. */
const struct json *json_read(struct slice bytes, struct json_limits limits, struct arena *arena, struct err *err);

/* The same for tools, which take what other programs write: \u0000 is a NUL in a text, and a whole number that does not fit
 * into 64 bits is a real. */
const struct json *json_read_wide(struct slice bytes, struct json_limits limits, struct arena *arena, struct err *err);

/* The member `name`, or NULL (also when `object` is NULL or no object). */
const struct json *json_get(const struct json *object, const char *name);
/* The text of a string member; SLICE_NONE when it is absent or no string. */
struct slice json_get_text(const struct json *object, const char *name);

/* A writer puts commas and quotes; the caller opens and closes. `name` is NULL inside arrays and for the outermost value. */
struct json_writer {
	struct strbuf *out;
	bool needs_comma;
};

#define JSON_WRITER(buf) { (buf), false }

/* The functions take a name with its length; the wrappers below are what most callers want. */
void json_open_object_as(struct json_writer *writer, struct slice name);
void json_close_object(struct json_writer *writer);
void json_open_array_as(struct json_writer *writer, struct slice name);
void json_close_array(struct json_writer *writer);
void json_put_text_as(struct json_writer *writer, struct slice name, struct slice value);
void json_put_int_as(struct json_writer *writer, struct slice name, int64_t value);
void json_put_real_as(struct json_writer *writer, struct slice name, double value);
void json_put_bool_as(struct json_writer *writer, struct slice name, bool value);
void json_put_null_as(struct json_writer *writer, struct slice name);
/* A value that was read; its depth is bounded by the reader that made it. */
void json_put_value(struct json_writer *writer, struct slice name, const struct json *json);
/* An array of numbers. */
void json_put_ints(struct json_writer *writer, struct slice name, const int64_t *values, size_t count);
/* RFC 3339 in UTC with milliseconds: "2026-11-21T22:05:15.026Z". */
void json_put_time_as(struct json_writer *writer, struct slice name, int64_t unix_ms);
/* A text in pieces, between open and close. */
void json_open_text(struct json_writer *writer, const char *name);
void json_add_text(struct json_writer *writer, struct slice piece);
void json_close_text(struct json_writer *writer);
/* Bytes that are JSON already. */
void json_put_raw_as(struct json_writer *writer, struct slice name, struct slice json);

/* The same for names that need no escape, because they stand in our own source. */
void json_open_object_ours(struct json_writer *writer, struct slice name);
void json_open_array_ours(struct json_writer *writer, struct slice name);
void json_put_text_ours(struct json_writer *writer, struct slice name, struct slice value);
void json_put_int_ours(struct json_writer *writer, struct slice name, int64_t value);
void json_put_time_ours(struct json_writer *writer, struct slice name, int64_t unix_ms);
void json_put_raw_ours(struct json_writer *writer, struct slice name, struct slice json);

/* Only of a literal, and of NULL, does the compiler know the length; any other name is taken for what it may be. */
#define JSON_IS_OURS(name) (__builtin_constant_p((name) == NULL) && ((name) == NULL || __builtin_constant_p(strlen(name))))

static inline void json_open_object(struct json_writer *writer, const char *name)
{
	if (JSON_IS_OURS(name))
		json_open_object_ours(writer, slice_of(name));
	else
		json_open_object_as(writer, slice_of(name));
}

static inline void json_open_array(struct json_writer *writer, const char *name)
{
	if (JSON_IS_OURS(name))
		json_open_array_ours(writer, slice_of(name));
	else
		json_open_array_as(writer, slice_of(name));
}

static inline void json_put_text(struct json_writer *writer, const char *name, struct slice value)
{
	if (JSON_IS_OURS(name))
		json_put_text_ours(writer, slice_of(name), value);
	else
		json_put_text_as(writer, slice_of(name), value);
}

static inline void json_put_int(struct json_writer *writer, const char *name, int64_t value)
{
	if (JSON_IS_OURS(name))
		json_put_int_ours(writer, slice_of(name), value);
	else
		json_put_int_as(writer, slice_of(name), value);
}

static inline void json_put_real(struct json_writer *writer, const char *name, double value)
{
	json_put_real_as(writer, slice_of(name), value);
}

static inline void json_put_time(struct json_writer *writer, const char *name, int64_t unix_ms)
{
	if (JSON_IS_OURS(name))
		json_put_time_ours(writer, slice_of(name), unix_ms);
	else
		json_put_time_as(writer, slice_of(name), unix_ms);
}

static inline void json_put_raw(struct json_writer *writer, const char *name, struct slice json)
{
	if (JSON_IS_OURS(name))
		json_put_raw_ours(writer, slice_of(name), json);
	else
		json_put_raw_as(writer, slice_of(name), json);
}

static inline void json_put_bool(struct json_writer *writer, const char *name, bool value)
{
	json_put_raw(writer, name, value ? SLICE("true") : SLICE("false"));
}

static inline void json_put_null(struct json_writer *writer, const char *name)
{
	json_put_raw(writer, name, SLICE("null"));
}

#endif
