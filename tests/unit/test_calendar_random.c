/* SPDX-License-Identifier: Apache-2.0
 *
 * rules/calendar/calendar against a reference that knows only minutes: random calendars in zones with odd clock changes, each
 * compared on every question over some weeks, mostly around a change. The reference reads the zones through the C
 * library, so cctz is checked too. No answer, however far off, takes more than a millisecond.
 *
 *     make check-calendar N=100000                              more of them
 *     CALENDARS=1 CALENDAR_SEED=17 CALENDAR_FROM=4711 build/gcc/unit/test_calendar_random    one; a failure names it
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "rules/base/arena.h"
#include "rules/base/err.h"
#include "rules/calendar/calendar.h"
#include "rules/calendar/span.h"
#include "rules/text/date.h"
#include "rules/text/zone.h"

enum {
	MINUTE_MS = 60000,
	DAYS = 24,                   /* compared */
	MARGIN = 3,                  /* days before and after, so that intervals may reach in */
	MINUTES = (DAYS + 2 * MARGIN) * 1440,
	QUESTIONS = 12,              /* of each kind, per calendar */
	QUICK_NS = 1000000,          /* no answer takes longer, of the processor's time */
	TRIES = 5,                   /* what an interrupt made long is short the next time */
	DEFAULT_CALENDARS = 2580, /* three times each zone */
	CALENDARS_PER_ZONE = 20,
};

static const char *const ZONES[] = {
	"UTC", "Europe/Berlin", "Europe/Dublin", "Europe/London", "Europe/Chisinau", "Europe/Istanbul", "Europe/Moscow",
	"America/New_York", "America/St_Johns", "America/Havana", "America/Sao_Paulo", "America/Asuncion", "America/Santiago",
	"America/Caracas", "America/Nuuk", "America/Scoresbysund", "America/Mexico_City", "America/Goose_Bay", "Africa/Cairo",
	"Africa/Casablanca", "Africa/El_Aaiun", "Africa/Juba", "Asia/Tehran", "Asia/Amman", "Asia/Beirut", "Asia/Gaza",
	"Asia/Kathmandu", "Asia/Kolkata", "Asia/Pyongyang", "Asia/Shanghai", "Asia/Almaty", "Asia/Ulaanbaatar",
	"Australia/Lord_Howe", "Australia/Eucla", "Australia/Adelaide", "Pacific/Chatham", "Pacific/Apia", "Pacific/Fakaofo",
	"Pacific/Kwajalein", "Pacific/Tongatapu", "Pacific/Fiji", "Antarctica/Troll", "Antarctica/Casey",
};

enum { ZONE_COUNT = sizeof ZONES / sizeof *ZONES };

/* ---- numbers (splitmix64, so that a seed means the same everywhere) */

static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static int64_t below(uint64_t *state, int64_t limit)
{
	return (int64_t)(next_random(state) % (uint64_t)limit);
}

/* ---- the reference */

struct minutes {
	int64_t first;                 /* Unix minute of index 0 */
	int64_t local[MINUTES + 1];    /* local minute (days × 1440 + minute of day) in force at each minute */
	int64_t shift;                 /* the most that the clock is ahead of its first minute, or behind it, by changes */
	bool is_open[MINUTES];
	int64_t sum[MINUTES + 1];      /* open minutes before */
	int64_t first_day;             /* local date at the beginning of the compared part */
};

static int64_t local_minute(int64_t unix_minute)
{
	time_t t = unix_minute * 60;
	struct tm tm;
	localtime_r(&t, &tm);
	return date_to_day(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday) * 1440 + tm.tm_hour * 60 + tm.tm_min;
}

