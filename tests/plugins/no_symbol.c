/* SPDX-License-Identifier: Apache-2.0
 *
 * A shared object that is no plug-in.
 */
__attribute__((visibility("default"))) extern const int lr_plugin_v0;
const int lr_plugin_v0 = 1;
