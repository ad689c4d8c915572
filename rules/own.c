/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/own.h"

#include "rules/clocks_lead.h"
#include "rules/consent.h"
#include "rules/cooling.h"
#include "rules/decide.h"
#include "rules/dispute.h"
#include "rules/event_own.h"
#include "rules/followed.h"
#include "rules/lifecycle.h"
#include "rules/model.h"
#include "rules/ownership.h"
#include "rules/pool_choose.h"
#include "rules/rest.h"

/* ---- what a change means */

static size_t owner_of(const struct work *work)
{
	return work->state.owner.len != 0 ? model_find_rep(work->model, work->state.owner) : SIZE_MAX;
}

/* What the old owner or state waited for is over. */
static void settle_waits(struct lead_state *state)
{
	rest_forget(state);
	state->wake_ms = 0;
	state->candidate = state->asked = state->back = SLICE_NONE;
	state->touched_ms = 0;
	state->exempt_ms = state->sheltered_ms = state->excused = 0;
}

void own_give(struct work *work, size_t rep, size_t team, const char *reason)
{
	struct lead_state *state = &work->state;
	struct move rest = rest_of(state);
	bool is_open = lifecycle_is_open(state->status); /* else a dispute went on: it counts for him, and nobody acts on it */
	followed_before_owner(work);
	if (is_open)
		clocks_before_owner(work, true);
	pool_on_owner_change(work, owner_of(work), rep);
	work->rep = rep;
	work->team = team;
	work->reason = reason;
	state->version++;
	if (is_open) {
		state->status = LEAD_ASSIGNED;
		state->why = SLICE_NONE;
	}
	state->given_ms = state->at_ms != 0 && state->at_ms != work->now_ms ? work->now_ms : 0;
	state->wait_ms = state->step = 0;
	state->owner = work->model->reps[rep].id;
	state->team = team != SIZE_MAX ? work->model->teams[team].id : SLICE_NONE;
	cooling_on_owner(work);
	settle_waits(state);
	if (is_open)
		clocks_on_owner(work);
	if (rest_is(rest.to))
		lifecycle_move(work, &rest);
}

/* Nurture outlives the owner (S3-NURTURE): in the public pool it is looked at on the same day. */
static bool outlives_owner(enum lead_status from, enum lead_status to)
{
	return from == LEAD_NURTURE && (to == LEAD_RELEASED || to == LEAD_UNASSIGNED);
}

void own_clear(struct work *work, enum lead_status status, const char *reason)
{
	struct lead_state *state = &work->state;
	struct move rest = rest_of(state);
	pool_on_owner_change(work, owner_of(work), SIZE_MAX);
	work->reason = reason;
	state->version++;
	state->status = status;
	cooling_begin(work);
	followed_before_owner(work);
	state->owner = SLICE_NONE;
	state->helpers.count = 0;
	state->why = slice_of(reason);
	settle_waits(state);
	clocks_on_owner(work);
	if (outlives_owner(rest.to, status))
		lifecycle_move(work, &rest);
	else if (status == LEAD_WAITING || status == LEAD_PENDING)
		rest_keep(state, &rest);
}

/* ---- orders */

struct order order_of(const struct work *work, const char *reason)
{
	const struct activity *activity = work->activity;
	if (activity == NULL)
		return (struct order){.reason = reason, .cause = CAUSE_MANUAL};
	return (struct order){.reason = reason, .cause = CAUSE_MANUAL, .actor = activity->actor, .approver = activity->approver,
	                      .text = activity->reason, .next_step = activity->next_step};
}

/* Whose turn the lead has cost: its owner's, or that of who is to be it. */
static struct slice whose_turn(const struct lead_state *state)
{
	return state->owner.len != 0 ? state->owner : state->candidate;
}

/* The turn of who loses it goes back to him; that of who gets it is booked, unless the pool chose him and has done so. */
static void book(struct work *work, size_t rep, size_t team, const struct order *order)
{
	if (order->is_chosen)
		return;
	pool_credit_back(work, whose_turn(&work->state), order->reason, order->approver);
	work->rep = rep;
	work->team = team;
	if (rep != SIZE_MAX)
		pool_note_given(work, order->cause);
}

