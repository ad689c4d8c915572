/* SPDX-License-Identifier: Apache-2.0
 *
 * Asking the plug-ins of a generation about one lead. The host owns the deadline: a late answer is dropped and counted,
 * and the lead goes on without it. Answers become facts of the prepared record, so a batch that is decided again after
 * an abort sees the same ones.
 */
#ifndef LR_DAEMON_PLUGIN_HOST_H
#define LR_DAEMON_PLUGIN_HOST_H

#include "daemon/loop.h"
#include "rules/rules.h"

struct generation;
struct plugin_ask;

/* Asks every plug-in of the generation in order. NULL: all have answered (or there is none), on_done is not called.
 * Otherwise on_done(ctx) is called once from the loop, at the latest after the longest deadline. */
struct plugin_ask *plugin_host_ask(struct generation *generation, struct prepared *prepared, loop_fn on_done, void *ctx);
/* on_done will not be called. Needed when the prepared record goes away first. */
void plugin_host_cancel(struct plugin_ask *take_ask);

#endif
