/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking up. Whatever a value is that the index does not expect, it leaves all rules open: evaluation says what is wrong.
 */
#include "rules/cel/value.h"
#include "rules/index_form.h"

/* ---- reading a field of the lead */

static struct cel_value follow(const struct index_walk *walk, const struct index_path *path, uint32_t count)
{
	struct cel_value value = walk->slots[path->slot];
	for (uint32_t i = 0; i < count; i++) {
		const struct index_step *step = &path->steps[i];
		if (value.kind != CEL_OBJECT || value.as.object->type != step->object)
			return (struct cel_value){.kind = CEL_ERROR};
		value = step->object->get(value.as.object->self, step->field, walk->scratch);
	}
	return value;
}

static struct cel_value read_field(const struct index_walk *walk, const struct index_path *path)
{
	struct cel_value value = walk->slots[path->slot];
	struct cel_int_member member;
	if (path->direct.layout == CEL_BY_CALL || value.kind != CEL_OBJECT ||
	    value.as.object->type != path->steps[0].object)
		return follow(walk, path, path->count);
	const char *at = (const char *)value.as.object->self + path->direct.offset;
	if (path->direct.layout == CEL_TEXT_AT)
		return cel_string(*(const struct slice *)at);
	memcpy(&member, at, sizeof member);
	return cel_int(member.is_set ? member.value : 0);
}

/* 0, 1, or -1: cannot be told. */
static int is_present(const struct index_walk *walk, const struct index_path *path)
{
	const struct index_step *last = &path->steps[path->count - 1];
	struct cel_value value = follow(walk, path, path->count - 1);
	if (value.kind != CEL_OBJECT || value.as.object->type != last->object)
		return -1;
	return last->object->has == NULL || last->object->has(value.as.object->self, last->field);
}

/* ---- rows of values */

static uint32_t text_row(const struct dimension *dimension, struct slice text)
{
	const struct text_table *table = &dimension->u.texts;
	uint64_t hash = index_hash(text);
	for (size_t at = hash & table->mask; table->slots[at].row != 0; at = (at + 1) & table->mask) {
		const struct text_slot *slot = &table->slots[at];
		if (slot->hash == hash && (table->texts == NULL || slice_equal(table->texts[slot->text], text)))
			return slot->row;
	}
	return dimension->missed_row;
}

/* How many affixes sort before or at `text`. */
static size_t affix_bound(const struct affix_table *table, struct slice text)
{
	uint64_t head = index_head(text);
	size_t low = 0, high = table->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		uint64_t other = table->heads[middle];
		if (other < head || (other == head && slice_compare(table->texts[middle], text) <= 0))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* All affixes that `text` begins with begin the last one that sorts before it, too: they are among its parents. */
static uint32_t affix_row(const struct dimension *dimension, struct slice text)
{
	const struct affix_table *table = &dimension->u.affixes;
	size_t bound = affix_bound(table, text);
	uint32_t at = bound != 0 ? (uint32_t)bound - 1 : UINT32_MAX;
	while (at != UINT32_MAX && !slice_has_prefix(text, table->texts[at]))
		at = table->parents[at];
	return at != UINT32_MAX ? table->rows[at] : dimension->missed_row;
}

static uint32_t suffix_row(const struct dimension *dimension, struct slice text)
{
	char backwards[INDEX_AFFIX_BYTES_MAX];
	size_t len = text.len < dimension->u.affixes.longest ? text.len : dimension->u.affixes.longest;
	for (size_t i = 0; i < len; i++)
		backwards[i] = text.p[text.len - 1 - i];
	return affix_row(dimension, (struct slice){backwards, len});
}

static uint32_t interval_row(const struct dimension *dimension, int64_t number)
{
	const struct interval_table *table = &dimension->u.intervals;
	size_t low = 0, high = table->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (table->from[middle] <= number)
			low = middle + 1;
		else
			high = middle;
	}
	return low != 0 ? table->rows[low - 1] : dimension->missed_row;
}

static uint32_t number_row(const struct dimension *dimension, struct cel_value value)
{
	if (value.kind == CEL_BOOL)
		return interval_row(dimension, value.as.boolean);
	if (value.kind == CEL_INT)
		return interval_row(dimension, value.as.integer);
	bool is_number = value.as.number == value.as.number;
	return is_number ? interval_row(dimension, index_real(value.as.number)) : 0;
}

