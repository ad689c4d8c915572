/* SPDX-License-Identifier: Apache-2.0
 *
 * What an event counts for: one function per type of event. figures.def says what each figure means.
 */
#include "rules/figures/figures_read.h"

#include <assert.h>

static struct figures_fact *add(struct figures_facts *facts, const struct figures_seen *seen, enum figure figure)
{
	assert(facts->count < FIGURES_FACTS_MAX);
	struct figures_fact *fact = &facts->items[facts->count++];
	*fact = (struct figures_fact){.figure = figure, .amount = 1, .at_ms = seen->at_ms, .dimensions = seen->dimensions};
	return fact;
}

static void add_time(struct figures_facts *facts, const struct figures_seen *seen, enum figure_time time, int64_t amount_ms)
{
	struct figures_fact *fact = add(facts, seen, FIGURES);
	fact->is_time = true;
	fact->time = time;
	fact->amount = amount_ms;
}

static void obtained(struct figures_facts *facts, const struct figures_seen *seen)
{
	add(facts, seen, FIGURE_OBTAINED);
	if (slice_is(seen->gate, "stopped"))
		add(facts, seen, FIGURE_STOPPED)->reason = seen->reason;
	else
		add(facts, seen, FIGURE_PASSED);
	if (seen->captured_ms != 0)
		add_time(facts, seen, FIGURE_TIME_GAP, seen->at_ms - seen->captured_ms);
}

static void take_assigned(struct figures_facts *facts, const struct figures_seen *seen)
{
	add(facts, seen, FIGURE_ASSIGNED);
	if (seen->has_lead)
		obtained(facts, seen);
	else if (seen->previous_owner.len != 0)
		add(facts, seen, FIGURE_REASSIGNED)->dimensions = seen->taken_from;
}

/* The event of an intake says what the gate did; any other one takes the lead from somebody, or leaves it as it is. */
static void take_unassigned(struct figures_facts *facts, const struct figures_seen *seen)
{
	struct figures_fact *fact = NULL;
	if (seen->gate.len != 0) {
		obtained(facts, seen);
		fact = add(facts, seen, FIGURE_UNASSIGNED);
	} else if (seen->previous_owner.len != 0) {
		fact = add(facts, seen, FIGURE_RELEASED);
		fact->dimensions = seen->taken_from;
	}
	if (fact != NULL)
		fact->reason = seen->reason;
}

static void take_duplicate(struct figures_facts *facts, const struct figures_seen *seen)
{
	add(facts, seen, FIGURE_DUPLICATES);
}

/* A clock falls due once: when its breach is told, or else when it is answered. */
static void take_first(struct figures_facts *facts, const struct figures_seen *seen)
{
	const struct figures_answer *answer = &seen->first;
	if (!answer->is_there)
		return;
	if (!answer->was_told)
		add(facts, seen, FIGURE_FIRST_DUE);
	if (answer->in_time)
		add(facts, seen, FIGURE_FIRST_MET);
	add_time(facts, seen, FIGURE_TIME_RESPONSE, answer->elapsed_ms);
	add_time(facts, seen, FIGURE_TIME_RESPONSE_OPEN, answer->open_ms);
}

static void take_answers(struct figures_facts *facts, const struct figures_seen *seen)
{
	take_first(facts, seen);
	if (seen->cadence > seen->cadence_overdue)
		add(facts, seen, FIGURE_CADENCE_DUE)->amount = seen->cadence - seen->cadence_overdue;
	if (seen->cadence_in_time > 0)
		add(facts, seen, FIGURE_CADENCE_MET)->amount = seen->cadence_in_time;
}

/* On the day on which the lead was obtained. */
static void take_reached(struct figures_facts *facts, const struct figures_seen *seen)
{
	if (seen->obtained_ms == 0)
		return;
	if (seen->became_opportunity)
		add(facts, seen, FIGURE_REACHED_OPPORTUNITY)->at_ms = seen->obtained_ms;
	if (seen->became_order)
		add(facts, seen, FIGURE_REACHED_ORDER)->at_ms = seen->obtained_ms;
}

static void take_status(struct figures_facts *facts, const struct figures_seen *seen)
{
	if (seen->is_repeated)
		return;
	if (seen->touched_ms != 0 && !seen->is_outsider)
		add(facts, seen, FIGURE_TOUCHES);
	take_answers(facts, seen);
	take_reached(facts, seen);
	if (slice_equal(seen->status, seen->previous_status))
		return;
	if (slice_is(seen->status, "opportunity"))
		add(facts, seen, FIGURE_OPPORTUNITIES);
	else if (slice_is(seen->status, "lost"))
		add(facts, seen, FIGURE_LOST)->reason = seen->reason;
	else if (slice_is(seen->status, "invalid"))
		add(facts, seen, FIGURE_INVALID)->reason = seen->reason;
}

static void take_converted(struct figures_facts *facts, const struct figures_seen *seen)
{
	if (seen->is_repeated)
		return;
	if (!slice_is(seen->previous_status, "deferred") && !slice_is(seen->previous_status, "converted"))
		add(facts, seen, FIGURE_ORDERS);
	take_answers(facts, seen);
	take_reached(facts, seen);
}

/* `kind` is there where the clock has another name than its kind. */
static void take_overdue(struct figures_facts *facts, const struct figures_seen *seen)
{
	struct slice kind = seen->kind.len != 0 ? seen->kind : seen->timer;
	if (!slice_is(seen->level, "breach"))
		return;
	if (slice_is(kind, "first_response"))
		add(facts, seen, FIGURE_FIRST_DUE);
	else if (slice_is(kind, "cadence"))
		add(facts, seen, FIGURE_CADENCE_DUE);
}

static void take_complaint(struct figures_facts *facts, const struct figures_seen *seen)
{
	if (!seen->is_repeated)
		add(facts, seen, FIGURE_COMPLAINTS);
}

static void take_help(struct figures_facts *facts, const struct figures_seen *seen)
{
	if (!seen->is_repeated)
		add(facts, seen, FIGURE_HELP);
}

static void take_feedback(struct figures_facts *facts, const struct figures_seen *seen)
{
	if (seen->is_repeated || seen->score < 1 || seen->score > 5)
		return;
	add(facts, seen, FIGURE_CSAT_ANSWERS);
	add(facts, seen, FIGURE_CSAT_SUM)->amount = seen->score;
}

static const struct taker {
	struct slice type;
	void (*take)(struct figures_facts *facts, const struct figures_seen *seen);
} takers[] = {
	{{"lead.assigned", 13}, take_assigned},
	{{"lead.unassigned", 15}, take_unassigned},
	{{"lead.duplicate", 14}, take_duplicate},
	{{"lead.status", 11}, take_status},
	{{"lead.converted", 14}, take_converted},
	{{"followup.overdue", 16}, take_overdue},
	{{"lead.complaint", 14}, take_complaint},
	{{"lead.help_requested", 19}, take_help},
	{{"lead.feedback", 13}, take_feedback},
};

void figures_facts_of(const struct figures_event *event, const struct figures_seen *seen, struct figures_facts *ret_facts)
{
	ret_facts->count = 0;
	if (slice_is(event->type, "lead.rejected")) {
		if (event->is_lead_record)
			add(ret_facts, seen, FIGURE_REJECTED)->reason = event->code;
		return;
	}
	for (size_t i = 0; i < sizeof takers / sizeof *takers; i++)
		if (slice_equal(takers[i].type, event->type)) {
			takers[i].take(ret_facts, seen);
			return;
		}
}
