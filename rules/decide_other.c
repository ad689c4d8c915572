/* SPDX-License-Identifier: Apache-2.0
 *
 * Everything that is decided besides a lead: activities, timers and rejects.
 */
#include "rules/decide.h"

#include <string.h>

#include "rules/event.h"
#include "rules/followup.h"
#include "rules/model.h"

void decide_reject(struct work *work, const struct record *record, enum err_code code, const char *where,
                   const char *text)
{
	struct err err = ERR_INIT;
	err_set_at(&err, code, where, "%s", text);
	work->ret->outcome = OUTCOME_REJECTED;
	work->ret->code = code;
	work->ret->lead_id = work->lead_id;
	work->cause = event_cause(record, work->arena);
	event_rejected(work, record, &err);
}

/* ---- activity.touch */

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

/* When it happened: what the app says, but neither in the future nor before the lead was given to anybody. */
static int64_t touched_at(const struct work *work)
{
	int64_t at_ms = work->prepared->touch.at_ms;
	if (at_ms < 0 || at_ms > work->now_ms)
		return work->now_ms;
	return at_ms < work->state.at_ms ? work->state.at_ms : at_ms;
}

/* Only the owner's act is a response. Nobody named: the app that may write here is trusted to speak for the owner. */
static bool is_owners(const struct work *work)
{
	struct slice actor = work->prepared->touch.actor;
	return work->state.owner.len != 0 && (actor.len == 0 || slice_equal(actor, work->state.owner));
}

static void take_touch(struct work *work, struct status_change *change)
{
	remember(&work->state, work->prepared->mark);
	if (is_owners(work)) {
		change->has_stopped = work->state.touched_ms == 0 && work->state.deadline_ms != 0;
		if (work->state.touched_ms == 0)
			work->state.touched_ms = change->at_ms;
		if (work->state.status == LEAD_ASSIGNED)
			work->state.status = LEAD_IN_PROGRESS;
	}
	work_write_lead(work, work->lead_id);
}

void decide_touch(struct work *work)
{
	const struct record *record = work->prepared->record;
	work->lead_id = work->prepared->touch.lead_id;
	int found = work_read_lead(work, work->lead_id, &work->state);
	if (found <= 0) {
		decide_reject(work, record, found == 0 ? ERR_UNKNOWN_LEAD : ERR_STATE_MALFORMED, "lead_id",
		              found == 0 ? "no such lead is known here" : "the lead's stored value is not in our form");
		return;
	}
	struct status_change change = {.before = lead_status_name(work->state.status), .at_ms = touched_at(work)};
	change.is_repeated = was_taken(&work->state, work->prepared->mark);
	if (!change.is_repeated)
		take_touch(work, &change);
	work->ret->outcome = OUTCOME_ACTIVITY;
	work_name(work);
	event_status(work, &change);
}

/* ---- timers */

/* The index names a lead that is not there, or whose value nobody here can read: it would be named again with every poll.
 * Every write of a lead also sets or removes its timer, so one write ends that. A value that is not in our form may be
 * that of a newer version: it stays as it is, byte for byte. */
static void forget_timer(struct work *work)
{
	struct overlay *overlay = &work->decider->overlay;
	struct slice key = state_lead_key(work->arena, work->lead_id), value = overlay_get(overlay, key);
	if (value.len == 0)
		overlay_remove(overlay, key);
	else
		overlay_put(overlay, key, value, 0);
}

void decide_timers(struct work *work)
{
	work->ret->outcome = OUTCOME_NOTHING;
	if (work_read_lead(work, work->lead_id, &work->state) <= 0) {
		forget_timer(work);
		return;
	}
	work->cause = slice_of(arena_printf(work->arena, "timer:%.*s:" FOLLOWUP_TIMER ":%lld", SLICE_ARG(work->lead_id),
	                                    (long long)work->state.cycle));
	work_name(work);
	for (;;) {
		enum followup_level level = followup_fire(&work->state, work->now_ms);
		if (level == FOLLOWUP_NOTHING)
			break;
		work->ret->outcome = OUTCOME_TIMER;
		event_followup(work, level);
	}
	if (work->ret->outcome == OUTCOME_TIMER)
		work_write_lead(work, work->lead_id);
}
