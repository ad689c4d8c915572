/* SPDX-License-Identifier: Apache-2.0
 *
 * The daemon's Kafka parts (consumer, commit thread, state log, checks) against a real broker, without the rest of it.
 *
 *   kafka_parts HOST:PORT      all cases; prints `ok`/`not ok` lines and `N passed, N failed, N skipped`
 */
#include "tests/integration/kafka_parts.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/commit_token.h"
#include "daemon/head.h"
#include "daemon/kafka_txn.h"
#include "daemon/state_log_kafka.h"
#include "rules/base/mem.h"

static bool text_is(const void *bytes, size_t len, const char *text)
{
	return len == strlen(text) && (len == 0 || memcmp(bytes, text, len) == 0);
}

static void bootstrap_only_once(struct parts *parts)
{
	struct err err = ERR_INIT;
	if (!parts_topics(parts, NULL))
		return;
	parts_expect(parts, kafka_bootstrap(&parts->options, &err) == -1 && err.code == ERR_BOOTSTRAPPED,
	             "a second bootstrap is refused: %s", err.text);
	parts_saw(parts, "%s", err.text);
	struct node *node = parts_node(parts);
	if (node == NULL || !parts_wait_assigned(node, PARTS_SHARDS))
		return;
	parts_expect(parts, kafka_bootstrap(&parts->options, &err) == -1 && err.code == ERR_GROUP_IN_USE,
	             "a group with members is refused: %s", err.text);
	parts_saw(parts, "%s", err.text);
}

static void opening_claims_the_shard(struct parts *parts)
{
	struct commit_job first, second;
	if (!parts_topics(parts, NULL))
		return;
	struct node *node = parts_node(parts);
	if (node == NULL || !parts_wait_assigned(node, PARTS_SHARDS))
		return;
	parts_expect(parts, node->is_complete[0] && node->is_complete[1], "both topics of both shards");
	parts_expect(parts, parts_open(node, 1, 1, &first) == COMMIT_DONE, "opened: %s", first.err.text);
	parts_expect(parts, parts_open(node, 1, 2, &second) == COMMIT_DONE, "opened again: %s", second.err.text);
	parts_expect(parts, first.claimed.epoch == 1 && second.claimed.epoch == 2, "epochs 1, 2: %d, %d",
	             (int)first.claimed.epoch, (int)second.claimed.epoch);
	parts_expect(parts, first.claimed.seq == 0 && head_same_state(&first.claimed, &second.claimed), "same chain");
	parts_expect(parts, first.barrier == 0 && second.barrier > first.barrier, "barriers at 0 and later: %d, %d",
	             (int)first.barrier, (int)second.barrier);
	parts_saw(parts, "generation %d, epochs 1 and 2, h=%s, barriers %d and %d",
	          (int)commit_token_generation(node->tokens[1]), first.claimed.hash, (int)first.barrier, (int)second.barrier);
}

static const struct event *sample_events(void)
{
	static const struct header originals[] = {
		{SLICE("ce_id"), SLICE("theirs")}, {SLICE("x"), {NULL, 0}}, {SLICE("x"), SLICE("")}};
	static struct event events[2];
	events[0] = (struct event){.topic = OUT_ASSIGNMENTS, .id = SLICE("id-1"), .type = "lead.assigned", .subject = SLICE("L1"),
	                           .cause = SLICE("leads.captured/0/7"), .at_ms = 1700000000042, .has_key = true,
	                           .key = SLICE("L1"), .has_value = true, .value = SLICE("{\"a\":1}")};
	events[1] = (struct event){.topic = OUT_REJECTED, .id = SLICE("id-2"), .type = "lead.rejected",
	                           .cause = SLICE("leads.captured/0/8"), .has_value = true, .value = SLICE("\x00\xff{"),
	                           .headers = originals, .header_count = 3};
	return events;
}

/* Finds the one record of a topic, whatever its partition. */
static rd_kafka_message_t *only_record(struct parts *parts, const char *topic)
{
	rd_kafka_message_t *found[8];
	int count = 0;
	for (int32_t i = 0; i < PARTS_SHARDS; i++)
		count += parts_read(parts, topic, i, found + count, 4);
	return parts_expect(parts, count == 1, "one record in %s, found %d", topic, count) ? found[0] : NULL;
}

