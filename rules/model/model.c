/* SPDX-License-Identifier: Apache-2.0
 *
 * The order of the build, and what its parts share. Each section has a file of its own: model_cleanse.c (tenants, cleanse,
 * dedup), model_people.c, model_territory.c, model_calendar.c, model_score.c, model_route.c.
 */
#include "rules/model.h"

#include <inttypes.h>
#include <stddef.h>

#include "rules/base/arena.h"
#include "rules/base/suggest.h"
#include "rules/calendar/calendar.h"
#include "rules/cel/cel.h"
#include "rules/cel/paths.h"
#include "rules/degraded.h"
#include "rules/kept.h"
#include "rules/model/lint.h"
#include "rules/model/model_build.h"
#include "rules/schema.h"
#include "rules/territory.h"
#include "rules/text/country.h"
#include "rules/text/normalise.h"
#include "rules/text/region.h"
#include "rules/trace.h"

/* Who writes the configuration may slow only his own check. */
static const uint64_t NAMES_SEED[2] = {0x6c656164, 0x726f7574};

enum { CEL_STEPS = 100000 };

const char *const *model_sections(void)
{
	static const char *const sections[] = {"tenants",   "cleanse", "dedup",    "score",     "reps",
	                                       "teams",     "territories", "calendars", "routes",  "followup",
	                                       "lifecycle", "ownership", "preferences", "report", "degraded", NULL};
	return sections;
}

const struct node *model_section(struct model_builder *builder, const char *name, enum node_kind kind)
{
	const struct node *node = node_get(builder->root, name);
	if (node == NULL || node_is_empty(node))
		return NULL;
	bool is_fine = kind == NODE_MAPPING ? node_expect_mapping(node, name, builder->diags)
	                                    : node_expect_sequence(node, name, builder->diags);
	return is_fine ? node : NULL;
}

bool model_has_failed(const struct model_builder *builder)
{
	return diags_error_count(builder->diags) != builder->errors_before;
}

static const char *name_problem(struct slice name, size_t *ret_at)
{
	*ret_at = 0;
	if (name.len == 0)
		return "is empty";
	if (name.len > MODEL_NAME_BYTES)
		return "has more than 64 bytes";
	if (!text_is_utf8(name))
		return "is not UTF-8";
	for (size_t i = 0; i < name.len; i++) {
		*ret_at = i;
		if (name.p[i] == '/')
			return "has a `/`";
		if ((unsigned char)name.p[i] < 0x20 || name.p[i] == 0x7F)
			return "has a control character";
	}
	*ret_at = 0;
	return text_trim(name).len != name.len ? "has blanks at an end" : NULL;
}

bool model_read_name(struct model_builder *builder, const struct node *node, const char *what, struct slice *ret_name)
{
	struct slice name;
	size_t at;
	if (node->kind == NODE_SCALAR && node->style == NODE_QUOTED)
		name = node->text;
	else if (!node_read_text(node, what, builder->diags, &name))
		return false;
	const char *problem = name_problem(name, &at);
	if (problem != NULL) {
		struct source_span span = at ? node_span_in(node, at, 1) : node->span;
		diags_add(builder->diags, ERR_BAD_NAME, span, "%s %s", what, problem);
		return false;
	}
	*ret_name = name;
	return true;
}

struct place model_place(const struct node *node)
{
	return (struct place){node_path(node), node_line(node)};
}

void model_names_init(struct model_names *names, const char *what)
{
	map_init(&names->map, NAMES_SEED);
	names->what = what;
}

void model_names_done(struct model_names *names)
{
	map_done(&names->map);
}

bool model_names_add(struct model_builder *builder, struct model_names *names, struct slice name, const struct node *node)
{
	const struct node *first = map_get(&names->map, name);
	if (first == NULL) {
		map_put(&names->map, name, (void *)(uintptr_t)node);
		return true;
	}
	struct diag *diag = diags_add(builder->diags, ERR_DUPLICATE, node->span, "the %s `%.*s` is defined twice", names->what,
	                              SLICE_ARG(name));
	diag_second(builder->diags, diag, first->span, "first defined here");
	return false;
}

/* ---- conditions */

