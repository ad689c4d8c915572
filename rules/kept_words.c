/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/kept_words.h"

#include "rules/base/arena.h"
#include "rules/json/json.h"
#include "rules/lead.h"
#include "rules/model.h"

static const struct json *value_of(const struct lead *lead, const struct kept_member *member)
{
	const struct json *map = lead->attributes;
	for (size_t i = 0; map != NULL && i < map->count; i++)
		if (slice_equal(map->names[i], member->name))
			return &map->items[i];
	return NULL;
}

static bool has_word(const struct json *list, struct slice word)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].type == JSON_IS_STRING && slice_equal(list->items[i].text, word))
			return true;
	return false;
}

static void put_list(struct json_writer *writer, const struct kept_member *member, const struct json *list)
{
	json_put_text_as(writer, member->path, SLICE_NONE);
	for (size_t i = 0; i < member->word_count; i++)
		if (has_word(list, member->words[i].text))
			json_put_int_as(writer, member->words[i].key, 1);
}

static struct slice word_of(const struct kept_member *member, const struct json *value)
{
	for (size_t i = 0; value->type == JSON_IS_STRING && i < member->word_count; i++)
		if (slice_equal(member->words[i].text, value->text))
			return value->text;
	return SLICE_NONE;
}

void kept_words_put(struct json_writer *writer, const struct model *model, const struct lead *lead)
{
	for (size_t i = 0; i < model->kept_member_count; i++) {
		const struct kept_member *member = &model->kept_members[i];
		const struct json *value = value_of(lead, member);
		if (value != NULL && !member->is_list)
			json_put_text_as(writer, member->path, word_of(member, value));
		else if (value != NULL && value->type == JSON_IS_ARRAY)
			put_list(writer, member, value);
	}
}

static bool has_key(const struct json *kept, struct slice key)
{
	for (size_t i = 0; i < kept->count; i++)
		if (slice_equal(kept->names[i], key))
			return true;
	return false;
}

static struct json list_from(const struct kept_member *member, const struct json *kept, struct arena *arena)
{
	struct json *words = arena_array(arena, member->word_count, sizeof *words);
	size_t count = 0;
	for (size_t i = 0; i < member->word_count; i++)
		if (has_key(kept, member->words[i].key))
			words[count++] = (struct json){.type = JSON_IS_STRING, .text = member->words[i].text};
	return (struct json){.type = JSON_IS_ARRAY, .items = words, .count = count};
}

/* Is it there, and as what? A list that came by a merge may have words alone. */
static bool restore_member(const struct kept_member *member, const struct json *kept, struct arena *arena, struct json *ret)
{
	const struct json *value = NULL;
	for (size_t i = 0; i < kept->count; i++)
		if (slice_equal(kept->names[i], member->path))
			value = &kept->items[i];
	if (!member->is_list) {
		*ret = (struct json){.type = JSON_IS_STRING, .text = value != NULL ? value->text : SLICE_NONE};
		return value != NULL && value->type == JSON_IS_STRING;
	}
	*ret = list_from(member, kept, arena);
	return value != NULL || ret->count != 0;
}

void kept_words_restore(const struct model *model, const struct json *kept, struct arena *arena, struct lead *lead)
{
	if (model->kept_member_count == 0)
		return;
	struct json *map = arena_alloc(arena, sizeof *map), *items = arena_array(arena, model->kept_member_count, sizeof *items);
	struct slice *names = arena_array(arena, model->kept_member_count, sizeof *names);
	*map = (struct json){.type = JSON_IS_OBJECT, .items = items, .names = names};
	for (size_t i = 0; i < model->kept_member_count; i++)
		if (restore_member(&model->kept_members[i], kept, arena, &items[map->count]))
			names[map->count++] = model->kept_members[i].name;
	if (map->count != 0)
		lead->attributes = map;
}
