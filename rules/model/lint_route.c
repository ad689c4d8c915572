/* SPDX-License-Identifier: Apache-2.0
 *
 * Routes and criteria that are never true, and routes that stand behind a broader one.
 *
 * Route B is shadowed by an earlier A when B's clauses imply each clause of A. To try all pairs of 20,000 routes would take
 * minutes, so each route is filed under the one of its clauses that the fewest others share, and a later route looks only
 * where a route that it implies could be filed:
 *
 *     A: country in [DE, FR] && score >= 40    filed under  "country DE", "country FR"     (or under "score", if that is rarer)
 *     B: country == DE && score >= 60 && …     looks under  "country DE", "score", …       finds A
 *
 * The number of pairs compared is limited; beyond it something may go unnoticed, but nothing is said that is not so.
 */
#include <stdlib.h>

#include "rules/cel/value.h"
#include "rules/model/lint.h"
#include "rules/model/lint_condition.h"
#include "rules/model/model_build.h"

enum { PAIRS_MAX = 150000, FILED_VALUES_MAX = 64 };

static const uint64_t SEED[2] = {0x6c696e74, 0x726f7574};

/* Under which a condition can be filed: the values of a field, or the field, or a clause of unknown form. */
struct words {
	struct slice *items; /* it needs all of them */
	size_t count;
};

struct condition {
	struct lint_condition says;
	struct words *choices; /* set by choose_words */
	size_t choice_count;
};

/* Routes that are filed under one word. */
struct filed {
	size_t count;             /* of conditions that could be filed here */
	size_t first, last;       /* index into next + 1; 0: none */
};

struct lint {
	struct model_builder *builder;
	struct arena *arena;
	struct lint_scope scope;
	/* of routes */
	struct condition *conditions;
	struct map files;       /* word -> struct filed */
	size_t *next;           /* entry -> the next entry of its file + 1 */
	size_t *entry_route;
	size_t entry_count, entry_room;
	size_t pairs_left;
};

/* ---- implies? */

static bool has_equal_clause(const struct condition *condition, const struct lint_clause *wanted)
{
	for (size_t i = 0; i < condition->says.clause_count && wanted->text.len != 0; i++)
		if (slice_equal(condition->says.clauses[i].text, wanted->text))
			return true;
	return false;
}

static bool implies_clause(const struct condition *narrow, const struct lint_clause *clause)
{
	const struct lint_group *group = clause->field != SIZE_MAX ? lint_find_group(&narrow->says, clause->field) : NULL;
	return (group != NULL && lint_group_implies(group, clause->form)) || has_equal_clause(narrow, clause);
}

/* Is `wide` true for every lead for which `narrow` is? */
static bool implies(struct lint *lint, const struct condition *narrow, const struct condition *wide)
{
	if (lint->pairs_left == 0)
		return false;
	lint->pairs_left--;
	for (size_t i = 0; i < wide->says.clause_count; i++)
		if (!implies_clause(narrow, &wide->says.clauses[i]))
			return false;
	return true;
}

/* ---- files */

typedef bool (*word_fn)(struct lint *lint, struct slice word, size_t route);

static struct slice value_word(struct lint *lint, size_t field, struct cel_value value)
{
	struct strbuf word = STRBUF_INIT;
	strbuf_printf(&word, "v%zu ", field);
	cel_print(&word, value);
	struct slice kept = {arena_memdupz(lint->arena, strbuf_text(&word), word.len), word.len};
	strbuf_done(&word);
	return kept;
}

static struct slice field_word(struct lint *lint, size_t field)
{
	return slice_of(arena_printf(lint->arena, "f%zu", field));
}

static bool is_filed_by_values(const struct lint_group *group)
{
	return group->is_finite && group->value_count <= FILED_VALUES_MAX;
}

static struct words group_words(struct lint *lint, const struct lint_group *group)
{
	if (!is_filed_by_values(group)) {
		struct slice *only = arena_alloc(lint->arena, sizeof *only);
		*only = field_word(lint, group->field);
		return (struct words){only, 1};
	}
	struct words words = {arena_array(lint->arena, group->value_count, sizeof *words.items), group->value_count};
	for (size_t i = 0; i < words.count; i++)
		words.items[i] = value_word(lint, group->field, group->values[i]);
	return words;
}

