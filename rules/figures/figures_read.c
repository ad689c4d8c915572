/* SPDX-License-Identifier: Apache-2.0
 *
 * A walk over well-formed JSON that takes the members of one table and steps over all others.
 */
#include "rules/figures/figures_read.h"

#include <stddef.h>
#include <string.h>

#include "rules/base/arena.h"
#include "rules/calendar/instant.h"
#include "rules/json/json.h"

enum object { IN_EVENT, IN_LEAD, IN_LOCATION, IN_ORIGIN, IN_FIRST, IN_CADENCE };

enum kind {
	IS_TEXT,
	IS_USUAL, /* a text, unless there is one already */
	IS_TIME,
	IS_INT,
	IS_BOOL,
	IS_OBJECT,
};

struct member {
	struct slice name;
	enum kind kind;
	enum object object;  /* IS_OBJECT: whose members follow */
	size_t offset;       /* in struct figures_seen */
	size_t flag;         /* IS_OBJECT: offset of a bool that says it is there; 0: none */
};

#define TEXT(name, field) {{name, sizeof name - 1}, IS_TEXT, 0, offsetof(struct figures_seen, field), 0}
#define USUAL(name, field) {{name, sizeof name - 1}, IS_USUAL, 0, offsetof(struct figures_seen, field), 0}
#define TIME(name, field) {{name, sizeof name - 1}, IS_TIME, 0, offsetof(struct figures_seen, field), 0}
#define INT(name, field) {{name, sizeof name - 1}, IS_INT, 0, offsetof(struct figures_seen, field), 0}
#define BOOL(name, field) {{name, sizeof name - 1}, IS_BOOL, 0, offsetof(struct figures_seen, field), 0}
#define OBJECT(name, object, flag) {{name, sizeof name - 1}, IS_OBJECT, object, 0, offsetof(struct figures_seen, flag)}
#define PART(name, object) {{name, sizeof name - 1}, IS_OBJECT, object, 0, 0}

static const struct member event_members[] = {
	TEXT("owner", dimensions[FIGURE_BY_REP]),
	TEXT("team", dimensions[FIGURE_BY_TEAM]),
	TEXT("grade", dimensions[FIGURE_BY_GRADE]),
	TEXT("source", dimensions[FIGURE_BY_SOURCE]),
	TEXT("campaign", dimensions[FIGURE_BY_CAMPAIGN]),
	TEXT("reason", reason),
	TEXT("status", status),
	TEXT("previous_status", previous_status),
	TEXT("kind", kind),
	TEXT("timer", timer),
	TEXT("level", level),
	TEXT("previous_owner", previous_owner),
	TIME("at", at_ms),
	TIME("assigned_at", at_ms),
	TIME("touched_at", touched_ms),
	INT("rating", score),
	BOOL("repeated", is_repeated),
	BOOL("outsider", is_outsider),
	OBJECT("lead", IN_LEAD, has_lead),
	PART("origin", IN_ORIGIN),
	OBJECT("first_response", IN_FIRST, first.is_there),
	PART("cadence", IN_CADENCE),
};
static const struct member lead_members[] = {
	TEXT("source", dimensions[FIGURE_BY_SOURCE]),
	TEXT("campaign", dimensions[FIGURE_BY_CAMPAIGN]),
	TEXT("intent", dimensions[FIGURE_BY_INTENT]),
	TIME("captured_at", captured_ms),
	PART("location", IN_LOCATION),
};
static const struct member location_members[] = {
	TEXT("country", country),
	TEXT("region", region),
};
static const struct member origin_members[] = {
	USUAL("source", dimensions[FIGURE_BY_SOURCE]),
	USUAL("campaign", dimensions[FIGURE_BY_CAMPAIGN]),
	USUAL("intent", dimensions[FIGURE_BY_INTENT]),
	USUAL("grade", dimensions[FIGURE_BY_GRADE]),
	USUAL("region", dimensions[FIGURE_BY_REGION]),
	TIME("obtained_at", obtained_ms),
	TIME("captured_at", captured_ms),
	TEXT("gate", gate),
	BOOL("became_opportunity", became_opportunity),
	BOOL("became_order", became_order),
};
static const struct member first_members[] = {
	BOOL("in_time", first.in_time),
	BOOL("was_overdue", first.was_told),
	INT("elapsed_ms", first.elapsed_ms),
	INT("open_ms", first.open_ms),
};
static const struct member cadence_members[] = {
	INT("answered", cadence),
	INT("in_time", cadence_in_time),
	INT("were_overdue", cadence_overdue),
};

