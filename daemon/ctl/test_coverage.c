/* SPDX-License-Identifier: Apache-2.0
 *
 * Which items of the rules the tests reached. Two things tell: the events, which name criteria, grades, routes and levels by
 * the place where they are written, and the core, which reports other items by their address in the model (work_reached).
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/ctl/test.h"
#include "rules/base/map.h"
#include "rules/base/mem.h"
#include "rules/clocks.h"
#include "rules/decide.h"
#include "rules/json/json.h"
#include "rules/model.h"
#include "rules/ownership.h"
#include "rules/pool.h"

/* Values of a larger preference table are not listed one by one: its criterion is. */
enum { VALUES_LISTED = 200 };

#define KINDS(X)                                     \
	X(CRITERION, "criterion", "criteria")        \
	X(ACT, "act", "acts")                        \
	X(GRADE, "grade", "grades")                  \
	X(OWNER, "owner match", "owner matches")     \
	X(ROUTE, "route", "routes")                  \
	X(LANE, "lane", "lanes")                     \
	X(SIZE, "size", "sizes")                     \
	X(CHAIN, "team criterion", "team criteria")  \
	X(VALUE, "preference", "preferences")        \
	X(NOBODY, "outcome", "outcomes when nobody is there") \
	X(CLOCK, "clock", "clocks")                  \
	X(CONDITION, "clock condition", "conditions of clocks") \
	X(LEVEL, "clock level", "levels of clocks")

enum kind {
#define X(id, name, title) KIND_##id,
	KINDS(X)
#undef X
	KIND_COUNT
};

static const char *const names[] = {
#define X(id, name, title) name,
	KINDS(X)
#undef X
};
static const char *const titles[] = {
#define X(id, name, title) title,
	KINDS(X)
#undef X
};

struct item {
	enum kind kind;
	const char *file;
	struct slice name;
	unsigned line;
	size_t hits, event; /* the last event that hit it: one event counts once */
};

struct test_coverage {
	struct arena arena;
	struct map by_place;   /* "kind file:line name" -> the item, as index + 1 */
	struct map by_address; /* in a model -> the same; what a model of before left is overwritten before it could be met */
	struct item *items;    /* heap, in the order in which models named them */
	size_t count, capacity;
	size_t events;
	const struct model *model; /* the latest */
	struct observer observer;
};

static const uint64_t SEED[2] = {0x636f7665, 0x72616765};

static void on_reached(void *ctx, const void *address)
{
	const struct test_coverage *coverage = ctx;
	size_t index = (size_t)(uintptr_t)map_get(&coverage->by_address, (struct slice){(const char *)&address, sizeof address});
	if (index != 0)
		coverage->items[index - 1].hits++;
}

struct test_coverage *test_coverage_new(void)
{
	struct test_coverage *coverage = xcalloc(1, sizeof *coverage);
	map_init(&coverage->by_place, SEED);
	map_init(&coverage->by_address, SEED);
	coverage->observer = (struct observer){.on_reached = on_reached, .ctx = coverage};
	return coverage;
}

void test_coverage_free(struct test_coverage *coverage)
{
	if (coverage == NULL)
		return;
	map_done(&coverage->by_place);
	map_done(&coverage->by_address);
	arena_done(&coverage->arena);
	free(coverage->items);
	free(coverage);
}

const struct observer *test_coverage_observer(const struct test_coverage *coverage)
{
	return coverage != NULL ? &coverage->observer : NULL;
}

/* ---- the items of a model */

static struct slice keep(struct test_coverage *coverage, struct slice text)
{
	return (struct slice){arena_memdupz(&coverage->arena, text.p, text.len), text.len};
}

static struct slice place_key(struct strbuf *out, enum kind kind, struct slice file, int64_t line, struct slice name)
{
	strbuf_clear(out);
	strbuf_printf(out, "%d %.*s:%lld %.*s", kind, SLICE_ARG(file), (long long)line, SLICE_ARG(name));
	return (struct slice){out->bytes, out->len};
}

static size_t find(const struct test_coverage *coverage, enum kind kind, struct slice file, int64_t line, struct slice name)
{
	struct strbuf key = STRBUF_INIT;
	size_t index = (size_t)(uintptr_t)map_get(&coverage->by_place, place_key(&key, kind, file, line, name));
	strbuf_done(&key);
	return index;
}

static size_t add_item(struct test_coverage *coverage, enum kind kind, struct slice name, struct place place)
{
	if (coverage->count == coverage->capacity) {
		coverage->capacity = coverage->capacity * 2 + 64;
		coverage->items = xreallocarray(coverage->items, coverage->capacity, sizeof *coverage->items);
	}
	struct strbuf key = STRBUF_INIT;
	place_key(&key, kind, slice_of(place.file), place.line, name);
	coverage->items[coverage->count++] = (struct item){
		.kind = kind, .file = arena_strdup(&coverage->arena, place.file), .name = keep(coverage, name), .line = place.line};
	map_put(&coverage->by_place, keep(coverage, (struct slice){key.bytes, key.len}), (void *)(uintptr_t)coverage->count);
	strbuf_done(&key);
	return coverage->count;
}

