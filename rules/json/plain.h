/* SPDX-License-Identifier: Apache-2.0
 *
 * The inside of JSON strings, many bytes at a time. For readers of JSON only.
 */
#ifndef LR_RULES_JSON_PLAIN_H
#define LR_RULES_JSON_PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

static inline bool json_is_plain(char byte)
{
	return (unsigned char)byte >= 0x20 && byte != '"' && byte != '\\';
}

/* A high bit where one of eight bytes is a quote, a backslash or a control character; exact up to the first of them. */
static inline uint64_t json_marks_of_8(uint64_t word)
{
	const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
	uint64_t quote = word ^ '"' * ones, backslash = word ^ '\\' * ones;
	return (((word - 0x20 * ones) & ~word) | ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash)) & highs;
}

#ifdef __SSE2__
/* The same for sixteen bytes, and where: bit n stands for byte n. */
static inline unsigned json_marks_of_16(__m128i bytes)
{
	__m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
	__m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')), backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
	return (unsigned)_mm_movemask_epi8(_mm_or_si128(control, _mm_or_si128(quote, backslash)));
}
#endif

enum { JSON_PADDING = 16 };

/* The first byte from `at` on that ends a string or is not simply part of it: a quote, a backslash, a control character;
 * `end` if there is none. */
static inline const char *json_skip_plain(const char *at, const char *end)
{
#ifdef __SSE2__
	for (; end - at >= 16; at += 16) {
		unsigned marks = json_marks_of_16(_mm_loadu_si128((const __m128i *)(const void *)at));
		if (marks != 0)
			return at + __builtin_ctz(marks);
	}
#endif
	for (uint64_t word; end - at >= (ptrdiff_t)sizeof word; at += sizeof word) {
		memcpy(&word, at, sizeof word);
		uint64_t marks = json_marks_of_8(word);
		if (marks != 0 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
			return at + __builtin_ctzll(marks) / 8;
		if (marks != 0)
			break;
	}
	while (at != end && json_is_plain(*at))
		at++;
	return at;
}

/* The same where JSON_PADDING NULs stand at `end`, so that nothing has to be counted. */
static inline const char *json_skip_padded(const char *at, const char *end)
{
#ifdef __SSE2__
	(void)end;
	for (;; at += 16) {
		unsigned marks = json_marks_of_16(_mm_loadu_si128((const __m128i *)(const void *)at));
		if (marks != 0)
			return at + __builtin_ctz(marks);
	}
#else
	return json_skip_plain(at, end);
#endif
}

#endif
