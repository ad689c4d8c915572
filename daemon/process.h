/* SPDX-License-Identifier: Apache-2.0
 *
 * The daemon as one object: every part of it, built in the order in which they need each other and taken down in reverse.
 *
 *     generation ─► checks (Kafka, Redis) ─► clock, stats ─► view ─► consumer ─► committer ─► state log ─► router
 *                                                                                    admin, control, signals, watchdog
 *
 * SIGTERM and SIGINT drain and stop, SIGHUP reloads. A reload builds the new generation aside; whatever is wrong with it
 * leaves the old one in force and is told to whoever asked.
 */
#ifndef LR_DAEMON_PROCESS_H
#define LR_DAEMON_PROCESS_H

#include <stdbool.h>

#include "rules/base/err.h"

struct process;
struct strbuf;

/* Loads the configuration of `directory` and builds everything; blocks until Kafka and Redis have been looked at. NULL
 * with *err (the diagnostics of a bad configuration have been written to `out` then). */
struct process *process_new(const char *directory, struct strbuf *out, struct err *err);
void process_free(struct process *process);
/* Runs until a signal ends it. Returns the exit code. */
int process_run(struct process *process);

/* The whole check of a configuration, as start does it, without network: diagnostics and verdict go to `out`. */
bool process_check(const char *directory, struct strbuf *out);
/* The explicit first start: commits the earliest offsets with a fresh chain. `out` gets what was done. */
int process_bootstrap(const char *directory, struct strbuf *out, struct err *err);

#endif