/* `address`: what the core calls it, or NULL. What is in no file was written by nobody. */
static void add(struct test_coverage *coverage, enum kind kind, const void *address, struct slice name, struct place place)
{
	if (place.file == NULL)
		return;
	size_t index = find(coverage, kind, slice_of(place.file), place.line, name);
	if (index == 0)
		index = add_item(coverage, kind, name, place);
	struct slice key = {(const char *)&address, sizeof address};
	if (address != NULL && (size_t)(uintptr_t)map_get(&coverage->by_address, key) != index)
		map_put(&coverage->by_address, keep(coverage, key), (void *)(uintptr_t)index);
}

/* "first: second" */
static struct slice pair(struct test_coverage *coverage, struct slice first, struct slice second)
{
	return ARENA_JOIN(&coverage->arena, first, SLICE(": "), second);
}

static void add_score(struct test_coverage *coverage, const struct model *model)
{
	for (size_t i = 0; i < model->criterion_count; i++)
		add(coverage, KIND_CRITERION, NULL, model->criteria[i].name, model->criteria[i].place);
	for (size_t i = 0; i < model->act_count; i++)
		add(coverage, KIND_ACT, model->acts[i].when, model->acts[i].name, model->acts[i].place);
	for (size_t i = 0; i < model->grade_count; i++)
		add(coverage, KIND_GRADE, NULL, model->grades[i].letter, model->grades[i].place);
}

static void add_owner_matches(struct test_coverage *coverage, const struct model *model)
{
	const struct owner_policy *policies = ownership_rules(model)->match;
	for (int step = 0; step < OWNER_STEP_COUNT; step++)
		add(coverage, KIND_OWNER, &policies[step], slice_of(owner_step_name((enum owner_step)step)), policies[step].place);
}

static void add_values(struct test_coverage *coverage, const struct pool_criterion *criterion)
{
	const struct preference_table *table = &criterion->table;
	for (size_t i = 0; i < table->count && table->count <= VALUES_LISTED; i++)
		add(coverage, KIND_VALUE, &table->lists[i], pair(coverage, table->name, table->lists[i].key), criterion->place);
}

static void add_pool(struct test_coverage *coverage, const struct team *team)
{
	const struct pool *pool = pool_of(team);
	for (size_t i = 0; i < pool->lane_count; i++)
		add(coverage, KIND_LANE, &pool->lanes[i], pair(coverage, team->id, pool->lanes[i].name), pool->lanes[i].place);
	for (size_t i = 0; i < pool->size_count; i++)
		add(coverage, KIND_SIZE, &pool->sizes[i],
		    slice_of(arena_printf(&coverage->arena, "%.*s: %lld", SLICE_ARG(team->id), (long long)pool->sizes[i].units)),
		    pool->sizes[i].place);
	for (size_t i = 0; i < pool->criterion_count; i++) {
		add(coverage, KIND_CHAIN, NULL, pool->criteria[i].name, pool->criteria[i].place);
		add_values(coverage, &pool->criteria[i]);
	}
	for (size_t i = 0; i < pool->outcome_count; i++)
		add(coverage, KIND_NOBODY, &pool->outcomes[i],
		    slice_of(arena_printf(&coverage->arena, "%.*s: %zu. %s", SLICE_ARG(team->id), i + 1,
		                          pool_outcome_name(pool->outcomes[i].kind))),
		    pool->outcomes[i].place);
}

static void add_levels(struct test_coverage *coverage, const struct clock_plan *plan, struct place place)
{
	for (size_t i = 0; i < plan->level_count; i++)
		add(coverage, KIND_LEVEL, NULL, pair(coverage, plan->name, plan->levels[i].name), place);
}

static void add_plan(struct test_coverage *coverage, const struct clock_plan *plan)
{
	const struct place place = {plan->file, plan->line};
	const struct {
		const struct cel_program *program;
		const char *name;
	} conditions[] = {{plan->when, "when"}, {plan->start, "start"}, {plan->stop, "stop"}, {plan->pause, "pause"}};
	add(coverage, KIND_CLOCK, plan, plan->name, place);
	for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++)
		if (conditions[i].program != NULL)
			add(coverage, KIND_CONDITION, conditions[i].program, pair(coverage, plan->name, slice_of(conditions[i].name)), place);
	add_levels(coverage, plan, place);
}

static void add_clocks(struct test_coverage *coverage, const struct model *model)
{
	for (size_t i = 0; i < model->grade_count; i++) {
		struct clock_level levels[2];
		struct clock_plan plan = clock_plan_of_grade(&model->grades[i], levels);
		if (model->grades[i].has_first_response)
			add_levels(coverage, &plan, model->grades[i].place);
	}
	for (size_t i = 0; i < model->clock_count; i++)
		for (size_t plan = 0; plan < model->clocks[i].plan_count; plan++)
			add_plan(coverage, &model->clocks[i].plans[plan]);
}

