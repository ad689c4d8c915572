/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/kafka_tool.h"

#include <stdlib.h>
#include <string.h>

#include "rules/base/arena.h"
#include "rules/base/mem.h"
#include "rules/rules.h"

enum { QUESTION_MS = 10000, FULL_WAIT_MS = 100 };

/* ---- sending */

struct kafka_sender {
	const struct kafka_options *options; /* first: kafka_client's log looks here */
	rd_kafka_t *client;
	size_t failed_count;
};

static void on_delivered(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque)
{
	(void)client;
	struct kafka_sender *sender = opaque;
	sender->failed_count += message->err != RD_KAFKA_RESP_ERR_NO_ERROR;
}

struct kafka_sender *kafka_sender_new(const struct kafka_options *options, struct err *err)
{
	struct kafka_sender *sender = xcalloc(1, sizeof *sender);
	sender->options = options;
	rd_kafka_conf_t *conf = kafka_conf_sender(options, err);
	if (conf != NULL) {
		rd_kafka_conf_set_opaque(conf, sender);
		rd_kafka_conf_set_dr_msg_cb(conf, on_delivered);
		sender->client = kafka_client_new(RD_KAFKA_PRODUCER, conf, err);
	}
	if (sender->client != NULL)
		return sender;
	free(sender);
	return NULL;
}

void kafka_sender_free(struct kafka_sender *sender)
{
	if (sender == NULL)
		return;
	rd_kafka_destroy(sender->client);
	free(sender);
}

/* Partitions of one topic, or -1. */
static int32_t count_partitions(rd_kafka_t *client, const char *topic, struct err *err)
{
	const struct rd_kafka_metadata *metadata = NULL;
	int32_t count = -1;
	rd_kafka_topic_t *handle = rd_kafka_topic_new(client, topic, NULL);
	rd_kafka_resp_err_t code = handle ? rd_kafka_metadata(client, 0, handle, &metadata, QUESTION_MS) : rd_kafka_last_error();
	if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
		code = metadata != NULL && metadata->topic_cnt == 1 ? metadata->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
	if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
		count = metadata->topics[0].partition_cnt;
	else
		err_set(err, ERR_KAFKA_CLIENT, "topic %s: %s", topic, rd_kafka_err2str(code));
	if (metadata != NULL)
		rd_kafka_metadata_destroy(metadata);
	if (handle != NULL)
		rd_kafka_topic_destroy(handle);
	return count;
}

int32_t kafka_sender_partitions(struct kafka_sender *sender, const char *topic, struct err *err)
{
	return count_partitions(sender->client, topic, err);
}

int kafka_sender_put(struct kafka_sender *sender, const char *topic, int32_t partition, struct slice key,
                     struct slice value, struct err *err)
{
	for (;;) {
		rd_kafka_resp_err_t code = rd_kafka_producev(
			sender->client, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
			RD_KAFKA_V_KEY(key.p, key.len), RD_KAFKA_V_VALUE((void *)(uintptr_t)value.p, value.len),
			RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
		rd_kafka_poll(sender->client, code == RD_KAFKA_RESP_ERR__QUEUE_FULL ? FULL_WAIT_MS : 0);
		if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
			return 0;
		if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL)
			return err_set(err, ERR_KAFKA_CLIENT, "topic %s: %s", topic, rd_kafka_err2str(code));
	}
}

size_t kafka_sender_flush(struct kafka_sender *sender, int wait_ms)
{
	rd_kafka_flush(sender->client, wait_ms);
	return sender->failed_count + (size_t)rd_kafka_outq_len(sender->client);
}

/* ---- following */

struct kafka_follower {
	const struct kafka_options *options;
	rd_kafka_t *client;
	rd_kafka_message_t *message; /* given last */
	rd_kafka_topic_partition_list_t *partitions;
	int ended_count; /* of them were read to their end */
};

/* What a follower begins with; in place of an offset. */
enum { FROM_END = -1, FROM_START = -2 };

static int find_offsets(struct kafka_follower *follower, rd_kafka_topic_partition_list_t *list, struct err *err)
{
	rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(follower->client, list, QUESTION_MS);
	if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
		return err_set(err, ERR_KAFKA_CLIENT, "cannot find the offsets of that time: %s", rd_kafka_err2str(code));
	for (int i = 0; i < list->cnt; i++)
		if (list->elems[i].err != RD_KAFKA_RESP_ERR_NO_ERROR)
			return err_set(err, ERR_KAFKA_CLIENT, "cannot find the offset of that time in %s: %s", list->elems[i].topic,
			               rd_kafka_err2str(list->elems[i].err));
	return 0;
}

static int64_t first_offset(int64_t from_ms)
{
	return from_ms == FROM_START ? RD_KAFKA_OFFSET_BEGINNING : from_ms == FROM_END ? RD_KAFKA_OFFSET_END : from_ms;
}

