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
	while (scan->at < scan->end && *scan->at != '"') {
		if (*scan->at == '\\' || (unsigned char)*scan->at < 0x20)
			return false;
		scan->at++;
	}
	*ret = (struct slice){start, (size_t)(scan->at - start)};
	return scan_byte(scan, '"');
}

/* An integer of at most 18 digits, as json_put_int writes it: no leading zeros, no "-0". */
static inline bool scan_int(struct scan *scan, int64_t *ret)
{
	bool is_negative = scan_byte(scan, '-');
	const char *start = scan->at;
	int64_t value = 0;
	while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9' && scan->at - start < 18)
		value = value * 10 + (*scan->at++ - '0');
	if (scan->at == start || (*start == '0' && (scan->at - start > 1 || is_negative)))
		return false;
	if (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9')
		return false;
	*ret = is_negative ? -value : value;
	return true;
}

#endif
