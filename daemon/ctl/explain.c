/* SPDX-License-Identifier: Apache-2.0
 *
 * leadctl explain: a code, or the leads of a file as the daemon would decide them now. For a lead that was decided see
 * explain_lead.c.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/ctl/leads.h"
#include "rules/base/suggest.h"
#include "rules/calendar/instant.h"
#include "rules/json/json.h"
#include "rules/model.h"
#include "rules/story/detail.h"
#include "rules/story/story.h"
#include "rules/story/story_lead.h"

enum { EXPLAIN_COLUMNS = 90 };

static const struct json_limits LIMITS = {LEADS_FILE_BYTES_MAX, 64, 10000000};

/* ---- showing */

static int unknown_route(const struct model *model, const struct json *story, const char *name)
{
	struct slice missing = json_get_text(json_get(story, "record"), "missing");
	struct suggest near = suggest_for(slice_of(name));
	for (size_t i = 0; i < model->route_count; i++)
		suggest_offer(&near, model->routes[i].name);
	if (near.best.len > 0 && !slice_is(near.best, name))
		return ctl_usage("there is no route `%s`; did you mean `%.*s`?", name, SLICE_ARG(near.best));
	if (near.best.len == 0)
		return ctl_usage("there is no route `%s`", name);
	if (missing.len > 0)
		ctl_usage("the event says nothing about route `%s`, and its record cannot be decided again: %.*s", name, SLICE_ARG(missing));
	else
		ctl_usage("nothing is recorded about route `%s`", name);
	return CTL_FAILED;
}

/* The sentence as an object, for programs. */
static void put_sentence(const struct json *story, struct strbuf *out)
{
	struct strbuf sentence = STRBUF_INIT;
	struct json_writer writer = JSON_WRITER(out);
	strbuf_append(&sentence, out->bytes, out->len);
	strbuf_clear(out);
	json_open_object(&writer, NULL);
	json_put_text(&writer, "lead_id", json_get_text(story, "lead_id"));
	json_put_text(&writer, "sentence", (struct slice){strbuf_text(&sentence), sentence.len});
	json_close_object(&writer);
	strbuf_done(&sentence);
}

/* How a lead of a file is told, and how one that was decided. */
static bool put_why_not(struct strbuf *out, const struct json *story, const char *route, bool is_decided)
{
	return (is_decided ? story_lead_why_not : story_why_not)(out, story, slice_of(route));
}

static void put_short(const struct ctl_args *args, struct strbuf *out, const struct json *story, bool is_decided)
{
	if (is_decided)
		story_lead_short(out, story, ctl_option(args, "first") != NULL);
	else
		story_short(out, story);
}

static bool render(const struct ctl_args *args, const struct json *story, bool is_decided, struct strbuf *out)
{
	const char *route = ctl_option(args, "why-not");
	bool is_sentence = route != NULL || ctl_option(args, "short") != NULL;
	struct json_writer writer = JSON_WRITER(out);
	if (route != NULL && !put_why_not(out, story, route, is_decided))
		return false;
	if (route == NULL && is_sentence)
		put_short(args, out, story, is_decided);
	else if (route == NULL && args->json)
		json_put_value(&writer, SLICE_NONE, story);
	else if (route == NULL && ctl_option(args, "timeline") != NULL)
		story_timeline(out, story);
	else if (route == NULL)
		(is_decided ? story_lead_text : story_text)(out, story);
	if (is_sentence && args->json)
		put_sentence(story, out);
	return true;
}

static bool is_control(const char *at)
{
	unsigned char byte = (unsigned char)at[0], next = (unsigned char)at[1];
	return (byte < 0x20 && byte != '\n') || byte == 0x7F || (byte == 0xC2 && next >= 0x80 && next < 0xA0);
}