/* Reads the clock once an hour, and each minute of an hour in which the offset changes. */
static void read_clock(struct minutes *m)
{
	m->shift = 0;
	for (int64_t at = 0; at <= MINUTES; at += 60) {
		int64_t start = local_minute(m->first + at), end = local_minute(m->first + at + 60);
		for (int64_t n = at; n < at + 60 && n <= MINUTES; n++)
			m->local[n] = end - start == 60 ? start + (n - at) : local_minute(m->first + n);
	}
	for (int64_t n = 0; n <= MINUTES; n++) {
		int64_t ahead = m->local[n] - m->local[0] - n;
		m->shift = ahead > m->shift ? ahead : -ahead > m->shift ? -ahead : m->shift;
	}
}

/* The first minute at which the clock has reached `local`: of a skipped time the end of the gap, of a repeated one the
 * first occurrence. */
static int64_t first_minute(const struct minutes *m, int64_t local)
{
	int64_t near = local - m->local[0];
	int64_t at = near - m->shift < 0 ? 0 : near - m->shift;
	while (at < MINUTES && m->local[at] < local)
		at++;
	return at;
}

/* The last minute at which the clock shows `local`; of a skipped time the end of the gap. */
static int64_t last_minute(const struct minutes *m, int64_t local)
{
	int64_t near = local - m->local[0];
	int64_t at = near + m->shift > MINUTES ? MINUTES : near + m->shift;
	while (at > 0 && m->local[at] > local)
		at--;
	return m->local[at] == local ? at : at + 1;
}

static void mark(struct minutes *m, bool *marks, int64_t day, const struct hours_list *list)
{
	for (size_t n = 0; list != NULL && n < list->count; n++) {
		int64_t open = list->items[n].open / 60, close = list->items[n].close / 60;
		close += close < open ? 1440 : 0;
		int64_t end = last_minute(m, day * 1440 + close);
		for (int64_t at = first_minute(m, day * 1440 + open); at < end; at++)
			marks[at] = true;
	}
}

static const struct hours_list *dated(const struct dated_hours *items, size_t count, int64_t day)
{
	for (size_t n = 0; n < count; n++)
		if (items[n].day == day)
			return &items[n].hours;
	return NULL;
}

static bool is_holiday(const struct calendar_spec *spec, int64_t day)
{
	for (size_t n = 0; n < spec->holiday_count; n++)
		if (spec->holidays[n].day == day)
			return true;
	return false;
}

static void fill(struct minutes *m, const struct calendar_spec *spec)
{
	static bool pauses[MINUTES];
	memset(pauses, 0, sizeof pauses);
	memset(m->is_open, 0, sizeof m->is_open);
	for (int64_t day = m->first_day - 2; day < m->first_day + DAYS + 2; day++) {
		const struct hours_list *own = dated(spec->dates, spec->date_count, day);
		if (own != NULL)
			mark(m, m->is_open, day, own);
		else if (!is_holiday(spec, day))
			mark(m, m->is_open, day, &spec->week[date_weekday(day)]);
		mark(m, pauses, day, &spec->breaks[date_weekday(day)]);
		mark(m, pauses, day, dated(spec->date_breaks, spec->date_break_count, day));
	}
	m->sum[0] = 0;
	for (int64_t at = 0; at < MINUTES; at++) {
		m->is_open[at] = m->is_open[at] && !pauses[at];
		m->sum[at + 1] = m->sum[at] + m->is_open[at];
	}
}

/* ---- random calendars */

struct sample {
	struct calendar_spec spec;
	struct hours hours[400];
	size_t hours_used;
	struct dated_hours dates[8], breaks[8];
	struct holiday holidays[8];
};

static struct hours_list random_hours(struct sample *sample, uint64_t *random, int max)
{
	static const int steps[] = {1, 15, 30, 60};
	int step = steps[below(random, 4)];
	struct hours_list list = {sample->hours + sample->hours_used, (size_t)below(random, max + 1)};
	for (size_t n = 0; n < list.count; n++) {
		int64_t open = below(random, 1440 / step) * step, close = (below(random, 1440 / step) + 1) * step;
		bool is_short = below(random, 2) == 0; /* short ones near the hours in which clocks change */
		if (is_short) {
			open = below(random, 5 * 60 / step) * step;
			close = open + (1 + below(random, 120 / step + 1)) * step;
		}
		if (close == open)
			close = open + 1;
		sample->hours[sample->hours_used++] = (struct hours){(int32_t)open * 60, (int32_t)close * 60};
	}
	return list;
}

