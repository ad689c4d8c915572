/* SPDX-License-Identifier: Apache-2.0
 *
 * Every row becomes one key, and a place is looked up by trying the keys that could hold it, most specific first:
 *
 *     "DE|BY|803"  country, region, postal prefix        "DE|BY|"   country, region
 *     "DE||803"    country, postal prefix                "DE||"     country           "||"  everything
 *
 * Entries lie one after the other in one block, each with its key behind it; the hash table holds 32 bits of the hash
 * and the entry's offset. So a probe that misses touches one cache line, and a hit one more. Per country the lengths of its postal prefixes are kept as a bit set:
 * only lengths that occur are tried. The seed is fixed: rows are written by the operator, and a look-up never inserts.
 */
#include "rules/territory.h"

#include <stdint.h>
#include <string.h>

#include "rules/base/arena.h"
#include "rules/base/hash.h"
#include "rules/base/map.h"

enum {
	COUNTRY_BYTES = 2,
	KEY_BYTES_MAX = COUNTRY_BYTES + 1 + TERRITORY_REGION_BYTES_MAX + 1 + TERRITORY_POSTAL_BYTES_MAX,
	COUNTRIES = 26 * 26,
	ROWS_AT_ONCE = 32, /* about as many fetches as a processor has under way */
};

static const uint64_t SEED[2] = {0x7465727269746f72, 0x79};

struct entry {
	uint32_t area;
	uint32_t row; /* where it was written */
	uint32_t key_len;
	char key[]; /* the next entry begins at the next multiple of ENTRY_ALIGN */
};

enum { ENTRY_ALIGN = 4 };

struct slot {
	uint32_t tag;   /* upper half of the hash */
	uint32_t entry; /* offset into entries in units of ENTRY_ALIGN, + 1; 0: empty */
};

struct territory {
	struct slot *slots;
	size_t mask; /* slot count - 1 */
	char *entries;
	size_t entries_len;
	const struct slice *areas;
	size_t area_count;
	uint32_t plain_lengths[COUNTRIES];  /* bit n: there are postal prefixes of n bytes without a region */
	uint32_t region_lengths[COUNTRIES]; /* the same with a region */
};

/* The key under construction. */
struct key {
	char bytes[KEY_BYTES_MAX];
	size_t len;
};

static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

bool territory_is_any(struct slice text)
{
	return text.len == 0 || slice_is(text, "*");
}

/* Index of an alpha-2 code, or COUNTRIES when it is none. */
static size_t country_index(struct slice country)
{
	if (country.len != COUNTRY_BYTES)
		return COUNTRIES;
	char first = upper(country.p[0]), second = upper(country.p[1]);
	if (first < 'A' || first > 'Z' || second < 'A' || second > 'Z')
		return COUNTRIES;
	return (size_t)(first - 'A') * 26 + (size_t)(second - 'A');
}

/* "US-CA" and "CA" are one region of US. */
static struct slice local_region(struct slice country, struct slice region)
{
	if (region.len > COUNTRY_BYTES + 1 && region.p[COUNTRY_BYTES] == '-' && upper(region.p[0]) == upper(country.p[0]) &&
	    upper(region.p[1]) == upper(country.p[1]))
		return (struct slice){region.p + COUNTRY_BYTES + 1, region.len - COUNTRY_BYTES - 1};
	return region;
}

/* Upper case without spaces and dashes; false when it is too long to be one. */
static bool fold_postal(struct slice text, char *ret, size_t *ret_len)
{
	size_t len = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] == ' ' || text.p[i] == '-')
			continue;
		if (len == TERRITORY_POSTAL_BYTES_MAX)
			return false;
		ret[len++] = upper(text.p[i]);
	}
	*ret_len = len;
	return true;
}

static void key_put(struct key *key, struct slice part)
{
	for (size_t i = 0; i < part.len; i++)
		key->bytes[key->len++] = upper(part.p[i]);
}

