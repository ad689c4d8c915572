/* SPDX-License-Identifier: Apache-2.0
 *
 * What the steps of a transaction make of errors, on librdkafka's mock cluster. It keeps no transactional offsets and
 * shows aborted records, so nothing here says what a broker promises; tests/integration does.
 *
 * One cluster serves all cases (starting and ending one takes seconds); the producer is new in each. What ends the
 * process runs in a child, which is made before any client has a thread and is looked at in the end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/commit_token.h"
#include "daemon/committer_kafka.h"
#include "daemon/kafka_check.h"
#include "daemon/kafka_txn.h"
#include "daemon/mock_broker.h"

enum { ADD_OFFSETS = 25, END_TXN = 26, TXN_OFFSET_COMMIT = 28, PRODUCE = 0, TRANSACTION_MS = 1000, SHARDS = 2, FAILURES_MAX = 32 };

static void quiet(void *ctx, int level, const char *facility, const char *text)
{
	(void)ctx, (void)level, (void)facility, (void)text;
}

struct bench {
	struct mock_broker *broker;
	struct kafka_options options;
	rd_kafka_t *consumer;
	struct kafka_txn *txn;
	struct commit_token *token;
};

static void bench_begin(struct bench *bench, int nodes)
{
	static const struct mock_topic TOPICS[] = {{"captured", SHARDS}, {"activity", SHARDS}, {"assignments", 3},
	                                           {"followups", 1},     {"lifecycle", 1},     {"rejected", 1},
	                                           {"state", SHARDS}};
	struct err err = ERR_INIT;
	*bench = (struct bench){.broker = mock_broker_new(TOPICS, 7, nodes, &err)};
	bench->options = (struct kafka_options){
		.brokers = mock_broker_address(bench->broker),
		.group = "g",
		.instance = "1",
		.inputs = {{"captured", RECORD_CAPTURED}, {"activity", RECORD_ACTIVITY}},
		.input_count = 2,
		.outputs = {"assignments", "followups", "lifecycle", "rejected"},
		.state_topic = "state",
		.partition_count = SHARDS,
		.transaction_timeout_ms = TRANSACTION_MS,
		.event_source = "/test",
		.log = quiet,
	};
	bench->token = commit_token_from(rd_kafka_consumer_group_metadata_new_with_genid("g", 1, "m", NULL), &err);
	rd_kafka_conf_t *conf = kafka_conf_questions(&bench->options, &err);
	bench->consumer = kafka_client_new(RD_KAFKA_CONSUMER, conf, &err);
}

static struct bench shared;

static int begin_all(void **state)
{
	(void)state;
	bench_begin(&shared, 1);
	return 0;
}

static int end_all(void **state)
{
	(void)state;
	rd_kafka_destroy(shared.consumer);
	commit_token_unref(shared.token);
	mock_broker_free(shared.broker);
	return 0;
}

static int set_up(void **state)
{
	struct err err = ERR_INIT;
	shared.txn = kafka_txn_new(&shared.options, shared.consumer, &err);
	if (shared.txn == NULL)
		fail_msg("%s", err.text);
	*state = &shared;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;
	kafka_txn_free(bench->txn);
	return 0;
}

static const struct head HEAD = {.epoch = 3, .seq = 9, .hash = "0123456789abcdef"};

static void fail_next(struct bench *bench, int16_t api, size_t count, rd_kafka_resp_err_t code)
{
	rd_kafka_resp_err_t codes[FAILURES_MAX];
	for (size_t i = 0; i < count; i++)
		codes[i] = code;
	rd_kafka_mock_push_request_errors_array(mock_broker_cluster(bench->broker), api, count, codes);
}

static enum op_result send_offsets(struct bench *bench, struct err *err)
{
	static const int32_t shards[] = {1};
	static const int64_t offsets[1][COMMIT_TOPICS_MAX] = {{5, 6}};
	static const struct slice metadata[] = {SLICE("v1;e=3;q=9;h=0123456789abcdef;n=2")};
	return kafka_txn_ops.send_offsets(bench->txn, bench->token, 1, shards, offsets, metadata, err);
}

/* begin … send_offsets; returns the first result that is not OP_DONE. */
static enum op_result up_to_offsets(struct bench *bench, struct err *err)
{
	static const struct write write = {.key = SLICE("lead/1"), .value = SLICE("v")};
	static const struct event event = {.topic = OUT_ASSIGNMENTS, .id = SLICE("1"), .type = "lead.assigned",
	                                   .subject = SLICE("L"), .cause = SLICE("c"), .has_value = true, .value = SLICE("{}")};
	enum op_result result = kafka_txn_ops.begin(bench->txn, err);
	if (result == OP_DONE)
		result = kafka_txn_ops.produce_event(bench->txn, 1, &event, err);
	if (result == OP_DONE)
		result = kafka_txn_ops.produce_state(bench->txn, 1, &write, &HEAD, err);
	return result == OP_DONE ? send_offsets(bench, err) : result;
}

