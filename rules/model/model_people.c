/* SPDX-License-Identifier: Apache-2.0
 *
 * Sections reps and teams. Both are sorted by id, so that the order in the files has no effect on who gets a lead.
 */
#include <stdlib.h>

#include "rules/base/arena.h"
#include "rules/base/suggest.h"
#include "rules/model/model_build.h"
#include "rules/pool.h"

/* ---- reps */

struct rep_draft {
	struct rep rep;
	const struct node *node; /* of its id */
	const struct node *attributes; /* NULL: none */
};

static int by_rep_id(const void *left, const void *right)
{
	const struct rep_draft *a = left, *b = right;
	return slice_compare(a->rep.id, b->rep.id);
}

/* `- ana` or `- {id: ana, name: Ana Pérez, active: false, calendar: madrid, attributes: {…}}`. */
static bool read_rep(struct model_builder *builder, const struct node *node, struct rep_draft *draft)
{
	static const char *const known[] = {"id", "name", "active", "calendar", "attributes", "capacity", NULL};
	const struct node *id = node, *name = NULL, *active = NULL, *calendar = NULL, *attributes = NULL, *limits = NULL;
	if (node->kind != NODE_SCALAR) {
		if (!node_expect_mapping(node, "a rep", builder->diags))
			return false;
		node_check_keys(node, known, "a rep", builder->diags);
		id = node_require(node, "id", "a rep", builder->diags);
		name = node_get(node, "name");
		active = node_get(node, "active");
		calendar = node_get(node, "calendar");
		attributes = node_get(node, "attributes");
		limits = node_get(node, "capacity");
	}
	struct rep *rep = &draft->rep;
	*draft = (struct rep_draft){.rep = {.is_active = true, .place = model_place(node)}, .node = id, .attributes = attributes};
	if (id == NULL || !model_read_name(builder, id, "the id of a rep", &rep->id))
		return false;
	rep->name = rep->id;
	if (name != NULL)
		model_read_name(builder, name, "the name of a rep", &rep->name);
	if (active != NULL)
		node_read_bool(active, "active", builder->diags, &rep->is_active);
	if (calendar != NULL)
		rep->calendar = model_read_calendar(builder, calendar);
	struct capacity *capacity = limits != NULL ? arena_alloc(builder->arena, sizeof *capacity) : NULL;
	if (limits != NULL && model_read_capacity(builder, limits, capacity))
		rep->capacity = capacity;
	return true;
}

static void build_reps(struct model_builder *builder, const struct node *list)
{
	if (list->count > MODEL_REPS_MAX) {
		diags_add(builder->diags, ERR_TOO_MANY, list->span, "more than %d reps", MODEL_REPS_MAX);
		return;
	}
	struct rep_draft *drafts = arena_array(&builder->scratch, list->count, sizeof *drafts);
	struct model_names names;
	size_t count = 0;
	model_names_init(&names, "rep");
	for (size_t i = 0; i < list->count; i++)
		if (read_rep(builder, list->items[i], &drafts[count]) &&
		    model_names_add(builder, &names, drafts[count].rep.id, drafts[count].node))
			count++;
	model_names_done(&names);
	qsort(drafts, count, sizeof *drafts, by_rep_id);
	struct rep *reps = arena_array(builder->arena, count, sizeof *reps);
	builder->rep_nodes = arena_array(&builder->scratch, count, sizeof *builder->rep_nodes);
	const struct node **attributes = arena_array(&builder->scratch, count, sizeof *attributes);
	for (size_t i = 0; i < count; i++) {
		reps[i] = drafts[i].rep;
		builder->rep_nodes[i] = drafts[i].node;
		attributes[i] = drafts[i].attributes;
	}
	builder->model->reps = reps;
	builder->model->rep_count = count;
	model_build_attributes(builder, attributes);
	model_build_persons(builder);
}

/* ---- members */

