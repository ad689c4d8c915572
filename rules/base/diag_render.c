/* SPDX-License-Identifier: Apache-2.0
 *
 * Diagnostics as text for people. The caret line is built in the same walk as the source line above it: each code point
 * is printed and, at the same time, as many spaces or carets as it is wide. Tabs become spaces up to the next stop,
 * letters of East Asia are two cells wide, combining marks none. Nothing that could steer a terminal is printed.
 */
#include "rules/base/diag.h"

#include <stdint.h>

#include "rules/base/strbuf.h"

enum { TAB_CELLS = 4, WINDOW_CELLS = 110 };

enum paint { PAINT_ERROR, PAINT_WARNING, PAINT_FRAME, PAINT_BOLD, PAINT_NONE };

static const char *const escapes[] = {
	[PAINT_ERROR] = "\033[1;31m", [PAINT_WARNING] = "\033[1;33m", [PAINT_FRAME] = "\033[1;34m",
	[PAINT_BOLD] = "\033[1m",     [PAINT_NONE] = "\033[0m",
};

struct renderer {
	struct strbuf *out;
	const char *directory;
	bool colour;
	int gutter; /* cells of the widest line number */
};

static void paint(struct renderer *renderer, enum paint which)
{
	if (renderer->colour)
		strbuf_puts(renderer->out, escapes[which]);
}

/* One code point from `at`; U+FFFD for a byte that is no UTF-8. */
static uint32_t next_code_point(struct slice text, size_t *at)
{
	unsigned char first = (unsigned char)text.p[(*at)++];
	size_t more = first < 0x80 ? 0 : first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : first >= 0xC2 ? 1 : SIZE_MAX;
	if (more == SIZE_MAX || first > 0xF4 || *at + more > text.len)
		return 0xFFFD;
	uint32_t code = more == 0 ? first : first & (0x3Fu >> more);
	for (size_t i = 0; i < more; i++) {
		unsigned char byte = (unsigned char)text.p[*at + i];
		if ((byte & 0xC0) != 0x80)
			return 0xFFFD;
		code = code << 6 | (byte & 0x3F);
	}
	*at += more;
	return code;
}

static bool is_wide(uint32_t code)
{
	static const uint32_t ranges[][2] = {
		{0x1100, 0x115F}, {0x2E80, 0x303E}, {0x3041, 0xA4CF}, {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},
		{0xFE30, 0xFE6F}, {0xFF00, 0xFF60}, {0xFFE0, 0xFFE6}, {0x1F300, 0x1FAFF}, {0x20000, 0x3FFFD},
	};
	for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
		if (code >= ranges[i][0] && code <= ranges[i][1])
			return true;
	return false;
}

/* Combining marks, zero-width characters and the direction overrides, which would turn the line around. */
static bool is_invisible(uint32_t code)
{
	return (code >= 0x300 && code <= 0x36F) || (code >= 0x200B && code <= 0x200F) || (code >= 0x202A && code <= 0x202E) ||
	       (code >= 0x2060 && code <= 0x2069) || (code >= 0xFE00 && code <= 0xFE0F) || code == 0xFEFF;
}

static bool is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x2028 || code == 0x2029;
}

/* Prints one code point of a source line; returns its width in cells. */
static unsigned put_code_point(struct strbuf *out, struct slice text, size_t from, size_t to, uint32_t code, unsigned cell)
{
	if (code == '\t') {
		unsigned width = TAB_CELLS - cell % TAB_CELLS;
		strbuf_append(out, "        ", width);
		return width;
	}
	if (is_control(code) || code == 0xFFFD) {
		strbuf_puts(out, "\xEF\xBF\xBD");
		return 1;
	}
	if (is_invisible(code) && !(code >= 0x300 && code <= 0x36F))
		return 0;
	strbuf_append(out, text.p + from, to - from);
	return is_invisible(code) ? 0 : is_wide(code) ? 2 : 1;
}

/* Text of messages: the same protection, on one line. */
static void put_safe(struct strbuf *out, const char *message)
{
	struct slice text = slice_of(message);
	for (size_t at = 0; at < text.len;) {
		size_t from = at;
		uint32_t code = next_code_point(text, &at);
		put_code_point(out, text, from, at, code == '\t' ? ' ' : code, 0);
	}
}

static void put_gutter(struct renderer *renderer, unsigned line)
{
	paint(renderer, PAINT_FRAME);
	if (line != 0)
		strbuf_printf(renderer->out, "%*u |", renderer->gutter, line);
	else
		strbuf_printf(renderer->out, "%*s |", renderer->gutter, "");
	paint(renderer, PAINT_NONE);
}

/* First byte that is shown, so that the mark of a long line is within the window. */
static size_t window_start(const struct diag_mark *mark)
{
	if (mark->mark_from <= WINDOW_CELLS * 2 / 3)
		return 0;
	size_t from = mark->mark_from - WINDOW_CELLS / 2;
	while (from < mark->mark_from && ((unsigned char)mark->text.p[from] & 0xC0) == 0x80)
		from++;
	return from;
}