#define MEMBERS(table) {table, sizeof table / sizeof *table}
static const struct {
	const struct member *rows;
	size_t count;
} objects[] = {
	[IN_EVENT] = MEMBERS(event_members),
	[IN_LEAD] = MEMBERS(lead_members),
	[IN_LOCATION] = MEMBERS(location_members),
	[IN_ORIGIN] = MEMBERS(origin_members),
	[IN_FIRST] = MEMBERS(first_members),
	[IN_CADENCE] = MEMBERS(cadence_members),
};

struct walk {
	const char *at, *end;
	struct arena *arena;
	struct figures_seen *seen;
};

/* ---- bytes */

static void skip_blanks(struct walk *walk)
{
	while (walk->at < walk->end && (*walk->at == ' ' || *walk->at == '\n' || *walk->at == '\t' || *walk->at == '\r'))
		walk->at++;
}

static bool take(struct walk *walk, char byte)
{
	skip_blanks(walk);
	if (walk->at == walk->end || *walk->at != byte)
		return false;
	walk->at++;
	return true;
}

/* A quote is escaped when an odd number of backslashes stands before it. */
static bool is_escaped(const char *start, const char *quote)
{
	const char *at = quote;
	while (at > start && at[-1] == '\\')
		at--;
	return (quote - at) % 2 != 0;
}

/* Behind the closing quote of a string whose opening one was taken; the raw bytes between. */
static inline struct slice take_string(struct walk *walk)
{
	const char *start = walk->at, *quote = memchr(start, '"', (size_t)(walk->end - start));
	while (quote != NULL && is_escaped(start, quote))
		quote = memchr(quote + 1, '"', (size_t)(walk->end - quote - 1));
	walk->at = quote != NULL ? quote + 1 : walk->end;
	return (struct slice){start, (size_t)((quote != NULL ? quote : walk->end) - start)};
}

/* A number or one of the words. */
static struct slice take_scalar(struct walk *walk)
{
	const char *start = walk->at;
	while (walk->at < walk->end && strchr(",]} \n\t\r", *walk->at) == NULL)
		walk->at++;
	if (walk->at == start && walk->at < walk->end)
		walk->at++; /* not JSON: get on all the same */
	return (struct slice){start, (size_t)(walk->at - start)};
}

static void skip_nest(struct walk *walk)
{
	size_t depth = 0;
	do {
		if (walk->at == walk->end)
			return;
		char byte = *walk->at++;
		if (byte == '"')
			(void)take_string(walk);
		else if (byte == '{' || byte == '[')
			depth++;
		else if (byte == '}' || byte == ']')
			depth--;
	} while (depth != 0);
}

static void skip_value(struct walk *walk)
{
	skip_blanks(walk);
	if (walk->at == walk->end)
		return;
	if (*walk->at == '{' || *walk->at == '[') {
		skip_nest(walk);
	} else if (*walk->at == '"') {
		walk->at++;
		(void)take_string(walk);
	} else {
		(void)take_scalar(walk);
	}
}

/* ---- values */

/* The raw bytes with their quotes are a document of their own. */
static struct slice decode(struct walk *walk, struct slice raw)
{
	const struct json *json = json_read_wide((struct slice){raw.p - 1, raw.len + 2},
	                                         (struct json_limits){FIGURES_EVENT_BYTES_MAX, 1, 1}, walk->arena, NULL);
	return json != NULL && json->type == JSON_IS_STRING ? json->text : SLICE_NONE;
}

static struct slice text_value(struct walk *walk)
{
	if (!take(walk, '"')) {
		skip_value(walk);
		return SLICE_NONE;
	}
	struct slice text = take_string(walk);
	return memchr(text.p, '\\', text.len) != NULL ? decode(walk, text) : text;
}

