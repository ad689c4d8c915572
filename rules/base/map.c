/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/base/map.h"

#include <assert.h>
#include <stdlib.h>

#include "rules/base/hash.h"
#include "rules/base/mem.h"

enum { FIRST_CAPACITY = 16 };

/* A removed entry: its key equals no key (the old key's memory may be gone), and its slot goes on to hold the probe
 * chain together until the next rebuild. */
static const struct map_entry HOLE = {{NULL, SIZE_MAX}, NULL, 0};

void map_init(struct map *map, const uint64_t seed[2])
{
	*map = (struct map){.seed = {seed[0], seed[1]}};
}

void map_done(struct map *map)
{
	free(map->entries);
	free(map->slots);
	map_init(map, map->seed);
}

static uint32_t hash_of(const struct map *map, struct slice key)
{
	return (uint32_t)hash_sip(map->seed, key);
}

static bool is_key(const struct map_entry *entry, struct slice key, uint32_t hash)
{
	return entry->hash == hash && slice_equal(entry->key, key);
}

/* The slot of `key`, or the empty slot where it would go. */
static size_t find_slot(const struct map *map, struct slice key, uint32_t hash)
{
	size_t mask = map->capacity - 1;
	size_t slot = hash & mask;
	while (map->slots[slot] != 0 && !is_key(&map->entries[map->slots[slot] - 1], key, hash))
		slot = (slot + 1) & mask;
	return slot;
}

/* Where a key goes that is not there. */
static size_t empty_slot(const struct map *map, uint32_t hash)
{
	size_t mask = map->capacity - 1;
	size_t slot = hash & mask;
	while (map->slots[slot] != 0)
		slot = (slot + 1) & mask;
	return slot;
}

void *map_get(const struct map *map, struct slice key)
{
	if (map->capacity == 0)
		return NULL;
	uint32_t index = map->slots[find_slot(map, key, hash_of(map, key))];
	return index ? map->entries[index - 1].value : NULL;
}

/* Rebuilds the slots at a capacity fit for the live entries, and closes the holes that removals left. */
static void rebuild(struct map *map)
{
	size_t capacity = FIRST_CAPACITY;
	while (capacity < (map->live + 1) * 4)
		capacity *= 2;
	struct map_entry *entries = xcalloc(capacity / 2, sizeof *entries);
	size_t count = 0;
	for (size_t i = 0; i < map->count; i++)
		if (map->entries[i].value != NULL)
			entries[count++] = map->entries[i];
	free(map->entries);
	free(map->slots);
	map->entries = entries;
	map->slots = xcalloc(capacity, sizeof *map->slots);
	map->capacity = capacity;
	map->count = map->live = count;
	for (size_t i = 0; i < count; i++)
		map->slots[empty_slot(map, entries[i].hash)] = (uint32_t)(i + 1);
}

void *map_put(struct map *map, struct slice key, void *value)
{
	assert(value != NULL);
	if (map->count >= map->capacity / 2)
		rebuild(map);
	uint32_t hash = hash_of(map, key);
	size_t slot = find_slot(map, key, hash);
	if (map->slots[slot] == 0) {
		map->entries[map->count] = (struct map_entry){key, value, hash};
		map->slots[slot] = (uint32_t)++map->count;
		map->live++;
		return NULL;
	}
	struct map_entry *entry = &map->entries[map->slots[slot] - 1];
	void *old = entry->value;
	*entry = (struct map_entry){key, value, hash};
	return old;
}

void *map_remove(struct map *map, struct slice key)
{
	if (map->capacity == 0)
		return NULL;
	uint32_t index = map->slots[find_slot(map, key, hash_of(map, key))];
	if (index == 0)
		return NULL;
	struct map_entry *entry = &map->entries[index - 1];
	void *old = entry->value;
	*entry = HOLE;
	map->live--;
	return old;
}

struct map_entry *map_next(const struct map *map, size_t *at)
{
	while (*at < map->count) {
		struct map_entry *entry = &map->entries[(*at)++];
		if (entry->value != NULL)
			return entry;
	}
	return NULL;
}
