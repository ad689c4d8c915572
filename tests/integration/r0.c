/* SPDX-License-Identifier: Apache-2.0
 *
 * R0: what a real broker does with the calls that our protocol stands on. Each case states a claim of the protocol
 * and shows it; where the claim is false, the protocol (not the case) has to change.
 *
 *   r0 HOST:PORT [BROKER-PID]     all cases but the last       r0 --idle HOST:PORT     only that one
 *
 * The last case needs a broker that forgets idle producers within seconds, which would disturb the others.
 * Prints `ok`/`not ok` lines with what was seen and ends with `N passed, N failed, N skipped`.
 */
#include "tests/integration/r0_kit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	PAUSE_MS = 5000,   /* how long the broker is stopped */
	SHORT_MS = 1000,   /* a limit that we expect to be reached */
	IDLE_MS = 6000,    /* longer than the expiration that the rig sets for the idle case */
	NOT_YET_MS = 1500, /* how long we look for what must not come */
};

static rd_kafka_consumer_group_metadata_t *no_member(const char *group)
{
	return rd_kafka_consumer_group_metadata_new(group);
}

/* Metadata travels in TxnOffsetCommit and comes back from committed(), in another client too. */
static void metadata_round_trip(struct r0 *r0)
{
	const char *topic = r0_name(r0, "in"), *group = r0_name(r0, "group");
	const char *metadata = "v1;e=7;q=123456789;h=0123456789abcdef;n=16";
	r0_topic(r0, topic, 1);
	struct member *member = r0_join(r0, group, topic, NULL);
	rd_kafka_t *producer = r0_producer(r0, r0_name(r0, "tx"));
	if (!producer || !r0_settle(r0, 1, 1) || !r0_commit(r0, producer, member->token, topic, 42, metadata))
		return;
	r0_expect_committed(r0, member->rk, topic, 42, metadata);
	r0_expect_committed(r0, r0_reader(r0, group), topic, 42, metadata);
	char id[128];
	r0_saw(r0, "42 '%s' in both clients, token generation %d", metadata,
	       r0_generation(member->token, id, sizeof id));
}

/* Reads topic/0 from `offset` to the end that read_committed shows; counts records with the key. */
static int64_t read_to_end(struct r0 *r0, rd_kafka_t *reader, const char *topic, int64_t offset, const char *key,
			   int *ret_found)
{
	int64_t end = -1, limit = r0_now_ms() + R0_LIMIT_MS;
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_list_add(list, topic, 0)->offset = offset;
	rd_kafka_assign(reader, list);
	rd_kafka_topic_partition_list_destroy(list);
	*ret_found = 0;
	while (end < 0 && r0_now_ms() < limit) {
		rd_kafka_message_t *message = rd_kafka_consumer_poll(reader, 100);
		if (!message)
			continue;
		if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
			end = message->offset;
		else if (!message->err && message->key_len == strlen(key) &&
			 !memcmp(message->key, key, message->key_len))
			(*ret_found)++;
		rd_kafka_message_destroy(message);
	}
	r0_expect(r0, end >= 0, "%s read to its end", topic);
	return end;
}

/* A claim: one record and the unchanged offset with a new epoch; also an offset alone, twice the same. */
static void claim_keeps_the_offset(struct r0 *r0)
{
	const char *topic = r0_name(r0, "in"), *group = r0_name(r0, "group");
	rd_kafka_resp_err_t code;
	int found;
	r0_topic(r0, topic, 1);
	struct member *member = r0_join(r0, group, topic, NULL);
	rd_kafka_t *producer = r0_producer(r0, r0_name(r0, "tx"));
	if (!producer || !r0_settle(r0, 1, 1) || !r0_commit(r0, producer, member->token, topic, 5, "v1;e=1") ||
	    !r0_commit(r0, producer, member->token, topic, 5, "v1;e=2"))
		return;
	r0_expect_committed(r0, member->rk, topic, 5, "v1;e=2");
	rd_kafka_t *reader = r0_reader(r0, group);
	read_to_end(r0, reader, topic, 0, "event", &found);
	r0_expect(r0, found == 2, "both records are visible, found %d", found);
	r0_describe(rd_kafka_begin_transaction(producer), NULL);
	r0_describe(r0_send_offset(producer, member->token, topic, 5, "v1;e=3", R0_LIMIT_MS), &code);
	const char *text = r0_describe(rd_kafka_commit_transaction(producer, R0_LIMIT_MS), &code);
	r0_expect(r0, !code, "a transaction with an offset only commits: %s", text);
	r0_expect_committed(r0, reader, topic, 5, "v1;e=3");
	r0_saw(r0, "same offset with metadata e=1, 2, 3 accepted; offset-only transaction: ok");
}

