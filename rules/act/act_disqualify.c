/* SPDX-License-Identifier: Apache-2.0
 *
 * activity.disqualify: the lead is written off, for a reason (S3-INVALID). With `do_not_contact`, be it a member or the
 * reason, the person is barred as well: the identity keys stay, as marks that name no lead. People also say so when the lead is
 * closed: it stays what it is.
 */
#include "rules/decide.h"

#include "rules/event_lifecycle.h"
#include "rules/lifecycle.h"

int act_disqualify_read(struct activity *activity, struct arena *arena, struct err *err)
{
	(void)arena;
	if (activity_bool(activity->data, "do_not_contact", &activity->is_barring, err) != 0)
		return -1;
	activity->is_barring |= slice_is(activity->reason, "do_not_contact");
	return 0;
}

static void bar(struct work *work)
{
	work->state.bar = BAR_CONTACT;
	work_forget_idents(work, IDENTS_BARRED);
}

void act_disqualify(struct work *work)
{
	const char *before = lead_status_name(work->state.status);
	struct move move = {.to = LEAD_INVALID, .reason = work->activity->reason};
	if (work->is_repeated) {
		event_moved(work, &move, before, true);
		return;
	}
	if (work->activity->is_barring && move.reason.len == 0)
		move.reason = SLICE("do_not_contact");
	if (work->activity->is_barring && !lifecycle_is_open(work->state.status)) {
		move.to = work->state.status;
	} else {
		if (!lifecycle_may(work, &move))
			return;
		lifecycle_move(work, &move);
	}
	if (work->activity->is_barring)
		bar(work);
	work_write_lead(work, work->lead_id);
	event_moved(work, &move, before, false);
}
