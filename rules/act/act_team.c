/* SPDX-License-Identifier: Apache-2.0
 *
 * What is arranged about a lead beside its owner: activity.collaborators says who helps him and as what (S4-TEAM),
 * activity.protect how long it is not taken back for want of progress (S1-RELEASE100: special cases excepted).
 */
#include "rules/decide.h"

#include "rules/event_own.h"
#include "rules/json/json.h"
#include "rules/lifecycle.h"
#include "rules/own.h"
#include "rules/ownership.h"

int act_collaborators_read(struct activity *activity, struct arena *arena, struct err *err)
{
	(void)arena;
	if (activity_helpers(activity->data, "collaborators", &activity->helpers, err) != 0)
		return -1;
	if (activity->helpers == NULL)
		return err_set_at(err, ERR_MISSING_FIELD, "collaborators", "the list of those who help is missing; it may be empty");
	return 0;
}

void own_set_helpers(struct work *work, const struct json *helpers)
{
	struct state_list *list = &work->state.helpers;
	for (list->count = 0; list->count < helpers->count; list->count++) {
		const struct json *helper = &helpers->items[list->count];
		struct slice rep = json_get_text(helper, "rep"), role = json_get_text(helper, "role");
		list->items[list->count] = ARENA_JOIN(work->arena, rep, SLICE("/"), role);
	}
}

bool own_are_reps(struct work *work, const struct json *helpers)
{
	for (size_t i = 0; i < helpers->count; i++)
		if (model_find_rep(work->model, json_get_text(&helpers->items[i], "rep")) == SIZE_MAX) {
			decide_reject(work, work->prepared->record, ERR_UNKNOWN_REP, "collaborators", "no rep of that id is configured");
			return false;
		}
	return true;
}

void act_collaborators(struct work *work)
{
	if (!work->is_repeated) {
		if (!own_may_order(work) || !own_are_reps(work, work->activity->helpers))
			return;
		own_set_helpers(work, work->activity->helpers);
		work_write_lead(work, work->lead_id);
	}
	event_arranged(work);
}

int act_protect_read(struct activity *activity, struct arena *arena, struct err *err)
{
	(void)arena;
	return activity_time(activity->data, "until", &activity->until_ms, err);
}

/* Until when this owner may be protected, counted from his first protection, so that many short ones are no long one; 0: for
 * any time. */
static int64_t latest(const struct work *work)
{
	int64_t sheltered_ms = work->state.sheltered_ms, from_ms = sheltered_ms != 0 ? sheltered_ms : work->now_ms;
	return lifecycle_from(work, from_ms, ownership_rules(work->model)->protect_at_most);
}

static void protect(struct work *work, int64_t until_ms)
{
	struct lead_state *state = &work->state;
	bool is_ending = state->excused != EXCUSE_NONE && until_ms == 0; /* what fell due meanwhile is made up for at once */
	if (state->sheltered_ms == 0 && until_ms > work->now_ms)
		state->sheltered_ms = work->now_ms;
	state->exempt_ms = is_ending ? work->now_ms : until_ms;
	work_write_lead(work, work->lead_id);
}

/* Without `until` the protection ends now. */
void act_protect(struct work *work)
{
	int64_t until_ms = work->activity->until_ms, latest_ms = latest(work);
	if (!work->is_repeated) {
		if (latest_ms != 0 && until_ms > latest_ms) {
			decide_reject(work, work->prepared->record, ERR_PROTECTION_RANGE, "until",
			              "longer than the configuration allows from the owner's first protection on");
			return;
		}
		protect(work, until_ms);
	}
	event_arranged(work);
}
