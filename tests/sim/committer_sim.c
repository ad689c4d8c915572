/* SPDX-License-Identifier: Apache-2.0
 *
 * committer.h: drives the real commit machine, one call of its ops per step, against the model of Kafka.
 *
 * The producer here knows what librdkafka knows: its epoch, and which partitions it has added to the transaction since
 * begin. Faults of a call are drawn from the seed: an abort that the broker asks for, an answer that never comes
 * (executed or not), a request that is sent twice and whose first copy arrives seconds later.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/batch.h"
#include "daemon/committer.h"
#include "daemon/mutation.h"
#include "rules/base/mem.h"
#include "tests/sim/broker.h"
#include "tests/sim/process.h"

enum { CALL_TYPICAL_US = 1500, UNSTABLE_WAIT_US = 200000, LATE_MAX_US = 4000000, WAIT_STEPS_MAX = 200 };

struct producer {
	uint16_t epoch;
	uint32_t added;
	bool was_resent;
	int64_t state_offset[SIM_SHARDS];
};

/* A job between submit and delivery. */
struct result {
	struct commit_job *job;
	struct result *next;
	struct commit_token *token; /* held for the job: with send-closed-shard it would be gone before */
};

struct committer {
	struct process *process;
	struct commit *commit;
	struct producer producer;
	committer_fn on_result;
	void *on_result_ctx;
	struct result *results, **results_tail;
	struct result *inside;      /* every job that was submitted and not delivered yet */
	bool is_scheduled;
	int64_t next_delay_us;      /* a call that waits says how long; 0: a usual latency */
	bool is_claim;              /* the open transaction has a barrier, for the counters */
};

/* A request that the network delivers once more, or only now. */
struct late_request {
	struct sim *sim;
	size_t instance;
	uint16_t epoch;
	enum txn_end end;           /* TXN_OPEN: an offset commit */
	struct commit_token token;
	int32_t shard;
	int64_t offsets[SIM_TOPICS];
	struct slice metadata;
};

static void on_late_request(void *ctx)
{
	struct late_request *late = ctx;
	struct broker *broker = late->sim->broker;

	sim_trace(late->sim, "network: a late %s of instance %zu arrives", late->end == TXN_OPEN ? "offset commit" : "EndTxn",
	          late->instance);
	if (late->end == TXN_OPEN)
		broker_txn_offsets(broker, late->instance, late->epoch, &late->token, late->shard, late->offsets,
		                   late->metadata);
	else
		broker_end_txn(broker, late->instance, late->epoch, late->end);
}

static struct late_request *send_late(struct committer *committer)
{
	struct sim *sim = committer->process->sim;
	struct late_request *late = arena_alloc(&sim->arena, sizeof(*late));

	*late = (struct late_request){.sim = sim, .instance = committer->process->instance,
	                              .epoch = committer->producer.epoch};
	/* soon, so that it meets the next transaction, or much later */
	int64_t most = rng_hits(&sim->rng, 7000) ? 30000 : LATE_MAX_US;
	sim_after(sim, NULL, rng_between(&sim->rng, 500, most), on_late_request, late);
	return late;
}

static bool hits(struct committer *committer, unsigned per_10000)
{
	struct sim *sim = committer->process->sim;

	return !sim->is_healed && rng_hits(&sim->rng, per_10000);
}

static enum op_result result_of(enum broker_answer answer, struct err *err)
{
	switch (answer) {
	case BROKER_OK:
		return OP_DONE;
	case BROKER_FENCED:
		err_set(err, ERR_COMMIT_FAILED, "the producer is fenced");
		return OP_EXIT;
	case BROKER_NOT_IN_TXN:
		err_set(err, ERR_COMMIT_FAILED, "the partition is in no transaction");
		return OP_ABORT;
	case BROKER_OLD_GENERATION:
		err_set(err, ERR_COMMIT_FAILED, "old generation");
		return OP_LOST;
	}
	return OP_EXIT;
}

/* ---- the steps of the commit machine */

static enum op_result op_fetch(void *ctx, int32_t shard, struct commit_offset ret[COMMIT_TOPICS_MAX], struct err *err)
{
	struct committer *committer = ctx;
	struct broker *broker = committer->process->sim->broker;

	if (!broker_is_stable(broker, shard) && !mutation_is("unstable-offsets")) {
		committer->next_delay_us = UNSTABLE_WAIT_US;
		err_set(err, ERR_COMMIT_FAILED, "the committed offsets are not stable yet");
		return OP_RETRY;
	}
	for (size_t topic = 0; topic < SIM_TOPICS; topic++) {
		const struct committed *from = &broker->committed[shard][topic];
		ret[topic] = (struct commit_offset){from->offset, 0, (int64_t)broker->inputs[shard][topic].count,
		                                    from->metadata};
	}
	return OP_DONE;
}

