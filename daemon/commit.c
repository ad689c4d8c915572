/* SPDX-License-Identifier: Apache-2.0
 *
 * The commit machine. The rules it keeps, and the picture, are in commit.h; each state below is one function that makes
 * at most one call of ops and names the state that follows.
 */
#include "daemon/commit.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/mutation.h"
#include "rules/base/mem.h"

#define COMMIT_STATES(X)                          \
	X(IDLE, idle)           /* no transaction */    \
	X(FETCH, fetch)         /* opening: committed offsets of one shard */ \
	X(BEGIN, begin)         /* jobs are chosen, the token is bound */ \
	X(PRODUCE, produce)     /* events, state records or the barrier, one a step */ \
	X(OFFSETS, offsets)     \
	X(COMMIT, commit)       \
	X(ABORT, abort)         \
	X(RENEW, renew)         /* after a re-sent request: a new producer before the next begin */

enum state {
#define X(id, name) STATE_##id,
	COMMIT_STATES(X)
#undef X
};

/* What the machine remembers of a shard between transactions. */
struct shard_entry {
	int32_t shard;
	uint64_t closed_object; /* objects up to this one are closed */
	uint64_t attempt;
};

struct commit {
	const struct commit_ops *ops;
	void *ops_ctx;
	size_t topic_count;
	int32_t partition_count;

	struct commit_job *queue, **queue_last;
	struct commit_job *results, **results_last;
	struct shard_entry *shards;
	size_t shard_count;

	enum state state;
	/* the open transaction, or the shard being opened */
	struct commit_job *carried[COMMIT_SHARDS_MAX];
	size_t carried_count;
	struct commit_token *token;   /* bound at begin; a reference */
	size_t job_at, event_at, write_at; /* PRODUCE: what comes next */
	bool is_lost;                 /* ABORT: because our generation is old */
	struct err abort_err;
};

const char *commit_result_name(enum commit_result result)
{
	switch (result) {
	case COMMIT_DONE: return "done";
	case COMMIT_ABORTED: return "aborted";
	case COMMIT_DISCARDED: return "discarded";
	case COMMIT_LOST: return "lost";
	case COMMIT_STOPPED: return "stopped";
	}
	return "?";
}

struct commit *commit_new(const struct commit_ops *ops, void *ops_ctx, size_t topic_count, int32_t partition_count)
{
	assert(topic_count >= 1 && topic_count <= COMMIT_TOPICS_MAX && partition_count > 0);
	struct commit *commit = xcalloc(1, sizeof *commit);
	commit->ops = ops;
	commit->ops_ctx = ops_ctx;
	commit->topic_count = topic_count;
	commit->partition_count = partition_count;
	commit->queue_last = &commit->queue;
	commit->results_last = &commit->results;
	return commit;
}

void commit_free(struct commit *commit)
{
	if (commit == NULL)
		return;
	if (commit->token != NULL)
		commit_token_unref(commit->token);
	free(commit->shards);
	free(commit);
}

static struct shard_entry *entry_of(struct commit *commit, int32_t shard)
{
	for (size_t i = 0; i < commit->shard_count; i++)
		if (commit->shards[i].shard == shard)
			return &commit->shards[i];
	commit->shards = xreallocarray(commit->shards, commit->shard_count + 1, sizeof *commit->shards);
	struct shard_entry *entry = &commit->shards[commit->shard_count++];
	*entry = (struct shard_entry){.shard = shard};
	return entry;
}

void commit_submit(struct commit *commit, struct commit_job *take_job)
{
	take_job->next = NULL;
	*commit->queue_last = take_job;
	commit->queue_last = &take_job->next;
}

void commit_close_shard(struct commit *commit, int32_t shard, uint64_t shard_object)
{
	struct shard_entry *entry = entry_of(commit, shard);
	if (entry->closed_object < shard_object)
		entry->closed_object = shard_object;
}

bool commit_is_busy_with(const struct commit *commit, int32_t shard)
{
	for (size_t i = 0; i < commit->carried_count; i++)
		if (commit->carried[i]->shard == shard && commit->state != STATE_FETCH)
			return true;
	return false;
}

struct commit_job *commit_take_result(struct commit *commit)
{
	struct commit_job *job = commit->results;
	if (job == NULL)
		return NULL;
	commit->results = job->next;
	if (commit->results == NULL)
		commit->results_last = &commit->results;
	job->next = NULL;
	return job;
}

static void finish(struct commit *commit, struct commit_job *job, enum commit_result result)
{
	job->result = result;
	job->new_attempt = entry_of(commit, job->shard)->attempt;
	job->next = NULL;
	*commit->results_last = job;
	commit->results_last = &job->next;
}

