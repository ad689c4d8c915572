/* SPDX-License-Identifier: Apache-2.0
 *
 * From a calendar_spec to blocks.
 *
 *     dates, breaks, holidays ──► exceptions, sorted ─┐
 *     zone ──► clock changes ─────────────────────────┴─► special weeks, sorted ──► blocks
 *     weekday hours ──► the plain week, one table ────────────────────────────────►
 *
 * A special week is built from instants: each interval of its dates (and of the two dates before, which may last into it)
 * is mapped through the zone, cut to the week, merged, and its breaks are taken out. The plain week is built by the same
 * code under UTC.
 */
#include "rules/calendar/calendar.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "rules/base/arena.h"
#include "rules/base/err.h"
#include "rules/base/hash.h"
#include "rules/base/mem.h"
#include "rules/calendar/calendar_blocks.h"
#include "rules/text/date.h"
#include "rules/text/zone.h"

enum {
	/* Dates before a week whose intervals may reach into it: an interval ends on the next date at the latest, and where
	 * that end is a repeated time it may be an hour later still. */
	LOOK_BACK_DAYS = 2,
	VERSION_OF_FORMAT = 1,
	CHANGE_MARGIN_S = 3600, /* a clock change makes the weeks special that lie this near to it */
	/* A date can have breaks of its weekday and of its own. */
	WEEK_INTERVALS_MAX = (7 + LOOK_BACK_DAYS) * CALENDAR_HOURS_MAX * 2,
};

/* Everything that is said about one date. */
struct exception {
	int64_t day;
	const struct hours_list *replaced; /* NULL: not replaced */
	const struct hours_list *breaks;   /* in addition; NULL: none */
	const struct holiday *holiday;     /* NULL: none */
};

struct interval {
	int64_t start, end;
};

struct interval_list {
	struct interval items[WEEK_INTERVALS_MAX];
	size_t count;
};

struct compiler {
	const struct calendar_spec *spec;
	struct exception *exceptions; /* sorted by day, one per day */
	size_t exception_count;
	int64_t *special_weeks; /* sorted, unique after sort_special_weeks */
	size_t special_count, special_capacity;
	struct block *blocks;
	size_t block_count, block_capacity;
	struct week_piece *pieces;
	size_t piece_count, piece_capacity;
	int64_t open_ms; /* sums over the blocks so far */
	int32_t days;
	bool is_plain_week; /* building the week that repeats: no zone, no exceptions */
};

int64_t calendar_instant(const struct zone *zone, int64_t day, int64_t ms_of_day, bool is_last)
{
	struct civil civil = {0};
	date_from_day(day, &civil.year, &civil.month, &civil.day);
	int64_t second = floor_div(ms_of_day, 1000), rest = ms_of_day - second * 1000;
	civil.second = (int)second;
	if (rest != 0 && zone_is_skipped(zone, &civil))
		rest = 0;
	return zone_from_civil(zone, &civil, is_last ? ZONE_LAST : ZONE_FIRST) * 1000 + rest;
}

/* ---- checking */

static int check_hours(const struct hours_list *list, struct err *err)
{
	if (list->count > CALENDAR_HOURS_MAX)
		return err_set(err, ERR_TOO_MANY, "%zu intervals in one day, the limit is %d", list->count, (int)CALENDAR_HOURS_MAX);
	for (size_t at = 0; at < list->count; at++) {
		int32_t open = list->items[at].open, close = list->items[at].close;
		if (open < 0 || open >= SECONDS_PER_DAY || close < 1 || close > SECONDS_PER_DAY)
			return err_set(err, ERR_BAD_HOURS, "opening hours outside of 00:00 to 24:00");
		if (open == close)
			return err_set(err, ERR_BAD_HOURS, "an interval ends when it begins; the whole day is 00:00 to 24:00");
	}
	return 0;
}

static int64_t first_day(void)
{
	return date_to_day(CALENDAR_FIRST_YEAR, 1, 1);
}

static int64_t end_day(void)
{
	return date_to_day(CALENDAR_END_YEAR, 1, 1);
}

static int check_day(int64_t day, struct err *err)
{
	if (day < first_day() || day >= end_day())
		return err_set(err, ERR_BAD_DATE, "a date before %d or after %d", (int)CALENDAR_FIRST_YEAR,
		               (int)CALENDAR_END_YEAR - 1);
	return 0;
}

