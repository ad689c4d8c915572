/* SPDX-License-Identifier: Apache-2.0
 *
 * An expectation (YAML) against what there is (JSON). It is partial: members that are not named do not matter. Names may
 * be paths, "rule.name", "trace.candidates.0.rep"; `*` in place of an index is some item. Texts may hold `*` for any
 * text. Times are compared as instants, whatever their form.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/ctl/test.h"
#include "rules/base/mem.h"
#include "rules/base/suggest.h"
#include "rules/json/json.h"
#include "rules/json/tree.h"

enum { NAMES_BYTES_MAX = 160 };

static const char *shown(struct arena *arena, void (*show)(struct strbuf *out, const void *what), const void *what)
{
	struct strbuf text = STRBUF_INIT;
	show(&text, what);
	const char *copy = arena_memdupz(arena, strbuf_text(&text), text.len);
	strbuf_done(&text);
	return copy;
}

static void show_node(struct strbuf *out, const void *node)
{
	test_node_show(out, node);
}

static void show_json(struct strbuf *out, const void *json)
{
	test_json_show(out, json);
}

void test_differ(struct test_differences *differences, const char *field, const struct node *expected,
                 const char *actual)
{
	if (differences->is_silent)
		return;
	if (differences->count == differences->capacity) {
		differences->capacity = differences->capacity * 2 + 8;
		differences->items = xreallocarray(differences->items, differences->capacity, sizeof *differences->items);
	}
	differences->items[differences->count++] = (struct test_difference){
		.field = arena_strdup(differences->arena, field),
		.expected = shown(differences->arena, show_node, expected),
		.actual = arena_strdup(differences->arena, actual),
		.line = node_line(expected),
	};
}

static bool differ(struct test_differences *differences, const char *field, const struct node *expected,
                   const struct json *actual)
{
	if (!differences->is_silent)
		test_differ(differences, field, expected, shown(differences->arena, show_json, actual));
	return false;
}

/* ---- scalars */

/* `*` is any text, also none. */
static bool is_like(struct slice pattern, struct slice text)
{
	size_t p = 0, t = 0, star = SIZE_MAX, mark = 0;
	while (t < text.len) {
		if (p < pattern.len && pattern.p[p] == '*') {
			star = p++;
			mark = t;
		} else if (p < pattern.len && pattern.p[p] == text.p[t]) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++mark;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.p[p] == '*')
		p++;
	return p == pattern.len;
}

static bool is_number(struct slice text, double value)
{
	char copy[64];
	char *end;
	if (text.len == 0 || text.len >= sizeof copy)
		return false;
	memcpy(copy, text.p, text.len);
	copy[text.len] = '\0';
	double number = strtod(copy, &end);
	return *end == '\0' && number == value;
}

static int64_t time_of(const struct json *json)
{
	if (json->type == JSON_IS_INT)
		return json->integer;
	return json->type == JSON_IS_STRING ? test_time_parse(json->text, NULL) : -1;
}

/* A time that differs is shown as the tests write times. */
static bool differ_in_time(struct test_differences *differences, const char *field, const struct node *expected, int64_t ms)
{
	struct strbuf text = STRBUF_INIT;
	test_time_put(&text, ms, differences->zone);
	test_differ(differences, field, expected, strbuf_text(&text));
	strbuf_done(&text);
	return false;
}

static bool is_equal(const struct node *expected, const struct json *actual)
{
	bool is_plain = expected->style == NODE_PLAIN;
	switch (actual->type) {
	case JSON_IS_NULL:
		return false;
	case JSON_IS_BOOL:
		return is_plain && slice_is(expected->text, actual->boolean ? "true" : "false");
	case JSON_IS_INT:
		return is_plain && is_number(expected->text, (double)actual->integer);
	case JSON_IS_REAL:
		return is_plain && is_number(expected->text, actual->real);
	case JSON_IS_STRING:
		return is_like(expected->text, actual->text);
	case JSON_IS_ARRAY:
	case JSON_IS_OBJECT:
		return false;
	}
	return false;
}

static bool match_scalar(struct test_differences *differences, const char *field, const struct node *expected,
                         const struct json *actual)
{
	bool is_nothing = actual == NULL || actual->type == JSON_IS_NULL;
	if (node_is_empty(expected))
		return is_nothing || differ(differences, field, expected, actual);
	if (is_nothing)
		return differ(differences, field, expected, actual);
	if (is_equal(expected, actual))
		return true;
	int64_t wanted_ms = test_time_parse(expected->text, differences->zone), actual_ms = time_of(actual);
	if (wanted_ms < 0 || actual_ms < 0)
		return differ(differences, field, expected, actual);
	return wanted_ms == actual_ms || differ_in_time(differences, field, expected, actual_ms);
}

/* ---- collections */

static const struct json *member_of(const struct json *object, struct slice name)
{
	for (size_t i = 0; i < object->count; i++)
		if (slice_equal(object->names[i], name))
			return &object->items[i];
	return NULL;
}

