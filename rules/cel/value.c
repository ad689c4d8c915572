/* SPDX-License-Identifier: Apache-2.0
 *
 * Equality, order, and map look-up.
 *
 * Across int and double both are compared as doubles, as the conformance suite asks: 9223372036854775807 equals
 * 9223372036854775808.0. Between int and uint the comparison is exact.
 */
#include "rules/cel/value.h"

#include <stdlib.h>

/* Up to here a linear look-up is faster than the sorted index. */
enum { SMALL_MAP = 8, BYTES_PER_WEIGHT = 64 };

static enum cel_order order_of(int difference)
{
	return difference < 0 ? CEL_LESS : difference > 0 ? CEL_MORE : CEL_SAME;
}

static bool is_number(struct cel_value value)
{
	return value.kind == CEL_INT || value.kind == CEL_UINT || value.kind == CEL_DOUBLE;
}

static double as_double(struct cel_value value)
{
	if (value.kind == CEL_DOUBLE)
		return value.as.number;
	return value.kind == CEL_INT ? (double)value.as.integer : (double)value.as.natural;
}

static enum cel_order compare_doubles(double a, double b)
{
	if (a < b)
		return CEL_LESS;
	if (a > b)
		return CEL_MORE;
	return a == b ? CEL_SAME : CEL_UNORDERED;
}

static enum cel_order compare_numbers(struct cel_value a, struct cel_value b)
{
	if (a.kind == CEL_DOUBLE || b.kind == CEL_DOUBLE)
		return compare_doubles(as_double(a), as_double(b));
	if (a.kind == CEL_INT && b.kind == CEL_INT)
		return order_of((a.as.integer > b.as.integer) - (a.as.integer < b.as.integer));
	if (a.kind == CEL_INT && a.as.integer < 0)
		return CEL_LESS;
	if (b.kind == CEL_INT && b.as.integer < 0)
		return CEL_MORE;
	return order_of((a.as.natural > b.as.natural) - (a.as.natural < b.as.natural));
}

bool cel_is_comparable(struct cel_value a, struct cel_value b)
{
	if (is_number(a) && is_number(b))
		return true;
	return a.kind == b.kind && (a.kind == CEL_BOOL || a.kind == CEL_STRING || a.kind == CEL_BYTES ||
				    a.kind == CEL_TIMESTAMP || a.kind == CEL_DURATION);
}

enum cel_order cel_compare(struct cel_value a, struct cel_value b)
{
	if (!cel_is_comparable(a, b))
		return CEL_UNORDERED;
	switch ((enum cel_kind)a.kind) {
	case CEL_BOOL:
		return order_of(a.as.boolean - b.as.boolean);
	case CEL_STRING:
	case CEL_BYTES:
		return order_of(slice_compare(cel_slice(a), cel_slice(b)));
	case CEL_TIMESTAMP:
		if (a.as.integer == b.as.integer)
			return order_of((a.len > b.len) - (a.len < b.len));
		return order_of((a.as.integer > b.as.integer) - (a.as.integer < b.as.integer));
	case CEL_DURATION:
		return order_of((a.as.integer > b.as.integer) - (a.as.integer < b.as.integer));
	default:
		return compare_numbers(a, b);
	}
}

static bool equal_lists(const struct cel_list *a, const struct cel_list *b, struct arena *scratch)
{
	if (a->count != b->count)
		return false;
	for (uint32_t i = 0; i < a->count; i++)
		if (!cel_equal(a->items[i], b->items[i], scratch))
			return false;
	return true;
}

static bool equal_maps(const struct cel_map *a, const struct cel_map *b, struct arena *scratch)
{
	if (a->count != b->count)
		return false;
	for (uint32_t i = 0; i < a->count; i++) {
		const struct cel_value *other = cel_map_find(b, a->entries[i].key);
		if (other == NULL || !cel_equal(a->entries[i].value, *other, scratch))
			return false;
	}
	return true;
}

static bool equal_objects(const struct cel_object *a, const struct cel_object *b, struct arena *scratch)
{
	if (a->type != b->type)
		return false;
	if (a->self == b->self)
		return true;
	for (uint32_t i = 0; i < a->type->field_count; i++) {
		if (a->type->has != NULL && a->type->has(a->self, i) != a->type->has(b->self, i))
			return false;
		if (!cel_equal(a->type->get(a->self, i, scratch), a->type->get(b->self, i, scratch), scratch))
			return false;
	}
	return true;
}

static bool equal_types(const struct cel_type *a, const struct cel_type *b)
{
	return a->kind == b->kind && a->object == b->object;
}

static bool equal_optionals(struct cel_value a, struct cel_value b, struct arena *scratch)
{
	if (a.as.inner == NULL || b.as.inner == NULL)
		return a.as.inner == b.as.inner;
	return cel_equal(*a.as.inner, *b.as.inner, scratch);
}

bool cel_equal(struct cel_value a, struct cel_value b, struct arena *scratch)
{
	if (a.kind != b.kind)
		return is_number(a) && is_number(b) && compare_numbers(a, b) == CEL_SAME;
	switch ((enum cel_kind)a.kind) {
	case CEL_NULL:
		return true;
	case CEL_STRING:
	case CEL_BYTES:
		return slice_equal(cel_slice(a), cel_slice(b));
	case CEL_LIST:
		return equal_lists(a.as.list, b.as.list, scratch);
	case CEL_MAP:
		return equal_maps(a.as.map, b.as.map, scratch);
	case CEL_OBJECT:
		return equal_objects(a.as.object, b.as.object, scratch);
	case CEL_TYPE:
		return equal_types(a.as.type, b.as.type);
	case CEL_OPTIONAL:
		return equal_optionals(a, b, scratch);
	default:
		return cel_compare(a, b) == CEL_SAME;
	}
}