static int assign(struct kafka_follower *follower, const char *const *topics, size_t count, int64_t from_ms,
                  struct err *err)
{
	rd_kafka_topic_partition_list_t *list = follower->partitions = rd_kafka_topic_partition_list_new(16);
	int result = 0;
	for (size_t i = 0; i < count && result == 0; i++) {
		int32_t partitions = count_partitions(follower->client, topics[i], err);
		result = partitions < 0 ? -1 : 0;
		for (int32_t p = 0; p < partitions; p++)
			rd_kafka_topic_partition_list_add(list, topics[i], p)->offset = first_offset(from_ms);
	}
	if (result == 0 && from_ms >= 0)
		result = find_offsets(follower, list, err);
	rd_kafka_resp_err_t code = result == 0 ? rd_kafka_assign(follower->client, list) : RD_KAFKA_RESP_ERR_NO_ERROR;
	if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
		result = err_set(err, ERR_KAFKA_CLIENT, "cannot follow: %s", rd_kafka_err2str(code));
	return result;
}

/* One that follows nothing yet. */
static struct kafka_follower *follower_open(const struct kafka_options *options, struct err *err)
{
	struct kafka_follower *follower = xcalloc(1, sizeof *follower);
	follower->options = options;
	rd_kafka_conf_t *conf = kafka_conf_reader(options, err);
	if (conf != NULL) {
		kafka_conf_own(conf, "group.id", "leadctl"); /* assign() wants one; it is never joined and nothing is committed */
		rd_kafka_conf_set_opaque(conf, follower);
		follower->client = kafka_client_new(RD_KAFKA_CONSUMER, conf, err);
	}
	if (follower->client != NULL) {
		rd_kafka_poll_set_consumer(follower->client);
		return follower;
	}
	kafka_follower_free(follower);
	return NULL;
}

static struct kafka_follower *follower_new(const struct kafka_options *options, const char *const *topics, size_t count,
                                           int64_t from_ms, struct err *err)
{
	struct kafka_follower *follower = follower_open(options, err);
	if (follower != NULL && assign(follower, topics, count, from_ms, err) == 0)
		return follower;
	kafka_follower_free(follower);
	return NULL;
}

struct kafka_follower *kafka_follower_new(const struct kafka_options *options, const char *const *topics, size_t count,
                                          bool from_start, struct err *err)
{
	return follower_new(options, topics, count, from_start ? FROM_START : FROM_END, err);
}

struct kafka_follower *kafka_follower_new_at(const struct kafka_options *options, const char *const *topics, size_t count,
                                             int64_t from_ms, struct err *err)
{
	return follower_new(options, topics, count, from_ms > 0 ? from_ms : FROM_START, err);
}

/* A mark in the list says that the partition's end was reached once. */
static void note_end(struct kafka_follower *follower, const rd_kafka_message_t *message)
{
	rd_kafka_topic_partition_t *partition = rd_kafka_topic_partition_list_find(
		follower->partitions, rd_kafka_topic_name(message->rkt), message->partition);
	if (partition == NULL || partition->opaque != NULL)
		return;
	partition->opaque = follower;
	follower->ended_count++;
}

bool kafka_follower_has_read_all(const struct kafka_follower *follower)
{
	return follower->ended_count == follower->partitions->cnt;
}

static void drop_message(struct kafka_follower *follower)
{
	if (follower->message != NULL)
		rd_kafka_message_destroy(follower->message);
	follower->message = NULL;
}

void kafka_follower_free(struct kafka_follower *follower)
{
	if (follower == NULL)
		return;
	drop_message(follower);
	if (follower->client != NULL) {
		rd_kafka_consumer_close(follower->client);
		rd_kafka_destroy(follower->client);
	}
	if (follower->partitions != NULL)
		rd_kafka_topic_partition_list_destroy(follower->partitions);
	free(follower);
}

