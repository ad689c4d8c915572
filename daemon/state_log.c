/* SPDX-License-Identifier: Apache-2.0
 *
 * state_log.h over librdkafka's per-partition consumer: one client for all shards, one queue with an event fd per reader,
 * no group and no offsets of its own. A reader that is paused simply takes nothing from its queue; librdkafka stops
 * fetching when the queue is full.
 *
 * Where it ends: a record at or behind the barrier, or an end-of-partition whose position is behind it. Ends below the
 * barrier are not the end: a transaction that is still open holds the last stable offset there (W12).
 */
#include "daemon/state_log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "daemon/head.h"
#include "daemon/state_log_kafka.h"
#include "rules/base/mem.h"

enum { SEQ_DIGITS_MAX = 20, LEVEL_WARNING = 4 };

struct state_log {
	const struct kafka_options *options; /* first: the log callback finds it here */
	struct loop *loop;
	rd_kafka_t *rk;
	rd_kafka_topic_t *topic;
	int64_t retention_ms;
	struct state_log_reader *readers;
};

struct state_log_reader {
	struct state_log_reader *next;
	struct state_log *log;
	struct state_log_events events;
	int32_t shard;
	int64_t barrier;
	int64_t position; /* next offset wanted; -1: the start of the log, not known yet */
	rd_kafka_queue_t *queue;
	int wake_fd;
	struct loop_watch *watch;
	struct loop_timer *timer;
	bool is_started, is_paused;
	bool is_calling, is_cancelled; /* cancelled inside its own callback: freed when that returns */
	struct err failure;            /* when it could not be started */
};

static void reader_free(struct state_log_reader *reader)
{
	struct state_log_reader **link = &reader->log->readers;
	while (*link != reader)
		link = &(*link)->next;
	*link = reader->next;
	loop_watch_free(reader->watch);
	loop_timer_free(reader->timer);
	if (reader->is_started)
		rd_kafka_consume_stop(reader->log->topic, reader->shard);
	if (reader->queue != NULL) {
		rd_kafka_queue_io_event_enable(reader->queue, -1, NULL, 0);
		rd_kafka_queue_destroy(reader->queue);
	}
	if (reader->wake_fd >= 0)
		close(reader->wake_fd);
	free(reader);
}

static void finish(struct state_log_reader *reader, enum state_log_end end, const struct err *err)
{
	reader->is_calling = true;
	reader->events.on_end(reader->events.ctx, end, err);
	reader_free(reader);
}

/* ---- records */

static bool header_of(const rd_kafka_headers_t *headers, const char *name, struct slice *ret)
{
	const void *value = NULL;
	size_t len = 0;
	if (headers == NULL || rd_kafka_header_get_last(headers, name, &value, &len) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return false;
	*ret = (struct slice){value, len};
	return value != NULL;
}

static bool parse_seq(struct slice text, uint64_t *ret)
{
	uint64_t seq = 0;
	if (text.len == 0 || text.len > SEQ_DIGITS_MAX)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		unsigned digit = (unsigned)(unsigned char)text.p[i] - '0';
		if (digit > 9 || seq > (UINT64_MAX - digit) / 10)
			return false;
		seq = seq * 10 + digit;
	}
	*ret = seq;
	return true;
}

static bool parse_record(rd_kafka_message_t *rkm, struct state_record *ret)
{
	rd_kafka_headers_t *headers = NULL;
	struct slice seq;
	rd_kafka_message_headers(rkm, &headers);
	*ret = (struct state_record){.offset = rkm->offset,
	                             .key = {rkm->key, rkm->key_len},
	                             .value = {rkm->payload, rkm->len},
	                             .is_tombstone = rkm->payload == NULL};
	ret->is_barrier = slice_is(ret->key, "barrier");
	return ret->key.len > 0 && header_of(headers, "q", &seq) && parse_seq(seq, &ret->seq) &&
	       header_of(headers, "h", &ret->hash) && head_is_hash(ret->hash);
}

enum next { NEXT_GO_ON, NEXT_ENDED };

static enum next take_record(struct state_log_reader *reader, rd_kafka_message_t *rkm)
{
	struct state_record record;
	struct err err = ERR_INIT;
	if (rkm->offset > reader->barrier) {
		finish(reader, STATE_LOG_DONE, &err);
		return NEXT_ENDED;
	}
	if (!parse_record(rkm, &record)) {
		err_set(&err, ERR_FOREIGN_STATE, "%s [%" PRId32 "] offset %" PRId64 ": no key, or no headers q and h",
		        reader->log->options->state_topic, reader->shard, rkm->offset);
		finish(reader, STATE_LOG_FOREIGN, &err);
		return NEXT_ENDED;
	}
	reader->position = rkm->offset + 1;
	reader->is_calling = true;
	bool wants_more = reader->events.on_record(reader->events.ctx, &record);
	reader->is_calling = false;
	if (reader->is_cancelled) {
		reader_free(reader);
		return NEXT_ENDED;
	}
	reader->is_paused = !wants_more;
	return NEXT_GO_ON;
}

