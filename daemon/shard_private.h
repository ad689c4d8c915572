/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of a shard share: shard.c (life, states, intake), shard_open.c (claim to rings), shard_run.c (batches),
 * shard_layers.c (what a decision sees), shard_walk.c (walks over all leads). Nobody else includes this.
 */
#ifndef LR_DAEMON_SHARD_PRIVATE_H
#define LR_DAEMON_SHARD_PRIVATE_H

#include "daemon/batch.h"
#include "daemon/shard.h"
#include "daemon/view.h"
#include "rules/base/map.h"

struct opening;

struct shard {
	struct shard_parts parts;
	struct shard_limits limits;
	int32_t number;

	enum shard_state state;
	uint64_t object;             /* number of this opening; goes up at every opening and closing */
	uint64_t attempt;            /* as the commit machine counts them */
	struct commit_token *token;  /* of the generation that gave us the shard; NULL when it is not ours */
	bool is_draining;
	bool must_rebuild;           /* the view held something impossible: do not believe its head */
	struct err why;              /* STOPPED: what a person has to mend */
	int64_t progress_ms;         /* monotonic: last step forward or knowing pause */

	struct loop_timer *retry;    /* one pause at a time: */
	void (*retry_fn)(struct shard *shard);
	unsigned retries;            /* in a row */
	struct loop_timer *poll;     /* timers of leads, and the proof that the view is still there */
	bool is_poll_due;

	struct opening *opening;     /* between CLAIMING and RUNNING */
	struct view_request *request; /* of the opening, at most one */

	/* running */
	struct head tip, committed, applied; /* after the last decided, committed, applied batch */
	int64_t committed_offsets[COMMIT_TOPICS_MAX];
	int64_t taken[COMMIT_TOPICS_MAX];    /* next offset to take from the consumer */
	int64_t filled[COMMIT_TOPICS_MAX];   /* next offset to put into a batch */
	struct desk *desk;           /* what decisions keep in their heads (rules.h) … */
	struct generation *desk_generation; /* … and under which rules; a reference, NULL: it is empty */
	struct map memory;           /* memory key -> struct memory, as of the oldest layer still held */
	struct batch *batches;       /* oldest first */
	struct kafka_message *inbox, **inbox_last;
	size_t inbox_records, inbox_bytes;
	bool is_paused;
	struct batch *reading;       /* at most one read is under way */
	struct view_request *read_request;
	uint64_t reads_sent, reads_decided;
	struct batch *applying;
	struct view_request *apply_request;
	int64_t next_due_ms;         /* wall time of the earliest timer we know of, 0 none */
	struct generation *begun;    /* the generation that the latest batch had; a reference; NULL after opening */
	struct walk {                /* over all leads, see rules.h */
		char *key;               /* of the one under way; NULL none */
		uint64_t cursor;         /* of the next step */
		bool has_ended;          /* decided to the end: waits until its key is gone from memory */
		bool is_settled;         /* false: the memory's walk keys have changed */
		bool is_anew;            /* begins anew: the step that is being read does not count */
		uint64_t series;         /* of the view when it began (view.h) */
	} walk;
};

/* A ring's value in memory. */
struct memory {
	char *key, *value;
	size_t key_len, value_len;
};

/* ---- shard.c */

void shard_enter_state(struct shard *shard, enum shard_state state, const struct err *err);
/* Calls fn(shard) after a pause that grows with every call in a row; shard->retries = 0 ends the row. */
void shard_retry_later(struct shard *shard, void (*fn)(struct shard *shard));
/* Gives up all work of this opening: queued batches die with the shard object, requests are cancelled, the intake is
 * paused. The state is not changed. */
void shard_let_go(struct shard *shard);
/* Something does not fit: let go and open again under the same token. */
void shard_reopen(struct shard *shard);
/* Stays closed until the next assignment. */
void shard_close(struct shard *shard);
/* Needs a person. */
void shard_stop(struct shard *shard, const struct err *err);
void shard_clear_memory(struct shard *shard);
void shard_put_memory(struct shard *shard, struct slice key, struct slice value, bool is_tombstone);
/* Something that was decided does not become state, or others decide now. */
void shard_forget_desk(struct shard *shard);
void shard_progress(struct shard *shard);

/* ---- shard_open.c */

void shard_open(struct shard *shard);
void shard_opened(struct shard *shard, struct commit_job *job); /* result of an OPEN or ASK job */
void shard_opening_free(struct shard *shard);

/* ---- shard_run.c */

/* Starts or continues everything that can go on now. Called at the end of every callback of a running shard. */
void shard_advance(struct shard *shard);
void shard_batch_back(struct shard *shard, struct commit_job *job);
void shard_schedule_poll(struct shard *shard);
/* Tells logs and counters what a committed batch decided. */
void shard_report(struct shard *shard, const struct batch *batch);

/* ---- shard_layers.c */

struct shard_lookup {
	struct shard *shard;
	struct batch *batch; /* that decides: it sees the layers before it */
};

/* What the batch's decisions see. The lookup must outlive the view; what is found lives as long as the batch's decisions. */
struct rules_view shard_layers_view(struct shard_lookup *lookup);
/* Takes the memory keys that the batch wrote into the shard's memory. */
void shard_keep_memory(struct shard *shard, const struct batch *batch);
/* Takes the batch out of the list and frees it. */
void shard_remove_batch(struct shard *shard, struct batch *batch);
/* Frees the layers that no undecided read can have missed. */
void shard_drop_layers(struct shard *shard);

/* ---- shard_walk.c */

/* A walk is asked for and has leads left to visit. */
bool shard_is_walking(struct shard *shard);
/* Gives the batch the next step of the walk under way, if there is one. */
void shard_join_walk(struct shard *shard, struct batch *batch);
/* Before the batch is decided: a step that no longer counts is taken out of it. */
void shard_check_step(struct shard *shard, struct batch *batch);
/* The batch is decided, its step taken. */
void shard_note_walk(struct shard *shard, const struct batch *batch);
/* The walk under way begins at the first lead again. */
void shard_restart_walk(struct shard *shard);
/* Forgets the walk under way; the memory tells which one is next. */
void shard_drop_walk(struct shard *shard);

#endif
