/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ics.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <libical/ical.h>

#include "daemon/ics_frame.h"
#include "rules/base/arena.h"
#include "rules/base/err.h"
#include "rules/base/utf8.h"
#include "rules/calendar/calendar.h"
#include "rules/text/date.h"
#include "rules/text/zone.h"

/* ---- events */

enum { TEXT_BYTES = 200 };

struct moved {
	const char *uid;
	int64_t day; /* of the occurrence that another event stands for */
};

struct reader {
	const struct ics_options *options;
	struct arena *arena;
	struct err *err;
	struct ics_day *days;
	size_t day_count, event_count, step_count, fruitless;
	struct moved *moved; /* sorted before any rule is walked */
	size_t moved_count;
};

/* One event while it is read. */
struct event {
	icalcomponent *component;
	const char *name, *uid;
	const char *label; /* for messages */
	struct icaltimetype start;
	int64_t length_s; /* of one occurrence */
	bool is_moved;    /* stands for one occurrence of another event */
	int64_t *excluded; /* days, sorted */
	size_t excluded_count;
};

static int bad_event(const struct reader *reader, const struct event *event, const char *problem)
{
	return err_set(reader->err, ERR_BAD_ICS, "%s %s", event->label, problem);
}

static bool is_line_break_or_mark(const unsigned char *p)
{
	bool is_c1 = p[0] == 0xC2 && p[1] < 0xA0;
	bool is_separator = p[0] == 0xE2 && p[1] == 0x80 && (p[2] == 0xA8 || p[2] == 0xA9);
	bool is_mark = p[0] == 0xEF && ((p[1] == 0xBB && p[2] == 0xBF) || (p[1] == 0xBF && p[2] >= 0xBE));
	return is_c1 || is_separator || is_mark;
}

