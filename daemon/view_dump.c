/* SPDX-License-Identifier: Apache-2.0
 *
 * The view of a shard as text, for audits and tests. Plain commands, no script, so that a script that is wrong cannot
 * hide it.
 */
#include "daemon/view_request.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/loop.h"
#include "rules/base/arena.h"
#include "rules/base/mem.h"
#include "rules/base/strbuf.h"

enum { DUMP_CONTAINERS = VIEW_TIMERS + 1 }; /* the index of the timers tells nothing that they do not */

struct view_dump {
	struct view_dump *next;
	struct view *view;
	view_dump_fn fn;
	void *ctx;
	int pending;        /* answers to come; they come in the order of enum view_container */
	int next_container;
	bool is_unsent;
	struct err err;
	struct strbuf text;
};

static void dump_free(struct view_dump *dump)
{
	struct view_dump **at = &dump->view->dumps;
	while (*at != dump)
		at = &(*at)->next;
	*at = dump->next;
	strbuf_done(&dump->text);
	free(dump);
}

void view_free_dumps(struct view *view)
{
	while (view->dumps != NULL)
		dump_free(view->dumps);
}

static void answer(struct view_dump *dump)
{
	bool is_well = dump->err.code == ERR_NONE;
	struct slice text = {strbuf_text(&dump->text), dump->text.len};
	dump->fn(dump->ctx, is_well ? text : SLICE_NONE, is_well ? NULL : &dump->err);
	dump_free(dump);
}

void view_answer_dumps(struct view *view)
{
	for (struct view_dump *next, *dump = view->dumps; dump != NULL; dump = next) {
		next = dump->next;
		if (dump->is_unsent && dump->pending == 0)
			answer(dump);
	}
}

/* ---- lines */

struct line {
	struct slice field, value;
};

static int by_field(const void *a, const void *b)
{
	return slice_compare(((const struct line *)a)->field, ((const struct line *)b)->field);
}

static void put_bytes(struct strbuf *out, struct slice bytes)
{
	for (size_t i = 0; i < bytes.len; i++) {
		unsigned char byte = (unsigned char)bytes.p[i];
		if (byte > ' ' && byte < 127 && byte != '\\')
			strbuf_putc(out, (char)byte);
		else
			strbuf_printf(out, "\\x%02x", byte);
	}
}

static void put_lines(struct view_dump *dump, const char *name, struct line *lines, size_t count)
{
	if (count > 0)
		qsort(lines, count, sizeof *lines, by_field);
	for (size_t i = 0; i < count; i++) {
		strbuf_printf(&dump->text, "%s ", name);
		put_bytes(&dump->text, lines[i].field);
		strbuf_putc(&dump->text, ' ');
		put_bytes(&dump->text, lines[i].value);
		strbuf_putc(&dump->text, '\n');
	}
}

/* The page's next entry. False when there is none or the page is broken. */
static bool next_timer(struct slice *page, struct slice *ret_id, uint64_t *ret_due_ms)
{
	size_t len = page->len > 0 ? (unsigned char)page->p[0] : 0;
	if (len <= VIEW_DUE_BYTES || page->len <= len)
		return false;
	*ret_due_ms = 0;
	for (size_t i = 0; i < VIEW_DUE_BYTES; i++)
		*ret_due_ms = *ret_due_ms << 8 | (unsigned char)page->p[VIEW_DUE_AT + i];
	*ret_id = (struct slice){page->p + VIEW_DUE_AT + VIEW_DUE_BYTES, len - VIEW_DUE_BYTES};
	*page = (struct slice){page->p + 1 + len, page->len - 1 - len};
	return true;
}

/* [bound page bound page …] */
static int put_timers(struct view_dump *dump, const char *name, const struct redis_reply *reply)
{
	struct arena arena = ARENA_INIT;
	size_t bytes = 0, count = 0;
	bool is_well = true;
	for (size_t i = 1; i < reply->count; i += 2)
		bytes += reply->items[i]->text.len;
	struct line *lines = arena_array(&arena, bytes / VIEW_DUE_BYTES, sizeof *lines);
	for (size_t i = 1; i < reply->count; i += 2) {
		struct slice page = reply->items[i]->text;
		uint64_t due_ms;
		while (next_timer(&page, &lines[count].field, &due_ms))
			lines[count++].value = slice_of(arena_printf(&arena, "%" PRIu64, due_ms));
		is_well &= page.len == 0;
	}
	if (is_well)
		put_lines(dump, name, lines, count);
	arena_done(&arena);
	return is_well ? 0 : -1;
}

/* [field value field value …] of HGETALL */
static int put_container(struct view_dump *dump, enum view_container container, const struct redis_reply *reply)
{
	const char *name = view_container_name(container);
	if (reply->kind != REDIS_IS_ARRAY || reply->count % 2 != 0)
		return -1;
	if (container == VIEW_TIMERS)
		return put_timers(dump, name, reply);
	size_t count = reply->count / 2;
	struct line *lines = xcalloc(count, sizeof *lines);
	for (size_t i = 0; i < count; i++)
		lines[i] = (struct line){reply->items[2 * i]->text, reply->items[2 * i + 1]->text};
	put_lines(dump, name, lines, count);
	free(lines);
	return 0;
}

/* ---- asking */

static void on_container(void *ctx, const struct redis_reply *reply)
{
	struct view_dump *dump = ctx;
	enum view_container container = (enum view_container)dump->next_container++;
	if (reply == NULL)
		err_set(&dump->err, ERR_REDIS_AWAY, "the connection to redis was lost before the answer");
	else if (reply->kind == REDIS_IS_ERROR)
		view_explain_error(reply->text, false, &dump->err);
	else if (put_container(dump, container, reply) != 0)
		err_set(&dump->err, ERR_REDIS_REPLY, "the answer for %s has not the shape that it must have",
		        view_container_name(container));
	if (--dump->pending == 0)
		answer(dump);
}

static int ask(struct view_dump *dump, int32_t shard, enum view_container container)
{
	struct view *view = dump->view;
	char key[48];
	snprintf(key, sizeof key, "{lr:%" PRId32 "}:%s", shard, view_container_name(container));
	struct slice hash[] = {SLICE("HGETALL"), slice_of(key)};
	struct redis_command *command = redis_command_new(hash, 2);
	int result = redis_send(view->redis, command, view->options.timeout_ms, on_container, dump);
	redis_command_unref(command);
	dump->pending += result == 0;
	return result;
}

void view_dump(struct view *view, int32_t shard, view_dump_fn fn, void *ctx)
{
	struct view_dump *dump = xcalloc(1, sizeof *dump);
	*dump = (struct view_dump){.next = view->dumps, .view = view, .fn = fn, .ctx = ctx};
	view->dumps = dump;
	for (int container = 0; container < DUMP_CONTAINERS; container++)
		if (ask(dump, shard, (enum view_container)container) != 0)
			dump->is_unsent = true;
	if (!dump->is_unsent)
		return;
	err_set(&dump->err, ERR_REDIS_AWAY, "not all questions could be sent to redis");
	loop_timer_start(view->answer_unsent, 0);
}
