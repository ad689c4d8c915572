/* SPDX-License-Identifier: Apache-2.0 */
#define OPENSSL_SUPPRESS_DEPRECATED /* SHA256_Init and its kin, see finish_from */
#include "rules/base/hash.h"

#include <openssl/evp.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

enum { PENDING_BYTES = 1024 };

/* Small parts are gathered: a call into OpenSSL costs more than a dozen bytes are worth. */
struct hash_stream {
	EVP_MD_CTX *context;
	size_t pending;
	uint8_t bytes[PENDING_BYTES];
};

/* OpenSSL fails here only for lack of memory or a broken build: both are ends of the process. */
static void must(int ok)
{
	if (ok != 1)
		abort();
}

struct hash_stream *hash_stream_new(void)
{
	struct hash_stream *stream = malloc(sizeof *stream);
	if (stream == NULL)
		abort();
	stream->pending = 0;
	stream->context = EVP_MD_CTX_new();
	must(stream->context != NULL);
	must(EVP_DigestInit_ex(stream->context, EVP_sha256(), NULL));
	return stream;
}

static void flush(struct hash_stream *stream)
{
	must(EVP_DigestUpdate(stream->context, stream->bytes, stream->pending));
	stream->pending = 0;
}

static void take(struct hash_stream *stream, const void *bytes, size_t len)
{
	if (len > PENDING_BYTES - stream->pending)
		flush(stream);
	if (len > PENDING_BYTES) {
		must(EVP_DigestUpdate(stream->context, bytes, len));
	} else if (len != 0) {
		memcpy(stream->bytes + stream->pending, bytes, len);
		stream->pending += len;
	}
}

void hash_stream_part(struct hash_stream *stream, struct slice part)
{
	uint8_t length[8];
	for (int i = 0; i < 8; i++)
		length[i] = (uint8_t)((uint64_t)part.len >> (8 * i));
	take(stream, length, sizeof length);
	take(stream, part.p, part.len);
}

void hash_stream_finish(struct hash_stream *take_stream, uint8_t ret_digest[SHA256_BYTES])
{
	flush(take_stream);
	must(EVP_DigestFinal_ex(take_stream->context, ret_digest, NULL));
	EVP_MD_CTX_free(take_stream->context);
	free(take_stream);
}

void hash_sha256_parts(const struct slice *parts, size_t count, uint8_t ret_digest[SHA256_BYTES])
{
	struct hash_stream *stream = hash_stream_new();
	for (size_t i = 0; i < count; i++)
		hash_stream_part(stream, parts[i]);
	hash_stream_finish(stream, ret_digest);
}

enum { BLOCK_BYTES = 64, LENGTH_BYTES = 8 };

/* The state of SHA-256 behind the key's block under a pad. OpenSSL's own HMAC looks its algorithm up by name on each
 * call, which costs ten times the digest; the calls here are marked as deprecated, yet are in every 3.x. */
static void state_behind(const uint8_t key[BLOCK_BYTES], uint8_t pad, uint32_t ret_state[8])
{
	uint8_t block[BLOCK_BYTES];
	for (int i = 0; i < BLOCK_BYTES; i++)
		block[i] = key[i] ^ pad;
	SHA256_CTX context;
	must(SHA256_Init(&context));
	SHA256_Transform(&context, block);
	for (int i = 0; i < 8; i++)
		ret_state[i] = context.h[i];
	OPENSSL_cleanse(block, sizeof block);
	OPENSSL_cleanse(&context, sizeof context);
}

static void put_big(uint8_t *to, uint32_t value)
{
	uint32_t big = htobe32(value);
	memcpy(to, &big, sizeof big);
}

/* Goes on from a state behind one block, to the end. A message of a few dozen bytes is one more block: padding it here
 * saves what Update and Final cost around that. */
static void finish_from(const uint32_t state[8], const uint8_t *bytes, size_t len, uint8_t ret_digest[SHA256_BYTES])
{
	SHA256_CTX context;
	uint8_t block[BLOCK_BYTES];
	uint64_t bits = ((uint64_t)len + BLOCK_BYTES) * 8;
	memcpy(context.h, state, sizeof context.h);
	for (; len >= BLOCK_BYTES; len -= BLOCK_BYTES, bytes += BLOCK_BYTES)
		SHA256_Transform(&context, bytes);
	memcpy(block, bytes, len);
	block[len] = 0x80;
	memset(block + len + 1, 0, BLOCK_BYTES - len - 1);
	if (len + 1 > BLOCK_BYTES - LENGTH_BYTES) {
		SHA256_Transform(&context, block);
		memset(block, 0, sizeof block);
	}
	put_big(block + BLOCK_BYTES - LENGTH_BYTES, (uint32_t)(bits >> 32));
	put_big(block + BLOCK_BYTES - LENGTH_BYTES / 2, (uint32_t)bits);
	SHA256_Transform(&context, block);
	for (int i = 0; i < 8; i++)
		put_big(ret_digest + 4 * i, context.h[i]);
}

