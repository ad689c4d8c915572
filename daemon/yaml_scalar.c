/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/yaml_scalar.h"

#include <stdint.h>
#include <stdlib.h>

#include "rules/base/arena.h"
#include "rules/base/mem.h"

struct walk {
	struct slice raw, decoded;
	size_t at, out; /* how far each is walked */
	struct node_piece *pieces;
	size_t count, capacity;
};

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

static bool is_break(char byte)
{
	return byte == '\n' || byte == '\r';
}

/* The copy that these bytes prolong, or NULL. */
static struct node_piece *find_continued(const struct walk *walk, size_t raw_len, size_t decoded_len)
{
	if (walk->count == 0 || raw_len != decoded_len)
		return NULL;
	struct node_piece *last = &walk->pieces[walk->count - 1];
	bool is_copy = last->decoded_len == last->source_len;
	return is_copy && last->source + last->source_len == walk->at ? last : NULL;
}

/* Raw bytes [at, at+raw_len) made `decoded_len` bytes; neighbouring copies become one piece. */
static void take(struct walk *walk, size_t raw_len, size_t decoded_len)
{
	struct node_piece *continued = find_continued(walk, raw_len, decoded_len);
	if (continued != NULL) {
		continued->decoded_len += decoded_len;
		continued->source_len += raw_len;
	} else if (decoded_len != 0) {
		if (walk->count == walk->capacity) {
			walk->capacity = walk->capacity ? walk->capacity * 2 : 16;
			walk->pieces = xreallocarray(walk->pieces, walk->capacity, sizeof *walk->pieces);
		}
		walk->pieces[walk->count++] = (struct node_piece){walk->out, decoded_len, walk->at, raw_len};
	}
	walk->at += raw_len;
	walk->out += decoded_len;
}

/* `len` bytes that stand for themselves. */
static bool take_same(struct walk *walk, size_t len)
{
	if (len > walk->decoded.len - walk->out || len > walk->raw.len - walk->at ||
	    memcmp(walk->raw.p + walk->at, walk->decoded.p + walk->out, len) != 0)
		return false;
	take(walk, len, len);
	return true;
}

/* Length of one line break at `at`. */
static size_t break_len(struct slice raw, size_t at)
{
	if (at >= raw.len || !is_break(raw.p[at]))
		return 0;
	return raw.p[at] == '\r' && at + 1 < raw.len && raw.p[at + 1] == '\n' ? 2 : 1;
}

/* In flow scalars, white space around line breaks folds: one break is a space, n+1 breaks are n line feeds. Returns the
 * length of such a run at `at` (0 if blanks there are just blanks) and its number of breaks. */
static size_t fold_len(struct slice raw, size_t at, size_t *ret_breaks)
{
	size_t from = at;
	*ret_breaks = 0;
	while (at < raw.len && (is_blank(raw.p[at]) || is_break(raw.p[at]))) {
		size_t len = break_len(raw, at);
		*ret_breaks += len != 0;
		at += len ? len : 1;
	}
	return *ret_breaks ? at - from : 0;
}

static bool take_fold(struct walk *walk, size_t len, size_t breaks)
{
	size_t made = breaks == 1 ? 1 : breaks - 1;
	if (made > walk->decoded.len - walk->out)
		return false;
	for (size_t i = 0; i < made; i++)
		if (walk->decoded.p[walk->out + i] != (breaks == 1 ? ' ' : '\n'))
			return false;
	take(walk, len, made);
	return true;
}

static int hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	digit |= 0x20;
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