static struct slice without_ending_blanks(struct slice text)
{
	while (text.len > 0 && strchr(" \t\r\n", text.p[text.len - 1]) != NULL)
		text.len--;
	return text;
}

/* A plain scalar that YAML cut off: "a #b" without quotes around the whole. */
static bool is_cut_by_comment(const struct node *node)
{
	struct slice text = node->span.source->text;
	size_t at = node->span.offset + node->span.len;
	if (node->style != NODE_PLAIN || at >= text.len || text.p[at] != ' ')
		return false;
	while (at < text.len && text.p[at] == ' ')
		at++;
	return at < text.len && text.p[at] == '#';
}

static void report_issue(struct model_builder *builder, const struct node *node, const char *what,
                         const struct cel_issue *issue)
{
	struct diags *diags = builder->diags;
	struct source_span span = node_span_in(node, issue->offset, issue->length);
	struct diag *diag = issue->severity == CEL_REFUSED ? diags_add(diags, issue->code, span, "%s", issue->message)
	                                                   : diags_warn(diags, issue->code, span, "%s", issue->message);
	if (issue->help != NULL)
		diag_label(diags, diag, "%s", issue->help);
	if (issue->code == ERR_CEL_SYNTAX && is_cut_by_comment(node))
		diag_help(diags, diag, "to YAML a comment begins at ` #`: put the whole expression in single quotes");
	diag_note(diags, diag, "in %s", what);
	if (issue->note != NULL)
		diag_note(diags, diag, "%s", issue->note);
}

static void warn_costly(struct model_builder *builder, const struct node *node, const char *what,
                        const struct cel_program *program)
{
	uint64_t cost = cel_program_cost(program), limit = builder->model->cel_step_limit;
	if (cost <= limit)
		return;
	struct diag *diag = diags_warn(builder->diags, ERR_COSTLY, node->span, "this may take %" PRIu64 " steps, of %" PRIu64 " allowed",
	                               cost, limit);
	diag_note(builder->diags, diag, "in %s", what);
}

/* account.owner and its like are found by the company's keys, which are kept only where somebody asks for them. */
static void note_account(struct model_builder *builder, const struct cel_program *program)
{
	size_t count;
	const struct cel_path *paths = cel_program_paths(program, &count);
	for (size_t i = 0; i < count; i++)
		if (paths[i].slot == SLOT_ACCOUNT && (paths[i].count == 0 || paths[i].path[0] >= ACCOUNT_OWN_FIELDS))
			builder->model->dedup.asks_account = builder->model->dedup.has_company_keys = true;
}

bool model_read_expression(struct model_builder *builder, const struct cel_env *env, const struct node *node,
                           const struct cel_type *type, const char *what, struct slice *ret_text,
                           const struct cel_program **ret_program)
{
	struct slice text;
	struct cel_program *program = NULL;
	struct cel_issues issues;
	if (!node_read_text(node, type->kind == CEL_BOOL ? "a condition" : "an expression", builder->diags, &text))
		return false;
	text = without_ending_blanks(text);
	int result = cel_compile(env, text, type, builder->arena, &issues, &program);
	/* A text that is looked up says nothing when it is empty; only a condition or number could be decided by that. */
	for (size_t i = 0; i < issues.count; i++)
		if (type->kind != CEL_STRING || issues.items[i].code != ERR_CEL_UNGUARDED)
			report_issue(builder, node, what, &issues.items[i]);
	if (result != 0)
		return false;
	warn_costly(builder, node, what, program);
	note_account(builder, program);
	*ret_text = text;
	*ret_program = program;
	return true;
}

bool model_read_condition(struct model_builder *builder, const struct cel_env *env, const struct node *node,
                          const char *what, struct slice *ret_text, const struct cel_program **ret_program)
{
	if (node->kind == NODE_SCALAR && slice_is(without_ending_blanks(node->text), "true")) {
		*ret_text = SLICE_NONE;
		*ret_program = NULL;
		return true;
	}
	return model_read_expression(builder, env, node, &cel_type_bool, what, ret_text, ret_program);
}

/* ---- build */

static void build_ground(struct model_builder *builder)
{
	size_t errors = diags_error_count(builder->diags);
	model_build_calendars(builder);
	model_build_people(builder);
	model_build_territories(builder);
	model_build_followup(builder);
	builder->is_ground_faulty = diags_error_count(builder->diags) != errors;
}