static int check_dated(const struct dated_hours *items, size_t count, struct err *err)
{
	for (size_t at = 0; at < count; at++)
		if (check_day(items[at].day, err) != 0 || check_hours(&items[at].hours, err) != 0)
			return -1;
	return 0;
}

static int check_spec(const struct calendar_spec *spec, struct err *err)
{
	if (spec->zone == NULL)
		return err_set(err, ERR_BAD_ZONE, "calendar \"%s\" has no time zone", spec->name);
	if (spec->date_count > CALENDAR_DATES_MAX || spec->date_break_count > CALENDAR_DATES_MAX ||
	    spec->holiday_count > CALENDAR_DATES_MAX)
		return err_set(err, ERR_TOO_MANY, "more than %d dates", (int)CALENDAR_DATES_MAX);
	for (int weekday = 0; weekday < 7; weekday++)
		if (check_hours(&spec->week[weekday], err) != 0 || check_hours(&spec->breaks[weekday], err) != 0)
			return -1;
	for (size_t at = 0; at < spec->holiday_count; at++)
		if (check_day(spec->holidays[at].day, err) != 0)
			return -1;
	if (check_dated(spec->dates, spec->date_count, err) != 0)
		return -1;
	return check_dated(spec->date_breaks, spec->date_break_count, err);
}

/* ---- exceptions */

static int by_day(const void *a, const void *b)
{
	int64_t one = ((const struct exception *)a)->day, other = ((const struct exception *)b)->day;
	return (one > other) - (one < other);
}

static int duplicate_date(int64_t day, const char *kind, struct err *err)
{
	int64_t year;
	int month, date;
	date_from_day(day, &year, &month, &date);
	return err_set(err, ERR_DUPLICATE, "%s for %04d-%02d-%02d are given twice", kind, (int)year, month, date);
}

/* Joins what is said about the same date in several places. */
static int merge_exceptions(struct compiler *c, struct err *err)
{
	size_t kept = 0;
	for (size_t at = 0; at < c->exception_count; at++) {
		struct exception *next = &c->exceptions[at], *last = kept > 0 ? &c->exceptions[kept - 1] : NULL;
		if (last == NULL || last->day != next->day) {
			c->exceptions[kept++] = *next;
			continue;
		}
		if (last->replaced != NULL && next->replaced != NULL)
			return duplicate_date(next->day, "hours", err);
		if (last->breaks != NULL && next->breaks != NULL)
			return duplicate_date(next->day, "breaks", err);
		last->replaced = last->replaced != NULL ? last->replaced : next->replaced;
		last->breaks = last->breaks != NULL ? last->breaks : next->breaks;
		last->holiday = last->holiday != NULL ? last->holiday : next->holiday;
	}
	c->exception_count = kept;
	return 0;
}

static int collect_exceptions(struct compiler *c, struct err *err)
{
	const struct calendar_spec *spec = c->spec;
	size_t count = spec->date_count + spec->date_break_count + spec->holiday_count, at = 0;
	c->exceptions = xcalloc(count + 1, sizeof *c->exceptions);
	for (size_t n = 0; n < spec->date_count; n++)
		c->exceptions[at++] = (struct exception){.day = spec->dates[n].day, .replaced = &spec->dates[n].hours};
	for (size_t n = 0; n < spec->date_break_count; n++)
		c->exceptions[at++] = (struct exception){.day = spec->date_breaks[n].day, .breaks = &spec->date_breaks[n].hours};
	for (size_t n = 0; n < spec->holiday_count; n++)
		c->exceptions[at++] = (struct exception){.day = spec->holidays[n].day, .holiday = &spec->holidays[n]};
	c->exception_count = count;
	qsort(c->exceptions, count, sizeof *c->exceptions, by_day);
	return merge_exceptions(c, err);
}

static const struct exception *find_exception(const struct compiler *c, int64_t day)
{
	struct exception key = {.day = day};
	if (c->is_plain_week || c->exception_count == 0)
		return NULL;
	return bsearch(&key, c->exceptions, c->exception_count, sizeof key, by_day);
}

/* ---- one week */

static int64_t instant_of(const struct compiler *c, int64_t day, int64_t ms_of_day, bool is_last)
{
	if (c->is_plain_week)
		return day * MS_PER_DAY + ms_of_day;
	return calendar_instant(c->spec->zone, day, ms_of_day, is_last);
}