static enum op_result op_begin(void *ctx, struct err *err)
{
	struct committer *committer = ctx;

	(void)err; /* a begin is local to the client */
	committer->producer.added = 0;
	committer->producer.was_resent = false;
	committer->is_claim = false;
	for (size_t shard = 0; shard < SIM_SHARDS; shard++)
		committer->producer.state_offset[shard] = -1;
	return OP_DONE;
}

/* The client asks for a partition once per transaction, whatever the broker has done to the transaction since. */
static enum broker_answer add_partition(struct committer *committer, unsigned bit)
{
	if (committer->producer.added & 1u << bit)
		return BROKER_OK;
	committer->producer.added |= 1u << bit;
	return broker_add_partition(committer->process->sim->broker, committer->process->instance,
	                            committer->producer.epoch, bit);
}

static enum op_result produce(struct committer *committer, const struct produced *record, struct err *err)
{
	struct process *process = committer->process;
	unsigned bit = (record->is_event ? PART_OUT : PART_STATE) + (unsigned)record->shard;

	if (hits(committer, process->sim->chances.inject_abort)) {
		err_set(err, ERR_COMMIT_FAILED, "injected: a record could not be delivered");
		return OP_ABORT;
	}
	enum broker_answer answer = add_partition(committer, bit);
	if (answer == BROKER_OK)
		answer = broker_produce(process->sim->broker, process->instance, committer->producer.epoch, record,
		                        &committer->producer.state_offset[record->shard]);
	return result_of(answer, err);
}

static const struct header *copy_headers(struct sim *sim, const struct event *event)
{
	struct header *headers = arena_array(&sim->arena, event->header_count, sizeof(*headers));

	for (size_t i = 0; i < event->header_count; i++) {
		headers[i].name = sim_copy(sim, event->headers[i].name);
		headers[i].value = sim_copy(sim, event->headers[i].value);
	}
	return headers;
}

static enum op_result op_produce_event(void *ctx, int32_t shard, const struct event *event, struct err *err)
{
	struct committer *committer = ctx;
	struct sim *sim = committer->process->sim;
	struct produced record = {.shard = shard, .is_event = true, .event = *event};

	unsigned too_large = event->is_waiters ? 100 * sim->chances.too_large : sim->chances.too_large; /* there are few of them */

	if (event->topic != OUT_REJECTED && hits(committer, too_large)) {
		struct refused *refused = arena_alloc(&sim->arena, sizeof(*refused));
		*refused = (struct refused){sim_copy(sim, event->cause), sim->refused};
		if (!event->is_waiters) /* else it is not the cause that is set aside */
			sim->refused = refused;
		sim->counts.too_large++;
		err_set(err, ERR_COMMIT_FAILED, "injected: the event is too large");
		return OP_TOO_LARGE;
	}
	sim->counts.waited += event->is_waiters && event->topic != OUT_REJECTED;
	sim->counts.waiters_set_aside += event->is_waiters && event->topic == OUT_REJECTED;
	record.event.id = sim_copy(sim, event->id);
	record.event.subject = sim_copy(sim, event->subject);
	record.event.cause = sim_copy(sim, event->cause);
	record.event.key = sim_copy(sim, event->key);
	record.event.value = sim_copy(sim, event->value);
	record.event.headers = copy_headers(sim, event);
	return produce(committer, &record, err);
}

static enum op_result op_produce_state(void *ctx, int32_t shard, const struct write *write, const struct head *head,
                                       struct err *err)
{
	struct committer *committer = ctx;
	struct sim *sim = committer->process->sim;
	struct produced record = {.shard = shard, .write = *write, .head = *head};

	record.write.key = sim_copy(sim, write->key);
	record.write.value = write->is_tombstone ? SLICE_NONE : sim_copy(sim, write->value);
	return produce(committer, &record, err);
}

static enum op_result op_produce_barrier(void *ctx, int32_t shard, const struct head *head, struct err *err)
{
	struct committer *committer = ctx;
	struct produced record = {.shard = shard, .is_barrier = true, .head = *head};

	committer->is_claim = true;
	return produce(committer, &record, err);
}

static enum op_result op_send_offsets(void *ctx, struct commit_token *token, size_t count, const int32_t *shards,
                                      const int64_t (*offsets)[COMMIT_TOPICS_MAX], const struct slice *metadata,
                                      struct err *err)
{
	struct committer *committer = ctx;
	struct process *process = committer->process;
	struct sim *sim = process->sim;

