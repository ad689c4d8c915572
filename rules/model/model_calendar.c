/* SPDX-License-Identifier: Apache-2.0
 *
 * Sections calendars and followup: named calendars, and which one the clocks run by.
 */
#include <stdlib.h>

#include "rules/absence.h"
#include "rules/base/arena.h"
#include "rules/base/suggest.h"
#include "rules/calendar/calendar.h"
#include "rules/calendar/calendar_text.h"
#include "rules/model/model_build.h"
#include "rules/territory.h"
#include "rules/text/date.h"
#include "rules/text/zone.h"

enum { CALENDARS_MAX = 200, AREA_CALENDARS_MAX = 1000, WEEKDAYS = 7 };

static const char *const weekdays[WEEKDAYS] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

/* ---- hours */

/* "09:00-12:00" */
static bool read_interval(struct model_builder *builder, const struct node *node, struct hours *hours)
{
	struct slice text;
	struct err err = ERR_INIT;
	if (!node_read_text(node, "an interval", builder->diags, &text))
		return false;
	const char *dash = memchr(text.p, '-', text.len);
	if (dash == NULL) {
		diags_add(builder->diags, ERR_BAD_HOURS, node->span, "an interval is written \"09:00-17:30\"");
		return false;
	}
	struct slice open = {text.p, (size_t)(dash - text.p)}, close = {dash + 1, text.len - open.len - 1};
	if (hours_parse(open, close, hours, &err) == 0)
		return true;
	diags_add(builder->diags, err.code, node->span, "%s", err.text);
	return false;
}

static bool read_hours(struct model_builder *builder, const struct node *list, struct hours_list *ret_hours)
{
	if (!node_expect_sequence(list, "hours", builder->diags))
		return false;
	if (list->count > CALENDAR_HOURS_MAX) {
		diags_add(builder->diags, ERR_TOO_MANY, list->span, "more than %d intervals in a day", CALENDAR_HOURS_MAX);
		return false;
	}
	struct hours *items = arena_array(&builder->scratch, list->count, sizeof *items);
	bool is_fine = true;
	for (size_t i = 0; i < list->count; i++)
		is_fine &= read_interval(builder, list->items[i], &items[i]);
	*ret_hours = (struct hours_list){items, list->count};
	return is_fine;
}

static size_t find_weekday(struct slice name)
{
	size_t day = 0;
	while (day < WEEKDAYS && !slice_is(name, weekdays[day]))
		day++;
	return day;
}

/* "mon" of "Monday". WEEKDAYS: it begins like no day. */
static size_t guess_weekday(struct slice name)
{
	char start[3];
	if (name.len < sizeof start)
		return WEEKDAYS;
	for (size_t i = 0; i < sizeof start; i++)
		start[i] = (char)(name.p[i] | ('a' - 'A'));
	return find_weekday((struct slice){start, sizeof start});
}

static void report_weekdays(struct model_builder *builder, const struct node *key, struct slice first, struct slice last)
{
	size_t from = guess_weekday(first), to = guess_weekday(last);
	struct diag *diag = diags_add(builder->diags, ERR_UNKNOWN_KEY, key->span, "`%.*s` is no day of the week",
	                              SLICE_ARG(key->text));
	bool is_range = first.p != last.p;
	if (from < WEEKDAYS && to < WEEKDAYS && from <= to)
		diag_label(builder->diags, diag, "did you mean `%s%s%s`?", weekdays[from], is_range ? "-" : "", is_range ? weekdays[to] : "");
	diag_help(builder->diags, diag, "mon, tue, wed, thu, fri, sat, sun, or a range such as mon-fri");
}

