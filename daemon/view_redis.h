/* SPDX-License-Identifier: Apache-2.0
 *
 * The view over a real Redis: how it is made, watched and checked. Everything but main sees only view.h.
 *
 * After each connect the scripts are loaded, a probe tells whether the ACL user may do all that they do, and INFO and TIME
 * are read; INFO and TIME again each check_every_ms. What the head cannot prove rests on these checks (reliability.md
 * §3.2): role master, maxmemory-policy noeviction, version 6.2 or later. A server that fails one is not used: the view is
 * not up, requests are refused with the reason, and the check is repeated soon. The policy comes from INFO (field
 * maxmemory_policy), because the daemon's ACL user may not read CONFIG.
 *
 * Answers of requests that could not be sent: VIEW_UNKNOWN without a connection, VIEW_REFUSED while a check fails or
 * beyond a limit. Replies with an error: VIEW_REFUSED with the server's text and what to do about it; a WRONGTYPE is
 * VIEW_BROKEN; an error after which a script may have written something is VIEW_UNKNOWN.
 */
#ifndef LR_DAEMON_VIEW_REDIS_H
#define LR_DAEMON_VIEW_REDIS_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/redis.h"
#include "daemon/view.h"
#include "rules/base/err.h"

enum {
	VIEW_READ_KEYS_MAX = 16384, /* keys of one view_read() */
	VIEW_DUE_MAX = 8192,        /* due_limit of one view_read() */
};

struct view_options {
	struct redis_options redis;
	int64_t timeout_ms;      /* per request; then the connection is given up and the outcome is unknown */
	int64_t check_every_ms;
};

/* 2 s per command, 1 s to connect, checks each minute, pauses of 0.1–5 s; no address. */
struct view_options view_options_default(void);

struct view_events {
	/* Up or down has changed, or the reason for being down has; `why` is NULL when up. May be NULL. */
	void (*on_state)(void *ctx, bool is_up, const struct err *why);
	/* TIME, for the clock guard: wall time of the server in ms, and how long the question took. May be NULL. */
	void (*on_server_time)(void *ctx, int64_t server_ms, int64_t round_trip_ms);
	void *ctx;
};

struct view *view_new(struct loop *loop, const struct view_options *options, const struct view_events *events);
/* No callback comes from or after this. Not from within a callback of the view. */
void view_free(struct view *view);

/* Why the view is not up; code ERR_NONE when it is. Borrowed until the next call. */
const struct err *view_why_down(const struct view *view);

struct view_stats {
	uint64_t connects, losses;             /* connections that became ready; connections and attempts that failed */
	uint64_t requests, bytes_out;          /* sent, repeats included */
	uint64_t answers[VIEW_BROKEN + 1];     /* per enum view_status */
	uint64_t scripts_reloaded;             /* repeats after NOSCRIPT */
	size_t pending;
};
void view_stats(const struct view *view, struct view_stats *ret);

/* For start-up and `leadctl check`: connects on a loop of its own, runs the checks, closes. Blocks for at most
 * `timeout_ms`. 0, or -1 and what to set; ERR_REDIS_AWAY and ERR_REDIS_TIMEOUT are weather, all others need a person. */
int view_check(const struct view_options *options, int64_t timeout_ms, struct err *err);

/* ---- for tests and tools */

/* The whole view of one shard as sorted lines "<container> <field> <value>\n" (due: an id and its ms; bytes that are not printable,
 * blanks and backslashes as \\xHH), so that two equal views give equal texts. Reads container by container: of one moment
 * only while nobody writes. Blocks the server for the size of a container: not for the daemon. `text` is borrowed; on
 * failure it is empty and `err` says why. Called once from the loop, unless the view is freed first. */
typedef void (*view_dump_fn)(void *ctx, struct slice text, const struct err *err);
void view_dump(struct view *view, int32_t shard, view_dump_fn fn, void *ctx);

/* The scripts as they are loaded, for tests that run them against a model. */
enum view_script {
	VIEW_SCRIPT_READ,
	VIEW_SCRIPT_MEMORY,
	VIEW_SCRIPT_APPLY,
	VIEW_SCRIPT_EPOCH,
	VIEW_SCRIPT_BEGIN,
	VIEW_SCRIPT_CHUNK,
	VIEW_SCRIPT_FINISH,
	VIEW_SCRIPT_PROBE,
	VIEW_SCRIPTS
};
struct slice view_script_text(enum view_script script);
/* "view_read", … */
const char *view_script_name(enum view_script script);

#endif
