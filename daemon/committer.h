/* SPDX-License-Identifier: Apache-2.0
 *
 * The commit thread: the machine of commit.h over librdkafka's transactional producer.
 *
 * All transactional calls, init_transactions() and committed() live on this thread, because they may block far beyond
 * their time-outs. Every call runs under a deadline that the loop watches: when it passes, the process ends with _exit()
 * (process death is always safe here, waiting is not). Everything below is called from the loop's thread; results come
 * back through on_result, from the loop, in the order in which the jobs finished.
 *
 * The simulator links its own object with these symbols.
 */
#ifndef LR_DAEMON_COMMITTER_H
#define LR_DAEMON_COMMITTER_H

#include "daemon/commit.h"

struct committer;

typedef void (*committer_fn)(void *ctx, struct commit_job *job);

/* One receiver for all results (the shards' table, which finds the shard by job->shard and job->shard_object). */
void committer_on_result(struct committer *committer, committer_fn fn, void *ctx);
void committer_submit(struct committer *committer, struct commit_job *take_job);
void committer_close_shard(struct committer *committer, int32_t shard, uint64_t shard_object);
/* Ends the thread after its current step; every job that is still inside comes back through on_result before this
 * returns, as DISCARDED. Submitting afterwards is a mistake; closing is not. For the way out, before shards are freed. */
void committer_stop(struct committer *committer);
/* Waits until no transaction carries the shard, but at most wait_ms: only in the revocation callback. Results that
 * finished meanwhile are delivered later, as always. */
void committer_wait_shard(struct committer *committer, int32_t shard, int64_t wait_ms);

#endif
