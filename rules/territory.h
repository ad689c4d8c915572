/* SPDX-License-Identifier: Apache-2.0
 *
 * A territory table: (country, region, postal code) -> area. Rows come from YAML or CSV; the most specific one wins:
 *
 *     longest postal prefix  >  region  >  country  >  the row for everything
 *
 * and on the same postal prefix a row that also names the region goes before one that does not. The order of the rows
 * has no effect. One look-up is a few probes of a hash table, so a million rows cost little more than ten.
 */
#ifndef LR_RULES_TERRITORY_H
#define LR_RULES_TERRITORY_H

#include <stdbool.h>
#include <stddef.h>

#include "rules/base/err.h"
#include "rules/base/slice.h"

struct arena;
struct territory; /* immutable; lives in the arena of territory_build */

enum {
	TERRITORY_ROWS_MAX = 2000000,
	TERRITORY_AREAS_MAX = 100000,
	TERRITORY_POSTAL_BYTES_MAX = 16, /* after spaces and dashes are gone */
	TERRITORY_REGION_BYTES_MAX = 64,
	TERRITORY_AREA_BYTES_MAX = 64,
};

/* One row as a person wrote it; borrowed during the build only. Empty or "*" means any. Case, and spaces and dashes in
 * postal codes, do not matter. A region may be a full code ("US-CA") or its second part ("CA"). */
struct territory_row {
	struct slice country, region, postal_prefix, area;
};

/* Does this part of a row stand for any place? */
bool territory_is_any(struct slice text);

/* Which row is wrong, so that the caller can name file and line. */
struct territory_problem {
	size_t row;
	size_t other_row; /* ERR_DUPLICATE: the row that said it first; else SIZE_MAX */
	struct err err;
};

/* NULL with *ret_problem filled (the first problem found). Nothing of `rows` is kept. */
struct territory *territory_build(const struct territory_row *rows, size_t count, struct arena *arena,
                                  struct territory_problem *ret_problem);

/* The area of a place, or SLICE_NONE. Country is alpha-2, region a full code if known; any may be empty. */
struct slice territory_find(const struct territory *territory, struct slice country, struct slice region,
                            struct slice postal_code);

/* The distinct areas in order of first appearance, for checks at load (does each name a team?). */
size_t territory_area_count(const struct territory *territory);
struct slice territory_area(const struct territory *territory, size_t index);

#endif
