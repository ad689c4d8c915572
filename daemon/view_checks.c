/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether the Redis that answers may be used: rounds of checks, and what goes up and down by them.
 *
 *     connected ─► round: SCRIPT LOAD all, probe, INFO, TIME ─┬─► all well: up ──────► next round after check_every_ms
 *                                                             └─► a failure: down ──► next round after retry_max_ms
 */
#include "daemon/view_request.h"

#include <inttypes.h>
#include <stdio.h>

#include "daemon/loop.h"

enum { VERSION_MAJOR = 6, VERSION_MINOR = 2 };

/* ---- up and down */

static void tell_state(struct view *view, bool is_up, const struct err *why)
{
	if (view->events.on_state != NULL)
		view->events.on_state(view->events.ctx, is_up, why);
}

static void go_up(struct view *view)
{
	bool was_up = view->is_up;
	view->is_up = true;
	view->why = (struct err)ERR_INIT;
	if (!was_up)
		tell_state(view, true, NULL);
}

static void go_down(struct view *view, const struct err *why)
{
	bool is_news = view->is_up || view->why.code != why->code || strcmp(view->why.text, why->text) != 0;
	view->is_up = false;
	view->why = *why;
	if (is_news)
		tell_state(view, false, why);
}

void view_on_lost(void *ctx, const struct err *why)
{
	struct view *view = ctx;
	view->stats.losses++;
	view->round_pending = 0;
	loop_timer_stop(view->next_round);
	go_down(view, why);
}

/* ---- a round */

/* A replica is left, because the name or address may lead to the new master by now; so is one that wants another user. */
static void end_round(struct view *view)
{
	const struct err failure = view->round_err;
	if (failure.code == ERR_NONE) {
		loop_timer_start(view->next_round, view->options.check_every_ms);
		go_up(view);
	} else if (failure.code == ERR_REDIS_ROLE || failure.code == ERR_REDIS_AUTH) {
		redis_restart(view->redis, &failure);
	} else {
		loop_timer_start(view->next_round, view->options.redis.retry_max_ms);
		go_down(view, &failure);
	}
}

/* The first failure of a round is the one that is told. */
static void fail(struct view *view, const struct err *err)
{
	if (view->round_err.code == ERR_NONE)
		view->round_err = *err;
}

/* True when the answer is one; else it has been dealt with. A lost connection ends the round by view_on_lost(). */
static bool is_answer(struct view *view, const struct redis_reply *reply)
{
	if (reply == NULL)
		return false;
	if (reply->kind != REDIS_IS_ERROR)
		return true;
	struct err err = ERR_INIT;
	view_explain_error(reply->text, false, &err);
	fail(view, &err);
	return false;
}

static void took_answer(struct view *view, const struct redis_reply *reply)
{
	if (reply != NULL && --view->round_pending == 0)
		end_round(view);
}

static void ask(struct view *view, const struct slice *args, size_t count, redis_fn fn, void *ctx)
{
	struct redis_command *command = redis_command_new(args, count);
	if (redis_send(view->redis, command, view->options.timeout_ms, fn, ctx) == 0) {
		view->round_pending++;
	} else {
		struct err err = ERR_INIT;
		err_set(&err, ERR_VIEW_LIMIT, "too many requests to redis are without an answer");
		fail(view, &err);
	}
	redis_command_unref(command);
}

/* ---- INFO */

/* The value of "name:value\r\n" in INFO's text. */
static struct slice info_field(struct slice info, const char *name)
{
	size_t name_len = strlen(name);
	const char *at = info.p, *end = info.p + info.len;
	while (at < end) {
		const char *eol = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((eol != NULL ? eol : end) - at);
		if (len > name_len && at[name_len] == ':' && memcmp(at, name, name_len) == 0) {
			const char *value = at + name_len + 1;
			size_t value_len = len - name_len - 1;
			if (value_len > 0 && value[value_len - 1] == '\r')
				value_len--;
			return (struct slice){value, value_len};
		}
		at += len + 1;
	}
	return SLICE_NONE;
}

static bool is_version_fine(struct slice version)
{
	char text[24];
	unsigned major = 0, minor = 0;
	snprintf(text, sizeof text, "%.*s", SLICE_ARG(version));
	if (sscanf(text, "%u.%u", &major, &minor) != 2)
		return false;
	return major > VERSION_MAJOR || (major == VERSION_MAJOR && minor >= VERSION_MINOR);
}

int view_check_info(struct slice info, struct err *err)
{
	struct slice version = info_field(info, "redis_version");
	struct slice role = info_field(info, "role");
	struct slice policy = info_field(info, "maxmemory_policy");
	if (!is_version_fine(version))
		return err_set(err, ERR_REDIS_VERSION, "redis is version %.*s; leadrouter needs %d.%d or later",
		               SLICE_ARG(version), VERSION_MAJOR, VERSION_MINOR);
	if (!slice_is(role, "master"))
		return err_set(err, ERR_REDIS_ROLE, "this redis is a %.*s; point redis.host or redis.unix_path at the master",
		               SLICE_ARG(role));
	if (!slice_is(policy, "noeviction"))
		return err_set(err, ERR_REDIS_POLICY,
		               "redis may evict single keys (maxmemory-policy %.*s), which nothing would notice; set "
		               "maxmemory-policy noeviction in redis.conf and by CONFIG SET, then rebuild the view",
		               SLICE_ARG(policy));
	return 0;
}

