/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/plugin_check.h"

#include "daemon/config.h"
#include "plugins/plugin.h"
#include "rules/base/diag.h"
#include "rules/base/suggest.h"
#include "rules/json/tree.h"

struct source_span plugin_entry_span(const struct config_plugin *config, const char *key)
{
	const struct node *node = config->node, *value = node_get(node, key);
	return value != NULL ? value->span : node->span;
}

/* Only abi and size may be read before they are checked. */
static bool check_abi(const struct lr_plugin *plugin, const struct config_plugin *config, struct diags *diags)
{
	struct source_span span = plugin_entry_span(config, "path");
	struct diag *diag;
	if (plugin == NULL) {
		diag = diags_add(diags, ERR_PLUGIN_ABI, span, "the file exports no lr_plugin_v1");
		diag_note(diags, diag, "it is no plug-in of leadrouter, or of a later version");
		return false;
	}
	if (plugin->abi != LR_PLUGIN_ABI || plugin->size < sizeof *plugin) {
		diag = diags_add(diags, ERR_PLUGIN_ABI, span,
		                 "the plug-in was built for ABI %u (%u bytes), this leadrouterd has ABI %u (%zu bytes)", plugin->abi,
		                 plugin->size, LR_PLUGIN_ABI, sizeof *plugin);
		diag_help(diags, diag, "build it against plugins/plugin.h of this version");
		return false;
	}
	bool is_whole = plugin->name != NULL && plugin->open != NULL && plugin->run != NULL && plugin->close != NULL;
	if (!is_whole)
		diags_add(diags, ERR_PLUGIN_ABI, span, "the plug-in leaves name, open, run or close empty");
	return is_whole;
}

static bool has_option(const struct lr_plugin *plugin, struct slice name, struct suggest *suggest)
{
	for (const struct lr_option *option = plugin->options; option != NULL && option->name != NULL; option++) {
		if (slice_is(name, option->name))
			return true;
		suggest_offer(suggest, slice_of(option->name));
	}
	return false;
}

static bool check_setting(const struct lr_plugin *plugin, const struct node *key, struct diags *diags)
{
	struct suggest suggest = suggest_for(key->text);
	if (has_option(plugin, key->text, &suggest))
		return true;
	struct diag *diag = diags_add(diags, ERR_PLUGIN_OPTION, key->span, "the plug-in `%s` has no setting `%.*s`",
	                              plugin->name, SLICE_ARG(key->text));
	diag_did_you_mean(diags, diag, suggest.best);
	return false;
}

static bool check_settings(const struct lr_plugin *plugin, const struct config_plugin *config, struct diags *diags)
{
	const struct node *settings = config->settings;
	bool is_fine = true;
	for (size_t i = 0; settings != NULL && i < settings->count; i++)
		is_fine &= check_setting(plugin, settings->members[i].key, diags);
	for (const struct lr_option *option = plugin->options; option != NULL && option->name != NULL; option++) {
		if (!option->is_required || node_get(settings, option->name) != NULL)
			continue;
		diags_add(diags, ERR_PLUGIN_OPTION, plugin_entry_span(config, settings ? "settings" : "name"),
		          "the plug-in `%s` needs the setting `%s`: %s", plugin->name, option->name, option->help);
		is_fine = false;
	}
	return is_fine;
}

bool plugin_check(const struct lr_plugin *plugin, const struct config_plugin *config, struct diags *diags)
{
	return check_abi(plugin, config, diags) && check_settings(plugin, config, diags);
}
