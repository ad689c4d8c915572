/* SPDX-License-Identifier: Apache-2.0
 *
 * The producer below kafka_txn.c, and what it notes while librdkafka works:
 *   - Delivery reports come by callback, served inside commit_transaction() and poll(); as events they would block a
 *     commit whose queue nobody serves (L3). They tell the offsets of state records.
 *   - Interceptors, which run on librdkafka's threads, count transport errors of the requests that make up a transaction,
 *     and EndTxn requests (L4, §2.10). An answered error is no re-send: no copy of it is left in the network.
 */
#include <string.h>

#include "daemon/kafka_txn_private.h"

/* ApiKeys of the requests that carry a transaction. */
enum { API_PRODUCE = 0, API_ADD_PARTITIONS = 24, API_ADD_OFFSETS = 25, API_END_TXN = 26, API_TXN_OFFSET_COMMIT = 28 };

static bool is_of_transaction(int16_t api)
{
	return api == API_PRODUCE || api == API_ADD_PARTITIONS || api == API_ADD_OFFSETS || api == API_END_TXN ||
	       api == API_TXN_OFFSET_COMMIT;
}

static rd_kafka_resp_err_t on_request_sent(rd_kafka_t *rk, int fd, const char *broker, int32_t broker_id, int16_t api,
                                           int16_t version, int32_t correlation, size_t size, void *ctx)
{
	(void)rk, (void)fd, (void)broker, (void)broker_id, (void)version, (void)correlation, (void)size;
	struct kafka_txn *txn = ctx;
	if (api == API_END_TXN)
		atomic_fetch_add(&txn->end_requests, 1);
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t on_response(rd_kafka_t *rk, int fd, const char *broker, int32_t broker_id, int16_t api,
                                       int16_t version, int32_t correlation, size_t size, int64_t rtt,
                                       rd_kafka_resp_err_t code, void *ctx)
{
	(void)rk, (void)fd, (void)broker, (void)broker_id, (void)version, (void)correlation, (void)size, (void)rtt;
	struct kafka_txn *txn = ctx;
	if (code != RD_KAFKA_RESP_ERR_NO_ERROR && is_of_transaction(api))
		atomic_fetch_add(&txn->wire_errors, 1);
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t on_new(rd_kafka_t *rk, const rd_kafka_conf_t *conf, void *ctx, char *text, size_t size)
{
	(void)conf, (void)text, (void)size;
	rd_kafka_resp_err_t code = rd_kafka_interceptor_add_on_request_sent(rk, "leadrouter", on_request_sent, ctx);
	return code ? code : rd_kafka_interceptor_add_on_response_received(rk, "leadrouter", on_response, ctx);
}

/* The opaque of a message is its shard + 1 for state records, NULL for events. */
static void on_delivered(rd_kafka_t *rk, const rd_kafka_message_t *rkm, void *ctx)
{
	(void)rk;
	struct kafka_txn *txn = ctx;
	if (rkm->err != RD_KAFKA_RESP_ERR_NO_ERROR || rkm->_private == NULL)
		return;
	int64_t *last = &txn->state_last[(intptr_t)rkm->_private - 1];
	if (*last < rkm->offset)
		*last = rkm->offset;
}

const char *kafka_txn_topic(const struct kafka_txn *txn, int topic)
{
	return topic == STATE_TOPIC ? txn->options->state_topic : txn->options->outputs[topic];
}

void kafka_txn_close_producer(struct kafka_txn *txn)
{
	for (int i = 0; i < TXN_TOPICS; i++) {
		if (txn->topics[i] != NULL)
			rd_kafka_topic_destroy(txn->topics[i]);
		txn->topics[i] = NULL;
	}
	if (txn->producer != NULL)
		rd_kafka_destroy(txn->producer);
	txn->producer = NULL;
}

static int note_partitions(struct kafka_txn *txn, int topic, const struct rd_kafka_metadata *metadata, struct err *err)
{
	for (int i = 0; i < metadata->topic_cnt; i++) {
		if (strcmp(metadata->topics[i].topic, kafka_txn_topic(txn, topic)) != 0 || metadata->topics[i].partition_cnt < 1)
			continue;
		if (topic != STATE_TOPIC && txn->output_partitions[topic] == 0)
			txn->output_partitions[topic] = metadata->topics[i].partition_cnt; /* kept: a later change would break the order */
		return 0;
	}
	return err_set(err, ERR_MISSING_TOPIC, "topic %s does not exist or cannot be seen: create it", kafka_txn_topic(txn, topic));
}

/* The producer's topics and where their partitions are. Without asking, the first commit would wait a second for it. */
static int open_topics(struct kafka_txn *txn, int limit_ms, struct err *err)
{
	const struct rd_kafka_metadata *metadata = NULL;
	for (int i = 0; i < TXN_TOPICS; i++)
		txn->topics[i] = rd_kafka_topic_new(txn->producer, kafka_txn_topic(txn, i), NULL);
	rd_kafka_resp_err_t code = rd_kafka_metadata(txn->producer, 0, NULL, &metadata, limit_ms);
	if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
		return err_set(err, ERR_KAFKA_UNAVAILABLE, "metadata of the output topics: %s", rd_kafka_err2str(code));
	int result = 0;
	for (int i = 0; i < TXN_TOPICS && result == 0; i++)
		result = note_partitions(txn, i, metadata, err);
	rd_kafka_metadata_destroy(metadata);
	return result;
}

int kafka_txn_open_producer(struct kafka_txn *txn, int limit_ms, struct err *err)
{
	rd_kafka_conf_t *conf = kafka_conf_producer(txn->options, err);
	if (conf == NULL)
		return -1;
	rd_kafka_conf_set_opaque(conf, txn);
	rd_kafka_conf_set_dr_msg_cb(conf, on_delivered);
	rd_kafka_conf_interceptor_add_on_new(conf, "leadrouter", on_new, txn);
	atomic_store(&txn->wire_errors, 0);
	atomic_store(&txn->end_requests, 0);
	txn->producer = kafka_client_new(RD_KAFKA_PRODUCER, conf, err);
	return txn->producer != NULL ? open_topics(txn, limit_ms, err) : -1;
}
