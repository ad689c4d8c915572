/* SPDX-License-Identifier: Apache-2.0
 *
 * The commit thread.
 *
 *     loop: submit, close ──commands (lock)──► thread: machine, one step at a time, outside the lock
 *     loop: on_results  ◄──loop_post───────── results (lock)
 *     loop, every 250 ms: how old is the call that the thread is in? too old → _exit
 *
 * `machine` and `txn` belong to the thread; `commands`, `results` and `waited` are under the lock. A job is the machine's
 * from the moment the thread has taken its command until it stands in `results`.
 */
#include "daemon/committer.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/committer_kafka.h"
#include "rules/base/mem.h"

/* Submit (job != NULL) or close. */
struct command {
	struct command *next;
	struct commit_job *job;
	int32_t shard;
	uint64_t shard_object;
};

struct committer {
	const struct kafka_options *options;
	struct loop *loop;
	struct loop_timer *look;
	struct kafka_txn *txn;
	struct commit *machine;
	committer_fn on_result;
	void *ctx;
	_Atomic int64_t call_began_ms; /* 0: in no call */
	int64_t hung_call_ms;          /* the loop's: of the call that a wait gave up on */

	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t to_thread, to_loop; /* on CLOCK_MONOTONIC */
	struct command *commands, **commands_last;
	struct commit_job *results, **results_last;
	bool is_posted;    /* on_results is on its way to the loop */
	bool is_stopping, is_joined;
	bool is_waiting;   /* the loop waits for `waited_shard` */
	int32_t waited_shard;
};

/* Read twice per step, which is one record: the coarse clock is a few milliseconds behind and costs a fifth; what is
 * measured with it is compared with seconds. */
static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct timespec after_ms(clockid_t clock, int64_t ms)
{
	struct timespec at;
	clock_gettime(clock, &at);
	at.tv_sec += ms / 1000;
	at.tv_nsec += (long)(ms % 1000) * 1000000;
	if (at.tv_nsec >= 1000000000) {
		at.tv_sec++;
		at.tv_nsec -= 1000000000;
	}
	return at;
}

/* ---- the loop's side */

static void on_results(void *ctx)
{
	struct committer *committer = ctx;
	pthread_mutex_lock(&committer->lock);
	struct commit_job *job = committer->results;
	committer->results = NULL;
	committer->results_last = &committer->results;
	committer->is_posted = false;
	pthread_mutex_unlock(&committer->lock);
	while (job != NULL) {
		struct commit_job *next = job->next;
		job->next = NULL;
		committer->on_result(committer->ctx, job);
		job = next;
	}
}

void committer_on_result(struct committer *committer, committer_fn fn, void *ctx)
{
	committer->on_result = fn;
	committer->ctx = ctx;
}

static void send_command(struct committer *committer, struct command command)
{
	struct command *sent = xcalloc(1, sizeof *sent);
	*sent = command;
	pthread_mutex_lock(&committer->lock);
	*committer->commands_last = sent;
	committer->commands_last = &sent->next;
	pthread_cond_signal(&committer->to_thread);
	pthread_mutex_unlock(&committer->lock);
}

void committer_submit(struct committer *committer, struct commit_job *take_job)
{
	send_command(committer, (struct command){.job = take_job});
}

void committer_close_shard(struct committer *committer, int32_t shard, uint64_t shard_object)
{
	send_command(committer, (struct command){.shard = shard, .shard_object = shard_object});
}

void committer_wait_shard(struct committer *committer, int32_t shard, int64_t wait_ms)
{
	int64_t call = atomic_load(&committer->call_began_ms);
	if (call != 0 && call == committer->hung_call_ms)
		return; /* the call that an earlier wait gave up on still runs: many shards must not wait for it one by one */
	struct timespec end = after_ms(CLOCK_MONOTONIC, wait_ms);
	pthread_mutex_lock(&committer->lock);
	committer->waited_shard = shard;
	committer->is_waiting = true;
	pthread_cond_signal(&committer->to_thread);
	while (committer->is_waiting)
		if (pthread_cond_timedwait(&committer->to_loop, &committer->lock, &end) == ETIMEDOUT) {
			committer->hung_call_ms = atomic_load(&committer->call_began_ms);
			break;
		}
	committer->is_waiting = false;
	pthread_mutex_unlock(&committer->lock);
}

int64_t committer_call_ms(const struct committer *committer)
{
	int64_t began = atomic_load(&committer->call_began_ms);
	return began == 0 ? 0 : now_ms() - began;
}

/* The outcome of the call is unknown and may stay so: nothing that this process does can be safe any more. */
static void on_look(void *ctx)
{
	struct committer *committer = ctx;
	char text[96];
	int64_t age = committer_call_ms(committer);
	if (age > kafka_deadline_ms(committer->options)) {
		snprintf(text, sizeof text, "[LR339] a call to Kafka has been running for %" PRId64 " ms", age);
		kafka_exit(committer->options, "commit", text);
	}
	loop_timer_start(committer->look, COMMITTER_LOOK_MS);
}

/* ---- the thread's side */

static void obey(struct committer *committer, struct command *command)
{
	while (command != NULL) {
		struct command *next = command->next;
		if (command->job != NULL)
			commit_submit(committer->machine, command->job);
		else
			commit_close_shard(committer->machine, command->shard, command->shard_object);
		free(command);
		command = next;
	}
}

