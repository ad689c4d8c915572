/* SPDX-License-Identifier: Apache-2.0
 *
 * A running shard: inbox -> batch -> read -> decide -> commit -> apply, and back after an abort.
 *
 *     inbox ─► [preparing|waiting|reading]  at most one such batch: decisions are made in order
 *                        │ decided: at most two uncommitted
 *                        ▼
 *              [decided] [decided]     layers of the overlay, oldest first
 *              [committed …]           applied one after the other
 *              [applied …]             kept while a read that was sent before the acknowledgement is undecided
 *
 * Order that matters (design.md laws 1, 3, 4): decide only from a read whose head is one that we hold; apply only what
 * is committed; drop a layer only when no undecided read can have missed it.
 */
#include "daemon/shard.h"

#include <assert.h>
#include <stdlib.h>

#include "daemon/clock.h"
#include "daemon/committer.h"
#include "daemon/failpoint.h"
#include "daemon/generation.h"
#include "daemon/loop.h"
#include "daemon/mutation.h"
#include "daemon/shard_private.h"
#include "rules/base/mem.h"

enum {
	UNCOMMITTED_BATCHES_MAX = 2,
	ABORTS_ALARM = 10,   /* a batch that is aborted so often in a row */
};

static void start_read(struct shard *shard);
static void start_apply(struct shard *shard);

/* ---- the list of batches */

static size_t count_state(const struct shard *shard, enum batch_state state)
{
	size_t count = 0;
	for (const struct batch *batch = shard->batches; batch != NULL; batch = batch->next)
		count += batch->state == state;
	return count;
}

static struct batch *first_in_state(const struct shard *shard, enum batch_state state)
{
	for (struct batch *batch = shard->batches; batch != NULL; batch = batch->next)
		if (batch->state == state)
			return batch;
	return NULL;
}

/* The oldest batch without a standing decision: the only one that may be read next. */
static struct batch *first_undecided(const struct shard *shard)
{
	for (struct batch *batch = shard->batches; batch != NULL; batch = batch->next)
		if (batch->state < BATCH_DECIDED || batch->state == BATCH_REFUSED)
			return batch;
	return NULL;
}

static void append_batch(struct shard *shard, struct batch *batch)
{
	struct batch **link = &shard->batches;
	while (*link != NULL)
		link = &(*link)->next;
	*link = batch;
}

void shard_report(struct shard *shard, const struct batch *batch)
{
	if (shard->parts.on_decided == NULL)
		return;
	for (size_t i = 0; i < batch->decision_count; i++)
		if (batch->decisions[i].outcome != OUTCOME_NOTHING)
			shard->parts.on_decided(shard->parts.ctx, shard->number, &batch->decisions[i]);
}

/* ---- intake */

static struct kafka_message *take_from_inbox(struct shard *shard)
{
	struct kafka_message *message = shard->inbox;
	shard->inbox = message->next;
	if (shard->inbox == NULL)
		shard->inbox_last = &shard->inbox;
	shard->inbox_records--;
	shard->inbox_bytes -= message->bytes;
	return message;
}

static void on_prepared(void *ctx)
{
	struct batch *batch = ctx;
	assert(batch->shard != NULL);
	shard_progress(batch->shard);
	shard_advance(batch->shard);
}

/* A batch that could only wait behind an uncommitted one is filled as late as possible, which is when the other is done;
 * a full one may wait. So transactions grow with the load by themselves, and a lead waits for one commit before its own. */
static bool may_queue(const struct shard *shard)
{
	size_t uncommitted = count_state(shard, BATCH_DECIDED);
	if (uncommitted == 0)
		return true;
	bool is_full = shard->inbox_records >= shard->limits.batch_records || shard->inbox_bytes >= shard->limits.batch_bytes;
	return is_full && uncommitted < UNCOMMITTED_BATCHES_MAX;
}

/* ---- filling */

static bool has_new_model(const struct shard *shard)
{
	return shard->begun != shard->parts.generation(shard->parts.ctx);
}

static void note_model(struct shard *shard, struct batch *batch)
{
	batch->is_first = shard->begun != batch->generation;
	if (!batch->is_first)
		return;
	generation_unref(shard->begun);
	shard->begun = generation_ref(batch->generation);
}

