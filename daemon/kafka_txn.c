/* SPDX-License-Identifier: Apache-2.0
 *
 * See kafka_txn.h. Two things here are easy to get wrong:
 *   - librdkafka sends requests again without a word (L4). kafka_producer.c counts them; was_resent() tells the machine,
 *     which then has the producer made anew (§2.10).
 *   - commit and abort may be called again after a time-out, send_offsets may not (L19).
 */
#include "daemon/kafka_txn.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/commit_token.h"
#include "daemon/failpoint.h"
#include "daemon/kafka_txn_private.h"
#include "rules/base/mem.h"

enum {
	FETCH_MS = 500,          /* first limit for committed offsets; doubled while they stay unstable, so that one shard
	                            whose predecessor left a transaction open does not hold up the others for long */
	FETCH_LONGEST_MS = 4000, /* of one fetch as a whole; never more than half of the transaction's time */
	FETCH_LEAST_MS = 100,
	REFUSED_PAUSE_MS = 100,  /* a question that fails at once is not asked again at once */
	QUEUE_FULL_MS = 50,
	BATCH_OVERHEAD_BYTES = 128, /* of a batch with one message, at most 61 + 7 varints */
	HEADER_OVERHEAD_BYTES = 10, /* two varints */
	ABORT_FLUSH_MS = 2000,
	LEVEL_WARNING = 4,
};

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void pause_ms(int ms)
{
	struct timespec span = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &span, &span) == EINTR)
		;
}

/* ---- errors */

static bool is_old_generation(rd_kafka_resp_err_t code)
{
	return code == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION || code == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
	       code == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID;
}

enum op_result kafka_txn_classify(rd_kafka_t *producer, rd_kafka_error_t *take_error, const char *call, struct err *err)
{
	char text[256];
	rd_kafka_resp_err_t code = rd_kafka_error_code(take_error);
	enum op_result result = OP_EXIT;
	if (rd_kafka_error_is_fatal(take_error) || rd_kafka_fatal_error(producer, text, sizeof text))
		err_set(err, ERR_KAFKA_FATAL, "%s: %s: %s", call, rd_kafka_err2name(code), rd_kafka_error_string(take_error));
	else if (rd_kafka_error_txn_requires_abort(take_error)) {
		result = is_old_generation(code) ? OP_LOST : OP_ABORT;
		err_set(err, result == OP_LOST ? ERR_GENERATION_LOST : ERR_KAFKA_ABORT, "%s: %s: %s", call,
		        rd_kafka_err2name(code), rd_kafka_error_string(take_error));
	} else if (rd_kafka_error_is_retriable(take_error)) {
		result = OP_RETRY;
		err_set(err, ERR_KAFKA_UNAVAILABLE, "%s: %s", call, rd_kafka_error_string(take_error));
	} else
		err_set(err, ERR_KAFKA_FATAL, "%s: %s: %s", call, rd_kafka_err2name(code), rd_kafka_error_string(take_error));
	rd_kafka_error_destroy(take_error);
	return result;
}

typedef rd_kafka_error_t *(*resumable_fn)(rd_kafka_t *producer, int timeout_ms);

/* Calls until the call has an outcome. Past the transaction's own time-out nobody can know it: the process ends. */
static enum op_result call_until_known(struct kafka_txn *txn, resumable_fn fn, const char *call, struct err *err)
{
	int64_t end = now_ms() + kafka_transaction_ms(txn->options);
	for (;;) {
		int64_t left = end - now_ms();
		if (left <= 0) {
			err_set(err, ERR_KAFKA_DEADLINE, "%s has no outcome after %d ms", call, kafka_transaction_ms(txn->options));
			return OP_EXIT;
		}
		int64_t began = now_ms();
		rd_kafka_error_t *error = fn(txn->producer, (int)left);
		if (error == NULL)
			return OP_DONE;
		enum op_result result = kafka_txn_classify(txn->producer, error, call, err);
		if (result != OP_RETRY)
			return result;
		if (now_ms() - began < REFUSED_PAUSE_MS)
			pause_ms(REFUSED_PAUSE_MS);
	}
}

static void forget_state_offsets(struct kafka_txn *txn)
{
	for (int32_t i = 0; i < txn->options->partition_count; i++)
		txn->state_last[i] = -1;
}

