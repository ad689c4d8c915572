/* SPDX-License-Identifier: Apache-2.0
 *
 * Section preferences: who is first, second, … for an industry, a function or a region (S4-P1 to P3). Rows of
 * {value, rep, rank} in the YAML, or a CSV file with the header value,rep,rank; a rank that is not given is 1.
 */
#include <stdlib.h>

#include "rules/base/mem.h"
#include "rules/base/suggest.h"
#include "rules/csv.h"
#include "rules/model/model_build.h"
#include "rules/pool.h"
#include "rules/text/normalise.h"

enum { COLUMN_VALUE, COLUMN_REP, COLUMN_RANK, COLUMNS };

static const char *const columns[COLUMNS + 1] = {"value", "rep", "rank", NULL};

struct row {
	struct slice key; /* text_key of the value */
	size_t rep;
	unsigned rank;
	struct source_span place;
};

struct rows {
	struct model_builder *builder;
	struct row *items; /* heap, during the build */
	size_t count, capacity;
	bool has_failed;
};

static void fail(struct rows *rows, enum err_code code, struct source_span place, const char *text)
{
	diags_add(rows->builder->diags, code, place, "%s", text);
	rows->has_failed = true;
}

static bool read_rank(struct slice text, unsigned *ret_rank)
{
	unsigned rank = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] < '0' || text.p[i] > '9' || rank > PREFERENCE_RANK_MAX)
			return false;
		rank = rank * 10 + (unsigned)(text.p[i] - '0');
	}
	*ret_rank = text.len == 0 ? 1 : rank;
	return *ret_rank >= 1 && *ret_rank <= PREFERENCE_RANK_MAX;
}

static void report_rep(struct rows *rows, struct slice id, struct source_span place)
{
	const struct model *model = rows->builder->model;
	struct diag *diag = diags_add(rows->builder->diags, ERR_UNKNOWN_REFERENCE, place, "no rep has the id `%.*s`",
	                              SLICE_ARG(id));
	struct suggest suggest = suggest_for(id);
	for (size_t i = 0; i < model->rep_count; i++)
		suggest_offer(&suggest, model->reps[i].id);
	diag_did_you_mean(rows->builder->diags, diag, suggest.best);
	rows->has_failed = true;
}

static void add_row(struct rows *rows, const struct slice cells[COLUMNS], struct source_span place)
{
	unsigned rank;
	size_t rep = model_find_rep(rows->builder->model, cells[COLUMN_REP]);
	struct slice key = text_key(&rows->builder->scratch, cells[COLUMN_VALUE]);
	if (key.len == 0)
		fail(rows, ERR_BAD_TABLE, place, "the row has no value");
	else if (rep == SIZE_MAX)
		report_rep(rows, cells[COLUMN_REP], place);
	else if (!read_rank(cells[COLUMN_RANK], &rank))
		fail(rows, ERR_BAD_TABLE, place, "a rank is a whole number from 1 to 1000");
	else if (rows->count == PREFERENCE_ROWS_MAX)
		fail(rows, ERR_TOO_MANY, place, "more than 1000000 rows");
	else {
		if (rows->count == rows->capacity) {
			rows->capacity = rows->capacity ? rows->capacity * 2 : 64;
			rows->items = xreallocarray(rows->items, rows->capacity, sizeof *rows->items);
		}
		rows->items[rows->count++] = (struct row){key, rep, rank, place};
		if (!rows->builder->model->reps[rep].is_active)
			diags_warn(rows->builder->diags, ERR_ABSENT_REP, place, "the rep `%.*s` is not active", SLICE_ARG(cells[COLUMN_REP]));
	}
}

/* ---- CSV */

static bool read_header(struct rows *rows, const struct source *source, const struct csv_row *row, size_t *column_of)
{
	bool has[COLUMNS] = {false};
	for (size_t i = 0; i < row->count; i++) {
		size_t column = 0;
		while (column < COLUMNS && !slice_is(row->fields[i].value, columns[column]))
			column++;
		struct source_span place = {source, row->fields[i].offset, row->fields[i].len};
		if (column == COLUMNS || has[column]) {
			fail(rows, ERR_BAD_TABLE, place, "the columns of a preference table are value, rep and rank, each once");
			return false;
		}
		column_of[i] = column;
		has[column] = true;
	}
	if (!has[COLUMN_VALUE] || !has[COLUMN_REP])
		fail(rows, ERR_BAD_TABLE, (struct source_span){source, row->offset, 0}, "the header needs `value` and `rep`");
	return has[COLUMN_VALUE] && has[COLUMN_REP];
}

