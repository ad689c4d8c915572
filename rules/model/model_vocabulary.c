/* SPDX-License-Identifier: Apache-2.0
 *
 * Closed vocabularies: names and their other spellings.
 */
#include <stdlib.h>

#include "rules/base/err.h"
#include "rules/model/model_build.h"
#include "rules/text/normalise.h"

enum { ALIASES_MAX = 20000 };

struct vocabulary_builder {
	struct model_builder *builder;
	const char *noun;     /* what one word is called in messages */
	const char *fallback; /* the first word, which is always there; NULL: none is */
	struct slice *names;
	struct vocabulary_alias *aliases;
	const struct node **alias_nodes; /* NULL: built in */
	size_t count, alias_count;
};

static const struct node *node_of_alias(const struct vocabulary_builder *words, struct slice folded, size_t *ret_name)
{
	for (size_t i = 0; i < words->alias_count; i++)
		if (slice_equal(words->aliases[i].folded, folded)) {
			*ret_name = words->aliases[i].name;
			return words->alias_nodes[i];
		}
	*ret_name = SIZE_MAX;
	return NULL;
}

static void store_spelling(struct vocabulary_builder *words, struct slice folded, size_t name, const struct node *node)
{
	words->alias_nodes[words->alias_count] = node;
	words->aliases[words->alias_count++] = (struct vocabulary_alias){folded, name};
}

/* A spelling of name number `name`; the same spelling for two names is an error. */
static void add_spelling(struct vocabulary_builder *words, struct slice text, size_t name, const struct node *node)
{
	struct slice folded = text_key(words->builder->arena, text);
	size_t other;
	const struct node *first = node_of_alias(words, folded, &other);
	if (other == name)
		return;
	if (other != SIZE_MAX) {
		struct diag *diag = diags_add(words->builder->diags, ERR_DUPLICATE, node->span,
		                              "`%.*s` already stands for the %s `%.*s`", SLICE_ARG(text),
		                              words->noun, SLICE_ARG(words->names[other]));
		if (first != NULL)
			diag_second(words->builder->diags, diag, first->span, "first defined here");
		return;
	}
	if (folded.len == 0) {
		diags_add(words->builder->diags, ERR_BAD_NAME, node->span, "a %s needs a letter or digit", words->noun);
		return;
	}
	store_spelling(words, folded, name, node);
}

static void add_word(struct vocabulary_builder *words, const struct node *key, const struct node *aliases)
{
	struct model_builder *builder = words->builder;
	struct slice text;
	size_t name = words->count;
	if (words->fallback != NULL && slice_is(key->text, words->fallback))
		name = 0;
	else if (model_read_name(builder, key, arena_printf(&builder->scratch, "a %s", words->noun), &text))
		words->names[words->count++] = text;
	else
		return;
	add_spelling(words, words->names[name], name, key);
	if (aliases == NULL || node_is_empty(aliases) || !node_expect_sequence(aliases, arena_printf(&builder->scratch, "aliases of a %s", words->noun), builder->diags))
		return;
	for (size_t i = 0; i < aliases->count; i++)
		if (model_read_name(builder, aliases->items[i], "an alias", &text))
			add_spelling(words, text, name, aliases->items[i]);
}

static size_t count_spellings(const struct node *sources)
{
	size_t count = sources->count;
	for (size_t i = 0; sources->kind == NODE_MAPPING && i < sources->count; i++)
		count += sources->members[i].value->count;
	return count;
}

static int by_folded(const void *left, const void *right)
{
	const struct vocabulary_alias *a = left, *b = right;
	return slice_compare(a->folded, b->folded);
}

static void add_words(struct vocabulary_builder *words, const struct node *list)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->kind == NODE_MAPPING)
			add_word(words, list->members[i].key, list->members[i].value);
		else if (list->items[i]->kind == NODE_SCALAR)
			add_word(words, list->items[i], NULL);
		else
			diags_add(words->builder->diags, ERR_WRONG_TYPE, list->items[i]->span, "a %s must be text", words->noun);
	}
}

void model_read_vocabulary(struct model_builder *builder, const struct node *list, const char *noun, const char *fallback,
                           struct vocabulary *ret_vocabulary)
{
	static const struct node none = {.kind = NODE_SEQUENCE};
	if (list == NULL)
		list = &none;
	else if (list->kind == NODE_SCALAR &&
	         !node_expect_mapping(list, arena_printf(&builder->scratch, "the list of %ss", noun), builder->diags))
		return;
	size_t spellings = count_spellings(list) + 1;
	if (list->count > MODEL_SOURCES_MAX || spellings > ALIASES_MAX) {
		diags_add(builder->diags, ERR_TOO_MANY, list->span, "more than %d %ss or %d aliases", MODEL_SOURCES_MAX, noun, ALIASES_MAX);
		return;
	}
	struct vocabulary_builder words = {
		.builder = builder,
		.noun = noun,
		.fallback = fallback,
		.names = arena_array(builder->arena, list->count + 1, sizeof *words.names),
		.aliases = arena_array(builder->arena, spellings, sizeof *words.aliases),
		.alias_nodes = arena_array(&builder->scratch, spellings, sizeof *words.alias_nodes),
	};
	if (fallback != NULL) {
		words.names[words.count++] = slice_of(fallback);
		store_spelling(&words, text_key(builder->arena, words.names[0]), 0, NULL);
	}
	add_words(&words, list);
	qsort(words.aliases, words.alias_count, sizeof *words.aliases, by_folded);
	*ret_vocabulary = (struct vocabulary){words.names, words.count, words.aliases, words.alias_count};
}
