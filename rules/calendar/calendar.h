/* SPDX-License-Identifier: Apache-2.0
 *
 * Business time: a named calendar says at which instants somebody is at work. Pure arithmetic on instants; knows no now.
 *
 * A calendar is an IANA zone, hours per weekday (several intervals a day, also over midnight), breaks cut out of them,
 * dates with hours of their own (half days, make-up days) and holidays.
 *   - An interval belongs to the date on which it begins; 22:00–06:00 on Friday lasts into Saturday, whatever Saturday is.
 *   - A date with hours of its own replaces its weekday and beats a holiday on the same date. Holidays have no hours.
 *   - Intervals that overlap or touch are one. Breaks apply to whatever is open at that time.
 *   - Where clocks change: a skipped time is the first instant after the gap; of a repeated time the first occurrence
 *     opens and the last one closes (breaks: begins and ends).
 *   - A local day runs from its first instant to the first instant of the next date; it is a business day if it has any
 *     open time.
 *
 * Compiled once into weeks that repeat and weeks that are special, with sums of open time in front of each, so that every
 * question below is two binary searches: O(log n) in holidays and clock changes, whatever the distance.
 *
 * Instants are milliseconds since 1970-01-01T00:00:00Z. The compiled range is 1970 to 2119; before and after it
 * everything is closed, and CALENDAR_NEVER stands for an instant outside.
 */
#ifndef LR_RULES_CALENDAR_CALENDAR_H
#define LR_RULES_CALENDAR_CALENDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/slice.h"

struct arena;
struct err;
struct span;
struct zone;
struct calendar; /* immutable, in the arena of calendar_compile; shared by threads */

#define CALENDAR_NEVER INT64_MAX

enum {
	CALENDAR_FIRST_YEAR = 1970,
	CALENDAR_END_YEAR = 2120,     /* exclusive */
	CALENDAR_DATES_MAX = 10000,   /* dates, dates with breaks, holidays: of each */
	CALENDAR_HOURS_MAX = 48,      /* intervals of one day */
};

/* Seconds of the local day: open 0–86399, close 1–86400. close < open: over midnight. Never equal. */
struct hours {
	int32_t open, close;
};

struct hours_list {
	const struct hours *items;
	size_t count;
};

struct dated_hours {
	int64_t day; /* day number, see rules/text/date.h */
	struct hours_list hours;
};

struct holiday {
	int64_t day;
	const char *name; /* for explanations; NULL: none */
};

/* What calendar_compile reads; borrowed during the call. Lists may be in any order. */
struct calendar_spec {
	const char *name;
	const struct zone *zone;
	struct hours_list week[7];   /* by weekday, 0 = Monday */
	struct hours_list breaks[7]; /* by weekday, 0 = Monday */
	const struct dated_hours *dates; /* replace the weekday's hours; an empty list closes the day */
	size_t date_count;
	const struct dated_hours *date_breaks; /* in addition to the weekday's breaks */
	size_t date_break_count;
	const struct holiday *holidays;
	size_t holiday_count;
};

/* "09:00" and "18:30", also with seconds; "24:00" closes only. ERR_BAD_HOURS. */
int hours_parse(struct slice open, struct slice close, struct hours *ret_hours, struct err *err);
/* "2026-12-24" → day number. ERR_BAD_DATE. */
int calendar_date_parse(struct slice text, int64_t *ret_day, struct err *err);

/* NULL and *err: ERR_BAD_ZONE (no zone), ERR_BAD_HOURS, ERR_BAD_DATE (outside the range), ERR_DUPLICATE (a date twice),
 * ERR_TOO_MANY, ERR_EMPTY_CALENDAR (never open). What it keeps is copied. */
const struct calendar *calendar_compile(const struct calendar_spec *spec, struct arena *arena, struct err *err);
const char *calendar_name(const struct calendar *calendar);
const struct zone *calendar_zone(const struct calendar *calendar);
/* Of its content: differs when hours, dates, holidays, zone or the zone's own data do, so that a due time can be kept with
 * what it was computed from. Names of calendars and holidays do not count. */
