/* SPDX-License-Identifier: Apache-2.0
 *
 * The client side of the control socket: one request, one answer, blocking with a deadline. Plain sockets, because a tool
 * that asks one question needs no event loop.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/config.h"
#include "daemon/ctl/ctl.h"
#include "daemon/generation.h"
#include "rules/base/diag.h"

enum { ASK_SECONDS = 10, ANSWER_BYTES_MAX = 64 << 20 };

struct generation *ctl_load(const struct ctl_args *args)
{
	struct diags *diags = diags_new();
	struct strbuf out = STRBUF_INIT;
	struct generation *generation = generation_load(args->directory, diags);
	diags_render(diags, isatty(STDERR_FILENO), &out);
	if (generation == NULL) {
		diags_verdict(diags, &out);
		strbuf_putc(&out, '\n');
	}
	fputs(strbuf_text(&out), stderr);
	strbuf_done(&out);
	diags_free(diags);
	return generation;
}

static int connect_to(const char *path, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const struct timeval limit = {.tv_sec = ASK_SECONDS};
	if (strlen(path) >= sizeof address.sun_path)
		return err_set(err, ERR_CONTROL_AWAY, "the path of the control socket is too long: %s", path);
	strcpy(address.sun_path, path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(err, ERR_CONTROL_AWAY, "no socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	err_set(err, ERR_CONTROL_AWAY, "nobody answers at unix:%s (%s): is leadrouterd running, and may you open its socket?",
	        path, strerror(errno));
	close(fd);
	return -1;
}

static int send_all(int fd, const struct strbuf *bytes)
{
	for (size_t at = 0; at < bytes->len;) {
		ssize_t sent = send(fd, bytes->bytes + at, bytes->len - at, MSG_NOSIGNAL);
		if (sent <= 0)
			return -1;
		at += (size_t)sent;
	}
	return 0;
}

static int receive_all(int fd, struct strbuf *out)
{
	char bytes[65536];
	ssize_t got;
	while ((got = recv(fd, bytes, sizeof bytes, 0)) > 0) {
		strbuf_append(out, bytes, (size_t)got);
		if (out->len > ANSWER_BYTES_MAX)
			return -1;
	}
	return got == 0 ? 0 : -1;
}

/* Status line and headers off, body left. */
static int take_status(const struct strbuf *answer, struct strbuf *ret_body)
{
	int status;
	const char *text = strbuf_text(answer);
	const char *end = strstr(text, "\r\n\r\n");
	if (end == NULL || sscanf(text, "HTTP/1.1 %d", &status) != 1)
		return -1;
	strbuf_append(ret_body, end + 4, answer->len - (size_t)(end + 4 - text));
	return status;
}

static int ask_path(const char *path, bool is_post, const char *target, struct strbuf *ret_body, struct err *err)
{
	struct strbuf request = STRBUF_INIT, answer = STRBUF_INIT;
	int status = -1, fd = connect_to(path, err);
	if (fd >= 0) {
		strbuf_printf(&request, "%s %s HTTP/1.1\r\nHost: leadrouterd\r\nContent-Length: 0\r\n\r\n", is_post ? "POST" : "GET",
		              target);
		if (send_all(fd, &request) == 0 && receive_all(fd, &answer) == 0)
			status = take_status(&answer, ret_body);
		if (status < 0)
			err_set(err, ERR_CONTROL_AWAY, "the instance at unix:%s gave no complete answer within %d s", path, ASK_SECONDS);
		close(fd);
	}
	strbuf_done(&request);
	strbuf_done(&answer);
	return status;
}

int ctl_ask(const struct ctl_args *args, bool is_post, const char *target, struct strbuf *ret_body, struct err *err)
{
	if (args->socket != NULL)
		return ask_path(args->socket, is_post, target, ret_body, err);
	struct generation *generation = ctl_load(args);
	if (generation == NULL)
		return err_set(err, ERR_CONFIG_REFUSED,
		               "the configuration in %s is invalid, so the control socket is not known: name it with -s", args->directory);
	const char *listen = generation_config(generation)->control_listen;
	int status = -1;
	if (strncmp(listen, "unix:", 5) == 0)
		status = ask_path(listen + 5, is_post, target, ret_body, err);
	else
		err_set(err, ERR_CONTROL_AWAY, "control.listen is empty in %s: the instance has no control socket", args->directory);
	generation_unref(generation);
	return status;
}

void ctl_put_query(struct strbuf *out, const char *text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	for (; *text != '\0'; text++)
		if (strchr(plain, *text) != NULL)
			strbuf_putc(out, *text);
		else
			strbuf_printf(out, "%%%02X", (unsigned char)*text);
}
