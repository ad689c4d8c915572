/* SPDX-License-Identifier: Apache-2.0
 *
 * The world of a schedule: processes that start, die and come back, records that are published, and the faults that
 * strike between two steps. When the faults are used up the world heals: everything paused goes on, everything dead
 * starts again, and the schedule must come to rest.
 */
#include <stdlib.h>

#include "daemon/head.h"
#include "daemon/committer.h"
#include "tests/sim/broker.h"
#include "tests/sim/process.h"
#include "tests/sim/redis_model.h"
#include "tests/sim/reference.h"

enum {
	SESSION_US = 6000000,
	RESTART_MAX_US = 3000000,
	PAUSE_MAX_US = 20000000,
	PUBLISH_WINDOW_US = 30000000,
	SETTLE_US = 6000000,       /* of rest, so that the last late request has landed */
};

/* ---- processes */

bool process_is_gone(const struct process *process)
{
	return process->is_dead || process->is_leaving;
}

static void on_assigned(void *ctx, int32_t shard, struct commit_token *token, bool is_complete)
{
	struct process *process = ctx;

	shard_assigned(process->shards[shard], token, is_complete);
}

static void on_revoked(void *ctx, int32_t shard, bool is_lost)
{
	struct process *process = ctx;

	shard_revoked(process->shards[shard], is_lost);
}

static void on_message(void *ctx, int32_t shard, struct kafka_message *take_message)
{
	struct process *process = ctx;

	shard_message(process->shards[shard], take_message);
}

static void on_result(void *ctx, struct commit_job *job)
{
	struct process *process = ctx;

	shard_committed(process->shards[job->shard], job);
}

static void on_state(void *ctx, int32_t shard, enum shard_state from, enum shard_state to, const struct err *err)
{
	struct process *process = ctx;
	struct sim_counts *counts = &process->sim->counts;

	sim_trace(process->sim, "instance %zu: shard %d %s -> %s%s%s", process->instance, shard, shard_state_name(from),
	          shard_state_name(to), err && err->text[0] ? ": " : "", err ? err->text : "");
	counts->equal += from == SHARD_COMPARING && to == SHARD_LOADING_RINGS;
	counts->catch_ups += to == SHARD_CATCHING_UP;
	counts->rebuilds += to == SHARD_REBUILDING;
	if (to != SHARD_STOPPED)
		return;
	process->sim->stop_code = (int)err->code;
	if (!process->sim->expects_stop)
		sim_finding(process->sim, BAD_STUCK, "shard %d stopped: %s", shard, err->text);
}

static struct generation *generation_of(void *ctx)
{
	struct process *process = ctx;

	return process->generation;
}

static void on_decided(void *ctx, int32_t shard, const struct decision *decision)
{
	struct process *process = ctx;

	(void)shard;
	/* a log line would read these: a sanitizer sees when they point at something gone */
	const struct slice texts[] = {decision->lead_id, decision->owner, decision->team, decision->route, decision->grade};
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		(void)sim_copy(process->sim, texts[i]);
	process->sim->counts.decisions++;
	process->sim->counts.timers_fired += decision->outcome == OUTCOME_TIMER;
}

static void make_shards(struct process *process)
{
	struct sim *sim = process->sim;

	process->generation = generation_sim_new(process);
	const struct shard_parts parts = {
		.loop = process->loop, .clock = process->clock, .committer = process->committer, .view = process->view,
		.in = process->in, .state_log = process->state_log, .generation = generation_of, .on_decided = on_decided,
		.on_state = on_state, .ctx = process,
	};
	size_t batch_records = 1 + rng_below(&sim->rng, 5), inflight_batches = 2 + rng_below(&sim->rng, 3);
	const struct shard_limits limits = {
		.topic_count = SIM_TOPICS, .batch_records = batch_records, .batch_bytes = 100000,
		.inflight_batches = inflight_batches, .inbox_records = 8, .inbox_bytes = 100000, .due_limit = 3,
		.batch_writes = 4 + rng_below(&sim->rng, 30), .walk_step = 1 + rng_below(&sim->rng, 6),
		.timer_poll_ms = 1000, .retry_ms = 20, .partition_count = SIM_SHARDS,
	};

	for (int32_t i = 0; i < SIM_SHARDS; i++)
		process->shards[i] = shard_new(&parts, &limits, i);
}

static void on_start(void *ctx);

struct start {
	struct sim *sim;
	size_t instance;
};

