/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/base/source.h"

#include "rules/base/arena.h"

static struct slice without_byte_order_mark(struct slice text)
{
	struct slice mark = SLICE("\xEF\xBB\xBF");
	if (!slice_has_prefix(text, mark))
		return text;
	return (struct slice){text.p + mark.len, text.len - mark.len};
}

/* Where the line behind the one at `at` begins, or 0. */
static size_t next_line(struct slice text, size_t at)
{
	const char *end = at < text.len ? memchr(text.p + at, '\n', text.len - at) : NULL;
	return end != NULL ? (size_t)(end - text.p) + 1 : 0;
}

static size_t count_lines(struct slice text)
{
	size_t count = 1;
	for (size_t at = 0; (at = next_line(text, at)) != 0;)
		count++;
	return count;
}

const struct source *source_new(struct arena *arena, const char *path, struct slice text)
{
	struct source *source = arena_alloc(arena, sizeof *source);
	source->path = arena_strdup(arena, path);
	source->text = without_byte_order_mark(text);
	source->line_count = count_lines(source->text);
	size_t *starts = arena_array(arena, source->line_count, sizeof *starts);
	size_t line = 1;
	for (size_t at = 0; (at = next_line(source->text, at)) != 0;)
		starts[line++] = at;
	source->line_starts = starts;
	return source;
}

/* Index of the last line that starts at or before `offset`. */
static size_t line_index(const struct source *source, size_t offset)
{
	size_t low = 0, high = source->line_count;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (source->line_starts[middle] <= offset)
			low = middle;
		else
			high = middle;
	}
	return low;
}

struct source_place source_place_of(const struct source *source, size_t offset)
{
	if (offset > source->text.len)
		offset = source->text.len;
	size_t line = line_index(source, offset);
	unsigned column = 1;
	for (size_t i = source->line_starts[line]; i < offset; i++)
		column += ((unsigned char)source->text.p[i] & 0xC0) != 0x80; /* not a continuation byte */
	return (struct source_place){(unsigned)line + 1, column};
}

unsigned source_line_of(const struct source *source, size_t offset)
{
	return (unsigned)line_index(source, offset) + 1;
}

struct slice source_line(const struct source *source, unsigned line)
{
	if (line == 0 || line > source->line_count)
		return SLICE_NONE;
	size_t start = source->line_starts[line - 1];
	size_t end = line < source->line_count ? source->line_starts[line] - 1 : source->text.len;
	if (end > start && source->text.p[end - 1] == '\r')
		end--;
	return (struct slice){source->text.p + start, end - start};
}
