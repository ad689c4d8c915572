/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/pool_choose.h"

#include <string.h>

#include "rules/calendar/calendar.h"
#include "rules/cel/value.h"
#include "rules/decide.h"
#include "rules/kept.h"
#include "rules/model.h"
#include "rules/own.h"
#include "rules/pool_pick.h"
#include "rules/pool_wait.h"
#include "rules/rest.h"
#include "rules/seat.h"

int64_t pool_units(const struct work *work)
{
	return work->state.size != 0 ? work->state.size : 1;
}

bool pool_asks_familiar(const struct work *work)
{
	if (work->team == SIZE_MAX || work->state.familiar.len == 0)
		return false;
	const struct pool *pool = pool_of(&work->model->teams[work->team]);
	for (size_t i = 0; i < pool->criterion_count; i++)
		if (pool->criteria[i].kind == CRITERION_FAMILIAR)
			return true;
	return false;
}

static struct pool_trace *trace_of(struct work *work)
{
	if (work->pool == NULL)
		work->pool = arena_alloc(work->arena, sizeof *work->pool);
	return work->pool;
}

/* ---- what expressions see of a lead whose record is gone */

static struct cel_value instant_value(int64_t ms)
{
	int64_t seconds = ms / 1000 - (ms % 1000 < 0);
	return cel_timestamp(seconds, (uint32_t)(ms - seconds * 1000) * 1000000);
}

static void see_lead(struct work *work)
{
	if (work->slots[SLOT_LEAD].kind == CEL_OBJECT)
		return;
	struct lead *lead = arena_alloc(work->arena, sizeof *lead);
	kept_restore(work->model, &work->state, work->lead_id, work->arena, lead);
	schema_territories_init(&work->territories, work->model->env, work->model->territories, lead);
	work->slots[SLOT_LEAD] = cel_object(&lead->objects[SCHEMA_LEAD]);
	work->slots[SLOT_ACCOUNT] = cel_object(&lead->objects[SCHEMA_ACCOUNT]);
	work->slots[SLOT_NOW] = instant_value(work->now_ms);
	work->slots[SLOT_TERRITORY] = cel_object(&work->territories.object);
	work->slots[SLOT_FACTS] = cel_zero(&cel_type_map);
	work->slots[SLOT_GRADE] = cel_string(work->state.grade);
	work->slots[SLOT_SCORE] = cel_int(work->state.score);
}

static bool holds(struct work *work, const struct cel_program *program)
{
	return program == NULL ||
	       cel_is_true(cel_eval(program, work->slots, &work->scratch, work->model->cel_step_limit));
}

/* 0: the main lane. */
static size_t lane_of(struct work *work, const struct pool *pool)
{
	for (size_t i = 0; i < pool->lane_count; i++)
		if (holds(work, pool->lanes[i].when)) {
			work_reached(work, &pool->lanes[i]);
			return i + 1;
		}
	return 0;
}

static int64_t size_in(struct work *work, const struct pool *pool)
{
	for (size_t i = 0; i < pool->size_count; i++)
		if (holds(work, pool->sizes[i].when)) {
			work_reached(work, &pool->sizes[i]);
			return pool->sizes[i].units;
		}
	return 1;
}

int64_t pool_waiting_size(const struct model *model, size_t team, const struct lead_state *state, struct slice lead_id,
                          struct arena *scratch)
{
	const struct pool *pool = team < model->team_count ? pool_of(&model->teams[team]) : NULL;
	if (pool == NULL || pool->size_count == 0)
		return 1;
	struct decider nobody = {.model = model}; /* looks on */
	struct work seen = {.decider = &nobody, .model = model, .arena = scratch, .state = *state, .lead_id = lead_id,
	                    .now_ms = state->at_ms};
	see_lead(&seen);
	int64_t units = size_in(&seen, pool);
	arena_done(&seen.scratch);
	return units;
}

/* ---- booking */

void pool_costs_nothing(struct work *work)
{
	work->state.is_free = 1;
	work->state.turn = SLICE_NONE;
}

static void book(struct work *work, const struct ledger_entry *entry)
{
	if (work->ledger == NULL)
		work->ledger = arena_array(work->arena, LEDGER_MAX, sizeof *work->ledger);
	if (work->ledger_count < LEDGER_MAX)
		work->ledger[work->ledger_count++] = *entry;
}

