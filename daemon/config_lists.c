/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config_lists.h"

#include <arpa/inet.h>
#include <string.h>

#include "daemon/kafka_props.h"
#include "rules/base/arena.h"
#include "rules/base/diag.h"
#include "rules/base/err.h"
#include "rules/json/tree.h"
#include "rules/model.h"

enum { UNIX_PATH_BYTES_MAX = 107, HOST_BYTES_MAX = 253, PLUGIN_NAME_BYTES_MAX = 32 };
enum { PLUGIN_DEADLINE_MS = 200, PLUGIN_DEADLINE_MAX_MS = 10000 };

/* ---- addresses */

static bool refuse_address(const struct node *node, const char *what, struct diags *diags, const char *why)
{
	struct diag *diag = diags_add(diags, ERR_BAD_VALUE, node->span, "%s: %s", what, why);
	if (node->span.source == NULL)
		diag_note(diags, diag, "the default makes `%.*s` of this instance's name: set %s", SLICE_ARG(node->text), what);
	return false;
}

static bool read_unix(const struct node *node, const char *what, struct slice path, struct arena *arena,
                      struct diags *diags, struct config_address *ret_address)
{
	if (path.len == 0 || path.p[0] != '/' || path.len > UNIX_PATH_BYTES_MAX)
		return refuse_address(node, what, diags, "after unix: comes an absolute path of at most 107 bytes");
	*ret_address = (struct config_address){.unix_path = arena_memdupz(arena, path.p, path.len)};
	return true;
}

static bool parse_port(struct slice text, uint16_t *ret_port)
{
	unsigned port = 0;
	if (text.len == 0 || text.len > 5)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		port = port * 10 + (unsigned)(text.p[i] - '0');
	}
	*ret_port = (uint16_t)port;
	return port <= UINT16_MAX;
}

static bool is_host(struct slice host)
{
	if (host.len == 0 || host.len > HOST_BYTES_MAX)
		return false;
	for (size_t i = 0; i < host.len; i++)
		if ((unsigned char)host.p[i] <= ' ' || strchr("/@?#[]\"'\\", host.p[i]) != NULL)
			return false;
	return true;
}

bool config_read_address(const struct node *node, const char *what, struct arena *arena, struct diags *diags,
                         struct config_address *ret_address)
{
	struct slice text = node->text, scheme = SLICE("redis://");
	*ret_address = (struct config_address){NULL, 0, NULL};
	if (text.len == 0)
		return true;
	if (slice_has_prefix(text, SLICE("unix:")))
		return read_unix(node, what, (struct slice){text.p + 5, text.len - 5}, arena, diags, ret_address);
	if (slice_has_prefix(text, SLICE("rediss://")))
		return refuse_address(node, what, diags,
		                      "TLS to Redis is not built in; use a unix socket, or a TLS tunnel on this host");
	if (slice_has_prefix(text, scheme))
		text = (struct slice){text.p + scheme.len, text.len - scheme.len};
	size_t colon = text.len;
	while (colon > 0 && text.p[colon - 1] != ':')
		colon--;
	if (colon == 0)
		return refuse_address(node, what, diags, "the port is missing: write host:port or unix:/path");
	struct slice host = {text.p, colon - 1}, port = {text.p + colon, text.len - colon};
	if (host.len > 2 && host.p[0] == '[' && host.p[host.len - 1] == ']')
		host = (struct slice){host.p + 1, host.len - 2};
	if (!is_host(host) || !parse_port(port, &ret_address->port))
		return refuse_address(node, what, diags, "not an address: write host:port, [v6]:port or unix:/path");
	ret_address->host = arena_memdupz(arena, host.p, host.len);
	return true;
}

