/* SPDX-License-Identifier: Apache-2.0
 *
 * Section territories: tables of rows in the YAML, or in a CSV file with the header country,region,postal_prefix,area
 * (in any order; only `area` must be there).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/base/arena.h"
#include "rules/base/mem.h"
#include "rules/base/suggest.h"
#include "rules/csv.h"
#include "rules/model/model_build.h"
#include "rules/schema.h"
#include "rules/territory.h"
#include "rules/text/country.h"
#include "rules/text/region.h"

enum { COLUMN_COUNTRY, COLUMN_REGION, COLUMN_POSTAL_PREFIX, COLUMN_AREA, COLUMNS };

static const char *const columns[COLUMNS + 1] = {"country", "region", "postal_prefix", "area", NULL};

/* The rows of one table with the place of each; on the heap during the build. */
struct rows {
	struct territory_row *items;
	struct source_span *places;
	size_t count, capacity;
	bool has_bad; /* one was told of, and left out */
};

/* All that is wrong with a table is told, but not with a giant one: each problem costs a build of the table. */
enum { ROW_PROBLEMS_MAX = 20, MANY_ROWS = 100000 };

static struct slice *cell_of(struct territory_row *row, size_t column)
{
	switch (column) {
	case COLUMN_COUNTRY:
		return &row->country;
	case COLUMN_REGION:
		return &row->region;
	case COLUMN_POSTAL_PREFIX:
		return &row->postal_prefix;
	default:
		return &row->area;
	}
}

static struct territory_row *rows_add(struct rows *rows, struct source_span place)
{
	if (rows->count == rows->capacity) {
		rows->capacity = rows->capacity ? rows->capacity * 2 : 64;
		rows->items = xreallocarray(rows->items, rows->capacity, sizeof *rows->items);
		rows->places = xreallocarray(rows->places, rows->capacity, sizeof *rows->places);
	}
	rows->places[rows->count] = place;
	rows->items[rows->count] = (struct territory_row){SLICE_NONE, SLICE_NONE, SLICE_NONE, SLICE_NONE};
	return &rows->items[rows->count++];
}

/* ---- CSV */

struct csv_table {
	struct model_builder *builder;
	const struct source *source;
	struct csv csv;
	struct csv_row row;
	size_t column_of[CSV_FIELDS_MAX];
	size_t field_count;
};

static struct source_span field_span(const struct csv_table *table, size_t field)
{
	return (struct source_span){table->source, table->row.fields[field].offset, table->row.fields[field].len};
}

static bool read_header_field(struct csv_table *table, size_t field)
{
	struct slice name = table->row.fields[field].value;
	struct suggest suggest = suggest_for(name);
	for (size_t column = 0; column < COLUMNS; column++) {
		if (slice_is(name, columns[column])) {
			table->column_of[field] = column;
			return true;
		}
		suggest_offer(&suggest, slice_of(columns[column]));
	}
	struct diag *diag = diags_add(table->builder->diags, ERR_BAD_TABLE, field_span(table, field),
	                              "a territory table has no column `%.*s`", SLICE_ARG(name));
	diag_did_you_mean(table->builder->diags, diag, suggest.best);
	diag_note(table->builder->diags, diag, "columns: country, region, postal_prefix, area");
	return false;
}

static bool read_header(struct csv_table *table)
{
	bool has_column[COLUMNS] = {false};
	table->field_count = table->row.count;
	for (size_t i = 0; i < table->row.count; i++) {
		if (!read_header_field(table, i))
			return false;
		if (has_column[table->column_of[i]]) {
			diags_add(table->builder->diags, ERR_DUPLICATE, field_span(table, i), "the column appears twice");
			return false;
		}
		has_column[table->column_of[i]] = true;
	}
	if (!has_column[COLUMN_AREA])
		diags_add(table->builder->diags, ERR_BAD_TABLE, (struct source_span){table->source, table->row.offset, 0},
		          "the header names no column `area`");
	return has_column[COLUMN_AREA];
}

/* false: the rest need not be read. */
static bool add_csv_row(struct csv_table *table, struct rows *rows)
{
	struct source_span place = {table->source, table->row.offset, table->csv.at - table->row.offset};
	if (table->row.count != table->field_count) {
		diags_add(table->builder->diags, ERR_BAD_TABLE, place, "%zu fields here, but %zu in the header", table->row.count,
		          table->field_count);
		rows->has_bad = true;
		return true;
	}
	if (rows->count == TERRITORY_ROWS_MAX) {
		diags_add(table->builder->diags, ERR_TOO_MANY, place, "more than %d rows", TERRITORY_ROWS_MAX);
		return false;
	}
	struct territory_row *row = rows_add(rows, place);
	for (size_t i = 0; i < table->row.count; i++)
		*cell_of(row, table->column_of[i]) = table->row.fields[i].value;
	return true;
}

