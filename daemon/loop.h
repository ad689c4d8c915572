/* SPDX-License-Identifier: Apache-2.0
 *
 * The event loop: file descriptors, timers, signals and deferred calls. One loop, one thread.
 *
 * This is the only file besides http and redis that knows libevent, and everything above it sees only these verbs, so a
 * test links another object with the same symbols and owns the time (tests/sim, tests/scenario). Times here are
 * monotonic milliseconds; wall time comes from clock.h.
 */
#ifndef LR_DAEMON_LOOP_H
#define LR_DAEMON_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop_timer;
struct loop_watch;

/* Callbacks may free any timer or watch, their own included, but not the loop. */
typedef void (*loop_fn)(void *ctx);

struct loop *loop_new(void);
void loop_free(struct loop *loop);
/* Runs until loop_stop(). */
void loop_run(struct loop *loop);
/* Ends loop_run() after the current callback. */
void loop_stop(struct loop *loop);
/* Monotonic milliseconds; never goes back. */
int64_t loop_now_ms(const struct loop *loop);
/* Calls fn(ctx) from the loop, after the callbacks that are running now. */
void loop_defer(struct loop *loop, loop_fn fn, void *ctx);
/* Like loop_defer(), but may be called from any thread (the commit thread's only way in). */
void loop_post(struct loop *loop, loop_fn fn, void *ctx);

/* A timer, not running. Owner frees it; freeing stops it. */
struct loop_timer *loop_timer_new(struct loop *loop, loop_fn fn, void *ctx);
void loop_timer_free(struct loop_timer *timer);
/* (Re)starts: fires once after delay_ms (0: soon). */
void loop_timer_start(struct loop_timer *timer, int64_t delay_ms);
void loop_timer_stop(struct loop_timer *timer);
bool loop_timer_is_running(const struct loop_timer *timer);

/* Calls fn(ctx) while `fd` is readable. Freeing ends it; the fd stays open. */
struct loop_watch *loop_watch_readable(struct loop *loop, int fd, loop_fn fn, void *ctx);
/* Calls fn(ctx) on each delivery of a signal. */
struct loop_watch *loop_watch_signal(struct loop *loop, int signal_number, loop_fn fn, void *ctx);
void loop_watch_free(struct loop_watch *watch);

/* The libevent base, for the two modules that need it (http.c, redis.c). NULL in tests. */
struct event_base;
struct event_base *loop_base(struct loop *loop);

#endif
