/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/model_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/base/mem.h"
#include "rules/calendar/calendar.h"
#include "rules/cel/cel.h"
#include "rules/schema.h"
#include "rules/territory.h"
#include "rules/text/country.h"
#include "rules/text/region.h"
#include "rules/text/zone.h"

static const struct cel_program *program(struct fixture *fixture, const struct cel_env *env, const char *text)
{
	struct cel_program *compiled;
	struct cel_issues issues;
	if (cel_compile(env, slice_of(text), &cel_type_bool, &fixture->arena, &issues, &compiled) != 0) {
		fprintf(stderr, "%s: %s\n", text, issues.items[0].message);
		abort();
	}
	return compiled;
}

static void add_people(struct fixture *fixture)
{
	static const struct rep reps[4] = {
		{.id = {"ana", 3}, .name = {"Ana Alvarez", 11}, .is_active = true, .place = {"people.yaml", 3}},
		{.id = {"bob", 3}, .name = {"Bob Brown", 9}, .is_active = true, .place = {"people.yaml", 4}},
		{.id = {"cy", 2}, .name = {"Cy Chen", 7}, .is_active = false, .place = {"people.yaml", 5}},
		{.id = {"dee", 3}, .name = {"Dee Dietz", 9}, .is_active = true, .place = {"people.yaml", 6}},
	};
	memcpy(fixture->reps, reps, sizeof reps);
	fixture->emea[0] = (struct member){0, 2};
	fixture->emea[1] = (struct member){1, 1};
	fixture->emea[2] = (struct member){2, 1};
	fixture->key[0] = (struct member){3, 1};
	fixture->world[0] = (struct member){0, 1};
	fixture->world[1] = (struct member){3, 1};
	fixture->teams[0] = (struct team){.id = SLICE("emea"), .name = SLICE("EMEA"), .members = fixture->emea,
	                                  .member_count = 3, .place = {"people.yaml", 10}};
	fixture->teams[1] = (struct team){.id = SLICE("key"), .name = SLICE("Key accounts"), .members = fixture->key,
	                                  .member_count = 1, .place = {"people.yaml", 14}};
	fixture->teams[2] = (struct team){.id = SLICE("world"), .name = SLICE("World"), .members = fixture->world,
	                                  .member_count = 2, .place = {"people.yaml", 17}};
	fixture->model.reps = fixture->reps;
	fixture->model.rep_count = 4;
	fixture->model.teams = fixture->teams;
	fixture->model.team_count = 3;
}

static void add_score(struct fixture *fixture)
{
	static const struct {
		const char *name, *when;
		int32_t points;
	} rows[5] = {
		{"intent", "lead.intent == \"high\"", 40},
		{"size", "has(lead.company.employees) && lead.company.employees > 100", 30},
		{"referral", "lead.source == \"referral\"", 20},
		{"student", "lead.contact.email.endsWith(\".edu\")", -50},
		{"key-area", "territory.areas == \"key\"", 5},
	};
	const struct cel_env *score_env = schema_score_env(fixture->model.env, &fixture->arena);
	for (size_t i = 0; i < 5; i++)
		fixture->criteria[i] = (struct criterion){.name = slice_of(rows[i].name), .when_text = slice_of(rows[i].when),
		                                          .when = program(fixture, score_env, rows[i].when),
		                                          .points = rows[i].points, .place = {"score.yaml", (unsigned)i + 2}};
	fixture->grades[0] = (struct grade){.letter = SLICE("A"), .from = 60, .has_first_response = true};
	fixture->grades[0].first_response.business_ms = 2 * 3600000;
	fixture->grades[0].remind_before.business_ms = 30 * 60000;
	fixture->grades[1] = (struct grade){.letter = SLICE("B"), .from = 0, .has_first_response = true};
	fixture->grades[1].first_response.business_ms = 8 * 3600000;
	fixture->grades[2] = (struct grade){.letter = SLICE("D"), .from = INT32_MIN, .stops = true};
	fixture->model.criteria = fixture->criteria;
	fixture->model.criterion_count = 5;
	fixture->model.grades = fixture->grades;
	fixture->model.grade_count = 3;
}

static void add_routes(struct fixture *fixture)
{
	static const char dach[] = "grade == \"A\" && lead.location.country in [\"DE\", \"AT\", \"CH\"]";
	static const char vip[] = "\"vip.is\" in facts && facts[\"vip.is\"] == true";
	fixture->routes[0] = (struct route){.name = SLICE("dach-high"), .when_text = slice_of(dach),
	                                    .when = program(fixture, fixture->model.env, dach), .team = 0, .team_by = SIZE_MAX,
	                                    .place = {"routes.yaml", 2}};
	fixture->routes[1] = (struct route){.name = SLICE("vip"), .when_text = slice_of(vip),
	                                    .when = program(fixture, fixture->model.env, vip), .team = 1, .team_by = SIZE_MAX,
	                                    .place = {"routes.yaml", 5}};
	fixture->routes[2] = (struct route){.name = SLICE("by-area"), .team = SIZE_MAX, .team_by = 0, .place = {"routes.yaml", 8}};
	fixture->routes[3] = (struct route){.name = SLICE("rest"), .team = 2, .team_by = SIZE_MAX, .place = {"routes.yaml", 11}};
	fixture->model.routes = fixture->routes;
	fixture->model.route_count = 4;
}

