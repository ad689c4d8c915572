/* SPDX-License-Identifier: Apache-2.0
 *
 * Stage owner_match: is there somebody whose lead this is before any rule is asked?
 */
#include "rules/decide.h"

#include "rules/model.h"
#include "rules/own.h"
#include "rules/returning.h"

/* A customer who names a person gets that person, if he is there (S3-MANUAL); rotations do not move for it. */
static void match_requested(struct work *work)
{
	struct slice name = work->prepared->lead.requested_owner;
	if (name.len == 0)
		return;
	size_t rep = model_find_rep(work->model, name);
	work->requested = rep == SIZE_MAX ? "unknown" : !work->model->reps[rep].is_active ? "not_active" : "taken";
	if (rep == SIZE_MAX || !work->model->reps[rep].is_active)
		return;
	work->rep = rep;
	work->team = own_team_of(work, rep, SLICE_NONE);
	work->reason = "requested";
}

enum step stage_owner_match(struct work *work)
{
	match_requested(work);
	return returning_owner(work);
}
