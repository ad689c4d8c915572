/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/pool_wait.h"

#include <string.h>

#include "rules/base/strbuf.h"
#include "rules/decide.h"
#include "rules/event.h"
#include "rules/json.h"
#include "rules/model.h"
#include "rules/own.h"
#include "rules/pool_choose.h"

static const struct slice prefix = {"mem/wait/", 9};
static const struct slice tick_key = {"mem/tick/pools", 14};

static struct slice wait_key(struct arena *arena, struct slice lead_id)
{
	return ARENA_JOIN(arena, prefix, lead_id);
}

static bool is_waiting(const struct lead_state *state)
{
	return state->status == LEAD_WAITING;
}

void pool_wait(struct work *work, size_t team, int64_t until_ms, size_t step)
{
	work->reason = "waiting";
	work->team = team;
	work->rep = SIZE_MAX;
	work->state.team = work->model->teams[team].id;
	work->state.why = SLICE("waiting");
	work->state.status = LEAD_WAITING;
	work->state.wait_ms = until_ms;
	work->state.step = (int64_t)step;
}

bool pool_must_queue(const struct work *work, size_t team)
{
	const struct desk *desk = work->decider->desk;
	return desk->is_cut && desk->backlogs[team].count != 0;
}

/* ---- the keys */

/* The state is written as it is in lead/<id>. -1: the value is not in our form. */
static int read_waiting(struct slice value, struct arena *arena, struct lead_state *ret_state)
{
	static const struct slice lead = {",\"lead\":", 8};
	const char *at = value.len != 0 ? memmem(value.p, value.len, lead.p, lead.len) : NULL;
	if (at == NULL || value.p[value.len - 1] != '}')
		return -1;
	at += lead.len;
	struct slice state = {at, (size_t)(value.p + value.len - 1 - at)};
	return state_get_lead(state, arena, ret_state, NULL);
}

static void write_waiting(struct work *work, struct slice lead_id)
{
	struct strbuf value = STRBUF_INIT;
	strbuf_puts(&value, "{\"due\":");
	strbuf_put_int(&value, work->state.wait_ms);
	strbuf_puts(&value, ",\"lead\":");
	state_put_lead(&value, &work->state);
	strbuf_putc(&value, '}');
	overlay_put(&work->decider->overlay, wait_key(work->arena, lead_id), work_keep(work->arena, &value),
	            work->state.wait_ms);
}

static size_t team_of(const struct model *model, struct slice id)
{
	size_t team = model_find_team(model, id);
	return team != SIZE_MAX ? team : model->team_count; /* the backlog of teams that are gone */
}

void pool_ready(struct work *work)
{
	desk_at(work->decider->desk, work->model, &work->decider->overlay, work->now_ms);
}

void pool_follow_write(struct work *work, struct slice lead_id)
{
	struct desk *desk = work->decider->desk;
	pool_ready(work);
	struct waiter *waiter = desk_find_waiter(desk, lead_id);
	if (waiter != NULL) {
		desk_remove_waiter(desk, waiter);
		if (!is_waiting(&work->state))
			overlay_remove(&work->decider->overlay, wait_key(work->arena, lead_id));
	}
	if (!is_waiting(&work->state))
		return;
	desk_add_waiter(desk, lead_id, team_of(work->model, work->state.team), desk_rank(work->model, work->state.grade),
	                work->state.at_ms);
	write_waiting(work, lead_id);
}

struct loading {
	struct desk *desk;
	const struct overlay *overlay;
};

static void see_waiter(void *ctx, struct slice key)
{
	const struct loading *loading = ctx;
	struct arena scratch = ARENA_INIT;
	struct lead_state state;
	struct slice lead_id = {key.p + prefix.len, key.len - prefix.len};
	if (state_is_lead_id(lead_id) && desk_find_waiter(loading->desk, lead_id) == NULL &&
	    read_waiting(overlay_peek(loading->overlay, key), &scratch, &state) == 0)
		desk_add_waiter(loading->desk, lead_id, team_of(loading->desk->model, state.team),
		                desk_rank(loading->desk->model, state.grade), state.at_ms);
	arena_done(&scratch);
}

void pool_load_waiters(struct desk *desk, const struct overlay *overlay)
{
	struct loading loading = {desk, overlay};
	struct slice tick = overlay_peek(overlay, tick_key);
	desk->tick_ms = tick.len != 0 ? rules_due_of(tick_key, tick) : 0;
	if (overlay->view.each != NULL)
		overlay->view.each(overlay->view.ctx, prefix, see_waiter, &loading);
}

static void give(struct work *aside, const char *reason)
{
	own_give(aside, aside->rep, aside->team, reason);
	work_write_lead(aside, aside->lead_id);
	event_assigned(aside);
}

static void leave(struct work *aside)
{
	aside->state.why = slice_of(aside->reason);
	aside->state.status = LEAD_UNASSIGNED;
	aside->state.wait_ms = aside->state.step = 0;
	work_write_lead(aside, aside->lead_id);
	event_unassigned(aside);
}

