/* SPDX-License-Identifier: Apache-2.0
 *
 * activity.release: the owner, one of his helpers, or somebody who is no rep (a manager, another system), gives the lead back to the public pool. What happened to it
 * stays; who had it waits for the cool-down before he may claim it again (semantics.md 2.11).
 */
#include "rules/decide.h"

#include "rules/event_own.h"
#include "rules/lifecycle.h"
#include "rules/model.h"
#include "rules/own.h"

int act_release_read(struct activity *activity, struct arena *arena, struct err *err)
{
	(void)activity, (void)arena, (void)err; /* nothing beside what every activity says */
	return 0;
}

/* A colleague does not give away what is another's, to claim it then. Managers and other systems are no reps. */
static bool is_colleague(const struct work *work)
{
	struct slice actor = work->activity->actor;
	return !own_is_acting(&work->state, actor) && model_find_rep(work->model, actor) != SIZE_MAX;
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
	if (is_colleague(work)) {
		decide_reject(work, work->prepared->record, ERR_NOT_THE_OWNER, "actor", "the lead is a colleague's");
		return;
	}
	work->state.tried.count = 0;
	own_free(work, LEAD_RELEASED, &order);
}
