/* SPDX-License-Identifier: Apache-2.0
 *
 * librdkafka's mock cluster as a broker for trying (`leadctl dev`, `make demo`): it listens on loopback, so that other
 * processes can connect for as long as this one lives. It keeps everything in memory and only 5 MB per partition, throws
 * transactional offsets away and shows aborted records: it proves nothing about delivery (reliability.md §5.1).
 */
#ifndef LR_DAEMON_MOCK_BROKER_H
#define LR_DAEMON_MOCK_BROKER_H

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/err.h"

struct mock_topic {
	const char *name;
	int32_t partitions;
};

struct mock_broker;

/* A cluster with these topics; `nodes` is 1 but for tests that take one away. NULL with *err. */
struct mock_broker *mock_broker_new(const struct mock_topic *topics, size_t count, int nodes, struct err *err);
void mock_broker_free(struct mock_broker *broker);
/* "127.0.0.1:40123", with commas between nodes; valid until mock_broker_free(). */
const char *mock_broker_address(const struct mock_broker *broker);
/* For tests that inject errors. */
rd_kafka_mock_cluster_t *mock_broker_cluster(struct mock_broker *broker);

#endif
