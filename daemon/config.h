/* SPDX-License-Identifier: Apache-2.0
 *
 * The daemon's own options: sections kafka, redis, http, log, events, limits, clock and plugins of the configuration.
 * config.def has one row per option, and each row makes one member here. Immutable once built; lives in a generation's
 * arena.
 */
#ifndef LR_DAEMON_CONFIG_H
#define LR_DAEMON_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/kafka_props.h"
#include "rules/base/slice.h"

struct arena;
struct diags;
struct model_files;
struct node;
struct strbuf;

enum { CONFIG_PROPERTIES_MAX = 200, CONFIG_PLUGINS_MAX = 32 };

enum config_log_level { CONFIG_LOG_DEBUG, CONFIG_LOG_INFO, CONFIG_LOG_WARNING, CONFIG_LOG_ERROR }; /* as log.level's choices */
enum config_log_format { CONFIG_LOG_AUTO, CONFIG_LOG_JSON, CONFIG_LOG_TEXT };
enum config_events_mode { CONFIG_EVENTS_BINARY, CONFIG_EVENTS_STRUCTURED };

/* Where a value was written; path NULL: it is the default. */
struct config_origin {
	const char *path;
	unsigned line;
};

/* host and port, or unix_path; both NULL: none. An IPv6 host has lost its brackets. */
struct config_address {
	const char *host;
	uint16_t port;
	const char *unix_path;
};

/* One librdkafka property of kafka.properties, kafka.consumer.properties or kafka.producer.properties, already accepted
 * by kafka_props_check. */
struct config_property {
	enum kafka_scope scope;
	const char *name, *value;
	struct config_origin origin;
};

struct config_plugin {
	const char *name;            /* [a-z][a-z0-9_]*, unique; facts of the plug-in begin with it */
	const char *path;            /* of the shared object, absolute or relative to the configuration directory */
	const struct node *settings; /* a mapping, or NULL; its keys are checked by the plug-in's own option list */
	int64_t deadline_ms;         /* for one answer */
	const struct node *node;     /* the whole entry, for places in errors */
};

/* The types of config.def as members: text is NUL-terminated and never NULL, a CHOICE is the index of the choice. */
#define CONFIG_MEMBER_TEXT    const char *
#define CONFIG_MEMBER_TOPIC   const char *
#define CONFIG_MEMBER_SECRET  const char *
#define CONFIG_MEMBER_ADDRESS const char *
#define CONFIG_MEMBER_INT     int64_t
#define CONFIG_MEMBER_CHOICE  int64_t

struct config {
#define OPTION(member, name, type, initial, least, most, choices, reloadable, help) CONFIG_MEMBER_##type member;
#include "daemon/config.def"
#undef OPTION
	/* Beside the table. */
	const char *transactional_id; /* <group>-<instance> */
	struct config_address redis_address, http_address;
	struct slice redis_password; /* content of redis.password_file without the line end; never printed */
	const struct config_property *properties;
	size_t property_count;
	const struct config_plugin *plugins;
	size_t plugin_count;
	const struct config_origin *origins; /* one per row of config.def */
};

/* Reads the daemon's sections of the merged tree; other sections are not looked at. Adds every error to `diags`; NULL if
 * there was one. `files` reads the secrets. The result lives in `arena`, as the tree must. */
const struct config *config_build(const struct node *root, const struct model_files *files, struct arena *arena,
                                  struct diags *diags);
/* Names of the sections that config_build reads, NULL behind the last. */
const char *const *config_sections(void);

/* The effective values as lines "name = value   # origin", secrets redacted. */
void config_print(const struct config *config, struct strbuf *out);

/* Calls on_change for each option that differs. Values are printed as config_print does. The librdkafka properties
 * are compared as a whole ("kafka.properties"); plug-ins are not compared, they may always change. Returns the number of
 * differences. */
size_t config_compare(const struct config *before, const struct config *after,
                      void (*on_change)(void *ctx, const char *name, const char *before, const char *after,
                                        bool is_reloadable),
                      void *ctx);

/* A row of config.def for those who document it. */
struct config_option {
	const char *name, *type, *initial, *choices, *help;
	int64_t least, most;
	bool is_reloadable;
};

/* All rows in order; `ret_count` is their number. */
const struct config_option *config_options(size_t *ret_count);

#endif
