/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps of struct commit_ops over librdkafka's transactional producer. Used by the commit thread only, but for
 * kafka_txn_new() and kafka_txn_free(), which run before that thread begins and after it has ended.
 *
 * Each call may block; the committer's deadline ends the process when one blocks for too long. What an error means:
 * reliability.md §2.6.
 */
#ifndef LR_DAEMON_KAFKA_TXN_H
#define LR_DAEMON_KAFKA_TXN_H

#include "daemon/commit.h"
#include "daemon/kafka_conf.h"

struct kafka_txn;

struct kafka_txn_counters {
	uint64_t transactions, commits, aborts, renewals;
	uint64_t events, state_records;
};

extern const struct commit_ops kafka_txn_ops; /* their ctx is a struct kafka_txn */

/* Makes the producer and ends what a predecessor of the same instance left open: blocks up to KAFKA_START_MS. `options`
 * and `consumer` (the group's, for committed offsets and watermarks) are borrowed. NULL with *err. */
struct kafka_txn *kafka_txn_new(const struct kafka_options *options, rd_kafka_t *consumer, struct err *err);
void kafka_txn_free(struct kafka_txn *txn);
/* Waits until everything produced is with the broker, at most limit_ms: tests make zombies with it. */
void kafka_txn_flush(struct kafka_txn *txn, int limit_ms);
/* Read by other threads without a lock: for metrics. */
struct kafka_txn_counters kafka_txn_counters(const struct kafka_txn *txn);

/* What an error of a transactional call means; takes `error` (not NULL), fills *err. `producer` is asked for a fatal
 * error besides. Here for its test. */
enum op_result kafka_txn_classify(rd_kafka_t *producer, rd_kafka_error_t *take_error, const char *call, struct err *err);

#endif
