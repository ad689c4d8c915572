/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/own.h"

#include "rules/decide.h"
#include "rules/followup.h"
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
	followup_start(work->model, score_band(work->model, state->grade), work->now_ms, state);
}

void own_clear(struct work *work, const char *reason)
{
	struct lead_state *state = &work->state;
	work->reason = reason;
	state->version++;
	state->status = LEAD_UNASSIGNED;
	state->owner = SLICE_NONE;
	state->why = slice_of(reason);
	state->deadline_ms = state->remind_ms = state->touched_ms = 0;
	state->level = 0;
}