/* "mon" or "mon-fri". */
static bool read_weekdays(struct model_builder *builder, const struct node *key, size_t *ret_from, size_t *ret_to)
{
	struct slice text = key->text;
	const char *dash = memchr(text.p, '-', text.len);
	struct slice first = {text.p, dash ? (size_t)(dash - text.p) : text.len};
	struct slice last = dash ? (struct slice){dash + 1, text.len - first.len - 1} : first;
	*ret_from = find_weekday(first);
	*ret_to = find_weekday(last);
	if (*ret_from < WEEKDAYS && *ret_to < WEEKDAYS && *ret_from <= *ret_to)
		return true;
	report_weekdays(builder, key, first, last);
	return false;
}

static bool read_week(struct model_builder *builder, const struct node *mapping, struct hours_list week[WEEKDAYS])
{
	const struct node *said[WEEKDAYS] = {NULL};
	bool is_fine = node_expect_mapping(mapping, "a week", builder->diags);
	for (size_t i = 0; i < mapping->count && mapping->kind == NODE_MAPPING; i++) {
		const struct node *key = mapping->members[i].key;
		struct hours_list hours = {NULL, 0};
		size_t from, to;
		if (!read_weekdays(builder, key, &from, &to) || !read_hours(builder, mapping->members[i].value, &hours)) {
			is_fine = false;
			continue;
		}
		for (size_t day = from; day <= to; day++) {
			if (said[day] != NULL) {
				struct diag *diag = diags_add(builder->diags, ERR_DUPLICATE, key->span, "%s has hours already",
				                              weekdays[day]);
				diag_second(builder->diags, diag, said[day]->span, "first defined here");
				return false;
			}
			said[day] = key;
			week[day] = hours;
		}
	}
	return is_fine;
}

/* ---- dates */

static bool read_date(struct model_builder *builder, const struct node *node, int64_t *ret_day)
{
	struct slice text;
	struct err err = ERR_INIT;
	if (!node_read_text(node, "a date", builder->diags, &text))
		return false;
	if (calendar_date_parse(text, ret_day, &err) == 0)
		return true;
	diags_add(builder->diags, err.code, node->span, "%s", err.text);
	return false;
}

static bool read_dates(struct model_builder *builder, const struct node *mapping, struct calendar_spec *spec)
{
	if (mapping == NULL)
		return true;
	if (!node_expect_mapping(mapping, "dates", builder->diags))
		return false;
	struct dated_hours *dates = arena_array(&builder->scratch, mapping->count, sizeof *dates);
	bool is_fine = true;
	for (size_t i = 0; i < mapping->count; i++) {
		is_fine &= read_date(builder, mapping->members[i].key, &dates[i].day);
		is_fine &= read_hours(builder, mapping->members[i].value, &dates[i].hours);
	}
	spec->dates = dates;
	spec->date_count = mapping->count;
	return is_fine;
}

/* `- 2026-12-25` or `- {date: 2026-12-25, name: Christmas}`. */
static bool read_holiday(struct model_builder *builder, const struct node *node, struct holiday *holiday,
                         const struct node **ret_date)
{
	static const char *const known[] = {"date", "name", NULL};
	struct slice text;
	*ret_date = node;
	if (node->kind == NODE_SCALAR)
		return read_date(builder, node, &holiday->day);
	if (!node_expect_mapping(node, "a holiday", builder->diags) ||
	    !node_check_keys(node, known, "a holiday", builder->diags))
		return false;
	const struct node *date = node_require(node, "date", "a holiday", builder->diags), *name = node_get(node, "name");
	if (name != NULL && model_read_name(builder, name, "the name of a holiday", &text))
		holiday->name = text.p;
	*ret_date = date;
	return date != NULL && read_date(builder, date, &holiday->day);
}

static bool read_holidays(struct model_builder *builder, const struct node *list, struct calendar_spec *spec)
{
	if (list == NULL)
		return true;
	if (!node_expect_sequence(list, "holidays", builder->diags))
		return false;
	struct holiday *holidays = arena_array(&builder->scratch, list->count, sizeof *holidays);
	struct model_names names;
	bool is_fine = true;
	model_names_init(&names, "holiday");
	for (size_t i = 0; i < list->count; i++) {
		const struct node *date;
		is_fine &= read_holiday(builder, list->items[i], &holidays[i], &date) &&
		           model_names_add(builder, &names, date->text, date);
	}
	model_names_done(&names);
	spec->holidays = holidays;
	spec->holiday_count = list->count;
	return is_fine;
}