static struct slice lane_name(const struct pool *pool, size_t lane)
{
	return lane == 0 ? SLICE_NONE : pool->lanes[lane - 1].name;
}

static void debit(struct work *work, const struct pick *pick, size_t lane, size_t rep, const char *reason)
{
	work->state.lane = lane_name(pick->post->pool, lane);
	work->state.is_free = 0;
	work->state.turn = pick->turn;
	book(work, &(struct ledger_entry){.rep = rep, .team = pick->post->index, .lane = work->state.lane, .entry = "debit",
	                                  .reason = reason});
}

/* ---- candidates of the trace: the first members as they stood before the choice */

static void note_candidates(struct work *work, const struct pick *pick)
{
	const struct post *post = pick->post;
	work->candidate_count = 0;
	work->candidates_total = post->team->member_count;
	work->active_total = post_free(post);
	work->was_ring_malformed = pick->ring->was_malformed;
	for (uint32_t i = 0; i < post->team->member_count && i < CANDIDATES_SHOWN; i++) {
		enum block block = post_block(pick->desk, post, i, pick->units);
		struct candidate *row = &work->candidates[work->candidate_count++];
		*row = (struct candidate){.rep = post->team->members[i].rep, .position = ring_turn(pick->ring, i)};
		row->result = block != BLOCK_NONE ? block_name(block) : pick_has(pick, i) ? "turn_comes_later" : "not_preferred";
	}
}

/* The chosen one is always shown, in the last row if it is not among the first. */
static void mark_chosen(struct work *work, const struct pick *pick, uint32_t member)
{
	size_t row = member < CANDIDATES_SHOWN ? member : CANDIDATES_SHOWN - 1;
	work->candidates[row] = (struct candidate){
		.rep = pick->post->team->members[member].rep, .position = ring_turn(pick->ring, member), .result = "chosen"};
}

/* ---- one team */

/* Up to now; what is decided with it is marked where nobody of the team was heard of in time. */
static struct post *ask_post(struct work *work, size_t team)
{
	struct post *post = desk_post(work->decider->desk, &work->decider->overlay, team);
	work->is_roster_silent |= post_is_silent(work->decider->desk, post);
	return post;
}

struct asking {
	struct work *work;
	const size_t *tried;
	size_t tried_count;
	enum pool_cause cause;
	int64_t units;      /* 0: as many as the pool says */
	bool over_capacity;
	size_t hops;
};

static void note_try(const struct asking *asking, struct post *post)
{
	struct pool_trace *trace = trace_of(asking->work);
	if (trace->tries_total++ >= POOL_TRIES_SHOWN)
		return;
	struct pool_try *try = &trace->tries[trace->try_count++];
	const struct desk *desk = asking->work->decider->desk;
	*try = (struct pool_try){.team = post->index, .members = post->team->member_count};
	pick_count_blocks(desk, post, asking->tried, asking->tried_count, try);
}

static bool ask_team(struct asking *asking, size_t team)
{
	struct work *work = asking->work;
	struct desk *desk = work->decider->desk;
	struct post *post = ask_post(work, team);
	size_t lane = lane_of(work, post->pool);
	work->units = asking->units != 0 ? asking->units : size_in(work, post->pool);
	struct pick pick = {.work = work, .desk = desk, .post = post, .units = work->units, .tried = asking->tried,
	                    .tried_count = asking->tried_count, .over_capacity = asking->over_capacity};
	pick.ring = desk_ring(desk, &work->decider->overlay, post, lane);
	uint32_t member = pick_member(&pick, trace_of(work));
	if (member == RING_NOBODY) {
		pick_done(&pick);
		if (!asking->over_capacity)
			note_try(asking, post);
		return false;
	}
	note_candidates(work, &pick);
	mark_chosen(work, &pick, member);
	work->pool->lane = lane_name(post->pool, lane);
	work->team = team;
	work->rep = post->team->members[member].rep;
	bool moves = (post->pool->moves & 1u << asking->cause) != 0;
	if (moves)
		pick_take(&pick, member);
	pick_done(&pick);
	if (moves)
		debit(work, &pick, lane, work->rep, pool_cause_name(asking->cause));
	else
		pool_costs_nothing(work);
	return true;
}

