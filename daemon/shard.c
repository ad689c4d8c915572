/* SPDX-License-Identifier: Apache-2.0
 *
 * Life of a shard: assignment, revocation, states, intake. The opening is in shard_open.c, the batches in shard_run.c.
 *
 * The shard object number (shard->object) is what makes closing simple: whatever was asked for under an older number and
 * answers later is dropped, so a close never waits. Batches whose job is with the commit thread are the one thing that
 * cannot be dropped at once: they are let go of (batch->shard = NULL) and freed when the job comes back.
 */
#include "daemon/shard.h"

#include <assert.h>
#include <stdlib.h>

#include "daemon/clock.h"
#include "daemon/committer.h"
#include "daemon/generation.h"
#include "daemon/loop.h"
#include "daemon/shard_private.h"
#include "rules/base/mem.h"

enum {
	REVOKE_WAIT_MS = 5000,   /* a transaction that has begun may end before the shard is given back */
	RETRY_DOUBLINGS = 5,
};

const char *shard_state_name(enum shard_state state)
{
	switch (state) {
#define X(id, name) \
	case SHARD_##id: return #name;
		SHARD_STATES(X)
#undef X
	}
	return "?";
}

void shard_progress(struct shard *shard)
{
	shard->progress_ms = loop_now_ms(shard->parts.loop);
}

void shard_enter_state(struct shard *shard, enum shard_state state, const struct err *err)
{
	enum shard_state from = shard->state;
	shard->state = state;
	shard_progress(shard);
	if (from != state && shard->parts.on_state != NULL)
		shard->parts.on_state(shard->parts.ctx, shard->number, from, state, err);
}

static void on_retry(void *ctx)
{
	struct shard *shard = ctx;
	void (*fn)(struct shard *) = shard->retry_fn;
	shard->retry_fn = NULL;
	fn(shard);
}

static void on_poll(void *ctx)
{
	struct shard *shard = ctx;
	shard->is_poll_due = true;
	shard_advance(shard);
}

struct shard *shard_new(const struct shard_parts *parts, const struct shard_limits *limits, int32_t number)
{
	assert(limits->topic_count >= 1 && limits->topic_count <= COMMIT_TOPICS_MAX);
	struct shard *shard = xcalloc(1, sizeof *shard);
	shard->parts = *parts;
	shard->limits = *limits;
	shard->number = number;
	shard->inbox_last = &shard->inbox;
	shard->retry = loop_timer_new(parts->loop, on_retry, shard);
	shard->poll = loop_timer_new(parts->loop, on_poll, shard);
	const uint64_t seed[2] = {(uint64_t)(uintptr_t)shard, (uint64_t)number};
	map_init(&shard->memory, seed);
	shard->desk = desk_new();
	shard_progress(shard);
	return shard;
}

const struct desk *shard_desk(const struct shard *shard)
{
	return shard->desk;
}

void shard_free(struct shard *shard)
{
	if (shard == NULL)
		return;
	shard_let_go(shard);
	if (shard->token != NULL)
		commit_token_unref(shard->token);
	shard_clear_memory(shard);
	map_done(&shard->memory);
	desk_free(shard->desk);
	loop_timer_free(shard->retry);
	loop_timer_free(shard->poll);
	free(shard);
}

void shard_retry_later(struct shard *shard, void (*fn)(struct shard *shard))
{
	unsigned doublings = shard->retries < RETRY_DOUBLINGS ? shard->retries : RETRY_DOUBLINGS;
	shard->retries++;
	shard->retry_fn = fn;
	loop_timer_start(shard->retry, shard->limits.retry_ms << doublings);
	shard_progress(shard);
}

/* ---- memory */

static void memory_free(struct memory *memory)
{
	if (memory == NULL)
		return;
	free(memory->key);
	free(memory->value);
	free(memory);
}

void shard_clear_memory(struct shard *shard)
{
	struct map_entry *entry;
	for (size_t at = 0; (entry = map_next(&shard->memory, &at)) != NULL;)
		memory_free(map_remove(&shard->memory, entry->key));
}

void shard_put_memory(struct shard *shard, struct slice key, struct slice value, bool is_tombstone)
{
	if (slice_has_prefix(key, SLICE(RULES_WALK_PREFIX)))
		shard->walk.is_settled = false;
	if (!is_tombstone && shard->walk.key != NULL && slice_is(key, shard->walk.key)) {
		shard->walk.cursor = 0; /* asked for again: leads that it has passed are visited once more */
		shard->walk.has_ended = false;
		shard->walk.is_anew = true;
	}
	memory_free(map_remove(&shard->memory, key));
	if (is_tombstone)
		return;
	struct memory *memory = xcalloc(1, sizeof *memory);
	memory->key = xmemdupz(key.p, key.len);
	memory->key_len = key.len;
	memory->value = xmemdupz(value.p, value.len);
	memory->value_len = value.len;
	map_put(&shard->memory, (struct slice){memory->key, memory->key_len}, memory);
}

/* ---- intake */

static void clear_inbox(struct shard *shard)
{
	while (shard->inbox != NULL) {
		struct kafka_message *message = shard->inbox;
		shard->inbox = message->next;
		kafka_in_message_free(message);
	}
	shard->inbox_last = &shard->inbox;
	shard->inbox_records = shard->inbox_bytes = 0;
}

