/* SPDX-License-Identifier: Apache-2.0
 *
 * What a team does when nobody is there, as its author may read it and as it is not meant: next_pool asks another team for
 * somebody and comes back, so the `wait` or the queue of that team is not for such a lead. Said where a team states nothing
 * but next_pool, so that the lead ends without a word, while a team that it was sent on to, and that leads reach in no other
 * way, states what one would expect to happen then.
 */
#include "rules/model/lint.h"
#include "rules/model/model_build.h"
#include "rules/pool.h"
#include "rules/territory.h"

struct lint {
	struct model_builder *builder;
	bool *is_routed;         /* per team: leads come to it first */
	bool *is_seen;           /* per team: it was asked for a lead of another */
	const struct node *list; /* `nobody` of the team that leads come to first */
};

static void note_route(struct lint *lint, const struct route *route)
{
	const struct model *model = lint->builder->model;
	if (route->team != SIZE_MAX)
		lint->is_routed[route->team] = true;
	if (route->team_by == SIZE_MAX)
		return;
	const struct territory *table = model->territories[route->team_by];
	for (size_t i = 0; i < territory_area_count(table); i++) {
		size_t team = model_find_team(model, territory_area(table, i));
		if (team != SIZE_MAX)
			lint->is_routed[team] = true;
	}
}

static const struct node *outcomes_of(const struct lint *lint, size_t team)
{
	return node_get(lint->builder->pool_nodes[team], "nobody");
}

/* The first that is not next_pool; NULL: none is. */
static const struct node *find_end(const struct node *list)
{
	for (size_t i = 0; list != NULL && i < list->count; i++)
		if (list->items[i]->kind != NODE_MAPPING || node_get(list->items[i], "next_pool") == NULL)
			return list->items[i];
	return NULL;
}

static void report(struct lint *lint, size_t team, const struct node *end)
{
	struct diags *diags = lint->builder->diags;
	struct slice id = lint->builder->model->teams[team].id;
	struct diag *diag = diags_warn(diags, ERR_OUTCOME_ELSEWHERE, end->span,
	                               "a lead that is sent on to the team `%.*s` does not come to this", SLICE_ARG(id));
	diag_second(diags, diag, lint->list->span, "here nothing is said of what happens then");
	diag_note(diags, diag, "it is for leads that somebody of `%.*s` had and gave back", SLICE_ARG(id));
}

/* There is no circle: that was an error. */
static void follow(struct lint *lint, size_t team)
{
	const struct pool *pool = pool_of(&lint->builder->model->teams[team]);
	for (size_t i = 0; i < pool->outcome_count; i++) {
		size_t next = pool->outcomes[i].team;
		if (pool->outcomes[i].kind != POOL_NEXT || lint->is_seen[next])
			continue;
		lint->is_seen[next] = true;
		const struct node *end = find_end(outcomes_of(lint, next));
		if (end != NULL && !lint->is_routed[next])
			report(lint, next, end);
		follow(lint, next);
	}
}

void lint_outcomes(struct model_builder *builder)
{
	const struct model *model = builder->model;
	struct lint lint = {.builder = builder};
	lint.is_routed = arena_array(&builder->scratch, model->team_count, sizeof *lint.is_routed);
	lint.is_seen = arena_array(&builder->scratch, model->team_count, sizeof *lint.is_seen);
	for (size_t i = 0; i < model->route_count; i++)
		note_route(&lint, &model->routes[i]);
	for (size_t team = 0; team < model->team_count; team++) {
		lint.list = outcomes_of(&lint, team);
		if (lint.is_routed[team] && lint.list != NULL && find_end(lint.list) == NULL)
			follow(&lint, team);
	}
}
