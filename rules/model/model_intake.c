/* SPDX-License-Identifier: Apache-2.0
 *
 * cleanse.required, cleanse.vocabularies, cleanse.lead_no.
 */
#include "rules/base/err.h"
#include "rules/base/suggest.h"
#include "rules/intake.h"
#include "rules/model/model_build.h"
#include "rules/schema.h"
#include "rules/text/zone.h"

enum { REQUIRED_MAX = MODEL_SOURCES_MAX + 1 };

/* ---- fields */

static void suggest_fields(struct suggest *suggest)
{
	for (int object = 0; object < SCHEMA_RECORD_OBJECTS; object++) {
		size_t count;
		const struct schema_row *rows = schema_rows((enum schema_object)object, &count);
		for (size_t i = 0; i < count; i++)
			if (rows[i].kind != SCHEMA_PART)
				suggest_offer(suggest, slice_of(rows[i].path));
	}
}

/* The field that a node names; NULL and an error. */
static const struct schema_row *read_field(struct model_builder *builder, const struct node *node, const char *what)
{
	struct slice text;
	if (!node_read_text(node, what, builder->diags, &text))
		return NULL;
	const struct schema_row *row = schema_find(text);
	if (row != NULL && row->kind != SCHEMA_PART)
		return row;
	struct suggest suggest = suggest_for(text);
	suggest_fields(&suggest);
	struct diag *diag = diags_add(builder->diags, ERR_INTAKE_FIELD, node->span,
	                              row != NULL ? "`%.*s` has parts: name those that matter" : "a lead has no field `%.*s`",
	                              SLICE_ARG(text));
	if (row == NULL)
		diag_did_you_mean(builder->diags, diag, suggest.best);
	return NULL;
}

/* ---- required */

static bool is_source(const struct model *model, struct slice name)
{
	for (size_t i = 0; i < model->sources.count; i++)
		if (slice_equal(model->sources.names[i], name))
			return true;
	return false;
}

/* `default`, or one of the sources as the vocabulary calls it. */
static bool read_source(struct model_builder *builder, const struct node *key, struct slice *ret_source)
{
	*ret_source = slice_is(key->text, "default") ? SLICE_NONE : key->text;
	if (ret_source->len == 0 || is_source(builder->model, key->text))
		return true;
	struct suggest suggest = suggest_for(key->text);
	suggest_offer(&suggest, SLICE("default"));
	for (size_t i = 0; i < builder->model->sources.count; i++)
		suggest_offer(&suggest, builder->model->sources.names[i]);
	struct diag *diag = diags_add(builder->diags, ERR_UNKNOWN_REFERENCE, key->span,
	                              "no source is called `%.*s` in cleanse.sources", SLICE_ARG(key->text));
	diag_did_you_mean(builder->diags, diag, suggest.best);
	return false;
}

static void read_fields(struct model_builder *builder, const struct node *list, struct intake_required *required)
{
	if (!node_expect_sequence(list, "required fields", builder->diags))
		return;
	if (list->count > INTAKE_FIELDS_MAX) {
		diags_add(builder->diags, ERR_TOO_MANY, list->span, "more than %d required fields", INTAKE_FIELDS_MAX);
		return;
	}
	for (size_t i = 0; i < list->count; i++) {
		const struct schema_row *row = read_field(builder, list->items[i], "a required field");
		if (row != NULL)
			required->rows[required->count++] = row;
	}
}

static void read_required(struct model_builder *builder, const struct node *sources)
{
	struct intake_rules *rules = builder->intake;
	if (!node_expect_mapping(sources, "cleanse.required", builder->diags))
		return;
	if (sources->count > REQUIRED_MAX) {
		diags_add(builder->diags, ERR_TOO_MANY, sources->span, "more than %d sources", REQUIRED_MAX);
		return;
	}
	struct intake_required *required = arena_array(builder->arena, sources->count, sizeof *required);
	for (size_t i = 0; i < sources->count; i++) {
		struct intake_required *row = &required[rules->required_count];
		if (!read_source(builder, sources->members[i].key, &row->source))
			continue;
		read_fields(builder, sources->members[i].value, row);
		rules->required_count++;
	}
	rules->required = required;
}

/* ---- vocabularies */

static bool read_unknown(struct model_builder *builder, const struct node *node, enum intake_unknown *ret_unknown)
{
	static const char *const words[] = {[UNKNOWN_REJECT] = "reject", [UNKNOWN_OTHER] = "other", [UNKNOWN_KEEP] = "keep"};
	struct slice text;
	*ret_unknown = UNKNOWN_REJECT;
	if (node == NULL)
		return true;
	if (!node_read_text(node, "unknown", builder->diags, &text))
		return false;
	for (int i = 0; i < (int)(sizeof words / sizeof *words); i++)
		if (slice_is(text, words[i])) {
			*ret_unknown = (enum intake_unknown)i;
			return true;
		}
	diags_add(builder->diags, ERR_BAD_VALUE, node->span, "an unknown word is met with `reject`, `other` or `keep`");
	return false;
}

/* Sources and intent have vocabularies already; names of people have none. */
static bool can_have_words(const struct schema_row *row)
{
	static const char *const others[] = {"lead_id", "tenant", "source", "intent", "requested_owner", "location.country",
	                                     "location.region"};
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (slice_is(slice_of(row->path), others[i]))
			return false;
	return row->kind == SCHEMA_TEXT && !row->is_person && row->bytes_max <= MODEL_KEPT_TEXT_BYTES_MAX;
}

