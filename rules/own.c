/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/own.h"

#include "rules/clocks_lead.h"
#include "rules/decide.h"
#include "rules/model.h"

void own_give(struct work *work, size_t rep, size_t team, const char *reason)
{
	struct lead_state *state = &work->state;
	work->rep = rep;
	work->team = team;
	work->reason = reason;
	state->version++;
	state->status = LEAD_ASSIGNED;
	state->owner = work->model->reps[rep].id;
	state->team = team != SIZE_MAX ? work->model->teams[team].id : SLICE_NONE;
	state->why = SLICE_NONE;
	state->touched_ms = 0;
	clocks_on_owner(work);
}

void own_clear(struct work *work, const char *reason)
{
	struct lead_state *state = &work->state;
	work->reason = reason;
	state->version++;
	state->status = LEAD_UNASSIGNED;
	state->owner = SLICE_NONE;
	state->why = slice_of(reason);
	state->touched_ms = 0;
	clocks_on_owner(work);
}
