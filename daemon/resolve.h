/* SPDX-License-Identifier: Apache-2.0
 *
 * Host names to addresses without stopping the loop: getaddrinfo() runs in a thread of its own that touches nothing but
 * its own request and comes back through an eventfd. Numeric addresses need no thread.
 */
#ifndef LR_DAEMON_RESOLVE_H
#define LR_DAEMON_RESOLVE_H

#include <stdint.h>

struct addrinfo;
struct loop;
struct resolve;

/* `addresses` are borrowed until the callback returns; NULL on failure, then `error` says why. */
typedef void (*resolve_fn)(void *ctx, const struct addrinfo *addresses, const char *error);

/* Calls back once from the loop. The request is invalid from then on. */
struct resolve *resolve_start(struct loop *loop, const char *host, uint16_t port, resolve_fn fn, void *ctx);
/* The callback will not be called. Waits for the thread: for shutting down only. NULL is fine. */
void resolve_cancel(struct resolve *resolve);

#endif
