/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/settings.h"

#include <stdlib.h>
#include <unistd.h>

#include "daemon/config.h"
#include "daemon/view.h"
#include "rules/base/arena.h"

enum {
	BATCH_BYTES = 8 << 20,
	INBOX_BYTES = 64 << 20,
	DUE_LIMIT = 1000,
	WALK_STEP = 100,
	RETRY_MS = 50,
	VIEW_CHECK_MS = 60000,
};

/* What is made of settings lives as long as the process, the configuration that they come from only until a reload. */
static const char *keep(const char *text, struct arena *arena)
{
	return text != NULL ? arena_strdup(arena, text) : NULL;
}

static const struct kafka_property *properties_of(const struct config *config, struct arena *arena)
{
	struct kafka_property *properties = arena_array(arena, config->property_count, sizeof *properties);
	for (size_t i = 0; i < config->property_count; i++) {
		const struct config_property *from = &config->properties[i];
		properties[i] = (struct kafka_property){from->scope, keep(from->name, arena), keep(from->value, arena)};
	}
	return properties;
}

struct kafka_options settings_kafka(const struct config *config, struct arena *arena)
{
	struct kafka_options options = {
		.brokers = keep(config->kafka_brokers, arena),
		.group = keep(config->kafka_group, arena),
		.instance = keep(config->kafka_instance, arena),
		.inputs = {{keep(config->kafka_topic_captured, arena), RECORD_CAPTURED},
		           {keep(config->kafka_topic_activity, arena), RECORD_ACTIVITY}},
		.input_count = 2,
		.state_topic = keep(config->kafka_topic_state, arena),
		.partition_count = (int32_t)config->kafka_partitions,
		.transaction_timeout_ms = (int)config->kafka_transaction_timeout_ms,
		.session_timeout_ms = (int)config->kafka_session_timeout_ms,
		.properties = properties_of(config, arena),
		.property_count = config->property_count,
		.event_source = keep(config->events_source, arena),
		.event_type_prefix = keep(config->events_type_prefix, arena),
		.structured_events = config->events_mode == CONFIG_EVENTS_STRUCTURED,
	};
	options.outputs[OUT_ASSIGNMENTS] = keep(config->kafka_topic_assignments, arena);
	options.outputs[OUT_FOLLOWUPS] = keep(config->kafka_topic_followups, arena);
	options.outputs[OUT_LIFECYCLE] = keep(config->kafka_topic_lifecycle, arena);
	options.outputs[OUT_REJECTED] = keep(config->kafka_topic_rejected, arena);
	return options;
}

/* As config_files_reader() finds secrets: the credentials of the service manager first. */
static const char *secret_path(const char *name, const char *directory, struct arena *arena)
{
	const char *credentials = getenv("CREDENTIALS_DIRECTORY");
	if (*name == '\0')
		return NULL;
	if (*name == '/')
		return keep(name, arena);
	if (credentials != NULL) {
		const char *path = arena_printf(arena, "%s/%s", credentials, name);
		if (access(path, R_OK) == 0)
			return path;
	}
	return arena_printf(arena, "%s/%s", directory, name);
}

struct view_options settings_view(const struct config *config, const char *directory, struct arena *arena)
{
	struct view_options options = view_options_default();
	options.timeout_ms = config->redis_timeout_ms;
	options.check_every_ms = VIEW_CHECK_MS;
	options.redis.unix_path = keep(config->redis_address.unix_path, arena);
	options.redis.host = keep(config->redis_address.host, arena);
	options.redis.port = config->redis_address.port;
	options.redis.user = *config->redis_user ? keep(config->redis_user, arena) : NULL;
	options.redis.password_file = secret_path(config->redis_password_file, directory, arena);
	options.redis.client_name = "leadrouter";
	options.redis.command_timeout_ms = config->redis_timeout_ms;
	return options;
}

struct shard_limits settings_shard(const struct config *config, size_t input_count, int32_t partition_count)
{
	return (struct shard_limits){
		.topic_count = input_count,
		.batch_records = (size_t)config->limits_batch_records,
		.batch_bytes = BATCH_BYTES,
		.inflight_batches = (size_t)config->limits_inflight_batches,
		.inbox_records = (size_t)config->limits_inbox_records,
		.inbox_bytes = INBOX_BYTES,
		.due_limit = DUE_LIMIT,
		.batch_writes = VIEW_WRITES_PER_CALL,
		.walk_step = WALK_STEP,
		.timer_poll_ms = config->limits_timer_poll_ms,
		.retry_ms = RETRY_MS,
		.partition_count = partition_count,
	};
}

enum log_level settings_log_level(const struct config *config)
{
	switch ((enum config_log_level)config->log_level) {
	case CONFIG_LOG_DEBUG: return LOG_LEVEL_DEBUG;
	case CONFIG_LOG_INFO: return LOG_LEVEL_INFO;
	case CONFIG_LOG_WARNING: return LOG_LEVEL_WARNING;
	case CONFIG_LOG_ERROR: return LOG_LEVEL_ERROR;
	}
	return LOG_LEVEL_INFO;
}

enum log_format settings_log_format(const struct config *config, bool is_terminal)
{
	switch ((enum config_log_format)config->log_format) {
	case CONFIG_LOG_AUTO: return is_terminal ? LOG_FORMAT_TEXT : LOG_FORMAT_JSON;
	case CONFIG_LOG_JSON: return LOG_FORMAT_JSON;
	case CONFIG_LOG_TEXT: return LOG_FORMAT_TEXT;
	}
	return LOG_FORMAT_JSON;
}
