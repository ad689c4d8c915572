/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ctl/leads.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/generation.h"
#include "daemon/loop.h"
#include "daemon/plugin_host.h"
#include "rules/base/diag.h"
#include "rules/base/mem.h"
#include "rules/base/strbuf.h"
#include "rules/json/json.h"

static int read_all(FILE *file, struct strbuf *out)
{
	char bytes[65536];
	size_t got;
	while ((got = fread(bytes, 1, sizeof bytes, file)) > 0) {
		strbuf_append(out, bytes, got);
		if (out->len > LEADS_FILE_BYTES_MAX)
			return -1;
	}
	return 0;
}

int leads_read_file(const char *name, struct arena *arena, struct slice *ret_bytes, struct err *err)
{
	struct strbuf text = STRBUF_INIT;
	bool is_file = strcmp(name, "-") != 0;
	FILE *file = is_file ? fopen(name, "re") : stdin;
	if (file == NULL)
		return err_set(err, ERR_TOOL_FILE, "%s: %s", name, strerror(errno));
	int result = read_all(file, &text);
	if (result != 0)
		err_set(err, ERR_TOOL_FILE, "%s: larger than %d MiB", name, LEADS_FILE_BYTES_MAX >> 20);
	else if (ferror(file))
		result = err_set(err, ERR_TOOL_FILE, "%s: %s", name, strerror(errno));
	else
		*ret_bytes = (struct slice){arena_memdupz(arena, strbuf_text(&text), text.len), text.len};
	strbuf_done(&text);
	if (is_file)
		fclose(file);
	return result;
}

/* The line at the start of `text`, without blanks around it, and the text behind it. */
static struct slice next_line(struct slice *text)
{
	const char *end = memchr(text->p, '\n', text->len);
	struct slice line = {text->p, end != NULL ? (size_t)(end - text->p) : text->len};
	size_t taken = line.len + (end != NULL);
	*text = (struct slice){text->p + taken, text->len - taken};
	while (line.len > 0 && memchr(" \t\r", line.p[line.len - 1], 3) != NULL)
		line.len--;
	return line;
}

static bool is_json(struct slice text)
{
	static const struct json_limits limits = {RULES_RECORD_BYTES_MAX, RULES_JSON_DEPTH_MAX, RULES_JSON_VALUES_MAX};
	struct arena arena = ARENA_INIT;
	bool is_good = json_read(text, limits, &arena, NULL) != NULL;
	arena_done(&arena);
	return is_good;
}

static size_t split_lines(struct slice text, struct slice *documents)
{
	size_t count = 0;
	while (text.len > 0) {
		struct slice line = next_line(&text);
		if (line.len > 0)
			documents[count++] = line;
	}
	return count;
}

/* A line that is an object by itself: those beside it are lines, too, whatever is wrong with them. */
static bool has_record(const struct slice *lines, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (lines[i].p[0] == '{' && is_json(lines[i]))
			return true;
	return false;
}

int leads_none(const char *name)
{
	struct err err = ERR_INIT;
	err_set(&err, ERR_TOOL_FILE, "there is no lead in %s", strcmp(name, "-") == 0 ? "standard input" : name);
	return ctl_fail(CTL_FAILED, &err);
}

size_t leads_split(struct slice text, struct arena *arena, const struct slice **ret_documents)
{
	size_t lines = 1;
	for (size_t i = 0; i < text.len; i++)
		lines += text.p[i] == '\n';
	struct slice *documents = arena_array(arena, lines, sizeof *documents);
	*ret_documents = documents;
	size_t count = split_lines(text, documents);
	if (count < 2 || is_json(documents[0]) || (has_record(documents + 1, count - 1) && !is_json(text)))
		return count;
	documents[0] = text;
	return 1;
}

/* ---- deciding them */

struct leads {
	struct loop *loop;
	struct generation *generation;
	struct rehearsal *rehearsal;
	int64_t count; /* decided so far: the next one's offset */
};

static struct generation *load(const char *directory, struct loop *loop, struct diags *diags)
{
	struct generation *generation = generation_load(directory, diags);
	if (generation == NULL)
		return NULL;
	struct plugin_set *set = plugin_set_open(generation_config(generation), directory, loop, NULL, NULL, diags);
	if (set != NULL)
		generation_attach(generation, set, plugin_set_close);
	if (diags_error_count(diags) == 0)
		return generation;
	generation_unref(generation);
	return NULL;
}

struct leads *leads_new(const struct ctl_args *args)
{
	struct diags *diags = diags_new();
	struct strbuf out = STRBUF_INIT;
	struct leads *leads = xcalloc(1, sizeof *leads);
	leads->loop = loop_new();
	leads->generation = load(args->directory, leads->loop, diags);
	diags_render(diags, isatty(STDERR_FILENO), &out);
	if (leads->generation == NULL) {
		diags_verdict(diags, &out);
		strbuf_putc(&out, '\n');
	}
	fputs(strbuf_text(&out), stderr);
	strbuf_done(&out);
	diags_free(diags);
	if (leads->generation != NULL) {
		leads->rehearsal = rehearsal_new(leads_model(leads));
		return leads;
	}
	leads_free(leads);
	return NULL;
}

void leads_free(struct leads *leads)
{
	if (leads == NULL)
		return;
	rehearsal_free(leads->rehearsal);
	generation_unref(leads->generation);
	loop_free(leads->loop);
	free(leads);
}

const struct model *leads_model(const struct leads *leads)
{
	return generation_model(leads->generation);
}

struct rehearsal *leads_rehearsal(struct leads *leads)
{
	return leads->rehearsal;
}

void leads_forget(struct leads *leads)
{
	rehearsal_free(leads->rehearsal);
	leads->rehearsal = rehearsal_new(leads_model(leads));
}

static void on_answered(void *ctx)
{
	loop_stop(ctx);
}

void leads_decide(struct leads *leads, struct slice value, int64_t now_ms, const struct observer *observer,
                  struct arena *arena, struct decision *ret)
{
	struct record *record = arena_alloc(arena, sizeof *record);
	*record = (struct record){
		.kind = RECORD_CAPTURED,
		.topic = SLICE("file"),
		.offset = leads->count++,
		.timestamp_ms = -1,
		.value = value,
		.has_value = true,
		.partition_count = 1,
	};
	struct prepared *prepared = rules_prepare(leads_model(leads), record, now_ms, arena);
	if (rules_is_lead(prepared) && plugin_host_ask(leads->generation, prepared, on_answered, leads->loop) != NULL)
		loop_run(leads->loop);
	rehearsal_decide(leads->rehearsal, prepared, now_ms, observer, arena, ret);
}

struct slice leads_reject_text(const struct decision *decision)
{
	for (size_t i = 0; decision->event_count != 0 && i < decision->events[0].header_count; i++)
		if (slice_is(decision->events[0].headers[i].name, "__dlq.errors.message"))
			return decision->events[0].headers[i].value;
	return slice_of(err_sentence(decision->code));
}
