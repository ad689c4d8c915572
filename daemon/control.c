/* SPDX-License-Identifier: Apache-2.0
 *
 * A question about a lead or a team is asked of the running shards one after the other, each with a checked read: what is
 * answered is what was committed a moment ago, and the head says which moment.
 */
#include "daemon/control.h"

#include <inttypes.h>
#include <stdlib.h>

#include "daemon/clock.h"
#include "daemon/config.h"
#include "daemon/generation.h"
#include "daemon/router.h"
#include "daemon/view.h"
#include "rules/base/map.h"
#include "rules/base/mem.h"
#include "rules/json/json.h"
#include "rules/model.h"
#include "rules/pool_report.h"

struct control {
	struct control_parts parts;
	struct http *http;
	struct question *questions; /* under way */
};

/* One show request on its way through the shards. */
struct question {
	struct question *next;
	struct control *control;
	struct http_request *request;
	struct view_request *read;
	char *key;         /* state key asked for: "lead/L1", "ring/dach" */
	const char *name;  /* what an answer calls the value: "lead", "ring" */
	bool is_everywhere; /* ask all shards (teams) rather than until it is found */
	bool is_report;     /* about a whole pool */
	bool has_skipped;   /* a shard that is not running, and so could not be asked */
	int32_t shard;     /* being asked */
	size_t found_count;
	struct strbuf out;
	struct json_writer writer;
};

static void put_head(struct json_writer *writer, const struct head *head)
{
	json_open_object(writer, "head");
	json_put_int(writer, "epoch", (int64_t)head->epoch);
	json_put_int(writer, "seq", (int64_t)head->seq);
	json_put_text(writer, "hash", slice_of(head->hash));
	json_close_object(writer);
}

/* ---- questions */

static void ask_next(struct question *question);

static void question_free(struct question *question)
{
	struct question **link = &question->control->questions;
	while (*link != question)
		link = &(*link)->next;
	*link = question->next;
	if (question->read != NULL)
		view_cancel(question->read);
	strbuf_done(&question->out);
	free(question->key);
	free(question);
}

static void put_error(struct strbuf *out, const char *code, const char *text)
{
	struct json_writer writer = JSON_WRITER(out);
	json_open_object(&writer, NULL);
	json_put_text(&writer, "error", slice_of(code));
	json_put_text(&writer, "text", slice_of(text));
	json_close_object(&writer);
}

static void answer_error(struct http_request *request, int status, const char *code, const char *text)
{
	struct strbuf body = STRBUF_INIT;
	put_error(&body, code, text);
	http_answer(request, status, "application/json", &body);
	strbuf_done(&body);
}

static void finish(struct question *question)
{
	json_close_array(&question->writer);
	if (question->found_count > 0)
		http_answer(question->request, 200, "application/json", &question->out);
	else if (question->has_skipped) /* could not tell, which is not "no" */
		answer_error(question->request, 503, "not_running",
		             "a shard of this instance is not running, so it was not asked; see leadctl show shard");
	else
		answer_error(question->request, 404, "not_found",
		             "no shard of this instance has it; with several instances ask the others, too");
	question_free(question);
}

/* What the memory of a shard held at that moment, for the core to look at. */
static enum view_answer look_up(void *ctx, struct slice key, struct slice *ret_value)
{
	const struct map *map = ctx;
	const struct view_value *value = map_get(map, key);
	if (value == NULL || !value->is_found)
		return VIEW_ABSENT;
	*ret_value = value->value;
	return VIEW_FOUND;
}

static void look_through(void *ctx, struct slice prefix, void (*see)(void *arg, struct slice key), void *arg)
{
	const struct map *map = ctx;
	const struct map_entry *entry;
	for (size_t at = 0; (entry = map_next(map, &at)) != NULL;)
		if (slice_has_prefix(entry->key, prefix))
			see(arg, entry->key);
}

