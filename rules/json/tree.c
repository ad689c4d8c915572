/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/json/tree.h"

#include "rules/base/diag.h"
#include "rules/base/suggest.h"

const char *node_kind_name(const struct node *node)
{
	switch (node->kind) {
	case NODE_SCALAR:
		return node_is_empty(node) ? "nothing" : "text";
	case NODE_SEQUENCE:
		return "a list";
	case NODE_MAPPING:
		return "a mapping";
	}
	return "";
}

bool node_is_empty(const struct node *node)
{
	return node->kind == NODE_SCALAR && node->style == NODE_PLAIN &&
	       (node->text.len == 0 || slice_is(node->text, "~") || slice_is(node->text, "null"));
}

const struct node_member *node_find(const struct node *mapping, struct slice name)
{
	if (mapping == NULL || mapping->kind != NODE_MAPPING)
		return NULL;
	for (size_t i = 0; i < mapping->count; i++)
		if (slice_equal(mapping->members[i].key->text, name))
			return &mapping->members[i];
	return NULL;
}

const struct node *node_get(const struct node *mapping, const char *name)
{
	const struct node_member *member = node_find(mapping, slice_of(name));
	return member ? member->value : NULL;
}

/* The piece that holds decoded byte `offset`, or NULL when that is the end. */
static const struct node_piece *piece_at(const struct node *scalar, size_t offset)
{
	size_t low = 0, high = scalar->piece_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct node_piece *piece = &scalar->pieces[middle];
		if (piece->decoded + piece->decoded_len <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low < scalar->piece_count ? &scalar->pieces[low] : NULL;
}

static size_t source_of(const struct node *scalar, size_t offset)
{
	const struct node_piece *piece = piece_at(scalar, offset);
	if (piece == NULL) {
		if (scalar->piece_count == 0)
			return scalar->span.offset;
		piece = &scalar->pieces[scalar->piece_count - 1];
		return piece->source + piece->source_len;
	}
	if (piece->decoded_len == piece->source_len)
		return piece->source + (offset - piece->decoded);
	return piece->source;
}

/* Where the source of the byte before `offset` ends. */
static size_t source_end_of(const struct node *scalar, size_t offset)
{
	const struct node_piece *piece = piece_at(scalar, offset - 1);
	if (piece == NULL || piece->decoded_len == piece->source_len)
		return source_of(scalar, offset - 1) + 1;
	return piece->source + piece->source_len;
}

struct source_span node_span_in(const struct node *scalar, size_t offset, size_t len)
{
	size_t from = source_of(scalar, offset);
	size_t to = len == 0 ? from : source_end_of(scalar, offset + len);
	return (struct source_span){scalar->span.source, from, to > from ? to - from : 0};
}

const char *node_path(const struct node *node)
{
	return node->span.source->path;
}

unsigned node_line(const struct node *node)
{
	return source_line_of(node->span.source, node->span.offset);
}

static struct diag *add_wrong_kind(const struct node *node, const char *what, const char *wanted, struct diags *diags)
{
	struct diag *diag =
		diags_add(diags, ERR_WRONG_TYPE, node->span, "%s must be %s, not %s", what, wanted, node_kind_name(node));
	if (node_is_empty(node))
		diag_label(diags, diag, "nothing here");
	return diag;
}

static bool wrong_kind(const struct node *node, const char *what, const char *wanted, struct diags *diags)
{
	(void)add_wrong_kind(node, what, wanted, diags);
	return false;
}

bool node_expect_mapping(const struct node *node, const char *what, struct diags *diags)
{
	return node->kind == NODE_MAPPING || wrong_kind(node, what, "a mapping", diags);
}

bool node_expect_sequence(const struct node *node, const char *what, struct diags *diags)
{
	enum { SHOWN = 40 };
	if (node->kind == NODE_SEQUENCE)
		return true;
	struct diag *diag = add_wrong_kind(node, what, "a list", diags);
	if (node->kind == NODE_SCALAR && node->style == NODE_PLAIN && !node_is_empty(node) && node->text.len <= SHOWN)
		diag_help(diags, diag, "a list of one is written [%.*s]", SLICE_ARG(node->text));
	return false;
}

static bool is_known(const char *const *known, struct slice name)
{
	for (; *known != NULL; known++)
		if (slice_is(name, *known))
			return true;
	return false;
}

static void report_unknown(const struct node *key, const char *const *known, const char *what, struct diags *diags)
{
	struct diag *diag =
		diags_add(diags, ERR_UNKNOWN_KEY, key->span, "unknown key `%.*s` in %s", SLICE_ARG(key->text), what);
	struct suggest suggest = suggest_for(key->text);
	char list[400] = "";
	size_t used = 0;
	for (; *known != NULL; known++) {
		suggest_offer(&suggest, slice_of(*known));
		size_t len = strlen(*known);
		if (used + len + 3 < sizeof list) {
			memcpy(list + used, used ? ", " : "", used ? 2 : 0);
			used += used ? 2 : 0;
			memcpy(list + used, *known, len + 1);
			used += len;
		}
	}
	diag_did_you_mean(diags, diag, suggest.best);
	if (used != 0)
		diag_note(diags, diag, "known keys: %s", list);
	if (memchr(key->text.p, ':', key->text.len) != NULL)
		diag_help(diags, diag, "a blank belongs behind the `:`, a plain one");
}

bool node_check_keys(const struct node *mapping, const char *const *known, const char *what, struct diags *diags)
{
	bool is_fine = true;
	for (size_t i = 0; i < mapping->count; i++) {
		const struct node *key = mapping->members[i].key;
		if (is_known(known, key->text))
			continue;
		report_unknown(key, known, what, diags);
		is_fine = false;
	}
	return is_fine;
}

const struct node *node_require(const struct node *mapping, const char *name, const char *what, struct diags *diags)
{
	const struct node *value = node_get(mapping, name);
	if (value == NULL)
		diags_add(diags, ERR_MISSING_KEY, mapping->span, "%s lacks the key `%s`", what, name);
	return value;
}

bool node_read_text(const struct node *node, const char *what, struct diags *diags, struct slice *ret_text)
{
	if (node->kind != NODE_SCALAR || node_is_empty(node))
		return wrong_kind(node, what, "text", diags);
	*ret_text = node->text;
	return true;
}

/* -?(0|[1-9][0-9]{0,17}): always fits 64 bits. */
static bool parse_int(struct slice text, int64_t *ret_number)
{
	bool is_negative = text.len > 0 && text.p[0] == '-';
	size_t at = is_negative ? 1 : 0, digits = text.len - at;
	if (digits == 0 || digits > 18 || (text.p[at] == '0' && digits > 1))
		return false;
	int64_t number = 0;
	for (; at < text.len; at++) {
		if (text.p[at] < '0' || text.p[at] > '9')
			return false;
		number = number * 10 + (text.p[at] - '0');
	}
	*ret_number = is_negative ? -number : number;
	return true;
}

bool node_read_int(const struct node *node, const char *what, int64_t least, int64_t most, struct diags *diags,
                   int64_t *ret_number)
{
	int64_t number;
	if (node->kind != NODE_SCALAR || node_is_empty(node))
		return wrong_kind(node, what, "a whole number", diags);
	bool is_number = parse_int(node->text, &number);
	if (!is_number || node->style != NODE_PLAIN) {
		struct diag *diag = diags_add(diags, ERR_WRONG_TYPE, node->span, "%s must be a whole number", what);
		if (is_number)
			diag_label(diags, diag, "text: write it without quotes");
		else if (node->text.len > 1 && node->text.p[0] == '0' && node->style == NODE_PLAIN)
			diag_label(diags, diag, "begins with 0, which some read as octal");
		return false;
	}
	if (number < least || number > most) {
		diags_add(diags, ERR_OUT_OF_RANGE, node->span, "%s must be from %lld to %lld, not %lld", what,
		          (long long)least, (long long)most, (long long)number);
		return false;
	}
	*ret_number = number;
	return true;
}

static bool is_other_bool(struct slice text)
{
	static const char *const words[] = {"yes", "no", "on", "off", "Yes", "No", "On", "Off", "YES", "NO", "ON", "OFF",
	                                    "y",   "n",  "Y",  "N",   "True", "False", "TRUE", "FALSE", NULL};
	return is_known(words, text);
}

bool node_read_bool(const struct node *node, const char *what, struct diags *diags, bool *ret_bool)
{
	if (node->kind != NODE_SCALAR || node_is_empty(node))
		return wrong_kind(node, what, "true or false", diags);
	bool is_true = slice_is(node->text, "true");
	if (node->style == NODE_PLAIN && (is_true || slice_is(node->text, "false"))) {
		*ret_bool = is_true;
		return true;
	}
	struct diag *diag = diags_add(diags, ERR_WRONG_TYPE, node->span, "%s must be true or false", what);
	if (node->style == NODE_PLAIN && is_other_bool(node->text))
		diag_label(diags, diag, "text in YAML 1.2: only true and false are booleans");
	else if (is_true || slice_is(node->text, "false"))
		diag_label(diags, diag, "text: write it without quotes");
	return false;
}
