/* SPDX-License-Identifier: Apache-2.0
 *
 * The proleptic Gregorian calendar in integers, and the two text forms.
 */
#include "rules/cel/time.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const int64_t FIRST_SECOND = -62135596800; /* 0001-01-01T00:00:00Z */
static const int64_t LAST_SECOND = 253402300799;  /* 9999-12-31T23:59:59Z */

enum { DAY_SECONDS = 86400, ERA_DAYS = 146097, DAYS_TO_1970 = 719468 };

bool cel_time_is_valid(int64_t seconds)
{
	return seconds >= FIRST_SECOND && seconds <= LAST_SECOND;
}

/* Days since 1970 of a civil date; years start in March so that the leap day comes last. */
static int64_t days_from_civil(int64_t year, int month, int day)
{
	year -= month <= 2;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t year_of_era = year - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	return era * ERA_DAYS + day_of_era - DAYS_TO_1970;
}

static void civil_from_days(int64_t days, struct cel_civil *civil)
{
	days += DAYS_TO_1970;
	int64_t era = (days >= 0 ? days : days - ERA_DAYS + 1) / ERA_DAYS;
	int64_t day_of_era = days - era * ERA_DAYS;
	int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / (ERA_DAYS - 1)) / 365;
	int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t shifted = (5 * day_of_year + 2) / 153;
	civil->day = (int)(day_of_year - (153 * shifted + 2) / 5 + 1);
	civil->month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
	civil->year = year_of_era + era * 400 + (civil->month <= 2);
}

struct cel_civil cel_civil_of(int64_t seconds, int offset)
{
	int64_t local = seconds + offset;
	int64_t days = local / DAY_SECONDS - (local % DAY_SECONDS < 0);
	int rest = (int)(local - days * DAY_SECONDS);
	struct cel_civil civil = {.hour = rest / 3600, .minute = rest / 60 % 60, .second = rest % 60};
	civil_from_days(days, &civil);
	civil.week_day = (int)(((days + 4) % 7 + 7) % 7);
	civil.year_day = (int)(days - days_from_civil(civil.year, 1, 1));
	return civil;
}

/* ---- reading */

struct cursor {
	const char *at, *end;
};

static bool take_char(struct cursor *cursor, char wanted)
{
	if (cursor->at == cursor->end || *cursor->at != wanted)
		return false;
	cursor->at++;
	return true;
}

static bool take_digits(struct cursor *cursor, int count, int *ret_number)
{
	int number = 0;
	for (; count > 0; count--, cursor->at++) {
		if (cursor->at == cursor->end || *cursor->at < '0' || *cursor->at > '9')
			return false;
		number = number * 10 + (*cursor->at - '0');
	}
	*ret_number = number;
	return true;
}

/* ".123", up to nine digits that count; more are cut. */
static bool take_fraction(struct cursor *cursor, uint32_t *ret_nanoseconds)
{
	uint32_t scale = NANOS_PER_SECOND, nanoseconds = 0;
	const char *start = cursor->at;
	for (; cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9'; cursor->at++) {
		scale /= 10;
		nanoseconds += (uint32_t)(*cursor->at - '0') * scale;
	}
	*ret_nanoseconds = nanoseconds;
	return cursor->at > start;
}

static bool take_zone(struct cursor *cursor, int *ret_offset)
{
	*ret_offset = 0;
	if (take_char(cursor, 'Z') || take_char(cursor, 'z'))
		return true;
	bool is_west = cursor->at < cursor->end && *cursor->at == '-';
	int hours, minutes;
	if (!take_char(cursor, '+') && !take_char(cursor, '-'))
		return false;
	if (!take_digits(cursor, 2, &hours) || !take_char(cursor, ':') || !take_digits(cursor, 2, &minutes))
		return false;
	*ret_offset = (hours * 3600 + minutes * 60) * (is_west ? -1 : 1);
	return hours <= 23 && minutes <= 59;
}

static int days_in_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return days[month - 1] + (month == 2 && is_leap);
}

static bool take_date(struct cursor *cursor, int64_t *ret_days)
{
	int year, month, day;
	if (!take_digits(cursor, 4, &year) || !take_char(cursor, '-') || !take_digits(cursor, 2, &month) ||
	    !take_char(cursor, '-') || !take_digits(cursor, 2, &day))
		return false;
	if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
		return false;
	*ret_days = days_from_civil(year, month, day);
	return true;
}

static bool take_clock(struct cursor *cursor, int *ret_seconds)
{
	int hour, minute, second;
	if (!take_digits(cursor, 2, &hour) || !take_char(cursor, ':') || !take_digits(cursor, 2, &minute) ||
	    !take_char(cursor, ':') || !take_digits(cursor, 2, &second))
		return false;
	*ret_seconds = hour * 3600 + minute * 60 + second;
	return hour <= 23 && minute <= 59 && second <= 59;
}

