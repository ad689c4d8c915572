/* SPDX-License-Identifier: Apache-2.0
 *
 * Sections tenants and cleanse.
 */
#include <stdlib.h>

#include "rules/base/arena.h"
#include "rules/base/err.h"
#include "rules/base/suggest.h"
#include "rules/csv.h"
#include "rules/json.h"
#include "rules/model_build.h"
#include "rules/text/country.h"
#include "rules/text/normalise.h"
#include "rules/text/region.h"

enum { TENANTS_MAX = 100000, ALIASES_MAX = 20000 };
enum { REGION_JSON_BYTES = 16 << 20, REGION_JSON_DEPTH = 8, REGION_JSON_VALUES = 500000 };

void model_build_tenants(struct model_builder *builder)
{
	const struct node *list = model_section(builder, "tenants", NODE_SEQUENCE);
	if (list == NULL)
		return;
	if (list->count > TENANTS_MAX) {
		diags_add(builder->diags, ERR_TOO_MANY, list->span, "more than %d tenants", TENANTS_MAX);
		return;
	}
	struct slice *tenants = arena_array(builder->arena, list->count, sizeof *tenants);
	struct model_names names;
	model_names_init(&names, "tenant");
	for (size_t i = 0; i < list->count; i++)
		if (model_read_name(builder, list->items[i], "a tenant", &tenants[i]))
			model_names_add(builder, &names, tenants[i], list->items[i]);
	model_names_done(&names);
	builder->model->tenants = tenants;
	builder->model->tenant_count = list->count;
}

/* ---- sources */

struct vocabulary_builder {
	struct model_builder *builder;
	struct slice *names;
	struct vocabulary_alias *aliases;
	const struct node **alias_nodes; /* NULL: built in */
	size_t count, alias_count;
};

static const struct node *node_of_alias(const struct vocabulary_builder *words, struct slice folded, size_t *ret_name)
{
	for (size_t i = 0; i < words->alias_count; i++)
		if (slice_equal(words->aliases[i].folded, folded)) {
			*ret_name = words->aliases[i].name;
			return words->alias_nodes[i];
		}
	*ret_name = SIZE_MAX;
	return NULL;
}

static void store_spelling(struct vocabulary_builder *words, struct slice folded, size_t name, const struct node *node)
{
	words->alias_nodes[words->alias_count] = node;
	words->aliases[words->alias_count++] = (struct vocabulary_alias){folded, name};
}

/* A spelling of name number `name`; the same spelling for two names is an error. */
static void add_spelling(struct vocabulary_builder *words, struct slice text, size_t name, const struct node *node)
{
	struct slice folded = text_key(words->builder->arena, text);
	size_t other;
	const struct node *first = node_of_alias(words, folded, &other);
	if (other == name)
		return;
	if (other != SIZE_MAX) {
		struct diag *diag = diags_add(words->builder->diags, ERR_DUPLICATE, node->span,
		                              "`%.*s` already stands for the source `%.*s`", SLICE_ARG(text),
		                              SLICE_ARG(words->names[other]));
		if (first != NULL)
			diag_second(words->builder->diags, diag, first->span, "first defined here");
		return;
	}
	if (folded.len == 0) {
		diags_add(words->builder->diags, ERR_BAD_NAME, node->span, "a source needs a letter or digit");
		return;
	}
	store_spelling(words, folded, name, node);
}

static void add_source(struct vocabulary_builder *words, const struct node *key, const struct node *aliases)
{
	struct model_builder *builder = words->builder;
	struct slice text;
	size_t name = words->count;
	if (slice_is(key->text, "other"))
		name = 0;
	else if (model_read_name(builder, key, "a source", &text))
		words->names[words->count++] = text;
	else
		return;
	add_spelling(words, words->names[name], name, key);
	if (aliases == NULL || node_is_empty(aliases) || !node_expect_sequence(aliases, "aliases of a source", builder->diags))
		return;
	for (size_t i = 0; i < aliases->count; i++)
		if (model_read_name(builder, aliases->items[i], "an alias", &text))
			add_spelling(words, text, name, aliases->items[i]);
}

