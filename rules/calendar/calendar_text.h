/* SPDX-License-Identifier: Apache-2.0
 *
 * Moments of a calendar as people write and read them: in its own zone, unless they say another offset.
 */
#ifndef LR_RULES_CALENDAR_CALENDAR_TEXT_H
#define LR_RULES_CALENDAR_CALENDAR_TEXT_H

#include <stdint.h>

#include "rules/base/slice.h"

struct calendar;
struct err;

enum { CALENDAR_TIME_BYTES = 48 };

/* RFC 3339 ("2026-11-20T15:00:00Z", "…+01:00"), or local time of the calendar's zone ("2026-11-20T16:00",
 * "2026-11-20 16:00:30"; skipped: the first instant after the gap, repeated: the first), or a date: its first instant.
 * Dates of any year, times of 1970 to 9999. 0, or -1 and *err (ERR_BAD_TIME). */
int calendar_time_parse(const struct calendar *calendar, struct slice text, int64_t *ret_ms, struct err *err);
/* "Fri 2026-11-20 16:00:00 +01:00"; "never" for CALENDAR_NEVER. ms are cut. */
void calendar_time_format(const struct calendar *calendar, int64_t at_ms, char ret_text[CALENDAR_TIME_BYTES]);

#endif
