/* SPDX-License-Identifier: Apache-2.0
 *
 * UTF-16 scratch text for talking to ICU. Only files of rules/text that include unicode/ use it. Small texts stay on
 * the stack of the caller; every buffer ends with wide_done().
 */
#ifndef LR_RULES_TEXT_WIDE_H
#define LR_RULES_TEXT_WIDE_H

#include <stdint.h>

#include <unicode/unorm2.h>
#include <unicode/utypes.h>

#include "rules/base/slice.h"

struct arena;

enum { WIDE_FIXED_UNITS = 256 };

struct wide {
	UChar *units; /* `fixed` or heap */
	int32_t len, capacity;
	UChar fixed[WIDE_FIXED_UNITS];
};

void wide_init(struct wide *wide);
void wide_done(struct wide *wide);
/* Room for `units` in all; what is there stays. */
void wide_reserve(struct wide *wide, int32_t units);
void wide_put(struct wide *wide, UChar32 c);
/* Replaces the content by `text`, cut at TEXT_BYTES; bad bytes become U+FFFD. */
void wide_set(struct wide *wide, struct slice text);
/* Content of `to` becomes the normal form of `from`. */
void wide_normalise(const struct wide *from, const UNormalizer2 *form, struct wide *to);
/* UTF-8 in `arena`. */
struct slice wide_text(const struct wide *wide, struct arena *arena);

#endif
