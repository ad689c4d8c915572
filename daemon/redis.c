/* SPDX-License-Identifier: Apache-2.0
 *
 * The connection. Pending commands are a list in the order in which they were sent, which is the order of their answers.
 * The connection is lost in one function, lose(), wherever the reason comes from.
 */
#include "daemon/redis.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/loop.h"
#include "daemon/redis_command.h"
#include "daemon/resolve.h"
#include "rules/base/mem.h"

enum {
	READ_BYTES = 256 * 1024, /* taken from or given to the socket in one turn of the loop */
	BACK_OFF_DOUBLINGS = 16,
};

enum link_state { LINK_WAITING, LINK_RESOLVING, LINK_CONNECTING, LINK_GREETING, LINK_READY };

struct pending {
	struct pending *next;
	int64_t deadline_ms;
	redis_fn fn;
	void *ctx;
};

struct redis {
	struct loop *loop;
	struct redis_options options; /* texts are copies */
	struct redis_events events;
	enum link_state state;
	struct loop_timer *retry;
	struct loop_timer *deadline;  /* runs while connecting or anything is pending */
	int64_t deadline_at_ms;       /* what it runs to; 0 when it does not */
	struct resolve *resolve;
	struct bufferevent *socket;
	struct redis_reader *reader;
	uint64_t connection;          /* number of this connection: tells a callback that it has been lost */
	struct pending *first, **last;
	size_t pending_count;
	unsigned failures;            /* in a row, for the pause */
	unsigned attempts;            /* for going round the addresses of a name */
	int64_t connect_by_ms;        /* while connecting */
	int64_t ready_ms;             /* when it became ready */
	int greetings;                /* answers of the greeting still to come */
};

static void connect_now(void *ctx);
static void on_deadline(void *ctx);

static char *copy_text(const char *text)
{
	return text != NULL ? xstrdup(text) : NULL;
}

struct redis *redis_new(struct loop *loop, const struct redis_options *options, const struct redis_events *events)
{
	struct redis *redis = xcalloc(1, sizeof *redis);
	redis->loop = loop;
	redis->options = *options;
	redis->options.unix_path = copy_text(options->unix_path);
	redis->options.host = copy_text(options->host);
	redis->options.user = copy_text(options->user);
	redis->options.password_file = copy_text(options->password_file);
	redis->options.client_name = copy_text(options->client_name);
	redis->events = *events;
	redis->last = &redis->first;
	redis->retry = loop_timer_new(loop, connect_now, redis);
	redis->deadline = loop_timer_new(loop, on_deadline, redis);
	loop_timer_start(redis->retry, 0);
	return redis;
}

static void close_socket(struct redis *redis)
{
	if (redis->socket != NULL)
		bufferevent_free(redis->socket);
	redis->socket = NULL;
	redis->connection++;
}

static struct pending *take_pending(struct redis *redis)
{
	struct pending *first = redis->first;
	redis->first = NULL;
	redis->last = &redis->first;
	redis->pending_count = 0;
	return first;
}

void redis_free(struct redis *redis)
{
	if (redis == NULL)
		return;
	resolve_cancel(redis->resolve);
	close_socket(redis);
	redis_reader_free(redis->reader);
	for (struct pending *next, *pending = take_pending(redis); pending != NULL; pending = next) {
		next = pending->next;
		free(pending);
	}
	loop_timer_free(redis->retry);
	loop_timer_free(redis->deadline);
	free((char *)redis->options.unix_path);
	free((char *)redis->options.host);
	free((char *)redis->options.user);
	free((char *)redis->options.password_file);
	free((char *)redis->options.client_name);
	free(redis);
}

bool redis_is_ready(const struct redis *redis)
{
	return redis->state == LINK_READY;
}

/* "unix:/run/redis.sock" or "host:6379", for messages. */
static const char *address(const struct redis *redis, char ret_text[160])
{
	if (redis->options.unix_path != NULL)
		snprintf(ret_text, 160, "unix:%.150s", redis->options.unix_path);
	else
		snprintf(ret_text, 160, "%.140s:%u", redis->options.host, redis->options.port);
	return ret_text;
}

