/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/util.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/http_parse.h"
#include "rules/base/mem.h"

/* One connection, from accept to the last byte of its answer. */
struct http_request {
	struct http_request *next;
	struct http *http;
	struct bufferevent *bev;
	struct loop_timer *deadline;
	enum { READING, WAITING, ANSWERING } state; /* WAITING: the handler holds the handle */
	bool is_gone;                               /* cut while WAITING: freed when the handler answers */
};

struct http {
	struct loop *loop;
	int fd;
	int port;
	char unix_path[sizeof((struct sockaddr_un *)NULL)->sun_path];
	struct loop_watch *watch;     /* NULL while it rests */
	struct loop_timer *rest;
	bool allow_post;
	http_fn fn;
	void *ctx;
	struct http_request *requests;
	size_t request_count;
};

/* ---- connections */

static void request_free(struct http_request *request)
{
	struct http *http = request->http;
	struct http_request **link = &http->requests;
	while (*link != request)
		link = &(*link)->next;
	*link = request->next;
	http->request_count--;
	loop_timer_free(request->deadline);
	bufferevent_free(request->bev);
	free(request);
}

static void cut(struct http_request *request)
{
	if (request->state == WAITING)
		request->is_gone = true;
	else
		request_free(request);
}

static void on_deadline(void *ctx)
{
	cut(ctx);
}

static void on_event(struct bufferevent *bev, short what, void *ctx)
{
	(void)bev;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		cut(ctx);
}

static void on_written(struct bufferevent *bev, void *ctx)
{
	struct http_request *request = ctx;
	if (request->state == ANSWERING && evbuffer_get_length(bufferevent_get_output(bev)) == 0)
		request_free(request);
}

static void call_handler(struct http_request *request, const struct http_parsed *parsed)
{
	const char *mark = memchr(parsed->target.p, '?', parsed->target.len);
	size_t path_len = mark ? (size_t)(mark - parsed->target.p) : parsed->target.len;
	char *path = xcalloc(path_len + 1, 1);
	if (!http_decode((struct slice){parsed->target.p, path_len}, false, path)) {
		http_answer_text(request, 400, "bad escape in the path");
	} else {
		struct http_call call = {.path = path, .is_post = parsed->is_post, .body = parsed->body};
		if (mark != NULL)
			call.query = (struct slice){mark + 1, parsed->target.len - path_len - 1};
		request->http->fn(request->http->ctx, request, &call);
	}
	free(path);
}

static void on_read(struct bufferevent *bev, void *ctx)
{
	struct http_request *request = ctx;
	if (request->state != READING)
		return;
	struct evbuffer *input = bufferevent_get_input(bev);
	size_t len = evbuffer_get_length(input);
	struct slice bytes = {(const char *)evbuffer_pullup(input, -1), len};
	struct http_parsed parsed;
	switch (http_parse(bytes, HTTP_HEADER_BYTES_MAX, HTTP_BODY_BYTES_MAX, request->http->allow_post, &parsed)) {
	case HTTP_PARSE_MORE: return;
	case HTTP_PARSE_BAD:
		bufferevent_disable(bev, EV_READ);
		request->state = WAITING;
		http_answer_text(request, parsed.status, "request refused");
		return;
	case HTTP_PARSE_DONE:
		bufferevent_disable(bev, EV_READ);
		request->state = WAITING;
		loop_timer_start(request->deadline, HTTP_ANSWER_MS);
		call_handler(request, &parsed); /* the input stays in the bufferevent until the request is freed */
		return;
	}
}

static void on_accept(void *ctx);

static void on_rested(void *ctx)
{
	struct http *http = ctx;
	http->watch = loop_watch_readable(http->loop, http->fd, on_accept, http);
}

/* Without a free descriptor the connection stays where it is, and the socket would be readable for ever: look again later. */
static void rest(struct http *http)
{
	loop_watch_free(http->watch);
	http->watch = NULL;
	loop_timer_start(http->rest, HTTP_REST_MS);
}