void ctl_print_text(const struct strbuf *text)
{
	for (const char *at = strbuf_text(text), *end = at + text->len; at < end; at++) {
		bool is_wide = is_control(at) && (unsigned char)*at == 0xC2;
		putchar(is_control(at) ? '?' : *at);
		at += is_wide;
	}
}

/* A route of the configuration, or one that the story has of an older one; also when no --why-not asks. */
static bool is_route_known(const struct ctl_args *args, const struct json *story, const struct model *model)
{
	const char *name = ctl_option(args, "why-not");
	const struct json *routes = json_get(story, "routes");
	bool is_known = name == NULL;
	for (size_t i = 0; !is_known && i < model->route_count; i++)
		is_known = slice_is(model->routes[i].name, name);
	for (size_t i = 0; !is_known && routes != NULL && i < routes->count; i++)
		is_known = slice_is(json_get_text(&routes->items[i], "name"), name);
	return is_known;
}

int ctl_print_story(const struct ctl_args *args, const struct json *story, const struct model *model, bool is_decided)
{
	struct strbuf out = STRBUF_INIT;
	bool is_known = is_route_known(args, story, model) && render(args, story, is_decided, &out);
	ctl_print_text(&out);
	if (out.len > 0 && out.bytes[out.len - 1] != '\n')
		putchar('\n');
	strbuf_done(&out);
	return is_known ? CTL_OK : unknown_route(model, story, ctl_option(args, "why-not"));
}

/* ---- what is known before */

/* {"key", "value"} of leads.state, or one entry of what `leadctl show` prints. */
static int know(struct leads *leads, const struct json *entry, struct err *err)
{
	const char *const names[] = {"value", "lead", "ring"};
	const struct json *value = NULL;
	struct strbuf text = STRBUF_INIT;
	for (size_t i = 0; i < 3 && value == NULL; i++)
		value = json_get(entry, names[i]);
	if (value != NULL && value->type == JSON_IS_STRING) {
		strbuf_append(&text, value->text.p, value->text.len);
	} else if (value != NULL) {
		struct json_writer writer = JSON_WRITER(&text);
		json_put_value(&writer, SLICE_NONE, value);
	}
	int result = rehearsal_know(leads_rehearsal(leads), json_get_text(entry, "key"),
	                            (struct slice){strbuf_text(&text), text.len}, err);
	strbuf_done(&text);
	return result;
}

static int know_document(struct leads *leads, const struct json *document, struct err *err)
{
	if (document->type != JSON_IS_ARRAY)
		return know(leads, document, err);
	int result = 0;
	for (size_t i = 0; i < document->count && result == 0; i++)
		result = know(leads, &document->items[i], err);
	return result;
}

static int read_state(struct leads *leads, const char *file, struct err *err)
{
	struct arena arena = ARENA_INIT;
	struct slice text;
	const struct slice *documents;
	size_t count = 0;
	int result = leads_read_file(file, &arena, &text, err);
	if (result == 0)
		count = leads_split(text, &arena, &documents);
	for (size_t i = 0; i < count && result == 0; i++) {
		const struct json *document = json_read(documents[i], LIMITS, &arena, err);
		result = document != NULL ? know_document(leads, document, err) : -1;
	}
	arena_done(&arena);
	return result;
}

/* ---- leads of a file */

static int explain_one(const struct ctl_args *args, struct leads *leads, size_t number, struct slice document,
                       int64_t now_ms)
{
	struct arena arena = ARENA_INIT;
	struct strbuf text = STRBUF_INIT;
	struct decision decision;
	struct detail detail;
	struct err err = ERR_INIT;
	detail_begin(&detail, &text, ctl_option(args, "unmasked") != NULL);
	json_put_int(&detail.writer, "record", (int64_t)number);
	leads_decide(leads, document, now_ms, &detail.observer, &arena, &decision);
	detail_end(&detail, &decision);
	const struct json *story = json_read_wide((struct slice){text.bytes, text.len}, LIMITS, &arena, &err);
	int code = story != NULL ? ctl_print_story(args, story, leads_model(leads), false) : ctl_fail(CTL_FAILED, &err);
	strbuf_done(&text);
	arena_done(&arena);
	return code;
}