static size_t count_spellings(const struct node *sources)
{
	size_t count = sources->count;
	for (size_t i = 0; sources->kind == NODE_MAPPING && i < sources->count; i++)
		count += sources->members[i].value->count;
	return count;
}

static int by_folded(const void *left, const void *right)
{
	const struct vocabulary_alias *a = left, *b = right;
	return slice_compare(a->folded, b->folded);
}

/* A list of names, or a mapping of names to lists of aliases. "other" is always the first word. */
static void read_sources(struct model_builder *builder, const struct node *sources)
{
	static const struct node none = {.kind = NODE_SEQUENCE};
	if (sources == NULL)
		sources = &none;
	else if (sources->kind == NODE_SCALAR && !node_expect_mapping(sources, "cleanse.sources", builder->diags))
		return;
	size_t spellings = count_spellings(sources) + 1;
	if (sources->count > MODEL_SOURCES_MAX || spellings > ALIASES_MAX) {
		diags_add(builder->diags, ERR_TOO_MANY, sources->span, "more than %d sources or %d aliases", MODEL_SOURCES_MAX,
		          ALIASES_MAX);
		return;
	}
	struct vocabulary_builder words = {
		.builder = builder,
		.names = arena_array(builder->arena, sources->count + 1, sizeof *words.names),
		.aliases = arena_array(builder->arena, spellings, sizeof *words.aliases),
		.alias_nodes = arena_array(&builder->scratch, spellings, sizeof *words.alias_nodes),
		.count = 1,
	};
	words.names[0] = SLICE("other");
	store_spelling(&words, text_key(builder->arena, words.names[0]), 0, NULL);
	for (size_t i = 0; i < sources->count; i++) {
		if (sources->kind == NODE_MAPPING)
			add_source(&words, sources->members[i].key, sources->members[i].value);
		else if (sources->items[i]->kind == NODE_SCALAR)
			add_source(&words, sources->items[i], NULL);
		else
			diags_add(builder->diags, ERR_WRONG_TYPE, sources->items[i]->span, "a source must be text");
	}
	qsort(words.aliases, words.alias_count, sizeof *words.aliases, by_folded);
	builder->model->sources = (struct vocabulary){words.names, words.count, words.aliases, words.alias_count};
}

/* ---- regions */

static void bad_regions(struct model_builder *builder, const struct node *node, const char *why)
{
	diags_add(builder->diags, ERR_BAD_TABLE, node->span, "the table of regions: %s", why);
}

/* The file of the iso-codes package: {"3166-2": [{"code": "DE-BY", "name": "Bayern", …}, …]}. */
static void read_regions_json(struct model_builder *builder, const struct node *node, struct slice bytes)
{
	struct err err = ERR_INIT;
	struct json_limits limits = {REGION_JSON_BYTES, REGION_JSON_DEPTH, REGION_JSON_VALUES};
	const struct json *root = json_read(bytes, limits, &builder->scratch, &err);
	const struct json *rows = root ? json_get(root, "3166-2") : NULL;
	if (root == NULL) {
		bad_regions(builder, node, err.text);
		return;
	}
	if (rows == NULL || rows->type != JSON_IS_ARRAY) {
		bad_regions(builder, node, "it has no list \"3166-2\", as the file of the iso-codes package has");
		return;
	}
	for (size_t i = 0; i < rows->count; i++) {
		struct slice code = json_get_text(&rows->items[i], "code"), name = json_get_text(&rows->items[i], "name");
		struct slice country = {code.p, code.len < 2 ? code.len : 2};
		if (region_table_add(builder->model->regions, country, code, name) != 0) {
			diags_add(builder->diags, ERR_BAD_TABLE, node->span, "the table of regions: row %zu (`%.*s`) is malformed",
			          i + 1, SLICE_ARG(code));
			return;
		}
	}
}