static void on_accept(void *ctx)
{
	struct http *http = ctx;
	int fd = accept4(http->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			rest(http);
		return;
	}
	if (http->request_count >= HTTP_CONNECTIONS_MAX) {
		close(fd);
		return;
	}
	struct http_request *request = xcalloc(1, sizeof *request);
	request->http = http;
	request->bev = bufferevent_socket_new(loop_base(http->loop), fd, BEV_OPT_CLOSE_ON_FREE);
	if (request->bev == NULL)
		abort();
	request->deadline = loop_timer_new(http->loop, on_deadline, request);
	request->next = http->requests;
	http->requests = request;
	http->request_count++;
	loop_timer_start(request->deadline, HTTP_REQUEST_MS);
	bufferevent_setcb(request->bev, on_read, on_written, on_event, request);
	/* one byte more than is ever needed: the parser must see that there is too much */
	bufferevent_setwatermark(request->bev, EV_READ, 0, HTTP_HEADER_BYTES_MAX + HTTP_BODY_BYTES_MAX + 1);
	bufferevent_enable(request->bev, EV_READ);
}

/* ---- answers */

static const char *reason_of(int status)
{
	switch (status) {
	case 200: return "OK";
	case 400: return "Bad Request";
	case 404: return "Not Found";
	case 405: return "Method Not Allowed";
	case 409: return "Conflict";
	case 413: return "Content Too Large";
	case 422: return "Unprocessable Content";
	case 431: return "Request Header Fields Too Large";
	case 501: return "Not Implemented";
	case 503: return "Service Unavailable";
	case 505: return "HTTP Version Not Supported";
	default: return "Error";
	}
}

void http_answer(struct http_request *take_request, int status, const char *content_type, const struct strbuf *body)
{
	struct http_request *request = take_request;
	if (request->is_gone) {
		request->state = ANSWERING;
		request_free(request);
		return;
	}
	request->state = ANSWERING;
	struct evbuffer *output = bufferevent_get_output(request->bev);
	evbuffer_add_printf(output,
	                    "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n"
	                    "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\r\n",
	                    status, reason_of(status), content_type, body->len);
	evbuffer_add(output, strbuf_text(body), body->len);
	bufferevent_enable(request->bev, EV_WRITE);
}

void http_answer_text(struct http_request *take_request, int status, const char *text)
{
	struct strbuf body = STRBUF_INIT;
	strbuf_puts(&body, text);
	strbuf_putc(&body, '\n');
	http_answer(take_request, status, "text/plain; charset=utf-8", &body);
	strbuf_done(&body);
}

char *http_query_get(const struct http_call *call, const char *name)
{
	struct slice rest = call->query;
	size_t name_len = strlen(name);
	while (rest.len > 0) {
		const char *end = memchr(rest.p, '&', rest.len);
		struct slice pair = {rest.p, end ? (size_t)(end - rest.p) : rest.len};
		rest = end ? (struct slice){end + 1, rest.len - pair.len - 1} : SLICE_NONE;
		if (pair.len <= name_len || pair.p[name_len] != '=' || memcmp(pair.p, name, name_len) != 0)
			continue;
		struct slice raw = {pair.p + name_len + 1, pair.len - name_len - 1};
		char *value = xcalloc(raw.len + 1, 1);
		if (http_decode(raw, true, value))
			return value;
		free(value);
		return NULL;
	}
	return NULL;
}

/* ---- listening */

static int listen_unix(struct http *http, const char *path, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat old;
	if (strlen(path) >= sizeof address.sun_path)
		return err_set(err, ERR_LISTEN, "socket path `%s` is longer than %zu bytes", path, sizeof address.sun_path - 1);
	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	snprintf(http->unix_path, sizeof http->unix_path, "%s", path);
	if (lstat(path, &old) == 0 && S_ISSOCK(old.st_mode))
		unlink(path);
	http->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	mode_t mask = umask(0117);
	int bound = http->fd < 0 ? -1 : bind(http->fd, (const struct sockaddr *)&address, sizeof address);
	umask(mask);
	if (bound != 0 || listen(http->fd, HTTP_CONNECTIONS_MAX) != 0)
		return err_set(err, ERR_LISTEN, "cannot listen on unix:%s: %s", path, strerror(errno));
	return 0;
}

