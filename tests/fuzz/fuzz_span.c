/* SPDX-License-Identifier: Apache-2.0
 *
 * rules/calendar/span: what is accepted survives writing and reading.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "rules/base/err.h"
#include "rules/calendar/span.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct err err = ERR_INIT;
	struct span span, again;
	char text[SPAN_TEXT_BYTES];
	if (span_parse((struct slice){(const char *)bytes, size}, &span, &err) != 0) {
		assert(err.code == ERR_BAD_SPAN && err.text[0] != '\0');
		return 0;
	}
	span_format(&span, text);
	assert(span_parse(slice_of(text), &again, &err) == 0);
	assert(memcmp(&span, &again, sizeof span) == 0);
	return 0;
}
