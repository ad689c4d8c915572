/* SPDX-License-Identifier: Apache-2.0
 *
 * What the cases of r0.c share: clients that are gone after the case, group members that remember their token,
 * the zombie (a process with an open transaction that is killed), and `ok`/`not ok` lines.
 *
 * Everything waits for an event with a limit and never sleeps a fixed time. One thread but where a case says so.
 */
#ifndef LR_TESTS_INTEGRATION_R0_KIT_H
#define LR_TESTS_INTEGRATION_R0_KIT_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	R0_LIMIT_MS = 30000,      /* any single wait */
	R0_TRANSACTION_MS = 4000, /* transaction.timeout.ms of every producer here */
	R0_CLIENTS = 16,
	R0_MEMBERS = 4,
	R0_TEXT = 512,
};

/* A consumer in a group, as leadrouterd is one: eager `range`, read_committed, no offset commits of its own.
 * assigned and token are set in the rebalance callback and belong to the member. */
struct member {
	rd_kafka_t *rk;
	rd_kafka_topic_partition_list_t *assigned; /* NULL: nothing */
	rd_kafka_consumer_group_metadata_t *token; /* of the newest assignment; NULL before the first */
	int assignments;
};

struct r0 {
	const char *self; /* our own path, to start zombies */
	const char *bootstrap;
	pid_t broker;       /* 0: not known */
	char seen[R0_TEXT]; /* what the case saw, for its line */
	bool case_failed;
	int passed, failed, skipped, number;
	rd_kafka_t *clients[R0_CLIENTS];
	struct member members[R0_MEMBERS];
	int client_count, member_count;
};

typedef void r0_case(struct r0 *r0);

/* Runs a case, prints its line, frees its clients. */
void r0_run(struct r0 *r0, const char *name, r0_case *run);
void r0_saw(struct r0 *r0, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Marks the case as failed when `good` is false, and returns `good`. */
bool r0_expect(struct r0 *r0, bool good, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* A name that no other case or run uses: "r0-<process>-<case number>-<suffix>". Rotating static storage of 8. */
const char *r0_name(const struct r0 *r0, const char *suffix);
int64_t r0_now_ms(void);

void r0_topic(struct r0 *r0, const char *topic, int partitions);
/* A transactional producer after init_transactions; NULL (and the case failed) when that fails. */
rd_kafka_t *r0_producer(struct r0 *r0, const char *transactional_id);
/* A consumer that joins nothing: for committed() and for reading assigned partitions. */
rd_kafka_t *r0_reader(struct r0 *r0, const char *group);
struct member *r0_join(struct r0 *r0, const char *group, const char *topic, const char *second_topic);
/* Polls all members until each has had an assignment of a generation in which exactly `members` take part and
 * together they hold `partitions`. False (and the case failed) at the limit. */
bool r0_settle(struct r0 *r0, int members, int partitions);
bool r0_holds(const struct member *member, const char *topic, int partition);
/* Generation and member id inside a token (2.0.2 has no accessors). */
int r0_generation(const rd_kafka_consumer_group_metadata_t *token, char *ret_member, size_t size);

bool r0_send(struct r0 *r0, rd_kafka_t *producer, const char *topic, int partition, const char *key, const char *value);
rd_kafka_error_t *r0_send_offset(rd_kafka_t *producer, const rd_kafka_consumer_group_metadata_t *token,
				 const char *topic, int64_t offset, const char *metadata, int timeout_ms);
/* Begin, one record to `topic`, offset of `topic`/0, commit: false and the case failed unless all went well. */
bool r0_commit(struct r0 *r0, rd_kafka_t *producer, const rd_kafka_consumer_group_metadata_t *token, const char *topic,
	       int64_t offset, const char *metadata);
/* The committed offset of `topic`/0; *ret_offset is RD_KAFKA_OFFSET_INVALID where there is none. */
rd_kafka_resp_err_t r0_committed(rd_kafka_t *reader, const char *topic, int timeout_ms, int64_t *ret_offset,
				 char *ret_metadata, size_t size);
bool r0_expect_committed(struct r0 *r0, rd_kafka_t *reader, const char *topic, int64_t offset, const char *metadata);
/* "ok", or the error's name and kinds; frees the error. Static storage. */
const char *r0_describe(rd_kafka_error_t *error, rd_kafka_resp_err_t *ret_code);

/* Starts a process that opens a transaction with `transactional_id`, writes one record to topic/partition 0, adds the
 * offset `offset` of the topic for `group` (group NULL: none), says so, and waits to be killed. Returns its id. */
pid_t r0_zombie(struct r0 *r0, const char *transactional_id, const char *topic, const char *group, int64_t offset);
void r0_kill(pid_t pid);
/* The zombie's main function. */
int r0_zombie_main(char **argv);

#endif