bool config_check_listener(const struct node *node, const char *what, const struct config_address *address, struct diags *diags)
{
	struct in_addr v4;
	struct in6_addr v6;
	if (address->host == NULL)
		return true;
	bool is_v4 = inet_pton(AF_INET, address->host, &v4) == 1, is_v6 = !is_v4 && inet_pton(AF_INET6, address->host, &v6) == 1;
	if ((is_v4 && ntohl(v4.s_addr) >> 24 == 127) || (is_v6 && IN6_IS_ADDR_LOOPBACK(&v6)))
		return true;
	diags_add(diags, ERR_LISTEN, node->span, "%s must be a loopback address or a unix socket: 127.0.0.1:9461, [::1]:9461, unix:/path", what);
	return false;
}

/* ---- secrets */

int config_read_secret(const struct model_files *files, struct slice name, struct arena *arena, struct slice *ret_secret,
                       struct err *err)
{
	struct slice bytes;
	if (files->read(files->ctx, name, true, arena, &bytes, err) != 0)
		return -1;
	while (bytes.len > 0 && strchr("\r\n \t", bytes.p[bytes.len - 1]) != NULL)
		bytes.len--;
	if (bytes.len == 0)
		return err_set(err, ERR_BAD_VALUE, "the file %.*s is empty", SLICE_ARG(name));
	*ret_secret = bytes;
	return 0;
}

/* ---- librdkafka properties */

struct property_reader {
	const struct model_files *files;
	struct arena *arena;
	struct diags *diags;
	struct config_property *items;
	size_t count;
};

/* A secret may be written as file:NAME, and then it is read from there. */
static bool read_property_value(struct property_reader *reader, const struct node_member *member, const char **ret_value)
{
	struct slice text;
	bool is_secret = kafka_props_is_secret(member->key->text.p);
	if (is_secret && member->value->kind != NODE_SCALAR) {
		diag_conceal(diags_add(reader->diags, ERR_WRONG_TYPE, member->value->span, "a property must be text"));
		return false;
	}
	if (!node_read_text(member->value, "a property", reader->diags, &text))
		return false;
	*ret_value = text.p;
	if (!slice_has_prefix(text, SLICE("file:")) || !is_secret)
		return true;
	struct err err = ERR_INIT;
	struct slice name = {text.p + 5, text.len - 5}, secret;
	if (config_read_secret(reader->files, name, reader->arena, &secret, &err) != 0) {
		diags_add(reader->diags, err.code, member->value->span, "%s", err.text);
		return false;
	}
	*ret_value = arena_memdupz(reader->arena, secret.p, secret.len);
	return true;
}

static void read_property(struct property_reader *reader, enum kafka_scope scope, const struct node_member *member)
{
	struct err err = ERR_INIT;
	const char *name = member->key->text.p, *value;
	if (!read_property_value(reader, member, &value))
		return;
	if (kafka_props_check(scope, name, value, &err) != 0) {
		struct diag *diag = diags_add(reader->diags, err.code, member->key->span, "%s", err.text);
		if (kafka_props_is_secret(name))
			diag_conceal(diag);
		return;
	}
	reader->items[reader->count++] =
		(struct config_property){scope, name, value, {node_path(member->key), node_line(member->key)}};
}

static void read_properties(struct property_reader *reader, const struct node *mapping, enum kafka_scope scope)
{
	const char *what = kafka_scope_name(scope);
	if (mapping == NULL || node_is_empty(mapping) || !node_expect_mapping(mapping, what, reader->diags))
		return;
	for (size_t i = 0; i < mapping->count; i++) {
		if (reader->count == CONFIG_PROPERTIES_MAX) {
			diags_add(reader->diags, ERR_TOO_MANY, mapping->members[i].key->span, "more than 200 librdkafka properties");
			return;
		}
		read_property(reader, scope, &mapping->members[i]);
	}
}

static void read_client(struct property_reader *reader, const struct node *kafka, const char *client, enum kafka_scope scope)
{
	static const char *const known[] = {"properties", NULL};
	const struct node *mapping = node_get(kafka, client);
	if (mapping == NULL || node_is_empty(mapping) || !node_expect_mapping(mapping, client, reader->diags))
		return;
	node_check_keys(mapping, known, client, reader->diags);
	read_properties(reader, node_get(mapping, "properties"), scope);
}

/* ---- plug-ins */

