/* SPDX-License-Identifier: Apache-2.0
 *
 * YAML to tree: what is refused and where, and that each byte of a decoded scalar is found again in the file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/yaml.h"
#include "daemon/yaml_scalar.h"
#include "rules/base/arena.h"
#include "rules/base/diag.h"
#include "rules/base/strbuf.h"
#include "rules/json/tree.h"

struct fixture {
	struct arena arena;
	struct diags *diags;
	struct strbuf text;
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);
	fixture->diags = diags_new();
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	diags_free(fixture->diags);
	arena_done(&fixture->arena);
	strbuf_done(&fixture->text);
	free(fixture);
	return 0;
}

static const struct node *read_text(struct fixture *fixture, const char *text)
{
	return yaml_read(source_new(&fixture->arena, "t.yaml", slice_of(text)), &fixture->arena, fixture->diags);
}

static const char *rendered(struct fixture *fixture)
{
	diags_render(fixture->diags, false, &fixture->text);
	return strbuf_text(&fixture->text);
}

/* `bad` occurs once in the decoded value of `k`, and its span must be exactly the `n`th occurrence in the file. */
static void assert_found(struct fixture *fixture, const char *yaml, const char *decoded, const char *bad)
{
	const struct node *root = read_text(fixture, yaml);
	assert_non_null(root);
	const struct node *value = node_get(root, "k");
	assert_non_null(value);
	assert_string_equal(value->text.p, decoded);
	const char *at = strstr(decoded, bad);
	struct source_span span = node_span_in(value, (size_t)(at - decoded), strlen(bad));
	assert_int_equal(span.len, strlen(bad));
	assert_memory_equal(span.source->text.p + span.offset, bad, strlen(bad));
}

