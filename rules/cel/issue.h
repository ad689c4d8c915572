/* SPDX-License-Identifier: Apache-2.0
 *
 * Collecting what is wrong with an expression.
 */
#ifndef LR_RULES_CEL_ISSUE_H
#define LR_RULES_CEL_ISSUE_H

#include "rules/cel/cel.h"

/* A part of the expression's text, in bytes. */
struct extent {
	uint32_t offset, length;
};

/* Adds a refusal or a warning; message and help are formatted into `arena` and cut to one line. Returns the new entry so
 * that help and note can be set, or NULL when the list is full. */
struct cel_issue *issue_refuse(struct cel_issues *issues, struct arena *arena, enum err_code code, struct extent span,
			       const char *format, ...) __attribute__((format(printf, 5, 6)));
struct cel_issue *issue_warn(struct cel_issues *issues, struct arena *arena, enum err_code code, struct extent span,
			     const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Sets the help line; `issue` may be NULL. */
void issue_help(struct cel_issue *issue, struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The best match for `wanted` among candidates fed one by one: nearest by edit distance, if near enough. */
struct nearest {
	struct slice wanted;
	const char *best; /* NULL: none is near */
	size_t distance;
};
void nearest_consider(struct nearest *nearest, const char *candidate);

#endif
