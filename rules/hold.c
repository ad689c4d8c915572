/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/hold.h"

#include "rules/decide.h"
#include "rules/event_lifecycle.h"
#include "rules/lifecycle.h"
#include "rules/model.h"
#include "rules/own.h"

enum step hold_settle(struct work *work)
{
	const struct hold *hold = work->match.route->hold;
	struct lead_state *state = &work->state;
	state->team = work->model->teams[work->team].id;
	if (hold->by.len == 0) {
		state->every = hold->every;
		state->wake_ms = lifecycle_after(work, hold->every);
		return settle_kept(work, LEAD_NURTURE, "cultivated");
	}
	state->asked = hold->by;
	state->wake_ms = lifecycle_after(work, hold->within);
	return settle_kept(work, LEAD_HELD, "held");
}

bool hold_go_on(struct work *work)
{
	struct slice actor = work->activity->actor, asked = work->state.asked;
	struct order order = order_of(work, "screened");
	if (actor.len != 0 && asked.len != 0 && !slice_equal(actor, asked)) {
		decide_reject(work, work->prepared->record, ERR_NOT_THE_OWNER, "actor", "somebody else was asked to decide");
		return false;
	}
	own_pass_on(work, &order);
	return true;
}

/* The hold that the lead was kept by; the route may be gone by now. */
static const struct hold *find_hold(const struct work *work)
{
	const struct model *model = work->model;
	for (size_t i = 0; i < model->route_count; i++)
		if (slice_equal(model->routes[i].name, work->state.rule))
			return model->routes[i].hold;
	return NULL;
}

static void remind(struct work *work, const char *before, int64_t due_ms)
{
	work->state.wakes++;
	work_write_lead(work, work->lead_id);
	event_woken(work, &(struct waking){.timer = "hold", .before = before, .due_ms = due_ms,
	                                     .next_ms = work->state.wake_ms, .reason = work->state.why});
}

void hold_timeout(struct work *work)
{
	const struct hold *hold = find_hold(work);
	enum hold_otherwise otherwise = hold != NULL ? hold->otherwise : HOLD_ASSIGN;
	const char *before = lead_status_name(work->state.status);
	int64_t due_ms = work->state.wake_ms;
	struct order order = order_of(work, "hold_ended");
	work->state.wake_ms = 0;
	switch (otherwise) {
	case HOLD_ASSIGN:
		work->cause = slice_of(arena_printf(work->arena, "timer:%.*s:hold:%lld", SLICE_ARG(work->lead_id), (long long)due_ms));
		own_pass_on(work, &order);
		return;
	case HOLD_NURTURE:
		work->state.asked = SLICE_NONE;
		lifecycle_move(work, &(struct move){.to = LEAD_NURTURE, .reason = SLICE("undecided"),
		                                    .every = lifecycle_rules(work->model)->nurture_every,
		                                    .wake_ms = lifecycle_after(work, lifecycle_rules(work->model)->nurture_every)});
		break;
	case HOLD_KEEP:
		break;
	}
	remind(work, before, due_ms);
}
