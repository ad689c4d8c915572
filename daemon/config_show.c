/* SPDX-License-Identifier: Apache-2.0
 *
 * The effective configuration for people: what it is, where it comes from, and what a reload changes.
 */
#include "daemon/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/base/strbuf.h"
#include "rules/json/tree.h"

static void put_text(struct strbuf *out, const char *text)
{
	strbuf_printf(out, "\"%s\"", text);
}

static void put_int(struct strbuf *out, int64_t number)
{
	strbuf_put_int(out, number);
}

static void put_choice(struct strbuf *out, const char *choices, int64_t index)
{
	while (index-- > 0)
		choices += strcspn(choices, "|") + 1;
	strbuf_append(out, choices, strcspn(choices, "|"));
}

#define PUT_TEXT(member, choices)    put_text(out, config->member)
#define PUT_TOPIC(member, choices)   put_text(out, config->member)
#define PUT_SECRET(member, choices)  put_text(out, config->member) /* the name of the file, not what is in it */
#define PUT_ADDRESS(member, choices) put_text(out, config->member)
#define PUT_INT(member, choices)     put_int(out, config->member)
#define PUT_CHOICE(member, choices)  put_choice(out, choices, config->member)

/* The value of row `index`. */
static void put_value(const struct config *config, size_t index, struct strbuf *out)
{
	size_t row = 0;
#define OPTION(member, name, type, initial, least, most, choices, reloadable, help) \
	if (row++ == index) \
		PUT_##type(member, choices);
#include "daemon/config.def"
#undef OPTION
}

static void put_origin(struct strbuf *out, struct config_origin origin)
{
	if (origin.path == NULL)
		strbuf_puts(out, "   # default\n");
	else
		strbuf_printf(out, "   # %s:%u\n", origin.path, origin.line);
}

static void print_properties(const struct config *config, struct strbuf *out)
{
	for (size_t i = 0; i < config->property_count; i++) {
		const struct config_property *property = &config->properties[i];
		const char *value = kafka_props_is_secret(property->name) ? "[redacted]" : property->value;
		strbuf_printf(out, "%s.%s = \"%s\"", kafka_scope_name(property->scope), property->name, value);
		put_origin(out, property->origin);
	}
}

void config_print(const struct config *config, struct strbuf *out)
{
	size_t count;
	const struct config_option *options = config_options(&count);
	for (size_t i = 0; i < count; i++) {
		strbuf_printf(out, "%s = ", options[i].name);
		put_value(config, i, out);
		put_origin(out, config->origins[i]);
	}
	print_properties(config, out);
	for (size_t i = 0; i < config->plugin_count; i++) {
		strbuf_printf(out, "plugins.%s = \"%s\"", config->plugins[i].name, config->plugins[i].path);
		put_origin(out, (struct config_origin){node_path(config->plugins[i].node), node_line(config->plugins[i].node)});
	}
}

static bool same_properties(const struct config *a, const struct config *b)
{
	if (a->property_count != b->property_count)
		return false;
	for (size_t i = 0; i < a->property_count; i++)
		if (a->properties[i].scope != b->properties[i].scope || strcmp(a->properties[i].name, b->properties[i].name) != 0 ||
		    strcmp(a->properties[i].value, b->properties[i].value) != 0)
			return false;
	return true;
}

struct comparison {
	void (*on_change)(void *ctx, const char *name, const char *before, const char *after, bool is_reloadable);
	void *ctx;
	size_t changes;
};

static void compare_option(struct comparison *comparison, const struct config *before, const struct config *after,
                           size_t index, const struct config_option *option)
{
	struct strbuf old = STRBUF_INIT, new = STRBUF_INIT;
	put_value(before, index, &old);
	put_value(after, index, &new);
	if (strcmp(strbuf_text(&old), strbuf_text(&new)) != 0) {
		comparison->changes++;
		comparison->on_change(comparison->ctx, option->name, strbuf_text(&old), strbuf_text(&new), option->is_reloadable);
	}
	strbuf_done(&old);
	strbuf_done(&new);
}

size_t config_compare(const struct config *before, const struct config *after,
                      void (*on_change)(void *ctx, const char *name, const char *before, const char *after,
                                        bool is_reloadable),
                      void *ctx)
{
	struct comparison comparison = {on_change, ctx, 0};
	size_t count;
	const struct config_option *options = config_options(&count);
	for (size_t i = 0; i < count; i++)
		compare_option(&comparison, before, after, i, &options[i]);
	if (!same_properties(before, after)) {
		comparison.changes++;
		on_change(ctx, "kafka.properties", "…", "…", false);
	}
	return comparison.changes;
}