/* Adds the intervals of a date, as far as they lie in [from, to). */
static void add_intervals(const struct compiler *c, int64_t day, const struct hours_list *hours, struct interval week,
                          struct interval_list *list)
{
	for (size_t at = 0; hours != NULL && at < hours->count; at++) {
		int64_t open = hours->items[at].open, close = hours->items[at].close;
		if (close < open)
			close += SECONDS_PER_DAY;
		int64_t start = instant_of(c, day, open * 1000, false), end = instant_of(c, day, close * 1000, true);
		start = start < week.start ? week.start : start;
		end = end > week.end ? week.end : end;
		if (start < end)
			list->items[list->count++] = (struct interval){start, end};
	}
}

static const struct hours_list *hours_of(const struct compiler *c, int64_t day)
{
	const struct exception *exception = find_exception(c, day);
	if (exception != NULL && exception->replaced != NULL)
		return exception->replaced;
	if (exception != NULL && exception->holiday != NULL)
		return NULL;
	return &c->spec->week[date_weekday(day)];
}

static int by_start(const void *a, const void *b)
{
	int64_t one = ((const struct interval *)a)->start, other = ((const struct interval *)b)->start;
	return (one > other) - (one < other);
}

/* Sorts and joins intervals that overlap or touch. */
static void merge_intervals(struct interval_list *list)
{
	size_t kept = 0;
	qsort(list->items, list->count, sizeof *list->items, by_start);
	for (size_t at = 0; at < list->count; at++) {
		struct interval next = list->items[at];
		if (kept > 0 && next.start <= list->items[kept - 1].end) {
			if (next.end > list->items[kept - 1].end)
				list->items[kept - 1].end = next.end;
		} else {
			list->items[kept++] = next;
		}
	}
	list->count = kept;
}

static void add_piece(struct compiler *c, int64_t start_ms, int64_t end_ms, int64_t open_before_ms)
{
	if (c->piece_count == c->piece_capacity) {
		c->piece_capacity = c->piece_capacity * 2 + 256;
		c->pieces = xreallocarray(c->pieces, c->piece_capacity, sizeof *c->pieces);
	}
	c->pieces[c->piece_count++] = (struct week_piece){(int32_t)start_ms, (int32_t)end_ms, (int32_t)open_before_ms};
}

/* Writes what is open and in no break; both lists are merged. Returns the sum of open time. */
static int64_t write_pieces(struct compiler *c, int64_t origin, const struct interval_list *open,
                            const struct interval_list *breaks)
{
	int64_t sum = 0;
	size_t pause = 0;
	for (size_t at = 0; at < open->count; at++) {
		int64_t start = open->items[at].start, end = open->items[at].end;
		while (pause < breaks->count && breaks->items[pause].end <= start)
			pause++;
		for (size_t n = pause; start < end; n++) {
			bool has_break = n < breaks->count && breaks->items[n].start < end;
			int64_t stop = has_break ? breaks->items[n].start : end;
			if (start < stop) {
				add_piece(c, start - origin, stop - origin, sum);
				sum += stop - start;
			}
			if (!has_break)
				break;
			start = breaks->items[n].end;
		}
	}
	return sum;
}

static void gather_week(const struct compiler *c, int64_t monday, struct interval week, struct interval_list *open,
                        struct interval_list *breaks)
{
	open->count = breaks->count = 0;
	for (int64_t day = monday - LOOK_BACK_DAYS; day < monday + 7; day++) {
		const struct exception *exception = find_exception(c, day);
		add_intervals(c, day, hours_of(c, day), week, open);
		add_intervals(c, day, &c->spec->breaks[date_weekday(day)], week, breaks);
		if (exception != NULL)
			add_intervals(c, day, exception->breaks, week, breaks);
	}
	merge_intervals(open);
	merge_intervals(breaks);
}

/* Open time in [0, until) of a week's pieces. */
static int64_t open_until(const struct week_piece *pieces, size_t count, int64_t until)
{
	int64_t sum = 0;
	for (size_t at = 0; at < count && pieces[at].start_ms < until; at++)
		sum += (pieces[at].end_ms < until ? pieces[at].end_ms : until) - pieces[at].start_ms;
	return sum;
}

static uint8_t mask_of_days(const struct compiler *c, int64_t monday, const struct block *block)
{
	const struct week_piece *pieces = block->piece_count > 0 ? c->pieces + block->first_piece : NULL;
	int64_t origin = instant_of(c, monday, 0, false), before = 0;
	unsigned mask = 0;
	for (int weekday = 0; weekday < 7; weekday++) {
		int64_t end_of_day = instant_of(c, monday + weekday + 1, 0, false) - origin;
		int64_t until = open_until(pieces, block->piece_count, end_of_day);
		if (until > before)
			mask |= 1u << weekday;
		before = until;
	}
	return (uint8_t)mask;
}

