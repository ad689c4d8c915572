/* SPDX-License-Identifier: Apache-2.0
 *
 * A test as lines of JSON: what is done to the rules, in order, and what came of it. Whoever does the same to a running
 * leadrouterd (tests/integration/test_scenarios.py) must come to the same events and the same state.
 *
 *     {"op":"test","file":…,"line":…,"name":…,"now":MS,"prefix":"t1."}
 *     {"op":"config","config":{…}}                      the rules, at the start and after each reload
 *     {"op":"given","key":…,"value":…,"due":MS}         stored before the first step
 *     {"op":"record","topic":…,"key":…,"value":…,"headers":[[…]],"facts":N,"late":MS}
 *     {"op":"advance","now":MS} {"op":"sleep","now":MS} {"op":"settle","now":MS}
 *     {"op":"state","key":…,"value":…,"due":MS}         stored at the end
 *     {"op":"event","topic":…,"type":…,"id":…,"subject":…,"cause":…,"at":MS,"key":…,"value":…}
 *     {"op":"end"}                                      nothing is missing
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/ctl/test.h"
#include "rules/base/diag.h"
#include "rules/base/mem.h"
#include "rules/json/json.h"
#include "rules/json/tree.h"
#include "rules/world.h"

enum { PATH_BYTES = 4096, PREFIX_BYTES = 32 };

struct test_dump {
	FILE *stream;
	char prefix[PREFIX_BYTES];
	struct strbuf line;
	struct json_writer writer;
};

static struct json_writer *begin(struct test_dump *dump, const char *op)
{
	dump->line.len = 0;
	dump->writer = (struct json_writer)JSON_WRITER(&dump->line);
	json_open_object(&dump->writer, NULL);
	json_put_text(&dump->writer, "op", slice_of(op));
	return &dump->writer;
}

static void finish(struct test_dump *dump)
{
	json_close_object(&dump->writer);
	strbuf_putc(&dump->line, '\n');
	fwrite(dump->line.bytes, 1, dump->line.len, dump->stream);
}

struct test_dump *test_dump_open(const char *directory, size_t number, const struct test_file *file,
                                 const struct test_case *test, struct diags *diags)
{
	char path[PATH_BYTES];
	snprintf(path, sizeof path, "%s/%zu.jsonl", directory, number);
	FILE *stream = fopen(path, "we");
	if (stream == NULL) {
		diags_add(diags, ERR_TOOL_FILE, test->node->span, "cannot write %s: %s", path, strerror(errno));
		return NULL;
	}
	struct test_dump *dump = xcalloc(1, sizeof *dump);
	dump->stream = stream;
	snprintf(dump->prefix, sizeof dump->prefix, "t%zu.", number);
	struct json_writer *writer = begin(dump, "test");
	json_put_text(writer, "file", slice_of(file->path));
	json_put_int(writer, "line", node_line(test->node));
	json_put_text(writer, "name", test->name);
	json_put_int(writer, "now", test->now_ms);
	json_put_text(writer, "prefix", slice_of(dump->prefix));
	finish(dump);
	return dump;
}

const char *test_dump_prefix(const struct test_dump *dump)
{
	return dump != NULL ? dump->prefix : NULL;
}

/* ---- rules: JSON that is read back as the same tree. What a scalar means, its key decides; only numbers and truth must be
 * without quotes, and text that looks like them must have some. */

static bool is_bare(const struct node *node)
{
	struct slice text = node->text;
	if (node->style != NODE_PLAIN || text.len == 0)
		return false;
	if (slice_is(text, "true") || slice_is(text, "false"))
		return true;
	size_t at = text.p[0] == '-';
	bool has_digits = at < text.len;
	for (; at < text.len; at++)
		has_digits &= (text.p[at] >= '0' && text.p[at] <= '9') || text.p[at] == '.';
	return has_digits;
}

