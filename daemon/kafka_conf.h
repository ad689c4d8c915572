/* SPDX-License-Identifier: Apache-2.0
 *
 * What every Kafka client of the daemon is made of: the options that an operator sets, and the properties that are ours.
 *
 * There are five kinds of client, and each kind has one constructor here: the group's consumer, the transactional
 * producer, the reader of leads.state, a client for questions (metadata, configs, bootstrap), and leadctl's sender.
 * Passed-on properties go in first, ours after them, so that nothing can undo what the promise stands on.
 */
#ifndef LR_DAEMON_KAFKA_CONF_H
#define LR_DAEMON_KAFKA_CONF_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/commit.h"
#include "daemon/kafka_props.h"
#include "rules/base/err.h"
#include "rules/rules.h"

enum {
	KAFKA_TRANSACTION_MS = 15000, /* default of transaction_timeout_ms: above the worst normal commit, below the
	                                 take-over goal (reliability.md §3.1) */
	KAFKA_SESSION_MS = 10000,     /* default of session_timeout_ms */
	KAFKA_MARGIN_MS = 5000,       /* default of call_margin_ms: so much longer than the transaction time-out
	                                 may a call of the commit thread take */
	KAFKA_START_MS = 30000,       /* limit of each question at start */
	KAFKA_MESSAGE_BYTES = 1000000, /* default of message_max_bytes: a little below what brokers take by default */
	KAFKA_MESSAGE_BYTES_MAX = 100000000,
	KAFKA_PARTITIONS_MAX = 1024,  /* shards of a deployment; far above what one group of processes can use */
};

struct kafka_input {
	const char *topic;
	enum record_kind kind;
};

struct kafka_property {
	enum kafka_scope scope;
	const char *name, *value;
};

/* Levels as in syslog: 3 error … 7 debug. May be called from librdkafka's threads. */
typedef void (*kafka_log_fn)(void *ctx, int level, const char *facility, const char *text);

/* The consumer's statistics as JSON, each statistics.interval.ms; from the loop. */
typedef void (*kafka_stats_fn)(void *ctx, const char *json, size_t len);

/* All texts are borrowed and must outlive every client made of them. Zero means the default where one is named. */
struct kafka_options {
	const char *brokers;  /* "host:port,host:port" */
	const char *group;
	const char *instance; /* stable over restarts, unique in the group: "1" */
	struct kafka_input inputs[COMMIT_TOPICS_MAX]; /* the first one is the anchor */
	size_t input_count;
	const char *outputs[OUT_TOPICS];
	const char *state_topic;
	int32_t partition_count;    /* of the input topics; 0: as the broker says */
	int transaction_timeout_ms; /* 0: KAFKA_TRANSACTION_MS */
	int session_timeout_ms;     /* 0: KAFKA_SESSION_MS */
	int call_margin_ms;         /* 0: KAFKA_MARGIN_MS */
	int message_max_bytes;      /* largest message that our topics take; 0: KAFKA_MESSAGE_BYTES */
	const struct kafka_property *properties;
	size_t property_count;
	const char *event_source;      /* ce_source: "/leadrouter/<group>" */
	const char *event_type_prefix; /* "com.example."; may be empty or NULL */
	const char *event_type_suffix; /* ".v1"; may be empty or NULL */
	bool structured_events;        /* CloudEvents structured mode instead of binary */
	kafka_log_fn log;              /* NULL: one line per message on stderr */
	void *log_ctx;
	kafka_stats_fn stats; /* NULL: none are made */
	void *stats_ctx;
};

int kafka_message_max_bytes(const struct kafka_options *options);
int kafka_transaction_ms(const struct kafka_options *options);
/* The longest that one call of the commit thread may take before the process has to end. */
int kafka_deadline_ms(const struct kafka_options *options);

/* Configurations with everything but callbacks; the caller adds those and hands it to kafka_client_new(). NULL with *err
 * when a property is refused. The client's log goes through the opaque object, which therefore has to begin with a
 * pointer to the options (rd_kafka_conf_set_opaque(conf, &object->options)); without one the log is dropped. */
rd_kafka_conf_t *kafka_conf_consumer(const struct kafka_options *options, struct err *err);
rd_kafka_conf_t *kafka_conf_producer(const struct kafka_options *options, struct err *err);
rd_kafka_conf_t *kafka_conf_reader(const struct kafka_options *options, struct err *err);
/* For questions only: no group is joined; committed offsets of `options->group` can be read and, while it has no
 * members, written. */
rd_kafka_conf_t *kafka_conf_questions(const struct kafka_options *options, struct err *err);
/* A plain producer for leadctl: no transactions; how large a message may be is left to the broker. */
rd_kafka_conf_t *kafka_conf_sender(const struct kafka_options *options, struct err *err);

/* Takes the configuration, also on failure (NULL and ERR_KAFKA_CLIENT). */
rd_kafka_t *kafka_client_new(rd_kafka_type_t type, rd_kafka_conf_t *take_conf, struct err *err);

/* One property of ours; a refusal would be a bug and ends the process. */
void kafka_conf_own(rd_kafka_conf_t *conf, const char *name, const char *value);
/* A line for the operator, through options->log. */
void kafka_log(const struct kafka_options *options, int level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Ends the process with one line: after a fatal client error or a passed deadline there is nothing safe left to do but
 * that (reliability.md §2.6). Exit code 70; no destructor, no flush, no word to the broker. */
_Noreturn void kafka_exit(const struct kafka_options *options, const char *where, const char *text);

enum { KAFKA_EXIT_CODE = 70 };

#endif
