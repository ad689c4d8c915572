/* SPDX-License-Identifier: Apache-2.0
 *
 * `rep` in expressions. Attributes are fields that are declared by being used in the configuration (rules/model/model_attribute.c), so
 * a mistyped one is an error at load time; a rep that lacks one reads as "", [] or, behind has(), a number.
 */
#include <string.h>

#include "rules/base/arena.h"
#include "rules/cel/value.h"
#include "rules/model.h"
#include "rules/schema.h"

static struct cel_value attribute_get(const void *self, uint32_t field, struct arena *scratch)
{
	(void)scratch;
	const struct schema_rep *schema = self;
	const struct cel_value *value = &schema->rep->attributes[field];
	return value->kind != CEL_NULL ? *value : cel_zero(schema->fields[field].type);
}

static bool attribute_has(const void *self, uint32_t field)
{
	const struct schema_rep *schema = self;
	return schema->rep->attributes[field].kind != CEL_NULL;
}

static struct cel_value rep_get(const void *self, uint32_t field, struct arena *scratch)
{
	(void)scratch;
	const struct schema_rep *schema = self;
	if (field == REP_ATTRIBUTES)
		return cel_object(&schema->attributes);
	return cel_string(field == REP_ID ? schema->rep->id : schema->rep->name);
}

static const struct cel_type *object_type(const struct cel_object_type *object, struct arena *arena)
{
	struct cel_type *type = arena_alloc(arena, sizeof *type);
	*type = (struct cel_type){.kind = CEL_OBJECT, .object = object};
	return type;
}

static const struct cel_type *rep_type(const struct cel_field *attributes, size_t count, struct arena *arena)
{
	struct cel_object_type *inner = arena_alloc(arena, sizeof *inner), *outer = arena_alloc(arena, sizeof *outer);
	struct cel_field *fields = arena_array(arena, REP_FIELDS, sizeof *fields);
	*inner = (struct cel_object_type){"rep.attributes", attributes, count, attribute_get, attribute_has, NULL};
	fields[REP_ID] = (struct cel_field){"id", &cel_type_string, false};
	fields[REP_NAME] = (struct cel_field){"name", &cel_type_string, false};
	fields[REP_ATTRIBUTES] = (struct cel_field){"attributes", object_type(inner, arena), false};
	*outer = (struct cel_object_type){"rep", fields, REP_FIELDS, rep_get, NULL, NULL};
	return object_type(outer, arena);
}

const struct cel_env *schema_pool_env(const struct cel_env *env, const struct cel_field *attributes,
                                      size_t attribute_count, struct arena *arena)
{
	struct cel_variable *variables = arena_array(arena, SCHEMA_SLOTS, sizeof *variables);
	memcpy(variables, env->variables, SCHEMA_ROUTE_SLOTS * sizeof *variables);
	variables[SLOT_REP] = (struct cel_variable){"rep", rep_type(attributes, attribute_count, arena)};
	struct cel_env *pool = arena_alloc(arena, sizeof *pool);
	*pool = *env;
	pool->variables = variables;
	pool->variable_count = SCHEMA_SLOTS;
	return pool;
}

void schema_rep_init(struct schema_rep *schema, const struct cel_env *env, const struct rep *rep)
{
	const struct cel_object_type *outer = env->variables[SLOT_REP].type->object;
	const struct cel_object_type *inner = outer->fields[REP_ATTRIBUTES].type->object;
	*schema = (struct schema_rep){{outer, schema}, {inner, schema}, rep, inner->fields};
}
