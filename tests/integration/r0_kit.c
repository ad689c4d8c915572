/* SPDX-License-Identifier: Apache-2.0
 *
 * See r0_kit.h. Errors of the set-up (a client that cannot be made, a topic that cannot be created) end the case as
 * failed; errors that a case is about are returned to it.
 */
#include "tests/integration/r0_kit.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int64_t r0_now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

const char *r0_name(const struct r0 *r0, const char *suffix)
{
	static char names[8][96];
	static int next;
	char *name = names[next++ % 8];
	snprintf(name, sizeof names[0], "r0-%d-%d-%s", (int)getpid(), r0->number, suffix);
	return name;
}

void r0_saw(struct r0 *r0, const char *format, ...)
{
	size_t used = strlen(r0->seen);
	if (used && used + 3 < sizeof r0->seen) {
		strcpy(r0->seen + used, "; ");
		used += 2;
	}
	va_list args;
	va_start(args, format);
	vsnprintf(r0->seen + used, sizeof r0->seen - used, format, args);
	va_end(args);
}

bool r0_expect(struct r0 *r0, bool good, const char *format, ...)
{
	if (good)
		return true;
	r0->case_failed = true;
	va_list args;
	va_start(args, format);
	printf("#   expected: ");
	vprintf(format, args);
	printf("\n");
	va_end(args);
	return false;
}

static void free_member(struct member *member)
{
	if (member->rk) {
		rd_kafka_consumer_close(member->rk);
		rd_kafka_destroy(member->rk);
	}
	if (member->assigned)
		rd_kafka_topic_partition_list_destroy(member->assigned);
	if (member->token)
		rd_kafka_consumer_group_metadata_destroy(member->token);
	*member = (struct member){0};
}

static void end_case(struct r0 *r0)
{
	for (int i = 0; i < r0->member_count; i++)
		free_member(&r0->members[i]);
	for (int i = 0; i < r0->client_count; i++)
		rd_kafka_destroy(r0->clients[i]);
	r0->member_count = r0->client_count = 0;
}

void r0_run(struct r0 *r0, const char *name, r0_case *run)
{
	r0->seen[0] = '\0';
	r0->case_failed = false;
	r0->number++;
	int64_t start = r0_now_ms();
	run(r0);
	int64_t took = r0_now_ms() - start;
	end_case(r0);
	if (r0->case_failed)
		r0->failed++;
	else
		r0->passed++;
	printf("%s %d - %s (%lld ms): %s\n", r0->case_failed ? "not ok" : "ok", r0->number, name, (long long)took,
	       r0->seen);
	fflush(stdout);
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
	char text[256];
	if (rd_kafka_conf_set(conf, name, value, text, sizeof text) != RD_KAFKA_CONF_OK) {
		fprintf(stderr, "r0: %s\n", text);
		exit(2);
	}
}

static rd_kafka_conf_t *common_conf(const char *bootstrap)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	set(conf, "bootstrap.servers", bootstrap);
	set(conf, "reconnect.backoff.max.ms", "500");
	set(conf, "log_level", "2");
	return conf;
}

static rd_kafka_t *make_client(rd_kafka_type_t type, rd_kafka_conf_t *conf)
{
	char text[256];
	rd_kafka_t *rk = rd_kafka_new(type, conf, text, sizeof text);
	if (!rk) {
		fprintf(stderr, "r0: %s\n", text);
		exit(2);
	}
	return rk;
}

static rd_kafka_t *keep(struct r0 *r0, rd_kafka_t *rk)
{
	if (r0->client_count == R0_CLIENTS)
		abort();
	r0->clients[r0->client_count++] = rk;
	return rk;
}

static rd_kafka_resp_err_t topic_result(rd_kafka_event_t *event)
{
	size_t count = 0;
	const rd_kafka_CreateTopics_result_t *result = event ? rd_kafka_event_CreateTopics_result(event) : NULL;
	if (!result || rd_kafka_event_error(event))
		return event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
	const rd_kafka_topic_result_t **topics = rd_kafka_CreateTopics_result_topics(result, &count);
	return count == 1 ? rd_kafka_topic_result_error(topics[0]) : RD_KAFKA_RESP_ERR__FAIL;
}

