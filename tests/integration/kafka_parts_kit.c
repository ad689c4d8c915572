/* SPDX-License-Identifier: Apache-2.0
 *
 * See kafka_parts.h. What cannot be set up ends the program; what a case is about is returned to it.
 */
#include "tests/integration/kafka_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/head.h"
#include "rules/base/mem.h"

static _Noreturn void give_up(const char *what, const char *text)
{
	printf("# %s: %s\n", what, text);
	exit(2);
}

bool parts_expect(struct parts *parts, bool good, const char *format, ...)
{
	if (good)
		return true;
	parts->case_failed = true;
	va_list args;
	va_start(args, format);
	printf("#   expected: ");
	vprintf(format, args);
	printf("\n");
	va_end(args);
	return false;
}

void parts_saw(struct parts *parts, const char *format, ...)
{
	size_t used = strlen(parts->seen);
	if (used && used + 3 < sizeof parts->seen) {
		strcpy(parts->seen + used, "; ");
		used += 2;
	}
	va_list args;
	va_start(args, format);
	vsnprintf(parts->seen + used, sizeof parts->seen - used, format, args);
	va_end(args);
}

void parts_run(struct parts *parts, const char *name, parts_case *run)
{
	parts->seen[0] = '\0';
	parts->case_failed = false;
	parts->number++;
	int64_t start = loop_now_ms(parts->loop);
	run(parts);
	int64_t took = loop_now_ms(parts->loop) - start;
	for (int i = 0; i < parts->node_count; i++)
		parts_end_node(&parts->nodes[i]);
	parts->node_count = 0;
	if (parts->case_failed)
		parts->failed++;
	else
		parts->passed++;
	printf("%s %d - %s (%lld ms): %s\n", parts->case_failed ? "not ok" : "ok", parts->number, name, (long long)took,
	       parts->seen);
	fflush(stdout);
}

/* ---- the loop */

struct until {
	struct parts *parts;
	struct loop_timer *timer;
	bool (*is_done)(void *ctx);
	void *ctx;
	int64_t end_ms;
	bool done;
};

static void on_tick(void *ctx)
{
	struct until *until = ctx;
	until->done = until->is_done(until->ctx);
	if (until->done || loop_now_ms(until->parts->loop) >= until->end_ms)
		loop_stop(until->parts->loop);
	else
		loop_timer_start(until->timer, 2);
}

bool parts_until(struct parts *parts, const char *what, bool (*is_done)(void *ctx), void *ctx)
{
	struct until until = {parts, NULL, is_done, ctx, loop_now_ms(parts->loop) + PARTS_LIMIT_MS, false};
	until.timer = loop_timer_new(parts->loop, on_tick, &until);
	loop_timer_start(until.timer, 0);
	loop_run(parts->loop);
	loop_timer_free(until.timer);
	return parts_expect(parts, until.done, "%s within %d ms", what, PARTS_LIMIT_MS);
}

/* ---- topics */

void parts_names(struct parts *parts)
{
	static const char *const NAMES[] = {"captured", "activity", "assignments", "followups", "lifecycle", "rejected", "state"};
	for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
		snprintf(parts->names[i], sizeof parts->names[i], "kp-%d-%d-%s", (int)getpid(), parts->number, NAMES[i]);
	snprintf(parts->group, sizeof parts->group, "kp-%d-%d", (int)getpid(), parts->number);
	parts->options = (struct kafka_options){
		.brokers = parts->brokers,
		.group = parts->group,
		.instance = "tool",
		.inputs = {{parts->names[0], RECORD_CAPTURED}, {parts->names[1], RECORD_ACTIVITY}},
		.input_count = 2,
		.outputs = {parts->names[2], parts->names[3], parts->names[4], parts->names[5]},
		.state_topic = parts->names[6],
		.partition_count = PARTS_SHARDS,
		.transaction_timeout_ms = PARTS_TRANSACTION_MS,
		.session_timeout_ms = 6000,
		.event_source = "/leadrouter/test",
		.event_type_prefix = "com.example.",
		.event_type_suffix = ".v1",
	};
}

static rd_kafka_t *client(struct parts *parts, rd_kafka_type_t type)
{
	struct err err = ERR_INIT;
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	kafka_conf_own(conf, "bootstrap.servers", parts->brokers);
	if (type == RD_KAFKA_CONSUMER) {
		kafka_conf_own(conf, "group.id", "reader");
		kafka_conf_own(conf, "isolation.level", "read_committed");
		kafka_conf_own(conf, "enable.partition.eof", "true");
		kafka_conf_own(conf, "fetch.wait.max.ms", "50");
	} else
		kafka_conf_own(conf, "linger.ms", "0");
	rd_kafka_t *rk = kafka_client_new(type, conf, &err);
	if (rk == NULL)
		give_up("client", err.text);
	return rk;
}