static size_t bytes_of_character(unsigned char first)
{
	return first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

/* On one line: no control characters, no '/' (names of the configuration have none), single blanks, whole characters. */
static const char *fit_text(const struct reader *reader, const char *text, size_t bytes_max)
{
	char *fit = arena_alloc(reader->arena, bytes_max + 1);
	size_t len = 0;
	const unsigned char *p = (const unsigned char *)text;
	if (utf8_first_bad(slice_of(text)) != strlen(text))
		return ""; /* a line folded inside a character comes apart in libical */
	for (size_t bytes; *p != '\0'; p += bytes) {
		bytes = bytes_of_character(*p);
		bool is_blank = *p <= 0x20 || *p == 0x7F || is_line_break_or_mark(p);
		if (len + bytes > bytes_max)
			break;
		if (is_blank && (len == 0 || fit[len - 1] == ' '))
			continue;
		memcpy(fit + len, is_blank ? " " : *p == '/' ? "-" : (const char *)p, is_blank ? 1 : bytes);
		len += is_blank ? 1 : bytes;
	}
	while (len > 0 && fit[len - 1] == ' ')
		len--;
	fit[len] = '\0';
	return fit;
}

/* ---- values: libical's getters read a union without looking at what it holds, and a file may say VALUE= as it likes */

static bool is_kind(icalproperty *property, icalvalue_kind one, icalvalue_kind other)
{
	icalvalue *value = property != NULL ? icalproperty_get_value(property) : NULL;
	return value != NULL && (icalvalue_isa(value) == one || icalvalue_isa(value) == other);
}

static const char *text_of(icalcomponent *component, icalproperty_kind kind)
{
	icalproperty *property = icalcomponent_get_first_property(component, kind);
	const char *text = is_kind(property, ICAL_TEXT_VALUE, ICAL_TEXT_VALUE) ? icalvalue_get_text(icalproperty_get_value(property))
	                                                                      : NULL;
	return text != NULL ? text : "";
}

/* The null time when it is none. */
static struct icaltimetype time_of(icalproperty *property)
{
	if (!is_kind(property, ICAL_DATE_VALUE, ICAL_DATETIME_VALUE))
		return icaltime_null_time();
	return icalvalue_get_datetime(icalproperty_get_value(property));
}

static struct icaltimetype extra_time_of(icalproperty *property)
{
	if (!is_kind(property, ICAL_DATETIMEPERIOD_VALUE, ICAL_PERIOD_VALUE))
		return time_of(property);
	return icalvalue_get_datetimeperiod(icalproperty_get_value(property)).time;
}

/* ---- times */

struct local {
	int64_t day, second;
};

static int64_t seconds_of(struct icaltimetype t)
{
	int64_t day = date_to_day(t.year, t.month, t.day);
	return t.is_date ? day * SECONDS_PER_DAY : day * SECONDS_PER_DAY + t.hour * 3600 + t.minute * 60 + t.second;
}

/* libical takes "20261301" and carries it over. */
static int check_time(const struct reader *reader, const struct event *event, struct icaltimetype t)
{
	if (icaltime_is_null_time(t) || !date_is_valid(t.year, t.month, t.day) || t.hour > 23 || t.minute > 59 || t.second > 60 ||
	    t.hour < 0 || t.minute < 0 || t.second < 0)
		return bad_event(reader, event, "has a time that does not exist");
	if (t.year < ICS_FIRST_YEAR || t.year > 9999)
		return bad_event(reader, event, "has a time before 1900 or after 9999");
	return 0;
}

static struct local split(int64_t seconds)
{
	int64_t day = seconds / SECONDS_PER_DAY - (seconds % SECONDS_PER_DAY < 0);
	return (struct local){day, seconds - day * SECONDS_PER_DAY};
}

/* `seconds` are those of the clock on the wall, or of UTC when `is_utc`. */
static struct local local_of(const struct reader *reader, int64_t seconds, bool is_utc)
{
	struct civil civil;
	if (!is_utc)
		return split(seconds);
	zone_to_civil(reader->options->zone, seconds, &civil);
	return (struct local){date_to_day(civil.year, civil.month, civil.day),
	                      civil.hour * 3600 + civil.minute * 60 + civil.second};
}

static bool is_utc(const struct event *event)
{
	return !event->start.is_date && icaltime_is_utc(event->start);
}

static int64_t local_day(const struct reader *reader, const struct event *event, struct icaltimetype t)
{
	return local_of(reader, seconds_of(t), is_utc(event)).day;
}

/* ---- what an event gives */

static int add_day(struct reader *reader, const struct event *event, struct ics_day day)
{
	if (day.day < reader->options->from_day || day.day > reader->options->until_day)
		return 0;
	if (reader->day_count == ICS_DAYS_MAX)
		return err_set(reader->err, ERR_ICS_LIMIT, "more than %d days: choose a shorter time", (int)ICS_DAYS_MAX);
	day.name = event->name;
	reader->days[reader->day_count++] = day;
	return 0;
}

static int add_whole_days(struct reader *reader, const struct event *event, int64_t first, int64_t end)
{
	for (int64_t day = first; day < end; day++)
		if (add_day(reader, event, (struct ics_day){.day = day, .is_whole = true}) != 0)
			return -1;
	return 0;
}

static int add_part(struct reader *reader, const struct event *event, struct local from, struct local to)
{
	for (int64_t day = from.day; day <= to.day; day++) {
		int64_t start = day == from.day ? from.second : 0, end = day == to.day ? to.second : SECONDS_PER_DAY;
		if (end == 0 && day > from.day)
			continue;
		struct ics_day part = {.day = day, .from_s = (int32_t)start, .to_s = (int32_t)end};
		if (add_day(reader, event, part) != 0)
			return -1;
	}
	return 0;
}

static int by_uid_and_day(const void *left, const void *right)
{
	const struct moved *a = left, *b = right;
	int order = strcmp(a->uid, b->uid);
	return order != 0 ? order : (a->day > b->day) - (a->day < b->day);
}

static int by_number(const void *left, const void *right)
{
	int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
	return (a > b) - (a < b);
}

static bool is_moved_away(const struct reader *reader, const struct event *event, int64_t day)
{
	const struct moved key = {event->uid, day};
	if (event->is_moved || reader->moved_count == 0)
		return false;
	return bsearch(&key, reader->moved, reader->moved_count, sizeof key, by_uid_and_day) != NULL;
}

static bool is_excluded(const struct event *event, int64_t day)
{
	return event->excluded_count != 0 &&
	       bsearch(&day, event->excluded, event->excluded_count, sizeof day, by_number) != NULL;
}

static int add_occurrence(struct reader *reader, const struct event *event, struct icaltimetype t)
{
	int64_t start = seconds_of(t);
	struct local from = local_of(reader, start, is_utc(event)), to = local_of(reader, start + event->length_s, is_utc(event));
	if (to.day < reader->options->from_day || from.day > reader->options->until_day)
		return 0;
	if (is_excluded(event, from.day) || is_moved_away(reader, event, from.day))
		return 0;
	if (from.second == 0 && to.second == 0 && to.day > from.day)
		return add_whole_days(reader, event, from.day, to.day);
	return add_part(reader, event, from, to);
}

/* ---- rules */

static int64_t horizon_end_s(const struct reader *reader)
{
	return (reader->options->until_day + 2) * SECONDS_PER_DAY; /* room for any zone */
}

/* RSCALE goes through ICU, whose Chinese calendar has New Year 2027 on 7 February; it is the 6th. */
static int check_rule(const struct reader *reader, const struct event *event, const struct icalrecurrencetype *rule)
{
	if (rule->rscale != NULL && strcasecmp(rule->rscale, "GREGORIAN") != 0)
		return bad_event(reader, event, "comes again by another calendar (RSCALE): its dates have to be listed one by one");
	if (rule->freq < ICAL_DAILY_RECURRENCE || rule->freq > ICAL_YEARLY_RECURRENCE ||
	    rule->by_hour[0] != ICAL_RECURRENCE_ARRAY_MAX || rule->by_minute[0] != ICAL_RECURRENCE_ARRAY_MAX ||
	    rule->by_second[0] != ICAL_RECURRENCE_ARRAY_MAX)
		return bad_event(reader, event, "comes again by the hour or faster: that is no rule for days");
	return 0;
}

/* Without it a rule that never happens is searched for until the year 2582. */
static void bound_rule(const struct reader *reader, struct icalrecurrencetype *rule)
{
	struct local end = split(horizon_end_s(reader));
	int64_t year;
	int month, day;
	if (rule->count != 0 || (!icaltime_is_null_time(rule->until) && seconds_of(rule->until) < horizon_end_s(reader)))
		return;
	date_from_day(end.day, &year, &month, &day);
	rule->until = icaltime_null_date();
	rule->until.year = (int)year;
	rule->until.month = month;
	rule->until.day = day;
}

static int walk_rule(struct reader *reader, const struct event *event, icalrecur_iterator *iterator)
{
	size_t steps = 0;
	for (struct icaltimetype t = icalrecur_iterator_next(iterator); !icaltime_is_null_time(t);
	     t = icalrecur_iterator_next(iterator)) {
		steps++;
		if (++reader->step_count > ICS_STEPS_MAX)
			return err_set(reader->err, ERR_ICS_LIMIT, "more than %d occurrences, the last ones of %s", (int)ICS_STEPS_MAX, event->label);
		if (seconds_of(t) > horizon_end_s(reader))
			return 0;
		if (icaltime_compare(t, event->start) != 0 && add_occurrence(reader, event, t) != 0)
			return -1;
	}
	reader->fruitless += steps == 0;
	return 0;
}

static int add_rule(struct reader *reader, const struct event *event, struct icalrecurrencetype rule)
{
	if (check_rule(reader, event, &rule) != 0)
		return -1;
	bound_rule(reader, &rule);
	icalrecur_iterator *iterator = icalrecur_iterator_new(rule, event->start);
	if (iterator == NULL)
		return bad_event(reader, event, "comes again by a rule that never happens, or that is not understood");
	int result = walk_rule(reader, event, iterator);
	icalrecur_iterator_free(iterator);
	if (result == 0 && reader->fruitless > ICS_FRUITLESS_MAX)
		return err_set(reader->err, ERR_ICS_LIMIT, "more than %d rules never happen", (int)ICS_FRUITLESS_MAX);
	return result;
}

static int add_rules(struct reader *reader, const struct event *event)
{
	icalcomponent *component = event->component;
	for (icalproperty *p = icalcomponent_get_first_property(component, ICAL_RRULE_PROPERTY); p != NULL;
	     p = icalcomponent_get_next_property(component, ICAL_RRULE_PROPERTY))
		if (!is_kind(p, ICAL_RECUR_VALUE, ICAL_RECUR_VALUE))
			return bad_event(reader, event, "has an RRULE that is none");
		else if (add_rule(reader, event, icalproperty_get_rrule(p)) != 0)
			return -1;
	return 0;
}

static int add_extra_dates(struct reader *reader, const struct event *event)
{
	icalcomponent *component = event->component;
	for (icalproperty *p = icalcomponent_get_first_property(component, ICAL_RDATE_PROPERTY); p != NULL;
	     p = icalcomponent_get_next_property(component, ICAL_RDATE_PROPERTY)) {
		struct icaltimetype t = extra_time_of(p);
		if (check_time(reader, event, t) != 0)
			return -1;
		if (t.is_date != event->start.is_date || icaltime_is_utc(t) != icaltime_is_utc(event->start))
			return bad_event(reader, event, "comes again (RDATE) at a time of another kind than its own");
		if (add_occurrence(reader, event, t) != 0)
			return -1;
	}
	return 0;
}

/* ---- one event */

static int read_length(const struct reader *reader, struct event *event)
{
	icalproperty *end = icalcomponent_get_first_property(event->component, ICAL_DTEND_PROPERTY);
	icalproperty *duration = icalcomponent_get_first_property(event->component, ICAL_DURATION_PROPERTY);
	event->length_s = event->start.is_date ? SECONDS_PER_DAY : 0;
	if (end != NULL) {
		struct icaltimetype t = time_of(end);
		if (check_time(reader, event, t) != 0)
			return -1;
		if (t.is_date != event->start.is_date || icaltime_is_utc(t) != icaltime_is_utc(event->start))
			return bad_event(reader, event, "begins and ends in times of two kinds");
		event->length_s = seconds_of(t) - seconds_of(event->start);
	} else if (is_kind(duration, ICAL_DURATION_VALUE, ICAL_DURATION_VALUE)) {
		struct icaldurationtype length = icalproperty_get_duration(duration);
		event->length_s = (length.is_neg ? -1 : 1) * ((int64_t)length.weeks * 7 * SECONDS_PER_DAY +
		                  (int64_t)length.days * SECONDS_PER_DAY + (int64_t)length.hours * 3600 +
		                  (int64_t)length.minutes * 60 + (int64_t)length.seconds);
	}
	if (event->start.is_date && event->length_s == 0)
		event->length_s = SECONDS_PER_DAY; /* written so by programs that take the end as inclusive */
	if (event->length_s < 0)
		return bad_event(reader, event, "ends before it begins");
	if (event->length_s > (int64_t)ICS_EVENT_DAYS_MAX * SECONDS_PER_DAY)
		return err_set(reader->err, ERR_ICS_LIMIT, "%s is longer than %d days", event->label, (int)ICS_EVENT_DAYS_MAX);
	return 0;
}

static int read_exceptions(const struct reader *reader, struct event *event)
{
	icalcomponent *component = event->component;
	int count = icalcomponent_count_properties(component, ICAL_EXDATE_PROPERTY);
	if (icalcomponent_get_first_property(component, ICAL_EXRULE_PROPERTY) != NULL)
		return bad_event(reader, event, "has an EXRULE, which is not understood");
	event->excluded = arena_array(reader->arena, (size_t)count, sizeof *event->excluded);
	for (icalproperty *p = icalcomponent_get_first_property(component, ICAL_EXDATE_PROPERTY); p != NULL;
	     p = icalcomponent_get_next_property(component, ICAL_EXDATE_PROPERTY)) {
		struct icaltimetype t = time_of(p);
		if (check_time(reader, event, t) != 0)
			return -1;
		if (t.is_date != event->start.is_date || icaltime_is_utc(t) != icaltime_is_utc(event->start))
			return bad_event(reader, event, "leaves out (EXDATE) a time of another kind than its own");
		event->excluded[event->excluded_count++] = local_day(reader, event, t);
	}
	qsort(event->excluded, event->excluded_count, sizeof *event->excluded, by_number);
	return 0;
}

/* An empty property that says nothing about when the event is may go; any other loss is an error. */
static bool is_harmless(const char *text)
{
	static const char *const times[] = {"DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID", "STATUS"};
	static const char start[] = "No value for ";
	if (strncmp(text, start, sizeof start - 1) != 0)
		return false;
	for (size_t n = 0; n < sizeof times / sizeof *times; n++)
		if (strncmp(text + sizeof start - 1, times[n], strlen(times[n])) == 0)
			return false;
	return true;
}

static int check_losses(const struct reader *reader, icalcomponent *component, const char *what)
{
	for (icalproperty *p = icalcomponent_get_first_property(component, ICAL_XLICERROR_PROPERTY); p != NULL;
	     p = icalcomponent_get_next_property(component, ICAL_XLICERROR_PROPERTY)) {
		bool is_text = is_kind(p, ICAL_TEXT_VALUE, ICAL_STRING_VALUE);
		const char *text = is_text ? icalproperty_get_xlicerror(p) : NULL;
		if (text == NULL || !is_harmless(text))
			return err_set(reader->err, ERR_BAD_ICS, "%s cannot be read in full: %s", what,
			               text != NULL ? fit_text(reader, text, TEXT_BYTES) : "no reason given");
	}
	return 0;
}

static int begin_event(struct reader *reader, icalcomponent *component, struct event *event)
{
	*event = (struct event){.component = component};
	event->name = fit_text(reader, text_of(component, ICAL_SUMMARY_PROPERTY), ICS_NAME_BYTES);
	event->uid = arena_strdup(reader->arena, text_of(component, ICAL_UID_PROPERTY));
	event->label = arena_printf(reader->arena, "the event \"%s\"",
	                            event->name[0] ? event->name : fit_text(reader, event->uid, ICS_NAME_BYTES));
	icalproperty *start = icalcomponent_get_first_property(component, ICAL_DTSTART_PROPERTY);
	icalproperty *instance = icalcomponent_get_first_property(component, ICAL_RECURRENCEID_PROPERTY);
	if (check_losses(reader, component, event->label) != 0)
		return -1;
	if (start == NULL)
		return bad_event(reader, event, "has no DTSTART");
	event->start = time_of(start);
	event->is_moved = instance != NULL;
	if (instance != NULL && icalproperty_get_first_parameter(instance, ICAL_RANGE_PARAMETER) != NULL)
		return bad_event(reader, event, "changes all later ones (RANGE=THISANDFUTURE), which is not understood");
	return check_time(reader, event, event->start);
}

static bool is_cancelled(icalcomponent *component)
{
	return icalcomponent_get_status(component) == ICAL_STATUS_CANCELLED;
}

static int read_event(struct reader *reader, icalcomponent *component)
{
	struct event event;
	if (begin_event(reader, component, &event) != 0)
		return -1;
	if (is_cancelled(component) || seconds_of(event.start) > horizon_end_s(reader))
		return 0;
	if (read_length(reader, &event) != 0 || read_exceptions(reader, &event) != 0 ||
	    add_occurrence(reader, &event, event.start) != 0 || add_rules(reader, &event) != 0)
		return -1;
	return add_extra_dates(reader, &event);
}

/* Occurrences that an event of their own stands for are known before any rule is walked. */
static int note_moved(struct reader *reader, icalcomponent *component)
{
	icalproperty *instance = icalcomponent_get_first_property(component, ICAL_RECURRENCEID_PROPERTY);
	struct event event;
	if (++reader->event_count > ICS_EVENTS_MAX)
		return err_set(reader->err, ERR_ICS_LIMIT, "more than %d events", (int)ICS_EVENTS_MAX);
	if (instance == NULL)
		return 0;
	if (begin_event(reader, component, &event) != 0)
		return -1;
	struct icaltimetype t = time_of(instance);
	if (check_time(reader, &event, t) != 0)
		return -1;
	bool is_in_utc = !t.is_date && icaltime_is_utc(t);
	reader->moved[reader->moved_count++] = (struct moved){event.uid, local_of(reader, seconds_of(t), is_in_utc).day};
	return 0;
}

/* Calls `visit` for every event of the calendar, or of each calendar of the file. */
static int each_event(struct reader *reader, icalcomponent *root, int (*visit)(struct reader *, icalcomponent *))
{
	if (check_losses(reader, root, "the file") != 0)
		return -1;
	for (icalcomponent *part = icalcomponent_get_first_component(root, ICAL_ANY_COMPONENT); part != NULL;
	     part = icalcomponent_get_next_component(root, ICAL_ANY_COMPONENT)) {
		icalcomponent_kind kind = icalcomponent_isa(part);
		if (kind == ICAL_VEVENT_COMPONENT && visit(reader, part) != 0)
			return -1;
		if (kind == ICAL_VCALENDAR_COMPONENT && each_event(reader, part, visit) != 0)
			return -1;
	}
	return 0;
}

/* ---- the file */

static int by_day(const void *left, const void *right)
{
	const struct ics_day *a = left, *b = right;
	if (a->day != b->day)
		return a->day < b->day ? -1 : 1;
	if (a->is_whole != b->is_whole)
		return a->is_whole ? -1 : 1;
	int order = strcmp(a->name, b->name);
	return order != 0 ? order : (a->from_s > b->from_s) - (a->from_s < b->from_s);
}

static int read_events(struct reader *reader, const char *text)
{
	icalerror_set_errors_are_fatal(0);
	icalcomponent *root = icalparser_parse_string(text);
	if (root == NULL)
		return err_set(reader->err, ERR_BAD_ICS, "the file is no iCalendar file");
	int result = each_event(reader, root, note_moved);
	if (reader->moved_count != 0)
		qsort(reader->moved, reader->moved_count, sizeof *reader->moved, by_uid_and_day);
	if (result == 0)
		result = each_event(reader, root, read_event);
	icalcomponent_free(root);
	return result;
}

int ics_read(struct slice bytes, const struct ics_options *options, struct arena *arena, struct ics_days *ret_days,
             struct err *err)
{
	if (bytes.len >= 3 && memcmp(bytes.p, "\xEF\xBB\xBF", 3) == 0)
		bytes = (struct slice){bytes.p + 3, bytes.len - 3};
	if (ics_check_frame(bytes, err) != 0)
		return -1;
	struct reader reader = {.options = options, .arena = arena, .err = err};
	reader.days = arena_array(arena, ICS_DAYS_MAX, sizeof *reader.days);
	reader.moved = arena_array(arena, ICS_EVENTS_MAX, sizeof *reader.moved);
	if (read_events(&reader, arena_memdupz(arena, bytes.p, bytes.len)) != 0)
		return -1;
	if (reader.event_count == 0)
		return err_set(err, ERR_ICS_NO_EVENTS, "the file has no events");
	if (reader.day_count == 0)
		return err_set(err, ERR_ICS_NO_EVENTS, "none of the %zu events lies in the time asked for", reader.event_count);
	qsort(reader.days, reader.day_count, sizeof *reader.days, by_day);
	*ret_days = (struct ics_days){reader.days, reader.day_count};
	return 0;
}
