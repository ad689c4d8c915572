/* SPDX-License-Identifier: Apache-2.0
 *
 * Nearly all input is plain ASCII that needs nothing, so each function first looks whether it can leave without ICU.
 */
#include "rules/text/normalise.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/utf8.h>

#include "rules/base/arena.h"
#include "rules/text/wide.h"

static const UChar32 ZERO_WIDTH_NON_JOINER = 0x200C, ZERO_WIDTH_JOINER = 0x200D;

bool text_is_utf8(struct slice text)
{
	const uint8_t *bytes = (const uint8_t *)text.p;
	for (size_t at = 0; at < text.len;) {
		UChar32 c;
		if (bytes[at] < 0x80) {
			at++;
			continue;
		}
		U8_NEXT(bytes, at, text.len, c);
		if (c < 0)
			return false;
	}
	return true;
}

static bool is_ascii(struct slice text)
{
	uint64_t word, high = 0;
	size_t at = 0;
	for (; text.len - at >= sizeof word; at += sizeof word) {
		memcpy(&word, text.p + at, sizeof word);
		high |= word;
	}
	for (; at < text.len; at++)
		high |= (unsigned char)text.p[at];
	return (high & 0x8080808080808080u) == 0;
}

struct slice text_truncate(struct slice text, size_t max_bytes)
{
	if (text.len <= max_bytes)
		return text;
	size_t len = max_bytes;
	/* Bytes 10xxxxxx continue a code point; one has at most three of them. */
	for (int back = 0; back < 3 && len > 0 && ((unsigned char)text.p[len] & 0xC0) == 0x80; back++)
		len--;
	return (struct slice){text.p, len};
}

size_t text_length(struct slice text)
{
	size_t count = 0;
	const uint8_t *bytes = (const uint8_t *)text.p;
	for (size_t at = 0; at < text.len; count++) {
		UChar32 c;
		U8_NEXT(bytes, at, text.len, c);
		(void)c; /* a bad byte counts as one, as documented */
	}
	return count;
}

/* A format character that shows nothing. The few of category Cf that are drawn (Arabic number signs) stay. */
static bool is_invisible(UChar32 c)
{
	return u_charType(c) == U_FORMAT_CHAR && !u_hasBinaryProperty(c, UCHAR_PREPENDED_CONCATENATION_MARK);
}

static bool is_blank(UChar32 c)
{
	return u_isUWhiteSpace(c) || is_invisible(c) || c == 0;
}

struct slice text_trim(struct slice text)
{
	const uint8_t *bytes = (const uint8_t *)text.p;
	size_t start = 0, end = text.len;
	while (start < end) {
		size_t next = start;
		UChar32 c;
		U8_NEXT(bytes, next, end, c);
		if (c < 0 || !is_blank(c))
			break;
		start = next;
	}
	while (end > start) {
		struct slice shorter = text_truncate((struct slice){text.p + start, end - start}, end - start - 1);
		size_t next = start + shorter.len;
		UChar32 c;
		U8_NEXT(bytes, next, end, c);
		if (c < 0 || next != end || !is_blank(c))
			break;
		end = start + shorter.len;
	}
	return end == start ? (struct slice){text.p, 0} : (struct slice){text.p + start, end - start};
}

/* Eight bytes at a time, as in rules/base/utf8.c. A high bit for each byte that is 0, and for no other. */
static uint64_t zero_bytes(uint64_t word)
{
	const uint64_t lows = 0x7F7F7F7F7F7F7F7Fu;
	return ~(((word & lows) + lows) | word | lows);
}

/* Is each of eight bytes printable ASCII, and no space beside another? */
static bool is_clean_word(const char *p)
{
	const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
	uint64_t word;
	memcpy(&word, p, sizeof word);
	uint64_t spaces = zero_bytes(word ^ ' ' * ones);
	bool is_printable = (((word - 0x20 * ones) | word) & highs) == 0 && zero_bytes(word ^ 0x7F * ones) == 0;
	return is_printable && (spaces & spaces << 8) == 0;
}

/* Printable ASCII with single spaces inside only. Words overlap by a byte, so that each pair of neighbours is seen. */
static bool is_clean_ascii(struct slice text)
{
	const size_t size = sizeof(uint64_t);
	if (text.len == 0)
		return true;
	if (text.p[0] == ' ' || text.p[text.len - 1] == ' ')
		return false;
	if (text.len >= size) {
		for (size_t at = 0; at + size < text.len; at += size - 1)
			if (!is_clean_word(text.p + at))
				return false;
		return is_clean_word(text.p + text.len - size);
	}
	for (size_t at = 0; at < text.len; at++)
		if (text.p[at] < ' ' || text.p[at] > '~' || (text.p[at] == ' ' && text.p[at + 1] == ' '))
			return false; /* the last byte is no space: there is a next one */
	return true;
}

