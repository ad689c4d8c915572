/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of the daemon's configuration that are no single options: addresses, secrets, librdkafka properties, plug-ins.
 * For config.c only.
 */
#ifndef LR_DAEMON_CONFIG_LISTS_H
#define LR_DAEMON_CONFIG_LISTS_H

#include "daemon/config.h"

struct err;

/* kafka.properties, kafka.consumer.properties, kafka.producer.properties and plugins into *config. */
void config_read_lists(const struct node *root, const struct model_files *files, struct config *config,
                       struct arena *arena, struct diags *diags);
/* "host:port", "[v6]:port", "redis://host:port", "unix:/path" or "" . */
bool config_read_address(const struct node *node, const char *what, struct arena *arena, struct diags *diags,
                         struct config_address *ret_address);
/* Nobody has to prove who he is at our listeners, so they are reached from this machine only. */
bool config_check_listener(const struct node *node, const char *what, const struct config_address *address, struct diags *diags);
/* The content of a secret file without white space at its end; an empty one is an error. */
int config_read_secret(const struct model_files *files, struct slice name, struct arena *arena, struct slice *ret_secret,
                       struct err *err);

#endif
