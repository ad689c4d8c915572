/* SPDX-License-Identifier: Apache-2.0
 *
 * One batch of a shard: some records, the timers that are due with them, what was decided and where that stands.
 *
 *     filling ─► preparing ─► waiting ─► reading ─► decided ─► committed ─► applied
 *                                ▲          │          │
 *                                └──────────┴──abort───┘   decided again: same records, same generation, same answers
 *
 * A batch knows nothing of Kafka or Redis: the shard moves it. It owns its messages, two arenas (one for what stays
 * over an abort: prepared records and plug-in answers; one for what a decision makes: events, writes, values read) and
 * its layer of the overlay.
 */
#ifndef LR_DAEMON_BATCH_H
#define LR_DAEMON_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/commit.h"
#include "daemon/head.h"
#include "daemon/kafka_in.h"
#include "daemon/loop.h"
#include "daemon/view.h"
#include "rules/base/arena.h"
#include "rules/base/map.h"
#include "rules/rules.h"

struct desk;
struct generation;
struct plugin_ask;
struct shard;

enum batch_state {
	BATCH_PREPARING, /* plug-ins have not all answered */
	BATCH_WAITING,   /* to be read and decided */
	BATCH_READING,   /* its read is under way */
	BATCH_DECIDED,   /* its job is with the committer */
	BATCH_REFUSED,   /* aborted or overtaken by an abort; its job has not come back yet */
	BATCH_COMMITTED, /* in Kafka; not acknowledged by the view */
	BATCH_APPLIED,   /* its layer waits for reads that were sent before the acknowledgement */
};

/* One record of a batch, over all its decisions. */
struct batch_item {
	struct batch *batch;
	struct kafka_message *message;
	struct prepared *prepared;
	struct plugin_ask *ask;    /* while plug-ins are asked */
	unsigned refusals;         /* transactions that this very record's events made fail */
};

/* A lead that waited, and that the records set in motion: the broker did not take its event. */
struct batch_refused {
	struct slice lead_id;      /* in `kept` */
	unsigned refusals;
};

struct batch {
	struct batch *next;            /* of the shard, oldest first */
	struct shard *shard;           /* borrowed; NULL once the shard has let go of it */
	struct generation *generation; /* pinned: a reference */
	enum batch_state state;

	struct arena kept;             /* lives as long as the batch */
	struct batch_item *items;
	size_t item_count, item_capacity;
	size_t bytes;
	size_t unanswered;             /* PREPARING: items whose plug-ins have not answered */
	loop_fn on_prepared;           /* called with the batch when the last one has */

	struct desk *desk;             /* the shard's, borrowed for a decision; NULL: without one */
	struct arena decided;          /* of the latest decision */
	struct map values;             /* key -> struct view_value, what was read */
	struct map layer;              /* key -> struct write, what it writes */
	struct decision *decisions;
	size_t decision_count;
	size_t *event_item;            /* event -> item, SIZE_MAX for timers */
	struct batch_refused *refused; /* in `kept`: set aside before anything else is decided */
	size_t refused_count, refused_room;
	size_t due_count;              /* timers that it looked at */
	bool is_first;                 /* of its generation in this shard: decider_begin() goes before */
	struct slice walk_key;         /* of the walk that it makes a step of, in `kept`; empty: none */
	uint64_t walk_next;            /* cursor behind its step; 0: the walk has ended with it */
	int64_t due_until_ms;          /* wall time that the guard vouched for when the read was sent: what the read named was due by then */
	unsigned aborts;               /* in a row */
	const struct slice *wants;     /* state keys to read, in `kept`; NULL until they are asked for */
	size_t want_count;
	int64_t ends[COMMIT_TOPICS_MAX]; /* next offset per input topic once it is committed; set when it is filled */
	struct head before, after;
	struct commit_job job;
	uint64_t drop_after_read;      /* APPLIED: the layer goes when this read has been decided */
};

/* A batch with room for `capacity` records; pins the generation. */
struct batch *batch_new(struct shard *shard, struct generation *generation, size_t capacity);
/* Cancels what it still waits for and frees it. Must not be called while its job is with the committer. */
void batch_free(struct batch *batch);

void batch_add(struct batch *batch, struct kafka_message *take_message);
/* Parses and cleanses all records and asks the plug-ins. The state is WAITING afterwards, or PREPARING and
 * on_prepared(batch) follows. */
void batch_prepare(struct batch *batch, int64_t now_ms, loop_fn on_prepared);
/* The state keys that must be read, each once; they stay the same over aborts. */
const struct slice *batch_wants(struct batch *batch, size_t *ret_count);

/* Forgets the latest decision and the values read: after an abort, or before a new read. */
void batch_forget_decision(struct batch *batch);
/* Keeps what a read answered (copied). */
void batch_take_values(struct batch *batch, const struct view_reply *reply);

/* What a read named besides the records: copied by the caller to where it lives as long as the decision. */
struct batch_work {
	const struct slice *due;
	size_t due_count;
	const struct slice *walked;
	size_t walked_count;
};

/* Decides all records, then the due timers, then the step of the walk, through `lookup` for what this batch has not read
 * itself. Fills events, writes, layer, before, after and the job's part of them. `tip` is the head of the batch before.
 * All of it happens at `now_ms`: a lead's events that are put in order by their times are then in the order in which they were
 * decided. With due timers, it must be a time that the guard vouches for. */
void batch_decide(struct batch *batch, struct rules_view lookup, const struct batch_work *work, int64_t now_ms,
                  const struct head *tip);
/* An event of the batch was not taken. True when what it is about will be set aside next time, so that there is no need to
 * wait: the record, or the waiting lead that it set in motion. False: a timer's event, or it was set aside already. */
bool batch_note_refusal(struct batch *batch, const struct commit_job *job);
/* True when the decision came to nothing at all: no record, no event, no write. */
bool batch_is_void(const struct batch *batch);
/* What the layer says of a key: VIEW_FOUND, VIEW_ABSENT (tombstone), VIEW_NOT_READ (nothing). */
enum view_answer batch_layer_get(const struct batch *batch, struct slice key, struct slice *ret_value);
/* What the read brought. */
enum view_answer batch_value_get(const struct batch *batch, struct slice key, struct slice *ret_value);
/* The earliest due time among its writes, 0 none. */
int64_t batch_next_due(const struct batch *batch);

#endif
