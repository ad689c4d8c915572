/* SPDX-License-Identifier: Apache-2.0
 *
 * rules/calendar against a reference that knows only minutes: random calendars in zones with odd clock changes, each
 * compared on every question over some weeks, mostly around a change. The reference reads the zones through the C
 * library, so cctz is checked too.
 *
 *     CALENDARS=100000 build/gcc/unit/test_calendar_random      more of them
 *     CALENDAR_SEED=17 …                                        other ones; a failure names seed and number
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
#include "rules/calendar.h"
#include "rules/text/date.h"
#include "rules/text/zone.h"

enum {
	MINUTE_MS = 60000,
	DAYS = 24,                   /* compared */
	MARGIN = 3,                  /* days before and after, so that intervals may reach in */
	MINUTES = (DAYS + 2 * MARGIN) * 1440,
	QUESTIONS = 24,              /* of each kind, per calendar */
	DEFAULT_CALENDARS = 3000,
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
	for (int64_t at = 0; at <= MINUTES; at += 60) {
		int64_t start = local_minute(m->first + at), end = local_minute(m->first + at + 60);
		for (int64_t n = at; n < at + 60 && n <= MINUTES; n++)
			m->local[n] = end - start == 60 ? start + (n - at) : local_minute(m->first + n);
	}
}

/* The first minute at which the clock has reached `local`: of a skipped time the end of the gap, of a repeated one the
 * first occurrence. */
static int64_t first_minute(const struct minutes *m, int64_t local)
{
	int64_t near = local - m->local[0];
	int64_t at = near - 1600 < 0 ? 0 : near - 1600;
	while (at < MINUTES && m->local[at] < local)
		at++;
	return at;
}

/* The last minute at which the clock shows `local`; of a skipped time the end of the gap. */
static int64_t last_minute(const struct minutes *m, int64_t local)
{
	int64_t near = local - m->local[0];
	int64_t at = near + 1600 > MINUTES ? MINUTES : near + 1600;
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

static void ask_next_and_last(const struct asked *a)
{
	int64_t at = random_minute(a), next = at, last = at;
	while (next < HIGH && !a->m->is_open[next])
		next++;
	if (next < HIGH)
		assert_int_equal(calendar_next_open(a->calendar, ms_of(a, at)), ms_of(a, next));
	while (last > LOW && !a->m->is_open[at] && !a->m->is_open[last - 1])
		last--;
	if (last > LOW)
		assert_int_equal(calendar_last_open(a->calendar, ms_of(a, at)), ms_of(a, last));
}

static void ask_deadline(const struct asked *a)
{
	int64_t start = random_minute(a), amount = 1 + below(a->random, 3 * 1440), at = start;
	while (at < HIGH && a->m->sum[at] - a->m->sum[start] < amount)
		at++;
	if (at < HIGH)
		assert_int_equal(calendar_deadline(a->calendar, ms_of(a, start), amount * MINUTE_MS), ms_of(a, at));
	at = start;
	while (at > LOW && a->m->sum[start] - a->m->sum[at] < amount)
		at--;
	if (at > LOW)
		assert_int_equal(calendar_deadline_before(a->calendar, ms_of(a, start), amount * MINUTE_MS), ms_of(a, at));
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

static void ask_days(const struct asked *a)
{
	const struct minutes *m = a->m;
	int64_t start = random_minute(a), days = 1 + below(a->random, 5), opening = start;
	while (opening < HIGH && !m->is_open[opening])
		opening++;
	int64_t day = m->local[opening] / 1440, minute = m->local[opening] % 1440, left = days;
	while (left > 0 && day < m->first_day + DAYS - 2)
		left -= open_on(m, ++day) > 0;
	if (left > 0 || opening >= HIGH)
		return;
	int64_t expected = clamp(m, day, first_minute(m, day * 1440 + minute));
	assert_int_equal(calendar_add_days(a->calendar, ms_of(a, start), (int32_t)days, CALENDAR_CLAMP), ms_of(a, expected));
	assert_int_equal(calendar_days_between(a->calendar, m->local[opening] / 1440, day), days);
	assert_true(calendar_is_business_day(a->calendar, day));
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

static void compare(const struct minutes *m, const struct calendar *calendar, uint64_t *random)
{
	struct asked asked = {m, calendar, random};
	for (int n = 0; n < QUESTIONS; n++) {
		ask_elapsed(&asked);
		ask_next_and_last(&asked);
		ask_deadline(&asked);
		ask_days(&asked);
		ask_explanation(&asked);
	}
}

/* A window around a change of clocks (three times of four) or anywhere. Until 2037, where the C library's table ends. */
static void choose_window(struct minutes *m, const char *name, uint64_t *random)
{
	const struct zone *zone = zone_load(name);
	int64_t at = date_to_day(1975, 1, 1) + below(random, 60 * 365), change;
	if (below(random, 4) != 0 && zone_next_change(zone, at * SECONDS_PER_DAY, &change) && change < 2114380800)
		at = change / SECONDS_PER_DAY - below(random, DAYS - 4) - 2;
	m->first = (at - MARGIN) * 1440;
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

static void random_calendars_agree_minute_by_minute(void **state)
{
	(void)state;
	static struct minutes minutes;
	static struct sample sample;
	long count = setting("CALENDARS", DEFAULT_CALENDARS), seed = setting("CALENDAR_SEED", 1), compared = 0;
	for (long n = 0; n < count; n++) {
		uint64_t random = (uint64_t)seed * 1000003 + (uint64_t)n;
		const char *zone = ZONES[n / CALENDARS_PER_ZONE % ZONE_COUNT];
		struct arena arena = ARENA_INIT;
		struct err err = ERR_INIT;
		choose_window(&minutes, zone, &random);
		make_sample(&sample, &minutes, zone, &random);
		const struct calendar *calendar = calendar_compile(&sample.spec, &arena, &err);
		if (calendar == NULL) {
			assert_int_equal(err.code, ERR_EMPTY_CALENDAR);
			continue;
		}
		fill(&minutes, &sample.spec);
		if (getenv("CALENDAR_VERBOSE") != NULL)
			print_message("number %ld, %s\n", n, zone);
		compare(&minutes, calendar, &random);
		compared++;
		arena_done(&arena);
	}
	print_message("%ld of %ld random calendars compared in %d zones, seed %ld\n", compared, count, (int)ZONE_COUNT, seed);
	assert_true(compared > count / 2);
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
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_calendars_agree_minute_by_minute),
		cmocka_unit_test(long_distances_are_the_sum_of_their_days),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
