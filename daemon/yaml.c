/* SPDX-License-Identifier: Apache-2.0
 *
 * The events drive a stack of open collections:
 *
 *     MAPPING_START  push         SCALAR  append to the top          MAPPING_END  seal the top, pop, append to the next
 *
 * A mapping collects its keys and values alternately. Children gather on the heap while a collection is open and move
 * to the arena when it is sealed.
 */
#include "daemon/yaml.h"

#include <assert.h>
#include <libfyaml.h>
#include <stdlib.h>

#include "daemon/yaml_scalar.h"
#include "rules/base/arena.h"
#include "rules/base/diag.h"
#include "rules/base/map.h"
#include "rules/base/mem.h"
#include "rules/base/utf8.h"
#include "rules/json/tree.h"

struct open_node {
	struct node *node;
	const struct node **children;
	size_t count, capacity;
	bool is_flow; /* opened by [ or { */
};

struct reader {
	const struct source *source;
	struct arena *arena;
	struct diags *diags;
	struct open_node stack[YAML_DEPTH_MAX];
	size_t depth;
	size_t node_count;
	size_t last_end;         /* where the last token ended: the place of an empty value */
	const struct node *root; /* the finished document */
	size_t documents;
	bool has_failed, must_stop;
	bool is_lossy; /* something that stands in the file is not in the tree */
};

static struct source_span span_between(const struct reader *reader, size_t from, size_t to)
{
	return (struct source_span){reader->source, from, to > from ? to - from : 0};
}

static struct source_span span_of_token(const struct reader *reader, struct fy_token *token)
{
	const struct fy_mark *start = token ? fy_token_start_mark(token) : NULL;
	const struct fy_mark *end = token ? fy_token_end_mark(token) : NULL;
	if (start == NULL)
		return span_between(reader, reader->last_end, reader->last_end);
	return span_between(reader, start->input_pos, end ? end->input_pos : start->input_pos);
}

static struct diag *refuse(struct reader *reader, enum err_code code, struct source_span span, const char *message)
{
	reader->has_failed = true;
	return diags_add(reader->diags, code, span, "%s", message);
}

static void refuse_properties(struct reader *reader, struct fy_token *anchor, struct fy_token *tag)
{
	if (anchor != NULL) {
		struct diag *diag = refuse(reader, ERR_YAML_FEATURE, span_of_token(reader, anchor), "anchors are not supported");
		diag_help(reader->diags, diag, "write the value where it is needed; put text that starts with & in quotes");
	}
	if (tag != NULL) {
		struct diag *diag = refuse(reader, ERR_YAML_FEATURE, span_of_token(reader, tag), "tags are not supported");
		diag_help(reader->diags, diag, "the key decides what a value means; put text that starts with ! in quotes");
	}
}

static void refuse_alias(struct reader *reader, struct fy_token *token)
{
	struct diag *diag = refuse(reader, ERR_YAML_FEATURE, span_of_token(reader, token), "aliases are not supported");
	diag_help(reader->diags, diag, "write the value where it is needed; put text that starts with * in quotes");
}

/* Stands for a value that cannot be known; what holds it is sealed without it. */
static bool is_unknown(const struct node *node)
{
	return node->kind == NODE_SCALAR && node->text.p == NULL;
}

static struct node *node_new(struct reader *reader, enum node_kind kind, struct source_span span)
{
	if (++reader->node_count > YAML_NODES_MAX && !reader->must_stop) {
		refuse(reader, ERR_TOO_MANY, span, "the file has more than 1000000 values");
		reader->must_stop = true;
	}
	struct node *node = arena_alloc(reader->arena, sizeof *node);
	node->kind = kind;
	node->span = span;
	return node;
}

