/* SPDX-License-Identifier: Apache-2.0
 *
 * Which rules a test runs under. The model is built by the code that builds it for the daemon; only two things differ: a
 * patch may lie over the tree, and secrets are not read but replaced, so that tests need none and give the same bytes on
 * every machine.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config.h"
#include "daemon/config_files.h"
#include "daemon/ctl/test.h"
#include "daemon/yaml.h"
#include "rules/base/diag.h"
#include "rules/base/hash.h"
#include "rules/base/mem.h"
#include "rules/base/suggest.h"
#include "rules/json/tree.h"
#include "rules/model.h"

/* ---- patches */

/* What items of lists are called by, whichever comes first. */
static const char *const NAMING_KEYS[] = {"id", "name", "grade", "rep", "date", NULL};

static const struct node *naming_value(const struct node *item, const char **ret_key)
{
	for (const char *const *key = NAMING_KEYS; *key != NULL; key++) {
		const struct node *value = node_get(item, *key);
		if (value != NULL) {
			*ret_key = *key;
			return value;
		}
	}
	return NULL;
}

static bool is_called(const struct node *item, struct slice name)
{
	const char *key;
	const struct node *value = item->kind == NODE_SCALAR ? item : naming_value(item, &key);
	return value != NULL && value->kind == NODE_SCALAR && slice_equal(value->text, name);
}

/* The key that names the items of this list: as its neighbours do, else `id` in a section and `rep` further down. */
static const char *naming_key(const struct node *list, int depth)
{
	const char *key = depth <= 1 ? "id" : "rep";
	for (size_t i = 0; i < list->count; i++)
		if (naming_value(list->items[i], &key) != NULL)
			break;
	return key;
}

static struct node *copy_of(const struct node *node, size_t room, struct arena *arena)
{
	struct node *copy = arena_alloc(arena, sizeof *copy);
	*copy = *node;
	copy->count = 0;
	copy->items = arena_array(arena, room, sizeof *copy->items);
	copy->members = arena_array(arena, room, sizeof *copy->members);
	return copy;
}

static void add_member(struct node *mapping, struct node_member member)
{
	((struct node_member *)(uintptr_t)mapping->members)[mapping->count++] = member;
}

static void add_item(struct node *list, const struct node *item)
{
	((const struct node **)(uintptr_t)list->items)[list->count++] = item;
}

/* {id: NAME, …} with the place of the patch. */
static const struct node *named_item(const struct node *name, const char *key, const struct node *value, struct arena *arena)
{
	if (value->kind != NODE_MAPPING)
		return value;
	struct node *key_node = arena_alloc(arena, sizeof *key_node);
	*key_node = (struct node){.kind = NODE_SCALAR, .span = name->span, .text = slice_of(key)};
	struct node *item = copy_of(value, value->count + 1, arena);
	add_member(item, (struct node_member){key_node, name});
	for (size_t i = 0; i < value->count; i++)
		add_member(item, value->members[i]);
	return item;
}

static const struct node *patch_at(const struct node *base, const struct node *patch, int depth, struct arena *arena);

static const struct node *patch_item(const struct node *item, const struct node *name, const char *key,
                                     const struct node *patch, int depth, struct arena *arena)
{
	if (item->kind == NODE_SCALAR)
		return named_item(name, key, patch, arena);
	return patch_at(item, patch, depth + 1, arena);
}

static const struct node *patch_list(const struct node *base, const struct node *patch, int depth, struct arena *arena)
{
	struct node *list = copy_of(base, base->count + patch->count, arena);
	const char *key = naming_key(base, depth);
	bool *is_used = arena_array(arena, patch->count, sizeof *is_used);
	for (size_t i = 0; i < base->count; i++) {
		const struct node *item = base->items[i];
		for (size_t j = 0; j < patch->count && item != NULL; j++) {
			const struct node_member *member = &patch->members[j];
			if (is_used[j] || !is_called(base->items[i], member->key->text))
				continue;
			is_used[j] = true;
			item = node_is_empty(member->value) ? NULL : patch_item(item, member->key, key, member->value, depth, arena);
			break;
		}
		if (item != NULL)
			add_item(list, item);
	}
	for (size_t j = 0; j < patch->count; j++)
		if (!is_used[j] && !node_is_empty(patch->members[j].value))
			add_item(list, named_item(patch->members[j].key, key, patch->members[j].value, arena));
	return list;
}

static const struct node *patch_mapping(const struct node *base, const struct node *patch, int depth, struct arena *arena)
{
	struct node *mapping = copy_of(base, base->count + patch->count, arena);
	for (size_t i = 0; i < base->count; i++) {
		const struct node_member *over = node_find(patch, base->members[i].key->text);
		if (over == NULL)
			add_member(mapping, base->members[i]);
		else if (!node_is_empty(over->value))
			add_member(mapping,
			           (struct node_member){base->members[i].key, patch_at(base->members[i].value, over->value, depth + 1, arena)});
	}
	for (size_t i = 0; i < patch->count; i++)
		if (node_find(base, patch->members[i].key->text) == NULL && !node_is_empty(patch->members[i].value))
			add_member(mapping, patch->members[i]);
	return mapping;
}

