/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines of `leadctl eval --jsonl`: every form of value in and out, and one answer to every line, however bad.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/base/strbuf.h"
#include "rules/eval_line.h"

struct pair {
	const char *line, *answer;
};

static void check_pairs(const struct pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct strbuf out = STRBUF_INIT;
		eval_line(slice_of(pairs[i].line), &out);
		assert_string_equal(strbuf_text(&out), pairs[i].answer);
		strbuf_done(&out);
	}
}

#define CHECK(pairs) check_pairs(pairs, sizeof(pairs) / sizeof *(pairs))

static void values_come_typed(void **state)
{
	(void)state;
	static const struct pair pairs[] = {
		{"{\"id\":1,\"expr\":\"1\"}", "{\"id\":1,\"value\":{\"int\":\"1\"}}"},
		{"{\"id\":1,\"expr\":\"-9223372036854775808\"}", "{\"id\":1,\"value\":{\"int\":\"-9223372036854775808\"}}"},
		{"{\"id\":1,\"expr\":\"1u\"}", "{\"id\":1,\"value\":{\"uint\":\"1\"}}"},
		{"{\"id\":1,\"expr\":\"1.5\"}", "{\"id\":1,\"value\":{\"double\":1.5}}"},
		{"{\"id\":1,\"expr\":\"1.0 / 0.0\"}", "{\"id\":1,\"value\":{\"double\":\"Infinity\"}}"},
		{"{\"id\":1,\"expr\":\"-1.0 / 0.0\"}", "{\"id\":1,\"value\":{\"double\":\"-Infinity\"}}"},
		{"{\"id\":1,\"expr\":\"double('NaN')\"}", "{\"id\":1,\"value\":{\"double\":\"NaN\"}}"},
		{"{\"id\":1,\"expr\":\"'\\u00e9'\"}", "{\"id\":1,\"value\":{\"string\":\"é\"}}"},
		{"{\"id\":1,\"expr\":\"true\"}", "{\"id\":1,\"value\":{\"bool\":true}}"},
		{"{\"id\":1,\"expr\":\"null\"}", "{\"id\":1,\"value\":{\"null\":true}}"},
		{"{\"id\":1,\"expr\":\"[1, 'a']\"}", "{\"id\":1,\"value\":{\"list\":[{\"int\":\"1\"},{\"string\":\"a\"}]}}"},
		{"{\"id\":1,\"expr\":\"{'k': 2u}\"}", "{\"id\":1,\"value\":{\"map\":[[{\"string\":\"k\"},{\"uint\":\"2\"}]]}}"},
		{"{\"id\":1,\"expr\":\"timestamp('2026-03-02T08:30:00.5Z')\"}",
		 "{\"id\":1,\"value\":{\"timestamp\":\"2026-03-02T08:30:00.5Z\"}}"},
		{"{\"id\":1,\"expr\":\"duration('3s')\"}", "{\"id\":1,\"value\":{\"duration\":\"3s\"}}"},
		{"{\"id\":1,\"expr\":\"b'\\\\x00\\\\xff'\"}", "{\"id\":1,\"value\":{\"bytes\":\"AP8=\"}}"},
		{"{\"id\":1,\"expr\":\"type(1)\"}", "{\"id\":1,\"value\":{\"type\":\"int\"}}"},
	};
	CHECK(pairs);
}

static void typed_bindings_are_what_they_say(void **state)
{
	(void)state;
	static const struct pair pairs[] = {
		{"{\"id\":1,\"expr\":\"x\",\"bindings\":{\"x\":{\"double\":\"NaN\"}}}", "{\"id\":1,\"value\":{\"double\":\"NaN\"}}"},
		{"{\"id\":1,\"expr\":\"x\",\"bindings\":{\"x\":{\"double\":\"-Infinity\"}}}",
		 "{\"id\":1,\"value\":{\"double\":\"-Infinity\"}}"},
		{"{\"id\":1,\"expr\":\"x\",\"bindings\":{\"x\":{\"double\":100000000000000000000}}}",
		 "{\"id\":1,\"value\":{\"double\":1e+20}}"},
		{"{\"id\":1,\"expr\":\"x\",\"bindings\":{\"x\":{\"uint\":\"18446744073709551615\"}}}",
		 "{\"id\":1,\"value\":{\"uint\":\"18446744073709551615\"}}"},
		{"{\"id\":1,\"expr\":\"x == 1\",\"bindings\":{\"x\":{\"uint\":\"1\"}}}", "{\"id\":1,\"value\":{\"bool\":true}}"},
		{"{\"id\":1,\"expr\":\"x.k[0]\",\"bindings\":{\"x\":{\"map\":[[{\"string\":\"k\"},{\"list\":[{\"duration\":\"90s\"}]}]]}}}",
		 "{\"id\":1,\"value\":{\"duration\":\"90s\"}}"},
		{"{\"id\":1,\"expr\":\"size(x)\",\"bindings\":{\"x\":{\"string\":\"a\\u0000b\"}}}", "{\"id\":1,\"value\":{\"int\":\"3\"}}"},
		{"{\"id\":1,\"expr\":\"x\",\"bindings\":{\"x\":{\"int\":\"1x\"}}}",
		 "{\"id\":1,\"error\":\"`x`: not a typed value: write {\\\"int\\\":\\\"1\\\"}, {\\\"string\\\":\\\"x\\\"}, {\\\"list\\\":[…]}\"}"},
	};
	CHECK(pairs);
}