/* True when a client is told of all partitions and their leaders. */
static bool is_known(rd_kafka_t *rk, const char *topic, int partitions)
{
	const struct rd_kafka_metadata *metadata;
	rd_kafka_topic_t *handle = rd_kafka_topic_new(rk, topic, NULL);
	bool known = false;
	if (rd_kafka_metadata(rk, 0, handle, &metadata, R0_LIMIT_MS) == RD_KAFKA_RESP_ERR_NO_ERROR) {
		const struct rd_kafka_metadata_topic *found = &metadata->topics[0];
		known = metadata->topic_cnt == 1 && found->err == RD_KAFKA_RESP_ERR_NO_ERROR && found->partition_cnt == partitions;
		for (int i = 0; known && i < partitions; i++)
			known = found->partitions[i].leader >= 0;
		rd_kafka_metadata_destroy(metadata);
	}
	rd_kafka_topic_destroy(handle);
	return known;
}

/* Created, and known to the broker that clients ask: creation is answered by the controller, whose news reach the broker's
 * metadata a moment later. A member that joins in that moment subscribes to a topic it does not know, and the group
 * settles without it until the next refresh of metadata. */
void r0_topic(struct r0 *r0, const char *topic, int partitions)
{
	rd_kafka_t *rk = make_client(RD_KAFKA_PRODUCER, common_conf(r0->bootstrap));
	rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
	rd_kafka_NewTopic_t *wanted = rd_kafka_NewTopic_new(topic, partitions, 1, NULL, 0);
	rd_kafka_CreateTopics(rk, &wanted, 1, NULL, queue);
	rd_kafka_event_t *event = rd_kafka_queue_poll(queue, R0_LIMIT_MS);
	rd_kafka_resp_err_t code = topic_result(event);
	r0_expect(r0, code == RD_KAFKA_RESP_ERR_NO_ERROR, "topic %s created: %s", topic, rd_kafka_err2name(code));
	if (event)
		rd_kafka_event_destroy(event);
	rd_kafka_NewTopic_destroy(wanted);
	rd_kafka_queue_destroy(queue);
	int64_t end = r0_now_ms() + R0_LIMIT_MS;
	while (!is_known(rk, topic, partitions) && r0_now_ms() < end)
		rd_kafka_poll(rk, 20);
	rd_kafka_destroy(rk);
}

const char *r0_describe(rd_kafka_error_t *error, rd_kafka_resp_err_t *ret_code)
{
	static char text[160];
	rd_kafka_resp_err_t code = error ? rd_kafka_error_code(error) : RD_KAFKA_RESP_ERR_NO_ERROR;
	if (ret_code)
		*ret_code = code;
	if (!error)
		return "ok";
	snprintf(text, sizeof text, "%s%s%s%s", rd_kafka_err2name(code), rd_kafka_error_is_fatal(error) ? " fatal" : "",
		 rd_kafka_error_txn_requires_abort(error) ? " abortable" : "",
		 rd_kafka_error_is_retriable(error) ? " retriable" : "");
	rd_kafka_error_destroy(error);
	return text;
}

static rd_kafka_t *new_producer(const char *bootstrap, const char *transactional_id)
{
	char timeout[16];
	snprintf(timeout, sizeof timeout, "%d", R0_TRANSACTION_MS);
	rd_kafka_conf_t *conf = common_conf(bootstrap);
	set(conf, "transactional.id", transactional_id);
	set(conf, "transaction.timeout.ms", timeout);
	set(conf, "linger.ms", "0");
	return make_client(RD_KAFKA_PRODUCER, conf);
}

rd_kafka_t *r0_producer(struct r0 *r0, const char *transactional_id)
{
	rd_kafka_t *rk = keep(r0, new_producer(r0->bootstrap, transactional_id));
	rd_kafka_error_t *error = rd_kafka_init_transactions(rk, R0_LIMIT_MS);
	bool good = !error;
	r0_expect(r0, good, "init_transactions: %s", r0_describe(error, NULL));
	return good ? rk : NULL;
}

static rd_kafka_conf_t *consumer_conf(struct r0 *r0, const char *group)
{
	rd_kafka_conf_t *conf = common_conf(r0->bootstrap);
	set(conf, "group.id", group);
	set(conf, "enable.auto.commit", "false");
	set(conf, "isolation.level", "read_committed");
	set(conf, "auto.offset.reset", "error");
	set(conf, "partition.assignment.strategy", "range");
	set(conf, "session.timeout.ms", "6000");
	set(conf, "heartbeat.interval.ms", "300");
	set(conf, "enable.partition.eof", "true");
	set(conf, "fetch.wait.max.ms", "50");
	return conf;
}

rd_kafka_t *r0_reader(struct r0 *r0, const char *group)
{
	rd_kafka_t *rk = keep(r0, make_client(RD_KAFKA_CONSUMER, consumer_conf(r0, group)));
	rd_kafka_poll_set_consumer(rk);
	return rk;
}

