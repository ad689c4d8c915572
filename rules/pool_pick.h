/* SPDX-License-Identifier: Apache-2.0
 *
 * The chain of criteria of one pool for one lead, for rules/pool_choose.c only.
 *
 * The candidates are classes with the number of members that are there; a criterion drops classes. When only the best of
 * the best is left, its first member in turn (or by load) is the one. Members who may not be asked (tried before, or the
 * lead is too large for them) leave the rotation for the length of the choice; pick_done() puts them back.
 */
#ifndef LR_RULES_POOL_PICK_H
#define LR_RULES_POOL_PICK_H

#include "rules/desk.h"
#include "rules/pool_choose.h"

struct classes {
	uint32_t *items;
	size_t count;
	uint32_t only; /* one member of the one class; RING_NOBODY: all members */
};

struct pick {
	struct work *work;
	struct desk *desk;
	struct post *post;
	struct ring *ring;
	int64_t units;
	const size_t *tried;
	size_t tried_count;
	bool over_capacity;     /* caps and open leads do not count */
	/* set by pick_member() */
	struct classes left;
	uint32_t *aside;        /* members who stepped out */
	size_t aside_count, aside_room;
	uint32_t *guests;       /* members over capacity who stepped in */
	size_t guest_count;
	/* set by pick_take…() in the credit form */
	struct slice turn;      /* who took part */
};

/* Who gets it, RING_NOBODY when nobody can. Books nothing. */
uint32_t pick_member(struct pick *pick, struct pool_trace *trace);
/* He has the turn. */
void pick_take(struct pick *pick, uint32_t member);
/* The same for somebody who was not picked. */
void pick_take_alone(struct pick *pick, uint32_t member);
/* His turn goes back; `turn` is who took part in it, as far as that is known. */
void pick_give_back(struct pick *pick, uint32_t member, struct slice turn);
void pick_done(struct pick *pick);
/* Was the member among the last candidates? */
bool pick_has(const struct pick *pick, uint32_t member);
/* Why nobody could: counts per reason, and the first few by name. */
void pick_count_blocks(const struct desk *desk, const struct post *post, const size_t *tried, size_t tried_count,
                       struct pool_try *try);

#endif