static void read_regions_csv(struct model_builder *builder, const struct node *node, struct slice bytes)
{
	const struct source *source = source_new(&builder->scratch, node->text.p, bytes);
	struct csv csv;
	struct csv_row row;
	enum csv_result result;
	csv_init(&csv, source->text, &builder->scratch);
	bool is_header = true;
	while ((result = csv_next(&csv, &row)) == CSV_ROW) {
		bool is_fine = row.count == 3;
		if (is_header)
			is_fine = is_fine && slice_is(row.fields[0].value, "country") && slice_is(row.fields[1].value, "code") &&
			          slice_is(row.fields[2].value, "name");
		else
			is_fine = is_fine && region_table_add(builder->model->regions, row.fields[0].value, row.fields[1].value,
			                                      row.fields[2].value) == 0;
		if (!is_fine) {
			struct source_span span = {source, row.offset, csv.at - row.offset};
			diags_add(builder->diags, ERR_BAD_TABLE, span,
			          is_header ? "the header must be country,code,name" : "not a row of country,code,name");
			return;
		}
		is_header = false;
	}
	if (result == CSV_BAD)
		diags_add(builder->diags, ERR_BAD_TABLE, (struct source_span){source, csv.problem_at, 1}, "%s", csv.problem);
}

static void read_regions(struct model_builder *builder, const struct node *node)
{
	struct slice path, bytes, json = SLICE(".json");
	struct err err = ERR_INIT;
	if (node == NULL || !node_read_text(node, "cleanse.regions", builder->diags, &path))
		return;
	if (builder->files->read(builder->files->ctx, path, false, &builder->scratch, &bytes, &err) != 0) {
		diags_add(builder->diags, err.code, node->span, "%s", err.text);
		return;
	}
	builder->model->regions = region_table_new(builder->arena);
	if (path.len > json.len && slice_equal((struct slice){path.p + path.len - json.len, json.len}, json))
		read_regions_json(builder, node, bytes);
	else
		read_regions_csv(builder, node, bytes);
}

/* ---- cleanse */

static void read_default_country(struct model_builder *builder, const struct node *node)
{
	struct slice text;
	builder->model->default_country = SLICE("");
	if (node == NULL || !node_read_text(node, "cleanse.default_country", builder->diags, &text))
		return;
	const char *code = country_lookup(builder->model->countries, text);
	if (code != NULL)
		builder->model->default_country = slice_of(code);
	else
		diags_add(builder->diags, ERR_BAD_VALUE, node->span, "no country has the code or name `%.*s`", SLICE_ARG(text));
}

/* A list of words, each of which sets one flag. */
struct flag {
	const char *word;
	bool *is_set;
};

static void read_flags(struct model_builder *builder, const struct node *list, const char *what, const struct flag *flags,
                       size_t flag_count)
{
	if (list == NULL || !node_expect_sequence(list, what, builder->diags))
		return;
	for (size_t i = 0; i < flag_count; i++)
		*flags[i].is_set = false;
	for (size_t i = 0; i < list->count; i++) {
		struct slice text;
		size_t flag = 0;
		if (!node_read_text(list->items[i], what, builder->diags, &text))
			continue;
		while (flag < flag_count && !slice_is(text, flags[flag].word))
			flag++;
		if (flag < flag_count) {
			*flags[flag].is_set = true;
			continue;
		}
		struct suggest suggest = suggest_for(text);
		for (size_t f = 0; f < flag_count; f++)
			suggest_offer(&suggest, slice_of(flags[f].word));
		struct diag *diag = diags_add(builder->diags, ERR_BAD_VALUE, list->items[i]->span, "%s cannot have `%.*s`", what,
		                              SLICE_ARG(text));
		diag_did_you_mean(builder->diags, diag, suggest.best);
	}
}

void model_build_cleanse(struct model_builder *builder)
{
	static const char *const known[] = {"default_country", "require", "sources", "regions", NULL};
	struct model *model = builder->model;
	const struct node *section = model_section(builder, "cleanse", NODE_MAPPING);
	const struct flag required[] = {
		{"email", &model->require_email}, {"phone", &model->require_phone}, {"company", &model->require_company}};
	if (section != NULL)
		node_check_keys(section, known, "cleanse", builder->diags);
	read_default_country(builder, node_get(section, "default_country"));
	read_flags(builder, node_get(section, "require"), "cleanse.require", required, 3);
	read_sources(builder, node_get(section, "sources"));
	read_regions(builder, node_get(section, "regions"));
}
