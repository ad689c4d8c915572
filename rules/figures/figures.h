/* SPDX-License-Identifier: Apache-2.0
 *
 * Figures: what managers count, derived from the output events and nothing else.
 *
 *     event ─► figures_take() ─► facts ─► one cell per (day, grouping, value):  counts, reasons, three distributions
 *                                                 │
 *                          cells merge by adding ─┴─► rates, quantiles: only when something is printed
 *
 * Every event carries all that it is counted by (its own members, `lead` or `origin`), so an event is counted without
 * knowing any other: any split and order of the events gives the same figures, and merging is exact. The daemon counts the
 * events of a transaction in that transaction; `leadctl report` reads the topics; both call this.
 *
 * Bounded: a grouping has at most `values_max` values per day; what comes behind is counted under "(other)". A cell has at
 * most FIGURES_REASONS_MAX reasons, then "(other)".
 */
#ifndef LR_RULES_FIGURES_FIGURES_H
#define LR_RULES_FIGURES_FIGURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/slice.h"
#include "rules/figures/histogram.h"

struct arena;
struct zone;

enum figure {
#define FIGURE(id, name, definition) FIGURE_##id,
#include "rules/figures/figures.def"
	FIGURES
};
const char *figure_name(enum figure figure);
const char *figure_definition(enum figure figure);
/* FIGURES when there is none of that name. */
enum figure figure_find(struct slice name);

#define FIGURE_DIMENSIONS(X) \
	X(SOURCE, source)     \
	X(CAMPAIGN, campaign) \
	X(INTENT, intent)     \
	X(GRADE, grade)       \
	X(REGION, region)     \
	X(TEAM, team)         \
	X(REP, rep)

enum figure_dimension {
#define X(id, name) FIGURE_BY_##id,
	FIGURE_DIMENSIONS(X)
#undef X
	FIGURE_DIMENSIONS_ALL
};
const char *figure_dimension_name(enum figure_dimension dimension);
/* FIGURE_DIMENSIONS_ALL when there is none of that name. */
enum figure_dimension figure_dimension_find(struct slice name);

/* Distributions of durations. */
#define FIGURE_TIMES(X)                                                                                                  \
	X(RESPONSE, response, "From the start of the first-follow-up clock that an act stops to that act, by the clock on the wall.") \
	X(RESPONSE_OPEN, response_open, "The same in open time of the calendar that the clock runs by.")                  \
	X(GAP, gap, "From captured_at, when the lead was obtained by whoever sent it, to its intake.")

enum figure_time {
#define X(id, name, definition) FIGURE_TIME_##id,
	FIGURE_TIMES(X)
#undef X
	FIGURE_TIMES_ALL
};
const char *figure_time_name(enum figure_time time);
const char *figure_time_definition(enum figure_time time);

enum {
	FIGURES_GROUPINGS_MAX = FIGURE_DIMENSIONS_ALL + 1,
	FIGURES_REASONS_MAX = 60,     /* of one cell */
	FIGURES_VALUE_BYTES_MAX = 64, /* a longer value is cut */
	FIGURES_REASON_BYTES_MAX = 48,
	FIGURES_EVENT_BYTES_MAX = 4 << 20,
};
#define FIGURES_NONE "(none)"   /* the event does not say */
#define FIGURES_OTHER "(other)" /* more values than the limit */

/* What is counted together: the values of these dimensions, all leads where there are none. Values of several dimensions
 * stand side by side with FIGURES_SEPARATOR between them; no value has that byte. */
#define FIGURES_SEPARATOR '\x1f'
struct figures_grouping {
	size_t count;
	enum figure_dimension dimensions[FIGURE_DIMENSIONS_ALL];
};

struct figures_settings {
	const struct zone *zone;     /* of the days; NULL: UTC */
	struct figures_grouping groupings[FIGURES_GROUPINGS_MAX];
	size_t grouping_count;
	size_t values_max;           /* per grouping and day; 0: no limit */
	int64_t from_ms, until_ms;   /* only what belongs to [from, until); until 0: no end */
	uint64_t seed[2];            /* of the hash table */
};

struct figures_reason {
	enum figure figure;
	struct slice text;
	int64_t count;
};

struct figures_cell {
	int64_t counts[FIGURES];
	struct histogram times[FIGURE_TIMES_ALL];
	struct figures_reason *reasons; /* by figure and text */
	size_t reason_count, reason_room;
};

struct figures_row {
	int64_t day;     /* day number, rules/text/date.h */
	size_t grouping;
	struct slice value; /* "" for all leads */
	uint64_t hash;
	struct figures_cell cell;
};

/* All memory is taken from `arena`; there is nothing to free. */
struct figures;
struct figures *figures_new(const struct figures_settings *settings, struct arena *arena);

/* One output event. */
struct figures_event {
	struct slice type;
	struct slice data;    /* JSON; not looked at for lead.rejected */
	int64_t at_ms;        /* used when the data has no time of its own */
	struct slice code;    /* lead.rejected: word of the error */
	bool is_lead_record;  /* lead.rejected: the record was to be a lead, not an activity */
};
/* Counts it; returns how many facts it had (0: nothing that is counted). `data` must be well-formed JSON. */
size_t figures_take(struct figures *figures, const struct figures_event *event);

/* The bytes of the value of a member of an object that is well-formed JSON; SLICE_NONE when there is none. */
struct slice figures_raw_member(struct slice object, struct slice name);

/* The cell of a value, made when it is not there; beyond values_max that of "(other)". */
struct figures_cell *figures_cell(struct figures *figures, size_t grouping, int64_t day, struct slice value);
/* All rows in order of grouping, day and value. The array is a copy that lies in the arena. */
struct figures_row *const *figures_rows(struct figures *figures, size_t *ret_count);
/* The same rows in the order in which they were made. */
struct figures_row *const *figures_rows_as_met(struct figures *figures, size_t *ret_count);
/* Adds all of `from`, which has the same groupings. */
void figures_merge(struct figures *into, struct figures *from);

int64_t figures_day_of(const struct zone *zone, int64_t at_ms);

/* ---- cells */

void figures_cell_merge(struct figures_cell *into, const struct figures_cell *from, struct arena *arena);
void figures_cell_reason(struct figures_cell *cell, enum figure figure, struct slice text, int64_t count, struct arena *arena);

struct json;
struct json_writer;
/* As an object that has only what is not zero; figures_cell_read() gives the same cell back, or -1. */
void figures_cell_write(struct json_writer *writer, const char *name, const struct figures_cell *cell);
int figures_cell_read(const struct json *from, struct figures_cell *ret_cell, struct arena *arena);

/* ---- rates */

/* Wilson's score interval for `hits` out of `all`, 95 %: where the true rate lies as far as these numbers tell. Defined for
 * 0 <= hits <= all, all > 0; hits beyond all count as all. */
struct figures_rate {
	bool is_known; /* false: nothing to divide by */
	double rate, low, high;
};
struct figures_rate figures_rate(int64_t hits, int64_t all);

/* Rank of a lead in a random sample: leads in order of rank, the first n are the sample of n. Depends on seed and id alone,
 * so the sample does not depend on order, and can be drawn again. Hex, 32 digits and a NUL. */
enum { FIGURES_RANK_BYTES = 33 };
void figures_sample_rank(struct slice seed, struct slice lead_id, char ret_rank[FIGURES_RANK_BYTES]);

#endif
