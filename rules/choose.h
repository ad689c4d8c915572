/* SPDX-License-Identifier: Apache-2.0
 *
 * Whose turn is it? Weighted round robin as stride scheduling with exact integers (semantics.md 2.1).
 *
 * Each member of a team has a position, the fraction n/weight. The lowest position is next and moves on by 1/weight.
 * Ties: the higher weight, then the lower id bytewise. No clock, no randomness. While members, weights and availability
 * stay as they are, every block of (sum of weights) turns gives each member exactly its weight.
 *
 * What happens when the team changes is decided when a ring is opened, against the members as stored:
 *
 *     stayed, same weight      keeps its position
 *     stayed, new weight       enters anew (only its own position changes)
 *     came back (was out)      max(its position, that of entering): no arrears, no penalty
 *     new                      enters
 *     out (not active)         keeps its position for the day it comes back
 *     not in the team any more is forgotten
 *
 * To enter is to take the first turn n/weight that lies not before the next turn of those who stayed, ties included:
 * who would have gone first at that very position has missed it. So blocks are exact from the first turn after a change.
 */
#ifndef LR_RULES_CHOOSE_H
#define LR_RULES_CHOOSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/slice.h"

struct arena;
struct model;
struct strbuf;
struct team;

struct ring_slot {
	int64_t n;       /* position = n / weight */
	int64_t weight;  /* as of now; for one that is out, as of when it left */
	bool is_in;      /* may be chosen */
	bool is_known;   /* has a position worth keeping */
};

/* One team's rotation, in memory; lives in the arena of ring_open. */
struct ring {
	const struct model *model;
	const struct team *team;
	struct ring_slot *slots; /* one per member of the team, same order */
	bool was_malformed;      /* the stored value was not ours: it started afresh */
};

/* `value` is what is stored, or SLICE_NONE. Its bytes need not stay. */
void ring_open(struct ring *ring, const struct model *model, const struct team *team, struct slice value,
               struct arena *arena);
/* Index of the member whose turn it is, which moves on; SIZE_MAX when nobody is in. */
size_t ring_next(struct ring *ring);
/* How many can be chosen. */
size_t ring_candidates(const struct ring *ring);
/* The value to store. */
void ring_put(struct strbuf *out, const struct ring *ring, struct arena *arena);

#endif
