/* SPDX-License-Identifier: Apache-2.0
 *
 * The commit machine against scripted steps: the order of calls, and what each failure does to each job (commit.h lists
 * the rules that are checked here one by one).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/commit.h"
#include "rules/base/mem.h"
#include "rules/base/strbuf.h"

struct commit_token {
	int references;
};

void commit_token_unref(struct commit_token *token)
{
	assert_true(token->references > 0);
	token->references--;
}

struct commit_token *commit_token_ref(struct commit_token *token)
{
	token->references++;
	return token;
}

/* The steps write what was asked of them to `calls`; `script` gives results by step: "offsets=lost commit=retry". The
 * first row of a name is used once and struck out. */
struct bench {
	struct strbuf calls;
	char script[128];
	struct commit *commit;
	struct commit_token tokens[2];
	bool is_resent;
	struct commit_offset offsets[2];
	struct err err;
};

static const char METADATA[] = "v1;e=4;q=9;h=0123456789abcdef;n=3";

static enum op_result scripted(struct bench *bench, const char *step, struct err *err)
{
	static const char *const names[] = {"done", "retry", "abort", "large", "lost", "exit"};
	static const enum op_result results[] = {OP_DONE, OP_RETRY, OP_ABORT, OP_TOO_LARGE, OP_LOST, OP_EXIT};
	char wanted[32];
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(wanted, sizeof wanted, "%s=%s", step, names[i]);
		char *at = strstr(bench->script, wanted);
		if (at == NULL)
			continue;
		*at = '#';
		err_set(err, ERR_KAFKA_ABORT, "%s", wanted);
		strbuf_printf(&bench->calls, "!");
		return results[i];
	}
	return OP_DONE;
}

static enum op_result op_fetch(void *ctx, int32_t shard, struct commit_offset ret[COMMIT_TOPICS_MAX], struct err *err)
{
	struct bench *bench = ctx;
	strbuf_printf(&bench->calls, "fetch%d ", shard);
	memcpy(ret, bench->offsets, sizeof bench->offsets);
	return scripted(bench, "fetch", err);
}

static enum op_result op_begin(void *ctx, struct err *err)
{
	struct bench *bench = ctx;
	strbuf_puts(&bench->calls, "begin ");
	return scripted(bench, "begin", err);
}

static enum op_result op_event(void *ctx, int32_t shard, const struct event *event, struct err *err)
{
	struct bench *bench = ctx;
	strbuf_printf(&bench->calls, "%d:%.*s ", shard, SLICE_ARG(event->id));
	return scripted(bench, "event", err);
}

static enum op_result op_state(void *ctx, int32_t shard, const struct write *write, const struct head *head, struct err *err)
{
	struct bench *bench = ctx;
	strbuf_printf(&bench->calls, "%d:%.*s@%d ", shard, SLICE_ARG(write->key), (int)head->seq);
	return scripted(bench, "state", err);
}

static enum op_result op_barrier(void *ctx, int32_t shard, const struct head *head, struct err *err)
{
	struct bench *bench = ctx;
	strbuf_printf(&bench->calls, "barrier%d@e%d ", shard, (int)head->epoch);
	return scripted(bench, "barrier", err);
}

static enum op_result op_offsets(void *ctx, struct commit_token *token, size_t count, const int32_t *shards,
                                 const int64_t (*offsets)[COMMIT_TOPICS_MAX], const struct slice *metadata, struct err *err)
{
	struct bench *bench = ctx;
	strbuf_printf(&bench->calls, "offsets%c[", token == &bench->tokens[0] ? 'A' : 'B');
	for (size_t i = 0; i < count; i++)
		strbuf_printf(&bench->calls, "%d=%d,%d;%.*s ", shards[i], (int)offsets[i][0], (int)offsets[i][1], 10, metadata[i].p);
	strbuf_puts(&bench->calls, "] ");
	return scripted(bench, "offsets", err);
}

static enum op_result op_commit(void *ctx, struct err *err)
{
	struct bench *bench = ctx;
	strbuf_puts(&bench->calls, "commit ");
	return scripted(bench, "commit", err);
}