/* A whole number is an int however it is meant, one with a fraction or an exponent a double. */
static void plain_bindings_are_read_as_leads_are(void **state)
{
	(void)state;
	static const struct pair pairs[] = {
		{"{\"id\":1,\"expr\":\"[x, y, z]\",\"bindings_json\":{\"x\":2,\"y\":2.0,\"z\":2e0}}",
		 "{\"id\":1,\"value\":{\"list\":[{\"int\":\"2\"},{\"double\":2.0},{\"double\":2.0}]}}"},
		{"{\"id\":1,\"expr\":\"x\",\"bindings_json\":{\"x\":{\"a\":[null,true,\"t\"]}}}",
		 "{\"id\":1,\"value\":{\"map\":[[{\"string\":\"a\"},{\"list\":[{\"null\":true},{\"bool\":true},{\"string\":\"t\"}]}]]}}"},
		{"{\"id\":1,\"expr\":\"x\",\"bindings_json\":\"{\\\"x\\\":-1}\"}", "{\"id\":1,\"value\":{\"int\":\"-1\"}}"},
		{"{\"id\":1,\"expr\":\"x\",\"bindings_json\":{\"x\":18446744073709551615}}",
		 "{\"id\":1,\"value\":{\"double\":1.8446744073709552e+19}}"},
		{"{\"id\":1,\"expr\":\"x + y\",\"bindings_json\":{\"x\":1},\"bindings\":{\"y\":{\"int\":\"2\"}}}",
		 "{\"id\":1,\"value\":{\"int\":\"3\"}}"},
		{"{\"id\":1,\"expr\":\"x\",\"bindings_json\":{\"x\":1},\"bindings\":{\"x\":{\"int\":\"2\"}}}",
		 "{\"id\":1,\"error\":\"`x` is bound twice\"}"},
		{"{\"id\":1,\"expr\":\"x\",\"bindings_json\":[]}", "{\"id\":1,\"error\":\"`bindings_json` is no object\"}"},
	};
	CHECK(pairs);
}

static void every_line_has_an_answer(void **state)
{
	(void)state;
	static const struct pair pairs[] = {
		{"", "{\"id\":null,\"error\":\"the document ends too early at line 1, column 1\"}"},
		{"[]", "{\"id\":null,\"error\":\"the line is no object\"}"},
		{"{\"expr\":\"1\"}", "{\"id\":null,\"value\":{\"int\":\"1\"}}"},
		{"{\"id\":\"a\\\"b\"}", "{\"id\":\"a\\\"b\",\"error\":\"`expr` is missing or no text\"}"},
		{"{\"id\":7,\"expr\":1}", "{\"id\":7,\"error\":\"`expr` is missing or no text\"}"},
		{"{\"id\":7,\"expr\":\"1 / 0\"}", "{\"id\":7,\"error\":\"division by zero\"}"},
		{"{\"id\":7,\"expr\":\"nobody\"}", "{\"id\":7,\"error\":\"unknown name `nobody`\"}"},
		{"{\"id\":7,\"expr\":\"x\",\"declare\":{\"x\":\"int\"}}", "{\"id\":7,\"error\":\"no value is bound to this name\"}"},
		{"{\"id\":true,\"expr\":\"1\"}", "{\"id\":true,\"value\":{\"int\":\"1\"}}"},
		{"{\"id\":[1,\"a\"],\"expr\":\"1\"}", "{\"id\":[1,\"a\"],\"value\":{\"int\":\"1\"}}"},
		{"{\"id\":{\"n\":null},\"expr\":\"1\"}", "{\"id\":{\"n\":null},\"value\":{\"int\":\"1\"}}"},
		{"{\"id\":1,\"expr\":\"1\",\"binding\":{}}", "{\"id\":1,\"error\":\"a question has no member `binding`\"}"},
		{"{\"id\":1,\"expr\":\"x\",\"bindings\":{\"x\":{\"int\":\"1\"},\"y\":2}}",
		 "{\"id\":1,\"error\":\"`y`: not a typed value: write {\\\"int\\\":\\\"1\\\"}, {\\\"string\\\":\\\"x\\\"}, "
		 "{\\\"list\\\":[…]}\"}"},
	};
	CHECK(pairs);
}

static void types_are_told_when_asked_for(void **state)
{
	(void)state;
	static const struct pair pairs[] = {
		{"{\"id\":1,\"expr\":\"x\",\"declare\":{\"x\":{\"map\":[\"string\",{\"list\":\"int\"}]}},\"type\":true,\"check_only\":true}",
		 "{\"id\":1,\"type\":\"map(string, list(int))\"}"},
		{"{\"id\":1,\"expr\":\"x\",\"bindings\":{\"x\":{\"int\":\"1\"}},\"type\":true}",
		 "{\"id\":1,\"type\":\"dyn\",\"value\":{\"int\":\"1\"}}"},
	};
	CHECK(pairs);
}

static void too_many_names_are_refused(void **state)
{
	(void)state;
	struct strbuf line = STRBUF_INIT, out = STRBUF_INIT;
	strbuf_puts(&line, "{\"id\":1,\"expr\":\"1\",\"bindings_json\":{\"a\":1");
	for (int i = 0; i < EVAL_LINE_NAMES_MAX; i++)
		strbuf_printf(&line, ",\"n%d\":1", i);
	strbuf_puts(&line, "}}");
	eval_line((struct slice){line.bytes, line.len}, &out);
	assert_string_equal(strbuf_text(&out), "{\"id\":1,\"error\":\"more than 256 names\"}");
	strbuf_done(&line);
	strbuf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_come_typed),
		cmocka_unit_test(typed_bindings_are_what_they_say),
		cmocka_unit_test(plain_bindings_are_read_as_leads_are),
		cmocka_unit_test(every_line_has_an_answer),
		cmocka_unit_test(types_are_told_when_asked_for),
		cmocka_unit_test(too_many_names_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