/* Begins, sends an event, tries the offset with this token; aborts. Returns what send_offsets said. */
static rd_kafka_resp_err_t try_token(struct r0 *r0, rd_kafka_t *producer,
				     const rd_kafka_consumer_group_metadata_t *token, const char *topic, int64_t offset)
{
	rd_kafka_resp_err_t code, end;
	r0_describe(rd_kafka_begin_transaction(producer), &code);
	r0_expect(r0, !code, "begin: %s", rd_kafka_err2name(code));
	r0_send(r0, producer, topic, 0, "event", "refused");
	const char *text = r0_describe(r0_send_offset(producer, token, topic, offset, "refused", R0_LIMIT_MS), &code);
	r0_saw(r0, "%s", text);
	r0_expect(r0, !code || strstr(text, "abortable"), "the refusal can be aborted: %s", text);
	text = r0_describe(rd_kafka_abort_transaction(producer, R0_LIMIT_MS), &end);
	r0_expect(r0, !end, "abort: %s", text);
	return code;
}

/* The token of an earlier generation is refused, an abort mends the producer, the new token commits. */
static void old_generation_is_refused(struct r0 *r0)
{
	const char *topic = r0_name(r0, "in"), *group = r0_name(r0, "group");
	int found;
	r0_topic(r0, topic, 2);
	struct member *first = r0_join(r0, group, topic, NULL);
	rd_kafka_t *producer = r0_producer(r0, r0_name(r0, "tx"));
	if (!producer || !r0_settle(r0, 1, 2) || !r0_commit(r0, producer, first->token, topic, 10, "before"))
		return;
	rd_kafka_consumer_group_metadata_t *old = first->token;
	first->token = NULL;
	r0_join(r0, group, topic, NULL);
	if (r0_settle(r0, 2, 2)) {
		rd_kafka_resp_err_t code = try_token(r0, producer, old, topic, 11);
		r0_expect(r0, code == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, "ILLEGAL_GENERATION");
		r0_expect_committed(r0, first->rk, topic, 10, "before");
		r0_commit(r0, producer, first->token, topic, 12, "after");
		r0_expect_committed(r0, first->rk, topic, 12, "after");
		read_to_end(r0, r0_reader(r0, group), topic, 0, "event", &found);
		r0_expect(r0, found == 2, "the aborted record is invisible: %d", found);
		r0_saw(r0, "offset unchanged, event invisible, new token commits");
	}
	rd_kafka_consumer_group_metadata_destroy(old);
}

/* The broker checks the member, not what it holds (W4): a good token may move any partition, backwards too. */
static void ownership_is_not_checked(struct r0 *r0)
{
	const char *topic = r0_name(r0, "in"), *group = r0_name(r0, "group");
	r0_topic(r0, topic, 2);
	struct member *first = r0_join(r0, group, topic, NULL), *second = r0_join(r0, group, topic, NULL);
	rd_kafka_t *producer = r0_producer(r0, r0_name(r0, "tx"));
	if (!producer || !r0_settle(r0, 2, 2))
		return;
	struct member *holder = r0_holds(first, topic, 0) ? first : second;
	struct member *stranger = holder == first ? second : first;
	if (!r0_commit(r0, producer, holder->token, topic, 20, "holder") ||
	    !r0_commit(r0, producer, stranger->token, topic, 15, "stranger"))
		return;
	r0_expect_committed(r0, holder->rk, topic, 15, "stranger");
	r0_saw(r0, "a member that does not hold the partition moved it from 20 back to 15: accepted");
}

static void leave(struct member *member)
{
	rd_kafka_consumer_close(member->rk);
	rd_kafka_destroy(member->rk);
	member->rk = NULL;
}

/* A member that has left is unknown, whatever its token says. */
static void departed_member_is_refused(struct r0 *r0)
{
	const char *topic = r0_name(r0, "in"), *group = r0_name(r0, "group");
	r0_topic(r0, topic, 2);
	struct member *first = r0_join(r0, group, topic, NULL), *second = r0_join(r0, group, topic, NULL);
	rd_kafka_t *producer = r0_producer(r0, r0_name(r0, "tx"));
	if (!producer || !r0_settle(r0, 2, 2))
		return;
	leave(first);
	rd_kafka_resp_err_t code = try_token(r0, producer, first->token, topic, 1);
	r0_expect(r0, code == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, "UNKNOWN_MEMBER_ID");
	leave(second);
	code = try_token(r0, producer, second->token, topic, 1);
	r0_expect(r0, code == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, "UNKNOWN_MEMBER_ID from an empty group too");
}

