/* SPDX-License-Identifier: Apache-2.0
 *
 * UTF-8 as CEL strings need it: checking, stepping, writing.
 */
#ifndef LR_RULES_CEL_UTF8_H
#define LR_RULES_CEL_UTF8_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/base/slice.h"

enum { UTF8_MAX_BYTES = 4, UTF8_LAST = 0x10ffff };

/* Offset of the first byte that is not part of well-formed UTF-8; the length when all is well. */
size_t utf8_valid_length(struct slice text);
/* Code points of well-formed text. */
size_t utf8_count(struct slice text);
/* Byte offset of code point `index`; the length when there are no more than that. */
size_t utf8_offset(struct slice text, size_t index);
/* Bytes of the code point that starts with `lead`, in well-formed text. */
static inline size_t utf8_width(char lead)
{
	unsigned char byte = (unsigned char)lead;
	return byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}
/* The code point at the start of well-formed, non-empty text. */
uint32_t utf8_first(struct slice text);
/* Writes up to UTF8_MAX_BYTES; 0 for surrogates and what lies beyond Unicode. */
size_t utf8_put(char *bytes, uint32_t code_point);

#endif
