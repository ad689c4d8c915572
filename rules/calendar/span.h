/* SPDX-License-Identifier: Apache-2.0
 *
 * An amount of time as people write it: "30m", "4bh", "2bd 1bh". The units are distinct and never convert into each
 * other: one business day is not eight business hours, one day is not 24 hours when clocks change.
 *
 *     d   days: same local time that many calendar days on       w   seven d
 *     bd  business days: that many days having open time on
 *     h   hours that pass by the clock on the wall               m, s   minutes, seconds of the same kind
 *     bh  hours of open time                                     bm   minutes of open time
 *
 * A compound value applies days first (semantics: rules/calendar/calendar.h), so it is written in that order too.
 */
#ifndef LR_RULES_CALENDAR_SPAN_H
#define LR_RULES_CALENDAR_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/slice.h"

struct err;

enum {
	SPAN_DAYS_MAX = 3660,   /* ten years: a longer clock is a typing error */
	SPAN_INPUT_BYTES = 100,
	SPAN_TEXT_BYTES = 100,  /* room for span_format */
};

struct span {
	int32_t business_days; /* bd */
	int32_t days;          /* d, w */
	int64_t business_ms;   /* bh, bm */
	int64_t elapsed_ms;    /* h, m, s */
};

/* 0, or -1 and *err (ERR_BAD_SPAN). Whole numbers, each unit once, d and w before bd before all others; spaces between
 * the parts are optional. */
int span_parse(struct slice text, struct span *ret_span, struct err *err);
/* "2bd 1bh 30bm"; "0s" for a zero span. Whatever span_parse gave parses back to the same. */
void span_format(const struct span *span, char ret_text[SPAN_TEXT_BYTES]);
bool span_is_zero(const struct span *span);

#endif
