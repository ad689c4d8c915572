/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/activity.h"

#include "rules/instant.h"
#include "rules/json.h"
#include "rules/state.h"

static const char *const known_types[] = {
	"activity.status",  "activity.claim",   "activity.reassign", "activity.decline", "activity.convert", "activity.disqualify",
	"activity.nurture", "activity.release", "activity.verdict",  "activity.erase",   "rep.availability",
};

static int check_type(struct slice type, struct err *err)
{
	if (slice_is(type, "activity.touch"))
		return 0;
	for (size_t i = 0; i < sizeof known_types / sizeof *known_types; i++)
		if (slice_is(type, known_types[i]))
			return err_set_at(err, ERR_UNSUPPORTED_ACTIVITY, "type", "%s is not acted on yet", known_types[i]);
	return err_set_at(err, ERR_UNKNOWN_TYPE, "type", "no type of activity that is known");
}

static int read_text(const struct json *data, const char *name, size_t max, struct slice *ret, struct err *err)
{
	const struct json *value = json_get(data, name);
	if (value == NULL || value->type == JSON_IS_NULL)
		return 0;
	if (value->type != JSON_IS_STRING)
		return err_set_at(err, ERR_FIELD_TYPE, name, "the field must be a string");
	if (value->text.len > max)
		return err_set_at(err, ERR_FIELD_TOO_LONG, name, "%zu bytes, at most %zu are taken", value->text.len, max);
	*ret = value->text;
	return 0;
}

static int read_at(const struct json *data, int64_t *ret_at_ms, struct err *err)
{
	struct slice text = SLICE_NONE;
	*ret_at_ms = -1;
	if (read_text(data, "at", ACTIVITY_TEXT_BYTES_MAX, &text, err) != 0)
		return -1;
	if (text.len == 0)
		return 0;
	*ret_at_ms = instant_parse(text);
	return *ret_at_ms >= 0 ? 0 : err_set_at(err, ERR_BAD_TIME, "at", "not a time like 2026-11-21T22:05:15Z");
}

static int read_touch(const struct json *data, struct touch *touch, struct err *err)
{
	if (read_text(data, "lead_id", ACTIVITY_OUTCOME_BYTES_MAX, &touch->lead_id, err) != 0 ||
	    read_text(data, "tenant", ACTIVITY_TEXT_BYTES_MAX, &touch->tenant, err) != 0 ||
	    read_text(data, "actor", ACTIVITY_TEXT_BYTES_MAX, &touch->actor, err) != 0 ||
	    read_text(data, "method", ACTIVITY_TEXT_BYTES_MAX, &touch->method, err) != 0 ||
	    read_text(data, "outcome", ACTIVITY_OUTCOME_BYTES_MAX, &touch->outcome, err) != 0)
		return -1;
	if (touch->lead_id.len == 0)
		return err_set_at(err, ERR_MISSING_LEAD_ID, "lead_id", "the activity names no lead");
	if (!state_is_lead_id(touch->lead_id))
		return err_set_at(err, ERR_BAD_LEAD_ID, "lead_id", "not 1 to 64 of A-Z a-z 0-9 . _ : -");
	return read_at(data, &touch->at_ms, err);
}

int activity_read(struct slice type, const struct json *data, struct touch *ret_touch, struct err *err)
{
	struct touch touch = {0};
	if (check_type(type, err) != 0 || read_touch(data, &touch, err) != 0)
		return -1;
	*ret_touch = touch;
	return 0;
}