static void on_info(void *ctx, const struct redis_reply *reply)
{
	struct view *view = ctx;
	struct err err = ERR_INIT;
	if (is_answer(view, reply) && view_check_info(reply->text, &err) != 0)
		fail(view, &err);
	took_answer(view, reply);
}

/* ---- TIME */

static void on_time(void *ctx, const struct redis_reply *reply)
{
	struct view *view = ctx;
	uint64_t seconds, micros;
	bool is_time = is_answer(view, reply) && reply->kind == REDIS_IS_ARRAY && reply->count == 2 &&
	               view_parse_number(reply->items[0]->text, &seconds) &&
	               view_parse_number(reply->items[1]->text, &micros) && seconds < UINT64_C(100000000000);
	if (is_time && view->events.on_server_time != NULL)
		view->events.on_server_time(view->events.ctx, (int64_t)(seconds * 1000 + micros / 1000),
		                            loop_now_ms(view->loop) - view->time_asked_ms);
	took_answer(view, reply);
}

/* ---- scripts */

static void on_probed(void *ctx, const struct redis_reply *reply)
{
	struct view *view = ctx;
	(void)is_answer(view, reply); /* an error is noted, and any other answer is fine */
	took_answer(view, reply);
}

static void probe(struct view *view)
{
	ask(view,
	    (struct slice[]){SLICE("EVALSHA"), slice_of(view->sha[VIEW_SCRIPT_PROBE]), SLICE("2"), SLICE("{lr:probe}:hash"),
	                     SLICE("{lr:probe}:zset")},
	    5, on_probed, view);
}

static bool is_sha(struct slice text)
{
	return text.len == VIEW_SHA_BYTES - 1 && memchr(text.p, '\0', text.len) == NULL;
}

static void on_loaded(void *ctx, const struct redis_reply *reply)
{
	const struct view_load *load = ctx;
	struct view *view = load->view;
	bool is_loaded = is_answer(view, reply);
	if (is_loaded && !is_sha(reply->text)) {
		struct err err = ERR_INIT;
		err_set(&err, ERR_REDIS_REPLY, "this is not redis: it answers SCRIPT LOAD without a digest");
		fail(view, &err);
	} else if (is_loaded) {
		memcpy(view->sha[load->script], reply->text.p, reply->text.len);
		if (load->script == VIEW_SCRIPT_PROBE)
			probe(view);
	}
	took_answer(view, reply);
}

void view_begin_round(void *ctx)
{
	struct view *view = ctx;
	if (view->round_pending > 0 || !redis_is_ready(view->redis))
		return;
	view->round_err = (struct err)ERR_INIT;
	for (int script = 0; script < VIEW_SCRIPTS; script++) {
		view->loads[script] = (struct view_load){view, (enum view_script)script};
		ask(view, (struct slice[]){SLICE("SCRIPT"), SLICE("LOAD"), view_script_text((enum view_script)script)}, 3,
		    on_loaded, &view->loads[script]);
	}
	ask(view, (struct slice[]){SLICE("INFO")}, 1, on_info, view);
	view->time_asked_ms = loop_now_ms(view->loop);
	ask(view, (struct slice[]){SLICE("TIME")}, 1, on_time, view);
	if (view->round_pending == 0)
		end_round(view);
}

void view_on_ready(void *ctx)
{
	struct view *view = ctx;
	view->stats.connects++;
	view_begin_round(view);
}

/* ---- at start-up */

struct check {
	struct loop *loop;
	struct err err; /* why it is not up, as of now */
};

/* A connection that cannot be made is tried again until the deadline; what a server answers is final. */
static bool is_weather(enum err_code code)
{
	return code == ERR_REDIS_AWAY || code == ERR_REDIS_TIMEOUT;
}

static void on_check_state(void *ctx, bool is_up, const struct err *why)
{
	struct check *check = ctx;
	check->err = is_up ? (struct err)ERR_INIT : *why;
	if (is_up || !is_weather(why->code))
		loop_stop(check->loop);
}

static void on_check_deadline(void *ctx)
{
	struct check *check = ctx;
	loop_stop(check->loop);
}

int view_check(const struct view_options *options, int64_t timeout_ms, struct err *err)
{
	struct check check = {.loop = loop_new()};
	err_set(&check.err, ERR_REDIS_TIMEOUT, "redis did not answer within %" PRId64 " ms", timeout_ms);
	struct view_events events = {.on_state = on_check_state, .ctx = &check};
	struct view *view = view_new(check.loop, options, &events);
	struct loop_timer *deadline = loop_timer_new(check.loop, on_check_deadline, &check);
	loop_timer_start(deadline, timeout_ms);
	loop_run(check.loop);
	loop_timer_free(deadline);
	view_free(view);
	loop_free(check.loop);
	if (check.err.code == ERR_NONE)
		return 0;
	if (err != NULL)
		*err = check.err;
	return -1;
}
