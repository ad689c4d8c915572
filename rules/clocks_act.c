/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/clocks_act.h"

#include "rules/absence.h"
#include "rules/clocks.h"
#include "rules/decide.h"
#include "rules/event_clock.h"
#include "rules/model.h"
#include "rules/own.h"
#include "rules/scan.h"

/* From whom the lead is taken, and the clock that he has not answered: "1795424400000 1795417200000 ana". Behind a slash,
 * which no id has, those from whom it was taken earlier in this round. */
static struct slice note_back(struct work *work, struct slice rep, const struct clock_plan *plan,
                              const struct clock_told *told, struct slice earlier)
{
	bool is_first = plan->kind == CLOCK_FIRST_RESPONSE;
	return slice_of(arena_printf(work->arena, "%lld %lld %.*s%s%.*s", (long long)told->due_ms,
	                             (long long)(is_first ? told->start_ms : 0), SLICE_ARG(rep), earlier.len != 0 ? "/" : "",
	                             SLICE_ARG(earlier)));
}

/* Would an act of the owner have kept it with him? Where progress is asked for only the first act of all is that. */
static bool asked_for_an_act(const struct work *work, const struct clock_plan *plan)
{
	switch (plan->kind) {
	case CLOCK_FIRST_RESPONSE:
	case CLOCK_CADENCE:
	case CLOCK_NEXT_FOLLOW_UP:
		return true;
	case CLOCK_RELEASE:
	case CLOCK_STALE:
		return work->state.touched_ms == 0 || plan->stop != NULL;
	default:
		return plan->stop != NULL;
	}
}

/* A round ends in the fallback of its pool when so many reps have had it. */
static void give_to_the_next(struct work *work, const struct clock_plan *plan)
{
	if ((int64_t)work->state.tried.count >= plan->max_hops)
		own_end_round(work);
	else
		own_pass_on_due(work);
}

void clocks_act(struct work *work, const struct clock *clock, const struct clock_plan *plan,
                const struct clock_told *told)
{
	enum clock_action action = told->level->action;
	struct slice owner = work->state.owner, back = work->state.back;
	int64_t version = work->state.version;
	bool is_answerable = asked_for_an_act(work, plan);
	event_clock_told(work, clock->name, plan, told);
	absence_on_told(work, clock->name, plan, told);
	if (owner.len == 0 || action == CLOCK_NOTIFY || action == CLOCK_TELL_MANAGER)
		return;
	if (action == CLOCK_REASSIGN)
		give_to_the_next(work, plan);
	else
		own_release_due(work, plan->kind == CLOCK_RELEASE ? "expired" : "breach");
	if (work->state.version != version)
		work->state.back = is_answerable ? note_back(work, owner, plan, told, back) : back;
}

/* ---- an act that was in time and is heard of late */

struct back {
	int64_t due_ms, start_ms;
	struct slice rep;
};

static bool read_back(struct slice text, struct back *back)
{
	struct scan scan = {text.p, text.p + text.len};
	if (!scan_int(&scan, &back->due_ms) || !scan_byte(&scan, ' ') || !scan_int(&scan, &back->start_ms) ||
	    !scan_byte(&scan, ' '))
		return false;
	back->rep = (struct slice){scan.at, (size_t)(scan.end - scan.at)};
	return true;
}

/* The entry of the rep, if the round has one. */
static bool find_back(struct slice text, struct slice rep, struct back *back)
{
	while (text.len != 0) {
		const char *slash = memchr(text.p, '/', text.len);
		size_t len = slash != NULL ? (size_t)(slash - text.p) : text.len;
		if (read_back((struct slice){text.p, len}, back) && slice_equal(back->rep, rep))
			return true;
		text = slash != NULL ? (struct slice){slash + 1, text.len - len - 1} : SLICE_NONE;
	}
	return false;
}

bool clocks_give_back(struct work *work)
{
	struct lead_state *state = &work->state;
	const struct activity *act = work->activity;
	struct order order = {.reason = "acted_in_time", .cause = CAUSE_AUTOMATIC, .actor = act->actor};
	struct back back;
	if (state->back.len == 0 || state->touched_ms != 0 || !find_back(state->back, act->actor, &back) ||
	    slice_equal(act->actor, state->owner))
		return false;
	size_t rep = model_find_rep(work->model, back.rep);
	if (rep == SIZE_MAX || act->at_ms < back.start_ms || act->at_ms > back.due_ms || act->at_ms > work->now_ms)
		return false;
	own_order(work, rep, own_team_of(work, rep, state->team), &order);
	if (back.start_ms != 0 && state->first_response.start_ms != 0) {
		state->first_response.start_ms = back.start_ms;
		state->first_response.due_ms = back.due_ms;
		state->first_response.level = CLOCK_RANK_BREACH; /* it was told */
		state->first_response.next_ms = 0;
	}
	return true;
}
