/* SPDX-License-Identifier: Apache-2.0
 *
 * See cloudevents.h. Attribute names and the content types are those of the Kafka protocol binding, version 1.0.2.
 */
#include "daemon/cloudevents.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rules/base/strbuf.h"

enum { OWN_HEADERS_MAX = 10 };

struct headers {
	struct header *items;
	size_t count;
};

static void add(struct headers *headers, struct slice name, struct slice value)
{
	headers->items[headers->count++] = (struct header){name, value};
}

void cloudevents_time(int64_t at_ms, char ret_text[CLOUDEVENTS_TIME_BYTES])
{
	static const int64_t FIRST = -62167219200000, LAST = 253402300799999; /* 0000-01-01 … 9999-12-31 */
	if (at_ms < FIRST)
		at_ms = FIRST;
	if (at_ms > LAST)
		at_ms = LAST;
	int64_t millis = ((at_ms % 1000) + 1000) % 1000;
	time_t seconds = (time_t)((at_ms - millis) / 1000);
	struct tm tm;
	gmtime_r(&seconds, &tm);
	size_t len = strftime(ret_text, CLOUDEVENTS_TIME_BYTES, "%Y-%m-%dT%H:%M:%S", &tm);
	/* strftime writes years below 1000 with fewer digits; leads are younger than that, but the form must hold */
	if (len < 19) {
		memmove(ret_text + (19 - len), ret_text, len + 1);
		memset(ret_text, '0', 19 - len);
	}
	snprintf(ret_text + 19, CLOUDEVENTS_TIME_BYTES - 19, ".%03dZ", (int)millis);
}

static struct slice type_of(const struct cloudevents_options *options, const struct event *event, struct arena *arena)
{
	return slice_of(arena_printf(arena, "%s%s%s", options->type_prefix ? options->type_prefix : "", event->type,
	                             options->type_suffix ? options->type_suffix : ""));
}

static struct slice time_of(const struct event *event, struct arena *arena)
{
	char text[CLOUDEVENTS_TIME_BYTES];
	cloudevents_time(event->at_ms, text);
	return slice_of(arena_strdup(arena, text));
}

static void add_events_own(struct headers *headers, const struct event *event)
{
	for (size_t i = 0; i < event->header_count; i++)
		headers->items[headers->count++] = event->headers[i];
}

static void add_binary(struct headers *headers, const struct cloudevents_options *options, const struct event *event,
                       struct arena *arena)
{
	add(headers, SLICE("ce_specversion"), SLICE("1.0"));
	add(headers, SLICE("ce_id"), event->id);
	add(headers, SLICE("ce_type"), type_of(options, event, arena));
	add(headers, SLICE("ce_source"), slice_of(options->source));
	add(headers, SLICE("ce_time"), time_of(event, arena));
	if (event->subject.len > 0)
		add(headers, SLICE("ce_subject"), event->subject);
	if (event->has_value)
		add(headers, SLICE("content-type"), SLICE("application/json"));
}

static void add_rejected(struct headers *headers, const struct event *event)
{
	add_events_own(headers, event);
	add(headers, SLICE("lr_id"), event->id);
	add(headers, SLICE("lr_type"), slice_of(event->type));
	add(headers, SLICE("lr_cause"), event->cause);
}

/* JSON text of a string. Ids, subjects and sources are UTF-8 without NUL (the core has checked what came from outside). */
static void put_json(struct strbuf *buf, struct slice text)
{
	strbuf_putc(buf, '"');
	for (size_t i = 0; i < text.len; i++) {
		unsigned char byte = (unsigned char)text.p[i];
		if (byte == '"' || byte == '\\')
			strbuf_putc(buf, '\\');
		if (byte < 0x20)
			strbuf_printf(buf, "\\u%04x", byte);
		else
			strbuf_putc(buf, (char)byte);
	}
	strbuf_putc(buf, '"');
}

static void put_member(struct strbuf *buf, const char *name, struct slice value)
{
	strbuf_printf(buf, "\"%s\":", name);
	put_json(buf, value);
	strbuf_putc(buf, ',');
}

static struct slice structured_value(const struct cloudevents_options *options, const struct event *event,
                                     struct arena *arena)
{
	struct strbuf buf = STRBUF_INIT;
	strbuf_puts(&buf, "{\"specversion\":\"1.0\",");
	put_member(&buf, "id", event->id);
	put_member(&buf, "type", type_of(options, event, arena));
	put_member(&buf, "source", slice_of(options->source));
	if (event->subject.len > 0)
		put_member(&buf, "subject", event->subject);
	strbuf_puts(&buf, "\"time\":");
	put_json(&buf, time_of(event, arena));
	if (event->has_value) {
		strbuf_puts(&buf, ",\"datacontenttype\":\"application/json\",\"data\":");
		strbuf_append(&buf, event->value.p, event->value.len);
	}
	strbuf_putc(&buf, '}');
	struct slice value = {arena_memdupz(arena, buf.bytes, buf.len), buf.len};
	strbuf_done(&buf);
	return value;
}

void cloudevents_message(const struct cloudevents_options *options, const struct event *event, struct arena *arena,
                         struct cloudevents_message *ret)
{
	struct headers headers = {arena_array(arena, event->header_count + OWN_HEADERS_MAX, sizeof(struct header)), 0};
	*ret = (struct cloudevents_message){headers.items, 0, event->has_value, event->value};
	if (event->topic == OUT_REJECTED) {
		add_rejected(&headers, event);
	} else if (options->structured) {
		add(&headers, SLICE("content-type"), SLICE("application/cloudevents+json; charset=UTF-8"));
		add(&headers, SLICE("lr_cause"), event->cause);
		add_events_own(&headers, event);
		ret->value = structured_value(options, event, arena);
		ret->has_value = true;
	} else {
		add_binary(&headers, options, event, arena);
		add(&headers, SLICE("lr_cause"), event->cause);
		add_events_own(&headers, event);
	}
	ret->header_count = headers.count;
}
