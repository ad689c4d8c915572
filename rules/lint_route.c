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
#include <inttypes.h>
#include <stdlib.h>

#include "rules/cel/value.h"
#include "rules/lint.h"
#include "rules/lint_clause.h"
#include "rules/model_build.h"
#include "rules/schema.h"
#include "rules/score.h"

enum { PAIRS_MAX = 150000, FILED_VALUES_MAX = 64 };

static const uint64_t SEED[2] = {0x6c696e74, 0x726f7574};

/* Under which a condition can be filed: the values of a field, or the field, or a clause of unknown form. */
struct words {
	struct slice *items; /* it needs all of them */
	size_t count;
};

struct condition {
	const struct node *node; /* of `when`; NULL: always true */
	struct lint_clause *clauses;
	size_t clause_count;
	struct lint_group *groups;
	size_t group_count;
	struct words *choices; /* set by choose_words */
	size_t choice_count;
	bool is_never;
};

/* Routes that are filed under one word. */
struct filed {
	size_t count;             /* of conditions that could be filed here */
	size_t first, last;       /* index into next + 1; 0: none */
};

struct lint {
	struct model_builder *builder;
	struct arena *arena;
	const struct cel_env *env;
	struct map fields; /* slot and path -> number + 1 */
	struct cel_conjunct score_bounds[2];
	struct cel_value score_limits[2];
	struct lint_clause score_clauses[2];
	/* of routes */
	struct condition *conditions;
	struct map files;       /* word -> struct filed */
	size_t *next;           /* entry -> the next entry of its file + 1 */
	size_t *entry_route;
	size_t entry_count, entry_room;
	size_t pairs_left;
};

/* ---- reading a condition */

static size_t field_number(struct lint *lint, const struct cel_conjunct *form)
{
	uint32_t key[CEL_MAX_PATH + 1] = {form->slot};
	memcpy(key + 1, form->path, form->path_count * sizeof *key);
	struct slice bytes = {(const char *)key, (form->path_count + 1) * sizeof *key};
	void *known = map_get(&lint->fields, bytes);
	if (known != NULL)
		return (uintptr_t)known - 1;
	bytes.p = arena_memdupz(lint->arena, bytes.p, bytes.len);
	map_put(&lint->fields, bytes, (void *)(uintptr_t)(lint->fields.live + 1));
	return lint->fields.live - 1;
}

static const struct cel_vocabulary *find_vocabulary(const struct lint *lint, const struct cel_conjunct *form)
{
	for (size_t i = 0; i < lint->env->vocabulary_count; i++) {
		const struct cel_vocabulary *vocabulary = &lint->env->vocabularies[i];
		if (vocabulary->is_closed && vocabulary->slot == form->slot && vocabulary->path_count == form->path_count &&
		    memcmp(vocabulary->path, form->path, form->path_count * sizeof *form->path) == 0)
			return vocabulary;
	}
	return NULL;
}

static struct lint_clause read_clause(struct lint *lint, const struct cel_program *program,
                                      const struct cel_conjunct *form, bool is_rest)
{
	struct slice whole = cel_program_text(program), text = SLICE_NONE;
	bool is_needed = form->test == CEL_TEST_OTHER || !lint_is_simple(form);
	if (is_needed && !is_rest && (size_t)form->offset + form->length <= whole.len)
		text = lint_even_text((struct slice){whole.p + form->offset, form->length}, lint->arena);
	return (struct lint_clause){form, text, form->test == CEL_TEST_OTHER ? SIZE_MAX : field_number(lint, form)};
}

static bool is_score(const struct cel_conjunct *form)
{
	return form->slot == SLOT_SCORE && form->path_count == 0;
}

/* The clauses on the field of the first of them that has no group yet. */
static void add_group(struct lint *lint, struct condition *condition, const struct lint_clause *first)
{
	const struct lint_clause **list = arena_array(lint->arena, condition->clause_count + 2, sizeof *list);
	struct lint_group *group = &condition->groups[condition->group_count++];
	*group = (struct lint_group){.field = first->field, .clauses = list};
	if (is_score(first->form)) {
		list[group->clause_count++] = &lint->score_clauses[0];
		list[group->clause_count++] = &lint->score_clauses[1];
	}
	for (size_t i = 0; i < condition->clause_count; i++)
		if (condition->clauses[i].field == first->field)
			list[group->clause_count++] = &condition->clauses[i];
	group->vocabulary = find_vocabulary(lint, first->form);
	lint_group_close(group, lint->arena);
}

static const struct lint_group *find_group(const struct condition *condition, size_t field)
{
	for (size_t i = 0; i < condition->group_count; i++)
		if (condition->groups[i].field == field)
			return &condition->groups[i];
	return NULL;
}

/* `score >= 0` where no point is taken away, `lead.intent in ["", "high", "clear", "potential"]`. */
static bool always_holds(const struct lint *lint, const struct cel_conjunct *form)
{
	struct lint_group bounds = {.low = &lint->score_bounds[0], .high = &lint->score_bounds[1]};
	if (form->test == CEL_TEST_OTHER)
		return false;
	return lint_always_holds(form, find_vocabulary(lint, form)) || (is_score(form) && lint_group_implies(&bounds, form));
}

