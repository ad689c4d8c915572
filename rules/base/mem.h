/* SPDX-License-Identifier: Apache-2.0
 *
 * Small allocations that cannot fail: out of memory ends the process, which is always safe here (uncommitted input is
 * read again). Sizes that come from outside are range-checked before they get here.
 */
#ifndef LR_RULES_BASE_MEM_H
#define LR_RULES_BASE_MEM_H

#include <stddef.h>

/* Zeroed memory for `count` items of `size` bytes; aborts on overflow or lack of memory. Free with free(). */
void *xcalloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
/* Like realloc(); aborts on overflow or lack of memory. New bytes are not zeroed. */
void *xreallocarray(void *old, size_t count, size_t size) __attribute__((returns_nonnull));
char *xstrdup(const char *text) __attribute__((malloc, returns_nonnull));
/* A copy of `len` bytes with a NUL behind it. */
char *xmemdupz(const void *bytes, size_t len) __attribute__((malloc, returns_nonnull));

#endif
