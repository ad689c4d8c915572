/* SPDX-License-Identifier: Apache-2.0
 *
 * Each declared field as expressions read it: where it lies (cel_member) is where get() finds it, set and unset.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rules/base/arena.h"
#include "rules/cel/value.h"
#include "rules/schema.h"

struct fixture {
	struct arena arena;
	const struct cel_env *env;
	struct lead lead;
	struct cel_value slots[SCHEMA_SLOTS];
};

static int set_up(void **state)
{
	static struct fixture fixture;
	fixture = (struct fixture){.arena = ARENA_INIT};
	fixture.env = schema_env_new(NULL, 0, &fixture.arena);
	lead_init(&fixture.lead);
	fixture.slots[SLOT_LEAD] = cel_object(&fixture.lead.objects[SCHEMA_LEAD]);
	fixture.slots[SLOT_ACCOUNT] = cel_object(&fixture.lead.objects[SCHEMA_ACCOUNT]);
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	arena_done(&fixture->arena);
	return 0;
}

static struct cel_value read_path(struct fixture *fixture, const char *path)
{
	struct cel_issues issues;
	struct cel_program *program;
	bool is_account = strncmp(path, "account.", 8) == 0;
	struct slice text = slice_of(arena_printf(&fixture->arena, "%s%s", is_account ? "" : "lead.", path));
	assert_int_equal(cel_compile(fixture->env, text, NULL, &fixture->arena, &issues, &program), 0);
	return cel_eval(program, fixture->slots, &fixture->arena, CEL_DEFAULT_STEPS);
}

static void check_row(struct fixture *fixture, enum schema_object object, uint32_t field)
{
	size_t count;
	const struct schema_row *row = &schema_rows(object, &count)[field];
	const struct cel_object *holder = &fixture->lead.objects[object];
	struct cel_value expected = holder->type->get(holder->self, field, &fixture->arena);
	struct cel_value value = read_path(fixture, row->path);
	assert_int_equal(value.kind, expected.kind);
	assert_true(cel_equal(value, expected, &fixture->arena));
	if (row->kind == SCHEMA_TEXT)
		assert_ptr_equal(value.as.bytes, expected.as.bytes);
}

static void check_all(struct fixture *fixture)
{
	for (int object = 0; object < SCHEMA_OBJECTS; object++) {
		size_t count;
		schema_rows((enum schema_object)object, &count);
		for (uint32_t field = 0; field < count; field++)
			check_row(fixture, (enum schema_object)object, field);
	}
}

static void fill_row(struct fixture *fixture, const struct schema_row *row, int number)
{
	struct lead_int *integer = (struct lead_int *)((char *)&fixture->lead + row->offset);
	if (row->kind == SCHEMA_TEXT)
		*schema_text(&fixture->lead, row) = slice_of(arena_printf(&fixture->arena, "text %d", number));
	else if (row->kind == SCHEMA_INT)
		*integer = (struct lead_int){true, number};
}

static void empty_fields_are_read(void **state)
{
	check_all(*state);
}

static void each_field_is_read_where_it_lies(void **state)
{
	struct fixture *fixture = *state;
	int number = 1;
	for (int object = 0; object < SCHEMA_OBJECTS; object++) {
		size_t count;
		const struct schema_row *rows = schema_rows((enum schema_object)object, &count);
		for (size_t field = 0; field < count; field++)
			fill_row(fixture, &rows[field], number++);
	}
	check_all(fixture);
}

static void a_number_that_is_not_set_is_zero(void **state)
{
	struct fixture *fixture = *state;
	fixture->lead.company.employees = (struct lead_int){false, 7};
	assert_int_equal(read_path(fixture, "company.employees").as.integer, 0);
}

static void a_variable_that_is_no_lead_is_an_error(void **state)
{
	struct fixture *fixture = *state;
	fixture->slots[SLOT_LEAD] = cel_null();
	struct cel_value value = read_path(fixture, "location.country");
	assert_int_equal(value.kind, CEL_ERROR);
	assert_string_equal(value.as.error->text, "no such key: `location`");
	fixture->slots[SLOT_LEAD] = value;
	assert_ptr_equal(read_path(fixture, "company.employees").as.error, value.as.error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(empty_fields_are_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(each_field_is_read_where_it_lies, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_number_that_is_not_set_is_zero, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_variable_that_is_no_lead_is_an_error, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