/* Half to all of the doubled pause, so that many instances do not come back in step. */
static int64_t retry_pause(const struct redis *redis)
{
	unsigned doublings = redis->failures < BACK_OFF_DOUBLINGS ? redis->failures : BACK_OFF_DOUBLINGS;
	int64_t pause = redis->options.retry_first_ms << doublings;
	if (pause > redis->options.retry_max_ms)
		pause = redis->options.retry_max_ms;
	uint32_t dice = 0;
	ssize_t got = getrandom(&dice, sizeof dice, GRND_NONBLOCK);
	(void)got; /* without entropy the pause is just shorter */
	return pause / 2 + (int64_t)((uint64_t)(pause - pause / 2) * dice >> 32);
}

/* A connection that lived for long ends a row of failures; one that dies at once is the next of the row. */
static void lose(struct redis *redis, const struct err *why)
{
	if (redis->state == LINK_WAITING)
		return;
	bool was_stable = redis->state == LINK_READY &&
	                  loop_now_ms(redis->loop) - redis->ready_ms >= redis->options.retry_max_ms;
	redis->state = LINK_WAITING;
	loop_timer_stop(redis->deadline);
	redis->deadline_at_ms = 0;
	close_socket(redis);
	redis->failures = was_stable ? 0 : redis->failures;
	loop_timer_start(redis->retry, retry_pause(redis));
	redis->failures++;
	for (struct pending *next, *pending = take_pending(redis); pending != NULL; pending = next) {
		next = pending->next;
		pending->fn(pending->ctx, NULL);
		free(pending);
	}
	redis->events.on_lost(redis->events.ctx, why);
}

void redis_restart(struct redis *redis, const struct err *why)
{
	if (redis->socket != NULL)
		lose(redis, why);
}

/* ---- deadlines */

static void run_deadline(struct redis *redis, int64_t at_ms)
{
	if (redis->deadline_at_ms != 0 && redis->deadline_at_ms <= at_ms)
		return;
	int64_t delay = at_ms - loop_now_ms(redis->loop);
	redis->deadline_at_ms = at_ms;
	loop_timer_start(redis->deadline, delay > 0 ? delay : 0);
}

static int64_t earliest_deadline(const struct redis *redis)
{
	int64_t earliest = 0;
	for (const struct pending *pending = redis->first; pending != NULL; pending = pending->next)
		if (earliest == 0 || pending->deadline_ms < earliest)
			earliest = pending->deadline_ms;
	return earliest;
}

static void on_deadline(void *ctx)
{
	struct redis *redis = ctx;
	struct err why = ERR_INIT;
	char where[160];
	redis->deadline_at_ms = 0;
	int64_t earliest = redis->state == LINK_CONNECTING ? redis->connect_by_ms : earliest_deadline(redis);
	if (earliest == 0)
		return;
	if (earliest > loop_now_ms(redis->loop)) {
		run_deadline(redis, earliest);
		return;
	}
	if (redis->state == LINK_CONNECTING)
		err_set(&why, ERR_REDIS_AWAY, "no connection to redis at %s within %" PRId64 " ms", address(redis, where),
		        redis->options.connect_timeout_ms);
	else
		err_set(&why, ERR_REDIS_TIMEOUT, "redis at %s did not answer in time: it is frozen, overloaded or far away",
		        address(redis, where));
	lose(redis, &why);
}

/* ---- sending */

static void on_bytes_sent(const void *bytes, size_t len, void *ctx)
{
	(void)bytes, (void)len;
	redis_command_unref(ctx);
}

static int send_in_state(struct redis *redis, struct redis_command *command, int64_t timeout_ms, redis_fn fn, void *ctx)
{
	struct evbuffer *out = bufferevent_get_output(redis->socket);
	if (redis->pending_count >= REDIS_PENDING_MAX || evbuffer_get_length(out) + command->len > REDIS_QUEUED_BYTES_MAX)
		return -1;
	command->refs++;
	if (evbuffer_add_reference(out, command->bytes, command->len, on_bytes_sent, command) != 0)
		abort(); /* no memory */
	struct pending *pending = xcalloc(1, sizeof *pending);
	*pending = (struct pending){NULL, loop_now_ms(redis->loop) + timeout_ms, fn, ctx};
	*redis->last = pending;
	redis->last = &pending->next;
	redis->pending_count++;
	run_deadline(redis, pending->deadline_ms);
	return 0;
}

int redis_send(struct redis *redis, struct redis_command *command, int64_t timeout_ms, redis_fn fn, void *ctx)
{
	if (redis->state != LINK_READY)
		return -1;
	return send_in_state(redis, command, timeout_ms, fn, ctx);
}

/* ---- greeting */

