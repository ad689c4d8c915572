/* SPDX-License-Identifier: Apache-2.0
 *
 * From the options of a configuration to what each part of the daemon is made of. One place knows both sides.
 */
#ifndef LR_DAEMON_SETTINGS_H
#define LR_DAEMON_SETTINGS_H

#include "daemon/kafka_conf.h"
#include "daemon/log.h"
#include "daemon/shard.h"
#include "daemon/view_redis.h"

struct arena;
struct config;

/* Everything lies in `arena`: the configuration may go. `directory` is where relative secrets are looked for
 * (after $CREDENTIALS_DIRECTORY). */
struct kafka_options settings_kafka(const struct config *config, struct arena *arena);
struct view_options settings_view(const struct config *config, const char *directory, struct arena *arena);
struct shard_limits settings_shard(const struct config *config, size_t input_count, int32_t partition_count);
enum log_level settings_log_level(const struct config *config);
/* `is_terminal`: what "auto" goes by. */
enum log_format settings_log_format(const struct config *config, bool is_terminal);

#endif
