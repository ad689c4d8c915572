/* SPDX-License-Identifier: Apache-2.0
 *
 * One pass over one copy of the bytes. As in rules/json/json.c texts are decoded in place, which here means that a NUL
 * takes the place of the closing quote. What is refused costs this pass and is then read with care from the bytes
 * themselves, so nothing here has to tell what is wrong or where.
 */
#include "rules/lead_scan.h"

#include "rules/base/arena.h"
#include "rules/base/utf8.h"
#include "rules/calendar/instant.h"
#include "rules/json/json.h"
#include "rules/json/plain.h"
#include "rules/lead.h"
#include "rules/rules.h"

enum {
	MAP_MEMBERS_MAX = 16,
	DIGITS_MAX = 18, /* any such number fits */
	FIELDS_MAX = 32, /* of one object: a bit for each */
};

struct reader {
	char *at, *end; /* JSON_PADDING NULs stand at `end` */
	struct arena *arena;
	struct lead *lead;
};

static void skip_space(struct reader *reader)
{
	while (*reader->at == ' ' || *reader->at == '\n' || *reader->at == '\t' || *reader->at == '\r')
		reader->at++;
}

static bool take(struct reader *reader, char byte)
{
	if (*reader->at != byte)
		return false;
	reader->at++;
	return true;
}

static bool take_word(struct reader *reader, struct slice word)
{
	if ((size_t)(reader->end - reader->at) < word.len || memcmp(reader->at, word.p, word.len) != 0)
		return false;
	reader->at += word.len;
	return true;
}

static inline __attribute__((always_inline)) bool scan_text(struct reader *reader, struct slice *ret)
{
	if (!take(reader, '"'))
		return false;
	char *start = reader->at, *behind = start + (json_skip_padded(start, reader->end) - start);
	if (*behind != '"')
		return false;
	*behind = '\0';
	*ret = (struct slice){start, (size_t)(behind - start)};
	reader->at = behind + 1;
	return true;
}

/* Not negative, and nothing but digits. */
static bool scan_number(struct reader *reader, int64_t *ret)
{
	const char *start = reader->at;
	int64_t value = 0;
	while (*reader->at >= '0' && *reader->at <= '9' && reader->at - start < DIGITS_MAX)
		value = value * 10 + (*reader->at++ - '0');
	char behind = *reader->at;
	if (reader->at == start || (*start == '0' && reader->at - start > 1))
		return false;
	*ret = value;
	return (behind < '0' || behind > '9') && behind != '.' && behind != 'e' && behind != 'E';
}

static bool scan_name(struct reader *reader, struct slice *ret)
{
	skip_space(reader);
	if (!scan_text(reader, ret))
		return false;
	skip_space(reader);
	if (!take(reader, ':'))
		return false;
	skip_space(reader);
	return true;
}

/* Behind a member: is there another one? */
static bool goes_on(struct reader *reader)
{
	skip_space(reader);
	return take(reader, ',');
}

/* Behind the opening brace. */
static bool is_empty(struct reader *reader)
{
	skip_space(reader);
	return take(reader, '}');
}

/* ---- objects of any members */

static bool scan_item(struct reader *reader, struct json *ret)
{
	*ret = (struct json){.type = JSON_IS_STRING};
	if (*reader->at == '"')
		return scan_text(reader, &ret->text);
	ret->type = JSON_IS_INT;
	if (*reader->at >= '0' && *reader->at <= '9')
		return scan_number(reader, &ret->integer);
	ret->type = JSON_IS_BOOL;
	ret->boolean = *reader->at == 't';
	return take_word(reader, ret->boolean ? SLICE("true") : SLICE("false"));
}

static bool is_among(struct slice name, const struct slice *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (slice_equal(names[i], name))
			return true;
	return false;
}

static bool scan_map(struct reader *reader, const struct json **ret)
{
	struct slice names[MAP_MEMBERS_MAX];
	struct json items[MAP_MEMBERS_MAX], *map = arena_alloc(reader->arena, sizeof *map);
	if (!take(reader, '{'))
		return false;
	map->type = JSON_IS_OBJECT;
	*ret = map;
	if (is_empty(reader))
		return true;
	do {
		size_t count = map->count;
		if (count == MAP_MEMBERS_MAX || !scan_name(reader, &names[count]) || is_among(names[count], names, count) ||
		    !scan_item(reader, &items[count]))
			return false;
		map->count++;
	} while (goes_on(reader));
	map->names = memcpy(arena_raw(reader->arena, map->count * sizeof *names), names, map->count * sizeof *names);
	map->items = memcpy(arena_raw(reader->arena, map->count * sizeof *items), items, map->count * sizeof *items);
	return take(reader, '}');
}

/* ---- declared fields */

static bool scan_object(struct reader *reader, enum schema_object object);

static bool scan_field(struct reader *reader, const struct schema_row *row)
{
	void *field = (char *)reader->lead + row->offset;
	struct slice text;
	int64_t number;
	switch (row->kind) {
	case SCHEMA_TEXT:
		return scan_text(reader, field) && ((const struct slice *)field)->len <= row->bytes_max;
	case SCHEMA_INT:
		if (!scan_number(reader, &number))
			return false;
		*(struct lead_int *)field = (struct lead_int){true, number};
		return true;
	case SCHEMA_REAL:
		if (!scan_number(reader, &number))
			return false;
		*(struct lead_real *)field = (struct lead_real){true, (double)number};
		return true;
	case SCHEMA_TIME:
		if (!scan_text(reader, &text))
			return false;
		*(struct lead_int *)field = (struct lead_int){true, instant_parse(text)};
		return ((const struct lead_int *)field)->value >= 0;
	case SCHEMA_MAP:
		return scan_map(reader, field);
	case SCHEMA_PART:
		return scan_object(reader, row->part);
	}
	return false;
}

static bool scan_object(struct reader *reader, enum schema_object object)
{
	size_t count;
	uint32_t seen = 0;
	const struct schema_row *rows = schema_rows(object, &count);
	if (count > FIELDS_MAX || !take(reader, '{'))
		return false;
	if (is_empty(reader))
		return true;
	size_t row = count - 1;
	do {
		struct slice name;
		if (!scan_name(reader, &name))
			return false;
		row = lead_find_row(rows, count, row, name);
		if (row == count || (seen >> row & 1) != 0 || !scan_field(reader, &rows[row]))
			return false;
		seen |= (uint32_t)1 << row;
	} while (goes_on(reader));
	return take(reader, '}');
}

bool lead_scan(struct slice bytes, struct arena *arena, struct lead *lead)
{
	if (bytes.len > RULES_RECORD_BYTES_MAX || utf8_first_bad(bytes) != bytes.len)
		return false;
	char *copy = arena_raw(arena, bytes.len + JSON_PADDING);
	memcpy(copy, bytes.p, bytes.len);
	memset(copy + bytes.len, 0, JSON_PADDING);
	struct reader reader = {copy, copy + bytes.len, arena, lead};
	skip_space(&reader);
	if (!scan_object(&reader, SCHEMA_LEAD))
		return false;
	skip_space(&reader);
	return reader.at == reader.end;
}