static void fill(struct shard *shard)
{
	bool has_work = shard->inbox != NULL || shard->is_poll_due || has_new_model(shard) || shard_is_walking(shard);
	if (!has_work || shard->is_draining || first_undecided(shard) != NULL || !may_queue(shard) ||
	    count_state(shard, BATCH_DECIDED) + count_state(shard, BATCH_COMMITTED) >= shard->limits.inflight_batches)
		return;
	size_t capacity =
		shard->inbox_records < shard->limits.batch_records ? shard->inbox_records : shard->limits.batch_records;
	struct batch *batch = batch_new(shard, shard->parts.generation(shard->parts.ctx), capacity);
	while (batch->item_count < capacity && (batch->item_count == 0 || batch->bytes < shard->limits.batch_bytes)) {
		struct kafka_message *message = take_from_inbox(shard);
		shard->filled[message->topic] = message->record.offset + 1;
		batch_add(batch, message);
	}
	for (size_t i = 0; i < shard->limits.topic_count; i++)
		batch->ends[i] = shard->filled[i];
	note_model(shard, batch);
	shard_join_walk(shard, batch);
	append_batch(shard, batch);
	shard_progress(shard);
	batch_prepare(batch, clock_now_ms(shard->parts.clock), on_prepared);
}

/* ---- reading and deciding */

/* True when the view stands where one of the batches that we hold left it: the last one applied, or one that is
 * committed and may just have been applied without our knowing. */
static bool is_known_head(const struct shard *shard, const struct view_head *seen)
{
	if (mutation_is("no-head-check"))
		return true;
	if (seen->state != VIEW_HEAD_NORMAL)
		return false;
	if (head_equal(&seen->head, &shard->applied))
		return true;
	for (const struct batch *batch = shard->batches; batch != NULL; batch = batch->next)
		if (batch->state == BATCH_COMMITTED && head_equal(&seen->head, &batch->after))
			return true;
	return false;
}

static int64_t earlier(int64_t a, int64_t b)
{
	if (a == 0 || b == 0)
		return a ? a : b;
	return a < b ? a : b;
}

/* The view's next due time does not know yet what pending layers will add. A lead that a layer moved to a later time may
 * make us look once too often, which costs a read and fires nothing. */
static void note_next_due(struct shard *shard, int64_t in_view)
{
	shard->next_due_ms = in_view;
	for (const struct batch *batch = shard->batches; batch != NULL; batch = batch->next)
		shard->next_due_ms = earlier(shard->next_due_ms, batch_next_due(batch));
}

void shard_schedule_poll(struct shard *shard)
{
	int64_t delay = shard->limits.timer_poll_ms;
	int64_t now = clock_now_ms(shard->parts.clock);
	if (shard->next_due_ms > 0 && shard->next_due_ms - now < delay && clock_is_sane(shard->parts.clock))
		delay = shard->next_due_ms > now ? shard->next_due_ms - now : 0;
	/* timers that are due already wait for a batch in flight that may have fired them */
	for (const struct batch *batch = shard->batches; batch != NULL && delay == 0; batch = batch->next)
		if (batch->due_count > 0 && batch->state != BATCH_APPLIED)
			delay = shard->limits.timer_poll_ms;
	loop_timer_start(shard->poll, delay);
}

static void submit(struct shard *shard, struct batch *batch)
{
	struct commit_job *job = &batch->job;
	job->shard = shard->number;
	job->shard_object = shard->object;
	job->attempt = shard->attempt;
	job->token = commit_token_ref(shard->token); /* the commit thread may look at it after a revocation */
	for (size_t i = 0; i < shard->limits.topic_count; i++)
		job->offsets[i] = batch->ends[i];
	batch->state = BATCH_DECIDED;
	shard->tip = batch->after;
	if (mutation_is("no-ring-restore"))
		shard_keep_memory(shard, batch);
	failpoint(BATCH_DECIDED);
	committer_submit(shard->parts.committer, job);
}

static const struct slice *copy_names(struct batch *batch, const struct slice *names, size_t count)
{
	struct slice *copy = arena_array(&batch->decided, count, sizeof *copy);
	for (size_t i = 0; i < count; i++)
		copy[i] = (struct slice){arena_memdupz(&batch->decided, names[i].p, names[i].len), names[i].len};
	return copy;
}

