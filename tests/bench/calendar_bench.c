/* SPDX-License-Identifier: Apache-2.0
 *
 * What business time costs: deadlines by distance and by number of holidays, so that it can be seen that neither matters;
 * spans with business days, which go through the zone as well; and what a calendar costs to compile.
 *
 *   calendar_bench [ROUNDS]
 *
 * Europe/Berlin, two intervals a day, starts all over ten years, all of it in the cache after the first round. Prints one
 * line of JSON with the median round: ns per question, and the slowest and fastest row of deadlines.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "rules/base/arena.h"
#include "rules/calendar/calendar.h"
#include "rules/calendar/span.h"
#include "rules/text/date.h"
#include "rules/text/zone.h"

enum { STARTS = 4096, QUESTIONS = 400000, ROUNDS_MAX = 99, HOLIDAYS_MAX = CALENDAR_DATES_MAX };

static const int64_t HOUR_MS = 3600000;
static const size_t HOLIDAYS[] = {0, 100, 1000, HOLIDAYS_MAX};
static const struct {
	const char *name;
	int64_t open_hours;
} DISTANCES[] = {{"1 h", 1}, {"1 week", 40}, {"1 year", 2000}, {"50 years", 100000}};

enum { HOLIDAY_ROWS = sizeof HOLIDAYS / sizeof *HOLIDAYS, DISTANCE_ROWS = sizeof DISTANCES / sizeof *DISTANCES };

static int64_t starts[STARTS];

static int64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void choose_starts(void)
{
	uint64_t state = 1;
	for (size_t n = 0; n < STARTS; n++) {
		state = state * 6364136223846793005 + 1442695040888963407;
		starts[n] = (date_to_day(2024, 1, 1) * SECONDS_PER_DAY + (int64_t)((state >> 33) % (3650u * SECONDS_PER_DAY))) * 1000;
	}
}

static const struct calendar *make(size_t holiday_count, struct arena *arena)
{
	static const struct hours day[] = {{9 * 3600, 12 * 3600}, {13 * 3600, 18 * 3600}};
	static struct holiday holidays[HOLIDAYS_MAX];
	struct calendar_spec spec = {.name = "bench", .zone = zone_load("Europe/Berlin"), .holidays = holidays};
	for (int weekday = 0; weekday < 5; weekday++)
		spec.week[weekday] = (struct hours_list){day, 2};
	for (size_t n = 0; n < holiday_count; n++)
		holidays[n].day = (int64_t)(n * 54700 / holiday_count);
	spec.holiday_count = holiday_count;
	return calendar_compile(&spec, arena, NULL);
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

static double median(double *values, int count)
{
	qsort(values, (size_t)count, sizeof *values, by_value);
	return values[count / 2];
}

/* The answers are added up, so that none can be left out. */
static volatile int64_t sink;

static double deadline_ns(const struct calendar *calendar, int64_t open_ms, int rounds)
{
	double ns[ROUNDS_MAX];
	for (int round = 0; round < rounds; round++) {
		int64_t sum = 0, began = now_ns();
		for (size_t n = 0; n < QUESTIONS; n++)
			sum += calendar_deadline(calendar, starts[n % STARTS], open_ms + (int64_t)(n % 3600) * 1000);
		ns[round] = (double)(now_ns() - began) / QUESTIONS;
		sink += sum;
	}
	return median(ns, rounds);
}

static double span_ns(const struct calendar *calendar, int rounds)
{
	const struct span span = {.business_days = 2, .business_ms = HOUR_MS};
	double ns[ROUNDS_MAX];
	for (int round = 0; round < rounds; round++) {
		int64_t sum = 0, began = now_ns();
		for (size_t n = 0; n < QUESTIONS; n++)
			sum += calendar_add_span(calendar, starts[n % STARTS], &span);
		ns[round] = (double)(now_ns() - began) / QUESTIONS;
		sink += sum;
	}
	return median(ns, rounds);
}

static double compile_ms(size_t holiday_count)
{
	struct arena arena = ARENA_INIT;
	int64_t began = now_ns();
	make(holiday_count, &arena);
	double ms = (double)(now_ns() - began) / 1e6;
	arena_done(&arena);
	return ms;
}

int main(int argc, char **argv)
{
	struct arena arena = ARENA_INIT;
	int rounds = argc > 1 ? atoi(argv[1]) : 9;
	double fastest = 1e9, slowest = 0, spans = 0;
	if (rounds < 1 || rounds > ROUNDS_MAX) {
		fprintf(stderr, "usage: calendar_bench [ROUNDS]\n");
		return 2;
	}
	choose_starts();
	printf("{\"deadlines\": [");
	for (size_t h = 0; h < HOLIDAY_ROWS; h++) {
		const struct calendar *calendar = make(HOLIDAYS[h], &arena);
		for (size_t d = 0; d < DISTANCE_ROWS; d++) {
			double ns = deadline_ns(calendar, DISTANCES[d].open_hours * HOUR_MS, rounds);
			fastest = ns < fastest ? ns : fastest;
			slowest = ns > slowest ? ns : slowest;
			printf("%s{\"holidays\": %zu, \"distance\": \"%s\", \"ns\": %.1f}", h + d > 0 ? ", " : "", HOLIDAYS[h], DISTANCES[d].name, ns);
		}
		spans = span_ns(calendar, rounds);
	}
	printf("], \"fastest_ns\": %.1f, \"slowest_ns\": %.1f, \"per_second\": %.0f, \"span_ns\": %.1f, \"compile_ms\": %.2f}\n", fastest,
	       slowest, 1e9 / slowest, spans, compile_ms(HOLIDAYS_MAX));
	arena_done(&arena);
	return 0;
}
