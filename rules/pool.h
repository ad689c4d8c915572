/* SPDX-License-Identifier: Apache-2.0
 *
 * A team as a pool: how one of its members is chosen (semantics.md 2.1–2.4). Compiled by rules/model/model_pool.c, immutable.
 *
 *     who is there ─► criteria, in order ─► balance ─► rotation or load ─► one rep
 *          │ nobody
 *          └─► outcomes, in order: wait | next_pool | over_capacity_owner | fallback_queue
 *
 * A criterion narrows those who are left; one that would leave nobody is skipped. What an expression can tell apart of a
 * rep is known when the configuration is read, so members with the same values form one class: a decision asks each
 * criterion once per class, never once per rep.
 */
#ifndef LR_RULES_POOL_H
#define LR_RULES_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/slice.h"
#include "rules/calendar/span.h"
#include "rules/model.h"

struct zone;

enum {
	POOL_CRITERIA_MAX = 32,
	POOL_LANES_MAX = 32,
	POOL_SIZES_MAX = 32,
	POOL_OUTCOMES_MAX = 8,
	POOL_HOPS_MAX = 8,            /* pools asked for one lead, by next_pool */
	POOL_CAPS_MAX = 4,            /* of one capacity */
	POOL_WINDOWS_MAX = 8,         /* different windows that are counted for one rep */
	POOL_ROLLING_MAX = 200,       /* of a rolling cap: so many instants are remembered per rep */
	POOL_UNITS_MAX = 100000,      /* of a calendar cap or of open leads */
	POOL_SIZE_MAX = 1000,         /* of one lead, in units */
	POOL_CREDIT_MEMBERS_MAX = 1000, /* of a pool by credit: a turn looks at each of them */
	POOL_GAP_MAX = 10000,
	POOL_EXTRA_MAX = 1000,        /* catch_up: {capped: N} */
	PREFERENCE_ROWS_MAX = 1000000,
	PREFERENCE_RANK_MAX = 1000,
};

enum pool_rotation { ROTATION_STRIDE, ROTATION_CREDIT };
enum pool_catch_up { CATCH_UP_CLAMP, CATCH_UP_NONE, CATCH_UP_CAPPED, CATCH_UP_FULL };

/* What a lead was given for: a bit each in pool.moves. */
enum pool_cause { CAUSE_AUTOMATIC, CAUSE_OWNER_MATCH, CAUSE_MANUAL, CAUSE_CLAIM, CAUSES };

/* "automatic", "owner_match", … */
const char *pool_cause_name(enum pool_cause cause);

/* ---- criteria */

/* Who is first, second, … for a value: the industry, function or region table of S4-P1 to P3. */
struct preference {
	size_t rep;    /* while building; a class of the pool in a criterion */
	unsigned rank; /* 1 is best */
};

struct preference_list {
	struct slice key; /* text_key() of the value */
	const struct preference *items; /* by rank, then rep or class */
	size_t count;
};

struct preference_table {
	struct slice name;
	const struct preference_list *lists; /* by key, bytewise */
	size_t count;
};

enum pool_criterion_kind {
	CRITERION_WHEN,     /* those for whom it is true */
	CRITERION_PREFER,   /* those with the best rank in a table, for a value of the lead */
	CRITERION_LOWEST,   /* those with the lowest number: cost class */
	CRITERION_FAMILIAR, /* the one who had the person's last lead (S4-P6) */
};

struct pool_criterion {
	struct slice name;
	enum pool_criterion_kind kind;
	struct slice text;                 /* of the expression, as written; of FAMILIAR empty */
	const struct cel_program *program; /* WHEN: bool; LOWEST: int; PREFER: the value; NULL: true */
	struct preference_table table;     /* PREFER: with classes instead of reps */
	struct place place;
};

/* ---- capacity */

enum cap_window { CAP_ROLLING, CAP_DAY, CAP_WEEK, CAP_MONTH };

struct cap {
	int64_t most;           /* units */
	enum cap_window window;
	int64_t length_ms;      /* CAP_ROLLING */
	const struct zone *zone; /* the others: whose midnight */
	struct slice name;      /* of the window, as in the state: "3600000", "day@Europe/Berlin" */
};

struct capacity {
	int64_t open; /* most units of open leads; 0: no limit */
	const struct cap *caps;
	size_t cap_count;
};

struct pool_size {
	struct slice text;
	const struct cel_program *when; /* NULL: always */
	int64_t units;
	struct place place;
};

/* ---- nobody there */

enum pool_outcome_kind { POOL_WAIT, POOL_NEXT, POOL_OVER_CAPACITY, POOL_FALLBACK };

/* "wait", "next_pool", "over_capacity_owner", "fallback_queue" */
const char *pool_outcome_name(enum pool_outcome_kind kind);

struct pool_outcome {
	enum pool_outcome_kind kind;
	struct span wait;    /* all zero: without end */
	size_t team;         /* POOL_NEXT */
	size_t rep;          /* POOL_OVER_CAPACITY: that one; SIZE_MAX: whose turn it is */
	struct slice queue;  /* POOL_FALLBACK: a name for people; may be empty */
	struct place place;
};

struct pool_lane {
	struct slice name, text;
	const struct cel_program *when;
	struct place place;
};

/* ---- the whole */

struct pool {
	enum pool_rotation rotation;
	enum pool_catch_up catch_up;
	int64_t extra;        /* CATCH_UP_CAPPED: leads a day */
	bool by_load;         /* the lowest load is next, ties by rotation */
	bool has_gap;         /* balance: threshold */
	int64_t gap;
	unsigned moves;       /* bits of enum pool_cause: what moves a position */
	bool keeps_hours;     /* who is not at work is not there */
	int64_t stale_after_ms; /* 0: for ever */
	struct capacity capacity; /* of each member that has none of his own */
	const struct pool_lane *lanes; /* the first that holds; none: the main lane, whose name is empty */
	size_t lane_count;
	const struct pool_criterion *criteria;
	size_t criterion_count;
	const struct pool_size *sizes; /* the first that holds; none: 1 unit */
	size_t size_count;
	const struct pool_outcome *outcomes; /* at least one */
	size_t outcome_count;

	/* Members that no criterion can tell apart, and that have the same hours. */
	size_t class_count;       /* at least 1 */
	const uint32_t *class_of; /* per member; NULL: all are of class 0 */
	const uint32_t *sample;   /* per class: one of its members; NULL: member 0 */
};

/* The options of a team; never NULL. */
const struct pool *pool_of(const struct team *team);
static inline size_t pool_class(const struct pool *pool, size_t member)
{
	return pool->class_of != NULL ? pool->class_of[member] : 0;
}
/* What a member may take at most. */
const struct capacity *pool_capacity(const struct pool *pool, const struct rep *rep);
/* Index of the rep in team.members; SIZE_MAX when it is no member. */
size_t team_find_member(const struct team *team, size_t rep);

#endif
