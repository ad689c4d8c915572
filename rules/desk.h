/* SPDX-License-Identifier: Apache-2.0
 *
 * The dispatcher's desk of one shard: who is there, what each has open, the rotations, the leads that wait. All of it is
 * made out of memory keys (ring/, mem/seat/, mem/rep/, mem/wait/) when it is needed for the first time, and kept up to date
 * by the decisions themselves; pool_finish() writes what changed.
 *
 *     decider ──► desk ── people: presence of each rep           mem/rep/<rep>
 *                   ├──── posts: one per team                    availability of each member, rings, heap of changes
 *                   └──── backlog: leads that wait for somebody  mem/wait/<lead>
 *
 * A desk may outlive its decider (rules.h: desk_new): then nothing has to be read again. It must be forgotten when a
 * decision it took part in does not become state. No decision depends on whether there was one: a desk made anew out of
 * the keys says the same. What is computed from the clock (working hours, stale entries, windows that roll) is therefore
 * brought up to one `now` before it is looked at, and the clock of a desk never goes back while a decider is at it; one that
 * meets an earlier time afterwards is made anew. See desk_at().
 */
#ifndef LR_RULES_DESK_H
#define LR_RULES_DESK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/backlog.h"
#include "rules/base/arena.h"
#include "rules/pool.h"
#include "rules/presence.h"
#include "rules/ring.h"
#include "rules/rules.h"
#include "rules/state.h"

struct overlay;

/* Why a member cannot take a lead. The order is that of importance: the first that holds is named. */
#define POOL_BLOCKS(X)                       \
	X(NONE, "available")                 \
	X(INACTIVE, "not_active")            \
	X(AWAY, "away")                      \
	X(STALE, "not_heard_of")             \
	X(HOURS, "not_at_work")              \
	X(OPEN, "at_open_limit")             \
	X(CAP, "at_cap")                     \
	X(TRIED, "tried_before")             \
	X(SIZE, "too_large")

enum block {
#define X(name, text) BLOCK_##name,
	POOL_BLOCKS(X)
#undef X
	BLOCKS,
};

/* "available", "away", … */
const char *block_name(enum block block);

/* One team at work. */
struct post {
	const struct team *team;
	const struct pool *pool;
	size_t index;              /* of the team */
	uint8_t *blocks;           /* per member, enum block, hours left out: they are those of the class */
	int64_t *changes_ms;       /* per member: when time alone changes that; NEVER_MS */
	int64_t *loads;            /* per member: open units */
	uint32_t *timer_at;        /* per member: place in `timers`, from 1 */
	uint32_t *timers;          /* heap of members by changes_ms */
	size_t timer_count;
	size_t counts[BLOCKS];     /* members per block, hours left out */
	size_t *class_free;        /* per class: members of BLOCK_NONE */
	size_t *class_size;
	bool *class_open;          /* per class: at work */
	int64_t *class_opens_ms;   /* per class that is not at work */
	struct ring **rings;       /* per lane, the main one first; NULL: not used yet */
	int64_t hours_ms;          /* when the hours of the classes were looked at */
	bool has_toggled;          /* somebody came or went since the last choice (catch_up: none) */
	int64_t heard_ms;          /* when the latest word of any member was said; 0: never */
	bool is_on_last_word;      /* the roster is silent, and the last word of each stands (rules/degraded.h) */
	uint64_t eased;            /* counts, from 1, how often a member may have become able to take what he could not before */
};

struct membership {
	uint32_t team, member;
};

struct desk {
	const struct model *model;
	struct arena own;           /* of a desk that outlives deciders */
	struct arena *arena;        /* where everything lies */
	bool is_ready;
	int64_t now_ms;             /* the latest it was brought up to */
	bool is_written;            /* no decider is at it: the keys say all that it knows */
	struct presence *people;    /* per rep */
	bool *is_read;              /* per rep */
	size_t *first_seat;         /* per rep: into `seats`; rep_count + 1 of them */
	struct membership *seats;
	struct post **posts;        /* per team; NULL: not used yet */
	struct backlog backlog;
	bool has_unreadable;        /* a stored value of a waiting lead was not in our form */
	size_t *dirty_people;
	size_t dirty_people_count;
	struct ring **used;         /* since the last flush, in order of first use */
	size_t ring_count, ring_room;
	bool is_cut;                /* the last drain stopped at its limit */
	int64_t tick_ms;            /* as stored in mem/tick/pools; 0: none */
	size_t looks;               /* how often members were looked at for those who wait; tells what waiting costs */
};

/* Everything is forgotten: it will be made anew. */
void desk_reset(struct desk *desk, const struct model *model);
/* Ready and brought up to `now_ms`: reads what is stored. Time never goes back: the result is the instant to decide by. */
int64_t desk_at(struct desk *desk, const struct model *model, const struct overlay *overlay, int64_t now_ms);

/* The post of a team, brought up to desk->now_ms. */
struct post *desk_post(struct desk *desk, const struct overlay *overlay, size_t team);
/* The rotation of a lane of a post; `lane` 0 is the main one. It is flushed with the others that were used. */
struct ring *desk_ring(struct desk *desk, const struct overlay *overlay, struct post *post, size_t lane);
struct presence *desk_person(struct desk *desk, const struct overlay *overlay, size_t rep);
/* What is known of the rep has changed: his memberships are looked at again. */
void desk_person_changed(struct desk *desk, const struct overlay *overlay, size_t rep);
/* Nobody of the team was heard of within stale_after: its roster is silent. */
bool post_is_silent(const struct desk *desk, const struct post *post);
/* Members who could take a lead of one unit now. */
size_t post_free(const struct post *post);
/* Why the member cannot take a lead of `units`; BLOCK_NONE: he can. 0 units: whether what he has keeps to his limits. */
enum block post_block(const struct desk *desk, const struct post *post, uint32_t member, int64_t units);
/* The same for a rep as a member of no team: presence and his own capacity. */
enum block desk_judge_rep(struct desk *desk, const struct overlay *overlay, size_t rep, int64_t units);
/* Is there anybody who could take a lead of so many units that needs this? */
bool post_can_serve(const struct desk *desk, const struct post *post, const struct need *need, int64_t units);
/* When time alone changes anything at this post; NEVER_MS. */
int64_t post_next_change(const struct desk *desk, const struct post *post);

#endif
