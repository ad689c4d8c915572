/* SPDX-License-Identifier: Apache-2.0
 *
 * The working view of a shard in Redis: every read proves its position, every write is a compare-and-set on the head.
 *
 * Keys of shard p, all in one slot by their hash tag:
 *
 *     {lr:p}:head    hash   s (N normal | L loading), e, q, h, pos, c (chunk while loading), fmt
 *     {lr:p}:lead    hash   lead id  -> value of state key "lead/<id>"        sales apps may read it, with the head
 *     {lr:p}:ident   hash   rest of "ident/<…>" -> value
 *     {lr:p}:ring    hash   team id  -> value of "ring/<team>"
 *     {lr:p}:mem     hash   rest of "mem/<…>" -> value; this and ring are in the memory of the shard's one writer
 *     {lr:p}:due     hash   pages of timers: lead ids, or whole "mem/<…>" keys, with their due time; a projection of the values
 *     {lr:p}:pages   zset   where each page begins (view_pages.lua has both forms, and why)
 *
 * A lead's value in Redis is {"due":MS,…}: when its timer fires is put in front as a first member, and left out where nothing
 * is to fire. So a script that changes a value knows which timer to move, and a sales app sees when the daemon looks at the
 * lead next. Neither leads.state nor a reader of this interface sees that member. A memory value that can be due begins with
 * it anyway (rules/state.h).
 *
 * Every call answers exactly once through its callback, from the loop, never from inside the call, unless the view or the
 * request is cancelled first. "No answer" does not exist: a lost, late or impossible reply is VIEW_UNKNOWN, which says
 * that the command may or may not have been executed. The scripts are beside this file (*.lua) and are safe to run twice.
 * One file implements this over hiredis (redis.c below view_*.c); the simulator links a model of Redis with these same
 * symbols.
 */
#ifndef LR_DAEMON_VIEW_H
#define LR_DAEMON_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/head.h"
#include "rules/rules.h"

enum {
	VIEW_FORMAT = 2,             /* of the keys above; another one in Redis means rebuild */
	VIEW_WRITES_PER_CALL = 8192, /* entries of one apply or chunk; a batch is cut so that it fits */
	VIEW_TIMED_KEY_MAX = 249,    /* of a state key with a timer: a page has one byte for its length and 6 of due time */
};

enum view_status {
	VIEW_DONE,    /* executed: the answer holds */
	VIEW_STALE,   /* the head is not the expected one; nothing was written; `head` is what is there */
	VIEW_UNKNOWN, /* no usable reply: outcome unknown (connection lost, deadline passed) */
	VIEW_REFUSED, /* the server answered an error before writing anything (OOM, READONLY, BUSY, LOADING, NOPERM, MISCONF …) */
	VIEW_BROKEN,  /* the reply has not the shape it must have: foreign or corrupt data under our keys; rebuild */
};

const char *view_status_name(enum view_status status);

enum view_head_state { VIEW_HEAD_MISSING, VIEW_HEAD_NORMAL, VIEW_HEAD_LOADING };

/* What a shard's head key holds. `head` is valid when state is not MISSING. */
struct view_head {
	enum view_head_state state;
	struct head head;  /* LOADING: only the epoch counts */
	int64_t pos;       /* NORMAL: offset in leads.state behind the last state record that is in the view */
	uint64_t chunk;    /* LOADING: chunks written so far */
};

/* A request's answer. Everything is borrowed until the callback returns. */
struct view_value {
	struct slice key;   /* state key as asked, or "lead/<id>" for what an identity or a due timer led to */
	bool is_found;
	struct slice value;
};

struct view_reply {
	enum view_status status;
	struct err err;            /* VIEW_REFUSED, VIEW_BROKEN: what the server said, for the log */
	struct view_head head;     /* VIEW_DONE, VIEW_STALE: of the same atomic moment as the values; after an apply: the new one.
	                              * VIEW_BROKEN: as far as it can be read, MISSING when it is not ours */
	const struct view_value *values; /* reads: one per key asked, then what they led to; none unless the head is normal */
	size_t value_count;
	const struct slice *due;   /* lead ids and memory keys due at or before the time asked, earliest first */
	size_t due_count;
	int64_t next_due_ms;       /* earliest due of the shard that was not returned in `due`; 0 none */
	const struct slice *walked; /* lead ids of a walk's step; some may come twice, none that stays is left out */
	size_t walked_count;
	uint64_t walk_next;        /* cursor of the next step; 0: that was the last one */
};

typedef void (*view_fn)(void *ctx, const struct view_reply *reply);

struct view;
struct view_request; /* handle for cancelling; invalid once the callback was called */

struct view_read_args {
	const struct slice *keys; /* "lead/…" and "ident/…"; copied before the call returns */
	size_t key_count;
	int64_t due_until_ms;     /* 0: do not look for timers */
	size_t due_limit;
	bool is_walk;             /* also about walk_count leads from walk_cursor on (0: the first step) */
	uint64_t walk_cursor;
	size_t walk_count;
};

/* Head and values in one atomic step, from the master. "ident/" hits bring the lead they point to; due leads bring their
 * values; each of these leads brings the one that it may be merged with (rules_lead_beside()). An expected head is not sent: the caller compares. */
struct view_request *view_read(struct view *view, int32_t shard, const struct view_read_args *args, view_fn fn, void *ctx);

/* Head and all memory keys: "ring/" and "mem/" entries. */
struct view_request *view_read_memory(struct view *view, int32_t shard, view_fn fn, void *ctx);

/* If the head is normal and equal to `before` (epoch, seq, hash): writes, then the head `after` with `pos`. Idempotent
 * through the head. `writes` are copied before the call returns, and name each key at most once. A head that is `after`
 * already is VIEW_DONE; the other writes below answer VIEW_STALE when they are repeated. */
struct view_request *view_apply(struct view *view, int32_t shard, const struct head *before, const struct head *after,
                                int64_t pos, const struct write *writes, size_t count, view_fn fn, void *ctx);

/* If the head is exactly `seen` (state, epoch, seq, hash): sets only its epoch. */
struct view_request *view_install_epoch(struct view *view, int32_t shard, const struct view_head *seen, uint64_t epoch,
                                        view_fn fn, void *ctx);

/* Rebuild: if the head is exactly `seen` (loading: with its chunk; missing: or not one of ours): loading mark (epoch,
 * chunk 0) and all containers emptied. */
struct view_request *view_rebuild_begin(struct view *view, int32_t shard, const struct view_head *seen, uint64_t epoch,
                                        view_fn fn, void *ctx);
/* If the head is loading with (epoch, chunk): writes, then chunk + 1. */
struct view_request *view_rebuild_chunk(struct view *view, int32_t shard, uint64_t epoch, uint64_t chunk,
                                        const struct write *writes, size_t count, view_fn fn, void *ctx);
/* If the head is loading with (epoch, chunk): head normal with `head` and `pos`. */
struct view_request *view_rebuild_finish(struct view *view, int32_t shard, uint64_t chunk, const struct head *head,
                                         int64_t pos, view_fn fn, void *ctx);

/* The callback will not be called; the command may still be executed. */
void view_cancel(struct view_request *request);

/* Rises whenever another server may answer than before: one that was restarted keeps the data, but not the order of a walk. */
uint64_t view_series(const struct view *view);

/* True while a connection is up and has passed its checks; intake pauses while it is false. */
bool view_is_up(const struct view *view);

#endif
