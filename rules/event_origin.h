/* SPDX-License-Identifier: Apache-2.0
 *
 * What figures count an event by: put into each event, so that one can be counted without knowing those before it
 * (rules/figures/figures.h).
 *
 *     "origin": {"obtained_at", "source", "campaign", "intent", "region", "grade"}   where the lead came from
 *               "captured_at", "gate"                             of the intake: passed | stopped
 *               "became_opportunity", "became_order"              true in the event of the first time
 *     "first_response", "cadence"                                 clocks that an act has just answered
 */
#ifndef LR_RULES_EVENT_ORIGIN_H
#define LR_RULES_EVENT_ORIGIN_H

#include <stdbool.h>
#include <stdint.h>

struct clock;
struct clock_hours;
struct clock_plan;
struct json_writer;
struct lifecycle_rules;
struct work;

/* What acts have answered, until an event tells it. */
struct work_answers {
	bool has_first, is_in_time, was_overdue;
	int64_t deadline_ms, elapsed_ms, open_ms;
	int64_t cadence, cadence_in_time, cadence_overdue; /* how many */
	bool became_opportunity, became_order;
};

/* `before` is the clock as it was when the act at `at_ms` answered it. */
void answers_note(struct work_answers *answers, const struct clock *before, const struct clock_plan *plan,
                  const struct clock_hours *hours, int64_t at_ms);
/* Called with each move: is this the first time that the lead gets so far? Remembers it in work->state. */
void answers_note_status(struct work *work);

/* Members of an event of `type`; called for every event. */
void event_put_origin(struct json_writer *writer, struct work *work, const char *type);

#endif
