/* SPDX-License-Identifier: Apache-2.0
 *
 * The plain form never fails; the typed form is a table of one reader per kind. Depth is bounded by the JSON reader.
 */
#include "rules/cel_json.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "rules/cel/print.h"
#include "rules/cel/time.h"
#include "rules/cel/value.h"
#include "rules/json/json.h"

/* ---- plain */

static struct cel_value plain_list(const struct json *json, struct arena *arena)
{
	struct cel_value *items = arena_array(arena, json->count, sizeof *items);
	for (size_t i = 0; i < json->count; i++)
		items[i] = cel_from_json(&json->items[i], arena);
	return cel_list_of(arena, items, json->count);
}

static struct cel_value plain_map(const struct json *json, struct arena *arena)
{
	struct cel_entry *entries = arena_array(arena, json->count, sizeof *entries);
	for (size_t i = 0; i < json->count; i++)
		entries[i] = (struct cel_entry){cel_string(json->names[i]), cel_from_json(&json->items[i], arena)};
	const struct cel_map *map = cel_map_of(arena, entries, json->count);
	return map != NULL ? cel_map(map) : cel_zero(&cel_type_map); /* the reader has refused duplicate names */
}

struct cel_value cel_from_json(const struct json *json, struct arena *arena)
{
	switch (json->type) {
	case JSON_IS_NULL:
		return cel_null();
	case JSON_IS_BOOL:
		return cel_bool(json->boolean);
	case JSON_IS_INT:
		return cel_int(json->integer);
	case JSON_IS_REAL:
		return cel_double(json->real);
	case JSON_IS_STRING:
		return cel_string(json->text);
	case JSON_IS_ARRAY:
		return plain_list(json, arena);
	case JSON_IS_OBJECT:
		return plain_map(json, arena);
	}
	return cel_null();
}

/* ---- typed */

static bool read_typed(const struct json *json, struct arena *arena, struct cel_value *ret_value);

/* 64-bit integers are texts, because JSON numbers of other programs are doubles; a JSON integer is taken too. */
static bool read_int(const struct json *json, struct arena *arena, struct cel_value *ret_value)
{
	char *end = NULL;
	*ret_value = cel_int(json->integer);
	if (json->type != JSON_IS_STRING)
		return json->type == JSON_IS_INT;
	const char *text = arena_memdupz(arena, json->text.p, json->text.len);
	errno = 0;
	*ret_value = cel_int(strtoll(text, &end, 10));
	return end != text && *end == '\0' && errno == 0;
}

static bool read_uint(const struct json *json, struct arena *arena, struct cel_value *ret_value)
{
	char *end = NULL;
	*ret_value = cel_uint((uint64_t)json->integer);
	if (json->type != JSON_IS_STRING)
		return json->type == JSON_IS_INT && json->integer >= 0;
	const char *text = arena_memdupz(arena, json->text.p, json->text.len);
	errno = 0;
	*ret_value = cel_uint(strtoull(text, &end, 10));
	return end != text && *end == '\0' && errno == 0 && text[0] != '-';
}

/* "NaN", "Infinity" and "-Infinity" are texts. */
static bool read_double(const struct json *json, struct arena *arena, struct cel_value *ret_value)
{
	(void)arena;
	bool is_nan = json->type == JSON_IS_STRING && slice_is(json->text, "NaN");
	bool is_up = json->type == JSON_IS_STRING && slice_is(json->text, "Infinity");
	bool is_down = json->type == JSON_IS_STRING && slice_is(json->text, "-Infinity");
	double number = json->type == JSON_IS_INT ? (double)json->integer : json->real;
	*ret_value = cel_double(is_nan ? NAN : is_up ? INFINITY : is_down ? -INFINITY : number);
	return is_nan || is_up || is_down || json->type == JSON_IS_INT || json->type == JSON_IS_REAL;
}

static bool read_bool(const struct json *json, struct arena *arena, struct cel_value *ret_value)
{
	(void)arena;
	*ret_value = cel_bool(json->boolean);
	return json->type == JSON_IS_BOOL;
}

static bool read_null(const struct json *json, struct arena *arena, struct cel_value *ret_value)
{
	(void)json;
	(void)arena;
	*ret_value = cel_null();
	return true;
}

