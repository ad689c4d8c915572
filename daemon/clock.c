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
#ifdef LR_FAILPOINTS
	int64_t set_ms; /* 0: real time */
	bool is_held;
#endif
};

static int64_t read_ms(clockid_t id)
{
	struct timespec now;
	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The three times, of one moment. */
struct moment {
	int64_t wall_ms, boot_ms;
	int64_t shift_ms; /* to be added to the time of a witness */
};

#ifndef LR_FAILPOINTS

static struct moment look(const struct clock *clock)
{
	(void)clock;
	return (struct moment){read_ms(CLOCK_REALTIME), read_ms(CLOCK_BOOTTIME), 0};
}

static bool is_held(const struct clock *clock)
{
	(void)clock;
	return false;
}

static void set_first(struct clock *clock)
{
	(void)clock;
}

#else

static struct moment look(const struct clock *clock)
{
	int64_t wall_ms = read_ms(CLOCK_REALTIME);
	int64_t shift_ms = clock->set_ms != 0 ? clock->set_ms - wall_ms : 0;
	return (struct moment){wall_ms + shift_ms, read_ms(CLOCK_BOOTTIME) + shift_ms, shift_ms};
}

static bool is_held(const struct clock *clock)
{
	return clock->is_held;
}

static void set_first(struct clock *clock)
{
	const char *text = getenv("LR_CLOCK");
	if (text != NULL)
		clock_set(clock, strtoll(text, NULL, 10), true);
}

void clock_set(struct clock *clock, int64_t now_ms, bool holds_timers)
{
	clock->set_ms = now_ms;
	clock->is_held = holds_timers;
}

#endif

struct clock *clock_new(int64_t max_jump_ms, void (*on_change)(void *ctx, bool is_sane, int64_t jump_ms), void *ctx)
{
	struct clock *clock = xcalloc(1, sizeof *clock);
	set_first(clock);
	struct moment now = look(clock);
	clock_guard_init(&clock->guard, max_jump_ms, now.wall_ms, now.boot_ms);
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
	return look(clock).wall_ms;
}

static bool check(struct clock *clock, struct moment now)
{
	bool was_sane = clock->guard.is_sane;
	int64_t jump_ms = now.wall_ms - now.boot_ms - clock->guard.offset_ms;
	bool is_sane = clock_guard_check(&clock->guard, now.wall_ms, now.boot_ms);
	if (is_sane != was_sane && clock->on_change != NULL)
		clock->on_change(clock->ctx, is_sane, jump_ms);
	return is_sane && !is_held(clock);
}

bool clock_is_sane(struct clock *clock)
{
	return check(clock, look(clock));
}

bool clock_vouches(struct clock *clock, int64_t *ret_now_ms)
{
	struct moment now = look(clock);
	*ret_now_ms = now.wall_ms;
	return check(clock, now);
}

void clock_witness(struct clock *clock, int64_t witness_ms)
{
	struct moment now = look(clock);
	clock_guard_witness(&clock->guard, witness_ms + now.shift_ms, now.wall_ms, now.boot_ms);
	clock_is_sane(clock);
}
