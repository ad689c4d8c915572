/* SPDX-License-Identifier: Apache-2.0
 *
 * Holidays out of iCalendar files (RFC 5545, libical), for `leadctl calendar import`. Never used while routing: what is
 * imported becomes lines of the configuration, which somebody reads before they count.
 *
 * The rule of this module is that nothing is lost in silence. libical drops what it cannot read and reports success, so
 * every mark of such a loss is looked for, the frame of the file is checked beforehand, and what is not understood
 * (rules by the hour or by other calendars, changes for all the future, other encodings) is an error and not a guess.
 *
 *     whole days            DTSTART;VALUE=DATE, or from midnight to midnight    →  holidays
 *     other events          part of a day                                       →  told apart, they close nothing
 *     RRULE, RDATE, EXDATE  written out between two dates
 *     RECURRENCE-ID         moves or cancels one occurrence; STATUS:CANCELLED cancels
 *
 * Times in UTC are turned into local time of the zone that is given; times that name a zone of their own or none are taken
 * as they are, because a holiday is a holiday where it is written down.
 */
#ifndef LR_DAEMON_ICS_H
#define LR_DAEMON_ICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/slice.h"

struct arena;
struct err;
struct strbuf;
struct zone;

enum {
	ICS_BYTES_MAX = 4 << 20,
	ICS_LINE_BYTES_MAX = 65536,
	ICS_DEPTH_MAX = 8,         /* components inside each other */
	ICS_EVENTS_MAX = 5000,
	ICS_DAYS_MAX = 10000,      /* that come out: as many as a calendar can have */
	ICS_EVENT_DAYS_MAX = 366,  /* of one occurrence */
	ICS_STEPS_MAX = 1000000,   /* occurrences of all rules that are looked at */
	ICS_FRUITLESS_MAX = 10,    /* rules without any occurrence: libical searches centuries for each */
	ICS_FIRST_YEAR = 1900,     /* rules that begin earlier are refused: each year is walked through */
	ICS_NAME_BYTES = 64,       /* of a holiday in the configuration */
};

struct ics_options {
	int64_t from_day, until_day; /* both inclusive */
	const struct zone *zone;     /* for times in UTC */
};

struct ics_day {
	int64_t day;
	const char *name;     /* fit for the configuration; "" when the event has none */
	bool is_whole;
	int32_t from_s, to_s; /* seconds of the day, when it is not a whole one; to_s may be 86400 */
};

struct ics_days {
	const struct ics_day *items; /* by day, whole ones first, then by name; the same day may come twice */
	size_t count;
};

/* 0, or -1 and *err: ERR_BAD_ICS, ERR_ICS_LIMIT, ERR_ICS_NO_EVENTS (nothing between the two days). Not thread-safe: libical
 * keeps its state in globals. */
int ics_read(struct slice bytes, const struct ics_options *options, struct arena *arena, struct ics_days *ret_days,
             struct err *err);

/* Which events are working days that make up for a holiday, and their hours. */
struct ics_work {
	const char *text;  /* in the name; NULL: none is */
	const char *hours; /* "09:00-12:00,13:00-18:00", as written into `dates` */
};

/* YAML for one calendar of the configuration: `holidays:` and `dates:`. `title` becomes a comment. */
void ics_write_yaml(const struct ics_days *days, const struct ics_work *work, const char *title, struct strbuf *out);

#endif
