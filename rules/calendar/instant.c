/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/calendar/instant.h"

#include <stdbool.h>

#include "rules/text/date.h"

struct cursor {
	const char *at, *end;
};

/* Exactly `digits` decimal digits. */
static bool number(struct cursor *cursor, int digits, int *ret)
{
	int value = 0;
	for (int i = 0; i < digits; i++, cursor->at++) {
		if (cursor->at == cursor->end || *cursor->at < '0' || *cursor->at > '9')
			return false;
		value = value * 10 + (*cursor->at - '0');
	}
	*ret = value;
	return true;
}

static bool byte(struct cursor *cursor, const char *any_of)
{
	if (cursor->at == cursor->end || *cursor->at == '\0' || strchr(any_of, *cursor->at) == NULL)
		return false;
	cursor->at++;
	return true;
}

static bool date(struct cursor *cursor, int64_t *ret_day)
{
	int year, month, day;
	if (!number(cursor, 4, &year) || !byte(cursor, "-") || !number(cursor, 2, &month) || !byte(cursor, "-") ||
	    !number(cursor, 2, &day) || year < 1970 || !date_is_valid(year, month, day))
		return false;
	*ret_day = date_to_day(year, month, day);
	return true;
}

static bool fraction(struct cursor *cursor, int *ret_ms)
{
	int ms = 0, weight = 100;
	if (!byte(cursor, "."))
		return true;
	const char *start = cursor->at;
	for (; cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9'; cursor->at++, weight /= 10)
		ms += (*cursor->at - '0') * weight;
	*ret_ms = ms;
	return cursor->at > start;
}

static bool clock_time(struct cursor *cursor, int64_t *ret_ms)
{
	int hour, minute, second, ms = 0;
	if (!number(cursor, 2, &hour) || !byte(cursor, ":") || !number(cursor, 2, &minute) || !byte(cursor, ":") ||
	    !number(cursor, 2, &second) || !fraction(cursor, &ms) || hour > 23 || minute > 59 || second > 60)
		return false;
	if (second == 60)
		second = 59;
	*ret_ms = ((int64_t)hour * 3600 + minute * 60 + second) * 1000 + ms;
	return true;
}

static bool offset(struct cursor *cursor, int64_t *ret_ms)
{
	int hour, minute;
	*ret_ms = 0;
	if (byte(cursor, "Zz"))
		return true;
	bool is_west = cursor->at < cursor->end && *cursor->at == '-';
	if (!byte(cursor, "+-") || !number(cursor, 2, &hour) || !byte(cursor, ":") || !number(cursor, 2, &minute) ||
	    hour > 23 || minute > 59)
		return false;
	*ret_ms = (hour * 60 + minute) * (is_west ? -60000 : 60000);
	return true;
}

int64_t instant_parse(struct slice text)
{
	if (text.len == 0)
		return -1;
	struct cursor cursor = {text.p, text.p + text.len};
	int64_t day, time_ms, offset_ms;
	if (!date(&cursor, &day) || !byte(&cursor, "Tt ") || !clock_time(&cursor, &time_ms) ||
	    !offset(&cursor, &offset_ms) || cursor.at != cursor.end)
		return -1;
	int64_t ms = day * SECONDS_PER_DAY * 1000 + time_ms - offset_ms;
	return ms < 0 ? -1 : ms;
}