/* Generation -1 with an empty member id is no fence at all (W4). */
static void anonymous_token_is_accepted(struct r0 *r0)
{
	const char *topic = r0_name(r0, "in"), *group = r0_name(r0, "group");
	char id[128] = "?";
	r0_topic(r0, topic, 1);
	struct member *member = r0_join(r0, group, topic, NULL);
	rd_kafka_t *producer = r0_producer(r0, r0_name(r0, "tx"));
	rd_kafka_consumer_group_metadata_t *token = no_member(group);
	int generation = r0_generation(token, id, sizeof id);
	if (producer && r0_settle(r0, 1, 1) && r0_commit(r0, producer, member->token, topic, 30, "member") &&
	    r0_commit(r0, producer, token, topic, 3, "anonymous")) {
		r0_expect_committed(r0, member->rk, topic, 3, "anonymous");
		r0_saw(r0, "(%d, '%s') moved the offset of a group with a member from 30 to 3: accepted", generation,
		       id);
	}
	rd_kafka_consumer_group_metadata_destroy(token);
}

struct pending {
	const char *topic, *id;
	rd_kafka_t *reader;
	pid_t zombie;
};

/* A committed offset 8, and a killed process whose open transaction holds offset 9. */
static bool make_pending(struct r0 *r0, struct pending *ret_pending)
{
	const char *topic = r0_name(r0, "in"), *group = r0_name(r0, "group"), *id = r0_name(r0, "zombie");
	r0_topic(r0, topic, 1);
	rd_kafka_t *producer = r0_producer(r0, r0_name(r0, "tx"));
	rd_kafka_consumer_group_metadata_t *token = no_member(group);
	bool good = producer && r0_commit(r0, producer, token, topic, 8, "stable");
	rd_kafka_consumer_group_metadata_destroy(token);
	*ret_pending = (struct pending){.topic = topic, .id = id, .reader = r0_reader(r0, group)};
	if (!good || !r0_expect_committed(r0, ret_pending->reader, topic, 8, "stable"))
		return false;
	ret_pending->zombie = r0_zombie(r0, id, topic, group, 9);
	r0_kill(ret_pending->zombie);
	return !r0->case_failed;
}

/* committed() of a read_committed consumer does not answer while a transaction holds the offset. */
static void expect_unstable(struct r0 *r0, const struct pending *pending)
{
	int64_t offset, start = r0_now_ms();
	char metadata[64];
	rd_kafka_resp_err_t code =
		r0_committed(pending->reader, pending->topic, SHORT_MS, &offset, metadata, sizeof metadata);
	r0_saw(r0, "while pending: %s after %lld ms", rd_kafka_err2name(code), (long long)(r0_now_ms() - start));
	r0_expect(r0, code == RD_KAFKA_RESP_ERR__TIMED_OUT || code == RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT,
		  "no answer while the offset is pending, got %s %lld", rd_kafka_err2name(code), (long long)offset);
}

static void committed_waits_for_the_same_id(struct r0 *r0)
{
	struct pending pending;
	if (!make_pending(r0, &pending))
		return;
	expect_unstable(r0, &pending);
	int64_t start = r0_now_ms();
	if (!r0_producer(r0, pending.id))
		return;
	int64_t initialised = r0_now_ms();
	r0_expect_committed(r0, pending.reader, pending.topic, 8, "stable");
	r0_saw(r0, "init_transactions of the same id took %lld ms, committed() then %lld ms: 8, the crashed 9 is gone",
	       (long long)(initialised - start), (long long)(r0_now_ms() - initialised));
}

static void committed_waits_for_the_time_out(struct r0 *r0)
{
	struct pending pending;
	if (!make_pending(r0, &pending))
		return;
	int64_t start = r0_now_ms();
	r0_expect_committed(r0, pending.reader, pending.topic, 8, "stable");
	r0_saw(r0, "nobody initialised: one call of committed() waited %lld ms (transaction.timeout.ms %d)",
	       (long long)(r0_now_ms() - start), R0_TRANSACTION_MS);
}