static void every_scalar_style_maps_back(void **state)
{
	static const struct {
		const char *yaml, *decoded;
	} cases[] = {
		{"k: a == BAD\n", "a == BAD"},
		{"k: a ==\n   b\n\n  || BAD\n", "a == b\n|| BAD"},
		{"k: 'it''s ''x'' BAD'\n", "it's 'x' BAD"},
		{"k: 'a   \n   b \n\n\n c'' BAD'\n", "a b\n\nc' BAD"},
		{"k: \"\\\"a\\\" \\u00eb\\t BAD\"\n", "\"a\" \xc3\xab\t BAD"},
		{"k: \"x \\\n    y\n    z \\U0001F600 BAD\"\n", "x y z \xf0\x9f\x98\x80 BAD"},
		{"k: |\n  one\n    two\n\n  three BAD\n", "one\n  two\n\nthree BAD\n"},
		{"k: |2-\n    lead BAD\n", "  lead BAD"},
		{"k: |\r\n  one\r\n  BAD\r\n", "one\nBAD\n"},
		{"k: >-\n   one\n   two\n\n     more\n   less BAD\n", "one two\n\n  more\nless BAD"},
		{"k: >\n\n\n  one\n\n\n  two BAD\n\n", "\n\none\n\ntwo BAD\n"},
		{"k: >+\n  \xc3\xa9t\xc3\xa9\n  BAD\n\n", "\xc3\xa9t\xc3\xa9 BAD\n\n"},
		{"\xef\xbb\xbfk: [] # no\n", NULL},
		{"{a: [1, 'k'], k: \"BAD\"}", "BAD"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (cases[i].decoded != NULL)
			assert_found(*state, cases[i].yaml, cases[i].decoded, "BAD");
}

static void escapes_map_to_the_whole_escape(void **state)
{
	const struct node *root = read_text(*state, "k: \"a\\u00ebb\"\n");
	struct source_span span = node_span_in(node_get(root, "k"), 1, 2);
	assert_int_equal(span.offset, 5);
	assert_int_equal(span.len, 6);
	span = node_span_in(node_get(root, "k"), 4, 0);
	assert_int_equal(span.offset, 12);
}

static void text_that_does_not_fit_gives_one_coarse_piece(void **state)
{
	struct fixture *fixture = *state;
	const struct node_piece *pieces;
	size_t count;
	assert_false(yaml_scalar_pieces(YAML_PLAIN, SLICE("abc"), 7, SLICE("abd"), &fixture->arena, &pieces, &count));
	assert_int_equal(count, 1);
	assert_int_equal(pieces[0].source, 7);
	assert_int_equal(pieces[0].source_len, 3);
}

static void an_empty_file_is_an_empty_mapping(void **state)
{
	static const char *const texts[] = {"", "# only a comment\n", "---\n", "~\n"};
	for (size_t i = 0; i < 4; i++) {
		const struct node *root = read_text(*state, texts[i]);
		assert_non_null(root);
		assert_int_equal(root->kind, NODE_MAPPING);
		assert_int_equal(root->count, 0);
	}
}

static void features_are_refused_all_at_once(void **state)
{
	assert_null(read_text(*state, "a: &x 1\nb: *x\nc: !!str 2\nd:\n  <<: {e: 1}\nf: 1\nf: 2\n"));
	assert_string_equal(rendered(*state),
	                    "error[LR002]: anchors are not supported\n"
	                    " --> t.yaml:1:5\n"
	                    "  |\n"
	                    "1 | a: &x 1\n"
	                    "  |     ^\n"
	                    "  = help: write the value where it is needed; put text that starts with & in quotes\n"
	                    "\n"
	                    "error[LR002]: aliases are not supported\n"
	                    " --> t.yaml:2:5\n"
	                    "  |\n"
	                    "2 | b: *x\n"
	                    "  |     ^\n"
	                    "  = help: write the value where it is needed; put text that starts with * in quotes\n"
	                    "\n"
	                    "error[LR002]: tags are not supported\n"
	                    " --> t.yaml:3:4\n"
	                    "  |\n"
	                    "3 | c: !!str 2\n"
	                    "  |    ^^^^^\n"
	                    "  = help: the key decides what a value means; put text that starts with ! in quotes\n"
	                    "\n"
	                    "error[LR002]: merge keys are not supported\n"
	                    " --> t.yaml:5:3\n"
	                    "  |\n"
	                    "5 |   <<: {e: 1}\n"
	                    "  |   ^^\n"
	                    "  = help: write the keys where they are needed\n"
	                    "\n"
	                    "error[LR014]: the key `f` appears twice\n"
	                    " --> t.yaml:7:1\n"
	                    "  |\n"
	                    "7 | f: 2\n"
	                    "  | ^\n"
	                    " ::: t.yaml:6:1\n"
	                    "  |\n"
	                    "6 | f: 1\n"
	                    "  | - first defined here\n"
	                    "  = help: leadctl explain LR014\n"
	                    "\n");
}

static void the_billion_laughs_are_refused_quickly(void **state)
{
	struct strbuf bomb = STRBUF_INIT;
	strbuf_puts(&bomb, "a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
	for (int i = 1; i < 30; i++)
		strbuf_printf(&bomb, "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i, i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
	assert_null(read_text(*state, bomb.bytes));
	strbuf_done(&bomb);
}

static void deep_nesting_stops(void **state)
{
	char text[3000];
	memset(text, '[', sizeof text);
	text[sizeof text - 1] = '\0';
	assert_null(read_text(*state, text));
	assert_int_equal(diags_error_count(((struct fixture *)*state)->diags), 1);
	assert_non_null(strstr(rendered(*state), "nested more than 32 deep"));
}

static void syntax_errors_show_what_is_still_open(void **state)
{
	assert_null(read_text(*state, "a: [1,\n  2\nb: 3\n"));
	const char *text = rendered(*state);
	assert_non_null(strstr(text, "error[LR001]"));
	assert_non_null(strstr(text, "1 | a: [1,\n  |    - this is still open"));
}

static void tabs_and_nuls_are_explained(void **state)
{
	struct fixture *fixture = *state;
	assert_null(read_text(fixture, "a:\n\tb: 3\n"));
	assert_non_null(strstr(rendered(fixture), "indent with spaces"));
	const struct source *source = source_new(&fixture->arena, "nul.yaml", SLICE("a: b\0c\n"));
	assert_null(yaml_read(source, &fixture->arena, fixture->diags));
	assert_non_null(strstr(rendered(fixture), "nul.yaml:1:5"));
	const struct source *wide = source_new(&fixture->arena, "wide.yaml", SLICE("\xff\xfe" "a\0:\0 \0b\0"));
	assert_null(yaml_read(wide, &fixture->arena, fixture->diags));
	assert_non_null(strstr(rendered(fixture), "this is UTF-16, not UTF-8"));
}

static void what_makes_the_library_loop_is_refused_first(void **state)
{
	struct fixture *fixture = *state;
	assert_null(read_text(fixture, "a: 1\n%YAML 1.2\n"));
	assert_null(read_text(fixture, "a: \xe8:\n"));
	assert_non_null(strstr(rendered(fixture), "error[LR002]: directives are not supported\n --> t.yaml:2:1\n"));
	assert_non_null(strstr(rendered(fixture), "error[LR001]: not UTF-8\n --> t.yaml:1:4\n"));
}

static void what_makes_the_library_free_twice_is_refused_first(void **state)
{
	struct fixture *fixture = *state;
	static const char *const bad[] = {"? m :\t? :", "a:  : ? m:\t:", "?\n m: \t?", "- ? ?:\t??"};
	for (size_t n = 0; n < sizeof bad / sizeof *bad; n++) {
		assert_null(read_text(fixture, bad[n]));
		assert_non_null(strstr(rendered(fixture), "error[LR002]: a tab behind a colon"));
	}
	assert_non_null(read_text(fixture, "a:\tb ? c\nd: e?\nf:\t|\n  ?g\n"));
}

static void an_empty_block_at_the_end_is_empty(void **state)
{
	assert_int_equal(node_get(read_text(*state, "j: x\nk: >\n "), "k")->text.len, 0);
}

static void passwords_do_not_come_out_with_an_error(void **state)
{
	assert_null(read_text(*state, "sasl.password: hunter2\nsasl.password: hunter3\nssl.key.password: 'file:x'\n"
	                              "ssl.key.password: *x\n"));
	const char *text = rendered(*state);
	assert_null(strstr(text, "hunter"));
	assert_non_null(strstr(text, " --> t.yaml:2:1\n ::: t.yaml:1:1\n"));
	assert_non_null(strstr(text, "ssl.key.password: 'file:x'"));
}

static void wide_letters_and_tabs_keep_the_caret_in_place(void **state)
{
	assert_null(read_text(*state, "\"\xe7\x8e\x8b\xe4\xbc\x9f\": [\t*x]\n"));
	assert_non_null(strstr(rendered(*state), "1 | \"\xe7\x8e\x8b\xe4\xbc\x9f\": [   *x]\n  |              ^\n"));
}

static void long_lines_show_a_window(void **state)
{
	struct strbuf text = STRBUF_INIT;
	strbuf_puts(&text, "k: [");
	for (int i = 0; i < 3000; i++)
		strbuf_puts(&text, "\xc3\xa9, ");
	strbuf_puts(&text, "*bad, ");
	for (int i = 0; i < 3000; i++)
		strbuf_puts(&text, "x, ");
	strbuf_puts(&text, "]\n");
	assert_null(read_text(*state, text.bytes));
	const char *out = rendered(*state);
	assert_non_null(strstr(out, "t.yaml:1:9006"));
	assert_true(strlen(out) < 700);
	strbuf_done(&text);
}

static void the_list_of_errors_is_bounded(void **state)
{
	struct fixture *fixture = *state;
	struct strbuf text = STRBUF_INIT;
	for (int i = 0; i < 1000; i++)
		strbuf_printf(&text, "k%d: *x\n", i);
	assert_null(read_text(fixture, text.bytes));
	assert_int_equal(diags_error_count(fixture->diags), 1000);
	assert_int_equal(diags_hidden_count(fixture->diags), 800);
	struct strbuf verdict = STRBUF_INIT;
	diags_verdict(fixture->diags, &verdict);
	assert_string_equal(verdict.bytes, "1000 errors (800 not shown)");
	strbuf_done(&verdict);
	strbuf_done(&text);
}

static void readers_say_what_is_wrong(void **state)
{
	struct fixture *fixture = *state;
	const struct node *root = read_text(fixture, "a: '20'\nb: 012\nc: yes\nd: 1e3\ne: 11\nf: ~\ng: [1]\nh: -5\ni: true\n");
	int64_t number = 77;
	bool flag = false;
	static const char *const bad[] = {"a", "b", "d", "e", "f", "g"};
	for (size_t i = 0; i < 6; i++)
		assert_false(node_read_int(node_get(root, bad[i]), "x", -5, 10, fixture->diags, &number));
	assert_int_equal(number, 77);
	assert_true(node_read_int(node_get(root, "h"), "x", -5, 10, fixture->diags, &number));
	assert_int_equal(number, -5);
	assert_false(node_read_bool(node_get(root, "c"), "x", fixture->diags, &flag));
	assert_true(node_read_bool(node_get(root, "i"), "x", fixture->diags, &flag));
	assert_true(flag);
	const char *text = rendered(fixture);
	assert_non_null(strstr(text, "text: write it without quotes"));
	assert_non_null(strstr(text, "some read as octal"));
	assert_non_null(strstr(text, "only true and false are booleans"));
	assert_non_null(strstr(text, "x must be from -5 to 10, not 11"));
}

static void unknown_keys_get_a_suggestion(void **state)
{
	static const char *const known[] = {"weight", "rep", "name", NULL};
	struct fixture *fixture = *state;
	const struct node *root = read_text(fixture, "wieght: 2\nxyzzy: 1\n");
	assert_false(node_check_keys(root, known, "a team member", fixture->diags));
	const char *text = rendered(fixture);
	assert_non_null(strstr(text, "unknown key `wieght` in a team member"));
	assert_non_null(strstr(text, "did you mean `weight`?"));
	assert_non_null(strstr(text, "= known keys: weight, rep, name"));
	assert_int_equal(diags_error_count(fixture->diags), 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(every_scalar_style_maps_back),
		TEST(escapes_map_to_the_whole_escape),
		TEST(text_that_does_not_fit_gives_one_coarse_piece),
		TEST(an_empty_file_is_an_empty_mapping),
		TEST(features_are_refused_all_at_once),
		TEST(the_billion_laughs_are_refused_quickly),
		TEST(deep_nesting_stops),
		TEST(syntax_errors_show_what_is_still_open),
		TEST(tabs_and_nuls_are_explained),
		TEST(what_makes_the_library_loop_is_refused_first),
		TEST(what_makes_the_library_free_twice_is_refused_first),
		TEST(an_empty_block_at_the_end_is_empty),
		TEST(passwords_do_not_come_out_with_an_error),
		TEST(wide_letters_and_tabs_keep_the_caret_in_place),
		TEST(long_lines_show_a_window),
		TEST(the_list_of_errors_is_bounded),
		TEST(readers_say_what_is_wrong),
		TEST(unknown_keys_get_a_suggestion),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
