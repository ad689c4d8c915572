/* SPDX-License-Identifier: Apache-2.0
 *
 * The leads of one shard that wait for somebody (rules/pool_wait.h), in memory: who is first in line.
 *
 *     team ── line ──┬── queue: 1 unit                     the first of a queue can be given to somebody,
 *                    ├── queue: 1 unit, ana was asked      or none of that queue can
 *                    └── queue: 3 units
 *
 * What a lead needs of a team is a number of units and somebody who was not asked yet. Had the team sent it on to others by
 * next_pool before it began to wait, somebody of those will do as well. Leads that need the same stand in one queue, so that whether anybody could take them is asked once for all of them, and not again until somebody has become
 * freer (`barren`): ten thousand leads that nobody can take cost what one does. Within a queue, and among the first of the
 * queues, the order is that of waiter_is_before(). Everything lies in the arena of the desk.
 */
#ifndef LR_RULES_BACKLOG_H
#define LR_RULES_BACKLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/slice.h"
#include "rules/pool.h"
#include "rules/state.h"

struct arena;
struct model;

enum { STOPS_MAX = 1 + POOL_HOPS_MAX };

/* A team that may serve those of a queue, and the units that each of them counts there. */
struct stop {
	uint32_t team;          /* model.team_count: a team that the configuration does not have any more */
	uint32_t units;
};

/* What tells one queue from another. All of it counts, bytewise: made by need_of() only. */
struct need {
	struct stop stops[STOPS_MAX]; /* the team in whose line it is, and those that next_pool leads to; 0 behind them */
	uint32_t stop_count;
	uint32_t tried_count;
	uint32_t tried[STATE_TRIED_MAX]; /* reps of these teams who were asked in this round, ascending; 0 behind them */
};

struct queue {
	struct slice name;      /* the bytes of `need` */
	struct need need;
	struct waiter **items;  /* heap */
	size_t count, room;
	uint64_t barren;        /* what post.eased, summed over the stops, was when nobody could take any of these; 0: somebody may */
	struct queue *next, **link; /* in the line of its team; `next` alone while it is free */
};

struct waiter {
	struct slice name;      /* the lead's id */
	struct queue *queue;
	uint32_t rank;          /* of its grade, 0 is best */
	int64_t at_ms;          /* original age */
	size_t place;           /* in its queue */
	struct waiter *next;    /* while it is free */
	char id[LEAD_ID_BYTES_MAX];
};

/* Open addressing; what stands in it begins with its name. */
struct named_table {
	struct slice **slots;
	size_t count, room;     /* a power of two */
};

struct line {
	struct queue *queues;   /* in no particular order */
	size_t count;           /* leads */
};

struct backlog {
	struct arena *arena;
	uint64_t seed[2];       /* of the tables: a producer chooses lead ids and must not be able to aim at a slot */
	struct line *lines;     /* per team, and one more */
	size_t count;           /* leads, in all lines */
	struct named_table by_id, by_need;
	struct waiter *free_waiters;
	struct queue *free_queues;
};

void backlog_init(struct backlog *backlog, size_t lines, const uint64_t seed[2], struct arena *arena);

/* What a lead in this state needs of the teams at `stops`, the first of which may be model.team_count. */
struct need need_of(const struct model *model, const struct lead_state *state, const struct stop *stops, size_t stop_count);
/* The team in whose line the queue stands. */
static inline size_t queue_team(const struct queue *queue)
{
	return queue->need.stops[0].team;
}

struct waiter *backlog_find(const struct backlog *backlog, struct slice lead_id);
/* The lead must not be there. */
void backlog_add(struct backlog *backlog, struct slice lead_id, const struct need *need, size_t rank, int64_t at_ms);
void backlog_remove(struct backlog *backlog, struct waiter *waiter);
/* By grade, then age, then id: of two leads one is always before the other. */
bool waiter_is_before(const struct waiter *a, const struct waiter *b);
/* The rank of a grade: its place from the best; of an unknown one behind all. */
size_t backlog_rank(const struct model *model, struct slice grade);

#endif
