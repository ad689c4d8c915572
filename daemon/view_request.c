/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of the view and of its requests.
 */
#include "daemon/view_request.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "daemon/loop.h"
#include "rules/base/mem.h"

enum { DIGITS_MAX = 18 }; /* of a number in a head: the scripts' is_number() */

/* ---- the view */

static void on_answer_unsent(void *ctx);

struct view_options view_options_default(void)
{
	return (struct view_options){
		.redis = {
			.client_name = "leadrouterd",
			.connect_timeout_ms = 1000,
			.command_timeout_ms = 2000,
			.retry_first_ms = 100,
			.retry_max_ms = 5000,
		},
		.timeout_ms = 2000,
		.check_every_ms = 60000,
	};
}

struct view *view_new(struct loop *loop, const struct view_options *options, const struct view_events *events)
{
	struct view *view = xcalloc(1, sizeof *view);
	view->loop = loop;
	view->options = *options;
	view->events = *events;
	err_set(&view->why, ERR_REDIS_AWAY, "not connected to redis yet");
	view->answer_unsent = loop_timer_new(loop, on_answer_unsent, view);
	view->next_round = loop_timer_new(loop, view_begin_round, view);
	struct redis_events redis_events = {.on_ready = view_on_ready, .on_lost = view_on_lost, .ctx = view};
	view->redis = redis_new(loop, &options->redis, &redis_events);
	return view;
}

static void request_free(struct view_request *request)
{
	struct view *view = request->view;
	if (request->previous != NULL)
		request->previous->next = request->next;
	else
		view->requests = request->next;
	if (request->next != NULL)
		request->next->previous = request->previous;
	view->stats.pending--;
	redis_command_unref(request->command);
	arena_done(&request->arena);
	free(request);
}

void view_free(struct view *view)
{
	if (view == NULL)
		return;
	redis_free(view->redis);
	for (struct view_request *request = view->requests, *next; request != NULL; request = next) {
		next = request->next;
		request_free(request);
	}
	view_free_dumps(view);
	loop_timer_free(view->answer_unsent);
	loop_timer_free(view->next_round);
	free(view);
}

bool view_is_up(const struct view *view)
{
	return view->is_up;
}

const struct err *view_why_down(const struct view *view)
{
	return &view->why;
}

uint64_t view_series(const struct view *view)
{
	return view->stats.connects + view->stats.scripts_reloaded;
}

void view_stats(const struct view *view, struct view_stats *ret)
{
	*ret = view->stats;
}

/* ---- building a request */

static const char *const CONTAINER_NAMES[] = {
	[VIEW_HEAD] = "head", [VIEW_LEAD] = "lead", [VIEW_IDENT] = "ident", [VIEW_RING] = "ring",
	[VIEW_MEM] = "mem", [VIEW_TIMERS] = "due", [VIEW_PAGES] = "pages",
};
enum { CONTAINERS = sizeof CONTAINER_NAMES / sizeof *CONTAINER_NAMES };

const char *view_container_name(enum view_container container)
{
	return CONTAINER_NAMES[container];
}

/* EVALSHA sha number-of-keys key… format arg… */
struct view_request *view_request_new(struct view *view, enum view_script script, int32_t shard, unsigned containers,
                                      size_t arg_room)
{
	struct view_request *request = xcalloc(1, sizeof *request);
	request->view = view;
	request->script = script;
	request->next = view->requests;
	if (view->requests != NULL)
		view->requests->previous = request;
	view->requests = request;
	view->stats.pending++;
	request->arg_room = 3 + CONTAINERS + 1 + arg_room;
	request->args = arena_array(&request->arena, request->arg_room, sizeof *request->args);
	view_request_arg(request, SLICE("EVALSHA"));
	view_request_arg(request, slice_of(view->sha[script]));
	view_request_number(request, (unsigned)__builtin_popcount(containers));
	for (int i = 0; i < CONTAINERS; i++)
		if (containers & 1u << i)
			view_request_arg(request, slice_of(arena_printf(&request->arena, "{lr:%" PRId32 "}:%s", shard,
			                                                CONTAINER_NAMES[i])));
	view_request_number(request, VIEW_FORMAT);
	return request;
}

void view_request_arg(struct view_request *request, struct slice arg)
{
	assert(request->arg_count < request->arg_room);
	request->args[request->arg_count++] = arg;
}

void view_request_number(struct view_request *request, uint64_t number)
{
	view_request_arg(request, slice_of(arena_printf(&request->arena, "%" PRIu64, number)));
}

void view_request_head(struct view_request *request, const struct head *head)
{
	view_request_number(request, head->epoch);
	view_request_number(request, head->seq);
	view_request_arg(request, slice_of(arena_strdup(&request->arena, head->hash)));
}

