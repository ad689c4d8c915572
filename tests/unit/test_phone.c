/* SPDX-License-Identifier: Apache-2.0
 *
 * rules/text/phone. Numbers are chosen from fiction ranges or so that no release of the metadata disagrees.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "rules/text/phone.h"

static struct phone parse(const char *text, const char *region)
{
	struct phone phone;
	enum phone_verdict verdict = phone_parse(slice_of(text), region, &phone);
	assert_int_equal(verdict, phone.verdict);
	return phone;
}

static void many_spellings_are_one_number(void **state)
{
	(void)state;
	static const struct {
		const char *text, *region, *e164;
	} cases[] = {
		{"138 0013 8000", "CN", "+8613800138000"},  {"+86-138-0013-8000", NULL, "+8613800138000"},
		{"008613800138000", "CN", "+8613800138000"}, {"１３８００１３８０００", "CN", "+8613800138000"},
		{"030 123456", "DE", "+4930123456"},         {"+49 (0)30 123456", NULL, "+4930123456"},
		{"(201) 555-0123", "US", "+12015550123"},    {"1-800-FLOWERS", "US", "+18003569377"},
		{"٠٥٠١٢٣٤٥٦٧", "AE", "+971501234567"},       {"tel:+1-201-555-0123", NULL, "+12015550123"},
	};
	for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
		struct phone phone = parse(cases[n].text, cases[n].region);
		assert_string_equal(phone.e164, cases[n].e164);
		assert_string_equal(phone.key, cases[n].e164);
		assert_int_not_equal(phone.verdict, PHONE_UNPARSABLE);
		assert_null(phone.problem);
	}
}

static void mexican_mobile_digit_makes_no_second_person(void **state)
{
	(void)state;
	assert_string_equal(parse("+52 1 55 1234 5678", NULL).key, "+525512345678");
	assert_string_equal(parse("+52 55 1234 5678", NULL).key, "+525512345678");
	assert_int_equal(parse("+52 1 55 1234 5678", NULL).verdict, parse("+52 55 1234 5678", NULL).verdict);
}

static void argentine_mobile_prefix_is_in_the_number_but_not_in_the_key(void **state)
{
	(void)state;
	struct phone mobile = parse("+54 9 11 2345 6789", NULL);
	assert_string_equal(mobile.e164, "+5491123456789");
	assert_string_equal(mobile.key, "+541123456789");
	assert_string_equal(parse("+54 11 2345 6789", NULL).key, mobile.key);
}

static void extension_is_kept_apart(void **state)
{
	(void)state;
	struct phone phone = parse("+1 201 555 0123 ext. 42", NULL);
	assert_string_equal(phone.e164, "+12015550123");
	assert_string_equal(phone.extension, "42");
	assert_string_equal(phone.region, "US");
}

static void what_cannot_be_dialled_says_why(void **state)
{
	(void)state;
	static const struct {
		const char *text, *region, *problem;
	} cases[] = {
		{"", "US", "empty"},
		{"call me", NULL, "not a phone number"},
		{"555 0123", "US", "area code missing"},
		{"+1 201 55", NULL, "too short"},
		{"+999 123456789", NULL, "no such country code, or none and no default country"},
		{"13800138000", NULL, "no such country code, or none and no default country"},
		{"+1 201 555 0123 4567 8901", NULL, "too long"},
	};
	for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
		struct phone phone = parse(cases[n].text, cases[n].region);
		assert_int_equal(phone.verdict, PHONE_UNPARSABLE);
		assert_string_equal(phone.problem, cases[n].problem);
		assert_string_equal(phone.e164, "");
		assert_string_equal(phone.key, "");
	}
	char huge[PHONE_INPUT_BYTES + 2];
	memset(huge, '1', sizeof huge);
	struct phone phone;
	assert_int_equal(phone_parse((struct slice){huge, sizeof huge}, "US", &phone), PHONE_UNPARSABLE);
}

static void a_number_outside_the_plan_is_possible(void **state)
{
	(void)state;
	struct phone phone = parse("+1 201 155 0123", NULL); /* an exchange never begins with 1 */
	assert_int_equal(phone.verdict, PHONE_POSSIBLE);
	assert_string_equal(phone.key, "+12011550123");
	assert_string_equal(phone.region, "US");
	assert_string_equal(phone_verdict_name(phone.verdict), "possible");
}

static void hostile_bytes_are_refused_quietly(void **state)
{
	(void)state;
	static const char bytes[] = "+1\0\xff\xfe\x80;ext=;phone-context=+;isub=";
	struct phone phone;
	phone_parse((struct slice){bytes, sizeof bytes - 1}, "US", &phone);
	phone_parse((struct slice){NULL, 0}, "no region", &phone);
	assert_int_equal(phone.verdict, PHONE_UNPARSABLE);
}

int main(void)
{
	phone_warm_up();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_spellings_are_one_number),
		cmocka_unit_test(mexican_mobile_digit_makes_no_second_person),
		cmocka_unit_test(argentine_mobile_prefix_is_in_the_number_but_not_in_the_key),
		cmocka_unit_test(extension_is_kept_apart),
		cmocka_unit_test(what_cannot_be_dialled_says_why),
		cmocka_unit_test(a_number_outside_the_plan_is_possible),
		cmocka_unit_test(hostile_bytes_are_refused_quietly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