/* ---- steps */

static int fetch_longest_ms(const struct kafka_txn *txn)
{
	int half = kafka_transaction_ms(txn->options) / 2;
	return half < FETCH_LONGEST_MS ? half : FETCH_LONGEST_MS;
}

static enum op_result fetch_refused(struct kafka_txn *txn, const char *question, rd_kafka_resp_err_t code,
                                    int64_t began, struct err *err)
{
	err_set(err, ERR_KAFKA_UNAVAILABLE, "%s: %s", question, rd_kafka_err2str(code));
	kafka_log(txn->options, LEVEL_WARNING, "%s", err->text);
	int longest = fetch_longest_ms(txn);
	txn->fetch_ms = txn->fetch_ms * 2 < longest ? txn->fetch_ms * 2 : longest;
	if (now_ms() - began < REFUSED_PAUSE_MS)
		pause_ms(REFUSED_PAUSE_MS);
	return OP_RETRY;
}

static rd_kafka_resp_err_t ask_committed(struct kafka_txn *txn, int32_t shard)
{
	if (txn->fetched != NULL)
		rd_kafka_topic_partition_list_destroy(txn->fetched);
	txn->fetched = rd_kafka_topic_partition_list_new((int)txn->options->input_count);
	for (size_t i = 0; i < txn->options->input_count; i++)
		rd_kafka_topic_partition_list_add(txn->fetched, txn->options->inputs[i].topic, shard);
	rd_kafka_resp_err_t code = rd_kafka_committed(txn->consumer, txn->fetched, txn->fetch_ms);
	for (int i = 0; i < txn->fetched->cnt && code == RD_KAFKA_RESP_ERR_NO_ERROR; i++)
		code = txn->fetched->elems[i].err;
	return code;
}

/* read_committed makes committed() wait for pending transactions, and `high` the last stable offset. */
static enum op_result op_fetch(void *ctx, int32_t shard, struct commit_offset ret[COMMIT_TOPICS_MAX], struct err *err)
{
	struct kafka_txn *txn = ctx;
	failpoint(OPEN_FETCH);
	int64_t began = now_ms();
	rd_kafka_resp_err_t code = ask_committed(txn, shard);
	if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
		return fetch_refused(txn, "committed offsets", code, began, err);
	for (size_t i = 0; i < txn->options->input_count; i++) {
		const char *topic = txn->options->inputs[i].topic;
		const rd_kafka_topic_partition_t *at = rd_kafka_topic_partition_list_find(txn->fetched, topic, shard);
		ret[i].offset = at->offset >= 0 ? at->offset : -1;
		ret[i].metadata = (struct slice){at->metadata, at->metadata_size};
		int64_t left = began + fetch_longest_ms(txn) - now_ms();
		code = rd_kafka_query_watermark_offsets(txn->consumer, topic, shard, &ret[i].low, &ret[i].high,
		                                        left > FETCH_LEAST_MS ? (int)left : FETCH_LEAST_MS);
		if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
			return fetch_refused(txn, "watermarks", code, began, err);
	}
	txn->fetch_ms = FETCH_MS;
	return OP_DONE;
}

static enum op_result op_begin(void *ctx, struct err *err)
{
	struct kafka_txn *txn = ctx;
	failpoint(COMMIT_BEGIN);
	forget_state_offsets(txn);
	atomic_store(&txn->end_requests, 0);
	atomic_fetch_add(&txn->transactions, 1);
	rd_kafka_error_t *error = rd_kafka_begin_transaction(txn->producer);
	if (error == NULL)
		return OP_DONE;
	enum op_result result = kafka_txn_classify(txn->producer, error, "begin_transaction", err);
	return result == OP_RETRY ? OP_RETRY : OP_EXIT; /* nothing is open that could be aborted */
}

struct outgoing {
	int topic; /* index in txn->topics */
	int32_t partition;
	bool has_key, has_value;
	struct slice key, value;
	const struct header *headers;
	size_t header_count;
	void *mark;
};

