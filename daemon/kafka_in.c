/* SPDX-License-Identifier: Apache-2.0
 *
 * kafka_in.h over librdkafka's consumer: eager `range`, one message at a time.
 *
 *     queue of the consumer ──(event fd, empty → non-empty only)──► drain: at most a turn's records, then again soon
 *                           ──(every half second)─────────────────►
 *
 * Positions (read in librdkafka 2.0.2's source, and why it is done so):
 *   - A partition is assigned without a position, paused at once, and gets its position by rd_kafka_seek_partitions().
 *     A seek raises the partition's version in the calling thread before it returns; everything that was fetched or is on
 *     its way carries an older version and is thrown away when the queue is popped or the response is parsed. So nothing
 *     fetched before comes after. The fetcher takes the absolute offset as it is, so nothing is skipped.
 *   - A seek is refused (_STATE) while the fetcher of the partition has not started: its start offset is still being asked
 *     for, or an offset out of range has stopped it. Then the whole assignment is given again with explicit offsets
 *     (`reassign`); partitions that run are fetched again from their next record.
 *   - Logical start offsets (end, beginning) are never used: in 2.0.2 a late ListOffsets answer restarts the query and
 *     would overwrite a seek. Stored ones are asked for by the assignment, not by the fetcher, and do not.
 *   - Whatever comes below the position is dropped here all the same (L9–L11), and rd_kafka_consume_batch*() is not used.
 */
#include "daemon/kafka_in.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "daemon/commit_token.h"
#include "daemon/kafka_in_kafka.h"
#include "rules/base/mem.h"

/* One shard as the consumer sees it. */
struct place {
	bool is_assigned[COMMIT_TOPICS_MAX];
	int64_t next[COMMIT_TOPICS_MAX]; /* next offset wanted; -1 until the first seek of this assignment */
	bool is_told;                    /* its owner holds it */
	bool is_paused;
};

struct kafka_in {
	const struct kafka_options *options; /* first: the log callback finds it here */
	struct loop *loop;
	struct kafka_in_events events;
	rd_kafka_t *rk;
	rd_kafka_queue_t *queue;
	int wake_fd;
	struct loop_watch *watch;
	struct loop_timer *timer;   /* the next drain: at once after a full turn, else the half-second poll */
	struct commit_token *token; /* of the generation we are in; NULL between generations */
	struct place *places;       /* one per partition number */
	size_t topic_count;
	int32_t partition_count;
	bool is_closed;
	struct kafka_in_counters counters;
};

/* What the owner gets; `headers` lie behind it. */
struct message {
	struct kafka_message open;
	rd_kafka_message_t *rkm;
	struct header headers[];
};

enum { LEVEL_ERROR = 3, LEVEL_WARNING = 4, LEVEL_NOTICE = 5 };

/* ---- assignment */

static int topic_index(const struct kafka_in *in, const char *name)
{
	for (size_t i = 0; i < in->topic_count; i++)
		if (strcmp(in->options->inputs[i].topic, name) == 0)
			return (int)i;
	return -1;
}

static bool is_complete(const struct kafka_in *in, const struct place *place)
{
	for (size_t i = 0; i < in->topic_count; i++)
		if (!place->is_assigned[i])
			return false;
	return true;
}

static void forget_place(struct place *place)
{
	*place = (struct place){.is_paused = true};
	for (size_t i = 0; i < COMMIT_TOPICS_MAX; i++)
		place->next[i] = -1;
}

static void drop_token(struct kafka_in *in)
{
	if (in->token != NULL)
		commit_token_unref(in->token);
	in->token = NULL;
}

static void tell_revoked(struct kafka_in *in, bool is_lost)
{
	for (int32_t shard = 0; shard < in->partition_count; shard++) {
		struct place *place = &in->places[shard];
		if (place->is_told) {
			place->is_told = false;
			in->events.on_revoked(in->events.ctx, shard, is_lost);
		}
		forget_place(place);
	}
}

static void tell_assigned(struct kafka_in *in)
{
	for (int32_t shard = 0; shard < in->partition_count && in->token != NULL; shard++) {
		struct place *place = &in->places[shard];
		bool any = false;
		for (size_t i = 0; i < in->topic_count; i++)
			any = any || place->is_assigned[i];
		if (!any)
			continue;
		place->is_told = true;
		in->events.on_assigned(in->events.ctx, shard, in->token, is_complete(in, place));
	}
}

