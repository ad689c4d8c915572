/* SPDX-License-Identifier: Apache-2.0
 *
 * Section routes, and what can only be said when all is read: what is never used, and whether a lead can fall through.
 */
#include "rules/base/arena.h"
#include "rules/base/strbuf.h"
#include "rules/base/suggest.h"
#include "rules/hold.h"
#include "rules/index.h"
#include "rules/model/model_build.h"
#include "rules/state.h"
#include "rules/territory.h"

enum {
	AREAS_LISTED = 8,
	INDEXED_MIN = 16, /* fewer routes are tried one by one in less time than the index takes */
};

_Static_assert((int)MODEL_ROUTES_MAX <= (int)INDEX_RULES_MAX, "as many routes as there may be have an index");

/* ---- one route */

size_t model_read_team(struct model_builder *builder, const struct node *node, const char *what)
{
	struct slice name;
	if (!model_read_name(builder, node, what, &name))
		return SIZE_MAX;
	size_t team = model_find_team(builder->model, name);
	if (team != SIZE_MAX) {
		builder->is_team_used[team] = true;
		return team;
	}
	const struct node *teams = node_get(builder->root, "teams");
	if (teams != NULL && teams->kind != NODE_SEQUENCE)
		return SIZE_MAX; /* that they are no list was said */
	struct diag *diag = diags_add(builder->diags, ERR_UNKNOWN_REFERENCE, node->span, "no team has the id `%.*s`",
	                              SLICE_ARG(name));
	struct suggest suggest = suggest_for(name);
	for (size_t i = 0; i < builder->model->team_count; i++)
		suggest_offer(&suggest, builder->model->teams[i].id);
	diag_did_you_mean(builder->diags, diag, suggest.best);
	return SIZE_MAX;
}

/* Every area of the table must be the id of a team. */
static void check_areas(struct model_builder *builder, const struct node *node, size_t table)
{
	const struct territory *territory = builder->model->territories[table];
	struct strbuf list = STRBUF_INIT;
	size_t missing = 0;
	for (size_t i = 0; territory != NULL && i < territory_area_count(territory); i++) {
		struct slice area = territory_area(territory, i);
		size_t team = model_find_team(builder->model, area);
		if (team != SIZE_MAX)
			builder->is_team_used[team] = true;
		else if (missing++ < AREAS_LISTED)
			strbuf_printf(&list, "%s%.*s", list.len ? ", " : "", SLICE_ARG(area));
	}
	if (missing != 0) {
		struct diag *diag = diags_add(builder->diags, ERR_NO_SUCH_AREA, node->span,
		                              "%zu of %zu areas of the table `%.*s` are no team", missing,
		                              territory_area_count(territory), SLICE_ARG(node->text));
		diag_note(builder->diags, diag, "without a team: %s%s", strbuf_text(&list), missing > AREAS_LISTED ? ", …" : "");
	}
	strbuf_done(&list);
}

static size_t read_team_by(struct model_builder *builder, const struct node *node)
{
	size_t table = model_read_table(builder, node, "team_by");
	if (table != SIZE_MAX)
		check_areas(builder, node, table);
	return table;
}

/* `rep: ana` beside `team`: she gets it; the team does when she cannot take it. */
static void read_named_rep(struct model_builder *builder, const struct node *node, struct route *route)
{
	size_t rep = model_read_rep(builder, node);
	if (rep == SIZE_MAX)
		return;
	route->rep_plus_1 = rep + 1;
	if (!builder->model->reps[rep].is_active)
		diags_add(builder->diags, ERR_ABSENT_REP, node->span, "the rep `%.*s` is not active", SLICE_ARG(node->text));
}

static void read_target(struct model_builder *builder, const struct node *node, struct route *route)
{
	const struct node *team = node_get(node, "team"), *team_by = node_get(node, "team_by"), *rep = node_get(node, "rep");
	route->team = route->team_by = SIZE_MAX;
	if (rep != NULL)
		read_named_rep(builder, rep, route);
	if (team == NULL && team_by == NULL)
		diags_add(builder->diags, ERR_MISSING_KEY, node->span, "a route needs a `team`, or a territory table in `team_by`");
	if (team != NULL && team_by != NULL) {
		struct diag *diag = diags_add(builder->diags, ERR_BAD_VALUE, team_by->span, "a route has `team` or `team_by`, not both");
		diag_second(builder->diags, diag, team->span, "the other one");
	}
	if (team != NULL)
		route->team = model_read_team(builder, team, "the team of a route");
	if (team_by != NULL)
		route->team_by = read_team_by(builder, team_by);
}