static void put_node(struct json_writer *writer, struct slice name, const struct node *node)
{
	switch (node->kind) {
	case NODE_SCALAR:
		if (node_is_empty(node))
			json_put_null_as(writer, name);
		else if (is_bare(node))
			json_put_raw_as(writer, name, node->text);
		else
			json_put_text_as(writer, name, node->text);
		return;
	case NODE_SEQUENCE:
		json_open_array_as(writer, name);
		for (size_t i = 0; i < node->count; i++)
			put_node(writer, SLICE_NONE, node->items[i]);
		json_close_array(writer);
		return;
	case NODE_MAPPING:
		json_open_object_as(writer, name);
		for (size_t i = 0; i < node->count; i++)
			put_node(writer, node->members[i].key->text, node->members[i].value);
		json_close_object(writer);
		return;
	}
}

void test_dump_config(struct test_dump *dump, const struct node *root)
{
	if (dump == NULL)
		return;
	struct strbuf text = STRBUF_INIT;
	struct json_writer tree = JSON_WRITER(&text);
	struct json_writer *writer = begin(dump, "config");
	put_node(&tree, SLICE_NONE, root);
	json_put_text(writer, "config", (struct slice){text.bytes, text.len});
	finish(dump);
	strbuf_done(&text);
}

/* ---- steps */

void test_dump_time(struct test_dump *dump, const char *op, int64_t ms)
{
	if (dump == NULL)
		return;
	json_put_int(begin(dump, op), "now", ms);
	finish(dump);
}

static void put_headers(struct json_writer *writer, const struct header *headers, size_t count)
{
	json_open_array(writer, "headers");
	for (size_t i = 0; i < count; i++) {
		json_open_array(writer, NULL);
		json_put_text(writer, NULL, headers[i].name);
		if (headers[i].value.p != NULL)
			json_put_text(writer, NULL, headers[i].value);
		else
			json_put_null(writer, NULL);
		json_close_array(writer);
	}
	json_close_array(writer);
}

static void put_text_or_null(struct json_writer *writer, const char *name, bool has_text, struct slice text)
{
	if (has_text)
		json_put_text(writer, name, text);
	else
		json_put_null(writer, name);
}

void test_dump_record(struct test_dump *dump, const struct world_record *record)
{
	if (dump == NULL)
		return;
	struct json_writer *writer = begin(dump, "record");
	json_put_text(writer, "topic", record->kind == RECORD_CAPTURED ? SLICE("leads.captured") : SLICE("leads.activity"));
	put_text_or_null(writer, "key", record->key.len != 0, record->key);
	put_text_or_null(writer, "value", !record->has_no_value, record->value);
	put_headers(writer, record->headers, record->header_count);
	json_put_int(writer, "facts", (int64_t)record->fact_count);
	json_put_int(writer, "late", record->late_ms);
	finish(dump);
}

/* ---- what came of it */

struct state_dump {
	struct test_dump *dump;
	const char *op;
};

static void dump_key(void *ctx, struct slice key, struct slice value, int64_t due_ms)
{
	const struct state_dump *state = ctx;
	struct json_writer *writer = begin(state->dump, state->op);
	json_put_text(writer, "key", key);
	json_put_text(writer, "value", value);
	json_put_int(writer, "due", due_ms);
	finish(state->dump);
}

void test_dump_state(struct test_dump *dump, const char *op, const struct world *world)
{
	struct state_dump state = {dump, op};
	if (dump != NULL)
		world_each(world, dump_key, &state);
}

static void dump_event(struct test_dump *dump, const struct event *event)
{
	struct json_writer *writer = begin(dump, "event");
	json_put_text(writer, "topic", slice_of(out_topic_name(event->topic)));
	json_put_text(writer, "type", slice_of(event->type));
	json_put_text(writer, "id", event->id);
	json_put_text(writer, "subject", event->subject);
	json_put_text(writer, "cause", event->cause);
	json_put_int(writer, "at", event->at_ms);
	put_text_or_null(writer, "key", event->has_key, event->key);
	put_text_or_null(writer, "value", event->has_value, event->value);
	put_headers(writer, event->headers, event->header_count);
	finish(dump);
}

void test_dump_close(struct test_dump *dump, const struct world *world)
{
	if (dump == NULL)
		return;
	for (size_t i = 0; i < world_decision_count(world); i++) {
		const struct decision *decision = &world_decision(world, i)->decision;
		for (size_t e = 0; e < decision->event_count; e++)
			dump_event(dump, &decision->events[e]);
	}
	begin(dump, "end");
	finish(dump);
	fclose(dump->stream);
	strbuf_done(&dump->line);
	free(dump);
}
