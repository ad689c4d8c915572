/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/clock.h"

#include <stdlib.h>

void clock_guard_init(struct clock_guard *guard, int64_t max_jump_ms, int64_t wall_ms, int64_t boot_ms)
{
	*guard = (struct clock_guard){
		.max_jump_ms = max_jump_ms,
		.offset_ms = wall_ms - boot_ms,
		.checked_boot_ms = boot_ms,
		.witness_boot_ms = INT64_MIN,
		.agreed_boot_ms = INT64_MIN,
		.is_sane = true,
	};
}

static bool is_witness_fresh(const struct clock_guard *guard, int64_t boot_ms)
{
	return guard->witness_boot_ms != INT64_MIN && boot_ms - guard->witness_boot_ms <= CLOCK_WITNESS_MS;
}

/* Follows a clock that is slewed, at most at the rate at which slewing is possible: many small jumps do not add up to a
 * large one unnoticed. */
static void follow_slew(struct clock_guard *guard, int64_t difference, int64_t boot_ms)
{
	int64_t step = (boot_ms - guard->checked_boot_ms) * CLOCK_SLEW_PPM / 1000000;
	if (difference > step)
		difference = step;
	if (difference < -step)
		difference = -step;
	guard->offset_ms += difference;
	/* whole milliseconds only: keep the rest of the elapsed time for the next check */
	if (step > 0 || boot_ms - guard->checked_boot_ms > CLOCK_SETTLE_MS)
		guard->checked_boot_ms = boot_ms;
}

bool clock_guard_check(struct clock_guard *guard, int64_t wall_ms, int64_t boot_ms)
{
	int64_t difference = wall_ms - boot_ms - guard->offset_ms;
	bool is_steady = llabs(difference) <= guard->max_jump_ms;
	bool has_witness = is_witness_fresh(guard, boot_ms);
	bool agrees = has_witness && llabs(guard->witness_diff_ms) <= guard->max_jump_ms;
	if (is_steady)
		follow_slew(guard, difference, boot_ms);
	if (is_steady || !agrees || guard->witness_boot_ms < guard->checked_boot_ms)
		guard->agreed_boot_ms = INT64_MIN;
	else if (guard->agreed_boot_ms == INT64_MIN)
		guard->agreed_boot_ms = boot_ms;
	if (guard->agreed_boot_ms != INT64_MIN && boot_ms - guard->agreed_boot_ms >= CLOCK_SETTLE_MS) {
		guard->offset_ms = wall_ms - boot_ms;
		guard->checked_boot_ms = boot_ms;
		guard->agreed_boot_ms = INT64_MIN;
		is_steady = true;
	}
	guard->is_sane = is_steady && (!has_witness || agrees);
	return guard->is_sane;
}

void clock_guard_witness(struct clock_guard *guard, int64_t witness_ms, int64_t wall_ms, int64_t boot_ms)
{
	guard->witness_diff_ms = wall_ms - witness_ms;
	guard->witness_boot_ms = boot_ms;
}
