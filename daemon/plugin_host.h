/* SPDX-License-Identifier: Apache-2.0
 *
 * Loading plug-ins and asking them about one lead (plugins/plugin.h tells the story from their side).
 *
 * The host checks the ABI before it reads anything else, owns the deadline of every answer, and keeps the answers as
 * facts of the prepared record, so a batch that is decided again after an abort sees the same ones. A late answer is
 * dropped and counted; the lead goes on without it.
 */
#ifndef LR_DAEMON_PLUGIN_HOST_H
#define LR_DAEMON_PLUGIN_HOST_H

#include "daemon/loop.h"
#include "rules/rules.h"

struct config;
struct diags;
struct generation;
struct log;
struct plugin_ask;
struct plugin_set;
struct stats;

enum {
	PLUGIN_LATE_MAX = 1000, /* answers of one plug-in that are overdue: then it is switched off */
	PLUGIN_FACT_BYTES = 1024,
	PLUGIN_FACTS_MAX = 32,  /* facts and filled fields of one answer */
};

/* Opens every plug-in of the configuration. `loop` NULL: only to check it. `stats` and `log` may be NULL. Errors go to
 * `diags`, at the plug-in's place in the file; NULL then. The config must outlive the set. */
struct plugin_set *plugin_set_open(const struct config *config, const char *directory, struct loop *loop,
                                   struct stats *stats, struct log *log, struct diags *diags);
/* For generation_attach(). */
void plugin_set_close(void *take_set);

/* Asks every plug-in of the generation in order. NULL: all have answered (or there is none), on_done is not called.
 * Otherwise on_done(ctx) is called once from the loop, at the latest after the sum of the deadlines. */
struct plugin_ask *plugin_host_ask(struct generation *generation, struct prepared *prepared, loop_fn on_done, void *ctx);
/* on_done will not be called. Needed when the prepared record goes away first. */
void plugin_host_cancel(struct plugin_ask *take_ask);

#endif
