/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of index_new() share. For rules/index_*.c only.
 *
 *     clauses ── index_collect.c ──► drafts ── index_table.c ──► tables and rows ── index_build.c ──► index
 */
#ifndef LR_RULES_INDEX_DRAFT_H
#define LR_RULES_INDEX_DRAFT_H

#include "rules/index_rows.h"

struct arena;

enum { INDEX_DRAFTS_MAX = 128 };

struct index_test {
	uint32_t rule;
	uint32_t next; /* DIMENSION_TEXT: the next test of the same value, or UINT32_MAX */
	union {
		struct slice text;
		struct index_interval {
			int64_t from, to; /* both belong to it */
		} interval;
	} u;
};

struct index_draft {
	struct dimension form;
	struct index_test *tests;
	size_t count, capacity;
	uint64_t *tested;  /* bits of rules */
	uint64_t *watched; /* the same */
	size_t tested_count;
	size_t first_row, end_row;    /* its rows, when they were made */
	double open;                  /* tested rules that an answer leaves open, on average */
	size_t last_rule, last_count; /* the rule that was added last and how many tests it has */
};

struct index_builder {
	const struct cel_env *env;
	struct arena *arena;
	struct index_rows rows;
	size_t rule_count, test_count;
	struct index_draft drafts[INDEX_DRAFTS_MAX];
	size_t draft_count, made_count;
};

/* Sorts the clauses of all programs into drafts. */
void index_collect(struct index_builder *builder, const struct cel_program *const *programs);
/* Makes the draft's table and the rows of it; the free and the missed row are there. False: it cannot be made. Ends early
 * when the rows are full. */
bool index_make_table(struct index_builder *builder, struct index_draft *draft);

#endif
