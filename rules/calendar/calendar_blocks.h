/* SPDX-License-Identifier: Apache-2.0
 *
 * The compiled form of a calendar; for calendar.c, calendar_compile.c and calendar_text.c only.
 *
 *     time  ──►  │ plain ×9 │special│ plain ×25 │special│special│ plain … │ end
 *                 a week that repeats: one table, a count and an offset to UTC
 *                 a week with a holiday, a special date or a change of clocks: a table of its own
 *
 * Every block knows how much open time and how many business days lie before it. Weeks begin on Monday 00:00 local time
 * (the first instant of that date). Week 0 holds 1970-01-01.
 */
#ifndef LR_RULES_CALENDAR_CALENDAR_BLOCKS_H
#define LR_RULES_CALENDAR_CALENDAR_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

#include "rules/calendar/calendar.h"

enum { MS_PER_DAY = 86400000, MS_PER_WEEK = 7 * MS_PER_DAY };

/* An open interval inside a week, relative to the beginning of the week. */
struct week_piece {
	int32_t start_ms, end_ms;
	int32_t open_before_ms; /* open time of the week before this piece */
};

struct block {
	int64_t start_ms;
	int64_t open_before_ms;
	int32_t first_week, weeks; /* special blocks have one week; the last block, behind the range, has none */
	int32_t days_before;       /* business days before this block */
	int32_t open_per_week_ms;
	uint32_t first_piece, piece_count; /* into pieces */
	uint8_t day_mask;                  /* bit 0 = Monday is a business day */
};

struct named_day {
	int64_t day;
	const char *name;
};

struct calendar {
	uint64_t version;
	const char *name;
	const struct zone *zone;
	const struct block *blocks; /* `block_count` blocks and the end */
	size_t block_count;
	const struct week_piece *pieces;
	const struct named_day *holidays; /* sorted, those that are closed */
	size_t holiday_count;
};

static inline int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* The week that holds a day, and the Monday of a week. */
static inline int64_t week_of_day(int64_t day)
{
	return floor_div(day + 3, 7);
}

static inline int64_t monday_of_week(int64_t week)
{
	return week * 7 - 3;
}

/* Local time → instant. `ms_of_day` may lie outside one day. `is_last` picks the last of a repeated time. */
int64_t calendar_instant(const struct zone *zone, int64_t day, int64_t ms_of_day, bool is_last);

#endif