uint32_t cel_weight(struct cel_value value)
{
	if (value.kind == CEL_STRING || value.kind == CEL_BYTES)
		return 1 + value.len / BYTES_PER_WEIGHT;
	if (value.kind == CEL_LIST)
		return value.as.list->weight;
	if (value.kind == CEL_MAP)
		return value.as.map->weight;
	if (value.kind == CEL_OPTIONAL && value.as.inner != NULL)
		return cel_weight(*value.as.inner);
	return 1;
}

static void add_weight(uint32_t *weight, struct cel_value value)
{
	if (__builtin_add_overflow(*weight, cel_weight(value), weight))
		*weight = UINT32_MAX;
}

struct cel_value cel_list_of(struct arena *arena, const struct cel_value *items, size_t count)
{
	struct cel_list *list = arena_alloc(arena, sizeof *list);
	list->items = items;
	list->count = (uint32_t)count;
	list->weight = 1;
	for (size_t i = 0; i < count; i++)
		add_weight(&list->weight, items[i]);
	return cel_list(list);
}

/* ---- maps */

static int key_group(struct cel_value key)
{
	return is_number(key) ? 1 : key.kind == CEL_STRING ? 2 : 0;
}

/* A total order of what can be a key: bools, then numbers, then strings. */
static int compare_keys(struct cel_value a, struct cel_value b)
{
	int group = key_group(a) - key_group(b);
	return group != 0 ? group : (int)cel_compare(a, b);
}

static bool can_be_key(struct cel_value key)
{
	return key.kind == CEL_BOOL || key.kind == CEL_INT || key.kind == CEL_UINT || key.kind == CEL_STRING;
}

static int compare_entries(const void *a, const void *b, void *entries)
{
	const struct cel_entry *all = entries;
	return compare_keys(all[*(const uint32_t *)a].key, all[*(const uint32_t *)b].key);
}

static const uint32_t *sorted_order(struct arena *arena, const struct cel_entry *entries, size_t count)
{
	uint32_t *order = arena_array(arena, count, sizeof *order);
	for (size_t i = 0; i < count; i++)
		order[i] = (uint32_t)i;
	qsort_r(order, count, sizeof *order, compare_entries, (void *)entries);
	return order;
}

static bool has_equal_neighbours(const struct cel_entry *entries, const uint32_t *order, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (compare_keys(entries[order[i - 1]].key, entries[order[i]].key) == 0)
			return true;
	return false;
}

static bool has_equal_pair(const struct cel_entry *entries, size_t count)
{
	for (size_t i = 1; i < count; i++)
		for (size_t k = 0; k < i; k++)
			if (compare_keys(entries[i].key, entries[k].key) == 0)
				return true;
	return false;
}

const struct cel_map *cel_map_of(struct arena *arena, const struct cel_entry *entries, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!can_be_key(entries[i].key))
			return NULL;
	struct cel_map *map = arena_alloc(arena, sizeof *map);
	*map = (struct cel_map){.entries = entries, .count = (uint32_t)count, .weight = 1};
	for (size_t i = 0; i < count; i++)
		add_weight(&map->weight, entries[i].value);
	if (count <= SMALL_MAP)
		return has_equal_pair(entries, count) ? NULL : map;
	map->order = sorted_order(arena, entries, count);
	return has_equal_neighbours(entries, map->order, count) ? NULL : map;
}

static int compare_key_entries(const void *a, const void *b)
{
	return compare_keys(((const struct cel_entry *)a)->key, ((const struct cel_entry *)b)->key);
}

const struct cel_map *cel_set_of(struct arena *arena, const struct cel_value *items, size_t count)
{
	struct cel_entry *entries = arena_array(arena, count, sizeof *entries);
	for (size_t i = 0; i < count; i++) {
		if (!can_be_key(items[i]))
			return NULL;
		entries[i].key = items[i];
	}
	qsort(entries, count, sizeof *entries, compare_key_entries);
	size_t kept = count != 0;
	for (size_t i = 1; i < count; i++)
		if (compare_keys(entries[kept - 1].key, entries[i].key) != 0)
			entries[kept++] = entries[i];
	return cel_map_of(arena, entries, kept);
}

/* The int or uint of the same value, so that {1: …}[1.0] finds. False when there is none. */
static bool whole_key(struct cel_value *key)
{
	double number = key->as.number;
	if (number >= -9223372036854775808.0 && number < 9223372036854775808.0) {
		*key = cel_int((int64_t)number);
		return (double)key->as.integer == number;
	}
	if (number >= 0 && number < 18446744073709551616.0) {
		*key = cel_uint((uint64_t)number);
		return (double)key->as.natural == number;
	}
	return false;
}

static const struct cel_value *find_linear(const struct cel_map *map, struct cel_value key)
{
	for (uint32_t i = 0; i < map->count; i++)
		if (compare_keys(map->entries[i].key, key) == 0)
			return &map->entries[i].value;
	return NULL;
}

const struct cel_value *cel_map_find(const struct cel_map *map, struct cel_value key)
{
	if (key.kind == CEL_DOUBLE && !whole_key(&key))
		return NULL;
	if (!can_be_key(key))
		return NULL;
	if (map->order == NULL)
		return find_linear(map, key);
	uint32_t low = 0, high = map->count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const struct cel_entry *entry = &map->entries[map->order[middle]];
		int order = compare_keys(key, entry->key);
		if (order == 0)
			return &entry->value;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

const struct cel_value *cel_map_find_text(const struct cel_map *map, struct slice key)
{
	return cel_map_find(map, cel_string(key));
}
