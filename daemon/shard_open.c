/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening a shard: claim it in Kafka, then make the view agree with what Kafka has committed.
 *
 *     claim: same offsets, epoch + 1, barrier record            (COMMIT_OPEN; fenced by the generation)
 *       │    (Q,H) = committed head, E = our epoch
 *       ▼
 *     look at the view's head
 *       ├ newer epoch than E ──► ask Kafka: newer there too? then the shard is somebody else's; else rebuild
 *       ├ (q,h) == (Q,H) ──────► install E by compare-and-set
 *       ├ q < Q ───────────────► catch up: read leads.state from its position to our barrier, recompute the chain over
 *       │                        every batch; it ends in (Q,H): install E, apply them one by one; it does not: rebuild
 *       └ anything else ───────► rebuild: loading mark, all records from the start in chunks, head last
 *       ▼
 *     load the rings with a checked read, seek to the committed offsets, run
 *
 * Every write is a compare-and-set on the head that was seen, so two members that open the same shard cannot mix; whoever
 * is refused looks at the head again. Nothing here believes a clock, an order of arrival or the end of a log.
 */
#include "daemon/shard.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/committer.h"
#include "daemon/failpoint.h"
#include "daemon/loop.h"
#include "daemon/mutation.h"
#include "daemon/shard_private.h"
#include "daemon/state_log.h"
#include "rules/base/mem.h"

enum {
	CATCH_UP_BYTES_MAX = 64 << 20, /* more than this behind: a rebuild needs less memory */
#ifdef LR_MUTATION
	CHUNK_WRITES = 5,              /* the simulator's logs are short */
#else
	CHUNK_WRITES = 1000,           /* of a rebuild; one script call stays under 5 ms */
#endif
	CHUNK_BYTES = 1 << 20,
};

/* Writes of one batch, as found in leads.state. */
struct logged_batch {
	struct head after;
	size_t first, count; /* in opening.writes */
	int64_t end;         /* offset behind its last record */
};

struct opening {
	struct shard *shard;
	struct head claimed;       /* (E, Q, H) */
	int64_t committed[COMMIT_TOPICS_MAX];
	int64_t barrier;
	struct view_head seen;     /* the view's head that the next compare-and-set expects */
	struct state_log_reader *reader;

	struct arena arena;        /* what was read and not yet written */
	struct write *writes;
	size_t write_count, write_capacity;

	/* catching up */
	struct logged_batch *batches;
	size_t batch_count, batch_capacity, batch_at;

	/* rebuilding */
	struct map chunk_keys;     /* key -> index + 1 into writes: newest value per key within a chunk */
	uint64_t chunk;            /* the next one's number */
	size_t chunk_bytes;
	int64_t started_ms;
	bool has_ended;            /* the reader has passed the barrier */
	bool has_begun;            /* a loading mark of this claim's epoch was sent */
};

static void look_at_view(struct shard *shard);
static void rebuild(struct shard *shard);
static void send_chunk(struct shard *shard);

/* ---- life of an opening */

static struct opening *opening_new(struct shard *shard)
{
	struct opening *opening = xcalloc(1, sizeof *opening);
	opening->shard = shard;
	const uint64_t seed[2] = {(uint64_t)(uintptr_t)opening, 0};
	map_init(&opening->chunk_keys, seed);
	return opening;
}

/* Forgets what was read, for another way or another try. */
static void opening_clear(struct opening *opening)
{
	if (opening->reader != NULL)
		state_log_cancel(opening->reader);
	opening->reader = NULL;
	map_done(&opening->chunk_keys);
	arena_done(&opening->arena);
	opening->write_count = opening->batch_count = opening->batch_at = 0;
	opening->chunk_bytes = 0;
	opening->has_ended = false;
}

void shard_opening_free(struct shard *shard)
{
	struct opening *opening = shard->opening;
	if (opening == NULL)
		return;
	opening_clear(opening);
	free(opening->writes);
	free(opening->batches);
	free(opening);
	shard->opening = NULL;
}