static void start_after(struct sim *sim, size_t instance, int64_t delay_us)
{
	struct start *start = arena_alloc(&sim->arena, sizeof(*start));

	*start = (struct start){sim, instance};
	sim_after(sim, NULL, delay_us, on_start, start);
}

static void on_start(void *ctx)
{
	const struct start *start = ctx;
	struct sim *sim = start->sim;

	if (sim->processes[start->instance])
		return;
	struct process *process = arena_alloc(&sim->arena, sizeof(*process));
	*process = (struct process){.sim = sim, .instance = start->instance};
	process->parked_tail = &process->parked;
	process->loop = loop_sim_new(process);
	process->clock = clock_sim_new(process);
	process->in = kafka_in_sim_new(process);
	process->committer = committer_sim_new(process);
	process->view = view_sim_new(process);
	process->state_log = state_log_sim_new(process);
	make_shards(process);
	kafka_in_listen(process->in, &(struct kafka_in_events){on_assigned, on_revoked, on_message, process});
	committer_on_result(process->committer, on_result, process);
	sim->processes[start->instance] = process;
	sim_trace(sim, "instance %zu starts", process->instance);
	kafka_in_sim_join(process->in);
}

struct session {
	struct broker *broker;
	uint64_t member_id;
};

static void on_dead_session(void *ctx)
{
	const struct session *session = ctx;

	group_expel(session->broker, session->member_id);
}

static void process_free(struct process *process)
{
	process->is_dead = true;
	for (size_t i = 0; i < SIM_SHARDS; i++)
		shard_free(process->shards[i]);
	committer_sim_free(process->committer);
	state_log_sim_free(process->state_log);
	kafka_in_sim_free(process->in);
	clock_sim_free(process->clock);
	loop_sim_free(process->loop);
	process->sim->processes[process->instance] = NULL;
}

void process_kill(struct process *process, const char *why)
{
	struct sim *sim = process->sim;

	if (process->is_dead)
		return;
	sim_trace(sim, "instance %zu ends: %s", process->instance, why);
	struct session *session = arena_alloc(&sim->arena, sizeof(*session));
	*session = (struct session){sim->broker, kafka_in_sim_member(process->in)};
	sim_after(sim, NULL, SESSION_US, on_dead_session, session);
	process_free(process);
	start_after(sim, process->instance, rng_between(&sim->rng, 100000, RESTART_MAX_US));
}

static void on_exit_step(void *ctx)
{
	process_kill(ctx, "left by itself");
}

void process_exit_soon(struct process *process, const char *why)
{
	if (process_is_gone(process))
		return;
	sim_trace(process->sim, "instance %zu exits: %s", process->instance, why);
	process->is_leaving = true;
	sim_after(process->sim, NULL, 0, on_exit_step, process);
}

/* ---- records */

struct publishing {
	struct broker *broker;
	int32_t shard;
	size_t topic;
	struct record record;
};

static void on_publish(void *ctx)
{
	struct publishing *publishing = ctx;

	publishing->broker->inputs_to_come--;
	broker_publish(publishing->broker, publishing->shard, publishing->topic, publishing->record);
}

static void publish_later(struct sim *sim, int32_t shard, size_t topic, int64_t at_us)
{
	struct publishing *publishing = arena_alloc(&sim->arena, sizeof(*publishing));

	*publishing = (struct publishing){sim->broker, shard, topic, reference_record(sim, shard, topic)};
	sim->broker->inputs_to_come++;
	sim_after(sim, NULL, at_us, on_publish, publishing);
}

static void plan_records(struct sim *sim, int32_t shard, size_t topic, size_t count)
{
	struct input *input = &sim->broker->inputs[shard][topic];
	int64_t window = rng_hits(&sim->rng, 5000) ? PUBLISH_WINDOW_US : 2000000;

	input->capacity = count;
	input->records = arena_array(&sim->arena, count, sizeof(*input->records));
	for (size_t i = 0; i < count; i++)
		publish_later(sim, shard, topic, rng_hits(&sim->rng, 4000) ? 0 : rng_between(&sim->rng, 0, window));
}

/* The explicit bootstrap of a group: offset 0, sequence 0 and a hash that no other history shares. */
static void bootstrap(struct sim *sim, int32_t shard)
{
	struct head head = {0};
	char text[HEAD_METADATA_BYTES];

	for (size_t i = 0; i < HEAD_HASH_BYTES - 1; i++)
		head.hash[i] = "0123456789abcdef"[rng_below(&sim->rng, 16)];
	size_t len = head_to_metadata(&head, SIM_SHARDS, text);
	struct slice metadata = sim_copy(sim, (struct slice){text, len});
	sim->broker->committed[shard][0].metadata = metadata;
	sim->broker->bootstrap[shard] = (struct txn_offsets){.is_set = true, .metadata = metadata, .head = head};
}