static void expect_header(struct parts *parts, const rd_kafka_message_t *message, const char *name, const char *value)
{
	rd_kafka_headers_t *headers = NULL;
	const void *bytes = NULL;
	size_t len = 0;
	rd_kafka_message_headers(message, &headers);
	bool found = headers && rd_kafka_header_get_last(headers, name, &bytes, &len) == RD_KAFKA_RESP_ERR_NO_ERROR;
	parts_expect(parts, found && text_is(bytes, len, value), "header %s=%s, is %.*s", name, value, (int)len,
	             bytes ? (const char *)bytes : "");
}

static void expect_rejected(struct parts *parts, const rd_kafka_message_t *message)
{
	static const struct {
		const char *name;
		const char *value;
	} WANTED[] = {{"ce_id", "theirs"}, {"x", NULL}, {"x", ""}, {"lr_id", "id-2"}, {"lr_type", "lead.rejected"},
	              {"lr_cause", "leads.captured/0/8"}};
	rd_kafka_headers_t *headers = NULL;
	rd_kafka_message_headers(message, &headers);
	parts_expect(parts, message->key == NULL && message->len == 3 && !memcmp(message->payload, "\x00\xff{", 3), "bytes");
	for (size_t i = 0; i < 6; i++) {
		const char *name = NULL;
		const void *value = NULL;
		size_t len = 0;
		rd_kafka_resp_err_t code = rd_kafka_header_get_all(headers, i, &name, &value, &len);
		bool good = !code && !strcmp(name, WANTED[i].name) && (value == NULL) == (WANTED[i].value == NULL) &&
		            (value == NULL || text_is(value, len, WANTED[i].value));
		parts_expect(parts, good, "header %zu of the rejected record is %s", i, WANTED[i].name);
	}
}

static void a_batch_is_visible_once_with_its_offsets(struct parts *parts)
{
	const struct write writes[] = {{.key = SLICE("lead/L1"), .value = SLICE("v1")},
	                               {.key = SLICE("ident/a"), .is_tombstone = true}};
	struct commit_job open, batch, ask;
	if (!parts_topics(parts, NULL) || !parts_send(parts, parts->names[0], 0, "lead", 9))
		return;
	struct node *node = parts_node(parts);
	if (node == NULL || !parts_wait_assigned(node, PARTS_SHARDS) || parts_open(node, 0, 1, &open) != COMMIT_DONE)
		return;
	parts_batch(node, &open, sample_events(), 2, writes, 2, &batch);
	batch.offsets[0] = 9;
	parts_expect(parts, parts_commit(node, &batch) == COMMIT_DONE, "committed: %s", batch.err.text);
	parts_expect(parts, batch.state_end > open.barrier + 1, "state_end %d behind the barrier", (int)batch.state_end);
	ask = (struct commit_job){.kind = COMMIT_ASK, .shard = 0, .shard_object = 1, .token = node->tokens[0]};
	parts_expect(parts, parts_commit(node, &ask) == COMMIT_DONE, "asked: %s", ask.err.text);
	parts_expect(parts, ask.committed[0] == 9 && ask.committed[1] == 0, "offsets 9 and 0: %d, %d", (int)ask.committed[0],
	             (int)ask.committed[1]);
	parts_expect(parts, head_equal(&ask.claimed, &batch.head) && ask.claimed.seq == 1, "the head travels in the metadata");
	rd_kafka_message_t *event = only_record(parts, parts->names[2]);
	if (event) {
		expect_header(parts, event, "ce_specversion", "1.0");
		expect_header(parts, event, "ce_id", "id-1");
		expect_header(parts, event, "ce_type", "com.example.lead.assigned.v1");
		expect_header(parts, event, "ce_source", "/leadrouter/test");
		expect_header(parts, event, "ce_time", "2023-11-14T22:13:20.042Z");
		expect_header(parts, event, "ce_subject", "L1");
		expect_header(parts, event, "content-type", "application/json");
		expect_header(parts, event, "lr_cause", "leads.captured/0/7");
	}
	rd_kafka_message_t *rejected = only_record(parts, parts->names[5]);
	if (rejected)
		expect_rejected(parts, rejected);
	rd_kafka_message_t *state[8];
	int count = parts_read(parts, parts->names[6], 0, state, 8);
	if (parts_expect(parts, count == 3, "barrier and two state records, found %d", count)) {
		expect_header(parts, state[0], "e", "1");
		expect_header(parts, state[1], "q", "1");
		expect_header(parts, state[1], "h", batch.head.hash);
		parts_expect(parts, state[2]->payload == NULL, "a tombstone");
		parts_expect(parts, state[2]->offset + 1 == batch.state_end, "state_end is behind the last state record");
	}
	parts_saw(parts, "q=1 h=%s, state_end %d", batch.head.hash, (int)batch.state_end);
}

