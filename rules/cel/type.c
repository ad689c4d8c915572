/* SPDX-License-Identifier: Apache-2.0
 *
 * The constant types, and how types are named for people.
 */
#include "rules/cel/cel.h"
#include "rules/cel/value.h"

const struct cel_type cel_type_null = {.kind = CEL_NULL};
const struct cel_type cel_type_bool = {.kind = CEL_BOOL};
const struct cel_type cel_type_int = {.kind = CEL_INT};
const struct cel_type cel_type_uint = {.kind = CEL_UINT};
const struct cel_type cel_type_double = {.kind = CEL_DOUBLE};
const struct cel_type cel_type_string = {.kind = CEL_STRING};
const struct cel_type cel_type_bytes = {.kind = CEL_BYTES};
const struct cel_type cel_type_timestamp = {.kind = CEL_TIMESTAMP};
const struct cel_type cel_type_duration = {.kind = CEL_DURATION};
const struct cel_type cel_type_dyn = {.kind = CEL_DYN};
const struct cel_type cel_type_type = {.kind = CEL_TYPE, .item = &cel_type_dyn};
const struct cel_type cel_type_list = {.kind = CEL_LIST, .item = &cel_type_dyn};
const struct cel_type cel_type_strings = {.kind = CEL_LIST, .item = &cel_type_string};
const struct cel_type cel_type_map = {.kind = CEL_MAP, .key = &cel_type_string, .item = &cel_type_dyn};
const struct cel_type cel_type_string_map = {.kind = CEL_MAP, .key = &cel_type_string, .item = &cel_type_string};

static const struct cel_type any_map = {.kind = CEL_MAP, .key = &cel_type_dyn, .item = &cel_type_dyn};
static const struct cel_type any_optional = {.kind = CEL_OPTIONAL, .item = &cel_type_dyn};

static const char *simple_name(enum cel_kind kind)
{
	switch (kind) {
	case CEL_NULL:
		return "null";
	case CEL_BOOL:
		return "bool";
	case CEL_INT:
		return "int";
	case CEL_UINT:
		return "uint";
	case CEL_DOUBLE:
		return "double";
	case CEL_STRING:
		return "string";
	case CEL_BYTES:
		return "bytes";
	case CEL_TIMESTAMP:
		return "timestamp";
	case CEL_DURATION:
		return "duration";
	case CEL_LIST:
		return "list";
	case CEL_MAP:
		return "map";
	case CEL_OBJECT:
		return "object";
	case CEL_TYPE:
		return "type";
	case CEL_OPTIONAL:
		return "optional";
	case CEL_ERROR:
		return "error";
	case CEL_DYN:
	case CEL_PARAM:
		return "dyn";
	}
	return "dyn";
}

const char *cel_type_name(const struct cel_type *type, struct arena *arena)
{
	switch (type->kind) {
	case CEL_LIST:
	case CEL_OPTIONAL:
		return arena_printf(arena, "%s(%s)", simple_name(type->kind), cel_type_name(type->item, arena));
	case CEL_MAP:
		return arena_printf(arena, "map(%s, %s)", cel_type_name(type->key, arena),
				    cel_type_name(type->item, arena));
	case CEL_OBJECT:
		return type->object->name;
	default:
		return simple_name(type->kind);
	}
}

const char *cel_type_label(const struct cel_type *type)
{
	switch (type->kind) {
	case CEL_NULL:
		return "null_type";
	case CEL_TIMESTAMP:
		return "google.protobuf.Timestamp";
	case CEL_DURATION:
		return "google.protobuf.Duration";
	case CEL_OPTIONAL:
		return "optional_type";
	case CEL_OBJECT:
		return type->object->name;
	default:
		return simple_name(type->kind);
	}
}

const struct cel_type *cel_type_of(struct cel_value value)
{
	static const struct cel_type *const types[] = {
		[CEL_NULL] = &cel_type_null,
		[CEL_BOOL] = &cel_type_bool,
		[CEL_INT] = &cel_type_int,
		[CEL_UINT] = &cel_type_uint,
		[CEL_DOUBLE] = &cel_type_double,
		[CEL_STRING] = &cel_type_string,
		[CEL_BYTES] = &cel_type_bytes,
		[CEL_TIMESTAMP] = &cel_type_timestamp,
		[CEL_DURATION] = &cel_type_duration,
		[CEL_LIST] = &cel_type_list,
		[CEL_MAP] = &any_map,
		[CEL_OBJECT] = &cel_type_dyn, /* its value carries the object type */
		[CEL_TYPE] = &cel_type_type,
		[CEL_OPTIONAL] = &any_optional,
		[CEL_ERROR] = &cel_type_dyn,
	};
	return types[value.kind];
}

struct cel_value cel_zero(const struct cel_type *type)
{
	static const struct cel_list no_items = {.weight = 1};
	static const struct cel_map no_entries = {.weight = 1};
	switch (type->kind) {
	case CEL_BOOL:
	case CEL_INT:
	case CEL_UINT:
	case CEL_DOUBLE:
	case CEL_STRING:
	case CEL_BYTES:
	case CEL_TIMESTAMP:
	case CEL_DURATION:
	case CEL_OPTIONAL:
		return (struct cel_value){.kind = (uint8_t)type->kind};
	case CEL_LIST:
		return cel_list(&no_items);
	case CEL_MAP:
		return cel_map(&no_entries);
	default:
		return cel_null();
	}
}