static bool match_list(struct test_differences *differences, const char *field, const struct node *expected,
                       const struct json *actual)
{
	if (actual == NULL || actual->type != JSON_IS_ARRAY || actual->count != expected->count)
		return differ(differences, field, expected, actual);
	bool is_match = true;
	for (size_t i = 0; i < expected->count; i++)
		is_match &= test_match(differences, arena_printf(differences->arena, "%s[%zu]", field, i), expected->items[i],
		                       &actual->items[i]);
	return is_match;
}

static bool match_path(struct test_differences *differences, const char *field, struct slice path,
                       const struct node *expected, const struct json *actual);

static bool match_some(struct test_differences *differences, const char *field, struct slice rest,
                       const struct node *expected, const struct json *list)
{
	struct test_differences silent = {.arena = differences->arena, .zone = differences->zone, .is_silent = true};
	for (size_t i = 0; i < list->count; i++)
		if (match_path(&silent, field, rest, expected, &list->items[i]))
			return true;
	return differ(differences, field, expected, list);
}

static const struct json *item_of(const struct json *list, struct slice segment)
{
	size_t index = 0;
	for (size_t i = 0; i < segment.len; i++) {
		if (segment.p[i] < '0' || segment.p[i] > '9' || index > list->count)
			return NULL;
		index = index * 10 + (size_t)(segment.p[i] - '0');
	}
	return segment.len > 0 && index < list->count ? &list->items[index] : NULL;
}

/* A name that is not there but wanted: perhaps it is mistyped, so what is there is shown. */
static const char *names_of(const struct json *object, struct arena *arena)
{
	struct strbuf text = STRBUF_INIT;
	for (size_t i = 0; i < object->count && text.len < NAMES_BYTES_MAX; i++)
		strbuf_printf(&text, "%s%.*s", i > 0 ? ", " : "nothing; there are ", SLICE_ARG(object->names[i]));
	const char *copy = arena_strdup(arena, text.len != 0 ? text.bytes : "nothing");
	strbuf_done(&text);
	return copy;
}

static bool differ_in_name(struct test_differences *differences, const char *field, struct slice name,
                           const struct node *expected, const struct json *object)
{
	struct suggest suggest = suggest_for(name);
	for (size_t i = 0; i < object->count; i++)
		suggest_offer(&suggest, object->names[i]);
	const char *actual = suggest.best.len == 0 ? names_of(object, differences->arena)
	                                           : arena_printf(differences->arena, "nothing; did you mean `%.*s`?",
	                                                          SLICE_ARG(suggest.best));
	test_differ(differences, field, expected, actual);
	return false;
}

static bool match_member(struct test_differences *differences, const char *field, struct slice path,
                         const struct node *expected, const struct json *object)
{
	const struct json *member = member_of(object, path); /* names may have dots: "geo.country" */
	const char *dot = memchr(path.p, '.', path.len);
	if (member != NULL)
		return test_match(differences, field, expected, member);
	if (dot != NULL) {
		struct slice first = {path.p, (size_t)(dot - path.p)}, rest = {dot + 1, path.len - first.len - 1};
		return match_path(differences, field, rest, expected, member_of(object, first));
	}
	if (expected->kind == NODE_SCALAR && node_is_empty(expected))
		return true;
	return differ_in_name(differences, field, path, expected, object);
}

static bool match_path(struct test_differences *differences, const char *field, struct slice path,
                       const struct node *expected, const struct json *actual)
{
	if (path.len == 0 || actual == NULL)
		return test_match(differences, field, expected, actual);
	if (actual->type == JSON_IS_OBJECT)
		return match_member(differences, field, path, expected, actual);
	if (actual->type != JSON_IS_ARRAY)
		return test_match(differences, field, expected, NULL);
	const char *dot = memchr(path.p, '.', path.len);
	struct slice first = {path.p, dot != NULL ? (size_t)(dot - path.p) : path.len};
	struct slice rest = dot != NULL ? (struct slice){dot + 1, path.len - first.len - 1} : SLICE_NONE;
	if (slice_is(first, "*"))
		return match_some(differences, field, rest, expected, actual);
	return match_path(differences, field, rest, expected, item_of(actual, first));
}

static bool match_mapping(struct test_differences *differences, const char *field, const struct node *expected,
                          const struct json *actual)
{
	bool is_match = true;
	if (actual == NULL || (actual->type != JSON_IS_OBJECT && actual->type != JSON_IS_ARRAY))
		return differ(differences, field, expected, actual);
	for (size_t i = 0; i < expected->count; i++) {
		const struct node_member *member = &expected->members[i];
		const char *name =
			arena_printf(differences->arena, "%s%s%.*s", field, *field ? "." : "", SLICE_ARG(member->key->text));
		is_match &= match_path(differences, name, member->key->text, member->value, actual);
	}
	return is_match;
}

bool test_match(struct test_differences *differences, const char *field, const struct node *expected,
                const struct json *actual)
{
	switch (expected->kind) {
	case NODE_SCALAR:
		return match_scalar(differences, field, expected, actual);
	case NODE_SEQUENCE:
		return match_list(differences, field, expected, actual);
	case NODE_MAPPING:
		return match_mapping(differences, field, expected, actual);
	}
	return false;
}