/* Letters of common writing that NFC leaves alone and that do not combine with each other: Latin with its accents, Greek,
 * Cyrillic, Hebrew, Arabic, Devanagari without its nukta, kana, Han, Hangul. None is a space or invisible. */
static const struct letters {
	UChar32 first, last;
} LETTERS[] = {
	{0x00C0, 0x017F}, {0x0388, 0x03CE}, {0x0400, 0x0482}, {0x05D0, 0x05EA}, {0x0621, 0x063A}, {0x0641, 0x064A},
	{0x0904, 0x0939}, {0x093D, 0x094D}, {0x3041, 0x3096}, {0x30A1, 0x30FA}, {0x4E00, 0x9FFF}, {0xAC00, 0xD7A3},
};

static bool is_letter(UChar32 c)
{
	for (size_t at = 0; at < sizeof LETTERS / sizeof *LETTERS; at++)
		if (c >= LETTERS[at].first && c <= LETTERS[at].last)
			return true;
	return false;
}

/* Such letters and printable ASCII, with single spaces inside only. */
static bool is_clean_writing(struct slice text)
{
	const uint8_t *bytes = (const uint8_t *)text.p;
	UChar32 previous = ' ';
	for (size_t at = 0; at < text.len;) {
		UChar32 c = bytes[at];
		if (c < 0x80)
			at++;
		else
			U8_NEXT(bytes, at, text.len, c);
		bool is_clean = (c > ' ' && c <= '~') || (c == ' ' && previous != ' ') || is_letter(c);
		if (!is_clean)
			return false;
		previous = c;
	}
	return previous != ' ';
}

/* Joiners matter inside words of some scripts and in emoji; anywhere else they only make equal things unequal. What they
 * stand behind is told by its base: a mark may yet become one with it. */
static bool is_joiner_in_word(UChar32 c, UChar32 base)
{
	return (c == ZERO_WIDTH_JOINER || c == ZERO_WIDTH_NON_JOINER) && base > 0x2FF && !u_isUWhiteSpace(base);
}

static bool is_mark(UChar32 c)
{
	return (U_GET_GC_MASK(c) & U_GC_M_MASK) != 0;
}

static void put_visible(const struct wide *from, struct wide *to)
{
	bool is_space_due = false;
	UChar32 base = ' ', joiner = 0;
	for (int32_t at = 0; at < from->len;) {
		UChar32 c;
		U16_NEXT(from->units, at, from->len, c);
		if (u_isUWhiteSpace(c)) {
			is_space_due = to->len > 0;
			joiner = 0;
			continue;
		}
		if (is_invisible(c) || u_charType(c) == U_CONTROL_CHAR) {
			joiner = !is_space_due && is_joiner_in_word(c, base) ? c : joiner;
			continue;
		}
		if (is_space_due)
			wide_put(to, ' ');
		if (joiner != 0)
			wide_put(to, joiner);
		wide_put(to, c);
		is_space_due = false;
		joiner = 0;
		base = is_mark(c) ? base : c;
	}
}

static const UNormalizer2 *form_nfc(void)
{
	UErrorCode status = U_ZERO_ERROR;
	const UNormalizer2 *form = unorm2_getNFCInstance(&status);
	assert(U_SUCCESS(status));
	return form;
}

static const UNormalizer2 *form_nfd(void)
{
	UErrorCode status = U_ZERO_ERROR;
	const UNormalizer2 *form = unorm2_getNFDInstance(&status);
	assert(U_SUCCESS(status));
	return form;
}

static const UNormalizer2 *form_folded(void)
{
	UErrorCode status = U_ZERO_ERROR;
	const UNormalizer2 *form = unorm2_getNFKCCasefoldInstance(&status);
	assert(U_SUCCESS(status));
	return form;
}

struct slice text_clean(struct arena *arena, struct slice text)
{
	if (is_clean_ascii(text) || (text.len <= TEXT_BYTES && is_clean_writing(text)))
		return text;
	struct wide raw, visible;
	wide_init(&raw);
	wide_init(&visible);
	wide_set(&visible, text);
	wide_normalise(&visible, form_nfc(), &raw);
	visible.len = 0;
	put_visible(&raw, &visible);
	wide_normalise(&visible, form_nfc(), &raw); /* what had something invisible between it comes together */
	struct slice clean = wide_text(&raw, arena);
	wide_done(&raw);
	wide_done(&visible);
	return slice_equal(clean, text) ? text : clean;
}