/* ---- chances */

static unsigned maybe(struct sim *sim, unsigned percent, unsigned most)
{
	return rng_hits(&sim->rng, percent * 100) ? 1 + (unsigned)rng_below(&sim->rng, most) : 0;
}

/* What a slow reading can miss are tombstones, so rebuilds and cleaning come together, with little else in their way. */
static void draw_slow_readers(struct sim *sim)
{
	struct sim_chances *chances = &sim->chances;

	chances->faults += 6;
	chances->compaction = 20;
	chances->weight_wipe = 10;
	chances->weight_rollback = chances->weight_foreign = chances->weight_garbage = chances->weight_kill = 0;
	chances->weight_pause = chances->weight_leave = chances->weight_outage = 0;
	chances->stall_max_us = 2000 * SIM_RETENTION_MS;
	if (rng_hits(&sim->rng, 5000))
		return;
	/* the other half: late chunks of one reading that meet the next */
	chances->stall_max_us = 150000;
	chances->late_command = 2000;
	chances->fault_gap = 20 + (unsigned)rng_below(&sim->rng, 60);
}

static void draw_chances(struct sim *sim)
{
	/* one by one: an initialiser may be computed in any order, and a seed must mean the same everywhere */
	struct sim_chances *chances = &sim->chances;
	chances->faults = (unsigned)rng_below(&sim->rng, 16);
	chances->fault_gap = 10 + (unsigned)rng_below(&sim->rng, 90);
	chances->inject_abort = maybe(sim, 60, 400);
	chances->commit_unknown = maybe(sim, 30, 400);
	chances->commit_retry = maybe(sim, 40, 1000);
	chances->delay_end_txn = maybe(sim, 40, 3000);
	chances->delay_offsets = maybe(sim, 20, 2000);
	chances->lose_reply = maybe(sim, 40, 800);
	chances->late_command = maybe(sim, 40, 800);
	chances->refuse = maybe(sim, 30, 500);
	chances->half_script = maybe(sim, 40, 600);
	chances->weight_kill = maybe(sim, 70, 10);
	chances->weight_pause = maybe(sim, 70, 10);
	chances->weight_expel = maybe(sim, 50, 10);
	chances->weight_leave = maybe(sim, 40, 5);
	chances->weight_txn_timeout = maybe(sim, 40, 10);
	chances->weight_wipe = maybe(sim, 40, 5);
	chances->weight_rollback = maybe(sim, 60, 10);
	chances->weight_foreign = maybe(sim, 40, 5);
	chances->weight_outage = maybe(sim, 30, 5);
	chances->weight_clock = maybe(sim, 20, 5);
	chances->weight_garbage = maybe(sim, 20, 5);
	chances->too_large = maybe(sim, 20, 300);
	chances->log_fails = maybe(sim, 20, 2000);
	chances->plugins = maybe(sim, 30, 10000);
	chances->slow_step = maybe(sim, 60, 150);
	chances->slow_reader = maybe(sim, 30, 4000);
	chances->compaction = maybe(sim, 60, 20);
	chances->is_in_order = rng_hits(&sim->rng, 7000);
	if (chances->slow_reader > 0)
		draw_slow_readers(sim);
}

static void schedule_fault(struct sim *sim)
{
	sim->next_fault_step = sim->step_count + 1 + rng_below(&sim->rng, 2 * sim->chances.fault_gap);
}

static void on_compaction(void *ctx)
{
	struct sim *sim = ctx;

	broker_compact(sim->broker, (int32_t)rng_below(&sim->rng, SIM_SHARDS));
	if (!sim->is_healed)
		sim_after(sim, NULL, rng_between(&sim->rng, 100000, 20000000 / sim->chances.compaction), on_compaction, sim);
}

void world_build(struct sim *sim)
{
	draw_chances(sim);
	sim->broker = broker_new(sim);
	sim->redis = redis_model_new(sim);
	sim->instance_count = 2 + rng_below(&sim->rng, SIM_INSTANCES_MAX - 1);
	for (int32_t shard = 0; shard < SIM_SHARDS; shard++) {
		bootstrap(sim, shard);
		plan_records(sim, shard, 0, 10 + rng_below(&sim->rng, 12));
		plan_records(sim, shard, 1, 4 + rng_below(&sim->rng, 6));
	}
	for (size_t i = 0; i < sim->instance_count; i++)
		start_after(sim, i, (int64_t)rng_below(&sim->rng, i == 0 ? 1000 : 8000000));
	if (sim->chances.compaction > 0)
		sim_after(sim, NULL, 1000000, on_compaction, sim);
	schedule_fault(sim);
}