static size_t utf8_len(uint32_t code)
{
	return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

/* A backslash before a line break joins the lines and makes nothing. */
static void skip_joined_lines(struct walk *walk)
{
	walk->at++;
	walk->at += break_len(walk->raw, walk->at);
	while (walk->at < walk->raw.len && is_blank(walk->raw.p[walk->at]))
		walk->at++;
}

/* `\n`, `\x41`, `\u00eb`, … */
static bool take_escape(struct walk *walk)
{
	struct slice raw = walk->raw;
	size_t at = walk->at + 1;
	if (at >= raw.len)
		return false;
	char kind = raw.p[at];
	size_t digits = kind == 'x' ? 2 : kind == 'u' ? 4 : kind == 'U' ? 8 : 0;
	/* next line, no-break space; line and paragraph separator: only their length matters */
	uint32_t code = kind == 'N' || kind == '_' ? 0x85 : kind == 'L' || kind == 'P' ? 0x2028 : 0;
	for (size_t i = 1; i <= digits; i++) {
		int value = at + i < raw.len ? hex_value(raw.p[at + i]) : -1;
		if (value < 0)
			return false;
		code = code << 4 | (uint32_t)value;
	}
	if (utf8_len(code) > walk->decoded.len - walk->out)
		return false;
	take(walk, 2 + digits, utf8_len(code));
	return true;
}

static bool take_quote(struct walk *walk)
{
	if (walk->out >= walk->decoded.len || walk->decoded.p[walk->out] != '\'' || walk->at + 2 > walk->raw.len)
		return false;
	take(walk, 2, 1);
	return true;
}

static bool walk_flow_step(struct walk *walk, enum yaml_style style)
{
	size_t breaks, fold = fold_len(walk->raw, walk->at, &breaks);
	char byte = walk->raw.p[walk->at];
	if (fold != 0)
		return take_fold(walk, fold, breaks);
	if (style == YAML_SINGLE && byte == '\'')
		return take_quote(walk);
	if (style != YAML_DOUBLE || byte != '\\')
		return take_same(walk, 1);
	if (break_len(walk->raw, walk->at + 1) == 0)
		return take_escape(walk);
	skip_joined_lines(walk);
	return true;
}

static bool walk_flow(struct walk *walk, enum yaml_style style)
{
	while (walk->at < walk->raw.len)
		if (!walk_flow_step(walk, style))
			return false;
	return walk->out == walk->decoded.len;
}

static size_t line_len(struct slice text, size_t at)
{
	size_t end = at;
	while (end < text.len && !is_break(text.p[end]))
		end++;
	return end - at;
}

/* Each decoded line is the end of its source line, so the indentation follows from the lengths. */
static bool walk_literal(struct walk *walk)
{
	while (walk->out < walk->decoded.len) {
		size_t raw_len = line_len(walk->raw, walk->at), len = line_len(walk->decoded, walk->out);
		if (raw_len < len)
			return false;
		walk->at += raw_len - len;
		if (!take_same(walk, len))
			return false;
		if (walk->out < walk->decoded.len)
			take(walk, break_len(walk->raw, walk->at), 1);
	}
	return true;
}

static size_t count_of(struct slice text, size_t at, char byte)
{
	size_t from = at;
	while (at < text.len && text.p[at] == byte)
		at++;
	return at - from;
}

static size_t skip_empty_lines(struct slice raw, size_t at)
{
	for (;;) {
		size_t blank = count_of(raw, at, ' '), len = break_len(raw, at + blank);
		if (len == 0)
			return at;
		at += blank + len;
	}
}

/* Lines are joined by a space, or by as many line feeds as the decoded text shows: content never holds one. */
static bool take_folded_line(struct walk *walk, size_t indent)
{
	if (indent > walk->raw.len - walk->at)
		return false;
	walk->at += indent;
	if (!take_same(walk, line_len(walk->raw, walk->at)))
		return false;
	if (walk->out == walk->decoded.len)
		return true;
	size_t feeds = count_of(walk->decoded, walk->out, '\n');
	if (feeds == 0 && walk->decoded.p[walk->out] != ' ')
		return false;
	size_t next = skip_empty_lines(walk->raw, walk->at + break_len(walk->raw, walk->at));
	if (next == walk->at && walk->out + feeds < walk->decoded.len)
		return false; /* the source has ended */
	take(walk, next - walk->at, feeds ? feeds : 1);
	return true;
}

static bool walk_folded(struct walk *walk)
{
	size_t first = skip_empty_lines(walk->raw, 0), feeds = count_of(walk->decoded, 0, '\n');
	size_t raw_spaces = count_of(walk->raw, first, ' '), spaces = count_of(walk->decoded, feeds, ' ');
	if (raw_spaces < spaces)
		return false;
	take(walk, first, feeds);
	while (walk->out < walk->decoded.len)
		if (!take_folded_line(walk, raw_spaces - spaces))
			return false;
	return true;
}

bool yaml_scalar_pieces(enum yaml_style style, struct slice raw, size_t base, struct slice decoded, struct arena *arena,
                        const struct node_piece **ret_pieces, size_t *ret_count)
{
	struct walk walk = {.raw = raw, .decoded = decoded};
	bool fits = style == YAML_LITERAL  ? walk_literal(&walk)
	            : style == YAML_FOLDED ? walk_folded(&walk)
	                                   : walk_flow(&walk, style);
	struct node_piece coarse = {0, decoded.len, 0, raw.len};
	const struct node_piece *from = fits ? walk.pieces : &coarse;
	size_t count = fits ? walk.count : 1;
	struct node_piece *pieces = arena_array(arena, count, sizeof *pieces);
	for (size_t i = 0; i < count; i++) {
		pieces[i] = from[i];
		pieces[i].source += base;
	}
	free(walk.pieces);
	*ret_pieces = pieces;
	*ret_count = count;
	return fits;
}
