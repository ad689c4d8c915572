/* SPDX-License-Identifier: Apache-2.0
 *
 * The door, and the driver of a lead's stages. A stage is a function that says STEP_NEXT or, when the outcome is known,
 * STEP_DONE; the driver is the loop in decide_lead(). What a stage finds out lies in struct work, from where the trace
 * tells it.
 */
#include "rules/decide.h"

#include <string.h>

#include "rules/base/strbuf.h"
#include "rules/event.h"
#include "rules/interest.h"
#include "rules/model.h"
#include "rules/pend.h"
#include "rules/report.h"
#include "rules/retention.h"
#include "rules/pool_choose.h"
#include "rules/pool_wait.h"
#include "rules/own.h"
#include "rules/stages.h"

enum {
	FIRST_EVENTS = 2, /* more for the few records that lead to more */
	LEAD_BYTES = 1000, /* most states stay below; larger ones grow */
};

const char *outcome_name(enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_ASSIGNED:
		return "assigned";
	case OUTCOME_UNASSIGNED:
		return "unassigned";
	case OUTCOME_DUPLICATE:
		return "duplicate";
	case OUTCOME_REJECTED:
		return "rejected";
	case OUTCOME_ACTIVITY:
		return "activity";
	case OUTCOME_TIMER:
		return "timer";
	case OUTCOME_NOTHING:
		return "nothing";
	case OUTCOMES:
		break;
	}
	return "?";
}

/* ---- one piece of work */

static void clear(struct work *work, struct decider *decider, int64_t now_ms, struct decision *ret)
{
	memset(work, 0, offsetof(struct work, state));
	state_clear(&work->state);
	work->brought.count = 0;
	work->decider = decider;
	work->model = decider->model;
	work->arena = decider->arena;
	work->now_ms = now_ms;
	work->ret = ret;
	work->team = work->rep = SIZE_MAX;
}

void work_begin(struct work *work, struct decider *decider, struct prepared *prepared, int64_t now_ms,
                struct decision *ret)
{
	*ret = (struct decision){0};
	clear(work, decider, now_ms, ret);
	work->prepared = prepared;
	if (prepared != NULL)
		work->cause = event_cause(prepared->record, work->arena);
}

void work_end(struct work *work)
{
	tally_take(work);
	work->ret->events = work->events;
	arena_done(&work->scratch);
}

void work_aside_begin(struct work *aside, const struct work *work, struct slice lead_id)
{
	clear(aside, work->decider, work->now_ms, work->ret);
	aside->events = work->events;
	aside->event_room = work->event_room;
	aside->cause = work->cause;
	aside->is_aside = true;
	aside->lead_id = (struct slice){arena_memdupz(work->arena, lead_id.p, lead_id.len), lead_id.len};
}

void work_aside_end(struct work *aside, struct work *work)
{
	work->events = aside->events;
	work->event_room = aside->event_room;
	arena_done(&aside->scratch);
}

bool work_has_lead(const struct work *work)
{
	return work->prepared != NULL && work->prepared->kind == PREPARED_LEAD;
}

void work_more_events(struct work *work)
{
	size_t room = work->event_room == 0 ? FIRST_EVENTS : work->event_room * 2;
	struct event *events = arena_array(work->arena, room, sizeof *events);
	if (work->ret->event_count != 0)
		memcpy(events, work->events, work->ret->event_count * sizeof *events);
	work->events = events;
	work->event_room = room;
}

int work_read_lead(const struct work *work, struct slice lead_id, struct lead_state *ret_state)
{
	struct slice value = overlay_get(&work->decider->overlay, state_lead_key(work->arena, lead_id));
	if (value.len == 0)
		return 0;
	if (state_get_lead(value, work->arena, ret_state, NULL) != 0)
		return -1;
	interest_fade(work->model, ret_state, work->now_ms);
	return 1;
}

void work_write_lead(struct work *work, struct slice lead_id)
{
	struct strbuf value = STRBUF_IN(work->arena);
	interest_tell(work, lead_id);
	pool_on_write(work);
	own_count(work, false);
	retention_on_write(work);
	struct slice key = state_lead_key(work->arena, lead_id);
	strbuf_reserve(&value, LEAD_BYTES);
	state_put_lead(&value, &work->state);
	overlay_put(&work->decider->overlay, key, strbuf_keep(&value, work->arena), state_next_due(&work->state));
	pool_follow_write(work, lead_id);
}

void work_name(struct work *work)
{
	struct decision *ret = work->ret;
	ret->lead_id = work->lead_id;
	ret->owner = work->state.owner;
	ret->team = work->state.team;
	ret->route = work->state.rule;
	ret->grade = work->state.grade;
	ret->source = work->state.source;
	if (work->match.route != NULL)
		ret->rule = (struct place_text){work->match.route->place.file, work->match.route->place.line};
}

