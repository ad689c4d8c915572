/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/batch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/generation.h"
#include "daemon/plugin_host.h"
#include "rules/base/mem.h"

enum {
	REFUSALS_MAX = 2,          /* something is set aside, then cut; beyond that something else is wrong, and spinning helps nobody */
	REFUSED_LEADS_MAX = 1000,  /* each costs an aborted transaction */
};

/* A batch's maps hold keys that identity macs and lead ids make; decisions never depend on the order of buckets, and a
 * producer cannot see this address-derived seed. */
static void seed_map(struct map *map, const struct batch *batch)
{
	const uint64_t seed[2] = {(uint64_t)(uintptr_t)batch, (uint64_t)(uintptr_t)&seed};
	map_init(map, seed);
}

struct batch *batch_new(struct shard *shard, struct generation *generation, size_t capacity)
{
	struct batch *batch = xcalloc(1, sizeof *batch);
	batch->shard = shard;
	batch->generation = generation_ref(generation);
	batch->items = xcalloc(capacity, sizeof *batch->items);
	batch->item_capacity = capacity;
	seed_map(&batch->values, batch);
	seed_map(&batch->layer, batch);
	return batch;
}

void batch_free(struct batch *batch)
{
	if (batch == NULL)
		return;
	for (size_t i = 0; i < batch->item_count; i++) {
		if (batch->items[i].ask != NULL)
			plugin_host_cancel(batch->items[i].ask);
		kafka_in_message_free(batch->items[i].message);
	}
	free(batch->items);
	map_done(&batch->values);
	map_done(&batch->layer);
	arena_done(&batch->decided);
	arena_done(&batch->kept);
	generation_unref(batch->generation);
	free(batch);
}

void batch_add(struct batch *batch, struct kafka_message *take_message)
{
	assert(batch->item_count < batch->item_capacity);
	batch->items[batch->item_count++] = (struct batch_item){.batch = batch, .message = take_message};
	batch->bytes += take_message->bytes;
}

static void on_answered(void *ctx)
{
	struct batch_item *item = ctx;
	struct batch *batch = item->batch;
	assert(batch->state == BATCH_PREPARING && batch->unanswered > 0);
	item->ask = NULL; /* it is gone: a batch that is freed now must not cancel it */
	if (--batch->unanswered > 0)
		return;
	batch->state = BATCH_WAITING;
	batch->on_prepared(batch);
}

void batch_prepare(struct batch *batch, int64_t now_ms, loop_fn on_prepared)
{
	const struct model *model = generation_model(batch->generation);
	batch->on_prepared = on_prepared;
	for (size_t i = 0; i < batch->item_count; i++) {
		struct batch_item *item = &batch->items[i];
		item->prepared = rules_prepare(model, &item->message->record, now_ms, &batch->kept);
		if (!rules_is_lead(item->prepared))
			continue;
		item->ask = plugin_host_ask(batch->generation, item->prepared, on_answered, item);
		batch->unanswered += item->ask != NULL;
	}
	batch->state = batch->unanswered ? BATCH_PREPARING : BATCH_WAITING;
}

const struct slice *batch_wants(struct batch *batch, size_t *ret_count)
{
	if (batch->wants != NULL) {
		*ret_count = batch->want_count;
		return batch->wants;
	}
	struct slice *keys = arena_array(&batch->kept, batch->item_count * RULES_WANTS_MAX + 1, sizeof *keys);
	struct map seen;
	seed_map(&seen, batch);
	size_t count = 0;
	for (size_t i = 0; i < batch->item_count; i++) {
		struct slice wants[RULES_WANTS_MAX];
		size_t want_count = rules_wants(batch->items[i].prepared, wants);
		for (size_t w = 0; w < want_count; w++)
			if (map_put(&seen, wants[w], batch) == NULL)
				keys[count++] = wants[w];
	}
	map_done(&seen);
	batch->wants = keys;
	*ret_count = batch->want_count = count;
	return keys;
}

void batch_forget_decision(struct batch *batch)
{
	map_done(&batch->values);
	map_done(&batch->layer);
	arena_reset(&batch->decided);
	batch->decisions = NULL;
	batch->decision_count = batch->due_count = 0;
	batch->event_item = NULL;
	batch->job = (struct commit_job){.kind = COMMIT_BATCH};
}

