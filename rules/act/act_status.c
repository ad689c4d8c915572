/* SPDX-License-Identifier: Apache-2.0
 *
 * activity.status: the lead moves to another state or stage (S3-STATE, S4-STATES, S4-NEXTSTEP).
 */
#include "rules/decide.h"

#include "rules/event_lifecycle.h"
#include "rules/lifecycle.h"

int act_status_read(struct activity *activity, struct arena *arena, struct err *err)
{
	(void)arena;
	const struct json *data = activity->data;
	if (activity_text(data, "status", ACTIVITY_TEXT_BYTES_MAX, &activity->status, err) != 0 ||
	    activity_text(data, "stage", ACTIVITY_TEXT_BYTES_MAX, &activity->stage, err) != 0 ||
	    activity_text(data, "next_step", ACTIVITY_OUTCOME_BYTES_MAX, &activity->next_step, err) != 0 ||
	    activity_time(data, "until", &activity->until_ms, err) != 0)
		return -1;
	if (activity->status.len == 0 && activity->stage.len == 0)
		return err_set_at(err, ERR_MISSING_FIELD, "status", "neither a status nor a stage is given");
	return 0;
}

/* A stage alone leaves the state as it is; a lead that nobody has acted on is in progress from its first stage on. */
static enum lead_status target(const struct work *work)
{
	if (work->activity->status.len != 0)
		return lifecycle_find(work->activity->status);
	return work->state.status == LEAD_ASSIGNED ? LEAD_IN_PROGRESS : work->state.status;
}

/* Only an activity of its own leads there: it brings what has to be known (activity.convert), or changes the owner. */
static bool is_for_status(enum lead_status to)
{
	return to == LEAD_IN_PROGRESS || to == LEAD_UNASSIGNED || to == LEAD_SHELVED || to == LEAD_OPPORTUNITY ||
	       to == LEAD_NURTURE || to == LEAD_LOST || to == LEAD_INVALID;
}

/* What the activity says beside the state. */
static void fill(const struct work *work, struct move *move)
{
	const struct activity *activity = work->activity;
	move->reason = activity->reason;
	move->stage = activity->stage;
	move->next_step = activity->next_step;
	if (lifecycle_timer(move->to) != NULL)
		move->wake_ms = activity->until_ms;
	if (move->to == LEAD_NURTURE)
		lifecycle_fill_nurture(work, move);
}

void act_status(struct work *work)
{
	struct move move = {.to = target(work)};
	const char *before = lead_status_name(work->state.status);
	if (work->is_repeated) {
		event_moved(work, &move, before, true);
		return;
	}
	if (move.to == LEAD_STATUSES || !is_for_status(move.to)) {
		decide_reject(work, work->prepared->record, move.to == LEAD_STATUSES ? ERR_UNKNOWN_WORD : ERR_ILLEGAL_TRANSITION, "status",
		              move.to == LEAD_STATUSES ? "there is no such status" : "another activity leads to this status");
		return;
	}
	fill(work, &move);
	if (!lifecycle_may(work, &move))
		return;
	lifecycle_move(work, &move);
	work_write_lead(work, work->lead_id);
	event_moved(work, &move, before, false);
}