static int64_t random_day(const struct minutes *m, uint64_t *random)
{
	return m->first_day - 2 + below(random, DAYS + 4);
}

static size_t random_dates(struct sample *sample, const struct minutes *m, struct dated_hours *dates, uint64_t *random)
{
	size_t count = 0, wanted = (size_t)below(random, 7);
	for (size_t n = 0; n < wanted; n++) {
		int64_t day = random_day(m, random);
		if (dated(dates, count, day) == NULL)
			dates[count++] = (struct dated_hours){day, random_hours(sample, random, 3)};
	}
	return count;
}

static void make_sample(struct sample *sample, const struct minutes *m, const char *zone, uint64_t *random)
{
	memset(sample, 0, sizeof *sample);
	struct calendar_spec *spec = &sample->spec;
	spec->name = "random";
	spec->zone = zone_load(zone);
	bool has_breaks = below(random, 2) == 0;
	for (int weekday = 0; weekday < 7; weekday++) {
		spec->week[weekday] = random_hours(sample, random, 3);
		if (has_breaks)
			spec->breaks[weekday] = random_hours(sample, random, 1);
	}
	spec->dates = sample->dates;
	spec->date_count = random_dates(sample, m, sample->dates, random);
	spec->date_breaks = sample->breaks;
	spec->date_break_count = random_dates(sample, m, sample->breaks, random);
	spec->holidays = sample->holidays;
	spec->holiday_count = (size_t)below(random, 7);
	for (size_t n = 0; n < spec->holiday_count; n++)
		sample->holidays[n] = (struct holiday){random_day(m, random), NULL};
}

/* ---- questions: all instants are whole minutes; `at` counts minutes of the window */

struct asked {
	const struct minutes *m;
	const struct calendar *calendar;
	uint64_t *random;
};

static int64_t ms_of(const struct asked *a, int64_t at)
{
	return (a->m->first + at) * MINUTE_MS;
}

static int64_t random_minute(const struct asked *a)
{
	return (MARGIN + 1) * 1440 + below(a->random, (DAYS - 2) * 1440);
}

/* Edges of the window: what lies beyond them the reference cannot say. */
static const int64_t LOW = MARGIN * 1440 + 1440, HIGH = (MARGIN + DAYS) * 1440 - 1440;

static void ask_elapsed(const struct asked *a)
{
	int64_t from = random_minute(a), to = random_minute(a);
	assert_int_equal(calendar_elapsed(a->calendar, ms_of(a, from), ms_of(a, to)), (a->m->sum[to] - a->m->sum[from]) * MINUTE_MS);
	assert_int_equal(calendar_is_open(a->calendar, ms_of(a, from)), a->m->is_open[from]);
	assert_int_equal(calendar_is_open(a->calendar, ms_of(a, from) + MINUTE_MS - 1), a->m->is_open[from]);
}

/* The reference's answers are minutes of the window; OUTSIDE when they lie beyond its edges. */
enum { OUTSIDE = -1 };

static int64_t reference_next_open(const struct minutes *m, int64_t at)
{
	while (at < HIGH && !m->is_open[at])
		at++;
	return at < HIGH ? at : OUTSIDE;
}

static int64_t reference_last_open(const struct minutes *m, int64_t at)
{
	int64_t last = at;
	while (last > LOW && !m->is_open[at] && !m->is_open[last - 1])
		last--;
	return last > LOW ? last : OUTSIDE;
}

static int64_t reference_deadline(const struct minutes *m, int64_t start, int64_t amount)
{
	int64_t at = start;
	while (at < HIGH && m->sum[at] - m->sum[start] < amount)
		at++;
	return at < HIGH ? at : OUTSIDE;
}

