/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/base/arena.h"

#include <stdarg.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/base/mem.h"

enum { FIRST_CHUNK_BYTES = 4096, LARGEST_CHUNK_BYTES = 1 << 20 };

static size_t round_up(size_t size)
{
	size_t align = alignof(max_align_t);
	if (size > SIZE_MAX / 2)
		abort();
	return (size + align - 1) / align * align;
}

/* Chunks double up to a limit, so that a small arena stays small and a large one is few chunks. */
static struct arena_chunk *add_chunk(struct arena *arena, size_t need)
{
	size_t size = FIRST_CHUNK_BYTES;
	if (arena->chunks != NULL && arena->chunks->size < LARGEST_CHUNK_BYTES)
		size = arena->chunks->size * 2;
	else if (arena->chunks != NULL)
		size = LARGEST_CHUNK_BYTES;
	if (size < need)
		size = need;
	struct arena_chunk *chunk = malloc(sizeof *chunk + size);
	if (chunk == NULL)
		abort();
	chunk->size = size;
	chunk->used = 0;
	chunk->older = arena->chunks;
	arena->chunks = chunk;
	arena->total_bytes += size;
	return chunk;
}

void *arena_raw_slowly(struct arena *arena, size_t size)
{
	size_t need = round_up(size ? size : 1);
	struct arena_chunk *chunk = arena->chunks;
	if (chunk == NULL || chunk->size - chunk->used < need)
		chunk = add_chunk(arena, need);
	void *memory = chunk->bytes + chunk->used;
	chunk->used += need;
	return memory;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	return memset(arena_raw(arena, size), 0, size);
}

void arena_shrink(struct arena *arena, const void *memory, size_t size, size_t len)
{
	struct arena_chunk *chunk = arena->chunks;
	size_t taken = round_up(size);
	if (chunk != NULL && taken <= chunk->used && chunk->bytes + chunk->used - taken == memory)
		chunk->used -= taken - round_up(len);
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
	if (size != 0 && count > SIZE_MAX / size)
		abort();
	return arena_alloc(arena, count * size);
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return arena_memdupz(arena, text, strlen(text));
}

char *arena_memdupz(struct arena *arena, const void *bytes, size_t len)
{
	if (len == SIZE_MAX)
		abort();
	char *copy = arena_raw(arena, len + 1);
	if (len != 0)
		memcpy(copy, bytes, len);
	copy[len] = '\0';
	return copy;
}

struct slice arena_join(struct arena *arena, const struct slice *parts, size_t count)
{
	size_t len = 0;
	for (size_t i = 0; i < count; i++)
		len += parts[i].len; /* they lie in memory: their sum fits */
	char *text = arena_raw(arena, len + 1), *at = text;
	for (size_t i = 0; i < count; i++) {
		if (parts[i].len != 0)
			memcpy(at, parts[i].p, parts[i].len);
		at += parts[i].len;
	}
	*at = '\0';
	return (struct slice){text, len};
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		abort();
	char *text = arena_raw(arena, (size_t)len + 1);
	vsnprintf(text, (size_t)len + 1, format, again);
	va_end(again);
	return text;
}

void arena_reset(struct arena *arena)
{
	struct arena_chunk *keep = arena->chunks;
	if (keep == NULL)
		return;
	struct arena rest = {keep->older, 0};
	arena_done(&rest);
	keep->older = NULL;
	keep->used = 0;
	arena->total_bytes = keep->size;
}

void arena_done(struct arena *arena)
{
	while (arena->chunks != NULL) {
		struct arena_chunk *chunk = arena->chunks;
		arena->chunks = chunk->older;
		free(chunk);
	}
	arena->total_bytes = 0;
}
