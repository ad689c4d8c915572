/* SPDX-License-Identifier: Apache-2.0
 *
 * What a world (rules/world.h) has stored: state keys with their values, the index of what is due when, and the log of every
 * write. It decides nothing.
 */
#ifndef LR_RULES_WORLD_STATE_H
#define LR_RULES_WORLD_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/map.h"
#include "rules/base/strbuf.h"
#include "rules/rules.h"

/* One state key. A tombstone keeps its cell, so that the index of due times can point to it. */
struct world_cell {
	struct slice key, value; /* heap */
	bool is_there;
	int64_t due_ms;          /* 0: not due */
	int64_t fired_ms;        /* when it fired last, and how often at that instant: for who fires it */
	int fires;
};

struct world_due;

struct world_state {
	struct map cells;       /* key -> struct world_cell */
	struct world_due *heap; /* the due index: earliest first, then by key */
	size_t heap_count, heap_capacity;
	struct strbuf log;
};

void world_state_init(struct world_state *state, const uint64_t seed[2]);
void world_state_done(struct world_state *state);

/* Copied, and logged. due_ms 0: not due. */
void world_state_put(struct world_state *state, struct slice key, struct slice value, int64_t due_ms);
void world_state_apply(struct world_state *state, const struct write *writes, size_t count);
/* Borrowed until the next write of the key. VIEW_FOUND or VIEW_ABSENT. */
enum view_answer world_state_get(const struct world_state *state, struct slice key, struct slice *ret_value);
/* Calls `see` with each key of a prefix, in no order that means anything. */
void world_state_keys(const struct world_state *state, struct slice prefix, void (*see)(void *ctx, struct slice key), void *ctx);
/* Calls `see` with each stored key in byte order. */
void world_state_each(const struct world_state *state,
                      void (*see)(void *ctx, struct slice key, struct slice value, int64_t due_ms), void *ctx);

/* The cell that is due first, of equal times the one with the lesser key; NULL: none is due. */
struct world_cell *world_state_first_due(struct world_state *state);
/* Takes the first one out of the index. It comes back when it is written, or by _due_again() while it is still due. */
void world_state_pop_due(struct world_state *state);
void world_state_due_again(struct world_state *state, struct world_cell *cell);

/* Applies a log of writes: due times are read from the values. -1: it is no such log; what stood before the fault is applied. */
int world_state_replay(struct world_state *state, struct slice log);
/* Forgets everything but the log, and comes to it again by that. */
void world_state_restore(struct world_state *state);

#endif