static int64_t reference_deadline_before(const struct minutes *m, int64_t start, int64_t amount)
{
	int64_t at = start;
	while (at > LOW && m->sum[start] - m->sum[at] < amount)
		at--;
	return at > LOW ? at : OUTSIDE;
}

/* Only where the reference knows. */
static void assert_minute(const struct asked *a, int64_t answer_ms, int64_t expected)
{
	if (expected != OUTSIDE)
		assert_int_equal(answer_ms, ms_of(a, expected));
}

static void ask_next_and_last(const struct asked *a)
{
	int64_t at = random_minute(a);
	assert_minute(a, calendar_next_open(a->calendar, ms_of(a, at)), reference_next_open(a->m, at));
	assert_minute(a, calendar_last_open(a->calendar, ms_of(a, at)), reference_last_open(a->m, at));
}

static void ask_deadline(const struct asked *a)
{
	int64_t start = random_minute(a), amount = 1 + below(a->random, 3 * 1440);
	int64_t amount_ms = amount * MINUTE_MS, start_ms = ms_of(a, start);
	assert_minute(a, calendar_deadline(a->calendar, start_ms, amount_ms), reference_deadline(a->m, start, amount));
	assert_minute(a, calendar_deadline_before(a->calendar, start_ms, amount_ms), reference_deadline_before(a->m, start, amount));
}

/* Each undoes the other, also between minutes: from the deadline back is the last instant that has it, from there on the
 * same deadline again. */
static void ask_there_and_back(const struct asked *a)
{
	int64_t start_ms = ms_of(a, random_minute(a)) + below(a->random, MINUTE_MS);
	int64_t amount_ms = 1 + below(a->random, 3 * 1440 * MINUTE_MS);
	int64_t due_ms = calendar_deadline(a->calendar, start_ms, amount_ms);
	if (due_ms == CALENDAR_NEVER)
		return;
	int64_t back_ms = calendar_deadline_before(a->calendar, due_ms, amount_ms);
	assert_int_equal(calendar_elapsed(a->calendar, start_ms, due_ms), amount_ms);
	assert_int_equal(calendar_elapsed(a->calendar, due_ms, start_ms), -amount_ms);
	assert_int_equal(back_ms, calendar_next_open(a->calendar, start_ms));
	assert_int_equal(calendar_deadline(a->calendar, back_ms, amount_ms), due_ms);
	assert_int_equal(calendar_elapsed(a->calendar, start_ms, due_ms - 1), amount_ms - 1);
}

/* The local day that a minute belongs to: the next one has not begun, whatever the clock shows. */
static int64_t reference_day(const struct minutes *m, int64_t at)
{
	int64_t date = m->local[at] / 1440;
	return at < first_minute(m, (date + 1) * 1440) ? date : date + 1;
}

/* Open minutes of a local date. */
static int64_t open_on(const struct minutes *m, int64_t day)
{
	return m->sum[first_minute(m, (day + 1) * 1440)] - m->sum[first_minute(m, day * 1440)];
}

static int64_t clamp(const struct minutes *m, int64_t day, int64_t at)
{
	int64_t first = first_minute(m, day * 1440), last = first_minute(m, (day + 1) * 1440);
	while (!m->is_open[first])
		first++;
	while (!m->is_open[last - 1])
		last--;
	return at < first ? first : at > last ? last : at;
}

/* `days` business days on from a date, negative: back; a day number. */
static int64_t reference_find_day(const struct minutes *m, int64_t day, int64_t days)
{
	int64_t left = days < 0 ? -days : days, step = days < 0 ? -1 : 1;
	while (left > 0 && day > m->first_day + 1 && day < m->first_day + DAYS - 2)
		left -= open_on(m, day += step) > 0;
	return left > 0 || day <= m->first_day + 1 ? OUTSIDE : day;
}

