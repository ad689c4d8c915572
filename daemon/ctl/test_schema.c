/* SPDX-License-Identifier: Apache-2.0
 *
 * An expectation beside the schema of what it is about: a member that the schema has not could never be there. Values do not
 * matter here, only names, which may be paths as test_match.c reads them.
 *
 * Of JSON Schema this follows what config/schemas use to say what may be there: properties, additionalProperties, items, $ref.
 */
#include <assert.h>
#include <string.h>

#include "daemon/ctl/schemas.h"
#include "daemon/ctl/test.h"
#include "rules/base/diag.h"
#include "rules/base/suggest.h"
#include "rules/json/json.h"
#include "rules/json/tree.h"

enum {
	REFS_MAX = 8, /* one behind the other */
	NAMES_BYTES_MAX = 240, /* of a list of members; the schema has all */
};

struct test_schemas {
	struct arena *arena;
	const struct json *roots[SCHEMA_COUNT]; /* NULL: not read yet */
};

/* A schema, or a part of one. `node` NULL: anything may be there. */
struct place {
	const struct json *root, *node;
};

struct check {
	struct test_schemas *schemas;
	const char *owner; /* "`lead.assigned`" */
	struct diags *diags;
};

struct test_schemas *test_schemas_new(struct arena *arena)
{
	struct test_schemas *schemas = arena_alloc(arena, sizeof *schemas);
	*schemas = (struct test_schemas){.arena = arena};
	return schemas;
}

static const struct json *root_of(struct test_schemas *schemas, struct slice name)
{
	for (size_t i = 0; i < SCHEMA_COUNT; i++) {
		if (!slice_is(name, schemas_name(i)))
			continue;
		if (schemas->roots[i] == NULL)
			schemas->roots[i] = json_read(schemas_text(i), (struct json_limits){1 << 20, 64, 100000},
						      schemas->arena, NULL);
		assert(schemas->roots[i] != NULL); /* tests/unit/test_json.c reads them all */
		return schemas->roots[i];
	}
	return NULL;
}

/* ---- references: "common.json#/$defs/time", "#/$defs/cell/properties/rates", "lead.captured.json" */

static struct slice cut(struct slice *text, char mark)
{
	const char *at = memchr(text->p, mark, text->len);
	struct slice first = {text->p, at != NULL ? (size_t)(at - text->p) : text->len};
	*text = at != NULL ? (struct slice){at + 1, text->len - first.len - 1} : SLICE_NONE;
	return first;
}

static const struct json *member_of(const struct json *object, struct slice name)
{
	for (size_t i = 0; object != NULL && object->type == JSON_IS_OBJECT && i < object->count; i++)
		if (slice_equal(object->names[i], name))
			return &object->items[i];
	return NULL;
}

static struct place follow(struct test_schemas *schemas, struct place place, struct slice ref)
{
	struct slice file = cut(&ref, '#');
	if (file.len > strlen(".json"))
		place.root = root_of(schemas, (struct slice){file.p, file.len - strlen(".json")});
	place.node = place.root;
	while (ref.len != 0) {
		struct slice step = cut(&ref, '/');
		if (step.len != 0)
			place.node = member_of(place.node, step);
	}
	return place;
}

static struct place resolve(struct test_schemas *schemas, struct place place)
{
	for (int i = 0; i < REFS_MAX && json_get(place.node, "$ref") != NULL; i++)
		place = follow(schemas, place, json_get_text(place.node, "$ref"));
	return place;
}

/* ---- names */

static const char *names_of(const struct json *properties, struct arena *arena)
{
	struct strbuf text = STRBUF_INIT;
	size_t shown = 0;
	for (; shown < properties->count && text.len < NAMES_BYTES_MAX; shown++)
		strbuf_printf(&text, "%s%.*s", shown > 0 ? ", " : "", SLICE_ARG(properties->names[shown]));
	strbuf_puts(&text, shown < properties->count ? ", …" : "");
	const char *copy = arena_strdup(arena, strbuf_text(&text));
	strbuf_done(&text);
	return copy;
}

