/* SPDX-License-Identifier: Apache-2.0
 *
 * Built for an ABI that does not exist: nothing behind the first two members may be read, so they lead nowhere.
 */
#include "plugins/plugin.h"

__attribute__((visibility("default"))) const struct lr_plugin lr_plugin_v1 = {
	.abi = LR_PLUGIN_ABI + 1,
	.size = sizeof(struct lr_plugin),
	.name = (const char *)8,
	.options = (const struct lr_option *)8,
};
