/* SPDX-License-Identifier: Apache-2.0
 *
 * view.h over the model of Redis, with a network between: a command travels, is executed at its own time (also when the
 * process that sent it is paused or dead by then), and its answer travels back. Each of these may fail.
 */
#include "tests/sim/process.h"
#include "tests/sim/redis_model.h"

enum { TRAVEL_TYPICAL_US = 400, DEADLINE_US = 300000, SOON_US = 350000, LATE_MAX_US = 3000000, DOWN_ANSWER_US = 20000 };

struct view_request {
	struct view *view;
	view_fn fn;       /* NULL: cancelled */
	void *ctx;
	struct command command;
	struct view_reply reply;
	bool is_half, is_answer_lost;
};

struct view {
	struct process *process;
	int64_t last_run_us, last_answer_us; /* of an earlier command: answers keep the order in most schedules */
};

struct view *view_sim_new(struct process *process)
{
	/* in the arena: commands outlive the process that sent them */
	struct view *view = arena_alloc(&process->sim->arena, sizeof(*view));

	view->process = process;
	return view;
}

const char *view_status_name(enum view_status status)
{
	switch (status) {
	case VIEW_DONE: return "done";
	case VIEW_STALE: return "stale";
	case VIEW_UNKNOWN: return "unknown";
	case VIEW_REFUSED: return "refused";
	case VIEW_BROKEN: return "broken";
	}
	return "?";
}

static struct redis_model *redis_of(const struct view *view)
{
	return view->process->sim->redis;
}

uint64_t view_series(const struct view *view)
{
	return redis_of(view)->restarts;
}

bool view_is_up(const struct view *view)
{
	return view->process->sim->now_us >= redis_of(view)->down_until_us;
}

void view_cancel(struct view_request *request)
{
	request->fn = NULL;
}

/* ---- a command under way */

static void on_answer(void *ctx)
{
	struct view_request *request = ctx;

	sim_trace(request->view->process->sim, "instance %zu: shard %d command %d: %s%s", request->view->process->instance,
	          request->command.shard, (int)request->command.kind, view_status_name(request->reply.status),
	          request->fn ? "" : " (cancelled)");
	if (request->fn)
		request->fn(request->ctx, &request->reply);
}

/* The time at which something that takes `delay_us` happens, not before what was asked for earlier. */
static int64_t in_turn(const struct sim *sim, int64_t delay_us, int64_t *last_us)
{
	int64_t at = sim->now_us + delay_us;

	if (sim->chances.is_in_order && at <= *last_us)
		at = *last_us + 1;
	if (at > *last_us)
		*last_us = at;
	return at - sim->now_us;
}

static void answer_after(struct view_request *request, int64_t delay_us)
{
	struct view *view = request->view;

	sim_after(view->process->sim, view->process, delay_us, on_answer, request);
}

static void answer_unknown(struct view_request *request, int64_t delay_us)
{
	request->reply = (struct view_reply){.status = VIEW_UNKNOWN, .err = ERR_INIT};
	answer_after(request, delay_us);
}

/* Redis runs it, whatever has become of the process. */
static void on_run(void *ctx)
{
	struct view_request *request = ctx;
	struct view *view = request->view;
	struct view_reply reply;

	redis_model_run(view->process->sim->redis, &request->command,
	          request->is_half, &reply);
	sim_trace(view->process->sim, "redis: shard %d command %d of instance %zu: %s, head e=%llu q=%llu",
	          request->command.shard, (int)request->command.kind, view->process->instance,
	          view_status_name(reply.status), (unsigned long long)reply.head.head.epoch,
	          (unsigned long long)reply.head.head.seq);
	if (request->is_answer_lost || view->process->is_dead)
		return;
	request->reply = reply;
	if (reply.status == VIEW_UNKNOWN)
		request->reply = (struct view_reply){.status = VIEW_UNKNOWN, .err = ERR_INIT};
	answer_after(request, in_turn(view->process->sim, sim_latency(view->process->sim, TRAVEL_TYPICAL_US),
	                              &view->last_answer_us));
}

static void run_after(struct view_request *request, int64_t delay_us)
{
	sim_after(request->view->process->sim, NULL, delay_us, on_run, request);
}

static void answer_refused(struct view_request *request)
{
	request->reply = (struct view_reply){.status = VIEW_REFUSED, .err = ERR_INIT};
	err_set(&request->reply.err, ERR_COMMIT_FAILED, "injected: the server refuses");
	answer_after(request, sim_latency(request->view->process->sim, TRAVEL_TYPICAL_US));
}

