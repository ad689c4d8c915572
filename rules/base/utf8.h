/* SPDX-License-Identifier: Apache-2.0
 *
 * Is it UTF-8? Well-formed as Unicode table 3-7 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
 */
#ifndef LR_RULES_BASE_UTF8_H
#define LR_RULES_BASE_UTF8_H

#include <stddef.h>

#include "rules/base/slice.h"

/* The offset of the first byte that does not belong to a well-formed character; `bytes.len` when all is well. */
size_t utf8_first_bad(struct slice bytes);

#endif