/* `at` is a minute of the window that lies in the day; `minute` what its clock shows, relative to the day's midnight. */
static int64_t reference_step_days(const struct minutes *m, int64_t at, int64_t minute, int64_t days)
{
	int64_t day = reference_find_day(m, reference_day(m, at), days);
	return day == OUTSIDE ? OUTSIDE : clamp(m, day, first_minute(m, day * 1440 + minute));
}

static int64_t minute_of_day(const struct minutes *m, int64_t at)
{
	return m->local[at] - reference_day(m, at) * 1440;
}

static int64_t reference_add_days(const struct minutes *m, int64_t start, int64_t days)
{
	int64_t opening = reference_next_open(m, start);
	return opening == OUTSIDE ? OUTSIDE : reference_step_days(m, opening, minute_of_day(m, opening), days);
}

static int64_t reference_subtract_days(const struct minutes *m, int64_t start, int64_t days, enum calendar_outside outside)
{
	if (m->is_open[start])
		return reference_step_days(m, start, minute_of_day(m, start), -days);
	int64_t closing = reference_last_open(m, start);
	if (closing == OUTSIDE)
		return OUTSIDE;
	bool is_to_opening = outside == CALENDAR_TO_OPENING && closing != start;
	return reference_step_days(m, closing - 1, is_to_opening ? 0 : minute_of_day(m, closing - 1) + 1, -days);
}

static void ask_days(const struct asked *a)
{
	int64_t start = random_minute(a), start_ms = ms_of(a, start);
	int32_t days = 1 + (int32_t)below(a->random, 5), back = (int32_t)below(a->random, 6);
	enum calendar_outside outside = below(a->random, 2) == 0 ? CALENDAR_CLAMP : CALENDAR_TO_OPENING;
	assert_minute(a, calendar_add_days(a->calendar, start_ms, days, CALENDAR_CLAMP), reference_add_days(a->m, start, days));
	assert_minute(a, calendar_subtract_days(a->calendar, start_ms, back, outside),
	              reference_subtract_days(a->m, start, back, outside));
	int64_t from = reference_day(a->m, start), day = reference_find_day(a->m, from, days);
	assert_int_equal(calendar_day_at(a->calendar, start_ms), from);
	if (day == OUTSIDE)
		return;
	assert_int_equal(calendar_days_between(a->calendar, from, day), days);
	assert_int_equal(calendar_days_between(a->calendar, day, from), -days);
	assert_true(calendar_is_business_day(a->calendar, day));
}

/* ---- spans: the parts in order, and in the opposite order */

static int64_t reference_move_date(const struct minutes *m, int64_t at, int64_t days)
{
	int64_t moved = days == 0 ? at : first_minute(m, m->local[at] + days * 1440);
	return moved > LOW && moved < HIGH ? moved : OUTSIDE;
}

static int64_t reference_move_clock(int64_t at, int64_t minutes)
{
	return at + minutes > LOW && at + minutes < HIGH ? at + minutes : OUTSIDE;
}

static int64_t reference_add_span(const struct minutes *m, int64_t at, const struct span *span)
{
	at = reference_move_date(m, at, span->days);
	if (at != OUTSIDE && span->business_days != 0)
		at = reference_add_days(m, at, span->business_days);
	if (at != OUTSIDE)
		at = reference_move_clock(at, span->elapsed_ms / MINUTE_MS);
	return at != OUTSIDE && span->business_ms != 0 ? reference_deadline(m, at, span->business_ms / MINUTE_MS) : at;
}

static int64_t reference_subtract_span(const struct minutes *m, int64_t at, const struct span *span)
{
	if (span->business_ms != 0)
		at = reference_deadline_before(m, at, span->business_ms / MINUTE_MS);
	if (at != OUTSIDE)
		at = reference_move_clock(at, -span->elapsed_ms / MINUTE_MS);
	if (at != OUTSIDE && span->business_days != 0)
		at = reference_subtract_days(m, at, span->business_days, CALENDAR_CLAMP);
	return at != OUTSIDE ? reference_move_date(m, at, -span->days) : OUTSIDE;
}

