/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/calendar/calendar_question.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rules/base/arena.h"
#include "rules/base/err.h"
#include "rules/calendar/calendar.h"
#include "rules/calendar/calendar_text.h"
#include "rules/calendar/span.h"
#include "rules/json/json.h"
#include "rules/text/date.h"
#include "rules/text/zone.h"

enum { DEPTH_MAX = 8, VALUES_MAX = 200000, DATE_BYTES = 10, WEEKDAYS = 7 };

static const int64_t YEAR_10000_MS = 253402300800000;

struct question {
	const struct json *row;
	struct arena *arena;
	struct err *err;
	const struct calendar *calendar;
	struct json_writer *writer;
};

/* ---- the calendar */

static int read_hours(struct question *q, const struct json *pairs, struct hours_list *ret_hours)
{
	if (pairs->type != JSON_IS_ARRAY || pairs->count > CALENDAR_HOURS_MAX)
		return err_set(q->err, ERR_BAD_HOURS, "hours are a list of at most %d pairs of times", (int)CALENDAR_HOURS_MAX);
	struct hours *items = arena_array(q->arena, pairs->count, sizeof *items);
	for (size_t n = 0; n < pairs->count; n++) {
		const struct json *pair = &pairs->items[n];
		bool is_pair = pair->type == JSON_IS_ARRAY && pair->count == 2 && pair->items[0].type == JSON_IS_STRING &&
		               pair->items[1].type == JSON_IS_STRING;
		if (!is_pair)
			return err_set(q->err, ERR_BAD_HOURS, "an interval is written [\"09:00\", \"17:30\"]");
		if (hours_parse(pair->items[0].text, pair->items[1].text, &items[n], q->err) != 0)
			return -1;
	}
	*ret_hours = (struct hours_list){items, pairs->count};
	return 0;
}

/* An absent member is an empty object or list. */
static int check_member(struct question *q, const struct json *value, enum json_type type, const char *name)
{
	if (value == NULL || value->type == JSON_IS_NULL || value->type == type)
		return 0;
	return err_set(q->err, ERR_FIELD_TYPE, "`%s` is no %s", name, type == JSON_IS_OBJECT ? "object" : "list");
}

static size_t count_of(const struct json *value)
{
	return value != NULL ? value->count : 0;
}

/* 0 = Monday; WEEKDAYS when it is no day of the week. */
static size_t find_weekday(struct slice name)
{
	static const char *const names[WEEKDAYS] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
	size_t weekday = 0;
	while (weekday < WEEKDAYS && !slice_is(name, names[weekday]))
		weekday++;
	return weekday;
}

static int read_week(struct question *q, struct calendar_spec *spec)
{
	const struct json *week = json_get(q->row, "week");
	if (check_member(q, week, JSON_IS_OBJECT, "week") != 0)
		return -1;
	for (size_t n = 0; n < count_of(week); n++) {
		size_t weekday = find_weekday(week->names[n]);
		if (weekday == WEEKDAYS)
			return err_set(q->err, ERR_BAD_HOURS, "`week` knows mon, tue, wed, thu, fri, sat and sun");
		if (read_hours(q, &week->items[n], &spec->week[weekday]) != 0)
			return -1;
	}
	return 0;
}

/* Members that are dates; where `week` is given, also days of the week. */
static int read_dated(struct question *q, const char *name, struct hours_list *week, const struct dated_hours **ret_items,
                      size_t *ret_count)
{
	const struct json *object = json_get(q->row, name);
	if (check_member(q, object, JSON_IS_OBJECT, name) != 0)
		return -1;
	struct dated_hours *items = arena_array(q->arena, count_of(object), sizeof *items);
	size_t count = 0;
	for (size_t n = 0; n < count_of(object); n++) {
		struct slice key = object->names[n];
		size_t weekday = week != NULL ? find_weekday(key) : WEEKDAYS;
		struct hours_list *hours = weekday < WEEKDAYS ? &week[weekday] : &items[count].hours;
		if (read_hours(q, &object->items[n], hours) != 0)
			return -1;
		if (weekday == WEEKDAYS && calendar_date_parse(key, &items[count++].day, q->err) != 0)
			return -1;
	}
	*ret_items = items;
	*ret_count = count;
	return 0;
}