static void on_greeted(void *ctx, const struct redis_reply *reply)
{
	struct redis *redis = ctx;
	if (reply == NULL || redis->state != LINK_GREETING)
		return;
	if (reply->kind == REDIS_IS_ERROR) {
		struct err why = ERR_INIT;
		char where[160];
		err_set(&why, ERR_REDIS_AUTH, "redis at %s refuses us: %.*s; see redis.user, redis.password_file, redis.database",
		        address(redis, where), SLICE_ARG(reply->text));
		lose(redis, &why);
		return;
	}
	if (--redis->greetings > 0)
		return;
	redis->state = LINK_READY;
	redis->ready_ms = loop_now_ms(redis->loop);
	redis->events.on_ready(redis->events.ctx);
}

/* The name in CLIENT LIST is a courtesy: a user who may not set it is no error. */
static void on_named(void *ctx, const struct redis_reply *reply)
{
	static const struct redis_reply fine = {.kind = REDIS_IS_STATUS};
	on_greeted(ctx, reply != NULL ? &fine : NULL);
}

static void greet(struct redis *redis, const struct slice *args, size_t count, redis_fn fn)
{
	struct redis_command *command = redis_command_new(args, count);
	redis->greetings++;
	send_in_state(redis, command, redis->options.command_timeout_ms, fn, redis);
	redis_command_unref(command);
}

/* First line of the file. -1 when there is none. */
static int read_password(const char *path, char ret_password[REDIS_PASSWORD_BYTES_MAX], struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t len = fd >= 0 ? read(fd, ret_password, REDIS_PASSWORD_BYTES_MAX - 1) : -1;
	int error = errno;
	if (fd >= 0)
		close(fd);
	if (len < 0)
		return err_set(err, ERR_REDIS_AUTH, "%s: %s (redis.password_file)", path, strerror(error));
	ret_password[len] = '\0';
	ret_password[strcspn(ret_password, "\r\n")] = '\0';
	if (ret_password[0] == '\0')
		return err_set(err, ERR_REDIS_AUTH, "%s: the first line is empty (redis.password_file)", path);
	return 0;
}

static int send_auth(struct redis *redis, struct err *err)
{
	char password[REDIS_PASSWORD_BYTES_MAX];
	if (redis->options.password_file == NULL)
		return 0;
	if (read_password(redis->options.password_file, password, err) != 0)
		return -1;
	const char *user = redis->options.user != NULL ? redis->options.user : "default";
	greet(redis, (struct slice[]){SLICE("AUTH"), slice_of(user), slice_of(password)}, 3, on_greeted);
	explicit_bzero(password, sizeof password);
	return 0;
}

static void start_greeting(struct redis *redis)
{
	struct err why = ERR_INIT;
	redis->state = LINK_GREETING;
	redis->greetings = 0;
	if (send_auth(redis, &why) != 0) {
		lose(redis, &why);
		return;
	}
	char number[16];
	snprintf(number, sizeof number, "%d", redis->options.database);
	if (redis->options.database != 0)
		greet(redis, (struct slice[]){SLICE("SELECT"), slice_of(number)}, 2, on_greeted);
	/* Always sent, so that there is an answer to wait for. */
	const char *name = redis->options.client_name != NULL ? redis->options.client_name : "leadrouter";
	greet(redis, (struct slice[]){SLICE("CLIENT"), SLICE("SETNAME"), slice_of(name)}, 3, on_named);
}

/* ---- socket */

static void answer_next(struct redis *redis, const struct redis_reply *reply)
{
	struct pending *pending = redis->first;
	redis->first = pending->next;
	if (redis->first == NULL)
		redis->last = &redis->first;
	redis->pending_count--;
	pending->fn(pending->ctx, reply);
	free(pending);
}

/* Ends early when a callback has lost the connection. */
static void answer_all(struct redis *redis)
{
	struct err why = ERR_INIT;
	uint64_t connection = redis->connection;
	const struct redis_reply *reply;
	int got;
	while ((got = redis_reader_next(redis->reader, &reply, &why)) == 1) {
		if (redis->first == NULL) {
			got = err_set(&why, ERR_REDIS_REPLY, "redis sent a reply that nobody asked for");
			break;
		}
		answer_next(redis, reply);
		if (redis->connection != connection)
			return;
	}
	if (got < 0)
		lose(redis, &why);
}