static struct slice fold_ascii(struct arena *arena, struct slice text)
{
	text = text_truncate(text, TEXT_BYTES);
	char *folded = arena_memdupz(arena, text.p, text.len);
	for (size_t at = 0; at < text.len; at++)
		if (folded[at] >= 'A' && folded[at] <= 'Z')
			folded[at] = (char)(folded[at] + ('a' - 'A'));
	return (struct slice){folded, text.len};
}

struct slice text_fold(struct arena *arena, struct slice text)
{
	if (is_ascii(text))
		return fold_ascii(arena, text);
	struct wide raw, folded;
	wide_init(&raw);
	wide_init(&folded);
	wide_set(&raw, text);
	wide_normalise(&raw, form_folded(), &folded);
	struct slice result = wide_text(&folded, arena);
	wide_done(&raw);
	wide_done(&folded);
	return result;
}

/* Letters that Unicode does not take apart, although people write them without their stroke. After folding. */
static const struct {
	UChar32 letter;
	const char *plain;
} STROKED[] = {
	{0x00E6, "ae"}, {0x00F0, "d"}, {0x00F8, "o"}, {0x00FE, "th"}, {0x0111, "d"}, {0x0127, "h"},
	{0x0131, "i"},  {0x0142, "l"}, {0x014B, "n"}, {0x0153, "oe"}, {0x0167, "t"},
};

static const char *plain_letters(UChar32 c)
{
	for (size_t at = 0; at < sizeof STROKED / sizeof *STROKED; at++)
		if (STROKED[at].letter == c)
			return STROKED[at].plain;
	return NULL;
}

/* Accents belong to no script of their own. The Japanese voicing marks do neither, but か and が are different letters;
 * so are letters with the vowel signs of Indic scripts, which have a script. */
static bool is_accent(UChar32 c)
{
	if (u_charType(c) != U_NON_SPACING_MARK || c == 0x3099 || c == 0x309A)
		return false;
	UErrorCode status = U_ZERO_ERROR;
	return uscript_getScript(c, &status) == USCRIPT_INHERITED;
}

static bool is_in_key(UChar32 c)
{
	bool is_mark = (U_GET_GC_MASK(c) & U_GC_M_MASK) != 0;
	bool is_apostrophe_like = c >= 0x02B0 && c <= 0x02FF; /* ʻ of Hawaiʻi: a letter only by its category */
	return (u_isalnum(c) || is_mark) && !is_accent(c) && !is_apostrophe_like;
}

static void keep_key_letters(const struct wide *from, struct wide *to)
{
	to->len = 0;
	for (int32_t at = 0; at < from->len;) {
		UChar32 c;
		U16_NEXT(from->units, at, from->len, c);
		const char *plain = plain_letters(c);
		for (; plain != NULL && *plain != '\0'; plain++)
			wide_put(to, *plain);
		if (plain == NULL && is_in_key(c))
			wide_put(to, c);
	}
}

static size_t put_ascii_key(struct slice text, char *to)
{
	size_t len = 0;
	text = text_truncate(text, TEXT_BYTES);
	for (size_t at = 0; at < text.len; at++) {
		unsigned char c = (unsigned char)text.p[at], letter = c | 0x20;
		if ((letter >= 'a' && letter <= 'z') || (c >= '0' && c <= '9'))
			to[len++] = (char)(c >= 'A' ? letter : c);
	}
	return len;
}

struct slice text_key_short(struct slice text, char *plain, struct arena *arena)
{
	return is_ascii(text) ? (struct slice){plain, put_ascii_key(text, plain)} : text_key(arena, text);
}

struct slice text_key(struct arena *arena, struct slice text)
{
	if (is_ascii(text)) {
		char *plain = arena_raw(arena, text.len + 1);
		size_t len = put_ascii_key(text, plain);
		plain[len] = '\0';
		return (struct slice){plain, len};
	}
	struct wide one, other;
	wide_init(&one);
	wide_init(&other);
	wide_set(&one, text);
	wide_normalise(&one, form_folded(), &other);
	wide_normalise(&other, form_nfd(), &one);
	keep_key_letters(&one, &other);
	struct slice key = wide_text(&other, arena);
	wide_done(&one);
	wide_done(&other);
	return key;
}
