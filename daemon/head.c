/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/head.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/base/hash.h"

bool head_same_state(const struct head *a, const struct head *b)
{
	return a->seq == b->seq && strcmp(a->hash, b->hash) == 0;
}

bool head_equal(const struct head *a, const struct head *b)
{
	return a->epoch == b->epoch && head_same_state(a, b);
}

/* Parts: previous hash, seq, then per write its key and either 'v' + value or 't'. hash_stream frames each part by its
 * length, so no two write-sets read alike. */
struct head head_after(const struct head *before, const struct write *writes, size_t count)
{
	if (count == 0)
		return *before;
	struct head after = {.epoch = before->epoch, .seq = before->seq + 1};
	char seq[24];
	int seq_len = snprintf(seq, sizeof seq, "%" PRIu64, after.seq);
	struct hash_stream *stream = hash_stream_new();
	hash_stream_part(stream, slice_of(before->hash));
	hash_stream_part(stream, (struct slice){seq, (size_t)seq_len});
	for (size_t i = 0; i < count; i++) {
		hash_stream_part(stream, writes[i].key);
		hash_stream_part(stream, writes[i].is_tombstone ? SLICE("t") : SLICE("v"));
		if (!writes[i].is_tombstone)
			hash_stream_part(stream, writes[i].value);
	}
	uint8_t digest[SHA256_BYTES];
	hash_stream_finish(stream, digest);
	hash_hex(digest, (HEAD_HASH_BYTES - 1) / 2, after.hash);
	return after;
}

size_t head_to_metadata(const struct head *head, int32_t partition_count, char ret_text[HEAD_METADATA_BYTES])
{
	return (size_t)snprintf(ret_text, HEAD_METADATA_BYTES, "v1;e=%" PRIu64 ";q=%" PRIu64 ";h=%s;n=%" PRId32, head->epoch,
	                        head->seq, head->hash, partition_count);
}

bool head_is_hash(struct slice text)
{
	if (text.len != HEAD_HASH_BYTES - 1)
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (strchr("0123456789abcdef", text.p[i]) == NULL || text.p[i] == '\0')
			return false;
	return true;
}

/* Takes `label` and a decimal number without sign or leading zeros off the front. */
static bool take_number(const char **at, const char *label, uint64_t max, uint64_t *ret)
{
	size_t len = strlen(label);
	if (strncmp(*at, label, len) != 0)
		return false;
	const char *digits = *at + len;
	if (*digits < '0' || *digits > '9' || (digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9'))
		return false;
	uint64_t value = 0;
	for (; *digits >= '0' && *digits <= '9'; digits++) {
		unsigned digit = (unsigned)(*digits - '0');
		if (value > (max - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*at = digits;
	*ret = value;
	return true;
}

static bool parse_metadata(const char *text, struct head *head, int32_t *partition_count)
{
	uint64_t count;
	const char *at = text;
	if (strncmp(at, "v1", 2) != 0)
		return false;
	at += 2;
	if (!take_number(&at, ";e=", UINT64_MAX - 1, &head->epoch) || !take_number(&at, ";q=", UINT64_MAX - 1, &head->seq))
		return false;
	if (strncmp(at, ";h=", 3) != 0 || strlen(at) < 3 + HEAD_HASH_BYTES - 1)
		return false;
	at += 3;
	if (!head_is_hash((struct slice){at, HEAD_HASH_BYTES - 1}))
		return false;
	memcpy(head->hash, at, HEAD_HASH_BYTES - 1);
	head->hash[HEAD_HASH_BYTES - 1] = '\0';
	at += HEAD_HASH_BYTES - 1;
	if (!take_number(&at, ";n=", INT32_MAX, &count) || *at != '\0' || count == 0)
		return false;
	*partition_count = (int32_t)count;
	return true;
}

int head_from_metadata(struct slice text, struct head *ret, int32_t *ret_partition_count, struct err *err)
{
	char copy[HEAD_METADATA_BYTES] = "";
	struct head head;
	int32_t count;
	bool fits = text.len < sizeof copy && (text.len == 0 || memchr(text.p, '\0', text.len) == NULL);
	if (fits && text.len > 0)
		memcpy(copy, text.p, text.len);
	if (!fits || !parse_metadata(copy, &head, &count))
		return err_set(err, ERR_FOREIGN_METADATA,
		               "the committed offset carries no metadata of leadrouter: somebody reset offsets, or another program "
		               "uses the group; see leadrouterd(8), RECOVERY");
	*ret = head;
	*ret_partition_count = count;
	return 0;
}
