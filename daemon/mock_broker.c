/* SPDX-License-Identifier: Apache-2.0
 *
 * See mock_broker.h.
 */
#include "daemon/mock_broker.h"

#include <inttypes.h>
#include <stdlib.h>

#include "rules/base/mem.h"

struct mock_broker {
	rd_kafka_t *rk; /* the mock cluster lives in a client */
	rd_kafka_mock_cluster_t *cluster;
};

static int make_topics(struct mock_broker *broker, const struct mock_topic *topics, size_t count, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		rd_kafka_resp_err_t code = rd_kafka_mock_topic_create(broker->cluster, topics[i].name, topics[i].partitions, 1);
		if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
			return err_set(err, ERR_MOCK_BROKER, "topic %s with %" PRId32 " partitions: %s", topics[i].name,
			               topics[i].partitions, rd_kafka_err2str(code));
	}
	return 0;
}

struct mock_broker *mock_broker_new(const struct mock_topic *topics, size_t count, int nodes, struct err *err)
{
	char text[256] = "";
	struct mock_broker *broker = xcalloc(1, sizeof *broker);
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_conf_set(conf, "log_level", "3", text, sizeof text); /* it would note that it has no brokers to connect to */
	broker->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
	if (broker->rk == NULL) {
		rd_kafka_conf_destroy(conf);
		err_set(err, ERR_MOCK_BROKER, "%s", text);
		free(broker);
		return NULL;
	}
	broker->cluster = rd_kafka_mock_cluster_new(broker->rk, nodes);
	if (broker->cluster == NULL) {
		err_set(err, ERR_MOCK_BROKER, "the mock cluster cannot listen on loopback");
		mock_broker_free(broker);
		return NULL;
	}
	if (make_topics(broker, topics, count, err) == 0)
		return broker;
	mock_broker_free(broker);
	return NULL;
}

void mock_broker_free(struct mock_broker *broker)
{
	if (broker == NULL)
		return;
	if (broker->cluster != NULL)
		rd_kafka_mock_cluster_destroy(broker->cluster);
	rd_kafka_destroy(broker->rk);
	free(broker);
}

const char *mock_broker_address(const struct mock_broker *broker)
{
	return rd_kafka_mock_cluster_bootstraps(broker->cluster);
}

rd_kafka_mock_cluster_t *mock_broker_cluster(struct mock_broker *broker)
{
	return broker->cluster;
}
