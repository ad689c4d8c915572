/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/notify.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "rules/base/mem.h"

struct notify {
	int fd; /* -1: nobody listens */
	struct sockaddr_un address;
	socklen_t address_bytes;
	int64_t watchdog_ms;
};

static int64_t watchdog_of_environment(void)
{
	const char *usec = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");
	if (usec == NULL || (pid != NULL && strtol(pid, NULL, 10) != (long)getpid()))
		return 0;
	return (int64_t)(strtoull(usec, NULL, 10) / 1000);
}

struct notify *notify_new(void)
{
	struct notify *notify = xcalloc(1, sizeof *notify);
	notify->fd = -1;
	notify->watchdog_ms = watchdog_of_environment();
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path ? strlen(path) : 0;
	if (len > 1 && len < sizeof notify->address.sun_path && (*path == '/' || *path == '@')) {
		notify->address.sun_family = AF_UNIX;
		memcpy(notify->address.sun_path, path, len);
		if (*path == '@')
			notify->address.sun_path[0] = '\0'; /* abstract name space */
		notify->address_bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
		notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	}
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return notify;
}

void notify_free(struct notify *notify)
{
	if (notify == NULL)
		return;
	if (notify->fd >= 0)
		close(notify->fd);
	free(notify);
}

int64_t notify_watchdog_ms(const struct notify *notify)
{
	return notify->watchdog_ms;
}

static void send_text(struct notify *notify, const char *text)
{
	if (notify->fd < 0)
		return;
	ssize_t sent = sendto(notify->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT,
	                      (const struct sockaddr *)&notify->address, notify->address_bytes);
	(void)sent; /* a manager that does not listen is no reason to stop */
}

static void send_with_status(struct notify *notify, const char *line, const char *status)
{
	char text[512];
	snprintf(text, sizeof text, "%s\nSTATUS=%s", line, status);
	send_text(notify, text);
}

void notify_ready(struct notify *notify, const char *status)
{
	send_with_status(notify, "READY=1", status);
}

void notify_reloading(struct notify *notify)
{
	char text[96];
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	uint64_t usec = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
	snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, usec);
	send_text(notify, text);
}

void notify_stopping(struct notify *notify, const char *status)
{
	send_with_status(notify, "STOPPING=1", status);
}

void notify_status(struct notify *notify, const char *status)
{
	char text[512];
	snprintf(text, sizeof text, "STATUS=%s", status);
	send_text(notify, text);
}

void notify_watchdog(struct notify *notify)
{
	send_text(notify, "WATCHDOG=1");
}
