/* SPDX-License-Identifier: Apache-2.0
 *
 * The look at the cluster (kafka_check.h): first the topics and their partitions, then their settings as far as the
 * broker tells them.
 */
#include "daemon/kafka_check.h"

#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	TOPICS_MAX = COMMIT_TOPICS_MAX + OUT_TOPICS + 1,
	REPLICAS_WANTED = 3,
	ISR_WANTED = 2,
};

static const int64_t HOUR_MS = 3600000, DAY_MS = 86400000;

enum role { ROLE_INPUT, ROLE_OUTPUT, ROLE_STATE };

struct topic {
	const char *name;
	enum role role;
	int32_t partitions;
	int replicas;
	bool is_told; /* the broker answered for its settings */
};

struct check {
	const struct kafka_options *options;
	struct kafka_environment *env;
	rd_kafka_t *rk;
	struct topic topics[TOPICS_MAX];
	size_t count;
};

__attribute__((format(printf, 2, 3))) static void warn(struct check *check, const char *format, ...)
{
	if (check->env->warning_count == KAFKA_WARNINGS_MAX)
		return;
	char *text = check->env->warnings[check->env->warning_count++];
	va_list args;
	va_start(args, format);
	vsnprintf(text, KAFKA_WARNING_BYTES, format, args);
	va_end(args);
}

static void list_topics(struct check *check)
{
	const struct kafka_options *options = check->options;
	for (size_t i = 0; i < options->input_count; i++)
		check->topics[check->count++] = (struct topic){.name = options->inputs[i].topic, .role = ROLE_INPUT};
	for (size_t i = 0; i < OUT_TOPICS; i++)
		check->topics[check->count++] = (struct topic){.name = options->outputs[i], .role = ROLE_OUTPUT};
	check->topics[check->count++] = (struct topic){.name = options->state_topic, .role = ROLE_STATE};
}

/* ---- partitions */

static const struct rd_kafka_metadata_topic *find(const struct rd_kafka_metadata *metadata, const char *name)
{
	for (int i = 0; i < metadata->topic_cnt; i++)
		if (strcmp(metadata->topics[i].topic, name) == 0)
			return &metadata->topics[i];
	return NULL;
}

static int note_topic(struct topic *topic, const struct rd_kafka_metadata_topic *found, struct err *err)
{
	if (found == NULL || found->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || found->partition_cnt == 0)
		return err_set(err, ERR_MISSING_TOPIC, "topic %s does not exist, or this user may not describe it: create it%s",
		               topic->name, topic->role == ROLE_STATE ? " with cleanup.policy=compact" : "");
	if (found->err != RD_KAFKA_RESP_ERR_NO_ERROR)
		return err_set(err, ERR_KAFKA_UNAVAILABLE, "topic %s: %s", topic->name, rd_kafka_err2str(found->err));
	topic->partitions = found->partition_cnt;
	topic->replicas = found->partitions[0].replica_cnt;
	return 0;
}

/* All topics in one answer, so that nothing is created by asking for a name. */
static int ask_topics(struct check *check, struct err *err)
{
	const struct rd_kafka_metadata *metadata = NULL;
	rd_kafka_resp_err_t code = rd_kafka_metadata(check->rk, 1, NULL, &metadata, KAFKA_START_MS);
	if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
		return err_set(err, ERR_KAFKA_UNAVAILABLE, "no answer from %s: %s", check->options->brokers, rd_kafka_err2str(code));
	int result = 0;
	for (size_t i = 0; i < check->count && result == 0; i++)
		result = note_topic(&check->topics[i], find(metadata, check->topics[i].name), err);
	rd_kafka_metadata_destroy(metadata);
	return result;
}