static void send_with_fault(struct view_request *request, const struct sim_chances *chances)
{
	struct view *view = request->view;
	struct sim *sim = view->process->sim;

	if (rng_hits(&sim->rng, chances->refuse)) {
		answer_refused(request);
		return;
	}
	if (rng_hits(&sim->rng, chances->lose_reply + chances->late_command)) {
		sim->counts.lost_replies++;
		request->is_answer_lost = true;
		answer_unknown(request, DEADLINE_US);
		if (rng_hits(&sim->rng, 3000))
			return; /* never arrives */
		bool is_late = rng_below(&sim->rng, chances->lose_reply + chances->late_command) < chances->late_command;
		int64_t latest = rng_hits(&sim->rng, 6000) ? SOON_US : LATE_MAX_US;
		run_after(request, is_late ? rng_between(&sim->rng, DEADLINE_US, latest) : sim_latency(sim, TRAVEL_TYPICAL_US));
		return;
	}
	request->is_half = rng_hits(&sim->rng, chances->half_script);
	run_after(request, in_turn(sim, sim_latency(sim, TRAVEL_TYPICAL_US), &view->last_run_us));
}

static struct view_request *send(struct view *view, const struct command *command, view_fn fn, void *ctx)
{
	static const struct sim_chances no_faults;
	struct sim *sim = view->process->sim;
	struct view_request *request = arena_alloc(&sim->arena, sizeof(*request));

	*request = (struct view_request){.view = view, .fn = fn, .ctx = ctx, .command = *command};
	if (process_is_gone(view->process))
		return request;
	if (!view_is_up(view))
		answer_unknown(request, DOWN_ANSWER_US);
	else
		send_with_fault(request, sim->is_healed ? &no_faults : &sim->chances);
	return request;
}

/* ---- the calls of view.h */

static const struct slice *copy_keys(struct sim *sim, const struct slice *keys, size_t count)
{
	struct slice *copy = arena_array(&sim->arena, count, sizeof(*copy));

	for (size_t i = 0; i < count; i++)
		copy[i] = sim_copy(sim, keys[i]);
	return copy;
}

static const struct write *copy_writes(struct sim *sim, const struct write *writes, size_t count)
{
	struct write *copy = arena_array(&sim->arena, count, sizeof(*copy));

	for (size_t i = 0; i < count; i++) {
		copy[i] = writes[i];
		copy[i].key = sim_copy(sim, writes[i].key);
		copy[i].value = writes[i].is_tombstone ? SLICE_NONE : sim_copy(sim, writes[i].value);
	}
	return copy;
}

struct view_request *view_read(struct view *view, int32_t shard, const struct view_read_args *args, view_fn fn, void *ctx)
{
	const struct command command = {
		.kind = COMMAND_READ, .shard = shard,
		.keys = copy_keys(view->process->sim, args->keys, args->key_count), .key_count = args->key_count,
		.due_until_ms = args->due_until_ms, .due_limit = args->due_limit,
		.is_walk = args->is_walk, .walk_cursor = args->walk_cursor, .walk_count = args->walk_count,
	};

	return send(view, &command, fn, ctx);
}

struct view_request *view_read_memory(struct view *view, int32_t shard, view_fn fn, void *ctx)
{
	const struct command command = {.kind = COMMAND_READ_MEMORY, .shard = shard};

	return send(view, &command, fn, ctx);
}

struct view_request *view_apply(struct view *view, int32_t shard, const struct head *before, const struct head *after,
                                int64_t pos, const struct write *writes, size_t count, view_fn fn, void *ctx)
{
	const struct command command = {
		.kind = COMMAND_APPLY, .shard = shard, .before = {VIEW_HEAD_NORMAL, *before, 0, 0}, .after = *after, .pos = pos,
		.writes = copy_writes(view->process->sim, writes, count), .write_count = count,
	};

	return send(view, &command, fn, ctx);
}

struct view_request *view_install_epoch(struct view *view, int32_t shard, const struct view_head *seen, uint64_t epoch,
                                        view_fn fn, void *ctx)
{
	const struct command command = {
		.kind = COMMAND_INSTALL_EPOCH, .shard = shard, .before = *seen, .after = {.epoch = epoch},
	};

	return send(view, &command, fn, ctx);
}

struct view_request *view_rebuild_begin(struct view *view, int32_t shard, const struct view_head *seen, uint64_t epoch,
                                        view_fn fn, void *ctx)
{
	const struct command command = {
		.kind = COMMAND_REBUILD_BEGIN, .shard = shard, .before = *seen, .after = {.epoch = epoch},
	};

	return send(view, &command, fn, ctx);
}

struct view_request *view_rebuild_chunk(struct view *view, int32_t shard, uint64_t epoch, uint64_t chunk,
                                        const struct write *writes, size_t count, view_fn fn, void *ctx)
{
	const struct command command = {
		.kind = COMMAND_REBUILD_CHUNK, .shard = shard,
		.before = {.state = VIEW_HEAD_LOADING, .head = {.epoch = epoch}, .chunk = chunk},
		.writes = copy_writes(view->process->sim, writes, count), .write_count = count,
	};

	return send(view, &command, fn, ctx);
}

struct view_request *view_rebuild_finish(struct view *view, int32_t shard, uint64_t chunk, const struct head *head,
                                         int64_t pos, view_fn fn, void *ctx)
{
	const struct command command = {
		.kind = COMMAND_REBUILD_FINISH, .shard = shard,
		.before = {.state = VIEW_HEAD_LOADING, .head = {.epoch = head->epoch}, .chunk = chunk},
		.after = *head, .pos = pos,
	};

	return send(view, &command, fn, ctx);
}