void hash_hmac_key_init(struct hash_hmac_key *key, struct slice secret)
{
	uint8_t padded[BLOCK_BYTES] = {0};
	if (secret.len > BLOCK_BYTES)
		SHA256((const unsigned char *)secret.p, secret.len, padded);
	else if (secret.len != 0)
		memcpy(padded, secret.p, secret.len);
	state_behind(padded, 0x36, key->inner);
	state_behind(padded, 0x5c, key->outer);
	OPENSSL_cleanse(padded, sizeof padded);
}

void hash_hmac(const struct hash_hmac_key *key, struct slice message, uint8_t ret_digest[SHA256_BYTES])
{
	uint8_t inner[SHA256_BYTES];
	finish_from(key->inner, (const uint8_t *)(message.p ? message.p : ""), message.len, inner);
	finish_from(key->outer, inner, sizeof inner, ret_digest);
}

void hash_hmac_sha256(struct slice key, struct slice message, uint8_t ret_digest[SHA256_BYTES])
{
	struct hash_hmac_key ready;
	hash_hmac_key_init(&ready, key);
	hash_hmac(&ready, message, ret_digest);
	OPENSSL_cleanse(&ready, sizeof ready);
}

void hash_hex(const uint8_t *bytes, size_t len, char *ret_text)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < len; i++) {
		*ret_text++ = digits[bytes[i] >> 4];
		*ret_text++ = digits[bytes[i] & 15];
	}
	*ret_text = '\0';
}

void hash_base64url(const uint8_t *bytes, size_t len, char *ret_text)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	for (size_t i = 0; i < len; i += 3) {
		uint32_t group = (uint32_t)bytes[i] << 16;
		if (i + 1 < len)
			group |= (uint32_t)bytes[i + 1] << 8;
		if (i + 2 < len)
			group |= bytes[i + 2];
		*ret_text++ = digits[group >> 18];
		*ret_text++ = digits[group >> 12 & 63];
		if (i + 1 < len)
			*ret_text++ = digits[group >> 6 & 63];
		if (i + 2 < len)
			*ret_text++ = digits[group & 63];
	}
	*ret_text = '\0';
}

struct sip {
	uint64_t a, b, c, d;
};

static inline uint64_t rotate(uint64_t value, int bits)
{
	return value << bits | value >> (64 - bits);
}

static inline __attribute__((always_inline)) void sip_round(struct sip *s)
{
	s->a += s->b;
	s->b = rotate(s->b, 13) ^ s->a;
	s->a = rotate(s->a, 32);
	s->c += s->d;
	s->d = rotate(s->d, 16) ^ s->c;
	s->a += s->d;
	s->d = rotate(s->d, 21) ^ s->a;
	s->c += s->b;
	s->b = rotate(s->b, 17) ^ s->c;
	s->c = rotate(s->c, 32);
}

static inline uint64_t word_at(const char *at)
{
	uint64_t word;
	memcpy(&word, at, sizeof word);
	return le64toh(word);
}

/* The last `rest` bytes, fewer than 8, of text in the order of its memory. */
static inline uint64_t last_bytes(struct slice text, size_t rest)
{
	uint64_t last = 0;
	if (rest == 0)
		return 0;
	if (text.len >= 8)
		return word_at(text.p + text.len - 8) >> (64 - 8 * rest);
	for (size_t i = 0; i < rest; i++)
		last |= (uint64_t)(uint8_t)text.p[i] << (8 * i);
	return last;
}

uint64_t hash_sip(const uint64_t seed[2], struct slice bytes)
{
	struct sip s = {seed[0] ^ 0x736f6d6570736575, seed[1] ^ 0x646f72616e646f6d, seed[0] ^ 0x6c7967656e657261,
	                seed[1] ^ 0x7465646279746573};
	size_t whole = bytes.len / 8 * 8;
	for (size_t i = 0; i < whole; i += 8) {
		uint64_t word = word_at(bytes.p + i);
		s.d ^= word;
		sip_round(&s);
		s.a ^= word;
	}
	uint64_t last = (uint64_t)bytes.len << 56 | last_bytes(bytes, bytes.len - whole);
	s.d ^= last;
	sip_round(&s);
	s.a ^= last;
	s.c ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(&s);
	return s.a ^ s.b ^ s.c ^ s.d;
}