/* Rings, loads and who waits stay in memory from batch to batch, under one set of rules. */
static struct desk *desk_of(struct shard *shard, const struct batch *batch)
{
	if (shard->desk_generation != batch->generation) {
		shard_forget_desk(shard);
		shard->desk_generation = generation_ref(batch->generation);
	}
	return shard->desk;
}

static void decide_part(struct shard *shard, struct batch *batch, const struct view_reply *reply, int64_t now_ms, size_t due_count)
{
	struct shard_lookup lookup = {shard, batch};
	batch_take_values(batch, reply);
	struct batch_work work = {
		.due = copy_names(batch, reply->due, due_count), .due_count = due_count,
		.walked = copy_names(batch, reply->walked, reply->walked_count), .walked_count = reply->walked_count,
	};
	batch->desk = desk_of(shard, batch);
	batch_decide(batch, shard_layers_view(&lookup), &work, now_ms, &shard->tip);
}

/* The records behind the first `keep` make a batch of their own, which comes next. */
static void split_batch(struct shard *shard, struct batch *batch, size_t keep)
{
	if (batch->item_count <= keep)
		return;
	struct batch *rest = batch_new(shard, batch->generation, batch->item_count - keep);
	for (size_t i = keep; i < batch->item_count; i++)
		batch_add(rest, batch->items[i].message);
	for (size_t i = 0; i < shard->limits.topic_count; i++)
		rest->ends[i] = batch->ends[i];
	for (size_t i = batch->item_count; i-- > keep;)
		batch->ends[batch->items[i].message->topic] = batch->items[i].message->record.offset;
	batch->item_count = keep;
	batch->bytes -= rest->bytes;
	batch->wants = NULL; /* some lie in those records */
	rest->next = batch->next;
	batch->next = rest;
	batch_prepare(rest, clock_now_ms(shard->parts.clock), on_prepared);
}

static size_t count_parts(const struct batch *batch, size_t due_count)
{
	return batch->item_count + due_count + (batch->walk_key.len != 0);
}

/* Leads that waited may be given away by the hundred with a few records, so what a batch comes to is known only when it is
 * decided. One that would not fit into an apply is decided again with half of its records and timers. */
static void decide_what_fits(struct shard *shard, struct batch *batch, const struct view_reply *reply, size_t *ret_due_count)
{
	int64_t now_ms;
	bool may_fire = clock_vouches(shard->parts.clock, &now_ms); /* it may have been set while the read was under way */
	size_t due_count = may_fire ? reply->due_count : 0;
	decide_part(shard, batch, reply, now_ms, due_count);
	while (batch->job.write_count > shard->limits.batch_writes && count_parts(batch, due_count) > 1) {
		if (batch->item_count <= 1 && due_count <= 1)
			batch->walk_key = SLICE_NONE; /* its step is read again */
		shard_forget_desk(shard);
		batch_forget_decision(batch);
		split_batch(shard, batch, (batch->item_count + 1) / 2);
		due_count = batch->item_count != 0 ? due_count / 2 : (due_count + 1) / 2;
		decide_part(shard, batch, reply, now_ms, due_count);
	}
	*ret_due_count = due_count;
}

static void decide(struct shard *shard, struct batch *batch, const struct view_reply *reply)
{
	size_t due_count;
	batch->walk_next = reply->walk_next;
	shard_check_step(shard, batch);
	int64_t next_due_ms = reply->next_due_ms, until_ms = batch->due_until_ms;
	decide_what_fits(shard, batch, reply, &due_count);
	shard_note_walk(shard, batch);
	bool is_void = batch_is_void(batch);
	if (is_void)
		shard_remove_batch(shard, batch);
	else
		submit(shard, batch);
	note_next_due(shard, due_count < reply->due_count ? until_ms : next_due_ms);
	shard_schedule_poll(shard);
}

