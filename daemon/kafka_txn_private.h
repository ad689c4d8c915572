/* SPDX-License-Identifier: Apache-2.0
 *
 * What kafka_txn.c (the steps) and kafka_producer.c (the client below them) share. Nobody else includes this.
 */
#ifndef LR_DAEMON_KAFKA_TXN_PRIVATE_H
#define LR_DAEMON_KAFKA_TXN_PRIVATE_H

#include <stdatomic.h>

#include "daemon/cloudevents.h"
#include "daemon/kafka_txn.h"
#include "rules/base/arena.h"

enum {
	STATE_TOPIC = OUT_TOPICS, /* its place in `topics` */
	TXN_TOPICS,
};

struct kafka_txn {
	const struct kafka_options *options; /* first: the log callback finds it here */
	rd_kafka_t *consumer;
	rd_kafka_t *producer; /* NULL while there is none */
	rd_kafka_topic_t *topics[TXN_TOPICS]; /* of this producer: OUT_TOPICS in order, then leads.state */
	int32_t output_partitions[OUT_TOPICS];
	struct cloudevents_options events;
	struct arena scratch;
	int64_t *state_last;                          /* per shard: last state record of this transaction, or -1 */
	rd_kafka_topic_partition_list_t *fetched;     /* what fetch answered last: owns the metadata it lent out */
	int fetch_ms;
	atomic_int wire_errors;                       /* of this producer: any makes it unfit for a next transaction */
	atomic_int end_requests;                      /* EndTxn sent in this transaction */
	_Atomic uint64_t transactions, commits, aborts, renewals, event_count, state_count;
};

/* The client, its topics and where their partitions are: asks the broker, at most limit_ms. 0, or -1 with *err. */
int kafka_txn_open_producer(struct kafka_txn *txn, int limit_ms, struct err *err);
/* Nothing when there is none. */
void kafka_txn_close_producer(struct kafka_txn *txn);
/* Name of a topic by its place in `topics`. */
const char *kafka_txn_topic(const struct kafka_txn *txn, int topic);

#endif