/* The largest value of an event that still fits, found by asking the broker for its limit. */
static bool take_limit(struct parts *parts)
{
	struct err err = ERR_INIT;
	if (!parts_expect(parts, kafka_check(&parts->options, &parts->environment, &err) == 0, "checked: %s", err.text))
		return false;
	parts->options.message_max_bytes = parts->environment.message_max_bytes;
	return parts_expect(parts, parts->environment.message_max_bytes > 1000000, "the broker tells its limit");
}

static void a_too_large_event_aborts_and_is_named(struct parts *parts)
{
	enum { HEADERS = 700 }; /* more than ours take */
	struct event events[2];
	struct commit_job open, batch;
	rd_kafka_message_t *found[4];
	if (!parts_topics(parts, NULL) || !take_limit(parts))
		return;
	size_t limit = (size_t)parts->environment.message_max_bytes;
	char *large = xcalloc(1, limit);
	events[0] = sample_events()[0];
	events[1] = sample_events()[0];
	events[1].value = (struct slice){large, limit - 100};
	struct node *node = parts_node(parts);
	if (node == NULL || !parts_wait_assigned(node, PARTS_SHARDS) || parts_open(node, 0, 1, &open) != COMMIT_DONE)
		return;
	parts_batch(node, &open, events, 2, NULL, 0, &batch);
	parts_expect(parts, parts_commit(node, &batch) == COMMIT_ABORTED, "aborted: %s", commit_result_name(batch.result));
	parts_expect(parts, batch.failed_event == 1 && batch.err.code == ERR_EVENT_TOO_LARGE, "the second event is named");
	parts_expect(parts, batch.new_attempt == open.new_attempt + 1, "the attempt is raised");
	int count = 0;
	for (int32_t i = 0; i < PARTS_SHARDS; i++)
		count += parts_read(parts, parts->names[2], i, found, 4);
	parts_expect(parts, count == 0, "nothing is visible, found %d", count);
	parts_saw(parts, "%s", batch.err.text);
	open.new_attempt = batch.new_attempt;
	events[1].value.len = limit - HEADERS; /* the broker takes what we say it takes */
	parts_batch(node, &open, events, 2, NULL, 0, &batch);
	parts_expect(parts, parts_commit(node, &batch) == COMMIT_DONE, "the next one commits: %s", batch.err.text);
	free(large);
}

/* ---- positions */

struct arrival {
	struct node *node;
	int count;
};

static bool has_arrived(void *ctx)
{
	struct arrival *arrival = ctx;
	return arrival->node->message_count >= arrival->count;
}

static bool expect_offsets(struct node *node, int from, size_t topic, int64_t first, int count)
{
	for (int i = 0; i < count; i++) {
		const struct kafka_message *message = node->messages[from + i];
		if (!parts_expect(node->parts, message->topic == topic && message->record.offset == first + i,
		                  "message %d is offset %lld of topic %zu: %lld of %zu", from + i, (long long)(first + i), topic,
		                  (long long)message->record.offset, message->topic))
			return false;
	}
	return true;
}

static bool seek_and_resume(struct node *node, int64_t anchor, int64_t activity)
{
	struct err err = ERR_INIT;
	int64_t offsets[COMMIT_TOPICS_MAX] = {anchor, activity};
	bool good = parts_expect(node->parts, kafka_in_seek(node->in, 0, offsets, &err) == 0, "seek: %s", err.text);
	kafka_in_resume(node->in, 0);
	return good;
}