static bool read_csv_rows(struct csv_table *table, struct rows *rows)
{
	enum csv_result result = csv_next(&table->csv, &table->row);
	if (result == CSV_ROW && !read_header(table))
		return false;
	while (result == CSV_ROW && (result = csv_next(&table->csv, &table->row)) == CSV_ROW)
		if (!add_csv_row(table, rows))
			return false;
	if (result == CSV_BAD)
		diags_add(table->builder->diags, ERR_BAD_TABLE, (struct source_span){table->source, table->csv.problem_at, 1}, "%s",
		          table->csv.problem);
	return result != CSV_BAD;
}

static bool read_csv(struct model_builder *builder, const struct node *node, struct rows *rows)
{
	struct slice path, bytes;
	struct err err = ERR_INIT;
	if (!node_read_text(node, "the name of a CSV file", builder->diags, &path))
		return false;
	if (builder->files->read(builder->files->ctx, path, false, &builder->scratch, &bytes, &err) != 0) {
		diags_add(builder->diags, err.code, node->span, "%s", err.text);
		return false;
	}
	struct csv_table table = {.builder = builder, .source = source_new(&builder->scratch, path.p, bytes)};
	csv_init(&table.csv, table.source->text, &builder->scratch);
	return read_csv_rows(&table, rows);
}

/* ---- rows in the YAML */

static bool read_yaml_row(struct model_builder *builder, const struct node *node, struct rows *rows)
{
	bool is_fine = node_expect_mapping(node, "a row of a territory table", builder->diags) &&
	               node_check_keys(node, columns, "a row of a territory table", builder->diags);
	if (!is_fine || node_require(node, "area", "a row of a territory table", builder->diags) == NULL)
		return false;
	struct territory_row *row = rows_add(rows, node->span);
	for (size_t i = 0; i < COLUMNS; i++) {
		const struct node *cell = node_get(node, columns[i]);
		if (cell != NULL && !node_read_text(cell, columns[i], builder->diags, cell_of(row, i)))
			is_fine = false;
	}
	return is_fine;
}

static bool read_yaml_rows(struct model_builder *builder, const struct node *list, struct rows *rows)
{
	if (!node_expect_sequence(list, "rows", builder->diags))
		return false;
	for (size_t i = 0; i < list->count; i++)
		rows->has_bad |= !read_yaml_row(builder, list->items[i], rows);
	return true;
}

/* ---- rows of either form */

static bool read_rows(struct model_builder *builder, const struct node *node, struct rows *rows)
{
	static const char *const known[] = {"csv", "rows", NULL};
	if (node->kind == NODE_SEQUENCE)
		return read_yaml_rows(builder, node, rows);
	if (!node_expect_mapping(node, "a territory table", builder->diags))
		return false;
	const struct node *csv = node_get(node, "csv"), *list = node_get(node, "rows");
	bool is_fine = node_check_keys(node, known, "a territory table", builder->diags);
	if (csv == NULL && list == NULL && is_fine)
		diags_add(builder->diags, ERR_MISSING_KEY, node->span, "a territory table needs `csv` or `rows`");
	if (csv == NULL && list == NULL)
		return false;
	if (csv != NULL)
		is_fine &= read_csv(builder, csv, rows);
	if (list != NULL)
		is_fine &= read_yaml_rows(builder, list, rows);
	return is_fine;
}

/* ---- places that no lead can be in */

/* Of a table whose rows are read one after the other. */
struct place_check {
	struct model_builder *builder;
	enum { COUNTRY_NEW, COUNTRY_GOOD, COUNTRY_BAD } countries[26 * 26]; /* by the two letters: each is looked up once */
	size_t told;
};

static struct slice upper_case(struct slice text, char *bytes)
{
	for (size_t i = 0; i < text.len; i++)
		bytes[i] = text.p[i] >= 'a' && text.p[i] <= 'z' ? (char)(text.p[i] - 'a' + 'A') : text.p[i];
	return (struct slice){bytes, text.len};
}

static bool is_alpha2(struct slice country)
{
	return country.len == 2 && country.p[0] >= 'A' && country.p[0] <= 'Z' && country.p[1] >= 'A' && country.p[1] <= 'Z';
}

