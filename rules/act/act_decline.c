/* SPDX-License-Identifier: Apache-2.0
 *
 * activity.decline: the owner does not take the lead (S3-ASSIGN: explicit, never silent). It goes to the next in turn, not
 * back to anybody who was asked in this round.
 */
#include "rules/decide.h"

#include "rules/event_own.h"
#include "rules/lifecycle.h"
#include "rules/own.h"

int act_decline_read(struct activity *activity, struct arena *arena, struct err *err)
{
	(void)activity, (void)arena, (void)err; /* nothing beside what every activity says */
	return 0;
}

void act_decline(struct work *work)
{
	struct order order = order_of(work, "declined");
	struct slice actor = work->activity->actor, owner = work->state.owner;
	if (work->is_repeated) {
		event_arranged(work);
		return;
	}
	if (owner.len == 0 || (actor.len != 0 && !slice_equal(actor, owner))) {
		decide_reject(work, work->prepared->record, ERR_NOT_THE_OWNER, "actor", "only its owner declines a lead");
		return;
	}
	if (own_may_order(work))
		own_pass_on(work, &order);
}
