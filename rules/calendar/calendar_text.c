/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/calendar/calendar_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/base/err.h"
#include "rules/calendar/calendar_blocks.h"
#include "rules/calendar/instant.h"
#include "rules/text/date.h"
#include "rules/text/zone.h"

enum { DATE_BYTES = 10, MINUTE_BYTES = 16, LOCAL_BYTES_MAX = 40 };

static bool has_offset(struct slice text)
{
	for (size_t at = DATE_BYTES + 1; at < text.len; at++)
		if (strchr("Zz+-", text.p[at]) != NULL)
			return true;
	return false;
}

/* As if the clock on the wall showed UTC, so that instant_parse knows the form; -1 when it does not. */
static int64_t parse_as_utc(struct slice text)
{
	char utc[LOCAL_BYTES_MAX + 8] = "";
	if (text.len < MINUTE_BYTES || text.len > LOCAL_BYTES_MAX)
		return -1;
	int len = snprintf(utc, sizeof utc, "%.*s%sZ", SLICE_ARG(text), text.len == MINUTE_BYTES ? ":00" : "");
	utc[DATE_BYTES] = utc[DATE_BYTES] == ' ' ? 'T' : utc[DATE_BYTES];
	return instant_parse((struct slice){utc, (size_t)len});
}

/* "2026-11-20T16:00Z": instant_parse wants the seconds. */
static int64_t parse_with_offset(struct slice text)
{
	char whole[LOCAL_BYTES_MAX + 8];
	if (text.len <= MINUTE_BYTES || text.len > LOCAL_BYTES_MAX || text.p[MINUTE_BYTES] == ':')
		return instant_parse(text);
	int len = snprintf(whole, sizeof whole, "%.*s:00%.*s", MINUTE_BYTES, text.p, (int)text.len - MINUTE_BYTES, text.p + MINUTE_BYTES);
	return instant_parse((struct slice){whole, (size_t)len});
}

static int bad_time(struct slice text, struct err *err)
{
	int len = (int)(text.len < LOCAL_BYTES_MAX ? text.len : LOCAL_BYTES_MAX);
	return err_set(err, ERR_BAD_TIME, "\"%.*s\" is no time: write 2026-11-20T16:00, and Z or an offset unless it is local", len,
	               text.p);
}

int calendar_time_parse(const struct calendar *calendar, struct slice text, int64_t *ret_ms, struct err *err)
{
	int64_t day;
	if (text.len == DATE_BYTES && calendar_date_parse(text, &day, NULL) == 0) {
		*ret_ms = calendar_instant(calendar->zone, day, 0, false);
		return 0;
	}
	int64_t at_ms = has_offset(text) ? parse_with_offset(text) : parse_as_utc(text);
	if (at_ms < 0)
		return bad_time(text, err);
	if (!has_offset(text))
		at_ms = calendar_instant(calendar->zone, at_ms / MS_PER_DAY, at_ms % MS_PER_DAY, false);
	*ret_ms = at_ms;
	return 0;
}

void calendar_time_format(const struct calendar *calendar, int64_t at_ms, char ret_text[CALENDAR_TIME_BYTES])
{
	static const char *const names[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
	struct civil civil;
	if (at_ms == CALENDAR_NEVER) {
		strcpy(ret_text, "never");
		return;
	}
	int64_t second = floor_div(at_ms, 1000);
	zone_to_civil(calendar->zone, second, &civil);
	int offset = zone_offset_at(calendar->zone, second), east = abs(offset);
	snprintf(ret_text, CALENDAR_TIME_BYTES, "%s %04d-%02d-%02d %02d:%02d:%02d %c%02d:%02d", names[civil.weekday],
	         (int)(civil.year % 10000), civil.month, civil.day, civil.hour, civil.minute, civil.second, offset < 0 ? '-' : '+',
	         east / 3600, east / 60 % 60);
}
