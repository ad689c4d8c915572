/* SPDX-License-Identifier: Apache-2.0
 *
 * Regular expressions of RE2 syntax, which is what CEL's matches() is defined by. Matching is linear in the text and
 * takes bounded memory, so no pattern and no text can make it slow (no back-references, no look-around).
 */
#ifndef LR_RULES_TEXT_REGEX_H
#define LR_RULES_TEXT_REGEX_H

#include <stdbool.h>

#include "rules/base/slice.h"

#ifdef __cplusplus
extern "C" {
#endif

struct err;
struct regex; /* heap, immutable after compile; may be used by several threads at once */

enum {
	REGEX_PATTERN_BYTES = 4096,
	REGEX_MEMORY_BYTES = 1 << 20, /* program and match states of one expression together */
};

/* NULL, and `err` (ERR_BAD_REGEX) says why in one line, if the pattern is no RE2 expression, no UTF-8, or too large.
 * The pattern is copied. */
struct regex *regex_compile(struct slice pattern, struct err *err);
/* Does the expression match anywhere in the text? Bytes of the text that are no UTF-8 match nothing. */
bool regex_search(const struct regex *regex, struct slice text);
void regex_free(struct regex *regex);

#ifdef __cplusplus
}
#endif

#endif
