/* SPDX-License-Identifier: Apache-2.0
 *
 * A private redis-server on a unix socket in a temporary directory, for tests in C: started with the test, killed with it.
 * `rig_call` runs one command and gives its answer as text; `rig_wait` runs the loop until a flag is set. Nothing sleeps.
 */
#ifndef LR_TESTS_UNIT_REDIS_RIG_H
#define LR_TESTS_UNIT_REDIS_RIG_H

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/loop.h"
#include "daemon/redis.h"
#include "rules/base/strbuf.h"

enum { RIG_DEADLINE_MS = 20000, RIG_ARGS_MAX = 40 };

struct rig {
	struct loop *loop;
	struct loop_timer *deadline;
	pid_t pid;
	char folder[64], socket[96];
	struct redis *admin;
	bool is_ready, is_answered;
	struct strbuf answer;
};

static inline bool rig_has_server(void)
{
	return system("command -v redis-server >/dev/null 2>&1") == 0;
}

static inline void rig_on_deadline(void *ctx)
{
	(void)ctx;
	fprintf(stderr, "the test waits for something that does not come\n");
	abort();
}

static inline void rig_wait(struct rig *rig, const bool *flag)
{
	loop_timer_start(rig->deadline, RIG_DEADLINE_MS);
	while (!*flag)
		loop_run(rig->loop); /* whoever sets the flag stops the loop */
	loop_timer_stop(rig->deadline);
}

/* `arguments` end with NULL; later ones win over the defaults. */
static inline void rig_spawn(struct rig *rig, const char *const *arguments)
{
	char log[96];
	snprintf(log, sizeof log, "%s/log", rig->folder);
	const char *args[RIG_ARGS_MAX] = {"redis-server", "--port", "0", "--unixsocket", rig->socket, "--save", "",
	                                  "--appendonly", "no", "--dir", rig->folder, "--logfile", log};
	size_t count = 13;
	while (arguments != NULL && *arguments != NULL && count < RIG_ARGS_MAX - 1)
		args[count++] = *arguments++;
	rig->pid = fork();
	if (rig->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execvp("redis-server", (char *const *)args);
		_exit(127);
	}
}

static inline void rig_on_ready(void *ctx)
{
	struct rig *rig = ctx;
	rig->is_ready = true;
	loop_stop(rig->loop);
}

static inline void rig_on_lost(void *ctx, const struct err *why)
{
	struct rig *rig = ctx;
	(void)why;
	rig->is_ready = false;
}

static inline struct redis_options rig_options(const struct rig *rig)
{
	return (struct redis_options){.unix_path = rig->socket, .client_name = "test", .connect_timeout_ms = 5000,
	                              .command_timeout_ms = 5000, .retry_first_ms = 5, .retry_max_ms = 20};
}

static inline void rig_await(struct rig *rig)
{
	rig_wait(rig, &rig->is_ready);
}

static inline struct rig *rig_start(const char *const *arguments)
{
	struct rig *rig = calloc(1, sizeof *rig);
	strcpy(rig->folder, "/tmp/lr-redis-XXXXXX");
	if (rig == NULL || mkdtemp(rig->folder) == NULL)
		abort();
	snprintf(rig->socket, sizeof rig->socket, "%s/redis.sock", rig->folder);
	signal(SIGPIPE, SIG_IGN); /* as main() does */
	rig->loop = loop_new();
	rig->deadline = loop_timer_new(rig->loop, rig_on_deadline, rig);
	rig_spawn(rig, arguments);
	struct redis_options options = rig_options(rig);
	struct redis_events events = {rig_on_ready, rig_on_lost, rig};
	rig->admin = redis_new(rig->loop, &options, &events);
	rig_await(rig);
	return rig;
}

static inline void rig_kill(struct rig *rig)
{
	if (rig->pid <= 0)
		return;
	kill(rig->pid, SIGKILL);
	waitpid(rig->pid, NULL, 0);
	rig->pid = 0;
}

static inline void rig_stop(struct rig *rig)
{
	char command[128];
	redis_free(rig->admin);
	rig_kill(rig);
	loop_timer_free(rig->deadline);
	loop_free(rig->loop);
	strbuf_done(&rig->answer);
	snprintf(command, sizeof command, "rm -rf '%s'", rig->folder);
	if (system(command) != 0)
		abort();
	free(rig);
}

/* Texts as they are, integers in decimal, nil as "(nil)", arrays as "[a b c]". */
static inline void rig_render(struct strbuf *out, const struct redis_reply *reply)
{
	switch (reply->kind) {
	case REDIS_IS_NIL:
		strbuf_puts(out, "(nil)");
		return;
	case REDIS_IS_INTEGER:
		strbuf_put_int(out, reply->integer);
		return;
	case REDIS_IS_TEXT:
	case REDIS_IS_STATUS:
	case REDIS_IS_ERROR:
		strbuf_append(out, reply->text.p, reply->text.len);
		return;
	case REDIS_IS_ARRAY:
		strbuf_putc(out, '[');
		for (size_t i = 0; i < reply->count; i++) {
			if (i > 0)
				strbuf_putc(out, ' ');
			rig_render(out, reply->items[i]);
		}
		strbuf_putc(out, ']');
		return;
	}
}

static inline void rig_on_answer(void *ctx, const struct redis_reply *reply)
{
	struct rig *rig = ctx;
	strbuf_clear(&rig->answer);
	if (reply != NULL)
		rig_render(&rig->answer, reply);
	else
		strbuf_puts(&rig->answer, "(unknown)");
	rig->is_answered = true;
	loop_stop(rig->loop);
}

static inline const char *rig_call_slices(struct rig *rig, const struct slice *args, size_t count)
{
	struct redis_command *command = redis_command_new(args, count);
	rig->is_answered = false;
	if (redis_send(rig->admin, command, RIG_DEADLINE_MS, rig_on_answer, rig) != 0)
		abort();
	redis_command_unref(command);
	rig_wait(rig, &rig->is_answered);
	return strbuf_text(&rig->answer);
}

/* One command, its words apart by single blanks. The answer is valid until the next call. */
__attribute__((format(printf, 2, 3))) static inline const char *rig_call(struct rig *rig, const char *format, ...)
{
	char text[512];
	struct slice args[RIG_ARGS_MAX];
	size_t count = 0;
	va_list list;
	va_start(list, format);
	vsnprintf(text, sizeof text, format, list);
	va_end(list);
	for (char *word = strtok(text, " "); word != NULL && count < RIG_ARGS_MAX; word = strtok(NULL, " "))
		args[count++] = slice_of(word);
	return rig_call_slices(rig, args, count);
}

#endif
