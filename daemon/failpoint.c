/* SPDX-License-Identifier: Apache-2.0
 *
 * See failpoint.h. The environment is read once; passes are counted with atomics, because two threads pass.
 */
#include "daemon/failpoint.h"

#include <stddef.h>

#ifdef LR_FAILPOINTS
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#endif

static const char *const NAMES[] = {
#define X(id, name) name,
	FAILPOINTS(X)
#undef X
};

const char *failpoint_name(enum failpoint at)
{
	return (size_t)at < sizeof NAMES / sizeof *NAMES ? NAMES[at] : "?";
}

#ifndef LR_FAILPOINTS

int failpoint_is_built_in(void)
{
	return 0;
}

#else

enum action { ACTION_NONE, ACTION_KILL, ACTION_STOP, ACTION_EXIT };
enum { FAILPOINT_EXIT_CODE = 71 };

static struct {
	pthread_once_t once;
	enum failpoint at;
	enum action action;
	atomic_long left; /* passes until it strikes */
} armed = {.once = PTHREAD_ONCE_INIT};

static void refuse(const char *text)
{
	fprintf(stderr, "LR_FAILPOINT=%s: want name:n:kill|stop|exit with a name of daemon/failpoint.h\n", text);
	_exit(2);
}

static enum action action_of(const char *text, const char *whole)
{
	if (strcmp(text, "kill") == 0)
		return ACTION_KILL;
	if (strcmp(text, "stop") == 0)
		return ACTION_STOP;
	if (strcmp(text, "exit") != 0)
		refuse(whole);
	return ACTION_EXIT;
}

static void arm(void)
{
	const char *text = getenv("LR_FAILPOINT");
	if (text == NULL || *text == '\0')
		return;
	const char *colon = strchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : 0;
	size_t at = 0;
	while (at < FAILPOINT_COUNT && !(strlen(NAMES[at]) == len && strncmp(NAMES[at], text, len) == 0))
		at++;
	if (at == FAILPOINT_COUNT)
		refuse(text);
	char *end;
	long count = strtol(colon + 1, &end, 10);
	if (count < 1 || *end != ':')
		refuse(text);
	armed.at = (enum failpoint)at;
	atomic_store(&armed.left, count);
	armed.action = action_of(end + 1, text);
}

void failpoint_pass(enum failpoint at)
{
	pthread_once(&armed.once, arm);
	if (armed.action == ACTION_NONE || armed.at != at || atomic_fetch_sub(&armed.left, 1) != 1)
		return;
	fprintf(stderr, "failpoint %s\n", NAMES[at]);
	if (armed.action == ACTION_EXIT)
		_exit(FAILPOINT_EXIT_CODE);
	kill(getpid(), armed.action == ACTION_KILL ? SIGKILL : SIGSTOP);
}

int failpoint_is_built_in(void)
{
	return 1;
}

#endif