static enum op_result op_abort(void *ctx, struct err *err)
{
	struct bench *bench = ctx;
	strbuf_puts(&bench->calls, "abort ");
	return scripted(bench, "abort_", err);
}

static int64_t op_state_offset(void *ctx, int32_t shard)
{
	(void)ctx;
	return shard == 9 ? -1 : 100 + shard;
}

static bool op_was_resent(void *ctx)
{
	return ((const struct bench *)ctx)->is_resent;
}

static enum op_result op_renew(void *ctx, struct err *err)
{
	struct bench *bench = ctx;
	strbuf_puts(&bench->calls, "renew ");
	bench->is_resent = false;
	return scripted(bench, "renew", err);
}

static const struct commit_ops OPS = {
	.fetch = op_fetch,
	.begin = op_begin,
	.produce_event = op_event,
	.produce_state = op_state,
	.produce_barrier = op_barrier,
	.send_offsets = op_offsets,
	.commit = op_commit,
	.abort = op_abort,
	.state_offset = op_state_offset,
	.was_resent = op_was_resent,
	.renew = op_renew,
};

static int setup(void **state)
{
	struct bench *bench = xcalloc(1, sizeof *bench);
	bench->commit = commit_new(&OPS, bench, 2, 3);
	bench->offsets[0] = (struct commit_offset){.offset = 5, .low = 0, .high = 9, .metadata = slice_of(METADATA)};
	bench->offsets[1] = (struct commit_offset){.offset = 2, .low = 2, .high = 2};
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;
	commit_free(bench->commit);
	assert_int_equal(bench->tokens[0].references + bench->tokens[1].references, 0);
	strbuf_done(&bench->calls);
	free(bench);
	return 0;
}

/* ---- jobs */

static const struct event EVENTS[] = {{.id = {"e1", 2}}, {.id = {"e2", 2}}};
static const struct write WRITES[] = {{.key = {"w1", 2}}};

static struct commit_job batch_of(struct bench *bench, int32_t shard, int token, uint64_t attempt)
{
	return (struct commit_job){.kind = COMMIT_BATCH,
	                           .shard = shard,
	                           .shard_object = 1,
	                           .attempt = attempt,
	                           .token = &bench->tokens[token],
	                           .events = EVENTS,
	                           .event_count = 2,
	                           .writes = WRITES,
	                           .write_count = 1,
	                           .head = {.epoch = 5, .seq = 10, .hash = "0123456789abcdef"},
	                           .offsets = {6, 3}};
}

static struct commit_job open_of(struct bench *bench, enum commit_kind kind)
{
	return (struct commit_job){.kind = kind, .shard = 2, .shard_object = 3, .token = &bench->tokens[0]};
}

static enum commit_turn run(struct bench *bench)
{
	enum commit_turn turn = COMMIT_MORE;
	for (int i = 0; i < 1000 && turn == COMMIT_MORE; i++)
		turn = commit_step(bench->commit, &bench->err);
	assert_int_not_equal(turn, COMMIT_MORE);
	return turn;
}

static void expect_calls(struct bench *bench, const char *wanted)
{
	assert_string_equal(strbuf_text(&bench->calls), wanted);
	strbuf_done(&bench->calls);
	bench->calls = (struct strbuf)STRBUF_INIT;
}

static void expect_result(struct bench *bench, const struct commit_job *job, enum commit_result result)
{
	const struct commit_job *found = commit_take_result(bench->commit);
	assert_ptr_equal(found, job);
	assert_string_equal(commit_result_name(found->result), commit_result_name(result));
}

#define ONE "begin 1:e1 1:e2 1:w1@10 offsetsA[1=6,3;v1;e=5;q=1 ] commit "

static void a_batch_goes_out_in_order(void **state)
{
	struct bench *bench = *state;
	struct commit_job job = batch_of(bench, 1, 0, 0);
	assert_int_equal(run(bench), COMMIT_IDLE);
	commit_submit(bench->commit, &job);
	assert_int_equal(run(bench), COMMIT_IDLE);
	expect_calls(bench, ONE);
	expect_result(bench, &job, COMMIT_DONE);
	assert_int_equal(job.state_end, 102);
	assert_null(commit_take_result(bench->commit));
}

