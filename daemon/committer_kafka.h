/* SPDX-License-Identifier: Apache-2.0
 *
 * How the daemon makes and ends the commit thread of committer.h. Called from the loop's thread.
 */
#ifndef LR_DAEMON_COMMITTER_KAFKA_H
#define LR_DAEMON_COMMITTER_KAFKA_H

#include "daemon/committer.h"
#include "daemon/kafka_conf.h"
#include "daemon/kafka_txn.h"
#include "daemon/loop.h"

enum { COMMITTER_LOOK_MS = 250 /* how often the loop looks at the running call's age */ };

/* Makes the transactional producer (blocks up to KAFKA_START_MS), starts the thread and the loop's look at it. `options`
 * (with partition_count > 0) and `consumer` (kafka_in_consumer()) are borrowed. NULL with *err. */
struct committer *committer_new(struct loop *loop, const struct kafka_options *options, rd_kafka_t *consumer,
                                struct err *err);
/* Ends the thread after its current step; what is in the machine is forgotten, a transaction that is still open is
 * aborted by the next start. When the step does not end within its deadline, the process does. After loop_run() only. */
void committer_free(struct committer *committer);
/* Age of the call that the thread is in; 0 when it is in none. For the watchdog. */
int64_t committer_call_ms(const struct committer *committer);
struct kafka_txn_counters committer_counters(const struct committer *committer);

#endif
