/* SPDX-License-Identifier: Apache-2.0
 *
 * Two tables: what leadrouter owns, with the reason that the operator is told, and what is passed on.
 */
#include "daemon/kafka_props.h"

#include <librdkafka/rdkafka.h>
#include <string.h>

enum { CLIENT_ID_MAX = 32 /* longer ones crash librdkafka before 2.5.0 (reliability.md L22) */ };

struct owned {
	const char *name;
	const char *reason;
};

static const char OWN_OPTION[] = "leadrouter has an option of its own for it";
static const char EXACTLY_ONCE[] = "exactly one outcome per record depends on its value";
static const char LOADS_CODE[] = "it makes the client load or run foreign code";

static const struct owned OWNED[] = {
	{"bootstrap.servers", OWN_OPTION},
	{"metadata.broker.list", OWN_OPTION},
	{"group.id", OWN_OPTION},
	{"transactional.id", "it is made of group and instance, and must be the same after a restart"},
	{"transaction.timeout.ms", OWN_OPTION},
	{"session.timeout.ms", OWN_OPTION},
	{"enable.auto.commit", "offsets are committed inside the transaction of the decisions, and nowhere else"},
	{"auto.commit.enable", "offsets are committed inside the transaction of the decisions, and nowhere else"},
	{"auto.commit.interval.ms", "offsets are committed inside the transaction of the decisions, and nowhere else"},
	{"enable.auto.offset.store", "offsets are committed inside the transaction of the decisions, and nowhere else"},
	{"offset.store.method", "offsets are committed inside the transaction of the decisions, and nowhere else"},
	{"enable.idempotence", EXACTLY_ONCE},
	{"enable.gapless.guarantee", EXACTLY_ONCE},
	{"isolation.level", EXACTLY_ONCE},
	{"acks", EXACTLY_ONCE},
	{"request.required.acks", EXACTLY_ONCE},
	{"max.in.flight", EXACTLY_ONCE},
	{"max.in.flight.requests.per.connection", EXACTLY_ONCE},
	{"retries", EXACTLY_ONCE},
	{"message.send.max.retries", EXACTLY_ONCE},
	{"message.timeout.ms", "it follows the transaction time-out"},
	{"delivery.timeout.ms", "it follows the transaction time-out"},
	{"auto.offset.reset", "a shard without offsets must stop and say so; guessing would lose or repeat leads"},
	{"partition.assignment.strategy", "only `range` gives all input topics of a shard to the same instance"},
	{"group.instance.id", "two processes with one id fence each other; a dead one keeps its shards for longer"},
	{"group.protocol.type", "the daemon is built for the classic consumer protocol"},
	{"group.protocol", "the daemon is built for the classic consumer protocol"},
	{"partitioner", "the daemon chooses the partition itself, so that the order per lead holds"},
	{"queued.min.messages", "lowering it collapses the throughput; memory is bounded by pausing partitions"},
	{"queued.max.messages.kbytes", "lowering it collapses the throughput; memory is bounded by pausing partitions"},
	{"message.max.bytes", "it follows max.message.bytes of the output topics"},
	{"batch.size", "it follows max.message.bytes of the output topics"},
	{"enable.partition.eof", "the daemon sets it where it needs it"},
	{"allow.auto.create.topics", "a topic with the wrong partition count would send leads to the wrong shard"},
	{"max.poll.interval.ms", "the daemon polls while it is paused; its own watchdog notices a hang"},
	{"test.mock.num.brokers", "it silently replaces the cluster by a mock; `leadctl dev` starts one openly"},
	{"test.mock.broker.rtt", "it silently replaces the cluster by a mock; `leadctl dev` starts one openly"},
	{"plugin.library.paths", LOADS_CODE},
	{"ssl.engine.location", LOADS_CODE},
	{"ssl.engine.id", LOADS_CODE},
	{"ssl.providers", LOADS_CODE},
	{"sasl.kerberos.kinit.cmd", LOADS_CODE},
	{"enable.ssl.certificate.verification", "without it anybody in between can read and forge leads; use ssl.ca.location"},
	{"ssl.endpoint.identification.algorithm", "the broker's name is always checked against its certificate"},
	{"enable.sasl.oauthbearer.unsecure.jwt", "unsigned tokens are for tests only"},
	{"log_level", "the daemon's log option decides"},
	{"log.queue", "the daemon reads the client's log itself"},
	{"enabled_events", "delivery reports as events block a commit whose queue nobody serves"},
};

/* One bit per scope in which a property makes sense. */
enum { ANY = 7, CONSUMER = 2, PRODUCER = 4 };

struct passed {
	const char *name; /* one that ends in '.' stands for all that begin with it */
	int scopes;
};

