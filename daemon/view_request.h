/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the view over Redis: the view, its requests, and what view_*.c share. Nobody else includes this.
 *
 * A request is made, gets its arguments and is sent or put among the unsent; it is freed after its callback. Its arena
 * holds its arguments until it is sent, copies of the keys asked for, and what the reply is translated to.
 */
#ifndef LR_DAEMON_VIEW_REQUEST_H
#define LR_DAEMON_VIEW_REQUEST_H

#include "daemon/view_redis.h"
#include "rules/base/arena.h"

enum {
	VIEW_SHA_BYTES = 41,
	/* an entry of a page of timers: length of the rest (1 byte), due time (ms, big-endian), id */
	VIEW_DUE_AT = 1,
	VIEW_DUE_BYTES = 6,
};

/* What a SCRIPT LOAD was for. */
struct view_load {
	struct view *view;
	enum view_script script;
};

struct view {
	struct loop *loop;
	struct redis *redis;
	struct view_options options; /* the texts in it are not kept: redis has copies */
	struct view_events events;
	bool is_up;
	struct err why; /* ERR_NONE when up */
	char sha[VIEW_SCRIPTS][VIEW_SHA_BYTES]; /* as the server named them */
	struct view_request *requests;          /* all that live */
	struct view_dump *dumps;                /* under way (view_dump.c) */
	struct loop_timer *answer_unsent;
	struct view_stats stats;
	/* the round of checks in progress (view_checks.c) */
	struct loop_timer *next_round;
	int round_pending;      /* answers to come; 0 between rounds */
	struct err round_err;   /* the first failure of this round */
	int64_t time_asked_ms;
	struct view_load loads[VIEW_SCRIPTS];
};

/* Translates a reply that is no error: fills *ret and returns 0, or -1 when the shape is wrong. */
typedef int (*view_translate_fn)(struct view_request *request, const struct redis_reply *reply, struct view_reply *ret);

struct view_request {
	struct view *view;
	struct view_request *previous, *next;
	view_fn fn; /* NULL: cancelled */
	void *ctx;
	enum view_script script;
	view_translate_fn translate;
	struct arena arena;
	struct slice *args; /* in the arena */
	size_t arg_count, arg_room;
	struct redis_command *command; /* kept for a repeat after NOSCRIPT */
	bool is_repeated;
	bool is_unsent;                /* answered from the loop with `unsent` and `err` */
	enum view_status unsent;
	struct err err;
	const struct slice *keys;      /* view_read: as asked */
	size_t key_count;
};

/* ---- view_request.c */

enum view_container { VIEW_HEAD, VIEW_LEAD, VIEW_IDENT, VIEW_RING, VIEW_MEM, VIEW_TIMERS, VIEW_PAGES };

/* "head", …, "pages" */
const char *view_container_name(enum view_container container);
/* A request with room for `arg_room` arguments after its keys; `containers` are bits 1 << VIEW_HEAD …, in that order KEYS. */
struct view_request *view_request_new(struct view *view, enum view_script script, int32_t shard, unsigned containers,
                                      size_t arg_room);
void view_request_arg(struct view_request *request, struct slice arg); /* borrowed until sent */
void view_request_number(struct view_request *request, uint64_t number);
void view_request_head(struct view_request *request, const struct head *head); /* e q h */
void view_request_seen(struct view_request *request, const struct view_head *seen); /* state e q h c */
/* Nothing is sent; the callback gets VIEW_REFUSED with this error. */
void view_request_refuse(struct view_request *request, enum err_code code, const char *text);
/* Sends, or sees to it that the callback is called from the loop all the same. */
struct view_request *view_request_send(struct view_request *request, view_translate_fn translate, view_fn fn, void *ctx);
/* {status, head, …} into ret->status, ->head and ->err. 0, or -1 when the shape is wrong. */
int view_translate_head(struct view_request *request, const struct redis_reply *reply, struct view_reply *ret);
/* The whole translation of an answer, NULL and errors included. */
void view_translate(struct view_request *request, const struct redis_reply *reply, struct view_reply *ret);
/* False when epoch, seq or hash are none that a head in Redis can have. */
bool view_can_hold(const struct head *head);
/* Text of digits below 10^18 to number. */
bool view_parse_number(struct slice text, uint64_t *ret_number);
/* Splits "lead/x" into the container and "x"; false for a kind that the view does not hold. */
bool view_split_key(struct slice key, enum view_container *ret_container, struct slice *ret_rest);

/* ---- view_checks.c */

/* Begins a round of checks, unless one is in progress. */
void view_begin_round(void *view);
/* The connection is ready, or was lost. */
void view_on_ready(void *view);
void view_on_lost(void *view, const struct err *why);

/* What INFO says about version, role and policy: 0, or -1 and what to set. */
int view_check_info(struct slice info, struct err *err);

/* ---- view_dump.c */

/* Answers those that could not be sent. */
void view_answer_dumps(struct view *view);
void view_free_dumps(struct view *view);

/* ---- view_errors.c */

/* What a server's error means: the status, and the text with advice. `may_write`: the script is one that writes. */
enum view_status view_explain_error(struct slice text, bool may_write, struct err *err);
/* The first word of an error, "OOM". */
bool view_error_is(struct slice text, const char *word);

#endif