static void await_topics(rd_kafka_queue_t *queue)
{
	size_t count = 0;
	rd_kafka_event_t *event = rd_kafka_queue_poll(queue, PARTS_LIMIT_MS);
	const rd_kafka_CreateTopics_result_t *result = event ? rd_kafka_event_CreateTopics_result(event) : NULL;
	if (result == NULL || rd_kafka_event_error(event))
		give_up("create topics", event ? rd_kafka_event_error_string(event) : "no answer");
	const rd_kafka_topic_result_t **topics = rd_kafka_CreateTopics_result_topics(result, &count);
	for (size_t i = 0; i < count; i++)
		if (rd_kafka_topic_result_error(topics[i]))
			give_up(rd_kafka_topic_result_name(topics[i]), rd_kafka_topic_result_error_string(topics[i]));
	rd_kafka_event_destroy(event);
}

static bool is_listed(const rd_kafka_metadata_t *metadata, const char *name)
{
	for (int i = 0; i < metadata->topic_cnt; i++)
		if (strcmp(metadata->topics[i].topic, name) == 0)
			return metadata->topics[i].err == RD_KAFKA_RESP_ERR_NO_ERROR && metadata->topics[i].partition_cnt == PARTS_SHARDS;
	return false;
}

/* The controller has them; what the broker tells its clients follows a moment later. */
static void await_listing(struct parts *parts, rd_kafka_t *rk)
{
	int64_t end_ms = loop_now_ms(parts->loop) + PARTS_LIMIT_MS;
	for (size_t listed = 0; listed < PARTS_TOPICS;) {
		const rd_kafka_metadata_t *metadata;
		if (loop_now_ms(parts->loop) > end_ms || rd_kafka_metadata(rk, 1, NULL, &metadata, PARTS_LIMIT_MS) != 0)
			give_up("topics", "the broker does not list them");
		for (listed = 0; listed < PARTS_TOPICS && is_listed(metadata, parts->names[listed]);)
			listed++;
		rd_kafka_metadata_destroy(metadata);
	}
}

bool parts_topics(struct parts *parts, const char *const *state_settings)
{
	static const char *const COMPACT[] = {"cleanup.policy", "compact", NULL};
	struct err err = ERR_INIT;
	rd_kafka_NewTopic_t *wanted[PARTS_TOPICS];
	parts_names(parts);
	for (int i = 0; i < PARTS_TOPICS; i++)
		wanted[i] = rd_kafka_NewTopic_new(parts->names[i], PARTS_SHARDS, 1, NULL, 0);
	for (const char *const *at = state_settings ? state_settings : COMPACT; *at; at += 2)
		rd_kafka_NewTopic_set_config(wanted[PARTS_TOPICS - 1], at[0], at[1]);
	rd_kafka_t *rk = client(parts, RD_KAFKA_PRODUCER);
	rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
	rd_kafka_CreateTopics(rk, wanted, PARTS_TOPICS, NULL, queue);
	await_topics(queue);
	await_listing(parts, rk);
	rd_kafka_NewTopic_destroy_array(wanted, PARTS_TOPICS);
	rd_kafka_queue_destroy(queue);
	rd_kafka_destroy(rk);
	return parts_expect(parts, kafka_bootstrap(&parts->options, &err) == 0, "bootstrap: %s", err.text);
}

/* ---- nodes */

static void on_assigned(void *ctx, int32_t shard, struct commit_token *token, bool is_complete)
{
	struct node *node = ctx;
	if (node->tokens[shard])
		commit_token_unref(node->tokens[shard]);
	node->tokens[shard] = commit_token_ref(token);
	node->is_complete[shard] = is_complete;
	node->assignments[shard]++;
}

static void on_revoked(void *ctx, int32_t shard, bool is_lost)
{
	struct node *node = ctx;
	commit_token_unref(node->tokens[shard]);
	node->tokens[shard] = NULL;
	node->was_lost[shard] = is_lost;
}

static void on_message(void *ctx, int32_t shard, struct kafka_message *take_message)
{
	struct node *node = ctx;
	(void)shard;
	if (node->message_count < PARTS_MESSAGES)
		node->messages[node->message_count++] = take_message;
	else
		kafka_in_message_free(take_message);
}

static void on_result(void *ctx, struct commit_job *job)
{
	struct node *node = ctx;
	node->result = job;
}

