/* SPDX-License-Identifier: Apache-2.0
 *
 * Making an index out of drafts: which of them become dimensions, in what order, and which rules each one watches.
 */
#include <stdlib.h>

#include "rules/base/arena.h"
#include "rules/base/mem.h"
#include "rules/index_draft.h"
#include "rules/schema.h"

enum { RULES_MIN = 4 }; /* a dimension that fewer rules ask for costs more than evaluating those */

static void find_openness(const struct index_builder *builder, struct index_draft *draft)
{
	const struct index_rows *rows = &builder->rows;
	double open = 0, free_rules = (double)(builder->rule_count - draft->tested_count);
	draft->end_row = rows->row_count;
	for (size_t i = draft->first_row; i < draft->end_row; i++)
		open += (double)rows->open[i];
	draft->open = open / (double)(draft->end_row - draft->first_row) - free_rules;
}

static bool make_dimension(struct index_builder *builder, struct index_draft *draft)
{
	struct index_rows *rows = &builder->rows;
	size_t row_count = rows->row_count, block_count = rows->block_count;
	draft->form.free_row = index_rows_add(rows, 0);
	for (size_t rule = 0; rule < builder->rule_count; rule++)
		if (draft->tested[rule / 64] >> rule % 64 & 1)
			index_rows_set(rows, rule, false);
	draft->form.missed_row = draft->form.kind == DIMENSION_NOT_TEXT ? 0 : draft->form.free_row;
	draft->first_row = row_count;
	bool is_fine = index_make_table(builder, draft) && !index_rows_are_full(rows);
	if (is_fine)
		find_openness(builder, draft);
	else
		index_rows_rewind(rows, row_count, block_count);
	return is_fine;
}

/* ---- the index */

static int by_use(const void *left, const void *right)
{
	const struct index_draft *a = left, *b = right;
	return (a->tested_count < b->tested_count) - (a->tested_count > b->tested_count);
}

/* What closes most rules comes first; a territory costs a look-up of its own, so it comes last. */
static int by_effect(const void *left, const void *right)
{
	const struct index_draft *a = left, *b = right;
	bool is_dear = a->form.path.slot == SLOT_TERRITORY, is_other_dear = b->form.path.slot == SLOT_TERRITORY;
	if (is_dear != is_other_dear)
		return is_dear ? 1 : -1;
	double closed = (double)a->tested_count - a->open, other = (double)b->tested_count - b->open;
	return (closed < other) - (closed > other);
}

/* Leaves the drafts that became dimensions, in their order. */
static void make_dimensions(struct index_builder *builder)
{
	size_t made = 0;
	qsort(builder->drafts, builder->draft_count, sizeof *builder->drafts, by_use);
	for (size_t i = 0; i < builder->draft_count; i++) {
		struct index_draft draft = builder->drafts[i];
		if (made == INDEX_DIMENSIONS_MAX || draft.tested_count < RULES_MIN || !make_dimension(builder, &draft))
			continue;
		builder->drafts[i] = builder->drafts[made];
		builder->drafts[made++] = draft;
	}
	builder->made_count = made;
	qsort(builder->drafts, made, sizeof *builder->drafts, by_effect);
}

/* The dimension that leaves the fewest others open beside it, or NULL. */
static struct index_draft *watcher_of(struct index_builder *builder, size_t rule)
{
	struct index_draft *best = NULL;
	for (size_t i = 0; i < builder->made_count; i++) {
		struct index_draft *draft = &builder->drafts[i];
		if ((draft->tested[rule / 64] >> rule % 64 & 1) != 0 && (best == NULL || draft->open < best->open))
			best = draft;
	}
	return best;
}

static void share_out(struct index_builder *builder, struct rule_index *index)
{
	for (size_t rule = 0; rule < builder->rule_count; rule++) {
		struct index_draft *watcher = watcher_of(builder, rule);
		if (watcher == NULL) {
			index->live |= (uint64_t)1 << rule / INDEX_BLOCK_RULES;
			continue;
		}
		watcher->watched[rule / 64] |= (uint64_t)1 << rule % 64;
		watcher->form.has_watched = true;
	}
}

static void finish(struct index_builder *builder, struct rule_index *index)
{
	struct dimension *dimensions = arena_array(builder->arena, builder->made_count, sizeof *dimensions);
	share_out(builder, index);
	index_rows_finish(&builder->rows, index, builder->arena);
	for (size_t i = 0; i < builder->made_count; i++) {
		const struct index_draft *draft = &builder->drafts[i];
		dimensions[i] = draft->form;
		index_rows_watch(index, draft->first_row, draft->end_row, draft->watched);
	}
	index->dimensions = dimensions;
	index->dimension_count = builder->made_count;
}

const struct rule_index *index_new(const struct cel_program *const *programs, size_t count, const struct cel_env *env,
				   struct arena *arena)
{
	if (count > INDEX_RULES_MAX)
		return NULL;
	struct index_builder *builder = xcalloc(1, sizeof *builder);
	struct rule_index *index = arena_alloc(arena, sizeof *index);
	builder->env = env;
	builder->arena = arena;
	builder->rule_count = index->rule_count = count;
	index_rows_init(&builder->rows, count);
	index_collect(builder, programs);
	make_dimensions(builder);
	finish(builder, index);
	for (size_t i = 0; i < builder->draft_count; i++) {
		free(builder->drafts[i].tests);
		free(builder->drafts[i].tested);
		free(builder->drafts[i].watched);
	}
	index_rows_done(&builder->rows);
	free(builder);
	return index;
}
