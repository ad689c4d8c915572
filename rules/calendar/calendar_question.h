/* SPDX-License-Identifier: Apache-2.0
 *
 * One question about business time as one line of JSON, with its calendar in it, so that other programs can ask and that
 * other systems' cases can be compared.
 *
 *     {"id": 7, "op": "deadline", "tz": "Europe/Berlin", "week": {"fri": [["09:00", "17:00"]]}, "start": "…", "seconds": 3600}
 *     {"id": 7, "result": "2026-11-20T15:00:00Z"}
 *
 * Calendar: tz, week {mon…sun: [[open, close]…]}, dates {date: [[open, close]…]}, holidays [date…], breaks {date or mon…sun:
 * [[begin, end]…]}. Times are as in rules/calendar/calendar_text.h. Members that are not known are not looked at.
 *
 *     deadline, deadline_before   start, and seconds or span       →  instant
 *     elapsed                     from, to                         →  seconds of open time
 *     is_open                     at                               →  true or false
 *     next_open, last_open        start                            →  instant
 *     add_days, subtract_days     start, days, outside (clamp,     →  instant; a date when start is one
 *                                 to_opening, keep_time), origin
 *     days_between                from, to                         →  business days
 *
 * `origin` says in whose words the question was asked; where it names a system that means something else by business days
 * than we do, its convention holds, unless `outside` says which.
 *
 * start, from and at may stand for each other; add_business_days and business_days_between are second names.
 */
#ifndef LR_RULES_CALENDAR_CALENDAR_QUESTION_H
#define LR_RULES_CALENDAR_CALENDAR_QUESTION_H

#include <stdbool.h>

#include "rules/base/slice.h"

struct arena;
struct strbuf;

enum { CALENDAR_QUESTION_BYTES_MAX = 1 << 20 };

/* Appends {"id", "result"} or {"id", "error"}, with a line feed. false: it was an error. */
bool calendar_question_answer(struct slice line, struct arena *scratch, struct strbuf *out);

#endif
