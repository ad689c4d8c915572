/* SPDX-License-Identifier: Apache-2.0
 *
 * The daemon's Kafka parts (consumer, commit thread, state log, checks) against a real broker, without the rest of it.
 *
 *   kafka_parts HOST:PORT      all cases; prints `ok`/`not ok` lines and `N passed, N failed, N skipped`
 */
#include "tests/integration/kafka_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/commit_token.h"
#include "daemon/head.h"

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

static void a_too_large_event_aborts_and_is_named(struct parts *parts)
{
	static char large[1200000];
	struct event events[2];
	struct commit_job open, batch;
	rd_kafka_message_t *found[4];
	memset(large, 'x', sizeof large);
	events[0] = sample_events()[0];
	events[1] = sample_events()[0];
	events[1].value = (struct slice){large, sizeof large};
	if (!parts_topics(parts, NULL))
		return;
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
	parts_batch(node, &open, events, 1, NULL, 0, &batch);
	parts_expect(parts, parts_commit(node, &batch) == COMMIT_DONE, "the next one commits: %s", batch.err.text);
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
	parts_run(&parts, "a token of an old generation is lost", a_token_of_an_old_generation_is_lost);
	loop_free(parts.loop);
	printf("%d passed, %d failed, 0 skipped\n", parts.passed, parts.failed);
	return parts.failed > 0;
}
