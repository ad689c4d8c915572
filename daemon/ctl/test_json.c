/* SPDX-License-Identifier: Apache-2.0
 *
 * YAML values as JSON, and both as a reader of a failed test sees them. A scalar without quotes is what it looks like:
 * true, false, null, a number, else text; a declared text field of a lead is text whatever it looks like, so that
 * `postal_code: 10115` needs no quotes.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/ctl/test.h"
#include "rules/base/diag.h"
#include "rules/base/suggest.h"
#include "rules/json/json.h"
#include "rules/json/tree.h"
#include "rules/schema.h"

enum { SHOWN_BYTES_MAX = 240 };

struct putter {
	struct json_writer writer;
	const struct test_file *file;
	int64_t number; /* 0: `{n}` stays */
};

/* ---- scalars */

/* JSON's own grammar of numbers: 007 and 1_000 are text. */
static bool is_number(struct slice text)
{
	size_t at = text.len > 0 && text.p[0] == '-';
	size_t start = at;
	while (at < text.len && text.p[at] >= '0' && text.p[at] <= '9')
		at++;
	if (at == start || at - start > 15 || (text.p[start] == '0' && at - start > 1))
		return false;
	if (at == text.len)
		return true;
	start = at + 1;
	if (text.p[at++] != '.')
		return false;
	while (at < text.len && text.p[at] >= '0' && text.p[at] <= '9')
		at++;
	return at > start && at == text.len && at - start <= 15;
}

static struct slice numbered(const struct putter *putter, struct slice text, struct strbuf *scratch)
{
	const char *mark;
	if (putter->number == 0 || (mark = memmem(text.p, text.len, "{n}", 3)) == NULL)
		return text;
	do {
		strbuf_append(scratch, text.p, (size_t)(mark - text.p));
		strbuf_put_int(scratch, putter->number);
		text.len -= (size_t)(mark - text.p) + 3;
		text.p = mark + 3;
	} while (text.len > 0 && (mark = memmem(text.p, text.len, "{n}", 3)) != NULL);
	strbuf_append(scratch, text.p, text.len);
	return (struct slice){scratch->bytes, scratch->len};
}

static void put_text(struct putter *putter, struct slice name, struct slice text)
{
	struct strbuf scratch = STRBUF_INIT;
	json_put_text_as(&putter->writer, name, numbered(putter, text, &scratch));
	strbuf_done(&scratch);
}

/* "at" and "…_at" are times, and so are "until" and "date" of activities: local ones get their offset here. */
static bool is_time_name(struct slice name)
{
	return slice_is(name, "at") || slice_is(name, "until") || slice_is(name, "date") ||
	       (name.len > 3 && memcmp(name.p + name.len - 3, "_at", 3) == 0);
}

static bool put_time(struct putter *putter, struct slice name, struct slice text)
{
	int64_t ms = test_time_parse(text, putter->file->zone);
	if (ms < 0)
		return false;
	json_put_time_as(&putter->writer, name, ms);
	return true;
}

static void put_plain(struct putter *putter, struct slice name, const struct node *node)
{
	if (node_is_empty(node))
		json_put_null_as(&putter->writer, name);
	else if (slice_is(node->text, "true") || slice_is(node->text, "false"))
		json_put_bool_as(&putter->writer, name, slice_is(node->text, "true"));
	else if (is_number(node->text))
		json_put_raw_as(&putter->writer, name, node->text);
	else if (!is_time_name(name) || !put_time(putter, name, node->text))
		put_text(putter, name, node->text);
}

static void put_value(struct putter *putter, struct slice name, const struct node *node)
{
	switch (node->kind) {
	case NODE_SCALAR:
		if (node->style == NODE_PLAIN)
			put_plain(putter, name, node);
		else
			put_text(putter, name, node->text);
		return;
	case NODE_SEQUENCE:
		json_open_array_as(&putter->writer, name);
		for (size_t i = 0; i < node->count; i++)
			put_value(putter, SLICE_NONE, node->items[i]);
		json_close_array(&putter->writer);
		return;
	case NODE_MAPPING:
		json_open_object_as(&putter->writer, name);
		for (size_t i = 0; i < node->count; i++)
			put_value(putter, node->members[i].key->text, node->members[i].value);
		json_close_object(&putter->writer);
		return;
	}
}

/* ---- leads */

static const struct schema_row *find_row(enum schema_object object, struct slice name)
{
	size_t count;
	const struct schema_row *rows = schema_rows(object, &count);
	for (size_t i = 0; i < count; i++)
		if (slice_equal(rows[i].name, name))
			return &rows[i];
	return NULL;
}

