/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *xcalloc(size_t count, size_t size)
{
	void *memory = calloc(count ? count : 1, size ? size : 1);
	if (memory == NULL)
		abort();
	return memory;
}

void *xreallocarray(void *old, size_t count, size_t size)
{
	if (size != 0 && count > SIZE_MAX / size)
		abort();
	void *memory = realloc(old, count * size > 0 ? count * size : 1);
	if (memory == NULL)
		abort();
	return memory;
}

char *xstrdup(const char *text)
{
	return xmemdupz(text, strlen(text));
}

char *xmemdupz(const void *bytes, size_t len)
{
	char *copy = xcalloc(len + 1, 1);
	if (len != 0)
		memcpy(copy, bytes, len);
	return copy;
}
