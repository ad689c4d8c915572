/* SPDX-License-Identifier: Apache-2.0
 *
 * The admin listener: /metrics, /livez, /readyz (?verbose), /healthz, /version. GET only, no secrets, no contact data.
 */
#ifndef LR_DAEMON_ADMIN_H
#define LR_DAEMON_ADMIN_H

#include "daemon/http.h"

struct router;
struct stats;

struct admin_parts {
	struct router *router;
	struct stats *stats;
	/* Sets gauges of parts that the router does not know, before each scrape. May be NULL. */
	void (*measure)(void *ctx);
	void *ctx;
};

struct admin;

/* NULL with *err when it cannot listen. */
struct admin *admin_new(struct loop *loop, const char *listen, const struct admin_parts *parts, struct err *err);
void admin_free(struct admin *admin);
int admin_port(const struct admin *admin);

#endif
