/* SPDX-License-Identifier: Apache-2.0
 *
 * Any text as CEL: compiled against declared objects (checked), without declarations (unchecked), and evaluated. Beyond
 * memory errors it watches four promises: compiling says what is wrong when it refuses; a text that the checker accepts
 * gives its declared type or an error; explaining gives what evaluating gives; and steps bound the work.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "rules/cel/conjunct.h"
#include "rules/cel/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS = 20000 };

static struct cel_value inner_get(const void *self, uint32_t field, struct arena *scratch)
{
	(void)self;
	(void)scratch;
	return field == 0 ? cel_string(SLICE("Acme")) : cel_int(120);
}

static const struct cel_field inner_fields[] = {{"name", &cel_type_string, false}, {"employees", &cel_type_int, true}};
static const struct cel_object_type inner_object = {"company", inner_fields, 2, inner_get, NULL, NULL};
static const struct cel_type inner_type = {.kind = CEL_OBJECT, .object = &inner_object};
static const struct cel_object inner = {&inner_object, NULL};

static struct cel_value lead_get(const void *self, uint32_t field, struct arena *scratch)
{
	(void)self;
	struct cel_value *items = arena_array(scratch, 2, sizeof *items);
	switch (field) {
	case 0:
		return cel_string(SLICE("web"));
	case 1:
		items[0] = cel_string(SLICE("vip"));
		items[1] = cel_string(SLICE("caf\xc3\xa9"));
		return cel_list_of(scratch, items, 2);
	case 2:
		return cel_double(0.75);
	default:
		return cel_object(&inner);
	}
}

static bool lead_has(const void *self, uint32_t field)
{
	(void)self;
	return field != 2;
}

static const struct cel_field lead_fields[] = {{"source", &cel_type_string, false},
					       {"tags", &cel_type_strings, false},
					       {"score", &cel_type_double, true},
					       {"company", &inner_type, false}};
static const struct cel_object_type lead_object = {"lead", lead_fields, 4, lead_get, lead_has, NULL};
static const struct cel_type lead_type = {.kind = CEL_OBJECT, .object = &lead_object};
static const struct cel_object lead = {&lead_object, NULL};
static const struct cel_variable variables[] = {{"lead", &lead_type}, {"now", &cel_type_timestamp}, {"d", &cel_type_dyn}};

static const struct slice sources[] = {{"fair", 4}, {"web", 3}};
static const struct cel_vocabulary vocabularies[] = {
	{.path_count = 1, .path = {0}, .noun = "source", .values = sources, .count = 2, .is_closed = true}};

static void check(bool is_kept, const char *promise)
{
	if (is_kept)
		return;
	fprintf(stderr, "broken promise: %s\n", promise);
	abort();
}

/* Is the value of the type that was promised? Errors and null are always possible. */
static bool is_of(struct cel_value value, const struct cel_type *type)
{
	if (type->kind == CEL_DYN || value.kind == CEL_ERROR || value.kind == CEL_NULL)
		return true;
	return value.kind == type->kind;
}

static void evaluate(const struct cel_program *program, const struct cel_value *slots)
{
	struct arena scratch = ARENA_INIT;
	size_t clause, count;
	struct cel_value said;
	struct cel_value value = cel_eval(program, slots, &scratch, STEPS);
	struct cel_value again = cel_eval_explain(program, slots, &scratch, STEPS, &clause, &said);
	check(is_of(value, cel_program_type(program)), "the value is of the checked type");
	bool both_stopped = cel_is_error(value) || cel_is_error(again);
	check(both_stopped || value.kind == again.kind, "explaining gives what evaluating gives");
	(void)cel_program_conjuncts(program, &count);
	check(clause <= count, "the failing clause is one of the clauses");
	struct strbuf text = STRBUF_INIT;
	cel_print_typed(&text, value);
	strbuf_clear(&text);
	cel_print(&text, value);
	strbuf_done(&text);
	arena_done(&scratch);
}

static void compile(const struct cel_env *env, struct slice text, const struct cel_value *slots)
{
	struct arena arena = ARENA_INIT;
	struct cel_issues issues;
	struct cel_program *program = NULL;
	if (cel_compile(env, text, NULL, &arena, &issues, &program) == 0)
		evaluate(program, slots);
	else
		check(issues.is_refused && issues.count > 0 && issues.items[0].message[0] != '\0', "a refusal says why");
	for (size_t i = 0; i < issues.count; i++)
		check(issues.items[i].offset + issues.items[i].length <= text.len, "issues point inside the text");
	cel_program_done(program);
	arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cel_value slots[] = {cel_object(&lead), cel_timestamp(1767258000, 0), cel_int(7)};
	struct slice text = {(const char *)data, size};
	struct cel_env env = {
		.variables = variables, .variable_count = 3, .vocabularies = vocabularies, .vocabulary_count = 1};
	compile(&env, text, slots);
	env.is_lenient = true;
	compile(&env, text, slots);
	env.is_unchecked = true;
	compile(&env, text, slots);
	return 0;
}