static void put_ring(struct question *question, const struct view_reply *reply)
{
	const struct control_parts *parts = &question->control->parts;
	const struct model *model = generation_model(router_generation(parts->router));
	size_t team = model_find_team(model, slice_of(question->key + sizeof "ring/" - 1));
	const uint64_t seed[2] = {(uint64_t)(uintptr_t)question, (uint64_t)(uintptr_t)reply};
	struct map map;
	if (team == SIZE_MAX)
		return;
	map_init(&map, seed);
	for (size_t i = 0; i < reply->value_count; i++)
		map_put(&map, reply->values[i].key, (void *)(uintptr_t)&reply->values[i]);
	json_open_object(&question->writer, NULL);
	json_put_int(&question->writer, "shard", question->shard);
	put_head(&question->writer, &reply->head.head);
	pool_report(&question->writer, "ring", model, (struct rules_view){look_up, &map, look_through}, team, clock_now_ms(parts->clock));
	json_close_object(&question->writer);
	map_done(&map);
	question->found_count++;
}

static void on_value(void *ctx, const struct view_reply *reply)
{
	struct question *question = ctx;
	question->read = NULL;
	if (reply->status != VIEW_DONE || reply->head.state != VIEW_HEAD_NORMAL) {
		answer_error(question->request, 503, "view_unavailable", "the view in Redis could not be read; try again");
		question_free(question);
		return;
	}
	if (question->is_report)
		put_ring(question, reply);
	for (size_t i = 0; !question->is_report && i < reply->value_count; i++) {
		const struct view_value *value = &reply->values[i];
		if (!value->is_found || !slice_is(value->key, question->key))
			continue;
		json_open_object(&question->writer, NULL);
		json_put_text(&question->writer, "key", value->key);
		json_put_int(&question->writer, "shard", question->shard);
		put_head(&question->writer, &reply->head.head);
		json_put_raw(&question->writer, question->name, value->value);
		json_close_object(&question->writer);
		question->found_count++;
	}
	question->shard++;
	if (question->found_count > 0 && !question->is_everywhere)
		finish(question);
	else
		ask_next(question);
}

static bool is_running(const struct router *router, int32_t number)
{
	struct shard_status status;
	const struct shard *shard = router_shard(router, number);
	if (shard == NULL)
		return false;
	shard_status(shard, &status);
	return status.state == SHARD_RUNNING;
}

static void ask_next(struct question *question)
{
	const struct control_parts *parts = &question->control->parts;
	int32_t count = router_shard_count(parts->router);
	while (question->shard < count && !is_running(parts->router, question->shard)) {
		question->has_skipped |= router_shard(parts->router, question->shard) != NULL;
		question->shard++;
	}
	if (question->shard >= count) {
		finish(question);
		return;
	}
	const struct slice key = slice_of(question->key);
	const struct view_read_args args = {.keys = &key, .key_count = 1};
	question->read = question->is_everywhere
	                     ? view_read_memory(parts->view, question->shard, on_value, question)
	                     : view_read(parts->view, question->shard, &args, on_value, question);
}

static void ask(struct control *control, struct http_request *request, const struct http_call *call,
                const char *container, const struct question *how)
{
	char *id = http_query_get(call, "id");
	if (id == NULL || *id == '\0') {
		free(id);
		answer_error(request, 400, "missing_id", "say which one: ?id=…");
		return;
	}
	struct question *question = xcalloc(1, sizeof *question);
	question->control = control;
	question->request = request;
	question->name = container;
	question->is_everywhere = how->is_everywhere;
	question->is_report = how->is_report;
	question->key = xcalloc(strlen(container) + strlen(id) + 2, 1);
	strcat(strcat(strcpy(question->key, container), "/"), id);
	free(id);
	question->writer.out = &question->out;
	json_open_array(&question->writer, NULL);
	question->next = control->questions;
	control->questions = question;
	ask_next(question);
}

static void show_lead(struct control *control, struct http_request *request, const struct http_call *call)
{
	ask(control, request, call, "lead", &(struct question){0});
}

static void show_ring(struct control *control, struct http_request *request, const struct http_call *call)
{
	ask(control, request, call, "ring", &(struct question){.is_everywhere = true, .is_report = true});
}

static void show_team(struct control *control, struct http_request *request, const struct http_call *call)
{
	ask(control, request, call, "ring", &(struct question){.is_everywhere = true});
}

/* ---- what is known without asking anybody */