/* `{rep: ana, role: minutes}` */
static bool read_role(struct model_builder *builder, const struct node *node, struct slice *ret_role)
{
	static const char *const known[] = {"rep", "role", NULL};
	struct slice role;
	if (!node_expect_mapping(node, "a role", builder->diags))
		return false;
	node_check_keys(node, known, "a role", builder->diags);
	const struct node *who = node_require(node, "rep", "a role", builder->diags);
	const struct node *what = node_require(node, "role", "a role", builder->diags);
	if (who == NULL || what == NULL || !model_read_name(builder, what, "a role", &role))
		return false;
	size_t rep = model_read_rep(builder, who);
	if (rep == SIZE_MAX)
		return false;
	*ret_role = ARENA_JOIN(builder->arena, builder->model->reps[rep].id, SLICE("/"), role);
	return true;
}

/* Who comes along, whoever of the team gets the lead (S4-TEAM). */
static void read_roles(struct model_builder *builder, const struct node *list, struct route *route)
{
	if (!node_expect_sequence(list, "the roles of a route", builder->diags))
		return;
	if (list->count > STATE_HELPERS_MAX) {
		diags_add(builder->diags, ERR_TOO_MANY, list->span, "more than %d roles", STATE_HELPERS_MAX);
		return;
	}
	struct slice *roles = arena_array(builder->arena, list->count, sizeof *roles);
	for (size_t i = 0; i < list->count; i++)
		route->role_count += read_role(builder, list->items[i], &roles[route->role_count]);
	route->roles = roles;
}

static void read_route(struct model_builder *builder, const struct node *node, struct model_names *names,
                       struct route *route)
{
	static const char *const known[] = {"name", "when", "team", "team_by", "rep", "hold", "within", "otherwise", "cultivate",
	                                    "roles", NULL};
	node_check_keys(node, known, "a route", builder->diags);
	const struct node *name = node_require(node, "name", "a route", builder->diags), *when = node_get(node, "when");
	route->place = model_place(node);
	if (name != NULL && model_read_name(builder, name, "the name of a route", &route->name)) {
		model_names_add(builder, names, route->name, name);
		/* Beside its program, which is read at the same time: the tree lies on other pages. */
		route->name.p = arena_memdupz(builder->arena, route->name.p, route->name.len);
	}
	const char *what = arena_printf(&builder->scratch, "route `%.*s`", SLICE_ARG(route->name));
	if (when != NULL)
		model_read_condition(builder, builder->route_env, when, what, &route->when_text, &route->when);
	read_target(builder, node, route);
	if (node_get(node, "roles") != NULL)
		read_roles(builder, node_get(node, "roles"), route);
	route->hold = hold_read(builder, node);
}

/* ---- all routes */

/* What a person wrote, not what could be compiled: a broken condition makes no route a catch-all. */
static bool takes_every_lead(const struct node *node)
{
	const struct node *when = node_get(node, "when");
	bool is_true = when != NULL && when->kind == NODE_SCALAR && slice_is(when->text, "true");
	return (when == NULL || is_true) && node_get(node, "team") != NULL;
}

static void report_unreachable(struct model_builder *builder, const struct node *list, size_t catch_all)
{
	const struct node *next = list->items[catch_all + 1];
	const struct node *name = node_get(next, "name"), *first = node_get(list->items[catch_all], "name");
	size_t behind = list->count - catch_all - 1;
	struct diag *diag = diags_add(builder->diags, ERR_UNREACHABLE_ROUTE, name ? name->span : next->span,
	                              "no lead ever reaches this route");
	if (behind > 1)
		diag_label(builder->diags, diag, "nor the rest of the list, %zu in all", behind);
	diag_second(builder->diags, diag, first ? first->span : list->items[catch_all]->span, "this one takes every lead");
	diag_help(builder->diags, diag, "the first route that matches wins: move the catch-all to the end, or give it a `when`");
}

