/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/kept.h"

#include "rules/base/arena.h"
#include "rules/base/strbuf.h"
#include "rules/json/json.h"
#include "rules/kept_words.h"
#include "rules/model.h"
#include "rules/schema.h"
#include "rules/state.h"

static void put(struct json_writer *writer, const struct lead *lead, const struct schema_row *row)
{
	const void *at = (const char *)lead + row->offset;
	const struct lead_int *integer = at;
	const struct lead_real *real = at;
	if (row->kind == SCHEMA_TEXT && schema_text_of(lead, row).len != 0)
		json_put_text(writer, row->path, schema_text_of(lead, row));
	else if ((row->kind == SCHEMA_INT || row->kind == SCHEMA_TIME) && integer->is_set)
		json_put_int(writer, row->path, integer->value);
	else if (row->kind == SCHEMA_REAL && real->is_set)
		json_put_real(writer, row->path, real->value);
}

bool kept_any(const struct model *model)
{
	return model->kept_count != 0 || model->kept_member_count != 0;
}

struct slice kept_text(const struct model *model, const struct lead *lead, struct arena *arena)
{
	if (!kept_any(model))
		return SLICE_NONE;
	struct strbuf text = STRBUF_IN(arena);
	struct json_writer writer = JSON_WRITER(&text);
	json_open_object(&writer, NULL);
	kept_words_put(&writer, model, lead);
	for (size_t i = 0; i < model->kept_count; i++)
		put(&writer, lead, model->kept[i]);
	json_close_object(&writer);
	return text.len > 2 ? strbuf_keep(&text, arena) : SLICE_NONE;
}

static void restore(const struct schema_row *row, const struct json *value, struct lead *lead)
{
	void *at = (char *)lead + row->offset;
	if (row->kind == SCHEMA_TEXT && value->type == JSON_IS_STRING)
		*schema_text(lead, row) = value->text;
	else if ((row->kind == SCHEMA_INT || row->kind == SCHEMA_TIME) && value->type == JSON_IS_INT)
		*(struct lead_int *)at = (struct lead_int){true, value->integer};
	else if (row->kind == SCHEMA_REAL && value->type == JSON_IS_INT)
		*(struct lead_real *)at = (struct lead_real){true, (double)value->integer};
	else if (row->kind == SCHEMA_REAL && value->type == JSON_IS_REAL)
		*(struct lead_real *)at = (struct lead_real){true, value->real};
}

void kept_restore(const struct model *model, const struct lead_state *state, struct slice lead_id, struct arena *arena,
                  struct lead *lead)
{
	struct json_limits limits = {STATE_VALUE_BYTES_MAX, 2, 200};
	lead_init(lead);
	lead->lead_id = lead_id;
	lead->source = state->source;
	const struct json *root = state->kept.len != 0 ? json_read(state->kept, limits, arena, NULL) : NULL;
	for (size_t i = 0; root != NULL && i < model->kept_count; i++) {
		const struct json *value = json_get(root, model->kept[i]->path);
		if (value != NULL)
			restore(model->kept[i], value, lead);
	}
	if (root != NULL)
		kept_words_restore(model, root, arena, lead);
}