/* An open transaction hides what others commit behind it; its abort lets a reader pass. */
static void open_transaction_holds_the_end(struct r0 *r0)
{
	const char *topic = r0_name(r0, "state"), *group = r0_name(r0, "group"), *id = r0_name(r0, "zombie");
	int found, ghosts;
	int64_t low, high;
	r0_topic(r0, topic, 1);
	pid_t zombie = r0_zombie(r0, id, topic, NULL, 0);
	rd_kafka_t *producer = r0_producer(r0, r0_name(r0, "tx")), *reader = r0_reader(r0, group);
	rd_kafka_consumer_group_metadata_t *token = no_member(group);
	bool good = producer && r0_commit(r0, producer, token, topic, 0, "barrier");
	rd_kafka_consumer_group_metadata_destroy(token);
	int64_t held = read_to_end(r0, reader, topic, 0, "event", &found);
	rd_kafka_query_watermark_offsets(reader, topic, 0, &low, &high, R0_LIMIT_MS);
	r0_saw(r0, "open: end %lld, high watermark %lld, committed records seen %d", (long long)held, (long long)high,
	       found);
	r0_expect(r0, good && held == 0 && found == 0,
		  "the end is held at 0, and the committed record behind it unseen");
	r0_kill(zombie);
	if (!r0_producer(r0, id))
		return;
	int64_t end = read_to_end(r0, reader, topic, 0, "event", &found);
	read_to_end(r0, reader, topic, 0, "zombie", &ghosts);
	r0_expect(r0, end >= 2 && found == 1 && ghosts == 0, "barrier passed, zombie's record unseen");
	r0_saw(r0, "aborted: end %lld, committed %d, zombie's %d", (long long)end, found, ghosts);
}

/* `range` gives one partition number of both topics to one member; unequal subscriptions split them (W6). */
static void range_assigns_topics_together(struct r0 *r0)
{
	const char *one = r0_name(r0, "captured"), *two = r0_name(r0, "activity"), *group = r0_name(r0, "group");
	int together = 0, apart = 0;
	r0_topic(r0, one, 5);
	r0_topic(r0, two, 5);
	struct member *first = r0_join(r0, group, one, two), *second = r0_join(r0, group, one, two);
	if (!r0_settle(r0, 2, 10))
		return;
	for (int i = 0; i < 5; i++)
		together += r0_holds(first, one, i) == r0_holds(first, two, i) &&
			    r0_holds(second, one, i) != r0_holds(first, one, i);
	r0_expect(r0, together == 5, "all five shards are whole, %d are", together);
	leave(second);
	struct member *other = r0_join(r0, group, one, NULL);
	if (!r0_settle(r0, 2, 10))
		return;
	for (int i = 0; i < 5; i++)
		apart += r0_holds(other, one, i) && r0_holds(first, two, i);
	r0_expect(r0, apart > 0, "unequal subscriptions split shards");
	r0_saw(r0, "5 of 5 shards whole with equal subscriptions; %d of 5 split with unequal ones", apart);
}

static void same_id_fences_the_older_producer(struct r0 *r0)
{
	const char *topic = r0_name(r0, "out"), *group = r0_name(r0, "group"), *id = r0_name(r0, "tx");
	rd_kafka_resp_err_t code;
	int found;
	r0_topic(r0, topic, 1);
	rd_kafka_t *older = r0_producer(r0, id);
	if (!older)
		return;
	r0_describe(rd_kafka_begin_transaction(older), NULL);
	r0_send(r0, older, topic, 0, "event", "older");
	rd_kafka_flush(older, R0_LIMIT_MS);
	rd_kafka_t *newer = r0_producer(r0, id);
	const char *text = r0_describe(rd_kafka_commit_transaction(older, R0_LIMIT_MS), &code);
	r0_expect(r0, code && strstr(text, "fatal"), "a fatal error, got %s", text);
	r0_saw(r0, "commit of the older: %s", text);
	text = r0_describe(rd_kafka_begin_transaction(older), &code);
	r0_saw(r0, "its next begin: %s", text);
	r0_expect(r0, code, "the older stays dead");
	rd_kafka_consumer_group_metadata_t *token = no_member(group);
	if (newer)
		r0_commit(r0, newer, token, topic, 0, "newer");
	rd_kafka_consumer_group_metadata_destroy(token);
	read_to_end(r0, r0_reader(r0, group), topic, 0, "event", &found);
	r0_expect(r0, found == 1, "only the newer one's record is visible, %d are", found);
}

