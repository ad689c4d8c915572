/* SPDX-License-Identifier: Apache-2.0
 *
 * rules/text/email: whatever is accepted is canonical, so parsing it again changes nothing.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/arena.h"
#include "rules/base/err.h"
#include "rules/text/email.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct arena arena = ARENA_INIT;
	struct err err = ERR_INIT;
	struct email email, again;
	if (email_parse((struct slice){(const char *)bytes, size}, &arena, &email, &err) == 0) {
		assert(email.address.len <= EMAIL_BYTES && email.local.len <= EMAIL_LOCAL_BYTES);
		assert(email_parse(email.address, &arena, &again, &err) == 0);
		assert(slice_equal(email.address, again.address) && slice_equal(email.key, again.key));
		email_match_key(&email, EMAIL_RULE_GMAIL | EMAIL_RULE_PLUS_TAG, &arena);
	} else {
		assert(err.code == ERR_BAD_EMAIL && err.text[0] != '\0');
	}
	arena_done(&arena);
	return 0;
}
