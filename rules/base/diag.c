/* SPDX-License-Identifier: Apache-2.0
 *
 * The list itself: adding, the parts of one diagnostic, counting, order. diag_render.c shows it.
 */
#include "rules/base/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/base/arena.h"
#include "rules/base/mem.h"
#include "rules/base/strbuf.h"

struct diags {
	struct arena arena;
	struct diag items[DIAGS_MAX];
	size_t count;
	struct diag spare; /* handed out when the list is full */
	size_t errors, warnings;
	bool (*is_left_out)(enum diag_severity severity, enum err_code code, const char *message); /* NULL: none is */
	bool is_partial;
	const char *directory; /* "" or with a slash behind it */
};

struct diags *diags_new(void)
{
	struct diags *diags = xcalloc(1, sizeof *diags);
	diags->directory = "";
	return diags;
}

void diags_leave_out(struct diags *diags, bool (*is_left_out)(enum diag_severity severity, enum err_code code, const char *message))
{
	diags->is_left_out = is_left_out;
}

void diags_free(struct diags *diags)
{
	if (diags == NULL)
		return;
	arena_done(&diags->arena);
	free(diags);
}

static const char *format_text(struct diags *diags, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

static const char *format_text(struct diags *diags, const char *format, va_list args)
{
	char text[DIAG_TEXT_BYTES];
	vsnprintf(text, sizeof text, format, args);
	return arena_strdup(&diags->arena, text);
}

/* Is the byte at `at` the middle of a code point? */
static bool is_continuation(struct slice text, size_t at)
{
	return at < text.len && ((unsigned char)text.p[at] & 0xC0) == 0x80;
}

/* Keeps the part of a long line that holds the mark. */
static void cut_line(struct slice line, size_t column_byte, struct diag_mark *mark)
{
	size_t from = 0, to = line.len;
	if (line.len > DIAG_LINE_BYTES) {
		from = column_byte > DIAG_LINE_BYTES / 2 ? column_byte - DIAG_LINE_BYTES / 2 : 0;
		to = from + DIAG_LINE_BYTES < line.len ? from + DIAG_LINE_BYTES : line.len;
		while (is_continuation(line, from) && from < column_byte)
			from++;
		while (is_continuation(line, to))
			to--;
	}
	mark->text = (struct slice){line.p + from, to - from};
	mark->is_cut_left = from > 0;
	mark->is_cut_right = to < line.len;
	mark->mark_from = column_byte - from;
	if (mark->mark_len > mark->text.len - mark->mark_from)
		mark->mark_len = mark->text.len - mark->mark_from;
}

/* A password written into the configuration must not come out again with an error beside it: the message may end in a
 * log. "file:NAME" is no secret, and every other line is shown. */
static bool holds_secret(struct slice line)
{
	static const char *const keys[] = {"password:", "ssl.key.pem:", "sasl.oauthbearer.", "sasl.jaas.config:"};
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		const char *end = line.p + line.len;
		const char *at = line.len ? memmem(line.p, line.len, keys[i], strlen(keys[i])) : NULL;
		if (at == NULL)
			continue;
		at += strlen(keys[i]);
		while (at < end && strchr(" \"'", *at) != NULL)
			at++;
		if (!slice_has_prefix((struct slice){at, (size_t)(end - at)}, SLICE("file:")))
			return true;
	}
	return false;
}

static struct diag_mark mark_of(struct diags *diags, struct source_span span)
{
	struct diag_mark mark = {.label = ""};
	if (span.source == NULL)
		return mark;
	mark.path = arena_strdup(&diags->arena, span.source->path);
	if (span.source->text.len == 0)
		return mark;
	if (span.offset > span.source->text.len)
		span.offset = span.source->text.len;
	struct source_place place = source_place_of(span.source, span.offset);
	mark.line = place.line;
	mark.column = place.column;
	mark.mark_len = span.len;
	struct slice line = source_line(span.source, place.line);
	mark.is_concealed = holds_secret(line);
	if (mark.is_concealed) {
		mark.mark_len = 0;
		return mark;
	}
	size_t column_byte = span.offset - span.source->line_starts[place.line - 1];
	cut_line(line, column_byte < line.len ? column_byte : line.len, &mark);
	mark.text.p = arena_memdupz(&diags->arena, mark.text.p, mark.text.len);
	return mark;
}

/* Rules that are built several times, as for the tests of a file, are warned of once. */
static bool is_warned(const struct diags *diags, enum err_code code, struct source_span span, const char *message)
{
	if (span.source == NULL || span.source->text.len == 0 || span.offset > span.source->text.len)
		return false;
	struct source_place place = source_place_of(span.source, span.offset);
	for (size_t i = 0; i < diags->count; i++) {
		const struct diag *item = &diags->items[i];
		if (item->code == code && item->severity == DIAG_WARNING && item->place.line == place.line &&
		    item->place.column == place.column && strcmp(item->message, message) == 0 &&
		    strcmp(item->place.path, span.source->path) == 0)
			return true;
	}
	return false;
}

static struct diag *add(struct diags *diags, enum diag_severity severity, enum err_code code, struct source_span span,
                        const char *format, va_list args) __attribute__((format(printf, 5, 0)));

static struct diag *add(struct diags *diags, enum diag_severity severity, enum err_code code, struct source_span span,
                        const char *format, va_list args)
{
	diags->spare = (struct diag){.message = "", .order = DIAGS_MAX};
	char message[DIAG_TEXT_BYTES];
	vsnprintf(message, sizeof message, format, args);
	if (diags->is_left_out != NULL && diags->is_left_out(severity, code, message))
		return &diags->spare;
	if (severity == DIAG_WARNING && is_warned(diags, code, span, message))
		return &diags->spare;
	*(severity == DIAG_ERROR ? &diags->errors : &diags->warnings) += 1;
	if (diags->count == DIAGS_MAX)
		return &diags->spare;
	struct diag *diag = &diags->items[diags->count];
	*diag = (struct diag){
		.severity = severity,
		.code = code,
		.message = arena_strdup(&diags->arena, message),
		.place = mark_of(diags, span),
		.order = diags->count++,
	};
	return diag;
}