int kafka_follower_next(struct kafka_follower *follower, int wait_ms, struct kafka_seen *ret, struct err *err)
{
	drop_message(follower);
	rd_kafka_message_t *message = follower->message = rd_kafka_consumer_poll(follower->client, wait_ms);
	if (message != NULL && message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
		note_end(follower, message);
	if (message == NULL || message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF || message->err == RD_KAFKA_RESP_ERR__TRANSPORT ||
	    message->err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
		return 0;
	if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
		return err_set(err, ERR_KAFKA_CLIENT, "following failed: %s", rd_kafka_message_errstr(message));
	*ret = (struct kafka_seen){
		.topic = rd_kafka_topic_name(message->rkt),
		.partition = message->partition,
		.offset = message->offset,
		.timestamp_ms = rd_kafka_message_timestamp(message, NULL),
		.key = {message->key, message->key_len},
		.value = {message->payload, message->len},
	};
	return 1;
}

struct slice kafka_follower_header(const struct kafka_follower *follower, const char *name)
{
	rd_kafka_headers_t *headers;
	const void *value;
	size_t len;
	if (follower->message == NULL || rd_kafka_message_headers(follower->message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
	    rd_kafka_header_get_last(headers, name, &value, &len) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return SLICE_NONE;
	return (struct slice){value, len};
}

/* ---- one record */

static int assign_one(struct kafka_follower *follower, const char *topic, int32_t partition, int64_t offset, struct err *err)
{
	follower->partitions = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_list_add(follower->partitions, topic, partition)->offset = offset;
	rd_kafka_resp_err_t code = rd_kafka_assign(follower->client, follower->partitions);
	if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
		return 0;
	return err_set(err, ERR_KAFKA_CLIENT, "cannot read %s: %s", topic, rd_kafka_err2str(code));
}

static struct slice copy(struct arena *arena, const void *bytes, size_t len)
{
	return (struct slice){bytes != NULL ? arena_memdupz(arena, bytes, len) : NULL, len};
}

static void copy_headers(rd_kafka_message_t *message, struct arena *arena, struct record *record)
{
	rd_kafka_headers_t *headers;
	rd_kafka_resp_err_t code = rd_kafka_message_headers(message, &headers);
	record->has_unreadable_headers = code != RD_KAFKA_RESP_ERR_NO_ERROR && code != RD_KAFKA_RESP_ERR__NOENT;
	if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
		return;
	size_t count = rd_kafka_header_cnt(headers);
	struct header *items = arena_array(arena, count, sizeof *items);
	for (size_t i = 0; i < count; i++) {
		const char *name = NULL;
		const void *value = NULL;
		size_t len = 0;
		rd_kafka_header_get_all(headers, i, &name, &value, &len);
		items[i] = (struct header){copy(arena, name, strlen(name)), copy(arena, value, len)};
	}
	record->headers = items;
	record->header_count = count;
}

static void copy_record(const struct kafka_follower *follower, const struct kafka_seen *seen, struct arena *arena,
                        struct record *ret)
{
	struct slice topic = slice_of(seen->topic);
	*ret = (struct record){
		.kind = RECORD_CAPTURED,
		.topic = copy(arena, topic.p, topic.len),
		.partition = seen->partition,
		.offset = seen->offset,
		.timestamp_ms = seen->timestamp_ms,
		.key = copy(arena, seen->key.p, seen->key.len),
		.value = copy(arena, seen->value.p, seen->value.len),
		.has_key = seen->key.p != NULL,
		.has_value = seen->value.p != NULL,
	};
	copy_headers(follower->message, arena, ret);
}

/* The next record behind a gap is another one: what was asked for is not there. */
static int read_assigned(struct kafka_follower *follower, int64_t offset, struct arena *arena, struct record *ret,
                         struct err *err)
{
	for (int waited_ms = 0; waited_ms < QUESTION_MS; waited_ms += FULL_WAIT_MS) {
		struct kafka_seen seen = {.offset = -1};
		int found = kafka_follower_next(follower, FULL_WAIT_MS, &seen, err);
		if (found > 0 && seen.offset == offset)
			copy_record(follower, &seen, arena, ret);
		if (found != 0)
			return found < 0 ? -1 : seen.offset == offset;
		if (kafka_follower_has_read_all(follower))
			return 0;
	}
	return err_set(err, ERR_KAFKA_CLIENT, "the record did not come within %d s", QUESTION_MS / 1000);
}

int kafka_read_record(const struct kafka_options *options, const char *topic, int32_t partition, int64_t offset,
                      struct arena *arena, struct record *ret, int64_t *ret_lowest, struct err *err)
{
	int64_t end = 0;
	int32_t partitions = 0;
	struct kafka_follower *follower = follower_open(options, err);
	if (follower == NULL)
		return -1;
	int result = -1;
	*ret_lowest = 0;
	rd_kafka_resp_err_t code =
		rd_kafka_query_watermark_offsets(follower->client, topic, partition, ret_lowest, &end, QUESTION_MS);
	if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
		err_set(err, ERR_KAFKA_CLIENT, "topic %s: %s", topic, rd_kafka_err2str(code));
	else if (offset < *ret_lowest || offset >= end)
		result = 0;
	else if ((partitions = count_partitions(follower->client, topic, err)) >= 0 &&
	         assign_one(follower, topic, partition, offset, err) == 0)
		result = read_assigned(follower, offset, arena, ret, err);
	if (result > 0)
		ret->partition_count = partitions;
	kafka_follower_free(follower);
	return result;
}
