/* SPDX-License-Identifier: Apache-2.0
 *
 * daemon/http_parse: what is parsed lies inside the input, and more bytes never change what was settled.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/http_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { HEADER_MAX = 512, BODY_MAX = 64 };

static void check_inside(struct slice whole, struct slice part)
{
	assert(part.len == 0 || (part.p >= whole.p && part.p + part.len <= whole.p + whole.len));
}

static void check_decode(struct slice raw)
{
	char *text = malloc(raw.len + 1);
	assert(text != NULL);
	if (http_decode(raw, true, text))
		assert(strlen(text) <= raw.len);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct slice whole = {(const char *)bytes, size};
	struct http_parsed all, half;
	enum http_parse result = http_parse(whole, HEADER_MAX, BODY_MAX, true, &all);
	enum http_parse before = http_parse((struct slice){whole.p, size / 2}, HEADER_MAX, BODY_MAX, true, &half);
	if (before == HTTP_PARSE_DONE)
		assert(result == HTTP_PARSE_DONE && slice_equal(all.target, half.target) && slice_equal(all.body, half.body));
	if (before == HTTP_PARSE_BAD)
		assert(result == HTTP_PARSE_BAD && all.status == half.status);
	if (result == HTTP_PARSE_BAD)
		assert(all.status >= 400 && all.status <= 505);
	if (result == HTTP_PARSE_MORE)
		assert(size <= HEADER_MAX + BODY_MAX);
	if (result == HTTP_PARSE_DONE) {
		assert(all.target.len > 0 && all.target.p[0] == '/' && all.body.len <= BODY_MAX);
		check_inside(whole, all.target);
		check_inside(whole, all.body);
		check_decode(all.target);
	}
	check_decode(whole);
	return 0;
}