void world_done(struct sim *sim)
{
	for (size_t i = 0; i < SIM_INSTANCES_MAX; i++)
		if (sim->processes[i])
			process_free(sim->processes[i]);
}

/* ---- faults */

static struct process *pick_process(struct sim *sim)
{
	return sim->processes[rng_below(&sim->rng, sim->instance_count)];
}

static void on_resume(void *ctx)
{
	struct process *process = ctx;

	if (process->is_dead || !process->is_paused)
		return;
	process->is_paused = false;
	sim_trace(process->sim, "instance %zu goes on", process->instance);
	sim_resume_parked(process->sim, process);
}

static void on_session_end(void *ctx)
{
	struct process *process = ctx;

	if (process->is_paused && !process->is_dead)
		group_expel(process->sim->broker, kafka_in_sim_member(process->in));
}

static void fault_pause(struct sim *sim, struct process *process)
{
	if (process->is_paused)
		return;
	sim->counts.pauses++;
	process->is_paused = true;
	int64_t for_us = rng_hits(&sim->rng, 5000) ? rng_between(&sim->rng, 1000, 500000)
	                                           : rng_between(&sim->rng, 500000, PAUSE_MAX_US);
	sim_trace(sim, "FAULT: instance %zu pauses for %lld ms", process->instance, (long long)(for_us / 1000));
	sim_after(sim, NULL, for_us, on_resume, process);
	/* with or without expulsion: the session may end sooner or later than the pause */
	if (rng_hits(&sim->rng, 7000))
		sim_after(sim, NULL, rng_between(&sim->rng, 1000, for_us + 1000), on_session_end, process);
}

static void fault_kill(struct sim *sim, struct process *process)
{
	sim->counts.kills++;
	process_kill(process, "FAULT: killed");
}

static void fault_expel(struct sim *sim, struct process *process)
{
	sim_trace(sim, "FAULT: expel");
	group_expel(sim->broker, kafka_in_sim_member(process->in));
}

static void on_left(void *ctx)
{
	struct process *process = ctx;

	if (process->is_dead || process->is_paused)
		return;
	kafka_in_sim_leave(process->in);
	process_exit_soon(process, "left the group");
}

static void fault_leave(struct sim *sim, struct process *process)
{
	sim_trace(sim, "FAULT: instance %zu drains and leaves", process->instance);
	for (size_t i = 0; i < SIM_SHARDS && !process->is_paused; i++)
		shard_drain(process->shards[i]);
	sim_after(sim, process, rng_between(&sim->rng, 0, 1000000), on_left, process);
}

static void fault_txn_timeout(struct sim *sim, struct process *process)
{
	sim_trace(sim, "FAULT: transaction of instance %zu times out", process->instance);
	broker_time_out_txn(sim->broker, process->instance);
}

static void fault_wipe(struct sim *sim, struct process *process)
{
	(void)process;
	bool both = rng_hits(&sim->rng, 5000);
	int32_t first = (int32_t)rng_below(&sim->rng, SIM_SHARDS);
	sim_trace(sim, "FAULT: Redis is wiped");
	sim->counts.view_faults++;
	for (int32_t shard = 0; shard < SIM_SHARDS; shard++)
		if (both || shard == first)
			redis_model_wipe(sim->redis, shard);
}

/* A few writes back, or to anything that ever was (fail-back to an abandoned branch). */
static void fault_rollback(struct sim *sim, struct process *process)
{
	(void)process;
	sim->counts.view_faults++;
	for (int32_t shard = 0; shard < SIM_SHARDS; shard++) {
		const struct redis_shard *at = &sim->redis->shards[shard];
		size_t back = rng_below(&sim->rng, rng_hits(&sim->rng, 6000) && at->history_count > 6 ? 6 : at->history_count);
		sim_trace(sim, "FAULT: Redis shard %d goes %zu versions back", shard, back);
		redis_model_set_back(sim->redis, shard, at->history_count - 1 - back);
	}
}

static void fault_foreign(struct sim *sim, struct process *process)
{
	(void)process;
	sim_trace(sim, "FAULT: a foreign view");
	sim->counts.view_faults++;
	redis_model_make_foreign(sim->redis, (int32_t)rng_below(&sim->rng, SIM_SHARDS));
}