static struct write *add_write(struct opening *opening, const struct state_record *record)
{
	if (opening->write_count == opening->write_capacity) {
		opening->write_capacity = opening->write_capacity ? opening->write_capacity * 2 : 64;
		opening->writes = xreallocarray(opening->writes, opening->write_capacity, sizeof *opening->writes);
	}
	struct write *write = &opening->writes[opening->write_count++];
	*write = (struct write){.is_tombstone = record->is_tombstone};
	write->key.p = arena_memdupz(&opening->arena, record->key.p, record->key.len);
	write->key.len = record->key.len;
	if (!record->is_tombstone) {
		write->value.p = arena_memdupz(&opening->arena, record->value.p, record->value.len);
		write->value.len = record->value.len;
		write->due_ms = rules_due_of(write->key, write->value);
	}
	return write;
}

/* ---- claiming */

static void submit_job(struct shard *shard, enum commit_kind kind)
{
	struct commit_job *job = xcalloc(1, sizeof *job);
	job->kind = kind;
	job->shard = shard->number;
	job->shard_object = shard->object;
	job->token = commit_token_ref(shard->token);
	committer_submit(shard->parts.committer, job);
}

void shard_open(struct shard *shard)
{
	assert(shard->token != NULL && shard->opening == NULL);
	shard_enter_state(shard, SHARD_CLAIMING, NULL);
	submit_job(shard, COMMIT_OPEN);
}

static void claimed(struct shard *shard, const struct commit_job *job)
{
	struct opening *opening = shard->opening = opening_new(shard);
	opening->claimed = job->claimed;
	opening->barrier = job->barrier;
	memcpy(opening->committed, job->committed, sizeof opening->committed);
	look_at_view(shard);
}

/* The view's epoch is above ours. Kafka's is, too: a later member has claimed the shard and we are the zombie. It is not:
 * the view tells of a history that Kafka never had. */
static void asked(struct shard *shard, const struct commit_job *job)
{
	if (job->claimed.epoch > shard->opening->claimed.epoch)
		shard_close(shard);
	else
		rebuild(shard);
}

void shard_opened(struct shard *shard, struct commit_job *job)
{
	shard->attempt = job->new_attempt;
	switch (job->result) {
	case COMMIT_DONE:
		if (job->kind == COMMIT_ASK)
			asked(shard, job);
		else
			claimed(shard, job);
		return;
	case COMMIT_ABORTED: shard_retry_later(shard, shard_reopen); return;
	case COMMIT_DISCARDED: return;
	case COMMIT_LOST:
		kafka_in_pause(shard->parts.in, shard->number);
		shard_close(shard);
		return;
	case COMMIT_STOPPED: shard_stop(shard, &job->err); return;
	}
}

/* ---- comparing */

static void on_memory(void *ctx, const struct view_reply *reply);
static void on_epoch(void *ctx, const struct view_reply *reply);
static void catch_up(struct shard *shard);

static void load_memory(struct shard *shard)
{
	shard_enter_state(shard, SHARD_LOADING_RINGS, NULL);
	opening_clear(shard->opening);
	shard->request = view_read_memory(shard->parts.view, shard->number, on_memory, shard);
}

static void install_epoch(struct shard *shard)
{
	struct opening *opening = shard->opening;
	failpoint(EPOCH_INSTALL);
	shard->request = view_install_epoch(shard->parts.view, shard->number, &opening->seen, opening->claimed.epoch,
	                                    on_epoch, shard);
}

