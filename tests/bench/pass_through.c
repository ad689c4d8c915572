/* SPDX-License-Identifier: Apache-2.0
 *
 * The ceiling that the daemon is compared with: the same input, as much output in as many records, the same
 * transactions, and no work.
 *
 *   pass_through BROKERS INPUT GROUP RECORDS MOST SHAPE...
 *
 * Consumes RECORDS records of topic INPUT, partition 0, from its beginning, and produces for each of them what the SHAPEs
 * say: TOPIC:HUNDREDTHS:KEY:VALUE:HEADERS:BYTES, which is HUNDREDTHS/100 records with a key and a value of so many bytes and so
 * many headers with so many bytes in all. Group commit as in the daemon: one thread fills the next transaction while the
 * other commits; it commits as soon as the last one is done, and at most MOST input records at once. The offsets are
 * part of each transaction, with metadata of the daemon's length. Clients are set up as daemon/kafka_conf.c does it.
 * Prints one line of JSON at the end: records, transactions, the version of librdkafka.
 */
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHAPES_MAX = 8, TEXT_MAX = 65536, WAITING_MAX = 5000, CALL_MS = 30000 };

struct shape {
	char topic[128];
	int hundredths, key_bytes, value_bytes, headers, header_bytes;
	int owed; /* hundredths of a record that are due */
	rd_kafka_topic_t *handle;
};

struct pass {
	rd_kafka_t *consumer, *producer;
	const char *input;
	struct shape shapes[SHAPES_MAX];
	int shape_count;
	long wanted, most;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	long waiting;      /* consumed, not yet in a transaction; under the lock */
	int64_t next;      /* offset behind the last one consumed; under the lock */

	long transactions, done;
	char text[TEXT_MAX];
};

static void die(const char *what, const char *why)
{
	fprintf(stderr, "pass_through: %s: %s\n", what, why);
	exit(1);
}

static void must(rd_kafka_error_t *error, const char *what)
{
	if (error != NULL)
		die(what, rd_kafka_error_string(error));
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
	char text[256];
	if (rd_kafka_conf_set(conf, name, value, text, sizeof text) != RD_KAFKA_CONF_OK)
		die(name, text);
}

/* Nobody needs them, but without a callback the commit's flush looks only each 10 ms whether all is delivered. */
static void on_delivered(rd_kafka_t *rk, const rd_kafka_message_t *rkm, void *ctx)
{
	(void)rk, (void)rkm, (void)ctx;
}

static rd_kafka_t *client(rd_kafka_type_t type, const char *brokers, const char *const (*settings)[2])
{
	char text[256];
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	set(conf, "bootstrap.servers", brokers);
	for (; (*settings)[0] != NULL; settings++)
		set(conf, (*settings)[0], (*settings)[1]);
	if (type == RD_KAFKA_PRODUCER)
		rd_kafka_conf_set_dr_msg_cb(conf, on_delivered);
	rd_kafka_t *rk = rd_kafka_new(type, conf, text, sizeof text);
	if (rk == NULL)
		die("client", text);
	return rk;
}

static void open_clients(struct pass *pass, const char *brokers, const char *group)
{
	const char *const in[][2] = {{"group.id", group},           {"enable.auto.commit", "false"},
	                             {"enable.auto.offset.store", "false"}, {"isolation.level", "read_committed"},
	                             {"auto.offset.reset", "earliest"}, {"partition.assignment.strategy", "range"},
	                             {"fetch.wait.max.ms", "100"},  {NULL, NULL}};
	const char *const out[][2] = {{"transactional.id", group}, {"enable.idempotence", "true"}, {"acks", "all"},
	                              {"batch.size", "1000000"},   {"retry.backoff.ms", "5"},      {NULL, NULL}};
	pass->consumer = client(RD_KAFKA_CONSUMER, brokers, in);
	pass->producer = client(RD_KAFKA_PRODUCER, brokers, out);
	rd_kafka_poll_set_consumer(pass->consumer);
	rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_list_add(topics, pass->input, RD_KAFKA_PARTITION_UA);
	if (rd_kafka_subscribe(pass->consumer, topics) != RD_KAFKA_RESP_ERR_NO_ERROR)
		die("subscribe", pass->input);
	rd_kafka_topic_partition_list_destroy(topics);
	for (int i = 0; i < pass->shape_count; i++)
		pass->shapes[i].handle = rd_kafka_topic_new(pass->producer, pass->shapes[i].topic, NULL);
	must(rd_kafka_init_transactions(pass->producer, CALL_MS), "init_transactions");
}

/* ---- one thread consumes */

static void consume(struct pass *pass)
{
	for (long seen = 0; seen < pass->wanted;) {
		rd_kafka_message_t *message = rd_kafka_consumer_poll(pass->consumer, 100);
		if (message == NULL)
			continue;
		if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
			seen++;
			pthread_mutex_lock(&pass->lock);
			pass->waiting++;
			pass->next = message->offset + 1;
			pthread_cond_broadcast(&pass->changed);
			while (pass->waiting >= WAITING_MAX)
				pthread_cond_wait(&pass->changed, &pass->lock);
			pthread_mutex_unlock(&pass->lock);
		}
		rd_kafka_message_destroy(message);
	}
}

/* ---- the other produces and commits */

