/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/consent.h"

#include "rules/decide.h"
#include "rules/event_own.h"
#include "rules/lifecycle.h"
#include "rules/model.h"
#include "rules/own.h"
#include "rules/ownership.h"
#include "rules/pool_choose.h"
#include "rules/rest.h"

bool consent_ask_first(struct work *work, size_t rep, size_t team)
{
	const struct consent *consent = ownership_consent(work->model, team);
	struct lead_state *state = &work->state;
	if (consent == NULL)
		return false;
	struct move rest = rest_of(state);
	state->status = LEAD_PENDING;
	state->candidate = work->model->reps[rep].id;
	state->asked = consent->by;
	state->wake_ms = lifecycle_after(work, consent->within);
	rest_keep(state, &rest);
	state->wait_ms = state->step = 0;
	if (state->owner.len == 0) {
		state->team = work->model->teams[team].id;
		pool_take_size(work);
	}
	return true;
}

bool consent_ask(struct work *work, size_t rep, size_t team)
{
	const char *before = lead_status_name(work->state.status);
	if (ownership_consent(work->model, team) == NULL)
		return false;
	consent_withdraw(work, "manual"); /* of somebody else who was asked for before */
	(void)consent_ask_first(work, rep, team);
	if (work->state.owner.len == 0)
		pool_costs_nothing(work); /* a person named him: no turn is booked yet */
	work_write_lead(work, work->lead_id);
	event_pending(work, before, work->state.candidate, work->state.asked, NULL);
	return true;
}

void consent_withdraw(struct work *work, const char *reason)
{
	struct lead_state *state = &work->state;
	if (state->status != LEAD_PENDING)
		return;
	if (state->owner.len == 0)
		pool_credit_back(work, state->candidate, reason, work->activity != NULL ? work->activity->approver : SLICE_NONE);
	state->candidate = state->asked = SLICE_NONE;
}

static void settle_without(struct lead_state *state)
{
	state->status = state->owner.len == 0 ? LEAD_UNASSIGNED : state->touched_ms != 0 ? LEAD_IN_PROGRESS : LEAD_ASSIGNED;
	if (state->owner.len == 0)
		state->why = SLICE("refused");
}

static void refused(struct work *work, const char *verdict)
{
	struct lead_state *state = &work->state;
	struct slice candidate = state->candidate, asked = state->asked;
	if (state->owner.len == 0)
		pool_credit_back(work, candidate, "refused", SLICE_NONE);
	state->candidate = state->asked = SLICE_NONE;
	state->wake_ms = 0;
	if (!rest_resume(state))
		settle_without(state);
	work_write_lead(work, work->lead_id);
	event_pending(work, lead_status_name(LEAD_PENDING), candidate, asked, verdict);
}

/* The team whose consent was asked for. */
static size_t team_of(const struct work *work, size_t rep, struct slice asked)
{
	const struct ownership_rules *rules = ownership_rules(work->model);
	for (size_t i = 0; i < rules->consent_count; i++) {
		struct slice team = work->model->teams[rules->consents[i].team].id;
		if (slice_equal(rules->consents[i].by, asked) && own_team_of(work, rep, team) == rules->consents[i].team)
			return rules->consents[i].team;
	}
	return own_team_of(work, rep, work->state.team);
}

/* Who was meant may have left meanwhile: then it counts as refused. */
static void granted(struct work *work)
{
	size_t rep = model_find_rep(work->model, work->state.candidate);
	struct order order = order_of(work, "approved");
	order.is_chosen = work->state.owner.len == 0 && !work->state.is_free; /* the turn was booked when he was chosen */
	if (rep == SIZE_MAX || !work->model->reps[rep].is_active || work->state.bar == BAR_CONTACT) {
		refused(work, work->state.bar == BAR_CONTACT ? "do_not_contact" : "not_active");
		return;
	}
	own_order(work, rep, team_of(work, rep, work->state.asked), &order);
}

/* Nobody has said yes: absence and caps bind then, unless a person wanted that the owner changes. */
static enum block obstacle(struct work *work, size_t rep, size_t team)
{
	enum block block = BLOCK_NONE;
	if (rep != SIZE_MAX && work->state.owner.len == 0)
		(void)pool_can_take(work, rep, team, &block);
	return block;
}

void consent_timeout(struct work *work)
{
	size_t rep = model_find_rep(work->model, work->state.candidate);
	size_t team = team_of(work, rep, work->state.asked);
	const struct consent *consent = ownership_consent(work->model, team);
	if (consent == NULL || !consent->is_granted) {
		refused(work, "no_answer");
		return;
	}
	enum block block = obstacle(work, rep, team);
	if (block == BLOCK_NONE)
		granted(work);
	else
		refused(work, block_name(block));
}

/* ---- activity.approve */

int act_approve_read(struct activity *activity, struct arena *arena, struct err *err)
{
	struct slice decision = SLICE_NONE;
	(void)arena;
	if (activity_text(activity->data, "decision", ACTIVITY_TEXT_BYTES_MAX, &decision, err) != 0)
		return -1;
	if (!slice_is(decision, "yes") && !slice_is(decision, "no"))
		return err_set_at(err, decision.len == 0 ? ERR_MISSING_FIELD : ERR_UNKNOWN_WORD, "decision", "yes or no is expected");
	activity->is_refused = slice_is(decision, "no");
	return 0;
}

void act_approve(struct work *work)
{
	if (work->is_repeated) {
		event_arranged(work);
		return;
	}
	if (work->state.status != LEAD_PENDING) {
		decide_reject(work, work->prepared->record, ERR_NOTHING_PENDING, "lead_id", "the lead waits for nobody's consent");
		return;
	}
	if (!slice_equal(work->activity->actor, work->state.asked)) {
		decide_reject(work, work->prepared->record, ERR_NOT_THE_OWNER, "actor", "somebody else was asked");
		return;
	}
	if (work->activity->is_refused)
		refused(work, "no");
	else
		granted(work);
}