/* Notes what is ours; what cannot be a shard (partitions added later) is left out and said. */
static rd_kafka_topic_partition_list_t *note_assignment(struct kafka_in *in,
                                                        const rd_kafka_topic_partition_list_t *partitions)
{
	rd_kafka_topic_partition_list_t *kept = rd_kafka_topic_partition_list_new(partitions->cnt);
	for (int i = 0; i < partitions->cnt; i++) {
		const rd_kafka_topic_partition_t *at = &partitions->elems[i];
		int topic = topic_index(in, at->topic);
		if (topic < 0 || at->partition < 0 || at->partition >= in->partition_count) {
			kafka_log(in->options, LEVEL_ERROR,
			          "%s [%" PRId32 "] is not read: the partition count was %" PRId32 " at start and must not change", at->topic,
			          at->partition, in->partition_count);
			continue;
		}
		in->places[at->partition].is_assigned[topic] = true;
		rd_kafka_topic_partition_list_add(kept, at->topic, at->partition);
	}
	return kept;
}

static void on_assign(struct kafka_in *in, const rd_kafka_topic_partition_list_t *partitions)
{
	struct err err = ERR_INIT;
	in->counters.assignments++;
	tell_revoked(in, true); /* eager: there is nothing left, or we missed that it was lost */
	drop_token(in);
	in->token = commit_token_new(in->rk, &err); /* now, in the callback that gives the partitions (law 3) */
	if (in->token == NULL)
		kafka_log(in->options, LEVEL_WARNING, "assignment without a generation: %s; waiting for the next one", err.text);
	rd_kafka_topic_partition_list_t *kept = note_assignment(in, partitions);
	rd_kafka_assign(in->rk, kept);
	rd_kafka_pause_partitions(in->rk, kept);
	rd_kafka_topic_partition_list_destroy(kept);
	tell_assigned(in);
}

static void on_revoke(struct kafka_in *in)
{
	bool is_lost = rd_kafka_assignment_lost(in->rk) != 0;
	in->counters.revocations++;
	in->counters.lost += is_lost;
	tell_revoked(in, is_lost);
	drop_token(in);
	rd_kafka_assign(in->rk, NULL);
}

static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *partitions, void *ctx)
{
	(void)rk;
	struct kafka_in *in = ctx;
	if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
		on_assign(in, partitions);
		return;
	}
	if (code != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS)
		kafka_log(in->options, LEVEL_ERROR, "rebalance failed: %s", rd_kafka_err2str(code));
	on_revoke(in);
}

/* ---- position */

static rd_kafka_topic_partition_list_t *list_of(const struct kafka_in *in, int32_t shard)
{
	const struct place *place = &in->places[shard];
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)in->topic_count);
	for (size_t i = 0; i < in->topic_count; i++)
		if (place->is_assigned[i])
			rd_kafka_topic_partition_list_add(list, in->options->inputs[i].topic, shard)->offset = place->next[i];
	return list;
}

static void pause_again(struct kafka_in *in)
{
	for (int32_t shard = 0; shard < in->partition_count; shard++) {
		if (!in->places[shard].is_paused)
			continue;
		rd_kafka_topic_partition_list_t *list = list_of(in, shard);
		rd_kafka_pause_partitions(in->rk, list);
		rd_kafka_topic_partition_list_destroy(list);
	}
}

/* Starts every fetcher anew: at its next record where there is a position, at the committed offset (and paused) where
 * there is none yet. */
static int reassign(struct kafka_in *in, struct err *err)
{
	rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new(16);
	for (int32_t shard = 0; shard < in->partition_count; shard++)
		for (size_t i = 0; i < in->topic_count; i++) {
			const struct place *place = &in->places[shard];
			if (place->is_assigned[i])
				rd_kafka_topic_partition_list_add(all, in->options->inputs[i].topic, shard)->offset =
					place->next[i] >= 0 ? place->next[i] : RD_KAFKA_OFFSET_STORED;
		}
	in->counters.reassigns++;
	rd_kafka_resp_err_t code = rd_kafka_assign(in->rk, all);
	rd_kafka_topic_partition_list_destroy(all);
	if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
		return err_set(err, ERR_NOT_ASSIGNED, "the client refuses the positions: %s", rd_kafka_err2str(code));
	pause_again(in);
	return 0;
}

/* Up to 2.0.2 rd_kafka_seek_partitions() takes its milliseconds for microseconds while it waits. */
static int seek_limit(void)
{
	enum { MENDED = 0x02010000 };
	return rd_kafka_version() < MENDED ? KAFKA_IN_SEEK_MS * 1000 : KAFKA_IN_SEEK_MS;
}