/* The team, unless others come first there, and the teams that it names in next_pool. */
static bool ask_chain(struct asking *asking, size_t team)
{
	if (!pool_must_queue(asking->work, team) && ask_team(asking, team))
		return true;
	const struct pool *pool = pool_of(&asking->work->model->teams[team]);
	for (size_t i = 0; i < pool->outcome_count; i++)
		if (pool->outcomes[i].kind == POOL_NEXT && asking->hops < POOL_HOPS_MAX) {
			asking->hops++;
			if (ask_chain(asking, pool->outcomes[i].team))
				return true;
		}
	return false;
}

/* ---- nobody */

static bool was_tried(const struct asking *asking, size_t rep)
{
	for (size_t i = 0; i < asking->tried_count; i++)
		if (asking->tried[i] == rep)
			return true;
	return false;
}

static bool is_for_capacity(enum block block)
{
	return block == BLOCK_NONE || block == BLOCK_OPEN || block == BLOCK_CAP || block == BLOCK_SIZE;
}

/* Limits do not bind him, but absence does. Who is not in the team takes it as a member of his own. */
static bool ask_named_over_capacity(const struct asking *asking, size_t team, size_t rep)
{
	struct work *work = asking->work;
	size_t own = own_team_of(work, rep, work->model->teams[team].id);
	enum block block;
	team = own != SIZE_MAX ? own : team;
	(void)pool_can_take(work, rep, team, &block);
	if (was_tried(asking, rep) || !is_for_capacity(block))
		return false;
	work->rep = rep;
	work->team = team;
	work->units = size_in(work, pool_of(&work->model->teams[team]));
	pool_costs_nothing(work);
	return true;
}

static bool ask_over_capacity(const struct asking *asking, size_t team, const struct pool_outcome *outcome)
{
	struct asking anyway = *asking;
	anyway.over_capacity = true;
	if (outcome->rep == SIZE_MAX)
		return ask_team(&anyway, team);
	return ask_named_over_capacity(asking, team, outcome->rep);
}

/* Until when; 0: without end. */
static int64_t wait_until(const struct work *work, size_t team, const struct pool_outcome *outcome)
{
	if (span_is_zero(&outcome->wait))
		return 0;
	const struct calendar *calendar =
		model_calendar_of(work->model, SIZE_MAX, team, SLICE_NONE, SLICE_NONE, SLICE_NONE);
	return calendar_add_span(calendar, work->now_ms, &outcome->wait);
}

static void take_outcome(struct work *work, const struct pool_outcome *outcome)
{
	trace_of(work)->outcome = outcome;
	work_reached(work, outcome);
}

static bool is_named(const struct pool_outcome *outcome)
{
	return outcome->place.file != NULL || outcome->queue.len != 0;
}

bool pool_take_fallback(struct work *work, size_t team)
{
	const struct pool *pool = pool_of(&work->model->teams[team]);
	for (size_t i = 0; i < pool->outcome_count; i++)
		if (pool->outcomes[i].kind == POOL_FALLBACK && is_named(&pool->outcomes[i])) {
			take_outcome(work, &pool->outcomes[i]);
			return true;
		}
	return false;
}

struct slice pool_queue(const struct work *work)
{
	const struct pool_outcome *outcome = work->pool != NULL ? work->pool->outcome : NULL;
	return outcome != NULL && outcome->kind == POOL_FALLBACK ? outcome->queue : SLICE_NONE;
}

static enum pool_answer follow(struct asking *asking, size_t team, size_t step)
{
	struct work *work = asking->work;
	const struct pool *pool = pool_of(&work->model->teams[team]);
	for (size_t i = step; i < pool->outcome_count; i++) {
		const struct pool_outcome *outcome = &pool->outcomes[i];
		take_outcome(work, outcome);
		switch (outcome->kind) {
		case POOL_NEXT:
			asking->hops = 1;
			if (ask_chain(asking, outcome->team))
				return POOL_CHOSEN;
			break;
		case POOL_OVER_CAPACITY:
			if (ask_over_capacity(asking, team, outcome))
				return POOL_CHOSEN;
			break;
		case POOL_WAIT:
			work->units = 0; /* known when he gets it */
			pool_wait(work, team, wait_until(work, team, outcome), i + 1);
			return POOL_WAITING;
		case POOL_FALLBACK:
			work->reason = is_named(outcome) ? "fallback_queue" : "no_candidate";
			work->team = team;
			return POOL_NOBODY;
		}
	}
	work->reason = "no_candidate";
	work->team = team;
	return POOL_NOBODY;
}

