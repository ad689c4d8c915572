/* SPDX-License-Identifier: Apache-2.0
 *
 * A struct lr_plugin that ends after its first two members.
 */
#include "plugins/plugin.h"

__attribute__((visibility("default"))) const struct {
	uint32_t abi, size;
} lr_plugin_v1 = {LR_PLUGIN_ABI, 8};
