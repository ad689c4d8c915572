/* SPDX-License-Identifier: Apache-2.0
 *
 * What has to be true of the cluster before the daemon starts, and the first start of a group. Both block; they run
 * before the loop, or in leadctl.
 *
 * Refused: a topic is missing, partition counts differ, leads.state is not compacted only, an input topic is compacted.
 * Said as a warning: what weakens the promise against the loss of a broker (reliability.md §3.1), and everything that the
 * broker would not tell us; the text names what to look at.
 */
#ifndef LR_DAEMON_KAFKA_CHECK_H
#define LR_DAEMON_KAFKA_CHECK_H

#include "daemon/kafka_conf.h"

enum { KAFKA_WARNINGS_MAX = 16, KAFKA_WARNING_BYTES = 400 };

struct kafka_environment {
	int32_t partition_count;      /* of the input topics and leads.state */
	int64_t delete_retention_ms;  /* of leads.state; Kafka's default of a day where the broker does not say */
	int message_max_bytes;        /* the least max.message.bytes of our topics; 0 where the broker does not say */
	size_t warning_count;
	char warnings[KAFKA_WARNINGS_MAX][KAFKA_WARNING_BYTES];
};

/* 0 and *ret filled (its warnings are the caller's to show), or -1 and *err with what to set. options->partition_count, when not 0, must be what is found. */
int kafka_check(const struct kafka_options *options, struct kafka_environment *ret, struct err *err);

/* The first start of a group: commits the earliest offset of every partition of every input topic, the anchor's with a
 * fresh random chain at epoch 0. Refuses when the group has committed offsets (ERR_BOOTSTRAPPED) or members
 * (ERR_GROUP_IN_USE). Needs options->partition_count as kafka_check() found it. */
int kafka_bootstrap(const struct kafka_options *options, struct err *err);

#endif
