/* SPDX-License-Identifier: Apache-2.0
 *
 * Sections tenants and cleanse.
 */
#include <stdlib.h>

#include "rules/base/arena.h"
#include "rules/base/err.h"
#include "rules/base/suggest.h"
#include "rules/csv.h"
#include "rules/json/json.h"
#include "rules/model/model_build.h"
#include "rules/text/country.h"
#include "rules/text/normalise.h"
#include "rules/text/region.h"

enum { TENANTS_MAX = 100000 };
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
	static const char *const known[] = {"default_country", "require", "required", "sources", "vocabularies", "regions", "lead_no", NULL};
	struct model *model = builder->model;
	const struct node *section = model_section(builder, "cleanse", NODE_MAPPING);
	const struct flag required[] = {
		{"email", &model->require_email}, {"phone", &model->require_phone}, {"company", &model->require_company}};
	if (section != NULL)
		node_check_keys(section, known, "cleanse", builder->diags);
	read_default_country(builder, node_get(section, "default_country"));
	read_flags(builder, node_get(section, "require"), "cleanse.require", required, 3);
	model_read_vocabulary(builder, node_get(section, "sources"), "source", "other", &model->sources);
	model_build_intake(builder, section);
	read_regions(builder, node_get(section, "regions"));
}
