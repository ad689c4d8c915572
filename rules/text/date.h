/* SPDX-License-Identifier: Apache-2.0
 *
 * Day numbers and dates of the proleptic Gregorian calendar; no time zone, no clock. A day number counts days since
 * 1970-01-01 (negative before). The formulas are Howard Hinnant's (days_from_civil): they shift the year to begin in
 * March, so that the leap day is its last day.
 */
#ifndef LR_RULES_TEXT_DATE_H
#define LR_RULES_TEXT_DATE_H

#include <stdbool.h>
#include <stdint.h>

enum { SECONDS_PER_DAY = 86400 };

/* `month` 1–12, `day` 1–31. A day past the end of its month counts on into the next (April 31 is May 1). */
static inline int64_t date_to_day(int64_t year, int month, int day)
{
	year -= month <= 2;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t year_of_era = year - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	return era * 146097 + day_of_era - 719468;
}

static inline void date_from_day(int64_t number, int64_t *ret_year, int *ret_month, int *ret_day)
{
	number += 719468;
	int64_t era = (number >= 0 ? number : number - 146096) / 146097;
	int64_t day_of_era = number - era * 146097;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t march_month = (5 * day_of_year + 2) / 153;
	*ret_day = (int)(day_of_year - (153 * march_month + 2) / 5 + 1);
	*ret_month = (int)(march_month < 10 ? march_month + 3 : march_month - 9);
	*ret_year = year_of_era + era * 400 + (*ret_month <= 2);
}

/* 0 = Monday … 6 = Sunday (ISO order). */
static inline int date_weekday(int64_t day_number)
{
	int64_t remainder = (day_number + 3) % 7; /* 1970-01-01 was a Thursday */
	return (int)(remainder < 0 ? remainder + 7 : remainder);
}

static inline bool date_is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Is there such a day in the calendar? */
static inline bool date_is_valid(int64_t year, int month, int day)
{
	static const signed char days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	if (month < 1 || month > 12 || day < 1)
		return false;
	return day <= days[month - 1] + (month == 2 && date_is_leap(year));
}

#endif
