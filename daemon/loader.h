/* SPDX-License-Identifier: Apache-2.0
 *
 * The one way from a directory to a generation that can run: options, rules, plug-ins. Start, reload, `leadrouterd -t` and
 * `leadctl check` all go it, so that what one of them accepts none of the others refuses.
 */
#ifndef LR_DAEMON_LOADER_H
#define LR_DAEMON_LOADER_H

struct diags;
struct generation;
struct log;
struct loop;
struct stats;

/* NULL when `diags` got an error; warnings may be added in any case. `loop` NULL: only to check it. `stats` and `log` may
 * be NULL. The caller owns one reference. */
struct generation *loader_load(const char *directory, struct loop *loop, struct stats *stats, struct log *log,
                               struct diags *diags);

#endif