void own_order(struct work *work, size_t rep, size_t team, struct order *order)
{
	dispute_close(work, order->reason);
	book(work, rep, team, order);
	order->previous = work->state.owner;
	own_give(work, rep, team, order->reason);
	work_write_lead(work, work->lead_id);
	work_name(work);
	event_given(work, order);
}

void own_free(struct work *work, enum lead_status status, struct order *order)
{
	dispute_close(work, order->reason);
	book(work, SIZE_MAX, SIZE_MAX, order);
	order->previous = work->state.owner;
	own_clear(work, status, order->reason);
	work_write_lead(work, work->lead_id);
	work_name(work);
	event_taken(work, order);
}

bool own_was_tried(const struct lead_state *state, struct slice rep)
{
	for (size_t i = 0; i < state->tried.count; i++)
		if (slice_equal(state->tried.items[i], rep))
			return true;
	return false;
}

/* false: no more are remembered, so the round is over: nobody is asked twice. */
static bool note_tried(struct lead_state *state, struct slice rep)
{
	struct state_list *tried = &state->tried;
	if (rep.len == 0 || own_was_tried(state, rep))
		return true;
	if (tried->count == STATE_TRIED_MAX)
		return false;
	tried->items[tried->count++] = rep;
	return true;
}

size_t own_tried_reps(const struct work *work, size_t ret_reps[STATE_TRIED_MAX])
{
	size_t count = 0;
	for (size_t i = 0; i < work->state.tried.count; i++) {
		ret_reps[count] = model_find_rep(work->model, work->state.tried.items[i]);
		count += ret_reps[count] != SIZE_MAX;
	}
	return count;
}

/* Who waits or stays without an owner has nobody on his way there. */
static void give_up(struct work *work, enum pool_answer answer, struct order *order)
{
	own_free(work, answer == POOL_WAITING ? LEAD_WAITING : LEAD_UNASSIGNED, order);
}

void own_ask(struct work *work, size_t rep, size_t team, struct order *order)
{
	const char *before = lead_status_name(work->state.status);
	dispute_close(work, order->reason);
	order->previous = work->state.owner;
	if (work->state.owner.len != 0)
		own_clear(work, LEAD_PENDING, order->reason);
	(void)consent_ask_first(work, rep, team);
	work_write_lead(work, work->lead_id);
	work_name(work);
	event_taken(work, order);
	work->ledger_count = 0; /* it was told */
	event_pending(work, before, work->state.candidate, work->state.asked, NULL);
}

static void give_to_chosen(struct work *work, struct order *order)
{
	if (ownership_consent(work->model, work->team) != NULL)
		own_ask(work, work->rep, work->team, order);
	else
		own_order(work, work->rep, work->team, order);
}

void own_pass_on(struct work *work, struct order *order)
{
	size_t team = model_find_team(work->model, work->state.team), tried[STATE_TRIED_MAX];
	bool goes_on = note_tried(&work->state, work->state.owner);
	pool_credit_back(work, whose_turn(&work->state), order->reason, order->approver);
	order->is_chosen = true;
	if (team == SIZE_MAX || !goes_on || work->state.bar == BAR_CONTACT) {
		give_up(work, POOL_NOBODY, order);
		return;
	}
	enum pool_answer answer = pool_choose(work, team, tried, own_tried_reps(work, tried), CAUSE_AUTOMATIC);
	if (answer == POOL_CHOSEN)
		give_to_chosen(work, order);
	else
		give_up(work, answer, order);
}

/* ---- taking back */

/* While the lead is protected it is only noted what falls due, the first of it. */
static bool is_excused(struct work *work, enum excuse excuse)
{
	struct lead_state *state = &work->state;
	if (state->exempt_ms <= work->now_ms)
		return false;
	if (state->excused == EXCUSE_NONE)
		state->excused = excuse;
	work_write_lead(work, work->lead_id);
	return true;
}