bool cel_time_read(struct slice text, struct cel_value *ret_value)
{
	struct cursor cursor = {text.p, text.p + text.len};
	int64_t days;
	int clock, offset;
	uint32_t nanoseconds = 0;
	if (!take_date(&cursor, &days) || (!take_char(&cursor, 'T') && !take_char(&cursor, 't')))
		return false;
	if (!take_clock(&cursor, &clock))
		return false;
	if (take_char(&cursor, '.') && !take_fraction(&cursor, &nanoseconds))
		return false;
	if (!take_zone(&cursor, &offset) || cursor.at != cursor.end)
		return false;
	int64_t seconds = days * DAY_SECONDS + clock - offset;
	if (!cel_time_is_valid(seconds))
		return false;
	*ret_value = cel_timestamp(seconds, nanoseconds);
	return true;
}

/* The length of a duration's unit in nanoseconds; 0 when there is none. */
static int64_t take_unit(struct cursor *cursor)
{
	static const struct {
		const char *name;
		int64_t nanoseconds;
	} units[] = {
		{"ns", 1},        {"us", 1000}, {"µs", 1000},
		{"ms", 1000000},  {"s", NANOS_PER_SECOND}, {"m", 60LL * NANOS_PER_SECOND},
		{"h", 3600LL * NANOS_PER_SECOND},
	};
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		size_t len = strlen(units[i].name);
		if ((size_t)(cursor->end - cursor->at) >= len && memcmp(cursor->at, units[i].name, len) == 0) {
			cursor->at += len;
			return units[i].nanoseconds;
		}
	}
	return 0;
}

/* One part such as "1.5h", added to *total. Works in 128 bits so that nothing overflows before the final check. */
static bool take_part(struct cursor *cursor, __int128 *total)
{
	__int128 whole = 0;
	const char *start = cursor->at;
	for (; cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9'; cursor->at++) {
		whole = whole * 10 + (*cursor->at - '0');
		if (whole > INT64_MAX)
			return false;
	}
	bool has_digits = cursor->at > start;
	uint32_t billionths = 0;
	if (take_char(cursor, '.'))
		has_digits |= take_fraction(cursor, &billionths);
	int64_t unit = has_digits ? take_unit(cursor) : 0;
	*total += whole * unit + (__int128)billionths * unit / NANOS_PER_SECOND;
	return unit != 0 && *total <= INT64_MAX;
}

bool cel_duration_read(struct slice text, struct cel_value *ret_value)
{
	struct cursor cursor = {text.p, text.p + text.len};
	bool is_negative = take_char(&cursor, '-');
	if (!is_negative)
		(void)take_char(&cursor, '+'); /* optional */
	__int128 total = 0;
	if ((size_t)(cursor.end - cursor.at) == 1 && *cursor.at == '0')
		cursor.at++;
	else if (cursor.at == cursor.end)
		return false;
	while (cursor.at < cursor.end)
		if (!take_part(&cursor, &total))
			return false;
	*ret_value = cel_duration((int64_t)(is_negative ? -total : total));
	return true;
}

/* ---- printing */

/* ".5", ".123456": without trailing zeros, nothing for 0. */
static void print_fraction(struct strbuf *buf, uint32_t nanoseconds)
{
	if (nanoseconds == 0)
		return;
	char digits[24];
	int len = snprintf(digits, sizeof digits, "%09" PRIu32, nanoseconds);
	while (len > 0 && digits[len - 1] == '0')
		len--;
	strbuf_printf(buf, ".%.*s", len, digits);
}

void cel_time_print(struct strbuf *buf, struct cel_value timestamp)
{
	struct cel_civil civil = cel_civil_of(timestamp.as.integer, 0);
	strbuf_printf(buf, "%04" PRId64 "-%02d-%02dT%02d:%02d:%02d", civil.year, civil.month, civil.day, civil.hour,
		      civil.minute, civil.second);
	print_fraction(buf, timestamp.len);
	strbuf_putc(buf, 'Z');
}

void cel_duration_print(struct strbuf *buf, struct cel_value duration)
{
	int64_t nanoseconds = duration.as.integer;
	uint64_t magnitude = nanoseconds < 0 ? 0 - (uint64_t)nanoseconds : (uint64_t)nanoseconds;
	if (nanoseconds < 0)
		strbuf_putc(buf, '-');
	strbuf_printf(buf, "%" PRIu64, magnitude / NANOS_PER_SECOND);
	print_fraction(buf, (uint32_t)(magnitude % NANOS_PER_SECOND));
	strbuf_putc(buf, 's');
}
