/* SPDX-License-Identifier: Apache-2.0
 *
 * The scripted plug-in as a cleansing one, for the order in which plug-ins are asked.
 */
#define SCRIPTED_CLEANSES
#include "tests/plugins/scripted.c"
