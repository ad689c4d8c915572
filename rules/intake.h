/* SPDX-License-Identifier: Apache-2.0
 *
 * The gate before routing (S1-GATE): what a lead must bring, by its source; which words its fields may hold; the number that
 * people call it by. What does not pass is rejected with a code of its own, byte for byte, so that it can be mended and sent
 * again.
 */
#ifndef LR_RULES_INTAKE_H
#define LR_RULES_INTAKE_H

#include <stdbool.h>
#include <stddef.h>

#include "rules/base/slice.h"
#include "rules/model.h"

struct match_keys;
struct prepared;
struct schema_row;
struct work;
struct zone;

enum {
	INTAKE_FIELDS_MAX = 32,       /* that one source has to bring */
	INTAKE_VOCABULARIES_MAX = 32,
	INTAKE_PREFIX_BYTES_MAX = 16,
	INTAKE_DIGITS_MAX = 12,
};

/* What leads of one source must bring. */
struct intake_required {
	struct slice source; /* empty: of all sources that have no row */
	const struct schema_row *rows[INTAKE_FIELDS_MAX];
	size_t count;
};

enum intake_unknown { UNKNOWN_REJECT, UNKNOWN_OTHER, UNKNOWN_KEEP };

struct intake_vocabulary {
	const struct schema_row *row;
	struct vocabulary words;
	enum intake_unknown unknown;
};

enum number_restart { NUMBER_DAILY, NUMBER_MONTHLY, NUMBER_YEARLY, NUMBER_NEVER };

/* prefix + date + running number: "LR20260302-0007". */
struct intake_number {
	bool is_on;
	struct slice prefix;
	const struct zone *zone; /* whose date it is */
	int digits;              /* at least so many; a number that is larger has more */
	enum number_restart restart;
};

/* Parts of section `cleanse`. In the generation's arena. */
struct intake_rules {
	const struct intake_required *required; /* that of no source first, if there is one */
	size_t required_count;
	const struct intake_vocabulary *vocabularies;
	size_t vocabulary_count;
	struct intake_number number;
};

/* Those of the model, or what holds without them. */
const struct intake_rules *intake_rules(const struct model *model);
/* After cleansing: words become canonical. 0, or -1 and prepared->err says what the lead lacks. */
int intake_check(struct prepared *prepared, const struct match_keys *keys);
/* The word that `text` stands for: an index into vocabulary->names, or SIZE_MAX. */
size_t vocabulary_find(const struct vocabulary *vocabulary, struct slice text, struct arena *arena);
/* Gives work->state the next number, if the site numbers its leads. The number is part of the decision: a record that is
 * decided again has the same, and one that comes again gets none. */
void intake_number_lead(struct work *work);

#endif
