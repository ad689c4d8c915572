/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading leads.state back: from an offset until the position has passed a barrier, read_committed. Runs on the loop.
 *
 * The end is reached when the *position* is behind `barrier`, not when the barrier record is seen: compaction may have
 * removed it. An open transaction of a zombie may hold the reading up for a while; that is waited for.
 * The simulator links its own object with these symbols.
 */
#ifndef LR_DAEMON_STATE_LOG_H
#define LR_DAEMON_STATE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/err.h"
#include "rules/base/slice.h"

/* One record. `is_barrier`: a claim's record, no state. Borrowed until the callback returns. */
struct state_record {
	int64_t offset;
	struct slice key, value;
	bool is_tombstone, is_barrier;
	uint64_t seq;     /* header q; for a barrier the epoch's seq */
	struct slice hash; /* header h, 16 hex digits */
};

enum state_log_end {
	STATE_LOG_DONE,      /* the position has passed the barrier */
	STATE_LOG_TRUNCATED, /* `from` is not in the log any more (retention, re-created topic) */
	STATE_LOG_FOREIGN,   /* a record that leadrouter did not write */
	STATE_LOG_FAILED,    /* client error; try again */
};

struct state_log;
struct state_log_reader;

struct state_log_events {
	/* Return false to pause: no more records until state_log_continue(). The record was taken either way. */
	bool (*on_record)(void *ctx, const struct state_record *record);
	/* Last call of a reader; it is freed afterwards. */
	void (*on_end)(void *ctx, enum state_log_end end, const struct err *err);
	void *ctx;
};

/* Begins at `from` (0: the start of the log as it is now). Callbacks come from the loop, never from inside this call.
 * At most one reader per shard. */
struct state_log_reader *state_log_read(struct state_log *log, int32_t shard, int64_t from, int64_t barrier,
                                        const struct state_log_events *events);
void state_log_continue(struct state_log_reader *reader);
/* No callback comes any more. May be called from inside on_record, which then returns. Freed at the latest when the
 * callback that cancelled has returned. */
void state_log_cancel(struct state_log_reader *reader);
/* delete.retention.ms of leads.state as the broker says; a read that took longer than this must be thrown away. */
int64_t state_log_retention_ms(const struct state_log *log);

#endif
