/* SPDX-License-Identifier: Apache-2.0
 *
 * CEL over declared objects: fields, presence, clauses, limits. Language behaviour as such is covered by the triplet
 * files (test_cel_rules.c) and the conformance run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "rules/cel/conjunct.h"
#include "rules/cel/value.h"

/* ---- a small lead */

enum { COMPANY_NAME, COMPANY_EMPLOYEES };
enum { LEAD_SOURCE, LEAD_EMAIL, LEAD_COMPANY, LEAD_CAPTURED_AT, LEAD_TAGS, LEAD_VIP, LEAD_LIES };

struct lead {
	const char *source, *email;
	int64_t employees;
	bool is_vip;
};

static struct cel_value company_get(const void *self, uint32_t field, struct arena *scratch)
{
	(void)scratch;
	const struct lead *lead = self;
	return field == COMPANY_NAME ? cel_string(SLICE("Acme")) : cel_int(lead->employees);
}

static const struct cel_field company_fields[] = {{"name", &cel_type_string, false},
						  {"employees", &cel_type_int, true}};
static const struct cel_object_type company_object = {"company", company_fields, 2, company_get, NULL, NULL};
static const struct cel_type company_type = {.kind = CEL_OBJECT, .object = &company_object};

static struct cel_value lead_get(const void *self, uint32_t field, struct arena *scratch)
{
	const struct lead *lead = self;
	struct cel_object *company;
	struct cel_value *tags;
	switch (field) {
	case LEAD_SOURCE:
		return cel_string(slice_of(lead->source));
	case LEAD_EMAIL:
		return cel_string(slice_of(lead->email ? lead->email : ""));
	case LEAD_COMPANY:
		company = arena_alloc(scratch, sizeof *company);
		*company = (struct cel_object){&company_object, lead};
		return cel_object(company);
	case LEAD_CAPTURED_AT:
		return cel_timestamp(1767258000, 0);
	case LEAD_TAGS:
		tags = arena_array(scratch, 2, sizeof *tags);
		tags[0] = cel_string(SLICE("new"));
		tags[1] = cel_string(SLICE("demo"));
		return cel_list_of(scratch, tags, 2);
	case LEAD_VIP:
		return cel_bool(lead->is_vip);
	default:
		return cel_int(42); /* declared as a string */
	}
}

static bool lead_has(const void *self, uint32_t field)
{
	return field != LEAD_EMAIL || ((const struct lead *)self)->email != NULL;
}

static const struct cel_field lead_fields[] = {
	{"source", &cel_type_string, false},	     {"email", &cel_type_string, true},
	{"company", &company_type, false},	     {"captured_at", &cel_type_timestamp, false},
	{"tags", &cel_type_strings, false},	     {"vip", &cel_type_bool, false},
	{"lies", &cel_type_string, false},
};
static const struct cel_object_type lead_object = {"lead", lead_fields, 7, lead_get, lead_has, NULL};
static const struct cel_type lead_type = {.kind = CEL_OBJECT, .object = &lead_object};
static const struct cel_variable variables[] = {{"lead", &lead_type}, {"now", &cel_type_timestamp}};
static const struct cel_env env = {.variables = variables, .variable_count = 2};

