/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/base/strbuf.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/base/arena.h"
#include "rules/base/mem.h"

enum { FIRST_CAPACITY = 256 };

static void move_in_arena(struct strbuf *buf, size_t capacity)
{
	char *bytes = arena_raw(buf->arena, capacity);
	if (buf->bytes != NULL)
		memcpy(bytes, buf->bytes, buf->len + 1);
	buf->bytes = bytes;
}

void strbuf_reserve(struct strbuf *buf, size_t more)
{
	size_t need = buf->len + more + 1;
	if (need < buf->len)
		abort();
	if (need <= buf->capacity)
		return;
	size_t capacity = buf->capacity ? buf->capacity : FIRST_CAPACITY;
	while (capacity < need)
		capacity *= 2;
	if (buf->arena != NULL)
		move_in_arena(buf, capacity);
	else
		buf->bytes = xreallocarray(buf->bytes, capacity, 1);
	buf->capacity = capacity;
}

void strbuf_vprintf(struct strbuf *buf, const char *format, va_list args)
{
	va_list again;
	va_copy(again, args);
	int len = vsnprintf(NULL, 0, format, args);
	if (len < 0)
		abort();
	strbuf_reserve(buf, (size_t)len);
	vsnprintf(buf->bytes + buf->len, (size_t)len + 1, format, again);
	buf->len += (size_t)len;
	va_end(again);
}

void strbuf_printf(struct strbuf *buf, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	strbuf_vprintf(buf, format, args);
	va_end(args);
}

/* "00" "01" … "99" */
static const char PAIRS[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748"
			    "49505152535455565758596061626364656667686970717273747576777879808182838485868788899091929394959697"
			    "9899";

void decimal_pair(char *to, uint32_t value)
{
	memcpy(to, PAIRS + 2 * value, 2);
}

/* From 1 digit for 0. */
static size_t count_digits(uint64_t value)
{
	static const uint64_t powers[20] = {0,
	                                    10,
	                                    100,
	                                    1000,
	                                    10000,
	                                    100000,
	                                    1000000,
	                                    10000000,
	                                    100000000,
	                                    1000000000,
	                                    10000000000,
	                                    100000000000,
	                                    1000000000000,
	                                    10000000000000,
	                                    100000000000000,
	                                    1000000000000000,
	                                    10000000000000000,
	                                    100000000000000000,
	                                    1000000000000000000,
	                                    10000000000000000000u};
	size_t bits = 64 - (size_t)__builtin_clzll(value | 1), guess = bits * 1233 >> 12; /* log10(2) */
	return guess + (value >= powers[guess]);
}

/* Eight digits of a number below 100,000,000. */
static void put_eight(char *to, uint32_t value)
{
	uint32_t high = value / 10000, low = value % 10000;
	decimal_pair(to, high / 100);
	decimal_pair(to + 2, high % 100);
	decimal_pair(to + 4, low / 100);
	decimal_pair(to + 6, low % 100);
}

char *decimal_put(char *to, int64_t value)
{
	uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	if (value < 0)
		*to++ = '-';
	char *end = to + count_digits(rest), *at = end;
	for (; rest >= 100000000; rest /= 100000000)
		put_eight(at -= 8, (uint32_t)(rest % 100000000));
	for (; rest >= 100; rest /= 100)
		memcpy(at -= 2, PAIRS + 2 * (rest % 100), 2);
	if (rest >= 10)
		memcpy(to, PAIRS + 2 * rest, 2);
	else
		*to = (char)('0' + rest);
	return end;
}

struct slice decimal_text(int64_t value, char bytes[DECIMAL_BYTES])
{
	return (struct slice){bytes, (size_t)(decimal_put(bytes, value) - bytes)};
}

void strbuf_put_int(struct strbuf *buf, int64_t value)
{
	if (DECIMAL_BYTES >= buf->capacity - buf->len)
		strbuf_reserve(buf, DECIMAL_BYTES);
	char *end = decimal_put(buf->bytes + buf->len, value);
	*end = '\0';
	buf->len = (size_t)(end - buf->bytes);
}

const char *strbuf_text(const struct strbuf *buf)
{
	return buf->bytes ? buf->bytes : "";
}

void strbuf_clear(struct strbuf *buf)
{
	buf->len = 0;
	if (buf->bytes != NULL)
		buf->bytes[0] = '\0';
}

void strbuf_done(struct strbuf *buf)
{
	if (buf->arena == NULL)
		free(buf->bytes);
	*buf = (struct strbuf){.arena = buf->arena};
}

struct slice strbuf_keep(struct strbuf *buf, struct arena *arena)
{
	struct slice kept = {strbuf_text(buf), buf->len};
	if (buf->arena == NULL)
		kept.p = arena_memdupz(arena, kept.p, kept.len);
	else if (buf->bytes != NULL)
		arena_shrink(buf->arena, buf->bytes, buf->capacity, buf->len + 1);
	strbuf_done(buf);
	return kept;
}

char *strbuf_detach(struct strbuf *buf, size_t *ret_len)
{
	assert(buf->arena == NULL);
	strbuf_reserve(buf, 0);
	buf->bytes[buf->len] = '\0';
	char *bytes = buf->bytes;
	if (ret_len != NULL)
		*ret_len = buf->len;
	*buf = (struct strbuf)STRBUF_INIT;
	return bytes;
}
