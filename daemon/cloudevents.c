/* SPDX-License-Identifier: Apache-2.0
 *
 * See cloudevents.h. Attribute names and the content types are those of the Kafka protocol binding, version 1.0.2.
 */
#include "daemon/cloudevents.h"

#include <string.h>

#include "rules/base/strbuf.h"
#include "rules/text/date.h"

enum { OWN_HEADERS_MAX = 10 };

struct headers {
	struct header *items;
	size_t count;
};

static void add(struct headers *headers, struct slice name, struct slice value)
{
	headers->items[headers->count++] = (struct header){name, value};
}

static void put_digits(char *to, int count, int64_t value)
{
	for (int i = count - 1; i >= 0; i--, value /= 10)
		to[i] = (char)('0' + value % 10);
}

/* Once per event: without the locks and tables of the C library. */
void cloudevents_time(int64_t at_ms, char ret_text[CLOUDEVENTS_TIME_BYTES])
{
	static const int64_t FIRST = -62167219200000, LAST = 253402300799999; /* 0000-01-01 … 9999-12-31 */
	if (at_ms < FIRST)
		at_ms = FIRST;
	if (at_ms > LAST)
		at_ms = LAST;
	const int64_t day_ms = (int64_t)SECONDS_PER_DAY * 1000;
	int64_t day = at_ms / day_ms - (at_ms % day_ms < 0), rest = at_ms - day * day_ms, year;
	int month, day_of_month;
	date_from_day(day, &year, &month, &day_of_month);
	static const char form[] = "0000-00-00T00:00:00.000Z";
	memcpy(ret_text, form, sizeof form);
	put_digits(ret_text, 4, year);
	put_digits(ret_text + 5, 2, month);
	put_digits(ret_text + 8, 2, day_of_month);
	put_digits(ret_text + 11, 2, rest / 3600000);
	put_digits(ret_text + 14, 2, rest / 60000 % 60);
	put_digits(ret_text + 17, 2, rest / 1000 % 60);
	put_digits(ret_text + 20, 3, rest % 1000);
}

static struct slice type_of(const struct cloudevents_options *options, const struct event *event, struct arena *arena)
{
	return ARENA_JOIN(arena, slice_of(options->type_prefix), slice_of(event->type), slice_of(options->type_suffix));
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
