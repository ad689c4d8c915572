/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/calendar/calendar_memo.h"

#include "rules/calendar/calendar.h"

static int64_t ask_calendar(enum calendar_ask ask, const struct calendar *calendar, int64_t at_ms, const struct span *span)
{
	switch (ask) {
	case CALENDAR_ADD_SPAN:
		return calendar_add_span(calendar, at_ms, span);
	case CALENDAR_SUBTRACT_SPAN:
		return calendar_subtract_span(calendar, at_ms, span);
	case CALENDAR_NEXT_OPEN:
		return calendar_next_open(calendar, at_ms);
	case CALENDAR_LAST_OPEN:
		return calendar_last_open(calendar, at_ms);
	case CALENDAR_ASK_NOTHING:
		break;
	}
	return CALENDAR_NEVER;
}

static bool is_same(const struct span *a, const struct span *b)
{
	return a->business_days == b->business_days && a->days == b->days && a->business_ms == b->business_ms &&
	       a->elapsed_ms == b->elapsed_ms;
}

enum { ROW_BITS = 7 };
_Static_assert(CALENDAR_MEMO_ROWS == 1 << ROW_BITS, "a row for each value of so many bits");

static size_t row_of(enum calendar_ask ask, const struct calendar *calendar, int64_t at_ms, const struct span *span)
{
	const uint64_t odd = 0x9E3779B97F4A7C15u; /* spreads what differs in a few low bits over the high ones */
	uint64_t days = (uint64_t)(uint32_t)span->days << 32 | (uint32_t)span->business_days;
	uint64_t mix = ((uint64_t)at_ms ^ (uintptr_t)calendar >> 4) * odd + (uint64_t)ask;
	mix = (mix ^ days ^ (uint64_t)span->business_ms ^ (uint64_t)span->elapsed_ms << 20) * odd;
	return mix >> (64 - ROW_BITS);
}

static bool is_answer(const struct calendar_answer *row, enum calendar_ask ask, const struct calendar *calendar,
                      int64_t at_ms, const struct span *span)
{
	return row->ask == ask && row->calendar == calendar && row->at_ms == at_ms && is_same(&row->span, span);
}

static int64_t answer(struct calendar_memo *memo, enum calendar_ask ask, const struct calendar *calendar, int64_t at_ms,
                      const struct span *span)
{
	if (memo == NULL)
		return ask_calendar(ask, calendar, at_ms, span);
	size_t at = row_of(ask, calendar, at_ms, span);
	struct calendar_answer *row = &memo->rows[at], *beside = &memo->rows[at ^ 1];
	if (is_answer(row, ask, calendar, at_ms, span))
		return row->answer_ms;
	if (is_answer(beside, ask, calendar, at_ms, span))
		return beside->answer_ms;
	if (row->ask != CALENDAR_ASK_NOTHING && beside->ask == CALENDAR_ASK_NOTHING)
		row = beside;
	*row = (struct calendar_answer){ask, calendar, at_ms, ask_calendar(ask, calendar, at_ms, span), *span};
	return row->answer_ms;
}

static const struct span nothing;

int64_t calendar_memo_add(struct calendar_memo *memo, const struct calendar *calendar, int64_t at_ms, const struct span *span)
{
	return answer(memo, CALENDAR_ADD_SPAN, calendar, at_ms, span);
}

int64_t calendar_memo_subtract(struct calendar_memo *memo, const struct calendar *calendar, int64_t at_ms,
                               const struct span *span)
{
	return answer(memo, CALENDAR_SUBTRACT_SPAN, calendar, at_ms, span);
}

int64_t calendar_memo_next_open(struct calendar_memo *memo, const struct calendar *calendar, int64_t at_ms)
{
	return answer(memo, CALENDAR_NEXT_OPEN, calendar, at_ms, &nothing);
}

int64_t calendar_memo_last_open(struct calendar_memo *memo, const struct calendar *calendar, int64_t at_ms)
{
	return answer(memo, CALENDAR_LAST_OPEN, calendar, at_ms, &nothing);
}
