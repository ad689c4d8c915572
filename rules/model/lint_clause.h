/* SPDX-License-Identifier: Apache-2.0
 *
 * What a conjunction says of one field. The clauses of a condition are put into groups by the field they test; a group
 * says which values the field can have when the condition is true:
 *
 *     has(lead.intent) && lead.intent in ["high", "clear"] && score >= 40 && lead.x.matches("…")
 *     └────────────── group: {high, clear} ──────────────┘    └ [40, … ┘     └ not looked into ┘
 *
 * Answers are on the safe side: "empty" and "implies" are said only when they hold for every lead.
 */
#ifndef LR_RULES_MODEL_LINT_CLAUSE_H
#define LR_RULES_MODEL_LINT_CLAUSE_H

#include "rules/base/slice.h"
#include "rules/cel/conjunct.h"

struct arena;

enum {
	LINT_VALUES_MAX = 4096, /* of one group; beyond it a group counts as unlimited */
	LINT_CLAUSES_MAX = CEL_MAX_CONJUNCTS + 1,
};

struct lint_clause {
	const struct cel_conjunct *form;
	struct slice text; /* what clauses of unknown form or type are compared by: as written, blanks made even; else empty */
	size_t field;      /* an interned number, or SIZE_MAX for CEL_TEST_OTHER */
};

/* The clauses of one condition on one field. */
struct lint_group {
	size_t field;
	const struct lint_clause *const *clauses;
	size_t clause_count;
	const struct cel_vocabulary *vocabulary; /* closed, or NULL */
	/* set by lint_group_close */
	bool is_finite;                 /* only `values` are possible */
	const struct cel_value *values;
	size_t value_count;
	const struct cel_conjunct *low, *high; /* the strictest bounds, or NULL */
};

/* Does the field hold what compares by value and exactly? Of lists, maps and values of unknown type nothing is concluded. */
bool lint_is_simple(const struct cel_conjunct *form);
/* Works out what the clauses say together. The group may be empty afterwards. */
void lint_group_close(struct lint_group *group, struct arena *arena);
/* No value of the field makes all clauses true. */
bool lint_group_is_empty(const struct lint_group *group);
/* Whatever value the field has when the group is true, it makes `form` true, which tests the same field. */
bool lint_group_implies(const struct lint_group *group, const struct cel_conjunct *form);
/* The clause holds for every value that the vocabulary allows. */
bool lint_always_holds(const struct cel_conjunct *form, const struct cel_vocabulary *vocabulary);
/* Blanks outside of texts made even; the text itself where quotes or comments make that hard. */
struct slice lint_even_text(struct slice text, struct arena *arena);

#endif