/* The first error that polling yields within the limit. */
static rd_kafka_resp_err_t first_error(rd_kafka_t *rk, int limit_ms)
{
	rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
	int64_t limit = r0_now_ms() + limit_ms;
	while (!code && r0_now_ms() < limit) {
		rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, 50);
		code = message ? message->err : code;
		if (message)
			rd_kafka_message_destroy(message);
	}
	return code;
}

/* auto.offset.reset=error: a partition without a committed offset yields an error, not a guess. A partition that is
 * paused in the rebalance callback and resumed later may yield nothing at all, so committed() has to be asked. */
static void missing_offset_is_an_error(struct r0 *r0)
{
	const char *topic = r0_name(r0, "in"), *group = r0_name(r0, "group");
	int64_t offset;
	char metadata[64];
	r0_topic(r0, topic, 1);
	struct member *member = r0_join(r0, group, topic, NULL);
	if (!r0_settle(r0, 1, 1))
		return;
	rd_kafka_resp_err_t answer = r0_committed(member->rk, topic, R0_LIMIT_MS, &offset, metadata, sizeof metadata);
	r0_expect(r0, !answer && offset == RD_KAFKA_OFFSET_INVALID, "committed(): none, got %lld", (long long)offset);
	rd_kafka_resume_partitions(member->rk, member->assigned);
	r0_saw(r0, "committed() says INVALID; paused at once and resumed: %s",
	       rd_kafka_err2name(first_error(member->rk, NOT_YET_MS)));
	rd_kafka_t *reader = r0_reader(r0, group);
	rd_kafka_topic_partition_list_t *list =
		rd_kafka_topic_partition_list_new(1); /* a copy would carry the other client's handle */
	rd_kafka_topic_partition_list_add(list, topic, 0);
	rd_kafka_assign(reader, list);
	rd_kafka_topic_partition_list_destroy(list);
	rd_kafka_resp_err_t code = first_error(reader, R0_LIMIT_MS);
	r0_expect(r0, code == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET, "_AUTO_OFFSET_RESET, got %s",
		  rd_kafka_err2name(code));
	r0_saw(r0, "never paused: %s", rd_kafka_err2name(code));
}

/* Lets the broker run again after PAUSE_MS, from a process of its own: the caller is inside a blocking call. */
static void resume_later(pid_t broker)
{
	pid_t parent = getpid();
	if (fork() != 0)
		return;
	struct timespec pause = {PAUSE_MS / 1000, 0};
	nanosleep(&pause, NULL);
	kill(broker, SIGCONT);
	_exit(getppid() == parent ? 0 : 1);
}

/* Stops the broker for PAUSE_MS, calls send_offsets in that time, then ends the transaction. True: committed. */
static bool offsets_under_a_stopped_broker(struct r0 *r0, rd_kafka_t *producer,
					   const rd_kafka_consumer_group_metadata_t *token, const char *topic)
{
	rd_kafka_resp_err_t code, end;
	r0_describe(rd_kafka_begin_transaction(producer), NULL);
	kill(r0->broker, SIGSTOP);
	resume_later(r0->broker);
	int64_t start = r0_now_ms();
	const char *text = r0_describe(r0_send_offset(producer, token, topic, 2, "second", SHORT_MS), &code);
	int64_t took = r0_now_ms() - start;
	r0_saw(r0, "send_offsets(%d ms) said %s after %lld ms, broker stopped for %d ms, transaction.timeout.ms %d",
	       SHORT_MS, text, (long long)took, PAUSE_MS, R0_TRANSACTION_MS);
	text = r0_describe(code ? rd_kafka_abort_transaction(producer, R0_LIMIT_MS)
				: rd_kafka_commit_transaction(producer, R0_LIMIT_MS),
			   &end);
	r0_saw(r0, "%s then said %s", code ? "abort" : "commit", text);
	r0_expect(r0, !end || strstr(text, "fatal"), "an end or a fatal error: %s", text);
	return !code && !end;
}

/* send_offsets while the coordinator hangs (L1): its limit is not kept. Whatever it says, there is one story, and a
 * new producer with the same id goes on. */
static void hung_coordinator(struct r0 *r0)
{
	const char *topic = r0_name(r0, "in"), *group = r0_name(r0, "group"), *id = r0_name(r0, "tx");
	r0_topic(r0, topic, 1);
	rd_kafka_t *producer = r0_producer(r0, id), *reader = r0_reader(r0, group);
	rd_kafka_consumer_group_metadata_t *token = no_member(group);
	if (producer && r0_commit(r0, producer, token, topic, 1, "first")) {
		bool committed = offsets_under_a_stopped_broker(r0, producer, token, topic);
		r0_expect_committed(r0, reader, topic, committed ? 2 : 1, committed ? "second" : "first");
		rd_kafka_t *again = r0_producer(r0, id);
		r0_expect(r0, again && r0_commit(r0, again, token, topic, 3, "again"),
			  "a new producer with the same id commits");
	}
	rd_kafka_consumer_group_metadata_destroy(token);
}

