/* SPDX-License-Identifier: Apache-2.0
 *
 * rules/text normalise, translit, mask, region: any bytes go in, well-formed text comes out, and doing it twice changes
 * nothing more.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/arena.h"
#include "rules/base/err.h"
#include "rules/base/strbuf.h"
#include "rules/text/mask.h"
#include "rules/text/normalise.h"
#include "rules/text/region.h"
#include "rules/text/translit.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void normal_forms(struct slice text, struct arena *arena)
{
	struct slice clean = text_clean(arena, text), folded = text_fold(arena, text), key = text_key(arena, text);
	assert(text_is_utf8(clean) || !text_is_utf8(text));
	assert(slice_equal(text_clean(arena, clean), clean));
	assert(slice_equal(text_trim(clean), clean));
	assert(slice_equal(text_fold(arena, folded), folded) || !text_is_utf8(text));
	assert(text_is_utf8(key));
	for (size_t max = 0; max < 8 && text_is_utf8(text); max++)
		assert(text_is_utf8(text_truncate(text, max)));
	assert(text_length(text) <= text.len);
}

static void names(struct slice text, struct arena *arena)
{
	static struct translit *translit; /* 14 ms to open: once for all inputs */
	if (translit == NULL)
		translit = translit_new(NULL);
	struct slice ascii = translit_ascii(translit, arena, text);
	for (size_t at = 0; at < ascii.len; at++)
		assert((ascii.p[at] >= 'a' && ascii.p[at] <= 'z') || (ascii.p[at] >= '0' && ascii.p[at] <= '9') || ascii.p[at] == ' ');
}

static void masks(struct slice text, struct arena *arena)
{
	struct strbuf out = STRBUF_INIT;
	mask_text(&out, text);
	assert(text_is_utf8((struct slice){strbuf_text(&out), out.len}));
	strbuf_done(&out);
	mask_email(arena, text);
	mask_phone(arena, text);
	mask_name(arena, text);
}

static void regions(struct slice text, struct arena *arena)
{
	struct region_table *table = region_table_new(arena);
	region_table_add(table, SLICE("US"), SLICE("US-CA"), text);
	region_lookup(table, SLICE("US"), text);
	region_lookup(table, SLICE_NONE, text);
	region_table_done(table);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct arena arena = ARENA_INIT;
	struct slice text = {(const char *)bytes, size};
	normal_forms(text, &arena);
	names(text, &arena);
	masks(text, &arena);
	regions(text, &arena);
	arena_done(&arena);
	return 0;
}