enum pool_answer pool_choose(struct work *work, size_t team, const size_t *tried, size_t tried_count,
                             enum pool_cause cause)
{
	struct asking asking = {.work = work, .tried = tried, .tried_count = tried_count, .cause = cause};
	see_lead(work);
	(void)ask_post(work, team); /* also where the lead has to queue there */
	if (!pool_must_queue(work, team) && ask_team(&asking, team))
		return POOL_CHOSEN;
	return follow(&asking, team, 0);
}

enum pool_answer pool_choose_waited(struct work *work, const struct need *need)
{
	size_t tried[STATE_TRIED_MAX];
	struct asking asking = {.work = work, .cause = CAUSE_AUTOMATIC, .tried = tried};
	asking.tried_count = own_tried_reps(work, tried);
	see_lead(work);
	for (size_t i = 0; i < need->stop_count; i++) {
		asking.units = need->stops[i].units;
		if (ask_team(&asking, need->stops[i].team))
			return POOL_CHOSEN;
	}
	return POOL_WAITING;
}

enum pool_answer pool_choose_after(struct work *work, size_t team, size_t step)
{
	size_t tried[STATE_TRIED_MAX];
	struct asking asking = {.work = work, .cause = CAUSE_AUTOMATIC, .tried = tried};
	asking.tried_count = own_tried_reps(work, tried);
	see_lead(work);
	note_try(&asking, ask_post(work, team));
	return follow(&asking, team, step);
}

/* ---- named reps */

bool pool_can_take(struct work *work, size_t rep, size_t team, enum block *ret_block)
{
	struct desk *desk = work->decider->desk;
	const struct overlay *overlay = &work->decider->overlay;
	if (team == SIZE_MAX) {
		*ret_block = desk_judge_rep(desk, overlay, rep, seat_is_of(work, rep) ? 0 : pool_units(work));
		return *ret_block == BLOCK_NONE;
	}
	see_lead(work);
	struct post *post = ask_post(work, team);
	size_t member = team_find_member(post->team, rep);
	int64_t units = seat_is_of(work, rep) ? 0 : size_in(work, post->pool);
	*ret_block = member == SIZE_MAX ? desk_judge_rep(desk, overlay, rep, units)
	                                : post_block(desk, post, (uint32_t)member, units);
	return *ret_block == BLOCK_NONE;
}

void pool_note_given(struct work *work, enum pool_cause cause)
{
	work->state.lane = SLICE_NONE;
	pool_costs_nothing(work);
	if (work->team == SIZE_MAX)
		return;
	struct desk *desk = work->decider->desk;
	struct post *post = desk_post(desk, &work->decider->overlay, work->team);
	size_t member = team_find_member(post->team, work->rep);
	see_lead(work);
	work->units = size_in(work, post->pool);
	if (member == SIZE_MAX || (post->pool->moves & 1u << cause) == 0)
		return;
	size_t lane = lane_of(work, post->pool);
	struct pick pick = {.work = work, .desk = desk, .post = post};
	pick.ring = desk_ring(desk, &work->decider->overlay, post, lane);
	pick_take_alone(&pick, (uint32_t)member);
	debit(work, &pick, lane, work->rep, pool_cause_name(cause));
}

static size_t find_lane(const struct pool *pool, struct slice name)
{
	size_t lane = pool->lane_count;
	while (lane > 0 && !slice_equal(pool->lanes[lane - 1].name, name))
		lane--;
	return lane;
}