/* A route by territory takes a lead only if there is an area for it: has(territory.NAME) is one more clause, unwritten. */
static void add_team_by(struct lint *lint, size_t table, struct condition *condition)
{
	struct cel_conjunct *form = arena_alloc(lint->arena, sizeof *form);
	*form = (struct cel_conjunct){.test = CEL_TEST_HAS,
	                              .slot = SLOT_TERRITORY,
	                              .path_count = 1,
	                              .path = {(uint32_t)table},
	                              .type = &cel_type_string};
	if (!always_holds(lint, form))
		condition->clauses[condition->clause_count++] =
			(struct lint_clause){form, SLICE_NONE, field_number(lint, form)};
}

/* Clauses that always hold are left out. */
static void read_condition(struct lint *lint, const struct node *node, const struct cel_program *program, size_t team_by,
                           struct condition *condition)
{
	size_t count = 0;
	const struct cel_conjunct *forms = program != NULL ? cel_program_conjuncts(program, &count) : NULL;
	*condition = (struct condition){.node = node};
	condition->clauses = arena_array(lint->arena, count + 1, sizeof *condition->clauses);
	for (size_t i = 0; i < count; i++)
		if (!always_holds(lint, &forms[i]))
			condition->clauses[condition->clause_count++] =
				read_clause(lint, program, &forms[i], i == CEL_MAX_CONJUNCTS);
	if (team_by != SIZE_MAX)
		add_team_by(lint, team_by, condition);
	condition->groups = arena_array(lint->arena, count + 1, sizeof *condition->groups);
	for (size_t i = 0; i < condition->clause_count; i++)
		if (condition->clauses[i].field != SIZE_MAX && find_group(condition, condition->clauses[i].field) == NULL)
			add_group(lint, condition, &condition->clauses[i]);
}

/* ---- never true */

static struct source_span clause_span(const struct condition *condition, const struct lint_clause *clause)
{
	return node_span_in(condition->node, clause->form->offset, clause->form->length);
}

/* Do these clauses of the group contradict each other already? */
static bool is_empty_with(const struct lint *lint, const struct lint_group *group, const struct lint_clause *const *clauses,
                          size_t count)
{
	struct lint_group part = {.field = group->field, .clauses = clauses, .clause_count = count, .vocabulary = group->vocabulary};
	lint_group_close(&part, lint->arena);
	return lint_group_is_empty(&part);
}

/* The first clause that makes the group empty, and the one before it that it cannot be united with (or NULL). */
static const struct lint_clause *find_culprit(const struct lint *lint, const struct lint_group *group,
                                              const struct lint_clause **ret_other)
{
	size_t count = 1;
	while (count < group->clause_count && !is_empty_with(lint, group, group->clauses, count))
		count++;
	const struct lint_clause *culprit = group->clauses[count - 1];
	*ret_other = NULL;
	for (size_t i = 0; i + 1 < count; i++) {
		const struct lint_clause *const pair[] = {group->clauses[i], culprit};
		if (is_empty_with(lint, group, pair, 2)) {
			*ret_other = group->clauses[i];
			break;
		}
	}
	return culprit;
}

static bool is_unwritten(const struct lint_clause *clause)
{
	return clause->form->length == 0;
}

static void report_never(struct lint *lint, const struct condition *condition, const struct lint_group *group,
                         const char *what)
{
	struct diags *diags = lint->builder->diags;
	const struct lint_clause *other, *culprit = find_culprit(lint, group, &other);
	if (is_unwritten(culprit) && other != NULL) {
		const struct lint_clause *written = other;
		other = culprit;
		culprit = written;
	}
	bool is_bound = other == &lint->score_clauses[0] || other == &lint->score_clauses[1];
	bool is_list = culprit->form->test == CEL_TEST_EQ || culprit->form->test == CEL_TEST_IN;
	/* a text that the field never holds: that was said, with a suggestion, when the condition was compiled */
	if (is_list && group->vocabulary != NULL && is_empty_with(lint, group, &culprit, 1))
		return;
	bool is_pair = other != NULL && !is_unwritten(other);
	struct diag *diag = diags_warn(diags, ERR_NEVER_MATCHES, clause_span(condition, culprit), "this is never true%s",
	                               is_pair ? " together with what stands before it" : "");
	if (is_bound)
		diag_note(diags, diag, "score.base and the criteria together give from %" PRId64 " to %" PRId64,
		          lint->score_limits[0].as.integer, lint->score_limits[1].as.integer);
	else if (other != NULL && !is_pair)
		diag_note(diags, diag, "a route with `team_by` takes only leads that have an area");
	else if (is_pair)
		diag_second(diags, diag, clause_span(condition, other), "no lead has both");
	diag_note(diags, diag, "in %s", what);
}

static void check_never(struct lint *lint, struct condition *condition, const char *kind, struct slice name)
{
	for (size_t i = 0; i < condition->group_count && !condition->is_never; i++) {
		if (!lint_group_is_empty(&condition->groups[i]))
			continue;
		condition->is_never = true;
		report_never(lint, condition, &condition->groups[i],
		             arena_printf(lint->arena, "%s `%.*s`", kind, SLICE_ARG(name)));
	}
}

