/* SPDX-License-Identifier: Apache-2.0
 *
 * Questions to a compiled calendar. All of them come down to one function of time and its inverses:
 *
 *     open_until(t)      open time from the beginning of the range to t; rises while open, level while closed
 *     earliest(s)        where it first reaches s: the end of an interval, when s is reached at an end
 *     latest(s)          where it last equals s: the next opening, when s is reached at an end
 */
#include "rules/calendar/calendar.h"

#include <stdio.h>

#include "rules/base/err.h"
#include "rules/calendar/calendar_blocks.h"
#include "rules/calendar/span.h"
#include "rules/text/date.h"
#include "rules/text/zone.h"

/* Said in every turn of every loop: tests/unit/test_calendar_steps.c counts them. */
#ifndef CALENDAR_STEP
#define CALENDAR_STEP() ((void)0)
#endif

enum { EXPLAIN_STEPS_MAX = 100000 }; /* weeks walked at most; ten years are 522 */

const char *calendar_name(const struct calendar *calendar)
{
	return calendar->name;
}

const struct zone *calendar_zone(const struct calendar *calendar)
{
	return calendar->zone;
}

uint64_t calendar_version(const struct calendar *calendar)
{
	return calendar->version;
}

/* ---- open time */

static const struct block *range_end(const struct calendar *calendar)
{
	return &calendar->blocks[calendar->block_count];
}

/* The last block that begins at or before `at_ms`; the first block if there is none. */
static const struct block *block_at(const struct calendar *calendar, int64_t at_ms)
{
	size_t low = 0, high = calendar->block_count;
	while (low < high) {
		CALENDAR_STEP();
		size_t middle = (low + high + 1) / 2;
		if (calendar->blocks[middle].start_ms <= at_ms)
			low = middle;
		else
			high = middle - 1;
	}
	return &calendar->blocks[low];
}