static void read_csv(struct rows *rows, const struct node *node)
{
	struct model_builder *builder = rows->builder;
	struct slice path, bytes;
	struct err err = ERR_INIT;
	struct csv csv;
	struct csv_row row;
	size_t column_of[CSV_FIELDS_MAX];
	if (!node_read_text(node, "the name of a CSV file", builder->diags, &path))
		return;
	if (builder->files->read(builder->files->ctx, path, false, &builder->scratch, &bytes, &err) != 0) {
		fail(rows, err.code, node->span, err.text);
		return;
	}
	const struct source *source = source_new(&builder->scratch, path.p, bytes);
	csv_init(&csv, source->text, &builder->scratch);
	enum csv_result result = csv_next(&csv, &row);
	size_t fields = row.count;
	if (result == CSV_ROW && !read_header(rows, source, &row, column_of))
		return;
	while (!rows->has_failed && result == CSV_ROW && (result = csv_next(&csv, &row)) == CSV_ROW) {
		struct slice cells[COLUMNS] = {SLICE_NONE, SLICE_NONE, SLICE_NONE};
		struct source_span place = {source, row.offset, csv.at - row.offset};
		if (row.count != fields) {
			fail(rows, ERR_BAD_TABLE, place, "the row has another number of fields than the header");
			return;
		}
		for (size_t i = 0; i < row.count; i++)
			cells[column_of[i]] = row.fields[i].value;
		add_row(rows, cells, place);
	}
	if (result == CSV_BAD)
		fail(rows, ERR_BAD_TABLE, (struct source_span){source, csv.problem_at, 1}, csv.problem);
}

/* ---- rows in the YAML */

static void read_yaml(struct rows *rows, const struct node *list)
{
	struct diags *diags = rows->builder->diags;
	if (!node_expect_sequence(list, "rows", diags))
		return;
	for (size_t i = 0; i < list->count; i++) {
		struct slice cells[COLUMNS] = {SLICE_NONE, SLICE_NONE, SLICE_NONE};
		const struct node *item = list->items[i];
		bool is_fine = node_expect_mapping(item, "a row of a preference table", diags) &&
		               node_check_keys(item, columns, "a row of a preference table", diags) &&
		               node_require(item, "value", "a row of a preference table", diags) != NULL &&
		               node_require(item, "rep", "a row of a preference table", diags) != NULL;
		for (size_t column = 0; is_fine && column < COLUMNS; column++) {
			const struct node *cell = node_get(item, columns[column]);
			is_fine = cell == NULL || node_read_text(cell, columns[column], diags, &cells[column]);
		}
		if (is_fine)
			add_row(rows, cells, item->span);
		rows->has_failed |= !is_fine;
	}
}

/* ---- tables */

static int by_value(const void *left, const void *right)
{
	const struct row *a = left, *b = right;
	int order = slice_compare(a->key, b->key);
	if (order == 0)
		order = (a->rank > b->rank) - (a->rank < b->rank);
	return order != 0 ? order : (a->rep > b->rep) - (a->rep < b->rep);
}

static size_t run_length(const struct rows *rows, size_t from)
{
	size_t to = from;
	while (to < rows->count && slice_equal(rows->items[to].key, rows->items[from].key))
		to++;
	return to - from;
}

static struct preference_list make_list(struct model_builder *builder, const struct row *rows, size_t count)
{
	struct preference *items = arena_array(builder->arena, count, sizeof *items);
	for (size_t i = 0; i < count; i++)
		items[i] = (struct preference){rows[i].rep, rows[i].rank};
	struct slice key = {arena_memdupz(builder->arena, rows[0].key.p, rows[0].key.len), rows[0].key.len};
	return (struct preference_list){key, items, count};
}

