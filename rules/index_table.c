/* SPDX-License-Identifier: Apache-2.0
 *
 * A draft's tests into its table, with a row for each answer.
 */
#include <stdlib.h>

#include "rules/base/arena.h"
#include "rules/base/map.h"
#include "rules/base/mem.h"
#include "rules/index_draft.h"

static const uint64_t SEED[2] = {0x696e646578, 0x72756c6573}; /* who writes the rules may slow only his own start */

/* ---- texts */

/* First and last test of one value. */
struct chain {
	struct slice text;
	uint32_t first, last;
};

/* Tests of equal texts linked; returns the chains, on the heap. */
static struct chain *chain_texts(struct index_draft *draft, size_t *ret_count)
{
	struct chain *chains = xcalloc(draft->count + 1, sizeof *chains);
	struct map map;
	size_t count = 0;
	map_init(&map, SEED);
	for (uint32_t i = 0; i < draft->count; i++) {
		struct index_test *test = &draft->tests[i];
		uintptr_t known = (uintptr_t)map_get(&map, test->u.text);
		if (known != 0) {
			draft->tests[chains[known - 1].last].next = i;
			chains[known - 1].last = i;
			continue;
		}
		chains[count++] = (struct chain){test->u.text, i, i};
		map_put(&map, test->u.text, (void *)(uintptr_t)count);
	}
	map_done(&map);
	*ret_count = count;
	return chains;
}

/* false: another value that needs no text has this hash, once in 2^64 times. */
static bool put_text(struct text_slot *slots, size_t mask, const struct slice *texts, uint32_t text, uint32_t row)
{
	uint64_t hash = index_hash(texts[text]);
	size_t at = hash & mask;
	bool is_new = true;
	for (; slots[at].row != 0; at = (at + 1) & mask)
		is_new &= slots[at].hash != hash;
	slots[at] = (struct text_slot){hash, row, text};
	return is_new;
}

/* Values that one rule alone names have one row: long `in` lists are not long here. */
static uint32_t row_of_chain(struct index_builder *builder, const struct index_draft *draft, const struct chain *chain,
			     uint32_t *row_of_rule)
{
	uint32_t only = draft->tests[chain->first].rule;
	if (chain->first == chain->last && row_of_rule[only] != 0)
		return row_of_rule[only];
	uint32_t row = index_rows_add(&builder->rows, draft->form.missed_row);
	for (uint32_t i = chain->first; i != UINT32_MAX; i = draft->tests[i].next)
		index_rows_set(&builder->rows, draft->tests[i].rule, draft->form.kind == DIMENSION_TEXT);
	if (chain->first == chain->last)
		row_of_rule[only] = row;
	return row;
}

static bool fill_texts(struct index_builder *builder, const struct index_draft *draft, const struct chain *chains,
		       size_t count, struct text_table *table)
{
	size_t slot_count = 16;
	while (slot_count < count * 2)
		slot_count *= 2;
	struct text_slot *slots = arena_array(builder->arena, slot_count, sizeof *slots);
	struct slice *texts = arena_array(builder->arena, count, sizeof *texts);
	uint32_t *row_of_rule = xcalloc(builder->rule_count, sizeof *row_of_rule);
	bool is_exact = draft->form.kind == DIMENSION_NOT_TEXT, is_fine = true;
	for (uint32_t i = 0; i < count && is_fine && !index_rows_are_full(&builder->rows); i++) {
		texts[i] = chains[i].text;
		uint32_t row = row_of_chain(builder, draft, &chains[i], row_of_rule);
		is_fine = put_text(slots, slot_count - 1, texts, i, row) || is_exact;
	}
	free(row_of_rule);
	*table = (struct text_table){slots, slot_count - 1, is_exact ? texts : NULL};
	return is_fine;
}

static bool make_texts(struct index_builder *builder, struct index_draft *draft)
{
	size_t count;
	struct chain *chains = chain_texts(draft, &count);
	bool is_fine = fill_texts(builder, draft, chains, count, &draft->form.u.texts);
	free(chains);
	return is_fine;
}

/* ---- affixes */

static int by_text(const void *left, const void *right)
{
	const struct index_test *a = left, *b = right;
	return slice_compare(a->u.text, b->u.text);
}

struct affix_draft {
	uint64_t *heads;
	struct slice *texts;
	uint32_t *parents, *rows;
	size_t count;
};

