/* SPDX-License-Identifier: Apache-2.0
 *
 * Which of many conditions can be true for this lead, found without evaluating them.
 *
 * The clauses of every condition (rules/cel/conjunct.h) that compare one field, or one value of a map such as facts or
 * lead.attributes, with constants become dimensions: one per field and kind of test. For each value that a field may have, a dimension knows the rules that it leaves open, as a
 * row of bits; the rows of a lead's own values, ANDed, are the candidates:
 *
 *     rule                                     1 2 3 4 5 6 7 8 …
 *     country is "DE"       the row of "DE"    1 0 1 1 0 1 1 0
 *     score in 40…59        the row of 40…59   1 1 0 1 0 0 1 1      AND   1 0 0 1 0 0 1 0  …
 *     no test on the field: a bit that is always set
 *
 * A rule that is no candidate has a clause that is not true, and so is not true as a whole, whatever its other clauses
 * say. A candidate has still to be evaluated: other clauses (contains, matches, ||) are not looked at here. So the first
 * candidate that is true is the first rule that is true.
 *
 * Rows are cut into blocks of 512 rules that rows share while they are equal, so that a row costs what it differs in.
 * Each rule is watched by one of its dimensions, the one whose answers leave the fewest rules open: a block is looked at
 * when a dimension says that a rule it watches there is open. The other dimensions are only looked up when a rule that is
 * still a candidate asks for them.
 */
#ifndef LR_RULES_INDEX_H
#define LR_RULES_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "rules/cel/cel.h"

enum {
	INDEX_DIMENSIONS_MAX = 32, /* the ones that most rules test; what is beyond is left to evaluation */
	INDEX_BLOCK_WORDS = 8,     /* a cache line */
	INDEX_BLOCK_RULES = INDEX_BLOCK_WORDS * 64,
	INDEX_BLOCKS_MAX = 64, /* of one row: one word says which of them to look at */
	INDEX_RULES_MAX = INDEX_BLOCKS_MAX * INDEX_BLOCK_RULES,
	INDEX_TESTS_MAX = 4000000,   /* constants of all clauses together; beyond, clauses are left to evaluation */
	INDEX_BYTES_MAX = 128 << 20, /* of rows; dimensions that would need more are left to evaluation */
	INDEX_AFFIX_BYTES_MAX = 256, /* the longest prefix or suffix */
};

struct rule_index;

/* programs[i] is the condition of rule i, NULL: always true. `env` is the one that they were compiled with. Lives in the
 * arena, borrows constants from the programs. NULL when there are more than INDEX_RULES_MAX rules. */
const struct rule_index *index_new(const struct cel_program *const *programs, size_t count, const struct cel_env *env,
				   struct arena *arena);

/* The candidates for one lead, one after the other. Members are the walk's own. */
struct index_row;
struct index_walk {
	const struct rule_index *index;
	const struct cel_value *slots;
	struct arena *scratch;
	const struct index_row *rows[INDEX_DIMENSIONS_MAX]; /* NULL: not looked up yet */
	const struct index_row *first; /* the one to begin with: closes most */
	uint64_t blocks_left;
	size_t block, word;
	uint64_t words[INDEX_BLOCK_WORDS]; /* candidates of `block` that have not been given yet */
};

void index_walk_begin(struct index_walk *walk, const struct rule_index *index, const struct cel_value *slots,
		      struct arena *scratch);
/* The next candidate in the order of the rules, or SIZE_MAX. */
size_t index_walk_next(struct index_walk *walk);

#endif
