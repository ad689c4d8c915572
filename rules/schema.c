/* SPDX-License-Identifier: Apache-2.0
 *
 * schema.def turned into tables: rows for readers and writers, object types for expressions.
 */
#include "rules/schema.h"

#include "rules/base/arena.h"
#include "rules/cel/value.h"
#include "rules/clocks_lead.h"
#include "rules/json/json.h"
#include "rules/territory.h"

/* ---- rows */

#define IS_ANYBODY false
#define IS_PERSON  true
#define PART_contact  SCHEMA_CONTACT
#define PART_company  SCHEMA_COMPANY
#define PART_location SCHEMA_LOCATION
#define PART_interest SCHEMA_INTEREST
#define PART_budget   SCHEMA_BUDGET

/* Rows of kind PART name their object, the others their member: one macro per kind picks the right one. */
#define ROW(prefix, base, name, kind, bytes, who) ROW_##kind(prefix, base, name, kind, bytes, who)
#define ROW_PART(prefix, base, name, kind, bytes, who) \
	{{#name, sizeof #name - 1}, prefix #name, SCHEMA_##kind, IS_##who, PART_##name, bytes, 0},
#define ROW_MEMBER(prefix, base, name, kind, bytes, who) \
	{{#name, sizeof #name - 1}, prefix #name, SCHEMA_##kind, IS_##who, SCHEMA_OBJECTS, bytes, offsetof(struct lead, base name)},
#define ROW_TEXT ROW_MEMBER
#define ROW_INT  ROW_MEMBER
#define ROW_REAL ROW_MEMBER
#define ROW_TIME ROW_MEMBER
#define ROW_MAP  ROW_MEMBER
#define ROW_TEXT_ALWAYS ROW_MEMBER
#define ROW_TIME_ALWAYS ROW_MEMBER

#define SCHEMA_TEXT_ALWAYS SCHEMA_TEXT
#define SCHEMA_TIME_ALWAYS SCHEMA_TIME

static const struct schema_row lead_rows[] = {
#define LEAD_FIELD(name, kind, bytes, who) ROW("", , name, kind, bytes, who)
#include "rules/schema.def"
};
static const struct schema_row contact_rows[] = {
#define CONTACT_FIELD(name, kind, bytes, who) ROW("contact.", contact., name, kind, bytes, who)
#include "rules/schema.def"
};
static const struct schema_row company_rows[] = {
#define COMPANY_FIELD(name, kind, bytes, who) ROW("company.", company., name, kind, bytes, who)
#include "rules/schema.def"
};
static const struct schema_row account_rows[] = {
#define COMPANY_FIELD(name, kind, bytes, who) ROW("company.", company., name, kind, bytes, who)
#define ACCOUNT_FIELD(name, kind, bytes, who) ROW("account.", account., name, kind, bytes, who)
#include "rules/schema.def"
};
static const struct schema_row location_rows[] = {
#define LOCATION_FIELD(name, kind, bytes, who) ROW("location.", location., name, kind, bytes, who)
#include "rules/schema.def"
};
static const struct schema_row interest_rows[] = {
#define INTEREST_FIELD(name, kind, bytes, who) ROW("interest.", interest., name, kind, bytes, who)
#include "rules/schema.def"
};
static const struct schema_row budget_rows[] = {
#define BUDGET_FIELD(name, kind, bytes, who) ROW("interest.budget.", interest.budget., name, kind, bytes, who)
#include "rules/schema.def"
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct {
	const struct schema_row *rows;
	size_t count;
} objects[SCHEMA_OBJECTS] = {
	[SCHEMA_LEAD] = {lead_rows, COUNT(lead_rows)},
	[SCHEMA_CONTACT] = {contact_rows, COUNT(contact_rows)},
	[SCHEMA_COMPANY] = {company_rows, COUNT(company_rows)},
	[SCHEMA_LOCATION] = {location_rows, COUNT(location_rows)},
	[SCHEMA_INTEREST] = {interest_rows, COUNT(interest_rows)},
	[SCHEMA_BUDGET] = {budget_rows, COUNT(budget_rows)},
	[SCHEMA_ACCOUNT] = {account_rows, COUNT(account_rows)},
};

const struct schema_row *schema_rows(enum schema_object object, size_t *ret_count)
{
	*ret_count = objects[object].count;
	return objects[object].rows;
}

const struct schema_row *schema_find(struct slice path)
{
	if (path.len == 0)
		return NULL;
	for (int object = 0; object < SCHEMA_RECORD_OBJECTS; object++)
		for (size_t i = 0; i < objects[object].count; i++)
			if (objects[object].rows[i].path[0] == path.p[0] && slice_is(path, objects[object].rows[i].path))
				return &objects[object].rows[i];
	return NULL;
}

struct slice *schema_text(struct lead *lead, const struct schema_row *row)
{
	return (struct slice *)((char *)lead + row->offset);
}

struct slice schema_text_of(const struct lead *lead, const struct schema_row *row)
{
	return *(const struct slice *)((const char *)lead + row->offset);
}

/* ---- what expressions read */

static const struct cel_object_type types[SCHEMA_OBJECTS];

static const void *member(const struct lead *lead, const struct schema_row *row)
{
	return (const char *)lead + row->offset;
}

static struct cel_value time_value(int64_t ms)
{
	int64_t seconds = ms / 1000 - (ms % 1000 < 0);
	return cel_timestamp(seconds, (uint32_t)(ms - seconds * 1000) * 1000000);
}

static struct cel_value get(const struct lead *lead, const struct schema_row *row, struct arena *scratch)
{
	const struct lead_int *integer = member(lead, row);
	const struct lead_real *real = member(lead, row);
	switch (row->kind) {
	case SCHEMA_TEXT:
		return cel_string(schema_text_of(lead, row));
	case SCHEMA_INT:
		return cel_int(integer->is_set ? integer->value : 0);
	case SCHEMA_REAL:
		return cel_double(real->is_set ? real->value : 0);
	case SCHEMA_TIME:
		return time_value(integer->is_set ? integer->value : 0);
	case SCHEMA_PART:
		return cel_object(&lead->objects[row->part]);
	case SCHEMA_MAP:
		break;
	}
	const struct json *json = *(const struct json *const *)member(lead, row);
	return json != NULL ? schema_value_of(json, scratch) : cel_zero(&cel_type_map);
}

static bool has(const struct lead *lead, const struct schema_row *row);

static bool has_any(const struct lead *lead, enum schema_object object)
{
	for (size_t i = 0; i < objects[object].count; i++)
		if (has(lead, &objects[object].rows[i]))
			return true;
	return false;
}

static bool has(const struct lead *lead, const struct schema_row *row)
{
	switch (row->kind) {
	case SCHEMA_TEXT:
		return schema_text_of(lead, row).len != 0;
	case SCHEMA_INT:
	case SCHEMA_TIME:
		return ((const struct lead_int *)member(lead, row))->is_set;
	case SCHEMA_REAL:
		return ((const struct lead_real *)member(lead, row))->is_set;
	case SCHEMA_PART:
		return has_any(lead, row->part);
	case SCHEMA_MAP:
		return *(const struct json *const *)member(lead, row) != NULL;
	}
	return false;
}

static const struct cel_type part_types[SCHEMA_OBJECTS] = {
	[SCHEMA_LEAD] = {.kind = CEL_OBJECT, .object = &types[SCHEMA_LEAD]},
	[SCHEMA_CONTACT] = {.kind = CEL_OBJECT, .object = &types[SCHEMA_CONTACT]},
	[SCHEMA_COMPANY] = {.kind = CEL_OBJECT, .object = &types[SCHEMA_COMPANY]},
	[SCHEMA_LOCATION] = {.kind = CEL_OBJECT, .object = &types[SCHEMA_LOCATION]},
	[SCHEMA_INTEREST] = {.kind = CEL_OBJECT, .object = &types[SCHEMA_INTEREST]},
	[SCHEMA_BUDGET] = {.kind = CEL_OBJECT, .object = &types[SCHEMA_BUDGET]},
	[SCHEMA_ACCOUNT] = {.kind = CEL_OBJECT, .object = &types[SCHEMA_ACCOUNT]},
};

#define CEL_TEXT_FIELD(name) {#name, &cel_type_string, true},
#define CEL_TEXT_ALWAYS_FIELD(name) {#name, &cel_type_string, false},
#define CEL_TIME_ALWAYS_FIELD(name) {#name, &cel_type_timestamp, false},
#define CEL_INT_FIELD(name)  {#name, &cel_type_int, true},
#define CEL_REAL_FIELD(name) {#name, &cel_type_double, true},
#define CEL_TIME_FIELD(name) {#name, &cel_type_timestamp, true},
#define CEL_MAP_FIELD(name)  {#name, &cel_type_map, false},
#define CEL_PART_FIELD(name) {#name, &part_types[PART_##name], false},

/* The fields of one object for CEL, and the two functions that read them. */
#define OBJECT_FUNCTIONS(object)                                                                                   \
	static struct cel_value object##_get(const void *self, uint32_t field, struct arena *scratch)              \
	{                                                                                                          \
		return get(self, &object##_rows[field], scratch);                                                  \
	}                                                                                                          \
	static bool object##_has(const void *self, uint32_t field)                                                 \
	{                                                                                                          \
		return has(self, &object##_rows[field]);                                                           \
	}

static const struct cel_field lead_fields[] = {
#define LEAD_FIELD(name, kind, bytes, who) CEL_##kind##_FIELD(name)
#include "rules/schema.def"
};
static const struct cel_field contact_fields[] = {
#define CONTACT_FIELD(name, kind, bytes, who) CEL_##kind##_FIELD(name)
#include "rules/schema.def"
};
static const struct cel_field company_fields[] = {
#define COMPANY_FIELD(name, kind, bytes, who) CEL_##kind##_FIELD(name)
#include "rules/schema.def"
};
static const struct cel_field account_fields[] = {
#define COMPANY_FIELD(name, kind, bytes, who) CEL_##kind##_FIELD(name)
#define ACCOUNT_FIELD(name, kind, bytes, who) CEL_##kind##_FIELD(name)
#include "rules/schema.def"
};
static const struct cel_field location_fields[] = {
#define LOCATION_FIELD(name, kind, bytes, who) CEL_##kind##_FIELD(name)
#include "rules/schema.def"
};
static const struct cel_field interest_fields[] = {
#define INTEREST_FIELD(name, kind, bytes, who) CEL_##kind##_FIELD(name)
#include "rules/schema.def"
};
static const struct cel_field budget_fields[] = {
#define BUDGET_FIELD(name, kind, bytes, who) CEL_##kind##_FIELD(name)
#include "rules/schema.def"
};

/* Texts and ints lie in the struct; so do the parts, whose objects all point at the lead. */
#define CEL_TEXT_MEMBER(base, name) {CEL_TEXT_AT, offsetof(struct lead, base name)},
#define CEL_TEXT_ALWAYS_MEMBER CEL_TEXT_MEMBER
#define CEL_INT_MEMBER(base, name)  {CEL_INT_AT, offsetof(struct lead, base name)},
#define CEL_PART_MEMBER(base, name) {CEL_PART_AT, 0},
#define CEL_REAL_MEMBER(base, name) {CEL_BY_CALL, 0},
#define CEL_TIME_MEMBER(base, name) {CEL_BY_CALL, 0},
#define CEL_TIME_ALWAYS_MEMBER CEL_TIME_MEMBER
#define CEL_MAP_MEMBER(base, name)  {CEL_BY_CALL, 0},

_Static_assert(sizeof(struct lead_int) == sizeof(struct cel_int_member) &&
                       offsetof(struct lead_int, value) == offsetof(struct cel_int_member, value),
               "expressions read ints where they lie");

static const struct cel_member lead_members[] = {
#define LEAD_FIELD(name, kind, bytes, who) CEL_##kind##_MEMBER(, name)
#include "rules/schema.def"
};
static const struct cel_member contact_members[] = {
#define CONTACT_FIELD(name, kind, bytes, who) CEL_##kind##_MEMBER(contact., name)
#include "rules/schema.def"
};
static const struct cel_member company_members[] = {
#define COMPANY_FIELD(name, kind, bytes, who) CEL_##kind##_MEMBER(company., name)
#include "rules/schema.def"
};
static const struct cel_member account_members[] = {
#define COMPANY_FIELD(name, kind, bytes, who) CEL_##kind##_MEMBER(company., name)
#define ACCOUNT_FIELD(name, kind, bytes, who) CEL_##kind##_MEMBER(account., name)
#include "rules/schema.def"
};
static const struct cel_member location_members[] = {
#define LOCATION_FIELD(name, kind, bytes, who) CEL_##kind##_MEMBER(location., name)
#include "rules/schema.def"
};
static const struct cel_member interest_members[] = {
#define INTEREST_FIELD(name, kind, bytes, who) CEL_##kind##_MEMBER(interest., name)
#include "rules/schema.def"
};
static const struct cel_member budget_members[] = {
#define BUDGET_FIELD(name, kind, bytes, who) CEL_##kind##_MEMBER(interest.budget., name)
#include "rules/schema.def"
};

OBJECT_FUNCTIONS(lead)
OBJECT_FUNCTIONS(contact)
OBJECT_FUNCTIONS(company)
OBJECT_FUNCTIONS(account)
OBJECT_FUNCTIONS(location)
OBJECT_FUNCTIONS(interest)
OBJECT_FUNCTIONS(budget)

#define TYPE(object, name) {name, object##_fields, COUNT(object##_fields), object##_get, object##_has, object##_members}

static const struct cel_object_type types[SCHEMA_OBJECTS] = {
	[SCHEMA_LEAD] = TYPE(lead, "lead"),
	[SCHEMA_CONTACT] = TYPE(contact, "lead.contact"),
	[SCHEMA_COMPANY] = TYPE(company, "lead.company"),
	[SCHEMA_LOCATION] = TYPE(location, "lead.location"),
	[SCHEMA_INTEREST] = TYPE(interest, "lead.interest"),
	[SCHEMA_BUDGET] = TYPE(budget, "lead.interest.budget"),
	[SCHEMA_ACCOUNT] = TYPE(account, "account"),
};

void lead_init(struct lead *lead)
{
	*lead = (struct lead){0};
	for (int object = 0; object < SCHEMA_OBJECTS; object++)
		lead->objects[object] = (struct cel_object){&types[object], lead};
}

/* ---- JSON as CEL sees it */

static struct cel_value list_of(const struct json *json, struct arena *arena)
{
	struct cel_value *items = arena_array(arena, json->count, sizeof *items);
	for (size_t i = 0; i < json->count; i++)
		items[i] = schema_value_of(&json->items[i], arena);
	return cel_list_of(arena, items, json->count);
}

static struct cel_value map_of(const struct json *json, struct arena *arena)
{
	struct cel_entry *entries = arena_array(arena, json->count, sizeof *entries);
	for (size_t i = 0; i < json->count; i++)
		entries[i] = (struct cel_entry){cel_string(json->names[i]), schema_value_of(&json->items[i], arena)};
	const struct cel_map *map = cel_map_of(arena, entries, json->count);
	return map != NULL ? cel_map(map) : cel_zero(&cel_type_map);
}

/* Recursion is bounded by the depth that the JSON reader lets through. */
struct cel_value schema_value_of(const struct json *json, struct arena *arena)
{
	switch (json->type) {
	case JSON_IS_NULL:
		return cel_null();
	case JSON_IS_BOOL:
		return cel_bool(json->boolean);
	case JSON_IS_INT:
		return cel_int(json->integer);
	case JSON_IS_REAL:
		return cel_double(json->real);
	case JSON_IS_STRING:
		return cel_string(json->text);
	case JSON_IS_ARRAY:
		return list_of(json, arena);
	case JSON_IS_OBJECT:
		return map_of(json, arena);
	}
	return cel_null();
}

/* ---- the environment */

static struct cel_value territory_get(const void *self, uint32_t field, struct arena *scratch)
{
	(void)scratch;
	const struct schema_territories *territories = self;
	const struct lead_location *place = &territories->lead->location;
	return cel_string(territory_find(territories->tables[field], place->country, place->region, place->postal_code));
}

static bool territory_has(const void *self, uint32_t field)
{
	return territory_get(self, field, NULL).len != 0;
}

static const struct cel_type *territory_type(const struct slice *tables, size_t count, struct arena *arena)
{
	struct cel_field *fields = arena_array(arena, count, sizeof *fields);
	for (size_t i = 0; i < count; i++)
		fields[i] = (struct cel_field){arena_memdupz(arena, tables[i].p, tables[i].len), &cel_type_string, true};
	struct cel_object_type *object = arena_alloc(arena, sizeof *object);
	*object = (struct cel_object_type){"territory", fields, count, territory_get, territory_has, NULL};
	struct cel_type *type = arena_alloc(arena, sizeof *type);
	*type = (struct cel_type){.kind = CEL_OBJECT, .object = object};
	return type;
}

/* Where a name is known, this is not asked. */
#define OF_CLOCKS "the start, stop and pause of clocks, and acts,"
static const struct cel_elsewhere elsewhere[] = {
	{"score", "routes and what comes after them"},
	{"grade", "routes and what comes after them"},
	{"rep", "the criteria of a team"},
#define X(name) {#name, OF_CLOCKS},
	CLOCK_TEXTS(X)
#undef X
#define X(id, name) {#name, OF_CLOCKS},
	CLOCK_FACTS(X)
#undef X
};

const struct cel_env *schema_env_new(const struct slice *tables, size_t table_count, struct arena *arena)
{
	struct cel_variable *variables = arena_array(arena, SCHEMA_ROUTE_SLOTS, sizeof *variables);
	variables[SLOT_LEAD] = (struct cel_variable){"lead", &part_types[SCHEMA_LEAD]};
	variables[SLOT_NOW] = (struct cel_variable){"now", &cel_type_timestamp};
	variables[SLOT_TERRITORY] = (struct cel_variable){"territory", territory_type(tables, table_count, arena)};
	variables[SLOT_FACTS] = (struct cel_variable){"facts", &cel_type_map};
	variables[SLOT_ACCOUNT] = (struct cel_variable){"account", &part_types[SCHEMA_ACCOUNT]};
	variables[SLOT_GRADE] = (struct cel_variable){"grade", &cel_type_string};
	variables[SLOT_SCORE] = (struct cel_variable){"score", &cel_type_int};
	struct cel_env *env = arena_alloc(arena, sizeof *env);
	env->variables = variables;
	env->variable_count = SCHEMA_ROUTE_SLOTS;
	env->elsewhere = elsewhere;
	env->elsewhere_count = COUNT(elsewhere);
	return env;
}

const struct cel_env *schema_score_env(const struct cel_env *env, struct arena *arena)
{
	struct cel_env *score = arena_alloc(arena, sizeof *score);
	*score = *env;
	score->variable_count = SCHEMA_SCORE_SLOTS;
	return score;
}

void schema_territories_init(struct schema_territories *territories, const struct cel_env *env,
                             const struct territory *const *tables, const struct lead *lead)
{
	territories->object = (struct cel_object){env->variables[SLOT_TERRITORY].type->object, territories};
	territories->tables = tables;
	territories->lead = lead;
}
