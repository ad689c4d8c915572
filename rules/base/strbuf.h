/* SPDX-License-Identifier: Apache-2.0
 *
 * A growing byte string on the heap, or in an arena. Always NUL-terminated behind `len`, so `bytes` can be printed; it may hold NULs
 * inside. Grows until memory ends: whoever fills one from outside input bounds the input first.
 */
#ifndef LR_RULES_BASE_STRBUF_H
#define LR_RULES_BASE_STRBUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "rules/base/slice.h"

struct arena;

struct strbuf {
	char *bytes; /* NULL until the first append */
	size_t len, capacity;
	struct arena *arena; /* where it grows; NULL: on the heap */
};

#define STRBUF_INIT { NULL, 0, 0, NULL }
/* Nothing is to be freed. For what stays in the arena, see strbuf_keep(); what it outgrows is lost there. */
#define STRBUF_IN(arena) { NULL, 0, 0, (arena) }

/* Room for `more` bytes and a NUL behind them. */
void strbuf_reserve(struct strbuf *buf, size_t more);

/* Makes the buffer `len` bytes longer and returns where they begin; the caller fills all of them before the next call. */
static inline char *strbuf_extend(struct strbuf *buf, size_t len)
{
	if (len >= buf->capacity - buf->len)
		strbuf_reserve(buf, len);
	char *start = buf->bytes + buf->len;
	buf->len += len;
	buf->bytes[buf->len] = '\0';
	return start;
}

static inline void strbuf_append(struct strbuf *buf, const void *bytes, size_t len)
{
	char *start = strbuf_extend(buf, len);
	if (len != 0)
		memcpy(start, bytes, len);
}

static inline void strbuf_puts(struct strbuf *buf, const char *text)
{
	strbuf_append(buf, text, strlen(text));
}

static inline void strbuf_putc(struct strbuf *buf, char byte)
{
	*strbuf_extend(buf, 1) = byte;
}

void strbuf_printf(struct strbuf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void strbuf_vprintf(struct strbuf *buf, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
enum { DECIMAL_BYTES = 24 };
/* Decimal, without printf; returns the end. There is room for DECIMAL_BYTES. */
char *decimal_put(char *to, int64_t value);
/* Two digits of a number below 100. */
void decimal_pair(char *to, uint32_t value);
/* The text lies in `bytes` and has no NUL. */
struct slice decimal_text(int64_t value, char bytes[DECIMAL_BYTES]);
void strbuf_put_int(struct strbuf *buf, int64_t value);
/* `buf->bytes`, or "" when nothing was appended. Valid until the next append. */
const char *strbuf_text(const struct strbuf *buf);
/* Length 0, memory kept. */
void strbuf_clear(struct strbuf *buf);
/* Frees; as after STRBUF_INIT. */
void strbuf_done(struct strbuf *buf);
/* The bytes as they are, with a NUL behind them: of a buffer in an arena its own, and what it has not used is given back if
 * nothing was taken from the arena since; of one on the heap a copy in `arena`. The buffer is done. */
struct slice strbuf_keep(struct strbuf *buf, struct arena *arena);
/* Only of a buffer on the heap. Hands the heap bytes to the caller (free() them) and leaves the buffer empty. Never NULL. */
char *strbuf_detach(struct strbuf *buf, size_t *ret_len);

#endif
