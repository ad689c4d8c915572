/* SPDX-License-Identifier: Apache-2.0
 *
 * The turn of those who wait: given away, or sent on when the wait is over.
 */
#include "rules/pool_wait.h"

#include "rules/consent.h"
#include "rules/decide.h"
#include "rules/event.h"
#include "rules/interest.h"
#include "rules/model.h"
#include "rules/own.h"
#include "rules/pool_choose.h"
#include "rules/rest.h"

/* The latest event is about this lead alone. */
static void mark_told(struct work *aside)
{
	aside->events[aside->ret->event_count - 1].is_waiters = true;
}

static void give(struct work *aside)
{
	if (consent_ask_first(aside, aside->rep, aside->team)) {
		aside->reason = "pending";
		aside->state.why = SLICE("pending");
		aside->state.wait_ms = aside->state.step = 0;
		work_write_lead(aside, aside->lead_id);
		event_unassigned(aside);
		mark_told(aside);
		return;
	}
	own_give(aside, aside->rep, aside->team, "waited");
	work_write_lead(aside, aside->lead_id);
	event_assigned(aside);
	mark_told(aside);
}

static void leave(struct work *aside)
{
	if (!rest_resume(&aside->state)) {
		aside->state.why = slice_of(aside->reason);
		aside->state.status = LEAD_UNASSIGNED;
	}
	aside->state.wait_ms = aside->state.step = 0;
	work_write_lead(aside, aside->lead_id);
	event_unassigned(aside);
	mark_told(aside);
}

/* ---- draining */

static bool read_waiting(struct work *aside, struct slice value)
{
	if (pool_wait_read(value, aside->arena, &aside->state) != 0)
		return false;
	interest_fade(aside->model, &aside->state, aside->now_ms);
	return true;
}

/* False: nobody could take it. */
static bool place(struct work *work, const struct waiter *waiter)
{
	struct work aside;
	size_t team = queue_team(waiter->queue);
	bool is_placed = false;
	work_aside_begin(&aside, work, waiter->name);
	struct slice value = overlay_get(&work->decider->overlay, pool_wait_key(work->arena, aside.lead_id));
	if (!read_waiting(&aside, value)) {
		is_placed = false;
	} else if (team == work->model->team_count) {
		aside.reason = "team_gone";
		leave(&aside);
		is_placed = true;
	} else if (pool_choose_waited(&aside, &waiter->queue->need) == POOL_CHOSEN) {
		give(&aside);
		is_placed = true;
	}
	work_aside_end(&aside, work);
	return is_placed;
}

static const struct post *stop_post(struct work *work, const struct stop *stop)
{
	return desk_post(work->decider->desk, &work->decider->overlay, stop->team);
}

static bool is_gone(const struct work *work, const struct queue *queue)
{
	return queue_team(queue) == work->model->team_count;
}

/* Rises whenever anybody at any of the stops may have become able to take what he could not before. */
static uint64_t eased_at_stops(struct work *work, const struct queue *queue)
{
	uint64_t eased = 0;
	for (size_t i = 0; i < queue->need.stop_count; i++)
		eased += stop_post(work, &queue->need.stops[i])->eased;
	return eased;
}

static bool may_serve(struct work *work, struct queue *queue)
{
	struct desk *desk = work->decider->desk;
	if (is_gone(work, queue))
		return queue->barren == 0;
	uint64_t eased = eased_at_stops(work, queue);
	bool can = false;
	if (queue->barren == eased)
		return false;
	for (size_t i = 0; !can && i < queue->need.stop_count; i++) {
		const struct stop *stop = &queue->need.stops[i];
		desk->looks++;
		can = post_can_serve(desk, stop_post(work, stop), &queue->need, stop->units);
	}
	queue->barren = can ? 0 : eased;
	return can;
}

