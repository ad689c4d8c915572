/* SPDX-License-Identifier: Apache-2.0
 *
 * rules/text/email: our own cases, and the score on other projects' cases where they are present.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <jansson.h>

#include "rules/base/arena.h"
#include "rules/base/err.h"
#include "rules/text/email.h"

enum { LINE_BYTES = 65536 };

#define A10 "aaaaaaaaaa"
#define A60 A10 A10 A10 A10 A10 A10

static struct arena arena = ARENA_INIT;

static void good_addresses_become_canonical(void **state)
{
	(void)state;
	static const struct {
		const char *text, *address, *key;
	} cases[] = {
		{"ana@example.com", "ana@example.com", "ana@example.com"},
		{"Ana.Lima@Example.COM", "Ana.Lima@example.com", "ana.lima@example.com"},
		{"o'brien+leads@mail.example.co.uk", "o'brien+leads@mail.example.co.uk", "o'brien+leads@mail.example.co.uk"},
		{"王伟@例子.中国", "王伟@xn--fsqu00a.xn--fiqs8s", "王伟@xn--fsqu00a.xn--fiqs8s"},
		{"STRASSE@faß.de", "STRASSE@xn--fa-hia.de", "strasse@xn--fa-hia.de"},
		{"a@ｅｘａｍｐｌｅ。com", "a@example.com", "a@example.com"},
		{"a@xn--fsqu00a.xn--fiqs8s", "a@xn--fsqu00a.xn--fiqs8s", "a@xn--fsqu00a.xn--fiqs8s"},
		{"1@2.3com", "1@2.3com", "1@2.3com"},
		{A60 "aaaa@example.com", A60 "aaaa@example.com", A60 "aaaa@example.com"},
	};
	for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
		struct err err = ERR_INIT;
		struct email email;
		if (email_parse(slice_of(cases[n].text), &arena, &email, &err) != 0)
			fail_msg("%s: %s", cases[n].text, err.text);
		assert_string_equal(email.address.p, cases[n].address);
		assert_string_equal(email.key.p, cases[n].key);
		assert_int_equal(email.address.len, strlen(cases[n].address));
		assert_int_equal(email.local.len + 1 + email.domain.len, email.address.len);
	}
}

static void bad_addresses_say_why(void **state)
{
	(void)state;
	static const struct {
		const char *text, *problem;
	} cases[] = {
		{"", "there is no @ in it"},
		{"ana.example.com", "there is no @ in it"},
		{"@example.com", "nothing stands before the @"},
		{"ana@", "nothing stands behind the @"},
		{"ana@example", "the domain has only one label"},
		{"ana@example.com.", "the domain ends in a dot"},
		{"ana@example..com", "the domain has an empty label (two dots in a row, or one at an end)"},
		{".ana@example.com", "a dot begins the address or follows another dot"},
		{"a..na@example.com", "a dot begins the address or follows another dot"},
		{"ana.@example.com", "a dot stands right before the @"},
		{"ana lima@example.com", "there is a space in it"},
		{"\"ana\"@example.com", "quoted local parts are not accepted"},
		{"ana(x)@example.com", "comments are not accepted"},
		{"ana@(x)example.com", "comments are not accepted"},
		{"ana@@example.com", "there is more than one @"},
		{"Ana <ana@example.com>", "there is a space in it"},
		{"<ana@example.com>", "write the address alone, without a name and angle brackets"},
		{"ana@[192.0.2.1]", "address literals are not accepted"},
		{"ana@192.0.2.1", "the domain ends in a number"},
		{"ana@-example.com", "a label of the domain has a hyphen where none may be"},
		{"ana@exam_ple.com", "the domain has a character that no domain has"},
		{"ana@exa mple.com", "there is a space in it"},
		{"ana@xn--a.com", "a label of the domain is broken punycode"},
		{"an\u200ba@example.com", "there is an invisible character before the @"},
		{"an\u00a0a@example.com", "there is an invisible character before the @"},
		{"an\ra@example.com", "there is a control character in it"},
		{"an,a@example.com", "there is a character before the @ that no address has"},
		{"\xff@example.com", "not valid UTF-8"},
		{A60 "aaaaa@example.com", "the part before the @ is longer than 64 bytes"},
		{"a@" A60 "aaaa.com", "the domain, or a label of it, is too long"},
		{"a@" A60 "." A60 "." A60 "." A60 "." A60 ".com", "the domain, or a label of it, is too long"},
		{A60 "@" A60 "." A60 "." A60 ".a.com", NULL},
		{A60 "@" A60 "." A60 "." A60 "." A10 ".com", "longer than 254 bytes"},
	};
	for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
		struct err err = ERR_INIT;
		struct email email;
		int result = email_parse(slice_of(cases[n].text), &arena, &email, &err);
		assert_int_equal(result, cases[n].problem != NULL ? -1 : 0);
		assert_string_equal(err.text, cases[n].problem != NULL ? cases[n].problem : "");
	}
	struct email email;
	assert_int_equal(email_parse((struct slice){"a\0b@example.com", 15}, &arena, &email, NULL), -1);
	assert_int_equal(email_parse((struct slice){"ab@exam\0ple.com", 15}, &arena, &email, NULL), -1);
}

/* libidn2 deleted the bad character and made these one domain; ours must refuse both. */
static void different_people_are_not_merged_by_repairs(void **state)
{
	(void)state;
	struct email email;
	assert_int_equal(email_parse(SLICE("x@a@b.com"), &arena, &email, NULL), -1);
	assert_int_equal(email_parse(SLICE("x@a_b.com"), &arena, &email, NULL), -1);
	assert_int_equal(email_parse(SLICE("x@a b.com"), &arena, &email, NULL), -1);
}