static void check_catch_all(struct model_builder *builder, const struct node *list)
{
	for (size_t i = 0; i < list->count; i++) {
		if (!takes_every_lead(list->items[i]))
			continue;
		if (i + 1 < list->count)
			report_unreachable(builder, list, i);
		return;
	}
	const struct node *last = list->count ? list->items[list->count - 1] : list;
	bool has_target = node_get(last, "team") != NULL || node_get(last, "team_by") != NULL;
	if (list->count != 0 && !has_target)
		return; /* that was reported, and is the reason */
	const struct node *name = node_get(last, "name"), *culprit = node_get(last, "when");
	if (culprit == NULL)
		culprit = node_get(last, "team_by");
	struct diag *diag = diags_add(builder->diags, ERR_NO_CATCH_ALL, name ? name->span : last->span,
	                              list->count ? "the last route does not take every lead" : "there are no routes");
	if (culprit != NULL)
		diag_second(builder->diags, diag, culprit->span, "leads for which this does not hold fall through");
	diag_help(builder->diags, diag, "end with a route that has a `team` and no `when`: - {name: rest, team: …}");
}

static const struct rule_index *index_routes(struct model_builder *builder)
{
	const struct model *model = builder->model;
	if (model->route_count < INDEXED_MIN)
		return NULL;
	const struct cel_program **programs = arena_array(&builder->scratch, model->route_count, sizeof *programs);
	for (size_t i = 0; i < model->route_count; i++)
		programs[i] = model->routes[i].when;
	return index_new(programs, model->route_count, model->env, builder->arena);
}

static void build_routes(struct model_builder *builder, const struct node *list)
{
	struct route *routes = arena_array(builder->arena, list->count, sizeof *routes);
	struct model_names names;
	model_names_init(&names, "route");
	builder->model->routes = routes;
	for (size_t i = 0; i < list->count; i++) {
		builder->model->route_count = i + 1;
		if (node_expect_mapping(list->items[i], "a route", builder->diags))
			read_route(builder, list->items[i], &names, &routes[i]);
	}
	model_names_done(&names);
	check_catch_all(builder, list);
	if (model_has_failed(builder))
		return;
	builder->model->route_index = index_routes(builder);
}

void model_build_routes(struct model_builder *builder)
{
	const struct node *list = model_section(builder, "routes", NODE_SEQUENCE);
	const struct node *written = node_get(builder->root, "routes");
	if (list == NULL && (written == NULL || node_is_empty(written))) {
		struct diag *diag = diags_add(builder->diags, ERR_NO_CATCH_ALL, builder->root->span, "there are no routes");
		diag_help(builder->diags, diag, "at least a catch-all: routes: [{name: rest, team: …}]");
	}
	if (list != NULL && list->count > MODEL_ROUTES_MAX)
		diags_add(builder->diags, ERR_TOO_MANY, list->span, "more than %d routes", MODEL_ROUTES_MAX);
	else if (list != NULL)
		build_routes(builder, list);
}

/* ---- teams and tables that nothing names */

static bool has_text(struct slice text, struct slice wanted)
{
	return text.len >= wanted.len && memmem(text.p, text.len, wanted.p, wanted.len) != NULL;
}

/* Does any condition say territory.NAME? */
static bool is_table_named(const struct model *model, struct slice table)
{
	char text[MODEL_NAME_BYTES + 16] = "territory.";
	struct slice wanted = {text, strlen(text) + table.len};
	memcpy(text + strlen(text), table.p, table.len);
	for (size_t i = 0; i < model->route_count; i++)
		if (has_text(model->routes[i].when_text, wanted))
			return true;
	for (size_t i = 0; i < model->criterion_count; i++)
		if (has_text(model->criteria[i].when_text, wanted))
			return true;
	return false;
}

void model_warn_unused(struct model_builder *builder)
{
	const struct model *model = builder->model;
	for (size_t i = 0; i < model->team_count; i++)
		if (!builder->is_team_used[i])
			diags_warn(builder->diags, ERR_UNUSED, builder->team_nodes[i]->span, "no route leads to the team `%.*s`",
			           SLICE_ARG(model->teams[i].id));
	for (size_t i = 0; i < model->territory_count; i++)
		if (!builder->is_table_used[i] && !is_table_named(model, builder->table_names[i]))
			diags_warn(builder->diags, ERR_UNUSED, builder->table_keys[i]->span, "the territory table `%.*s` is not used",
			           SLICE_ARG(builder->table_names[i]));
}
