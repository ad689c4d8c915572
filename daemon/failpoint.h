/* SPDX-License-Identifier: Apache-2.0
 *
 * Named places at which a test build can die: LR_FAILPOINT=name:n:kill|stop|exit kills, stops or leaves the process when
 * the place is passed for the n-th time. `stop` is SIGSTOP: whoever set it sends SIGCONT.
 *
 * Only builds with -DLR_FAILPOINTS have them; in every other build failpoint() is nothing at all. A name that is not in
 * the list below does not compile there, and one given by the environment that is not in it ends the process at once, so
 * that a misspelt test cannot pass.
 */
#ifndef LR_DAEMON_FAILPOINT_H
#define LR_DAEMON_FAILPOINT_H

#define FAILPOINTS(X)                                                                                      \
	X(COMMIT_BEGIN, "commit.begin")                   /* before begin_transaction */                         \
	X(COMMIT_PRODUCE_EVENT, "commit.produce_event")   /* before an event is produced */                      \
	X(COMMIT_PRODUCE_STATE, "commit.produce_state")   /* before a state record is produced */                \
	X(COMMIT_OFFSETS, "commit.offsets")               /* before send_offsets_to_transaction */               \
	X(COMMIT_BEFORE_COMMIT, "commit.before_commit")   /* before commit_transaction */                        \
	X(COMMIT_AFTER_COMMIT, "commit.after_commit")     /* committed, nobody told yet */                       \
	X(ABORT, "abort")                                 /* before abort_transaction */                         \
	X(OPEN_FETCH, "open.fetch")                       /* before the committed offsets are asked for */       \
	X(OPEN_BARRIER, "open.barrier")                   /* before the barrier record of a claim */             \
	X(RENEW, "renew")                                 /* before the producer is destroyed and made anew */   \
	X(VIEW_READ_SENT, "view.read_sent")                                                                      \
	X(VIEW_READ_ANSWERED, "view.read_answered")                                                              \
	X(BATCH_DECIDED, "batch.decided")                                                                        \
	X(VIEW_APPLY_SENT, "view.apply_sent")                                                                    \
	X(VIEW_APPLY_ANSWERED, "view.apply_answered")                                                            \
	X(REBUILD_BEGIN, "rebuild.begin")                                                                        \
	X(REBUILD_CHUNK, "rebuild.chunk")                                                                        \
	X(REBUILD_FINISH, "rebuild.finish")                                                                      \
	X(CATCHUP_STEP, "catchup.step")                                                                          \
	X(EPOCH_INSTALL, "epoch.install")

enum failpoint {
#define X(id, name) FAILPOINT_##id,
	FAILPOINTS(X)
#undef X
	FAILPOINT_COUNT
};

/* failpoint(COMMIT_BEGIN); — from any thread. */
#ifdef LR_FAILPOINTS
#define failpoint(id) failpoint_pass(FAILPOINT_##id)
void failpoint_pass(enum failpoint at);
#else
#define failpoint(id) ((void)0)
#endif

/* "commit.begin"; the tools list them. */
const char *failpoint_name(enum failpoint at);
/* True in builds that have them. */
int failpoint_is_built_in(void);

#endif
