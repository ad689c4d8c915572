/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory with one lifetime, freed in one call.
 *
 *     chunk: [used used used | free ........]  ->  older chunk  ->  …
 *
 * leadrouter has four lifetimes (process, generation, shard, batch); generations, batches and single evaluations own
 * an arena. Nothing in an arena is freed alone. An arena is used by one thread at a time.
 */
#ifndef LR_RULES_BASE_ARENA_H
#define LR_RULES_BASE_ARENA_H

#include <stdalign.h>
#include <stddef.h>

#include "rules/base/slice.h"

/* For arena_raw() alone. */
struct arena_chunk {
	struct arena_chunk *older;
	size_t size, used;
	alignas(max_align_t) char bytes[];
};

struct arena {
	struct arena_chunk *chunks; /* newest first; NULL while nothing was taken */
	size_t total_bytes;         /* asked from the system, for limits and metrics */
};

#define ARENA_INIT { NULL, 0 }

/* Zeroed, aligned for any type; aborts when the system has no memory. `size` 0 gives a valid unique address. */
void *arena_alloc(struct arena *arena, size_t size) __attribute__((malloc, returns_nonnull));
/* For arena_raw() alone: the sizes that are not plain. */
void *arena_raw_slowly(struct arena *arena, size_t size) __attribute__((malloc, returns_nonnull));
/* The same, but not zeroed: for bytes that the caller fills at once. */
static inline __attribute__((malloc, returns_nonnull)) void *arena_raw(struct arena *arena, size_t size)
{
	struct arena_chunk *chunk = arena->chunks;
	/* What is free is a multiple of the alignment, so what fits does so rounded up, too. Of size 0 the difference is huge. */
	if (chunk == NULL || size - 1 >= chunk->size - chunk->used)
		return arena_raw_slowly(arena, size);
	void *memory = chunk->bytes + chunk->used;
	chunk->used += (size + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
	return memory;
}
/* Of `memory`, for which `size` bytes were asked, only the first `len`, at least one, are needed. The rest is free again if
 * nothing was taken since. */
void arena_shrink(struct arena *arena, const void *memory, size_t size, size_t len);
/* `count` zeroed items; aborts on overflow. */
void *arena_array(struct arena *arena, size_t count, size_t size) __attribute__((malloc, returns_nonnull));
char *arena_strdup(struct arena *arena, const char *text) __attribute__((returns_nonnull));
/* Copy of `len` bytes with a NUL behind it. */
char *arena_memdupz(struct arena *arena, const void *bytes, size_t len) __attribute__((returns_nonnull));
/* The parts one behind the other, in new memory with a NUL behind it. */
struct slice arena_join(struct arena *arena, const struct slice *parts, size_t count);
#define ARENA_JOIN(arena, ...)                                                                                     \
	arena_join(arena, (const struct slice[]){__VA_ARGS__}, sizeof((const struct slice[]){__VA_ARGS__}) / sizeof(struct slice))
char *arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3), returns_nonnull));
/* Forgets everything but keeps one chunk for reuse: for scratch arenas in a loop. */
void arena_reset(struct arena *arena);
/* Returns everything to the system; the arena is as after ARENA_INIT. */
void arena_done(struct arena *arena);

#endif
