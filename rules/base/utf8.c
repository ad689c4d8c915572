/* SPDX-License-Identifier: Apache-2.0
 *
 * Many ASCII bytes at a time, anything else by the table.
 */
#include "rules/base/utf8.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { IS_LITTLE_ENDIAN = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ };

static bool is_between(unsigned char byte, unsigned char low, unsigned char high)
{
	return byte >= low && byte <= high;
}

/* Length of the well-formed character at `p`, 0 if there is none. */
static size_t character(const unsigned char *p, size_t left)
{
	unsigned char low = 0x80, high = 0xBF; /* what the second byte may be */
	size_t len;
	if (p[0] < 0x80)
		return 1;
	if (is_between(p[0], 0xC2, 0xDF))
		len = 2;
	else if (is_between(p[0], 0xE0, 0xEF))
		len = 3;
	else if (is_between(p[0], 0xF0, 0xF4))
		len = 4;
	else
		return 0;
	if (p[0] == 0xE0)
		low = 0xA0;
	else if (p[0] == 0xED)
		high = 0x9F;
	else if (p[0] == 0xF0)
		low = 0x90;
	else if (p[0] == 0xF4)
		high = 0x8F;
	if (left < len || !is_between(p[1], low, high))
		return 0;
	for (size_t i = 2; i < len; i++)
		if (!is_between(p[i], 0x80, 0xBF))
			return 0;
	return len;
}

size_t utf8_first_bad(struct slice bytes)
{
	const unsigned char *p = (const unsigned char *)bytes.p;
	size_t at = 0;
	while (at < bytes.len) {
		uint64_t word, words[4];
		while (bytes.len - at >= sizeof words) {
			memcpy(words, p + at, sizeof words);
			if (((words[0] | words[1] | words[2] | words[3]) & 0x8080808080808080u) != 0)
				break;
			at += sizeof words;
		}
		while (bytes.len - at >= sizeof word) {
			memcpy(&word, p + at, sizeof word);
			word &= 0x8080808080808080u;
			if (word != 0 && IS_LITTLE_ENDIAN)
				at += (size_t)__builtin_ctzll(word) / 8; /* to the byte itself */
			if (word != 0)
				break;
			at += sizeof word;
		}
		if (at == bytes.len)
			break;
		size_t len = character(p + at, bytes.len - at);
		if (len == 0)
			return at;
		at += len;
	}
	return at;
}