void view_request_seen(struct view_request *request, const struct view_head *seen)
{
	switch (seen->state) {
	case VIEW_HEAD_NORMAL:
		view_request_arg(request, SLICE("N"));
		view_request_head(request, &seen->head);
		view_request_arg(request, SLICE(""));
		return;
	case VIEW_HEAD_LOADING:
		view_request_arg(request, SLICE("L"));
		view_request_number(request, seen->head.epoch);
		view_request_arg(request, SLICE(""));
		view_request_arg(request, SLICE(""));
		view_request_number(request, seen->chunk);
		return;
	case VIEW_HEAD_MISSING:
		view_request_arg(request, SLICE("M"));
		for (int i = 0; i < 4; i++)
			view_request_arg(request, SLICE(""));
		return;
	}
}

bool view_can_hold(const struct head *head)
{
	const uint64_t limit = UINT64_C(1000000000000000000);
	return head->epoch < limit && head->seq < limit && head_is_hash(slice_of(head->hash));
}

bool view_split_key(struct slice key, enum view_container *ret_container, struct slice *ret_rest)
{
	static const struct {
		struct slice prefix;
		enum view_container container;
	} KINDS[] = {
		{{"lead/", 5}, VIEW_LEAD},
		{{"ident/", 6}, VIEW_IDENT},
		{{"ring/", 5}, VIEW_RING},
		{{"mem/", 4}, VIEW_MEM},
	};
	for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
		size_t len = KINDS[i].prefix.len;
		if (!slice_has_prefix(key, KINDS[i].prefix))
			continue;
		*ret_container = KINDS[i].container;
		*ret_rest = (struct slice){key.p + len, key.len - len};
		return true;
	}
	return false;
}

/* ---- answering */

/* The request lives until its callback returns: the reply's values lie in its arena. */
static void answer(struct view_request *request, const struct view_reply *reply)
{
	request->view->stats.answers[reply->status]++;
	if (request->fn != NULL)
		request->fn(request->ctx, reply);
	request_free(request);
}

static struct view_request *find_unsent(const struct view *view)
{
	struct view_request *found = NULL;
	for (struct view_request *request = view->requests; request != NULL; request = request->next)
		if (request->is_unsent) // NOLINT(clang-analyzer-unix.Malloc): the list holds no freed one, request_free unlinks it
			found = request; /* the last is the oldest */
	return found;
}

/* At most those that are there now: a caller that asks again at once must not keep the loop here. */
static void on_answer_unsent(void *ctx)
{
	struct view *view = ctx;
	struct view_request *request;
	view_answer_dumps(view);
	for (size_t left = view->stats.pending; left > 0 && (request = find_unsent(view)) != NULL; left--) {
		struct view_reply reply = {.status = request->unsent, .err = request->err};
		answer(request, &reply);
	}
	if (find_unsent(view) != NULL)
		loop_timer_start(view->answer_unsent, 0);
}

static void leave_unsent(struct view_request *request, enum view_status status)
{
	request->is_unsent = true;
	request->unsent = status;
	loop_timer_start(request->view->answer_unsent, 0);
}

void view_request_refuse(struct view_request *request, enum err_code code, const char *text)
{
	if (!request->is_unsent)
		err_set(&request->err, code, "%s", text);
	leave_unsent(request, VIEW_REFUSED);
}

void view_cancel(struct view_request *request)
{
	request->fn = NULL;
}

static bool is_writing(enum view_script script)
{
	return script != VIEW_SCRIPT_READ && script != VIEW_SCRIPT_MEMORY;
}

/* ---- replies */

bool view_parse_number(struct slice text, uint64_t *ret_number)
{
	uint64_t number = 0;
	if (text.len == 0 || text.len > DIGITS_MAX)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		number = number * 10 + (uint64_t)(text.p[i] - '0');
	}
	*ret_number = number;
	return true;
}

static struct slice item_text(const struct redis_reply *array, size_t index)
{
	return array->items[index]->kind == REDIS_IS_TEXT ? array->items[index]->text : SLICE_NONE;
}

/* {state, e, q, h, pos, c}, as read_head() in view_common.lua makes it. */
static int translate_head(const struct redis_reply *reply, struct view_head *ret)
{
	struct view_head head = {.state = VIEW_HEAD_MISSING};
	uint64_t pos = 0;
	if (reply->kind != REDIS_IS_ARRAY || reply->count != 6)
		return -1;
	struct slice state = item_text(reply, 0);
	struct slice hash = item_text(reply, 3);
	if (slice_is(state, "M") || slice_is(state, "X")) {
		*ret = head;
		return 0;
	}
	if (!view_parse_number(item_text(reply, 1), &head.head.epoch))
		return -1;
	if (slice_is(state, "L") && view_parse_number(item_text(reply, 5), &head.chunk)) {
		head.state = VIEW_HEAD_LOADING;
		*ret = head;
		return 0;
	}
	if (!slice_is(state, "N") || !view_parse_number(item_text(reply, 2), &head.head.seq) || !head_is_hash(hash) ||
	    !view_parse_number(item_text(reply, 4), &pos))
		return -1;
	head.state = VIEW_HEAD_NORMAL;
	head.pos = (int64_t)pos;
	memcpy(head.head.hash, hash.p, hash.len);
	*ret = head;
	return 0;
}