static const struct passed PASSED[] = {
	{"client.id", ANY},
	{"client.rack", CONSUMER},
	{"security.protocol", ANY},
	{"ssl.", ANY},
	{"sasl.", ANY},
	{"socket.", ANY},
	{"broker.address.", ANY},
	{"reconnect.backoff.ms", ANY},
	{"reconnect.backoff.max.ms", ANY},
	{"connections.max.idle.ms", ANY},
	{"metadata.max.age.ms", ANY},
	{"metadata.request.timeout.ms", ANY},
	{"topic.metadata.", ANY},
	{"api.version.request", ANY},
	{"api.version.request.timeout.ms", ANY},
	{"broker.version.fallback", ANY},
	{"log.connection.close", ANY},
	{"debug", ANY},
	{"statistics.interval.ms", ANY},
	{"receive.message.max.bytes", ANY},
	{"retry.backoff.ms", ANY},
	{"heartbeat.interval.ms", CONSUMER},
	{"coordinator.query.interval.ms", CONSUMER},
	{"fetch.", CONSUMER},
	{"max.partition.fetch.bytes", CONSUMER},
	{"check.crcs", CONSUMER},
	{"linger.ms", PRODUCER},
	{"queue.buffering.", PRODUCER},
	{"batch.num.messages", PRODUCER},
	{"compression.codec", PRODUCER},
	{"compression.type", PRODUCER},
	{"compression.level", PRODUCER},
	{"request.timeout.ms", PRODUCER},
};

static const char *const SECRETS[] = {
	"sasl.password", "ssl.key.password", "ssl.key.pem", "ssl.keystore.password", "sasl.oauthbearer.", "sasl.jaas.config",
};

const char *kafka_scope_name(enum kafka_scope scope)
{
	switch (scope) {
	case KAFKA_GLOBAL: return "kafka.properties";
	case KAFKA_CONSUMER: return "kafka.consumer.properties";
	case KAFKA_PRODUCER: return "kafka.producer.properties";
	}
	return "?";
}

/* A pattern that ends in a dot stands for a whole family. */
static bool matches(const char *pattern, const char *name)
{
	size_t len = strlen(pattern);
	if (pattern[len - 1] == '.')
		return strncmp(pattern, name, len) == 0;
	return strcmp(pattern, name) == 0;
}

static const char *owned_reason(const char *name)
{
	for (size_t i = 0; i < sizeof OWNED / sizeof *OWNED; i++)
		if (strcmp(OWNED[i].name, name) == 0)
			return OWNED[i].reason;
	return NULL;
}

static int passed_scopes(const char *name)
{
	for (size_t i = 0; i < sizeof PASSED / sizeof *PASSED; i++)
		if (matches(PASSED[i].name, name))
			return PASSED[i].scopes;
	return 0;
}

static int try_on_librdkafka(const char *name, const char *value, struct err *err)
{
	char text[256] = "";
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_conf_res_t result = rd_kafka_conf_set(conf, name, value, text, sizeof text);
	rd_kafka_conf_destroy(conf);
	if (result == RD_KAFKA_CONF_OK)
		return 0;
	if (kafka_props_is_secret(name)) /* librdkafka's text repeats the value */
		return err_set(err, ERR_KAFKA_PROPERTY, "librdkafka refuses the value of %s", name);
	return err_set(err, ERR_KAFKA_PROPERTY, "librdkafka refuses %s: %s", name, text);
}

int kafka_props_check(enum kafka_scope scope, const char *name, const char *value, struct err *err)
{
	const char *reason = owned_reason(name);
	if (reason != NULL)
		return err_set(err, ERR_KAFKA_PROPERTY, "%s cannot be set: %s", name, reason);
	if (try_on_librdkafka(name, value, err) != 0)
		return -1;
	int scopes = passed_scopes(name);
	if (scopes == 0)
		return err_set(err, ERR_KAFKA_PROPERTY, "%s is not among the properties that leadrouter passes on", name);
	if ((scopes & (1 << scope)) == 0)
		return err_set(err, ERR_KAFKA_PROPERTY, "%s belongs in %s", name,
		               kafka_scope_name(scopes == CONSUMER ? KAFKA_CONSUMER : KAFKA_PRODUCER));
	if (strcmp(name, "client.id") == 0 && strlen(value) > CLIENT_ID_MAX)
		return err_set(err, ERR_KAFKA_PROPERTY, "client.id is longer than %d bytes", CLIENT_ID_MAX);
	return 0;
}

bool kafka_props_is_secret(const char *name)
{
	for (size_t i = 0; i < sizeof SECRETS / sizeof *SECRETS; i++)
		if (matches(SECRETS[i], name))
			return true;
	return false;
}
