/* SPDX-License-Identifier: Apache-2.0
 *
 * leadctl report in parts: what was asked for, the events, and how figures and samples are printed.
 */
#ifndef LR_DAEMON_CTL_REPORT_H
#define LR_DAEMON_CTL_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/arena.h"
#include "rules/base/slice.h"
#include "rules/figures/figures.h"
#include "rules/figures/figures_show.h"

enum {
	REPORT_VALUES_MAX = 100000,  /* groups of a day; more are counted as "(other)" */
	REPORT_SAMPLE_MAX = 10000,
	REPORT_SKEW_MS = 3600000,    /* how far the clocks of brokers and instances may differ */
	REPORT_IDLE_MS = 30000,      /* a topic whose end does not come within that time is not there */
};

enum report_form { REPORT_TABLE, REPORT_CSV, REPORT_JSON };

/* Groupings of the figures: what was asked for, and behind it all leads. */
enum { REPORT_BY, REPORT_ALL };

/* A lead of the sample. */
struct report_lead {
	char rank[FIGURES_RANK_BYTES];
	struct slice lead_id, grade, source, owner, team, outcome;
	int64_t obtained_ms;
};

struct report {
	struct arena arena;
	const struct zone *zone;
	struct figures_settings settings;
	enum figures_period period;
	enum report_form form;
	struct figures *figures;
	/* the sample, in order of rank; `sample_max` 0: none is asked for */
	struct slice seed;
	struct report_lead *sample;
	size_t sample_max, sample_count, obtained;
	/* of the events */
	size_t events, bad_lines;
};

/* An event from wherever it came. `data` was checked to be JSON, or is empty. */
void report_take(struct report *report, const struct figures_event *event);
/* The period of the report in one line: zone, from, until. */
void report_print(struct report *report);
void report_print_sample(const struct report *report);
void report_print_definitions(void);

#endif
