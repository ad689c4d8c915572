/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/event_origin.h"

#include <string.h>

#include "rules/calendar/calendar.h"
#include "rules/clocks_env.h"
#include "rules/decide.h"
#include "rules/event_page.h"
#include "rules/lead.h"

/* ---- what acts have answered */

void answers_note(struct work_answers *answers, const struct clock *before, const struct clock_plan *plan,
                  const struct clock_hours *hours, int64_t at_ms)
{
	bool is_in_time = at_ms <= before->due_ms, was_overdue = before->level >= CLOCK_RANK_BREACH;
	if (plan->kind == CLOCK_CADENCE) {
		answers->cadence++;
		answers->cadence_in_time += is_in_time;
		answers->cadence_overdue += was_overdue;
	} else if (plan->kind == CLOCK_FIRST_RESPONSE) {
		answers->has_first = true;
		answers->is_in_time = is_in_time;
		answers->was_overdue = was_overdue;
		answers->deadline_ms = before->due_ms;
		answers->elapsed_ms = at_ms - before->start_ms;
		answers->open_ms = hours->clock != NULL ? calendar_elapsed(hours->clock, before->start_ms, at_ms) : answers->elapsed_ms;
	}
}

enum { NOT_FAR, TO_OPPORTUNITY, TO_ORDER };

void answers_note_status(struct work *work)
{
	struct lead_state *state = &work->state;
	bool is_order = state->status == LEAD_CONVERTED || state->status == LEAD_DEFERRED;
	int64_t far = is_order ? TO_ORDER : state->status == LEAD_OPPORTUNITY ? TO_OPPORTUNITY : NOT_FAR;
	if (far <= state->furthest)
		return;
	work->answers.became_opportunity = state->furthest == NOT_FAR;
	work->answers.became_order = far == TO_ORDER;
	state->furthest = far;
}

static void put_answers(struct json_writer *writer, const struct work_answers *answers)
{
	if (answers->has_first) {
		json_open_object(writer, "first_response");
		json_put_time(writer, "deadline", answers->deadline_ms);
		json_put_bool(writer, "in_time", answers->is_in_time);
		json_put_bool(writer, "was_overdue", answers->was_overdue);
		json_put_int(writer, "elapsed_ms", answers->elapsed_ms);
		json_put_int(writer, "open_ms", answers->open_ms);
		if (answers->is_in_time && answers->was_overdue)
			json_put_bool(writer, "overdue_undone", true); /* told wrongly: an act in time was heard of late */
		json_close_object(writer);
	}
	if (answers->cadence != 0) {
		json_open_object(writer, "cadence");
		json_put_int(writer, "answered", answers->cadence);
		json_put_int(writer, "in_time", answers->cadence_in_time);
		json_put_int(writer, "were_overdue", answers->cadence_overdue);
		json_close_object(writer);
	}
}

/* ---- where the lead came from */

static bool is_intake(const struct work *work, const char *type)
{
	bool is_outcome = strcmp(type, "lead.assigned") == 0 || strcmp(type, "lead.unassigned") == 0;
	return is_outcome && work->prepared != NULL && work->prepared->kind == PREPARED_LEAD;
}

static void put_intake(struct json_writer *writer, const struct work *work)
{
	const struct lead *lead = &work->prepared->lead;
	if (lead->captured_at.is_set)
		json_put_time(writer, "captured_at", lead->captured_at.value);
	json_put_text(writer, "gate", work->stages_run > STAGE_score + 1 ? SLICE("passed") : SLICE("stopped"));
}

static void put_firsts(struct json_writer *writer, const struct work_answers *answers)
{
	if (answers->became_opportunity)
		json_put_bool(writer, "became_opportunity", true);
	if (answers->became_order)
		json_put_bool(writer, "became_order", true);
}

static void put_origin(struct json_writer *writer, struct work *work, bool is_intake_now)
{
	const struct lead_state *state = &work->state;
	const struct lead *lead = clocks_lead(work);
	json_open_object(writer, "origin");
	json_put_time(writer, "obtained_at", state->at_ms);
	event_put_if(writer, "source", state->source);
	event_put_if(writer, "campaign", lead->campaign);
	event_put_if(writer, "intent", lead->intent);
	event_put_if(writer, "region", lead->location.region.len != 0 ? lead->location.region : lead->location.country);
	event_put_if(writer, "grade", state->grade);
	if (is_intake_now)
		put_intake(writer, work);
	put_firsts(writer, &work->answers);
	json_close_object(writer);
}

void event_put_origin(struct json_writer *writer, struct work *work, const char *type)
{
	bool is_intake_now = is_intake(work, type);
	bool tells = strcmp(type, "lead.status") == 0 || strcmp(type, "lead.converted") == 0;
	if (work->state.at_ms <= 0 || (is_intake_now && strcmp(type, "lead.assigned") == 0))
		return; /* about no lead; or the whole lead is in the event */
	if (tells)
		put_answers(writer, &work->answers);
	put_origin(writer, work, is_intake_now);
	if (tells)
		work->answers = (struct work_answers){0};
}