static int compare_partitions(struct check *check, struct err *err)
{
	const struct topic *anchor = &check->topics[0];
	for (size_t i = 1; i < check->count; i++) {
		const struct topic *topic = &check->topics[i];
		if (topic->role != ROLE_OUTPUT && topic->partitions != anchor->partitions)
			return err_set(err, ERR_UNEQUAL_PARTITIONS,
			               "%s has %" PRId32 " partitions, %s has %" PRId32 ": all input topics and %s need the same number",
			               anchor->name, anchor->partitions, topic->name, topic->partitions, check->options->state_topic);
	}
	if (anchor->partitions > KAFKA_PARTITIONS_MAX)
		return err_set(err, ERR_UNEQUAL_PARTITIONS, "%s has %" PRId32 " partitions; at most %d are supported", anchor->name,
		               anchor->partitions, KAFKA_PARTITIONS_MAX);
	int32_t wanted = check->options->partition_count;
	if (wanted > 0 && wanted != anchor->partitions)
		return err_set(err, ERR_PARTITION_COUNT, "%s has %" PRId32 " partitions, the configuration says %" PRId32,
		               anchor->name, anchor->partitions, wanted);
	check->env->partition_count = anchor->partitions;
	return 0;
}

static void warn_replicas(struct check *check)
{
	for (size_t i = 0; i < check->count; i++)
		if (check->topics[i].replicas < REPLICAS_WANTED) {
			warn(check, "topic %s and maybe others have %d replica(s): acknowledged leads can be lost with a broker; use %d, and "
			     "min.insync.replicas=%d", check->topics[i].name, check->topics[i].replicas, REPLICAS_WANTED, ISR_WANTED);
			return;
		}
}

/* ---- settings */

static const char *setting(const rd_kafka_ConfigEntry_t *const *entries, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), name) == 0)
			return rd_kafka_ConfigEntry_value(entries[i]);
	return NULL;
}

static int64_t number(const char *text, int64_t otherwise)
{
	return text != NULL ? strtoll(text, NULL, 10) : otherwise;
}

static int judge_policy(const struct topic *topic, const char *policy, struct err *err)
{
	if (policy == NULL)
		return 0;
	if (topic->role == ROLE_STATE && strcmp(policy, "compact") != 0)
		return err_set(err, ERR_STATE_POLICY,
		               "topic %s has cleanup.policy=%s: the truth would be deleted with time; set cleanup.policy=compact",
		               topic->name, policy);
	if (topic->role == ROLE_INPUT && strstr(policy, "compact") != NULL)
		return err_set(err, ERR_INPUT_POLICY,
		               "input topic %s has cleanup.policy=%s: leads with the same key would vanish before they are read; set "
		               "cleanup.policy=delete",
		               topic->name, policy);
	return 0;
}

static void judge_state(struct check *check, const struct topic *topic, int64_t delete_retention_ms, int64_t lag_ms)
{
	check->env->delete_retention_ms = delete_retention_ms;
	if (delete_retention_ms < HOUR_MS)
		warn(check, "topic %s has delete.retention.ms=%" PRId64 ": a rebuild that reads for longer is thrown away; set at "
		     "least twice the longest rebuild, such as %" PRId64, topic->name, delete_retention_ms, DAY_MS);
	if (lag_ms < HOUR_MS)
		warn(check, "topic %s has min.compaction.lag.ms=%" PRId64 ": an old view is then rebuilt rather than caught up; %" PRId64
		     " is better", topic->name, lag_ms, HOUR_MS);
}

static void note_limit(struct check *check, int64_t bytes)
{
	int *least = &check->env->message_max_bytes;
	if (bytes > 0 && bytes <= INT_MAX && (*least == 0 || bytes < *least))
		*least = (int)bytes;
}

static int judge(struct check *check, struct topic *topic, const rd_kafka_ConfigResource_t *resource, struct err *err)
{
	size_t count = 0;
	const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &count);
	if (rd_kafka_ConfigResource_error(resource) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return 0;
	topic->is_told = true;
	if (judge_policy(topic, setting(entries, count, "cleanup.policy"), err) != 0)
		return -1;
	const char *unclean = setting(entries, count, "unclean.leader.election.enable");
	if (unclean != NULL && strcmp(unclean, "true") == 0)
		warn(check, "topic %s has unclean.leader.election.enable=true: acknowledged leads can be lost", topic->name);
	if (topic->replicas >= REPLICAS_WANTED && number(setting(entries, count, "min.insync.replicas"), ISR_WANTED) < ISR_WANTED)
		warn(check, "topic %s has min.insync.replicas=1: one broker's loss can lose acknowledged leads; set %d", topic->name,
		     ISR_WANTED);
	if (topic->role != ROLE_INPUT)
		note_limit(check, number(setting(entries, count, "max.message.bytes"), 0));
	if (topic->role == ROLE_STATE)
		judge_state(check, topic, number(setting(entries, count, "delete.retention.ms"), DAY_MS),
		            number(setting(entries, count, "min.compaction.lag.ms"), HOUR_MS));
	return 0;
}

