/* SPDX-License-Identifier: Apache-2.0
 *
 * The text of a file that a person wrote, and where things are in it. A place is kept as bytes from the start of the
 * file; lines and columns are computed when a message needs them. Lines and columns count from 1, columns count code
 * points (a tab is one), as editors do.
 */
#ifndef LR_RULES_BASE_SOURCE_H
#define LR_RULES_BASE_SOURCE_H

#include <stddef.h>

#include "rules/base/slice.h"

struct arena;

struct source {
	const char *path;          /* as people know the file */
	struct slice text;         /* without a byte order mark; borrowed, lives as long as the source */
	const size_t *line_starts; /* line_count offsets; the first is 0 */
	size_t line_count;         /* at least 1 */
};

/* `len` bytes from `offset`; source NULL: nowhere. */
struct source_span {
	const struct source *source;
	size_t offset, len;
};

#define SOURCE_SPAN_NONE ((struct source_span){NULL, 0, 0})

struct source_place {
	unsigned line, column;
};

/* The source and its line table lie in `arena`; `path` is copied, `text` is borrowed. A leading UTF-8 byte order mark
 * is skipped. */
const struct source *source_new(struct arena *arena, const char *path, struct slice text);
/* An offset behind the end is the end. */
struct source_place source_place_of(const struct source *source, size_t offset);
/* Only the line, which is cheaper: columns have to be counted. */
unsigned source_line_of(const struct source *source, size_t offset);
/* The text of a line (from 1) without its line break; empty if there is no such line. */
struct slice source_line(const struct source *source, unsigned line);

#endif
