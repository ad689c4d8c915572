/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/index_rows.h"

#include <stdlib.h>

#include "rules/base/mem.h"

static uint32_t add_block(struct index_rows *rows, const uint64_t *words)
{
	if (rows->block_count == rows->block_capacity) {
		rows->block_capacity = rows->block_capacity * 2 + 64;
		rows->blocks = xreallocarray(rows->blocks, rows->block_capacity, sizeof *rows->blocks);
	}
	memcpy(rows->blocks[rows->block_count], words, sizeof *rows->blocks);
	return (uint32_t)rows->block_count++;
}

static uint32_t add_row(struct index_rows *rows)
{
	if (rows->row_count == rows->row_capacity) {
		rows->row_capacity = rows->row_capacity * 2 + 64;
		rows->refs = xreallocarray(rows->refs, rows->row_capacity * rows->width, sizeof *rows->refs);
		rows->open = xreallocarray(rows->open, rows->row_capacity, sizeof *rows->open);
	}
	rows->own_from = rows->block_count;
	return (uint32_t)rows->row_count++;
}

void index_rows_init(struct index_rows *rows, size_t rule_count)
{
	static const uint64_t none[INDEX_BLOCK_WORDS];
	*rows = (struct index_rows){.width = (rule_count + INDEX_BLOCK_RULES - 1) / INDEX_BLOCK_RULES};
	if (rows->width == 0)
		rows->width = 1;
	uint32_t empty = add_block(rows, none), all = add_row(rows);
	rows->open[all] = 0;
	for (size_t i = 0; i < rows->width; i++)
		rows->refs[all * rows->width + i] = empty;
	for (size_t i = 0; i < rule_count; i++)
		index_rows_set(rows, i, true);
}

void index_rows_done(struct index_rows *rows)
{
	free(rows->blocks);
	free(rows->refs);
	free(rows->open);
	*rows = (struct index_rows){.width = 0};
}

uint32_t index_rows_add(struct index_rows *rows, uint32_t like)
{
	uint32_t row = add_row(rows);
	memcpy(&rows->refs[row * rows->width], &rows->refs[like * rows->width], rows->width * sizeof *rows->refs);
	rows->open[row] = rows->open[like];
	return row;
}

void index_rows_set(struct index_rows *rows, size_t rule, bool is_open)
{
	uint32_t *ref = &rows->refs[(rows->row_count - 1) * rows->width + rule / INDEX_BLOCK_RULES];
	uint64_t copy[INDEX_BLOCK_WORDS], bit = (uint64_t)1 << rule % 64;
	if (*ref < rows->own_from) {
		memcpy(copy, rows->blocks[*ref], sizeof copy);
		*ref = add_block(rows, copy);
	}
	uint64_t *word = &rows->blocks[*ref][rule % INDEX_BLOCK_RULES / 64];
	if (((*word & bit) != 0) == is_open)
		return;
	*word ^= bit;
	rows->open[rows->row_count - 1] += is_open ? 1 : UINT32_MAX;
}

bool index_rows_are_full(const struct index_rows *rows)
{
	size_t row_bytes = sizeof(struct index_row) + rows->width * sizeof *rows->refs;
	return rows->block_count * sizeof *rows->blocks + rows->row_count * row_bytes > INDEX_BYTES_MAX;
}

void index_rows_rewind(struct index_rows *rows, size_t row_count, size_t block_count)
{
	rows->row_count = row_count;
	rows->block_count = block_count;
}

/* The arena aligns less than a block wants to be. */
static struct index_block *take_blocks(const struct index_rows *rows, struct arena *arena)
{
	size_t align = _Alignof(struct index_block);
	uintptr_t at = (uintptr_t)arena_raw(arena, rows->block_count * sizeof(struct index_block) + align);
	struct index_block *blocks = (struct index_block *)((at + align - 1) / align * align);
	memcpy(blocks, rows->blocks, rows->block_count * sizeof *blocks);
	return blocks;
}

void index_rows_finish(const struct index_rows *rows, struct rule_index *index, struct arena *arena)
{
	size_t align = _Alignof(struct index_row), ref_bytes = rows->width * sizeof *rows->refs;
	index->blocks = take_blocks(rows, arena);
	index->row_bytes = (sizeof(struct index_row) + ref_bytes + align - 1) / align * align;
	char *made = arena_raw(arena, rows->row_count * index->row_bytes);
	for (size_t i = 0; i < rows->row_count; i++) {
		struct index_row *row = (struct index_row *)(made + i * index->row_bytes);
		row->live = UINT64_MAX >> (64 - rows->width);
		memcpy(row->blocks, &rows->refs[i * rows->width], ref_bytes);
	}
	index->rows = made;
	index->block_count = rows->width;
}

static bool is_touched(const struct index_block *block, const uint64_t *watched)
{
	uint64_t any = 0;
	for (size_t i = 0; i < INDEX_BLOCK_WORDS; i++)
		any |= block->words[i] & watched[i];
	return any != 0;
}

void index_rows_watch(struct rule_index *index, size_t first, size_t end, const uint64_t *watched)
{
	for (size_t i = first; i < end; i++) {
		struct index_row *row = (struct index_row *)(uintptr_t)index_row_at(index, (uint32_t)i);
		row->live = 0;
		for (size_t block = 0; block < index->block_count; block++)
			row->live |= (uint64_t)is_touched(index_block_of(index, row, block),
							  &watched[block * INDEX_BLOCK_WORDS])
				     << block;
	}
}