void batch_take_values(struct batch *batch, const struct view_reply *reply)
{
	struct arena *arena = &batch->decided;
	for (size_t i = 0; i < reply->value_count; i++) {
		const struct view_value *from = &reply->values[i];
		struct view_value *to = arena_alloc(arena, sizeof *to);
		to->key = (struct slice){arena_memdupz(arena, from->key.p, from->key.len), from->key.len};
		to->is_found = from->is_found;
		if (from->is_found)
			to->value = (struct slice){arena_memdupz(arena, from->value.p, from->value.len), from->value.len};
		map_put(&batch->values, to->key, to);
	}
}

enum view_answer batch_layer_get(const struct batch *batch, struct slice key, struct slice *ret_value)
{
	const struct write *write = map_get(&batch->layer, key);
	if (write == NULL)
		return VIEW_NOT_READ;
	if (write->is_tombstone)
		return VIEW_ABSENT;
	*ret_value = write->value;
	return VIEW_FOUND;
}

enum view_answer batch_value_get(const struct batch *batch, struct slice key, struct slice *ret_value)
{
	const struct view_value *value = map_get(&batch->values, key);
	if (value == NULL)
		return VIEW_NOT_READ;
	if (!value->is_found)
		return VIEW_ABSENT;
	*ret_value = value->value;
	return VIEW_FOUND;
}

/* After an event of this record could not be produced it is set aside unseen; after a second time with its value cut,
 * because even the copy of the original bytes was too large for the broker. */
static void decide_item(struct decider *decider, struct batch *batch, struct batch_item *item, int64_t now_ms,
                        struct decision *ret)
{
	if (item->refusals == 0) {
		decider_decide(decider, item->prepared, now_ms, ret);
		ret->since_ms = item->message->record.timestamp_ms;
		return;
	}
	struct record *record = arena_alloc(&batch->decided, sizeof *record);
	*record = item->message->record;
	const char *text = "what this record leads to is too large for the broker; it was set aside unseen";
	if (item->refusals > 1) {
		text = "too large for the broker even as it came; only its first bytes are kept here, see the offset";
		record->value.len = record->value.len < 256 ? record->value.len : 256;
		record->header_count = 0;
		record->has_key = false; /* a key may be as large as a value */
		record->key = SLICE_NONE;
	}
	decider_reject(decider, record, ERR_POISON, text, now_ms, ret);
}

static struct batch_refused *refused_of(struct batch *batch, struct slice lead_id)
{
	for (size_t i = 0; i < batch->refused_count; i++)
		if (slice_equal(batch->refused[i].lead_id, lead_id))
			return &batch->refused[i];
	if (batch->refused_count == batch->refused_room) {
		batch->refused_room = batch->refused_room ? batch->refused_room * 2 : 4;
		struct batch_refused *more = arena_array(&batch->kept, batch->refused_room, sizeof *more);
		if (batch->refused_count != 0)
			memcpy(more, batch->refused, batch->refused_count * sizeof *more);
		batch->refused = more;
	}
	struct slice copy = {arena_memdupz(&batch->kept, lead_id.p, lead_id.len), lead_id.len};
	batch->refused[batch->refused_count] = (struct batch_refused){.lead_id = copy};
	return &batch->refused[batch->refused_count++];
}

bool batch_note_refusal(struct batch *batch, const struct commit_job *job)
{
	if (job->failed_event == SIZE_MAX || job->failed_event >= job->event_count)
		return false;
	const struct event *event = &job->events[job->failed_event];
	if (event->is_waiters)
		return batch->refused_count < REFUSED_LEADS_MAX && ++refused_of(batch, event->subject)->refusals <= REFUSALS_MAX;
	size_t item = batch->event_item[job->failed_event];
	return item != SIZE_MAX && ++batch->items[item].refusals <= REFUSALS_MAX;
}