static void append(struct reader *reader, const struct node *node)
{
	if (reader->depth == 0) {
		reader->root = node;
		return;
	}
	struct open_node *top = &reader->stack[reader->depth - 1];
	if (top->count == top->capacity) {
		top->capacity = top->capacity ? top->capacity * 2 : 8;
		top->children = xreallocarray(top->children, top->capacity, sizeof *top->children);
	}
	top->children[top->count++] = node;
}

static bool is_key(const struct reader *reader)
{
	const struct open_node *top = reader->depth ? &reader->stack[reader->depth - 1] : NULL;
	return top != NULL && top->node->kind == NODE_MAPPING && top->count % 2 == 0;
}

static enum yaml_style style_of(struct fy_token *token)
{
	switch (fy_scalar_token_get_style(token)) {
	case FYSS_SINGLE_QUOTED:
		return YAML_SINGLE;
	case FYSS_DOUBLE_QUOTED:
		return YAML_DOUBLE;
	case FYSS_LITERAL:
		return YAML_LITERAL;
	case FYSS_FOLDED:
		return YAML_FOLDED;
	default:
		return YAML_PLAIN;
	}
}

static enum node_style node_style_of(enum yaml_style style)
{
	if (style == YAML_PLAIN)
		return NODE_PLAIN;
	return style == YAML_LITERAL || style == YAML_FOLDED ? NODE_BLOCK : NODE_QUOTED;
}

static size_t first_text_of_block(const struct source *source, size_t at)
{
	while (at < source->text.len && (source->text.p[at] == ' ' || source->text.p[at] == '\n' || source->text.p[at] == '\r'))
		at++;
	return at;
}

/* The text of a block without any is empty: libfyaml 0.7 makes a NUL of one that ends with the file ("k: >\n "). */
static bool is_blank(struct slice raw)
{
	for (size_t i = 0; i < raw.len; i++)
		if (strchr(" \t\r\n", raw.p[i]) == NULL)
			return false;
	return true;
}

static void decode(struct reader *reader, struct node *node, struct fy_token *token)
{
	enum yaml_style style = style_of(token);
	size_t offset = node->span.offset, len = 0;
	struct slice raw = {reader->source->text.p + offset, node->span.len};
	const char *text = fy_token_get_text(token, &len);
	node->style = node_style_of(style);
	if (node->style == NODE_BLOCK && is_blank(raw))
		len = 0;
	node->text = (struct slice){arena_memdupz(reader->arena, text, len), len};
	yaml_scalar_pieces(style, raw, offset, node->text, reader->arena, &node->pieces, &node->piece_count);
	if (node->style == NODE_BLOCK)
		node->span = span_between(reader, first_text_of_block(reader->source, offset), offset + raw.len);
	reader->last_end = offset + raw.len;
}

static void on_scalar(struct reader *reader, struct fy_token *token)
{
	struct source_span span = span_of_token(reader, token);
	struct node *node = node_new(reader, NODE_SCALAR, span);
	node->text = SLICE("");
	if (token != NULL && fy_token_start_mark(token) != NULL)
		decode(reader, node, token);
	if (is_key(reader) && node->style == NODE_PLAIN && slice_is(node->text, "<<")) {
		struct diag *diag = refuse(reader, ERR_YAML_FEATURE, span, "merge keys are not supported");
		diag_help(reader->diags, diag, "write the keys where they are needed");
		node->text = SLICE_NONE;
	}
	append(reader, node);
}

static void on_alias(struct reader *reader, struct fy_token *token)
{
	refuse_alias(reader, token);
	append(reader, node_new(reader, NODE_SCALAR, span_of_token(reader, token)));
}

static void on_open(struct reader *reader, enum node_kind kind, struct fy_token *token)
{
	struct source_span span = span_of_token(reader, token);
	if (is_key(reader))
		refuse(reader, ERR_YAML_FEATURE, span, "a key must be text, not a list or a mapping");
	if (reader->depth == YAML_DEPTH_MAX) {
		refuse(reader, ERR_TOO_MANY, span, "nested more than 32 deep");
		reader->must_stop = true;
		return;
	}
	struct node *node = node_new(reader, kind, span);
	reader->last_end = span.offset;
	reader->stack[reader->depth++] = (struct open_node){.node = node, .is_flow = span.len != 0};
}

