/* SPDX-License-Identifier: Apache-2.0
 *
 * Ownership: the only place where a lead gets or loses its owner (law 6).
 *
 *     rotation, owner match ─┐
 *     a person's order ──────┼─► own_give() / own_clear() ─► version + 1, clocks begin anew, one lead.assigned or .unassigned
 *     claim, dispute, breach ┘
 *
 * A change of owner raises the ownership version by one and starts the clocks that hang on it anew, whatever caused it.
 * Who may change what is the business of the caller; what a change means is written here once. The caller writes the lead.
 * An activity that names an expected version which is not the lead's changes nothing (ownership.conflict).
 */
#ifndef LR_RULES_OWN_H
#define LR_RULES_OWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/err.h"
#include "rules/base/slice.h"
#include "rules/pool.h"
#include "rules/state.h"

struct work;

/* work->state belongs to `rep` (an index into model.reps) as a member of `team` (SIZE_MAX: of none) from now on. `reason` is
 * the code that the event carries, a literal. A closed lead stays closed; one that waits (nurture, shelved, opportunity,
 * deferred) waits on for the same day. */
void own_give(struct work *work, size_t rep, size_t team, const char *reason);
/* work->state belongs to nobody from now on, and is in the state `status`; nurture stays nurture in the public pool, where
 * it can be claimed like any other lead there, and what rests keeps its day while it waits for somebody (rules/rest.h). */
void own_clear(struct work *work, enum lead_status status, const char *reason);

/* ---- taking back */

/* A release of the lead has fallen due ("expired": nothing has moved; or another code). While the lead is protected it is
 * only noted; else the lead goes to the public pool, or that is proposed, as the configuration says. The lead is written. */
void own_release_due(struct work *work, const char *reason);
/* So many have had the lead in this round that nobody else is asked ("max_hops"). It ends in the queue that its team names as its
 * fallback (nobody: fallback_queue), or, where the team names none or the lead is protected, like a release that falls due.
 * The lead is written. */
void own_end_round(struct work *work);
/* Somebody else is to get it (own_pass_on() below); while the lead is protected that is only noted, too. */
void own_pass_on_due(struct work *work);
/* The protection of a lead ends, and what fell due meanwhile is made up for. false: nothing of the kind is due. */
bool own_exemption_ends(struct work *work);

/* ---- orders: changes after intake, with their events */

struct order {
	const char *reason;                        /* code of the event */
	struct slice actor, approver, text, next_step;
	enum pool_cause cause;                     /* what the rotation takes it for */
	struct slice previous;                     /* owner before; filled by the functions below, as is: */
	bool is_chosen;                            /* by the pool, which has booked the turn */
};

/* What the activity under decision says: actor, approver, reason in words, next step; its cause is manual. */
struct order order_of(const struct work *work, const char *reason);
/* own_give and own_clear with their events; the lead is written. */
void own_order(struct work *work, size_t rep, size_t team, struct order *order);
void own_free(struct work *work, enum lead_status status, struct order *order);
/* The next one was found and somebody has to consent: until then nobody has the lead. It is written. */
void own_ask(struct work *work, size_t rep, size_t team, struct order *order);
/* The lead goes to the next one of its team who was not asked in this round, the present owner being counted among those
 * who were; when there is nobody, to nobody. The lead is written. */
void own_pass_on(struct work *work, struct order *order);

/* Who helps the owner from now on: a list of {rep, role} that was read. The caller writes the lead. */
struct json;
bool own_are_reps(struct work *work, const struct json *helpers); /* false: the record was rejected */
void own_set_helpers(struct work *work, const struct json *helpers);
/* The rep of "rep/role", as a lead keeps who helps. */
struct slice own_helper_rep(struct slice helper);
/* Is `actor` the owner or a collaborator of the lead? Nobody named: the app that may write here speaks for the owner. */
bool own_is_acting(const struct lead_state *state, struct slice actor);
/* Was the rep asked in this round? */
bool own_was_tried(const struct lead_state *state, struct slice rep);
/* All who were, as indexes into model.reps. */
size_t own_tried_reps(const struct work *work, size_t ret_reps[STATE_TRIED_MAX]);
/* The first team that the rep is a member of, the team `wanted` before all; SIZE_MAX: none. */
size_t own_team_of(const struct work *work, size_t rep, struct slice wanted);

/* The rep that an order names: its index, or SIZE_MAX and the record was rejected (unknown, not active). */
size_t own_find_rep(struct work *work, struct slice id, const char *where);
/* May a lead in this state be given to anybody by an order? false: the record was rejected. */
bool own_may_order(struct work *work);

/* Counts of what each rep holds (mem/held/<rep>), kept while a holding cap is configured. Called with each write of a lead;
 * `is_gone`: the lead is erased. */
void own_count(struct work *work, bool is_gone);
int64_t own_held(const struct work *work, struct slice rep);
/* One more, or one less, that is kept for him (rules/seat.h); it is counted whether or not there is a cap. */
void own_hold(struct work *work, struct slice rep, int change);
/* Once per model, before clocks_begin(): a cap that was not there before has the leads counted that are. */
#define OWN_WALK "mem/walk/holding"
void own_begin(struct work *work);
void own_visit(struct work *work, struct slice key);
/* Are leads still to be counted, so that own_held() may be too low? */
bool own_is_counting(const struct work *work);

#endif