void commit_forget(struct commit *commit)
{
	for (size_t i = 0; i < commit->carried_count; i++)
		finish(commit, commit->carried[i], COMMIT_DISCARDED);
	commit->carried_count = 0;
	while (commit->queue != NULL) {
		struct commit_job *job = commit->queue;
		commit->queue = job->next;
		finish(commit, job, COMMIT_DISCARDED);
	}
	commit->queue_last = &commit->queue;
}

static bool is_dead(struct commit *commit, const struct commit_job *job)
{
	const struct shard_entry *entry = entry_of(commit, job->shard);
	if (job->shard_object <= entry->closed_object && !mutation_is("send-closed-shard"))
		return true;
	return job->kind == COMMIT_BATCH && job->attempt != entry->attempt && !mutation_is("send-queued-after-abort");
}

/* Takes every job out of the queue that must not be sent any more. */
static void discard_dead(struct commit *commit)
{
	struct commit_job **link = &commit->queue;
	while (*link != NULL) {
		struct commit_job *job = *link;
		if (!is_dead(commit, job)) {
			link = &job->next;
			continue;
		}
		*link = job->next;
		finish(commit, job, COMMIT_DISCARDED);
	}
	commit->queue_last = link;
}

static bool is_carried(const struct commit *commit, int32_t shard)
{
	for (size_t i = 0; i < commit->carried_count; i++)
		if (commit->carried[i]->shard == shard)
			return true;
	return false;
}

static bool is_skipped(const int32_t *skipped, size_t count, int32_t shard)
{
	for (size_t i = 0; i < count; i++)
		if (skipped[i] == shard)
			return true;
	return false;
}

/* The next transaction: the oldest batch of each shard whose work comes in order, all under the first one's token. */
static void choose_batches(struct commit *commit)
{
	int32_t skipped[COMMIT_SHARDS_MAX];
	size_t skipped_count = 0;
	struct commit_token *token = commit->queue->token;
	struct commit_job **link = &commit->queue;
	while (*link != NULL && commit->carried_count < COMMIT_SHARDS_MAX && skipped_count < COMMIT_SHARDS_MAX) {
		struct commit_job *job = *link;
		bool fits = job->kind == COMMIT_BATCH && job->token == token && !is_carried(commit, job->shard) &&
		            !is_skipped(skipped, skipped_count, job->shard);
		if (!fits) {
			/* whatever comes later for this shard must not overtake */
			skipped[skipped_count++] = job->shard;
			link = &job->next;
			continue;
		}
		*link = job->next;
		commit->carried[commit->carried_count++] = job;
	}
	for (link = &commit->queue; *link != NULL; link = &(*link)->next)
		;
	commit->queue_last = link;
}

static enum commit_turn enter(struct commit *commit, enum state state)
{
	commit->state = state;
	return COMMIT_MORE;
}

static enum commit_turn enter_begin(struct commit *commit)
{
	commit->token = commit_token_ref(commit->carried[0]->token);
	commit->job_at = commit->event_at = commit->write_at = 0;
	commit->is_lost = false;
	return enter(commit, STATE_BEGIN);
}

static enum commit_turn step_idle(struct commit *commit)
{
	discard_dead(commit);
	if (commit->queue == NULL)
		return COMMIT_IDLE;
	commit->carried_count = 0;
	if (commit->queue->kind == COMMIT_BATCH) {
		choose_batches(commit);
		return enter_begin(commit);
	}
	struct commit_job *job = commit->queue;
	commit->queue = job->next;
	if (commit->queue == NULL)
		commit->queue_last = &commit->queue;
	commit->carried[commit->carried_count++] = job;
	return enter(commit, STATE_FETCH);
}

/* ---- opening a shard */

static int check_offset(const struct commit_offset *at, size_t topic, struct err *err)
{
	if (at->offset < 0)
		return err_set(err, ERR_NO_OFFSETS,
		               "input topic %zu has no committed offset in this group; a first start needs `leadctl bootstrap`; if the "
		               "group was in use, its offsets expired (offsets.retention.minutes): see leadrouterd(8), RECOVERY",
		               topic);
	if (at->offset < at->low || at->offset > at->high)
		return err_set(err, ERR_LOG_TRUNCATED,
		               "input topic %zu: committed offset %" PRId64 " lies outside the log [%" PRId64 ", %" PRId64
		               "]; the topic was truncated or created anew",
		               topic, at->offset, at->low, at->high);
	return 0;
}