/* ---- calendars */

static bool read_zone(struct model_builder *builder, const struct node *node, struct calendar_spec *spec)
{
	struct slice text;
	if (node == NULL || !node_read_text(node, "the zone of a calendar", builder->diags, &text))
		return false;
	spec->zone = memchr(text.p, '\0', text.len) == NULL ? zone_load(text.p) : NULL;
	if (spec->zone != NULL)
		return true;
	struct diag *diag = diags_add(builder->diags, ERR_BAD_ZONE, node->span, "no time zone is called `%.*s`", SLICE_ARG(text));
	diag_help(builder->diags, diag, "IANA names, such as Europe/Berlin; `timedatectl list-timezones` shows all");
	return false;
}

/* Without weekly hours there is a last date. There is no clock here to say whether it is past. */
static void warn_ending(struct model_builder *builder, const struct node *key, const struct calendar *calendar)
{
	enum { DAY_MS = 86400000, MARGIN_DAYS = 400 };
	int64_t end_ms = (date_to_day(CALENDAR_END_YEAR, 1, 1) - MARGIN_DAYS) * DAY_MS;
	char text[CALENDAR_TIME_BYTES];
	if (calendar_next_open(calendar, end_ms) != CALENDAR_NEVER)
		return;
	calendar_time_format(calendar, calendar_last_open(calendar, end_ms), text);
	struct diag *diag = diags_warn(builder->diags, ERR_CALENDAR_ENDS, key->span, "the calendar `%.*s` closes for good on %s",
	                               SLICE_ARG(key->text), text);
	diag_label(builder->diags, diag, "no day of the week has open time");
	diag_help(builder->diags, diag, "deadlines behind its last date never come due: give days of the week hours");
}

static const struct calendar *read_calendar(struct model_builder *builder, const struct node_member *member)
{
	static const char *const known[] = {"zone", "week", "breaks", "dates", "holidays", NULL};
	const struct node *node = member->value;
	struct calendar_spec spec = {.name = member->key->text.p};
	struct err err = ERR_INIT;
	if (!node_expect_mapping(node, "a calendar", builder->diags))
		return NULL;
	bool is_fine = node_check_keys(node, known, "a calendar", builder->diags);
	is_fine &= read_zone(builder, node_require(node, "zone", "a calendar", builder->diags), &spec);
	const struct node *week = node_require(node, "week", "a calendar", builder->diags), *breaks = node_get(node, "breaks");
	is_fine &= week != NULL && read_week(builder, week, spec.week);
	is_fine &= breaks == NULL || read_week(builder, breaks, spec.breaks);
	is_fine &= read_dates(builder, node_get(node, "dates"), &spec);
	is_fine &= read_holidays(builder, node_get(node, "holidays"), &spec);
	if (!is_fine)
		return NULL;
	const struct calendar *calendar = calendar_compile(&spec, builder->arena, &err);
	if (calendar == NULL)
		diags_add(builder->diags, err.code, member->key->span, "%s", err.text);
	else
		warn_ending(builder, member->key, calendar);
	return calendar;
}

/* Deadlines need some time to count in; without a calendar all of it counts. */
static const struct calendar *always_open(struct model_builder *builder)
{
	static const struct hours all_day = {0, 24 * 3600};
	struct calendar_spec spec = {.name = "always", .zone = zone_load("UTC")};
	struct err err = ERR_INIT;
	for (size_t day = 0; day < WEEKDAYS; day++)
		spec.week[day] = (struct hours_list){&all_day, 1};
	const struct calendar *calendar = calendar_compile(&spec, builder->arena, &err);
	if (calendar == NULL)
		diags_add(builder->diags, err.code, SOURCE_SPAN_NONE, "no calendar for always: %s", err.text);
	return calendar;
}

