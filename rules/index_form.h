/* SPDX-License-Identifier: Apache-2.0
 *
 * What an index looks like in memory. For rules/index.c and rules/index_*.c only.
 */
#ifndef LR_RULES_INDEX_FORM_H
#define LR_RULES_INDEX_FORM_H

#include <stdbool.h>
#include <string.h>

#include "rules/cel/conjunct.h"
#include "rules/index.h"

struct index_block {
	_Alignas(64) uint64_t words[INDEX_BLOCK_WORDS];
};

/* The rules that one answer of a dimension leaves open. */
struct index_row {
	uint64_t live;     /* bit b: block b has a rule that the dimension watches */
	uint32_t blocks[]; /* indexes into rule_index.blocks */
};

enum dimension_kind {
	DIMENSION_TEXT,     /* == and in, of strings: a hash table of values */
	DIMENSION_NOT_TEXT, /* != of strings: the same */
	DIMENSION_PREFIX,   /* startsWith: sorted, each with the longest other one that it begins with */
	DIMENSION_SUFFIX,   /* endsWith: the same, of texts read backwards */
	DIMENSION_NUMBER,   /* all tests of ints, doubles and bools: intervals */
	DIMENSION_HAS,      /* has(): the same of 0 and 1 */
};

/* variable.field.field, with the object type that each step reads from; of a map at its end the value under `key`. */
struct index_path {
	uint32_t slot, count;
	struct index_step {
		const struct cel_object_type *object;
		uint32_t field;
	} steps[CEL_MAX_PATH];
	struct slice key; /* p NULL: none */
	struct cel_member direct; /* CEL_TEXT_AT, CEL_INT_AT: where it lies in the variable's object; else step by step */
};

struct text_slot {
	uint64_t hash;
	uint32_t row;  /* 0: empty; row 0 is never one of a value */
	uint32_t text; /* index into texts */
};

/* A value of the lead that only has the hash of another one is taken for it. To == and `in` that opens rules which
 * evaluation will close; != would close rules, so there the texts are compared. */
struct text_table {
	const struct text_slot *slots;
	size_t mask;
	const struct slice *texts; /* NULL: the hash is enough */
};

struct affix_table {
	const uint64_t *heads;     /* the first eight bytes, big-endian: order without touching the text */
	const struct slice *texts; /* in the order of slice_compare */
	const uint32_t *parents;   /* index of the longest other one that this begins with, or UINT32_MAX */
	const uint32_t *rows;
	size_t count, longest;
};

struct interval_table {
	const int64_t *from; /* ascending; the row of from[i] holds up to from[i + 1] */
	const uint32_t *rows;
	size_t count;
};

struct dimension {
	enum dimension_kind kind;
	enum cel_kind
		value_kind; /* of what the path reads; under a key there may be others, which leave all rules open */
	struct index_path path;
	bool has_watched;    /* looked up for each lead */
	uint32_t free_row;   /* the rules without one */
	uint32_t missed_row; /* of a value that no rule names */
	union {
		struct text_table texts;
		struct affix_table affixes;
		struct interval_table intervals;
	} u;
};

struct rule_index {
	size_t rule_count, block_count; /* blocks per row */
	const struct index_block *blocks;
	const char *rows; /* struct index_row, row_bytes each; row 0: all rules */
	size_t row_bytes;
	uint64_t live; /* blocks with a rule that no dimension watches */
	const struct dimension *dimensions;
	size_t dimension_count;
};

static inline const struct index_row *index_row_at(const struct rule_index *index, uint32_t row)
{
	return (const struct index_row *)(index->rows + row * index->row_bytes);
}

static inline const struct index_block *index_block_of(const struct rule_index *index, const struct index_row *row,
						       size_t block)
{
	return &index->blocks[row->blocks[block]];
}

/* Hash of values that people wrote; a look-up never inserts, so a lead cannot make chains. */
static inline uint64_t index_hash(struct slice text)
{
	uint64_t hash = text.len * 0x9E3779B97F4A7C15, word;
	size_t at = 0;
	for (; at + sizeof word <= text.len; at += sizeof word) {
		memcpy(&word, text.p + at, sizeof word);
		hash = (hash ^ word) * 0xD6E8FEB86659FD93;
		hash ^= hash >> 32;
	}
	word = 0;
	for (size_t i = at; i < text.len; i++)
		word = word << 8 | (unsigned char)text.p[i];
	hash = (hash ^ word) * 0xD6E8FEB86659FD93;
	return hash ^ hash >> 32;
}

/* The first eight bytes as a number that orders as they do. */
static inline uint64_t index_head(struct slice text)
{
	uint64_t head = 0;
	for (size_t i = 0; i < sizeof head; i++)
		head = head << 8 | (i < text.len ? (unsigned char)text.p[i] : 0u);
	return head;
}

/* Doubles as integers of the same order; both zeros are 0. Not for NaN. */
static inline int64_t index_real(double number)
{
	int64_t bits;
	memcpy(&bits, &number, sizeof bits);
	return bits < 0 ? INT64_MIN - bits : bits;
}

#endif