static void key_make(struct key *key, struct slice country, struct slice region, struct slice postal)
{
	key->len = 0;
	key_put(key, country);
	key->bytes[key->len++] = '|';
	key_put(key, region);
	key->bytes[key->len++] = '|';
	key_put(key, postal);
}

static const struct entry *entry_of(const struct territory *territory, const struct slot *slot)
{
	return (const struct entry *)(territory->entries + (size_t)(slot->entry - 1) * ENTRY_ALIGN);
}

/* The slot that holds the key, or the empty one where it would go. */
static struct slot *probe(const struct territory *territory, const struct key *key, uint64_t hash)
{
	for (size_t at = hash & territory->mask;; at = (at + 1) & territory->mask) {
		struct slot *slot = &territory->slots[at];
		if (slot->entry == 0)
			return slot;
		if (slot->tag != (uint32_t)(hash >> 32))
			continue;
		const struct entry *entry = entry_of(territory, slot);
		if (entry->key_len == key->len && memcmp(entry->key, key->bytes, key->len) == 0)
			return slot;
	}
}

static const struct entry *find(const struct territory *territory, const struct key *key)
{
	const struct slot *slot = probe(territory, key, hash_sip(SEED, (struct slice){key->bytes, key->len}));
	return slot->entry ? entry_of(territory, slot) : NULL;
}

/* ---- building */

static int refuse(struct territory_problem *problem, size_t row, enum err_code code, const char *text)
{
	problem->row = row;
	problem->other_row = SIZE_MAX;
	return err_set(&problem->err, code, "%s", text);
}

/* Checks one row and makes its key. */
static int row_key(const struct territory_row *row, size_t number, struct key *key, struct territory_problem *problem)
{
	struct slice country = territory_is_any(row->country) ? SLICE_NONE : row->country;
	struct slice region = territory_is_any(row->region) ? SLICE_NONE : row->region;
	struct slice postal = territory_is_any(row->postal_prefix) ? SLICE_NONE : row->postal_prefix;
	char folded[TERRITORY_POSTAL_BYTES_MAX];
	size_t folded_len;
	if (country.len != 0 && country_index(country) == COUNTRIES)
		return refuse(problem, number, ERR_BAD_VALUE, "the country is no ISO code of two letters");
	if (country.len == 0 && (region.len != 0 || postal.len != 0))
		return refuse(problem, number, ERR_BAD_VALUE, "a region or postal prefix needs a country beside it");
	if (region.len > TERRITORY_REGION_BYTES_MAX)
		return refuse(problem, number, ERR_BAD_VALUE, "the region is too long");
	if (!fold_postal(postal, folded, &folded_len))
		return refuse(problem, number, ERR_BAD_VALUE, "the postal prefix is too long");
	if (row->area.len == 0 || row->area.len > TERRITORY_AREA_BYTES_MAX)
		return refuse(problem, number, ERR_BAD_VALUE, "the area is empty or too long");
	key_make(key, country, country.len ? local_region(country, region) : region, (struct slice){folded, folded_len});
	return 0;
}

struct builder {
	struct territory *territory;
	struct arena *arena;
	struct map area_numbers; /* name -> index + 1 as a pointer */
	struct slice *areas;
	uint32_t last_area; /* of the row before: tables are written area by area */
};

static int intern_area(struct builder *builder, struct slice name, uint32_t *ret_area)
{
	if (builder->territory->area_count != 0 && slice_equal(builder->areas[builder->last_area], name)) {
		*ret_area = builder->last_area;
		return 0;
	}
	void *known = map_get(&builder->area_numbers, name);
	if (known != NULL) {
		*ret_area = builder->last_area = (uint32_t)((uintptr_t)known - 1);
		return 0;
	}
	size_t number = builder->territory->area_count;
	if (number == TERRITORY_AREAS_MAX)
		return -1;
	struct slice copy = {arena_memdupz(builder->arena, name.p, name.len), name.len};
	builder->areas[number] = copy;
	builder->territory->area_count++;
	map_put(&builder->area_numbers, copy, (void *)(uintptr_t)(number + 1));
	*ret_area = builder->last_area = (uint32_t)number;
	return 0;
}

