/* SPDX-License-Identifier: Apache-2.0
 *
 * The writes of one batch, over what was read: later records of the batch see what earlier ones decided.
 *
 *     get: own writes -> view        put: newest value per key, order of first write kept
 *
 * A hash table in the batch's arena, so that there is nothing to free when a batch is thrown away. Its seed comes from
 * the identity secret: a producer chooses lead ids and must not be able to aim at a bucket. No decision depends on it.
 */
#ifndef LR_RULES_OVERLAY_H
#define LR_RULES_OVERLAY_H

#include "rules/rules.h"

struct arena;

struct overlay {
	struct rules_view view;
	struct arena *arena;
	uint64_t seed[2];
	struct write *writes;
	uint64_t *hashes; /* of their keys */
	size_t count, room;
	uint32_t *slots; /* index into writes + 1; 0: empty */
	size_t slot_count;
};

void overlay_init(struct overlay *overlay, struct rules_view view, struct slice secret, struct arena *arena);
/* SLICE_NONE when the key is absent. The key must have been asked for: VIEW_NOT_READ is a bug and ends the process. */
struct slice overlay_get(const struct overlay *overlay, struct slice key);
/* The same, for values of which nothing is kept: valid until something is put. */
struct slice overlay_peek(const struct overlay *overlay, struct slice key);
/* Key and value must stay as long as the arena. */
void overlay_put(struct overlay *overlay, struct slice key, struct slice value, int64_t due_ms);
/* Writes a tombstone: the key is absent from here on, and has no timer. */
void overlay_remove(struct overlay *overlay, struct slice key);

#endif
