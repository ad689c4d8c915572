/* SPDX-License-Identifier: Apache-2.0
 *
 * activity.touch: somebody acted on a lead (called, wrote, met).
 */
#include "rules/decide.h"

#include "rules/absence.h"
#include "rules/clocks_act.h"
#include "rules/clocks_lead.h"
#include "rules/event.h"
#include "rules/followed.h"
#include "rules/model.h"
#include "rules/touch.h"
#include "rules/own.h"
#include "rules/owner_match.h"

int act_touch_read(struct activity *activity, struct arena *arena, struct err *err)
{
	if (activity_text(activity->data, "method", ACTIVITY_TEXT_BYTES_MAX, &activity->method, err) != 0)
		return -1;
	if (activity_text(activity->data, "outcome", ACTIVITY_OUTCOME_BYTES_MAX, &activity->outcome, err) != 0)
		return -1;
	return touch_read(activity, arena, err);
}

static void take_touch(struct work *work, const struct status_change *change)
{
	struct lead_state *state = &work->state;
	followed_note(work, work->activity->actor, change->at_ms);
	if (own_is_acting(state, work->activity->actor)) {
		const struct touch *touch = &work->activity->touch;
		absence_on_act(work, work->activity->actor.len != 0 ? work->activity->actor : state->owner);
		unsigned facts = CLOCK_FACT_TOUCHED | (touch->is_attempt ? 0 : CLOCK_FACT_REACHED);
		if (touch->intent.len != 0 || touch->need != NULL)
			facts |= CLOCK_FACT_NEED_CHANGED;
		owner_match_note(work, change->at_ms);
		if (state->touched_ms == 0 || change->at_ms < state->touched_ms)
			state->touched_ms = change->at_ms;
		state->back = SLICE_NONE;
		state->tried.count = 0; /* somebody has taken it up: the round is over */
		if (state->status == LEAD_ASSIGNED) {
			state->status = LEAD_IN_PROGRESS;
			facts |= CLOCK_FACT_PROGRESSED;
		}
		touch_take_need(work);
		clocks_happened(work, &(struct happened){.facts = facts, .at_ms = change->at_ms, .date_ms = touch->next_ms,
		                                         .method = work->activity->method, .reaction = touch->reaction,
		                                         .attitude = touch->attitude});
	}
	owner_match_touched(work);
	work_write_lead(work, work->lead_id);
}

void act_touch(struct work *work)
{
	struct status_change change = {.before = lead_status_name(work->state.status), .at_ms = clocks_happened_at(work)};
	change.is_repeated = work->is_repeated;
	if (!change.is_repeated && !touch_is_fine(work))
		return;
	if (!change.is_repeated && clocks_give_back(work))
		change.at_ms = work->activity->at_ms;
	if (!change.is_repeated)
		take_touch(work, &change);
	event_status(work, &change);
}