static int read_holidays(struct question *q, struct calendar_spec *spec)
{
	const struct json *list = json_get(q->row, "holidays");
	if (check_member(q, list, JSON_IS_ARRAY, "holidays") != 0)
		return -1;
	struct holiday *items = arena_array(q->arena, count_of(list), sizeof *items);
	for (size_t n = 0; n < count_of(list); n++) {
		if (list->items[n].type != JSON_IS_STRING)
			return err_set(q->err, ERR_BAD_DATE, "`holidays` is a list of dates");
		if (calendar_date_parse(list->items[n].text, &items[n].day, q->err) != 0)
			return -1;
	}
	spec->holidays = items;
	spec->holiday_count = count_of(list);
	return 0;
}

static int read_zone(struct question *q, struct calendar_spec *spec)
{
	char name[ZONE_NAME_BYTES] = "";
	struct slice text = json_get_text(q->row, "tz");
	if (text.len > 0 && text.len < sizeof name)
		memcpy(name, text.p, text.len);
	spec->zone = strlen(name) == text.len && text.len > 0 ? zone_load(name) : NULL;
	return spec->zone != NULL ? 0 : err_set(q->err, ERR_BAD_ZONE, "`tz` names no time zone");
}

static int read_calendar(struct question *q)
{
	struct calendar_spec spec = {.name = ""};
	if (read_zone(q, &spec) != 0 || read_week(q, &spec) != 0 || read_holidays(q, &spec) != 0 ||
	    read_dated(q, "dates", NULL, &spec.dates, &spec.date_count) != 0 ||
	    read_dated(q, "breaks", spec.breaks, &spec.date_breaks, &spec.date_break_count) != 0)
		return -1;
	q->calendar = calendar_compile(&spec, q->arena, q->err);
	return q->calendar != NULL ? 0 : -1;
}

/* ---- arguments */

static struct slice start_text(const struct question *q)
{
	static const char *const names[] = {"start", "from", "at"};
	struct slice text = SLICE_NONE;
	for (size_t n = 0; n < sizeof names / sizeof *names && text.len == 0; n++)
		text = json_get_text(q->row, names[n]);
	return text;
}

static int read_time(struct question *q, struct slice text, const char *name, int64_t *ret_ms)
{
	if (text.len == 0)
		return err_set(q->err, ERR_MISSING_FIELD, "`%s` is missing", name);
	return calendar_time_parse(q->calendar, text, ret_ms, q->err);
}

static int read_start(struct question *q, int64_t *ret_ms)
{
	return read_time(q, start_text(q), "start", ret_ms);
}

static int read_days(struct question *q, int32_t *ret_days)
{
	const struct json *days = json_get(q->row, "days");
	if (days == NULL || days->type != JSON_IS_INT)
		return err_set(q->err, ERR_MISSING_FIELD, "`days` is no whole number");
	if (days->integer < -1000000 || days->integer > 1000000)
		return err_set(q->err, ERR_FIELD_RANGE, "more than a million `days`");
	*ret_days = (int32_t)days->integer;
	return 0;
}

/* A span of open time alone, as `seconds` is, or any. */
static int read_amount(struct question *q, struct span *ret_span)
{
	const struct json *seconds = json_get(q->row, "seconds");
	struct slice text = json_get_text(q->row, "span");
	*ret_span = (struct span){0};
	if (text.len > 0)
		return span_parse(text, ret_span, q->err);
	if (seconds == NULL || (seconds->type != JSON_IS_INT && seconds->type != JSON_IS_REAL))
		return err_set(q->err, ERR_MISSING_FIELD, "`seconds` is no number, and there is no `span`");
	double amount = seconds->type == JSON_IS_INT ? (double)seconds->integer : seconds->real;
	if (!(fabs(amount) < 1e10))
		return err_set(q->err, ERR_FIELD_RANGE, "`seconds` are more than three hundred years");
	ret_span->business_ms = llround(amount * 1000);
	return 0;
}

/* Systems that go on otherwise than we do from a start outside of open time. Those that clamp, as zendesk/biz, are not
 * listed. */
