/* SPDX-License-Identifier: Apache-2.0
 *
 * The option table at work: a row says where a value goes and what it may be; this walks the sections and looks each key
 * up. Defaults take the same way as written values, so a default that its own row refuses would be found by the tests.
 */
#include "daemon/config.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/config_lists.h"
#include "rules/base/arena.h"
#include "rules/base/diag.h"
#include "rules/base/strbuf.h"
#include "rules/base/suggest.h"
#include "rules/json/tree.h"
#include "rules/model.h"

struct builder {
	struct config *config;
	struct config_origin *origins;
	const struct node **nodes; /* the written value of each row, or NULL */
	const struct model_files *files;
	struct arena *arena;
	struct diags *diags;
};

struct row {
	struct config_option option;
	size_t offset;
	bool (*read)(struct builder *builder, const struct row *row, const struct node *node);
};

static bool read_text(struct builder *builder, const struct row *row, const struct node *node)
{
	struct slice text;
	const char *name = row->option.name;
	if (!node_read_text(node, name, builder->diags, &text))
		return false;
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.p[i] < 0x20) {
			diags_add(builder->diags, ERR_BAD_VALUE, node_span_in(node, i, 1), "%s must be one line of text", name);
			return false;
		}
	if ((int64_t)text.len < row->option.least || (int64_t)text.len > row->option.most) {
		diags_add(builder->diags, ERR_OUT_OF_RANGE, node->span, "%s must have %lld to %lld bytes", name,
		          (long long)row->option.least, (long long)row->option.most);
		return false;
	}
	*(const char **)((char *)builder->config + row->offset) = arena_memdupz(builder->arena, text.p, text.len);
	return true;
}

static bool is_topic_letter(char letter)
{
	return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9') ||
	       letter == '.' || letter == '_' || letter == '-';
}

static bool read_topic(struct builder *builder, const struct row *row, const struct node *node)
{
	if (!read_text(builder, row, node))
		return false;
	for (size_t i = 0; i < node->text.len; i++)
		if (!is_topic_letter(node->text.p[i])) {
			diags_add(builder->diags, ERR_BAD_VALUE, node_span_in(node, i, 1),
			          "a topic name has only letters, digits, `.`, `_` and `-`");
			return false;
		}
	return true;
}

static bool read_secret(struct builder *builder, const struct row *row, const struct node *node)
{
	return read_text(builder, row, node);
}

/* What the transactional id ends with. kafka.instance stands in the table before every address. */
static const char *instance_name(const struct builder *builder)
{
	const char *given = getenv("LEADROUTER_INSTANCE");
	const char *written = builder->config->kafka_instance; /* NULL: it was refused */
	if (written != NULL && written[0] != '\0')
		return written;
	return given != NULL && given[0] != '\0' ? given : "1";
}

/* "%i" in an address is the instance's name, so that instances with one configuration do not want the same socket. */
static struct slice expand_instance(const struct builder *builder, struct slice text)
{
	const char *mark = text.len >= 2 ? memmem(text.p, text.len, "%i", 2) : NULL;
	if (mark == NULL)
		return text;
	int before = (int)(mark - text.p), after = (int)text.len - before - 2;
	return slice_of(arena_printf(builder->arena, "%.*s%s%.*s", before, text.p, instance_name(builder), after, mark + 2));
}

static bool is_listener(const struct row *row)
{
	static const char end[] = ".listen";
	size_t len = strlen(row->option.name);
	return len >= sizeof end && strcmp(row->option.name + len - (sizeof end - 1), end) == 0;
}

static bool read_address(struct builder *builder, const struct row *row, const struct node *node)
{
	struct config_address address;
	struct node expanded = *node;
	if (node->kind == NODE_SCALAR)
		expanded.text = expand_instance(builder, node->text);
	if (!read_text(builder, row, &expanded) ||
	    !config_read_address(&expanded, row->option.name, builder->arena, builder->diags, &address))
		return false;
	return !is_listener(row) || config_check_listener(&expanded, row->option.name, &address, builder->diags);
}

static bool read_int(struct builder *builder, const struct row *row, const struct node *node)
{
	int64_t *member = (int64_t *)((char *)builder->config + row->offset);
	return node_read_int(node, row->option.name, row->option.least, row->option.most, builder->diags, member);
}

