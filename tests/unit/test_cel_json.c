/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON to CEL values: what is printed is read back the same, and what is no typed value is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/cel/value.h"
#include "rules/cel_json.h"
#include "rules/json/json.h"

static const struct json_limits limits = {.bytes = 4096, .depth = 16, .values = 256};

static struct cel_value value_of(const char *text, struct arena *arena)
{
	static const struct cel_env env = {.is_lenient = true};
	struct cel_issues issues;
	struct cel_program *program;
	assert_int_equal(cel_compile(&env, slice_of(text), NULL, arena, &issues, &program), 0);
	return cel_eval(program, NULL, arena, CEL_DEFAULT_STEPS);
}

static void typed_values_come_back(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"null",
		"true",
		"-9223372036854775808",
		"18446744073709551615u",
		"[0.1, -2.5e300, 1.0]",
		"double('Infinity')",
		"'größe \\u0001 \"quoted\" \\\\'",
		"b'\\x00\\xff\\x10ab'",
		"timestamp('2026-03-02T08:30:00.000000001Z')",
		"duration('-1.5s')",
		"[1, 'x', [], {}, [[2u]]]",
		"{1: 'a', 2u: 'b', true: [null], 'k': {'n': 1.5}}",
		"[int, string, list, type(duration('1s')), null_type]",
	};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct arena arena = ARENA_INIT;
		struct strbuf buf = STRBUF_INIT;
		struct err err = ERR_INIT;
		struct cel_value value = value_of(texts[i], &arena), again = cel_null();
		cel_print_typed(&buf, value);
		const struct json *json = json_read((struct slice){buf.bytes, buf.len}, limits, &arena, &err);
		assert_non_null(json);
		assert_int_equal(cel_from_typed_json(json, &arena, &again, &err), 0);
		assert_int_equal(again.kind, value.kind);
		assert_true(cel_equal(value, again, &arena));
		strbuf_done(&buf);
		arena_done(&arena);
	}
}

static void other_json_is_refused(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"1",
		"{}",
		"{\"int\":\"1\",\"uint\":\"1\"}",
		"{\"int\":\"1x\"}",
		"{\"int\":\"9223372036854775808\"}",
		"{\"uint\":\"-1\"}",
		"{\"uint\":-1}",
		"{\"double\":\"much\"}",
		"{\"bool\":\"true\"}",
		"{\"bytes\":\"?\"}",
		"{\"timestamp\":\"tomorrow\"}",
		"{\"duration\":\"1 hour\"}",
		"{\"list\":{\"int\":\"1\"}}",
		"{\"map\":[[{\"int\":\"1\"}]]}",
		"{\"map\":[[{\"double\":1.5},{\"int\":\"1\"}]]}",
		"{\"map\":[[{\"int\":\"1\"},{\"int\":\"1\"}],[{\"uint\":\"1\"},{\"int\":\"2\"}]]}",
		"{\"type\":\"lead\"}",
		"{\"word\":\"x\"}",
	};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct arena arena = ARENA_INIT;
		struct err err = ERR_INIT;
		struct cel_value value;
		const struct json *json = json_read(slice_of(texts[i]), limits, &arena, &err);
		assert_non_null(json);
		if (cel_from_typed_json(json, &arena, &value, &err) == 0)
			fail_msg("taken: %s", texts[i]);
		assert_int_equal(err.code, ERR_BAD_VALUE);
		arena_done(&arena);
	}
}

static void plain_json_is_maps_and_lists(void **state)
{
	(void)state;
	struct arena arena = ARENA_INIT;
	struct err err = ERR_INIT;
	struct slice text = SLICE("{\"score\": 62, \"rate\": 0.5, \"tags\": [\"vip\", null, true], \"company\": {\"name\": \"Acme\"}}");
	const struct json *json = json_read(text, limits, &arena, &err);
	assert_non_null(json);
	struct cel_value wanted =
		value_of("{'score': 62, 'rate': 0.5, 'tags': ['vip', null, true], 'company': {'name': 'Acme'}}", &arena);
	assert_true(cel_equal(cel_from_json(json, &arena), wanted, &arena));
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(typed_values_come_back),
		cmocka_unit_test(other_json_is_refused),
		cmocka_unit_test(plain_json_is_maps_and_lists),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
