/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/generation.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config.h"
#include "daemon/config_files.h"
#include "daemon/tzdata.h"
#include "rules/base/arena.h"
#include "rules/base/diag.h"
#include "rules/base/mem.h"
#include "rules/base/suggest.h"
#include "rules/json/tree.h"
#include "rules/model.h"

enum { GENERATION_MAGIC = 0x47454e31 };

struct generation {
	unsigned magic;
	unsigned references;
	struct arena arena; /* the tree, the options and the model */
	const struct config *config;
	struct model *model;
	void *part;
	void (*free_part)(void *part);
};

static bool is_section(struct slice name, const char *const *sections, struct suggest *suggest)
{
	for (; *sections != NULL; sections++) {
		if (slice_is(name, *sections))
			return true;
		suggest_offer(suggest, slice_of(*sections));
	}
	return false;
}

/* Each section belongs to the daemon or to the rules; any other is a mistake. */
static void check_sections(const struct node *root, struct diags *diags)
{
	for (size_t i = 0; i < root->count; i++) {
		const struct node *key = root->members[i].key;
		struct suggest suggest = suggest_for(key->text);
		if (is_section(key->text, config_sections(), &suggest) || is_section(key->text, model_sections(), &suggest))
			continue;
		struct diag *diag = diags_add(diags, ERR_UNKNOWN_KEY, key->span, "there is no section `%.*s`", SLICE_ARG(key->text));
		diag_did_you_mean(diags, diag, suggest.best);
	}
}

/* Not to be said when part of a file could not be read: what seems to be missing may stand there. */
static bool may_be_consequence(enum diag_severity severity, enum err_code code, const char *message)
{
	switch (code) {
	case ERR_MISSING_KEY:
	case ERR_UNKNOWN_REFERENCE:
	case ERR_NO_CATCH_ALL:
	case ERR_EMPTY_TEAM:
	case ERR_BAND_GAP:
	case ERR_NO_SUCH_AREA:
		return true;
	case ERR_CEL_UNKNOWN_FIELD: /* the fields of these two are what the configuration defines */
		return strstr(message, " on territory") != NULL || strstr(message, " on rep.attributes") != NULL;
	default:
		return severity == DIAG_WARNING;
	}
}

static void build(struct generation *generation, struct config_files *files, struct diags *diags)
{
	bool is_whole;
	const struct node *root = config_files_tree(files, &generation->arena, diags, &is_whole);
	struct model_files reader = config_files_reader(files);
	if (root == NULL)
		return;
	if (!is_whole)
		diags_leave_out(diags, may_be_consequence);
	check_sections(root, diags);
	generation->config = config_build(root, &reader, &generation->arena, diags);
	generation->model = model_build(root, &reader, &generation->arena, diags);
	if (generation->model == NULL)
		return;
	config_files_hash(files, generation->model->config_hash);
	snprintf(generation->model->tzdata_version, sizeof generation->model->tzdata_version, "%s", tzdata_version());
}

struct generation *generation_load(const char *directory, struct diags *diags)
{
	size_t errors = diags_error_count(diags);
	struct generation *generation = xcalloc(1, sizeof *generation);
	struct config_files *files = config_files_new(directory);
	generation->magic = GENERATION_MAGIC;
	generation->references = 1;
	diags_set_directory(diags, directory);
	build(generation, files, diags);
	config_files_free(files);
	if (diags_error_count(diags) == errors)
		return generation;
	generation_unref(generation);
	return NULL;
}

struct generation *generation_ref(struct generation *generation)
{
	assert(generation->magic == GENERATION_MAGIC);
	generation->references++;
	return generation;
}

void generation_unref(struct generation *take_generation)
{
	struct generation *generation = take_generation;
	if (generation == NULL)
		return;
	assert(generation->magic == GENERATION_MAGIC && generation->references > 0);
	if (--generation->references != 0)
		return;
	if (generation->part != NULL)
		generation->free_part(generation->part);
	model_done(generation->model);
	arena_done(&generation->arena);
	generation->magic = 0;
	free(generation);
}

const struct model *generation_model(const struct generation *generation)
{
	return generation->model;
}

const struct config *generation_config(const struct generation *generation)
{
	return generation->config;
}

void generation_attach(struct generation *generation, void *take_part, void (*free_part)(void *part))
{
	assert(generation->part == NULL);
	generation->part = take_part;
	generation->free_part = free_part;
}

void *generation_part(const struct generation *generation)
{
	return generation->part;
}
