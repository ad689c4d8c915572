/* SPDX-License-Identifier: Apache-2.0
 *
 * Plain text made comparable (ICU). Every function takes UTF-8 and gives UTF-8; results that are new bytes lie in the
 * caller's arena and carry a NUL behind them. Text that is no UTF-8 is refused by text_is_utf8 first; given to the
 * others, its bad bytes become U+FFFD.
 */
#ifndef LR_RULES_TEXT_NORMALISE_H
#define LR_RULES_TEXT_NORMALISE_H

#include <stdbool.h>
#include <stddef.h>

#include "rules/base/slice.h"

struct arena;

enum {
	/* Raise it when text_fold or text_key may give other bytes for any input: it is part of stored match keys. */
	TEXT_NORMALISER_VERSION = 1,
	TEXT_BYTES = 1 << 20, /* longer input is cut (at a code point) before it is worked on */
};

/* Well-formed UTF-8 (no surrogates, no overlong forms, at most U+10FFFF)? NUL bytes are well-formed. */
bool text_is_utf8(struct slice text);
/* The part without white space (Unicode White_Space) and format characters (Cf, such as U+200B and U+FEFF) at both
 * ends. A view, nothing is copied. */
struct slice text_trim(struct slice text);
/* What cleansing stores: trimmed, control and format characters gone (but joiners between letters, which some scripts
 * need, stay), runs of white space one space, NFC. The input itself if nothing had to change. */
struct slice text_clean(struct arena *arena, struct slice text);
/* For comparison without case: NFKC_Casefold. Not for display. */
struct slice text_fold(struct arena *arena, struct slice text);
/* For match keys of names of things: folded, without accents, and only letters and digits left. "Île-de-France" and
 * "ile de france" are equal. */
struct slice text_key(struct arena *arena, struct slice text);
/* The same without a NUL behind it. That of plain ASCII is written to `plain`, which has room for as many bytes as the text,
 * and takes nothing from the arena. */
struct slice text_key_short(struct slice text, char *plain, struct arena *arena);
/* At most `max_bytes`, never a part of a code point. A view. */
struct slice text_truncate(struct slice text, size_t max_bytes);
/* Code points; each bad byte counts as one. */
size_t text_length(struct slice text);

#endif
