/* SPDX-License-Identifier: Apache-2.0
 *
 * Whose turn is it? One rotation, of a team or of one lane of it, in memory (semantics.md 2.1, 2.2).
 *
 * Stride: each member has a position, the fraction n/weight, in exact integers. The lowest position among the candidates is
 * next and moves on by 1/weight; ties: the higher weight, then the lower id bytewise. No clock, no randomness. While members,
 * weights and availability stay as they are, every block of (sum of weights) turns gives each member exactly its weight.
 *
 * The mark is how far the rotation has come: the lowest turn of those who were there at any choice so far; it never goes
 * back. Who is away keeps his stored position, and when he is there again takes his first turn at or behind the mark:
 *
 *     clamp (default)  that is all: no arrears, no penalty      full        his old position, mark or not
 *     none             behind the highest position instead      capped(N)   the turns he missed are owed: N a day
 *
 * A member who is new, or has another weight than stored, takes his first turn at or behind the mark too; nobody else's
 * position changes. Because the mark cannot pass a member who is there and was not chosen, it does not matter when his
 * turn is computed between his return and his next lead: so nothing is written when people come and go, only when they
 * are given something. (none is the exception: it writes down who left.)
 *
 * A turn given back (a bad lead, a lost dispute) is kept apart as `back`: it counts as that many turns earlier and no
 * clamp takes it away.
 *
 * Members of a class stand in a heap; choosing looks at the first of each class, so a pool of 50,000 costs about what one
 * of 10 does. What changed is written by ring_flush(): a value per member, and one for the mark.
 *
 *     mem/seat/<team>/<lane>/<rep>  [n,weight,given] or [n,weight,given,back,owed,used,day,out]
 *     ring/<team>, ring/<team>/<lane>  {"mark":[n,weight,"rep"],"high":[n,weight]} or {"credits":[["rep",credit,given],…]}
 *
 * Credit: each candidate gains its weight, the winner pays the sum of the candidates' weights. As exact, the longest run
 * is shorter, nobody who is away gains anything. Each turn looks at every candidate, so such pools are small. All credits
 * together are always 0 while members stay: a turn given back takes from each candidate of that turn what it gained, so who
 * they were is remembered with the lead ("turn"), and who is given a lead by another way pays to all who are there.
 */
#ifndef LR_RULES_RING_H
#define LR_RULES_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/slice.h"

struct arena;
struct model;
struct overlay;
struct pool;
struct team;

#define RING_NOBODY UINT32_MAX

enum { RING_POSITION_BITS = 50 }; /* n < 2^50: n * weight fits into 63 bits */

struct seat {
	int64_t n;       /* position = n / weight; of credit: the credit */
	int64_t weight;  /* as stored; 0: never had a turn */
	int64_t given;   /* turns, over all time, less those given back */
	int64_t back;    /* turns given back and not taken yet */
	int64_t owed;    /* capped: turns missed and not taken yet */
	int64_t used, day; /* capped: of them on this day */
	bool is_known;   /* a position with this weight is stored, or will be */
	bool is_out;     /* none: was away at the last choice */
	bool is_dirty;
	uint32_t at_turn, at_load; /* place in the heaps of its class, from 1; 0: not in */
};

struct ring_heap {
	uint32_t *items;
	size_t count;
};

/* A turn: position, and who has it. */
struct turn {
	int64_t n, weight;
	uint32_t member; /* index in the team; RING_NOBODY: before everybody at this position */
};

struct ring {
	const struct model *model;
	const struct team *team;
	const struct pool *pool;
	struct slice lane;         /* name; empty: the main one */
	const int64_t *loads;      /* per member: open units; borrowed */
	struct seat *seats;        /* per member */
	struct ring_heap *by_turn; /* per class */
	struct ring_heap *by_load; /* per class; NULL when the pool never looks at loads */
	struct turn mark;
	int64_t high_n, high_weight; /* highest position ever reached */
	int64_t day;               /* capped: what `used` is compared with */
	uint32_t *dirty;           /* seats, in order of first change since the last flush */
	size_t dirty_count;
	bool is_used;              /* since the last flush; the desk's */
	bool is_dirty;             /* mark or high */
	bool was_malformed;        /* a stored value was not ours: it started afresh */
	uint64_t members_mark;     /* credit: changes with the members; see ring_turn_text() */
};

/* Reads what is stored; nobody stands in a heap yet. Everything lies in `arena`, which lives as long as the ring. */
void ring_open(struct ring *ring, const struct model *model, const struct team *team, struct slice lane,
               const int64_t *loads, const struct overlay *overlay, struct arena *arena);
/* The member is there from now on, or not any more. Entering twice is one. */
void ring_enter(struct ring *ring, uint32_t member);
void ring_leave(struct ring *ring, uint32_t member);
/* His load has changed. */
void ring_reload(struct ring *ring, uint32_t member);
/* All who stand in the class take their places anew: it was closed for a while. */
void ring_reopen(struct ring *ring, size_t class);
/* The first of a class, RING_NOBODY when none is in. */
uint32_t ring_first(const struct ring *ring, size_t class);
uint32_t ring_least_loaded(const struct ring *ring, size_t class);
/* Is a's turn before b's? Has a less load per weight, or as much and the earlier turn? */
bool ring_is_before(const struct ring *ring, uint32_t a, uint32_t b);
bool ring_is_less_loaded(const struct ring *ring, uint32_t a, uint32_t b);
/* Debit: the member had a turn. */
void ring_take(struct ring *ring, uint32_t member);
/* Credit form: all `candidates` gain their weight, `winner` pays the sum. Before ring_take. */
void ring_pay(struct ring *ring, const uint32_t *candidates, size_t count, uint32_t winner);
/* Credit-back of one turn; in the credit form after ring_refund(). */
void ring_give_back(struct ring *ring, uint32_t member);
/* The reverse of ring_pay(), by the weights of today. */
void ring_refund(struct ring *ring, const uint32_t *candidates, size_t count, uint32_t winner);
/* Who took part in a turn: "<mark of the members>:<a bit for each>" in `arena`. */
struct slice ring_turn_text(const struct ring *ring, const uint32_t *candidates, size_t count, struct arena *arena);
/* Returns how many took part, with room for all members; 0: not known, or the team has other members now. */
size_t ring_turn_read(const struct ring *ring, struct slice text, uint32_t *ret_candidates);
/* Behind each choice: `first` is the earliest turn of those who are there, over all classes; RING_NOBODY: nobody is. */
void ring_advance(struct ring *ring, uint32_t first);
/* capped: it is this day now. Before a choice. */
void ring_set_day(struct ring *ring, int64_t day);
/* none: writes down who left and lets those who came back enter behind everybody. Before a choice. */
void ring_note_presence(struct ring *ring, uint32_t member, bool is_there);
/* The member's next turn as things stand, whether he is there or not. */
struct turn ring_turn(const struct ring *ring, uint32_t member);
/* Puts what changed since the last time. */
void ring_flush(struct ring *ring, struct overlay *overlay, struct arena *arena);

#endif