static void steps_that_are_not_decided_are_called_again(void **state)
{
	struct bench *bench = *state;
	struct commit_job job = batch_of(bench, 1, 0, 0);
	strcpy(bench->script, "begin=retry event=retry state=retry commit=retry commit=retry");
	commit_submit(bench->commit, &job);
	assert_int_equal(run(bench), COMMIT_IDLE);
	expect_calls(bench, "begin !begin 1:e1 !1:e1 1:e2 1:w1@10 !1:w1@10 offsetsA[1=6,3;v1;e=5;q=1 ] commit !commit !commit ");
	expect_result(bench, &job, COMMIT_DONE);
}

static void one_transaction_has_one_token_and_one_batch_a_shard(void **state)
{
	struct bench *bench = *state;
	struct commit_job first = batch_of(bench, 1, 0, 0), again = batch_of(bench, 1, 0, 0), other = batch_of(bench, 2, 0, 0),
	                  newer = batch_of(bench, 0, 1, 0), behind = batch_of(bench, 0, 0, 0);
	commit_submit(bench->commit, &first);
	commit_submit(bench->commit, &again);
	commit_submit(bench->commit, &newer);
	commit_submit(bench->commit, &behind); /* must not overtake `newer` of its shard */
	commit_submit(bench->commit, &other);
	assert_int_equal(run(bench), COMMIT_IDLE);
	assert_non_null(strstr(strbuf_text(&bench->calls), "offsetsA[1=6,3;v1;e=5;q=1 2=6,3;v1;e=5;q=1 ]"));
	expect_result(bench, &first, COMMIT_DONE);
	expect_result(bench, &other, COMMIT_DONE);
	expect_result(bench, &again, COMMIT_DONE);
	expect_result(bench, &newer, COMMIT_DONE);
	expect_result(bench, &behind, COMMIT_DONE);
}

static void a_closed_shard_object_is_not_sent(void **state)
{
	struct bench *bench = *state;
	struct commit_job old = batch_of(bench, 1, 0, 0), young = batch_of(bench, 1, 0, 0);
	young.shard_object = 2;
	commit_submit(bench->commit, &old);
	commit_close_shard(bench->commit, 1, 1);
	commit_submit(bench->commit, &young);
	assert_int_equal(run(bench), COMMIT_IDLE);
	expect_calls(bench, ONE);
	expect_result(bench, &old, COMMIT_DISCARDED);
	expect_result(bench, &young, COMMIT_DONE);
	commit_close_shard(bench->commit, 1, 1); /* an older one again changes nothing */
	commit_submit(bench->commit, &young);
	assert_int_equal(run(bench), COMMIT_IDLE);
	expect_result(bench, &young, COMMIT_DONE);
}

static void a_close_does_not_touch_the_open_transaction(void **state)
{
	struct bench *bench = *state;
	struct commit_job job = batch_of(bench, 1, 0, 0);
	commit_submit(bench->commit, &job);
	assert_false(commit_is_busy_with(bench->commit, 1));
	for (int i = 0; i < 3; i++)
		assert_int_equal(commit_step(bench->commit, &bench->err), COMMIT_MORE);
	assert_true(commit_is_busy_with(bench->commit, 1));
	assert_false(commit_is_busy_with(bench->commit, 2));
	commit_close_shard(bench->commit, 1, 1);
	assert_int_equal(run(bench), COMMIT_IDLE);
	assert_false(commit_is_busy_with(bench->commit, 1));
	expect_result(bench, &job, COMMIT_DONE);
}