static void choose_words(struct lint *lint, struct condition *condition)
{
	struct words *choices = arena_array(lint->arena, condition->says.group_count + condition->says.clause_count, sizeof *choices);
	size_t count = 0;
	for (size_t i = 0; i < condition->says.group_count; i++)
		choices[count++] = group_words(lint, &condition->says.groups[i]);
	for (size_t i = 0; i < condition->says.clause_count; i++)
		if (condition->says.clauses[i].field == SIZE_MAX)
			choices[count++] = (struct words){&condition->says.clauses[i].text, 1};
	condition->choices = choices;
	condition->choice_count = count;
}

static struct filed *file_of(struct lint *lint, struct slice word)
{
	struct filed *filed = map_get(&lint->files, word);
	if (filed == NULL) {
		filed = arena_alloc(lint->arena, sizeof *filed);
		map_put(&lint->files, word, filed);
	}
	return filed;
}

static void count_words(struct lint *lint, const struct condition *condition)
{
	for (size_t choice = 0; choice < condition->choice_count; choice++)
		for (size_t i = 0; i < condition->choices[choice].count; i++)
			file_of(lint, condition->choices[choice].items[i])->count++;
}

static size_t crowd(struct lint *lint, const struct words *words)
{
	size_t most = 0;
	for (size_t i = 0; i < words->count; i++) {
		size_t count = file_of(lint, words->items[i])->count;
		most = count > most ? count : most;
	}
	return most;
}

static void file_under(struct lint *lint, struct slice word, size_t route)
{
	struct filed *filed = file_of(lint, word);
	if (lint->entry_count == lint->entry_room)
		return;
	size_t entry = ++lint->entry_count; /* from 1 */
	lint->entry_route[entry] = route;
	if (filed->last != 0)
		lint->next[filed->last] = entry;
	else
		filed->first = entry;
	filed->last = entry;
}

/* Under the words that are shared with the fewest. */
static void file_route(struct lint *lint, size_t route)
{
	const struct condition *condition = &lint->conditions[route];
	const struct words *best = NULL;
	size_t best_crowd = SIZE_MAX;
	for (size_t i = 0; i < condition->choice_count; i++) {
		size_t found = crowd(lint, &condition->choices[i]);
		if (found < best_crowd && condition->choices[i].count != 0) {
			best = &condition->choices[i];
			best_crowd = found;
		}
	}
	for (size_t i = 0; best != NULL && i < best->count; i++)
		file_under(lint, best->items[i], route);
}

static void look_under(struct lint *lint, struct slice word, size_t route, size_t *inout_found)
{
	const struct filed *filed = map_get(&lint->files, word);
	for (size_t entry = filed != NULL ? filed->first : 0; entry != 0; entry = lint->next[entry]) {
		size_t other = lint->entry_route[entry];
		if (other < *inout_found && implies(lint, &lint->conditions[route], &lint->conditions[other]))
			*inout_found = other;
	}
}

/* The first route before this one that takes all of its leads, or SIZE_MAX. */
static size_t find_shadow(struct lint *lint, size_t route)
{
	const struct condition *condition = &lint->conditions[route];
	size_t found = SIZE_MAX;
	for (size_t i = 0; i < condition->says.group_count; i++) {
		const struct lint_group *group = &condition->says.groups[i];
		if (is_filed_by_values(group) && group->value_count != 0)
			look_under(lint, condition->choices[i].items[0], route, &found);
		else if (group->is_finite && group->value_count != 0)
			look_under(lint, value_word(lint, group->field, group->values[0]), route, &found);
		look_under(lint, field_word(lint, group->field), route, &found);
	}
	for (size_t i = 0; i < condition->says.clause_count; i++)
		if (condition->says.clauses[i].text.len != 0)
			look_under(lint, condition->says.clauses[i].text, route, &found);
	return found;
}

/* ---- routes */

