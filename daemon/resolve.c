/* SPDX-License-Identifier: Apache-2.0
 *
 * run() is the request's thread, all else belongs to the loop.
 */
#include "daemon/resolve.h"

#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/loop.h"
#include "rules/base/mem.h"

struct resolve {
	char *host;
	char port[8];
	resolve_fn fn;
	void *ctx;
	int done_fd; /* not loop_post(): a cancelled request must leave nothing behind in the loop */
	struct loop_watch *on_done;
	pthread_t thread;
	bool has_thread;
	int result;
	struct addrinfo *addresses;
};

static int ask(struct resolve *resolve, int flags)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};
	return getaddrinfo(resolve->host, resolve->port, &hints, &resolve->addresses);
}

static void signal_done(struct resolve *resolve)
{
	uint64_t one = 1;
	ssize_t put = write(resolve->done_fd, &one, sizeof one);
	(void)put; /* an empty eventfd takes a 1 */
}

static void *run(void *ctx)
{
	struct resolve *resolve = ctx;
	resolve->result = ask(resolve, 0);
	signal_done(resolve);
	return NULL;
}

void resolve_cancel(struct resolve *resolve)
{
	if (resolve == NULL)
		return;
	if (resolve->has_thread)
		pthread_join(resolve->thread, NULL);
	loop_watch_free(resolve->on_done);
	close(resolve->done_fd);
	if (resolve->addresses != NULL)
		freeaddrinfo(resolve->addresses);
	free(resolve->host);
	free(resolve);
}

static void on_done(void *ctx)
{
	struct resolve *resolve = ctx;
	const char *error = resolve->result != 0 ? gai_strerror(resolve->result) : NULL;
	resolve->fn(resolve->ctx, error == NULL ? resolve->addresses : NULL, error);
	resolve_cancel(resolve);
}

struct resolve *resolve_start(struct loop *loop, const char *host, uint16_t port, resolve_fn fn, void *ctx)
{
	struct resolve *resolve = xcalloc(1, sizeof *resolve);
	*resolve = (struct resolve){.host = xstrdup(host), .fn = fn, .ctx = ctx};
	snprintf(resolve->port, sizeof resolve->port, "%u", port);
	resolve->done_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (resolve->done_fd < 0)
		abort();
	resolve->on_done = loop_watch_readable(loop, resolve->done_fd, on_done, resolve);
	resolve->result = ask(resolve, AI_NUMERICHOST);
	if (resolve->result == EAI_NONAME)
		resolve->has_thread = pthread_create(&resolve->thread, NULL, run, resolve) == 0;
	if (!resolve->has_thread)
		signal_done(resolve);
	return resolve;
}