/* A key that is not there makes every test of it an error. */
static uint32_t find_row(const struct index_walk *walk, const struct dimension *dimension)
{
	if (dimension->kind == DIMENSION_HAS) {
		int present = is_present(walk, &dimension->path);
		return present < 0 ? 0 : interval_row(dimension, present);
	}
	struct cel_value value = read_field(walk, &dimension->path);
	if (dimension->path.key.p != NULL && value.kind == CEL_MAP) {
		const struct cel_value *held = cel_map_find_text(value.as.map, dimension->path.key);
		if (held == NULL)
			return dimension->free_row;
		value = *held;
	}
	if (value.kind != dimension->value_kind)
		return 0;
	switch (dimension->kind) {
	case DIMENSION_TEXT:
	case DIMENSION_NOT_TEXT:
		return text_row(dimension, cel_slice(value));
	case DIMENSION_PREFIX:
		return affix_row(dimension, cel_slice(value));
	case DIMENSION_SUFFIX:
		return suffix_row(dimension, cel_slice(value));
	case DIMENSION_NUMBER:
	case DIMENSION_HAS:
		break;
	}
	return number_row(dimension, value);
}

/* ---- candidates of a block */

/* Two words at a time, as every processor can: loops over eight words are what a walk's time goes into. */
typedef uint64_t word_pair __attribute__((vector_size(16)));
enum { PAIRS = INDEX_BLOCK_WORDS / 2 };

struct open_rules {
	word_pair pairs[PAIRS];
};

static inline bool is_any(word_pair pair)
{
	return (pair[0] | pair[1]) != 0;
}

static inline struct open_rules read_block(const struct index_block *block)
{
	struct open_rules rules;
	memcpy(&rules, block, sizeof rules);
	return rules;
}

static inline bool intersect(struct open_rules *rules, const struct index_block *block)
{
	struct open_rules other = read_block(block);
	word_pair any = {0, 0};
	for (size_t i = 0; i < PAIRS; i++)
		any |= rules->pairs[i] &= other.pairs[i];
	return is_any(any);
}

/* Does a rule that is left ask for the dimension? */
static inline bool is_asked_for(const struct open_rules *rules, const struct index_block *free_block)
{
	struct open_rules other = read_block(free_block);
	word_pair any = {0, 0};
	for (size_t i = 0; i < PAIRS; i++)
		any |= rules->pairs[i] & ~other.pairs[i];
	return is_any(any);
}

static const struct index_row *look_up(struct index_walk *walk, size_t i)
{
	const struct rule_index *index = walk->index;
	return walk->rows[i] = index_row_at(index, find_row(walk, &index->dimensions[i]));
}

/* Fills walk->words; false when no rule of the block is left. */
static bool open_block(struct index_walk *walk, size_t block)
{
	const struct rule_index *index = walk->index;
	struct open_rules rules = read_block(index_block_of(index, walk->first, block));
	for (size_t i = 0; i < index->dimension_count; i++) {
		const struct index_row *row = walk->rows[i];
		if (row == walk->first)
			continue;
		if (row == NULL) {
			const struct index_row *free_row = index_row_at(index, index->dimensions[i].free_row);
			if (!is_asked_for(&rules, index_block_of(index, free_row, block)))
				continue;
			row = look_up(walk, i);
		}
		if (!intersect(&rules, index_block_of(index, row, block)))
			return false;
	}
	memcpy(walk->words, &rules, sizeof walk->words);
	return true;
}

void index_walk_begin(struct index_walk *walk, const struct rule_index *index, const struct cel_value *slots,
		      struct arena *scratch)
{
	*walk = (struct index_walk){.index = index, .slots = slots, .scratch = scratch, .word = INDEX_BLOCK_WORDS};
	walk->blocks_left = index->live;
	for (size_t i = 0; i < index->dimension_count; i++)
		if (index->dimensions[i].has_watched)
			__builtin_prefetch(look_up(walk, i));
	walk->first = index_row_at(index, 0);
	for (size_t i = index->dimension_count; i-- > 0;)
		if (index->dimensions[i].has_watched) {
			walk->blocks_left |= walk->rows[i]->live;
			walk->first = walk->rows[i];
		}
}

static bool next_block(struct index_walk *walk)
{
	walk->word = 0;
	while (walk->blocks_left != 0) {
		walk->block = (size_t)__builtin_ctzll(walk->blocks_left);
		walk->blocks_left &= walk->blocks_left - 1;
		if (open_block(walk, walk->block))
			return true;
	}
	walk->word = INDEX_BLOCK_WORDS;
	return false;
}

size_t index_walk_next(struct index_walk *walk)
{
	for (;;) {
		while (walk->word < INDEX_BLOCK_WORDS && walk->words[walk->word] == 0)
			walk->word++;
		if (walk->word == INDEX_BLOCK_WORDS && !next_block(walk))
			return SIZE_MAX;
		if (walk->words[walk->word] == 0)
			continue;
		size_t bit = (size_t)__builtin_ctzll(walk->words[walk->word]);
		walk->words[walk->word] &= walk->words[walk->word] - 1;
		return walk->block * INDEX_BLOCK_RULES + walk->word * 64 + bit;
	}
}
