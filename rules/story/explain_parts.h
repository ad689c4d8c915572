/* SPDX-License-Identifier: Apache-2.0
 *
 * Small pieces of text out of JSON, for the renderers of events (explain.c) and of stories (story.c).
 */
#ifndef LR_RULES_STORY_EXPLAIN_PARTS_H
#define LR_RULES_STORY_EXPLAIN_PARTS_H

#include "rules/base/strbuf.h"
#include "rules/json/json.h"

/* How many bytes of the text are a control character (C0, DEL, or C1 in UTF-8) at its beginning, 0 none. */
static inline size_t control_len(struct slice text)
{
	unsigned char first = (unsigned char)text.p[0];
	if (first < 0x20 || first == 0x7f)
		return 1;
	return first == 0xc2 && text.len > 1 && (unsigned char)text.p[1] < 0xa0 ? 2 : 0;
}

/* What others wrote may end up on somebody's terminal: a control character becomes U+FFFD. */
static inline void put(struct strbuf *out, struct slice text)
{
	while (text.len > 0) {
		size_t bad = control_len(text), len = 0;
		while (bad == 0 && len < text.len && control_len((struct slice){text.p + len, text.len - len}) == 0)
			len++;
		strbuf_append(out, text.p, len);
		if (bad != 0)
			strbuf_puts(out, "\xef\xbf\xbd");
		text.p += len + bad;
		text.len -= len + bad;
	}
}

static inline void put_text(struct strbuf *out, const struct json *object, const char *name)
{
	put(out, json_get_text(object, name));
}

static inline int64_t int_of(const struct json *object, const char *name)
{
	const struct json *value = json_get(object, name);
	return value != NULL && value->type == JSON_IS_INT ? value->integer : 0;
}

static inline bool is_true(const struct json *object, const char *name)
{
	const struct json *value = json_get(object, name);
	return value != NULL && value->type == JSON_IS_BOOL && value->boolean;
}

static inline size_t count_of(const struct json *list)
{
	return list != NULL && list->type == JSON_IS_ARRAY ? list->count : 0;
}

/* On one line: blanks and line breaks in a row become one blank. */
static inline void put_joined(struct strbuf *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		bool is_blank = text.p[i] == ' ' || text.p[i] == '\n' || text.p[i] == '\r' || text.p[i] == '\t';
		if (!is_blank)
			strbuf_putc(out, text.p[i]);
		else if (out->len > 0 && out->bytes[out->len - 1] != ' ')
			strbuf_putc(out, ' ');
	}
}

/* "grade_stops" -> "grade stops" */
static inline void put_words(struct strbuf *out, struct slice code)
{
	for (size_t i = 0; i < code.len; i++)
		strbuf_putc(out, code.p[i] == '_' ? ' ' : code.p[i]);
}

/* The text of a member between two others; nothing at all when it is absent. */
static inline void put_between(struct strbuf *out, const char *before, const struct json *object, const char *name, const char *after)
{
	struct slice text = json_get_text(object, name);
	if (text.len == 0)
		return;
	strbuf_puts(out, before);
	put(out, text);
	strbuf_puts(out, after);
}

/* " (routes.yaml:12)" */
static inline void put_place(struct strbuf *out, const struct json *item)
{
	if (json_get_text(item, "file").len == 0)
		return;
	strbuf_puts(out, " (");
	put_text(out, item, "file");
	strbuf_putc(out, ':');
	strbuf_put_int(out, int_of(item, "line"));
	strbuf_putc(out, ')');
}

/* A label in the first column. */
static inline void begin_line(struct strbuf *out, const char *label)
{
	strbuf_printf(out, "%-10s", label);
}

/* " [lead.source = "web", lead.company.employees absent]" */
static inline void put_values(struct strbuf *out, const struct json *item)
{
	const struct json *values = json_get(item, "values");
	for (size_t i = 0; i < count_of(values); i++) {
		strbuf_puts(out, i ? ", " : " [");
		put_text(out, &values->items[i], "name");
		strbuf_puts(out, is_true(&values->items[i], "absent") ? " absent" : " = ");
		put_text(out, &values->items[i], "value");
	}
	if (count_of(values) > 0)
		strbuf_putc(out, ']');
}

/* What was in the way: ": lead.source == "partner" [lead.source = "web"]". */
static inline void put_obstacle(struct strbuf *out, const struct json *item)
{
	const char *const details[] = {"clause", "error"};
	for (size_t i = 0; i < 2; i++)
		if (json_get_text(item, details[i]).len != 0) {
			strbuf_puts(out, ": ");
			put_joined(out, json_get_text(item, details[i]));
		}
	put_values(out, item);
}

#endif