/* `name` is a part of the key's text; what stands before it is right. */
static bool refuse(const struct check *check, const struct node *key, struct slice name, const struct json *properties)
{
	struct slice before = {key->text.p, (size_t)(name.p - key->text.p)},
		     wrong = {key->text.p, before.len + name.len};
	struct suggest suggest = suggest_for(name);
	struct diag *diag = diags_add(check->diags, ERR_UNKNOWN_REFERENCE, key->span, "%s has no member `%.*s`",
				      check->owner, SLICE_ARG(wrong));
	for (size_t i = 0; properties != NULL && i < properties->count; i++)
		suggest_offer(&suggest, properties->names[i]);
	if (suggest.best.len != 0)
		diag_did_you_mean(check->diags, diag, ARENA_JOIN(check->schemas->arena, before, suggest.best));
	else if (properties != NULL)
		diag_note(check->diags, diag, "members: %s", names_of(properties, check->schemas->arena));
	return false;
}

static bool check_value(const struct check *check, struct place place, const struct node *value);
static bool check_path(const struct check *check, struct place place, const struct node *key, struct slice path,
		       const struct node *value);

/* Names that nobody declared, such as those of facts, may have dots. */
static bool check_free(const struct check *check, struct place place, const struct node *key, struct slice path,
		       const struct node *value)
{
	struct place free =
		resolve(check->schemas, (struct place){place.root, json_get(place.node, "additionalProperties")});
	if (json_get(free.node, "properties") == NULL && json_get(free.node, "additionalProperties") == NULL)
		return true;
	cut(&path, '.');
	return check_path(check, free, key, path, value);
}

static bool check_member(const struct check *check, struct place place, const struct node *key, struct slice path,
			 const struct node *value)
{
	const struct json *properties = json_get(place.node, "properties"),
			  *free = json_get(place.node, "additionalProperties");
	struct slice rest = path, first = cut(&rest, '.');
	const struct json *member = member_of(properties, first);
	if (member != NULL)
		return check_path(check, (struct place){place.root, member}, key, rest, value);
	if (free != NULL && free->type == JSON_IS_OBJECT)
		return check_free(check, place, key, path, value);
	if (properties == NULL && free != NULL && free->type == JSON_IS_BOOL && free->boolean)
		return true;
	return refuse(check, key, first, properties);
}

static bool is_index(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.p[i] < '0' || text.p[i] > '9')
			return slice_is(text, "*");
	return text.len != 0;
}

static bool check_path(const struct check *check, struct place place, const struct node *key, struct slice path,
		       const struct node *value)
{
	place = resolve(check->schemas, place);
	if (place.node == NULL)
		return true;
	if (path.len == 0)
		return check_value(check, place, value);
	if (json_get(place.node, "items") == NULL)
		return check_member(check, place, key, path, value);
	struct slice first = cut(&path, '.');
	if (!is_index(first))
		return refuse(check, key, first, NULL);
	return check_path(check, (struct place){place.root, json_get(place.node, "items")}, key, path, value);
}

static bool check_value(const struct check *check, struct place place, const struct node *value)
{
	bool is_fine = true;
	place = resolve(check->schemas, place);
	const struct json *items = json_get(place.node, "items");
	for (size_t i = 0; value->kind == NODE_SEQUENCE && items != NULL && i < value->count; i++)
		is_fine &= check_value(check, (struct place){place.root, items}, value->items[i]);
	for (size_t i = 0; value->kind == NODE_MAPPING && i < value->count; i++)
		is_fine &= check_path(check, place, value->members[i].key, value->members[i].key->text,
				      value->members[i].value);
	return is_fine;
}

bool test_schema_check(struct test_schemas *schemas, struct slice name, const struct node_member *member,
		       struct diags *diags)
{
	const struct json *root = root_of(schemas, name);
	const char *owner = slice_is(name, "state.lead") ? "a lead's state"
							 : arena_printf(schemas->arena, "`%.*s`", SLICE_ARG(name));
	const struct check check = {schemas, owner, diags};
	return check_path(&check, (struct place){root, root}, member->key, member->key->text, member->value);
}
