/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/loader.h"

#include "daemon/generation.h"
#include "daemon/plugin_host.h"
#include "rules/base/diag.h"

struct generation *loader_load(const char *directory, struct loop *loop, struct stats *stats, struct log *log,
                               struct diags *diags)
{
	size_t errors = diags_error_count(diags);
	struct generation *generation = generation_load(directory, diags);
	if (generation == NULL)
		return NULL;
	struct plugin_set *set = plugin_set_open(generation_config(generation), directory, loop, stats, log, diags);
	if (set != NULL)
		generation_attach(generation, set, plugin_set_close);
	if (diags_error_count(diags) == errors)
		return generation;
	generation_unref(generation);
	return NULL;
}