/* 0: done; 1: some fetcher could not be moved; -1 with *err. */
static int seek_list(struct kafka_in *in, rd_kafka_topic_partition_list_t *list, struct err *err)
{
	rd_kafka_error_t *error = rd_kafka_seek_partitions(in->rk, list, seek_limit());
	if (error != NULL) {
		err_set(err, ERR_NOT_ASSIGNED, "seek: %s", rd_kafka_error_string(error));
		rd_kafka_error_destroy(error);
		return -1;
	}
	for (int i = 0; i < list->cnt; i++)
		if (list->elems[i].err != RD_KAFKA_RESP_ERR_NO_ERROR)
			return 1;
	return 0;
}

int kafka_in_seek(struct kafka_in *in, int32_t shard, const int64_t offsets[COMMIT_TOPICS_MAX], struct err *err)
{
	if (shard < 0 || shard >= in->partition_count || in->is_closed || !is_complete(in, &in->places[shard]))
		return err_set(err, ERR_NOT_ASSIGNED, "partition %" PRId32 " is not assigned", shard);
	struct place *place = &in->places[shard];
	for (size_t i = 0; i < in->topic_count; i++)
		place->next[i] = offsets[i];
	rd_kafka_topic_partition_list_t *list = list_of(in, shard);
	int result = seek_list(in, list, err);
	rd_kafka_topic_partition_list_destroy(list);
	return result == 1 ? reassign(in, err) : result;
}

void kafka_in_pause(struct kafka_in *in, int32_t shard)
{
	struct place *place = &in->places[shard];
	if (place->is_paused || in->is_closed)
		return;
	place->is_paused = true;
	rd_kafka_topic_partition_list_t *list = list_of(in, shard);
	rd_kafka_pause_partitions(in->rk, list);
	rd_kafka_topic_partition_list_destroy(list);
}

static bool has_position(const struct kafka_in *in, const struct place *place)
{
	for (size_t i = 0; i < in->topic_count; i++)
		if (place->is_assigned[i] && place->next[i] < 0)
			return false;
	return true;
}

/* A thread of librdkafka that has nothing to fetch sleeps for a second, and a resume does not wake it. A seek does: to where
 * we are, and nobody waits for it. */
static void resume_list(struct kafka_in *in, rd_kafka_topic_partition_list_t *list, bool has_positions)
{
	rd_kafka_resume_partitions(in->rk, list);
	if (!has_positions)
		return;
	rd_kafka_error_t *error = rd_kafka_seek_partitions(in->rk, list, 0);
	if (error != NULL)
		rd_kafka_error_destroy(error); /* then it wakes up by itself */
}

void kafka_in_resume(struct kafka_in *in, int32_t shard)
{
	struct place *place = &in->places[shard];
	if (!place->is_paused || in->is_closed || !place->is_told)
		return;
	place->is_paused = false;
	rd_kafka_topic_partition_list_t *list = list_of(in, shard);
	resume_list(in, list, has_position(in, place));
	rd_kafka_topic_partition_list_destroy(list);
}

/* ---- records */

/* What librdkafka keeps of each header beside its bytes; a record of empty headers costs a hundred times its size. */
enum { CLIENT_HEADER_BYTES = 160 };

static size_t header_count(rd_kafka_message_t *rkm, rd_kafka_headers_t **ret_headers, bool *ret_unreadable)
{
	*ret_headers = NULL;
	rd_kafka_resp_err_t code = rd_kafka_message_headers(rkm, ret_headers);
	*ret_unreadable = code != RD_KAFKA_RESP_ERR_NO_ERROR && code != RD_KAFKA_RESP_ERR__NOENT;
	return code == RD_KAFKA_RESP_ERR_NO_ERROR ? rd_kafka_header_cnt(*ret_headers) : 0;
}

static void fill_headers(struct message *message, const rd_kafka_headers_t *headers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *name = NULL;
		const void *value = NULL;
		size_t len = 0;
		rd_kafka_header_get_all(headers, i, &name, &value, &len);
		message->headers[i] = (struct header){slice_of(name), {value, len}};
		message->open.bytes += message->headers[i].name.len + len;
	}
	message->open.record.headers = message->headers;
	message->open.record.header_count = count;
}

