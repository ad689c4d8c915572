/* SPDX-License-Identifier: Apache-2.0
 *
 * What expressions that are asked again read of a lead: rules/kept.h while the configuration is built.
 */
#include "rules/kept.h"

#include <stdlib.h>
#include <string.h>

#include "rules/base/suggest.h"
#include "rules/cel/paths.h"
#include "rules/kept_words.h"
#include "rules/model/model_build.h"
#include "rules/schema.h"

static const char *const place_names[] = {"location.country", "location.region", "location.postal_code"};

static bool is_in_state(const struct schema_row *row)
{
	return strcmp(row->path, "source") == 0 || strcmp(row->path, "lead_id") == 0;
}

static bool is_attributes(const struct schema_row *row)
{
	return strcmp(row->path, "attributes") == 0;
}

static const char *why_not(const struct schema_row *row)
{
	if (is_attributes(row))
		return "may hold contact data, which is never stored: only how an attribute compares with texts is";
	if (row->is_person)
		return "is contact data, which is never stored";
	if (row->kind == SCHEMA_MAP)
		return "may hold anything, so it is not stored";
	return row->kind == SCHEMA_TEXT && row->bytes_max > MODEL_KEPT_TEXT_BYTES_MAX ? "may be too long to be stored" : NULL;
}

static void keep(struct model_builder *builder, const struct schema_row *row)
{
	if (is_in_state(row))
		return;
	for (size_t i = 0; i < builder->kept_count; i++)
		if (builder->kept[i] == row)
			return;
	const struct schema_row **more = arena_array(&builder->scratch, builder->kept_count + 1, sizeof *more);
	if (builder->kept_count != 0)
		memcpy(more, builder->kept, builder->kept_count * sizeof *more);
	more[builder->kept_count++] = row;
	builder->kept = more;
}

/* One expression under examination. */
struct need {
	struct model_builder *builder;
	const struct node *node;
	const char *what;
	const struct cel_path *path;
};

static void refuse(const struct need *need, const char *name, const char *why)
{
	struct diags *diags = need->builder->diags;
	struct diag *diag = diags_add(diags, ERR_NOT_KEPT, node_span_in(need->node, need->path->offset, need->path->length),
	                              "`%s` %s", name, why);
	diag_note(diags, diag, "in %s", need->what);
	diag_note(diags, diag, "it may be asked again when the lead's record is gone: after a wait, a decline or a release");
}

/* lead.attributes.tier */
static void need_attribute(const struct need *need)
{
	const char *why = kept_words_need(need->builder, need->path);
	if (why != NULL)
		refuse(need, arena_printf(&need->builder->scratch, "lead.attributes.%.*s", SLICE_ARG(need->path->member)), why);
}

static void need_row(const struct need *need, const struct schema_row *row)
{
	const char *why = why_not(row);
	const struct schema_row *of_record = schema_find(slice_of(row->path)); /* account.name is company.name of the record */
	if (why != NULL)
		refuse(need, arena_printf(&need->builder->scratch, "lead.%s", row->path), why);
	else
		keep(need->builder, of_record != NULL ? of_record : row);
}

static void offer_fields(struct suggest *suggest, enum schema_object object)
{
	size_t count;
	const struct schema_row *rows = schema_rows(object, &count);
	for (size_t i = 0; i < count; i++) {
		if (rows[i].kind != SCHEMA_PART)
			suggest_offer(suggest, slice_of(rows[i].path));
		else
			offer_fields(suggest, rows[i].part);
	}
}

const struct schema_row *kept_need_field(struct model_builder *builder, const struct node *node)
{
	struct slice path;
	if (!node_read_text(node, "a field", builder->diags, &path))
		return NULL;
	const struct schema_row *row = schema_find(path);
	if (row == NULL || row->kind == SCHEMA_PART) {
		struct diag *diag = diags_add(builder->diags, ERR_UNKNOWN_REFERENCE, node->span, "a lead has no field `%.*s`",
		                              SLICE_ARG(path));
		struct suggest suggest = suggest_for(path);
		offer_fields(&suggest, SCHEMA_LEAD);
		diag_did_you_mean(builder->diags, diag, suggest.best);
		return NULL;
	}
	if (why_not(row) != NULL) {
		diags_add(builder->diags, ERR_NOT_KEPT, node->span, "`%s` %s", row->path, why_not(row));
		return NULL;
	}
	keep(builder, row);
	return row;
}

/* A path that ends in a part reads all of it. Parts are nested two deep. */
static void need_object(const struct need *need, enum schema_object object, size_t depth)
{
	size_t count;
	const struct schema_row *rows = schema_rows(object, &count);
	bool is_whole = depth == need->path->count;
	for (size_t i = 0; i < count; i++) {
		if (!is_whole && need->path->path[depth] != i)
			continue;
		if (rows[i].kind == SCHEMA_PART)
			need_object(need, rows[i].part, is_whole ? depth : depth + 1);
		else if (is_attributes(&rows[i]) && need->path->member.len != 0)
			need_attribute(need);
		else
			need_row(need, &rows[i]);
	}
}

static void need_place(const struct need *need)
{
	for (size_t i = 0; i < sizeof place_names / sizeof *place_names; i++)
		need_row(need, schema_find(slice_of(place_names[i])));
}

void kept_need(struct model_builder *builder, const struct cel_program *program, const struct node *node,
               const char *what)
{
	size_t count = 0;
	const struct cel_path *paths = program != NULL ? cel_program_paths(program, &count) : NULL;
	for (size_t i = 0; i < count; i++) {
		struct need need = {builder, node, what, &paths[i]};
		if (paths[i].slot == SLOT_LEAD)
			need_object(&need, SCHEMA_LEAD, 0);
		else if (paths[i].slot == SLOT_ACCOUNT)
			need_object(&need, SCHEMA_ACCOUNT, 0);
		else if (paths[i].slot == SLOT_TERRITORY)
			need_place(&need);
		else if (paths[i].slot == SLOT_FACTS)
			refuse(&need, "facts", "holds answers of plug-ins, which are not stored");
	}
}

void kept_need_place(struct model_builder *builder)
{
	for (size_t i = 0; i < sizeof place_names / sizeof *place_names; i++)
		keep(builder, schema_find(slice_of(place_names[i])));
}

void kept_need_origin(struct model_builder *builder)
{
	static const char *const names[] = {"campaign", "intent", "location.country", "location.region"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		keep(builder, schema_find(slice_of(names[i])));
}

static int by_path(const void *left, const void *right)
{
	const struct schema_row *const *a = left, *const *b = right;
	return strcmp((*a)->path, (*b)->path);
}

void kept_finish(struct model_builder *builder)
{
	const struct schema_row **kept = arena_array(builder->arena, builder->kept_count, sizeof *kept);
	size_t bytes = kept_words_finish(builder);
	for (size_t i = 0; i < builder->kept_count; i++) {
		kept[i] = builder->kept[i];
		bytes += kept[i]->bytes_max;
	}
	if (bytes > MODEL_KEPT_BYTES_MAX)
		diags_add(builder->diags, ERR_TOO_MANY, builder->root->span,
		          "pools and clocks read fields of up to %zu bytes in all, more than the %d that are kept of a lead", bytes,
		          MODEL_KEPT_BYTES_MAX);
	qsort(kept, builder->kept_count, sizeof *kept, by_path);
	builder->model->kept = kept;
	builder->model->kept_count = builder->kept_count;
}
