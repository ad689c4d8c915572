/* SPDX-License-Identifier: Apache-2.0
 *
 * rules/text/phone: a valid number in E.164 is its own canonical form, and the short way says what the library says. The
 * first byte picks the default country.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "rules/text/phone.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const char *const regions[] = {"CN", "US", "DE", "MX", "AR", "IT", "AE", NULL};
	struct phone phone, again;
	if (size == 0)
		return 0;
	struct slice text = {(const char *)bytes + 1, size - 1};
	phone_parse(text, regions[bytes[0] % 8], &phone);
	if (size <= PHONE_INPUT_BYTES && size > 1) {
		phone_parse_slowly(text, regions[bytes[0] % 8], &again);
		assert(phone.verdict == again.verdict && strcmp(phone.key, again.key) == 0 && strcmp(phone.e164, again.e164) == 0);
	}
	if (phone.verdict == PHONE_UNPARSABLE) {
		assert(phone.problem != NULL && phone.key[0] == '\0');
		return 0;
	}
	assert(phone.e164[0] == '+' && phone.key[0] == '+' && phone.problem == NULL);
	if (phone.verdict == PHONE_VALID) {
		phone_parse(slice_of(phone.e164), NULL, &again);
		assert(strcmp(phone.key, again.key) == 0);
	}
	return 0;
}