/* ---- all calendars */

struct calendar_entry {
	struct slice name;
	const struct node *key;
	const struct calendar *calendar; /* NULL: it has errors, which were reported */
	bool is_used;
};

static int by_name(const void *left, const void *right)
{
	const struct calendar_entry *a = left, *b = right;
	return slice_compare(a->name, b->name);
}

static int by_text(const void *left, const void *right)
{
	return slice_compare(*(const struct slice *)left, ((const struct calendar_entry *)right)->name);
}

static void build_calendars(struct model_builder *builder, const struct node *section)
{
	struct calendar_entry *entries = arena_array(&builder->scratch, section->count, sizeof *entries);
	size_t count = 0;
	for (size_t i = 0; i < section->count; i++) {
		const struct node_member *member = &section->members[i];
		struct calendar_entry *entry = &entries[count];
		*entry = (struct calendar_entry){.key = member->key, .calendar = read_calendar(builder, member)};
		count += model_read_name(builder, member->key, "a calendar", &entry->name);
	}
	qsort(entries, count, sizeof *entries, by_name);
	const struct calendar **calendars = arena_array(builder->arena, count, sizeof *calendars);
	for (size_t i = 0; i < count; i++)
		calendars[i] = entries[i].calendar;
	builder->calendars = entries;
	builder->calendar_count = count;
	builder->model->calendars = calendars;
	builder->model->calendar_count = count;
}

void model_build_calendars(struct model_builder *builder)
{
	const struct node *section = model_section(builder, "calendars", NODE_MAPPING);
	builder->has_calendar = section != NULL && section->count != 0;
	if (section != NULL && section->count > CALENDARS_MAX)
		diags_add(builder->diags, ERR_TOO_MANY, section->span, "more than %d calendars", CALENDARS_MAX);
	else if (builder->has_calendar)
		build_calendars(builder, section);
}

const struct calendar *model_read_calendar(struct model_builder *builder, const struct node *node)
{
	struct slice name;
	if (!model_read_name(builder, node, "the name of a calendar", &name))
		return NULL;
	struct calendar_entry *entry = NULL;
	if (builder->calendar_count != 0)
		entry = bsearch(&name, builder->calendars, builder->calendar_count, sizeof *entry, by_text);
	if (entry != NULL) {
		entry->is_used = true;
		return entry->calendar;
	}
	struct diag *diag = diags_add(builder->diags, ERR_UNKNOWN_REFERENCE, node->span, "no calendar is called `%.*s`",
	                              SLICE_ARG(name));
	struct suggest suggest = suggest_for(name);
	for (size_t i = 0; i < builder->calendar_count; i++)
		suggest_offer(&suggest, builder->calendars[i].name);
	diag_did_you_mean(builder->diags, diag, suggest.best);
	return NULL;
}

/* ---- followup */

static void report_unknown_area(struct model_builder *builder, const struct node *key, size_t table)
{
	const struct territory *territory = builder->model->territories[table];
	struct diag *diag = diags_add(builder->diags, ERR_NO_SUCH_AREA, key->span, "the table `%.*s` has no area `%.*s`",
	                              SLICE_ARG(builder->table_names[table]), SLICE_ARG(key->text));
	struct suggest suggest = suggest_for(key->text);
	for (size_t i = 0; i < territory_area_count(territory); i++)
		suggest_offer(&suggest, territory_area(territory, i));
	diag_did_you_mean(builder->diags, diag, suggest.best);
}

static bool has_area(const struct territory *territory, struct slice area)
{
	for (size_t i = 0; i < territory_area_count(territory); i++)
		if (slice_equal(territory_area(territory, i), area))
			return true;
	return false;
}

