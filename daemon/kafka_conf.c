/* SPDX-License-Identifier: Apache-2.0
 *
 * See kafka_conf.h. Why each property of ours has its value: reliability.md §3.1 and §5.1.
 */
#include "daemon/kafka_conf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LOG_TEXT_BYTES = 600, LOG_LEVEL_ERROR = 3 };

/* Under load a transaction begins while the broker still writes the markers of the one before. Its AddOffsetsToTxn is then
 * answered CONCURRENT_TRANSACTIONS and sent again after this time: with librdkafka's 100 ms that was the longest part of
 * a commit. A marker takes a few milliseconds. */
static const char PRODUCER_BACKOFF_MS[] = "5";

int kafka_message_max_bytes(const struct kafka_options *options)
{
	if (options->message_max_bytes <= 0)
		return KAFKA_MESSAGE_BYTES;
	return options->message_max_bytes < KAFKA_MESSAGE_BYTES_MAX ? options->message_max_bytes : KAFKA_MESSAGE_BYTES_MAX;
}

int kafka_transaction_ms(const struct kafka_options *options)
{
	return options->transaction_timeout_ms > 0 ? options->transaction_timeout_ms : KAFKA_TRANSACTION_MS;
}

int kafka_deadline_ms(const struct kafka_options *options)
{
	int margin_ms = options->call_margin_ms > 0 ? options->call_margin_ms : KAFKA_MARGIN_MS;
	return kafka_transaction_ms(options) + margin_ms;
}

static void log_text(const struct kafka_options *options, int level, const char *facility, const char *text)
{
	if (options->log != NULL)
		options->log(options->log_ctx, level, facility, text);
	else
		fprintf(stderr, "leadrouterd: kafka: %s: %s\n", facility, text);
}

void kafka_log(const struct kafka_options *options, int level, const char *format, ...)
{
	char text[LOG_TEXT_BYTES];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	log_text(options, level, "leadrouter", text);
}

_Noreturn void kafka_exit(const struct kafka_options *options, const char *where, const char *text)
{
	kafka_log(options, LOG_LEVEL_ERROR, "%s: %s; the process ends, uncommitted input is read again", where, text);
	_exit(KAFKA_EXIT_CODE);
}

void kafka_conf_own(rd_kafka_conf_t *conf, const char *name, const char *value)
{
	char text[256];
	if (rd_kafka_conf_set(conf, name, value, text, sizeof text) == RD_KAFKA_CONF_OK)
		return;
	fprintf(stderr, "leadrouterd: librdkafka refuses %s=%s: %s\n", name, value, text);
	abort();
}

static void own_int(rd_kafka_conf_t *conf, const char *name, int value)
{
	char text[16];
	snprintf(text, sizeof text, "%d", value);
	kafka_conf_own(conf, name, text);
}

static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
	const struct kafka_options *const *owner = rd_kafka_opaque(rk);
	if (owner != NULL && *owner != NULL)
		log_text(*owner, level, facility, text);
}

static int pass_on(rd_kafka_conf_t *conf, const struct kafka_options *options, enum kafka_scope scope, struct err *err)
{
	char text[256];
	for (size_t i = 0; i < options->property_count; i++) {
		const struct kafka_property *property = &options->properties[i];
		if (property->scope != KAFKA_GLOBAL && property->scope != scope)
			continue;
		if (kafka_props_check(property->scope, property->name, property->value, err) != 0)
			return -1;
		if (rd_kafka_conf_set(conf, property->name, property->value, text, sizeof text) != RD_KAFKA_CONF_OK)
			return err_set(err, ERR_KAFKA_PROPERTY, "librdkafka refuses %s", property->name);
	}
	return 0;
}

/* What all clients share. */
static rd_kafka_conf_t *conf_new(const struct kafka_options *options, enum kafka_scope scope, struct err *err)
{
	char client_id[32 + 1]; /* longer ones crash librdkafka before 2.5.0 (L22) */
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	snprintf(client_id, sizeof client_id, "leadrouter-%s", options->instance != NULL ? options->instance : "tool");
	kafka_conf_own(conf, "client.id", client_id);
	kafka_conf_own(conf, "reconnect.backoff.max.ms", "2000");
	if (scope == KAFKA_CONSUMER) /* a seek or resume waits for the fetch on its way: half a second by default */
		kafka_conf_own(conf, "fetch.wait.max.ms", "100");
	if (scope == KAFKA_PRODUCER)
		kafka_conf_own(conf, "retry.backoff.ms", PRODUCER_BACKOFF_MS);
	if (pass_on(conf, options, scope, err) != 0) {
		rd_kafka_conf_destroy(conf);
		return NULL;
	}
	kafka_conf_own(conf, "bootstrap.servers", options->brokers);
	kafka_conf_own(conf, "allow.auto.create.topics", "false");
	if (scope != KAFKA_CONSUMER || options->stats == NULL) /* nobody would take them out of the queue */
		kafka_conf_own(conf, "statistics.interval.ms", "0");
	rd_kafka_conf_set_log_cb(conf, on_log);
	return conf;
}