static void report_unknown_rep(struct model_builder *builder, const struct node *node)
{
	struct diag *diag = diags_add(builder->diags, ERR_UNKNOWN_REFERENCE, node->span, "no rep has the id `%.*s`",
	                              SLICE_ARG(node->text));
	struct suggest suggest = suggest_for(node->text);
	for (size_t i = 0; i < builder->model->rep_count; i++)
		suggest_offer(&suggest, builder->model->reps[i].id);
	diag_did_you_mean(builder->diags, diag, suggest.best);
}

size_t model_read_rep(struct model_builder *builder, const struct node *node)
{
	struct slice id;
	if (!model_read_name(builder, node, "the id of a rep", &id))
		return SIZE_MAX;
	size_t rep = model_find_rep(builder->model, id);
	if (rep == SIZE_MAX)
		report_unknown_rep(builder, node);
	return rep;
}

/* `- ben` or `- {rep: ana, weight: 2}`. */
static bool read_member(struct model_builder *builder, const struct node *node, struct member *member,
                        const struct node **ret_id)
{
	static const char *const known[] = {"rep", "weight", NULL};
	const struct node *id = node, *weight = NULL;
	int64_t number = 1;
	struct slice text;
	if (node->kind != NODE_SCALAR) {
		if (!node_expect_mapping(node, "a member of a team", builder->diags))
			return false;
		node_check_keys(node, known, "a member of a team", builder->diags);
		id = node_require(node, "rep", "a member of a team", builder->diags);
		weight = node_get(node, "weight");
	}
	if (weight != NULL)
		node_read_int(weight, "weight", 1, MODEL_WEIGHT_MAX, builder->diags, &number);
	if (id == NULL || !model_read_name(builder, id, "the id of a rep", &text))
		return false;
	*member = (struct member){model_find_rep(builder->model, text), (unsigned)number};
	*ret_id = id;
	if (member->rep == SIZE_MAX)
		report_unknown_rep(builder, id);
	return member->rep != SIZE_MAX;
}

static int by_rep_index(const void *left, const void *right)
{
	const struct member *a = left, *b = right;
	return (a->rep > b->rep) - (a->rep < b->rep);
}

/* false: nobody there could take a lead, and nothing else was wrong with the list. */
static bool read_members(struct model_builder *builder, const struct node *list, struct team *team)
{
	struct member *members = arena_array(builder->arena, list->count, sizeof *members);
	struct model_names names;
	const struct node *id;
	size_t errors = diags_error_count(builder->diags);
	bool has_active = false;
	model_names_init(&names, "member");
	for (size_t i = 0; i < list->count; i++) {
		struct member *member = &members[team->member_count];
		if (!read_member(builder, list->items[i], member, &id) || !model_names_add(builder, &names, id->text, id))
			continue;
		has_active |= builder->model->reps[member->rep].is_active;
		team->member_count++;
	}
	model_names_done(&names);
	qsort(members, team->member_count, sizeof *members, by_rep_index); /* reps are sorted by id */
	team->members = members;
	return has_active || diags_error_count(builder->diags) != errors;
}

/* ---- teams */

struct team_draft {
	struct team team;
	const struct node *node; /* of its id */
	const struct node *whole;
};

static int by_team_id(const void *left, const void *right)
{
	const struct team_draft *a = left, *b = right;
	return slice_compare(a->team.id, b->team.id);
}

static void read_team_members(struct model_builder *builder, const struct node *node, struct team_draft *draft)
{
	const struct node *reps = node_get(node, "reps");
	if (reps != NULL && !node_expect_sequence(reps, "reps of a team", builder->diags))
		return;
	if (reps != NULL && reps->count > MODEL_TEAM_MEMBERS_MAX) {
		diags_add(builder->diags, ERR_TOO_MANY, reps->span, "a team of more than %d reps", MODEL_TEAM_MEMBERS_MAX);
		return;
	}
	if (reps != NULL && read_members(builder, reps, &draft->team))
		return;
	struct diag *diag = diags_add(builder->diags, ERR_EMPTY_TEAM, draft->node->span,
	                              draft->team.member_count ? "all reps of the team `%.*s` are inactive"
	                                                       : "the team `%.*s` has no reps",
	                              SLICE_ARG(draft->team.id));
	diag_label(builder->diags, diag, "a lead sent here would strand");
}

