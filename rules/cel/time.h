/* SPDX-License-Identifier: Apache-2.0
 *
 * Timestamps and durations of CEL: reading, printing, civil fields. Years 1 to 9999; durations are 64-bit nanoseconds
 * (about ±292 years).
 */
#ifndef LR_RULES_CEL_TIME_H
#define LR_RULES_CEL_TIME_H

#include "rules/base/strbuf.h"
#include "rules/cel/cel.h"

enum { NANOS_PER_SECOND = 1000000000 };

/* RFC 3339. False when the text is not one or lies outside the years 1 to 9999. */
bool cel_time_read(struct slice text, struct cel_value *ret_value);
/* "90m", "1h30m", "-1.5s", "20ms", as Go writes them. */
bool cel_duration_read(struct slice text, struct cel_value *ret_value);
void cel_time_print(struct strbuf *buf, struct cel_value timestamp);
void cel_duration_print(struct strbuf *buf, struct cel_value duration);
/* Is it inside the years 1 to 9999? */
bool cel_time_is_valid(int64_t seconds);

struct cel_civil {
	int64_t year;
	int month, day;            /* from 1 */
	int hour, minute, second;
	int week_day, year_day;    /* from 0; Sunday is 0 */
};

/* `seconds` since 1970 as they read on a clock that is `offset` seconds east of UTC. */
struct cel_civil cel_civil_of(int64_t seconds, int offset);

#endif