/* One blank line between stories of several lines. */
static bool is_long(const struct ctl_args *args)
{
	return !args->json && ctl_option(args, "short") == NULL && ctl_option(args, "why-not") == NULL;
}

static int explain_all(const struct ctl_args *args, struct leads *leads, struct slice text, struct arena *arena,
                       int64_t now_ms)
{
	const struct slice *documents;
	size_t count = leads_split(text, arena, &documents);
	int code = count != 0 ? CTL_OK : leads_none(args->rest[0]);
	for (size_t i = 0; i < count && code == CTL_OK; i++) {
		if (i > 0 && is_long(args))
			putchar('\n');
		code = explain_one(args, leads, i + 1, documents[i], now_ms);
	}
	return code;
}

static int explain_file(const struct ctl_args *args, const char *file)
{
	const char *at = ctl_option(args, "at"), *state = ctl_option(args, "state");
	int64_t now_ms = at != NULL ? instant_parse(slice_of(at)) : (int64_t)time(NULL) * 1000;
	struct arena arena = ARENA_INIT;
	struct err err = ERR_INIT;
	struct slice text = SLICE_NONE;
	if (now_ms < 0)
		return ctl_usage("--at takes a time such as 2026-11-23T09:00:00Z");
	if (leads_read_file(file, &arena, &text, &err) != 0)
		return ctl_fail(CTL_FAILED, &err);
	struct leads *leads = leads_new(args);
	int code = leads != NULL ? CTL_OK : CTL_CONFIG;
	if (leads != NULL && state != NULL && read_state(leads, state, &err) != 0)
		code = ctl_fail(CTL_FAILED, &err);
	if (code == CTL_OK)
		code = explain_all(args, leads, text, &arena, now_ms);
	leads_free(leads);
	arena_done(&arena);
	return code;
}

/* ---- which of the four it is */

static bool is_file_name(const char *name)
{
	size_t len = strlen(name);
	bool is_json = len > 5 && (strcmp(name + len - 5, ".json") == 0 || (len > 6 && strcmp(name + len - 6, ".jsonl") == 0));
	return strcmp(name, "-") == 0 || strchr(name, '/') != NULL || is_json || access(name, F_OK) == 0;
}

/* A paragraph in lines of at most EXPLAIN_COLUMNS bytes, broken at blanks. */
static void print_wrapped(const char *text)
{
	while (*text != '\0') {
		size_t len = strlen(text), end = len;
		if (len > EXPLAIN_COLUMNS)
			for (end = EXPLAIN_COLUMNS; end > 0 && text[end] != ' ';)
				end--;
		if (end == 0) /* one long word */
			end = strcspn(text, " ");
		printf("%.*s\n", (int)end, text);
		text += end + strspn(text + end, " ");
	}
}

static int explain_code(enum err_code code)
{
	printf("%s %s\n", err_number(code), err_word(code));
	print_wrapped(err_sentence(code));
	putchar('\n');
	print_wrapped(err_advice(code));
	return CTL_OK;
}

/* LR and digits is a code and nothing else, also when there is none of that number. */
static bool is_code(const char *name)
{
	return strncmp(name, "LR", 2) == 0 && name[2] != '\0' && strspn(name + 2, "0123456789") == strlen(name + 2);
}

int ctl_explain(const struct ctl_args *args)
{
	if (args->rest_count != 1)
		return ctl_usage("name one code, one file of leads (- for standard input) or one lead id");
	const char *name = args->rest[0];
	enum err_code code = err_lookup(name);
	if (code != ERR_NONE)
		return explain_code(code);
	if (is_code(name))
		return ctl_usage("there is no code `%s`", name);
	return is_file_name(name) ? explain_file(args, name) : ctl_explain_lead(args, name, false);
}
