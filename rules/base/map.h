/* SPDX-License-Identifier: Apache-2.0
 *
 * A hash table from bytes to a pointer. Open addressing with linear probing; the seed of the hash is an argument, so
 * that a hostile producer cannot aim at a bucket. Keys are borrowed: the caller keeps them alive and unchanged for as
 * long as they are in the map. Iteration is in order of insertion, which makes every use of it deterministic.
 */
#ifndef LR_RULES_BASE_MAP_H
#define LR_RULES_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/slice.h"

struct map_entry {
	struct slice key;
	void *value;   /* NULL in a hole that a removal left; map_next skips it */
	uint32_t hash; /* of the key */
};

struct map {
	uint64_t seed[2];
	struct map_entry *entries; /* in order of insertion, removed ones left as holes */
	uint32_t *slots;           /* index into entries + 1; 0 = empty */
	size_t count;              /* entries in use, holes included */
	size_t live;               /* without holes */
	size_t capacity;           /* of slots: a power of two, or 0 */
};

/* An empty map under `seed`. Takes no memory before the first put. */
void map_init(struct map *map, const uint64_t seed[2]);
void map_done(struct map *map);
/* NULL when absent. */
void *map_get(const struct map *map, struct slice key);
/* Sets or replaces; `value` is not NULL. Returns the value that was there, or NULL. On replacement the new key pointer
 * is kept (so the old key's memory may go). */
void *map_put(struct map *map, struct slice key, void *value);
/* Returns what was there, or NULL. */
void *map_remove(struct map *map, struct slice key);
/* Iteration: `for (size_t at = 0; (entry = map_next(&map, &at)) != NULL;)`. No put while iterating; remove is fine. */
struct map_entry *map_next(const struct map *map, size_t *at);

#endif
