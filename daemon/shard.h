/* SPDX-License-Identifier: Apache-2.0
 *
 * One shard: from its assignment to its revocation. Owns the head, the rings, the batches and their overlay.
 *
 *     closed ─► claiming ─► comparing ─┬─► catching_up ─┬─► loading_rings ─► running ─► draining ─► closed
 *                  ▲            ▲      ├─► rebuilding ──┤        │               │
 *                  │            └──────┴────────────────┴────────┘ (head moved)  │
 *                  └──────────────────── re-open: a read or apply did not fit ◄──┘
 *     stopped: needs a person (missing or foreign offsets, torn transaction, split assignment); alarm
 *
 * A new shard object number is drawn at every opening; answers that belong to an older one are dropped, so nothing has
 * to be waited for when a shard closes. The shard drives itself: it is told about assignments, records, results and
 * time, and calls the committer, the view, the state log and the consumer. It decides only *when*; what is decided is
 * rules/'s business.
 */
#ifndef LR_DAEMON_SHARD_H
#define LR_DAEMON_SHARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/commit.h"
#include "daemon/kafka_in.h"

struct clock;
struct committer;
struct generation;
struct loop;
struct state_log;
struct stats;
struct view;

#define SHARD_STATES(X)     \
	X(CLOSED, closed)         \
	X(CLAIMING, claiming)     \
	X(COMPARING, comparing)   \
	X(ASKING, asking)         \
	X(CATCHING_UP, catching_up) \
	X(REBUILDING, rebuilding) \
	X(LOADING_RINGS, loading_rings) \
	X(RUNNING, running)       \
	X(STOPPED, stopped)

enum shard_state {
#define X(id, name) SHARD_##id,
	SHARD_STATES(X)
#undef X
};

const char *shard_state_name(enum shard_state state);

/* What the shards of a process share. */
struct shard_parts {
	struct loop *loop;
	struct clock *clock;
	struct committer *committer;
	struct view *view;
	struct kafka_in *in;
	struct state_log *state_log;
	struct stats *stats;
	/* The generation in force; a batch pins the one it met. */
	struct generation *(*generation)(void *ctx);
	/* Told after each settled decision, for logs and counters. May be NULL. */
	void (*on_decided)(void *ctx, int32_t shard, const struct decision *decision);
	/* Told of what goes on failing (may be NULL), and on every change of state (err of STOPPED). */
	void (*on_alarm)(void *ctx, int32_t shard, const struct err *err);
	void (*on_state)(void *ctx, int32_t shard, enum shard_state from, enum shard_state to, const struct err *err);
	void *ctx;
};

struct shard_limits {
	size_t topic_count;
	size_t batch_records;      /* records decided in one batch */
	size_t batch_bytes;
	size_t inflight_batches;   /* decided and not applied */
	size_t inbox_records;      /* above: the partitions are paused; resumed below half */
	size_t inbox_bytes;
	size_t due_limit;          /* timers fired in one batch */
	size_t batch_writes;       /* a batch that comes to more is cut, unless it is one decision */
	size_t walk_step;          /* leads that one step of a walk looks at, about */
	int64_t timer_poll_ms;     /* at the latest the view is read again after so long, due timers or not */
	int64_t retry_ms;          /* first pause after a refusal; doubled up to 32 times that */
	int32_t partition_count;
};

struct shard;

/* A shard lives as long as the process, however often it is assigned and revoked: its object numbers must never repeat.
 * `batch_writes` is VIEW_WRITES_PER_CALL at most, and no single decision comes to more. */
struct shard *shard_new(const struct shard_parts *parts, const struct shard_limits *limits, int32_t number);
void shard_free(struct shard *shard);
/* What decisions keep in their heads, to be measured only. */
const struct desk *shard_desk(const struct shard *shard);

void shard_assigned(struct shard *shard, struct commit_token *token, bool is_complete);
/* On return nothing of this shard is sent any more under the old generation. */
void shard_revoked(struct shard *shard, bool is_lost);
void shard_message(struct shard *shard, struct kafka_message *take_message);
void shard_committed(struct shard *shard, struct commit_job *job);
/* Takes no more records; shard_is_idle() becomes true once all that was decided is applied. */
void shard_drain(struct shard *shard);
bool shard_is_idle(const struct shard *shard);

/* For `show shard`, metrics and the watchdog. */
struct shard_status {
	enum shard_state state;
	struct head head;          /* of the last applied batch */
	int64_t committed[COMMIT_TOPICS_MAX]; /* next offset per input topic */
	size_t topic_count;
	size_t inbox_records, inflight_batches;
	int64_t since_ms;          /* monotonic time of the last progress or knowing pause */
	bool has_new_rules;        /* what is decided from here on is decided by the newest ones */
	bool is_paused;            /* knowingly: backpressure, view away, timers frozen */
	int64_t next_due_ms;       /* wall time; 0 none */
	struct err why;            /* STOPPED: what a person has to mend */
};
void shard_status(const struct shard *shard, struct shard_status *ret);

#endif
