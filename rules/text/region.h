/* SPDX-License-Identifier: Apache-2.0
 *
 * Subdivisions of countries (ISO 3166-2): what a person wrote → code. ("US", "California" | "CA" | "US-CA") → "US-CA".
 *
 * The rows come from the caller (the daemon reads the system's iso-codes file); this module opens nothing. Comparison
 * ignores case, accents, punctuation and word spacing. A name of the standard beats a variant that we derive from it
 * ("Navarra, Comunidad Foral de" → "Navarra"), and a variant that two subdivisions share means neither.
 */
#ifndef LR_RULES_TEXT_REGION_H
#define LR_RULES_TEXT_REGION_H

#include <stdbool.h>
#include <stddef.h>

#include "rules/base/slice.h"

enum {
	REGION_CODE_BYTES = 8,     /* "XX-YYY" and NUL */
	REGION_NAME_BYTES = 200,   /* longer names are refused on both sides */
	REGION_ROWS_MAX = 50000,   /* ISO 3166-2 has about 5,000 */
};

struct arena;
struct region_table; /* in its arena; immutable while it is looked up */

/* An empty table in `arena`, which must outlive it. region_table_done frees the part that is outside the arena. */
struct region_table *region_table_new(struct arena *arena);
void region_table_done(struct region_table *table);
/* One row: country "US", code "US-CA" (or "CA"), name "California". The same code may come with several names: each
 * adds a spelling, the first is its display name. -1 if a part is malformed or the table is full; nothing is added then. */
int region_table_add(struct region_table *table, struct slice country, struct slice code, struct slice name);
size_t region_table_count(const struct region_table *table);

/* The code ("US-CA") of what a person wrote, valid as long as the table; NULL if unknown or ambiguous.
 * `country` is ISO alpha-2 in upper case; with an empty country only a full code ("US-CA") is understood. */
const char *region_lookup(const struct region_table *table, struct slice country, struct slice text);
/* The first name given for a full code, or NULL. */
const char *region_name(const struct region_table *table, struct slice code);

#endif