static void assert_done(enum op_result result, const struct err *err)
{
	if (result != OP_DONE)
		fail_msg("result %d: %s", (int)result, err->text);
}

static void a_whole_transaction(void **state)
{
	struct bench *bench = *state;
	struct err err = ERR_INIT;
	for (int round = 0; round < 2; round++) {
		assert_done(up_to_offsets(bench, &err), &err);
		assert_done(kafka_txn_ops.commit(bench->txn, &err), &err);
		assert_true(kafka_txn_ops.state_offset(bench->txn, 1) >= round);
		assert_int_equal(kafka_txn_ops.state_offset(bench->txn, 0), -1);
		assert_false(kafka_txn_ops.was_resent(bench->txn));
	}
	struct kafka_txn_counters counters = kafka_txn_counters(bench->txn);
	assert_int_equal(counters.commits, 2);
	assert_int_equal(counters.events, 2);
	assert_int_equal(counters.state_records, 2);
}

static void lost_after(void **state, rd_kafka_resp_err_t code)
{
	struct bench *bench = *state;
	struct err err = ERR_INIT;
	fail_next(bench, TXN_OFFSET_COMMIT, 1, code);
	assert_int_equal(up_to_offsets(bench, &err), OP_LOST);
	assert_int_equal(err.code, ERR_GENERATION_LOST);
	assert_done(kafka_txn_ops.abort(bench->txn, &err), &err);
	assert_false(kafka_txn_ops.was_resent(bench->txn));
	assert_done(up_to_offsets(bench, &err), &err); /* the producer is sound */
	assert_done(kafka_txn_ops.commit(bench->txn, &err), &err);
}

static void an_old_generation_is_lost_not_fatal(void **state)
{
	lost_after(state, RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION);
	lost_after(state, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID);
	lost_after(state, RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID);
}

