/* SPDX-License-Identifier: Apache-2.0
 *
 * A small HTTP server for the admin listener and the control socket, on libevent's bufferevents.
 *
 * Not evhttp: it offers no hook for a deadline over a whole request (a byte every second outlives its per-read time-out)
 * and none for a cap on connections, and most of what it can do we must switch off. Here one connection is one request
 * and one answer; headers, body, connections and time are bounded. It listens on loopback or on a unix socket only:
 * there is no TLS and no authentication beyond that.
 */
#ifndef LR_DAEMON_HTTP_H
#define LR_DAEMON_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/loop.h"
#include "rules/base/err.h"
#include "rules/base/slice.h"
#include "rules/base/strbuf.h"

enum {
	HTTP_CONNECTIONS_MAX = 32,      /* further ones are closed at once */
	HTTP_HEADER_BYTES_MAX = 8192,
	HTTP_BODY_BYTES_MAX = 64 * 1024,
	HTTP_REQUEST_MS = 5000,         /* from accept to the last byte of the request */
	HTTP_REST_MS = 200,             /* without accepting, after the process ran out of descriptors */
	HTTP_ANSWER_MS = 30000,         /* from there to the last byte of the answer */
};

/* A request that waits for its answer. Answer it exactly once, now or later; it is gone then. */
struct http_request;

struct http_call {
	const char *path;     /* decoded, without the query */
	struct slice query;   /* raw */
	bool is_post;
	struct slice body;
};

/* `call` is borrowed until the function returns. */
typedef void (*http_fn)(void *ctx, struct http_request *take_request, const struct http_call *call);

struct http;

/* Listens on "127.0.0.1:9464", "[::1]:0" or "unix:/path" (mode 0660, an old socket is replaced). NULL with *err filled
 * when the address is not loopback or cannot be bound. */
struct http *http_new(struct loop *loop, const char *listen, bool allow_post, http_fn fn, void *ctx, struct err *err);
/* Requests that wait for their answer are cut; their handles must not be used any more. */
void http_free(struct http *http);
/* The port it listens on, 0 for a unix socket: for tests that ask for port 0. */
int http_port(const struct http *http);
/* The value of a query parameter, decoded into a heap string (free() it), or NULL. */
char *http_query_get(const struct http_call *call, const char *name);

void http_answer(struct http_request *take_request, int status, const char *content_type, const struct strbuf *body);
void http_answer_text(struct http_request *take_request, int status, const char *text);

#endif
