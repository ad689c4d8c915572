/* SPDX-License-Identifier: Apache-2.0
 *
 * Cells as people and programs read them: counts with the rates and quantiles that follow from them, periods by name. The
 * digest of the daemon and `leadctl report` say the same.
 */
#ifndef LR_RULES_FIGURES_FIGURES_SHOW_H
#define LR_RULES_FIGURES_FIGURES_SHOW_H

#include <stdint.h>

#include "rules/figures/figures.h"

struct json_writer;

/* Rates: RATE(id, name, hits, all, definition). */
#define FIGURE_RATES(X)                                                                                                   \
	X(PASS, pass, PASSED, OBTAINED, "pass rate of the quality gate: passed / obtained")                                \
	X(FIRST, first_on_time, FIRST_MET, FIRST_DUE, "on-time rate of the first follow-up: first_met / first_due")        \
	X(CADENCE, cadence_on_time, CADENCE_MET, CADENCE_DUE, "on-time rate of the periodic follow-up: cadence_met / cadence_due") \
	X(OPPORTUNITY, to_opportunity, REACHED_OPPORTUNITY, OBTAINED, "conversion to an opportunity: reached_opportunity / obtained, of the same leads") \
	X(ORDER, to_order, REACHED_ORDER, OBTAINED, "conversion to an order: reached_order / obtained, of the same leads")

enum figure_rate {
#define X(id, name, hits, all, definition) FIGURE_RATE_##id,
	FIGURE_RATES(X)
#undef X
	FIGURE_RATES_ALL
};
const char *figure_rate_name(enum figure_rate rate);
const char *figure_rate_definition(enum figure_rate rate);
struct figures_rate figure_rate_of(const struct figures_cell *cell, enum figure_rate rate);

enum figures_period { FIGURES_TOTAL, FIGURES_DAY, FIGURES_WEEK, FIGURES_MONTH };
/* FIGURES_TOTAL is "total"; a week begins on Monday. */
const char *figures_period_name(enum figures_period period);
/* The first day of the period that `day` lies in; 0 for FIGURES_TOTAL. */
int64_t figures_period_start(enum figures_period period, int64_t day);
/* The first day behind it. Not for FIGURES_TOTAL. */
int64_t figures_period_end(enum figures_period period, int64_t start);
/* "2026-11-23", "2026-W48", "2026-11", "". */
enum { FIGURES_PERIOD_BYTES = 48 };
void figures_period_format(enum figures_period period, int64_t start, char ret_text[FIGURES_PERIOD_BYTES]);

/* Members of an open object: "figures": {counts that are not 0}, "reasons": {figure: {reason: count}},
 * "rates": {name: {"rate","low","high"}} in per mille, "times": {name: {"count","median_ms","p90_ms","p95_ms"}}, "csat". */
void figures_show_members(struct json_writer *writer, const struct figures_cell *cell);

#endif
