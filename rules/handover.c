/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/handover.h"

#include "rules/base/strbuf.h"
#include "rules/decide.h"
#include "rules/dispute.h"
#include "rules/event_own.h"
#include "rules/json/json.h"
#include "rules/lifecycle.h"
#include "rules/model.h"
#include "rules/own.h"
#include "rules/ownership.h"
#include "rules/pool_choose.h"

enum { VALUE_BYTES_MAX = 2000 };

/* ---- the order */

int act_handover_read(struct activity *activity, struct arena *arena, struct err *err)
{
	(void)arena;
	if (activity_text(activity->data, "to", ACTIVITY_TEXT_BYTES_MAX, &activity->to, err) != 0)
		return -1;
	return activity_text(activity->data, "team", ACTIVITY_TEXT_BYTES_MAX, &activity->team, err);
}

static void put_if(struct json_writer *writer, const char *name, struct slice text)
{
	if (text.len != 0)
		json_put_text(writer, name, text);
}

static struct slice order_value(struct work *work)
{
	const struct activity *activity = work->activity;
	struct strbuf value = STRBUF_INIT;
	struct json_writer writer = JSON_WRITER(&value);
	json_open_object(&writer, NULL);
	put_if(&writer, "to", activity->to);
	put_if(&writer, "team", activity->team);
	put_if(&writer, "actor", activity->actor);
	put_if(&writer, "cause", work->cause); /* tells one hand-over of a rep from the next */
	json_close_object(&writer);
	return strbuf_keep(&value, work->arena);
}

/* false: the record was rejected. */
static bool is_fine(struct work *work)
{
	const struct activity *activity = work->activity;
	if (model_find_rep(work->model, activity->rep) == SIZE_MAX) {
		decide_reject(work, work->prepared->record, ERR_UNKNOWN_REP, "rep",
		              "no rep of that id is configured: keep who leaves, as not active, until it is done");
		return false;
	}
	if (activity->to.len != 0 && slice_equal(activity->to, activity->rep)) {
		decide_reject(work, work->prepared->record, ERR_UNKNOWN_REP, "to", "who leaves does not follow himself");
		return false;
	}
	if (activity->team.len != 0 && model_find_team(work->model, activity->team) == SIZE_MAX) {
		decide_reject(work, work->prepared->record, ERR_UNKNOWN_WORD, "team", "no team of that id is configured");
		return false;
	}
	struct slice key = ARENA_JOIN(work->arena, SLICE(HANDOVER_PREFIX), activity->rep);
	if (overlay_peek(&work->decider->overlay, key).len != 0) {
		decide_reject(work, work->prepared->record, ERR_ILLEGAL_TRANSITION, "rep",
		              "what this rep had is being handed over already: the next order can be given when that is done");
		return false;
	}
	return activity->to.len == 0 || own_find_rep(work, activity->to, "to") != SIZE_MAX;
}

void act_handover(struct work *work)
{
	const struct activity *activity = work->activity;
	if (!is_fine(work))
		return;
	overlay_put(&work->decider->overlay, ARENA_JOIN(work->arena, SLICE(HANDOVER_PREFIX), activity->rep), order_value(work), 0);
	event_handover(work, &(struct handover){.rep = activity->rep, .to = activity->to, .team = activity->team,
	                                        .actor = activity->actor, .approver = activity->approver,
	                                        .reason = activity->reason});
}

/* ---- one lead */

static void hand_over(struct work *work, struct slice value)
{
	struct json_limits limits = {VALUE_BYTES_MAX, 2, 16};
	const struct json *json = json_read(value, limits, work->arena, NULL);
	struct order order = {.reason = "handed_over", .cause = CAUSE_MANUAL, .actor = json_get_text(json, "actor"), .previous = work->state.owner};
	size_t rep = model_find_rep(work->model, json_get_text(json, "to"));
	size_t team = model_find_team(work->model, json_get_text(json, "team"));
	work->state.tried.count = 0;
	if (rep == SIZE_MAX)
		pool_credit_back(work, work->state.owner, order.reason, SLICE_NONE); /* in the team that gave it */
	if (team != SIZE_MAX)
		work->state.team = work->model->teams[team].id;
	if (rep == SIZE_MAX) {
		own_pass_on(work, &order);
		return;
	}
	work->rep = rep;
	work->team = own_team_of(work, rep, work->state.team);
	if (ownership_consent(work->model, work->team) != NULL) {
		pool_costs_nothing(work); /* a person named him: no turn is booked */
		own_ask(work, rep, work->team, &order);
		return;
	}
	dispute_close(work, order.reason);
	pool_note_given(work, order.cause);
	own_give(work, rep, work->team, order.reason);
	work_write_lead(work, work->lead_id);
	work_name(work);
	event_given(work, &order);
}

static bool is_theirs(const struct work *work, struct slice rep)
{
	return slice_equal(work->state.owner, rep) && lifecycle_is_open(work->state.status);
}

static struct slice rep_of(struct slice key)
{
	size_t prefix = sizeof HANDOVER_PREFIX - 1;
	return (struct slice){key.p + prefix, key.len - prefix};
}

void handover_visit(struct work *work, struct slice key)
{
	struct slice value = overlay_get(&work->decider->overlay, key);
	if (value.len == 0 || !is_theirs(work, rep_of(key)))
		return;
	work->ret->outcome = OUTCOME_TIMER;
	hand_over(work, value);
}

void handover_walked(struct work *work, struct slice key)
{
	struct slice value = overlay_get(&work->decider->overlay, key);
	struct json_limits limits = {VALUE_BYTES_MAX, 2, 16};
	const struct json *json = value.len != 0 ? json_read(value, limits, work->arena, NULL) : NULL;
	work->ret->outcome = OUTCOME_TIMER;
	event_handover(work, &(struct handover){.rep = rep_of(key), .to = json_get_text(json, "to"),
	                                        .team = json_get_text(json, "team"), .order = json_get_text(json, "cause"),
	                                        .is_done = true});
}

/* How it was decided who follows, and the turns that were booked, are told: what is decided next has its own. */
static void forget_told(struct work *work)
{
	work->pool = NULL;
	work->ledger_count = 0;
	work->candidate_count = 0;
	work->candidates_total = work->active_total = 0;
	work->team = work->rep = SIZE_MAX;
	work->units = 0;
	work->kept_lead = NULL;
}

bool handover_mind(struct work *work)
{
	struct slice owner = work->state.owner, cause = work->cause;
	if (owner.len == 0 || !lifecycle_is_open(work->state.status))
		return false;
	struct slice key = ARENA_JOIN(work->arena, SLICE(HANDOVER_PREFIX), owner);
	struct slice value = overlay_get(&work->decider->overlay, key);
	if (value.len == 0)
		return false;
	work->cause = ARENA_JOIN(work->arena, SLICE("walk:"), key, SLICE(":"), work->lead_id);
	struct prepared *prepared = work->prepared; /* a record that may be about somebody else: the walk has none, either */
	work->prepared = NULL;
	work->kept_lead = NULL;
	hand_over(work, value);
	forget_told(work);
	work->prepared = prepared;
	work->cause = cause;
	return true;
}