/* The rotation that the lead's turn was of, and who `whose` is there. RING_NOBODY: neither is there any more. */
static uint32_t seat_of(struct work *work, struct slice whose, struct pick *ret_pick, size_t *ret_lane)
{
	const struct lead_state *state = &work->state;
	size_t team = state->team.len != 0 ? model_find_team(work->model, state->team) : SIZE_MAX;
	size_t rep = whose.len != 0 ? model_find_rep(work->model, whose) : SIZE_MAX;
	if (team == SIZE_MAX || rep == SIZE_MAX)
		return RING_NOBODY;
	struct desk *desk = work->decider->desk;
	struct post *post = desk_post(desk, &work->decider->overlay, team);
	size_t member = team_find_member(post->team, rep);
	if (member == SIZE_MAX)
		return RING_NOBODY;
	*ret_lane = find_lane(post->pool, state->lane);
	*ret_pick = (struct pick){.work = work, .desk = desk, .post = post};
	ret_pick->ring = desk_ring(desk, &work->decider->overlay, post, *ret_lane);
	return (uint32_t)member;
}

void pool_take_again(struct work *work, const char *reason)
{
	struct pick pick;
	size_t lane;
	uint32_t member = seat_of(work, work->state.owner, &pick, &lane);
	if (member == RING_NOBODY)
		return;
	pick_take_alone(&pick, member);
	debit(work, &pick, lane, pick.post->team->members[member].rep, reason);
}

void pool_credit_back(struct work *work, struct slice whose, const char *reason, struct slice approver)
{
	struct pick pick;
	size_t lane;
	uint32_t member = work->state.is_free == 0 ? seat_of(work, whose, &pick, &lane) : RING_NOBODY;
	if (member == RING_NOBODY)
		return;
	pick_give_back(&pick, member, work->state.turn);
	pool_costs_nothing(work);
	book(work, &(struct ledger_entry){.rep = pick.post->team->members[member].rep, .team = pick.post->index,
	                                  .lane = lane_name(pick.post->pool, lane), .entry = "credit_back", .reason = reason,
	                                  .approver = approver});
}

/* ---- loads */

static void change_open(struct work *work, size_t rep, int64_t units)
{
	struct presence *person = desk_person(work->decider->desk, &work->decider->overlay, rep);
	person->open = person->open + units > 0 ? person->open + units : 0;
	desk_person_changed(work->decider->desk, &work->decider->overlay, rep);
}

void pool_change_load(struct work *work, size_t rep, int64_t units)
{
	struct desk *desk = work->decider->desk;
	if (units > 0)
		presence_count(desk_person(desk, &work->decider->overlay, rep), units, desk->now_ms);
	change_open(work, rep, units);
}

void pool_take_size(struct work *work)
{
	if (work->units != 0)
		work->state.size = work->units > 1 ? work->units : 0;
	work->units = 0;
}

void pool_on_owner_change(struct work *work, size_t previous, size_t rep)
{
	pool_ready(work);
	bool had_seat = seat_leave(work, rep);
	if (previous != SIZE_MAX && !work->state.is_closed)
		pool_change_load(work, previous, -pool_units(work));
	pool_take_size(work);
	if (had_seat)
		change_open(work, rep, pool_units(work));
	else if (rep != SIZE_MAX)
		pool_change_load(work, rep, pool_units(work));
	work->state.is_closed = 0;
}

/* Who has to consent to another owner takes nothing off the hands of this one. */
static bool is_in_hand(const struct lead_state *state)
{
	bool is_asked_for = state->status == LEAD_PENDING && !rest_is(rest_of(state).to);
	return state->status == LEAD_ASSIGNED || state->status == LEAD_IN_PROGRESS || is_asked_for;
}

void pool_on_write(struct work *work)
{
	struct lead_state *state = &work->state;
	size_t rep = state->owner.len != 0 ? model_find_rep(work->model, state->owner) : SIZE_MAX;
	bool counts = is_in_hand(state);
	seat_follow(work);
	if (state->owner.len == 0)
		state->is_closed = 0;
	if (state->owner.len == 0 || counts == !state->is_closed)
		return;
	state->is_closed = !counts;
	pool_ready(work);
	if (rep != SIZE_MAX)
		change_open(work, rep, counts ? pool_units(work) : -pool_units(work));
}

void pool_on_erase(struct work *work)
{
	enum lead_status status = work->state.status;
	work->state.status = LEAD_STATUSES;
	pool_on_write(work);
	pool_follow_write(work, work->lead_id);
	work->state.status = status;
}
