/* SPDX-License-Identifier: Apache-2.0
 *
 * The head of a shard: how far its state has come.
 *
 * `seq` counts the committed write-sets of the shard and `hash` chains them:
 *
 *     hash(q) = first 16 hex digits of SHA-256(hash(q-1), q, keys and new values of the write-set in order)
 *
 * so two views with the same (seq, hash) hold the same state. The epoch counts claims; it is not hashed. A head exists in
 * three places: in Redis, in the metadata of the anchor's committed offset, and in the daemon's memory (design.md law 4).
 *
 * Metadata format, version 1: "v1;e=<epoch>;q=<seq>;h=<hash>;n=<partition count>", ASCII, under 128 bytes.
 * To change it: read both versions for one release, write the new one in the next; never reuse a version number.
 */
#ifndef LR_DAEMON_HEAD_H
#define LR_DAEMON_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/err.h"
#include "rules/base/slice.h"
#include "rules/rules.h"

enum { HEAD_HASH_BYTES = 17, HEAD_METADATA_BYTES = 128 };

struct head {
	uint64_t epoch;
	uint64_t seq;
	char hash[HEAD_HASH_BYTES]; /* 16 lower-case hex digits and NUL */
};

/* Same state: seq and hash are equal. The epoch is not looked at. */
bool head_same_state(const struct head *a, const struct head *b);
/* Same state and same epoch. */
bool head_equal(const struct head *a, const struct head *b);

/* The head after `writes` (in order): seq + 1 and the chained hash; the same head when count is 0. */
struct head head_after(const struct head *before, const struct write *writes, size_t count);

/* Writes the metadata string; returns its length. */
size_t head_to_metadata(const struct head *head, int32_t partition_count, char ret_text[HEAD_METADATA_BYTES]);
/* 0, or -1 with ERR_FOREIGN_METADATA when the text is not ours to the letter. */
int head_from_metadata(struct slice text, struct head *ret, int32_t *ret_partition_count, struct err *err);
/* True for 16 lower-case hex digits. */
bool head_is_hash(struct slice text);

#endif
