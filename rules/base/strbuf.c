/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/base/strbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/base/mem.h"

enum { FIRST_CAPACITY = 256 };

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

void strbuf_put_int(struct strbuf *buf, int64_t value)
{
	char digits[24];
	char *at = digits + sizeof digits;
	uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	do
		*--at = (char)('0' + rest % 10);
	while ((rest /= 10) != 0);
	if (value < 0)
		*--at = '-';
	strbuf_append(buf, at, (size_t)(digits + sizeof digits - at));
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
	free(buf->bytes);
	*buf = (struct strbuf)STRBUF_INIT;
}

char *strbuf_detach(struct strbuf *buf, size_t *ret_len)
{
	strbuf_reserve(buf, 0);
	buf->bytes[buf->len] = '\0';
	char *bytes = buf->bytes;
	if (ret_len != NULL)
		*ret_len = buf->len;
	*buf = (struct strbuf)STRBUF_INIT;
	return bytes;
}