/* Pieces, open time and business days of the week that begins on `monday`; the caller fills the rest. */
static struct block build_week(struct compiler *c, int64_t monday)
{
	static_assert(WEEK_INTERVALS_MAX * sizeof(struct interval) < 16384, "interval lists live on the stack");
	struct interval_list open, breaks;
	struct interval week = {instant_of(c, monday, 0, false), instant_of(c, monday + 7, 0, false)};
	gather_week(c, monday, week, &open, &breaks);
	struct block block = {.start_ms = week.start, .first_piece = (uint32_t)c->piece_count};
	block.open_per_week_ms = (int32_t)write_pieces(c, week.start, &open, &breaks);
	block.piece_count = (uint32_t)c->piece_count - block.first_piece;
	block.day_mask = mask_of_days(c, monday, &block);
	return block;
}

/* ---- special weeks */

static void mark_week(struct compiler *c, int64_t week)
{
	if (c->special_count > 0 && c->special_weeks[c->special_count - 1] == week)
		return;
	if (c->special_count == c->special_capacity) {
		c->special_capacity = c->special_capacity * 2 + 64;
		c->special_weeks = xreallocarray(c->special_weeks, c->special_capacity, sizeof *c->special_weeks);
	}
	c->special_weeks[c->special_count++] = week;
}

/* A date is felt in its own week and, through intervals over midnight, in that of the next date. */
static void mark_exceptions(struct compiler *c)
{
	for (size_t at = 0; at < c->exception_count; at++) {
		mark_week(c, week_of_day(c->exceptions[at].day));
		mark_week(c, week_of_day(c->exceptions[at].day + 1));
	}
}

static void mark_clock_changes(struct compiler *c)
{
	int64_t at = (first_day() - 8) * SECONDS_PER_DAY, end = (end_day() + 8) * SECONDS_PER_DAY;
	while (zone_next_change(c->spec->zone, at, &at) && at < end) {
		int64_t before = at + zone_offset_at(c->spec->zone, at - 1), after = at + zone_offset_at(c->spec->zone, at);
		int64_t low = (before < after ? before : after) - CHANGE_MARGIN_S;
		int64_t high = (before < after ? after : before) + CHANGE_MARGIN_S;
		mark_week(c, week_of_day(floor_div(low, SECONDS_PER_DAY)));
		mark_week(c, week_of_day(floor_div(high, SECONDS_PER_DAY)));
	}
}

static int by_number(const void *a, const void *b)
{
	int64_t one = *(const int64_t *)a, other = *(const int64_t *)b;
	return (one > other) - (one < other);
}

static void sort_special_weeks(struct compiler *c)
{
	size_t kept = 0;
	if (c->special_count > 0)
		qsort(c->special_weeks, c->special_count, sizeof *c->special_weeks, by_number);
	for (size_t at = 0; at < c->special_count; at++)
		if (kept == 0 || c->special_weeks[kept - 1] != c->special_weeks[at])
			c->special_weeks[kept++] = c->special_weeks[at];
	c->special_count = kept;
}

/* ---- blocks */

static int count_bits(uint8_t mask)
{
	return __builtin_popcount(mask);
}

static void add_block(struct compiler *c, struct block block, int64_t first_week, int64_t weeks)
{
	if (c->block_count == c->block_capacity) {
		c->block_capacity = c->block_capacity * 2 + 64;
		c->blocks = xreallocarray(c->blocks, c->block_capacity, sizeof *c->blocks);
	}
	block.first_week = (int32_t)first_week;
	block.weeks = (int32_t)weeks;
	block.open_before_ms = c->open_ms;
	block.days_before = c->days;
	c->blocks[c->block_count++] = block;
	c->open_ms += weeks * block.open_per_week_ms;
	c->days += (int32_t)weeks * count_bits(block.day_mask);
}

static void add_plain_block(struct compiler *c, struct block plain, int64_t first_week, int64_t end_week)
{
	if (first_week >= end_week)
		return;
	plain.start_ms = calendar_instant(c->spec->zone, monday_of_week(first_week), 0, false);
	add_block(c, plain, first_week, end_week - first_week);
}