struct model *model_build(const struct node *root, const struct model_files *files, struct arena *arena,
                          struct diags *diags)
{
	struct model_builder builder = {.root = root, .files = files, .arena = arena, .diags = diags};
	builder.errors_before = diags_error_count(diags);
	builder.model = arena_alloc(arena, sizeof *builder.model);
	builder.model->cel_step_limit = CEL_STEPS;
	builder.model->calendar_by = SIZE_MAX;
	builder.model->countries = country_table_new(arena);
	model_build_tenants(&builder);
	model_build_cleanse(&builder);
	model_build_dedup(&builder);
	build_ground(&builder);
	lint_declare_values(&builder);
	model_build_score(&builder);
	lint_declare_grades(&builder);
	model_build_pools(&builder);
	model_build_routes(&builder);
	model_build_lifecycle(&builder);
	model_build_activity(&builder);
	model_build_clocks(&builder);
	model_build_report(&builder);
	model_build_ownership(&builder);
	model_build_degraded(&builder);
	kept_finish(&builder);
	if (!model_has_failed(&builder)) {
		model_warn_unused(&builder);
		lint_routes(&builder);
		lint_score(&builder);
		lint_outcomes(&builder);
	}
	arena_done(&builder.scratch);
	if (!model_has_failed(&builder)) {
		trace_prepare(builder.model, arena);
		return builder.model;
	}
	diags_say_partial(diags);
	model_done(builder.model);
	return NULL;
}

void model_done(struct model *model)
{
	if (model == NULL)
		return;
	for (size_t i = 0; i < model->criterion_count; i++)
		cel_program_done((struct cel_program *)(uintptr_t)model->criteria[i].when);
	for (size_t i = 0; i < model->route_count; i++)
		cel_program_done((struct cel_program *)(uintptr_t)model->routes[i].when);
	model_clocks_done(model);
	model_done_pools(model);
	if (model->regions != NULL)
		region_table_done(model->regions);
	if (model->countries != NULL)
		country_table_done(model->countries);
}

void model_set_secret(struct model *model, struct slice secret)
{
	model->identity_secret = secret;
	hash_hmac_key_init(&model->identity_hmac, secret);
}

/* The place of `name` among `count` items of `size` bytes that are sorted by the name at `offset` of each, or SIZE_MAX. */
static size_t find_sorted(const void *items, size_t count, size_t size, size_t offset, struct slice name)
{
	size_t low = 0, high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct slice *there = (const void *)((const char *)items + middle * size + offset);
		int order = slice_compare(*there, name);
		if (order == 0)
			return middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return SIZE_MAX;
}

size_t model_find_rep(const struct model *model, struct slice id)
{
	return find_sorted(model->reps, model->rep_count, sizeof *model->reps, offsetof(struct rep, id), id);
}

size_t model_find_team(const struct model *model, struct slice id)
{
	return find_sorted(model->teams, model->team_count, sizeof *model->teams, offsetof(struct team, id), id);
}

const struct calendar *model_find_calendar(const struct model *model, struct slice name)
{
	size_t low = 0, high = model->calendar_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = slice_compare(slice_of(calendar_name(model->calendars[middle])), name);
		if (order == 0)
			return model->calendars[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static const struct calendar *calendar_of_area(const struct model *model, struct slice area)
{
	size_t at = find_sorted(model->area_calendars, model->area_calendar_count, sizeof *model->area_calendars,
	                        offsetof(struct area_calendar, area), area);
	return at != SIZE_MAX ? model->area_calendars[at].calendar : model->calendar;
}

const struct calendar *model_calendar_of(const struct model *model, size_t rep, size_t team, struct slice country,
                                         struct slice region, struct slice postal_code)
{
	if (rep < model->rep_count && model->reps[rep].calendar != NULL)
		return model->reps[rep].calendar;
	if (team < model->team_count && model->teams[team].calendar != NULL)
		return model->teams[team].calendar;
	if (model->area_calendar_count == 0)
		return model->calendar;
	return calendar_of_area(model, territory_find(model->territories[model->calendar_by], country, region, postal_code));
}
