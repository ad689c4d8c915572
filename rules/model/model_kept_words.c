/* SPDX-License-Identifier: Apache-2.0
 *
 * Which words of which attributes are kept: rules/kept_words.h while the configuration is built.
 */
#include "rules/kept_words.h"

#include <stdlib.h>
#include <string.h>

#include "rules/cel/paths.h"
#include "rules/model/model_build.h"

#define ATTRIBUTES "attributes."

/* Names that sort behind "/", so that a member's words follow it in the order of names. */
static bool is_name(struct slice name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	for (size_t i = 0; i < name.len; i++)
		if (name.p[i] == '\0' || strchr(letters, name.p[i]) == NULL)
			return false;
	return name.len > 0 && name.len <= KEPT_WORD_BYTES_MAX;
}

static struct kept_member *find_member(struct model_builder *builder, struct slice name)
{
	for (size_t i = 0; i < builder->kept_member_count; i++)
		if (slice_equal(builder->kept_members[i].name, name))
			return &builder->kept_members[i];
	if (builder->kept_member_count == KEPT_MEMBERS_MAX)
		return NULL;
	if (builder->kept_members == NULL)
		builder->kept_members = arena_array(builder->arena, KEPT_MEMBERS_MAX, sizeof *builder->kept_members);
	struct kept_member *member = &builder->kept_members[builder->kept_member_count++];
	const char *path = arena_printf(builder->arena, ATTRIBUTES "%.*s", SLICE_ARG(name));
	*member = (struct kept_member){.name = {path + strlen(ATTRIBUTES), name.len}, .path = slice_of(path)};
	member->words = arena_array(builder->arena, KEPT_WORDS_MAX, sizeof *member->words);
	return member;
}

/* Names of fields have no blank: what a merge writes in front of one ends with it. */
static struct slice key_of(struct arena *arena, const struct kept_member *member, struct slice word)
{
	char *key = arena_printf(arena, "%.*s/%.*s", SLICE_ARG(member->path), SLICE_ARG(word));
	for (char *at = key; *at != '\0'; at++)
		if (*at == ' ')
			*at = '+';
	return slice_of(key);
}

static bool add_word(struct model_builder *builder, struct kept_member *member, struct slice word)
{
	for (size_t i = 0; i < member->word_count; i++)
		if (slice_equal(member->words[i].text, word))
			return true;
	if (member->word_count == KEPT_WORDS_MAX)
		return false;
	struct slice text = {arena_memdupz(builder->arena, word.p, word.len), word.len};
	member->words[member->word_count++] = (struct kept_word){text, key_of(builder->arena, member, text)};
	return true;
}

const char *kept_words_need(struct model_builder *builder, const struct cel_path *path)
{
	if (!is_name(path->member))
		return "is no name that is kept: letters, digits and `_`";
	if (path->word.len > KEPT_WORD_BYTES_MAX || memchr(path->word.p != NULL ? path->word.p : "", '\0', path->word.len) != NULL)
		return "is compared with a text that is too long";
	struct kept_member *member = find_member(builder, path->member);
	if (member == NULL)
		return "is one attribute too many of what conditions that are asked again read";
	member->is_list |= path->asked == CEL_ASKED_LIST;
	member->is_text |= path->asked == CEL_ASKED_TEXT;
	if (member->is_list && member->is_text)
		return "is asked for as a text and as a list";
	if (path->asked != CEL_ASKED_PRESENCE && !add_word(builder, member, path->word))
		return "is compared with too many texts";
	return NULL;
}

static int by_path(const void *left, const void *right)
{
	const struct kept_member *a = left, *b = right;
	return slice_compare(a->path, b->path);
}

static int by_key(const void *left, const void *right)
{
	const struct kept_word *a = left, *b = right;
	return slice_compare(a->key, b->key);
}

size_t kept_words_finish(struct model_builder *builder)
{
	size_t bytes = 0;
	for (size_t i = 0; i < builder->kept_member_count; i++) {
		struct kept_member *member = &builder->kept_members[i];
		bytes += member->path.len + KEPT_WORD_BYTES_MAX;
		for (size_t w = 0; member->is_list && w < member->word_count; w++)
			bytes += member->words[w].key.len;
		qsort(member->words, member->word_count, sizeof *member->words, by_key);
	}
	if (builder->kept_member_count != 0)
		qsort(builder->kept_members, builder->kept_member_count, sizeof *builder->kept_members, by_path);
	builder->model->kept_members = builder->kept_members;
	builder->model->kept_member_count = builder->kept_member_count;
	return bytes;
}