static bool is_plugin_name(struct slice name)
{
	if (name.len == 0 || name.len > PLUGIN_NAME_BYTES_MAX || name.p[0] < 'a' || name.p[0] > 'z')
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (strchr("abcdefghijklmnopqrstuvwxyz0123456789_", name.p[i]) == NULL)
			return false;
	return true;
}

static bool read_plugin_name(const struct node *node, struct diags *diags, const char **ret_name)
{
	struct slice text;
	if (!node_read_text(node, "the name of a plug-in", diags, &text))
		return false;
	if (!is_plugin_name(text)) {
		struct diag *diag = diags_add(diags, ERR_BAD_VALUE, node->span, "a bad name for a plug-in");
		diag_help(diags, diag, "a lower-case letter, then letters, digits and `_`; at most 32");
		return false;
	}
	*ret_name = text.p;
	return true;
}

static void read_plugin(const struct node *node, struct config_plugin *plugin, struct diags *diags)
{
	static const char *const known[] = {"name", "path", "settings", "deadline_ms", NULL};
	if (!node_expect_mapping(node, "a plug-in", diags))
		return;
	node_check_keys(node, known, "a plug-in", diags);
	const struct node *name = node_require(node, "name", "a plug-in", diags);
	const struct node *path = node_require(node, "path", "a plug-in", diags);
	const struct node *settings = node_get(node, "settings"), *deadline = node_get(node, "deadline_ms");
	struct slice text;
	plugin->deadline_ms = PLUGIN_DEADLINE_MS;
	plugin->node = node;
	if (name != NULL)
		read_plugin_name(name, diags, &plugin->name);
	if (path != NULL && node_read_text(path, "the path of a plug-in", diags, &text))
		plugin->path = text.p;
	if (deadline != NULL)
		node_read_int(deadline, "deadline_ms", 1, PLUGIN_DEADLINE_MAX_MS, diags, &plugin->deadline_ms);
	if (settings != NULL && node_expect_mapping(settings, "settings", diags))
		plugin->settings = settings;
}

static void refuse_same_plugin(const struct node *list, const struct config_plugin *plugins, size_t at, struct diags *diags)
{
	for (size_t i = 0; i < at; i++) {
		if (plugins[i].name == NULL || plugins[at].name == NULL || strcmp(plugins[i].name, plugins[at].name) != 0)
			continue;
		struct diag *diag = diags_add(diags, ERR_DUPLICATE, node_get(list->items[at], "name")->span,
		                              "two plug-ins are called `%s`", plugins[at].name);
		diag_second(diags, diag, node_get(list->items[i], "name")->span, "first defined here");
		return;
	}
}

static void read_plugins(const struct node *list, struct config *config, struct arena *arena, struct diags *diags)
{
	if (list == NULL || node_is_empty(list) || !node_expect_sequence(list, "plugins", diags))
		return;
	if (list->count > CONFIG_PLUGINS_MAX) {
		diags_add(diags, ERR_TOO_MANY, list->span, "more than 32 plug-ins");
		return;
	}
	struct config_plugin *plugins = arena_array(arena, list->count, sizeof *plugins);
	for (size_t i = 0; i < list->count; i++) {
		read_plugin(list->items[i], &plugins[i], diags);
		refuse_same_plugin(list, plugins, i, diags);
	}
	config->plugins = plugins;
	config->plugin_count = list->count;
}

void config_read_lists(const struct node *root, const struct model_files *files, struct config *config,
                       struct arena *arena, struct diags *diags)
{
	const struct node *kafka = node_get(root, "kafka");
	struct property_reader reader = {files, arena, diags, NULL, 0};
	reader.items = arena_array(arena, CONFIG_PROPERTIES_MAX, sizeof *reader.items);
	read_properties(&reader, node_get(kafka, "properties"), KAFKA_GLOBAL);
	read_client(&reader, kafka, "consumer", KAFKA_CONSUMER);
	read_client(&reader, kafka, "producer", KAFKA_PRODUCER);
	config->properties = reader.items;
	config->property_count = reader.count;
	read_plugins(node_get(root, "plugins"), config, arena, diags);
}