static rd_kafka_headers_t *headers_of(const struct outgoing *out)
{
	rd_kafka_headers_t *headers = rd_kafka_headers_new(out->header_count);
	for (size_t i = 0; i < out->header_count; i++) {
		const struct header *at = &out->headers[i];
		rd_kafka_header_add(headers, at->name.len ? at->name.p : "", (ssize_t)at->name.len, at->value.p,
		                    (ssize_t)at->value.len);
	}
	return headers;
}

/* librdkafka tells a null key or value from an empty one by the pointer. */
static void *pointer_of(bool has, struct slice bytes)
{
	if (!has)
		return NULL;
	return bytes.p != NULL ? (void *)(uintptr_t)bytes.p : (void *)(uintptr_t) "";
}

static rd_kafka_resp_err_t produce_once(struct kafka_txn *txn, const struct outgoing *out)
{
	rd_kafka_headers_t *headers = headers_of(out);
	rd_kafka_resp_err_t code = rd_kafka_producev(
		txn->producer, RD_KAFKA_V_RKT(txn->topics[out->topic]), RD_KAFKA_V_PARTITION(out->partition),
		RD_KAFKA_V_KEY(pointer_of(out->has_key, out->key), out->key.len),
		RD_KAFKA_V_VALUE(pointer_of(out->has_value, out->value), out->value.len), RD_KAFKA_V_HEADERS(headers),
		RD_KAFKA_V_OPAQUE(out->mark), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
	if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
		rd_kafka_headers_destroy(headers);
	return code;
}

static enum op_result produce_refused(struct kafka_txn *txn, const struct outgoing *out, rd_kafka_resp_err_t code,
                                      struct err *err)
{
	char text[256];
	if (rd_kafka_fatal_error(txn->producer, text, sizeof text) != RD_KAFKA_RESP_ERR_NO_ERROR) {
		err_set(err, ERR_KAFKA_FATAL, "produce: %s", text);
		return OP_EXIT;
	}
	if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
		err_set(err, ERR_EVENT_TOO_LARGE, "a message of %zu bytes is larger than %s takes (max.message.bytes)",
		        out->key.len + out->value.len, kafka_txn_topic(txn, out->topic));
		return OP_TOO_LARGE;
	}
	err_set(err, ERR_KAFKA_ABORT, "produce to %s [%" PRId32 "]: %s", kafka_txn_topic(txn, out->topic), out->partition,
	        rd_kafka_err2str(code));
	return OP_ABORT;
}

/* librdkafka counts key and value only; the broker counts the batch. */
static bool fits(const struct kafka_txn *txn, const struct outgoing *out)
{
	size_t bytes = out->key.len + out->value.len + BATCH_OVERHEAD_BYTES;
	for (size_t i = 0; i < out->header_count; i++)
		bytes += out->headers[i].name.len + out->headers[i].value.len + HEADER_OVERHEAD_BYTES;
	return bytes <= (size_t)kafka_message_max_bytes(txn->options);
}

static rd_kafka_resp_err_t produce_when_there_is_room(struct kafka_txn *txn, const struct outgoing *out)
{
	int64_t end = now_ms() + kafka_transaction_ms(txn->options);
	rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__QUEUE_FULL;
	while (code == RD_KAFKA_RESP_ERR__QUEUE_FULL && now_ms() < end) {
		rd_kafka_poll(txn->producer, QUEUE_FULL_MS);
		code = produce_once(txn, out);
	}
	return code;
}

static enum op_result produce(struct kafka_txn *txn, const struct outgoing *out, struct err *err)
{
	if (!fits(txn, out))
		return produce_refused(txn, out, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, err);
	rd_kafka_resp_err_t code = produce_once(txn, out);
	if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL)
		code = produce_when_there_is_room(txn, out);
	return code == RD_KAFKA_RESP_ERR_NO_ERROR ? OP_DONE : produce_refused(txn, out, code, err);
}

/* Order per key holds because all events of a key go where it says; a reject, whose key is foreign, goes with its lead or
 * cause. */
static int32_t partition_of(const struct kafka_txn *txn, const struct event *event)
{
	struct slice by = event->subject.len > 0 ? event->subject : event->cause;
	if (event->topic != OUT_REJECTED && event->has_key)
		by = event->key;
	return rules_partition_of(by, txn->output_partitions[event->topic]);
}