struct diag *diags_add(struct diags *diags, enum err_code code, struct source_span span, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	struct diag *diag = add(diags, DIAG_ERROR, code, span, format, args);
	va_end(args);
	return diag;
}

struct diag *diags_warn(struct diags *diags, enum err_code code, struct source_span span, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	struct diag *diag = add(diags, DIAG_WARNING, code, span, format, args);
	va_end(args);
	return diag;
}

/* What is said about the spare is not kept: a million errors must not become a million texts. */
static bool is_spare(const struct diag *diag)
{
	return diag->order == DIAGS_MAX;
}

void diag_label(struct diags *diags, struct diag *diag, const char *format, ...)
{
	if (is_spare(diag))
		return;
	va_list args;
	va_start(args, format);
	diag->place.label = format_text(diags, format, args);
	va_end(args);
}

void diag_second(struct diags *diags, struct diag *diag, struct source_span span, const char *label)
{
	if (is_spare(diag))
		return;
	diag->second = mark_of(diags, span);
	diag->second.label = arena_strdup(&diags->arena, label);
}

void diag_note(struct diags *diags, struct diag *diag, const char *format, ...)
{
	if (is_spare(diag) || diag->note_count == DIAG_NOTES_MAX)
		return;
	va_list args;
	va_start(args, format);
	diag->notes[diag->note_count++] = format_text(diags, format, args);
	va_end(args);
}

void diag_help(struct diags *diags, struct diag *diag, const char *format, ...)
{
	if (is_spare(diag))
		return;
	va_list args;
	va_start(args, format);
	diag->help = format_text(diags, format, args);
	va_end(args);
}

void diag_did_you_mean(struct diags *diags, struct diag *diag, struct slice best)
{
	if (best.len != 0)
		diag_label(diags, diag, "did you mean `%.*s`?", SLICE_ARG(best));
}

void diag_conceal(struct diag *diag)
{
	diag->place.text = SLICE_NONE;
	diag->place.mark_from = diag->place.mark_len = 0;
	diag->place.is_concealed = true;
}

void diags_set_directory(struct diags *diags, const char *directory)
{
	size_t len = directory ? strlen(directory) : 0;
	while (len > 1 && directory[len - 1] == '/')
		len--;
	if (len == 0)
		diags->directory = "";
	else
		diags->directory = arena_printf(&diags->arena, "%.*s/", (int)len, directory);
}

const char *diags_directory(const struct diags *diags)
{
	return diags->directory;
}

size_t diags_error_count(const struct diags *diags)
{
	return diags->errors;
}

size_t diags_warning_count(const struct diags *diags)
{
	return diags->warnings;
}

size_t diags_hidden_count(const struct diags *diags)
{
	return diags->errors + diags->warnings - diags->count;
}

static int by_place(const void *left, const void *right)
{
	const struct diag *a = left, *b = right;
	/* What has no place speaks of the whole configuration and comes last. */
	if ((a->place.path == NULL) != (b->place.path == NULL))
		return a->place.path == NULL ? 1 : -1;
	int order = a->place.path ? strcmp(a->place.path, b->place.path) : 0;
	if (order != 0)
		return order;
	if (a->place.line != b->place.line)
		return a->place.line < b->place.line ? -1 : 1;
	if (a->place.column != b->place.column)
		return a->place.column < b->place.column ? -1 : 1;
	return (a->order > b->order) - (a->order < b->order);
}

const struct diag *diags_sorted(struct diags *diags, size_t *ret_count)
{
	qsort(diags->items, diags->count, sizeof *diags->items, by_place);
	if (ret_count != NULL)
		*ret_count = diags->count;
	return diags->items;
}

static void put_count(struct strbuf *out, size_t count, const char *one, const char *many)
{
	strbuf_printf(out, "%zu %s", count, count == 1 ? one : many);
}

void diags_say_partial(struct diags *diags)
{
	diags->is_partial = true;
}

bool diags_is_partial(const struct diags *diags)
{
	return diags->is_partial;
}

void diags_verdict(const struct diags *diags, struct strbuf *out)
{
	if (diags->errors != 0)
		put_count(out, diags->errors, "error", "errors");
	else
		strbuf_puts(out, "no errors");
	if (diags->warnings != 0) {
		strbuf_puts(out, ", ");
		put_count(out, diags->warnings, "warning", "warnings");
	}
	if (diags_hidden_count(diags) != 0)
		strbuf_printf(out, " (%zu not shown)", diags_hidden_count(diags));
	if (diags->is_partial)
		strbuf_puts(out, "; rules that never match and names that nothing uses are looked for once these are mended");
}

void diags_first(struct diags *diags, struct err *err)
{
	size_t count;
	const struct diag *diag = diags_sorted(diags, &count);
	for (size_t i = 0; i < count; i++, diag++) {
		if (diag->severity != DIAG_ERROR)
			continue;
		char where[ERR_WHERE_BYTES] = "";
		if (diag->place.path != NULL)
			snprintf(where, sizeof where, "%s%s:%u:%u", diag->place.path[0] == '/' ? "" : diags->directory, diag->place.path, diag->place.line, diag->place.column);
		err_set_at(err, diag->code, where, "%s", diag->message);
		return;
	}
}