static void fault_garbage(struct sim *sim, struct process *process)
{
	(void)process;
	sim_trace(sim, "FAULT: somebody writes to our keys");
	sim->counts.view_faults++;
	int32_t shard = (int32_t)rng_below(&sim->rng, SIM_SHARDS);
	redis_model_put_garbage(sim->redis, shard, rng_hits(&sim->rng, 5000) ? GARBAGE_HEAD : GARBAGE_CONTAINER);
}

static void fault_outage(struct sim *sim, struct process *process)
{
	(void)process;
	sim_trace(sim, "FAULT: Redis is away");
	sim->redis->restarts++;
	sim->redis->down_until_us = sim->now_us + rng_between(&sim->rng, 1000, 3000000);
}

static void fault_clock(struct sim *sim, struct process *process)
{
	/* ahead by a little only: what is decided then is due so much later, and the schedule has to end */
	static const int64_t jumps[] = {0, 5000, -5000, 20000, -3600000, -86400000};
	int64_t for_us = rng_between(&sim->rng, 100000, 5000000);

	clock_sim_upset(process->clock, for_us, jumps[for_us % (int64_t)(sizeof(jumps) / sizeof(jumps[0]))]);
}

void world_fault(struct sim *sim)
{
	static void (*const faults[])(struct sim *, struct process *) = {
		fault_kill, fault_pause, fault_expel, fault_leave, fault_txn_timeout, fault_wipe,
		fault_rollback, fault_foreign, fault_outage, fault_clock, fault_garbage,
	};
	const struct sim_chances *chances = &sim->chances;
	const unsigned weights[] = {
		chances->weight_kill, chances->weight_pause, chances->weight_expel, chances->weight_leave,
		chances->weight_txn_timeout, chances->weight_wipe, chances->weight_rollback, chances->weight_foreign,
		chances->weight_outage, chances->weight_clock, chances->weight_garbage,
	};
	unsigned total = 0, at = 0;

	for (size_t i = 0; i < sizeof(weights) / sizeof(*weights); i++)
		total += weights[i];
	if (sim->chances.faults == 0 && sim->broker->inputs_to_come == 0) {
		world_heal(sim);
		return;
	}
	schedule_fault(sim);
	struct process *process = pick_process(sim);
	if (sim->chances.faults > 0)
		sim->chances.faults--;
	else
		return;
	if (!process || total == 0)
		return;
	uint64_t pick = rng_below(&sim->rng, total);
	while (pick >= weights[at])
		pick -= weights[at++];
	faults[at](sim, process);
}

void world_heal(struct sim *sim)
{
	sim->is_healed = true;
	sim->rest_since_us = sim->now_us;
	sim_trace(sim, "---- no more faults");
	sim->redis->down_until_us = sim->now_us;
	for (size_t i = 0; i < sim->instance_count; i++)
		if (sim->processes[i])
			on_resume(sim->processes[i]);
}

/* ---- rest */

static bool shard_is_done(struct sim *sim, int32_t shard)
{
	const struct redis_shard *view = &sim->redis->shards[shard];
	struct head committed;
	int32_t partition_count;

	if (head_from_metadata(sim->broker->committed[shard][0].metadata, &committed, &partition_count, NULL) != 0 ||
	    !head_equal(&committed, &view->now->head.head))
		return false;
	for (size_t topic = 0; topic < SIM_TOPICS; topic++)
		if (sim->broker->committed[shard][topic].offset != (int64_t)sim->broker->inputs[shard][topic].count)
			return false;
	for (size_t i = 0; i < view->now->count; i++)
		if (view->now->items[i].due_ms > 0)
			return false;
	for (size_t i = 0; i < sim->instance_count; i++) {
		struct shard_status status;
		if (!sim->processes[i])
			return false;
		shard_status(sim->processes[i]->shards[shard], &status);
		if (status.state == SHARD_RUNNING && head_equal(&status.head, &view->now->head.head))
			return true;
	}
	return false;
}

bool world_is_quiet(struct sim *sim)
{
	bool is_done = !sim->broker->is_rebalancing;

	for (int32_t shard = 0; is_done && shard < SIM_SHARDS; shard++)
		is_done = shard_is_done(sim, shard);
	if (!is_done)
		sim->rest_since_us = sim->now_us;
	return is_done && sim->now_us - sim->rest_since_us > SETTLE_US;
}