/* The first header names the input record, as lr_cause of the daemon does: latency is measured by it. */
static rd_kafka_headers_t *headers_of(struct pass *pass, const struct shape *shape, int64_t offset)
{
	char cause[32];
	rd_kafka_headers_t *headers = rd_kafka_headers_new((size_t)shape->headers);
	if (shape->headers > 0) {
		int len = snprintf(cause, sizeof cause, "in/0/%lld", (long long)offset);
		rd_kafka_header_add(headers, "lr_cause", -1, cause, len);
	}
	for (int i = 1; i < shape->headers; i++)
		rd_kafka_header_add(headers, pass->text, shape->header_bytes / shape->headers / 2, pass->text,
		                    shape->header_bytes / shape->headers / 2);
	return headers;
}

static void produce(struct pass *pass, const struct shape *shape, int64_t offset)
{
	rd_kafka_headers_t *headers = headers_of(pass, shape, offset);
	while (rd_kafka_producev(pass->producer, RD_KAFKA_V_RKT(shape->handle), RD_KAFKA_V_PARTITION(0),
	                         RD_KAFKA_V_KEY(pass->text, (size_t)shape->key_bytes),
	                         RD_KAFKA_V_VALUE(pass->text, (size_t)shape->value_bytes), RD_KAFKA_V_HEADERS(headers),
	                         RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END) != RD_KAFKA_RESP_ERR_NO_ERROR)
		rd_kafka_poll(pass->producer, 50);
}

static void produce_all(struct pass *pass, int64_t first, long records)
{
	for (int64_t offset = first; offset < first + records; offset++)
		for (int i = 0; i < pass->shape_count; i++)
			for (pass->shapes[i].owed += pass->shapes[i].hundredths; pass->shapes[i].owed >= 100; pass->shapes[i].owed -= 100)
				produce(pass, &pass->shapes[i], offset);
}

static void send_offset(struct pass *pass, int64_t next)
{
	static const char METADATA[] = "v1;e=12;q=123456;h=0123456789abcdef;n=1";
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_t *at = rd_kafka_topic_partition_list_add(list, pass->input, 0);
	at->offset = next;
	at->metadata = strdup(METADATA); /* the list frees it */
	at->metadata_size = sizeof METADATA - 1;
	rd_kafka_consumer_group_metadata_t *group = rd_kafka_consumer_group_metadata(pass->consumer);
	must(rd_kafka_send_offsets_to_transaction(pass->producer, list, group, CALL_MS), "send_offsets_to_transaction");
	rd_kafka_consumer_group_metadata_destroy(group);
	rd_kafka_topic_partition_list_destroy(list);
}

/* Takes what is there, at least one. */
static long take(struct pass *pass, int64_t *ret_next)
{
	pthread_mutex_lock(&pass->lock);
	while (pass->waiting == 0)
		pthread_cond_wait(&pass->changed, &pass->lock);
	long taken = pass->waiting < pass->most ? pass->waiting : pass->most;
	pass->waiting -= taken;
	*ret_next = pass->next - pass->waiting;
	pthread_cond_broadcast(&pass->changed);
	pthread_mutex_unlock(&pass->lock);
	return taken;
}

static void *commit(void *ctx)
{
	struct pass *pass = ctx;
	while (pass->done < pass->wanted) {
		int64_t next;
		long taken = take(pass, &next);
		must(rd_kafka_begin_transaction(pass->producer), "begin_transaction");
		produce_all(pass, next - taken, taken);
		send_offset(pass, next);
		must(rd_kafka_commit_transaction(pass->producer, CALL_MS), "commit_transaction");
		rd_kafka_poll(pass->producer, 0);
		pass->transactions++;
		pass->done += taken;
	}
	return NULL;
}

static void read_shape(struct shape *shape, const char *text)
{
	if (sscanf(text, "%127[^:]:%d:%d:%d:%d:%d", shape->topic, &shape->hundredths, &shape->key_bytes, &shape->value_bytes,
	           &shape->headers, &shape->header_bytes) != 6 ||
	    shape->key_bytes > TEXT_MAX || shape->value_bytes > TEXT_MAX || shape->header_bytes > TEXT_MAX)
		die("not a shape", text);
}

int main(int argc, char **argv)
{
	static struct pass pass = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
	pthread_t thread;
	if (argc < 7 || argc - 6 > SHAPES_MAX)
		die("usage", "pass_through BROKERS INPUT GROUP RECORDS MOST TOPIC:HUNDREDTHS:KEY:VALUE:HEADERS:BYTES...");
	pass.input = argv[2];
	pass.wanted = atol(argv[4]);
	pass.most = atol(argv[5]);
	for (int i = 6; i < argc; i++)
		read_shape(&pass.shapes[pass.shape_count++], argv[i]);
	memset(pass.text, 'x', sizeof pass.text);
	open_clients(&pass, argv[1], argv[3]);
	if (pthread_create(&thread, NULL, commit, &pass) != 0)
		die("thread", "cannot be started");
	consume(&pass);
	pthread_join(thread, NULL);
	printf("{\"records\": %ld, \"transactions\": %ld, \"librdkafka\": \"%s\"}\n", pass.done, pass.transactions,
	       rd_kafka_version_str());
	fflush(stdout);
	rd_kafka_consumer_close(pass.consumer);
	for (int i = 0; i < pass.shape_count; i++)
		rd_kafka_topic_destroy(pass.shapes[i].handle);
	rd_kafka_destroy(pass.producer);
	rd_kafka_destroy(pass.consumer);
	return 0;
}
