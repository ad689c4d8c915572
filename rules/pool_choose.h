/* SPDX-License-Identifier: Apache-2.0
 *
 * Choosing one of a pool, for whoever gives leads to somebody: intake, a decline, a breach, the backlog.
 *
 * The caller fills work->lead_id and work->state (for a lead that is decided again: its stored state; what criteria read of
 * the lead comes out of its kept fields then) and calls pool_choose(). Then:
 *
 *     POOL_CHOSEN    work->rep and work->team are set and the turn is booked in work->ledger. The caller calls own_give(),
 *                    which reserves the capacity, writes the lead and makes the event, all in this decision.
 *     POOL_WAITING   nobody now: work->state is that of a lead in the pool's backlog (status waiting, team, wait_ms). The
 *                    caller writes the lead (work_write_lead puts it into the backlog) and makes an event.
 *     POOL_NOBODY    nobody now and nobody later: work->reason says why. The caller settles the lead as unassigned.
 *
 * Who waits is given somebody by pool_drain() in the very decision in which somebody becomes free; callers need do nothing
 * for that but go through own_give(), own_clear() and work_write_lead(), which keep the loads.
 */
#ifndef LR_RULES_POOL_CHOOSE_H
#define LR_RULES_POOL_CHOOSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/slice.h"
#include "rules/desk.h"
#include "rules/pool.h"

struct arena;
struct json_writer;
struct lead_state;
struct model;
struct work;

enum pool_answer { POOL_CHOSEN, POOL_WAITING, POOL_NOBODY };

/* One of `team`, by its lanes, criteria, rotation and outcomes, but none of `tried` (indexes into model.reps). */
enum pool_answer pool_choose(struct work *work, size_t team, const size_t *tried, size_t tried_count,
                             enum pool_cause cause);

/* For the backlog: a member of the first of its stops that has one (POOL_WAITING: nobody yet), and the outcomes of its team from
 * `step` on. Nobody who was asked in this round. */
enum pool_answer pool_choose_waited(struct work *work, const struct need *need);
enum pool_answer pool_choose_after(struct work *work, size_t team, size_t step);

/* Nobody else is to be asked: takes the queue that the team names for what nobody takes as the outcome. false: it names none. */
bool pool_take_fallback(struct work *work, size_t team);
/* The queue of the outcome, as events name it; empty: another outcome, or a queue without a name. */
struct slice pool_queue(const struct work *work);

/* Could this rep take the lead as a member of `team`? For owner match, claims and orders that respect caps and absence
 * (2.3). Whoever has a place for it (rules/seat.h) can, as far as what he has keeps to his caps. SIZE_MAX as team: of none, so only presence and his own capacity count. *ret_block names what is in the way. */
bool pool_can_take(struct work *work, size_t rep, size_t team, enum block *ret_block);
/* A lead was given to work->rep of work->team without asking the pool: moves the rotation if the pool says that `cause` does
 * (2.2), and books it. Before own_give(). */
void pool_note_given(struct work *work, enum pool_cause cause);
/* The lead costs nobody a turn: a person named who is to get it. */
void pool_costs_nothing(struct work *work);
/* Its owner has the turn again that he was given back for this lead; `reason` is a code, a literal. */
void pool_take_again(struct work *work, const char *reason);
/* The turn that `rep`, its owner or who was to be, had for this lead goes back to him, if it cost him one: a decline, a bad
 * lead, a lost dispute, a reassignment, a refused consent. `reason` is a code, `approver` a person or empty. Before own_clear()
 * or own_give() to somebody else. */
void pool_credit_back(struct work *work, struct slice rep, const char *reason, struct slice approver);

/* The rep has so many units more, which count in the windows of his caps, or so many less, which still do. */
void pool_change_load(struct work *work, size_t rep, int64_t units);
/* Hooks of own.c: the load of the reps concerned. SIZE_MAX: nobody. */
void pool_on_owner_change(struct work *work, size_t previous, size_t rep);
/* Before every write of a lead: it counts in its owner's load while it is assigned or in progress, also while consent to
 * another is waited for, and not when it is nurtured, shelved, an opportunity or closed. */
void pool_on_write(struct work *work);
/* The lead is erased: it counts in no load and no backlog. */
void pool_on_erase(struct work *work);

/* Does the lead's team ask who had the person's last lead? Otherwise its state need not tell. */
bool pool_asks_familiar(const struct work *work);
/* The units that the lead counts with its owner. What it will count with the next one is work->units until he has it. */
int64_t pool_units(const struct work *work);
/* That is now. */
void pool_take_size(struct work *work);
/* What a lead that waits for `team` will count there: it depends on the lead and the configuration alone, as if it had just
 * been taken in. */
int64_t pool_waiting_size(const struct model *model, size_t team, const struct lead_state *state, struct slice lead_id,
                          struct arena *scratch);

/* ---- what the trace tells */

enum { POOL_TRIES_SHOWN = 4, POOL_REJECTED_SHOWN = 10, LEDGER_MAX = 8 };

enum criterion_result { CRITERION_NARROWED, CRITERION_SAME, CRITERION_SKIPPED };

struct criterion_step {
	const struct pool_criterion *criterion;
	enum criterion_result result;
	size_t left; /* members */
};

struct rejected {
	size_t rep;
	enum block block;
};

/* A team that had nobody. */
struct pool_try {
	size_t team;
	size_t counts[BLOCKS];
	struct rejected rejected[POOL_REJECTED_SHOWN];
	size_t rejected_count, members;
};

struct pool_trace {
	struct criterion_step steps[POOL_CRITERIA_MAX]; /* of the choice */
	size_t step_count;
	struct slice lane;
	bool is_reopened;       /* balance: the load gap reopened the set before the last criterion that narrowed */
	bool is_by_load;
	struct pool_try tries[POOL_TRIES_SHOWN];
	size_t try_count, tries_total;
	const struct pool_outcome *outcome; /* the one taken when the first team had nobody */
};

struct ledger_entry {
	size_t rep, team;
	struct slice lane;
	const char *entry;  /* "debit", "credit_back" */
	const char *reason; /* cause or code */
	struct slice approver;
};

/* "ledger":[…] of this decision; nothing when it is empty. */
void pool_put_ledger(struct json_writer *writer, const struct work *work);
/* "pool":{…} of the trace; nothing when there is nothing to tell. */
void pool_put_trace(struct json_writer *writer, const struct work *work);

#endif
