/* SPDX-License-Identifier: Apache-2.0
 *
 * The control socket, where leadctl asks a running instance: show, reload, drain. HTTP over a unix socket that only the
 * service's user and group may open, so access to the socket is the permission.
 *
 *     GET  /show/lead?id=L1        state, owner and clock of a lead, with the head of the view it was read under
 *     GET  /show/shard             every shard: state, head, offsets, inbox
 *     GET  /show/team?id=dach      positions of a team's rotation, per shard
 *     GET  /show/config            the effective options and where each comes from; secrets redacted
 *     POST /reload                 the verdict, with carets; 200 taken, 422 refused
 *
 * Answers are JSON, but for the texts of config and reload.
 */
#ifndef LR_DAEMON_CONTROL_H
#define LR_DAEMON_CONTROL_H

#include <stdbool.h>

#include "daemon/http.h"

struct clock;
struct router;
struct view;

struct control_parts {
	struct loop *loop;
	struct router *router;
	struct view *view;
	struct clock *clock;
	/* Loads the configuration anew; true when it was taken. `out` gets the diagnostics and the verdict. */
	bool (*reload)(void *ctx, struct strbuf *out);
	void *ctx;
};

struct control;

/* `listen` is "unix:/path". NULL with *err when it cannot listen. */
struct control *control_new(const char *listen, const struct control_parts *parts, struct err *err);
void control_free(struct control *control);

#endif