static void add_affix(struct index_builder *builder, const struct index_draft *draft, struct affix_draft *affixes,
		      struct slice text)
{
	size_t at = affixes->count++;
	uint32_t parent = at != 0 ? (uint32_t)at - 1 : UINT32_MAX;
	while (parent != UINT32_MAX && !slice_has_prefix(text, affixes->texts[parent]))
		parent = affixes->parents[parent];
	affixes->heads[at] = index_head(text);
	affixes->texts[at] = text;
	affixes->parents[at] = parent;
	affixes->rows[at] =
		index_rows_add(&builder->rows, parent != UINT32_MAX ? affixes->rows[parent] : draft->form.missed_row);
}

/* Sorted, so an affix comes after all that it begins with, and its row begins as the longest one's. */
static bool make_affixes(struct index_builder *builder, struct index_draft *draft)
{
	struct arena *arena = builder->arena;
	size_t count = draft->count, longest = 0;
	struct affix_draft affixes = {
		arena_array(arena, count, sizeof *affixes.heads), arena_array(arena, count, sizeof *affixes.texts),
		arena_array(arena, count, sizeof *affixes.parents), arena_array(arena, count, sizeof *affixes.rows), 0};
	qsort(draft->tests, count, sizeof *draft->tests, by_text);
	for (size_t i = 0; i < count && !index_rows_are_full(&builder->rows); i++) {
		struct slice text = draft->tests[i].u.text;
		if (affixes.count == 0 || !slice_equal(affixes.texts[affixes.count - 1], text))
			add_affix(builder, draft, &affixes, text);
		index_rows_set(&builder->rows, draft->tests[i].rule, true);
		longest = text.len > longest ? text.len : longest;
	}
	draft->form.u.affixes = (struct affix_table){affixes.heads, affixes.texts, affixes.parents,
						     affixes.rows,  affixes.count, longest};
	return true;
}

/* ---- intervals */

/* From `at` on a rule is open or is not. */
struct turn {
	int64_t at;
	uint32_t rule;
	bool is_open;
};

/* Closing first: an interval of the same rule may begin where another one has ended. */
static int by_place(const void *left, const void *right)
{
	const struct turn *a = left, *b = right;
	int order = (a->at > b->at) - (a->at < b->at);
	return order ? order : (int)a->is_open - (int)b->is_open;
}

static size_t find_turns(const struct index_draft *draft, struct turn *turns)
{
	size_t count = 0;
	for (size_t i = 0; i < draft->count; i++) {
		const struct index_test *test = &draft->tests[i];
		turns[count++] = (struct turn){test->u.interval.from, test->rule, true};
		if (test->u.interval.to != INT64_MAX)
			turns[count++] = (struct turn){test->u.interval.to + 1, test->rule, false};
	}
	qsort(turns, count, sizeof *turns, by_place);
	return count;
}

static bool make_intervals(struct index_builder *builder, struct index_draft *draft)
{
	struct turn *turns = xcalloc(draft->count * 2 + 1, sizeof *turns);
	size_t turn_count = find_turns(draft, turns), count = 0;
	int64_t *from = arena_array(builder->arena, turn_count, sizeof *from);
	uint32_t *rows = arena_array(builder->arena, turn_count, sizeof *rows), row = draft->form.missed_row;
	for (size_t i = 0; i < turn_count && !index_rows_are_full(&builder->rows); i++) {
		if (i == 0 || turns[i].at != turns[i - 1].at) {
			row = index_rows_add(&builder->rows, row);
			from[count] = turns[i].at;
			rows[count++] = row;
		}
		index_rows_set(&builder->rows, turns[i].rule, turns[i].is_open);
	}
	draft->form.u.intervals = (struct interval_table){from, rows, count};
	free(turns);
	return true;
}

bool index_make_table(struct index_builder *builder, struct index_draft *draft)
{
	switch (draft->form.kind) {
	case DIMENSION_TEXT:
	case DIMENSION_NOT_TEXT:
		return make_texts(builder, draft);
	case DIMENSION_PREFIX:
	case DIMENSION_SUFFIX:
		return make_affixes(builder, draft);
	case DIMENSION_NUMBER:
	case DIMENSION_HAS:
		return make_intervals(builder, draft);
	}
	return false;
}
