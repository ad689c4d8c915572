/* SPDX-License-Identifier: Apache-2.0
 *
 * rules/text/mask: what a person may read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "rules/base/arena.h"
#include "rules/base/strbuf.h"
#include "rules/text/mask.h"

static void fields(void **state)
{
	(void)state;
	struct arena arena = ARENA_INIT;
	static const struct {
		const char *phone, *masked;
	} phones[] = {
		{"13812345678", "138****5678"}, {"+8613812345678", "+86138****5678"}, {"138 1234 5678", "138****5678"},
		{"12345678", "12****78"}, {"123456789", "12****789"}, {"1234567", "*****67"}, {"1234", "****"}, {"", ""},
		{"１３８１２３４５６７８", "138****5678"},
	};
	for (size_t n = 0; n < sizeof phones / sizeof *phones; n++)
		assert_string_equal(mask_phone(&arena, slice_of(phones[n].phone)).p, phones[n].masked);
	assert_string_equal(mask_email(&arena, SLICE("ana@example.com")).p, "a***@example.com");
	assert_string_equal(mask_email(&arena, SLICE("a@example.com")).p, "***@example.com");
	assert_string_equal(mask_email(&arena, SLICE("王伟@example.com")).p, "王***@example.com");
	assert_string_equal(mask_email(&arena, SLICE("no address")).p, "***");
	assert_string_equal(mask_name(&arena, SLICE("王伟")).p, "王***");
	assert_string_equal(mask_name(&arena, SLICE("Ana Lima")).p, "A***");
	assert_string_equal(mask_name(&arena, SLICE("")).p, "");
	arena_done(&arena);
}

static void free_text(void **state)
{
	(void)state;
	static const struct {
		const char *text, *masked;
	} cases[] = {
		{"nothing to hide, 42 leads", "nothing to hide, 42 leads"},
		{"write to ana@example.com, please", "write to a***@example.com, please"},
		{"call 138 1234 5678 or +49 (30) 123-4567.", "call 138****5678 or +493****4567."},
		{"at 2026-11-21T22:05:15.026Z lead 17", "at 2026-11-21T22:05:15.026Z lead 17"},
		{"2026-11-21 alone", "2026-11-21 alone"},
		{"ana@example.com,bob@example.org", "a***@example.com,b***@example.org"},
		{"<ana@example.com>", "<a***@example.com>"},
		{"leads.captured/3@17", "leads.captured/3@17"},
		{"联系13812345678谢谢", "联系138****5678谢谢"},
		{"line\nbreak\ttab", "line break tab"},
		{"bad \xff byte", "bad ? byte"},
		{"email=ana@example.com", "e***@example.com"},
		{"12 34 56", "12 34 56"},
		{"lead 550e8400-e29b-41d4-a716-446655440000 kept", "lead 550e8400-e29b-41d4-a716-446655440000 kept"},
		{"550e8400-e29b-41d4-a716-4466554400001", "550e8400-e29b-41d4-a71644*******0001"},
		{"9f86d081884c7d659a2feaa0c55ad0159f86d081884c7d659a2feaa0c55ad015", "9f86d081884c7d659a2feaa0c55ad0159f86d081884c7d659a2feaa0c55ad015"},
		{"12345678901234567890123456789012", "12345***********************9012"},
		{"13812345678 20261121", "13812**********1121"},
		{"lead-13812345678", "lead-138****5678"},
		{"@", "@"}, {"a@", "a@"}, {"@b.com", "@b.com"}, {"", ""},
	};
	for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
		struct strbuf out = STRBUF_INIT;
		mask_text(&out, slice_of(cases[n].text));
		assert_string_equal(strbuf_text(&out), cases[n].masked);
		strbuf_done(&out);
	}
}

static void long_text_is_cut_and_cheap(void **state)
{
	(void)state;
	static const char *const units[] = {"1 ", "a@", "+", "1-", "@", "1234-", "é", "\xff", "a-", "f", "-"};
	for (size_t n = 0; n < sizeof units / sizeof *units; n++) {
		size_t len = strlen(units[n]), count = 1000000;
		char *text = malloc(len * count);
		for (size_t at = 0; at < count; at++)
			memcpy(text + at * len, units[n], len);
		struct strbuf out = STRBUF_INIT;
		mask_text(&out, (struct slice){text, len * count});
		assert_true(out.len <= MASK_TEXT_BYTES + 3);
		assert_string_equal(out.bytes + out.len - 3, "…");
		strbuf_done(&out);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields),
		cmocka_unit_test(free_text),
		cmocka_unit_test(long_text_is_cut_and_cheap),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