void shard_message(struct shard *shard, struct kafka_message *take_message)
{
	size_t topic = take_message->topic;
	assert(topic < shard->limits.topic_count);
	if (shard->state != SHARD_RUNNING || take_message->record.offset < shard->taken[topic]) {
		/* fetched before the last seek: it will come again, or was decided already */
		kafka_in_message_free(take_message);
		return;
	}
	shard->taken[topic] = take_message->record.offset + 1;
	take_message->next = NULL;
	*shard->inbox_last = take_message;
	shard->inbox_last = &take_message->next;
	shard->inbox_records++;
	shard->inbox_bytes += take_message->bytes;
	shard_advance(shard);
}

/* ---- closing */

static void let_go_of_batches(struct shard *shard)
{
	while (shard->batches != NULL) {
		struct batch *batch = shard->batches;
		shard->batches = batch->next;
		batch->shard = NULL;
		if (batch->state != BATCH_DECIDED && batch->state != BATCH_REFUSED)
			batch_free(batch);
	}
}

static void cancel(struct view_request **request)
{
	if (*request != NULL)
		view_cancel(*request);
	*request = NULL;
}

void shard_forget_desk(struct shard *shard)
{
	desk_forget(shard->desk);
	generation_unref(shard->desk_generation);
	shard->desk_generation = NULL;
}

void shard_let_go(struct shard *shard)
{
	shard_forget_desk(shard);
	if (shard->object > 0)
		committer_close_shard(shard->parts.committer, shard->number, shard->object);
	shard->object++;
	cancel(&shard->request);
	cancel(&shard->read_request);
	cancel(&shard->apply_request);
	shard->reading = shard->applying = NULL;
	shard_opening_free(shard);
	loop_timer_stop(shard->retry);
	loop_timer_stop(shard->poll);
	shard->retry_fn = NULL;
	shard->is_poll_due = false;
	let_go_of_batches(shard);
	shard_drop_walk(shard);
	generation_unref(shard->begun);
	shard->begun = NULL;
	clear_inbox(shard);
	shard->is_paused = false;
}

void shard_close(struct shard *shard)
{
	shard_let_go(shard);
	shard_clear_memory(shard);
	if (shard->token != NULL)
		commit_token_unref(shard->token);
	shard->token = NULL;
	shard_enter_state(shard, SHARD_CLOSED, NULL);
}

void shard_reopen(struct shard *shard)
{
	shard_let_go(shard);
	kafka_in_pause(shard->parts.in, shard->number);
	shard_open(shard);
}

void shard_stop(struct shard *shard, const struct err *err)
{
	shard_let_go(shard);
	kafka_in_pause(shard->parts.in, shard->number);
	shard->why = *err;
	shard_enter_state(shard, SHARD_STOPPED, err);
}

void shard_assigned(struct shard *shard, struct commit_token *token, bool is_complete)
{
	shard_close(shard);
	shard->token = commit_token_ref(token);
	shard->retries = 0;
	if (is_complete) {
		shard_open(shard);
		return;
	}
	struct err err = ERR_INIT;
	err_set(&err, ERR_SPLIT_ASSIGNMENT,
	        "only some of the input topics of partition %d were assigned to this member: give all instances of the group the "
	        "same topics and the range assignor",
	        (int)shard->number);
	shard_stop(shard, &err);
}

/* Order: no new job can begin (closed), the one that has begun may end, then the partition is given back. A batch that
 * is committed but not applied needs nothing more from us: whoever opens the shard next catches the view up. */
void shard_revoked(struct shard *shard, bool is_lost)
{
	if (shard->token == NULL)
		return;
	if (shard->object > 0)
		committer_close_shard(shard->parts.committer, shard->number, shard->object);
	if (!is_lost)
		committer_wait_shard(shard->parts.committer, shard->number, REVOKE_WAIT_MS);
	shard_close(shard);
}

void shard_committed(struct shard *shard, struct commit_job *job)
{
	bool is_current = job->shard_object == shard->object;
	if (job->kind == COMMIT_BATCH) {
		struct batch *batch = job->ctx;
		commit_token_unref(job->token);
		job->token = NULL;
		if (is_current && batch->shard == shard) {
			shard_batch_back(shard, job);
			return;
		}
		if (job->result == COMMIT_DONE)
			shard_report(shard, batch);
		batch_free(batch);
		return;
	}
	if (is_current)
		shard_opened(shard, job);
	commit_token_unref(job->token);
	free(job);
}

void shard_drain(struct shard *shard)
{
	shard->is_draining = true;
	if (shard->state == SHARD_RUNNING)
		kafka_in_pause(shard->parts.in, shard->number);
}

bool shard_is_idle(const struct shard *shard)
{
	for (const struct batch *batch = shard->batches; batch != NULL; batch = batch->next)
		if (batch->state == BATCH_DECIDED || batch->state == BATCH_COMMITTED || batch->state == BATCH_REFUSED)
			return false;
	return true;
}

static size_t count_inflight(const struct shard *shard)
{
	size_t count = 0;
	for (const struct batch *batch = shard->batches; batch != NULL; batch = batch->next)
		count += batch->state != BATCH_APPLIED;
	return count;
}

void shard_status(const struct shard *shard, struct shard_status *ret)
{
	*ret = (struct shard_status){
		.state = shard->state,
		.head = shard->applied,
		.topic_count = shard->limits.topic_count,
		.inbox_records = shard->inbox_records,
		.inflight_batches = count_inflight(shard),
		.since_ms = shard->progress_ms,
		.is_paused = shard->is_paused || shard->retry_fn != NULL || shard->state == SHARD_STOPPED,
		.has_new_rules = shard->begun == shard->parts.generation(shard->parts.ctx),
		.next_due_ms = shard->next_due_ms,
		.why = shard->why,
	};
	for (size_t i = 0; i < shard->limits.topic_count; i++)
		ret->committed[i] = shard->committed_offsets[i];
}