/* Keeps the first of members with the same key; returns how many are left. */
static size_t refuse_repeated_keys(struct reader *reader, struct node_member *members, size_t count)
{
	static const uint64_t seed[2] = {0x6c656164, 0x726f7574}; /* who writes the file may slow only his own check */
	struct map seen;
	size_t kept = 0;
	map_init(&seen, seed);
	for (size_t i = 0; i < count; i++) {
		const struct node *key = members[i].key;
		const struct node *first = map_get(&seen, key->text);
		if (first == NULL) {
			map_put(&seen, key->text, (void *)(uintptr_t)key);
			members[kept++] = members[i];
			continue;
		}
		reader->has_failed = true;
		struct diag *diag = diags_add(reader->diags, ERR_DUPLICATE, key->span, "the key `%.*s` appears twice",
		                              SLICE_ARG(key->text));
		diag_second(reader->diags, diag, first->span, "first defined here");
	}
	map_done(&seen);
	return kept;
}

/* Those whose value cannot be known go. */
static size_t keep_known(struct node_member *members, size_t count)
{
	size_t kept = 0;
	for (size_t i = 0; i < count; i++)
		if (!is_unknown(members[i].value))
			members[kept++] = members[i];
	return kept;
}

static void seal_mapping(struct reader *reader, struct open_node *open)
{
	struct node_member *members = arena_array(reader->arena, open->count / 2, sizeof *members);
	size_t count = 0;
	for (size_t i = 0; i + 1 < open->count; i += 2) {
		const struct node *key = open->children[i], *value = open->children[i + 1];
		if (key->kind == NODE_SCALAR && !is_unknown(key))
			members[count++] = (struct node_member){key, value};
	}
	size_t different = refuse_repeated_keys(reader, members, count), known = keep_known(members, different);
	reader->is_lossy |= count != open->count / 2 || known != different;
	open->node->members = members;
	open->node->count = known;
}

static void seal_sequence(struct reader *reader, struct open_node *open)
{
	const struct node **items = arena_array(reader->arena, open->count, sizeof *items);
	size_t count = 0;
	for (size_t i = 0; i < open->count; i++)
		if (!is_unknown(open->children[i]))
			items[count++] = open->children[i];
	reader->is_lossy |= count != open->count;
	open->node->items = items;
	open->node->count = count;
}

static void on_close(struct reader *reader, struct fy_token *token)
{
	assert(reader->depth > 0); /* the parser's events are balanced */
	struct open_node *open = &reader->stack[--reader->depth];
	struct source_span end = span_of_token(reader, token);
	if (open->is_flow)
		reader->last_end = end.offset + end.len;
	if (open->node->kind == NODE_MAPPING)
		seal_mapping(reader, open);
	else
		seal_sequence(reader, open);
	free(open->children);
	append(reader, open->node);
}

static void on_document(struct reader *reader, struct fy_token *token)
{
	if (++reader->documents < 2)
		return;
	refuse(reader, ERR_YAML_FEATURE, span_of_token(reader, token), "a second document begins here; a file holds one");
	reader->must_stop = true;
	reader->is_lossy = true;
}