static void compare(struct shard *shard)
{
	struct opening *opening = shard->opening;
	const struct view_head *seen = &opening->seen;
	if (seen->state != VIEW_HEAD_MISSING && seen->head.epoch > opening->claimed.epoch) {
		shard_enter_state(shard, SHARD_ASKING, NULL);
		submit_job(shard, COMMIT_ASK);
		return;
	}
	if (seen->state != VIEW_HEAD_NORMAL || shard->must_rebuild)
		rebuild(shard);
	else if (head_same_state(&seen->head, &opening->claimed))
		install_epoch(shard);
	else if (seen->head.seq < opening->claimed.seq && seen->pos >= 0 && seen->pos <= opening->barrier)
		catch_up(shard);
	else
		rebuild(shard);
}

/* True when the reply can be used; else the pause or the other way was begun already. */
static bool is_answered(struct shard *shard, const struct view_reply *reply)
{
	shard->request = NULL;
	switch (reply->status) {
	case VIEW_DONE:
	case VIEW_STALE: return true;
	case VIEW_BROKEN: shard->must_rebuild = true; /* fall through */
	case VIEW_UNKNOWN:
	case VIEW_REFUSED: break;
	}
	opening_clear(shard->opening);
	shard_retry_later(shard, look_at_view);
	return false;
}

static void on_seen(void *ctx, const struct view_reply *reply)
{
	struct shard *shard = ctx;
	if (reply->status == VIEW_BROKEN) {
		/* not even the head can be read: only a rebuild can mend it, from the head as it is */
		shard->must_rebuild = true;
		shard->opening->seen = reply->head;
		shard->request = NULL;
		rebuild(shard);
		return;
	}
	if (!is_answered(shard, reply))
		return;
	shard->opening->seen = reply->head;
	compare(shard);
}

static void look_at_view(struct shard *shard)
{
	shard_enter_state(shard, SHARD_COMPARING, NULL);
	opening_clear(shard->opening);
	const struct view_read_args args = {0};
	shard->request = view_read(shard->parts.view, shard->number, &args, on_seen, shard);
}

static void on_epoch(void *ctx, const struct view_reply *reply)
{
	struct shard *shard = ctx;
	if (!is_answered(shard, reply))
		return;
	if (reply->status == VIEW_STALE)
		look_at_view(shard);
	else
		load_memory(shard);
}

/* ---- running */

static void run(struct shard *shard)
{
	struct opening *opening = shard->opening;
	struct err err = ERR_INIT;
	shard->tip = shard->committed = shard->applied = opening->claimed;
	for (size_t i = 0; i < shard->limits.topic_count; i++)
		shard->committed_offsets[i] = shard->taken[i] = shard->filled[i] = opening->committed[i];
	if (kafka_in_seek(shard->parts.in, shard->number, opening->committed, &err) != 0) {
		/* slow, or not ours any more: a new claim tells, because the group's generation fences it */
		shard_retry_later(shard, shard_reopen);
		return;
	}
	shard_opening_free(shard);
	shard->must_rebuild = false;
	shard->retries = 0; /* only here: a refusal that comes back at each try must find longer and longer pauses */
	shard->reads_sent = shard->reads_decided = 0;
	shard->next_due_ms = 0;
	shard->is_poll_due = true; /* timers that came due while nobody had the shard */
	shard_enter_state(shard, SHARD_RUNNING, NULL);
	if (!shard->is_draining)
		kafka_in_resume(shard->parts.in, shard->number);
	shard_schedule_poll(shard);
	shard_advance(shard);
}

static void on_memory(void *ctx, const struct view_reply *reply)
{
	struct shard *shard = ctx;
	if (!is_answered(shard, reply))
		return;
	const struct view_head *seen = &reply->head;
	if (seen->state != VIEW_HEAD_NORMAL || !head_equal(&seen->head, &shard->opening->claimed)) {
		look_at_view(shard);
		return;
	}
	shard_clear_memory(shard);
	for (size_t i = 0; i < reply->value_count; i++)
		shard_put_memory(shard, reply->values[i].key, reply->values[i].value, !reply->values[i].is_found);
	run(shard);
}

/* ---- catching up */

static void on_caught(void *ctx, const struct view_reply *reply);

