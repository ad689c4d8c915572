/* SPDX-License-Identifier: Apache-2.0
 *
 * rules/calendar/span: spans as people write them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "rules/base/err.h"
#include "rules/calendar/span.h"

static void good_spans(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		struct span span;
		const char *formatted;
	} cases[] = {
		{"4bh", {.business_ms = 4 * 3600000}, "4bh"},
		{"2bd 1bh", {.business_days = 2, .business_ms = 3600000}, "2bd 1bh"},
		{"2bd1bh", {.business_days = 2, .business_ms = 3600000}, "2bd 1bh"},
		{"1w 2d", {.days = 9}, "9d"},
		{"90m", {.elapsed_ms = 5400000}, "1h 30m"},
		{" 1d  10h ", {.days = 1, .elapsed_ms = 36000000}, "1d 10h"},
		{"0h", {0}, "0s"},
		{"1d 1bd 1h 2m 3s 4bh 5bm", {1, 1, 4 * 3600000 + 5 * 60000, 3723000}, "1d 1bd 1h 2m 3s 4bh 5bm"},
		{"3660d", {.days = 3660}, "3660d"},
	};
	for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
		struct err err = ERR_INIT;
		struct span span, again;
		char text[SPAN_TEXT_BYTES];
		if (span_parse(slice_of(cases[n].text), &span, &err) != 0)
			fail_msg("%s: %s", cases[n].text, err.text);
		assert_memory_equal(&span, &cases[n].span, sizeof span);
		span_format(&span, text);
		assert_string_equal(text, cases[n].formatted);
		assert_int_equal(span_parse(slice_of(text), &again, &err), 0);
		assert_memory_equal(&span, &again, sizeof span);
		assert_int_equal(span_is_zero(&span), strcmp(text, "0s") == 0);
	}
}

static void bad_spans_say_why(void **state)
{
	(void)state;
	static const struct {
		const char *text, *problem;
	} cases[] = {
		{"", "empty: write a number and a unit, such as \"4bh\""},
		{"bh", "a whole number of at most nine digits is expected, such as in \"4bh\""},
		{"1.5h", "a unit is missing behind the number: w, d, bd, h, m, s, bh or bm"},
		{"2 bd", "a number and its unit are written without a blank, such as \"2bd\""},
		{"-1h", "a whole number of at most nine digits is expected, such as in \"4bh\""},
		{"4", "a unit is missing behind the number: w, d, bd, h, m, s, bh or bm"},
		{"4hours", "unknown unit \"hours\": use w, d, bd, h, m, s, bh or bm"},
		{"1h 2h", "unit \"h\" is given twice"},
		{"1bh 2bd", "\"bd\" comes too late: days are applied first, so write them first (d, bd, h, bh)"},
		{"1bd 2d", "\"d\" comes too late: days are applied first, so write them first (d, bd, h, bh)"},
		{"3661d", "more than 3660 days"},
		{"3660d 1w", "more than 3660 days"},
		{"999999999w", "more than 3660 days"},
		{"999999999h", "more than 3660 days"},
		{"9999999999s", "a whole number of at most nine digits is expected, such as in \"4bh\""},
	};
	for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
		struct err err = ERR_INIT;
		struct span span = {7, 7, 7, 7};
		assert_int_equal(span_parse(slice_of(cases[n].text), &span, &err), -1);
		assert_int_equal(err.code, ERR_BAD_SPAN);
		assert_string_equal(err.text, cases[n].problem);
		assert_int_equal(span.days, 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_spans),
		cmocka_unit_test(bad_spans_say_why),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