static enum commit_turn step(struct committer *committer)
{
	char text[ERR_TEXT_BYTES + 16];
	struct err err = ERR_INIT;
	atomic_store(&committer->call_began_ms, now_ms());
	enum commit_turn turn = commit_step(committer->machine, &err);
	atomic_store(&committer->call_began_ms, 0);
	if (turn == COMMIT_EXIT) {
		snprintf(text, sizeof text, "[%s] %s", err_number(err.code), err.text);
		kafka_exit(committer->options, "commit", text);
	}
	return turn;
}

/* Under the lock. */
static void hand_over_results(struct committer *committer)
{
	struct commit_job *job;
	bool any = false;
	while ((job = commit_take_result(committer->machine)) != NULL) {
		*committer->results_last = job;
		committer->results_last = &job->next;
		any = true;
	}
	if (any && !committer->is_posted) {
		committer->is_posted = true;
		loop_post(committer->loop, on_results, committer);
	}
}

/* Under the lock. Commands first: a close that came before the wait must have been obeyed. */
static void answer_waiting(struct committer *committer)
{
	if (!committer->is_waiting || committer->commands != NULL ||
	    commit_is_busy_with(committer->machine, committer->waited_shard))
		return;
	committer->is_waiting = false;
	pthread_cond_signal(&committer->to_loop);
}

static struct command *take_commands(struct committer *committer)
{
	struct command *commands = committer->commands;
	committer->commands = NULL;
	committer->commands_last = &committer->commands;
	return commands;
}

static void *run(void *ctx)
{
	struct committer *committer = ctx;
	enum commit_turn turn = COMMIT_IDLE;
	pthread_mutex_lock(&committer->lock);
	while (!committer->is_stopping) {
		answer_waiting(committer);
		if (turn == COMMIT_IDLE && committer->commands == NULL) {
			pthread_cond_wait(&committer->to_thread, &committer->lock);
			continue;
		}
		struct command *commands = take_commands(committer);
		pthread_mutex_unlock(&committer->lock);
		obey(committer, commands);
		turn = step(committer);
		pthread_mutex_lock(&committer->lock);
		hand_over_results(committer);
	}
	pthread_mutex_unlock(&committer->lock);
	return NULL;
}

/* ---- life */

/* Signals belong to the loop's thread. */
static int start_thread(struct committer *committer)
{
	sigset_t all, old;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int code = pthread_create(&committer->thread, NULL, run, committer);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return code;
}

static void init_lock(struct committer *committer)
{
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_mutex_init(&committer->lock, NULL);
	pthread_cond_init(&committer->to_thread, &attributes);
	pthread_cond_init(&committer->to_loop, &attributes);
	pthread_condattr_destroy(&attributes);
}

static void release(struct committer *committer)
{
	struct command *command = take_commands(committer);
	while (command != NULL) {
		struct command *next = command->next;
		free(command);
		command = next;
	}
	loop_timer_free(committer->look);
	commit_free(committer->machine);
	kafka_txn_free(committer->txn);
	pthread_cond_destroy(&committer->to_thread);
	pthread_cond_destroy(&committer->to_loop);
	pthread_mutex_destroy(&committer->lock);
	free(committer);
}

struct committer *committer_new(struct loop *loop, const struct kafka_options *options, rd_kafka_t *consumer,
                                struct err *err)
{
	struct kafka_txn *txn = kafka_txn_new(options, consumer, err);
	if (txn == NULL)
		return NULL;
	struct committer *committer = xcalloc(1, sizeof *committer);
	committer->options = options;
	committer->loop = loop;
	committer->txn = txn;
	committer->commands_last = &committer->commands;
	committer->results_last = &committer->results;
	committer->machine = commit_new(&kafka_txn_ops, txn, options->input_count, options->partition_count);
	committer->look = loop_timer_new(loop, on_look, committer);
	init_lock(committer);
	int code = start_thread(committer);
	if (code != 0) {
		err_set(err, ERR_KAFKA_CLIENT, "the commit thread cannot be started: %s", strerror(code));
		release(committer);
		return NULL;
	}
	loop_timer_start(committer->look, COMMITTER_LOOK_MS);
	return committer;
}

static void join_thread(struct committer *committer)
{
	pthread_mutex_lock(&committer->lock);
	committer->is_stopping = true;
	pthread_cond_signal(&committer->to_thread);
	pthread_mutex_unlock(&committer->lock);
	/* pthread_timedjoin_np() knows CLOCK_REALTIME only; a jump of the clock costs a wait, not safety */
	struct timespec end = after_ms(CLOCK_REALTIME, kafka_deadline_ms(committer->options));
	if (pthread_timedjoin_np(committer->thread, NULL, &end) != 0)
		kafka_exit(committer->options, "commit", "[LR339] the commit thread does not end");
	committer->is_joined = true;
}

void committer_stop(struct committer *committer)
{
	if (committer->is_joined)
		return;
	join_thread(committer);
	obey(committer, take_commands(committer));
	commit_forget(committer->machine);
	committer->is_posted = true; /* given out right here; a post that is on its way finds nothing */
	hand_over_results(committer);
	if (committer->on_result != NULL)
		on_results(committer);
}

void committer_free(struct committer *committer)
{
	if (committer == NULL)
		return;
	if (!committer->is_joined)
		join_thread(committer);
	release(committer);
}

struct kafka_txn_counters committer_counters(const struct committer *committer)
{
	return kafka_txn_counters(committer->txn);
}