static enum op_result op_produce_event(void *ctx, int32_t shard, const struct event *event, struct err *err)
{
	(void)shard;
	struct kafka_txn *txn = ctx;
	struct cloudevents_message message;
	failpoint(COMMIT_PRODUCE_EVENT);
	arena_reset(&txn->scratch);
	cloudevents_message(&txn->events, event, &txn->scratch, &message);
	struct outgoing out = {
		.topic = (int)event->topic,
		.partition = partition_of(txn, event),
		.has_key = event->has_key,
		.key = event->key,
		.has_value = message.has_value,
		.value = message.value,
		.headers = message.headers,
		.header_count = message.header_count,
	};
	enum op_result result = produce(txn, &out, err);
	if (result == OP_DONE)
		atomic_fetch_add(&txn->event_count, 1);
	return result;
}

static enum op_result produce_state(struct kafka_txn *txn, int32_t shard, struct slice key, bool has_value,
                                    struct slice value, const struct head *head, bool with_epoch, struct err *err)
{
	char seq[24], epoch[24];
	snprintf(seq, sizeof seq, "%" PRIu64, head->seq);
	snprintf(epoch, sizeof epoch, "%" PRIu64, head->epoch);
	const struct header headers[] = {
		{SLICE("q"), slice_of(seq)}, {SLICE("h"), slice_of(head->hash)}, {SLICE("e"), slice_of(epoch)}};
	struct outgoing out = {
		.topic = STATE_TOPIC,
		.partition = shard,
		.has_key = true,
		.key = key,
		.has_value = has_value,
		.value = value,
		.headers = headers,
		.header_count = with_epoch ? 3 : 2,
		.mark = (void *)((intptr_t)shard + 1),
	};
	enum op_result result = produce(txn, &out, err);
	if (result == OP_DONE)
		atomic_fetch_add(&txn->state_count, 1);
	return result;
}

static enum op_result op_produce_state(void *ctx, int32_t shard, const struct write *write, const struct head *head,
                                       struct err *err)
{
	failpoint(COMMIT_PRODUCE_STATE);
	return produce_state(ctx, shard, write->key, !write->is_tombstone, write->value, head, false, err);
}

static enum op_result op_produce_barrier(void *ctx, int32_t shard, const struct head *head, struct err *err)
{
	struct kafka_txn *txn = ctx;
	failpoint(OPEN_BARRIER);
	return produce_state(txn, shard, SLICE("barrier"), true, slice_of(txn->options->instance), head, true, err);
}

static enum op_result op_send_offsets(void *ctx, struct commit_token *token, size_t count, const int32_t *shards,
                                      const int64_t (*offsets)[COMMIT_TOPICS_MAX], const struct slice *metadata,
                                      struct err *err)
{
	struct kafka_txn *txn = ctx;
	size_t topics = txn->options->input_count;
	failpoint(COMMIT_OFFSETS);
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)(count * topics));
	for (size_t i = 0; i < count * topics; i++) {
		size_t shard = i / topics, topic = i % topics;
		rd_kafka_topic_partition_t *at =
			rd_kafka_topic_partition_list_add(list, txn->options->inputs[topic].topic, shards[shard]);
		at->offset = offsets[shard][topic];
		if (topic == 0) {
			at->metadata = xmemdupz(metadata[shard].p, metadata[shard].len); /* the list frees it */
			at->metadata_size = metadata[shard].len;
		}
	}
	rd_kafka_error_t *error = rd_kafka_send_offsets_to_transaction(txn->producer, list, commit_token_metadata(token),
	                                                               kafka_transaction_ms(txn->options));
	rd_kafka_topic_partition_list_destroy(list);
	if (error == NULL)
		return OP_DONE;
	enum op_result result = kafka_txn_classify(txn->producer, error, "send_offsets_to_transaction", err);
	return result == OP_RETRY ? OP_EXIT : result; /* not resumable: a copy of the request may still arrive */
}

static enum op_result op_commit(void *ctx, struct err *err)
{
	struct kafka_txn *txn = ctx;
	failpoint(COMMIT_BEFORE_COMMIT);
	enum op_result result = call_until_known(txn, rd_kafka_commit_transaction, "commit_transaction", err);
	if (result != OP_DONE)
		return result;
	rd_kafka_poll(txn->producer, 0); /* delivery reports that the commit left over */
	atomic_fetch_add(&txn->commits, 1);
	failpoint(COMMIT_AFTER_COMMIT);
	return OP_DONE;
}