/* Splits "host:port" and "[host]:port". */
static int parse_address(const char *listen_text, struct sockaddr_storage *ret, int *ret_bytes, struct err *err)
{
	*ret_bytes = (int)sizeof *ret;
	memset(ret, 0, sizeof *ret);
	/* libevent refuses port 0 but takes an address without a port, whose port is 0 then */
	size_t len = strlen(listen_text);
	char text[64];
	bool is_any_port = len > 2 && strcmp(listen_text + len - 2, ":0") == 0;
	snprintf(text, sizeof text, "%.*s", (int)(is_any_port ? len - 2 : len), listen_text);
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;
	if (len >= sizeof text || evutil_parse_sockaddr_port(text, (struct sockaddr *)ret, ret_bytes) != 0 ||
	    (!is_any_port && (ret->ss_family == AF_INET ? v4->sin_port : v6->sin6_port) == 0))
		return err_set(err, ERR_LISTEN, "`%s` is no address: write 127.0.0.1:9464, [::1]:9464 or unix:/path", listen_text);
	bool is_loopback = (ret->ss_family == AF_INET && ntohl(v4->sin_addr.s_addr) >> 24 == 127) ||
	                   (ret->ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr));
	if (!is_loopback)
		return err_set(err, ERR_LISTEN,
		               "`%s` is not a loopback address: this listener has no authentication; put a proxy in front of it to "
		               "reach it from elsewhere",
		               listen_text);
	return 0;
}

static int port_of(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address = {.v6 = {.sin6_port = 0}};
	socklen_t bytes = sizeof address;
	if (getsockname(fd, &address.any, &bytes) != 0)
		return 0;
	return ntohs(address.any.sa_family == AF_INET ? address.v4.sin_port : address.v6.sin6_port);
}

static int listen_tcp(struct http *http, const char *listen_text, struct err *err)
{
	struct sockaddr_storage address;
	int bytes, one = 1;
	if (parse_address(listen_text, &address, &bytes, err) != 0)
		return -1;
	http->fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (http->fd >= 0)
		setsockopt(http->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (http->fd < 0 || bind(http->fd, (const struct sockaddr *)&address, (socklen_t)bytes) != 0 ||
	    listen(http->fd, HTTP_CONNECTIONS_MAX) != 0)
		return err_set(err, ERR_LISTEN, "cannot listen on %s: %s", listen_text, strerror(errno));
	http->port = port_of(http->fd);
	return 0;
}

struct http *http_new(struct loop *loop, const char *listen_text, bool allow_post, http_fn fn, void *ctx, struct err *err)
{
	struct http *http = xcalloc(1, sizeof *http);
	http->loop = loop;
	http->allow_post = allow_post;
	http->fn = fn;
	http->ctx = ctx;
	http->fd = -1;
	bool is_unix = strncmp(listen_text, "unix:", 5) == 0;
	if ((is_unix ? listen_unix(http, listen_text + 5, err) : listen_tcp(http, listen_text, err)) != 0) {
		http_free(http);
		return NULL;
	}
	http->rest = loop_timer_new(loop, on_rested, http);
	http->watch = loop_watch_readable(loop, http->fd, on_accept, http);
	return http;
}

void http_free(struct http *http)
{
	if (http == NULL)
		return;
	for (struct http_request *request = http->requests, *next; request != NULL; request = next) {
		next = request->next;
		request_free(request);
	}
	loop_timer_free(http->rest);
	loop_watch_free(http->watch);
	if (http->fd >= 0)
		close(http->fd);
	if (http->unix_path[0] != '\0')
		unlink(http->unix_path);
	free(http);
}

int http_port(const struct http *http)
{
	return http->port;
}