int view_translate_head(struct view_request *request, const struct redis_reply *reply, struct view_reply *ret)
{
	(void)request;
	if (reply->kind != REDIS_IS_ARRAY || reply->count < 2 || translate_head(reply->items[1], &ret->head) != 0)
		return -1;
	struct slice status = item_text(reply, 0);
	if (slice_is(status, "OK")) {
		ret->status = VIEW_DONE;
		return 0;
	}
	if (slice_is(status, "STALE")) {
		ret->status = VIEW_STALE;
		return 0;
	}
	if (!slice_is(status, "BROKEN") || reply->count < 3)
		return -1;
	struct slice what = item_text(reply, 2);
	ret->status = VIEW_BROKEN;
	err_set(&ret->err, ERR_VIEW_FOREIGN, "%.*s; somebody else writes to keys {lr:*}; the shard is rebuilt", SLICE_ARG(what));
	return 0;
}

void view_translate(struct view_request *request, const struct redis_reply *reply, struct view_reply *ret)
{
	if (reply == NULL) {
		ret->status = VIEW_UNKNOWN;
		err_set(&ret->err, ERR_REDIS_AWAY, "the connection to redis was lost before the answer of %s",
		        view_script_name(request->script));
	} else if (reply->kind == REDIS_IS_ERROR) {
		ret->status = view_explain_error(reply->text, is_writing(request->script), &ret->err);
	} else if (request->translate(request, reply, ret) != 0) {
		*ret = (struct view_reply){.status = VIEW_BROKEN};
		err_set(&ret->err, ERR_REDIS_REPLY, "the answer of %s has not the shape that it must have",
		        view_script_name(request->script));
	}
}

/* ---- sending */

static void on_reply(void *ctx, const struct redis_reply *reply);

static void on_reloaded(void *ctx, const struct redis_reply *reply)
{
	(void)ctx, (void)reply; /* the repeated EVALSHA behind it tells whether it has worked */
}

static int send_command(struct view_request *request)
{
	struct view *view = request->view;
	if (redis_send(view->redis, request->command, view->options.timeout_ms, on_reply, request) != 0)
		return -1;
	view->stats.requests++;
	view->stats.bytes_out += redis_command_bytes(request->command);
	return 0;
}

/* After SCRIPT FLUSH, or a restart or failover that the connection survived. The sha is of the text, so the same command
 * fits. */
static bool repeat_with_script(struct view_request *request)
{
	struct view *view = request->view;
	if (request->is_repeated)
		return false;
	request->is_repeated = true;
	struct slice load[] = {SLICE("SCRIPT"), SLICE("LOAD"), view_script_text(request->script)};
	struct redis_command *command = redis_command_new(load, 3);
	int result = redis_send(view->redis, command, view->options.timeout_ms, on_reloaded, NULL);
	redis_command_unref(command);
	if (result != 0 || send_command(request) != 0)
		return false;
	view->stats.scripts_reloaded++;
	return true;
}

static void on_reply(void *ctx, const struct redis_reply *reply)
{
	struct view_request *request = ctx;
	struct view *view = request->view;
	struct view_reply ret = {.status = VIEW_UNKNOWN};
	bool is_error = reply != NULL && reply->kind == REDIS_IS_ERROR;
	if (is_error && request->fn != NULL && view_error_is(reply->text, "NOSCRIPT") && repeat_with_script(request))
		return;
	if (is_error && (view_error_is(reply->text, "READONLY") || view_error_is(reply->text, "NOPERM")))
		loop_timer_start(view->next_round, 0); /* the server is not what it was: look again now */
	view_translate(request, reply, &ret);
	answer(request, &ret);
}

struct view_request *view_request_send(struct view_request *request, view_translate_fn translate_fn, view_fn fn, void *ctx)
{
	struct view *view = request->view;
	request->fn = fn;
	request->ctx = ctx;
	request->translate = translate_fn;
	if (request->is_unsent)
		return request;
	if (!view->is_up) {
		request->err = view->why;
		leave_unsent(request, redis_is_ready(view->redis) ? VIEW_REFUSED : VIEW_UNKNOWN);
		return request;
	}
	request->command = redis_command_new(request->args, request->arg_count);
	if (request->command == NULL)
		view_request_refuse(request, ERR_VIEW_LIMIT, "a request to redis is larger than REDIS_COMMAND_BYTES_MAX");
	else if (send_command(request) != 0)
		view_request_refuse(request, ERR_VIEW_LIMIT, "too many requests to redis are without an answer");
	return request;
}
