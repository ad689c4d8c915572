/* SPDX-License-Identifier: Apache-2.0
 *
 * Two passes: the first only looks for the winner, among the candidates that the index leaves; the second explains the few
 * routes before it that are shown, whether they were candidates or not. So the common path evaluates few conditions, and
 * looks for the clause to blame in none of them.
 */
#include "rules/match.h"

#include "rules/cel/conjunct.h"
#include "rules/index.h"
#include "rules/model.h"
#include "rules/schema.h"
#include "rules/territory.h"

const char *match_result_name(enum match_result result)
{
	switch (result) {
	case MATCH_YES:
		return "yes";
	case MATCH_NO:
		return "no";
	case MATCH_ERROR:
		return "error";
	case MATCH_NO_TEAM:
		return "no_team";
	}
	return "?";
}

struct matching {
	const struct model *model;
	const struct lead *lead;
	const struct cel_value *slots;
	struct arena *scratch;
};

static enum match_result find_team(const struct matching *matching, const struct route *route, struct slice *ret_area,
				   size_t *ret_team)
{
	const struct lead_location *place = &matching->lead->location;
	*ret_area = SLICE_NONE;
	*ret_team = route->team;
	if (route->team_by == SIZE_MAX)
		return MATCH_YES;
	*ret_area = territory_find(matching->model->territories[route->team_by], place->country, place->region,
				   place->postal_code);
	*ret_team = ret_area->len != 0 ? model_find_team(matching->model, *ret_area) : SIZE_MAX;
	return *ret_team != SIZE_MAX ? MATCH_YES : MATCH_NO_TEAM;
}

static enum match_result condition(const struct matching *matching, const struct route *route)
{
	if (route->when == NULL)
		return MATCH_YES;
	struct cel_value value =
		cel_eval(route->when, matching->slots, matching->scratch, matching->model->cel_step_limit);
	if (cel_is_error(value))
		return MATCH_ERROR;
	return cel_is_true(value) ? MATCH_YES : MATCH_NO;
}

static bool is_match(const struct matching *matching, const struct route *route, size_t *ret_team)
{
	struct slice area;
	return condition(matching, route) == MATCH_YES && find_team(matching, route, &area, ret_team) == MATCH_YES;
}

static size_t first_of_all(const struct matching *matching, size_t *ret_team)
{
	const struct model *model = matching->model;
	size_t i = 0;
	while (i < model->route_count && !is_match(matching, &model->routes[i], ret_team))
		i++;
	return i;
}

static size_t first_candidate(const struct matching *matching, size_t *ret_team)
{
	const struct model *model = matching->model;
	struct index_walk walk;
	index_walk_begin(&walk, model->route_index, matching->slots, matching->scratch);
	for (size_t i; (i = index_walk_next(&walk)) != SIZE_MAX;)
		if (is_match(matching, &model->routes[i], ret_team))
			return i;
	return model->route_count;
}

/* Which clause said no, in the words of the person who wrote it. */
static void explain_condition(const struct matching *matching, const struct route *route, struct match_try *try)
{
	size_t clause, count;
	struct cel_value said;
	const struct cel_conjunct *clauses = cel_program_conjuncts(route->when, &count);
	struct cel_value value = cel_eval_explain(route->when, matching->slots, matching->scratch,
						  matching->model->cel_step_limit, &clause, &said);
	if (cel_is_true(value))
		return;
	try->result = cel_is_error(value) ? MATCH_ERROR : MATCH_NO;
	struct slice text = cel_program_text(route->when);
	if (clause < count && clauses[clause].offset + clauses[clause].length <= text.len)
		try->clause = (struct slice){text.p + clauses[clause].offset, clauses[clause].length};
	if (clause < count && cel_is_error(said))
		try->error = said.as.error->text;
}

static struct match_try explain(const struct matching *matching, const struct route *route)
{
	struct match_try try = {.route = route, .result = MATCH_YES};
	size_t team;
	if (route->when != NULL)
		explain_condition(matching, route, &try);
	if (try.result == MATCH_YES)
		try.result = find_team(matching, route, &try.area, &team);
	return try;
}

struct match_try match_try_route(const struct model *model, const struct lead *lead, const struct cel_value *slots,
				 struct arena *scratch, const struct route *route)
{
	struct matching matching = {model, lead, slots, scratch};
	return explain(&matching, route);
}

/* Routes of a large set are not in the cache: what explaining them needs is asked for before the first is explained. */
static void fetch(const struct route *routes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		__builtin_prefetch(routes[i].when);
		__builtin_prefetch(routes[i].name.p);
	}
	for (size_t i = 0; i < count; i++)
		if (routes[i].when != NULL)
			cel_program_fetch(routes[i].when);
}

void match_routes(const struct model *model, const struct lead *lead, const struct cel_value *slots,
		  struct arena *scratch, struct match *ret_match)
{
	struct matching matching = {model, lead, slots, scratch};
	struct match *match = ret_match;
	match->team = SIZE_MAX;
	size_t winner = model->route_index != NULL ? first_candidate(&matching, &match->team)
						   : first_of_all(&matching, &match->team);
	size_t tried = winner < model->route_count ? winner + 1 : winner;
	match->route = winner < model->route_count ? &model->routes[winner] : NULL;
	match->not_shown = tried > MATCH_TRIED_MAX ? tried - MATCH_TRIED_MAX : 0;
	match->tried_count = tried - match->not_shown;
	if (model->route_index != NULL)
		fetch(&model->routes[match->not_shown], match->tried_count);
	for (size_t i = 0; i < match->tried_count; i++)
		match->tried[i] = explain(&matching, &model->routes[match->not_shown + i]);
}