static void a_seek_decides_what_comes(struct parts *parts)
{
	if (!parts_topics(parts, NULL) || !parts_send(parts, parts->names[0], 0, "lead", 30))
		return;
	struct node *node = parts_node(parts);
	if (node == NULL || !parts_wait_assigned(node, PARTS_SHARDS))
		return;
	struct arrival arrival = {node, 30};
	if (!seek_and_resume(node, 0, 0) || !parts_until(parts, "30 records", has_arrived, &arrival) ||
	    !expect_offsets(node, 0, 0, 0, 30))
		return;
	const struct record *record = &node->messages[7]->record;
	parts_expect(parts, slice_is(record->value, "lead-7") && !record->has_key && record->header_count == 1 &&
	                            slice_is(record->headers[0].name, "n") && slice_is(record->headers[0].value, "lead-7"),
	             "value, null key and header as sent");
	parts_expect(parts, record->kind == RECORD_CAPTURED && record->partition_count == PARTS_SHARDS, "kind and count");
	for (int round = 0; round < 20; round++) { /* back and forth while records are on their way */
		int at = node->message_count, first = (round * 7) % 25;
		arrival.count = at + 5;
		if (!seek_and_resume(node, first, 0) || !parts_until(parts, "records after a seek", has_arrived, &arrival) ||
		    !expect_offsets(node, at, 0, first, 5))
			return;
		if (round % 3 == 0) {
			kafka_in_pause(node->in, 0);
			kafka_in_resume(node->in, 0);
			arrival.count = node->message_count;
		}
		if (node->message_count > PARTS_MESSAGES - 60) {
			for (int i = 0; i < node->message_count; i++)
				kafka_in_message_free(node->messages[i]);
			node->message_count = 0;
		}
	}
	parts_saw(parts, "20 seeks, the first record was the right one each time; %d dropped, %d reassigned",
	          (int)kafka_in_counters(node->in)->dropped, (int)kafka_in_counters(node->in)->reassigns);
}

/* librdkafka's fetching thread sleeps for a second when all is paused, and only a seek wakes it. A claim lies between pause
 * and resume, as when a shard opens, so the last fetch is answered and the thread sleeps. A slow machine may make some of the
 * rounds long; each was, when the shard had to wait for the end of that sleep. */
static void a_resume_fetches_at_once(struct parts *parts)
{
	enum { ROUNDS = 5, SLEEP_MS = 700 };
	static const struct kafka_property short_fetch = {KAFKA_CONSUMER, "fetch.wait.max.ms", "1"};
	struct commit_job open;
	if (!parts_topics(parts, NULL) || !parts_send(parts, parts->names[0], 0, "lead", ROUNDS))
		return;
	parts->options.properties = &short_fetch;
	parts->options.property_count = 1;
	struct node *node = parts_node(parts);
	if (node == NULL || !parts_wait_assigned(node, PARTS_SHARDS))
		return;
	int slow = 0;
	for (int round = 0; round < ROUNDS; round++) {
		struct arrival arrival = {node, node->message_count + 1};
		if (!parts_expect(parts, parts_open(node, 0, (uint64_t)round + 1, &open) == COMMIT_DONE, "opened: %s", open.err.text))
			return;
		int64_t began = loop_now_ms(parts->loop);
		if (!seek_and_resume(node, ROUNDS - 1, 0) || !parts_until(parts, "the last record again", has_arrived, &arrival))
			return;
		slow += loop_now_ms(parts->loop) - began >= SLEEP_MS;
		kafka_in_pause(node->in, 0);
	}
	parts_expect(parts, slow <= ROUNDS / 2, "%d of %d resumes waited for a sleeping thread", slow, ROUNDS);
	parts_saw(parts, "%d of %d resumes took %d ms", slow, ROUNDS, SLEEP_MS);
}

static bool both_hold_one(void *ctx)
{
	struct parts *parts = ctx;
	for (int i = 0; i < 2; i++) {
		const struct node *node = &parts->nodes[i];
		if ((node->tokens[0] != NULL) + (node->tokens[1] != NULL) != 1)
			return false;
	}
	return true;
}

static void a_token_of_an_old_generation_is_lost(struct parts *parts)
{
	struct commit_job open, batch;
	if (!parts_topics(parts, NULL))
		return;
	struct node *node = parts_node(parts);
	if (node == NULL || !parts_wait_assigned(node, PARTS_SHARDS) || parts_open(node, 0, 1, &open) != COMMIT_DONE)
		return;
	parts_batch(node, &open, sample_events(), 1, NULL, 0, &batch);
	batch.token = commit_token_ref(node->tokens[0]);
	struct commit_token *old = batch.token;
	if (parts_node(parts) == NULL || !parts_until(parts, "one shard each", both_hold_one, parts))
		return;
	parts_expect(parts, parts_commit(node, &batch) == COMMIT_LOST, "lost: %s", commit_result_name(batch.result));
	parts_saw(parts, "%s", batch.err.text);
	commit_token_unref(old);
	struct node *holder = node->tokens[0] ? node : &parts->nodes[1];
	parts_expect(parts, parts_open(holder, 0, 2, &open) == COMMIT_DONE && open.claimed.epoch == 2,
	             "the holder claims it: %s", open.err.text);
}