/* The piece of a week that begins at or before `ms`; NULL if all begin later. */
static const struct week_piece *piece_at(const struct calendar *calendar, const struct block *block, int64_t ms)
{
	const struct week_piece *pieces = calendar->pieces + block->first_piece;
	size_t low = 0, high = block->piece_count;
	while (low < high) {
		CALENDAR_STEP();
		size_t middle = (low + high) / 2;
		if (pieces[middle].start_ms <= ms)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 ? &pieces[low - 1] : NULL;
}

/* Where an instant lies: its week of its block, and the time since that week began. A special week may be longer or
 * shorter than seven days, so only plain blocks are divided. */
struct position {
	const struct block *block;
	int64_t week; /* within the block */
	int64_t ms;
};

static struct position position_of(const struct calendar *calendar, int64_t at_ms)
{
	const struct block *block = block_at(calendar, at_ms);
	struct position position = {block, 0, at_ms - block->start_ms};
	if (block->weeks > 1) {
		position.week = position.ms / MS_PER_WEEK;
		position.ms -= position.week * MS_PER_WEEK;
	}
	return position;
}

static bool is_in_range(const struct calendar *calendar, int64_t at_ms)
{
	return at_ms >= calendar->blocks[0].start_ms && at_ms < range_end(calendar)->start_ms;
}

static int64_t open_until(const struct calendar *calendar, int64_t at_ms)
{
	if (at_ms < calendar->blocks[0].start_ms)
		return 0;
	struct position position = position_of(calendar, at_ms);
	const struct week_piece *piece = piece_at(calendar, position.block, position.ms);
	int64_t sum = position.block->open_before_ms + position.week * position.block->open_per_week_ms;
	if (piece == NULL)
		return sum;
	int64_t end = position.ms < piece->end_ms ? position.ms : piece->end_ms;
	return sum + piece->open_before_ms + (end - piece->start_ms);
}

/* The last block with less than `open_ms` (or, if `is_latest`, at most) before it. */
static const struct block *block_by_open(const struct calendar *calendar, int64_t open_ms, bool is_latest)
{
	size_t low = 0, high = calendar->block_count;
	int64_t limit = is_latest ? open_ms : open_ms - 1;
	while (low < high) {
		CALENDAR_STEP();
		size_t middle = (low + high + 1) / 2;
		if (calendar->blocks[middle].open_before_ms <= limit)
			low = middle;
		else
			high = middle - 1;
	}
	return &calendar->blocks[low];
}

/* The last piece of a week with at most `open_ms` before it. The first has 0. */
static const struct week_piece *piece_by_open(const struct calendar *calendar, const struct block *block, int64_t open_ms)
{
	const struct week_piece *pieces = calendar->pieces + block->first_piece;
	size_t low = 0, high = block->piece_count - 1;
	while (low < high) {
		CALENDAR_STEP();
		size_t middle = (low + high + 1) / 2;
		if (pieces[middle].open_before_ms <= open_ms)
			low = middle;
		else
			high = middle - 1;
	}
	return &pieces[low];
}

/* The instant inside `block` that has `rest` ms of the block's open time before it, where `shift` (0 or 1) is 1 when an
 * amount reached at the end of a piece means that end. */
static int64_t instant_in(const struct calendar *calendar, const struct block *block, int64_t rest, int64_t shift)
{
	int64_t week = (rest - shift) / block->open_per_week_ms;
	rest -= week * block->open_per_week_ms;
	const struct week_piece *piece = piece_by_open(calendar, block, rest - shift);
	return block->start_ms + week * MS_PER_WEEK + piece->start_ms + (rest - piece->open_before_ms);
}

static int64_t earliest(const struct calendar *calendar, int64_t open_ms)
{
	if (open_ms <= 0 || open_ms > range_end(calendar)->open_before_ms)
		return CALENDAR_NEVER;
	const struct block *block = block_by_open(calendar, open_ms, false);
	return instant_in(calendar, block, open_ms - block->open_before_ms, 1);
}

static int64_t latest(const struct calendar *calendar, int64_t open_ms)
{
	if (open_ms < 0 || open_ms >= range_end(calendar)->open_before_ms)
		return CALENDAR_NEVER;
	const struct block *block = block_by_open(calendar, open_ms, true);
	return instant_in(calendar, block, open_ms - block->open_before_ms, 0);
}

bool calendar_is_open(const struct calendar *calendar, int64_t at_ms)
{
	if (!is_in_range(calendar, at_ms))
		return false;
	struct position position = position_of(calendar, at_ms);
	const struct week_piece *piece = piece_at(calendar, position.block, position.ms);
	return piece != NULL && position.ms < piece->end_ms;
}

int64_t calendar_next_open(const struct calendar *calendar, int64_t at_ms)
{
	return latest(calendar, open_until(calendar, at_ms));
}

int64_t calendar_last_open(const struct calendar *calendar, int64_t at_ms)
{
	return calendar_is_open(calendar, at_ms) ? at_ms : earliest(calendar, open_until(calendar, at_ms));
}

int64_t calendar_elapsed(const struct calendar *calendar, int64_t from_ms, int64_t to_ms)
{
	return open_until(calendar, to_ms) - open_until(calendar, from_ms);
}

/* Longer than the whole range; keeps sums far from overflow. */
static bool is_absurd(int64_t open_ms)
{
	const int64_t range_ms = (int64_t)(CALENDAR_END_YEAR - CALENDAR_FIRST_YEAR) * 367 * MS_PER_DAY;
	return open_ms > range_ms || open_ms < -range_ms;
}

int64_t calendar_deadline(const struct calendar *calendar, int64_t start_ms, int64_t open_ms)
{
	if (is_absurd(open_ms) || start_ms == CALENDAR_NEVER)
		return CALENDAR_NEVER;
	if (open_ms < 0)
		return calendar_deadline_before(calendar, start_ms, -open_ms);
	if (open_ms == 0)
		return calendar_next_open(calendar, start_ms);
	return earliest(calendar, open_until(calendar, start_ms) + open_ms);
}

int64_t calendar_deadline_before(const struct calendar *calendar, int64_t start_ms, int64_t open_ms)
{
	if (is_absurd(open_ms) || start_ms == CALENDAR_NEVER)
		return CALENDAR_NEVER;
	if (open_ms < 0)
		return calendar_deadline(calendar, start_ms, -open_ms);
	if (open_ms == 0)
		return calendar_last_open(calendar, start_ms);
	return latest(calendar, open_until(calendar, start_ms) - open_ms);
}

/* ---- business days */

static int count_bits(unsigned mask)
{
	return __builtin_popcount(mask);
}

/* The block that holds a week; weeks outside of the range belong to the first block or the end. */
static const struct block *block_of_week(const struct calendar *calendar, int64_t week)
{
	size_t low = 0, high = calendar->block_count;
	while (low < high) {
		CALENDAR_STEP();
		size_t middle = (low + high + 1) / 2;
		if (calendar->blocks[middle].first_week <= week)
			low = middle;
		else
			high = middle - 1;
	}
	return &calendar->blocks[low];
}

/* Business days of the range on or before `day`. */
static int64_t days_through(const struct calendar *calendar, int64_t day)
{
	int64_t week = week_of_day(day);
	const struct block *block = block_of_week(calendar, week);
	if (week < block->first_week)
		return 0;
	if (block->weeks == 0)
		return block->days_before;
	unsigned through = (1u << (date_weekday(day) + 1)) - 1;
	return block->days_before + (week - block->first_week) * count_bits(block->day_mask) +
	       count_bits(block->day_mask & through);
}

/* The business day with `number` others before it in the range. */
static bool day_of_number(const struct calendar *calendar, int64_t number, int64_t *ret_day)
{
	if (number < 0 || number >= range_end(calendar)->days_before)
		return false;
	size_t low = 0, high = calendar->block_count;
	while (low < high) {
		CALENDAR_STEP();
		size_t middle = (low + high + 1) / 2;
		if (calendar->blocks[middle].days_before <= number)
			low = middle;
		else
			high = middle - 1;
	}
	const struct block *block = &calendar->blocks[low];
	int64_t rest = number - block->days_before, per_week = count_bits(block->day_mask);
	unsigned mask = block->day_mask;
	for (int64_t skip = rest % per_week; skip > 0; skip--) {
		CALENDAR_STEP();
		mask &= mask - 1;
	}
	*ret_day = monday_of_week(block->first_week + rest / per_week) + __builtin_ctz(mask);
	return true;
}

bool calendar_is_business_day(const struct calendar *calendar, int64_t day)
{
	return days_through(calendar, day) > days_through(calendar, day - 1);
}

int64_t calendar_days_between(const struct calendar *calendar, int64_t from_day, int64_t to_day)
{
	return days_through(calendar, to_day) - days_through(calendar, from_day);
}

bool calendar_add_dates(const struct calendar *calendar, int64_t day, int32_t days, int64_t *ret_day)
{
	if (days == 0) {
		*ret_day = day;
		return true;
	}
	int64_t through = days_through(calendar, day); /* number of the last business day at or before `day`, plus 1 */
	bool is_closed = days > 0 && !calendar_is_business_day(calendar, day);
	return day_of_number(calendar, through - 1 + (is_closed ? 1 : 0) + days, ret_day);
}

/* The day that an instant belongs to, and how far the clock on the wall is from its midnight. That is negative when clocks
 * go back across midnight (St John's until 2011, at 00:01): 23:30 comes again, but the next day has begun. */
struct local_time {
	int64_t day, ms_of_day;
};

static struct local_time local_time_of(const struct calendar *calendar, int64_t at_ms)
{
	int64_t second = floor_div(at_ms, 1000);
	struct civil civil;
	zone_to_civil(calendar->zone, second, &civil);
	int64_t second_of_day = civil.hour * 3600 + civil.minute * 60 + civil.second;
	struct local_time local = {date_to_day(civil.year, civil.month, civil.day), second_of_day * 1000 + (at_ms - second * 1000)};
	if (calendar_instant(calendar->zone, local.day + 1, 0, false) > at_ms)
		return local;
	return (struct local_time){local.day + 1, local.ms_of_day - MS_PER_DAY};
}

int64_t calendar_day_at(const struct calendar *calendar, int64_t at_ms)
{
	return local_time_of(calendar, at_ms).day;
}

/* The same for the end of an interval: midnight belongs to the day that ends with it. */
static struct local_time local_time_of_end(const struct calendar *calendar, int64_t end_ms)
{
	struct local_time local = local_time_of(calendar, end_ms - 1);
	local.ms_of_day++;
	return local;
}

/* First opening and last closing of a local day that has open time. */
static int64_t clamp_into_day(const struct calendar *calendar, int64_t day, int64_t at_ms)
{
	int64_t first = calendar_next_open(calendar, calendar_instant(calendar->zone, day, 0, false));
	int64_t end_of_day = calendar_instant(calendar->zone, day + 1, 0, false);
	int64_t last = earliest(calendar, open_until(calendar, end_of_day));
	if (at_ms < first)
		return first;
	return at_ms > last ? last : at_ms;
}

static int64_t add_days_from(const struct calendar *calendar, struct local_time start, int32_t days)
{
	int64_t day;
	if (!calendar_add_dates(calendar, start.day, days, &day))
		return CALENDAR_NEVER;
	return clamp_into_day(calendar, day, calendar_instant(calendar->zone, day, start.ms_of_day, false));
}

/* Only the date moves. */
static int64_t add_days_keeping_time(const struct calendar *calendar, int64_t start_ms, int32_t days)
{
	struct local_time start = local_time_of(calendar, start_ms);
	int64_t day;
	if (!calendar_add_dates(calendar, start.day, days, &day))
		return CALENDAR_NEVER;
	return calendar_instant(calendar->zone, day, start.ms_of_day, false);
}

/* `days` ≤ 0. */
static int64_t go_back(const struct calendar *calendar, int64_t start_ms, int32_t days, enum calendar_outside outside)
{
	if (calendar_is_open(calendar, start_ms))
		return add_days_from(calendar, local_time_of(calendar, start_ms), days);
	int64_t closing = calendar_last_open(calendar, start_ms);
	if (closing == CALENDAR_NEVER)
		return CALENDAR_NEVER;
	struct local_time start = local_time_of_end(calendar, closing);
	if (outside == CALENDAR_TO_OPENING && closing != start_ms)
		start.ms_of_day = 0; /* clamped to the opening */
	return add_days_from(calendar, start, days);
}

static int64_t go_on(const struct calendar *calendar, int64_t start_ms, int32_t days)
{
	int64_t opening = calendar_next_open(calendar, start_ms);
	if (opening == CALENDAR_NEVER || days == 0)
		return opening;
	return add_days_from(calendar, local_time_of(calendar, opening), days);
}

int64_t calendar_add_days(const struct calendar *calendar, int64_t start_ms, int32_t days, enum calendar_outside outside)
{
	if (start_ms == CALENDAR_NEVER)
		return CALENDAR_NEVER;
	if (outside == CALENDAR_KEEP_TIME)
		return add_days_keeping_time(calendar, start_ms, days);
	return days < 0 ? go_back(calendar, start_ms, days, outside) : go_on(calendar, start_ms, days);
}

int64_t calendar_subtract_days(const struct calendar *calendar, int64_t start_ms, int32_t days, enum calendar_outside outside)
{
	if (days != 0 || outside == CALENDAR_KEEP_TIME)
		return calendar_add_days(calendar, start_ms, -days, outside);
	return start_ms == CALENDAR_NEVER ? CALENDAR_NEVER : go_back(calendar, start_ms, 0, outside);
}

/* ---- spans */

static int64_t add_calendar_days(const struct calendar *calendar, int64_t start_ms, int32_t days)
{
	if (days == 0 || start_ms == CALENDAR_NEVER)
		return start_ms;
	struct local_time start = local_time_of(calendar, start_ms);
	return calendar_instant(calendar->zone, start.day + days, start.ms_of_day, false);
}

static int64_t add_elapsed(int64_t start_ms, int64_t elapsed_ms)
{
	int64_t sum;
	bool is_lost = start_ms == CALENDAR_NEVER || __builtin_add_overflow(start_ms, elapsed_ms, &sum);
	return is_lost ? CALENDAR_NEVER : sum;
}

int64_t calendar_add_span(const struct calendar *calendar, int64_t start_ms, const struct span *span)
{
	int64_t at = add_calendar_days(calendar, start_ms, span->days);
	if (span->business_days != 0)
		at = calendar_add_days(calendar, at, span->business_days, CALENDAR_CLAMP);
	at = add_elapsed(at, span->elapsed_ms);
	return span->business_ms != 0 ? calendar_deadline(calendar, at, span->business_ms) : at;
}

int64_t calendar_subtract_span(const struct calendar *calendar, int64_t due_ms, const struct span *span)
{
	int64_t at = due_ms;
	if (span->business_ms != 0)
		at = calendar_deadline_before(calendar, at, span->business_ms);
	at = add_elapsed(at, -span->elapsed_ms);
	if (span->business_days != 0)
		at = calendar_add_days(calendar, at, -span->business_days, CALENDAR_CLAMP);
	return add_calendar_days(calendar, at, -span->days);
}

/* ---- explanation */

/* The first holiday in [from_day, to_day]. */
static const char *holiday_between(const struct calendar *calendar, int64_t from_day, int64_t to_day)
{
	size_t low = 0, high = calendar->holiday_count;
	while (low < high) {
		CALENDAR_STEP();
		size_t middle = (low + high) / 2;
		if (calendar->holidays[middle].day < from_day)
			low = middle + 1;
		else
			high = middle;
	}
	bool is_found = low < calendar->holiday_count && calendar->holidays[low].day <= to_day;
	return is_found ? calendar->holidays[low].name : NULL;
}

/* The end of the open interval at `at_ms`, or an earlier instant at which a compiled week ends. */
static int64_t end_of_piece(const struct calendar *calendar, int64_t at_ms)
{
	struct position position = position_of(calendar, at_ms);
	const struct week_piece *piece = piece_at(calendar, position.block, position.ms);
	return at_ms - position.ms + piece->end_ms;
}

static int64_t end_of_opening(const struct calendar *calendar, int64_t at_ms, int64_t limit_ms)
{
	int64_t end = at_ms;
	for (int step = 0; step < EXPLAIN_STEPS_MAX && end < limit_ms && calendar_is_open(calendar, end); step++)
		end = end_of_piece(calendar, end);
	return end < limit_ms ? end : limit_ms;
}

static struct calendar_piece piece_from(const struct calendar *calendar, int64_t from_ms, int64_t to_ms)
{
	struct calendar_piece piece = {.from_ms = from_ms, .is_open = calendar_is_open(calendar, from_ms)};
	if (piece.is_open) {
		piece.to_ms = end_of_opening(calendar, from_ms, to_ms);
		return piece;
	}
	int64_t opening = calendar_next_open(calendar, from_ms);
	piece.to_ms = opening < to_ms ? opening : to_ms;
	int64_t last_day = calendar_day_at(calendar, piece.to_ms - 1);
	piece.holiday = holiday_between(calendar, calendar_day_at(calendar, from_ms), last_day);
	return piece;
}

size_t calendar_explain(const struct calendar *calendar, int64_t from_ms, int64_t to_ms, struct calendar_piece *pieces,
                        size_t max, bool *ret_is_cut)
{
	size_t count = 0;
	while (from_ms < to_ms && count < max) {
		pieces[count] = piece_from(calendar, from_ms, to_ms);
		from_ms = pieces[count++].to_ms;
	}
	*ret_is_cut = from_ms < to_ms;
	return count;
}

/* ---- texts */

static int two_digits(struct slice text, size_t at)
{
	if (at + 2 > text.len || text.p[at] < '0' || text.p[at] > '9' || text.p[at + 1] < '0' || text.p[at + 1] > '9')
		return -1;
	return (text.p[at] - '0') * 10 + (text.p[at + 1] - '0');
}

/* "HH:MM" or "HH:MM:SS" → second of the day, 24:00 included; -1 if it is neither. */
static int32_t second_of_day(struct slice text)
{
	bool has_seconds = text.len == 8;
	int hour = two_digits(text, 0), minute = two_digits(text, 3), second = has_seconds ? two_digits(text, 6) : 0;
	if ((text.len != 5 && !has_seconds) || text.p[2] != ':' || (has_seconds && text.p[5] != ':'))
		return -1;
	if (hour < 0 || minute < 0 || minute > 59 || second < 0 || second > 59)
		return -1;
	int32_t result = hour * 3600 + minute * 60 + second;
	return result <= SECONDS_PER_DAY ? result : -1;
}

int hours_parse(struct slice open, struct slice close, struct hours *ret_hours, struct err *err)
{
	struct hours hours = {second_of_day(open), second_of_day(close)};
	if (hours.open < 0 || hours.open == SECONDS_PER_DAY)
		return err_set(err, ERR_BAD_HOURS, "\"%.*s\" is no opening time: write 00:00 to 23:59", SLICE_ARG(open));
	if (hours.close < 0)
		return err_set(err, ERR_BAD_HOURS, "\"%.*s\" is no closing time: write 00:00 to 24:00", SLICE_ARG(close));
	if (hours.close == 0)
		hours.close = SECONDS_PER_DAY;
	if (hours.open == hours.close)
		return err_set(err, ERR_BAD_HOURS, "an interval ends when it begins; the whole day is 00:00 to 24:00");
	*ret_hours = hours;
	return 0;
}

int calendar_date_parse(struct slice text, int64_t *ret_day, struct err *err)
{
	bool has_form = text.len == 10 && text.p[4] == '-' && text.p[7] == '-';
	int century = has_form ? two_digits(text, 0) : -1, year = has_form ? two_digits(text, 2) : -1;
	int month = has_form ? two_digits(text, 5) : -1, day = has_form ? two_digits(text, 8) : -1;
	if (century < 0 || year < 0 || !date_is_valid(century * 100 + year, month, day))
		return err_set(err, ERR_BAD_DATE, "\"%.*s\" is no date: write YYYY-MM-DD", SLICE_ARG(text));
	*ret_day = date_to_day(century * 100 + year, month, day);
	return 0;
}