static void report_field(enum schema_object object, const struct node *key, struct diags *diags)
{
	size_t count;
	const struct schema_row *rows = schema_rows(object, &count);
	struct suggest suggest = suggest_for(key->text);
	for (size_t i = 0; i < count; i++)
		suggest_offer(&suggest, rows[i].name);
	struct diag *diag = diags_add(diags, ERR_UNKNOWN_KEY, key->span, "a lead has no field `%.*s` here", SLICE_ARG(key->text));
	diag_did_you_mean(diags, diag, suggest.best);
	diag_help(diags, diag, "what is not declared goes into `attributes`, or send it as a `record`");
}

static bool check_object(enum schema_object object, const struct node *node, struct diags *diags)
{
	bool is_fine = true;
	for (size_t i = 0; i < node->count; i++) {
		const struct node_member *member = &node->members[i];
		const struct schema_row *row = find_row(object, member->key->text);
		if (row == NULL)
			report_field(object, member->key, diags);
		is_fine &= row != NULL;
		if (row != NULL && row->kind == SCHEMA_PART && !node_is_empty(member->value))
			is_fine &= node_expect_mapping(member->value, "this part of a lead", diags) &&
			           check_object(row->part, member->value, diags);
	}
	return is_fine;
}

bool test_lead_check(const struct node *lead, struct diags *diags)
{
	return check_object(SCHEMA_LEAD, lead, diags);
}

static void put_object(struct putter *putter, enum schema_object object, struct slice name, const struct node *node)
{
	json_open_object_as(&putter->writer, name);
	for (size_t i = 0; i < node->count; i++) {
		const struct node_member *member = &node->members[i];
		const struct schema_row *row = find_row(object, member->key->text);
		if (row->kind == SCHEMA_PART && member->value->kind == NODE_MAPPING)
			put_object(putter, row->part, member->key->text, member->value);
		else if (row->kind == SCHEMA_TEXT && member->value->kind == NODE_SCALAR && !node_is_empty(member->value))
			put_text(putter, member->key->text, member->value->text);
		else
			put_value(putter, member->key->text, member->value);
	}
	json_close_object(&putter->writer);
}

void test_put_lead(struct strbuf *out, const struct node *lead, const struct test_file *file, int64_t number)
{
	struct putter putter = {JSON_WRITER(out), file, number};
	put_object(&putter, SCHEMA_LEAD, SLICE_NONE, lead);
}

void test_put_value(struct strbuf *out, const struct node *value, const struct test_file *file, int64_t number)
{
	struct putter putter = {JSON_WRITER(out), file, number};
	put_value(&putter, SLICE_NONE, value);
}

/* ---- for people */

/* Never in the middle of a character. */
static void put_cut(struct strbuf *out, struct slice text)
{
	size_t len = text.len;
	if (len > SHOWN_BYTES_MAX)
		for (len = SHOWN_BYTES_MAX; len > 0 && ((unsigned char)text.p[len] & 0xC0) == 0x80;)
			len--;
	strbuf_append(out, text.p, len);
	if (len < text.len)
		strbuf_puts(out, "…");
}

void test_json_show(struct strbuf *out, const struct json *json)
{
	struct strbuf text = STRBUF_INIT;
	if (json == NULL || json->type == JSON_IS_NULL) {
		strbuf_puts(out, "nothing");
		return;
	}
	if (json->type == JSON_IS_STRING) {
		put_cut(out, json->text);
		return;
	}
	struct json_writer writer = JSON_WRITER(&text);
	json_put_value(&writer, SLICE_NONE, json);
	put_cut(out, (struct slice){text.bytes, text.len});
	strbuf_done(&text);
}

static void show_node(struct strbuf *out, const struct node *node)
{
	switch (node->kind) {
	case NODE_SCALAR:
		if (node_is_empty(node))
			strbuf_puts(out, "nothing");
		else
			strbuf_append(out, node->text.p, node->text.len);
		return;
	case NODE_SEQUENCE:
		strbuf_putc(out, '[');
		for (size_t i = 0; i < node->count; i++) {
			strbuf_puts(out, i > 0 ? ", " : "");
			show_node(out, node->items[i]);
		}
		strbuf_putc(out, ']');
		return;
	case NODE_MAPPING:
		strbuf_putc(out, '{');
		for (size_t i = 0; i < node->count; i++) {
			strbuf_printf(out, "%s%.*s: ", i > 0 ? ", " : "", SLICE_ARG(node->members[i].key->text));
			show_node(out, node->members[i].value);
		}
		strbuf_putc(out, '}');
		return;
	}
}

void test_node_show(struct strbuf *out, const struct node *node)
{
	struct strbuf text = STRBUF_INIT;
	show_node(&text, node);
	put_cut(out, (struct slice){text.bytes, text.len});
	strbuf_done(&text);
}