static void an_abort_kills_what_was_decided_on_it(void **state)
{
	static const char *const scripts[] = {"begin=abort", "event=abort", "state=abort", "offsets=abort", "offsets=retry", "commit=abort"};
	for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
		void *fresh;
		setup(&fresh);
		struct bench *bench = fresh;
		struct commit_job first = batch_of(bench, 1, 0, 0), with = batch_of(bench, 2, 0, 0), behind = batch_of(bench, 1, 0, 0),
		                  apart = batch_of(bench, 0, 1, 0), again = batch_of(bench, 1, 0, 1);
		strcpy(bench->script, scripts[i]);
		commit_submit(bench->commit, &first);
		commit_submit(bench->commit, &with);
		commit_submit(bench->commit, &behind);
		commit_submit(bench->commit, &apart);
		assert_int_equal(run(bench), COMMIT_IDLE);
		expect_result(bench, &first, COMMIT_ABORTED);
		expect_result(bench, &with, COMMIT_ABORTED);
		expect_result(bench, &behind, COMMIT_DISCARDED);
		expect_result(bench, &apart, COMMIT_DONE);
		assert_int_equal(first.new_attempt, 1);
		assert_int_equal(with.new_attempt, 1);
		assert_int_equal(behind.new_attempt, 1);
		assert_int_equal(apart.new_attempt, 0);
		assert_int_equal(first.failed_event, SIZE_MAX);
		assert_string_equal(first.err.text, scripts[i]);
		commit_submit(bench->commit, &again);
		assert_int_equal(run(bench), COMMIT_IDLE);
		expect_result(bench, &again, COMMIT_DONE);
		teardown(&fresh);
	}
	(void)state;
}

static void an_event_that_is_too_large_is_named(void **state)
{
	struct bench *bench = *state;
	struct commit_job first = batch_of(bench, 1, 0, 0), second = batch_of(bench, 2, 0, 0);
	strcpy(bench->script, "event=done event=done event=done event=large");
	commit_submit(bench->commit, &first);
	commit_submit(bench->commit, &second);
	assert_int_equal(run(bench), COMMIT_IDLE);
	expect_result(bench, &first, COMMIT_ABORTED);
	expect_result(bench, &second, COMMIT_ABORTED);
	assert_true(first.failed_event == SIZE_MAX);
	assert_int_equal(second.failed_event, 1);
}

static void a_lost_generation_is_told_apart(void **state)
{
	struct bench *bench = *state;
	struct commit_job job = batch_of(bench, 1, 0, 0);
	strcpy(bench->script, "offsets=lost abort_=retry");
	commit_submit(bench->commit, &job);
	assert_int_equal(run(bench), COMMIT_IDLE);
	expect_calls(bench, "begin 1:e1 1:e2 1:w1@10 offsetsA[1=6,3;v1;e=5;q=1 ] !abort !abort ");
	expect_result(bench, &job, COMMIT_LOST);
}

static void what_cannot_be_known_ends_the_process(void **state)
{
	static const char *const scripts[] = {"begin=exit", "event=exit",  "state=exit", "offsets=exit",
	                                      "commit=exit", "offsets=lost abort_=exit", "offsets=abort abort_=abort"};
	(void)state;
	for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
		void *fresh;
		setup(&fresh);
		struct bench *bench = fresh;
		struct commit_job job = batch_of(bench, 1, 0, 0);
		strcpy(bench->script, scripts[i]);
		commit_submit(bench->commit, &job);
		assert_int_equal(run(bench), COMMIT_EXIT);
		assert_null(commit_take_result(bench->commit)); /* not another word */
		teardown(&fresh);
	}
}

static void a_resent_request_renews_the_producer_before_the_next_begin(void **state)
{
	struct bench *bench = *state;
	struct commit_job job = batch_of(bench, 1, 0, 0);
	bench->is_resent = true;
	strcpy(bench->script, "renew=retry");
	commit_submit(bench->commit, &job);
	assert_int_equal(run(bench), COMMIT_IDLE);
	expect_result(bench, &job, COMMIT_DONE);
	commit_submit(bench->commit, &job);
	assert_int_equal(run(bench), COMMIT_IDLE);
	expect_calls(bench, ONE "renew !renew " ONE);
	expect_result(bench, &job, COMMIT_DONE);
	bench->is_resent = true;
	strcpy(bench->script, "commit=abort renew=exit");
	commit_submit(bench->commit, &job);
	assert_int_equal(run(bench), COMMIT_EXIT);
	expect_result(bench, &job, COMMIT_ABORTED); /* settled before */
}

/* ---- opening */