/* Revocation: the shard is closed and its open transaction waited for. Then it is settled, one way or the other. */
static void a_closed_shard_is_waited_for(struct parts *parts)
{
	static const struct write write = {.key = SLICE("lead/L1"), .value = SLICE("v1")};
	struct commit_job open, batch, next;
	if (!parts_topics(parts, NULL))
		return;
	struct node *node = parts_node(parts);
	if (node == NULL || !parts_wait_assigned(node, PARTS_SHARDS))
		return;
	int settled = 0, discarded = 0;
	for (uint64_t object = 1; object <= 10; object++) {
		if (!parts_expect(parts, parts_open(node, 0, object, &open) == COMMIT_DONE, "opened: %s", open.err.text))
			return;
		parts_batch(node, &open, sample_events(), 2, &write, 1, &batch);
		uint64_t begun = committer_counters(node->committer).transactions;
		committer_submit(node->committer, &batch);
		while (object % 2 == 0 && committer_counters(node->committer).transactions == begun)
			sched_yield(); /* every other time the transaction is open before the shard closes */
		committer_close_shard(node->committer, 0, object);
		int64_t start = loop_now_ms(parts->loop);
		committer_wait_shard(node->committer, 0, PARTS_LIMIT_MS);
		parts_expect(parts, loop_now_ms(parts->loop) - start < PARTS_TRANSACTION_MS, "the wait ended with the transaction");
		next = (struct commit_job){.kind = COMMIT_ASK, .shard = 1, .shard_object = 1, .token = node->tokens[1]};
		parts_commit(node, &next); /* results come in order: the batch's is in */
		parts_expect(parts, batch.result == COMMIT_DONE || batch.result == COMMIT_DISCARDED, "settled: %s",
		             commit_result_name(batch.result));
		settled += batch.result == COMMIT_DONE;
		discarded += batch.result == COMMIT_DISCARDED;
	}
	rd_kafka_message_t *found[32];
	int visible = 0;
	for (int32_t i = 0; i < PARTS_SHARDS; i++)
		visible += parts_read(parts, parts->names[2], i, found + visible, 32 - visible);
	parts_expect(parts, settled >= 5, "what was open is settled: %d of 5", settled);
	parts_expect(parts, visible == settled, "%d events of %d settled batches", visible, settled);
	parts_saw(parts, "%d committed, %d discarded, %d visible", settled, discarded, visible);
}

/* ---- leads.state */

struct reading {
	struct parts *parts;
	struct state_log_reader *reader;
	int records, barriers, tombstones;
	uint64_t last_seq;
	bool stop_after_each; /* pause after every record, and go on from the loop */
	bool ended;
	enum state_log_end end;
	struct err err;
};

static void go_on(void *ctx)
{
	struct reading *reading = ctx;
	if (!reading->ended)
		state_log_continue(reading->reader);
}

static bool on_state_record(void *ctx, const struct state_record *record)
{
	struct reading *reading = ctx;
	reading->records++;
	reading->barriers += record->is_barrier;
	reading->tombstones += record->is_tombstone;
	reading->last_seq = record->seq;
	if (reading->stop_after_each)
		loop_defer(reading->parts->loop, go_on, reading);
	return !reading->stop_after_each;
}

static void on_state_end(void *ctx, enum state_log_end end, const struct err *err)
{
	struct reading *reading = ctx;
	reading->ended = true;
	reading->end = end;
	reading->err = *err;
}

static bool has_ended(void *ctx)
{
	return ((struct reading *)ctx)->ended;
}

static bool has_three_records(void *ctx)
{
	return ((struct reading *)ctx)->records >= 3;
}

static void begin_reading(struct parts *parts, struct state_log *log, int64_t from, int64_t barrier,
                          struct reading *ret)
{
	bool stop_after_each = ret->stop_after_each;
	*ret = (struct reading){.parts = parts, .stop_after_each = stop_after_each};
	struct state_log_events events = {on_state_record, on_state_end, ret};
	ret->reader = state_log_read(log, 0, from, barrier, &events);
	parts_expect(parts, !ret->ended && ret->records == 0, "no callback from inside the call");
}

