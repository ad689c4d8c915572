/* SPDX-License-Identifier: Apache-2.0
 *
 * rules/json/json: limits hold before the parser, what comes out is what went in, and text of ours survives a round trip.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <glob.h>
#include <stdio.h>
#include <cmocka.h>

#include "rules/base/arena.h"
#include "rules/base/utf8.h"
#include "rules/json/json.h"

static const struct json_limits LIMITS = {1000, 4, 12};

static enum err_code code_of(struct slice bytes)
{
	struct arena arena = ARENA_INIT;
	struct err err = ERR_INIT;
	const struct json *root = json_read(bytes, LIMITS, &arena, &err);
	assert_true((root == NULL) == (err.code != ERR_NONE));
	arena_done(&arena);
	return err.code;
}

static void limits_hold(void **state)
{
	(void)state;
	assert_int_equal(code_of(SLICE("[[[[1]]]]")), ERR_NONE);
	assert_int_equal(code_of(SLICE("[[[[[1]]]]]")), ERR_JSON_TOO_DEEP);
	assert_int_equal(code_of(SLICE("[1,2,3,4,5,6,7,8,9,10]")), ERR_NONE);
	assert_int_equal(code_of(SLICE("[1,2,3,4,5,6,7,8,9,10,11,12]")), ERR_JSON_TOO_MANY);
	assert_int_equal(code_of(SLICE("[\"[[[[[[,,,,,,,,,,,,,,,\\\"[[[[[\"]")), ERR_NONE);
	char *deep = malloc(1000);
	memset(deep, '[', 1000);
	assert_int_equal(code_of((struct slice){deep, 1000}), ERR_JSON_TOO_DEEP);
	memset(deep, ' ', 1000);
	assert_int_equal(code_of((struct slice){deep, 1001}), ERR_RECORD_TOO_LARGE);
	free(deep);
}

static void bad_documents_have_their_codes(void **state)
{
	(void)state;
	static const struct {
		struct slice bytes;
		enum err_code code;
	} rows[] = {
		{{"", 0}, ERR_JSON_SYNTAX},
		{{"{", 1}, ERR_JSON_SYNTAX},
		{{"{} x", 4}, ERR_JSON_SYNTAX},
		{{"{\"a\":1,}", 8}, ERR_JSON_SYNTAX},
		{{"nul", 3}, ERR_JSON_SYNTAX},
		{{"01", 2}, ERR_JSON_SYNTAX},
		{{"1e999", 5}, ERR_JSON_SYNTAX},
		{{"99999999999999999999", 20}, ERR_JSON_SYNTAX},
		{{"{\"a\":1,\"a\":2}", 13}, ERR_JSON_DUPLICATE_KEY},
		{{"{\"a\":1,\"\\u0061\":2}", 18}, ERR_JSON_DUPLICATE_KEY},
		{{"\"\xff\"", 3}, ERR_JSON_UTF8},
		{{"\"\xed\xa0\x80\"", 5}, ERR_JSON_UTF8},
		{{"\"\xc0\xaf\"", 4}, ERR_JSON_UTF8},
		{{"\"a\0b\"", 5}, ERR_JSON_UTF8},
		{{"\"a\\u0000b\"", 10}, ERR_JSON_UTF8},
		{{"\"\\ud800\"", 8}, ERR_JSON_SYNTAX},
		{{"\"\\u00zz\"", 8}, ERR_JSON_SYNTAX},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(code_of(rows[i].bytes), rows[i].code);
}

static void messages_do_not_quote_the_input(void **state)
{
	(void)state;
	struct arena arena = ARENA_INIT;
	struct err err = ERR_INIT;
	assert_null(json_read(SLICE("{\"email\": ana@example.com}"), LIMITS, &arena, &err));
	assert_null(strstr(err.text, "ana"));
	assert_non_null(strstr(err.text, "line 1"));
	arena_done(&arena);
}

static void values_come_through(void **state)
{
	(void)state;
	struct arena arena = ARENA_INIT;
	struct err err = ERR_INIT;
	const struct json *root = json_read(
		SLICE("{\"t\":\"\\u00e4\\n\",\"i\":-9223372036854775808,\"r\":1.5,\"b\":true,\"n\":null,\"l\":[1,\"x\"]}"), LIMITS,
		&arena, &err);
	assert_non_null(root);
	assert_int_equal(root->count, 6);
	assert_true(slice_is(root->names[0], "t"));
	assert_true(slice_is(json_get_text(root, "t"), "ä\n"));
	assert_true(json_get(root, "i")->integer == INT64_MIN);
	assert_true(json_get(root, "r")->real == 1.5);
	assert_true(json_get(root, "b")->boolean);
	assert_int_equal(json_get(root, "n")->type, JSON_IS_NULL);
	assert_int_equal(json_get(root, "l")->count, 2);
	assert_true(slice_is(json_get(root, "l")->items[1].text, "x"));
	assert_null(json_get(root, "absent"));
	assert_null(json_get_text(root, "i").p);
	assert_null(json_get(NULL, "t"));
	arena_done(&arena);
}

static void written_text_reads_back(void **state)
{
	(void)state;
	char every[128];
	for (int i = 1; i < 128; i++)
		every[i - 1] = (char)i;
	struct strbuf out = STRBUF_INIT;
	struct json_writer writer = JSON_WRITER(&out);
	json_open_object(&writer, NULL);
	json_put_text(&writer, "every", (struct slice){every, 127});
	json_put_real(&writer, "real", 0.1);
	json_put_real(&writer, "whole", 3);
	json_open_array(&writer, "list");
	json_put_int(&writer, NULL, INT64_MIN);
	json_put_null(&writer, NULL);
	json_close_array(&writer);
	json_put_time(&writer, "at", 1795298715026);
	json_put_time(&writer, "before", -1);
	json_put_raw(&writer, "raw", SLICE("[]"));
	json_close_object(&writer);
	struct arena arena = ARENA_INIT;
	struct err err = ERR_INIT;
	const struct json *root = json_read((struct slice){out.bytes, out.len}, LIMITS, &arena, &err);
	assert_string_equal(err.text, "");
	assert_true(slice_equal(json_get_text(root, "every"), (struct slice){every, 127}));
	assert_true(json_get(root, "real")->real == 0.1);
	assert_int_equal(json_get(root, "whole")->type, JSON_IS_REAL);
	assert_true(slice_is(json_get_text(root, "at"), "2026-11-21T22:05:15.026Z"));
	assert_true(slice_is(json_get_text(root, "before"), "1969-12-31T23:59:59.999Z"));
	arena_done(&arena);
	strbuf_done(&out);
}

static void utf8_is_what_unicode_says(void **state)
{
	(void)state;
	static const char good[] = "plain ascii text ä € \xF0\x9F\x98\x80 \xEF\xBF\xBF \xED\x9F\xBF \xF4\x8F\xBF\xBF";
	assert_int_equal(utf8_first_bad(SLICE("")), 0);
	assert_int_equal(utf8_first_bad((struct slice){good, sizeof good - 1}), sizeof good - 1);
	static const char *const bad[] = {"\x80", "\xC1\x80", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
	                                  "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xC3", "\xE2\x82", "\xF0\x9F\x98"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(utf8_first_bad(slice_of(bad[i])), 0);
	assert_int_equal(utf8_first_bad(slice_of("123456789\xFF")), 9);
}

/* leadctl carries them (daemon/ctl/schemas.h), and our reader refuses a name that stands twice. */
static void the_schemas_are_documents_of_ours(void **state)
{
	(void)state;
	static char text[1 << 20];
	glob_t files;
	assert_int_equal(glob("config/schemas/*.json", 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		struct arena arena = ARENA_INIT;
		struct err err = ERR_INIT;
		FILE *file = fopen(files.gl_pathv[i], "r");
		assert_non_null(file);
		struct slice bytes = {text, fread(text, 1, sizeof text, file)};
		fclose(file);
		if (json_read(bytes, (struct json_limits){sizeof text, 64, 100000}, &arena, &err) == NULL)
			fail_msg("%s: %s", files.gl_pathv[i], err.text);
		arena_done(&arena);
	}
	globfree(&files);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(bad_documents_have_their_codes),
		cmocka_unit_test(messages_do_not_quote_the_input),
		cmocka_unit_test(values_come_through),
		cmocka_unit_test(written_text_reads_back),
		cmocka_unit_test(utf8_is_what_unicode_says),
		cmocka_unit_test(the_schemas_are_documents_of_ours),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