static int64_t int_value(struct walk *walk)
{
	skip_blanks(walk);
	if (walk->at < walk->end && (*walk->at == '"' || *walk->at == '{' || *walk->at == '[')) {
		skip_value(walk);
		return 0;
	}
	struct slice text = take_scalar(walk);
	bool is_negative = text.len != 0 && *text.p == '-';
	int64_t value = 0;
	for (size_t i = is_negative; i < text.len && text.p[i] >= '0' && text.p[i] <= '9' && value < INT64_MAX / 10 - 1; i++)
		value = value * 10 + (text.p[i] - '0');
	return is_negative ? -value : value;
}

static bool bool_value(struct walk *walk)
{
	skip_blanks(walk);
	bool is_true = walk->at < walk->end && *walk->at == 't';
	skip_value(walk);
	return is_true;
}

/* ---- members */

static const struct member *find(enum object in, struct slice name)
{
	const struct member *rows = objects[in].rows;
	for (size_t i = 0; i < objects[in].count; i++)
		if (rows[i].name.len == name.len && memcmp(rows[i].name.p, name.p, name.len) == 0)
			return &rows[i];
	return NULL;
}

static void take_object(struct walk *walk, enum object object);

static void take_member(struct walk *walk, const struct member *member)
{
	void *field = (char *)walk->seen + member->offset;
	struct slice text;
	int64_t time_ms;
	switch (member->kind) {
	case IS_TEXT:
		*(struct slice *)field = text_value(walk);
		return;
	case IS_USUAL:
		text = text_value(walk);
		if (((struct slice *)field)->len == 0)
			*(struct slice *)field = text;
		return;
	case IS_TIME:
		time_ms = instant_parse(text_value(walk));
		*(int64_t *)field = time_ms > 0 ? time_ms : 0;
		return;
	case IS_INT:
		*(int64_t *)field = int_value(walk);
		return;
	case IS_BOOL:
		*(bool *)field = bool_value(walk);
		return;
	case IS_OBJECT:
		if (member->flag != 0)
			*(bool *)((char *)walk->seen + member->flag) = true;
		take_object(walk, member->object);
		return;
	}
}

static void take_object(struct walk *walk, enum object object)
{
	if (!take(walk, '{')) {
		skip_value(walk);
		return;
	}
	while (take(walk, '"')) {
		struct slice name = take_string(walk);
		if (!take(walk, ':'))
			return;
		const struct member *member = find(object, name);
		if (member != NULL)
			take_member(walk, member);
		else
			skip_value(walk);
		if (!take(walk, ','))
			break;
	}
	(void)take(walk, '}'); /* it is there: the document is well-formed */
}

struct slice figures_raw_member(struct slice object, struct slice name)
{
	struct walk walk = {object.p, object.p + object.len, NULL, NULL};
	if (!take(&walk, '{'))
		return SLICE_NONE;
	while (take(&walk, '"')) {
		struct slice found = take_string(&walk);
		if (!take(&walk, ':'))
			return SLICE_NONE;
		skip_blanks(&walk);
		const char *start = walk.at;
		skip_value(&walk);
		if (slice_equal(found, name))
			return (struct slice){start, (size_t)(walk.at - start)};
		if (!take(&walk, ','))
			break;
	}
	return SLICE_NONE;
}

void figures_read(const struct figures_event *event, struct arena *arena, struct figures_seen *ret_seen)
{
	struct walk walk = {event->data.p, event->data.p + event->data.len, arena, ret_seen};
	*ret_seen = (struct figures_seen){0};
	if (event->data.len != 0 && !slice_is(event->type, "lead.rejected"))
		take_object(&walk, IN_EVENT);
	if (ret_seen->at_ms == 0)
		ret_seen->at_ms = event->at_ms;
	if (ret_seen->region.len != 0)
		ret_seen->dimensions[FIGURE_BY_REGION] = ret_seen->region;
	else if (ret_seen->country.len != 0)
		ret_seen->dimensions[FIGURE_BY_REGION] = ret_seen->country;
	memcpy(ret_seen->taken_from, ret_seen->dimensions, sizeof ret_seen->taken_from);
	if (ret_seen->previous_owner.len != 0)
		ret_seen->taken_from[FIGURE_BY_REP] = ret_seen->previous_owner;
}
