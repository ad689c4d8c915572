/* SPDX-License-Identifier: Apache-2.0
 *
 * More than an event's trace: what is found out by looking on while one lead is decided, as one JSON object.
 *
 *     lead_id
 *     keys       the identity keys that were looked up, and which lead they led to
 *     score      base, total, grade, and every criterion: points, result, the first clause that was not true and its values
 *     routes     every route in order, what it says by itself: result, condition, first clause that was not true, its values
 *     routes_tried, route_taken   how far the decision went, and where it ended
 *     clocks     each that runs, from its start: stretches of its calendar that count and that do not, levels, due time
 *     outcome, reject, events     what it came to; the events as they would be sent
 *
 *     record     which one of its file, when the caller put it there
 *
 * Members that do not apply are left out. Contact data is masked unless it is asked for (rules/event_shown.h).
 */
#ifndef LR_RULES_STORY_DETAIL_H
#define LR_RULES_STORY_DETAIL_H

#include <stdbool.h>

#include "rules/clocks.h"
#include "rules/decide.h"
#include "rules/json/json.h"

enum { DETAIL_PIECES_MAX = 200 }; /* stretches of the calendar that are shown */

struct calendar;
struct cel_env;
struct lead_state;
struct model;

struct detail {
	struct json_writer writer;
	struct observer observer; /* give this one to rehearsal_decide() */
	bool is_unmasked;
	size_t routes_tried;
	const struct route *route_taken;
	bool has_clocks; /* written */
};

/* The object is appended to `out`. The detail must not be moved. */
void detail_begin(struct detail *detail, struct strbuf *out, bool is_unmasked);
/* After the decision; the object is complete. */
void detail_end(struct detail *detail, const struct decision *decision);

/* One clock and how it comes due. */
struct timeline {
	struct slice clock; /* its name */
	const struct calendar *calendar;
	bool is_by_wall; /* open hours do not matter */
	const struct clock_plan *plan; /* that it runs by; NULL: not known */
	int64_t start_ms, due_ms;
	int64_t wanted_ms;         /* a date that somebody set; 0: none */
	int64_t extensions;        /* by acts */
	int64_t stop_ms, pause_ms; /* it ended, or stands still since; 0: neither */
	struct clock_pause pauses[CLOCK_PAUSES_MAX]; /* that are over; those behind the last one: 0 */
	struct span left;          /* what was left behind the pauses before those */
	int64_t left_ms;           /* … when they ended; 0: there were none */
	bool is_overdue;           /* the breach was told */
	size_t level_count; /* beside the breach, which is the due time */
	struct timeline_level {
		struct slice name;
		int64_t at_ms;
		bool is_told;
	} levels[CLOCK_LEVELS_MAX]; /* in the order of time */
};

/* An entry of "clocks". */
void detail_put_timeline(struct json_writer *writer, const struct timeline *timeline);

/* "clocks" of a lead as it is stored: those that run, stand still or were stopped, by the plans and calendars of the model.
 * Nothing where there are none. */
void detail_put_clocks(struct json_writer *writer, const struct model *model, struct slice lead_id,
                       const struct lead_state *state, int64_t now_ms);

/* "values": what the names in a piece of an expression stand for, in order of appearance: name, and value (a CEL literal) or
 * absent. */
void detail_put_values(struct json_writer *writer, const struct cel_env *env, const struct cel_value *slots,
                       struct slice text, bool is_unmasked, struct arena *scratch);

#endif