static void apply_logged(struct shard *shard)
{
	struct opening *opening = shard->opening;
	if (opening->batch_at == opening->batch_count) {
		load_memory(shard);
		return;
	}
	const struct logged_batch *batch = &opening->batches[opening->batch_at];
	struct head after = batch->after;
	after.epoch = opening->claimed.epoch;
	failpoint(CATCHUP_STEP);
	shard->request = view_apply(shard->parts.view, shard->number, &opening->seen.head, &after, batch->end,
	                            opening->writes + batch->first, batch->count, on_caught, shard);
}

static void on_caught(void *ctx, const struct view_reply *reply)
{
	struct shard *shard = ctx;
	struct opening *opening = shard->opening;
	if (!is_answered(shard, reply))
		return;
	if (reply->status == VIEW_STALE) {
		look_at_view(shard);
		return;
	}
	opening->seen.head = opening->batches[opening->batch_at].after;
	opening->seen.head.epoch = opening->claimed.epoch;
	opening->batch_at++;
	shard_progress(shard);
	apply_logged(shard);
}

/* Our epoch goes in first, so that a member with an older one cannot go on with its own catch-up beside ours. */
static void on_catch_up_epoch(void *ctx, const struct view_reply *reply)
{
	struct shard *shard = ctx;
	if (!is_answered(shard, reply))
		return;
	if (reply->status == VIEW_STALE) {
		look_at_view(shard);
		return;
	}
	shard->opening->seen.head.epoch = shard->opening->claimed.epoch;
	apply_logged(shard);
}

/* Compaction leaves gaps, an abandoned branch another hash: the chain over every batch must end exactly in (Q,H). */
static bool is_chain_whole(const struct opening *opening)
{
	struct head at = opening->seen.head;
	if (mutation_is("no-chain-check"))
		return opening->batch_count > 0;
	for (size_t i = 0; i < opening->batch_count; i++) {
		const struct logged_batch *batch = &opening->batches[i];
		at = head_after(&at, opening->writes + batch->first, batch->count);
		if (!head_same_state(&at, &batch->after))
			return false;
	}
	return head_same_state(&at, &opening->claimed);
}

static void on_catch_up_end(void *ctx, enum state_log_end end, const struct err *err)
{
	struct opening *opening = ctx;
	struct shard *shard = opening->shard;
	(void)err; /* whatever it was, a rebuild reads the whole log and reports what it meets */
	opening->reader = NULL;
	if (end == STATE_LOG_FAILED) {
		shard_retry_later(shard, look_at_view); /* weather: no reason to read everything */
		return;
	}
	if (end != STATE_LOG_DONE || !is_chain_whole(opening)) {
		rebuild(shard);
		return;
	}
	shard->request = view_install_epoch(shard->parts.view, shard->number, &opening->seen, opening->claimed.epoch,
	                                    on_catch_up_epoch, shard);
}

static void start_logged_batch(struct opening *opening, const struct state_record *record)
{
	if (opening->batch_count == opening->batch_capacity) {
		opening->batch_capacity = opening->batch_capacity ? opening->batch_capacity * 2 : 16;
		opening->batches = xreallocarray(opening->batches, opening->batch_capacity, sizeof *opening->batches);
	}
	assert(opening->batches != NULL);
	struct logged_batch *batch = &opening->batches[opening->batch_count++];
	*batch = (struct logged_batch){.first = opening->write_count};
	batch->after.seq = record->seq;
	memcpy(batch->after.hash, record->hash.p, HEAD_HASH_BYTES - 1);
}