static bool read_vocabulary(struct model_builder *builder, const struct node *node, struct intake_vocabulary *vocabulary)
{
	static const char *const known[] = {"field", "words", "unknown", NULL};
	if (!node_expect_mapping(node, "a vocabulary", builder->diags) ||
	    !node_check_keys(node, known, "a vocabulary", builder->diags))
		return false;
	const struct node *field = node_require(node, "field", "a vocabulary", builder->diags);
	const struct node *words = node_require(node, "words", "a vocabulary", builder->diags);
	if (field == NULL || words == NULL || !read_unknown(builder, node_get(node, "unknown"), &vocabulary->unknown))
		return false;
	vocabulary->row = read_field(builder, field, "the field of a vocabulary");
	if (vocabulary->row == NULL)
		return false;
	if (!can_have_words(vocabulary->row)) {
		diags_add(builder->diags, ERR_INTAKE_FIELD, field->span, "`%s` cannot have a vocabulary here", vocabulary->row->path);
		return false;
	}
	model_read_vocabulary(builder, words, "word", vocabulary->unknown == UNKNOWN_OTHER ? "other" : NULL, &vocabulary->words);
	return true;
}

static void read_vocabularies(struct model_builder *builder, const struct node *list)
{
	struct intake_rules *rules = builder->intake;
	if (!node_expect_sequence(list, "cleanse.vocabularies", builder->diags))
		return;
	if (list->count > INTAKE_VOCABULARIES_MAX) {
		diags_add(builder->diags, ERR_TOO_MANY, list->span, "more than %d vocabularies", INTAKE_VOCABULARIES_MAX);
		return;
	}
	struct intake_vocabulary *vocabularies = arena_array(builder->arena, list->count, sizeof *vocabularies);
	struct model_names names;
	model_names_init(&names, "vocabulary");
	for (size_t i = 0; i < list->count; i++) {
		struct intake_vocabulary *vocabulary = &vocabularies[rules->vocabulary_count];
		if (read_vocabulary(builder, list->items[i], vocabulary) &&
		    model_names_add(builder, &names, slice_of(vocabulary->row->path), node_get(list->items[i], "field")))
			rules->vocabulary_count++;
	}
	model_names_done(&names);
	rules->vocabularies = vocabularies;
}

/* ---- numbers */

static bool is_number_prefix(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
			return false;
	}
	return text.len <= INTAKE_PREFIX_BYTES_MAX;
}

static void read_prefix(struct model_builder *builder, const struct node *node, struct intake_number *number)
{
	if (node == NULL || !node_read_text(node, "cleanse.lead_no.prefix", builder->diags, &number->prefix))
		return;
	if (!is_number_prefix(number->prefix))
		diags_add(builder->diags, ERR_BAD_NAME, node->span, "the prefix of a number is up to %d of A-Z a-z 0-9 - _",
		          INTAKE_PREFIX_BYTES_MAX);
}

static void read_zone(struct model_builder *builder, const struct node *node, struct intake_number *number)
{
	struct slice text;
	number->zone = zone_load("UTC");
	if (node == NULL || !node_read_text(node, "cleanse.lead_no.zone", builder->diags, &text))
		return;
	const struct zone *zone = zone_load(arena_memdupz(&builder->scratch, text.p, text.len));
	if (zone != NULL)
		number->zone = zone;
	else
		diags_add(builder->diags, ERR_BAD_ZONE, node->span, "no time zone is called `%.*s`", SLICE_ARG(text));
}

static void read_restart(struct model_builder *builder, const struct node *node, struct intake_number *number)
{
	static const char *const words[] = {
		[NUMBER_DAILY] = "day", [NUMBER_MONTHLY] = "month", [NUMBER_YEARLY] = "year", [NUMBER_NEVER] = "never"};
	struct slice text;
	if (node == NULL || !node_read_text(node, "cleanse.lead_no.restart", builder->diags, &text))
		return;
	for (int i = 0; i < (int)(sizeof words / sizeof *words); i++)
		if (slice_is(text, words[i])) {
			number->restart = (enum number_restart)i;
			return;
		}
	diags_add(builder->diags, ERR_BAD_VALUE, node->span, "numbers begin anew with each `day`, `month` or `year`, or `never`");
}

static void read_number(struct model_builder *builder, const struct node *node)
{
	static const char *const known[] = {"prefix", "zone", "digits", "restart", NULL};
	struct intake_number *number = &builder->intake->number;
	int64_t digits = 4;
	if (!node_expect_mapping(node, "cleanse.lead_no", builder->diags))
		return;
	node_check_keys(node, known, "cleanse.lead_no", builder->diags);
	number->is_on = true;
	read_prefix(builder, node_get(node, "prefix"), number);
	read_zone(builder, node_get(node, "zone"), number);
	read_restart(builder, node_get(node, "restart"), number);
	if (node_get(node, "digits") != NULL)
		node_read_int(node_get(node, "digits"), "cleanse.lead_no.digits", 1, INTAKE_DIGITS_MAX, builder->diags, &digits);
	number->digits = (int)digits;
}

void model_build_intake(struct model_builder *builder, const struct node *section)
{
	const struct node *required = node_get(section, "required"), *vocabularies = node_get(section, "vocabularies");
	const struct node *number = node_get(section, "lead_no");
	builder->model->intake = builder->intake = arena_alloc(builder->arena, sizeof *builder->intake);
	if (required != NULL)
		read_required(builder, required);
	if (vocabularies != NULL)
		read_vocabularies(builder, vocabularies);
	if (number != NULL)
		read_number(builder, number);
}
