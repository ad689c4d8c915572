/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/event_shown.h"

#include "rules/base/arena.h"
#include "rules/cleanse.h"
#include "rules/json/json.h"
#include "rules/schema.h"

static void put_field(struct json_writer *writer, struct slice path, struct slice name, const struct json *value,
                      struct arena *arena);

static void put_part(struct json_writer *writer, struct slice path, struct slice name, const struct json *part,
                     struct arena *arena)
{
	json_open_object_as(writer, name);
	for (size_t i = 0; i < part->count; i++) {
		const struct slice dot = path.len != 0 ? SLICE(".") : SLICE_NONE;
		put_field(writer, ARENA_JOIN(arena, path, dot, part->names[i]), part->names[i], &part->items[i], arena);
	}
	json_close_object(writer);
}

/* What the schema does not know is not shown. */
static void put_field(struct json_writer *writer, struct slice path, struct slice name, const struct json *value,
                      struct arena *arena)
{
	const struct schema_row *row = schema_find(path);
	if (row != NULL && row->kind == SCHEMA_PART && value->type == JSON_IS_OBJECT)
		put_part(writer, path, name, value, arena);
	else if (row != NULL && value->type == JSON_IS_STRING)
		json_put_text_as(writer, name, cleanse_shown(row, value->text, arena));
	else if (row != NULL && !row->is_person)
		json_put_value(writer, name, value);
	else
		json_put_text_as(writer, name, SLICE("***"));
}

void event_put_shown(struct json_writer *writer, const char *name, const struct json *data, bool is_unmasked)
{
	struct arena arena = ARENA_INIT;
	if (data->type != JSON_IS_OBJECT) {
		json_put_value(writer, slice_of(name), data);
		return;
	}
	json_open_object(writer, name);
	for (size_t i = 0; i < data->count; i++) {
		bool is_lead = slice_is(data->names[i], "lead") && data->items[i].type == JSON_IS_OBJECT;
		if (is_lead && !is_unmasked)
			put_part(writer, SLICE_NONE, data->names[i], &data->items[i], &arena);
		else
			json_put_value(writer, data->names[i], &data->items[i]);
	}
	json_close_object(writer);
	arena_done(&arena);
}
