/* SPDX-License-Identifier: Apache-2.0
 *
 * Sections tenants, cleanse and dedup.
 */
#include <stdlib.h>

#include "rules/base/arena.h"
#include "rules/base/err.h"
#include "rules/base/suggest.h"
#include "rules/csv.h"
#include "rules/json.h"
#include "rules/model_build.h"
#include "rules/span.h"
#include "rules/text/country.h"
#include "rules/text/normalise.h"
#include "rules/text/region.h"

enum { TENANTS_MAX = 100000, ALIASES_MAX = 20000, SECRET_BYTES_MIN = 32 };
enum { REGION_JSON_BYTES = 16 << 20, REGION_JSON_DEPTH = 8, REGION_JSON_VALUES = 500000 };

static const int64_t DAY_MS = 86400000;

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

/* ---- dedup */

/* Deduplication looks back over elapsed time: business time would make two leads duplicates depending on a calendar. */
static void read_window(struct model_builder *builder, const struct node *node)
{
	struct slice text;
	struct span span;
	struct err err = ERR_INIT;
	if (node == NULL || !node_read_text(node, "dedup.window", builder->diags, &text) || slice_is(text, "forever"))
		return;
	if (span_parse(text, &span, &err) != 0)
		diags_add(builder->diags, err.code, node->span, "%s", err.text);
	else if (span.business_days != 0 || span.business_ms != 0 || span_is_zero(&span))
		diags_add(builder->diags, ERR_BAD_SPAN, node->span, "dedup.window is plain time (90d, 12h) or `forever`");
	else
		builder->model->dedup_window_ms = span.days * DAY_MS + span.elapsed_ms;
}

static void read_secret(struct model_builder *builder, const struct node *node)
{
	struct slice path, bytes;
	struct err err = ERR_INIT;
	struct diag *diag;
	if (!node_read_text(node, "dedup.identity_key_file", builder->diags, &path))
		return;
	if (builder->files->read(builder->files->ctx, path, true, builder->arena, &bytes, &err) != 0) {
		diag = diags_add(builder->diags, err.code, node->span, "%s", err.text);
		if (err.code == ERR_CONFIG_READ)
			diag_help(builder->diags, diag, "make one: (umask 077; head -c 32 /dev/urandom | base64 > identity.key)");
		return;
	}
	while (bytes.len > 0 && strchr("\r\n", bytes.p[bytes.len - 1]) != NULL)
		bytes.len--;
	if (bytes.len < SECRET_BYTES_MIN) {
		diag = diags_add(builder->diags, ERR_WEAK_KEY, node->span, "the identity key has %zu bytes, at least %d are needed",
		                 bytes.len, SECRET_BYTES_MIN);
		diag_help(builder->diags, diag, "make one: (umask 077; head -c 32 /dev/urandom | base64 > identity.key)");
		return;
	}
	model_set_secret(builder->model, bytes);
}

static void read_key_id(struct model_builder *builder, const struct node *node)
{
	struct slice text;
	builder->model->identity_key_id = SLICE("k1");
	if (node == NULL || !node_read_text(node, "dedup.identity_key_id", builder->diags, &text))
		return;
	bool is_fine = text.len <= MODEL_KEY_ID_BYTES_MAX;
	for (size_t i = 0; is_fine && i < text.len; i++)
		is_fine = (text.p[i] >= 'a' && text.p[i] <= 'z') || (text.p[i] >= '0' && text.p[i] <= '9');
	if (is_fine)
		builder->model->identity_key_id = text;
	else
		diags_add(builder->diags, ERR_BAD_NAME, node->span, "dedup.identity_key_id is 1 to 8 of a-z and 0-9");
}

void model_build_dedup(struct model_builder *builder)
{
	static const char *const known[] = {"window",   "by", "gmail_dots", "plus_tag", "identity_key_file", "identity_key_id",
	                                    NULL};
	struct model *model = builder->model;
	const struct node *section = model_section(builder, "dedup", NODE_MAPPING), *written = node_get(builder->root, "dedup");
	bool has_section = written != NULL && !node_is_empty(written);
	const struct flag by[] = {{"email", &model->dedup_email}, {"phone", &model->dedup_phone}};
	const struct node *gmail = node_get(section, "gmail_dots"), *plus = node_get(section, "plus_tag");
	model->dedup_email = model->dedup_phone = true;
	if (section != NULL)
		node_check_keys(section, known, "dedup", builder->diags);
	read_window(builder, node_get(section, "window"));
	read_flags(builder, node_get(section, "by"), "dedup.by", by, 2);
	if (gmail != NULL)
		node_read_bool(gmail, "dedup.gmail_dots", builder->diags, &model->match_gmail_dots);
	if (plus != NULL)
		node_read_bool(plus, "dedup.plus_tag", builder->diags, &model->match_plus_tag);
	read_key_id(builder, node_get(section, "identity_key_id"));
	const struct node *secret = node_get(section, "identity_key_file");
	if (secret != NULL)
		read_secret(builder, secret);
	else if (section != NULL || !has_section)
		diags_add(builder->diags, ERR_MISSING_KEY, section ? section->span : builder->root->span,
		          "dedup needs an `identity_key_file`: e-mails and phones are kept as digests under that key only");
}
