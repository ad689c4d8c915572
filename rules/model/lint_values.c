/* SPDX-License-Identifier: Apache-2.0
 *
 * The vocabularies of the lead's fields, out of the configuration: sources, tenants, grades, areas of each territory
 * table, ids of reps; and those that are the same everywhere: intents, ISO codes of countries.
 */
#include <stdlib.h>

#include "rules/base/strbuf.h"
#include "rules/cel/cel.h"
#include "rules/model/lint.h"
#include "rules/model/model_build.h"
#include "rules/schema.h"
#include "rules/state.h"
#include "rules/territory.h"
#include "rules/text/country.h"

enum { LEAD_VOCABULARIES = 8, GRADES_LISTED = 12 };

static const struct slice intents[] = {{"clear", 5}, {"high", 4}, {"potential", 9}};

static int by_bytes(const void *left, const void *right)
{
	return slice_compare(*(const struct slice *)left, *(const struct slice *)right);
}

static uint32_t field_of(enum schema_object object, const char *name)
{
	size_t count, index = 0;
	const struct schema_row *rows = schema_rows(object, &count);
	while (!slice_is(rows[index].name, name))
		index++;
	return (uint32_t)index;
}

static struct cel_vocabulary of_lead(const char *field, const char *noun)
{
	return (struct cel_vocabulary){
		.slot = SLOT_LEAD, .path_count = 1, .path = {field_of(SCHEMA_LEAD, field)}, .noun = noun};
}

/* Stored states may name reps and teams that were taken out meanwhile, so only the words of the lifecycle are all there are. */
static struct cel_vocabulary of_account(const char *field, const char *noun)
{
	return (struct cel_vocabulary){.slot = SLOT_ACCOUNT,
	                               .path_count = 1,
	                               .path = {field_of(SCHEMA_ACCOUNT, field)},
	                               .noun = noun,
	                               .can_be_absent = true};
}

static void set_values(struct cel_vocabulary *vocabulary, struct slice *values, size_t count)
{
	qsort(values, count, sizeof *values, by_bytes);
	vocabulary->values = values;
	vocabulary->count = count;
}

static void copy_values(struct model_builder *builder, struct cel_vocabulary *vocabulary, const struct slice *values,
                        size_t count)
{
	struct slice *copy = arena_array(builder->arena, count, sizeof *copy);
	memcpy(copy, values, count * sizeof *copy);
	set_values(vocabulary, copy, count);
}

static bool has_plugins(const struct model_builder *builder)
{
	const struct node *plugins = node_get(builder->root, "plugins");
	return plugins != NULL && !node_is_empty(plugins);
}

/* ---- one vocabulary each */

static struct cel_vocabulary sources(struct model_builder *builder)
{
	struct cel_vocabulary vocabulary = of_lead("source", "source");
	vocabulary.is_closed = true;
	copy_values(builder, &vocabulary, builder->model->sources.names, builder->model->sources.count);
	return vocabulary;
}

/* A plug-in may fill an empty intent with any text. */
static struct cel_vocabulary intent(struct model_builder *builder)
{
	struct cel_vocabulary vocabulary = of_lead("intent", "intent");
	vocabulary.is_closed = !has_plugins(builder);
	vocabulary.can_be_absent = true;
	vocabulary.values = intents;
	vocabulary.count = sizeof intents / sizeof *intents;
	return vocabulary;
}

static struct cel_vocabulary tenants(struct model_builder *builder)
{
	struct cel_vocabulary vocabulary = of_lead("tenant", "tenant");
	vocabulary.is_closed = true;
	copy_values(builder, &vocabulary, builder->model->tenants, builder->model->tenant_count);
	return vocabulary;
}

static struct cel_vocabulary with_reps(struct model_builder *builder, struct cel_vocabulary vocabulary)
{
	const struct model *model = builder->model;
	struct slice *ids = arena_array(builder->arena, model->rep_count, sizeof *ids);
	for (size_t i = 0; i < model->rep_count; i++)
		ids[i] = model->reps[i].id;
	set_values(&vocabulary, ids, model->rep_count);
	return vocabulary;
}

/* A lead may ask for anybody, also for somebody who has left. */
static struct cel_vocabulary requested_owner(struct model_builder *builder)
{
	struct cel_vocabulary vocabulary = of_lead("requested_owner", "rep");
	vocabulary.can_be_absent = true;
	return with_reps(builder, vocabulary);
}

static struct cel_vocabulary account_team(struct model_builder *builder)
{
	const struct model *model = builder->model;
	struct cel_vocabulary vocabulary = of_account("team", "team");
	struct slice *ids = arena_array(builder->arena, model->team_count, sizeof *ids);
	for (size_t i = 0; i < model->team_count; i++)
		ids[i] = model->teams[i].id;
	set_values(&vocabulary, ids, model->team_count);
	return vocabulary;
}

static struct cel_vocabulary account_status(struct model_builder *builder)
{
	struct cel_vocabulary vocabulary = of_account("status", "status");
	struct slice *names = arena_array(builder->arena, LEAD_STATUSES, sizeof *names);
	for (int status = 0; status < LEAD_STATUSES; status++)
		names[status] = slice_of(lead_status_name((enum lead_status)status));
	vocabulary.is_closed = true;
	set_values(&vocabulary, names, LEAD_STATUSES);
	return vocabulary;
}

static struct slice country_form(const void *self, struct slice text)
{
	return slice_of(country_lookup(self, text));
}

