/* SPDX-License-Identifier: Apache-2.0
 *
 * A cursor over JSON of our own making: compact, no escapes. Much cheaper than a parser; whatever it does not
 * understand it refuses, and the caller asks rules/json/json.h instead.
 */
#ifndef LR_RULES_SCAN_H
#define LR_RULES_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/base/slice.h"
#include "rules/json/plain.h"

struct scan {
	const char *at, *end;
};

static inline bool scan_byte(struct scan *scan, char byte)
{
	if (scan->at == scan->end || *scan->at != byte)
		return false;
	scan->at++;
	return true;
}

/* A string without escapes and control characters. */
static inline bool scan_text(struct scan *scan, struct slice *ret)
{
	if (!scan_byte(scan, '"'))
		return false;
	const char *start = scan->at;
	scan->at = json_skip_plain(start, scan->end);
	*ret = (struct slice){start, (size_t)(scan->at - start)};
	return scan_byte(scan, '"');
}

/* The value of eight digits, or -1. Neighbours are put together: first to pairs, then to fours, then to eight. */
static inline int64_t scan_eight(const char *at)
{
	uint64_t word;
	memcpy(&word, at, sizeof word);
	if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
		word = __builtin_bswap64(word);
	bool are_digits = ((word & 0xF0F0F0F0F0F0F0F0u) | ((word + 0x0606060606060606u) & 0xF0F0F0F0F0F0F0F0u) >> 4) == 0x3333333333333333u;
	if (!are_digits)
		return -1;
	word = (word & 0x0F0F0F0F0F0F0F0Fu) * (10 << 8 | 1) >> 8;
	word = (word & 0x00FF00FF00FF00FFu) * (100 << 16 | 1) >> 16;
	return (int64_t)((word & 0x0000FFFF0000FFFFu) * (10000ull << 32 | 1) >> 32);
}

/* An integer of at most 18 digits, as json_put_int writes it: no leading zeros, no "-0". */
static inline bool scan_int(struct scan *scan, int64_t *ret)
{
	bool is_negative = scan_byte(scan, '-');
	const char *start = scan->at, *at = start, *end = scan->end - start > 18 ? start + 18 : scan->end;
	int64_t value = 0, eight;
	while (end - at >= 8 && (eight = scan_eight(at)) >= 0) {
		value = value * 100000000 + eight;
		at += 8;
	}
	for (unsigned digit; at < end && (digit = (unsigned)(unsigned char)*at - '0') <= 9; at++)
		value = value * 10 + digit;
	scan->at = at;
	if (at == start || (*start == '0' && (at - start > 1 || is_negative)))
		return false;
	if (at < scan->end && *at >= '0' && *at <= '9')
		return false;
	*ret = is_negative ? -value : value;
	return true;
}

#endif
