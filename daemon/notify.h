/* SPDX-License-Identifier: Apache-2.0
 *
 * Telling the service manager how we are (sd_notify(3)): one datagram to $NOTIFY_SOCKET, no library. Without the
 * variable nothing is sent.
 */
#ifndef LR_DAEMON_NOTIFY_H
#define LR_DAEMON_NOTIFY_H

#include <stdint.h>

struct notify;

/* Reads $NOTIFY_SOCKET and $WATCHDOG_USEC and removes them from the environment. Never NULL. */
struct notify *notify_new(void);
void notify_free(struct notify *notify);
/* How often a ping is expected, 0: no watchdog. Ping at half of it. */
int64_t notify_watchdog_ms(const struct notify *notify);

void notify_ready(struct notify *notify, const char *status);
/* RELOADING=1 with MONOTONIC_USEC; follow with notify_ready() in both outcomes. */
void notify_reloading(struct notify *notify);
void notify_stopping(struct notify *notify, const char *status);
void notify_status(struct notify *notify, const char *status);
void notify_watchdog(struct notify *notify);

#endif