static void put_shard(struct json_writer *writer, int32_t number, const struct shard *shard)
{
	struct shard_status status;
	shard_status(shard, &status);
	json_open_object(writer, NULL);
	json_put_int(writer, "shard", number);
	json_put_text(writer, "state", slice_of(shard_state_name(status.state)));
	json_put_bool(writer, "paused", status.is_paused);
	if (status.state == SHARD_STOPPED) {
		json_put_text(writer, "code", slice_of(err_number(status.why.code)));
		json_put_text(writer, "why", slice_of(status.why.text));
	}
	put_head(writer, &status.head);
	json_open_array(writer, "committed_offsets");
	for (size_t i = 0; i < status.topic_count; i++)
		json_put_int(writer, NULL, status.committed[i]);
	json_close_array(writer);
	json_put_int(writer, "inbox_records", (int64_t)status.inbox_records);
	json_put_int(writer, "inflight_batches", (int64_t)status.inflight_batches);
#ifdef LR_FAILPOINTS
	json_put_bool(writer, "has_new_rules", status.has_new_rules);
#endif
	if (status.next_due_ms > 0)
		json_put_time(writer, "next_due", status.next_due_ms);
	json_close_object(writer);
}

static void show_shards(struct control *control, struct http_request *request, const struct http_call *call)
{
	(void)call;
	struct strbuf body = STRBUF_INIT;
	struct json_writer writer = JSON_WRITER(&body);
	json_open_array(&writer, NULL);
	for (int32_t i = 0; i < router_shard_count(control->parts.router); i++)
		if (router_shard(control->parts.router, i) != NULL)
			put_shard(&writer, i, router_shard(control->parts.router, i));
	json_close_array(&writer);
	http_answer(request, 200, "application/json", &body);
	strbuf_done(&body);
}

static void show_config(struct control *control, struct http_request *request, const struct http_call *call)
{
	(void)call;
	struct strbuf body = STRBUF_INIT;
	config_print(generation_config(router_generation(control->parts.router)), &body);
	http_answer(request, 200, "text/plain; charset=utf-8", &body);
	strbuf_done(&body);
}

static void reload(struct control *control, struct http_request *request, const struct http_call *call)
{
	(void)call;
	struct strbuf body = STRBUF_INIT;
	bool is_taken = control->parts.reload(control->parts.ctx, &body);
	http_answer(request, is_taken ? 200 : 422, "text/plain; charset=utf-8", &body);
	strbuf_done(&body);
}

/* ---- the time of tests (daemon/clock.h) */

#ifdef LR_FAILPOINTS

static int64_t query_number(const struct http_call *call, const char *name)
{
	char *text = http_query_get(call, name);
	int64_t number = text != NULL ? strtoll(text, NULL, 10) : 0;
	free(text);
	return number;
}

/* ?now=MS&held=1 */
static void set_clock(struct control *control, struct http_request *request, const struct http_call *call)
{
	int64_t now_ms = query_number(call, "now");
	if (now_ms <= 0) {
		answer_error(request, 400, "missing_now", "say what time it is: ?now=MS");
		return;
	}
	clock_set(control->parts.clock, now_ms, query_number(call, "held") != 0);
	http_answer_text(request, 200, "set\n");
}

#endif

/* ---- life */

static const struct {
	const char *path;
	bool is_post;
	void (*answer)(struct control *control, struct http_request *take_request, const struct http_call *call);
} routes[] = {
	{"/show/lead", false, show_lead},     {"/show/team", false, show_team}, {"/show/shard", false, show_shards},
	{"/show/config", false, show_config}, {"/show/ring", false, show_ring}, {"/reload", true, reload},
#ifdef LR_FAILPOINTS
	{"/clock", true, set_clock},
#endif
};

static void on_request(void *ctx, struct http_request *take_request, const struct http_call *call)
{
	struct control *control = ctx;
	for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
		if (strcmp(call->path, routes[i].path) == 0 && call->is_post == routes[i].is_post) {
			routes[i].answer(control, take_request, call);
			return;
		}
	answer_error(take_request, 404, "unknown_command", "this instance does not know the command; is leadctl newer than it?");
}

struct control *control_new(const char *listen, const struct control_parts *parts, struct err *err)
{
	struct control *control = xcalloc(1, sizeof *control);
	control->parts = *parts;
	control->http = http_new(parts->loop, listen, true, on_request, control, err);
	if (control->http != NULL)
		return control;
	free(control);
	return NULL;
}

void control_free(struct control *control)
{
	if (control == NULL)
		return;
	for (struct question *question = control->questions, *next; question != NULL; question = next) {
		next = question->next;
		question_free(question);
	}
	http_free(control->http);
	free(control);
}
