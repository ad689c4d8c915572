/* SPDX-License-Identifier: Apache-2.0
 *
 * Whom a customer means who names somebody: a rep's id, or what people call him, without regard to case, accents, spaces and
 * punctuation. A name that several reps have means none of them.
 */
#include <stdlib.h>

#include "rules/model/model_build.h"
#include "rules/text/normalise.h"

static int by_key(const void *left, const void *right)
{
	const struct rep_word *a = left, *b = right;
	int order = slice_compare(a->key, b->key);
	return order != 0 ? order : (a->rep > b->rep) - (a->rep < b->rep);
}

static size_t add(struct model_builder *builder, struct rep_word *words, size_t count, size_t rep, struct slice text)
{
	words[count] = (struct rep_word){text_key(builder->arena, text), rep};
	return count + (words[count].key.len != 0);
}

void model_build_persons(struct model_builder *builder)
{
	struct model *model = builder->model;
	struct rep_word *words = arena_array(builder->arena, model->rep_count * 2, sizeof *words);
	size_t count = 0;
	for (size_t i = 0; i < model->rep_count; i++) {
		count = add(builder, words, count, i, model->reps[i].id);
		if (!slice_equal(model->reps[i].name, model->reps[i].id))
			count = add(builder, words, count, i, model->reps[i].name);
	}
	if (count != 0)
		qsort(words, count, sizeof *words, by_key);
	model->rep_words = words;
	model->rep_word_count = count;
}

/* The first word that is not before `key`. */
static size_t lower_bound(const struct model *model, struct slice key)
{
	size_t low = 0, high = model->rep_word_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (slice_compare(model->rep_words[middle].key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t model_find_person(const struct model *model, struct slice text, struct arena *arena)
{
	size_t rep = model_find_rep(model, text);
	if (rep != SIZE_MAX || text.len == 0)
		return rep;
	struct slice key = text_key(arena, text);
	for (size_t at = lower_bound(model, key); at < model->rep_word_count; at++) {
		const struct rep_word *word = &model->rep_words[at];
		if (key.len == 0 || !slice_equal(word->key, key))
			break;
		if (rep != SIZE_MAX && rep != word->rep)
			return SIZE_MAX;
		rep = word->rep;
	}
	return rep;
}