/* False: nobody could take it yet. */
static bool place(struct work *work, const struct waiter *waiter)
{
	struct work aside;
	work_aside_begin(&aside, work, (struct slice){waiter->id, waiter->id_len});
	struct slice value = overlay_get(&work->decider->overlay, wait_key(work->arena, aside.lead_id));
	bool is_placed = false;
	if (read_waiting(value, work->arena, &aside.state) == 0) {
		if (waiter->team == work->model->team_count) {
			aside.reason = "team_gone";
			leave(&aside);
			is_placed = true;
		} else if (pool_choose_waited(&aside, waiter->team) == POOL_CHOSEN) {
			give(&aside, "waited");
			is_placed = true;
		}
	}
	work_aside_end(&aside, work);
	return is_placed;
}

/* ---- draining */

static bool may_have_room(struct work *work, size_t team)
{
	struct desk *desk = work->decider->desk;
	if (desk->backlogs[team].count == 0)
		return false;
	return team == work->model->team_count || post_free(desk_post(desk, &work->decider->overlay, team)) != 0;
}

/* The first in line of all teams where somebody is free. */
static struct waiter *next_in_line(struct work *work)
{
	struct desk *desk = work->decider->desk;
	struct waiter *best = NULL;
	for (size_t team = 0; team <= work->model->team_count; team++) {
		if (!may_have_room(work, team))
			continue;
		struct waiter *first = desk_first_waiter(desk, team);
		if (best == NULL || waiter_is_before(first, best))
			best = first;
	}
	return best;
}

/* Those for whom nobody who is free will do step aside for a moment, so that the ones behind them are seen. */
struct passed {
	struct slice lead_id;
	size_t team, rank;
	int64_t at_ms;
	struct passed *next;
};

static void drain(struct work *work)
{
	struct desk *desk = work->decider->desk;
	struct passed *passed = NULL;
	size_t placed = 0;
	struct waiter *waiter;
	desk->is_cut = false;
	while (desk->waiting != 0 && (waiter = next_in_line(work)) != NULL) {
		if (placed == POOL_DRAIN_MAX) {
			desk->is_cut = true;
			break;
		}
		if (place(work, waiter)) {
			placed++;
			continue;
		}
		struct passed *row = arena_alloc(&work->scratch, sizeof *row);
		char *id = arena_memdupz(&work->scratch, waiter->id, waiter->id_len);
		*row = (struct passed){{id, waiter->id_len}, waiter->team, waiter->rank, waiter->at_ms, passed};
		passed = row;
		desk_remove_waiter(desk, waiter);
	}
	for (; passed != NULL; passed = passed->next)
		desk_add_waiter(desk, passed->lead_id, passed->team, passed->rank, passed->at_ms);
}

/* When somebody may become free without an event. */
static int64_t next_tick(struct work *work)
{
	struct desk *desk = work->decider->desk;
	int64_t next_ms = NEVER_MS;
	if (desk->is_cut)
		return desk->now_ms;
	for (size_t team = 0; desk->waiting != 0 && team < work->model->team_count; team++) {
		if (desk->backlogs[team].count == 0)
			continue;
		int64_t change_ms = post_next_change(desk_post(desk, &work->decider->overlay, team));
		next_ms = change_ms < next_ms ? change_ms : next_ms;
	}
	return next_ms == NEVER_MS ? 0 : next_ms;
}

static void set_tick(struct work *work)
{
	struct desk *desk = work->decider->desk;
	int64_t tick_ms = next_tick(work);
	if (tick_ms == desk->tick_ms)
		return;
	desk->tick_ms = tick_ms;
	if (tick_ms == 0)
		overlay_remove(&work->decider->overlay, tick_key);
	else
		overlay_put(&work->decider->overlay, tick_key,
		            slice_of(arena_printf(work->arena, "{\"due\":%lld}", (long long)tick_ms)), tick_ms);
}

void pool_begin(struct work *work)
{
	pool_ready(work);
	drain(work);
}

void pool_end(struct work *work)
{
	drain(work);
	set_tick(work);
}

/* ---- timers */

void pool_fire_wait(struct work *work, struct slice key, struct slice value)
{
	struct work aside;
	struct desk *desk = work->decider->desk;
	struct slice lead_id = {key.p + prefix.len, key.len - prefix.len};
	struct waiter *waiter = state_is_lead_id(lead_id) ? desk_find_waiter(desk, lead_id) : NULL;
	int64_t due_ms = rules_due_of(key, value);
	if (waiter == NULL || due_ms == 0 || due_ms > work->now_ms)
		return; /* it was given away, or waits longer */
	work_aside_begin(&aside, work, lead_id);
	if (read_waiting(value, work->arena, &aside.state) == 0) {
		enum pool_answer answer = POOL_NOBODY;
		aside.reason = "team_gone";
		if (waiter->team < work->model->team_count)
			answer = pool_choose_after(&aside, waiter->team, (size_t)aside.state.step);
		if (answer == POOL_CHOSEN) {
			give(&aside, "waited");
		} else if (answer == POOL_WAITING) {
			work_write_lead(&aside, aside.lead_id);
			event_unassigned(&aside);
		} else {
			leave(&aside);
		}
	}
	work->ret->lead_id = aside.lead_id;
	work->ret->owner = aside.state.owner;
	work->ret->team = aside.state.team;
	work_aside_end(&aside, work);
}

void pool_fire_tick(struct work *work, struct slice key, struct slice value)
{
	(void)work;
	(void)key;
	(void)value; /* pool_begin() did all there was to do, and pool_end() sets the next one */
}
