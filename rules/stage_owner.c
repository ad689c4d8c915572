/* SPDX-License-Identifier: Apache-2.0
 *
 * Stage owner_match: is there somebody whose lead this is before any rule is asked?
 */
#include "rules/decide.h"

#include "rules/model.h"
#include "rules/returning.h"

static bool is_member(const struct team *team, size_t rep)
{
	size_t low = 0, high = team->member_count; /* members are in the order of reps */
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (team->members[middle].rep < rep)
			low = middle + 1;
		else
			high = middle;
	}
	return low < team->member_count && team->members[low].rep == rep;
}

static size_t first_team_of(const struct model *model, size_t rep)
{
	for (size_t i = 0; i < model->team_count; i++)
		if (is_member(&model->teams[i], rep))
			return i;
	return SIZE_MAX;
}

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
	work->team = first_team_of(work->model, rep);
	work->reason = "requested";
}

enum step stage_owner_match(struct work *work)
{
	match_requested(work);
	return returning_owner(work);
}