static void forget_assignment(struct member *member)
{
	if (member->assigned)
		rd_kafka_topic_partition_list_destroy(member->assigned);
	member->assigned = NULL;
}

static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t err, rd_kafka_topic_partition_list_t *parts, void *opaque)
{
	struct member *member = opaque;
	forget_assignment(member);
	if (err != RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
		rd_kafka_assign(rk, NULL);
		return;
	}
	if (member->token)
		rd_kafka_consumer_group_metadata_destroy(member->token);
	member->token = rd_kafka_consumer_group_metadata(rk);
	member->assigned = rd_kafka_topic_partition_list_copy(parts);
	member->assignments++;
	rd_kafka_assign(rk, parts);
	rd_kafka_pause_partitions(rk, parts);
}

struct member *r0_join(struct r0 *r0, const char *group, const char *topic, const char *second_topic)
{
	if (r0->member_count == R0_MEMBERS)
		abort();
	struct member *member = &r0->members[r0->member_count++];
	rd_kafka_conf_t *conf = consumer_conf(r0, group);
	rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
	rd_kafka_conf_set_opaque(conf, member);
	member->rk = make_client(RD_KAFKA_CONSUMER, conf);
	rd_kafka_poll_set_consumer(member->rk);
	rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(2);
	rd_kafka_topic_partition_list_add(topics, topic, RD_KAFKA_PARTITION_UA);
	if (second_topic)
		rd_kafka_topic_partition_list_add(topics, second_topic, RD_KAFKA_PARTITION_UA);
	rd_kafka_resp_err_t code = rd_kafka_subscribe(member->rk, topics);
	r0_expect(r0, code == RD_KAFKA_RESP_ERR_NO_ERROR, "subscribed: %s", rd_kafka_err2name(code));
	rd_kafka_topic_partition_list_destroy(topics);
	return member;
}

int r0_generation(const rd_kafka_consumer_group_metadata_t *token, char *ret_member, size_t size)
{
	static const char MAGIC[] = "CGMDv2:";
	void *bytes = NULL;
	size_t length = 0;
	int32_t generation = -2;
	rd_kafka_error_t *error = token ? rd_kafka_consumer_group_metadata_write(token, &bytes, &length) : NULL;
	if (error)
		rd_kafka_error_destroy(error);
	if (bytes && length > sizeof MAGIC + sizeof generation && !memcmp(bytes, MAGIC, sizeof MAGIC - 1)) {
		const char *at = (const char *)bytes + sizeof MAGIC - 1;
		memcpy(&generation, at, sizeof generation);
		at += sizeof generation;
		snprintf(ret_member, size, "%s", at + strlen(at) + 1);
	}
	free(bytes);
	return generation;
}

static bool settled(const struct r0 *r0, int members, int partitions)
{
	int open = 0, held = 0, generation = -1;
	char name[128];
	for (int i = 0; i < r0->member_count; i++) {
		const struct member *member = &r0->members[i];
		if (!member->rk)
			continue;
		if (!member->assigned)
			return false;
		int its = r0_generation(member->token, name, sizeof name);
		if (open++ > 0 && its != generation)
			return false;
		generation = its;
		held += member->assigned->cnt;
	}
	return open == members && held == partitions;
}

static void poll_members(struct r0 *r0)
{
	for (int i = 0; i < r0->member_count; i++) {
		if (!r0->members[i].rk)
			continue;
		rd_kafka_message_t *message = rd_kafka_consumer_poll(r0->members[i].rk, 10);
		if (message)
			rd_kafka_message_destroy(message);
	}
}

bool r0_settle(struct r0 *r0, int members, int partitions)
{
	int64_t end = r0_now_ms() + R0_LIMIT_MS;
	while (!settled(r0, members, partitions) && r0_now_ms() < end)
		poll_members(r0);
	return r0_expect(r0, settled(r0, members, partitions), "%d members hold %d partitions", members, partitions);
}

bool r0_holds(const struct member *member, const char *topic, int partition)
{
	return member->assigned && rd_kafka_topic_partition_list_find(member->assigned, topic, partition);
}

bool r0_send(struct r0 *r0, rd_kafka_t *producer, const char *topic, int partition, const char *key, const char *value)
{
	rd_kafka_resp_err_t code = rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
						     RD_KAFKA_V_KEY(key, strlen(key)),
						     RD_KAFKA_V_VALUE((void *)(uintptr_t)value, strlen(value)),
						     RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
	return !r0 || r0_expect(r0, code == RD_KAFKA_RESP_ERR_NO_ERROR, "produce: %s", rd_kafka_err2name(code));
}

