/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/rest.h"

#include "rules/decide.h"
#include "rules/event_lifecycle.h"

bool rest_is(enum lead_status status)
{
	return status == LEAD_NURTURE || status == LEAD_SHELVED || status == LEAD_OPPORTUNITY || status == LEAD_DEFERRED;
}

static bool waits(const struct lead_state *state)
{
	return state->status == LEAD_WAITING || state->status == LEAD_PENDING;
}

struct move rest_of(const struct lead_state *state)
{
	if (rest_is(state->status))
		return (struct move){.to = state->status, .reason = state->why, .wake_ms = state->wake_ms, .every = state->every};
	if (!waits(state) || state->was.len == 0)
		return (struct move){.to = LEAD_STATUSES};
	return (struct move){.to = lifecycle_find(state->was), .reason = state->was_why, .wake_ms = state->later_ms,
	                     .every = state->every};
}

void rest_forget(struct lead_state *state)
{
	state->was = state->was_why = state->every = SLICE_NONE;
	state->later_ms = 0;
}

void rest_keep(struct lead_state *state, const struct move *rest)
{
	rest_forget(state);
	if (rest->to == LEAD_STATUSES)
		return;
	state->was = slice_of(lead_status_name(rest->to));
	state->was_why = rest->reason;
	state->later_ms = rest->wake_ms;
	state->every = rest->every;
}

bool rest_resume(struct lead_state *state)
{
	struct move rest = rest_of(state);
	rest_forget(state);
	if (rest.to == LEAD_STATUSES || (state->owner.len == 0 && rest.to != LEAD_NURTURE))
		return false;
	state->status = rest.to;
	state->why = rest.reason;
	state->wake_ms = rest.wake_ms;
	state->every = rest.every;
	return true;
}

bool rest_fire(struct work *work)
{
	struct lead_state *state = &work->state;
	struct move rest = rest_of(state);
	if (state->later_ms == 0 || state->later_ms > work->now_ms)
		return false;
	struct waking waking = {.timer = lifecycle_timer(rest.to), .due_ms = state->later_ms,
	                        .before = lead_status_name(state->status), .reason = rest.reason};
	state->later_ms = waking.next_ms = lifecycle_after(work, state->every);
	if (waking.timer == NULL)
		return true; /* it does not wait any more: nobody is told */
	state->wakes++;
	event_woken(work, &waking);
	if (rest.to == LEAD_SHELVED)
		rest_forget(state); /* it comes off the shelf, and waits on */
	return true;
}