static rd_kafka_event_t *ask_settings(struct check *check)
{
	rd_kafka_ConfigResource_t *wanted[TOPICS_MAX];
	rd_kafka_queue_t *queue = rd_kafka_queue_new(check->rk);
	for (size_t i = 0; i < check->count; i++)
		wanted[i] = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, check->topics[i].name);
	char text[128];
	rd_kafka_AdminOptions_t *limits = rd_kafka_AdminOptions_new(check->rk, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
	rd_kafka_AdminOptions_set_request_timeout(limits, KAFKA_START_MS / 3, text, sizeof text);
	rd_kafka_DescribeConfigs(check->rk, wanted, check->count, limits, queue);
	rd_kafka_event_t *event = rd_kafka_queue_poll(queue, KAFKA_START_MS);
	rd_kafka_AdminOptions_destroy(limits);
	rd_kafka_ConfigResource_destroy_array(wanted, check->count);
	rd_kafka_queue_destroy(queue);
	return event;
}

static struct topic *topic_named(struct check *check, const char *name)
{
	for (size_t i = 0; i < check->count; i++)
		if (strcmp(check->topics[i].name, name) == 0)
			return &check->topics[i];
	return NULL;
}

static int judge_all(struct check *check, rd_kafka_event_t *event, struct err *err)
{
	size_t count = 0;
	if (event == NULL || rd_kafka_event_error(event))
		return 0;
	const rd_kafka_DescribeConfigs_result_t *result =
		rd_kafka_event_DescribeConfigs_result(event);
	if (result == NULL)
		return 0;
	const rd_kafka_ConfigResource_t **resources = rd_kafka_DescribeConfigs_result_resources(result, &count);
	for (size_t i = 0; i < count; i++) {
		struct topic *topic = topic_named(check, rd_kafka_ConfigResource_name(resources[i]));
		if (topic != NULL && judge(check, topic, resources[i], err) != 0)
			return -1;
	}
	return 0;
}

static int check_settings(struct check *check, struct err *err)
{
	rd_kafka_event_t *event = ask_settings(check);
	int result = judge_all(check, event, err);
	if (event != NULL)
		rd_kafka_event_destroy(event);
	for (size_t i = 0; i < check->count && result == 0; i++)
		if (!check->topics[i].is_told) {
			warn(check, "the broker does not tell the settings of topic %s; make sure that %s has cleanup.policy=compact and "
			     "delete.retention.ms of a day, and that no input topic is compacted", check->topics[i].name,
			     check->options->state_topic);
			break;
		}
	return result;
}

int kafka_check(const struct kafka_options *options, struct kafka_environment *ret, struct err *err)
{
	struct check check = {.options = options, .env = ret};
	*ret = (struct kafka_environment){.delete_retention_ms = DAY_MS};
	list_topics(&check);
	rd_kafka_conf_t *conf = kafka_conf_questions(options, err);
	if (conf == NULL)
		return -1;
	rd_kafka_conf_set_opaque(conf, &check.options);
	check.rk = kafka_client_new(RD_KAFKA_CONSUMER, conf, err);
	if (check.rk == NULL)
		return -1;
	int result = ask_topics(&check, err);
	if (result == 0)
		result = compare_partitions(&check, err);
	if (result == 0) {
		warn_replicas(&check);
		result = check_settings(&check, err);
	}
	rd_kafka_destroy(check.rk);
	return result;
}
