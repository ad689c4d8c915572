/* SPDX-License-Identifier: Apache-2.0
 *
 * Activities: what sales apps report. The lead is read, a repeat is noticed, then the type's own function decides.
 */
#include "rules/decide.h"

#include <string.h>

#include "rules/clocks_lead.h"
#include "rules/event_own.h"
#include "rules/handover.h"
#include "rules/lifecycle.h"
#include "rules/merge.h"
#include "rules/model.h"
#include "rules/pend.h"

static bool was_taken(const struct lead_state *state, struct slice mark)
{
	for (size_t i = 0; i < state->recent.count; i++)
		if (mark.len != 0 && slice_equal(state->recent.items[i], mark))
			return true;
	return false;
}

/* The newest STATE_RECENT_MAX stay. */
static void remember(struct lead_state *state, struct slice mark)
{
	struct state_list *recent = &state->recent;
	if (mark.len == 0)
		return;
	if (recent->count == STATE_RECENT_MAX) {
		memmove(&recent->items[0], &recent->items[1], (STATE_RECENT_MAX - 1) * sizeof *recent->items);
		recent->count--;
	}
	recent->items[recent->count++] = mark;
}

static void (*const deciders[])(struct work *) = {
#define ACTIVITY(id, type, about, reader, decider) decider,
#include "rules/activity.def"
};

void decide_activity(struct work *work)
{
	const struct activity *activity = &work->prepared->activity;
	work->ret->outcome = OUTCOME_ACTIVITY;
	work->activity = activity;
	if (activity->about == ABOUT_REP) {
		deciders[activity->type](work);
		return;
	}
	work->lead_id = activity->lead_id;
	int found = work_read_lead(work, work->lead_id, &work->state);
	if (found == 0 && pend_keep(work))
		return;
	if (found <= 0) {
		decide_reject(work, work->prepared->record, found == 0 ? ERR_UNKNOWN_LEAD : ERR_STATE_MALFORMED, "lead_id",
		              found == 0 ? "no such lead is known here" : "the lead's stored value is not in our form");
		return;
	}
	if (work->state.status == LEAD_MERGED && activity->type != ACTIVITY_MERGE) {
		decide_reject(work, work->prepared->record, ERR_LEAD_MERGED, "lead_id",
		              arena_printf(work->arena, "it was merged into %.*s", SLICE_ARG(work->state.into)));
		return;
	}
	if (!lifecycle_is_approved(work))
		return;
	(void)handover_mind(work); /* the activity goes on with whoever has the lead now */
	work->is_repeated = was_taken(&work->state, work->prepared->mark);
	if (!work->is_repeated)
		remember(&work->state, work->prepared->mark);
	if (!work->is_repeated)
		clocks_note_waiting(work);
	work_name(work);
	if (!work->is_repeated && activity->expected_version >= 0 && activity->expected_version != work->state.version)
		event_conflict(work, ERR_STALE_VERSION);
	else
		deciders[activity->type](work);
	if (!work->is_repeated && work->ret->outcome == OUTCOME_ACTIVITY)
		(void)merge_settled(work);
	work_name(work);
}
