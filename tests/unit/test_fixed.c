/* SPDX-License-Identifier: Apache-2.0
 *
 * Powers and logarithms in integers against the C library's, whose error is far below what is asked here.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "rules/fixed.h"

static uint64_t dice = 88172645463325252u;

static uint64_t roll(void)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	return dice ^= dice << 17;
}

static void powers_are_exact_at_whole_numbers(void **state)
{
	(void)state;
	for (uint64_t whole = 0; whole < 64; whole++)
		assert_true(fixed_pow2_neg(whole << 32) == FIXED_ONE_Q63 >> whole);
	assert_true(fixed_pow2_neg(UINT64_C(64) << 32) == 0);
	assert_true(fixed_pow2_neg(UINT64_MAX) == 0);
}

static void powers_and_logarithms_agree_with_the_library(void **state)
{
	(void)state;
	for (int i = 0; i < 20000; i++) {
		uint64_t x = roll() >> 27; /* below 2^5 */
		long double wanted = exp2l(-(long double)x / FIXED_ONE_Q32);
		long double got = (long double)fixed_pow2_neg(x) / FIXED_ONE_Q63;
		assert_true(fabsl(got - wanted) < 0x1p-57L);
		uint64_t a = 1 + (roll() >> (roll() % 63)), b = 1 + (roll() >> (1 + roll() % 62));
		wanted = log2l((long double)a / (long double)b);
		got = (long double)fixed_log2_ratio(a, b) / FIXED_ONE_Q32;
		assert_true(fabsl(got - wanted) < 0x1p-30L);
	}
	assert_true(fixed_log2_ratio(8, 1) == 3 * FIXED_ONE_Q32);
	assert_true(fixed_log2_ratio(1, 8) == -3 * FIXED_ONE_Q32);
	assert_true(fixed_log2_ratio(UINT64_MAX, UINT64_MAX) == 0);
}

static void half_is_left_after_a_half_life(void **state)
{
	(void)state;
	const int64_t day = 86400000;
	assert_int_equal(fixed_decay(100000, 14 * day, 14 * day), 50000);
	assert_int_equal(fixed_decay(-100000, 28 * day, 14 * day), -25000);
	assert_int_equal(fixed_decay(100000, 7 * day, 14 * day), 70710); /* 100000 / sqrt 2 */
	assert_int_equal(fixed_decay(100000, -5, 14 * day), 100000);
	assert_int_equal(fixed_decay(100000, INT64_MAX, 1), 0);
	assert_true(fixed_decay(INT64_MAX, 0, 1) == INT64_MAX);
	assert_true(fixed_decay(INT64_MIN, 1, 1) == INT64_MIN / 2);
}

/* In two steps or in one: what it is worth does not depend on how often somebody looked. */
static void looking_in_between_changes_at_most_the_last_digit(void **state)
{
	(void)state;
	for (int i = 0; i < 20000; i++) {
		int64_t value = (int64_t)(roll() % 1000000000), first = (int64_t)(roll() % 100000), second = (int64_t)(roll() % 100000);
		int64_t once = fixed_decay(value, first + second, 30000);
		int64_t twice = fixed_decay(fixed_decay(value, first, 30000), second, 30000);
		assert_true(once - twice <= 1 && twice - once <= 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(powers_are_exact_at_whole_numbers),
		cmocka_unit_test(powers_and_logarithms_agree_with_the_library),
		cmocka_unit_test(half_is_left_after_a_half_life),
		cmocka_unit_test(looking_in_between_changes_at_most_the_last_digit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