static int by_rep(const void *left, const void *right)
{
	const struct row *a = left, *b = right;
	int order = slice_compare(a->key, b->key);
	return order != 0 ? order : (a->rep > b->rep) - (a->rep < b->rep);
}

/* A rep has one rank for a value. */
static void check_twice(struct rows *rows)
{
	if (rows->count == 0)
		return;
	qsort(rows->items, rows->count, sizeof *rows->items, by_rep);
	for (size_t i = 1; i < rows->count; i++)
		if (by_rep(&rows->items[i - 1], &rows->items[i]) == 0) {
			struct diag *diag = diags_add(rows->builder->diags, ERR_DUPLICATE, rows->items[i].place,
			                              "the same rep has two ranks for one value");
			diag_second(rows->builder->diags, diag, rows->items[i - 1].place, "the other one");
			rows->has_failed = true;
		}
}

static void make_table(struct rows *rows, struct preference_table *table)
{
	size_t count = 0;
	check_twice(rows);
	if (rows->count == 0)
		return;
	qsort(rows->items, rows->count, sizeof *rows->items, by_value);
	for (size_t at = 0; at < rows->count; at += run_length(rows, at))
		count++;
	struct preference_list *lists = arena_array(rows->builder->arena, count, sizeof *lists);
	table->lists = lists;
	for (size_t at = 0; at < rows->count; at += run_length(rows, at))
		lists[table->count++] = make_list(rows->builder, &rows->items[at], run_length(rows, at));
}

static void read_table(struct model_builder *builder, const struct node_member *member, struct preference_table *table)
{
	static const char *const known[] = {"csv", "rows", NULL};
	const struct node *node = member->value;
	struct rows rows = {.builder = builder};
	if (node->kind == NODE_SEQUENCE) {
		read_yaml(&rows, node);
	} else if (node_expect_mapping(node, "a preference table", builder->diags) &&
	           node_check_keys(node, known, "a preference table", builder->diags)) {
		const struct node *csv = node_get(node, "csv"), *list = node_get(node, "rows");
		if (csv != NULL)
			read_csv(&rows, csv);
		if (list != NULL)
			read_yaml(&rows, list);
		if (csv == NULL && list == NULL)
			fail(&rows, ERR_MISSING_KEY, node->span, "a preference table needs `csv` or `rows`");
	}
	if (!rows.has_failed)
		make_table(&rows, table);
	free(rows.items);
}

void model_build_preferences(struct model_builder *builder)
{
	const struct node *section = model_section(builder, "preferences", NODE_MAPPING);
	if (section == NULL)
		return;
	if (section->count > MODEL_TERRITORIES_MAX) {
		diags_add(builder->diags, ERR_TOO_MANY, section->span, "more than %d preference tables", MODEL_TERRITORIES_MAX);
		return;
	}
	builder->preferences = arena_array(&builder->scratch, section->count, sizeof *builder->preferences);
	builder->preference_keys = arena_array(&builder->scratch, section->count, sizeof *builder->preference_keys);
	builder->is_preference_used = arena_array(&builder->scratch, section->count, sizeof *builder->is_preference_used);
	for (size_t i = 0; i < section->count; i++) {
		struct preference_table *table = &builder->preferences[builder->preference_count];
		if (!model_read_name(builder, section->members[i].key, "the name of a preference table", &table->name))
			continue;
		builder->preference_keys[builder->preference_count++] = section->members[i].key;
		read_table(builder, &section->members[i], table);
	}
}

const struct preference_table *model_read_preference(struct model_builder *builder, const struct node *node)
{
	struct slice name;
	if (!node_read_text(node, "the name of a preference table", builder->diags, &name))
		return NULL;
	struct suggest suggest = suggest_for(name);
	for (size_t i = 0; i < builder->preference_count; i++) {
		if (slice_equal(builder->preferences[i].name, name)) {
			builder->is_preference_used[i] = true;
			return &builder->preferences[i];
		}
		suggest_offer(&suggest, builder->preferences[i].name);
	}
	struct diag *diag = diags_add(builder->diags, ERR_UNKNOWN_REFERENCE, node->span, "no preference table is called `%.*s`",
	                              SLICE_ARG(name));
	diag_did_you_mean(builder->diags, diag, suggest.best);
	return NULL;
}