static int check_fetched(const struct commit *commit, const struct commit_offset *offsets, struct commit_job *job)
{
	int32_t partition_count;
	for (size_t i = 0; i < commit->topic_count; i++) {
		if (check_offset(&offsets[i], i, &job->err) != 0)
			return -1;
		job->committed[i] = offsets[i].offset;
	}
	if (head_from_metadata(offsets[0].metadata, &job->claimed, &partition_count, &job->err) != 0)
		return -1;
	if (partition_count != commit->partition_count)
		return err_set(&job->err, ERR_PARTITION_COUNT,
		               "this group was bootstrapped for %" PRId32 " partitions, the input topics have %" PRId32
		               "; a tenant's leads would land in another shard: restore the old count",
		               partition_count, commit->partition_count);
	return 0;
}

/* Back to the end of the queue, so that a shard whose offsets are not stable yet does not hold up the others. */
static enum commit_turn postpone(struct commit *commit, struct commit_job *job)
{
	commit->carried_count = 0;
	commit_submit(commit, job);
	return enter(commit, STATE_IDLE);
}

static enum commit_turn step_fetch(struct commit *commit, struct err *err)
{
	struct commit_job *job = commit->carried[0];
	struct commit_offset offsets[COMMIT_TOPICS_MAX];
	memset(offsets, 0, sizeof offsets);
	enum op_result result = commit->ops->fetch(commit->ops_ctx, job->shard, offsets, err);
	if (result == OP_EXIT)
		return COMMIT_EXIT;
	if (result != OP_DONE)
		return postpone(commit, job);
	if (check_fetched(commit, offsets, job) != 0) {
		commit->carried_count = 0;
		finish(commit, job, COMMIT_STOPPED);
		return enter(commit, STATE_IDLE);
	}
	if (is_dead(commit, job) || job->kind == COMMIT_ASK || mutation_is("no-claim")) {
		commit->carried_count = 0;
		finish(commit, job, is_dead(commit, job) ? COMMIT_DISCARDED : COMMIT_DONE);
		return enter(commit, STATE_IDLE);
	}
	job->claimed.epoch += !mutation_is("epoch-not-in-head");
	job->head = job->claimed;
	memcpy(job->offsets, job->committed, sizeof job->offsets);
	return enter_begin(commit);
}

/* ---- one transaction */

/* Every shard it carried has to decide again: what is queued behind was decided on something that never was. */
static enum commit_turn enter_abort(struct commit *commit, enum op_result why, const struct err *err)
{
	commit->is_lost = why == OP_LOST;
	commit->abort_err = *err;
	for (size_t i = 0; i < commit->carried_count; i++) {
		struct commit_job *job = commit->carried[i];
		bool is_it = why == OP_TOO_LARGE && i == commit->job_at;
		bool is_event = commit->event_at < job->event_count;
		job->failed_event = is_it && is_event ? commit->event_at : SIZE_MAX;
		job->failed_write = is_it && !is_event ? commit->write_at : SIZE_MAX;
		entry_of(commit, job->shard)->attempt++;
	}
	return enter(commit, STATE_ABORT);
}

/* What follows a call of ops: `next` when it is done. */
static enum commit_turn follow(struct commit *commit, enum op_result result, enum state next, const struct err *err)
{
	switch (result) {
	case OP_DONE: return enter(commit, next);
	case OP_RETRY: return COMMIT_MORE;
	case OP_ABORT:
	case OP_TOO_LARGE:
	case OP_LOST: return enter_abort(commit, result, err);
	case OP_EXIT: return COMMIT_EXIT;
	}
	return COMMIT_EXIT;
}

static enum commit_turn step_begin(struct commit *commit, struct err *err)
{
	return follow(commit, commit->ops->begin(commit->ops_ctx, err), STATE_PRODUCE, err);
}

/* Produces the next record of `job`; *ret_more is false when there was none left. */
static enum op_result produce_next(struct commit *commit, struct commit_job *job, bool *ret_more, struct err *err)
{
	const struct commit_ops *ops = commit->ops;
	*ret_more = true;
	if (job->kind == COMMIT_OPEN && commit->event_at == 0 && !mutation_is("no-barrier")) {
		enum op_result result = ops->produce_barrier(commit->ops_ctx, job->shard, &job->head, err);
		commit->event_at += result == OP_DONE;
		return result;
	}
	if (job->kind == COMMIT_BATCH && commit->event_at < job->event_count) {
		enum op_result result = ops->produce_event(commit->ops_ctx, job->shard, &job->events[commit->event_at], err);
		commit->event_at += result == OP_DONE;
		return result;
	}
	if (job->kind == COMMIT_BATCH && commit->write_at < job->write_count) {
		enum op_result result =
			ops->produce_state(commit->ops_ctx, job->shard, &job->writes[commit->write_at], &job->head, err);
		commit->write_at += result == OP_DONE;
		return result;
	}
	*ret_more = false;
	return OP_DONE;
}