static rd_kafka_conf_t *consumer_conf(const struct kafka_options *options, struct err *err)
{
	rd_kafka_conf_t *conf = conf_new(options, KAFKA_CONSUMER, err);
	if (conf == NULL)
		return NULL;
	kafka_conf_own(conf, "enable.auto.commit", "false");
	kafka_conf_own(conf, "enable.auto.offset.store", "false");
	kafka_conf_own(conf, "isolation.level", "read_committed");
	kafka_conf_own(conf, "auto.offset.reset", "error");
	return conf;
}

rd_kafka_conf_t *kafka_conf_consumer(const struct kafka_options *options, struct err *err)
{
	rd_kafka_conf_t *conf = consumer_conf(options, err);
	if (conf == NULL)
		return NULL;
	int session_ms = options->session_timeout_ms > 0 ? options->session_timeout_ms : KAFKA_SESSION_MS;
	kafka_conf_own(conf, "group.id", options->group);
	kafka_conf_own(conf, "partition.assignment.strategy", "range");
	own_int(conf, "session.timeout.ms", session_ms);
	/* the loop polls at least twice a second; an expulsion for a long callback would help nobody */
	own_int(conf, "max.poll.interval.ms", session_ms > 300000 ? session_ms : 300000);
	return conf;
}

rd_kafka_conf_t *kafka_conf_producer(const struct kafka_options *options, struct err *err)
{
	char id[512];
	rd_kafka_conf_t *conf = conf_new(options, KAFKA_PRODUCER, err);
	if (conf == NULL)
		return NULL;
	snprintf(id, sizeof id, "%s-%s", options->group, options->instance);
	kafka_conf_own(conf, "transactional.id", id);
	kafka_conf_own(conf, "enable.idempotence", "true");
	kafka_conf_own(conf, "acks", "all");
	/* The limit is what the topics take (the broker would refuse the batch, and then nobody knows which event it was);
	 * batches of small messages must not pass it either. */
	int limit = kafka_message_max_bytes(options);
	own_int(conf, "message.max.bytes", limit);
	own_int(conf, "batch.size", limit < KAFKA_MESSAGE_BYTES ? limit : KAFKA_MESSAGE_BYTES);
	own_int(conf, "transaction.timeout.ms", kafka_transaction_ms(options));
	own_int(conf, "message.timeout.ms", kafka_transaction_ms(options));
	return conf;
}

rd_kafka_conf_t *kafka_conf_reader(const struct kafka_options *options, struct err *err)
{
	rd_kafka_conf_t *conf = consumer_conf(options, err);
	if (conf == NULL)
		return NULL;
	kafka_conf_own(conf, "enable.partition.eof", "true");
	kafka_conf_own(conf, "statistics.interval.ms", "0");
	return conf;
}

rd_kafka_conf_t *kafka_conf_questions(const struct kafka_options *options, struct err *err)
{
	rd_kafka_conf_t *conf = consumer_conf(options, err);
	if (conf == NULL)
		return NULL;
	if (options->group != NULL)
		kafka_conf_own(conf, "group.id", options->group);
	kafka_conf_own(conf, "statistics.interval.ms", "0");
	return conf;
}

rd_kafka_conf_t *kafka_conf_sender(const struct kafka_options *options, struct err *err)
{
	rd_kafka_conf_t *conf = conf_new(options, KAFKA_PRODUCER, err);
	if (conf == NULL)
		return NULL;
	kafka_conf_own(conf, "acks", "all");
	own_int(conf, "message.max.bytes", KAFKA_MESSAGE_BYTES_MAX);
	own_int(conf, "batch.size", KAFKA_MESSAGE_BYTES);
	return conf;
}

rd_kafka_t *kafka_client_new(rd_kafka_type_t type, rd_kafka_conf_t *take_conf, struct err *err)
{
	char text[256] = "";
	rd_kafka_t *rk = rd_kafka_new(type, take_conf, text, sizeof text);
	if (rk != NULL)
		return rk;
	rd_kafka_conf_destroy(take_conf);
	err_set(err, ERR_KAFKA_CLIENT, "the Kafka client cannot be made: %s", text);
	return NULL;
}
