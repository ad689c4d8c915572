/* SPDX-License-Identifier: Apache-2.0
 *
 * daemon/head: metadata is either ours to the letter, and then written again byte for byte, or foreign.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "daemon/head.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct slice text = {(const char *)bytes, size};
	struct err err = ERR_INIT;
	struct head head;
	int32_t count;
	char again[HEAD_METADATA_BYTES];
	if (head_from_metadata(text, &head, &count, &err) != 0) {
		assert(err.code == ERR_FOREIGN_METADATA && err.text[0] != '\0');
		return 0;
	}
	assert(count > 0 && head_is_hash(slice_of(head.hash)));
	assert(head_to_metadata(&head, count, again) == size && memcmp(again, bytes, size) == 0);
	return 0;
}