void own_release_due(struct work *work, const char *reason)
{
	struct order order = {.reason = reason, .cause = CAUSE_MANUAL};
	struct lead_state *state = &work->state;
	if (state->owner.len == 0 || !lifecycle_is_open(state->status) || is_excused(work, EXCUSE_RELEASE))
		return;
	if (ownership_rules(work->model)->is_release_proposed) {
		work_write_lead(work, work->lead_id);
		event_release_proposed(work, reason);
	} else {
		state->tried.count = 0;
		own_free(work, LEAD_RELEASED, &order);
	}
}

void own_end_round(struct work *work)
{
	struct order order = {.reason = "max_hops", .cause = CAUSE_AUTOMATIC};
	size_t team = model_find_team(work->model, work->state.team);
	bool is_protected = work->state.exempt_ms > work->now_ms;
	if (is_protected || team == SIZE_MAX || !pool_take_fallback(work, team)) {
		own_release_due(work, "max_hops");
		return;
	}
	work->state.tried.count = 0;
	own_free(work, LEAD_UNASSIGNED, &order);
}

void own_pass_on_due(struct work *work)
{
	struct order order = {.reason = "breach", .cause = CAUSE_AUTOMATIC};
	if (!is_excused(work, EXCUSE_PASS_ON))
		own_pass_on(work, &order);
}

bool own_exemption_ends(struct work *work)
{
	struct lead_state *state = &work->state;
	enum excuse excuse = (enum excuse)state->excused;
	if (excuse == EXCUSE_NONE || state->exempt_ms > work->now_ms)
		return false;
	work->cause = slice_of(arena_printf(work->arena, "timer:%.*s:exempt:%lld", SLICE_ARG(work->lead_id),
	                                    (long long)state->exempt_ms));
	state->excused = state->exempt_ms = 0;
	if (excuse == EXCUSE_RELEASE)
		own_release_due(work, "expired");
	else if (state->owner.len != 0 && lifecycle_is_open(state->status))
		own_pass_on_due(work);
	return true;
}

/* ---- who */

/* A helper is kept as "rep/role". */
struct slice own_helper_rep(struct slice helper)
{
	const char *slash = memchr(helper.p, '/', helper.len);
	return slash != NULL ? (struct slice){helper.p, (size_t)(slash - helper.p)} : helper;
}

bool own_is_acting(const struct lead_state *state, struct slice actor)
{
	if (state->owner.len == 0)
		return false;
	if (actor.len == 0 || slice_equal(actor, state->owner))
		return true;
	for (size_t i = 0; i < state->helpers.count; i++)
		if (slice_equal(own_helper_rep(state->helpers.items[i]), actor))
			return true;
	return false;
}

size_t own_team_of(const struct work *work, size_t rep, struct slice wanted)
{
	const struct model *model = work->model;
	size_t team = wanted.len != 0 ? model_find_team(model, wanted) : SIZE_MAX;
	if (team != SIZE_MAX && team_find_member(&model->teams[team], rep) != SIZE_MAX)
		return team;
	for (size_t i = 0; i < model->team_count; i++)
		if (team_find_member(&model->teams[i], rep) != SIZE_MAX)
			return i;
	return SIZE_MAX;
}

size_t own_find_rep(struct work *work, struct slice id, const char *where)
{
	size_t rep = model_find_rep(work->model, id);
	if (rep == SIZE_MAX) {
		decide_reject(work, work->prepared->record, ERR_UNKNOWN_REP, where, "no rep of that id is configured");
		return SIZE_MAX;
	}
	if (!work->model->reps[rep].is_active) {
		decide_reject(work, work->prepared->record, ERR_REP_NOT_ACTIVE, where, "this rep is not active");
		return SIZE_MAX;
	}
	return rep;
}

bool own_may_order(struct work *work)
{
	const struct lead_state *state = &work->state;
	if (!lifecycle_is_open(state->status)) {
		decide_reject(work, work->prepared->record, ERR_ILLEGAL_TRANSITION, "lead_id",
		              "the lead is closed: reopen it before somebody gets it");
		return false;
	}
	if (state->bar == BAR_CONTACT) {
		decide_reject(work, work->prepared->record, ERR_ILLEGAL_TRANSITION, "lead_id", "the person asked not to be contacted");
		return false;
	}
	return true;
}
