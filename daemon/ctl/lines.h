/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines of a file or of standard input, each of bounded length, so that no input makes a tool take memory without end.
 */
#ifndef LR_DAEMON_CTL_LINES_H
#define LR_DAEMON_CTL_LINES_H

#include <stddef.h>
#include <stdio.h>

#include "rules/base/slice.h"
#include "rules/base/strbuf.h"

struct lines {
	FILE *file; /* borrowed */
	size_t bytes_max;
	size_t number; /* of the line that was given last, from 1 */
	struct strbuf line;
};

enum lines_step {
	LINES_END,
	LINES_LINE,
	LINES_TOO_LONG, /* the line was skipped to its end */
	LINES_FAILED,   /* reading failed: errno */
};

void lines_init(struct lines *lines, FILE *file, size_t bytes_max);
void lines_done(struct lines *lines);
/* The next line without its line end (\n or \r\n), valid until the next call. The last one may lack it. */
enum lines_step lines_next(struct lines *lines, struct slice *ret_line);

/* The one file that a verb reads questions from, or standard input: FILE or "-". Calls `answer` with it and returns what that
 * returns; says what is wrong when there are more names or the file cannot be opened. */
struct ctl_args;
int lines_answer(const struct ctl_args *args, int (*answer)(FILE *file));

#endif