static enum commit_turn step_produce(struct commit *commit, struct err *err)
{
	if (commit->job_at == commit->carried_count)
		return enter(commit, STATE_OFFSETS);
	bool more;
	enum op_result result = produce_next(commit, commit->carried[commit->job_at], &more, err);
	if (!more) {
		commit->job_at++;
		commit->event_at = commit->write_at = 0;
	}
	return follow(commit, result, STATE_PRODUCE, err);
}

/* Law 3: a transaction without the offsets of every shard it carries is a bug, so they are collected from what is
 * carried and from nowhere else. */
static enum commit_turn step_offsets(struct commit *commit, struct err *err)
{
	int32_t shards[COMMIT_SHARDS_MAX];
	int64_t offsets[COMMIT_SHARDS_MAX][COMMIT_TOPICS_MAX];
	char text[COMMIT_SHARDS_MAX][HEAD_METADATA_BYTES];
	struct slice metadata[COMMIT_SHARDS_MAX];
	for (size_t i = 0; i < commit->carried_count; i++) {
		const struct commit_job *job = commit->carried[i];
		assert(job->token == commit->token);
		shards[i] = job->shard;
		memcpy(offsets[i], job->offsets, sizeof offsets[i]);
		metadata[i].p = text[i];
		metadata[i].len = head_to_metadata(&job->head, commit->partition_count, text[i]);
	}
	enum op_result result = commit->ops->send_offsets(commit->ops_ctx, commit->token, commit->carried_count, shards,
	                                                  (const int64_t (*)[COMMIT_TOPICS_MAX])offsets, metadata, err);
	/* not resumable (reliability.md L19): what it left behind is unknown until the transaction ends */
	return follow(commit, result == OP_RETRY ? OP_ABORT : result, STATE_COMMIT, err);
}

static enum commit_turn end_transaction(struct commit *commit)
{
	commit->carried_count = 0;
	commit_token_unref(commit->token);
	commit->token = NULL;
	bool renew = commit->ops->was_resent(commit->ops_ctx) && !mutation_is("no-renew");
	return enter(commit, renew ? STATE_RENEW : STATE_IDLE);
}

static enum commit_turn step_commit(struct commit *commit, struct err *err)
{
	enum op_result result = commit->ops->commit(commit->ops_ctx, err);
	if (result != OP_DONE)
		return follow(commit, result, STATE_IDLE, err);
	for (size_t i = 0; i < commit->carried_count; i++) {
		struct commit_job *job = commit->carried[i];
		int64_t last = commit->ops->state_offset(commit->ops_ctx, job->shard);
		job->barrier = last;
		job->state_end = last < 0 ? -1 : last + 1;
		finish(commit, job, COMMIT_DONE);
	}
	return end_transaction(commit);
}

static enum commit_turn step_abort(struct commit *commit, struct err *err)
{
	enum op_result result = commit->ops->abort(commit->ops_ctx, err);
	if (result == OP_RETRY)
		return COMMIT_MORE;
	if (result != OP_DONE)
		return COMMIT_EXIT;
	for (size_t i = 0; i < commit->carried_count; i++) {
		struct commit_job *job = commit->carried[i];
		job->err = commit->abort_err;
		finish(commit, job, commit->is_lost ? COMMIT_LOST : COMMIT_ABORTED);
	}
	return end_transaction(commit);
}

static enum commit_turn step_renew(struct commit *commit, struct err *err)
{
	enum op_result result = commit->ops->renew(commit->ops_ctx, err);
	if (result == OP_RETRY)
		return COMMIT_MORE;
	return result == OP_DONE ? enter(commit, STATE_IDLE) : COMMIT_EXIT;
}

enum commit_turn commit_step(struct commit *commit, struct err *err)
{
	switch (commit->state) {
	case STATE_IDLE: return step_idle(commit);
	case STATE_FETCH: return step_fetch(commit, err);
	case STATE_BEGIN: return step_begin(commit, err);
	case STATE_PRODUCE: return step_produce(commit, err);
	case STATE_OFFSETS: return step_offsets(commit, err);
	case STATE_COMMIT: return step_commit(commit, err);
	case STATE_ABORT: return step_abort(commit, err);
	case STATE_RENEW: return step_renew(commit, err);
	}
	return COMMIT_EXIT;
}
