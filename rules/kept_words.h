/* SPDX-License-Identifier: Apache-2.0
 *
 * Attributes of a lead that outlive its intake: lead.attributes.tier, lead.attributes.tags. They may hold anything, so none of
 * their values is stored. What is kept is the answer to what conditions ask: which of the words that the configuration
 * names the attribute is, or has.
 *
 *     "vip" in lead.attributes.tags          a list: which of the words it has     "attributes.tags/vip":1
 *     lead.attributes.tier == "gold"         a text: the word that it is           "attributes.tier":"gold"
 *     !=, in ["gold", "silver"], has()       the same                              "attributes.tier":"": another one
 *
 * Any other use is refused while the configuration is built: it would need the value itself.
 */
#ifndef LR_RULES_KEPT_WORDS_H
#define LR_RULES_KEPT_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "rules/base/slice.h"

struct arena;
struct cel_path;
struct json;
struct json_writer;
struct lead;
struct model;
struct model_builder;

enum {
	KEPT_MEMBERS_MAX = 16, /* attributes */
	KEPT_WORDS_MAX = 100,  /* of one */
	KEPT_WORD_BYTES_MAX = 64,
};

struct kept_word {
	struct slice text, key; /* key: of a list */
};

/* One attribute, as the conditions of the model ask for it. */
struct kept_member {
	struct slice name, path; /* "tags", "attributes.tags" */
	bool is_list, is_text;        /* how it is asked for; neither: only whether it is there */
	struct kept_word *words;
	size_t word_count;
};

/* Notes what a condition asks of path->member. NULL, or why it cannot be kept. */
const char *kept_words_need(struct model_builder *builder, const struct cel_path *path);
/* Sorts them into the model; the most bytes that they take of a lead's state. */
size_t kept_words_finish(struct model_builder *builder);

/* The part of kept_text(), in the order of names: in front of all other fields. */
void kept_words_put(struct json_writer *writer, const struct model *model, const struct lead *lead);
/* The part of kept_restore(): the lead has these attributes and no other. */
void kept_words_restore(const struct model *model, const struct json *kept, struct arena *arena, struct lead *lead);

#endif