static void on_read(void *ctx, const struct view_reply *reply)
{
	struct shard *shard = ctx;
	struct batch *batch = shard->reading;
	failpoint(VIEW_READ_ANSWERED);
	shard->reading = NULL;
	shard->read_request = NULL;
	batch->state = BATCH_WAITING;
	shard->reads_decided = shard->reads_sent;
	switch (reply->status) {
	case VIEW_DONE: break;
	case VIEW_UNKNOWN:
	case VIEW_REFUSED: shard_retry_later(shard, shard_advance); return;
	case VIEW_BROKEN: shard->must_rebuild = true; /* fall through */
	case VIEW_STALE: shard_reopen(shard); return;
	}
	if (!is_known_head(shard, &reply->head)) {
		shard_reopen(shard);
		return;
	}
	if (batch->aborts == 0 && first_in_state(shard, BATCH_COMMITTED) == NULL)
		shard->retries = 0; /* an abort or a refused apply that repeats is not ended by a good read */
	shard_progress(shard);
	decide(shard, batch, reply);
	shard_advance(shard);
}

static void start_read(struct shard *shard)
{
	struct batch *batch = first_undecided(shard);
	if (batch == NULL || batch->state != BATCH_WAITING || shard->reading != NULL || shard->retry_fn != NULL ||
	    shard->is_draining)
		return;
	batch_forget_decision(batch);
	struct view_read_args args = {0};
	args.keys = batch_wants(batch, &args.key_count);
	int64_t now_ms;
	bool may_fire = clock_vouches(shard->parts.clock, &now_ms);
	for (const struct batch *other = shard->batches; other != NULL; other = other->next)
		if (other != batch && other->due_count > 0 && other->state != BATCH_APPLIED)
			may_fire = false; /* the view would name the same leads again */
	batch->due_until_ms = args.due_until_ms = may_fire ? now_ms : 0;
	args.due_limit = shard->limits.due_limit;
	args.is_walk = batch->walk_key.len != 0 && shard->walk.key != NULL && slice_is(batch->walk_key, shard->walk.key);
	if (!args.is_walk)
		batch->walk_key = SLICE_NONE; /* the walk was given up while the batch waited */
	if (args.is_walk && shard->walk.series != view_series(shard->parts.view))
		shard_restart_walk(shard);
	shard->walk.is_anew = false;
	shard->walk.series = view_series(shard->parts.view);
	args.walk_cursor = shard->walk.cursor;
	args.walk_count = shard->limits.walk_step;
	shard->is_poll_due = false;
	shard->reading = batch;
	shard->reads_sent++;
	batch->state = BATCH_READING;
	shard->read_request = view_read(shard->parts.view, shard->number, &args, on_read, shard);
	failpoint(VIEW_READ_SENT);
}

/* ---- results of the committer */

/* Law of the abort (reliability.md §2.5): whatever is decided and not committed is decided again, from the head of what
 * is committed. Layers of committed batches stay until they are applied. The records are still here, in order, so the
 * rewind is a change of state, and each batch keeps its generation and its plug-in answers. */
static void take_back(struct shard *shard, struct batch *aborted)
{
	aborted->state = BATCH_WAITING;
	for (struct batch *batch = shard->batches; batch != NULL; batch = batch->next) {
		if (batch->state == BATCH_DECIDED)
			batch->state = BATCH_REFUSED;
		if (mutation_is("drop-committed-overlay") && batch->state == BATCH_COMMITTED)
			map_done(&batch->layer);
	}
	if (shard->reading != NULL) {
		view_cancel(shard->read_request);
		shard->read_request = NULL;
		shard->reading->state = BATCH_WAITING;
		shard->reading = NULL;
		shard->reads_decided = shard->reads_sent;
	}
	shard->tip = shard->committed;
	shard_forget_desk(shard);
	shard_restart_walk(shard); /* steps may be among what was refused */
}

static void batch_aborted(struct shard *shard, struct batch *batch, const struct commit_job *job)
{
	if (job->failed_write != SIZE_MAX) {
		struct err err = job->err;
		batch->state = BATCH_WAITING; /* its job is back */
		shard_stop(shard, &err);      /* no other decision of ours makes the state smaller */
		return;
	}
	bool is_own_fault = batch_note_refusal(batch, job);
	if (++batch->aborts % ABORTS_ALARM == 0 && shard->parts.on_alarm != NULL)
		shard->parts.on_alarm(shard->parts.ctx, shard->number, &job->err);
	take_back(shard, batch);
	if (mutation_is("no-rewind"))
		shard_remove_batch(shard, batch);
	if (!is_own_fault)
		shard_retry_later(shard, shard_advance);
}

