/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists, maps, comparing and printing of CEL values.
 *
 * Numbers compare by their mathematical value across int, uint and double; NaN equals nothing. Maps keep the order in
 * which they were filled; beyond a few entries they carry a sorted index, so that a look-up is never linear and no
 * hash can be attacked.
 */
#ifndef LR_RULES_CEL_VALUE_H
#define LR_RULES_CEL_VALUE_H

#include "rules/base/strbuf.h"
#include "rules/cel/cel.h"

struct cel_list {
	const struct cel_value *items;
	uint32_t count;
	uint32_t weight; /* items of it and of all that is in it; bounded, so that shared parts cannot hide a bomb */
};

struct cel_entry {
	struct cel_value key; /* bool, int, uint or string */
	struct cel_value value;
};

struct cel_map {
	const struct cel_entry *entries;
	const uint32_t *order; /* indexes of entries by key; NULL in small maps */
	uint32_t count;
	uint32_t weight;
};

/* Borrow `items` and `entries`, which live as long as the value. cel_map_of fails (NULL) on equal keys and on keys of a
 * kind that cannot be one. */
struct cel_value cel_list_of(struct arena *arena, const struct cel_value *items, size_t count);
const struct cel_map *cel_map_of(struct arena *arena, const struct cel_entry *entries, size_t count);
/* The distinct ones among `items`, as keys of a map; NULL when one cannot be a key. */
const struct cel_map *cel_set_of(struct arena *arena, const struct cel_value *items, size_t count);
/* NULL when absent. A double finds the int or uint of the same value. */
const struct cel_value *cel_map_find(const struct cel_map *map, struct cel_value key);
const struct cel_value *cel_map_find_text(const struct cel_map *map, struct slice key);

/* 1 for a simple value, more for long texts; UINT32_MAX for anything as large or larger. */
uint32_t cel_weight(struct cel_value value);

/* CEL's ==, for values that are no errors. Objects are equal when their fields are. */
bool cel_equal(struct cel_value a, struct cel_value b, struct arena *scratch);
enum cel_order { CEL_LESS = -1, CEL_SAME, CEL_MORE, CEL_UNORDERED };
/* Order of two numbers, strings, bytes, bools, timestamps or durations; anything else, and NaN, is unordered. */
enum cel_order cel_compare(struct cel_value a, struct cel_value b);
/* Are the two of kinds that < accepts? NaN is. */
bool cel_is_comparable(struct cel_value a, struct cel_value b);

/* The default of a type: "", 0, false, [], {}, 1970, and null for the rest. */
struct cel_value cel_zero(const struct cel_type *type);
/* The type of a value as type() reports it. */
const struct cel_type *cel_type_of(struct cel_value value);
/* The name that type(x) prints: "int", "list", "google.protobuf.Timestamp". */
const char *cel_type_label(const struct cel_type *type);

/* As a CEL literal: "demo" with quotes, [1, 2], timestamp("…"). An error prints as its text. */
void cel_print(struct strbuf *buf, struct cel_value value);
/* As typed JSON: {"int":"1"}, {"list":[…]}, {"map":[[k,v]]}, {"error":"…"}; see leadctl-eval. */
void cel_print_typed(struct strbuf *buf, struct cel_value value);

#endif