static void a_refused_write_aborts(void **state)
{
	struct bench *bench = *state;
	struct err err = ERR_INIT;
	fail_next(bench, PRODUCE, 1, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
	enum op_result result = up_to_offsets(bench, &err);
	if (result == OP_DONE)
		result = kafka_txn_ops.commit(bench->txn, &err);
	assert_int_equal(result, OP_ABORT);
	assert_int_equal(err.code, ERR_KAFKA_ABORT);
	assert_done(kafka_txn_ops.abort(bench->txn, &err), &err);
}

static void a_dropped_end_asks_for_a_new_producer(void **state)
{
	struct bench *bench = *state;
	struct err err = ERR_INIT;
	assert_done(up_to_offsets(bench, &err), &err);
	fail_next(bench, END_TXN, 1, RD_KAFKA_RESP_ERR__TRANSPORT); /* the connection closes without an answer */
	assert_done(kafka_txn_ops.commit(bench->txn, &err), &err);
	assert_true(kafka_txn_ops.was_resent(bench->txn));
	assert_done(kafka_txn_ops.renew(bench->txn, &err), &err);
	assert_false(kafka_txn_ops.was_resent(bench->txn));
	assert_done(up_to_offsets(bench, &err), &err);
	assert_done(kafka_txn_ops.commit(bench->txn, &err), &err);
	assert_int_equal(kafka_txn_counters(bench->txn).renewals, 1);
}

static void a_dropped_offset_commit_asks_for_a_new_producer(void **state)
{
	struct bench *bench = *state;
	struct err err = ERR_INIT;
	fail_next(bench, TXN_OFFSET_COMMIT, 1, RD_KAFKA_RESP_ERR__TRANSPORT);
	assert_done(up_to_offsets(bench, &err), &err);
	assert_done(kafka_txn_ops.commit(bench->txn, &err), &err);
	assert_true(kafka_txn_ops.was_resent(bench->txn));
}

static void a_refusal_that_was_answered_is_no_resend(void **state)
{
	struct bench *bench = *state;
	struct err err = ERR_INIT;
	fail_next(bench, ADD_OFFSETS, 2, RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS);
	assert_done(up_to_offsets(bench, &err), &err);
	assert_done(kafka_txn_ops.commit(bench->txn, &err), &err);
	assert_false(kafka_txn_ops.was_resent(bench->txn));
}

/* The markers of the last transaction are being written. At librdkafka's 100 ms from one question to the next the
 * transaction would time out before the last of these answers. */
static void a_broker_that_still_writes_markers_is_asked_again_soon(void **state)
{
	struct bench *bench = *state;
	struct err err = ERR_INIT;
	fail_next(bench, ADD_OFFSETS, FAILURES_MAX, RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS);
	assert_done(up_to_offsets(bench, &err), &err);
	assert_done(kafka_txn_ops.commit(bench->txn, &err), &err);
	assert_false(kafka_txn_ops.was_resent(bench->txn));
}

static void a_fenced_producer_ends_the_process(void **state)
{
	struct bench *bench = *state;
	struct err err = ERR_INIT;
	assert_done(up_to_offsets(bench, &err), &err);
	fail_next(bench, END_TXN, 1, RD_KAFKA_RESP_ERR_PRODUCER_FENCED);
	assert_int_equal(kafka_txn_ops.commit(bench->txn, &err), OP_EXIT);
	assert_int_equal(err.code, ERR_KAFKA_FATAL);
}

static void a_commit_without_outcome_ends_the_process(void **state)
{
	struct bench *bench = *state;
	struct err err = ERR_INIT;
	assert_done(up_to_offsets(bench, &err), &err);
	/* A broker that is down could still lack records, and then the answer would be to abort. */
	for (int i = 0; i < 4; i++)
		rd_kafka_mock_broker_push_request_error_rtts(mock_broker_cluster(bench->broker), 1, END_TXN, 1,
		                                             RD_KAFKA_RESP_ERR_NO_ERROR, 3 * TRANSACTION_MS);
	assert_int_equal(kafka_txn_ops.commit(bench->txn, &err), OP_EXIT);
	assert_int_equal(err.code, ERR_KAFKA_DEADLINE);
}

static void committed_offsets_come_with_metadata_and_watermarks(void **state)
{
	struct bench *bench = *state;
	struct err err = ERR_INIT;
	struct commit_offset found[COMMIT_TOPICS_MAX];
	assert_done(kafka_txn_ops.fetch(bench->txn, 1, found, &err), &err);
	assert_int_equal(found[0].offset, -1); /* nothing committed is an answer, not an error */
	if (kafka_bootstrap(&bench->options, &err) != 0)
		fail_msg("%s", err.text);
	assert_done(kafka_txn_ops.fetch(bench->txn, 1, found, &err), &err);
	assert_int_equal(found[0].offset, 0);
	assert_int_equal(found[0].low, 0);
	assert_int_equal(found[0].high, 0);
	assert_true(slice_has_prefix(found[0].metadata, SLICE("v1;e=0;q=0;h=")));
	assert_int_equal(found[1].offset, 0);
	assert_int_equal(found[1].metadata.len, 0);
	assert_int_equal(kafka_bootstrap(&bench->options, &err), -1);
	assert_int_equal(err.code, ERR_BOOTSTRAPPED);
}

/* ---- in a child */

static void ignore_result(void *ctx, struct commit_job *job)
{
	(void)ctx, (void)job;
}

/* The group's coordinator is down: send_offsets_to_transaction() then ignores its time-out (L1), so that only the loop's
 * look at the call's age can end it. */
static void run_without_coordinator(void)
{
	struct err err = ERR_INIT;
	struct bench bench;
	bench_begin(&bench, 2);
	rd_kafka_mock_cluster_t *cluster = mock_broker_cluster(bench.broker);
	bench.options.call_margin_ms = 300;
	rd_kafka_mock_coordinator_set(cluster, "transaction", "g-1", 1);
	rd_kafka_mock_coordinator_set(cluster, "group", "g", 2);
	struct loop *loop = loop_new();
	struct committer *committer = committer_new(loop, &bench.options, bench.consumer, &err);
	if (committer == NULL)
		_exit(1);
	committer_on_result(committer, ignore_result, NULL);
	rd_kafka_mock_broker_set_down(cluster, 2);
	struct commit_job job = {.kind = COMMIT_BATCH, .shard = 1, .shard_object = 1, .token = bench.token, .head = HEAD};
	committer_submit(committer, &job);
	loop_run(loop);
	_exit(0);
}

static pid_t child;

static void start_child(void)
{
	child = fork();
	if (child != 0)
		return;
	alarm(30);
	run_without_coordinator();
}

static void a_call_that_never_returns_ends_the_process_by_its_deadline(void **state)
{
	(void)state;
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), KAFKA_EXIT_CODE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_whole_transaction, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_old_generation_is_lost_not_fatal, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_refused_write_aborts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_dropped_end_asks_for_a_new_producer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_dropped_offset_commit_asks_for_a_new_producer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_refusal_that_was_answered_is_no_resend, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_broker_that_still_writes_markers_is_asked_again_soon, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_fenced_producer_ends_the_process, set_up, tear_down),
		cmocka_unit_test_setup_teardown(committed_offsets_come_with_metadata_and_watermarks, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_commit_without_outcome_ends_the_process, set_up, tear_down), /* the broker is gone */
		cmocka_unit_test(a_call_that_never_returns_ends_the_process_by_its_deadline),
	};
	start_child();
	return cmocka_run_group_tests(tests, begin_all, end_all);
}
