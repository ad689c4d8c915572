/* SPDX-License-Identifier: Apache-2.0
 *
 * Is a shared object a plug-in of this version, and are its settings those that it knows? Asked before any of its code runs.
 */
#ifndef LR_DAEMON_PLUGIN_CHECK_H
#define LR_DAEMON_PLUGIN_CHECK_H

#include <stdbool.h>

#include "rules/base/source.h"

struct config_plugin;
struct diags;
struct lr_plugin;

/* `plugin` is what the object exports, or NULL. false: errors were added, each at its place. */
bool plugin_check(const struct lr_plugin *plugin, const struct config_plugin *config, struct diags *diags);
/* The value of a key of the plug-in's entry ("path"), or the entry. */
struct source_span plugin_entry_span(const struct config_plugin *config, const char *key);

#endif