static void ask_span(const struct asked *a)
{
	int64_t at = random_minute(a);
	struct span span = {.days = (int32_t)below(a->random, 3),
	                    .business_days = (int32_t)below(a->random, 3),
	                    .elapsed_ms = below(a->random, 2) * below(a->random, 2000) * MINUTE_MS,
	                    .business_ms = below(a->random, 2) * below(a->random, 1000) * MINUTE_MS};
	assert_minute(a, calendar_add_span(a->calendar, ms_of(a, at), &span), reference_add_span(a->m, at, &span));
	assert_minute(a, calendar_subtract_span(a->calendar, ms_of(a, at), &span), reference_subtract_span(a->m, at, &span));
}

static void ask_explanation(const struct asked *a)
{
	struct calendar_piece pieces[64];
	bool is_cut;
	int64_t from = random_minute(a), to = from + below(a->random, HIGH - from + 1);
	size_t count = calendar_explain(a->calendar, ms_of(a, from), ms_of(a, to), pieces, 64, &is_cut);
	int64_t at = ms_of(a, from);
	for (size_t n = 0; n < count; n++) {
		int64_t length = pieces[n].to_ms - pieces[n].from_ms;
		assert_int_equal(pieces[n].from_ms, at);
		assert_true(length > 0);
		assert_true(n == 0 || pieces[n].is_open != pieces[n - 1].is_open);
		assert_int_equal(calendar_elapsed(a->calendar, pieces[n].from_ms, pieces[n].to_ms), pieces[n].is_open ? length : 0);
		at = pieces[n].to_ms;
	}
	assert_true(is_cut || at == ms_of(a, to));
}

/* ---- how long one answer takes, over distances from a minute to a century */

enum question { Q_DEADLINE, Q_BEFORE, Q_ELAPSED, Q_NEXT, Q_LAST, Q_ADD, Q_SUBTRACT, Q_SPAN, Q_COUNT };

static int64_t answer(const struct calendar *calendar, enum question question, int64_t at_ms, int64_t amount_ms)
{
	int32_t days = (int32_t)(amount_ms / MINUTE_MS / 1440);
	struct span span = {.business_days = days % 1000, .business_ms = amount_ms};
	switch (question) {
	case Q_DEADLINE:
		return calendar_deadline(calendar, at_ms, amount_ms);
	case Q_BEFORE:
		return calendar_deadline_before(calendar, at_ms, amount_ms);
	case Q_ELAPSED:
		return calendar_elapsed(calendar, at_ms, at_ms + amount_ms);
	case Q_NEXT:
		return calendar_next_open(calendar, at_ms);
	case Q_LAST:
		return calendar_last_open(calendar, at_ms);
	case Q_ADD:
		return calendar_add_days(calendar, at_ms, days, CALENDAR_CLAMP);
	case Q_SUBTRACT:
		return calendar_subtract_days(calendar, at_ms, days, CALENDAR_CLAMP);
	case Q_SPAN:
		return calendar_add_span(calendar, at_ms, &span);
	case Q_COUNT:
		break;
	}
	return 0;
}

static int64_t cpu_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * 1000000000ll + now.tv_nsec;
}

static void ask_quickly(const struct asked *a, enum question question)
{
	int64_t at_ms = ms_of(a, random_minute(a)), best_ns = INT64_MAX;
	int64_t amount_ms = below(a->random, (int64_t)1 << (17 + below(a->random, 25))); /* up to 70 years */
	for (int n = 0; n < TRIES && best_ns > QUICK_NS; n++) {
		int64_t start_ns = cpu_ns();
		int64_t answer_ms = answer(a->calendar, question, at_ms, amount_ms);
		int64_t taken_ns = cpu_ns() - start_ns;
		best_ns = answer_ms != INT64_MIN && taken_ns < best_ns ? taken_ns : best_ns;
	}
	if (best_ns > QUICK_NS)
		fail_msg("question %d takes %lld ns", (int)question, (long long)best_ns);
}