static void add_tables(struct fixture *fixture)
{
	static const struct territory_row rows[] = {
		{{"FR", 2}, {NULL, 0}, {NULL, 0}, {"emea", 4}},
		{{"US", 2}, {"CA", 2}, {NULL, 0}, {"key", 3}},
		{{"US", 2}, {NULL, 0}, {NULL, 0}, {"nobody", 6}},
	};
	struct territory_problem problem;
	static const struct slice tables[] = {{"areas", 5}};
	const struct territory **territories = arena_array(&fixture->arena, 1, sizeof *territories);
	territories[0] = territory_build(rows, 3, &fixture->arena, &problem);
	fixture->model.territories = territories;
	fixture->model.territory_count = 1;
	fixture->model.env = schema_env_new(tables, 1, &fixture->arena);
	fixture->model.countries = country_table_new(&fixture->arena);
	struct region_table *regions = region_table_new(&fixture->arena);
	region_table_add(regions, SLICE("US"), SLICE("US-CA"), SLICE("California"));
	region_table_add(regions, SLICE("DE"), SLICE("DE-BY"), SLICE("Bayern"));
	fixture->model.regions = regions;
}

static void add_calendar(struct fixture *fixture)
{
	static const struct hours day[] = {{9 * 3600, 17 * 3600}};
	struct calendar_spec spec = {.name = "office", .zone = zone_load("Europe/Berlin")};
	for (int weekday = 0; weekday < 5; weekday++)
		spec.week[weekday] = (struct hours_list){day, 1};
	struct err err = ERR_INIT;
	fixture->model.calendar = calendar_compile(&spec, &fixture->arena, &err);
	if (fixture->model.calendar == NULL)
		abort();
}

static void add_vocabulary(struct fixture *fixture)
{
	static const struct slice names[] = {{"web", 3}, {"referral", 8}, {"other", 5}};
	static const struct vocabulary_alias aliases[] = {
		{{"other", 5}, 2}, {{"referral", 8}, 1}, {{"web", 3}, 0}, {{"website", 7}, 0}};
	fixture->model.sources = (struct vocabulary){names, 3, aliases, 4};
}

void fixture_init(struct fixture *fixture)
{
	*fixture = (struct fixture){.arena = ARENA_INIT};
	struct model *model = &fixture->model;
	strcpy(model->config_hash, "00112233aabbccdd");
	model->default_country = SLICE("DE");
	const struct dedup_window quarter = {true, (int64_t)90 * 86400000};
	model->dedup.windows[DEDUP_EMAIL] = model->dedup.windows[DEDUP_PHONE] = quarter;
	model_set_secret(model, SLICE("a secret of at least sixteen bytes"));
	model->identity_key_id = SLICE("k1");
	model->cel_step_limit = CEL_DEFAULT_STEPS;
	add_people(fixture);
	add_tables(fixture);
	add_score(fixture);
	add_routes(fixture);
	add_calendar(fixture);
	add_vocabulary(fixture);
}

void fixture_done(struct fixture *fixture)
{
	for (size_t i = 0; i < fixture->model.criterion_count; i++)
		cel_program_done((struct cel_program *)(uintptr_t)fixture->criteria[i].when);
	for (size_t i = 0; i < fixture->model.route_count; i++)
		cel_program_done((struct cel_program *)(uintptr_t)fixture->routes[i].when);
	country_table_done((struct country_table *)(uintptr_t)fixture->model.countries);
	region_table_done((struct region_table *)(uintptr_t)fixture->model.regions);
	arena_done(&fixture->arena);
}

/* ---- a store */

static struct store_row *find_row(const struct store *store, struct slice key)
{
	for (size_t i = 0; i < store->count; i++)
		if (slice_equal((struct slice){store->rows[i].key, store->rows[i].key_len}, key))
			return &store->rows[i];
	return NULL;
}

static enum view_answer get(void *ctx, struct slice key, struct slice *ret_value)
{
	const struct store_row *row = find_row(ctx, key);
	if (row == NULL)
		return VIEW_ABSENT;
	*ret_value = (struct slice){row->value, row->value_len};
	return VIEW_FOUND;
}

static void walk(void *ctx, struct slice prefix, void (*see)(void *arg, struct slice key), void *arg)
{
	const struct store *store = ctx;
	for (size_t i = 0; i < store->count; i++) {
		struct slice key = {store->rows[i].key, store->rows[i].key_len};
		if (slice_has_prefix(key, prefix) && store->rows[i].value_len != 0)
			see(arg, key);
	}
}

struct rules_view store_view(struct store *store)
{
	return (struct rules_view){get, store, walk};
}

void store_apply(struct store *store, const struct write *writes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct store_row *row = find_row(store, writes[i].key);
		if (row == NULL) {
			store->rows = xreallocarray(store->rows, store->count + 1, sizeof *store->rows);
			row = &store->rows[store->count++];
			*row = (struct store_row){xmemdupz(writes[i].key.p, writes[i].key.len), NULL, writes[i].key.len, 0};
		}
		free(row->value);
		row->value = xmemdupz(writes[i].value.p, writes[i].value.len);
		row->value_len = writes[i].value.len;
	}
}

void store_done(struct store *store)
{
	for (size_t i = 0; i < store->count; i++) {
		free(store->rows[i].key);
		free(store->rows[i].value);
	}
	free(store->rows);
	*store = (struct store){NULL, 0};
}

const char *store_text(const struct store *store, const char *key)
{
	const struct store_row *row = find_row(store, slice_of(key));
	return row != NULL ? row->value : "";
}

struct record fixture_record(enum record_kind kind, int64_t offset, const char *json)
{
	return (struct record){.kind = kind,
	                       .topic = kind == RECORD_CAPTURED ? SLICE("leads.captured") : SLICE("leads.activity"),
	                       .offset = offset,
	                       .timestamp_ms = -1,
	                       .value = slice_of(json),
	                       .has_value = true,
	                       .partition_count = 1};
}
