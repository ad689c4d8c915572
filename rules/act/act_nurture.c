/* SPDX-License-Identifier: Apache-2.0
 *
 * activity.nurture: not now, but later: the lead is looked at again at a date, or from time to time (S3-NURTURE).
 */
#include "rules/decide.h"

#include "rules/event_lifecycle.h"
#include "rules/lifecycle.h"

int act_nurture_read(struct activity *activity, struct arena *arena, struct err *err)
{
	(void)arena;
	if (activity_time(activity->data, "until", &activity->until_ms, err) != 0)
		return -1;
	return activity_span(activity->data, "every", &activity->every, err);
}

void act_nurture(struct work *work)
{
	const struct activity *activity = work->activity;
	const char *before = lead_status_name(work->state.status);
	struct move move = {.to = LEAD_NURTURE, .reason = activity->reason, .every = activity->every};
	if (work->is_repeated) {
		event_moved(work, &move, before, true);
		return;
	}
	move.wake_ms = activity->until_ms;
	lifecycle_fill_nurture(work, &move);
	if (!lifecycle_may(work, &move))
		return;
	lifecycle_move(work, &move);
	work_write_lead(work, work->lead_id);
	event_moved(work, &move, before, false);
}