/* The number of headers is bounded by the size of the message, which the consumer's fetch limits bound. */
static struct message *message_new(struct kafka_in *in, rd_kafka_message_t *take_rkm, size_t topic)
{
	rd_kafka_headers_t *headers;
	rd_kafka_timestamp_type_t type;
	bool is_unreadable;
	size_t count = header_count(take_rkm, &headers, &is_unreadable);
	struct message *message = xcalloc(1, sizeof *message + count * sizeof(struct header));
	message->rkm = take_rkm;
	message->open.topic = topic;
	message->open.bytes = take_rkm->key_len + take_rkm->len + sizeof *message +
	                      count * (sizeof(struct header) + CLIENT_HEADER_BYTES);
	message->open.record = (struct record){
		.kind = in->options->inputs[topic].kind,
		.topic = slice_of(in->options->inputs[topic].topic),
		.partition = take_rkm->partition,
		.offset = take_rkm->offset,
		.timestamp_ms = rd_kafka_message_timestamp(take_rkm, &type),
		.key = {take_rkm->key, take_rkm->key_len},
		.value = {take_rkm->payload, take_rkm->len},
		.has_key = take_rkm->key != NULL,
		.has_value = take_rkm->payload != NULL,
		.partition_count = in->partition_count,
		.has_unreadable_headers = is_unreadable,
	};
	fill_headers(message, headers, count);
	return message;
}

void kafka_in_message_free(struct kafka_message *take_message)
{
	if (take_message == NULL)
		return;
	struct message *message = (struct message *)take_message; /* `open` is its first member */
	rd_kafka_message_destroy(message->rkm);
	free(message);
}

static void hand_on(struct kafka_in *in, rd_kafka_message_t *take_rkm)
{
	int topic = topic_index(in, rd_kafka_topic_name(take_rkm->rkt));
	int32_t shard = take_rkm->partition;
	bool is_known = topic >= 0 && shard >= 0 && shard < in->partition_count;
	struct place *place = is_known ? &in->places[shard] : NULL;
	if (place == NULL || !place->is_told || place->next[topic] < 0 || take_rkm->offset < place->next[topic]) {
		in->counters.dropped++;
		rd_kafka_message_destroy(take_rkm);
		return;
	}
	place->next[topic] = take_rkm->offset + 1;
	struct message *message = message_new(in, take_rkm, (size_t)topic);
	in->counters.records++;
	in->counters.bytes += message->open.bytes;
	in->events.on_message(in->events.ctx, shard, &message->open);
}

/* The fetcher of this partition has stopped: there is no record at our position. The shard opens anew; its claim compares
 * the committed offset with the log and stops the shard with the reason if it is outside. */
static void on_lost_position(struct kafka_in *in, const rd_kafka_message_t *rkm)
{
	int32_t shard = rkm->partition;
	if (topic_index(in, rd_kafka_topic_name(rkm->rkt)) < 0 || shard < 0 || shard >= in->partition_count)
		return;
	struct place *place = &in->places[shard];
	if (!place->is_told || place->next[0] < 0)
		return; /* it has no position yet: the claim looks at the offsets anyway */
	in->counters.lost_positions++;
	kafka_in_pause(in, shard);
	for (size_t i = 0; i < in->topic_count; i++)
		place->next[i] = -1;
	in->events.on_revoked(in->events.ctx, shard, false);
	in->events.on_assigned(in->events.ctx, shard, in->token, is_complete(in, place));
}

static void on_error_message(struct kafka_in *in, rd_kafka_message_t *take_rkm)
{
	char fatal[256];
	bool has_place = take_rkm->rkt != NULL;
	if (rd_kafka_fatal_error(in->rk, fatal, sizeof fatal) != RD_KAFKA_RESP_ERR_NO_ERROR)
		kafka_exit(in->options, "consumer", fatal);
	kafka_log(in->options, LEVEL_WARNING, "consumer: %s%s%s", has_place ? rd_kafka_topic_name(take_rkm->rkt) : "",
	          has_place ? ": " : "", rd_kafka_message_errstr(take_rkm));
	if (take_rkm->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET && has_place && in->token != NULL)
		on_lost_position(in, take_rkm);
	rd_kafka_message_destroy(take_rkm);
}

static int on_stats(rd_kafka_t *rk, char *json, size_t len, void *ctx)
{
	(void)rk;
	struct kafka_in *in = ctx;
	in->options->stats(in->options->stats_ctx, json, len);
	return 0; /* librdkafka frees it */
}

/* ---- the loop */