	if (mutation_is("token-at-commit"))
		token = kafka_in_sim_newest_token(process->in);
	if (hits(committer, sim->chances.inject_abort)) {
		err_set(err, ERR_COMMIT_FAILED, "injected: the group coordinator is moving");
		return OP_ABORT;
	}
	enum broker_answer answer = add_partition(committer, PART_OFFSETS);
	for (size_t i = 0; answer == BROKER_OK && i < count; i++) {
		if (token && hits(committer, sim->chances.delay_offsets)) {
			struct late_request *late = send_late(committer);
			late->token = *token;
			late->shard = shards[i];
			memcpy(late->offsets, offsets[i], sizeof(late->offsets));
			late->metadata = sim_copy(sim, metadata[i]);
			committer->producer.was_resent = true;
		}
		answer = broker_txn_offsets(sim->broker, process->instance, committer->producer.epoch, token, shards[i],
		                            offsets[i], metadata[i]);
	}
	return result_of(answer, err);
}

/* EndTxn with whatever the network does to it. */
static enum op_result end_txn(struct committer *committer, enum txn_end end, struct err *err)
{
	struct process *process = committer->process;
	const struct sim_chances *chances = &process->sim->chances;
	struct broker *broker = process->sim->broker;

	if (committer->producer.added == 0)
		return OP_DONE;
	if (hits(committer, chances->commit_unknown)) {
		if (rng_hits(&process->sim->rng, 5000))
			broker_end_txn(broker, process->instance, committer->producer.epoch, end);
		else if (rng_hits(&process->sim->rng, 5000))
			send_late(committer)->end = end;
		err_set(err, ERR_COMMIT_FAILED, "injected: no answer before the deadline");
		return OP_EXIT;
	}
	if (hits(committer, chances->commit_retry)) {
		committer->producer.was_resent = true;
		if (rng_hits(&process->sim->rng, 5000))
			broker_end_txn(broker, process->instance, committer->producer.epoch, end);
		else
			send_late(committer)->end = end;
		err_set(err, ERR_COMMIT_FAILED, "injected: no answer yet");
		return OP_RETRY;
	}
	if (hits(committer, chances->delay_end_txn)) {
		committer->producer.was_resent = true;
		process->sim->counts.delayed_end_txn++;
		send_late(committer)->end = end;
	}
	enum broker_answer answer = broker_end_txn(broker, process->instance, committer->producer.epoch, end);
	/* INVALID_TXN_STATE is fatal for the client */
	return answer == BROKER_OK ? OP_DONE : (err_set(err, ERR_COMMIT_FAILED, "invalid transaction state"), OP_EXIT);
}

static enum op_result op_commit(void *ctx, struct err *err)
{
	struct committer *committer = ctx;
	struct sim *sim = committer->process->sim;

	/* once an EndTxn is out, only its answer counts */
	if (!committer->producer.was_resent && hits(committer, sim->chances.inject_abort)) {
		err_set(err, ERR_COMMIT_FAILED, "injected: the flush failed");
		return OP_ABORT;
	}
	enum op_result result = end_txn(committer, TXN_COMMIT, err);
	if (result == OP_DONE && committer->is_claim)
		sim->counts.claims++;
	else if (result == OP_DONE)
		sim->counts.commits++;
	return result;
}

static enum op_result op_abort(void *ctx, struct err *err)
{
	struct committer *committer = ctx;
	enum op_result result = end_txn(committer, TXN_ABORT, err);

	committer->process->sim->counts.aborts += result == OP_DONE;
	return result;
}

static int64_t op_state_offset(void *ctx, int32_t shard)
{
	const struct committer *committer = ctx;

	return committer->producer.state_offset[shard];
}

static bool op_was_resent(void *ctx)
{
	const struct committer *committer = ctx;

	return committer->producer.was_resent;
}

static enum op_result op_renew(void *ctx, struct err *err)
{
	struct committer *committer = ctx;
	struct process *process = committer->process;

	(void)err; /* the model's initialisation cannot fail */
	committer->producer = (struct producer){.epoch = broker_init_producer(process->sim->broker, process->instance)};
	return OP_DONE;
}

static const struct commit_ops sim_ops = {
	.fetch = op_fetch,
	.begin = op_begin,
	.produce_event = op_produce_event,
	.produce_state = op_produce_state,
	.produce_barrier = op_produce_barrier,
	.send_offsets = op_send_offsets,
	.commit = op_commit,
	.abort = op_abort,
	.state_offset = op_state_offset,
	.was_resent = op_was_resent,
	.renew = op_renew,
};

/* ---- the thread */

struct committer *committer_sim_new(struct process *process)
{
	struct committer *committer = xcalloc(1, sizeof(*committer));

