/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/own.h"

#include "rules/clocks_lead.h"
#include "rules/decide.h"
#include "rules/model.h"
#include "rules/pool_choose.h"

static size_t owner_of(const struct work *work)
{
	return work->state.owner.len != 0 ? model_find_rep(work->model, work->state.owner) : SIZE_MAX;
}

void own_give(struct work *work, size_t rep, size_t team, const char *reason)
{
	struct lead_state *state = &work->state;
	pool_on_owner_change(work, owner_of(work), rep);
	work->rep = rep;
	work->team = team;
	work->reason = reason;
	state->version++;
	state->status = LEAD_ASSIGNED;
	state->given_ms = state->at_ms != 0 && state->at_ms != work->now_ms ? work->now_ms : 0;
	state->wait_ms = state->step = 0;
	state->owner = work->model->reps[rep].id;
	state->team = team != SIZE_MAX ? work->model->teams[team].id : SLICE_NONE;
	state->why = SLICE_NONE;
	state->touched_ms = 0;
	clocks_on_owner(work);
}

void own_clear(struct work *work, const char *reason)
{
	struct lead_state *state = &work->state;
	pool_on_owner_change(work, owner_of(work), SIZE_MAX);
	work->reason = reason;
	state->version++;
	state->status = LEAD_UNASSIGNED;
	state->owner = SLICE_NONE;
	state->why = slice_of(reason);
	state->touched_ms = 0;
	clocks_on_owner(work);
}
