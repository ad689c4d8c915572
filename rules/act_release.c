/* SPDX-License-Identifier: Apache-2.0
 *
 * activity.release: the owner, or whoever may take it from him, gives the lead back to the public pool. What happened to it
 * stays; who had it waits for the cool-down before he may claim it again (semantics.md 2.11).
 */
#include "rules/decide.h"

#include "rules/event_own.h"
#include "rules/lifecycle.h"
#include "rules/own.h"

int act_release_read(struct activity *activity, struct arena *arena, struct err *err)
{
	(void)activity, (void)arena, (void)err; /* nothing beside what every activity says */
	return 0;
}

void act_release(struct work *work)
{
	struct order order = order_of(work, "released");
	if (work->is_repeated) {
		event_arranged(work);
		return;
	}
	if (work->state.owner.len == 0 || !lifecycle_is_open(work->state.status)) {
		decide_reject(work, work->prepared->record, ERR_ILLEGAL_TRANSITION, "lead_id",
		              work->state.owner.len == 0 ? "nobody owns it, so nobody can give it back" : "the lead is closed");
		return;
	}
	work->state.tried.count = 0;
	own_free(work, LEAD_RELEASED, &order);
}
