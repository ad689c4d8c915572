/* SPDX-License-Identifier: Apache-2.0
 *
 * What calendars answered a moment ago. All leads of a batch are decided at one time, so that their clocks ask the same few
 * questions again and again. Bounded: a new answer takes the place of an older one. No answer depends on what is remembered.
 */
#ifndef LR_RULES_CALENDAR_CALENDAR_MEMO_H
#define LR_RULES_CALENDAR_CALENDAR_MEMO_H

#include <stdint.h>

#include "rules/calendar/span.h"

struct calendar;

enum calendar_ask { CALENDAR_ASK_NOTHING, CALENDAR_ADD_SPAN, CALENDAR_SUBTRACT_SPAN, CALENDAR_NEXT_OPEN, CALENDAR_LAST_OPEN };

struct calendar_answer {
	enum calendar_ask ask; /* NOTHING: the row is free */
	const struct calendar *calendar;
	int64_t at_ms, answer_ms;
	struct span span;
};

/* Empty when all zero. Holds answers of calendars that live as long as it. */
enum { CALENDAR_MEMO_ROWS = 128 };
struct calendar_memo {
	struct calendar_answer rows[CALENDAR_MEMO_ROWS];
};

/* What the function of that name in rules/calendar/calendar.h says. `memo` may be NULL. */
int64_t calendar_memo_add(struct calendar_memo *memo, const struct calendar *calendar, int64_t at_ms, const struct span *span);
int64_t calendar_memo_subtract(struct calendar_memo *memo, const struct calendar *calendar, int64_t at_ms,
                               const struct span *span);
int64_t calendar_memo_next_open(struct calendar_memo *memo, const struct calendar *calendar, int64_t at_ms);
int64_t calendar_memo_last_open(struct calendar_memo *memo, const struct calendar *calendar, int64_t at_ms);

#endif