/* Drains to empty, because the event fd tells empty → non-empty only (L16); but the loop gets a turn in between. */
static void drain(void *ctx)
{
	struct kafka_in *in = ctx;
	int left = KAFKA_IN_TURN_RECORDS;
	while (left > 0 && !in->is_closed) {
		rd_kafka_message_t *rkm = rd_kafka_consumer_poll(in->rk, 0);
		if (rkm == NULL)
			break;
		left--;
		if (rkm->err != RD_KAFKA_RESP_ERR_NO_ERROR)
			on_error_message(in, rkm);
		else
			hand_on(in, rkm);
	}
	if (!in->is_closed)
		loop_timer_start(in->timer, left == 0 ? 0 : KAFKA_IN_POLL_MS);
}

static void on_wake(void *ctx)
{
	struct kafka_in *in = ctx;
	uint64_t count;
	ssize_t got = read(in->wake_fd, &count, sizeof count);
	(void)got; /* EAGAIN: somebody drained already */
	drain(in);
}

/* ---- life */

static int open_wake(struct kafka_in *in, struct err *err)
{
	static const uint64_t ONE = 1;
	in->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (in->wake_fd < 0)
		return err_set(err, ERR_KAFKA_CLIENT, "eventfd: %s", strerror(errno));
	rd_kafka_poll_set_consumer(in->rk);
	in->queue = rd_kafka_queue_get_consumer(in->rk);
	rd_kafka_queue_io_event_enable(in->queue, in->wake_fd, &ONE, sizeof ONE);
	return 0;
}

struct kafka_in *kafka_in_new(struct loop *loop, const struct kafka_options *options, struct err *err)
{
	struct kafka_in *in = xcalloc(1, sizeof *in);
	in->options = options;
	in->loop = loop;
	in->wake_fd = -1;
	in->topic_count = options->input_count;
	in->partition_count = options->partition_count;
	in->places = xcalloc((size_t)in->partition_count, sizeof *in->places);
	for (int32_t i = 0; i < in->partition_count; i++)
		forget_place(&in->places[i]);
	rd_kafka_conf_t *conf = kafka_conf_consumer(options, err);
	if (conf == NULL)
		goto fail;
	rd_kafka_conf_set_opaque(conf, in);
	rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
	if (options->stats != NULL)
		rd_kafka_conf_set_stats_cb(conf, on_stats);
	in->rk = kafka_client_new(RD_KAFKA_CONSUMER, conf, err);
	if (in->rk == NULL || open_wake(in, err) != 0)
		goto fail;
	in->timer = loop_timer_new(loop, drain, in);
	return in;
fail:
	kafka_in_free(in);
	return NULL;
}

void kafka_in_listen(struct kafka_in *in, const struct kafka_in_events *events)
{
	in->events = *events;
}

int kafka_in_start(struct kafka_in *in, struct err *err)
{
	rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new((int)in->topic_count);
	for (size_t i = 0; i < in->topic_count; i++)
		rd_kafka_topic_partition_list_add(topics, in->options->inputs[i].topic, RD_KAFKA_PARTITION_UA);
	rd_kafka_resp_err_t code = rd_kafka_subscribe(in->rk, topics);
	rd_kafka_topic_partition_list_destroy(topics);
	if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
		return err_set(err, ERR_KAFKA_CLIENT, "subscribe: %s", rd_kafka_err2str(code));
	in->watch = loop_watch_readable(in->loop, in->wake_fd, on_wake, in);
	loop_timer_start(in->timer, 0); /* the one unconditional drain: what came before is not signalled */
	return 0;
}

rd_kafka_t *kafka_in_consumer(struct kafka_in *in)
{
	return in->rk;
}

const struct kafka_in_counters *kafka_in_counters(const struct kafka_in *in)
{
	return &in->counters;
}

void kafka_in_close(struct kafka_in *in)
{
	if (in->is_closed || in->rk == NULL)
		return;
	in->is_closed = true;
	loop_watch_free(in->watch);
	in->watch = NULL;
	loop_timer_free(in->timer);
	in->timer = NULL;
	rd_kafka_consumer_close(in->rk); /* serves the rebalance callback */
	tell_revoked(in, true);          /* what a close without a group did not tell */
	drop_token(in);
}

void kafka_in_free(struct kafka_in *in)
{
	if (in == NULL)
		return;
	kafka_in_close(in);
	if (in->queue != NULL) {
		rd_kafka_queue_io_event_enable(in->queue, -1, NULL, 0);
		rd_kafka_queue_destroy(in->queue);
	}
	if (in->rk != NULL)
		rd_kafka_destroy(in->rk);
	if (in->wake_fd >= 0)
		close(in->wake_fd);
	free(in->places);
	free(in);
}