static void compare(const struct minutes *m, const struct calendar *calendar, uint64_t *random)
{
	struct asked asked = {m, calendar, random};
	for (int n = 0; n < QUESTIONS; n++) {
		ask_elapsed(&asked);
		ask_next_and_last(&asked);
		ask_deadline(&asked);
		ask_there_and_back(&asked);
		ask_days(&asked);
		ask_span(&asked);
		ask_explanation(&asked);
	}
	for (int question = 0; question < Q_COUNT; question++)
		ask_quickly(&asked, (enum question)question);
}

/* Windows that no run leaves out. */
static const struct {
	const char *zone;
	int year, month, day;
} ALWAYS[] = {
	{"Pacific/Apia", 2011, 12, 30},       /* there was no such day */
	{"Pacific/Fakaofo", 2011, 12, 30},    /* nor here */
	{"Pacific/Kwajalein", 1993, 8, 21},   /* nor here: it crossed the date line too */
	{"Australia/Lord_Howe", 2026, 4, 5},  /* half an hour */
	{"America/St_Johns", 2010, 11, 7},    /* at one minute past midnight: the date goes back */
	{"Pacific/Chatham", 2026, 9, 27},     /* at 02:45 */
	{"Africa/Cairo", 2026, 4, 24},        /* a day that begins at 01:00 */
	{"Asia/Tehran", 2022, 3, 22},         /* likewise; the last one */
	{"Asia/Pyongyang", 2018, 5, 4},       /* half an hour, once */
	{"Africa/Juba", 2021, 2, 1},          /* an hour, once */
	{"Antarctica/Troll", 2026, 3, 29},    /* two hours */
	{"Africa/Casablanca", 2026, 2, 15},   /* Ramadan */
};

/* A window around a change of clocks (three times of four) or anywhere, for the first one of some zones a known one. Until
 * 2037, where the C library's table ends. */
static int64_t choose_day(const char *name, bool is_first, uint64_t *random)
{
	const struct zone *zone = zone_load(name);
	int64_t at = date_to_day(1975, 1, 1) + below(random, 60 * 365), change, near = below(random, DAYS - 4) + 2;
	for (size_t n = 0; is_first && n < sizeof ALWAYS / sizeof *ALWAYS; n++)
		if (strcmp(ALWAYS[n].zone, name) == 0)
			return date_to_day(ALWAYS[n].year, ALWAYS[n].month, ALWAYS[n].day) - near;
	if (below(random, 4) != 0 && zone_next_change(zone, at * SECONDS_PER_DAY, &change) && change < 2114380800)
		return change / SECONDS_PER_DAY - near;
	return at;
}

static void choose_window(struct minutes *m, const char *name, bool is_first, uint64_t *random)
{
	m->first = (choose_day(name, is_first, random) - MARGIN) * 1440;
	setenv("TZ", name, 1);
	tzset();
	read_clock(m);
	m->first_day = m->local[MARGIN * 1440] / 1440;
}

static long setting(const char *name, long otherwise)
{
	const char *text = getenv(name);
	return text != NULL ? atol(text) : otherwise;
}

/* Which calendar is being compared; `zone` is NULL when none is. */
struct progress {
	long seed, number;
	const char *zone;
};

static int tell_where_it_failed(void **state)
{
	const struct progress *progress = *state;
	if (progress->zone != NULL)
		print_message("seed %ld, number %ld, %s\n", progress->seed, progress->number, progress->zone);
	return 0;
}

