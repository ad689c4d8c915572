/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes that somebody else owns. May hold NULs; never NUL-terminated by promise. `p` may be NULL when len is 0.
 */
#ifndef LR_RULES_BASE_SLICE_H
#define LR_RULES_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
	const char *p;
	size_t len;
};

#define SLICE_NONE ((struct slice){NULL, 0})
/* For string literals only. For printf: "%.*s" with SLICE_ARG(s). */
#define SLICE(literal) ((struct slice){"" literal, sizeof(literal) - 1})
#define SLICE_ARG(s) (int)(s).len, (s).len ? (s).p : ""

static inline struct slice slice_of(const char *text)
{
	return (struct slice){text, text ? strlen(text) : 0};
}

static inline bool slice_equal(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static inline bool slice_is(struct slice s, const char *text)
{
	return slice_equal(s, slice_of(text));
}

static inline bool slice_has_prefix(struct slice s, struct slice prefix)
{
	return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.p, prefix.p, prefix.len) == 0);
}

/* Bytewise order, shorter first on a common prefix: <0, 0, >0. */
static inline int slice_compare(struct slice a, struct slice b)
{
	size_t common = a.len < b.len ? a.len : b.len;
	int order = common ? memcmp(a.p, b.p, common) : 0;
	return order ? order : (a.len > b.len) - (a.len < b.len);
}

#endif
