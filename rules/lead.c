/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/lead.h"


#include "rules/base/arena.h"
#include "rules/calendar/instant.h"
#include "rules/changes.h"
#include "rules/json/json.h"
#include "rules/state.h"

struct reader {
	struct lead *lead;
	struct arena *arena;
	struct changes *changes;
	struct err *err;
};

static void *member(struct lead *lead, const struct schema_row *row)
{
	return (char *)lead + row->offset;
}

static int wrong_type(struct reader *reader, const struct schema_row *row, const char *wanted)
{
	return err_set_at(reader->err, ERR_FIELD_TYPE, row->path, "the field must be %s", wanted);
}

static int read_text(struct reader *reader, const struct schema_row *row, const struct json *value)
{
	if (value->type != JSON_IS_STRING)
		return wrong_type(reader, row, "a string");
	if (value->text.len > row->bytes_max)
		return err_set_at(reader->err, ERR_FIELD_TOO_LONG, row->path, "%zu bytes, at most %zu are taken",
		                  value->text.len, row->bytes_max);
	*schema_text(reader->lead, row) = value->text;
	return 0;
}

static int negative(struct reader *reader, const struct schema_row *row)
{
	return err_set_at(reader->err, ERR_FIELD_RANGE, row->path, "the number must not be negative");
}

static int read_int(struct reader *reader, const struct schema_row *row, const struct json *value)
{
	if (value->type != JSON_IS_INT)
		return wrong_type(reader, row, "a whole number");
	if (value->integer < 0)
		return negative(reader, row);
	*(struct lead_int *)member(reader->lead, row) = (struct lead_int){true, value->integer};
	return 0;
}

static int read_real(struct reader *reader, const struct schema_row *row, const struct json *value)
{
	if (value->type != JSON_IS_INT && value->type != JSON_IS_REAL)
		return wrong_type(reader, row, "a number");
	double number = value->type == JSON_IS_INT ? (double)value->integer : value->real;
	if (number < 0)
		return negative(reader, row);
	*(struct lead_real *)member(reader->lead, row) = (struct lead_real){true, number};
	return 0;
}

static int read_time(struct reader *reader, const struct schema_row *row, const struct json *value)
{
	if (value->type != JSON_IS_STRING)
		return wrong_type(reader, row, "a time as a string");
	int64_t ms = instant_parse(value->text);
	if (ms < 0)
		return err_set_at(reader->err, ERR_BAD_TIME, row->path, "not a time like 2026-11-21T22:05:15Z");
	*(struct lead_int *)member(reader->lead, row) = (struct lead_int){true, ms};
	return 0;
}

static int read_map(struct reader *reader, const struct schema_row *row, const struct json *value)
{
	if (value->type != JSON_IS_OBJECT)
		return wrong_type(reader, row, "an object");
	*(const struct json **)member(reader->lead, row) = value;
	return 0;
}

static int read_object(struct reader *reader, enum schema_object object, const struct json *data, const char *path);

static int read_field(struct reader *reader, const struct schema_row *row, const struct json *value)
{
	if (value->type == JSON_IS_NULL) /* the same as absent */
		return 0;
	switch (row->kind) {
	case SCHEMA_TEXT:
		return read_text(reader, row, value);
	case SCHEMA_INT:
		return read_int(reader, row, value);
	case SCHEMA_REAL:
		return read_real(reader, row, value);
	case SCHEMA_TIME:
		return read_time(reader, row, value);
	case SCHEMA_MAP:
		return read_map(reader, row, value);
	case SCHEMA_PART:
		break;
	}
	if (value->type != JSON_IS_OBJECT)
		return wrong_type(reader, row, "an object");
	return read_object(reader, row->part, value, row->path);
}

/* The name comes from outside: shown only when it cannot be contact data. */
static void note_unknown(struct reader *reader, const char *path, struct slice name)
{
	struct slice shown = state_is_lead_id(name) ? name : SLICE("?");
	const char *field = arena_printf(reader->arena, "%s%s%.*s", path, *path ? "." : "", SLICE_ARG(shown));
	changes_add(reader->changes, (struct change){.field = field, .what = "ignored_unknown_field"});
}

size_t lead_find_row(const struct schema_row *rows, size_t count, size_t last, struct slice name)
{
	for (size_t i = 1; i <= count; i++) {
		size_t row = last + i;
		row = row < count ? row : row - count;
		row = row < count ? row : row - count;
		if (slice_equal(name, rows[row].name))
			return row;
	}
	return count;
}

static int read_object(struct reader *reader, enum schema_object object, const struct json *data, const char *path)
{
	size_t count;
	const struct schema_row *rows = schema_rows(object, &count);
	for (size_t i = 0, row = count - 1; i < data->count; i++) {
		row = lead_find_row(rows, count, row, data->names[i]);
		if (row == count)
			note_unknown(reader, path, data->names[i]);
		else if (read_field(reader, &rows[row], &data->items[i]) != 0)
			return -1;
	}
	return 0;
}

int lead_read(const struct json *data, struct arena *arena, struct lead *lead, struct changes *changes, struct err *err)
{
	struct reader reader = {lead, arena, changes, err};
	return read_object(&reader, SCHEMA_LEAD, data, "");
}

bool lead_has_contact(const struct lead *lead)
{
	return lead->contact.email.len != 0 || lead->contact.phone.len != 0 || lead->contact.wechat.len != 0;
}

/* ---- writing */

static void write_object(struct json_writer *writer, struct slice name, const struct lead *lead,
                         enum schema_object object);

static bool is_set(const struct lead *lead, enum schema_object object, size_t field)
{
	const struct cel_object *self = &lead->objects[object];
	return self->type->has(self->self, (uint32_t)field);
}

static void write_field(struct json_writer *writer, const struct lead *lead, const struct schema_row *row)
{
	const void *at = (const char *)lead + row->offset;
	switch (row->kind) {
	case SCHEMA_TEXT:
		json_put_text_as(writer, row->name, schema_text_of(lead, row));
		return;
	case SCHEMA_INT:
		json_put_int_as(writer, row->name, ((const struct lead_int *)at)->value);
		return;
	case SCHEMA_TIME:
		json_put_time_as(writer, row->name, ((const struct lead_int *)at)->value);
		return;
	case SCHEMA_REAL:
		json_put_real_as(writer, row->name, ((const struct lead_real *)at)->value);
		return;
	case SCHEMA_MAP:
		json_put_value(writer, row->name, *(const struct json *const *)at);
		return;
	case SCHEMA_PART:
		write_object(writer, row->name, lead, row->part);
		return;
	}
}

static void write_object(struct json_writer *writer, struct slice name, const struct lead *lead,
                         enum schema_object object)
{
	size_t count;
	const struct schema_row *rows = schema_rows(object, &count);
	json_open_object_as(writer, name);
	for (size_t i = 0; i < count; i++)
		if (is_set(lead, object, i))
			write_field(writer, lead, &rows[i]);
	json_close_object(writer);
}

void lead_write(struct json_writer *writer, const char *name, const struct lead *lead)
{
	write_object(writer, slice_of(name), lead, SCHEMA_LEAD);
}