static void read_state(struct parts *parts, struct state_log *log, int64_t from, int64_t barrier, struct reading *ret)
{
	begin_reading(parts, log, from, barrier, ret);
	parts_until(parts, "the end of leads.state", has_ended, ret);
}

/* Two openings with a batch between them: barrier 0, q=1 (2 records), barrier. */
static bool write_some_state(struct parts *parts, struct node *node, struct commit_job *ret_second)
{
	static const struct write writes[] = {{.key = SLICE("lead/L1"), .value = SLICE("v1")},
	                                      {.key = SLICE("ident/a"), .is_tombstone = true}};
	struct commit_job first, batch;
	if (parts_open(node, 0, 1, &first) != COMMIT_DONE)
		return parts_expect(parts, false, "opened: %s", first.err.text);
	parts_batch(node, &first, NULL, 0, writes, 2, &batch);
	return parts_expect(parts, parts_commit(node, &batch) == COMMIT_DONE, "committed: %s", batch.err.text) &&
	       parts_expect(parts, parts_open(node, 0, 2, ret_second) == COMMIT_DONE, "opened: %s", ret_second->err.text);
}

static void the_state_log_ends_behind_the_barrier(struct parts *parts)
{
	struct err err = ERR_INIT;
	struct commit_job second;
	struct reading reading = {0};
	if (!parts_topics(parts, NULL))
		return;
	struct node *node = parts_node(parts);
	if (node == NULL || !parts_wait_assigned(node, PARTS_SHARDS) || !write_some_state(parts, node, &second))
		return;
	struct state_log *log = state_log_new(parts->loop, &node->options, 1000, &err);
	read_state(parts, log, 0, second.barrier, &reading);
	parts_expect(parts, reading.end == STATE_LOG_DONE && reading.records == 4 && reading.barriers == 2 &&
	                            reading.tombstones == 1 && reading.last_seq == 1,
	             "4 records, 2 of them barriers: %d, %d", reading.records, reading.barriers);
	reading.stop_after_each = true;
	read_state(parts, log, 1, second.barrier, &reading);
	parts_expect(parts, reading.end == STATE_LOG_DONE && reading.records == 3, "3 from offset 1: %d", reading.records);
	reading.stop_after_each = false;
	read_state(parts, log, 0, 0, &reading);
	parts_expect(parts, reading.end == STATE_LOG_DONE && reading.records == 1, "1 up to barrier 0: %d", reading.records);
	read_state(parts, log, second.barrier + 1, second.barrier, &reading);
	parts_expect(parts, reading.end == STATE_LOG_DONE && reading.records == 0, "nothing to read: %d", reading.records);
	/* two offsets behind the last barrier lie its commit marker and nothing: the end of the log is below this one */
	begin_reading(parts, log, 1, second.barrier + 50, &reading);
	parts_until(parts, "three records", has_three_records, &reading);
	parts_expect(parts, !reading.ended, "an end below the barrier is not the end");
	state_log_cancel(reading.reader);
	read_state(parts, log, 1000, 2000, &reading);
	parts_expect(parts, reading.end == STATE_LOG_TRUNCATED, "an offset that is not there: %s", reading.err.text);
	parts_saw(parts, "%s", reading.err.text);
	state_log_free(log);
}

