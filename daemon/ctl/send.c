/* SPDX-License-Identifier: Apache-2.0
 *
 * leadctl send: publishes the lines of a file, each to the partition of its tenant.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config.h"
#include "daemon/ctl/ctl.h"
#include "daemon/generation.h"
#include "daemon/kafka_tool.h"
#include "daemon/settings.h"
#include "rules/base/arena.h"
#include "rules/json/json.h"
#include "rules/rules.h"

enum { FLUSH_MS = 30000 };

static const struct json_limits LIMITS = {RULES_RECORD_BYTES_MAX, RULES_JSON_DEPTH_MAX, RULES_JSON_VALUES_MAX};

/* The tenant that the line names: on top, or in the data of a structured CloudEvent. Hostile lines have none. */
static struct slice tenant_of(struct slice line, struct arena *arena, const char *otherwise)
{
	const struct json *json = json_read(line, LIMITS, arena, NULL);
	struct slice tenant = json_get_text(json, "tenant");
	if (tenant.len == 0)
		tenant = json_get_text(json_get(json, "data"), "tenant");
	return tenant.len > 0 ? tenant : slice_of(otherwise);
}

static int send_lines(struct kafka_sender *sender, FILE *file, const char *topic, const struct ctl_args *args,
                      size_t *ret_count, struct err *err)
{
	struct arena arena = ARENA_INIT;
	char *line = NULL;
	size_t capacity = 0;
	ssize_t len;
	int result = 0;
	int32_t partitions = kafka_sender_partitions(sender, topic, err);
	if (partitions <= 0)
		return -1;
	while (result == 0 && (len = getline(&line, &capacity, file)) != -1) {
		if (len > 0 && line[len - 1] == '\n')
			len--;
		if (len == 0)
			continue;
		const struct slice value = {line, (size_t)len};
		struct slice tenant = tenant_of(value, &arena, args->tenant ? args->tenant : "");
		int32_t partition = tenant.len > 0 ? rules_partition_of(tenant, partitions) : 0;
		result = kafka_sender_put(sender, topic, partition, tenant, value, err);
		*ret_count += result == 0;
		arena_reset(&arena);
	}
	if (result == 0 && ferror(file))
		result = err_set(err, ERR_TOOL_FILE, "%s: %s", args->rest[0], strerror(errno));
	free(line);
	arena_done(&arena);
	return result;
}

static const char *topic_of(const struct ctl_args *args, const struct config *config)
{
	if (args->topic == NULL || strcmp(args->topic, "captured") == 0)
		return config->kafka_topic_captured;
	return strcmp(args->topic, "activity") == 0 ? config->kafka_topic_activity : args->topic;
}

static int send_file(const struct ctl_args *args, const struct config *config, FILE *file)
{
	struct arena arena = ARENA_INIT;
	struct err err = ERR_INIT;
	size_t count = 0, lost = 0;
	const struct kafka_options options = settings_kafka(config, &arena);
	const char *topic = topic_of(args, config);
	struct kafka_sender *sender = kafka_sender_new(&options, &err);
	int result = sender ? send_lines(sender, file, topic, args, &count, &err) : -1;
	if (sender != NULL)
		lost = kafka_sender_flush(sender, FLUSH_MS);
	kafka_sender_free(sender);
	arena_done(&arena);
	if (result != 0)
		return ctl_fail(err.code == ERR_TOOL_FILE ? CTL_FAILED : CTL_UNAVAILABLE, &err);
	fprintf(stderr, "%zu records to %s\n", count - lost, topic);
	if (lost == 0)
		return CTL_OK;
	fprintf(stderr, "leadctl: %zu records were not acknowledged\n", lost);
	return CTL_UNAVAILABLE;
}

/* Told before the broker is asked for. */
static bool is_readable(FILE *file)
{
	(void)ungetc(getc(file), file);
	return !ferror(file);
}

int ctl_send(const struct ctl_args *args)
{
	if (args->rest_count != 1)
		return ctl_usage("name one file, or - for standard input");
	const char *name = args->rest[0];
	bool is_file = strcmp(name, "-") != 0;
	FILE *file = is_file ? fopen(name, "re") : stdin;
	if (file == NULL || !is_readable(file)) {
		struct err err = ERR_INIT;
		err_set(&err, ERR_TOOL_FILE, "%s: %s", name, strerror(errno));
		if (file != NULL && is_file)
			fclose(file);
		return ctl_fail(CTL_FAILED, &err);
	}
	struct generation *generation = ctl_load(args);
	int code = generation ? send_file(args, generation_config(generation), file) : CTL_CONFIG;
	generation_unref(generation);
	if (is_file)
		fclose(file);
	return code;
}