static enum step (*const stages[])(struct work *) = {
#define X(name) stage_##name,
	DECIDE_STAGES(X)
#undef X
};

enum {
#define X(name) BEFORE_##name,
	PREPARE_STAGES(X)
#undef X
	STAGES_BEFORE,
};

static void decide_lead(struct work *work)
{
	work->lead_id = work->prepared->lead.lead_id;
	work->stages_run = STAGES_BEFORE;
	work->prepared->lead.account = (struct lead_account){.owner = SLICE_NONE}; /* it may have been decided before, in vain */
	for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
		work->stages_run++;
		enum step step = stages[i](work);
		if (work->decider->observer != NULL && work->decider->observer->on_stage != NULL)
			work->decider->observer->on_stage(work->decider->observer->ctx, STAGES_BEFORE + i, work);
		if (step == STEP_DONE)
			break;
	}
	if (work->ret->outcome == OUTCOME_ASSIGNED || work->ret->outcome == OUTCOME_UNASSIGNED)
		pend_take(work);
}

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

/* ---- the door */

struct decider *decider_new(const struct model *model, struct rules_view view, struct arena *arena)
{
	struct decider *decider = arena_alloc(arena, sizeof *decider);
	decider->model = model;
	decider->arena = arena;
	decider->desk = arena_alloc(arena, sizeof *decider->desk);
	decider->desk->arena = arena;
	overlay_init(&decider->overlay, view, model->identity_secret, arena);
	return decider;
}

void decider_use_desk(struct decider *decider, struct desk *desk)
{
	decider->desk = desk;
}

void decider_decide(struct decider *decider, struct prepared *prepared, int64_t now_ms, struct decision *ret)
{
	struct work work;
	work_begin(&work, decider, prepared, now_ms, ret);
	switch (prepared->kind) {
	case PREPARED_REJECT:
		decide_reject(&work, prepared->record, prepared->err.code, prepared->err.where, prepared->err.text);
		break;
	case PREPARED_LEAD:
		pool_begin(&work);
		decide_lead(&work);
		pool_end(&work);
		break;
	case PREPARED_ACTIVITY:
		pool_begin(&work);
		decide_activity(&work);
		pool_end(&work);
		break;
	}
	work_end(&work);
}

void decider_fire(struct decider *decider, struct slice name, int64_t now_ms, struct decision *ret)
{
	struct work work;
	struct slice copy = {arena_memdupz(decider->arena, name.p, name.len), name.len};
	work_begin(&work, decider, NULL, now_ms, ret);
	if (rules_is_memory(copy))
		decide_memory(&work, copy);
	else
		decide_timers(&work, copy);
	pool_end(&work);
	if (work.ret->outcome == OUTCOME_NOTHING && work.ret->event_count != 0)
		work.ret->outcome = OUTCOME_TIMER;
	work_end(&work);
}

void decider_begin(struct decider *decider, int64_t now_ms, struct decision *ret)
{
	struct work work;
	work_begin(&work, decider, NULL, now_ms, ret);
	work.cause = SLICE("begin");
	decide_begin(&work);
	work_end(&work);
}

void decider_visit(struct decider *decider, struct slice walk_key, struct slice lead_id, int64_t now_ms,
                   struct decision *ret)
{
	struct work work;
	work_begin(&work, decider, NULL, now_ms, ret);
	work.lead_id = (struct slice){arena_memdupz(decider->arena, lead_id.p, lead_id.len), lead_id.len};
	work.cause = ARENA_JOIN(decider->arena, SLICE("walk:"), walk_key, SLICE(":"), work.lead_id);
	pool_begin(&work);
	decide_visit(&work, walk_key);
	pool_end(&work);
	work_end(&work);
}

void decider_walked(struct decider *decider, struct slice walk_key, int64_t now_ms, struct decision *ret)
{
	struct work work;
	work_begin(&work, decider, NULL, now_ms, ret);
	decide_walked(&work, walk_key);
	work_end(&work);
}

void decider_reject(struct decider *decider, const struct record *record, enum err_code code, const char *text,
                    int64_t now_ms, struct decision *ret)
{
	struct work work;
	work_begin(&work, decider, NULL, now_ms, ret);
	decide_reject(&work, record, code, "", text);
	work_end(&work);
}

void decider_set_aside(struct decider *decider, struct slice lead_id, bool is_cut, int64_t now_ms, struct decision *ret)
{
	struct work work;
	work_begin(&work, decider, NULL, now_ms, ret);
	work.lead_id = (struct slice){arena_memdupz(decider->arena, lead_id.p, lead_id.len), lead_id.len};
	pool_set_aside(&work, is_cut);
	work_end(&work);
}

void decider_finish(struct decider *decider, const struct write **ret_writes, size_t *ret_count)
{
	pool_finish(decider);
	tally_flush(decider);
	*ret_writes = decider->overlay.writes;
	*ret_count = decider->overlay.count;
}
