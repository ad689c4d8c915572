/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading JSON: a scan that enforces the limits, then jansson, then a copy into the arena.
 *
 *     bytes --scan--> depth, values and UTF-8 are known to be fine --jansson--> json_t --copy--> struct json
 *
 * The scan costs a fraction of the parse and is what keeps a hostile record from making jansson allocate 73 times its
 * size. Nothing outside this file knows that jansson exists.
 */
#include "rules/json.h"

#include <jansson.h>
#include <string.h>

#include "rules/base/arena.h"
#include "rules/utf8.h"

/* ---- the scan before */

struct scan {
	struct slice bytes;
	size_t at, depth, values;
};

/* Leaves `at` behind the closing quote. An open string is the parser's to report. */
static void skip_string(struct scan *scan)
{
	const char *p = scan->bytes.p;
	for (scan->at++; scan->at < scan->bytes.len; scan->at++) {
		if (p[scan->at] == '\\') {
			scan->at++;
		} else if (p[scan->at] == '"') {
			scan->at++;
			return;
		}
	}
}

/* A document has one value more than commas and openings together, at most: n members need n-1 commas. */
static int check_nesting(struct slice bytes, struct json_limits limits, struct err *err)
{
	struct scan scan = {bytes, 0, 0, 1};
	while (scan.at < bytes.len) {
		switch (bytes.p[scan.at]) {
		case '"':
			skip_string(&scan);
			continue;
		case '{':
		case '[':
			scan.depth++;
			scan.values++;
			break;
		case '}':
		case ']':
			scan.depth -= scan.depth > 0;
			break;
		case ',':
			scan.values++;
			break;
		}
		if (scan.depth > limits.depth)
			return err_set(err, ERR_JSON_TOO_DEEP, "nested deeper than %zu levels", limits.depth);
		if (scan.values > limits.values)
			return err_set(err, ERR_JSON_TOO_MANY, "more than %zu values", limits.values);
		scan.at++;
	}
	return 0;
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
	return check_nesting(bytes, limits, err);
}

/* ---- jansson's tree into ours */

static struct slice copy_text(const char *text, size_t len, struct arena *arena)
{
	return (struct slice){arena_memdupz(arena, text, len), len};
}

static void convert(const json_t *from, struct arena *arena, struct json *ret_to);

static void convert_array(const json_t *from, struct arena *arena, struct json *to)
{
	to->type = JSON_IS_ARRAY;
	to->count = json_array_size(from);
	struct json *items = arena_array(arena, to->count, sizeof *items);
	for (size_t i = 0; i < to->count; i++)
		convert(json_array_get(from, i), arena, &items[i]);
	to->items = items;
}

static void convert_object(const json_t *from, struct arena *arena, struct json *to)
{
	to->type = JSON_IS_OBJECT;
	to->count = json_object_size(from);
	struct json *items = arena_array(arena, to->count, sizeof *items);
	struct slice *names = arena_array(arena, to->count, sizeof *names);
	json_t *object = (json_t *)from; /* jansson's iterators take no const */
	size_t i = 0;
	for (void *at = json_object_iter(object); at != NULL; at = json_object_iter_next(object, at), i++) {
		const char *key = json_object_iter_key(at);
		names[i] = copy_text(key, strlen(key), arena);
		convert(json_object_iter_value(at), arena, &items[i]);
	}
	to->items = items;
	to->names = names;
}

/* Recursion is bounded by limits.depth, which the scan has enforced. */
static void convert(const json_t *from, struct arena *arena, struct json *to)
{
	switch (json_typeof(from)) {
	case JSON_OBJECT:
		convert_object(from, arena, to);
		return;
	case JSON_ARRAY:
		convert_array(from, arena, to);
		return;
	case JSON_STRING:
		to->type = JSON_IS_STRING;
		to->text = copy_text(json_string_value(from), json_string_length(from), arena);
		return;
	case JSON_INTEGER:
		to->type = JSON_IS_INT;
		to->integer = json_integer_value(from);
		return;
	case JSON_REAL:
		to->type = JSON_IS_REAL;
		to->real = json_real_value(from);
		return;
	case JSON_TRUE:
	case JSON_FALSE:
		to->type = JSON_IS_BOOL;
		to->boolean = json_is_true(from);
		return;
	case JSON_NULL:
		to->type = JSON_IS_NULL;
		return;
	}
}

/* jansson quotes the input in its text ("near '…'"), which may be contact data: only the place is passed on. */
static void describe(const json_error_t *problem, struct err *err)
{
	switch (json_error_code(problem)) {
	case json_error_duplicate_key:
		err_set(err, ERR_JSON_DUPLICATE_KEY, "duplicate key at line %d, column %d", problem->line, problem->column);
		return;
	case json_error_numeric_overflow:
		err_set(err, ERR_JSON_SYNTAX, "number too large at line %d, column %d", problem->line, problem->column);
		return;
	case json_error_null_character:
	case json_error_null_byte_in_key:
		err_set(err, ERR_JSON_UTF8, "NUL in a string at line %d, column %d", problem->line, problem->column);
		return;
	case json_error_premature_end_of_input:
		err_set(err, ERR_JSON_SYNTAX, "the document ends too early at line %d, column %d", problem->line,
		        problem->column);
		return;
	default:
		err_set(err, ERR_JSON_SYNTAX, "bad syntax at line %d, column %d", problem->line, problem->column);
	}
}

void json_seed(void)
{
	json_object_seed(0);
}

const struct json *json_read(struct slice bytes, struct json_limits limits, struct arena *arena, struct err *err)
{
	if (check_bytes(bytes, limits, err) != 0)
		return NULL;
	json_error_t problem;
	json_t *tree = json_loadb(bytes.len ? bytes.p : "", bytes.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &problem);
	if (tree == NULL) {
		describe(&problem, err);
		return NULL;
	}
	struct json *root = arena_alloc(arena, sizeof *root);
	convert(tree, arena, root);
	json_decref(tree);
	return root;
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
