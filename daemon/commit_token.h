/* SPDX-License-Identifier: Apache-2.0
 *
 * What is behind struct commit_token in the daemon: the group metadata of one generation, as librdkafka gave it in the
 * rebalance callback. Only kafka_in.c makes tokens and only the committer looks inside; everybody else counts references
 * (commit.h). References may be dropped by any thread.
 */
#ifndef LR_DAEMON_COMMIT_TOKEN_H
#define LR_DAEMON_COMMIT_TOKEN_H

#include <librdkafka/rdkafka.h>
#include <stdint.h>

#include "daemon/commit.h"

enum { COMMIT_TOKEN_MEMBER_BYTES = 160 };

/* Takes the metadata of the generation that the consumer is in now. NULL with ERR_GENERATION_LOST when it is none: no
 * metadata (closed), an empty member id or a negative generation, which brokers accept without any check (W4, L17). */
struct commit_token *commit_token_new(rd_kafka_t *consumer, struct err *err);
/* The same test on metadata of any origin; takes it. For commit_token_new() and its test. */
struct commit_token *commit_token_from(rd_kafka_consumer_group_metadata_t *take_metadata, struct err *err);

const rd_kafka_consumer_group_metadata_t *commit_token_metadata(const struct commit_token *token);
int32_t commit_token_generation(const struct commit_token *token);
const char *commit_token_member(const struct commit_token *token);

#endif