struct node *parts_node(struct parts *parts)
{
	struct err err = ERR_INIT;
	struct node *node = &parts->nodes[parts->node_count++];
	*node = (struct node){.parts = parts, .options = parts->options};
	snprintf(node->instance, sizeof node->instance, "%d", parts->node_count);
	node->options.instance = node->instance;
	node->in = kafka_in_new(parts->loop, &node->options, &err);
	if (!parts_expect(parts, node->in != NULL, "consumer: %s", err.text))
		return NULL;
	struct kafka_in_events events = {on_assigned, on_revoked, on_message, node};
	kafka_in_listen(node->in, &events);
	node->committer = committer_new(parts->loop, &node->options, kafka_in_consumer(node->in), &err);
	if (!parts_expect(parts, node->committer != NULL, "committer: %s", err.text))
		return NULL;
	committer_on_result(node->committer, on_result, node);
	parts_expect(parts, kafka_in_start(node->in, &err) == 0, "subscribe: %s", err.text);
	return node;
}

void parts_end_node(struct node *node)
{
	if (node->in)
		kafka_in_close(node->in);
	committer_free(node->committer);
	for (int i = 0; i < node->message_count; i++)
		kafka_in_message_free(node->messages[i]);
	kafka_in_free(node->in);
	node->in = NULL;
	node->committer = NULL;
	node->message_count = 0;
}

struct wanted {
	struct node *node;
	int count;
};

static bool is_assigned(void *ctx)
{
	struct wanted *wanted = ctx;
	int held = 0;
	for (int i = 0; i < PARTS_SHARDS; i++)
		held += wanted->node->tokens[i] != NULL;
	return held == wanted->count;
}

bool parts_wait_assigned(struct node *node, int shards)
{
	struct wanted wanted = {node, shards};
	return parts_until(node->parts, "assignment", is_assigned, &wanted);
}

struct answer {
	const struct node *node;
	const struct commit_job *job;
};

static bool has_answer(void *ctx)
{
	const struct answer *answer = ctx;
	return answer->node->result == answer->job;
}

enum commit_result parts_commit(struct node *node, struct commit_job *job)
{
	struct answer answer = {node, job};
	node->result = NULL;
	committer_submit(node->committer, job);
	if (!parts_until(node->parts, "an answer of the commit thread", has_answer, &answer))
		give_up("commit", "no answer"); /* the job's memory is the case's and must not be left behind */
	return job->result;
}

enum commit_result parts_open(struct node *node, int32_t shard, uint64_t object, struct commit_job *ret_job)
{
	*ret_job = (struct commit_job){
		.kind = COMMIT_OPEN, .shard = shard, .shard_object = object, .token = node->tokens[shard]};
	return parts_commit(node, ret_job);
}

void parts_batch(struct node *node, const struct commit_job *open, const struct event *events, size_t event_count,
                 const struct write *writes, size_t write_count, struct commit_job *ret_job)
{
	*ret_job = (struct commit_job){
		.kind = COMMIT_BATCH,
		.shard = open->shard,
		.shard_object = open->shard_object,
		.attempt = open->new_attempt,
		.token = node->tokens[open->shard],
		.events = events,
		.event_count = event_count,
		.writes = writes,
		.write_count = write_count,
		.head = head_after(&open->claimed, writes, write_count),
	};
	memcpy(ret_job->offsets, open->committed, sizeof ret_job->offsets);
}

/* ---- other people's clients */

bool parts_send(struct parts *parts, const char *topic, int32_t partition, const char *text, int count)
{
	char value[128];
	rd_kafka_t *rk = client(parts, RD_KAFKA_PRODUCER);
	rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
	for (int i = 0; i < count && !code; i++) {
		snprintf(value, sizeof value, "%s-%d", text, i);
		code = rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
		                         RD_KAFKA_V_VALUE(value, strlen(value)), RD_KAFKA_V_HEADER("n", value, -1),
		                         RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
	}
	if (!code)
		code = rd_kafka_flush(rk, PARTS_LIMIT_MS);
	rd_kafka_destroy(rk);
	return parts_expect(parts, !code, "records sent to %s: %s", topic, rd_kafka_err2str(code));
}

int parts_read(struct parts *parts, const char *topic, int32_t partition, rd_kafka_message_t **ret, int max)
{
	int count = 0;
	bool at_end = false;
	rd_kafka_t *rk = client(parts, RD_KAFKA_CONSUMER);
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_list_add(list, topic, partition)->offset = RD_KAFKA_OFFSET_BEGINNING;
	rd_kafka_assign(rk, list);
	rd_kafka_topic_partition_list_destroy(list);
	int64_t end = loop_now_ms(parts->loop) + PARTS_LIMIT_MS;
	while (!at_end && loop_now_ms(parts->loop) < end) {
		rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, 100);
		if (message && !message->err && count < max) {
			ret[count++] = message;
			continue;
		}
		at_end = message && message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
		if (message)
			rd_kafka_message_destroy(message);
	}
	parts_expect(parts, at_end, "%s [%d] read to its end", topic, (int)partition);
	/* messages outlive their client only when it is not destroyed: the program ends with the cases */
	return count;
}
