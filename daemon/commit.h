/* SPDX-License-Identifier: Apache-2.0
 *
 * The commit machine: which batches go into a transaction, in which order its steps come, and what each failure means.
 *
 * It knows no thread and no library. The steps that talk to Kafka are functions of a struct commit_ops; the real ones
 * (committer.c) block on librdkafka in the commit thread, the simulator's are steps of a model. So this code, with its
 * rules, is what the fault schedules of tests/sim run.
 *
 *     idle ─► opening ─► …claim: begin ─► barrier ─► offsets ─► commit
 *       │ └─► begin ─► produce… ─► offsets ─► commit ─► settled ─► (re-sent? re-create the producer) ─► idle
 *       │                 └───────────┴─────────┴──► abort ─► aborted: attempts raised ─► idle
 *
 * Rules kept here (reliability.md §2.4–2.10):
 *   - a job of a shard object that is closed, or of an old attempt, is discarded, not sent;
 *   - one transaction carries jobs of one token only, and the offsets of every shard it carries (asserted);
 *   - the token is bound when the transaction begins and never read again while it is open;
 *   - an abort raises the attempt of every shard it carried at once, so that queued jobs decided on it die;
 *   - after any re-sent request the producer is re-created before the next begin;
 *   - an outcome that stays unknown, a fenced producer and every fatal error end the process (COMMIT_EXIT).
 *
 * A job belongs to the machine from commit_submit() until it comes back through the callback of commit_take_result().
 */
#ifndef LR_DAEMON_COMMIT_H
#define LR_DAEMON_COMMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/head.h"
#include "rules/base/err.h"
#include "rules/rules.h"

enum {
	COMMIT_TOPICS_MAX = 8,       /* input topics per shard */
	COMMIT_SHARDS_MAX = 64,      /* shards carried by one transaction */
};

/* Group membership as of one generation, taken in the rebalance callback. Counted, because batches outlive rebalances. */
struct commit_token;
struct commit_token *commit_token_ref(struct commit_token *token);
void commit_token_unref(struct commit_token *token);

enum commit_kind {
	COMMIT_OPEN,  /* fetch the committed offsets, check them, claim the shard */
	COMMIT_ASK,   /* fetch the committed offsets only */
	COMMIT_BATCH, /* events, state records and offsets of one decided batch */
};

enum commit_result {
	COMMIT_DONE,
	COMMIT_ABORTED,   /* the transaction was aborted: rewind, decide again */
	COMMIT_DISCARDED, /* never sent: its shard object is closed or its attempt is old */
	COMMIT_LOST,      /* the shard belongs to somebody else now (generation is old): close it, wait for an assignment */
	COMMIT_STOPPED,   /* the committed offsets are missing, foreign or outside the log: `err` says what to do */
};

const char *commit_result_name(enum commit_result result);

/* Committed position of one input topic. `offset` -1: nothing is committed. */
struct commit_offset {
	int64_t offset;
	int64_t low, high; /* watermarks, filled by fetch */
	struct slice metadata; /* borrowed: from the job's owner, or from the ops until the next call */
};

/* One piece of work. The submitter fills the first part and keeps all it points to alive until the job comes back. */
struct commit_job {
	enum commit_kind kind;
	int32_t shard;
	uint64_t shard_object;       /* number of this opening of the shard: never reused in a process */
	uint64_t attempt;            /* COMMIT_BATCH: of the shard when the batch was decided */
	struct commit_token *token;
	const struct event *events;  /* COMMIT_BATCH */
	size_t event_count;
	const struct write *writes;  /* COMMIT_BATCH: one state record each */
	size_t write_count;
	struct head head;            /* COMMIT_BATCH: after the batch; goes into the anchor's metadata */
	int64_t offsets[COMMIT_TOPICS_MAX]; /* COMMIT_BATCH: next offset per input topic, in the order of configuration */
	void *ctx;                   /* the submitter's */

