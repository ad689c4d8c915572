/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of people to lower-case ASCII, for match keys only (ICU): "Łukasz", "ŁUKASZ" and "lukasz" are equal, "Иван" is
 * "ivan", "王伟" is "wang wei". Never for display: it guesses (Han characters are read as Mandarin).
 */
#ifndef LR_RULES_TEXT_TRANSLIT_H
#define LR_RULES_TEXT_TRANSLIT_H

#include "rules/base/slice.h"

struct arena;
struct err;

enum { TRANSLIT_INPUT_BYTES = 1000 }; /* a longer name is cut at a code point */

struct translit; /* heap; 14 ms to open; one per thread, since use changes its inner state */

/* NULL, and `err` says why, only when the system's ICU lacks its transliteration data. */
struct translit *translit_new(struct err *err);
void translit_free(struct translit *translit);
/* a–z, 0–9 and single spaces; may be empty. In `arena`. */
struct slice translit_ascii(struct translit *translit, struct arena *arena, struct slice name);

#endif