static const struct node *name_node(const struct node *route)
{
	const struct node *name = node_get(route, "name");
	return name != NULL ? name : route;
}

static void report_shadow(struct lint *lint, const struct node *list, size_t route, size_t other)
{
	struct diags *diags = lint->builder->diags;
	const struct node *name = name_node(list->items[route]);
	struct diag *diag = diags_warn(diags, ERR_SHADOWED_ROUTE, name->span, "no lead ever reaches the route `%.*s`",
	                               SLICE_ARG(name->text));
	bool is_same = lint->conditions[route].says.clause_count == lint->conditions[other].says.clause_count &&
	               implies(lint, &lint->conditions[other], &lint->conditions[route]);
	diag_second(diags, diag, name_node(list->items[other])->span,
	            is_same ? "this one comes first and takes the same leads"
	                    : "this one comes first and takes every lead that it could match");
	diag_help(diags, diag, is_same ? "delete one of them, or tell them apart"
	                               : "the first route that matches wins: put the narrower one first, or delete it");
}

static void check_shadows(struct lint *lint, const struct node *list)
{
	const struct model *model = lint->builder->model;
	size_t takes_all = SIZE_MAX;
	for (size_t i = 0; i < model->route_count; i++) {
		struct condition *condition = &lint->conditions[i];
		bool is_last_resort = i + 1 == model->route_count && condition->says.clause_count == 0; /* it has to be there */
		if (condition->says.is_never || is_last_resort)
			continue;
		size_t shadow = takes_all != SIZE_MAX ? takes_all : find_shadow(lint, i);
		if (shadow != SIZE_MAX)
			report_shadow(lint, list, i, shadow);
		if (condition->says.clause_count == 0 && takes_all == SIZE_MAX)
			takes_all = i;
		file_route(lint, i);
	}
}

static void read_routes(struct lint *lint, const struct node *list)
{
	const struct model *model = lint->builder->model;
	lint->conditions = arena_array(lint->arena, model->route_count, sizeof *lint->conditions);
	for (size_t i = 0; i < model->route_count; i++) {
		struct condition *condition = &lint->conditions[i];
		const struct node *when = node_get(list->items[i], "when");
		lint_condition_read(&lint->scope, when, model->routes[i].when, model->routes[i].team_by, &condition->says);
		lint_condition_check(&lint->scope, &condition->says,
		                     arena_printf(lint->arena, "route `%.*s`", SLICE_ARG(model->routes[i].name)));
		choose_words(lint, condition);
		count_words(lint, condition);
	}
}

static void check_criteria(struct lint *lint)
{
	const struct model *model = lint->builder->model;
	const struct node *list = node_get(node_get(lint->builder->root, "score"), "criteria");
	for (size_t i = 0; list != NULL && i < model->criterion_count; i++) {
		struct lint_condition condition;
		lint_condition_read(&lint->scope, node_get(list->items[i], "when"), model->criteria[i].when, SIZE_MAX, &condition);
		lint_condition_check(&lint->scope, &condition,
		                     arena_printf(lint->arena, "criterion `%.*s`", SLICE_ARG(model->criteria[i].name)));
	}
}

void lint_routes(struct model_builder *builder)
{
	const struct model *model = builder->model;
	const struct node *list = node_get(builder->root, "routes");
	struct lint lint = {.builder = builder, .arena = &builder->scratch, .pairs_left = PAIRS_MAX};
	if (list == NULL || list->count != model->route_count)
		return;
	lint_scope_init(&lint.scope, builder->diags, lint.arena, builder->route_env);
	lint_scope_bound_score(&lint.scope, score_range(model));
	map_init(&lint.files, SEED);
	check_criteria(&lint);
	read_routes(&lint, list);
	lint.entry_room = model->route_count * 4;
	lint.next = arena_array(lint.arena, lint.entry_room + 1, sizeof *lint.next);
	lint.entry_route = arena_array(lint.arena, lint.entry_room + 1, sizeof *lint.entry_route);
	check_shadows(&lint, list);
	lint_scope_done(&lint.scope);
	map_done(&lint.files);
}