/* Notes which prefix lengths occur, so that a look-up tries no others. */
static void note_length(struct territory *territory, const struct key *key)
{
	const char *second_bar = memrchr(key->bytes, '|', key->len);
	const char *first_bar = memchr(key->bytes, '|', key->len);
	size_t postal_len = key->len - (size_t)(second_bar + 1 - key->bytes);
	if (postal_len == 0)
		return;
	size_t country = country_index((struct slice){key->bytes, COUNTRY_BYTES});
	uint32_t bit = (uint32_t)1 << postal_len;
	if (second_bar == first_bar + 1)
		territory->plain_lengths[country] |= bit;
	else
		territory->region_lengths[country] |= bit;
}

static size_t entry_bytes(size_t key_len)
{
	return (sizeof(struct entry) + key_len + ENTRY_ALIGN - 1) / ENTRY_ALIGN * ENTRY_ALIGN;
}

/* A row on its way into the table. */
struct pending {
	struct key key;
	uint64_t hash;
};

static int add_row(struct builder *builder, const struct pending *pending, const struct territory_row *row, size_t number,
                   struct territory_problem *problem)
{
	struct territory *territory = builder->territory;
	const struct key *key = &pending->key;
	struct slot *slot = probe(territory, key, pending->hash);
	if (slot->entry != 0) {
		refuse(problem, number, ERR_DUPLICATE, "the same place is given twice");
		problem->other_row = entry_of(territory, slot)->row;
		return -1;
	}
	struct entry *entry = (struct entry *)(territory->entries + territory->entries_len);
	if (intern_area(builder, row->area, &entry->area) != 0)
		return refuse(problem, number, ERR_TOO_MANY, "too many different areas");
	entry->row = (uint32_t)number;
	entry->key_len = (uint32_t)key->len;
	memcpy(entry->key, key->bytes, key->len);
	*slot = (struct slot){(uint32_t)(pending->hash >> 32), (uint32_t)(territory->entries_len / ENTRY_ALIGN + 1)};
	territory->entries_len += entry_bytes(key->len);
	note_length(territory, key);
	return 0;
}

/* Some rows at a time: each goes to a place of its own in a table that no cache holds, so all are fetched before the first
 * is needed. The first problem in the order of the rows is the one that is told. */
static int add_rows(struct builder *builder, const struct territory_row *rows, size_t first, size_t count,
                    struct territory_problem *problem)
{
	struct pending pending[ROWS_AT_ONCE];
	struct territory_problem bad_row;
	size_t good = 0;
	while (good < count) {
		struct key *key = &pending[good].key;
		key->len = 0;
		if (row_key(&rows[good], first + good, key, &bad_row) != 0)
			break;
		pending[good].hash = hash_sip(SEED, (struct slice){key->bytes, key->len});
		__builtin_prefetch(&builder->territory->slots[pending[good].hash & builder->territory->mask], 1);
		good++;
	}
	for (size_t i = 0; i < good; i++)
		if (add_row(builder, &pending[i], &rows[i], first + i, problem) != 0)
			return -1;
	if (good == count)
		return 0;
	*problem = bad_row;
	return -1;
}

/* No key is longer than its parts and two bars. */
static size_t entries_bytes(const struct territory_row *rows, size_t count)
{
	size_t total = 0;
	for (size_t i = 0; i < count; i++)
		total += entry_bytes(rows[i].country.len + rows[i].region.len + rows[i].postal_prefix.len + 2);
	return total;
}

static struct territory *territory_new(const struct territory_row *rows, size_t count, struct arena *arena)
{
	struct territory *territory = arena_alloc(arena, sizeof *territory);
	size_t slots = 16;
	while (slots < count * 2)
		slots *= 2;
	territory->slots = arena_array(arena, slots, sizeof *territory->slots);
	territory->mask = slots - 1;
	territory->entries = arena_alloc(arena, entries_bytes(rows, count));
	return territory;
}