static const char *match_key(const char *text, unsigned rules)
{
	struct email email;
	assert_int_equal(email_parse(slice_of(text), &arena, &email, NULL), 0);
	struct slice key = email_match_key(&email, rules, &arena);
	return arena_memdupz(&arena, key.p, key.len);
}

static void provider_rules_are_opt_in(void **state)
{
	(void)state;
	assert_string_equal(match_key("A.n.a+x@googlemail.com", 0), "a.n.a+x@googlemail.com");
	assert_string_equal(match_key("A.n.a+x@googlemail.com", EMAIL_RULE_GMAIL), "ana@gmail.com");
	assert_string_equal(match_key("a.na@gmail.com", EMAIL_RULE_GMAIL | EMAIL_RULE_PLUS_TAG), "ana@gmail.com");
	assert_string_equal(match_key("a.na+x@example.com", EMAIL_RULE_GMAIL), "a.na+x@example.com");
	assert_string_equal(match_key("a.na+x+y@example.com", EMAIL_RULE_PLUS_TAG), "a.na@example.com");
	assert_string_equal(match_key("+x@example.com", EMAIL_RULE_PLUS_TAG), "+x@example.com");
}

static bool agrees(const json_t *row)
{
	const json_t *address = json_object_get(row, "address");
	struct slice text = {json_string_value(address), json_string_length(address)};
	bool is_valid = strcmp(json_string_value(json_object_get(row, "expect")), "valid") == 0;
	struct email email;
	if ((email_parse(text, &arena, &email, NULL) == 0) == is_valid)
		return true;
	print_message("disagrees: %s\n", json_string_value(json_object_get(row, "id")));
	return false;
}

static const char *folder(void)
{
	const char *named = getenv("LEADROUTER_SHARED_DATA");
	return named != NULL ? named : "../shared/data";
}

static void addresses_of_other_projects(void **state)
{
	(void)state;
	char path[1024];
	snprintf(path, sizeof path, "%s/email_dev.jsonl", folder());
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	static char line[LINE_BYTES];
	int cases = 0, passed = 0;
	while (fgets(line, sizeof line, file) != NULL) {
		json_t *row = json_loads(line, JSON_ALLOW_NUL, NULL);
		assert_non_null(row);
		cases++;
		passed += agrees(row);
		json_decref(row);
	}
	fclose(file);
	print_message("email_dev.jsonl: %d of %d\n", passed, cases);
	assert_int_equal(passed, cases);
}

static int free_arena(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

/* Cases of other projects are read where they are, and are no part of this one. */
static int run_outside_cases(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(addresses_of_other_projects)};
	if (access(folder(), R_OK) == 0)
		return cmocka_run_group_tests(tests, NULL, free_arena);
	print_message("no cases of other projects in %s\n", folder());
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_addresses_become_canonical),
		cmocka_unit_test(bad_addresses_say_why),
		cmocka_unit_test(different_people_are_not_merged_by_repairs),
		cmocka_unit_test(provider_rules_are_opt_in),
	};
	return cmocka_run_group_tests(tests, NULL, free_arena) + run_outside_cases();
}