	/* filled by the machine */
	enum commit_result result;
	struct err err;              /* for COMMIT_STOPPED and the log */
	uint64_t new_attempt;        /* the shard's attempt from now on, whatever the result */
	size_t failed_event;         /* COMMIT_ABORTED: the event that cannot be produced (too large), or SIZE_MAX */
	size_t failed_write;         /* COMMIT_ABORTED: the state record that cannot be produced, or SIZE_MAX */
	struct head claimed;         /* COMMIT_OPEN: (e+1, q, h); COMMIT_ASK: as committed */
	int64_t committed[COMMIT_TOPICS_MAX]; /* COMMIT_OPEN, COMMIT_ASK */
	int64_t barrier;             /* COMMIT_OPEN: offset of our barrier record in leads.state */
	int64_t state_end;           /* COMMIT_BATCH: offset behind the last state record, -1 when there was none */
	struct commit_job *next;     /* the machine's queue */
};

/* What one step with Kafka came to. */
enum op_result {
	OP_DONE,
	OP_RETRY,        /* nothing is decided yet, call again (only where the call may be repeated) */
	OP_ABORT,        /* the transaction must be aborted */
	OP_TOO_LARGE,    /* produce_event, produce_state: as OP_ABORT, and it is this record's own fault */
	OP_LOST,         /* must be aborted, and our generation is old */
	OP_EXIT,         /* fenced, fatal or past its deadline: the process must end */
};

/* The steps. Each may block for as long as the implementation's own deadlines allow; the machine calls one at a time.
 * `err` is filled for everything but OP_DONE. */
struct commit_ops {
	/* Committed offset, metadata and watermarks of all input topics of a shard; waits until they are stable. */
	enum op_result (*fetch)(void *ctx, int32_t shard, struct commit_offset ret[COMMIT_TOPICS_MAX], struct err *err);
	enum op_result (*begin)(void *ctx, struct err *err);
	enum op_result (*produce_event)(void *ctx, int32_t shard, const struct event *event, struct err *err);
	/* One record of leads.state[shard] with the headers q and h of `head`. */
	enum op_result (*produce_state)(void *ctx, int32_t shard, const struct write *write, const struct head *head,
	                                struct err *err);
	/* A record of key "barrier" in leads.state[shard] with the epoch; its offset is known after the commit. */
	enum op_result (*produce_barrier)(void *ctx, int32_t shard, const struct head *head, struct err *err);
	/* Offsets of all input topics of `count` shards in one request, under the token. metadata[i] goes to the anchor. */
	enum op_result (*send_offsets)(void *ctx, struct commit_token *token, size_t count, const int32_t *shards,
	                               const int64_t (*offsets)[COMMIT_TOPICS_MAX], const struct slice *metadata,
	                               struct err *err);
	enum op_result (*commit)(void *ctx, struct err *err);
	enum op_result (*abort)(void *ctx, struct err *err);
	/* After commit: offset of the last state record produced for this shard in the transaction, -1 when none. */
	int64_t (*state_offset)(void *ctx, int32_t shard);
	/* True when a request of this transaction was sent twice or met a transport error (reliability.md §2.10). */
	bool (*was_resent)(void *ctx);
	/* Destroys the producer and creates it anew with the same transactional id. */
	enum op_result (*renew)(void *ctx, struct err *err);
};

struct commit;

/* `topic_count` input topics per shard, the first is the anchor; `partition_count` goes into the metadata. `ops` and its
 * ctx outlive the machine. */
struct commit *commit_new(const struct commit_ops *ops, void *ops_ctx, size_t topic_count, int32_t partition_count);
/* Every job inside becomes a result, DISCARDED whatever its outcome was: the process is leaving and calls no step any
 * more; what is in doubt is told by the committed offsets at the next start. */
void commit_forget(struct commit *commit);
void commit_free(struct commit *commit);

void commit_submit(struct commit *commit, struct commit_job *take_job);
/* From now on jobs of this shard object are discarded unless they are in the open transaction already. */
void commit_close_shard(struct commit *commit, int32_t shard, uint64_t shard_object);
/* True while a transaction that carries this shard is open: a revocation waits for it. */
bool commit_is_busy_with(const struct commit *commit, int32_t shard);

enum commit_turn {
	COMMIT_IDLE, /* nothing to do until the next submit */
	COMMIT_MORE, /* one step was made; call again */
	COMMIT_EXIT, /* the process must end now, without another word to anybody */
};

/* Makes at most one call of ops. On COMMIT_EXIT *err says why. */
enum commit_turn commit_step(struct commit *commit, struct err *err);
/* The next finished job in the order in which they finished, or NULL. The caller owns it again. */
struct commit_job *commit_take_result(struct commit *commit);

#endif
