/* SPDX-License-Identifier: Apache-2.0
 *
 * How the daemon makes and ends the reader of leads.state. Everything runs on the loop.
 */
#ifndef LR_DAEMON_STATE_LOG_KAFKA_H
#define LR_DAEMON_STATE_LOG_KAFKA_H

#include "daemon/kafka_conf.h"
#include "daemon/loop.h"
#include "daemon/state_log.h"

enum {
	STATE_LOG_TURN_RECORDS = 1000, /* handed on before the loop gets its turn */
	STATE_LOG_POLL_MS = 500,       /* a reader is looked at so often even if nothing wakes it */
};

/* `options` is borrowed; `retention_ms` is what kafka_check() found. NULL with *err. */
struct state_log *state_log_new(struct loop *loop, const struct kafka_options *options, int64_t retention_ms,
                                struct err *err);
/* Readers that are still there are cancelled. */
void state_log_free(struct state_log *log);

#endif