struct fixture {
	struct arena keep, scratch;
	struct cel_issues issues;
	struct cel_program *program;
	struct lead lead;
	struct cel_object object;
	struct cel_value slots[2];
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	f->lead = (struct lead){.source = "web", .employees = 120};
	f->object = (struct cel_object){&lead_object, &f->lead};
	f->slots[0] = cel_object(&f->object);
	f->slots[1] = cel_timestamp(1767258000 + 3600, 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	cel_program_done(f->program);
	arena_done(&f->keep);
	arena_done(&f->scratch);
	free(f);
	return 0;
}

static void compile(struct fixture *f, const char *text)
{
	cel_program_done(f->program);
	f->program = NULL;
	if (cel_compile(&env, slice_of(text), NULL, &f->keep, &f->issues, &f->program) != 0)
		fail_msg("%s: %s", text, f->issues.items[0].message);
}

static struct cel_value eval(struct fixture *f, const char *text)
{
	compile(f, text);
	return cel_eval(f->program, f->slots, &f->scratch, CEL_DEFAULT_STEPS);
}

static void refuse(struct fixture *f, const char *text, const char *message, const char *help)
{
	struct cel_program *program = NULL;
	assert_int_equal(cel_compile(&env, slice_of(text), &cel_type_bool, &f->keep, &f->issues, &program), -1);
	assert_null(program);
	assert_string_equal(f->issues.items[0].message, message);
	if (help != NULL)
		assert_string_equal(f->issues.items[0].help, help);
}

static void fields_are_read(void **state)
{
	struct fixture *f = *state;
	assert_true(cel_is_true(eval(f, "lead.source == 'web' && lead.company.employees >= 100")));
	assert_true(cel_is_true(eval(f, "lead.company.name in ['Acme', 'Initech'] && !lead.vip")));
	assert_true(cel_is_true(eval(f, "now - lead.captured_at == duration('1h')")));
	assert_true(cel_is_true(eval(f, "lead.tags.exists(tag, tag == 'demo')")));
	assert_true(cel_is_true(eval(f, "lead.tags[0] + lead.source == 'newweb'")));
}

static void presence_is_tested(void **state)
{
	struct fixture *f = *state;
	assert_false(cel_is_true(eval(f, "has(lead.email)")));
	f->lead.email = "a@b.example";
	assert_true(cel_is_true(eval(f, "has(lead.email) && lead.email.endsWith('.example')")));
}

static void unknown_field_is_refused(void **state)
{
	refuse(*state, "lead.sorce == 'web'", "unknown field `sorce` on lead", "did you mean `source`?");
	struct fixture *f = *state;
	assert_int_equal(f->issues.items[0].code, ERR_CEL_UNKNOWN_FIELD);
	assert_int_equal(f->issues.items[0].offset, 5);
	assert_int_equal(f->issues.items[0].length, 5);
	assert_string_equal(f->issues.items[0].note, "fields: source, email, company, captured_at, tags, vip, lies");
}

static void every_mistake_is_listed(void **state)
{
	struct fixture *f = *state;
	refuse(f, "lead.sorce == 'web' && laed.vip && lead.source > 3", "unknown field `sorce` on lead", NULL);
	assert_int_equal(f->issues.count, 3);
	assert_string_equal(f->issues.items[1].message, "unknown name `laed`");
	assert_string_equal(f->issues.items[1].help, "did you mean `lead`?");
	assert_string_equal(f->issues.items[2].message, "no operator `>` for `string` and `int`");
}

static void wrong_result_is_refused(void **state)
{
	refuse(*state, "lead.source", "this must give `bool`, but it gives `string`", NULL);
}

static void lying_field_is_an_error_not_a_crash(void **state)
{
	struct fixture *f = *state;
	struct cel_value value = eval(f, "lead.lies.startsWith('x')");
	assert_int_equal(value.kind, CEL_ERROR);
	assert_int_equal(value.as.error->code, ERR_CEL_NO_OVERLOAD);
	assert_false(cel_is_true(eval(f, "lead.lies == 'x'")));
	assert_true(cel_is_error(eval(f, "lead.lies.matches('x')")));
	assert_true(cel_is_error(eval(f, "lead.lies + 'x' == 'y'")));
	assert_true(cel_is_error(eval(f, "size(lead.lies) > 1")));
}

static void clauses_are_described(void **state)
{
	struct fixture *f = *state;
	compile(f, "lead.source == 'web' && 100 <= lead.company.employees && lead.email.startsWith('a') && "
		   "lead.source in ['a', 'b'] && has(lead.email) && lead.vip && !lead.vip && size(lead.tags) > 1");
	size_t count;
	const struct cel_conjunct *clauses = cel_program_conjuncts(f->program, &count);
	assert_int_equal(count, 8);
	static const enum cel_test tests[] = {CEL_TEST_EQ,  CEL_TEST_GE,   CEL_TEST_PREFIX, CEL_TEST_IN,
					      CEL_TEST_HAS, CEL_TEST_TRUE, CEL_TEST_FALSE,  CEL_TEST_OTHER};
	for (size_t i = 0; i < count; i++)
		assert_int_equal(clauses[i].test, tests[i]);
	assert_int_equal(clauses[1].path_count, 2);
	assert_int_equal(clauses[1].path[0], LEAD_COMPANY);
	assert_int_equal(clauses[1].path[1], COMPANY_EMPLOYEES);
	assert_int_equal(clauses[1].constants[0].as.integer, 100);
	assert_int_equal(clauses[3].constant_count, 2);
	assert_int_equal(clauses[0].offset, 0);
	assert_int_equal(clauses[0].length, 20);
}

static void negations_and_choices_are_described(void **state)
{
	struct fixture *f = *state;
	compile(f, "(lead.source == 'a' || 'b' == lead.source || lead.source in ['c', 'd']) && !(lead.source == 'a') && "
		   "!(lead.source in ['a']) && !has(lead.email) && !(lead.company.employees < 5) && !!lead.vip && "
		   "!(lead.source == 'a' || lead.source == 'b') && (lead.source == 'a' || lead.email == 'a') && "
		   "!(lead.source.startsWith('a'))");
	size_t count;
	const struct cel_conjunct *clauses = cel_program_conjuncts(f->program, &count);
	static const enum cel_test tests[] = {CEL_TEST_IN, CEL_TEST_NE,   CEL_TEST_NOT_IN, CEL_TEST_NOT_HAS, CEL_TEST_GE,
					      CEL_TEST_TRUE, CEL_TEST_NOT_IN, CEL_TEST_OTHER,  CEL_TEST_OTHER};
	assert_int_equal(count, 9);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(clauses[i].test, tests[i]);
	assert_int_equal(clauses[0].constant_count, 4);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(cel_slice(clauses[0].constants[i]).p[0], "abcd"[i]);
}

static void first_failing_clause_is_told(void **state)
{
	struct fixture *f = *state;
	size_t clause;
	struct cel_value said;
	compile(f, "lead.source == 'web' && lead.company.employees > 500 && lead.vip");
	struct cel_value value = cel_eval_explain(f->program, f->slots, &f->scratch, 1000, &clause, &said);
	assert_false(cel_is_true(value));
	assert_int_equal(clause, 1);
	compile(f, "lead.source == 'web' && lead.tags[7] == 'x' && lead.vip");
	value = cel_eval_explain(f->program, f->slots, &f->scratch, 1000, &clause, &said);
	assert_int_equal(clause, 1);
	assert_int_equal(said.kind, CEL_ERROR);
	assert_int_equal(value.kind, CEL_BOOL); /* the last clause is false and absorbs the error */
	compile(f, "lead.source == 'web'");
	value = cel_eval_explain(f->program, f->slots, &f->scratch, 1000, &clause, &said);
	assert_true(cel_is_true(value));
	assert_int_equal(clause, 1);
}

static void steps_run_out_even_when_errors_are_absorbed(void **state)
{
	struct fixture *f = *state;
	const char *loops = "lead.tags.all(a, lead.tags.all(b, lead.tags.all(c, lead.tags.all(d, a != 'x')))) || true";
	compile(f, loops);
	struct cel_value value = cel_eval(f->program, f->slots, &f->scratch, 20);
	assert_int_equal(value.kind, CEL_ERROR);
	assert_int_equal(value.as.error->code, ERR_CEL_STEPS);
	assert_true(cel_is_true(cel_eval(f->program, f->slots, &f->scratch, 10000)));
}

/* ---- hostile input */

static enum err_code refused_with(struct fixture *f, const char *text)
{
	struct cel_program *program = NULL;
	int result = cel_compile(&env, slice_of(text), NULL, &f->keep, &f->issues, &program);
	cel_program_done(program);
	return result == 0 ? ERR_NONE : f->issues.items[0].code;
}

/* head, then `unit` `count` times, then tail */
static char *repeat(const char *head, const char *unit, size_t count, const char *tail)
{
	size_t len = strlen(head), step = strlen(unit);
	char *text = malloc(len + count * step + strlen(tail) + 1);
	memcpy(text, head, len);
	for (size_t i = 0; i < count; i++)
		memcpy(text + len + i * step, unit, step);
	strcpy(text + len + count * step, tail);
	return text;
}

static void assert_too_large(struct fixture *f, char *take_text)
{
	assert_int_equal(refused_with(f, take_text), ERR_CEL_TOO_LARGE);
	free(take_text);
}

static void deep_nesting_is_refused(void **state)
{
	struct fixture *f = *state;
	assert_too_large(f, repeat("", "(", 5000, "1"));
	assert_too_large(f, repeat("", "[", 5000, "1"));
	assert_too_large(f, repeat("", "!", 5000, "true"));
	assert_too_large(f, repeat("1", "+1", 3000, ""));
	assert_too_large(f, repeat("lead", ".a", 5000, ""));
	assert_too_large(f, repeat("", "true?1:", 5000, "1"));
	assert_too_large(f, repeat("", "{1:", 5000, "1"));
	assert_too_large(f, repeat("1", ".abs(", 5000, ""));
}

static void long_input_is_refused(void **state)
{
	struct fixture *f = *state;
	assert_too_large(f, repeat("'", "x", CEL_MAX_TEXT_BYTES, "'"));
	assert_too_large(f, repeat("[1", ",1", 2 * CEL_MAX_LITERAL_ITEMS, "]"));
	assert_too_large(f, repeat("true", "||true", CEL_MAX_NODES, ""));
}

static void nesting_that_the_language_asks_for_works(void **state)
{
	struct fixture *f = *state;
	char *text = repeat("((((((((((((((((((((((((((((((((1", ")", 32, "");
	assert_int_equal(refused_with(f, text), ERR_NONE);
	free(text);
	text = repeat("1", "+1", 100, "");
	assert_int_equal(refused_with(f, text), ERR_NONE);
	free(text);
}

/* Each bind doubles: 2^60 values if they were copied, and 2^60 steps to compare if they were only shared. */
static void doubling_values_are_stopped(void **state)
{
	struct fixture *f = *state;
	struct arena arena = ARENA_INIT;
	const char *text = "a40 == a40";
	for (int i = 40; i > 0; i--)
		text = arena_printf(&arena, "cel.bind(a%d, [a%d, a%d], %s)", i, i - 1, i - 1, text);
	text = arena_printf(&arena, "cel.bind(a0, [lead.source], %s)", text);
	struct cel_value value = eval(f, text);
	assert_int_equal(value.kind, CEL_ERROR);
	arena_done(&arena);
}

static enum err_code fails_with(struct fixture *f, const char *text)
{
	struct cel_value value = eval(f, text);
	return cel_is_error(value) ? value.as.error->code : ERR_NONE;
}

static void long_values_are_stopped(void **state)
{
	struct fixture *f = *state;
	struct arena arena = ARENA_INIT;
	const char *text = "size(a30)";
	for (int i = 30; i > 0; i--)
		text = arena_printf(&arena, "cel.bind(a%d, a%d + a%d, %s)", i, i - 1, i - 1, text);
	text = arena_printf(&arena, "cel.bind(a0, lead.source, %s)", text);
	assert_int_equal(fails_with(f, text), ERR_CEL_TOO_LARGE);
	/* one long text that many items share is as heavy as many texts */
	const char *list = "size([t10, t10].map(x, [x, x, x, x, x, x, x, x]).map(x, [x, x, x, x, x, x, x, x]))";
	for (int i = 10; i > 0; i--)
		list = arena_printf(&arena, "cel.bind(t%d, t%d + t%d + t%d, %s)", i, i - 1, i - 1, i - 1, list);
	list = arena_printf(&arena, "cel.bind(t0, lead.source, %s)", list);
	assert_int_equal(fails_with(f, list), ERR_CEL_TOO_LARGE);
	arena_done(&arena);
}

static void too_many_variables_at_once_are_refused(void **state)
{
	struct fixture *f = *state;
	struct arena arena = ARENA_INIT;
	const char *text = "true";
	for (int i = 0; i <= CEL_MAX_LOCALS; i++)
		text = arena_printf(&arena, "[1].all(x%d, %s)", i, text);
	assert_int_equal(refused_with(f, text), ERR_CEL_TOO_LARGE);
	arena_done(&arena);
}

static void issues_are_bounded_and_counted(void **state)
{
	struct fixture *f = *state;
	char *text = repeat("lead.no", " == lead.no", 60, "");
	assert_int_equal(refused_with(f, text), ERR_CEL_UNKNOWN_FIELD);
	assert_int_equal(f->issues.count, CEL_MAX_ISSUES);
	assert_int_equal(f->issues.omitted, 61 - CEL_MAX_ISSUES);
	free(text);
}

static void many_clauses_end_in_one_for_the_rest(void **state)
{
	struct fixture *f = *state;
	char *text = repeat("lead.source == 'web'", " && lead.vip", 100, "");
	size_t count, clause;
	struct cel_value said;
	compile(f, text);
	const struct cel_conjunct *clauses = cel_program_conjuncts(f->program, &count);
	assert_int_equal(count, CEL_MAX_CONJUNCTS + 1);
	assert_int_equal(clauses[CEL_MAX_CONJUNCTS].test, CEL_TEST_OTHER);
	assert_int_equal(clauses[CEL_MAX_CONJUNCTS].offset + clauses[CEL_MAX_CONJUNCTS].length, strlen(text));
	f->lead.is_vip = true;
	(void)cel_eval_explain(f->program, f->slots, &f->scratch, 1000, &clause, &said);
	assert_int_equal(clause, count);
	free(text);
}

static void programs_do_not_need_the_text_or_env_again(void **state)
{
	struct fixture *f = *state;
	char text[] = "lead.source.matches('^w') && lead.tags.exists(t, t == 'demo')";
	struct cel_env own = env;
	struct cel_program *program;
	assert_int_equal(cel_compile(&own, slice_of(text), &cel_type_bool, &f->keep, &f->issues, &program), 0);
	memset(text, '#', sizeof text - 1);
	memset(&own, 0, sizeof own);
	assert_true(cel_is_true(cel_eval(program, f->slots, &f->scratch, 1000)));
	cel_program_done(program);
}

static struct cel_value double_it(struct cel_run *run, const struct cel_value *args)
{
	if (args[0].as.integer > 1000)
		return cel_fail(run, ERR_CEL_ARGUMENT, "%d is too much", 1001);
	return cel_int(args[0].as.integer * 2);
}

static void own_functions_are_called(void **state)
{
	struct fixture *f = *state;
	static const struct cel_function functions[] = {
		{"twice", false, 1, &cel_type_int, {&cel_type_int}, double_it},
		{"doubled", true, 1, &cel_type_int, {&cel_type_int}, double_it},
	};
	struct cel_env own = env;
	own.functions = functions;
	own.function_count = 2;
	const char *text = "twice(lead.company.employees) == lead.company.employees.doubled()";
	assert_int_equal(cel_compile(&own, slice_of(text), &cel_type_bool, &f->keep, &f->issues, &f->program), 0);
	assert_true(cel_is_true(cel_eval(f->program, f->slots, &f->scratch, 1000)));
	f->lead.employees = 2000;
	struct cel_value value = cel_eval(f->program, f->slots, &f->scratch, 1000);
	assert_true(cel_is_error(value));
	assert_string_equal(value.as.error->text, "1001 is too much");
	struct cel_program *none;
	assert_int_equal(cel_compile(&own, SLICE("twice('x')"), NULL, &f->keep, &f->issues, &none), -1);
	assert_string_equal(f->issues.items[0].message, "no form of `twice()` for `string`");
}

/* Every map look-up beyond a few entries goes through the sorted index. */
static void large_maps_find_every_key(void **state)
{
	struct fixture *f = *state;
	enum { KEYS = 500 };
	struct cel_entry entries[KEYS];
	for (int i = 0; i < KEYS; i++) {
		int number = i * 7919 % KEYS;
		const char *name = arena_printf(&f->keep, "k%d", number);
		entries[i] = (struct cel_entry){i % 2 ? cel_int(number) : cel_string(slice_of(name)), cel_int(number)};
	}
	const struct cel_map *map = cel_map_of(&f->keep, entries, KEYS);
	assert_non_null(map);
	for (int i = 0; i < KEYS; i++) {
		const struct cel_value *found = cel_map_find(map, entries[i].key);
		assert_non_null(found);
		assert_int_equal(found->as.integer, entries[i].value.as.integer);
	}
	assert_null(cel_map_find_text(map, SLICE("k500")));
	assert_null(cel_map_find(map, cel_double(0.5)));
	entries[1].key = entries[3].key;
	assert_null(cel_map_of(&f->keep, entries, KEYS));
}

static void cost_grows_with_loops(void **state)
{
	struct fixture *f = *state;
	compile(f, "lead.source == 'web'");
	uint64_t plain = cel_program_cost(f->program);
	compile(f, "lead.tags.exists(t, t == 'web')");
	uint64_t loop = cel_program_cost(f->program);
	compile(f, "lead.tags.exists(t, lead.tags.exists(u, u == t))");
	assert_true(plain < 10 && loop > 100 * plain / 10);
	assert_true(cel_program_cost(f->program) > 50 * loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(fields_are_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(presence_is_tested, set_up, tear_down),
		cmocka_unit_test_setup_teardown(unknown_field_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(every_mistake_is_listed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(wrong_result_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(lying_field_is_an_error_not_a_crash, set_up, tear_down),
		cmocka_unit_test_setup_teardown(clauses_are_described, set_up, tear_down),
		cmocka_unit_test_setup_teardown(negations_and_choices_are_described, set_up, tear_down),
		cmocka_unit_test_setup_teardown(first_failing_clause_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(steps_run_out_even_when_errors_are_absorbed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(deep_nesting_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(long_input_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nesting_that_the_language_asks_for_works, set_up, tear_down),
		cmocka_unit_test_setup_teardown(doubling_values_are_stopped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(long_values_are_stopped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(too_many_variables_at_once_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(issues_are_bounded_and_counted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(many_clauses_end_in_one_for_the_rest, set_up, tear_down),
		cmocka_unit_test_setup_teardown(programs_do_not_need_the_text_or_env_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(own_functions_are_called, set_up, tear_down),
		cmocka_unit_test_setup_teardown(large_maps_find_every_key, set_up, tear_down),
		cmocka_unit_test_setup_teardown(cost_grows_with_loops, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
