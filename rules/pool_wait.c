/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/pool_wait.h"

#include <string.h>

#include "rules/base/strbuf.h"
#include "rules/decide.h"
#include "rules/event.h"
#include "rules/model.h"
#include "rules/pool_choose.h"
#include "rules/rest.h"

enum { CUT_BYTES = 256 }; /* of a state that is too large to be told whole */

static const struct slice prefix = {"mem/wait/", 9};

struct slice pool_wait_key(struct arena *arena, struct slice lead_id)
{
	return ARENA_JOIN(arena, prefix, lead_id);
}

bool pool_wait_lead(struct slice key, struct slice *ret_lead_id)
{
	*ret_lead_id = (struct slice){key.p + prefix.len, key.len - prefix.len};
	return state_is_lead_id(*ret_lead_id);
}

static bool is_waiting(const struct lead_state *state)
{
	return state->status == LEAD_WAITING;
}

void pool_wait(struct work *work, size_t team, int64_t until_ms, size_t step)
{
	struct move rest = rest_of(&work->state);
	work->reason = "waiting";
	work->team = team;
	work->rep = SIZE_MAX;
	work->state.team = work->model->teams[team].id;
	work->state.why = SLICE("waiting");
	work->state.status = LEAD_WAITING;
	work->state.wait_ms = until_ms;
	work->state.step = (int64_t)step;
	rest_keep(&work->state, &rest);
}

static bool has_stop(const struct stop *stops, size_t count, size_t team)
{
	for (size_t i = 0; i < count; i++)
		if (stops[i].team == team)
			return true;
	return false;
}

bool pool_must_queue(const struct work *work, size_t team)
{
	const struct desk *desk = work->decider->desk;
	for (size_t i = 0; desk->is_cut && i < work->model->team_count; i++)
		for (const struct queue *queue = desk->backlog.lines[i].queues; queue != NULL; queue = queue->next)
			if (has_stop(queue->need.stops, queue->need.stop_count, team))
				return true;
	return false;
}

/* ---- the keys: the state is written as it is in lead/<id> */

int pool_wait_read(struct slice value, struct arena *arena, struct lead_state *ret_state)
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
	overlay_put(&work->decider->overlay, pool_wait_key(work->arena, lead_id), strbuf_keep(&value, work->arena),
	            work->state.wait_ms);
}

void pool_ready(struct work *work)
{
	desk_at(work->decider->desk, work->model, &work->decider->overlay, work->now_ms);
}

struct route_on {
	const struct model *model;
	struct stop stops[STOPS_MAX];
	size_t count;
};

/* The team, and those that it sends on to by its first outcomes: whoever was asked before the lead began to wait. */
static void add_stops(struct route_on *on, size_t team, size_t outcomes)
{
	const struct pool *pool = team < on->model->team_count ? pool_of(&on->model->teams[team]) : NULL;
	if (on->count == STOPS_MAX || has_stop(on->stops, on->count, team))
		return;
	on->stops[on->count++] = (struct stop){.team = (uint32_t)team};
	for (size_t i = 0; pool != NULL && i < outcomes && i < pool->outcome_count; i++)
		if (pool->outcomes[i].kind == POOL_NEXT)
			add_stops(on, pool->outcomes[i].team, SIZE_MAX);
}

static void line_up(struct desk *desk, struct slice lead_id, const struct lead_state *state, struct arena *scratch)
{
	const struct model *model = desk->model;
	size_t team = model_find_team(model, state->team);
	if (team == SIZE_MAX)
		team = model->team_count; /* the line of teams that are gone */
	struct route_on on = {.model = model};
	add_stops(&on, team, (size_t)state->step);
	for (size_t i = 0; i < on.count; i++)
		on.stops[i].units = (uint32_t)pool_waiting_size(model, on.stops[i].team, state, lead_id, scratch);
	struct need need = need_of(model, state, on.stops, on.count);
	backlog_add(&desk->backlog, lead_id, &need, backlog_rank(model, state->grade), state->at_ms);
}

void pool_follow_write(struct work *work, struct slice lead_id)
{
	struct desk *desk = work->decider->desk;
	pool_ready(work);
	struct waiter *waiter = backlog_find(&desk->backlog, lead_id);
	if (waiter != NULL) {
		backlog_remove(&desk->backlog, waiter);
		if (!is_waiting(&work->state))
			overlay_remove(&work->decider->overlay, pool_wait_key(work->arena, lead_id));
	}
	if (!is_waiting(&work->state))
		return;
	line_up(desk, lead_id, &work->state, &work->scratch);
	write_waiting(work, lead_id);
}

struct loading {
	struct desk *desk;
	const struct overlay *overlay;
	struct arena scratch;
};

/* A value that nobody here can read is no waiter; pool_wait_mend() sees to it. */
static void see_waiter(void *ctx, struct slice key)
{
	struct loading *loading = ctx;
	struct slice lead_id, value = overlay_peek(loading->overlay, key);
	struct lead_state state;
	bool is_ours = pool_wait_lead(key, &lead_id);
	if (value.len == 0 || (is_ours && backlog_find(&loading->desk->backlog, lead_id) != NULL))
		return;
	if (is_ours && pool_wait_read(value, &loading->scratch, &state) == 0)
		line_up(loading->desk, lead_id, &state, &loading->scratch);
	else
		loading->desk->has_unreadable = true;
	arena_reset(&loading->scratch);
}

