/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/text/wide.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <unicode/ustring.h>
#include <unicode/utf16.h>
#include <unicode/utf8.h>

#include "rules/base/arena.h"
#include "rules/base/mem.h"
#include "rules/text/normalise.h"

enum { UTF8_BYTES_PER_UNIT = 3 }; /* a pair of units makes 4 bytes, a single one at most 3 */

void wide_init(struct wide *wide)
{
	wide->units = wide->fixed;
	wide->len = 0;
	wide->capacity = WIDE_FIXED_UNITS;
}

void wide_done(struct wide *wide)
{
	if (wide->units != wide->fixed)
		free(wide->units);
	wide_init(wide);
}

void wide_reserve(struct wide *wide, int32_t units)
{
	if (units <= wide->capacity)
		return;
	int32_t capacity = units + units / 2;
	UChar *grown = xcalloc((size_t)capacity, sizeof *grown);
	memcpy(grown, wide->units, (size_t)wide->len * sizeof *grown);
	if (wide->units != wide->fixed)
		free(wide->units);
	wide->units = grown;
	wide->capacity = capacity;
}

void wide_put(struct wide *wide, UChar32 c)
{
	wide_reserve(wide, wide->len + 2);
	U16_APPEND_UNSAFE(wide->units, wide->len, c);
}

void wide_set(struct wide *wide, struct slice text)
{
	text = text_truncate(text, TEXT_BYTES);
	wide->len = 0;
	wide_reserve(wide, (int32_t)text.len + 1); /* never more units than bytes */
	if (text.len == 0)
		return;
	UErrorCode status = U_ZERO_ERROR;
	u_strFromUTF8WithSub(wide->units, wide->capacity, &wide->len, text.p, (int32_t)text.len, 0xFFFD, NULL, &status);
	assert(U_SUCCESS(status));
}

void wide_normalise(const struct wide *from, const UNormalizer2 *form, struct wide *to)
{
	to->len = 0;
	wide_reserve(to, from->len + 16);
	UErrorCode status = U_ZERO_ERROR;
	int32_t len = unorm2_normalize(form, from->units, from->len, to->units, to->capacity, &status);
	if (status == U_BUFFER_OVERFLOW_ERROR) {
		wide_reserve(to, len + 1);
		status = U_ZERO_ERROR;
		len = unorm2_normalize(form, from->units, from->len, to->units, to->capacity, &status);
	}
	assert(U_SUCCESS(status));
	to->len = len;
}

struct slice wide_text(const struct wide *wide, struct arena *arena)
{
	int32_t capacity = wide->len * UTF8_BYTES_PER_UNIT + 1;
	char *bytes = arena_alloc(arena, (size_t)capacity);
	int32_t len = 0;
	UErrorCode status = U_ZERO_ERROR;
	u_strToUTF8WithSub(bytes, capacity, &len, wide->units, wide->len, 0xFFFD, NULL, &status);
	assert(U_SUCCESS(status));
	return (struct slice){bytes, (size_t)len};
}