static bool on_catch_up_record(void *ctx, const struct state_record *record)
{
	struct opening *opening = ctx;
	if (record->is_barrier || record->offset > opening->barrier)
		return true;
	const struct logged_batch *last = opening->batch_count ? &opening->batches[opening->batch_count - 1] : NULL;
	bool is_same = last != NULL && last->after.seq == record->seq && slice_is(record->hash, last->after.hash);
	if (!is_same)
		start_logged_batch(opening, record);
	struct logged_batch *batch = &opening->batches[opening->batch_count - 1];
	add_write(opening, record);
	batch->count++;
	batch->end = record->offset + 1;
	if (opening->arena.total_bytes > CATCH_UP_BYTES_MAX || batch->count > VIEW_WRITES_PER_CALL) {
		rebuild(opening->shard);
		return false;
	}
	return true;
}

static void catch_up(struct shard *shard)
{
	struct opening *opening = shard->opening;
	shard_enter_state(shard, SHARD_CATCHING_UP, NULL);
	const struct state_log_events events = {on_catch_up_record, on_catch_up_end, opening};
	opening->reader =
		state_log_read(shard->parts.state_log, shard->number, opening->seen.pos, opening->barrier, &events);
}

/* ---- rebuilding */

static void start_chunk(struct opening *opening)
{
	map_done(&opening->chunk_keys);
	arena_reset(&opening->arena);
	opening->write_count = 0;
	opening->chunk_bytes = 0;
}

static void on_finished(void *ctx, const struct view_reply *reply)
{
	struct shard *shard = ctx;
	if (!is_answered(shard, reply))
		return;
	if (reply->status == VIEW_STALE) {
		look_at_view(shard);
		return;
	}
	shard->must_rebuild = false;
	load_memory(shard);
}

/* Tombstones older than delete.retention.ms may have vanished behind our back while we read: such a reading could keep a
 * released owner or a fired timer alive. */
static bool was_too_slow(const struct opening *opening)
{
	int64_t took_ms = loop_now_ms(opening->shard->parts.loop) - opening->started_ms;
	return took_ms >= state_log_retention_ms(opening->shard->parts.state_log) && !mutation_is("slow-rebuild-unnoticed");
}

static void finish_rebuild(struct shard *shard)
{
	struct opening *opening = shard->opening;
	if (was_too_slow(opening)) {
		shard_retry_later(shard, look_at_view);
		return;
	}
	failpoint(REBUILD_FINISH);
	shard->request = view_rebuild_finish(shard->parts.view, shard->number, opening->chunk, &opening->claimed,
	                                     opening->barrier + 1, on_finished, shard);
}

static void on_chunk(void *ctx, const struct view_reply *reply)
{
	struct shard *shard = ctx;
	struct opening *opening = shard->opening;
	if (reply->status == VIEW_UNKNOWN || reply->status == VIEW_REFUSED) {
		shard->request = NULL;
		shard_retry_later(shard, send_chunk);
		return;
	}
	if (!is_answered(shard, reply))
		return;
	const struct view_head *head = &reply->head;
	bool was_written = reply->status == VIEW_DONE ||
	                   (head->state == VIEW_HEAD_LOADING && head->head.epoch == opening->claimed.epoch &&
	                    head->chunk == opening->chunk + 1); /* our earlier try, whose reply was lost */
	if (!was_written) {
		look_at_view(shard);
		return;
	}
	opening->chunk++;
	shard_progress(shard);
	start_chunk(opening);
	if (opening->has_ended)
		finish_rebuild(shard);
	else
		state_log_continue(opening->reader);
}

static void send_chunk(struct shard *shard)
{
	struct opening *opening = shard->opening;
	failpoint(REBUILD_CHUNK);
	shard->request = view_rebuild_chunk(shard->parts.view, shard->number, opening->claimed.epoch, opening->chunk,
	                                    opening->writes, opening->write_count, on_chunk, shard);
}

/* A record below our barrier that no committed offset accounts for: the transaction that wrote it was torn. */
static bool is_torn(const struct opening *opening, const struct state_record *record)
{
	const struct head *claimed = &opening->claimed;
	return record->seq > claimed->seq || (record->seq == claimed->seq && !slice_is(record->hash, claimed->hash));
}