struct territory *territory_build(const struct territory_row *rows, size_t count, struct arena *arena,
                                  struct territory_problem *ret_problem)
{
	if (count > TERRITORY_ROWS_MAX || entries_bytes(rows, count) / ENTRY_ALIGN >= UINT32_MAX) {
		refuse(ret_problem, 0, ERR_TOO_MANY, "too many rows");
		return NULL;
	}
	struct builder builder = {.territory = territory_new(rows, count, arena), .arena = arena};
	builder.areas = arena_array(arena, count < TERRITORY_AREAS_MAX ? count : TERRITORY_AREAS_MAX, sizeof *builder.areas);
	builder.territory->areas = builder.areas;
	map_init(&builder.area_numbers, SEED);
	int result = 0;
	for (size_t i = 0; i < count && result == 0; i += ROWS_AT_ONCE)
		result = add_rows(&builder, &rows[i], i, count - i < ROWS_AT_ONCE ? count - i : ROWS_AT_ONCE, ret_problem);
	map_done(&builder.area_numbers);
	return result == 0 ? builder.territory : NULL;
}

/* ---- looking up */

/* The longest of the prefixes whose lengths are in `lengths`. */
static const struct entry *find_postal(const struct territory *territory, struct slice country, struct slice region,
                                       struct slice postal, size_t *inout_longest, uint32_t lengths)
{
	struct key key;
	for (size_t len = postal.len; len > *inout_longest; len--) {
		if ((lengths >> len & 1) == 0)
			continue;
		key_make(&key, country, region, (struct slice){postal.p, len});
		const struct entry *entry = find(territory, &key);
		if (entry != NULL) {
			*inout_longest = len;
			return entry;
		}
	}
	return NULL;
}

static const struct entry *find_by_postal(const struct territory *territory, struct slice country, struct slice region,
                                          struct slice postal_code)
{
	char folded[TERRITORY_POSTAL_BYTES_MAX];
	size_t len, longest = 0, index = country_index(country);
	if ((territory->plain_lengths[index] | territory->region_lengths[index]) == 0)
		return NULL;
	if (!fold_postal(postal_code, folded, &len))
		return NULL;
	struct slice postal = {folded, len};
	const struct entry *found = NULL;
	if (region.len != 0)
		found = find_postal(territory, country, region, postal, &longest, territory->region_lengths[index]);
	const struct entry *longer =
		find_postal(territory, country, SLICE_NONE, postal, &longest, territory->plain_lengths[index]);
	return longer != NULL ? longer : found;
}

static const struct entry *find_place(const struct territory *territory, struct slice country, struct slice region,
                                      struct slice postal_code)
{
	struct key key;
	const struct entry *entry = NULL;
	if (country_index(country) != COUNTRIES) {
		region = region.len <= TERRITORY_REGION_BYTES_MAX ? local_region(country, region) : SLICE_NONE;
		entry = find_by_postal(territory, country, region, postal_code);
		if (entry == NULL && region.len != 0) {
			key_make(&key, country, region, SLICE_NONE);
			entry = find(territory, &key);
		}
		if (entry == NULL) {
			key_make(&key, country, SLICE_NONE, SLICE_NONE);
			entry = find(territory, &key);
		}
	}
	if (entry == NULL) {
		key_make(&key, SLICE_NONE, SLICE_NONE, SLICE_NONE);
		entry = find(territory, &key);
	}
	return entry;
}

struct slice territory_find(const struct territory *territory, struct slice country, struct slice region,
                            struct slice postal_code)
{
	const struct entry *entry = find_place(territory, country, region, postal_code);
	return entry != NULL ? territory->areas[entry->area] : SLICE_NONE;
}

size_t territory_area_count(const struct territory *territory)
{
	return territory->area_count;
}

struct slice territory_area(const struct territory *territory, size_t index)
{
	return territory->areas[index];
}