static enum next take_error(struct state_log_reader *reader, const rd_kafka_message_t *rkm)
{
	struct err err = ERR_INIT;
	if (rkm->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
		if (reader->position < rkm->offset)
			reader->position = rkm->offset;
		return NEXT_GO_ON;
	}
	if (rkm->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET || rkm->err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) {
		err_set(&err, ERR_LOG_TRUNCATED, "%s [%" PRId32 "] has no offset %" PRId64 " any more",
		        reader->log->options->state_topic, reader->shard, reader->position);
		finish(reader, STATE_LOG_TRUNCATED, &err);
		return NEXT_ENDED;
	}
	err_set(&err, ERR_KAFKA_UNAVAILABLE, "%s [%" PRId32 "]: %s", reader->log->options->state_topic, reader->shard,
	        rd_kafka_message_errstr(rkm));
	finish(reader, STATE_LOG_FAILED, &err);
	return NEXT_ENDED;
}

/* The end may only be told while nothing is paused: the owner has not taken in the last record yet. */
static enum next end_when_behind_barrier(struct state_log_reader *reader)
{
	struct err none = ERR_INIT;
	if (reader->is_paused || reader->position <= reader->barrier)
		return NEXT_GO_ON;
	finish(reader, STATE_LOG_DONE, &none);
	return NEXT_ENDED;
}

static void drain(void *ctx)
{
	struct state_log_reader *reader = ctx;
	if (!reader->is_started && reader->failure.code != ERR_NONE) {
		finish(reader, STATE_LOG_FAILED, &reader->failure);
		return;
	}
	int left = STATE_LOG_TURN_RECORDS;
	for (; left > 0 && !reader->is_paused; left--) {
		if (end_when_behind_barrier(reader) == NEXT_ENDED)
			return;
		rd_kafka_message_t *rkm = rd_kafka_consume_queue(reader->queue, 0);
		if (rkm == NULL)
			break;
		enum next next = rkm->err ? take_error(reader, rkm) : take_record(reader, rkm);
		rd_kafka_message_destroy(rkm);
		if (next == NEXT_ENDED)
			return;
	}
	loop_timer_start(reader->timer, left == 0 ? 0 : STATE_LOG_POLL_MS);
}

static void on_wake(void *ctx)
{
	struct state_log_reader *reader = ctx;
	uint64_t count;
	ssize_t got = read(reader->wake_fd, &count, sizeof count);
	(void)got; /* EAGAIN: drained already */
	drain(reader);
}

/* ---- readers */

static void start(struct state_log_reader *reader)
{
	static const uint64_t ONE = 1;
	struct state_log *log = reader->log;
	int64_t from = reader->position < 0 ? RD_KAFKA_OFFSET_BEGINNING : reader->position;
	reader->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (reader->wake_fd < 0) {
		err_set(&reader->failure, ERR_KAFKA_CLIENT, "eventfd: %s", strerror(errno));
		return;
	}
	reader->queue = rd_kafka_queue_new(log->rk);
	rd_kafka_queue_io_event_enable(reader->queue, reader->wake_fd, &ONE, sizeof ONE);
	reader->watch = loop_watch_readable(log->loop, reader->wake_fd, on_wake, reader);
	if (rd_kafka_consume_start_queue(log->topic, reader->shard, from, reader->queue) == 0)
		reader->is_started = true;
	else
		err_set(&reader->failure, ERR_KAFKA_CLIENT, "reading %s [%" PRId32 "]: %s", log->options->state_topic,
		        reader->shard, rd_kafka_err2str(rd_kafka_last_error()));
}

struct state_log_reader *state_log_read(struct state_log *log, int32_t shard, int64_t from, int64_t barrier,
                                        const struct state_log_events *events)
{
	struct state_log_reader *reader = xcalloc(1, sizeof *reader);
	reader->log = log;
	reader->events = *events;
	reader->shard = shard;
	reader->barrier = barrier;
	reader->position = from > 0 ? from : -1;
	reader->wake_fd = -1;
	reader->next = log->readers;
	log->readers = reader;
	reader->timer = loop_timer_new(log->loop, drain, reader);
	if (reader->position <= barrier)
		start(reader);
	loop_timer_start(reader->timer, 0);
	return reader;
}

void state_log_continue(struct state_log_reader *reader)
{
	reader->is_paused = false;
	if (!reader->is_calling)
		loop_timer_start(reader->timer, 0);
}

void state_log_cancel(struct state_log_reader *reader)
{
	if (reader->is_calling)
		reader->is_cancelled = true;
	else
		reader_free(reader);
}

int64_t state_log_retention_ms(const struct state_log *log)
{
	return log->retention_ms;
}

/* ---- life */

struct state_log *state_log_new(struct loop *loop, const struct kafka_options *options, int64_t retention_ms,
                                struct err *err)
{
	struct state_log *log = xcalloc(1, sizeof *log);
	log->options = options;
	log->loop = loop;
	log->retention_ms = retention_ms;
	rd_kafka_conf_t *conf = kafka_conf_reader(options, err);
	if (conf != NULL) {
		rd_kafka_conf_set_opaque(conf, log);
		log->rk = kafka_client_new(RD_KAFKA_CONSUMER, conf, err);
	}
	if (log->rk == NULL) {
		free(log);
		return NULL;
	}
	log->topic = rd_kafka_topic_new(log->rk, options->state_topic, NULL);
	return log;
}

void state_log_free(struct state_log *log)
{
	if (log == NULL)
		return;
	for (struct state_log_reader *reader = log->readers, *next; reader != NULL; reader = next) {
		next = reader->next;
		reader_free(reader);
	}
	rd_kafka_topic_destroy(log->topic);
	rd_kafka_destroy(log->rk);
	free(log);
}
