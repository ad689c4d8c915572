/* SPDX-License-Identifier: Apache-2.0
 *
 * The rows of an index while it is built: each begins as a copy of another one and owns the blocks in which it differs.
 * On the heap; index_rows_finish() moves what came of it into an arena. For rules/index_*.c only.
 */
#ifndef LR_RULES_INDEX_ROWS_H
#define LR_RULES_INDEX_ROWS_H

#include "rules/index_form.h"

struct index_rows {
	size_t width;                          /* blocks per row */
	uint64_t (*blocks)[INDEX_BLOCK_WORDS]; /* block 0 is empty */
	size_t block_count, block_capacity;
	uint32_t *refs; /* `width` per row */
	uint32_t *open; /* how many rules each row has */
	size_t row_count, row_capacity;
	size_t own_from; /* blocks from here on belong to the newest row alone */
};

/* Row 0 will hold all `rule_count` rules. */
void index_rows_init(struct index_rows *rows, size_t rule_count);
void index_rows_done(struct index_rows *rows);
/* A new row equal to `like`; the number of it. */
uint32_t index_rows_add(struct index_rows *rows, uint32_t like);
/* Changes the newest row. */
void index_rows_set(struct index_rows *rows, size_t rule, bool is_open);
/* INDEX_BYTES_MAX is reached. */
bool index_rows_are_full(const struct index_rows *rows);
/* Forgets the rows from `row_count` on with their blocks from `block_count` on. */
void index_rows_rewind(struct index_rows *rows, size_t row_count, size_t block_count);
/* Fills in what the index says about rows and blocks; all rows are live where they have a rule. */
void index_rows_finish(const struct index_rows *rows, struct rule_index *index, struct arena *arena);
/* Rows from `first` up to `end` are live where they have one of the rules in `watched`, a bit set of width blocks. */
void index_rows_watch(struct rule_index *index, size_t first, size_t end, const uint64_t *watched);

#endif