static enum op_result op_abort(void *ctx, struct err *err)
{
	struct kafka_txn *txn = ctx;
	failpoint(ABORT);
	/* librdkafka #4849: an abort that overtakes AddPartitionsToTxn is answered INVALID_TXN_STATE, which is fatal. What was
	 * produced goes out first, so the broker knows the transaction that is to end. */
	rd_kafka_flush(txn->producer, ABORT_FLUSH_MS);
	enum op_result result = call_until_known(txn, rd_kafka_abort_transaction, "abort_transaction", err);
	if (result != OP_DONE)
		return OP_EXIT; /* an abort that cannot be done leaves nothing to do */
	rd_kafka_poll(txn->producer, 0);
	atomic_fetch_add(&txn->aborts, 1);
	return OP_DONE;
}

static int64_t op_state_offset(void *ctx, int32_t shard)
{
	const struct kafka_txn *txn = ctx;
	return txn->state_last[shard];
}

static bool op_was_resent(void *ctx)
{
	struct kafka_txn *txn = ctx;
	return atomic_load(&txn->wire_errors) > 0 || atomic_load(&txn->end_requests) > 1;
}

static enum op_result op_renew(void *ctx, struct err *err)
{
	struct kafka_txn *txn = ctx;
	failpoint(RENEW);
	kafka_log(txn->options, LEVEL_WARNING, "a request of the last transaction was sent again; the producer is made anew");
	kafka_txn_close_producer(txn);
	atomic_fetch_add(&txn->renewals, 1);
	if (kafka_txn_open_producer(txn, kafka_transaction_ms(txn->options), err) != 0)
		return OP_EXIT;
	enum op_result result = call_until_known(txn, rd_kafka_init_transactions, "init_transactions", err);
	return result == OP_DONE ? OP_DONE : OP_EXIT;
}

const struct commit_ops kafka_txn_ops = {
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

/* ---- life */

static int init_transactions(struct kafka_txn *txn, struct err *err)
{
	int64_t end = now_ms() + KAFKA_START_MS;
	enum op_result result;
	do {
		rd_kafka_error_t *error = rd_kafka_init_transactions(txn->producer, KAFKA_START_MS / 6);
		if (error == NULL)
			return 0;
		result = kafka_txn_classify(txn->producer, error, "init_transactions", err);
	} while (result == OP_RETRY && now_ms() < end);
	return -1;
}

struct kafka_txn *kafka_txn_new(const struct kafka_options *options, rd_kafka_t *consumer, struct err *err)
{
	struct kafka_txn *txn = xcalloc(1, sizeof *txn);
	txn->options = options;
	txn->consumer = consumer;
	txn->fetch_ms = FETCH_MS;
	txn->state_last = xcalloc((size_t)options->partition_count, sizeof *txn->state_last);
	txn->events = (struct cloudevents_options){options->event_source, options->event_type_prefix,
	                                           options->event_type_suffix, options->structured_events};
	if (kafka_txn_open_producer(txn, KAFKA_START_MS, err) == 0 && init_transactions(txn, err) == 0)
		return txn;
	kafka_txn_free(txn);
	return NULL;
}

void kafka_txn_free(struct kafka_txn *txn)
{
	if (txn == NULL)
		return;
	if (txn->fetched != NULL)
		rd_kafka_topic_partition_list_destroy(txn->fetched);
	kafka_txn_close_producer(txn);
	arena_done(&txn->scratch);
	free(txn->state_last);
	free(txn);
}

void kafka_txn_flush(struct kafka_txn *txn, int limit_ms)
{
	rd_kafka_flush(txn->producer, limit_ms);
}

struct kafka_txn_counters kafka_txn_counters(const struct kafka_txn *txn)
{
	return (struct kafka_txn_counters){
		.transactions = atomic_load(&txn->transactions),
		.commits = atomic_load(&txn->commits),
		.aborts = atomic_load(&txn->aborts),
		.renewals = atomic_load(&txn->renewals),
		.events = atomic_load(&txn->event_count),
		.state_records = atomic_load(&txn->state_count),
	};
}
