/* SPDX-License-Identifier: Apache-2.0
 *
 * One connection to a Redis server: commands in, answers out, each under a deadline of its own.
 *
 *     waiting ─► resolving ─► connecting ─► greeting (AUTH, SELECT, CLIENT SETNAME) ─► ready
 *        ▲           └────────────┴─────────────┴──────────────────────────────────────┘ any failure, any deadline
 *
 * Built on hiredis' codec (redisFormatCommandArgv, redisReader) over libevent's bufferevents, not on hiredis' async layer:
 * in 0.14 (Debian 12) that layer has no time-outs, so a frozen server never answers at all, no TLS, and it reports a refused
 * connection in another callback than a lost one, with the context already freed. Here the connection is ours: one way
 * to lose it, limits on what a reply may cost, and one source for 0.14 and 1.2. The price is the 200 lines that keep a
 * queue (the codec alone is redis_codec.c). TLS will be a bufferevent_openssl in open_socket() and nothing else.
 *
 * A connection that met a deadline, an I/O error or a reply that cannot be is closed and never used again: every command
 * on it is answered with NULL, which means "outcome unknown, perhaps executed, perhaps later". Reconnecting is by timer
 * with jittered, growing pauses and never gives up.
 *
 * Redirects of a Redis Cluster (MOVED, ASK) are answered like any other error: the view's keys carry the hash tag that a
 * cluster needs, but following slots, and rebuilding a shard whose slot has moved, is not built. Nor is Sentinel.
 */
#ifndef LR_DAEMON_REDIS_H
#define LR_DAEMON_REDIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/err.h"
#include "rules/base/slice.h"

struct loop;

enum {
	REDIS_PENDING_MAX = 1024,                  /* commands without an answer on one connection */
	REDIS_COMMAND_BYTES_MAX = 64 * 1024 * 1024,
	REDIS_QUEUED_BYTES_MAX = 128 * 1024 * 1024, /* written here, not yet taken by the socket */
	REDIS_REPLY_BYTES_MAX = 64 * 1024 * 1024,  /* of one reply, as sent */
	REDIS_REPLY_ITEMS_MAX = 1024 * 1024,       /* of all arrays of one reply together */
	REDIS_PASSWORD_BYTES_MAX = 1024,
	REDIS_REPLY_DEPTH_MAX = 7,                 /* arrays in arrays; ours have 2. hiredis 0.14 ends at 8, 1.x nowhere */
};

struct redis_options {
	const char *unix_path;     /* or NULL: then host and port */
	const char *host;          /* name or address; names are resolved beside the loop */
	uint16_t port;
	const char *user;          /* NULL: the default user */
	const char *password_file; /* NULL: no AUTH. First line of the file, read anew for every connection. */
	int database;              /* 0: no SELECT is sent */
	const char *client_name;   /* as in CLIENT LIST; NULL: none. No blanks. */
	int64_t connect_timeout_ms;
	int64_t command_timeout_ms; /* for the greeting; other commands bring their own */
	int64_t retry_first_ms;     /* pause after the first failure; doubled up to retry_max_ms, times 0.5–1 at random */
	int64_t retry_max_ms;
};

/* What happens to the connection. Both are called from the loop, never from inside a call of this header but
 * redis_restart(). */
struct redis_events {
	void (*on_ready)(void *ctx);                        /* greeted: commands are accepted from now on */
	void (*on_lost)(void *ctx, const struct err *why);  /* a connection ended, or an attempt failed */
	void *ctx;
};

enum redis_kind { REDIS_IS_NIL, REDIS_IS_TEXT, REDIS_IS_STATUS, REDIS_IS_INTEGER, REDIS_IS_ARRAY, REDIS_IS_ERROR };

/* An answer; borrowed until the callback returns. */
struct redis_reply {
	enum redis_kind kind;
	int64_t integer;
	struct slice text;                 /* TEXT, STATUS, ERROR */
	const struct redis_reply **items;  /* ARRAY; none is NULL */
	size_t count;
};

/* Bytes to replies, without a connection: what redis.c itself uses, and fuzzers and tests feed by hand. */
struct redis_reader;
struct redis_reader *redis_reader_new(void);
void redis_reader_free(struct redis_reader *reader);
/* Takes bytes in. -1 when they are no RESP2 or exceed a limit: then the reader is of no use any more. */
int redis_reader_feed(struct redis_reader *reader, const char *bytes, size_t len, struct err *err);
/* 1: *ret_reply is the next whole reply, valid until the next call. 0: more bytes are needed. -1 as above. */
int redis_reader_next(struct redis_reader *reader, const struct redis_reply **ret_reply, struct err *err);

/* The answer, which may be an error of the server (REDIS_IS_ERROR); NULL: unknown. Must not free the connection. */
typedef void (*redis_fn)(void *ctx, const struct redis_reply *reply);

/* A command as bytes, counted, so that it can be sent again. */
struct redis_command;
/* Takes copies of the arguments. NULL when it would exceed REDIS_COMMAND_BYTES_MAX. */
struct redis_command *redis_command_new(const struct slice *args, size_t count);
void redis_command_unref(struct redis_command *command);
size_t redis_command_bytes(const struct redis_command *command);

struct redis;

/* Copies the options and begins to connect from the loop. */
struct redis *redis_new(struct loop *loop, const struct redis_options *options, const struct redis_events *events);
/* Closes; pending callbacks are not called. May wait for a name that is being resolved. */
void redis_free(struct redis *redis);

bool redis_is_ready(const struct redis *redis);
/* Sends, in order. The command stays the caller's. -1: not ready or too much is queued; then nothing was sent and `fn`
 * will not be called. Otherwise `fn` is called exactly once from the loop, unless redis_free() comes first. */
int redis_send(struct redis *redis, struct redis_command *command, int64_t timeout_ms, redis_fn fn, void *ctx);
/* Gives this connection up as if it had been lost: all pending commands are answered with NULL. */
void redis_restart(struct redis *redis, const struct err *why);

#endif