static void build_blocks(struct compiler *c)
{
	int64_t week = week_of_day(first_day()), end = week_of_day(end_day());
	c->is_plain_week = true;
	struct block plain = build_week(c, monday_of_week(0));
	c->is_plain_week = false;
	for (size_t at = 0; at < c->special_count; at++) {
		int64_t special = c->special_weeks[at];
		if (special < week || special >= end)
			continue;
		add_plain_block(c, plain, week, special);
		add_block(c, build_week(c, monday_of_week(special)), special, 1);
		week = special + 1;
	}
	add_plain_block(c, plain, week, end);
	struct block behind = {.start_ms = calendar_instant(c->spec->zone, monday_of_week(end), 0, false)};
	add_block(c, behind, end, 0);
}

/* ---- the result */

static void *copy_array(struct arena *arena, const void *items, size_t count, size_t size)
{
	void *copy = arena_array(arena, count, size);
	if (count > 0)
		memcpy(copy, items, count * size);
	return copy;
}

static void copy_holidays(const struct compiler *c, struct calendar *calendar, struct arena *arena)
{
	struct named_day *days = arena_array(arena, c->exception_count, sizeof *days);
	for (size_t at = 0; at < c->exception_count; at++) {
		const struct exception *exception = &c->exceptions[at];
		if (exception->holiday == NULL || exception->replaced != NULL)
			continue;
		int64_t year;
		int month, date;
		date_from_day(exception->day, &year, &month, &date);
		const char *name = exception->holiday->name;
		name = name != NULL && *name != '\0' ? arena_strdup(arena, name)
		                                     : arena_printf(arena, "%04d-%02d-%02d", (int)year, month, date);
		days[calendar->holiday_count++] = (struct named_day){exception->day, name};
	}
	calendar->holidays = days;
}

static uint64_t mix(uint64_t version, const void *bytes, size_t len)
{
	const uint64_t seed[2] = {version, VERSION_OF_FORMAT};
	return hash_sip(seed, (struct slice){bytes, len});
}

/* Field by field, as structs have gaps. */
static uint64_t version_of(const struct calendar *calendar, size_t piece_count)
{
	const char *zone = zone_name(calendar->zone);
	uint64_t version = mix(0, zone, strlen(zone));
	for (size_t at = 0; at <= calendar->block_count; at++) {
		const struct block *block = &calendar->blocks[at];
		const int64_t fields[] = {block->start_ms, block->first_week, block->first_piece, block->piece_count, block->day_mask};
		version = mix(version, fields, sizeof fields);
	}
	for (size_t at = 0; at < piece_count; at++) {
		const int32_t fields[] = {calendar->pieces[at].start_ms, calendar->pieces[at].end_ms};
		version = mix(version, fields, sizeof fields);
	}
	return version;
}

static const struct calendar *finish(struct compiler *c, struct arena *arena)
{
	struct calendar *calendar = arena_alloc(arena, sizeof *calendar);
	calendar->name = arena_strdup(arena, c->spec->name != NULL ? c->spec->name : "");
	calendar->zone = c->spec->zone;
	calendar->blocks = copy_array(arena, c->blocks, c->block_count, sizeof *c->blocks);
	calendar->block_count = c->block_count - 1;
	calendar->pieces = copy_array(arena, c->pieces, c->piece_count, sizeof *c->pieces);
	copy_holidays(c, calendar, arena);
	calendar->version = version_of(calendar, c->piece_count);
	return calendar;
}

/* That of a question has no name. */
static void refuse_empty(const struct calendar_spec *spec, struct err *err)
{
	if (spec->name == NULL || spec->name[0] == '\0')
		err_set(err, ERR_EMPTY_CALENDAR, "the calendar never opens");
	else
		err_set(err, ERR_EMPTY_CALENDAR, "calendar \"%s\" never opens", spec->name);
}

const struct calendar *calendar_compile(const struct calendar_spec *spec, struct arena *arena, struct err *err)
{
	struct compiler c = {.spec = spec};
	const struct calendar *calendar = NULL;
	if (check_spec(spec, err) != 0 || collect_exceptions(&c, err) != 0)
		goto out;
	mark_exceptions(&c);
	mark_clock_changes(&c);
	sort_special_weeks(&c);
	build_blocks(&c);
	if (c.open_ms == 0)
		refuse_empty(spec, err);
	else
		calendar = finish(&c, arena);
out:
	free(c.exceptions);
	free(c.special_weeks);
	free(c.blocks);
	free(c.pieces);
	return calendar;
}
