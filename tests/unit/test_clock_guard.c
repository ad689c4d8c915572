/* SPDX-License-Identifier: Apache-2.0
 *
 * The guard of the wall clock: jumps freeze, slewing does not, agreement thaws (T9 of the threat model).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/clock.h"

enum { LIMIT = 2000, HOUR = 3600 * 1000 };
static const int64_t WALL = 1700000000000, BOOT = 5000;

static bool check_at(struct clock_guard *guard, int64_t elapsed, int64_t shift)
{
	return clock_guard_check(guard, WALL + elapsed + shift, BOOT + elapsed);
}

static void a_steady_clock_is_sane(void **state)
{
	(void)state;
	struct clock_guard guard;
	clock_guard_init(&guard, LIMIT, WALL, BOOT);
	for (int64_t t = 0; t < HOUR; t += 1000)
		assert_true(check_at(&guard, t, 0));
}

static void jumps_freeze_in_both_directions_and_thaw_when_undone(void **state)
{
	(void)state;
	const int64_t jumps[] = {HOUR, -HOUR, 24LL * HOUR, -24LL * HOUR, LIMIT + 500, -LIMIT - 500};
	for (size_t i = 0; i < sizeof jumps / sizeof *jumps; i++) {
		struct clock_guard guard;
		clock_guard_init(&guard, LIMIT, WALL, BOOT);
		assert_true(check_at(&guard, 1000, 0));
		assert_false(check_at(&guard, 2000, jumps[i]));
		assert_false(check_at(&guard, 10LL * HOUR, jumps[i]));
		assert_true(check_at(&guard, 10LL * HOUR + 1000, 0));
	}
}

static void slewing_is_followed(void **state)
{
	(void)state;
	struct clock_guard guard;
	clock_guard_init(&guard, LIMIT, WALL, BOOT);
	for (int64_t t = 0; t < 24LL * HOUR; t += 1000) /* 500 ppm: 43 s a day */
		assert_true(check_at(&guard, t, t / 2000));
}

static void many_small_jumps_add_up_to_a_large_one(void **state)
{
	(void)state;
	struct clock_guard guard;
	clock_guard_init(&guard, LIMIT, WALL, BOOT);
	bool is_sane = true;
	for (int64_t i = 0; i < 100; i++)
		is_sane = is_sane && check_at(&guard, i * 1000, i * 1000);
	assert_false(is_sane);
}

static void another_time_in_redis_freezes(void **state)
{
	(void)state;
	struct clock_guard guard;
	clock_guard_init(&guard, LIMIT, WALL, BOOT);
	clock_guard_witness(&guard, WALL - HOUR, WALL, BOOT);
	assert_false(check_at(&guard, 1000, 0));
	clock_guard_witness(&guard, WALL + 2000, WALL + 2000, BOOT + 2000);
	assert_true(check_at(&guard, 2000, 0));
}

static void a_corrected_clock_is_accepted_once_redis_has_agreed_long_enough(void **state)
{
	(void)state;
	struct clock_guard guard;
	clock_guard_init(&guard, LIMIT, WALL, BOOT);
	assert_true(check_at(&guard, 1000, 0));
	int64_t t = 2000;
	for (; t < CLOCK_SETTLE_MS; t += 1000) {
		if (t % 60000 == 0)
			clock_guard_witness(&guard, WALL + t + HOUR, WALL + t + HOUR, BOOT + t);
		assert_false(check_at(&guard, t, HOUR));
	}
	bool is_sane = false;
	for (; t < 2 * CLOCK_SETTLE_MS + 60000; t += 1000) {
		if (t % 60000 == 0)
			clock_guard_witness(&guard, WALL + t + HOUR, WALL + t + HOUR, BOOT + t);
		is_sane = check_at(&guard, t, HOUR);
	}
	assert_true(is_sane);
}

static void a_jump_without_a_witness_stays_frozen(void **state)
{
	(void)state;
	struct clock_guard guard;
	clock_guard_init(&guard, LIMIT, WALL, BOOT);
	assert_true(check_at(&guard, 1000, 0));
	for (int64_t t = 2000; t < 3 * CLOCK_SETTLE_MS; t += 1000)
		assert_false(check_at(&guard, t, HOUR));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_steady_clock_is_sane),
		cmocka_unit_test(jumps_freeze_in_both_directions_and_thaw_when_undone),
		cmocka_unit_test(slewing_is_followed),
		cmocka_unit_test(many_small_jumps_add_up_to_a_large_one),
		cmocka_unit_test(another_time_in_redis_freezes),
		cmocka_unit_test(a_corrected_clock_is_accepted_once_redis_has_agreed_long_enough),
		cmocka_unit_test(a_jump_without_a_witness_stays_frozen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