static bool on_rebuild_record(void *ctx, const struct state_record *record)
{
	struct opening *opening = ctx;
	struct shard *shard = opening->shard;
	if (record->is_barrier || record->offset > opening->barrier)
		return true;
	if (is_torn(opening, record)) {
		struct err err = ERR_INIT;
		err_set(&err, ERR_TORN_TRANSACTION,
		        "leads.state[%d] offset %" PRId64 " is of write-set %" PRIu64 ", which the committed offset does not account for; "
		        "see leadrouterd(8), RECOVERY",
		        (int)shard->number, record->offset, record->seq);
		shard_stop(shard, &err);
		return false;
	}
	size_t known = (size_t)(uintptr_t)map_get(&opening->chunk_keys, record->key);
	struct write *write = add_write(opening, record);
	opening->chunk_bytes += record->key.len + record->value.len;
	if (known != 0) {
		opening->writes[known - 1] = *write;
		opening->write_count--;
	} else {
		map_put(&opening->chunk_keys, write->key, (void *)(uintptr_t)opening->write_count);
	}
	if (opening->write_count < CHUNK_WRITES && opening->chunk_bytes < CHUNK_BYTES)
		return true;
	send_chunk(shard);
	return false;
}

static void on_rebuild_end(void *ctx, enum state_log_end end, const struct err *err)
{
	struct opening *opening = ctx;
	struct shard *shard = opening->shard;
	opening->reader = NULL;
	if (end == STATE_LOG_FOREIGN) {
		shard_stop(shard, err);
		return;
	}
	if (end != STATE_LOG_DONE) {
		shard_retry_later(shard, look_at_view);
		return;
	}
	opening->has_ended = true;
	if (shard->request != NULL || shard->retry_fn != NULL)
		return; /* a chunk is under way or waits to be sent again; its answer finishes */
	if (opening->write_count > 0)
		send_chunk(shard);
	else
		finish_rebuild(shard);
}

static void on_finished_early(void *ctx, const struct view_reply *reply)
{
	(void)ctx, (void)reply; /* the mutation goes on as if nothing had happened */
}

static void on_emptied(void *ctx, const struct view_reply *reply)
{
	struct shard *shard = ctx;
	struct opening *opening = shard->opening;
	if (!is_answered(shard, reply))
		return;
	if (reply->status == VIEW_STALE) {
		look_at_view(shard);
		return;
	}
	opening_clear(opening);
	opening->chunk = 0;
	if (mutation_is("final-head-first"))
		(void)view_rebuild_finish(shard->parts.view, shard->number, 0, &opening->claimed, opening->barrier + 1,
		                          on_finished_early, shard);
	opening->started_ms = loop_now_ms(shard->parts.loop);
	const struct state_log_events events = {on_rebuild_record, on_rebuild_end, opening};
	opening->reader = state_log_read(shard->parts.state_log, shard->number, 0, opening->barrier, &events);
}

/* At most one rebuild per claim: chunks are told apart by (epoch, number), and a late one of an earlier reading under the
 * same epoch would pass for ours although compaction has moved the borders since. So a second one needs a new epoch. */
/* At most one rebuild per claim: chunks are told apart by (epoch, number), and a late one of an earlier reading under the
 * same epoch would pass for ours although compaction has moved the borders since. So a second one needs a new epoch. */
static void rebuild(struct shard *shard)
{
	struct opening *opening = shard->opening;
	if (opening->has_begun && !mutation_is("rebuild-twice-per-claim")) {
		shard_retry_later(shard, shard_reopen);
		return;
	}
	opening->has_begun = true;
	shard_enter_state(shard, SHARD_REBUILDING, NULL);
	opening_clear(opening);
	failpoint(REBUILD_BEGIN);
	shard->request = view_rebuild_begin(shard->parts.view, shard->number, &opening->seen, opening->claimed.epoch,
	                                    on_emptied, shard);
}
