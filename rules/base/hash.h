/* SPDX-License-Identifier: Apache-2.0
 *
 * Digests (OpenSSL) and the seeded hash of our own tables (SipHash-1-3, Aumasson and Bernstein 2012): a producer who
 * does not know the seed cannot make our tables slow.
 */
#ifndef LR_RULES_BASE_HASH_H
#define LR_RULES_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "rules/base/slice.h"

enum { SHA256_BYTES = 32 };

/* SHA-256 of several parts, one after the other. Each part is hashed as its 8-byte little-endian length and then its
 * bytes, so that ("ab","c") and ("a","bc") differ. */
void hash_sha256_parts(const struct slice *parts, size_t count, uint8_t ret_digest[SHA256_BYTES]);

/* A running SHA-256, for input that does not lie in one place. Same framing as above: one call, one part. */
struct hash_stream; /* heap; one owner */
struct hash_stream *hash_stream_new(void);
void hash_stream_part(struct hash_stream *stream, struct slice part);
/* Writes the digest and frees the stream. */
void hash_stream_finish(struct hash_stream *take_stream, uint8_t ret_digest[SHA256_BYTES]);

/* A key of HMAC-SHA-256 (RFC 2104), made ready once: the states of SHA-256 behind its two padded blocks. Half of the
 * work for a short message, and as secret as the key itself. */
struct hash_hmac_key {
	uint32_t inner[8], outer[8];
};

void hash_hmac_key_init(struct hash_hmac_key *key, struct slice secret);
/* HMAC-SHA-256 of one message. */
void hash_hmac(const struct hash_hmac_key *key, struct slice message, uint8_t ret_digest[SHA256_BYTES]);
/* The same for a key that is used once. */
void hash_hmac_sha256(struct slice key, struct slice message, uint8_t ret_digest[SHA256_BYTES]);

/* Lower-case hex of `len` bytes, NUL-terminated: ret_text needs 2*len+1 bytes. */
void hash_hex(const uint8_t *bytes, size_t len, char *ret_text);
/* base64url without padding (RFC 4648 §5), NUL-terminated: ret_text needs 4*((len+2)/3)+1 bytes. */
void hash_base64url(const uint8_t *bytes, size_t len, char *ret_text);

/* SipHash-1-3 of the bytes under a 128-bit seed. */
uint64_t hash_sip(const uint64_t seed[2], struct slice bytes);

#endif
