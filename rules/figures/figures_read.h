/* SPDX-License-Identifier: Apache-2.0
 *
 * From an event to facts, for rules/figures/ only. Reading goes over the event's bytes once and skips what is not
 * counted (the trace is most of it), because the daemon does it for each event that it sends.
 */
#ifndef LR_RULES_FIGURES_FIGURES_READ_H
#define LR_RULES_FIGURES_FIGURES_READ_H

#include "rules/figures/figures.h"

struct arena;

/* A clock that an act answered. */
struct figures_answer {
	bool is_there;
	bool in_time;
	bool was_told; /* its breach was told before: it has been counted as due */
	int64_t elapsed_ms, open_ms;
};

/* The members of an event that figures look at. Times are 0, texts empty when absent. */
struct figures_seen {
	struct slice dimensions[FIGURE_DIMENSIONS_ALL];
	struct slice region, country;
	struct slice reason, status, previous_status, kind, timer, level, previous_owner, gate;
	int64_t at_ms, obtained_ms, captured_ms, touched_ms, score;
	bool is_repeated, is_outsider, has_lead, became_opportunity, became_order;
	struct figures_answer first;
	int64_t cadence, cadence_in_time, cadence_overdue; /* clocks answered, in time, counted as due before */
	struct slice taken_from[FIGURE_DIMENSIONS_ALL]; /* the dimensions with the owner before */
};

/* One more, or `amount` more, of a figure; or one duration. */
struct figures_fact {
	enum figure figure;
	enum figure_time time;
	bool is_time;
	int64_t amount;
	int64_t at_ms;                  /* which day it belongs to */
	struct slice reason;
	const struct slice *dimensions; /* of the event that was read */
};

enum { FIGURES_FACTS_MAX = 12 }; /* of one event */

struct figures_facts {
	size_t count;
	struct figures_fact items[FIGURES_FACTS_MAX];
};

/* Texts are borrowed from the event; those with escapes are decoded into the arena. */
void figures_read(const struct figures_event *event, struct arena *arena, struct figures_seen *ret_seen);
void figures_facts_of(const struct figures_event *event, const struct figures_seen *seen, struct figures_facts *ret_facts);

#endif