static bool read_team(struct model_builder *builder, const struct node *node, struct team_draft *draft)
{
	static const char *const known[] = {"id", "name", "reps", "calendar", "rotation", "catch_up", "choose_by", "balance",
	                                    "moves", "lanes", "criteria", "capacity", "sizes", "keep_hours", "stale_after",
	                                    "nobody", NULL};
	if (!node_expect_mapping(node, "a team", builder->diags))
		return false;
	node_check_keys(node, known, "a team", builder->diags);
	const struct node *id = node_require(node, "id", "a team", builder->diags), *name = node_get(node, "name");
	const struct node *calendar = node_get(node, "calendar");
	struct team *team = &draft->team;
	*draft = (struct team_draft){.team = {.place = model_place(node)}, .node = id, .whole = node};
	if (id == NULL || !model_read_name(builder, id, "the id of a team", &team->id))
		return false;
	team->name = team->id;
	if (name != NULL)
		model_read_name(builder, name, "the name of a team", &team->name);
	if (calendar != NULL)
		team->calendar = model_read_calendar(builder, calendar);
	read_team_members(builder, node, draft);
	return true;
}

static void build_teams(struct model_builder *builder, const struct node *list)
{
	if (list->count > MODEL_TEAMS_MAX) {
		diags_add(builder->diags, ERR_TOO_MANY, list->span, "more than %d teams", MODEL_TEAMS_MAX);
		return;
	}
	struct team_draft *drafts = arena_array(&builder->scratch, list->count, sizeof *drafts);
	struct model_names names;
	size_t count = 0;
	model_names_init(&names, "team");
	for (size_t i = 0; i < list->count; i++)
		if (read_team(builder, list->items[i], &drafts[count]) &&
		    model_names_add(builder, &names, drafts[count].team.id, drafts[count].node))
			count++;
	model_names_done(&names);
	qsort(drafts, count, sizeof *drafts, by_team_id);
	struct team *teams = arena_array(builder->arena, count, sizeof *teams);
	builder->team_nodes = arena_array(&builder->scratch, count, sizeof *builder->team_nodes);
	builder->pool_nodes = arena_array(&builder->scratch, count, sizeof *builder->pool_nodes);
	builder->is_team_used = arena_array(&builder->scratch, count, sizeof *builder->is_team_used);
	for (size_t i = 0; i < count; i++) {
		teams[i] = drafts[i].team;
		builder->team_nodes[i] = drafts[i].node;
		builder->pool_nodes[i] = drafts[i].whole;
	}
	builder->model->teams = teams;
	builder->model->team_count = count;
}

/* An active rep in no team never gets anything; that is most often a team that was forgotten. */
static void warn_lonely_reps(struct model_builder *builder)
{
	const struct model *model = builder->model;
	bool *has_team = arena_array(&builder->scratch, model->rep_count, sizeof *has_team);
	for (size_t t = 0; t < model->team_count; t++)
		for (size_t m = 0; m < model->teams[t].member_count; m++)
			has_team[model->teams[t].members[m].rep] = true;
	for (size_t i = 0; i < model->rep_count; i++)
		if (!has_team[i] && model->reps[i].is_active)
			diags_warn(builder->diags, ERR_UNUSED, builder->rep_nodes[i]->span, "the rep `%.*s` is in no team",
			           SLICE_ARG(model->reps[i].id));
}

void model_build_people(struct model_builder *builder)
{
	const struct node *reps = model_section(builder, "reps", NODE_SEQUENCE);
	if (reps != NULL)
		build_reps(builder, reps);
	const struct node *teams = model_section(builder, "teams", NODE_SEQUENCE);
	if (teams != NULL)
		build_teams(builder, teams);
	if (!model_has_failed(builder))
		warn_lonely_reps(builder);
}
