/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ics_frame.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "daemon/ics.h"
#include "rules/base/err.h"
#include "rules/base/utf8.h"

struct frame {
	struct slice open[ICS_DEPTH_MAX]; /* components that have begun */
	size_t depth;
	size_t line; /* number, from 1 */
	bool has_calendar;
};

static bool has_word(struct slice line, const char *word, struct slice *ret_rest)
{
	size_t len = strlen(word);
	if (line.len < len || strncasecmp(line.p, word, len) != 0)
		return false;
	*ret_rest = (struct slice){line.p + len, line.len - len};
	return true;
}

static bool is_same_name(struct slice a, struct slice b)
{
	return a.len == b.len && strncasecmp(a.p, b.p, a.len) == 0;
}

static int bad_line(const struct frame *frame, struct err *err, const char *problem)
{
	return err_set(err, ERR_BAD_ICS, "line %zu: %s", frame->line, problem);
}

static int open_component(struct frame *frame, struct slice name, struct err *err)
{
	if (frame->depth == 0 && !is_same_name(name, SLICE("VCALENDAR")))
		return bad_line(frame, err, "an iCalendar file begins with BEGIN:VCALENDAR");
	if (frame->depth == ICS_DEPTH_MAX)
		return bad_line(frame, err, "too many components inside each other");
	frame->open[frame->depth++] = name;
	frame->has_calendar = true;
	return 0;
}

static int close_component(struct frame *frame, struct slice name, struct err *err)
{
	if (frame->depth == 0 || !is_same_name(frame->open[frame->depth - 1], name))
		return bad_line(frame, err, "this END fits no BEGIN");
	frame->depth--;
	return 0;
}

static int check_line(struct frame *frame, struct slice line, struct err *err)
{
	struct slice name;
	if (line.len > ICS_LINE_BYTES_MAX)
		return err_set(err, ERR_ICS_LIMIT, "line %zu has more than %d bytes", frame->line, (int)ICS_LINE_BYTES_MAX);
	if (has_word(line, "BEGIN:", &name))
		return open_component(frame, name, err);
	if (has_word(line, "END:", &name))
		return close_component(frame, name, err);
	return frame->depth != 0 || line.len == 0 ? 0 : bad_line(frame, err, "an iCalendar file begins with BEGIN:VCALENDAR");
}

static struct slice without_blanks_behind(struct slice line)
{
	while (line.len > 0 && isspace((unsigned char)line.p[line.len - 1]))
		line.len--;
	return line;
}

static size_t line_of(struct slice bytes, size_t offset)
{
	size_t line = 1;
	for (size_t at = 0; at < offset; at++)
		line += bytes.p[at] == '\n';
	return line;
}

static int check_bytes(struct slice bytes, struct err *err)
{
	if (bytes.len > ICS_BYTES_MAX)
		return err_set(err, ERR_ICS_LIMIT, "the file has more than %d bytes", (int)ICS_BYTES_MAX);
	if (bytes.len >= 2 && (memcmp(bytes.p, "\xFF\xFE", 2) == 0 || memcmp(bytes.p, "\xFE\xFF", 2) == 0))
		return err_set(err, ERR_BAD_ICS, "the file is UTF-16: convert it to UTF-8 first (iconv -f UTF-16 -t UTF-8)");
	size_t bad = utf8_first_bad(bytes);
	if (bad != bytes.len)
		return err_set(err, ERR_BAD_ICS, "line %zu is not UTF-8: convert the file first (iconv -f LATIN1 -t UTF-8)",
		               line_of(bytes, bad));
	const char *nul = bytes.len > 0 ? memchr(bytes.p, '\0', bytes.len) : NULL;
	if (nul != NULL)
		return err_set(err, ERR_BAD_ICS, "line %zu has a NUL", line_of(bytes, (size_t)(nul - bytes.p)));
	return 0;
}

/* BEGIN and END fit, nothing is cut off, nothing lies outside. */
static int check_lines(struct slice bytes, struct err *err)
{
	struct frame frame = {.line = 0};
	for (size_t at = 0; at < bytes.len;) {
		const char *end = memchr(bytes.p + at, '\n', bytes.len - at);
		size_t len = end != NULL ? (size_t)(end - bytes.p) - at : bytes.len - at;
		frame.line++;
		if (check_line(&frame, without_blanks_behind((struct slice){bytes.p + at, len}), err) != 0)
			return -1;
		at += len + 1;
	}
	if (!frame.has_calendar)
		return err_set(err, ERR_BAD_ICS, "the file is empty");
	if (frame.depth != 0)
		return err_set(err, ERR_BAD_ICS, "the file is cut off: there is no END:%.*s", SLICE_ARG(frame.open[frame.depth - 1]));
	return 0;
}

int ics_check_frame(struct slice bytes, struct err *err)
{
	return check_bytes(bytes, err) != 0 ? -1 : check_lines(bytes, err);
}
