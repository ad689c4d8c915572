/* SPDX-License-Identifier: Apache-2.0
 *
 * How the daemon makes and ends the consumer of kafka_in.h over librdkafka. Everything runs on the loop.
 *
 *     kafka_in_new → kafka_in_listen → kafka_in_start … kafka_in_close → (committer_free) → kafka_in_free
 */
#ifndef LR_DAEMON_KAFKA_IN_KAFKA_H
#define LR_DAEMON_KAFKA_IN_KAFKA_H

#include "daemon/kafka_conf.h"
#include "daemon/kafka_in.h"
#include "daemon/loop.h"

enum {
	KAFKA_IN_TURN_RECORDS = 500, /* records handed on before the loop gets its turn */
	KAFKA_IN_POLL_MS = 500,      /* polled at least so often: keeps membership while nothing arrives */
	KAFKA_IN_SEEK_MS = 2000,     /* a seek is answered by librdkafka's own thread, not by the network */
};

struct kafka_in_counters {
	uint64_t records, bytes;
	uint64_t dropped;      /* below the position, or of a shard without one (L9–L11) */
	uint64_t assignments;  /* rebalances that gave us something or nothing */
	uint64_t revocations, lost;
	uint64_t reassigns;    /* fetchers started anew because a seek did not take */
	uint64_t lost_positions; /* the broker has no record at our position; the shard was re-opened */
};

/* `options` (borrowed for the life of the consumer) must have partition_count > 0. NULL with *err. */
struct kafka_in *kafka_in_new(struct loop *loop, const struct kafka_options *options, struct err *err);
/* Subscribes; callbacks begin with the next turn of the loop. 0, or -1 with *err. */
int kafka_in_start(struct kafka_in *in, struct err *err);
/* The group's consumer: the committer may call committed() and watermark queries on it, from its thread. */
rd_kafka_t *kafka_in_consumer(struct kafka_in *in);
const struct kafka_in_counters *kafka_in_counters(const struct kafka_in *in);
/* Leaves the group: on_revoked comes for every shard before this returns. Blocks for as long as librdkafka needs. */
void kafka_in_close(struct kafka_in *in);
/* Messages must have been freed before. Closes when that was not done. */
void kafka_in_free(struct kafka_in *in);

#endif