	committer->process = process;
	committer->results_tail = &committer->results;
	committer->commit = commit_new(&sim_ops, committer, SIM_TOPICS, SIM_SHARDS);
	op_renew(committer, NULL);
	return committer;
}

/* What the end of the process does to a job: its batch was let go of by its shard. */
static void forget_job(struct commit_job *job)
{
	commit_token_unref(job->token);
	if (job->kind == COMMIT_BATCH) {
		batch_free(job->ctx);
		return;
	}
	free(job);
}

static void free_results(struct result *results, bool with_jobs)
{
	while (results) {
		struct result *next = results->next;
		if (with_jobs) {
			forget_job(results->job);
			commit_token_unref(results->token);
		}
		free(results);
		results = next;
	}
}

void committer_sim_free(struct committer *committer)
{
	free_results(committer->results, false);
	free_results(committer->inside, true);
	commit_free(committer->commit);
	free(committer);
}

void committer_on_result(struct committer *committer, committer_fn fn, void *ctx)
{
	committer->on_result = fn;
	committer->on_result_ctx = ctx;
}

static void remove_inside(struct committer *committer, const struct commit_job *job)
{
	struct result **link = &committer->inside;

	while ((*link)->job != job)
		link = &(*link)->next;
	struct result *gone = *link;
	*link = gone->next;
	commit_token_unref(gone->token);
	free(gone);
}

static void on_delivery(void *ctx)
{
	struct committer *committer = ctx;
	struct result *result = committer->results;

	committer->results = result->next;
	if (!committer->results)
		committer->results_tail = &committer->results;
	struct commit_job *job = result->job;
	free(result);
	remove_inside(committer, job);
	sim_trace(committer->process->sim, "instance %zu: shard %d %s: %s", committer->process->instance, job->shard,
	          job->kind == COMMIT_OPEN ? "claim" : job->kind == COMMIT_ASK ? "ask" : "batch",
	          commit_result_name(job->result));
	committer->process->sim->counts.discarded += job->result == COMMIT_DISCARDED;
	committer->on_result(committer->on_result_ctx, job);
}

static void collect_results(struct committer *committer)
{
	struct commit_job *job;

	while ((job = commit_take_result(committer->commit)) != NULL) {
		struct result *result = xcalloc(1, sizeof(*result));
		result->job = job;
		*committer->results_tail = result;
		committer->results_tail = &result->next;
		sim_after(committer->process->sim, committer->process, sim_latency(committer->process->sim, 300), on_delivery,
		          committer);
	}
}

static enum commit_turn step_once(struct committer *committer)
{
	struct err err = ERR_INIT;

	committer->next_delay_us = 0;
	enum commit_turn turn = commit_step(committer->commit, &err);
	if (turn == COMMIT_EXIT) {
		committer->process->sim->counts.exits++;
		process_exit_soon(committer->process, err.text);
		return turn;
	}
	collect_results(committer);
	return turn;
}

static void wake(struct committer *committer);

static void on_step(void *ctx)
{
	struct committer *committer = ctx;

	committer->is_scheduled = false;
	if (!process_is_gone(committer->process) && step_once(committer) == COMMIT_MORE)
		wake(committer);
}

static void wake(struct committer *committer)
{
	struct sim *sim = committer->process->sim;

	if (committer->is_scheduled)
		return;
	committer->is_scheduled = true;
	int64_t delay = committer->next_delay_us ? committer->next_delay_us : sim_latency(sim, CALL_TYPICAL_US);
	sim_after(sim, committer->process, delay, on_step, committer);
}

void committer_submit(struct committer *committer, struct commit_job *take_job)
{
	struct result *inside = xcalloc(1, sizeof(*inside));

	*inside = (struct result){take_job, committer->inside, commit_token_ref(take_job->token)};
	committer->inside = inside;
	commit_submit(committer->commit, take_job);
	wake(committer);
}

void committer_close_shard(struct committer *committer, int32_t shard, uint64_t shard_object)
{
	commit_close_shard(committer->commit, shard, shard_object);
}

/* The real one blocks; here the commit thread's next steps are made at once, or time runs out. */
void committer_wait_shard(struct committer *committer, int32_t shard, int64_t wait_ms)
{
	struct sim *sim = committer->process->sim;
	bool is_too_slow = !sim->is_healed && rng_hits(&sim->rng, 2000);

	(void)wait_ms; /* time stands still during a step */
	for (int i = 0; i < WAIT_STEPS_MAX && !is_too_slow; i++) {
		if (process_is_gone(committer->process) || !commit_is_busy_with(committer->commit, shard))
			return;
		step_once(committer);
	}
}