static void a_claim_commits_what_is_committed_with_the_next_epoch(void **state)
{
	struct bench *bench = *state;
	struct commit_job job = open_of(bench, COMMIT_OPEN);
	commit_submit(bench->commit, &job);
	assert_int_equal(run(bench), COMMIT_IDLE);
	expect_calls(bench, "fetch2 begin barrier2@e5 offsetsA[2=5,2;v1;e=5;q=9 ] commit ");
	expect_result(bench, &job, COMMIT_DONE);
	assert_int_equal(job.claimed.epoch, 5);
	assert_int_equal(job.claimed.seq, 9);
	assert_int_equal(job.committed[0], 5);
	assert_int_equal(job.committed[1], 2);
	assert_int_equal(job.barrier, 102);
}

static void a_question_changes_nothing(void **state)
{
	struct bench *bench = *state;
	struct commit_job job = open_of(bench, COMMIT_ASK);
	commit_submit(bench->commit, &job);
	assert_int_equal(run(bench), COMMIT_IDLE);
	expect_calls(bench, "fetch2 ");
	expect_result(bench, &job, COMMIT_DONE);
	assert_int_equal(job.claimed.epoch, 4);
}

static void an_unstable_fetch_holds_up_nobody(void **state)
{
	struct bench *bench = *state;
	struct commit_job opening = open_of(bench, COMMIT_OPEN), batch = batch_of(bench, 1, 0, 0);
	strcpy(bench->script, "fetch=retry");
	commit_submit(bench->commit, &opening);
	commit_submit(bench->commit, &batch);
	assert_int_equal(run(bench), COMMIT_IDLE);
	expect_result(bench, &batch, COMMIT_DONE);
	expect_result(bench, &opening, COMMIT_DONE);
}

static void a_shard_closed_while_it_was_fetched_is_not_claimed(void **state)
{
	struct bench *bench = *state;
	struct commit_job job = open_of(bench, COMMIT_OPEN);
	strcpy(bench->script, "fetch=retry");
	commit_submit(bench->commit, &job);
	commit_step(bench->commit, &bench->err);
	commit_step(bench->commit, &bench->err);
	commit_close_shard(bench->commit, 2, 3);
	assert_int_equal(run(bench), COMMIT_IDLE);
	expect_calls(bench, "fetch2 !");
	expect_result(bench, &job, COMMIT_DISCARDED);
}

static void expect_stopped(struct bench *bench, enum err_code code)
{
	struct commit_job job = open_of(bench, COMMIT_OPEN);
	commit_submit(bench->commit, &job);
	assert_int_equal(run(bench), COMMIT_IDLE);
	expect_calls(bench, "fetch2 ");
	expect_result(bench, &job, COMMIT_STOPPED);
	assert_int_equal(job.err.code, code);
}

static void wrong_offsets_stop_the_shard(void **state)
{
	struct bench *bench = *state;
	bench->offsets[1].offset = -1;
	expect_stopped(bench, ERR_NO_OFFSETS);
	bench->offsets[1].offset = 1;
	expect_stopped(bench, ERR_LOG_TRUNCATED);
	bench->offsets[1].offset = 3;
	expect_stopped(bench, ERR_LOG_TRUNCATED);
	bench->offsets[1].offset = 2;
	bench->offsets[0].metadata = SLICE("somebody else's");
	expect_stopped(bench, ERR_FOREIGN_METADATA);
	bench->offsets[0].metadata = SLICE("v1;e=4;q=9;h=0123456789abcdef;n=4");
	expect_stopped(bench, ERR_PARTITION_COUNT);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_batch_goes_out_in_order),
		TEST(steps_that_are_not_decided_are_called_again),
		TEST(one_transaction_has_one_token_and_one_batch_a_shard),
		TEST(a_closed_shard_object_is_not_sent),
		TEST(a_close_does_not_touch_the_open_transaction),
		TEST(an_abort_kills_what_was_decided_on_it),
		TEST(an_event_that_is_too_large_is_named),
		TEST(a_lost_generation_is_told_apart),
		TEST(what_cannot_be_known_ends_the_process),
		TEST(a_resent_request_renews_the_producer_before_the_next_begin),
		TEST(a_claim_commits_what_is_committed_with_the_next_epoch),
		TEST(a_question_changes_nothing),
		TEST(an_unstable_fetch_holds_up_nobody),
		TEST(a_shard_closed_while_it_was_fetched_is_not_claimed),
		TEST(wrong_offsets_stop_the_shard),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