static void on_event(struct reader *reader, const struct fy_event *event)
{
	switch (event->type) {
	case FYET_DOCUMENT_START:
		on_document(reader, event->document_start.document_start);
		break;
	case FYET_MAPPING_START:
		refuse_properties(reader, event->mapping_start.anchor, event->mapping_start.tag);
		on_open(reader, NODE_MAPPING, event->mapping_start.mapping_start);
		break;
	case FYET_SEQUENCE_START:
		refuse_properties(reader, event->sequence_start.anchor, event->sequence_start.tag);
		on_open(reader, NODE_SEQUENCE, event->sequence_start.sequence_start);
		break;
	case FYET_MAPPING_END:
		on_close(reader, event->mapping_end.mapping_end);
		break;
	case FYET_SEQUENCE_END:
		on_close(reader, event->sequence_end.sequence_end);
		break;
	case FYET_SCALAR:
		refuse_properties(reader, event->scalar.anchor, event->scalar.tag);
		on_scalar(reader, event->scalar.value);
		break;
	case FYET_ALIAS:
		on_alias(reader, event->alias.anchor);
		break;
	case FYET_NONE:
	case FYET_STREAM_START:
	case FYET_STREAM_END:
	case FYET_DOCUMENT_END:
		break;
	}
}

static bool is_tab_in_indentation(struct slice line)
{
	for (size_t i = 0; i < line.len && (line.p[i] == ' ' || line.p[i] == '\t'); i++)
		if (line.p[i] == '\t')
			return true;
	return false;
}

/* What to do about what the library says, by how its words begin. */
static const char *advice_for(const char *message)
{
	static const struct {
		const char *words, *advice;
	} rows[] = {
		{"wrongly indented sequence item", "the items of one list begin in one column"},
		{"did not find expected '-'", "the keys of one item stand in one column, and the next item begins with `- ` where the others do"},
		{"did not find expected key", "the keys of one mapping stand in one column, each with a `:` behind it"},
		{"invalid trailing content after", "quotes inside quotes: put the whole in single quotes, as in 'grade == \"A\"'"},
		{"invalid nested block mapping on the same line", "a text with `: ` in it is put in single quotes as a whole"},
		{"mismatched flow", "a bracket that was opened before it is not closed"},
		{"invalid multiline plain key", "a key has a `:` and a blank behind it, and an item of a list begins with `- `"},
		{"missing ':'", "a key has a `:` and a blank behind it, and an item of a list begins with `- `"},
		{"invalid scalar at the end of block sequence", "another item begins with `- ` where the others do; a key of the list's owner stands further left"},
		{"plain scalar cannot start with", "put the whole text in single quotes"},
	};
	for (size_t i = 0; message != NULL && i < sizeof rows / sizeof *rows; i++)
		if (strncmp(message, rows[i].words, strlen(rows[i].words)) == 0)
			return rows[i].advice;
	return NULL;
}

static const struct open_node *innermost_flow(const struct reader *reader)
{
	for (size_t i = reader->depth; i-- > 0;)
		if (reader->stack[i].is_flow)
			return &reader->stack[i];
	return NULL;
}

/* Inside of `{…}` or `[…]` a text without quotes ends sooner than people think. */
static const char *flow_advice(const struct reader *reader, const struct open_node *flow, struct source_span at,
                               const char *message)
{
	unsigned line = source_place_of(reader->source, at.offset).line;
	bool is_about_commas = message != NULL && strstr(message, "missing comma in flow") != NULL;
	if (flow == NULL || (!is_about_commas && advice_for(message) != NULL))
		return NULL;
	if (source_place_of(reader->source, flow->node->span.offset).line != line)
		return flow->node->kind == NODE_MAPPING ? "a `}` or a comma is missing before this; behind ` #` all is a comment"
		                                        : "a `]` or a comma is missing before this; behind ` #` all is a comment";
	if (is_about_commas && at.offset > 0 && strchr("'\"", reader->source->text.p[at.offset - 1]) != NULL)
		return advice_for("invalid trailing content after"); /* the text ended at a quote that was meant to be in it */
	return is_about_commas ? "a text with a bracket, a brace, `, ` or `: ` in it is put in single quotes as a whole, as in "
	                         "'lead.source in [\"web\", \"fair\"]'"
	                       : NULL;
}

