/* SPDX-License-Identifier: Apache-2.0
 *
 * The right ABI, but nothing to call.
 */
#include "plugins/plugin.h"

__attribute__((visibility("default"))) const struct lr_plugin lr_plugin_v1 = {
	.abi = LR_PLUGIN_ABI,
	.size = sizeof(struct lr_plugin),
	.name = "hollow",
};