static const struct node *patch_at(const struct node *base, const struct node *patch, int depth, struct arena *arena)
{
	if (patch->kind == NODE_MAPPING && base->kind == NODE_MAPPING)
		return patch_mapping(base, patch, depth, arena);
	if (patch->kind == NODE_MAPPING && base->kind == NODE_SEQUENCE)
		return patch_list(base, patch, depth, arena);
	return patch;
}

const struct node *test_patch(const struct node *base, const struct node *patch, struct arena *arena)
{
	if (base == NULL)
		return patch;
	return patch != NULL ? patch_at(base, patch, 0, arena) : base;
}

/* ---- the directory */

struct test_site {
	const char *directory;
	struct arena arena;
	struct config_files *files;
	const struct node *root; /* NULL until it is read, and when it cannot be */
};

struct test_site *test_site_new(const char *directory)
{
	struct test_site *site = xcalloc(1, sizeof *site);
	site->directory = arena_strdup(&site->arena, directory);
	return site;
}

void test_site_free(struct test_site *site)
{
	if (site == NULL)
		return;
	config_files_free(site->files);
	arena_done(&site->arena);
	free(site);
}

static bool site_read(struct test_site *site, struct diags *diags)
{
	if (site->root != NULL)
		return true;
	diags_set_directory(diags, site->directory);
	config_files_free(site->files);
	site->files = config_files_new(site->directory);
	size_t errors = diags_error_count(diags);
	bool is_whole;
	const struct node *root = config_files_tree(site->files, &site->arena, diags, &is_whole);
	if (diags_error_count(diags) != errors)
		return false;
	site->root = root;
	return true;
}

/* ---- models */

static bool is_one_of(struct slice name, const char *const *names, struct suggest *suggest)
{
	for (; *names != NULL; names++) {
		if (slice_is(name, *names))
			return true;
		suggest_offer(suggest, slice_of(*names));
	}
	return false;
}

static void check_sections(const struct node *root, bool may_be_daemons, struct diags *diags)
{
	static const char *const none[] = {NULL};
	assert(root->kind == NODE_MAPPING); /* nothing can lie over a mapping but a mapping */
	for (size_t i = 0; i < root->count; i++) {
		const struct node *key = root->members[i].key;
		struct suggest suggest = suggest_for(key->text);
		if (is_one_of(key->text, model_sections(), &suggest) ||
		    is_one_of(key->text, may_be_daemons ? config_sections() : none, &suggest))
			continue;
		struct diag *diag = diags_add(diags, ERR_UNKNOWN_KEY, key->span, "there is no section `%.*s` of rules",
		                              SLICE_ARG(key->text));
		diag_did_you_mean(diags, diag, suggest.best);
	}
}

static int read_for_test(void *ctx, struct slice path, bool is_secret, struct arena *arena, struct slice *ret_bytes,
                         struct err *err)
{
	const struct model_files *files = ctx;
	if (!is_secret)
		return files->read(files->ctx, path, false, arena, ret_bytes, err);
	*ret_bytes = SLICE("the identity key of tests is no secret at all");
	return 0;
}

static struct config_files *files_beside(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *directory = slash == NULL ? xstrdup(".") : xmemdupz(path, (size_t)(slash - path) + (slash == path));
	struct config_files *files = config_files_new(directory);
	free(directory);
	return files;
}

static void put_hash(const struct test_file *file, struct model *model)
{
	uint8_t digest[SHA256_BYTES];
	hash_sha256_parts(&file->source->text, 1, digest);
	hash_hex(digest, 8, model->config_hash);
}

/* Takes `rules` with its root set. */
static struct test_rules *build(struct test_rules *rules, const struct test_file *file, struct test_site *site,
                                struct diags *diags)
{
	size_t errors = diags_error_count(diags);
	struct config_files *beside = file->config != NULL ? files_beside(file->path) : NULL;
	struct model_files files = config_files_reader(beside != NULL ? beside : site->files);
	struct model_files reader = {read_for_test, &files};
	check_sections(rules->root, file->config == NULL, diags);
	rules->model = model_build(rules->root, &reader, &rules->arena, diags);
	config_files_free(beside);
	if (rules->model != NULL)
		put_hash(file, rules->model);
	if (rules->model != NULL && diags_error_count(diags) == errors)
		return rules;
	test_rules_free(rules);
	return NULL;
}

struct test_rules *test_rules_patched(const struct test_file *file, struct test_site *site, const struct node *root,
                                      const struct node *patch, struct diags *diags)
{
	struct test_rules *rules = xcalloc(1, sizeof *rules);
	rules->root = test_patch(root, patch, &rules->arena);
	return build(rules, file, site, diags);
}

/* What lies under inline rules, so that no test has to name a secret. */
static const struct node *built_in(struct arena *arena, struct diags *diags)
{
	return yaml_read(source_new(arena, "built in", SLICE("dedup: {identity_key_file: of-tests.key}")), arena, diags);
}

struct test_rules *test_rules_of_file(struct test_file *file, struct test_site *site, struct diags *diags)
{
	if (file->config != NULL) {
		const struct node *root = test_patch(built_in(&file->arena, diags), file->config, &file->arena);
		return test_rules_patched(file, site, root, file->override, diags);
	}
	if (!site_read(site, diags))
		return NULL;
	return test_rules_patched(file, site, site->root, file->override, diags);
}

void test_rules_free(struct test_rules *rules)
{
	if (rules == NULL)
		return;
	model_done(rules->model);
	arena_done(&rules->arena);
	free(rules);
}
