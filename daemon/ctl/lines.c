/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ctl/lines.h"

#include <errno.h>
#include <string.h>

#include "daemon/ctl/ctl.h"

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

int lines_answer(const struct ctl_args *args, int (*answer)(FILE *file))
{
	if (args->rest_count > 1)
		return ctl_usage("one file of questions, or none for standard input");
	const char *name = args->rest_count == 1 ? args->rest[0] : "-";
	bool is_file = strcmp(name, "-") != 0;
	FILE *file = is_file ? fopen(name, "re") : stdin;
	if (file == NULL) {
		struct err err = ERR_INIT;
		err_set(&err, ERR_TOOL_FILE, "%s: %s", name, strerror(errno));
		return ctl_fail(CTL_FAILED, &err);
	}
	int code = answer(file);
	if (is_file)
		fclose(file);
	return code;
}
