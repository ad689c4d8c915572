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

/* A part is opened, and taken back if nothing of it is set. */
struct opened {
	size_t len;
	bool needs_comma;
};

static struct opened open_part(struct json_writer *writer, struct slice name)
{
	struct opened before = {writer->out->len, writer->needs_comma};
	json_open_object_ours(writer, name);
	return before;
}

static void close_part(struct json_writer *writer, struct opened before)
{
	if (writer->needs_comma) {
		json_close_object(writer);
		return;
	}
	writer->out->len = before.len;
	writer->out->bytes[before.len] = '\0';
	writer->needs_comma = before.needs_comma;
}

/* One line for each field of schema.def, without a walk over its rows: most texts that are written are these. */
#define WRITE_TEXT(name)                                                                                           \
	if (part->name.len != 0)                                                                                   \
		json_put_text_ours(writer, SLICE(#name), part->name);
#define WRITE_INT(name)                                                                                            \
	if (part->name.is_set)                                                                                     \
		json_put_int_ours(writer, SLICE(#name), part->name.value);
#define WRITE_TIME(name)                                                                                           \
	if (part->name.is_set)                                                                                     \
		json_put_time_ours(writer, SLICE(#name), part->name.value);
#define WRITE_REAL(name)                                                                                           \
	if (part->name.is_set)                                                                                     \
		json_put_real_as(writer, SLICE(#name), part->name.value);
#define WRITE_MAP(name)                                                                                            \
	if (part->name != NULL)                                                                                    \
		json_put_value(writer, SLICE(#name), part->name);
#define WRITE_PART(name)                                                                                           \
	{                                                                                                          \
		struct opened before = open_part(writer, SLICE(#name));                                            \
		write_##name(writer, &part->name);                                                                 \
		close_part(writer, before);                                                                        \
	}
#define WRITE_TEXT_ALWAYS(name) WRITE_TEXT(name)
#define WRITE_TIME_ALWAYS(name) WRITE_TIME(name)

static void write_contact(struct json_writer *writer, const struct lead_contact *part)
{
#define CONTACT_FIELD(name, kind, bytes, who) WRITE_##kind(name)
#include "rules/schema.def"
}

static void write_company(struct json_writer *writer, const struct lead_company *part)
{
#define COMPANY_FIELD(name, kind, bytes, who) WRITE_##kind(name)
#include "rules/schema.def"
}

static void write_location(struct json_writer *writer, const struct lead_location *part)
{
#define LOCATION_FIELD(name, kind, bytes, who) WRITE_##kind(name)
#include "rules/schema.def"
}

static void write_budget(struct json_writer *writer, const struct lead_budget *part)
{
#define BUDGET_FIELD(name, kind, bytes, who) WRITE_##kind(name)
#include "rules/schema.def"
}

static void write_interest(struct json_writer *writer, const struct lead_interest *part)
{
#define INTEREST_FIELD(name, kind, bytes, who) WRITE_##kind(name)
#include "rules/schema.def"
}

static void write_fields(struct json_writer *writer, const struct lead *part)
{
#define LEAD_FIELD(name, kind, bytes, who) WRITE_##kind(name)
#include "rules/schema.def"
}

void lead_write(struct json_writer *writer, const char *name, const struct lead *lead)
{
	json_open_object(writer, name);
	write_fields(writer, lead);
	json_close_object(writer);
}