static bool is_wordy(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Where the word stands in the row, if it is found in the row's first line. */
static struct source_span place_of_word(struct source_span row, struct slice word)
{
	const char *text = row.source != NULL ? row.source->text.p : NULL, *end = text != NULL ? text + row.source->text.len : NULL;
	const char *at = text != NULL ? text + row.offset : NULL;
	for (; at != NULL && at + word.len <= end && *at != '\n'; at++) {
		bool begins = at == text || !is_wordy(at[-1]), ends = at + word.len == end || !is_wordy(at[word.len]);
		if (begins && ends && memcmp(at, word.p, word.len) == 0)
			return (struct source_span){row.source, (size_t)(at - text), word.len};
	}
	return row;
}

static void tell_country(struct place_check *check, struct slice country, struct source_span row)
{
	struct diags *diags = check->builder->diags;
	struct source_span place = place_of_word(row, country);
	if (check->told++ >= ROW_PROBLEMS_MAX)
		return;
	const char *code = country_lookup(check->builder->model->countries, country);
	if (code == NULL) {
		diags_add(diags, ERR_BAD_VALUE, place, "no country has the code `%.*s`", SLICE_ARG(country));
		return;
	}
	struct diag *diag =
		diags_add(diags, ERR_BAD_VALUE, place, "no lead has the country `%.*s`: its code is another", SLICE_ARG(country));
	diag_help(diags, diag, "write \"%s\"", code);
}

/* Countries of leads become codes (cleanse.c): what is no code of ISO 3166-1 is not met. */
static bool is_country_met(struct place_check *check, struct slice country, struct source_span place)
{
	char bytes[2];
	struct slice folded = country.len == sizeof bytes ? upper_case(country, bytes) : country;
	size_t at = is_alpha2(folded) ? (size_t)(folded.p[0] - 'A') * 26 + (size_t)(folded.p[1] - 'A') : SIZE_MAX;
	if (at != SIZE_MAX && check->countries[at] == COUNTRY_NEW) {
		const char *code = country_lookup(check->builder->model->countries, folded);
		check->countries[at] = code != NULL && slice_is(folded, code) ? COUNTRY_GOOD : COUNTRY_BAD;
	}
	if (at != SIZE_MAX && check->countries[at] == COUNTRY_GOOD)
		return true;
	tell_country(check, country, place);
	return false;
}

/* A lead may keep a region that the table of regions does not know, so a row with one is only suspect. */
static void check_region(struct place_check *check, const struct territory_row *row, struct source_span place)
{
	enum { FULL_BYTES = 2 + 1 + TERRITORY_REGION_BYTES_MAX };
	const struct region_table *regions = check->builder->model->regions;
	struct diags *diags = check->builder->diags;
	char letters[2], bytes[TERRITORY_REGION_BYTES_MAX], full[FULL_BYTES + 1];
	if (regions == NULL || row->region.len > TERRITORY_REGION_BYTES_MAX || check->told >= ROW_PROBLEMS_MAX)
		return;
	struct slice country = upper_case(row->country, letters), region = upper_case(row->region, bytes);
	snprintf(full, sizeof full, "%.*s-%.*s", SLICE_ARG(country), SLICE_ARG(region));
	bool is_full = region.len > 3 && memcmp(full, region.p, 3) == 0; /* it begins with its country */
	if (region_name(regions, is_full ? region : slice_of(full)) != NULL)
		return;
	const char *code = region_lookup(regions, country, row->region);
	struct diag *diag = diags_warn(diags, ERR_BAD_VALUE, place, "the table of regions has no code `%.*s` of %.*s",
	                               SLICE_ARG(row->region), SLICE_ARG(country));
	if (code != NULL)
		diag_help(diags, diag, "write \"%s\"", code);
	check->told++;
}

static bool is_place_met(struct place_check *check, const struct territory_row *row, struct source_span place)
{
	if (territory_is_any(row->country))
		return true; /* territory_build says what may not stand beside it */
	if (!is_country_met(check, row->country, place))
		return false;
	if (!territory_is_any(row->region))
		check_region(check, row, place);
	return true;
}

/* Takes away the rows that no lead can be in. */
static void check_places(struct model_builder *builder, struct rows *rows)
{
	struct place_check check = {.builder = builder};
	size_t kept = 0;
	for (size_t i = 0; i < rows->count; i++) {
		if (!is_place_met(&check, &rows->items[i], rows->places[i]))
			continue;
		rows->items[kept] = rows->items[i];
		rows->places[kept++] = rows->places[i];
	}
	rows->has_bad |= kept != rows->count;
	rows->count = kept;
}

/* ---- tables */

static void report_row(struct model_builder *builder, const struct rows *rows, const struct territory_problem *problem)
{
	enum err_code code = problem->err.code == ERR_NONE ? ERR_BAD_TABLE : problem->err.code;
	struct diag *diag = diags_add(builder->diags, code, rows->places[problem->row], "%s", problem->err.text);
	if (problem->other_row != SIZE_MAX)
		diag_second(builder->diags, diag, rows->places[problem->other_row], "first defined here");
}

static void rows_remove(struct rows *rows, size_t at)
{
	rows->count--;
	memmove(rows->items + at, rows->items + at + 1, (rows->count - at) * sizeof *rows->items);
	memmove(rows->places + at, rows->places + at + 1, (rows->count - at) * sizeof *rows->places);
	rows->has_bad = true;
}

/* One build finds one problem: without its row the next one is found. */
static const struct territory *build_rows(struct model_builder *builder, struct rows *rows)
{
	size_t tries = rows->count <= MANY_ROWS ? ROW_PROBLEMS_MAX : 1;
	const struct territory *territory = NULL;
	for (size_t i = 0; i < tries && territory == NULL && rows->count != 0; i++) {
		struct territory_problem problem = {0, SIZE_MAX, ERR_INIT};
		territory = territory_build(rows->items, rows->count, builder->arena, &problem);
		if (territory != NULL)
			break;
		report_row(builder, rows, &problem);
		rows_remove(rows, problem.row);
	}
	return rows->has_bad ? NULL : territory;
}

static const struct territory *build_table(struct model_builder *builder, const struct node_member *member)
{
	struct rows rows = {NULL, NULL, 0, 0, false};
	const struct territory *territory = NULL;
	bool is_fine = read_rows(builder, member->value, &rows);
	if (is_fine && rows.count == 0 && !rows.has_bad)
		diags_add(builder->diags, ERR_BAD_TABLE, member->key->span, "the territory table `%.*s` has no rows",
		          SLICE_ARG(member->key->text));
	else if (is_fine) {
		check_places(builder, &rows);
		territory = build_rows(builder, &rows);
	}
	free(rows.items);
	free(rows.places);
	return territory;
}

/* It becomes the expression territory.NAME. */
static bool read_table_name(struct model_builder *builder, const struct node *key)
{
	struct slice name = key->text;
	bool is_fine = name.len > 0 && name.len <= MODEL_NAME_BYTES && name.p[0] >= 'a' && name.p[0] <= 'z';
	for (size_t i = 0; is_fine && i < name.len; i++)
		is_fine = strchr("abcdefghijklmnopqrstuvwxyz0123456789_", name.p[i]) != NULL && name.p[i] != '\0';
	if (!is_fine)
		diags_add(builder->diags, ERR_BAD_NAME, key->span,
		          "a territory table is named by a lower-case letter, then letters, digits and `_`");
	return is_fine;
}

static void build_tables(struct model_builder *builder, const struct node *section)
{
	const struct territory **tables = arena_array(builder->arena, section->count, sizeof *tables);
	builder->table_names = arena_array(builder->arena, section->count, sizeof *builder->table_names);
	builder->table_keys = arena_array(&builder->scratch, section->count, sizeof *builder->table_keys);
	builder->is_table_used = arena_array(&builder->scratch, section->count, sizeof *builder->is_table_used);
	size_t count = 0;
	for (size_t i = 0; i < section->count; i++) {
		if (!read_table_name(builder, section->members[i].key))
			continue;
		/* A broken table keeps its name, so that expressions which use it are not wrong on top. */
		builder->table_names[count] = section->members[i].key->text;
		builder->table_keys[count] = section->members[i].key;
		tables[count++] = build_table(builder, &section->members[i]);
	}
	builder->model->territories = tables;
	builder->model->territory_count = count;
}

size_t model_read_table(struct model_builder *builder, const struct node *node, const char *what)
{
	struct slice name;
	if (!node_read_text(node, what, builder->diags, &name))
		return SIZE_MAX;
	struct suggest suggest = suggest_for(name);
	for (size_t i = 0; i < builder->model->territory_count; i++) {
		if (slice_equal(builder->table_names[i], name)) {
			builder->is_table_used[i] = true;
			return i;
		}
		suggest_offer(&suggest, builder->table_names[i]);
	}
	struct diag *diag = diags_add(builder->diags, ERR_UNKNOWN_REFERENCE, node->span, "no territory table is called `%.*s`",
	                              SLICE_ARG(name));
	diag_did_you_mean(builder->diags, diag, suggest.best);
	return SIZE_MAX;
}

void model_build_territories(struct model_builder *builder)
{
	struct model *model = builder->model;
	const struct node *section = model_section(builder, "territories", NODE_MAPPING);
	if (section != NULL && section->count > MODEL_TERRITORIES_MAX)
		diags_add(builder->diags, ERR_TOO_MANY, section->span, "more than %d territory tables", MODEL_TERRITORIES_MAX);
	else if (section != NULL)
		build_tables(builder, section);
	model->env = schema_env_new(builder->table_names, model->territory_count, builder->arena);
	builder->score_env = schema_score_env(model->env, builder->arena);
	model->pool_env = schema_pool_env(model->env, model->attributes, model->attribute_count, builder->arena);
}
