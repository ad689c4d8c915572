/* SPDX-License-Identifier: Apache-2.0
 *
 * activity.reassign: a person gives the lead to somebody, or to whose turn it is in a team (S3-MANUAL, S0-MANAGER). The
 * order wins over whatever the rotation decided; it may name the version of ownership that it was made for.
 */
#include "rules/decide.h"

#include "rules/consent.h"
#include "rules/dispute.h"
#include "rules/event_own.h"
#include "rules/lifecycle.h"
#include "rules/model.h"
#include "rules/own.h"
#include "rules/pool_choose.h"

int act_reassign_read(struct activity *activity, struct arena *arena, struct err *err)
{
	(void)arena;
	const struct json *data = activity->data;
	if (activity_text(data, "to", ACTIVITY_TEXT_BYTES_MAX, &activity->to, err) != 0 ||
	    activity_text(data, "team", ACTIVITY_TEXT_BYTES_MAX, &activity->team, err) != 0 ||
	    activity_text(data, "next_step", ACTIVITY_OUTCOME_BYTES_MAX, &activity->next_step, err) != 0 ||
	    activity_helpers(data, "collaborators", &activity->helpers, err) != 0)
		return -1;
	if (activity->to.len == 0 && activity->team.len == 0)
		return err_set_at(err, ERR_MISSING_FIELD, "to", "the order says neither to whom nor to which team");
	return 0;
}

/* false: the record was rejected. */
static bool find_target(struct work *work, size_t *ret_rep, size_t *ret_team)
{
	const struct activity *activity = work->activity;
	size_t team = activity->team.len != 0 ? model_find_team(work->model, activity->team) : SIZE_MAX;
	if (activity->team.len != 0 && team == SIZE_MAX) {
		decide_reject(work, work->prepared->record, ERR_UNKNOWN_WORD, "team", "no team of that id is configured");
		return false;
	}
	*ret_rep = SIZE_MAX;
	*ret_team = team;
	if (activity->to.len == 0)
		return true;
	*ret_rep = own_find_rep(work, activity->to, "to");
	if (*ret_rep != SIZE_MAX)
		*ret_team = own_team_of(work, *ret_rep, team != SIZE_MAX ? activity->team : work->state.team);
	return *ret_rep != SIZE_MAX;
}

static void give(struct work *work, size_t rep, size_t team)
{
	struct order order = order_of(work, "manual");
	if (work->activity->helpers != NULL)
		own_set_helpers(work, work->activity->helpers);
	if (rep == SIZE_MAX) {
		pool_credit_back(work, work->state.owner, order.reason, order.approver); /* in the team that gave it */
		work->state.team = work->model->teams[team].id;
		own_pass_on(work, &order);
	} else if (slice_equal(work->model->reps[rep].id, work->state.owner)) {
		dispute_close(work, order.reason); /* who decides it for the owner has decided it, too */
		work_write_lead(work, work->lead_id);
		event_arranged(work);
	} else if (!consent_ask(work, rep, team)) {
		own_order(work, rep, team, &order);
	}
}

void act_reassign(struct work *work)
{
	size_t rep, team;
	if (work->is_repeated) {
		event_arranged(work);
		return;
	}
	if (!own_may_order(work) || !find_target(work, &rep, &team) || !lifecycle_has_needs(work, LEAD_ASSIGNED))
		return;
	if (work->activity->helpers != NULL && !own_are_reps(work, work->activity->helpers))
		return;
	work->state.tried.count = 0;
	give(work, rep, team);
}
