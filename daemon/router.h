/* SPDX-License-Identifier: Apache-2.0
 *
 * The shards of this process: gives each assignment, record and result to its shard, counts and logs what comes of it,
 * and answers for all of them (ready? alive? drained?).
 */
#ifndef LR_DAEMON_ROUTER_H
#define LR_DAEMON_ROUTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/loop.h"
#include "daemon/shard.h"

struct log;
struct router;
struct strbuf;

enum {
	ROUTER_STUCK_MS = 30000, /* a running shard without progress or known pause for so long is stuck: no watchdog ping */
};

struct router_parts {
	struct loop *loop;
	struct clock *clock;
	struct committer *committer;
	struct view *view;
	struct kafka_in *in;
	struct state_log *state_log;
	struct stats *stats;
	struct log *log;
};

/* Listens to the consumer and the committer from now on. Takes a reference of the generation. */
struct router *router_new(const struct router_parts *parts, const struct shard_limits *limits,
                          struct generation *generation);
void router_free(struct router *router);

/* From now on new batches use `generation`; batches in flight keep theirs. */
void router_use(struct router *router, struct generation *generation);
struct generation *router_generation(const struct router *router);

/* Takes no more records; calls on_drained(ctx) once everything decided is applied. */
void router_drain(struct router *router, loop_fn on_drained, void *ctx);

/* The shard of this number, or NULL when it was never ours. */
struct shard *router_shard(const struct router *router, int32_t number);
/* One past the highest shard number that was ever ours. */
int32_t router_shard_count(const struct router *router);

/* True when every assigned shard runs (or none is assigned because others have them all). `why` (may be NULL) gets a
 * line per shard that does not. */
bool router_is_ready(const struct router *router, struct strbuf *why);
/* False when a running shard is stuck: the watchdog must bite. */
bool router_is_alive(const struct router *router);
/* Sets the gauges that are looked up rather than counted. */
void router_measure(const struct router *router);

#endif