void pool_load_waiters(struct desk *desk, const struct overlay *overlay)
{
	struct loading loading = {desk, overlay, ARENA_INIT};
	struct slice tick = overlay_peek(overlay, POOL_TICK_KEY);
	desk->tick_ms = tick.len != 0 ? rules_due_of(POOL_TICK_KEY, tick) : 0;
	if (overlay->view.each != NULL)
		overlay->view.each(overlay->view.ctx, prefix, see_waiter, &loading);
	arena_done(&loading.scratch);
}

/* ---- values that nobody here can read */

struct search {
	const struct overlay *overlay;
	struct arena scratch;
	struct slice first; /* bytewise */
};

static void see_unreadable(void *ctx, struct slice key)
{
	struct search *search = ctx;
	struct slice lead_id, value = overlay_peek(search->overlay, key);
	struct lead_state state;
	bool is_first = search->first.len == 0 || slice_compare(key, search->first) < 0;
	if (value.len != 0 && is_first &&
	    (!pool_wait_lead(key, &lead_id) || pool_wait_read(value, &search->scratch, &state) != 0))
		search->first = key;
	arena_reset(&search->scratch);
}

static struct slice first_unreadable(struct work *work)
{
	const struct overlay *overlay = &work->decider->overlay;
	struct search search = {overlay, ARENA_INIT, SLICE_NONE};
	if (overlay->view.each != NULL)
		overlay->view.each(overlay->view.ctx, prefix, see_unreadable, &search);
	arena_done(&search.scratch);
	return (struct slice){arena_memdupz(work->arena, search.first.p, search.first.len), search.first.len};
}

bool pool_wait_is_broken(struct work *work)
{
	struct desk *desk = work->decider->desk;
	desk->has_unreadable = desk->has_unreadable && first_unreadable(work).len != 0;
	return desk->has_unreadable;
}

/* What is stored goes to the rejects; work->lead_id names the lead, if the key does. */
static void reject_value(struct work *work, struct slice key, struct slice value, const struct err *err)
{
	struct record record = {.kind = RECORD_ACTIVITY, .topic = SLICE("state"), .partition = -1, .offset = -1, .key = key,
	                        .value = value, .has_key = true, .has_value = true};
	work->ret->outcome = OUTCOME_REJECTED;
	work->ret->code = err->code;
	work->ret->lead_id = work->lead_id;
	event_rejected(work, &record, err);
	struct event *event = &work->events[work->ret->event_count - 1];
	event->id = ARENA_JOIN(work->arena, SLICE("lead.rejected:"), work->cause, SLICE(":"), key);
	event->is_waiters = true;
}

void pool_wait_drop(struct work *work, struct slice key, struct slice value)
{
	struct overlay *overlay = &work->decider->overlay;
	struct err err = ERR_INIT;
	err_set_at(&err, ERR_STATE_MALFORMED, "state", "a waiting lead has a stored value that is not in our form");
	if (!pool_wait_lead(key, &work->lead_id))
		work->lead_id = SLICE_NONE;
	if (value.len > RULES_RECORD_BYTES_MAX)
		value.len = RULES_RECORD_BYTES_MAX; /* ours are far smaller */
	reject_value(work, key, value, &err);
	overlay_remove(overlay, key);
	overlay_put(overlay, slice_of(arena_printf(work->arena, POOL_WALK "%lld", (long long)work->now_ms)), SLICE("{}"), 0);
}

void pool_set_aside(struct work *work, bool is_cut)
{
	struct err err = ERR_INIT;
	work->ret->outcome = OUTCOME_NOTHING;
	pool_ready(work);
	if (backlog_find(&work->decider->desk->backlog, work->lead_id) == NULL)
		return;
	struct slice key = pool_wait_key(work->arena, work->lead_id), value = overlay_get(&work->decider->overlay, key);
	if (pool_wait_read(value, work->arena, &work->state) != 0)
		return;
	work->cause = slice_of(arena_printf(work->arena, "waited:%.*s:%lld", SLICE_ARG(work->lead_id), (long long)work->state.version));
	err_set_at(&err, ERR_EVENT_TOO_LARGE, "event", "what ends the waiting of this lead is too large for the broker; nobody owns it");
	if (is_cut && value.len > CUT_BYTES)
		value.len = CUT_BYTES;
	reject_value(work, key, value, &err);
	if (!rest_resume(&work->state)) {
		work->state.status = LEAD_UNASSIGNED;
		work->state.why = SLICE("event_too_large");
	}
	work->state.wait_ms = work->state.step = 0;
	work_write_lead(work, work->lead_id);
}

bool pool_wait_mend(struct work *work)
{
	if (!pool_wait_is_broken(work))
		return false;
	struct slice key = first_unreadable(work);
	pool_wait_drop(work, key, overlay_get(&work->decider->overlay, key));
	return true;
}

/* Its key was taken away, or was lost some other way: it waits in no line. */
void pool_visit(struct work *work, struct slice key)
{
	(void)key;
	if (!is_waiting(&work->state) || backlog_find(&work->decider->desk->backlog, work->lead_id) != NULL)
		return;
	work->reason = "waiting";
	work->ret->outcome = OUTCOME_TIMER;
	work_write_lead(work, work->lead_id);
	event_unassigned(work);
}
