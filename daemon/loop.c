/* SPDX-License-Identifier: Apache-2.0
 *
 * loop.h over libevent. Deferred calls are a list that one always-pending event empties; calls posted by other threads
 * go through a locked list and an eventfd.
 */
#include "daemon/loop.h"

#include <assert.h>
#include <event2/event.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "rules/base/mem.h"

struct call {
	struct call *next;
	loop_fn fn;
	void *ctx;
};

struct calls {
	struct call *first, **last;
};

struct loop {
	struct event_base *base;
	struct event *run_deferred; /* made active whenever `deferred` gets its first call */
	struct calls deferred;
	pthread_mutex_t lock;       /* guards `posted` */
	struct calls posted;
	int posted_fd;
	struct event *on_posted;
};

struct loop_timer {
	struct event *event;
	loop_fn fn;
	void *ctx;
};

struct loop_watch {
	struct event *event;
	loop_fn fn;
	void *ctx;
};

static void calls_add(struct calls *calls, loop_fn fn, void *ctx)
{
	struct call *call = xcalloc(1, sizeof *call);
	*call = (struct call){NULL, fn, ctx};
	*calls->last = call;
	calls->last = &call->next;
}

/* Takes the list as it is now: what the calls add is run in the next turn. */
static struct call *calls_take(struct calls *calls)
{
	struct call *first = calls->first;
	calls->first = NULL;
	calls->last = &calls->first;
	return first;
}

static void run_calls(struct call *call)
{
	while (call != NULL) {
		struct call *next = call->next;
		call->fn(call->ctx);
		free(call);
		call = next;
	}
}

static void free_calls(struct call *call)
{
	while (call != NULL) {
		struct call *next = call->next;
		free(call);
		call = next;
	}
}

static void on_deferred(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd, (void)what;
	struct loop *loop = ctx;
	run_calls(calls_take(&loop->deferred));
}

static void on_posted(evutil_socket_t fd, short what, void *ctx)
{
	(void)what;
	struct loop *loop = ctx;
	uint64_t count;
	ssize_t got = read(fd, &count, sizeof count);
	(void)got; /* EAGAIN after a spurious wake-up: the list says what there is */
	pthread_mutex_lock(&loop->lock);
	struct call *calls = calls_take(&loop->posted);
	pthread_mutex_unlock(&loop->lock);
	run_calls(calls);
}

struct loop *loop_new(void)
{
	struct loop *loop = xcalloc(1, sizeof *loop);
	loop->deferred.last = &loop->deferred.first;
	loop->posted.last = &loop->posted.first;
	pthread_mutex_init(&loop->lock, NULL);
	loop->base = event_base_new();
	loop->posted_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (loop->base == NULL || loop->posted_fd < 0)
		abort();
	loop->run_deferred = event_new(loop->base, -1, 0, on_deferred, loop);
	loop->on_posted = event_new(loop->base, loop->posted_fd, EV_READ | EV_PERSIST, on_posted, loop);
	if (loop->run_deferred == NULL || loop->on_posted == NULL || event_add(loop->on_posted, NULL) != 0)
		abort();
	return loop;
}

void loop_free(struct loop *loop)
{
	if (loop == NULL)
		return;
	event_free(loop->run_deferred);
	event_free(loop->on_posted);
	close(loop->posted_fd);
	event_base_free(loop->base);
	free_calls(loop->deferred.first);
	free_calls(loop->posted.first);
	pthread_mutex_destroy(&loop->lock);
	free(loop);
}

void loop_run(struct loop *loop)
{
	event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
}

void loop_stop(struct loop *loop)
{
	event_base_loopbreak(loop->base);
}

int64_t loop_now_ms(const struct loop *loop)
{
	(void)loop;
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void loop_defer(struct loop *loop, loop_fn fn, void *ctx)
{
	if (loop->deferred.first == NULL)
		event_active(loop->run_deferred, EV_TIMEOUT, 0);
	calls_add(&loop->deferred, fn, ctx);
}

void loop_post(struct loop *loop, loop_fn fn, void *ctx)
{
	pthread_mutex_lock(&loop->lock);
	calls_add(&loop->posted, fn, ctx);
	pthread_mutex_unlock(&loop->lock);
	uint64_t one = 1;
	ssize_t put = write(loop->posted_fd, &one, sizeof one);
	(void)put; /* EAGAIN: the counter is full, so the loop is awake anyway */
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd, (void)what;
	struct loop_timer *timer = ctx;
	timer->fn(timer->ctx);
}

struct loop_timer *loop_timer_new(struct loop *loop, loop_fn fn, void *ctx)
{
	struct loop_timer *timer = xcalloc(1, sizeof *timer);
	timer->fn = fn;
	timer->ctx = ctx;
	timer->event = event_new(loop->base, -1, 0, on_timer, timer);
	if (timer->event == NULL)
		abort();
	return timer;
}

void loop_timer_free(struct loop_timer *timer)
{
	if (timer == NULL)
		return;
	event_free(timer->event);
	free(timer);
}

void loop_timer_start(struct loop_timer *timer, int64_t delay_ms)
{
	assert(delay_ms >= 0);
	struct timeval delay = {.tv_sec = delay_ms / 1000, .tv_usec = delay_ms % 1000 * 1000};
	event_add(timer->event, &delay);
}

void loop_timer_stop(struct loop_timer *timer)
{
	event_del(timer->event);
}

bool loop_timer_is_running(const struct loop_timer *timer)
{
	return event_pending(timer->event, EV_TIMEOUT, NULL) != 0;
}

static void on_watch(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd, (void)what;
	struct loop_watch *watch = ctx;
	watch->fn(watch->ctx);
}

static struct loop_watch *watch_new(struct loop *loop, int fd, short what, loop_fn fn, void *ctx)
{
	struct loop_watch *watch = xcalloc(1, sizeof *watch);
	watch->fn = fn;
	watch->ctx = ctx;
	watch->event = event_new(loop->base, fd, (short)(what | EV_PERSIST), on_watch, watch);
	if (watch->event == NULL || event_add(watch->event, NULL) != 0)
		abort();
	return watch;
}

struct loop_watch *loop_watch_readable(struct loop *loop, int fd, loop_fn fn, void *ctx)
{
	return watch_new(loop, fd, EV_READ, fn, ctx);
}

struct loop_watch *loop_watch_signal(struct loop *loop, int signal_number, loop_fn fn, void *ctx)
{
	return watch_new(loop, signal_number, EV_SIGNAL, fn, ctx);
}

void loop_watch_free(struct loop_watch *watch)
{
	if (watch == NULL)
		return;
	event_free(watch->event);
	free(watch);
}

struct event_base *loop_base(struct loop *loop)
{
	return loop->base;
}