/* The library's words, our place; frequent causes are named: an open bracket, a tab. */
static void report_syntax(struct reader *reader, const struct fy_diag_error *error)
{
	struct source_span span = span_of_token(reader, error->fyt);
	if (error->fyt == NULL || fy_token_start_mark(error->fyt) == NULL) {
		size_t line = error->line > 0 ? (size_t)error->line - 1 : 0;
		size_t start = line < reader->source->line_count ? reader->source->line_starts[line] : reader->source->text.len;
		span = span_between(reader, start, start);
	}
	reader->has_failed = true;
	struct diag *diag = diags_add(reader->diags, ERR_YAML_SYNTAX, span, "%s", error->msg ? error->msg : "not YAML");
	const struct open_node *flow = innermost_flow(reader);
	if (flow != NULL)
		diag_second(reader->diags, diag, flow->node->span, "this is still open");
	unsigned line = source_place_of(reader->source, span.offset).line;
	const char *advice = flow_advice(reader, flow, span, error->msg);
	if (is_tab_in_indentation(source_line(reader->source, line)) || is_tab_in_indentation(source_line(reader->source, line + 1)))
		diag_help(reader->diags, diag, "indent with spaces: YAML allows no tabs there");
	else if (advice != NULL || advice_for(error->msg) != NULL)
		diag_help(reader->diags, diag, "%s", advice != NULL ? advice : advice_for(error->msg));
}

static void report_syntax_errors(struct reader *reader, struct fy_diag *collected)
{
	void *at = NULL;
	const struct fy_diag_error *error;
	bool is_reported = false;
	/* What the library says after the first is a consequence of it. */
	while (!is_reported && (error = fy_diag_errors_iterate(collected, &at)) != NULL) {
		report_syntax(reader, error);
		is_reported = true;
	}
	if (!is_reported)
		refuse(reader, ERR_YAML_SYNTAX, span_between(reader, reader->last_end, reader->last_end), "not YAML");
}

static void read_events(struct reader *reader, struct fy_parser *parser, struct fy_diag *collected)
{
	struct fy_event *event;
	while (!reader->must_stop && (event = fy_parser_parse(parser)) != NULL) {
		on_event(reader, event);
		fy_parser_event_free(parser, event);
	}
	if (!reader->must_stop && fy_parser_get_stream_error(parser))
		report_syntax_errors(reader, collected);
	while (reader->depth > 0)
		free(reader->stack[--reader->depth].children);
}

static void read_source(struct reader *reader)
{
	struct fy_diag_cfg diag_config;
	fy_diag_cfg_default(&diag_config);
	diag_config.fp = NULL;
	struct fy_diag *collected = fy_diag_create(&diag_config);
	if (collected == NULL)
		abort();
	fy_diag_set_collect_errors(collected, true);
	struct fy_parse_cfg config = {.search_path = "", .flags = FYPCF_QUIET, .diag = collected};
	struct fy_parser *parser = fy_parser_create(&config);
	if (parser == NULL || fy_parser_set_string(parser, reader->source->text.p, reader->source->text.len) != 0)
		abort();
	read_events(reader, parser, collected);
	fy_parser_destroy(parser);
	fy_diag_destroy(collected);
}

/* NULs in the first characters: UTF-16, as some editors write it. */
static void refuse_control(struct reader *reader, size_t at)
{
	struct slice text = reader->source->text;
	bool is_wide = at < 4 && text.p[at] == '\0';
	struct diag *diag = refuse(reader, ERR_YAML_SYNTAX, span_between(reader, at, at + 1),
	                           is_wide ? "this is UTF-16, not UTF-8" : "control characters are not allowed");
	if (is_wide)
		diag_help(reader->diags, diag, "save the file as UTF-8");
}

static void refuse_bytes(struct reader *reader, size_t at)
{
	struct diag *diag = refuse(reader, ERR_YAML_SYNTAX, span_between(reader, at, at + 1), "not UTF-8");
	diag_help(reader->diags, diag, "save the file as UTF-8: it seems to be in another encoding, such as Latin-1");
}

