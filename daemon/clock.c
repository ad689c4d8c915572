/* SPDX-License-Identifier: Apache-2.0
 *
 * The clocks of this machine under the guard of clock_guard.c.
 */
#include "daemon/clock.h"

#include <stdlib.h>
#include <time.h>

#include "rules/base/mem.h"

struct clock {
	struct clock_guard guard;
	void (*on_change)(void *ctx, bool is_sane, int64_t jump_ms);
	void *ctx;
};

static int64_t read_ms(clockid_t id)
{
	struct timespec now;
	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct clock *clock_new(int64_t max_jump_ms, void (*on_change)(void *ctx, bool is_sane, int64_t jump_ms), void *ctx)
{
	struct clock *clock = xcalloc(1, sizeof *clock);
	clock_guard_init(&clock->guard, max_jump_ms, read_ms(CLOCK_REALTIME), read_ms(CLOCK_BOOTTIME));
	clock->on_change = on_change;
	clock->ctx = ctx;
	return clock;
}

void clock_free(struct clock *clock)
{
	free(clock);
}

int64_t clock_now_ms(struct clock *clock)
{
	(void)clock;
	return read_ms(CLOCK_REALTIME);
}

bool clock_is_sane(struct clock *clock)
{
	int64_t wall_ms = read_ms(CLOCK_REALTIME), boot_ms = read_ms(CLOCK_BOOTTIME);
	bool was_sane = clock->guard.is_sane;
	int64_t jump_ms = wall_ms - boot_ms - clock->guard.offset_ms;
	bool is_sane = clock_guard_check(&clock->guard, wall_ms, boot_ms);
	if (is_sane != was_sane && clock->on_change != NULL)
		clock->on_change(clock->ctx, is_sane, jump_ms);
	return is_sane;
}

void clock_witness(struct clock *clock, int64_t witness_ms)
{
	clock_guard_witness(&clock->guard, witness_ms, read_ms(CLOCK_REALTIME), read_ms(CLOCK_BOOTTIME));
	clock_is_sane(clock);
}
