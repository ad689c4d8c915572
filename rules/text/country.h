/* SPDX-License-Identifier: Apache-2.0
 *
 * Countries of ISO 3166-1: what a person wrote → alpha-2. Understands alpha-2, alpha-3, English and native names (from
 * ICU) and the short forms that people write ("UK", "USA", "South Korea"); ignores case, accents and punctuation.
 */
#ifndef LR_RULES_TEXT_COUNTRY_H
#define LR_RULES_TEXT_COUNTRY_H

#include "rules/base/slice.h"

struct arena;
struct country_table; /* in its arena; immutable, shared by threads */

enum { COUNTRY_NAME_BYTES = 200 }; /* longer text names no country */

/* Built once at start (a few tens of ms); `arena` must outlive it. country_table_done frees what is outside the arena. */
struct country_table *country_table_new(struct arena *arena);
void country_table_done(struct country_table *table);
/* "DE" for "de", "DEU", "Germany", "Deutschland", " GERMANY "; NULL if unknown. Valid as long as the table. */
const char *country_lookup(const struct country_table *table, struct slice text);

#endif