/* ---- implies? */

static bool has_equal_clause(const struct condition *condition, const struct lint_clause *wanted)
{
	for (size_t i = 0; i < condition->clause_count && wanted->text.len != 0; i++)
		if (slice_equal(condition->clauses[i].text, wanted->text))
			return true;
	return false;
}

static bool implies_clause(const struct condition *narrow, const struct lint_clause *clause)
{
	const struct lint_group *group = clause->field != SIZE_MAX ? find_group(narrow, clause->field) : NULL;
	return (group != NULL && lint_group_implies(group, clause->form)) || has_equal_clause(narrow, clause);
}

/* Is `wide` true for every lead for which `narrow` is? */
static bool implies(struct lint *lint, const struct condition *narrow, const struct condition *wide)
{
	if (lint->pairs_left == 0)
		return false;
	lint->pairs_left--;
	for (size_t i = 0; i < wide->clause_count; i++)
		if (!implies_clause(narrow, &wide->clauses[i]))
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
	struct words *choices = arena_array(lint->arena, condition->group_count + condition->clause_count, sizeof *choices);
	size_t count = 0;
	for (size_t i = 0; i < condition->group_count; i++)
		choices[count++] = group_words(lint, &condition->groups[i]);
	for (size_t i = 0; i < condition->clause_count; i++)
		if (condition->clauses[i].field == SIZE_MAX)
			choices[count++] = (struct words){&condition->clauses[i].text, 1};
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
	for (size_t i = 0; i < condition->group_count; i++) {
		const struct lint_group *group = &condition->groups[i];
		if (is_filed_by_values(group) && group->value_count != 0)
			look_under(lint, condition->choices[i].items[0], route, &found);
		else if (group->is_finite && group->value_count != 0)
			look_under(lint, value_word(lint, group->field, group->values[0]), route, &found);
		look_under(lint, field_word(lint, group->field), route, &found);
	}
	for (size_t i = 0; i < condition->clause_count; i++)
		if (condition->clauses[i].text.len != 0)
			look_under(lint, condition->clauses[i].text, route, &found);
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
	bool is_same = lint->conditions[route].clause_count == lint->conditions[other].clause_count &&
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
		bool is_last_resort = i + 1 == model->route_count && condition->clause_count == 0; /* it has to be there */
		if (condition->is_never || is_last_resort)
			continue;
		size_t shadow = takes_all != SIZE_MAX ? takes_all : find_shadow(lint, i);
		if (shadow != SIZE_MAX)
			report_shadow(lint, list, i, shadow);
		if (condition->clause_count == 0 && takes_all == SIZE_MAX)
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
		read_condition(lint, when, model->routes[i].when, model->routes[i].team_by, condition);
		check_never(lint, condition, "route", model->routes[i].name);
		choose_words(lint, condition);
		count_words(lint, condition);
	}
}

static void check_criteria(struct lint *lint)
{
	const struct model *model = lint->builder->model;
	const struct node *list = node_get(node_get(lint->builder->root, "score"), "criteria");
	for (size_t i = 0; list != NULL && i < model->criterion_count; i++) {
		struct condition condition;
		read_condition(lint, node_get(list->items[i], "when"), model->criteria[i].when, SIZE_MAX, &condition);
		check_never(lint, &condition, "criterion", model->criteria[i].name);
	}
}

/* `score` is between what the criteria can add up to, whatever a condition says. */
static void set_score_bounds(struct lint *lint)
{
	struct score_range range = score_range(lint->builder->model);
	lint->score_limits[0] = cel_int(range.least);
	lint->score_limits[1] = cel_int(range.most);
	for (size_t i = 0; i < 2; i++) {
		lint->score_bounds[i] = (struct cel_conjunct){.test = i == 0 ? CEL_TEST_GE : CEL_TEST_LE,
		                                              .slot = SLOT_SCORE,
		                                              .type = &cel_type_int,
		                                              .constants = &lint->score_limits[i],
		                                              .constant_count = 1};
		lint->score_clauses[i] = (struct lint_clause){&lint->score_bounds[i], SLICE_NONE, SIZE_MAX};
	}
}

void lint_routes(struct model_builder *builder)
{
	const struct model *model = builder->model;
	const struct node *list = node_get(builder->root, "routes");
	struct lint lint = {.builder = builder, .arena = &builder->scratch, .env = builder->route_env, .pairs_left = PAIRS_MAX};
	if (list == NULL || list->count != model->route_count)
		return;
	map_init(&lint.fields, SEED);
	map_init(&lint.files, SEED);
	set_score_bounds(&lint);
	check_criteria(&lint);
	read_routes(&lint, list);
	lint.entry_room = model->route_count * 4;
	lint.next = arena_array(lint.arena, lint.entry_room + 1, sizeof *lint.next);
	lint.entry_route = arena_array(lint.arena, lint.entry_room + 1, sizeof *lint.entry_route);
	check_shadows(&lint, list);
	map_done(&lint.fields);
	map_done(&lint.files);
}