/* A producer that was idle longer than the broker remembers it: an error that a restart mends, or none at all. */
static void idle_producer(struct r0 *r0)
{
	const char *topic = r0_name(r0, "in"), *group = r0_name(r0, "group"), *id = r0_name(r0, "tx");
	rd_kafka_resp_err_t code;
	int found;
	r0_topic(r0, topic, 1);
	rd_kafka_t *producer = r0_producer(r0, id);
	rd_kafka_consumer_group_metadata_t *token = no_member(group);
	if (producer && r0_commit(r0, producer, token, topic, 1, "first")) {
		struct timespec idle = {IDLE_MS / 1000, 0};
		nanosleep(&idle, NULL); /* the subject of the case is time without any request */
		r0_describe(rd_kafka_begin_transaction(producer), NULL);
		r0_send(r0, producer, topic, 0, "event", "second");
		r0_saw(r0, "send_offsets: %s",
		       r0_describe(r0_send_offset(producer, token, topic, 2, "second", R0_LIMIT_MS), NULL));
		r0_saw(r0, "commit: %s", r0_describe(rd_kafka_commit_transaction(producer, R0_LIMIT_MS), &code));
		int64_t offset = code ? 1 : 2;
		r0_expect_committed(r0, r0_reader(r0, group), topic, offset, code ? "first" : "second");
		rd_kafka_t *again = r0_producer(r0, id);
		r0_expect(r0, again && r0_commit(r0, again, token, topic, 3, "again"),
			  "a new producer with the same id commits");
		read_to_end(r0, r0_reader(r0, group), topic, 0, "event", &found);
		r0_expect(r0, found == offset + 1, "%d records visible", found);
	}
	rd_kafka_consumer_group_metadata_destroy(token);
}

static void run_all(struct r0 *r0)
{
	r0_run(r0, "metadata comes back from a transaction", metadata_round_trip);
	r0_run(r0, "a claim keeps the offset and changes the metadata", claim_keeps_the_offset);
	r0_run(r0, "an old generation is refused", old_generation_is_refused);
	r0_run(r0, "a departed member is refused", departed_member_is_refused);
	r0_run(r0, "ownership and direction are not checked", ownership_is_not_checked);
	r0_run(r0, "generation -1 without a member is accepted", anonymous_token_is_accepted);
	r0_run(r0, "committed() waits until the crashed id initialises", committed_waits_for_the_same_id);
	r0_run(r0, "committed() waits until the transaction times out", committed_waits_for_the_time_out);
	r0_run(r0, "an open transaction holds the end for readers", open_transaction_holds_the_end);
	r0_run(r0, "range assigns equal subscriptions together", range_assigns_topics_together);
	r0_run(r0, "a producer is fenced by its successor", same_id_fences_the_older_producer);
	r0_run(r0, "a missing offset is an error", missing_offset_is_an_error);
	if (r0->broker) {
		r0_run(r0, "a hung coordinator ends in one story", hung_coordinator);
		return;
	}
	r0->skipped++;
	printf("skip %d - a hung coordinator ends in one story: no broker process given\n", ++r0->number);
}

int main(int argc, char **argv)
{
	if (argc == 7 && !strcmp(argv[1], "--zombie"))
		return r0_zombie_main(argv);
	bool idle = argc == 3 && !strcmp(argv[1], "--idle");
	if (!idle && argc != 2 && argc != 3) {
		fprintf(stderr, "usage: r0 HOST:PORT [BROKER-PID] | r0 --idle HOST:PORT\n");
		return 2;
	}
	struct r0 r0 = {
		.self = argv[0], .bootstrap = argv[idle ? 2 : 1], .broker = !idle && argc == 3 ? atoi(argv[2]) : 0};
	signal(SIGCHLD, SIG_DFL);
	if (idle)
		r0_run(&r0, "a producer that was forgotten by the broker", idle_producer);
	else
		run_all(&r0);
	printf("%d passed, %d failed, %d skipped\n", r0.passed, r0.failed, r0.skipped);
	return r0.failed ? 1 : 0;
}