static enum calendar_outside outside_of_origin(struct slice origin)
{
	static const struct {
		const char *system;
		enum calendar_outside outside;
	} systems[] = {{"business_time", CALENDAR_TO_OPENING}, {"working_hours", CALENDAR_KEEP_TIME}};
	for (size_t n = 0; n < sizeof systems / sizeof *systems; n++)
		if (origin.len != 0 && memmem(origin.p, origin.len, systems[n].system, strlen(systems[n].system)) != NULL)
			return systems[n].outside;
	return CALENDAR_CLAMP;
}

static int read_outside(struct question *q, enum calendar_outside *ret_outside)
{
	static const char *const names[] = {"clamp", "to_opening", "keep_time"}; /* in the order of the enum */
	struct slice text = json_get_text(q->row, "outside");
	*ret_outside = outside_of_origin(json_get_text(q->row, "origin"));
	for (size_t n = 0; n < sizeof names / sizeof *names; n++)
		if (slice_is(text, names[n]))
			*ret_outside = (enum calendar_outside)n;
	if (text.len > 0 && !slice_is(text, names[*ret_outside]))
		return err_set(q->err, ERR_BAD_VALUE, "`outside` is clamp, to_opening or keep_time");
	return 0;
}

/* ---- answers */

static int answer_time(struct question *q, int64_t at_ms)
{
	char text[] = "0000-00-00T00:00:00.000Z";
	struct strbuf out = STRBUF_INIT;
	struct json_writer writer = JSON_WRITER(&out);
	if (at_ms >= YEAR_10000_MS)
		return err_set(q->err, ERR_OUT_OF_RANGE, "there is no such instant; calendars reach from %d to %d",
		               (int)CALENDAR_FIRST_YEAR, (int)CALENDAR_END_YEAR - 1);
	json_put_time(&writer, NULL, at_ms);
	/* whole seconds without ".000" */
	size_t len = at_ms % 1000 == 0 ? sizeof text - 6 : sizeof text - 2;
	memcpy(text, strbuf_text(&out) + 1, len);
	strcpy(text + len, "Z");
	json_put_text(q->writer, "result", slice_of(text));
	strbuf_done(&out);
	return 0;
}

static int answer_seconds(struct question *q, int64_t ms)
{
	if (ms % 1000 == 0)
		json_put_int(q->writer, "result", ms / 1000);
	else
		json_put_real_as(q->writer, SLICE("result"), (double)ms / 1000);
	return 0;
}

static int ask_deadline_either_way(struct question *q, bool is_back)
{
	int64_t start_ms = 0, at_ms;
	struct span span;
	if (read_start(q, &start_ms) != 0 || read_amount(q, &span) != 0)
		return -1;
	if (json_get_text(q->row, "span").len > 0)
		at_ms = is_back ? calendar_subtract_span(q->calendar, start_ms, &span) : calendar_add_span(q->calendar, start_ms, &span);
	else
		at_ms = is_back ? calendar_deadline_before(q->calendar, start_ms, span.business_ms)
		                : calendar_deadline(q->calendar, start_ms, span.business_ms);
	return answer_time(q, at_ms);
}

static int ask_deadline(struct question *q)
{
	return ask_deadline_either_way(q, false);
}

static int ask_deadline_before(struct question *q)
{
	return ask_deadline_either_way(q, true);
}

static int ask_elapsed(struct question *q)
{
	int64_t from_ms = 0, to_ms = 0;
	if (read_start(q, &from_ms) != 0 || read_time(q, json_get_text(q->row, "to"), "to", &to_ms) != 0)
		return -1;
	return answer_seconds(q, calendar_elapsed(q->calendar, from_ms, to_ms));
}

static int ask_is_open(struct question *q)
{
	int64_t at_ms = 0;
	if (read_start(q, &at_ms) != 0)
		return -1;
	json_put_bool(q->writer, "result", calendar_is_open(q->calendar, at_ms));
	return 0;
}

static int ask_next_open(struct question *q)
{
	int64_t at_ms = 0;
	return read_start(q, &at_ms) != 0 ? -1 : answer_time(q, calendar_next_open(q->calendar, at_ms));
}

static int ask_last_open(struct question *q)
{
	int64_t at_ms = 0;
	return read_start(q, &at_ms) != 0 ? -1 : answer_time(q, calendar_last_open(q->calendar, at_ms));
}

