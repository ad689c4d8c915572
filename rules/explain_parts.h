/* SPDX-License-Identifier: Apache-2.0
 *
 * Small pieces of text out of JSON, for the renderers of events (explain.c) and of stories (story.c).
 */
#ifndef LR_RULES_EXPLAIN_PARTS_H
#define LR_RULES_EXPLAIN_PARTS_H

#include "rules/base/strbuf.h"
#include "rules/json.h"

static inline void put(struct strbuf *out, struct slice text)
{
	strbuf_append(out, text.p, text.len);
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