/* All events of all decisions in one array, and which item each came from. */
static void collect_events(struct batch *batch)
{
	size_t total = 0, at = 0;
	for (size_t i = 0; i < batch->decision_count; i++)
		total += batch->decisions[i].event_count;
	struct event *events = arena_array(&batch->decided, total, sizeof *events);
	batch->event_item = arena_array(&batch->decided, total, sizeof *batch->event_item);
	size_t first = batch->decision_count - batch->refused_count; /* what was set aside was so before the records */
	for (size_t n = 0; n < batch->decision_count; n++) {
		size_t i = (first + n) % batch->decision_count;
		for (size_t e = 0; e < batch->decisions[i].event_count; e++) {
			batch->event_item[at] = i < batch->item_count ? i : SIZE_MAX;
			events[at++] = batch->decisions[i].events[e];
		}
	}
	batch->job.events = events;
	batch->job.event_count = total;
}

/* One decision per record, timer, lead of a walk's step and lead that is set aside, and at most two more. */
static struct decision *next_decision(struct batch *batch)
{
	return &batch->decisions[batch->decision_count++];
}

static void decide_due(struct decider *decider, struct batch *batch, const struct batch_work *work, int64_t now_ms)
{
	for (size_t i = 0; i < work->due_count; i++)
		decider_fire(decider, work->due[i], now_ms, next_decision(batch));
}

static void decide_walk(struct decider *decider, struct batch *batch, const struct batch_work *work, int64_t now_ms)
{
	if (batch->walk_key.len == 0)
		return;
	for (size_t i = 0; i < work->walked_count; i++)
		decider_visit(decider, batch->walk_key, work->walked[i], now_ms, next_decision(batch));
	if (batch->walk_next == 0)
		decider_walked(decider, batch->walk_key, now_ms, next_decision(batch));
}

static void take_writes(struct batch *batch, struct decider *decider, const struct head *tip)
{
	const struct write *writes;
	size_t write_count;
	decider_finish(decider, &writes, &write_count);
	for (size_t i = 0; i < write_count; i++)
		map_put(&batch->layer, writes[i].key, (void *)(uintptr_t)&writes[i]);
	batch->before = *tip;
	batch->after = head_after(tip, writes, write_count);
	batch->job.writes = writes;
	batch->job.write_count = write_count;
}

void batch_decide(struct batch *batch, struct rules_view lookup, const struct batch_work *work, int64_t now_ms,
                  const struct head *tip)
{
	struct arena *arena = &batch->decided;
	struct decider *decider = decider_new(generation_model(batch->generation), lookup, arena);
	if (batch->desk != NULL)
		decider_use_desk(decider, batch->desk);
	batch->decisions = arena_array(
		arena, batch->item_count + work->due_count + work->walked_count + batch->refused_count + 2, sizeof *batch->decisions);
	batch->due_count = work->due_count;
	struct decision begun = {.outcome = OUTCOME_NOTHING};
	if (batch->is_first)
		decider_begin(decider, now_ms, &begun);
	struct decision *aside = arena_array(arena, batch->refused_count, sizeof *aside);
	for (size_t i = 0; i < batch->refused_count; i++)
		decider_set_aside(decider, batch->refused[i].lead_id, batch->refused[i].refusals > 1, now_ms, &aside[i]);
	/* records first: a touch that has arrived stops the clock that is due in this very batch */
	for (size_t i = 0; i < batch->item_count; i++)
		decide_item(decider, batch, &batch->items[i], now_ms, next_decision(batch));
	decide_due(decider, batch, work, now_ms);
	decide_walk(decider, batch, work, now_ms);
	*next_decision(batch) = begun; /* behind the others: decision i is that of record i */
	for (size_t i = 0; i < batch->refused_count; i++)
		*next_decision(batch) = aside[i];
	take_writes(batch, decider, tip);
	collect_events(batch);
	batch->job.kind = COMMIT_BATCH;
	batch->job.head = batch->after;
	batch->job.ctx = batch;
}

bool batch_is_void(const struct batch *batch)
{
	return batch->item_count == 0 && batch->job.event_count == 0 && batch->job.write_count == 0;
}

int64_t batch_next_due(const struct batch *batch)
{
	int64_t next = 0;
	for (size_t i = 0; i < batch->job.write_count; i++) {
		int64_t due = batch->job.writes[i].is_tombstone ? 0 : batch->job.writes[i].due_ms;
		if (due > 0 && (next == 0 || due < next))
			next = due;
	}
	return next;
}