/* A zombie's open transaction below our barrier holds the reading up, and no longer than it is open. */
static void an_open_transaction_holds_the_reading_up(struct parts *parts)
{
	struct err err = ERR_INIT;
	struct commit_job second;
	struct reading reading = {0};
	if (!parts_topics(parts, NULL))
		return;
	struct node *node = parts_node(parts);
	if (node == NULL || !parts_wait_assigned(node, PARTS_SHARDS))
		return;
	struct kafka_options zombie_options = node->options;
	zombie_options.instance = "zombie";
	struct kafka_txn *zombie = kafka_txn_new(&zombie_options, kafka_in_consumer(node->in), &err);
	static const struct head head = {.seq = 77, .hash = "0123456789abcdef"};
	static const struct write write = {.key = SLICE("lead/Z"), .value = SLICE("z")};
	if (!parts_expect(parts, zombie != NULL, "zombie: %s", err.text) ||
	    !parts_expect(parts, kafka_txn_ops.begin(zombie, &err) == OP_DONE, "begin: %s", err.text) ||
	    !parts_expect(parts, kafka_txn_ops.produce_state(zombie, 0, &write, &head, &err) == OP_DONE, "%s", err.text))
		return;
	static const int32_t shards[] = {1};
	static const int64_t offsets[1][COMMIT_TOPICS_MAX] = {{0, 0}};
	static const struct slice metadata[] = {SLICE("v1;e=0;q=0;h=0123456789abcdef;n=2")};
	/* shard 1's offsets: sending them makes sure that the record is out and the partition part of the transaction */
	enum op_result sent = kafka_txn_ops.send_offsets(zombie, node->tokens[1], 1, shards, offsets, metadata, &err);
	parts_expect(parts, sent == OP_DONE, "zombie's offsets: %s", err.text);
	kafka_txn_flush(zombie, PARTS_LIMIT_MS);
	if (!write_some_state(parts, node, &second))
		return;
	struct state_log *log = state_log_new(parts->loop, &node->options, 1000, &err);
	begin_reading(parts, log, 0, second.barrier, &reading);
	int64_t start = loop_now_ms(parts->loop);
	parts_until(parts, "the broker's end of the zombie's transaction, then ours", has_ended, &reading);
	parts_expect(parts, reading.end == STATE_LOG_DONE && reading.records == 4 && reading.last_seq == 1,
	             "our four records and not the zombie's: %d", reading.records);
	parts_saw(parts, "held up for %lld ms (transaction time-out %d)", (long long)(loop_now_ms(parts->loop) - start),
	          PARTS_TRANSACTION_MS);
	state_log_free(log);
	kafka_txn_free(zombie);
}

static void foreign_records_are_noticed(struct parts *parts)
{
	struct err err = ERR_INIT;
	struct reading reading = {0};
	if (!parts_topics(parts, NULL))
		return;
	const char *const key = "k";
	rd_kafka_t *rk = kafka_client_new(RD_KAFKA_PRODUCER, kafka_conf_producer(&parts->options, &err), &err);
	rd_kafka_error_t *error = rd_kafka_init_transactions(rk, PARTS_LIMIT_MS);
	if (!error)
		error = rd_kafka_begin_transaction(rk);
	rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(parts->options.state_topic), RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_KEY(key, 1),
	                  RD_KAFKA_V_END);
	if (!error)
		error = rd_kafka_commit_transaction(rk, PARTS_LIMIT_MS);
	parts_expect(parts, !error, "%s", rd_kafka_error_string(error));
	rd_kafka_destroy(rk);
	struct state_log *log = state_log_new(parts->loop, &parts->options, 1000, &err);
	read_state(parts, log, 0, 10, &reading);
	parts_expect(parts, reading.end == STATE_LOG_FOREIGN && reading.err.code == ERR_FOREIGN_STATE, "foreign");
	parts_saw(parts, "%s", reading.err.text);
	state_log_free(log);
}

/* ---- the environment */

static void the_environment_is_judged(struct parts *parts)
{
	static const char *const DELETED[] = {"cleanup.policy", "compact,delete", NULL};
	struct err err = ERR_INIT;
	if (!parts_topics(parts, NULL))
		return;
	parts->options.partition_count = 0;
	parts_expect(parts, kafka_check(&parts->options, &parts->environment, &err) == 0, "accepted: %s", err.text);
	parts_expect(parts, parts->environment.partition_count == PARTS_SHARDS, "%d partitions", PARTS_SHARDS);
	parts_expect(parts, parts->environment.delete_retention_ms == 86400000, "delete.retention.ms of a day");
	parts_saw(parts, "%zu warnings: %s", parts->environment.warning_count, parts->environment.warnings[0]);
	parts->options.partition_count = 7;
	parts_expect(parts, kafka_check(&parts->options, &parts->environment, &err) == -1 && err.code == ERR_PARTITION_COUNT,
	             "another count: %s", err.text);
	parts->options.partition_count = 0;
	parts->options.outputs[0] = "kp-no-such-topic";
	parts_expect(parts, kafka_check(&parts->options, &parts->environment, &err) == -1 && err.code == ERR_MISSING_TOPIC,
	             "a missing topic: %s", err.text);
	parts->number += 100; /* another set of topics */
	if (!parts_topics(parts, DELETED))
		return;
	parts_expect(parts, kafka_check(&parts->options, &parts->environment, &err) == -1 && err.code == ERR_STATE_POLICY,
	             "compact,delete: %s", err.text);
	parts_saw(parts, "%s", err.text);
	parts->number -= 100;
}

/* ---- trouble */

