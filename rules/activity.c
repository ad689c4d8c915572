/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/activity.h"

#include "rules/calendar/instant.h"
#include "rules/calendar/span.h"
#include "rules/json/json.h"
#include "rules/state.h"
#include "rules/text/normalise.h"

struct type_row {
	const char *name;
	enum activity_about about;
	int (*read)(struct activity *activity, struct arena *arena, struct err *err);
};

static const struct type_row types[] = {
#define ACTIVITY(id, type, about, reader, decider) {type, about, reader},
#include "rules/activity.def"
};

const char *activity_type_name(enum activity_type type)
{
	return types[type].name;
}

static int find_type(struct slice type, struct err *err)
{
	for (int i = 0; i < ACTIVITY_TYPES; i++)
		if (slice_is(type, types[i].name))
			return i;
	return err_set_at(err, ERR_UNKNOWN_TYPE, "type", "no type of activity that is known");
}

/* ---- members */

int activity_text(const struct json *data, const char *name, size_t max, struct slice *ret, struct err *err)
{
	const struct json *value = json_get(data, name);
	if (value == NULL || value->type == JSON_IS_NULL)
		return 0;
	if (value->type != JSON_IS_STRING)
		return err_set_at(err, ERR_FIELD_TYPE, name, "the field must be a string");
	if (value->text.len > max)
		return err_set_at(err, ERR_FIELD_TOO_LONG, name, "%zu bytes, at most %zu are taken", value->text.len, max);
	if (text_trim(value->text).len == 0)
		return 0; /* who types blanks has said nothing */
	*ret = value->text;
	return 0;
}

int activity_time(const struct json *data, const char *name, int64_t *ret_ms, struct err *err)
{
	struct slice text = SLICE_NONE;
	if (activity_text(data, name, ACTIVITY_TEXT_BYTES_MAX, &text, err) != 0)
		return -1;
	if (text.len == 0)
		return 0;
	int64_t ms = instant_parse(text);
	if (ms < 0)
		return err_set_at(err, ERR_BAD_TIME, name, "not a time like 2026-11-21T22:05:15Z");
	*ret_ms = ms;
	return 0;
}

int activity_int(const struct json *data, const char *name, int64_t low, int64_t high, int64_t *ret, struct err *err)
{
	const struct json *value = json_get(data, name);
	if (value == NULL || value->type == JSON_IS_NULL)
		return 0;
	if (value->type != JSON_IS_INT || value->integer < low || value->integer > high)
		return err_set_at(err, ERR_FIELD_TYPE, name, "the field must be an integer from %lld to %lld", (long long)low,
		                  (long long)high);
	*ret = value->integer;
	return 0;
}

int activity_bool(const struct json *data, const char *name, bool *ret, struct err *err)
{
	const struct json *value = json_get(data, name);
	if (value == NULL || value->type == JSON_IS_NULL)
		return 0;
	if (value->type != JSON_IS_BOOL)
		return err_set_at(err, ERR_FIELD_TYPE, name, "the field must be true or false");
	*ret = value->boolean;
	return 0;
}

int activity_number(const struct json *data, const char *name, const struct json **ret, struct err *err)
{
	const struct json *value = json_get(data, name);
	if (value == NULL || value->type == JSON_IS_NULL)
		return 0;
	if (value->type != JSON_IS_INT && value->type != JSON_IS_REAL)
		return err_set_at(err, ERR_FIELD_TYPE, name, "the field must be a number");
	if (value->type == JSON_IS_INT ? value->integer < 0 : value->real < 0)
		return err_set_at(err, ERR_FIELD_RANGE, name, "the number must not be negative");
	*ret = value;
	return 0;
}

