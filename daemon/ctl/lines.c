/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ctl/lines.h"

void lines_init(struct lines *lines, FILE *file, size_t bytes_max)
{
	*lines = (struct lines){.file = file, .bytes_max = bytes_max};
}

void lines_done(struct lines *lines)
{
	strbuf_done(&lines->line);
}

enum lines_step lines_next(struct lines *lines, struct slice *ret_line)
{
	size_t len = 0;
	int byte;
	strbuf_clear(&lines->line);
	while ((byte = getc_unlocked(lines->file)) != EOF && byte != '\n')
		if (len++ < lines->bytes_max)
			strbuf_putc(&lines->line, (char)byte);
	if (ferror(lines->file))
		return LINES_FAILED;
	if (byte == EOF && len == 0)
		return LINES_END;
	lines->number++;
	if (len > lines->bytes_max)
		return LINES_TOO_LONG;
	*ret_line = (struct slice){strbuf_text(&lines->line), lines->line.len};
	if (ret_line->len > 0 && ret_line->p[ret_line->len - 1] == '\r')
		ret_line->len--;
	return LINES_LINE;
}
