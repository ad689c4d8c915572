/* SPDX-License-Identifier: Apache-2.0
 *
 * The consumer: membership, assignment, records in. Runs on the loop.
 *
 * A shard is partition p of every input topic. Assignments and revocations are told per shard; an assignment that gives
 * only some of a shard's topics is told as incomplete, and the shard must not open (reliability.md §2.1). A newly
 * assigned partition is paused and has no position: the owner seeks and resumes it once the shard is open. Records below
 * the last seek are dropped here. Polling goes on while partitions are paused, so backpressure never costs membership.
 *
 * The simulator links its own object with these symbols.
 */
#ifndef LR_DAEMON_KAFKA_IN_H
#define LR_DAEMON_KAFKA_IN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/commit.h"
#include "rules/rules.h"

struct kafka_in;

/* A record with the memory behind it: from the consumer until kafka_in_message_free(). */
struct kafka_message {
	struct record record;
	size_t topic;  /* index of the input topic, in the order of configuration; 0 is the anchor */
	size_t bytes;  /* key, value and headers, for limits */
	struct kafka_message *next; /* of the queue it is in; its holder's */
};

void kafka_in_message_free(struct kafka_message *take_message);

struct kafka_in_events {
	/* The shard is ours under `token` (borrowed; take a reference to keep it). Also called again for a shard that we
	 * kept, with a newer token. */
	void (*on_assigned)(void *ctx, int32_t shard, struct commit_token *token, bool is_complete);
	/* The shard is taken from us. Called from inside the rebalance callback: on return it is no longer ours.
	 * `is_lost`: it may belong to another member already. */
	void (*on_revoked)(void *ctx, int32_t shard, bool is_lost);
	void (*on_message)(void *ctx, int32_t shard, struct kafka_message *take_message);
	void *ctx;
};

void kafka_in_listen(struct kafka_in *in, const struct kafka_in_events *events);
/* Sets the position of all input topics of the shard; records fetched before are dropped. Returns 0, or -1 with *err
 * when the partition is not ours any more or the client refuses. */
int kafka_in_seek(struct kafka_in *in, int32_t shard, const int64_t offsets[COMMIT_TOPICS_MAX], struct err *err);
void kafka_in_pause(struct kafka_in *in, int32_t shard);
void kafka_in_resume(struct kafka_in *in, int32_t shard);

#endif