static struct cel_vocabulary country(struct model_builder *builder)
{
	struct cel_vocabulary vocabulary = of_lead("location", "country");
	vocabulary.path[vocabulary.path_count++] = field_of(SCHEMA_LOCATION, "country");
	vocabulary.canonical = country_form;
	vocabulary.self = builder->model->countries;
	return vocabulary;
}

static struct cel_vocabulary areas(struct model_builder *builder, size_t table)
{
	const struct territory *territory = builder->model->territories[table];
	size_t count = territory_area_count(territory);
	struct slice *names = arena_array(builder->arena, count, sizeof *names);
	for (size_t i = 0; i < count; i++)
		names[i] = territory_area(territory, i);
	bool has_row_for_all = territory_find(territory, SLICE_NONE, SLICE_NONE, SLICE_NONE).len != 0;
	struct cel_vocabulary vocabulary = {.slot = SLOT_TERRITORY,
	                                    .path_count = 1,
	                                    .path = {(uint32_t)table},
	                                    .noun = "area",
	                                    .is_closed = true,
	                                    .can_be_absent = !has_row_for_all};
	set_values(&vocabulary, names, count);
	return vocabulary;
}

static struct slice *letters_of(struct model_builder *builder, bool with_stopping, size_t *ret_count)
{
	const struct model *model = builder->model;
	struct slice *letters = arena_array(builder->arena, model->grade_count, sizeof *letters);
	*ret_count = 0;
	for (size_t i = 0; i < model->grade_count; i++)
		if (with_stopping || !model->grades[i].stops)
			letters[(*ret_count)++] = model->grades[i].letter;
	return letters;
}

static struct cel_vocabulary all_grades(struct model_builder *builder)
{
	struct cel_vocabulary vocabulary = {.slot = SLOT_GRADE, .noun = "grade", .is_closed = true};
	size_t count;
	struct slice *letters = letters_of(builder, true, &count);
	set_values(&vocabulary, letters, count);
	return vocabulary;
}

/* "grades that are routed: A, B; these stop: D", as they are ordered. */
static const char *grades_note(struct model_builder *builder)
{
	const struct model *model = builder->model;
	struct strbuf note = STRBUF_INIT;
	for (int stops = 0; stops < 2; stops++)
		for (size_t i = 0, said = 0; i < model->grade_count && i < GRADES_LISTED; i++) {
			if (model->grades[i].stops != (stops != 0))
				continue;
			const char *head = stops ? "; these stop:" : "grades that are routed:";
			strbuf_printf(&note, "%s %.*s", said++ ? "," : head, SLICE_ARG(model->grades[i].letter));
		}
	const char *copy = arena_strdup(builder->arena, strbuf_text(&note));
	strbuf_done(&note);
	return copy;
}

/* Routing is for the grades that do not stop. */
static struct cel_vocabulary routed_grades(struct model_builder *builder)
{
	struct cel_vocabulary vocabulary = {.slot = SLOT_GRADE, .noun = "routed grade", .is_closed = true};
	size_t count;
	struct slice *letters = letters_of(builder, false, &count);
	vocabulary.note = grades_note(builder);
	set_values(&vocabulary, letters, count);
	return vocabulary;
}

/* ---- declaring */

static const struct cel_env *with(struct model_builder *builder, const struct cel_env *env,
                                  const struct cel_vocabulary *vocabularies, size_t count)
{
	struct cel_env *copy = arena_alloc(builder->arena, sizeof *copy);
	*copy = *env;
	copy->vocabularies = vocabularies;
	copy->vocabulary_count = count;
	return copy;
}

void lint_declare_values(struct model_builder *builder)
{
	struct model *model = builder->model;
	size_t count = 0;
	struct cel_vocabulary *list = arena_array(builder->arena, LEAD_VOCABULARIES + model->territory_count, sizeof *list);
	if (model->sources.count != 0)
		list[count++] = sources(builder);
	if (model->tenant_count != 0)
		list[count++] = tenants(builder);
	list[count++] = intent(builder);
	list[count++] = requested_owner(builder);
	list[count++] = country(builder);
	list[count++] = with_reps(builder, of_account("owner", "rep"));
	list[count++] = account_team(builder);
	list[count++] = account_status(builder);
	for (size_t i = 0; i < model->territory_count; i++)
		if (model->territories[i] != NULL)
			list[count++] = areas(builder, i);
	model->env = with(builder, model->env, list, count);
	builder->score_env = with(builder, builder->score_env, list, count);
}

/* `env` with what the model's knows, and one more. */
static const struct cel_env *with_one_more(struct model_builder *builder, const struct cel_env *env,
                                           struct cel_vocabulary vocabulary)
{
	const struct cel_env *known = builder->model->env;
	struct cel_vocabulary *list = arena_array(builder->arena, known->vocabulary_count + 1, sizeof *list);
	memcpy(list, known->vocabularies, known->vocabulary_count * sizeof *list);
	list[known->vocabulary_count] = vocabulary;
	return with(builder, env, list, known->vocabulary_count + 1);
}

void lint_declare_grades(struct model_builder *builder)
{
	struct model *model = builder->model;
	const struct cel_vocabulary members = {
		.slot = SLOT_REP, .path_count = 1, .path = {REP_ID}, .noun = "rep", .is_closed = true};
	builder->route_env = with_one_more(builder, model->env, routed_grades(builder));
	model->env = with_one_more(builder, model->env, all_grades(builder));
	model->pool_env = with_one_more(builder, model->pool_env, with_reps(builder, members));
}