static int check_helper(const struct json *helper, const char *name, struct err *err)
{
	struct slice rep = SLICE_NONE, role = SLICE_NONE;
	if (helper->type != JSON_IS_OBJECT)
		return err_set_at(err, ERR_FIELD_TYPE, name, "a list of objects with rep and role is expected");
	if (activity_text(helper, "rep", ACTIVITY_TEXT_BYTES_MAX, &rep, err) != 0 ||
	    activity_text(helper, "role", ACTIVITY_TEXT_BYTES_MAX, &role, err) != 0)
		return -1;
	if (rep.len == 0)
		return err_set_at(err, ERR_MISSING_FIELD, name, "somebody in the list has no rep");
	return 0;
}

int activity_helpers(const struct json *data, const char *name, const struct json **ret, struct err *err)
{
	const struct json *list = json_get(data, name);
	if (list == NULL || list->type == JSON_IS_NULL)
		return 0;
	if (list->type != JSON_IS_ARRAY || list->count > STATE_HELPERS_MAX)
		return err_set_at(err, ERR_FIELD_TYPE, name, "a list of at most %d is expected", STATE_HELPERS_MAX);
	for (size_t i = 0; i < list->count; i++)
		if (check_helper(&list->items[i], name, err) != 0)
			return -1;
	*ret = list;
	return 0;
}

int activity_span(const struct json *data, const char *name, struct slice *ret, struct err *err)
{
	struct slice text = SLICE_NONE;
	struct span span;
	if (activity_text(data, name, ACTIVITY_TEXT_BYTES_MAX, &text, err) != 0)
		return -1;
	if (text.len == 0)
		return 0;
	if (span_parse(text, &span, NULL) != 0 || span_is_zero(&span))
		return err_set_at(err, ERR_FIELD_RANGE, name, "not a span of time like 90d or 2bd 1bh");
	*ret = text;
	return 0;
}

/* ---- what every activity says */

static int read_lead_id(const struct json *data, struct activity *activity, struct err *err)
{
	if (activity_text(data, "lead_id", ACTIVITY_OUTCOME_BYTES_MAX, &activity->lead_id, err) != 0)
		return -1;
	if (activity->lead_id.len == 0)
		return err_set_at(err, ERR_MISSING_LEAD_ID, "lead_id", "the activity names no lead");
	if (!state_is_lead_id(activity->lead_id))
		return err_set_at(err, ERR_BAD_LEAD_ID, "lead_id", "not 1 to 64 of A-Z a-z 0-9 . _ : -");
	return 0;
}

static int read_rep(const struct json *data, struct activity *activity, struct err *err)
{
	if (activity_text(data, "rep", ACTIVITY_TEXT_BYTES_MAX, &activity->rep, err) != 0)
		return -1;
	if (activity->rep.len == 0)
		return err_set_at(err, ERR_MISSING_FIELD, "rep", "the event names no rep");
	return 0;
}

static int read_common(const struct json *data, struct activity *activity, struct err *err)
{
	if (activity->about == ABOUT_LEAD ? read_lead_id(data, activity, err) != 0 : read_rep(data, activity, err) != 0)
		return -1;
	if (activity_text(data, "tenant", ACTIVITY_TEXT_BYTES_MAX, &activity->tenant, err) != 0 ||
	    activity_text(data, "actor", ACTIVITY_TEXT_BYTES_MAX, &activity->actor, err) != 0 ||
	    activity_text(data, "approver", ACTIVITY_TEXT_BYTES_MAX, &activity->approver, err) != 0 ||
	    activity_text(data, "reason", ACTIVITY_OUTCOME_BYTES_MAX, &activity->reason, err) != 0 ||
	    activity_time(data, "at", &activity->at_ms, err) != 0)
		return -1;
	return activity_int(data, "expected_version", 0, INT64_MAX, &activity->expected_version, err);
}

int activity_read(struct slice type, const struct json *data, struct arena *arena, struct activity *ret_activity,
                  struct err *err)
{
	int row = find_type(type, err);
	if (row < 0)
		return -1;
	struct activity activity = {.type = (enum activity_type)row, .about = types[row].about, .at_ms = -1,
	                            .expected_version = -1, .data = data};
	if (read_common(data, &activity, err) != 0 || types[row].read(&activity, arena, err) != 0)
		return -1;
	*ret_activity = activity;
	return 0;
}