static int by_area(const void *left, const void *right)
{
	return slice_compare(((const struct area_calendar *)left)->area, ((const struct area_calendar *)right)->area);
}

/* `table` is SIZE_MAX when it is unknown: then the calendars alone are checked. */
static void read_area_calendars(struct model_builder *builder, const struct node *mapping, size_t table)
{
	if (!node_expect_mapping(mapping, "calendar_by.calendars", builder->diags))
		return;
	if (mapping->count > AREA_CALENDARS_MAX) {
		diags_add(builder->diags, ERR_TOO_MANY, mapping->span, "calendars for more than %d areas", AREA_CALENDARS_MAX);
		return;
	}
	struct area_calendar *items = arena_array(builder->arena, mapping->count, sizeof *items);
	const struct territory *territory = table != SIZE_MAX ? builder->model->territories[table] : NULL;
	for (size_t i = 0; i < mapping->count; i++) {
		const struct node_member *member = &mapping->members[i];
		items[i] = (struct area_calendar){member->key->text, model_read_calendar(builder, member->value)};
		if (territory != NULL && !has_area(territory, items[i].area))
			report_unknown_area(builder, member->key, table);
	}
	qsort(items, mapping->count, sizeof *items, by_area);
	builder->model->area_calendars = items;
	builder->model->area_calendar_count = mapping->count;
}

/* `calendar_by: {territory: areas, calendars: {north: oslo, south: rome}}` */
static void read_calendar_by(struct model_builder *builder, const struct node *node)
{
	static const char *const known[] = {"territory", "calendars", NULL};
	if (!node_expect_mapping(node, "calendar_by", builder->diags))
		return;
	node_check_keys(node, known, "calendar_by", builder->diags);
	const struct node *table = node_require(node, "territory", "calendar_by", builder->diags);
	const struct node *calendars = node_require(node, "calendars", "calendar_by", builder->diags);
	if (table != NULL)
		builder->model->calendar_by = model_read_table(builder, table, "calendar_by.territory");
	if (calendars != NULL)
		read_area_calendars(builder, calendars, builder->model->calendar_by);
}

void model_warn_calendars(struct model_builder *builder)
{
	for (size_t i = 0; i < builder->calendar_count; i++)
		if (!builder->calendars[i].is_used)
			diags_warn(builder->diags, ERR_UNUSED, builder->calendars[i].key->span, "the calendar `%.*s` is not used",
			           SLICE_ARG(builder->calendars[i].name));
}

/* Without `followup.calendar`: the only one there is, or all time counts. */
static void choose_default(struct model_builder *builder)
{
	if (!builder->has_calendar) {
		builder->model->calendar = always_open(builder);
		return;
	}
	const struct node *section = node_get(builder->root, "calendars");
	if (section->count > 1) {
		diags_add(builder->diags, ERR_MISSING_KEY, section->span, "several calendars: say which one in followup.calendar");
	} else if (builder->calendar_count == 1) {
		builder->calendars[0].is_used = true;
		builder->model->calendar = builder->calendars[0].calendar;
	}
}

void model_build_followup(struct model_builder *builder)
{
	static const char *const known[] = {"calendar", "calendar_by", "clocks", "activity", "unavailable_after_breaches", NULL};
	const struct node *section = model_section(builder, "followup", NODE_MAPPING);
	const struct node *wanted = node_get(section, "calendar"), *by = node_get(section, "calendar_by");
	const struct node *breaches = node_get(section, "unavailable_after_breaches");
	if (section != NULL)
		node_check_keys(section, known, "followup", builder->diags);
	if (wanted != NULL)
		builder->model->calendar = model_read_calendar(builder, wanted);
	else
		choose_default(builder);
	if (by != NULL)
		read_calendar_by(builder, by);
	if (breaches != NULL)
		node_read_int(breaches, "unavailable_after_breaches", 1, ABSENCE_BREACHES_MAX, builder->diags,
		              &builder->model->unavailable_after);
}