static bool read_string(const struct json *json, struct arena *arena, struct cel_value *ret_value)
{
	(void)arena;
	*ret_value = cel_string(json->text);
	return json->type == JSON_IS_STRING;
}

static bool read_bytes(const struct json *json, struct arena *arena, struct cel_value *ret_value)
{
	if (json->type != JSON_IS_STRING)
		return false;
	char *bytes = arena_alloc(arena, json->text.len);
	size_t len;
	if (!cel_read_base64(json->text, bytes, &len))
		return false;
	*ret_value = cel_bytes((struct slice){bytes, len});
	return true;
}

static bool read_timestamp(const struct json *json, struct arena *arena, struct cel_value *ret_value)
{
	(void)arena;
	return json->type == JSON_IS_STRING && cel_time_read(json->text, ret_value);
}

static bool read_duration(const struct json *json, struct arena *arena, struct cel_value *ret_value)
{
	(void)arena;
	return json->type == JSON_IS_STRING && cel_duration_read(json->text, ret_value);
}

static bool read_list(const struct json *json, struct arena *arena, struct cel_value *ret_value)
{
	if (json->type != JSON_IS_ARRAY)
		return false;
	struct cel_value *items = arena_array(arena, json->count, sizeof *items);
	for (size_t i = 0; i < json->count; i++)
		if (!read_typed(&json->items[i], arena, &items[i]))
			return false;
	*ret_value = cel_list_of(arena, items, json->count);
	return true;
}

static bool read_map(const struct json *json, struct arena *arena, struct cel_value *ret_value)
{
	if (json->type != JSON_IS_ARRAY)
		return false;
	struct cel_entry *entries = arena_array(arena, json->count, sizeof *entries);
	for (size_t i = 0; i < json->count; i++) {
		const struct json *pair = &json->items[i];
		if (pair->type != JSON_IS_ARRAY || pair->count != 2 ||
		    !read_typed(&pair->items[0], arena, &entries[i].key) ||
		    !read_typed(&pair->items[1], arena, &entries[i].value))
			return false;
	}
	const struct cel_map *map = cel_map_of(arena, entries, json->count);
	*ret_value = map != NULL ? cel_map(map) : cel_null();
	return map != NULL;
}

static bool read_type(const struct json *json, struct arena *arena, struct cel_value *ret_value)
{
	static const struct cel_type *const types[] = {
		&cel_type_null,	 &cel_type_bool,      &cel_type_int,	  &cel_type_uint, &cel_type_double, &cel_type_string,
		&cel_type_bytes, &cel_type_timestamp, &cel_type_duration, &cel_type_list, &cel_type_map,    &cel_type_type};
	(void)arena;
	for (size_t i = 0; json->type == JSON_IS_STRING && i < sizeof types / sizeof *types; i++)
		if (slice_is(json->text, cel_type_label(types[i]))) {
			*ret_value = (struct cel_value){.kind = CEL_TYPE, .as.type = types[i]};
			return true;
		}
	return false;
}

static const struct {
	const char *name;
	bool (*read)(const struct json *json, struct arena *arena, struct cel_value *ret_value);
} kinds[] = {
	{"null", read_null},	     {"bool", read_bool},	  {"int", read_int},   {"uint", read_uint},
	{"double", read_double},     {"string", read_string},	  {"bytes", read_bytes}, {"timestamp", read_timestamp},
	{"duration", read_duration}, {"list", read_list},	  {"map", read_map},   {"type", read_type},
};

static bool read_typed(const struct json *json, struct arena *arena, struct cel_value *ret_value)
{
	if (json->type != JSON_IS_OBJECT || json->count != 1)
		return false;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (slice_is(json->names[0], kinds[i].name))
			return kinds[i].read(&json->items[0], arena, ret_value);
	return false;
}

int cel_from_typed_json(const struct json *json, struct arena *arena, struct cel_value *ret_value, struct err *err)
{
	struct cel_value value;
	if (!read_typed(json, arena, &value))
		return err_set(err, ERR_BAD_VALUE, "not a typed value: write {\"int\":\"1\"}, {\"string\":\"x\"}, {\"list\":[…]}");
	*ret_value = value;
	return 0;
}
