/* SPDX-License-Identifier: Apache-2.0
 *
 * What the cases of the kafka_parts program share: topics with names of their own, a node (consumer and commit thread on
 * one loop, as in the daemon), and the loop run until something has happened. One case, one group, one set of topics.
 */
#ifndef LR_TESTS_INTEGRATION_KAFKA_PARTS_H
#define LR_TESTS_INTEGRATION_KAFKA_PARTS_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/committer_kafka.h"
#include "daemon/kafka_check.h"
#include "daemon/kafka_conf.h"
#include "daemon/kafka_in_kafka.h"
#include "daemon/loop.h"

enum {
	PARTS_LIMIT_MS = 20000, /* any single wait */
	PARTS_SHARDS = 2,
	PARTS_TOPICS = 7, /* two inputs, four outputs, the state */
	PARTS_MESSAGES = 256,
	PARTS_NODES = 2,
	PARTS_TRANSACTION_MS = 4000,
};

struct parts;

/* One instance of the daemon as far as Kafka sees it. */
struct node {
	struct parts *parts;
	struct kafka_options options;
	char instance[16];
	struct kafka_in *in;
	struct committer *committer;
	struct commit_token *tokens[PARTS_SHARDS]; /* references; NULL: not assigned */
	bool is_complete[PARTS_SHARDS];
	bool was_lost[PARTS_SHARDS];
	int assignments[PARTS_SHARDS];
	struct kafka_message *messages[PARTS_MESSAGES];
	int message_count;
	struct commit_job *result; /* the newest; the case's own memory */
};

struct parts {
	const char *brokers;
	struct loop *loop;
	struct kafka_options options; /* what the nodes of the case begin with */
	char names[PARTS_TOPICS][64];
	char group[64];
	struct node nodes[PARTS_NODES];
	int node_count;
	int number, passed, failed;
	bool case_failed;
	char seen[512];
	struct kafka_environment environment;
};

typedef void parts_case(struct parts *parts);

void parts_run(struct parts *parts, const char *name, parts_case *run);
bool parts_expect(struct parts *parts, bool good, const char *format, ...) __attribute__((format(printf, 3, 4)));
void parts_saw(struct parts *parts, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Runs the loop until is_done(ctx), at most PARTS_LIMIT_MS; false (and the case failed) at the limit. */
bool parts_until(struct parts *parts, const char *what, bool (*is_done)(void *ctx), void *ctx);

/* Topics of the case on a real broker, options filled. `settings`: pairs for leads.state, NULL-terminated; may be NULL. */
bool parts_topics(struct parts *parts, const char *const *state_settings);
/* Names and options only (a mock cluster makes topics by itself). */
void parts_names(struct parts *parts);
/* A node that has joined; NULL and the case failed when it cannot be made. */
struct node *parts_node(struct parts *parts);
/* Ends it: consumer closed, thread ended, everything freed. */
void parts_end_node(struct node *node);
bool parts_wait_assigned(struct node *node, int shards);
/* Submits and waits for its answer; answers come in the order in which jobs finish. */
enum commit_result parts_commit(struct node *node, struct commit_job *job);
/* A COMMIT_OPEN of a shard; fills *ret_job. */
enum commit_result parts_open(struct node *node, int32_t shard, uint64_t object, struct commit_job *ret_job);
/* A batch after `open` with these events and writes; the head is computed. */
void parts_batch(struct node *node, const struct commit_job *open, const struct event *events, size_t event_count,
                 const struct write *writes, size_t write_count, struct commit_job *ret_job);

/* `count` records "<text>-<i>" to topic/partition by an ordinary producer, all acknowledged. */
bool parts_send(struct parts *parts, const char *topic, int32_t partition, const char *text, int count);
/* Reads topic/partition from the beginning to its end with read_committed; messages into `ret`, their number returned. */
int parts_read(struct parts *parts, const char *topic, int32_t partition, rd_kafka_message_t **ret, int max);

#endif
