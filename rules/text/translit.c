/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/text/translit.h"

#include <stdlib.h>

#include <unicode/ustring.h>
#include <unicode/utrans.h>

#include "rules/base/arena.h"
#include "rules/base/err.h"
#include "rules/base/mem.h"
#include "rules/text/normalise.h"
#include "rules/text/wide.h"

/* To Latin first, while vowel signs are still there; then to ASCII; then what accents and joiners are left. Latin-ASCII
 * alone leaves U+200B and stacked accents. */
static const char CHAIN[] = "Any-Latin; Latin-ASCII; NFKD; [:M:] Remove; [:Cf:] Remove; Lower; NFC";

enum {
	GROWTH = 8,         /* one character of some scripts becomes a whole syllable with a space */
	GROWTH_MIN = 64,
};

struct translit {
	UTransliterator *chain;
};

struct translit *translit_new(struct err *err)
{
	UChar id[sizeof CHAIN];
	u_uastrcpy(id, CHAIN);
	UErrorCode status = U_ZERO_ERROR;
	UTransliterator *chain = utrans_openU(id, -1, UTRANS_FORWARD, NULL, 0, NULL, &status);
	if (U_FAILURE(status)) {
		err_set(err, ERR_BAD_VALUE, "ICU cannot transliterate names: %s", u_errorName(status));
		return NULL;
	}
	struct translit *translit = xcalloc(1, sizeof *translit);
	translit->chain = chain;
	return translit;
}

void translit_free(struct translit *translit)
{
	if (translit == NULL)
		return;
	utrans_close(translit->chain);
	free(translit);
}

static bool is_apostrophe(UChar c)
{
	return c == '\'' || c == '`' || c == 0x2019 || c == 0x02BC;
}

/* Letters and digits; an apostrophe joins ("obrien"), anything else separates. */
static struct slice plain_words(const struct wide *wide, struct arena *arena)
{
	char *text = arena_alloc(arena, (size_t)wide->len + 1);
	size_t len = 0;
	for (int32_t at = 0; at < wide->len; at++) {
		UChar c = wide->units[at];
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			text[len++] = (char)c;
		else if (!is_apostrophe(c) && len > 0 && text[len - 1] != ' ')
			text[len++] = ' ';
	}
	if (len > 0 && text[len - 1] == ' ')
		len--;
	text[len] = '\0';
	return (struct slice){text, len};
}

struct slice translit_ascii(struct translit *translit, struct arena *arena, struct slice name)
{
	struct wide wide;
	wide_init(&wide);
	wide_set(&wide, text_truncate(name, TRANSLIT_INPUT_BYTES));
	wide_reserve(&wide, wide.len * GROWTH + GROWTH_MIN);
	int32_t limit = wide.len;
	UErrorCode status = U_ZERO_ERROR;
	utrans_transUChars(translit->chain, wide.units, &wide.len, wide.capacity, 0, &limit, &status);
	/* Whatever failed or did not fit gives no key; a wrong key would merge two people. */
	if (U_FAILURE(status) || wide.len > wide.capacity)
		wide.len = 0;
	struct slice words = plain_words(&wide, arena);
	wide_done(&wide);
	return words;
}
