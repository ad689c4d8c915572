/* SPDX-License-Identifier: Apache-2.0
 *
 * loop.h and clock.h in virtual time. Deferred calls keep their order; each is a step of its own, so that anything may
 * happen between two of them. Wall time is the virtual time plus a small error of this process.
 */
#include <stdlib.h>

#include "daemon/clock.h"
#include "daemon/loop.h"
#include "rules/base/mem.h"
#include "tests/sim/process.h"

struct deferred {
	loop_fn fn;
	void *ctx;
	struct deferred *next;
};

struct loop {
	struct process *process;
	struct deferred *first, **tail;
};

struct loop_timer {
	struct loop *loop;
	loop_fn fn;
	void *ctx;
	struct step *step; /* NULL: not running */
};

struct clock {
	struct process *process;
	int64_t error_ms;
	int64_t insane_until_us;
	int64_t jump_ms; /* while insane */
};

struct loop *loop_sim_new(struct process *process)
{
	struct loop *loop = xcalloc(1, sizeof(*loop));

	loop->process = process;
	loop->tail = &loop->first;
	return loop;
}

void loop_sim_free(struct loop *loop)
{
	while (loop->first) {
		struct deferred *next = loop->first->next;
		free(loop->first);
		loop->first = next;
	}
	free(loop);
}

int64_t loop_now_ms(const struct loop *loop)
{
	return loop->process->sim->now_us / 1000;
}

static void on_deferred(void *ctx)
{
	struct loop *loop = ctx;
	struct deferred *call = loop->first;

	loop->first = call->next;
	if (!loop->first)
		loop->tail = &loop->first;
	loop_fn fn = call->fn;
	void *fn_ctx = call->ctx;
	free(call);
	fn(fn_ctx);
}

void loop_defer(struct loop *loop, loop_fn fn, void *ctx)
{
	struct deferred *call = xcalloc(1, sizeof(*call));

	*call = (struct deferred){fn, ctx, NULL};
	*loop->tail = call;
	loop->tail = &call->next;
	sim_after(loop->process->sim, loop->process, (int64_t)rng_below(&loop->process->sim->rng, 20), on_deferred, loop);
}

void loop_post(struct loop *loop, loop_fn fn, void *ctx)
{
	loop_defer(loop, fn, ctx);
}

struct loop_timer *loop_timer_new(struct loop *loop, loop_fn fn, void *ctx)
{
	struct loop_timer *timer = xcalloc(1, sizeof(*timer));

	*timer = (struct loop_timer){loop, fn, ctx, NULL};
	return timer;
}

void loop_timer_free(struct loop_timer *timer)
{
	if (!timer)
		return;
	sim_cancel(timer->step);
	free(timer);
}

static void on_timer(void *ctx)
{
	struct loop_timer *timer = ctx;

	timer->step = NULL;
	timer->fn(timer->ctx);
}

void loop_timer_start(struct loop_timer *timer, int64_t delay_ms)
{
	struct process *process = timer->loop->process;

	sim_cancel(timer->step);
	timer->step = sim_after(process->sim, process, delay_ms * 1000 + (int64_t)rng_below(&process->sim->rng, 300),
	                        on_timer, timer);
}

void loop_timer_stop(struct loop_timer *timer)
{
	sim_cancel(timer->step);
	timer->step = NULL;
}

bool loop_timer_is_running(const struct loop_timer *timer)
{
	return timer->step != NULL;
}

struct clock *clock_sim_new(struct process *process)
{
	struct clock *clock = xcalloc(1, sizeof(*clock));

	clock->process = process;
	clock->error_ms = rng_between(&process->sim->rng, -500, 500);
	return clock;
}

void clock_sim_free(struct clock *clock)
{
	free(clock);
}

void clock_sim_upset(struct clock *clock, int64_t for_us, int64_t jump_ms)
{
	clock->jump_ms = jump_ms;
	clock->insane_until_us = clock->process->sim->now_us + for_us;
}

int64_t clock_now_ms(struct clock *clock)
{
	int64_t jump_ms = clock_is_sane(clock) ? 0 : clock->jump_ms;

	return SIM_WALL_START + clock->process->sim->now_us / 1000 + clock->error_ms + jump_ms;
}

bool clock_is_sane(struct clock *clock)
{
	return clock->process->sim->now_us >= clock->insane_until_us;
}

bool clock_vouches(struct clock *clock, int64_t *ret_now_ms)
{
	*ret_now_ms = clock_now_ms(clock);
	return clock_is_sane(clock);
}
