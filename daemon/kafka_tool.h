/* SPDX-License-Identifier: Apache-2.0
 *
 * Kafka for leadctl: publish lines, follow topics. Blocking, without groups or transactions; the daemon uses none of it.
 */
#ifndef LR_DAEMON_KAFKA_TOOL_H
#define LR_DAEMON_KAFKA_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/kafka_conf.h"
#include "rules/base/err.h"
#include "rules/base/slice.h"

struct arena;
struct record;
struct kafka_sender;

/* NULL with *err. */
struct kafka_sender *kafka_sender_new(const struct kafka_options *options, struct err *err);
void kafka_sender_free(struct kafka_sender *sender);
/* How many partitions a topic has, or -1 with *err. */
int32_t kafka_sender_partitions(struct kafka_sender *sender, const char *topic, struct err *err);
/* Waits while the queue is full. `key` may be SLICE_NONE. 0, or -1 with *err. */
int kafka_sender_put(struct kafka_sender *sender, const char *topic, int32_t partition, struct slice key,
                     struct slice value, struct err *err);
/* Waits until everything is acknowledged, at most wait_ms. Returns how many records failed or are still out. */
size_t kafka_sender_flush(struct kafka_sender *sender, int wait_ms);

struct kafka_follower;

/* One record as it is in the log; borrowed until the next call. */
struct kafka_seen {
	const char *topic;
	int32_t partition;
	int64_t offset, timestamp_ms;
	struct slice key, value;
};

/* Follows all partitions of the topics, read_committed, from the start or from now on. NULL with *err. */
struct kafka_follower *kafka_follower_new(const struct kafka_options *options, const char *const *topics, size_t count,
                                          bool from_start, struct err *err);
/* The same from the first record on whose timestamp is `from_ms` or later. */
struct kafka_follower *kafka_follower_new_at(const struct kafka_options *options, const char *const *topics, size_t count,
                                             int64_t from_ms, struct err *err);
/* Have all partitions been read to their end once? */
bool kafka_follower_has_read_all(const struct kafka_follower *follower);
void kafka_follower_free(struct kafka_follower *follower);
/* 1: *ret is filled; 0: nothing came within wait_ms; -1 with *err. */
int kafka_follower_next(struct kafka_follower *follower, int wait_ms, struct kafka_seen *ret, struct err *err);
/* A header of the record that was given last; SLICE_NONE when it has none of this name. */
struct slice kafka_follower_header(const struct kafka_follower *follower, const char *name);

/* One record by its place, as the daemon reads it (kind RECORD_CAPTURED); all of it lies in `arena`. 1: *ret is filled; 0: it is
 * not in the topic, and *ret_lowest is the first offset that is; -1 with *err. */
int kafka_read_record(const struct kafka_options *options, const char *topic, int32_t partition, int64_t offset,
                      struct arena *arena, struct record *ret, int64_t *ret_lowest, struct err *err);

#endif