static bool read_choice(struct builder *builder, const struct row *row, const struct node *node)
{
	struct slice text;
	if (!node_read_text(node, row->option.name, builder->diags, &text))
		return false;
	struct suggest suggest = suggest_for(text);
	int64_t index = 0;
	for (const char *at = row->option.choices; *at != '\0'; index++) {
		struct slice choice = {at, strcspn(at, "|")};
		if (slice_equal(choice, text)) {
			*(int64_t *)((char *)builder->config + row->offset) = index;
			return true;
		}
		suggest_offer(&suggest, choice);
		at += choice.len + (at[choice.len] == '|');
	}
	struct diag *diag = diags_add(builder->diags, ERR_BAD_VALUE, node->span, "%s must be one of %s", row->option.name,
	                              row->option.choices);
	diag_did_you_mean(builder->diags, diag, suggest.best);
	return false;
}

#define READ_TEXT    read_text
#define READ_TOPIC   read_topic
#define READ_SECRET  read_secret
#define READ_ADDRESS read_address
#define READ_INT     read_int
#define READ_CHOICE  read_choice

static const struct row rows[] = {
#define OPTION(member, name, type, initial, least, most, choices, reloadable, help) \
	{{name, #type, initial, choices, help, least, most, reloadable}, offsetof(struct config, member), READ_##type},
#include "daemon/config.def"
#undef OPTION
};

enum { ROW_COUNT = sizeof rows / sizeof *rows };

/* Keys whose values are no single option. */
static const char *const lists[] = {"kafka.properties", "kafka.consumer", "kafka.producer"};

const char *const *config_sections(void)
{
	static const char *const sections[] = {"kafka", "redis", "http", "control", "log", "events", "limits", "clock", "plugins", NULL};
	return sections;
}

static const struct row *find_row(const char *name)
{
	for (size_t i = 0; i < ROW_COUNT; i++)
		if (strcmp(rows[i].option.name, name) == 0)
			return &rows[i];
	return NULL;
}

static bool is_list(const char *name)
{
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		if (strcmp(lists[i], name) == 0)
			return true;
	return false;
}

/* The part of `name` that is a key of the mapping `prefix` ("kafka.topics" + "kafka.topics.state" -> "state"). */
static struct slice key_below(const char *name, const char *prefix)
{
	size_t len = strlen(prefix);
	if (strncmp(name, prefix, len) != 0 || name[len] != '.')
		return SLICE_NONE;
	return (struct slice){name + len + 1, strcspn(name + len + 1, ".")};
}

static bool has_below(const char *prefix)
{
	for (size_t i = 0; i < ROW_COUNT; i++)
		if (key_below(rows[i].option.name, prefix).len != 0)
			return true;
	return false;
}

/* Rows of one mapping stand together in the table, so a key that several rows begin with is seen once in a row. */
static void note_known_keys(struct builder *builder, struct diag *diag, const char *prefix)
{
	struct strbuf list = STRBUF_INIT;
	struct slice last = SLICE_NONE;
	for (size_t i = 0; i < ROW_COUNT; i++) {
		struct slice key = key_below(rows[i].option.name, prefix);
		if (key.len == 0 || slice_equal(key, last))
			continue;
		strbuf_printf(&list, "%s%.*s", list.len ? ", " : "", SLICE_ARG(key));
		last = key;
	}
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		if (key_below(lists[i], prefix).len != 0)
			strbuf_printf(&list, ", %.*s", SLICE_ARG(key_below(lists[i], prefix)));
	diag_note(builder->diags, diag, "known keys: %s", strbuf_text(&list));
	strbuf_done(&list);
}

static void report_unknown(struct builder *builder, const struct node *key, const char *prefix)
{
	struct diag *diag = diags_add(builder->diags, ERR_UNKNOWN_KEY, key->span, "unknown key `%.*s` in %s",
	                              SLICE_ARG(key->text), prefix);
	struct suggest suggest = suggest_for(key->text);
	for (size_t i = 0; i < ROW_COUNT; i++)
		suggest_offer(&suggest, key_below(rows[i].option.name, prefix));
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		suggest_offer(&suggest, key_below(lists[i], prefix));
	diag_did_you_mean(builder->diags, diag, suggest.best);
	note_known_keys(builder, diag, prefix);
}

static void read_mapping(struct builder *builder, const struct node *mapping, const char *prefix)
{
	if (node_is_empty(mapping) || !node_expect_mapping(mapping, prefix, builder->diags))
		return; /* empty: all its options are comments */
	for (size_t i = 0; i < mapping->count; i++) {
		const struct node *key = mapping->members[i].key, *value = mapping->members[i].value;
		const char *name = arena_printf(builder->arena, "%s.%.*s", prefix, SLICE_ARG(key->text));
		const struct row *row = find_row(name);
		if (row != NULL)
			builder->nodes[row - rows] = value;
		else if (has_below(name))
			read_mapping(builder, value, name); /* no deeper than the names in the table */
		else if (!is_list(name))
			report_unknown(builder, key, prefix);
	}
}

/* An option that nobody wrote, as if somebody had written its default. */
static struct node default_node(const struct row *row)
{
	return (struct node){.kind = NODE_SCALAR,
	                     .style = row->read == read_int ? NODE_PLAIN : NODE_QUOTED,
	                     .text = slice_of(row->option.initial)};
}

static void read_values(struct builder *builder)
{
	for (size_t i = 0; i < ROW_COUNT; i++) {
		struct node initial = default_node(&rows[i]);
		const struct node *written = builder->nodes[i];
		if (written == NULL) {
			rows[i].read(builder, &rows[i], &initial);
			continue;
		}
		rows[i].read(builder, &rows[i], written);
		builder->origins[i] = (struct config_origin){node_path(written), node_line(written)};
	}
}

static const char *topic_of(const struct builder *builder, size_t row)
{
	const char *name = *(const char **)((char *)builder->config + rows[row].offset);
	return rows[row].read == read_topic && name != NULL ? name : ""; /* NULL: it was refused */
}

/* Two names for one topic would make the daemon read what it writes. */
static void check_topics(struct builder *builder)
{
	for (size_t i = 0; i < ROW_COUNT; i++) {
		const char *name = topic_of(builder, i);
		if (builder->nodes[i] == NULL || name[0] == '\0')
			continue;
		for (size_t j = 0; j < ROW_COUNT; j++) {
			if (j == i || (builder->nodes[j] != NULL && j > i) || strcmp(name, topic_of(builder, j)) != 0)
				continue;
			struct diag *diag = diags_add(builder->diags, ERR_DUPLICATE, builder->nodes[i]->span,
			                              "%s and %s are the same topic", rows[j].option.name, rows[i].option.name);
			if (builder->nodes[j] != NULL)
				diag_second(builder->diags, diag, builder->nodes[j]->span, "the other one");
		}
	}
}

static struct config_address address_of(struct builder *builder, const char *text)
{
	struct node node = {.kind = NODE_SCALAR, .style = NODE_QUOTED, .text = slice_of(text)};
	struct config_address address = {NULL, 0, NULL};
	config_read_address(&node, "", builder->arena, builder->diags, &address);
	return address;
}

static void read_password(struct builder *builder)
{
	const struct row *row = find_row("redis.password_file");
	const struct node *node = builder->nodes[row - rows];
	if (node == NULL || node->text.len == 0)
		return;
	struct err err = ERR_INIT;
	if (config_read_secret(builder->files, node->text, builder->arena, &builder->config->redis_password, &err) != 0)
		diags_add(builder->diags, err.code, node->span, "%s", err.text);
}

static void derive(struct builder *builder)
{
	struct config *config = builder->config;
	config->kafka_instance = arena_strdup(builder->arena, instance_name(builder));
	config->transactional_id = arena_printf(builder->arena, "%s-%s", config->kafka_group, config->kafka_instance);
	config->redis_address = address_of(builder, config->redis_url);
	config->http_address = address_of(builder, config->http_listen);
	read_password(builder);
}

const struct config *config_build(const struct node *root, const struct model_files *files, struct arena *arena,
                                  struct diags *diags)
{
	size_t errors = diags_error_count(diags);
	struct builder builder = {
		.config = arena_alloc(arena, sizeof *builder.config),
		.origins = arena_array(arena, ROW_COUNT, sizeof *builder.origins),
		.nodes = arena_array(arena, ROW_COUNT, sizeof *builder.nodes),
		.files = files,
		.arena = arena,
		.diags = diags,
	};
	builder.config->origins = builder.origins;
	for (const char *const *section = config_sections(); *section != NULL; section++) {
		const struct node *node = node_get(root, *section);
		if (node != NULL && strcmp(*section, "plugins") != 0)
			read_mapping(&builder, node, *section);
	}
	read_values(&builder);
	check_topics(&builder);
	config_read_lists(root, files, builder.config, arena, diags);
	if (diags_error_count(diags) == errors)
		derive(&builder);
	return diags_error_count(diags) == errors ? builder.config : NULL;
}

const struct config_option *config_options(size_t *ret_count)
{
	static const struct config_option options[] = {
#define OPTION(member, name, type, initial, least, most, choices, reloadable, help) \
	{name, #type, initial, choices, help, least, most, reloadable},
#include "daemon/config.def"
#undef OPTION
	};
	*ret_count = ROW_COUNT;
	return options;
}