/* The first in line of all teams whom somebody could take. */
static struct waiter *next_in_line(struct work *work)
{
	struct desk *desk = work->decider->desk;
	struct waiter *best = NULL;
	for (size_t team = 0; team <= work->model->team_count; team++) {
		if (desk->backlog.lines[team].count == 0)
			continue;
		for (struct queue *queue = desk->backlog.lines[team].queues; queue != NULL; queue = queue->next)
			if (may_serve(work, queue) && (best == NULL || waiter_is_before(queue->items[0], best)))
				best = queue->items[0];
	}
	return best;
}

/* Of a queue that somebody could serve each lead is given away; should one not be, the queue waits for the next change. */
static void set_barren(struct work *work, struct queue *queue)
{
	queue->barren = is_gone(work, queue) ? 1 : eased_at_stops(work, queue);
}

static void drain(struct work *work)
{
	struct desk *desk = work->decider->desk;
	struct waiter *waiter;
	desk->is_cut = false;
	for (size_t placed = 0; desk->backlog.count != 0 && (waiter = next_in_line(work)) != NULL;) {
		if (placed == POOL_DRAIN_MAX) {
			desk->is_cut = true;
			return;
		}
		struct queue *queue = waiter->queue;
		if (place(work, waiter))
			placed++;
		else
			set_barren(work, queue);
	}
}

/* When time alone changes anything at a team that one of this line waits for. */
static int64_t next_change(struct work *work, const struct line *line)
{
	int64_t next_ms = NEVER_MS;
	for (const struct queue *queue = line->queues; queue != NULL; queue = queue->next)
		for (size_t i = 0; i < queue->need.stop_count; i++) {
			int64_t change_ms = post_next_change(work->decider->desk, stop_post(work, &queue->need.stops[i]));
			next_ms = change_ms < next_ms ? change_ms : next_ms;
		}
	return next_ms;
}

/* When somebody may become free without an event. */
static int64_t next_tick(struct work *work)
{
	struct desk *desk = work->decider->desk;
	int64_t next_ms = NEVER_MS;
	if (pool_wait_is_broken(work) || (desk->backlog.count != 0 && next_in_line(work) != NULL))
		return desk->now_ms;
	for (size_t team = 0; desk->backlog.count != 0 && team < work->model->team_count; team++) {
		int64_t change_ms = next_change(work, &desk->backlog.lines[team]);
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
		overlay_remove(&work->decider->overlay, POOL_TICK_KEY);
	else
		overlay_put(&work->decider->overlay, POOL_TICK_KEY,
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

void pool_open(struct work *work)
{
	pool_ready(work);
	set_tick(work);
}

/* ---- timers */

static void wait_is_over(struct work *aside, const struct waiter *waiter)
{
	enum pool_answer answer = POOL_NOBODY;
	aside->reason = "team_gone";
	if (!is_gone(aside, waiter->queue))
		answer = pool_choose_after(aside, queue_team(waiter->queue), (size_t)aside->state.step);
	if (answer == POOL_CHOSEN) {
		give(aside);
	} else if (answer == POOL_WAITING) {
		work_write_lead(aside, aside->lead_id);
		event_unassigned(aside);
		mark_told(aside);
	} else {
		leave(aside);
	}
}

void pool_fire_wait(struct work *work, struct slice key, struct slice value)
{
	struct work aside;
	struct slice lead_id;
	struct waiter *waiter = pool_wait_lead(key, &lead_id) ? backlog_find(&work->decider->desk->backlog, lead_id) : NULL;
	if (waiter == NULL) {
		pool_wait_drop(work, key, value);
		return;
	}
	int64_t due_ms = rules_due_of(key, value);
	if (due_ms == 0 || due_ms > work->now_ms)
		return; /* it waits longer */
	work_aside_begin(&aside, work, lead_id);
	if (read_waiting(&aside, value))
		wait_is_over(&aside, waiter);
	work->ret->lead_id = aside.lead_id;
	work->ret->owner = aside.state.owner;
	work->ret->team = aside.state.team;
	work_aside_end(&aside, work);
}

void pool_fire_tick(struct work *work, struct slice key, struct slice value)
{
	(void)key;
	(void)value; /* pool_begin() did all there was to do for those in line, and pool_end() sets the next one */
	(void)pool_wait_mend(work);
}