/* The source line into out, its carets into `carets`. */
static void put_line(struct strbuf *out, struct strbuf *carets, const struct diag_mark *mark, char caret)
{
	struct slice text = mark->text;
	size_t at = window_start(mark), mark_to = mark->mark_from + mark->mark_len;
	unsigned cell = 0;
	if (at > 0 || mark->is_cut_left) {
		strbuf_puts(out, "…");
		strbuf_putc(carets, ' ');
		cell++;
	}
	while (at < text.len && cell < WINDOW_CELLS) {
		size_t from = at;
		uint32_t code = next_code_point(text, &at);
		unsigned width = put_code_point(out, text, from, at, code, cell);
		bool is_marked = from >= mark->mark_from && from < mark_to;
		for (unsigned i = 0; i < width && from < (mark_to > mark->mark_from ? mark_to : mark->mark_from); i++)
			strbuf_putc(carets, is_marked ? caret : ' ');
		cell += width;
	}
	if (at < text.len || mark->is_cut_right)
		strbuf_puts(out, "…");
	if (mark->mark_len == 0)
		strbuf_putc(carets, caret); /* between two characters, or behind the end */
}

static void put_mark(struct renderer *renderer, const struct diag_mark *mark, const char *arrow, char caret, enum paint ink)
{
	struct strbuf *out = renderer->out;
	paint(renderer, PAINT_FRAME);
	strbuf_printf(out, "%*s%s ", renderer->gutter, "", arrow);
	paint(renderer, PAINT_NONE);
	if (mark->path[0] != '/')
		put_safe(out, renderer->directory);
	put_safe(out, mark->path);
	if (mark->line == 0) {
		strbuf_putc(out, '\n');
		return;
	}
	strbuf_printf(out, ":%u:%u\n", mark->line, mark->column);
	if (mark->is_concealed)
		return;
	put_gutter(renderer, 0);
	strbuf_putc(out, '\n');
	put_gutter(renderer, mark->line);
	if (mark->text.len != 0)
		strbuf_putc(out, ' ');
	struct strbuf carets = STRBUF_INIT;
	put_line(out, &carets, mark, caret);
	strbuf_putc(out, '\n');
	put_gutter(renderer, 0);
	paint(renderer, ink);
	strbuf_printf(out, " %s", strbuf_text(&carets));
	strbuf_done(&carets);
	if (mark->label[0] != '\0') {
		strbuf_putc(out, ' ');
		put_safe(out, mark->label);
	}
	paint(renderer, PAINT_NONE);
	strbuf_putc(out, '\n');
}

static void put_remark(struct renderer *renderer, const char *what, const char *text)
{
	paint(renderer, PAINT_FRAME);
	strbuf_printf(renderer->out, "%*s = ", renderer->gutter, "");
	paint(renderer, PAINT_NONE);
	strbuf_puts(renderer->out, what);
	put_safe(renderer->out, text);
	strbuf_putc(renderer->out, '\n');
}

static int digits_of(unsigned number)
{
	int digits = 1;
	while ((number /= 10) != 0)
		digits++;
	return digits;
}

static void put_diag(struct renderer *renderer, const struct diag *diag)
{
	enum paint ink = diag->severity == DIAG_ERROR ? PAINT_ERROR : PAINT_WARNING;
	unsigned widest = diag->place.line > diag->second.line ? diag->place.line : diag->second.line;
	renderer->gutter = digits_of(widest);
	paint(renderer, ink);
	strbuf_printf(renderer->out, "%s[%s]", diag->severity == DIAG_ERROR ? "error" : "warning", err_number(diag->code));
	paint(renderer, PAINT_NONE);
	paint(renderer, PAINT_BOLD);
	strbuf_puts(renderer->out, ": ");
	put_safe(renderer->out, diag->message);
	paint(renderer, PAINT_NONE);
	strbuf_putc(renderer->out, '\n');
	if (diag->place.path != NULL)
		put_mark(renderer, &diag->place, "-->", '^', ink);
	if (diag->second.path != NULL)
		put_mark(renderer, &diag->second, ":::", '-', PAINT_FRAME);
	for (size_t i = 0; i < diag->note_count; i++)
		put_remark(renderer, "", diag->notes[i]);
	if (diag->help != NULL)
		put_remark(renderer, "help: ", diag->help);
	else
		put_remark(renderer, "help: leadctl explain ", err_number(diag->code));
	strbuf_putc(renderer->out, '\n');
}

void diags_render(struct diags *diags, bool colour, struct strbuf *out)
{
	struct renderer renderer = {out, diags_directory(diags), colour, 1};
	size_t count;
	const struct diag *diag = diags_sorted(diags, &count);
	for (size_t i = 0; i < count; i++)
		put_diag(&renderer, &diag[i]);
}