rd_kafka_error_t *r0_send_offset(rd_kafka_t *producer, const rd_kafka_consumer_group_metadata_t *token,
				 const char *topic, int64_t offset, const char *metadata, int timeout_ms)
{
	rd_kafka_topic_partition_list_t *offsets = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_t *partition = rd_kafka_topic_partition_list_add(offsets, topic, 0);
	partition->offset = offset;
	partition->metadata = metadata ? strdup(metadata) : NULL;
	partition->metadata_size = metadata ? strlen(metadata) : 0;
	rd_kafka_error_t *error = rd_kafka_send_offsets_to_transaction(producer, offsets, token, timeout_ms);
	rd_kafka_topic_partition_list_destroy(offsets);
	return error;
}

bool r0_commit(struct r0 *r0, rd_kafka_t *producer, const rd_kafka_consumer_group_metadata_t *token, const char *topic,
	       int64_t offset, const char *metadata)
{
	rd_kafka_resp_err_t code;
	const char *text = r0_describe(rd_kafka_begin_transaction(producer), &code);
	if (!r0_expect(r0, !code, "begin: %s", text) || !r0_send(r0, producer, topic, 0, "event", metadata))
		return false;
	text = r0_describe(r0_send_offset(producer, token, topic, offset, metadata, R0_LIMIT_MS), &code);
	if (!r0_expect(r0, !code, "send_offsets: %s", text))
		return false;
	text = r0_describe(rd_kafka_commit_transaction(producer, R0_LIMIT_MS), &code);
	return r0_expect(r0, !code, "commit: %s", text);
}

rd_kafka_resp_err_t r0_committed(rd_kafka_t *reader, const char *topic, int timeout_ms, int64_t *ret_offset,
				 char *ret_metadata, size_t size)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_t *partition = rd_kafka_topic_partition_list_add(list, topic, 0);
	rd_kafka_resp_err_t code = rd_kafka_committed(reader, list, timeout_ms);
	if (!code)
		code = partition->err;
	*ret_offset = partition->offset;
	snprintf(ret_metadata, size, "%.*s", (int)partition->metadata_size,
		 partition->metadata ? (const char *)partition->metadata : "");
	rd_kafka_topic_partition_list_destroy(list);
	return code;
}

bool r0_expect_committed(struct r0 *r0, rd_kafka_t *reader, const char *topic, int64_t offset, const char *metadata)
{
	int64_t found;
	char text[256];
	rd_kafka_resp_err_t code = r0_committed(reader, topic, R0_LIMIT_MS, &found, text, sizeof text);
	return r0_expect(r0, !code && found == offset && !strcmp(text, metadata),
			 "committed %lld '%s', found %s %lld '%s'", (long long)offset, metadata,
			 rd_kafka_err2name(code), (long long)found, text);
}

/* --- the zombie */

pid_t r0_zombie(struct r0 *r0, const char *transactional_id, const char *topic, const char *group, int64_t offset)
{
	int pipes[2];
	char number[24], byte;
	snprintf(number, sizeof number, "%lld", (long long)offset);
	const char *argv[] = {r0->self, "--zombie",         r0->bootstrap, transactional_id,
			      topic,    group ? group : "", number,        NULL};
	if (pipe(pipes))
		exit(2);
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(pipes[1], 1);
		execv(r0->self, (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	close(pipes[1]);
	ssize_t got;
	while ((got = read(pipes[0], &byte, 1)) < 0 && errno == EINTR)
		;
	close(pipes[0]);
	r0_expect(r0, got == 1, "the zombie has opened its transaction");
	return pid;
}

void r0_kill(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

int r0_zombie_main(char **argv)
{
	const char *topic = argv[4], *group = argv[5];
	alarm(R0_LIMIT_MS * 4 / 1000);
	rd_kafka_t *rk = new_producer(argv[2], argv[3]);
	if (rd_kafka_init_transactions(rk, R0_LIMIT_MS) || rd_kafka_begin_transaction(rk) ||
	    !r0_send(NULL, rk, topic, 0, "zombie", "zombie") || rd_kafka_flush(rk, R0_LIMIT_MS))
		return 2;
	if (*group) {
		rd_kafka_consumer_group_metadata_t *token = rd_kafka_consumer_group_metadata_new(group);
		if (r0_send_offset(rk, token, topic, atoll(argv[6]), "zombie", R0_LIMIT_MS))
			return 3;
	}
	if (write(1, "o", 1) != 1)
		return 4;
	for (;;)
		pause();
}
