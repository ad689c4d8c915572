/* SPDX-License-Identifier: Apache-2.0
 *
 * When digests come. One that fell due while nobody was there comes once, late, for the period in which it fell due.
 */
#include <string.h>

#include "rules/base/strbuf.h"
#include "rules/calendar/calendar.h"
#include "rules/decide.h"
#include "rules/json/json.h"
#include "rules/model.h"
#include "rules/report.h"
#include "rules/text/date.h"
#include "rules/text/zone.h"

enum { DAYS_LOOKED_AT = 400, VALUE_BYTES_MAX = 300 };

static const struct slice prefix = {"mem/report/", 11};

/* ---- the next time */

static bool is_day(const struct report_rules *rules, const struct report_line *line, int64_t day)
{
	int64_t year;
	int month, day_of_month;
	date_from_day(day, &year, &month, &day_of_month);
	if (line->every == FIGURES_WEEK)
		return date_weekday(day) == line->on;
	if (line->every == FIGURES_MONTH)
		return day_of_month == line->on;
	return rules->calendar == NULL || calendar_is_business_day(rules->calendar, day);
}

static int64_t instant_of(const struct report_rules *rules, const struct report_line *line, int64_t day)
{
	struct civil civil = {.hour = line->second / 3600, .minute = line->second / 60 % 60, .second = line->second % 60};
	date_from_day(day, &civil.year, &civil.month, &civil.day);
	return zone_from_civil(rules->zone, &civil, ZONE_FIRST) * 1000;
}

int64_t report_next(const struct report_rules *rules, const struct report_line *line, int64_t now_ms)
{
	int64_t today = figures_day_of(rules->zone, now_ms);
	for (int64_t day = today; day < today + DAYS_LOOKED_AT; day++)
		if (is_day(rules, line, day) && instant_of(rules, line, day) > now_ms)
			return instant_of(rules, line, day);
	return INT64_MAX;
}

/* ---- timers */

static struct slice key_of(const struct work *work, enum report_kind kind)
{
	return slice_of(arena_printf(work->arena, "mem/report/%s", report_kind_name(kind)));
}

/* By which line a timer was set: another one sets it anew. */
static struct slice line_text(const struct work *work, const struct report_line *line)
{
	const struct report_rules *rules = work->model->report;
	return slice_of(arena_printf(work->arena, "%s %d %d %s %s", figures_period_name(line->every), line->on, (int)line->second,
	                             zone_name(rules->zone), rules->calendar != NULL ? calendar_name(rules->calendar) : "-"));
}

static void set_timer(struct work *work, enum report_kind kind)
{
	const struct report_line *line = &work->model->report->lines[kind];
	int64_t due_ms = report_next(work->model->report, line, work->now_ms);
	struct strbuf value = STRBUF_INIT;
	struct json_writer writer = JSON_WRITER(&value);
	if (due_ms == INT64_MAX)
		due_ms = work->now_ms + (int64_t)DAYS_LOOKED_AT * SECONDS_PER_DAY * 1000; /* holidays without end: looked at again */
	json_open_object(&writer, NULL);
	json_put_int(&writer, "due", due_ms);
	json_put_text(&writer, "at", line_text(work, line));
	json_close_object(&writer);
	overlay_put(&work->decider->overlay, key_of(work, kind), strbuf_keep(&value, work->arena), due_ms);
}

static struct slice member_of(const struct work *work, struct slice value, const char *name)
{
	struct json_limits limits = {VALUE_BYTES_MAX, 2, 10};
	return json_get_text(json_read(value, limits, work->arena, NULL), name);
}

static void begin_kind(struct work *work, enum report_kind kind)
{
	struct overlay *overlay = &work->decider->overlay;
	const struct report_rules *rules = work->model->report;
	struct slice key = key_of(work, kind), value = overlay_get(overlay, key);
	bool is_on = rules != NULL && rules->lines[kind].is_on;
	if (!is_on && value.len != 0)
		overlay_remove(overlay, key);
	if (is_on && (value.len == 0 || !slice_equal(member_of(work, value, "at"), line_text(work, &rules->lines[kind]))))
		set_timer(work, kind);
}

void report_begin(struct work *work)
{
	for (int kind = 0; kind < REPORT_KINDS_ALL; kind++)
		begin_kind(work, (enum report_kind)kind);
}

static void fire_kind(struct work *work, enum report_kind kind, int64_t due_ms)
{
	int64_t day = figures_day_of(work->model->report->zone, due_ms);
	work->ret->outcome = OUTCOME_TIMER;
	set_timer(work, kind);
	if (kind == REPORT_DAILY)
		report_daily(work, day);
	else if (kind == REPORT_MONTHLY)
		report_monthly(work, day);
	else
		report_list_begin(work, kind, day);
}

void report_fire(struct work *work, struct slice key, struct slice value)
{
	struct slice name = {key.p + prefix.len, key.len - prefix.len};
	int64_t due_ms = rules_due_of(key, value);
	work->cause = ARENA_JOIN(work->arena, SLICE("timer:"), key);
	if (slice_is(name, "roll") && due_ms <= work->now_ms) {
		tally_roll(work, key, value);
		return;
	}
	for (int kind = 0; kind < REPORT_KINDS_ALL; kind++) {
		if (!slice_is(name, report_kind_name((enum report_kind)kind)))
			continue;
		if (work->model->report == NULL || !work->model->report->lines[kind].is_on)
			overlay_remove(&work->decider->overlay, key);
		else if (due_ms <= work->now_ms)
			fire_kind(work, (enum report_kind)kind, due_ms);
		return;
	}
	overlay_remove(&work->decider->overlay, key); /* of a kind that is not known any more */
}