uint64_t calendar_version(const struct calendar *calendar);

bool calendar_is_open(const struct calendar *calendar, int64_t at_ms);
/* `at_ms` itself if open, else the next opening. */
int64_t calendar_next_open(const struct calendar *calendar, int64_t at_ms);
/* `at_ms` itself if open or the very end of an interval, else the end of the interval before it. */
int64_t calendar_last_open(const struct calendar *calendar, int64_t at_ms);
/* Open time between two instants; negative if `to_ms` lies before `from_ms`. */
int64_t calendar_elapsed(const struct calendar *calendar, int64_t from_ms, int64_t to_ms);
/* The instant at which `open_ms` of open time have passed; the end of an interval rather than the next opening.
 * 0 gives calendar_next_open; a negative amount is calendar_deadline_before. */
int64_t calendar_deadline(const struct calendar *calendar, int64_t start_ms, int64_t open_ms);
/* The latest instant from which `open_ms` of open time pass until `start_ms`. 0 gives calendar_last_open. */
int64_t calendar_deadline_before(const struct calendar *calendar, int64_t start_ms, int64_t open_ms);

/* What a start outside of open time means when business days are added. Systems differ; ours is CALENDAR_CLAMP. */
enum calendar_outside {
	CALENDAR_CLAMP,      /* count from the next opening (backwards: from the last closing) */
	CALENDAR_TO_OPENING, /* as CLAMP, but backwards count from the opening of the day of the last closing */
	CALENDAR_KEEP_TIME,  /* only the date moves; the time of day stays, open or not */
};

/* `days` business days on, at the same local time, clamped into the opening span of that day (its first opening to its last
 * closing). 0 only moves a closed start to the next opening. */
int64_t calendar_add_days(const struct calendar *calendar, int64_t start_ms, int32_t days, enum calendar_outside outside);
/* `days` business days back; a negative number of them is calendar_add_days. 0 only moves a closed start: to the last
 * closing (CALENDAR_TO_OPENING: to the opening before it). */
int64_t calendar_subtract_days(const struct calendar *calendar, int64_t start_ms, int32_t days, enum calendar_outside outside);
/* calendar_add_days on dates alone: a closed start is first moved to the next business day (backwards: the last one), unless `days`
 * is 0. false if there is none in the compiled range. */
bool calendar_add_dates(const struct calendar *calendar, int64_t day, int32_t days, int64_t *ret_day);
/* Business days in (from, to]; negative if `to_day` lies before `from_day`. */
int64_t calendar_days_between(const struct calendar *calendar, int64_t from_day, int64_t to_day);
bool calendar_is_business_day(const struct calendar *calendar, int64_t day);
/* The local day that an instant belongs to, as a day number. */
int64_t calendar_day_at(const struct calendar *calendar, int64_t at_ms);

/* start + span, part by part: d, then bd, then h/m/s, then bh/bm. */
int64_t calendar_add_span(const struct calendar *calendar, int64_t start_ms, const struct span *span);
/* due − span, the parts in the opposite order: for reminders before a deadline. */
int64_t calendar_subtract_span(const struct calendar *calendar, int64_t due_ms, const struct span *span);

/* One stretch of an explained clock. */
struct calendar_piece {
	int64_t from_ms, to_ms;
	bool is_open;        /* counted, else skipped */
	const char *holiday; /* skipped only: name (or date) of the first holiday inside; NULL if there is none */
};

/* The stretches between two instants in order, open and closed in turn; at most `max` of them. Returns how many;
 * *ret_is_cut says whether there would be more. */
size_t calendar_explain(const struct calendar *calendar, int64_t from_ms, int64_t to_ms, struct calendar_piece *pieces,
                        size_t max, bool *ret_is_cut);

#endif