/* NUL would end the library's input early, and other control characters are not YAML. */
static bool find_control(struct slice text, size_t *ret_at)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char byte = (unsigned char)text.p[i];
		if ((byte < 0x20 && byte != '\n' && byte != '\r' && byte != '\t') || byte == 0x7F) {
			*ret_at = i;
			return true;
		}
	}
	return false;
}

/* A directive (%YAML, %TAG) is of no use without tags, and some make libfyaml 0.7 loop for ever. */
static bool find_directive(const struct source *source, size_t *ret_at)
{
	for (size_t i = 0; i < source->line_count; i++) {
		size_t at = source->line_starts[i];
		if (at < source->text.len && source->text.p[at] == '%') {
			*ret_at = at;
			return true;
		}
	}
	return false;
}

static bool is_gap(char byte)
{
	return byte == ' ' || byte == '\t';
}

static bool is_line_end(char byte)
{
	return byte == '\n' || byte == '\r';
}

/* The `?` of a key that is marked as one: where a node may begin, and with nothing of a word behind it. */
static bool is_key_mark(struct slice text, size_t at)
{
	bool is_alone = at + 1 == text.len || is_gap(text.p[at + 1]) || is_line_end(text.p[at + 1]);
	size_t before = at;
	while (before > 0 && is_gap(text.p[before - 1]))
		before--;
	return text.p[at] == '?' && is_alone &&
	       (before == 0 || is_line_end(text.p[before - 1]) || memchr("-?:[{,", text.p[before - 1], 6) != NULL);
}

/* After a key that is marked by `?`, a tab behind a `:` makes libfyaml 0.7 free a part of its parser twice. */
static bool find_tab_behind_marked_key(struct slice text, size_t *ret_at)
{
	bool has_mark = false;
	for (size_t i = 0; i < text.len; i++) {
		size_t next = i + 1;
		has_mark = has_mark || is_key_mark(text, i);
		while (next < text.len && text.p[next] == ' ')
			next++;
		if (has_mark && text.p[i] == ':' && next < text.len && text.p[next] == '\t') {
			*ret_at = next;
			return true;
		}
	}
	return false;
}

/* NULL: the document has not come to its end, or is an alias. */
static const struct node *root_of(struct reader *reader)
{
	if (reader->root != NULL && !node_is_empty(reader->root))
		return reader->root;
	if (reader->has_failed)
		return NULL;
	return node_new(reader, NODE_MAPPING, span_between(reader, 0, 0));
}

const struct node *yaml_read_rest(const struct source *source, struct arena *arena, struct diags *diags, bool *ret_is_whole)
{
	size_t at;
	struct reader reader = {.source = source, .arena = arena, .diags = diags};
	if (source->text.len > YAML_BYTES_MAX)
		refuse(&reader, ERR_TOO_MANY, SOURCE_SPAN_NONE, "the file is larger than 8 MiB");
	else if (find_control(source->text, &at))
		refuse_control(&reader, at);
	else if ((at = utf8_first_bad(source->text)) != source->text.len)
		refuse_bytes(&reader, at);
	else if (find_directive(source, &at))
		refuse(&reader, ERR_YAML_FEATURE, span_between(&reader, at, at + 1), "directives are not supported");
	else if (find_tab_behind_marked_key(source->text, &at))
		refuse(&reader, ERR_YAML_FEATURE, span_between(&reader, at, at + 1),
		       "a tab behind a colon is not supported beside a key that is marked by `?`: write a space");
	else if (source->text.len != 0)
		read_source(&reader);
	const struct node *root = root_of(&reader);
	*ret_is_whole = root != NULL && !reader.is_lossy;
	return root;
}

const struct node *yaml_read(const struct source *source, struct arena *arena, struct diags *diags)
{
	bool is_whole;
	size_t errors = diags_error_count(diags);
	const struct node *root = yaml_read_rest(source, arena, diags, &is_whole);
	return diags_error_count(diags) == errors ? root : NULL;
}