static bool has_assignments(void *ctx)
{
	struct arrival *arrival = ctx;
	return arrival->node->assignments[0] >= arrival->count && arrival->node->tokens[0] != NULL;
}

static void a_lost_position_opens_the_shard_anew(struct parts *parts)
{
	struct commit_job open;
	if (!parts_topics(parts, NULL) || !parts_send(parts, parts->names[0], 0, "lead", 3))
		return;
	struct node *node = parts_node(parts);
	if (node == NULL || !parts_wait_assigned(node, PARTS_SHARDS))
		return;
	struct arrival arrival = {node, 2};
	if (!seek_and_resume(node, 500, 0) || !parts_until(parts, "a second assignment", has_assignments, &arrival))
		return;
	parts_expect(parts, node->message_count == 0, "nothing came");
	parts_expect(parts, parts_open(node, 0, 9, &open) == COMMIT_DONE, "the shard opens again: %s", open.err.text);
	arrival.count = 3;
	seek_and_resume(node, open.committed[0], open.committed[1]);
	parts_until(parts, "records", has_arrived, &arrival);
	expect_offsets(node, 0, 0, 0, 3);
	parts_saw(parts, "%d lost position, %d reassigned", (int)kafka_in_counters(node->in)->lost_positions,
	          (int)kafka_in_counters(node->in)->reassigns);
}

/* What a twin does that was started by mistake, or a zombie after its successor's start. */
static void the_older_of_two_equal_instances_is_fenced(struct parts *parts)
{
	struct err err = ERR_INIT;
	if (!parts_topics(parts, NULL))
		return;
	rd_kafka_t *consumer = kafka_client_new(RD_KAFKA_CONSUMER, kafka_conf_questions(&parts->options, &err), &err);
	struct kafka_txn *older = kafka_txn_new(&parts->options, consumer, &err);
	static const struct head head = {.seq = 1, .hash = "0123456789abcdef"};
	static const struct write write = {.key = SLICE("lead/Z"), .value = SLICE("z")};
	parts_expect(parts, kafka_txn_ops.begin(older, &err) == OP_DONE, "begin: %s", err.text);
	parts_expect(parts, kafka_txn_ops.produce_state(older, 0, &write, &head, &err) == OP_DONE, "produce: %s", err.text);
	kafka_txn_flush(older, PARTS_LIMIT_MS);
	struct kafka_txn *younger = kafka_txn_new(&parts->options, consumer, &err);
	parts_expect(parts, younger != NULL, "the younger one starts at once: %s", err.text);
	parts_expect(parts, kafka_txn_ops.commit(older, &err) == OP_EXIT && err.code == ERR_KAFKA_FATAL, "fenced: %s", err.text);
	parts_saw(parts, "%s", err.text);
	kafka_txn_free(older);
	kafka_txn_free(younger);
	rd_kafka_destroy(consumer);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: %s HOST:PORT\n", argv[0]);
		return 2;
	}
	struct parts parts = {.brokers = argv[1], .loop = loop_new()};
	parts_run(&parts, "bootstrap happens once", bootstrap_only_once);
	parts_run(&parts, "opening claims the shard", opening_claims_the_shard);
	parts_run(&parts, "a batch is visible once, with its offsets", a_batch_is_visible_once_with_its_offsets);
	parts_run(&parts, "a too large event aborts and is named", a_too_large_event_aborts_and_is_named);
	parts_run(&parts, "a seek decides what comes", a_seek_decides_what_comes);
	parts_run(&parts, "a resume fetches at once", a_resume_fetches_at_once);
	parts_run(&parts, "a token of an old generation is lost", a_token_of_an_old_generation_is_lost);
	parts_run(&parts, "a closed shard is waited for", a_closed_shard_is_waited_for);
	parts_run(&parts, "the state log ends behind the barrier", the_state_log_ends_behind_the_barrier);
	parts_run(&parts, "an open transaction holds the reading up", an_open_transaction_holds_the_reading_up);
	parts_run(&parts, "foreign records are noticed", foreign_records_are_noticed);
	parts_run(&parts, "the environment is judged", the_environment_is_judged);
	parts_run(&parts, "a lost position opens the shard anew", a_lost_position_opens_the_shard_anew);
	parts_run(&parts, "the older of two equal instances is fenced", the_older_of_two_equal_instances_is_fenced);
	loop_free(parts.loop);
	printf("%d passed, %d failed, 0 skipped\n", parts.passed, parts.failed);
	return parts.failed > 0;
}