static void batch_committed(struct shard *shard, struct batch *batch)
{
	shard->committed = batch->after;
	for (size_t i = 0; i < shard->limits.topic_count; i++)
		shard->committed_offsets[i] = batch->ends[i];
	shard->retries = 0;
	batch->state = BATCH_COMMITTED;
	shard_report(shard, batch);
	if (batch->job.write_count == 0)
		shard_remove_batch(shard, batch); /* q and h have not moved: there is nothing to apply */
}

void shard_batch_back(struct shard *shard, struct commit_job *job)
{
	struct batch *batch = job->ctx;
	shard->attempt = job->new_attempt;
	shard_progress(shard);
	switch (job->result) {
	case COMMIT_DONE: batch_committed(shard, batch); break;
	case COMMIT_ABORTED:
		batch_aborted(shard, batch, job);
		if (shard->state != SHARD_RUNNING)
			return;
		break;
	case COMMIT_DISCARDED: batch->state = BATCH_WAITING; break;
	case COMMIT_LOST:
	case COMMIT_STOPPED:
		/* the machine's table says that no batch comes back STOPPED; LOST: wait for the next assignment */
		batch->state = BATCH_WAITING;
		kafka_in_pause(shard->parts.in, shard->number);
		shard_close(shard);
		return;
	}
	shard_advance(shard);
}

/* ---- applying */

/* Done now, or by our earlier try whose answer was lost (§2.4, step 15: "new -> done"). */
static bool is_applied(const struct batch *batch, const struct view_reply *reply)
{
	if (reply->status == VIEW_DONE)
		return true;
	return reply->status == VIEW_STALE && reply->head.state == VIEW_HEAD_NORMAL &&
	       head_equal(&reply->head.head, &batch->after);
}

static void on_applied(void *ctx, const struct view_reply *reply)
{
	struct shard *shard = ctx;
	struct batch *batch = shard->applying;
	failpoint(VIEW_APPLY_ANSWERED);
	shard->applying = NULL;
	shard->apply_request = NULL;
	if (!is_applied(batch, reply)) {
		if (reply->status == VIEW_UNKNOWN || reply->status == VIEW_REFUSED) {
			shard_retry_later(shard, shard_advance); /* the same compare-and-set again tells */
			return;
		}
		shard->must_rebuild = reply->status == VIEW_BROKEN;
		shard_reopen(shard);
		return;
	}
	shard->retries = 0;
	shard_progress(shard);
	shard->applied = batch->after;
	batch->state = BATCH_APPLIED;
	batch->drop_after_read = mutation_is("drop-overlay-at-ack") ? 0 : shard->reads_sent;
	if (batch->due_count > 0)
		shard_schedule_poll(shard); /* the next due timers had to wait for these */
	shard_advance(shard);
}

static void start_apply(struct shard *shard)
{
	struct batch *batch = first_in_state(shard, BATCH_COMMITTED);
	if (batch == NULL || shard->applying != NULL || shard->retry_fn != NULL)
		return;
	assert(batch->job.write_count <= VIEW_WRITES_PER_CALL);
	const struct head *before = mutation_is("expected-head-last-applied") ? &shard->applied : &batch->before;
	shard->applying = batch;
	shard->apply_request = view_apply(shard->parts.view, shard->number, before, &batch->after, batch->job.state_end,
	                                  batch->job.writes, batch->job.write_count, on_applied, shard);
	failpoint(VIEW_APPLY_SENT);
}

/* ---- flow */

static void control_intake(struct shard *shard)
{
	bool is_full =
		shard->inbox_records >= shard->limits.inbox_records || shard->inbox_bytes >= shard->limits.inbox_bytes;
	bool is_low =
		shard->inbox_records < shard->limits.inbox_records / 2 && shard->inbox_bytes < shard->limits.inbox_bytes / 2;
	if (!shard->is_paused && is_full) {
		shard->is_paused = true;
		kafka_in_pause(shard->parts.in, shard->number);
	} else if (shard->is_paused && is_low && !shard->is_draining) {
		shard->is_paused = false;
		kafka_in_resume(shard->parts.in, shard->number);
	}
}

void shard_advance(struct shard *shard)
{
	if (shard->state != SHARD_RUNNING)
		return;
	shard_drop_layers(shard);
	start_apply(shard);
	fill(shard);
	start_read(shard);
	control_intake(shard);
}
