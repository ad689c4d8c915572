/* SPDX-License-Identifier: Apache-2.0
 *
 * The guarded wall clock: the only source of `now` for decisions.
 *
 * CLOCK_REALTIME is compared with the drift of CLOCK_BOOTTIME since the start, and with the time of Redis whenever that
 * is told. A difference above the limit means that somebody set a clock: timers freeze (late is allowed, early never)
 * and the alarm is raised. They thaw when the wall clock is back where CLOCK_BOOTTIME expects it, or when Redis has
 * agreed with it for CLOCK_SETTLE_MS, which is how a clock that was wrong before gets accepted. Records go on being
 * decided; only firing stops.
 *
 * A build with -DLR_FAILPOINTS has a time that tests set, and no other build has: LR_CLOCK=MS at the start, with
 * timers held, and clock_set() from then on (the control socket asks for it). It stands still. CLOCK_BOOTTIME and the time of Redis are shifted by as
 * much, so the guard stays in force and sees what it would see without: only what the real clocks do.
 */
#ifndef LR_DAEMON_CLOCK_H
#define LR_DAEMON_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

enum {
	CLOCK_SETTLE_MS = 300 * 1000,
	CLOCK_WITNESS_MS = 180 * 1000, /* a time of Redis older than this says nothing any more */
	CLOCK_SLEW_PPM = 1000,         /* how fast NTP may turn the clock without being a jump (it keeps to 500) */
};

struct clock;

/* The part that is pure: what follows from the three times. Public for tests. All in ms. */
struct clock_guard {
	int64_t max_jump_ms;
	int64_t offset_ms;        /* CLOCK_REALTIME - CLOCK_BOOTTIME that is believed */
	int64_t checked_boot_ms;  /* CLOCK_BOOTTIME of the last check */
	int64_t witness_diff_ms;  /* wall time minus Redis' time, as last told */
	int64_t witness_boot_ms;  /* when; INT64_MIN: never */
	int64_t agreed_boot_ms;   /* since when Redis agrees while the offset is off; INT64_MIN: it does not */
	bool is_sane;
};

void clock_guard_init(struct clock_guard *guard, int64_t max_jump_ms, int64_t wall_ms, int64_t boot_ms);
/* Looks at the clocks; returns true when timers may fire. Call it at least once a second. */
bool clock_guard_check(struct clock_guard *guard, int64_t wall_ms, int64_t boot_ms);
/* Redis said `witness_ms` at a moment when the wall clock showed wall_ms. */
void clock_guard_witness(struct clock_guard *guard, int64_t witness_ms, int64_t wall_ms, int64_t boot_ms);

/* The clock of this machine. on_change (may be NULL) is called from clock_is_sane() and clock_witness() when the answer
 * changes. */
struct clock *clock_new(int64_t max_jump_ms, void (*on_change)(void *ctx, bool is_sane, int64_t jump_ms), void *ctx);
void clock_free(struct clock *clock);
void clock_witness(struct clock *clock, int64_t witness_ms);

/* Wall time in ms since 1970. */
int64_t clock_now_ms(struct clock *clock);
/* False while timers must not fire. */
bool clock_is_sane(struct clock *clock);
/* Both of one look, so that nothing can happen in between: the wall time, and whether what is due by then may fire. */
bool clock_vouches(struct clock *clock, int64_t *ret_now_ms);

#ifdef LR_FAILPOINTS
/* It is `now_ms` from here on; never go back, the guard would not know what to make of it. With `holds_timers` they
 * wait, as they do when clocks disagree, and records are decided. */
void clock_set(struct clock *clock, int64_t now_ms, bool holds_timers);
#endif

#endif
