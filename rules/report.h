/* SPDX-License-Identifier: Apache-2.0
 *
 * Reports that come by themselves (section `report`): digests on leads.lifecycle, and the figures that they are made of.
 *
 *     every decision ─► tally_take() ─► figures of the batch ─► tally_flush() ─► mem/fig/…      in the batch's transaction
 *     mem/report/<kind>, due ─► report_fire() ─┬─► daily, monthly: a digest out of mem/fig/…
 *                                              └─► weekly, due_today, audit: mem/walk/report.<kind>, a look at every lead
 *                                                  report_visit() ─► mem/list/<kind>/… ─► report_walked() ─► digests
 *
 *     mem/fig/<day>/all                    the figures of all leads on a day, rules/figures/figures.h
 *     mem/fig/<day>/<dimension>/<value>    of those with that source, team …
 *     mem/fig/<day>/<dimension>            which values there are: ["web","ads"]
 *     mem/fig/<day>/failed                 the first leads that were lost or invalid: [{"lead_id",…}]
 *     mem/report/roll                      {"due","day","by","shard"}: the oldest day that is kept; due while older ones are taken away
 *     mem/report/<kind>                    {"due","at"}: when that digest comes next, and by which line of the configuration
 *     mem/list/<kind>[/<scope>]            {"day","more","items":[{"rank",…}]}: leads for a digest, the lowest ranks
 *
 * Figures are written in the transaction of the events that they count, so a rebuild from leads.state gives the same ones.
 * Lists keep the lowest ranks, whatever the order of the visits. No digest has contact data: the state has none.
 */
#ifndef LR_RULES_REPORT_H
#define LR_RULES_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/slice.h"
#include "rules/figures/figures.h"
#include "rules/figures/figures_show.h"

struct calendar;
struct decider;
struct work;
struct zone;

enum {
	REPORT_DAYS_KEPT = 62,      /* two months: a conversion of an older lead is in the log, not in the digests */
	REPORT_VALUES_MAX = 100,    /* of a dimension on a day */
	REPORT_PEOPLE_MAX = 1000,   /* the same of teams and of reps */
	REPORT_FAILED_MAX = 50,     /* leads that a daily digest names */
	REPORT_ROWS_MAX = 50,       /* of a dimension in a digest; the rest is one row "(other)" */
	REPORT_LIST_MAX = 100,      /* leads in a list */
	REPORT_SCOPES_MAX = 100,    /* weekly lists */
	REPORT_AUDIT_MAX = REPORT_LIST_MAX,
};

#define REPORT_KINDS(X) X(DAILY, daily) X(WEEKLY, weekly) X(MONTHLY, monthly) X(DUE_TODAY, due_today) X(AUDIT, audit)
enum report_kind {
#define X(id, name) REPORT_##id,
	REPORT_KINDS(X)
#undef X
	REPORT_KINDS_ALL
};
const char *report_kind_name(enum report_kind kind);

/* When a digest comes: each day, or on one weekday, or on one day of the month. */
struct report_line {
	bool is_on;
	enum figures_period every;
	int on;         /* weekday, 0 = Monday; day of the month, 1…28 */
	int32_t second; /* of the local day */
};

/* Section `report`. In the generation's arena. */
struct report_rules {
	const struct zone *zone;         /* of days and times */
	const struct calendar *calendar; /* daily ones come on its business days only; NULL: every day */
	struct report_line lines[REPORT_KINDS_ALL];
	const struct slice *weekly_grades; /* leads of these grades; count 0: of any */
	size_t weekly_grade_count;
	bool is_weekly_by_region; /* one digest per region instead of one per team */
	int64_t audit_leads;
	struct slice audit_seed;
};

/* ---- figures, tally.c */

/* Counts the events of work->ret. Called at the end of each piece of work. */
void tally_take(struct work *work);
/* Writes what was counted in this batch. Called before figures are read, and at the end of the batch. */
void tally_flush(struct decider *decider);
/* Adds the figures of the days [from, until) to day 0 of `into`, which has the groupings of tally_settings(). */
struct figures_settings tally_settings(void);
void tally_collect(struct work *work, int64_t from, int64_t until, struct figures *into);
/* The value of mem/fig/<day>/failed; SLICE_NONE. */
struct slice tally_failed(struct work *work, int64_t day);
/* The partition whose leads are counted; -1 before the first one came. */
int64_t tally_shard(struct work *work);
/* Takes one dimension of the oldest day away. */
void tally_roll(struct work *work, struct slice key, struct slice value);

/* ---- timers, report_due.c */

void report_begin(struct work *work);
void report_fire(struct work *work, struct slice key, struct slice value);
/* The first time behind `now_ms` at which the line says so; INT64_MAX: never. */
int64_t report_next(const struct report_rules *rules, const struct report_line *line, int64_t now_ms);

/* ---- digests of figures, report_digest.c */

void report_daily(struct work *work, int64_t day);
void report_monthly(struct work *work, int64_t day);

/* ---- digests of leads, report_list.c */

void report_list_begin(struct work *work, enum report_kind kind, int64_t day);
void report_visit(struct work *work, struct slice key);
void report_walked(struct work *work, struct slice key);

/* ---- the frame of a digest, report_page.c */

struct page;
struct json_writer;
/* {"kind":…,"shard":…,"period":{"name","from","until"},"zone":…; the page is closed by report_page_close(), which names the event
 * "digest:<kind>:<shard>:<name>[:<scope>]". */
struct report_period {
	const char *name;
	int64_t from, until; /* days */
};
struct json_writer *report_page_open(struct page *page, struct work *work, enum report_kind kind,
                                     const struct report_period *period);
void report_page_close(struct page *page, struct work *work, enum report_kind kind, const struct report_period *period,
                       struct slice scope);

#endif