static void random_calendars_agree_minute_by_minute(void **state)
{
	struct progress *progress = *state;
	static struct minutes minutes;
	static struct sample sample;
	long count = setting("CALENDARS", DEFAULT_CALENDARS), seed = setting("CALENDAR_SEED", 1), compared = 0;
	long first = setting("CALENDAR_FROM", 0);
	long n = first;
	for (; compared < count; n++) { /* one that never opens is refused, and another one is taken */
		uint64_t random = (uint64_t)seed * 1000003 + (uint64_t)n;
		const char *zone = ZONES[n / CALENDARS_PER_ZONE % ZONE_COUNT];
		*progress = (struct progress){seed, n, zone};
		struct arena arena = ARENA_INIT;
		struct err err = ERR_INIT;
		choose_window(&minutes, zone, n % CALENDARS_PER_ZONE < 2, &random);
		make_sample(&sample, &minutes, zone, &random);
		const struct calendar *calendar = calendar_compile(&sample.spec, &arena, &err);
		if (calendar == NULL) {
			assert_int_equal(err.code, ERR_EMPTY_CALENDAR);
			assert_true(n - first < 2 * count + 100);
			arena_done(&arena);
			continue;
		}
		fill(&minutes, &sample.spec);
		compare(&minutes, calendar, &random);
		compared++;
		arena_done(&arena);
	}
	progress->zone = NULL;
	print_message("%ld random calendars compared in %d zones, seed %ld; %ld never open and were refused\n", compared,
	              (int)ZONE_COUNT, seed, n - first - compared);
}

/* Far apart: the sum over every day of up to 140 years, each mapped through the zone alone. */
static void long_distances_are_the_sum_of_their_days(void **state)
{
	(void)state;
	static const struct hours day[] = {{9 * 3600, 12 * 3600}, {13 * 3600, 18 * 3600}};
	uint64_t random = 42;
	for (int n = 0; n < ZONE_COUNT; n += 3) {
		struct arena arena = ARENA_INIT;
		struct calendar_spec spec = {.name = "far", .zone = zone_load(ZONES[n])};
		for (int weekday = 0; weekday < 7; weekday++)
			spec.week[weekday] = (struct hours_list){day, (size_t)below(&random, 3)};
		spec.week[0].count = 2;
		const struct calendar *calendar = calendar_compile(&spec, &arena, NULL);
		int64_t from = date_to_day(1971, 1, 1) + below(&random, 3650), to = from + below(&random, 50000), sum = 0, days = 0;
		for (int64_t at = from; at < to; at++) {
			int64_t before = sum;
			for (size_t i = 0; i < spec.week[date_weekday(at)].count; i++) {
				struct civil open = {.second = day[i].open}, close = {.second = day[i].close};
				date_from_day(at, &open.year, &open.month, &open.day);
				date_from_day(at, &close.year, &close.month, &close.day);
				sum += zone_from_civil(spec.zone, &close, ZONE_LAST) - zone_from_civil(spec.zone, &open, ZONE_FIRST);
			}
			days += sum > before; /* a date that was skipped is no day */
		}
		struct civil start = {0}, end = {0};
		date_from_day(from, &start.year, &start.month, &start.day);
		date_from_day(to, &end.year, &end.month, &end.day);
		int64_t from_ms = zone_from_civil(spec.zone, &start, ZONE_FIRST) * 1000, to_ms = zone_from_civil(spec.zone, &end, ZONE_FIRST) * 1000;
		assert_int_equal(calendar_elapsed(calendar, from_ms, to_ms), sum * 1000);
		assert_int_equal(calendar_days_between(calendar, from - 1, to - 1), days);
		if (sum > 0)
			assert_int_equal(calendar_deadline(calendar, from_ms, sum * 1000), calendar_last_open(calendar, to_ms));
		arena_done(&arena);
	}
}

int main(void)
{
	struct progress progress = {0, 0, NULL};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate_setup_teardown(random_calendars_agree_minute_by_minute, NULL, tell_where_it_failed, &progress),
		cmocka_unit_test(long_distances_are_the_sum_of_their_days),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
