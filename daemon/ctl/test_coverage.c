/* SPDX-License-Identifier: Apache-2.0
 *
 * Which rule items the tests reached. An item is known by the place where it is written; an event tells the places that
 * took part in its decision, so whatever names its file and line in an event is counted without a line of code here.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/ctl/test.h"
#include "rules/base/map.h"
#include "rules/base/mem.h"
#include "rules/json.h"
#include "rules/model.h"

struct item {
	const char *kind, *file;
	struct slice name;
	unsigned line;
	size_t hits, event; /* the last event that hit it: one event counts once */
};

struct test_coverage {
	struct arena arena;
	struct map by_place; /* "file:line" -> the first item there, as index + 1 */
	struct item *items;  /* heap, in the order in which models named them */
	size_t count, capacity;
	size_t events;
	const struct model *model; /* the latest */
};

/* A kind of item: a row here, and a loop in test_coverage_add(). */
static const struct {
	const char *kind, *title;
} KINDS[] = {{"criterion", "criteria"}, {"grade", "grades"}, {"route", "routes"}};

enum { KIND_COUNT = sizeof KINDS / sizeof *KINDS };

static const uint64_t SEED[2] = {0x636f7665, 0x72616765};

struct test_coverage *test_coverage_new(void)
{
	struct test_coverage *coverage = xcalloc(1, sizeof *coverage);
	map_init(&coverage->by_place, SEED);
	return coverage;
}

void test_coverage_free(struct test_coverage *coverage)
{
	if (coverage == NULL)
		return;
	map_done(&coverage->by_place);
	arena_done(&coverage->arena);
	free(coverage->items);
	free(coverage);
}

static struct slice place_key(struct strbuf *out, const char *kind, struct slice file, int64_t line)
{
	strbuf_clear(out);
	strbuf_printf(out, "%s %.*s:%lld", kind, SLICE_ARG(file), (long long)line);
	return (struct slice){out->bytes, out->len};
}

static struct item *find(const struct test_coverage *coverage, const char *kind, struct slice file, int64_t line)
{
	struct strbuf key = STRBUF_INIT;
	size_t index = (size_t)(uintptr_t)map_get(&coverage->by_place, place_key(&key, kind, file, line));
	strbuf_done(&key);
	return index != 0 ? &coverage->items[index - 1] : NULL;
}

static void add(struct test_coverage *coverage, const char *kind, struct slice name, struct place place)
{
	if (place.file == NULL || find(coverage, kind, slice_of(place.file), place.line) != NULL)
		return;
	if (coverage->count == coverage->capacity) {
		coverage->capacity = coverage->capacity * 2 + 64;
		coverage->items = xreallocarray(coverage->items, coverage->capacity, sizeof *coverage->items);
	}
	struct strbuf key = STRBUF_INIT;
	place_key(&key, kind, slice_of(place.file), place.line);
	coverage->items[coverage->count++] = (struct item){
		.kind = kind,
		.file = arena_strdup(&coverage->arena, place.file),
		.name = {arena_memdupz(&coverage->arena, name.p, name.len), name.len},
		.line = place.line,
	};
	map_put(&coverage->by_place, (struct slice){arena_memdupz(&coverage->arena, key.bytes, key.len), key.len},
	        (void *)(uintptr_t)coverage->count);
	strbuf_done(&key);
}

void test_coverage_add(struct test_coverage *coverage, const struct model *model)
{
	coverage->model = model;
	for (size_t i = 0; i < model->criterion_count; i++)
		add(coverage, "criterion", model->criteria[i].name, model->criteria[i].place);
	for (size_t i = 0; i < model->grade_count; i++)
		add(coverage, "grade", model->grades[i].letter, model->grades[i].place);
	for (size_t i = 0; i < model->route_count; i++)
		add(coverage, "route", model->routes[i].name, model->routes[i].place);
}

static void hit(struct test_coverage *coverage, struct item *item)
{
	if (item == NULL || item->event == coverage->events)
		return;
	item->event = coverage->events;
	item->hits++;
}

static void hit_place(struct test_coverage *coverage, const struct json *object)
{
	const struct json *line = json_get(object, "line");
	struct slice file = json_get_text(object, "file");
	if (file.len == 0 || line == NULL || line->type != JSON_IS_INT || slice_is(json_get_text(object, "result"), "no"))
		return;
	for (size_t i = 0; i < KIND_COUNT; i++)
		hit(coverage, find(coverage, KINDS[i].kind, file, line->integer));
}

static void visit(struct test_coverage *coverage, const struct json *json)
{
	if (json->type == JSON_IS_OBJECT)
		hit_place(coverage, json);
	if (json->type == JSON_IS_OBJECT || json->type == JSON_IS_ARRAY)
		for (size_t i = 0; i < json->count; i++)
			visit(coverage, &json->items[i]);
}

void test_coverage_hit(struct test_coverage *coverage, const struct json *event)
{
	struct slice letter = json_get_text(event, "grade");
	if (event == NULL)
		return;
	coverage->events++;
	visit(coverage, event);
	/* an event names its grade by the letter */
	for (size_t i = 0; i < coverage->model->grade_count && json_get(event, "terms") != NULL; i++) {
		const struct grade *grade = &coverage->model->grades[i];
		if (slice_equal(grade->letter, letter) && grade->place.file != NULL)
			hit(coverage, find(coverage, "grade", slice_of(grade->place.file), grade->place.line));
	}
}

static void put_kind(const struct test_coverage *coverage, const char *kind, const char *title, struct strbuf *out)
{
	size_t total = 0, reached = 0;
	for (size_t i = 0; i < coverage->count; i++)
		if (strcmp(coverage->items[i].kind, kind) == 0) {
			total++;
			reached += coverage->items[i].hits != 0;
		}
	strbuf_printf(out, "%s: %zu of %zu\n", title, reached, total);
	for (size_t i = 0; i < coverage->count; i++) {
		const struct item *item = &coverage->items[i];
		if (strcmp(item->kind, kind) == 0)
			strbuf_printf(out, "%8zu  %s:%u  %.*s%s\n", item->hits, item->file, item->line, SLICE_ARG(item->name),
			              item->hits == 0 ? "  (never)" : "");
	}
}

void test_coverage_put(const struct test_coverage *coverage, struct strbuf *out)
{
	for (size_t i = 0; i < KIND_COUNT; i++)
		put_kind(coverage, KINDS[i].kind, KINDS[i].title, out);
}

void test_coverage_put_json(const struct test_coverage *coverage, struct strbuf *out)
{
	for (size_t i = 0; i < coverage->count; i++) {
		const struct item *item = &coverage->items[i];
		struct json_writer writer = JSON_WRITER(out);
		json_open_object(&writer, NULL);
		json_put_text(&writer, "covers", slice_of(item->kind));
		json_put_text(&writer, "name", item->name);
		json_put_text(&writer, "file", slice_of(item->file));
		json_put_int(&writer, "line", item->line);
		json_put_int(&writer, "hits", (int64_t)item->hits);
		json_close_object(&writer);
		strbuf_putc(out, '\n');
	}
}