static void on_socket_readable(struct bufferevent *socket, void *ctx)
{
	struct redis *redis = ctx;
	struct evbuffer *in = bufferevent_get_input(socket);
	uint64_t connection = redis->connection;
	size_t len;
	while (redis->connection == connection && (len = evbuffer_get_contiguous_space(in)) > 0) {
		struct err why = ERR_INIT;
		const char *bytes = (const char *)evbuffer_pullup(in, (ev_ssize_t)len);
		int result = redis_reader_feed(redis->reader, bytes, len, &why);
		evbuffer_drain(in, len);
		if (result != 0)
			lose(redis, &why);
		else
			answer_all(redis);
	}
}

static void on_socket_event(struct bufferevent *socket, short what, void *ctx)
{
	struct redis *redis = ctx;
	struct err why = ERR_INIT;
	char where[160];
	int error = EVUTIL_SOCKET_ERROR();
	if (what & BEV_EVENT_CONNECTED) {
		loop_timer_stop(redis->deadline);
		redis->deadline_at_ms = 0;
		if (redis->options.unix_path == NULL) {
			int on = 1;
			setsockopt(bufferevent_getfd(socket), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		}
		start_greeting(redis);
		return;
	}
	if (what & BEV_EVENT_EOF)
		err_set(&why, ERR_REDIS_AWAY, "redis at %s closed the connection", address(redis, where));
	else
		err_set(&why, ERR_REDIS_AWAY, "no connection to redis at %s: %s", address(redis, where), strerror(error));
	lose(redis, &why);
}

static void open_socket(struct redis *redis, const struct sockaddr *to, socklen_t len)
{
	struct err why = ERR_INIT;
	char where[160];
	redis->state = LINK_CONNECTING;
	redis_reader_free(redis->reader);
	redis->reader = redis_reader_new();
	redis->socket = bufferevent_socket_new(loop_base(redis->loop), -1, BEV_OPT_CLOSE_ON_FREE);
	if (redis->socket == NULL)
		abort();
	bufferevent_setcb(redis->socket, on_socket_readable, NULL, on_socket_event, redis);
	bufferevent_set_max_single_read(redis->socket, READ_BYTES);
	bufferevent_set_max_single_write(redis->socket, READ_BYTES);
	bufferevent_enable(redis->socket, EV_READ | EV_WRITE);
	redis->connect_by_ms = loop_now_ms(redis->loop) + redis->options.connect_timeout_ms;
	run_deadline(redis, redis->connect_by_ms);
	uint64_t connection = redis->connection;
	if (bufferevent_socket_connect(redis->socket, to, (int)len) == 0 || redis->connection != connection)
		return;
	err_set(&why, ERR_REDIS_AWAY, "no connection to redis at %s: %s", address(redis, where), strerror(errno));
	lose(redis, &why);
}

static void open_unix_socket(struct redis *redis)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	struct err why = ERR_INIT;
	size_t len = strlen(redis->options.unix_path);
	if (len >= sizeof to.sun_path) {
		redis->state = LINK_CONNECTING;
		err_set(&why, ERR_REDIS_AWAY, "the path of redis' socket is longer than %zu bytes", sizeof to.sun_path - 1);
		lose(redis, &why);
		return;
	}
	memcpy(to.sun_path, redis->options.unix_path, len);
	open_socket(redis, (const struct sockaddr *)&to, sizeof to);
}

/* Each attempt takes the next address, so that a dead one does not keep us from a live one. */
static void on_resolved(void *ctx, const struct addrinfo *addresses, const char *error)
{
	struct redis *redis = ctx;
	redis->resolve = NULL;
	if (addresses == NULL) {
		struct err why = ERR_INIT;
		err_set(&why, ERR_REDIS_AWAY, "the name %s of redis.host cannot be resolved: %s", redis->options.host, error);
		lose(redis, &why);
		return;
	}
	unsigned count = 0;
	for (const struct addrinfo *at = addresses; at != NULL; at = at->ai_next)
		count++;
	unsigned skip = redis->attempts++ % count;
	while (skip-- > 0)
		addresses = addresses->ai_next;
	open_socket(redis, addresses->ai_addr, addresses->ai_addrlen);
}

static void connect_now(void *ctx)
{
	struct redis *redis = ctx;
	if (redis->options.unix_path != NULL) {
		open_unix_socket(redis);
		return;
	}
	redis->state = LINK_RESOLVING;
	redis->resolve = resolve_start(redis->loop, redis->options.host, redis->options.port, on_resolved, redis);
}