static int add_dates(struct question *q, struct slice start, int32_t days)
{
	int64_t day, year;
	int month, date;
	char text[32];
	if (calendar_date_parse(start, &day, q->err) != 0)
		return -1;
	if (!calendar_add_dates(q->calendar, day, days, &day))
		return answer_time(q, CALENDAR_NEVER);
	date_from_day(day, &year, &month, &date);
	snprintf(text, sizeof text, "%04d-%02d-%02d", (int)year, month, date);
	json_put_text(q->writer, "result", slice_of(text));
	return 0;
}

static int ask_days_either_way(struct question *q, bool is_back)
{
	enum calendar_outside outside;
	struct slice start = start_text(q);
	int32_t days = 0;
	int64_t at_ms = 0;
	if (read_days(q, &days) != 0 || read_outside(q, &outside) != 0)
		return -1;
	if (start.len == DATE_BYTES)
		return add_dates(q, start, is_back ? -days : days);
	if (read_start(q, &at_ms) != 0)
		return -1;
	return answer_time(q, is_back ? calendar_subtract_days(q->calendar, at_ms, days, outside)
	                              : calendar_add_days(q->calendar, at_ms, days, outside));
}

static int ask_add_days(struct question *q)
{
	return ask_days_either_way(q, false);
}

static int ask_subtract_days(struct question *q)
{
	return ask_days_either_way(q, true);
}

/* From date to date; times do not matter. */
static int ask_days_between(struct question *q)
{
	int64_t from_ms = 0, to_ms = 0;
	if (read_start(q, &from_ms) != 0 || read_time(q, json_get_text(q->row, "to"), "to", &to_ms) != 0)
		return -1;
	int64_t from = calendar_day_at(q->calendar, from_ms), to = calendar_day_at(q->calendar, to_ms);
	json_put_int(q->writer, "result", calendar_days_between(q->calendar, from, to));
	return 0;
}

static const struct {
	const char *name;
	int (*ask)(struct question *q);
} OPS[] = {
	{"deadline", ask_deadline},
	{"deadline_before", ask_deadline_before},
	{"elapsed", ask_elapsed},
	{"is_open", ask_is_open},
	{"next_open", ask_next_open},
	{"last_open", ask_last_open},
	{"add_days", ask_add_days},
	{"add_business_days", ask_add_days},
	{"subtract_days", ask_subtract_days},
	{"days_between", ask_days_between},
	{"business_days_between", ask_days_between},
};

static int ask(struct question *q)
{
	struct slice op = json_get_text(q->row, "op");
	for (size_t n = 0; n < sizeof OPS / sizeof *OPS; n++)
		if (slice_is(op, OPS[n].name))
			return read_calendar(q) != 0 ? -1 : OPS[n].ask(q);
	return err_set(q->err, ERR_BAD_QUESTION, "`op` is missing or not known");
}

static void put_id(struct json_writer *writer, const struct json *id)
{
	if (id != NULL && id->type == JSON_IS_STRING)
		json_put_text(writer, "id", id->text);
	else if (id != NULL && id->type == JSON_IS_INT)
		json_put_int(writer, "id", id->integer);
	else
		json_put_null(writer, "id");
}

bool calendar_question_answer(struct slice line, struct arena *scratch, struct strbuf *out)
{
	const struct json_limits limits = {CALENDAR_QUESTION_BYTES_MAX, DEPTH_MAX, VALUES_MAX};
	struct json_writer writer = JSON_WRITER(out);
	struct err err = ERR_INIT;
	struct question q = {.arena = scratch, .err = &err, .writer = &writer, .row = json_read(line, limits, scratch, &err)};
	if (q.row != NULL && q.row->type != JSON_IS_OBJECT)
		err_set(&err, ERR_NOT_AN_OBJECT, "a question is a JSON object");
	json_open_object(&writer, NULL);
	put_id(&writer, json_get(q.row, "id"));
	bool is_answered = err.code == ERR_NONE && ask(&q) == 0;
	if (!is_answered) {
		char text[sizeof err.text + 64];
		snprintf(text, sizeof text, "%s[%s] %s", err_number(err.code), err_word(err.code), err.text);
		json_put_text(&writer, "error", slice_of(text));
	}
	json_close_object(&writer);
	strbuf_putc(out, '\n');
	return is_answered;
}
