/* SPDX-License-Identifier: Apache-2.0
 *
 * All that is wrong with a configuration, in one list, shown in a way that people can act on:
 *
 *     error[LR015]: no team is called `dahc`
 *       --> conf.d/20-routes.yaml:14:11
 *        |
 *     14 |     team: dahc
 *        |           ^^^^ did you mean `dach`?
 *        = help: leadctl explain LR015
 *
 * A diagnostic copies what it shows (path, line, column, the source line), so it outlives the text it speaks of.
 * The list is bounded; what does not fit is counted. It is sorted by file and place when it is rendered.
 */
#ifndef LR_RULES_BASE_DIAG_H
#define LR_RULES_BASE_DIAG_H

#include <stdbool.h>
#include <stddef.h>

#include "rules/base/err.h"
#include "rules/base/source.h"

struct strbuf;

enum {
	DIAGS_MAX = 200, /* more than anybody reads in one go */
	DIAG_NOTES_MAX = 4,
	DIAG_LINE_BYTES = 4096,  /* of a source line, kept around the caret */
	DIAG_TEXT_BYTES = 1000,  /* of any message; what does not fit is cut */
};

enum diag_severity { DIAG_ERROR, DIAG_WARNING };

/* A marked piece of a source line. */
struct diag_mark {
	const char *path;           /* relative to the directory, or absolute; NULL: nowhere */
	unsigned line, column;      /* line 0: the file as a whole */
	struct slice text;          /* the source line, or a window of it */
	size_t mark_from, mark_len; /* bytes in `text`; the mark ends with the line */
	bool is_cut_left, is_cut_right;
	bool is_concealed; /* no text: it holds a secret */
	const char *label; /* behind the mark; "" none */
};

struct diag {
	enum diag_severity severity;
	enum err_code code;
	const char *message; /* one line, lower case, what is wrong */
	struct diag_mark place;
	struct diag_mark second; /* "first defined here"; path NULL: none */
	const char *notes[DIAG_NOTES_MAX];
	size_t note_count;
	const char *help; /* what to do; NULL: only `leadctl explain` */
	size_t order;     /* in which it was added */
};

struct diags; /* heap; one owner */

struct diags *diags_new(void);
void diags_free(struct diags *diags);

/* Adds an error or a warning at `span` (SOURCE_SPAN_NONE: no place; an empty source: the file as a whole). The result
 * takes the parts below; when the list is full it is a spare that is never shown. Never NULL. */
struct diag *diags_add(struct diags *diags, enum err_code code, struct source_span span, const char *format, ...)
	__attribute__((format(printf, 4, 5), returns_nonnull));
struct diag *diags_warn(struct diags *diags, enum err_code code, struct source_span span, const char *format, ...)
	__attribute__((format(printf, 4, 5), returns_nonnull));
/* From now on those for which `is_left_out` holds are neither kept nor counted. */
void diags_leave_out(struct diags *diags, bool (*is_left_out)(enum diag_severity severity, enum err_code code, const char *message));
/* Text behind the caret: "did you mean `dach`?". */
void diag_label(struct diags *diags, struct diag *diag, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* A second place and what it is. */
void diag_second(struct diags *diags, struct diag *diag, struct source_span span, const char *label);
void diag_note(struct diags *diags, struct diag *diag, const char *format, ...) __attribute__((format(printf, 3, 4)));
void diag_help(struct diags *diags, struct diag *diag, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* "did you mean `x`?" behind the caret; nothing when `best` is empty. */
void diag_did_you_mean(struct diags *diags, struct diag *diag, struct slice best);

/* Shows the place without the source line: there is a secret in it. */
void diag_conceal(struct diag *diag);
/* Paths are shown below this directory, "DIR/conf.d/10-routes.yaml"; NULL or "" (the default): as they are. Copied. */
void diags_set_directory(struct diags *diags, const char *directory);
const char *diags_directory(const struct diags *diags);

/* All that were added, also those that did not fit. */
size_t diags_error_count(const struct diags *diags);
size_t diags_warning_count(const struct diags *diags);
/* Errors kept some of it from being looked at: what is never true, never used, and the like. The verdict says so. */
void diags_say_partial(struct diags *diags);
bool diags_is_partial(const struct diags *diags);
/* Those that did not fit. */
size_t diags_hidden_count(const struct diags *diags);
/* Sorted by path, line and column. `ret_count` may be NULL. Valid until the next diags_add. */
const struct diag *diags_sorted(struct diags *diags, size_t *ret_count);

/* Human text, one block per diagnostic, each followed by an empty line; with ANSI colours if asked. */
void diags_render(struct diags *diags, bool colour, struct strbuf *out);
/* "2 errors, 1 warning" or "no errors"; no line break. */
void diags_verdict(const struct diags *diags, struct strbuf *out);
/* The first error as struct err, for callers that can pass on only one. */
void diags_first(struct diags *diags, struct err *err);

#endif