void test_coverage_add(struct test_coverage *coverage, const struct model *model)
{
	coverage->model = model;
	add_score(coverage, model);
	add_owner_matches(coverage, model);
	for (size_t i = 0; i < model->route_count; i++)
		add(coverage, KIND_ROUTE, NULL, model->routes[i].name, model->routes[i].place);
	for (size_t i = 0; i < model->team_count; i++)
		add_pool(coverage, &model->teams[i]);
	add_clocks(coverage, model);
}

/* ---- what events say */

static void hit(struct test_coverage *coverage, enum kind kind, struct slice file, int64_t line, struct slice name)
{
	size_t index = find(coverage, kind, file, line, name);
	struct item *item = index != 0 ? &coverage->items[index - 1] : NULL;
	if (item == NULL || item->event == coverage->events)
		return;
	item->event = coverage->events;
	item->hits++;
}

/* A term, a route that was tried, a criterion of a team. */
static void hit_place(struct test_coverage *coverage, const struct json *object)
{
	static const enum kind kinds[] = {KIND_CRITERION, KIND_ROUTE, KIND_CHAIN};
	const struct json *line = json_get(object, "line");
	struct slice file = json_get_text(object, "file"), result = json_get_text(object, "result");
	if (file.len == 0 || line == NULL || line->type != JSON_IS_INT || slice_is(result, "no") || slice_is(result, "skipped"))
		return;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		hit(coverage, kinds[i], file, line->integer, json_get_text(object, "name"));
}

static void visit(struct test_coverage *coverage, const struct json *json)
{
	if (json->type == JSON_IS_OBJECT)
		hit_place(coverage, json);
	if (json->type == JSON_IS_OBJECT || json->type == JSON_IS_ARRAY)
		for (size_t i = 0; i < json->count; i++)
			visit(coverage, &json->items[i]);
}

/* An event names its grade by the letter. */
static void hit_grade(struct test_coverage *coverage, const struct json *event)
{
	struct slice letter = json_get_text(event, "grade");
	for (size_t i = 0; i < coverage->model->grade_count && json_get(event, "terms") != NULL; i++) {
		const struct grade *grade = &coverage->model->grades[i];
		if (slice_equal(grade->letter, letter) && grade->place.file != NULL)
			hit(coverage, KIND_GRADE, slice_of(grade->place.file), grade->place.line, letter);
	}
}

static void hit_level(struct test_coverage *coverage, const struct json *event)
{
	const struct json *plan = json_get(event, "plan"), *line = plan != NULL ? json_get(plan, "line") : NULL;
	struct slice level = json_get_text(event, "level");
	if (line == NULL || line->type != JSON_IS_INT || level.len == 0)
		return;
	struct arena arena = ARENA_INIT;
	hit(coverage, KIND_LEVEL, json_get_text(plan, "file"), line->integer,
	    ARENA_JOIN(&arena, json_get_text(event, "timer"), SLICE(": "), level));
	arena_done(&arena);
}

void test_coverage_hit(struct test_coverage *coverage, const struct json *event)
{
	if (event == NULL)
		return;
	coverage->events++;
	visit(coverage, event);
	hit_grade(coverage, event);
	hit_level(coverage, event);
}

/* ---- reports */

static void put_kind(const struct test_coverage *coverage, enum kind kind, struct strbuf *out)
{
	size_t total = 0, reached = 0;
	for (size_t i = 0; i < coverage->count; i++)
		if (coverage->items[i].kind == kind) {
			total++;
			reached += coverage->items[i].hits != 0;
		}
	if (total == 0)
		return;
	strbuf_printf(out, "%s: %zu of %zu\n", titles[kind], reached, total);
	for (size_t i = 0; i < coverage->count; i++) {
		const struct item *item = &coverage->items[i];
		if (item->kind == kind)
			strbuf_printf(out, "%8zu  %s:%u  %.*s%s\n", item->hits, item->file, item->line, SLICE_ARG(item->name),
			              item->hits == 0 ? "  (never)" : "");
	}
}

void test_coverage_put(const struct test_coverage *coverage, struct strbuf *out)
{
	for (int kind = 0; kind < KIND_COUNT; kind++)
		put_kind(coverage, (enum kind)kind, out);
}

void test_coverage_put_json(const struct test_coverage *coverage, struct strbuf *out)
{
	for (size_t i = 0; i < coverage->count; i++) {
		const struct item *item = &coverage->items[i];
		struct json_writer writer = JSON_WRITER(out);
		json_open_object(&writer, NULL);
		json_put_text(&writer, "covers", slice_of(names[item->kind]));
		json_put_text(&writer, "name", item->name);
		json_put_text(&writer, "file", slice_of(item->file));
		json_put_int(&writer, "line", item->line);
		json_put_int(&writer, "hits", (int64_t)item->hits);
		json_close_object(&writer);
		strbuf_putc(out, '\n');
	}
}
