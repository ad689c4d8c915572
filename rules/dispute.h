/* SPDX-License-Identifier: Apache-2.0
 *
 * Who is a lead's rightful owner, when several say they are (semantics.md 2.12).
 *
 *     activity.claim on an owned lead ──► opened: owner and clocks stay, claims are collected until a deadline
 *     further claims, also the owner's ─► evidence
 *     the deadline ────────────────────► decided: the criteria of the ladder in order, each narrows who is left; the one that
 *                                        leaves a single one decides. None does: the owner keeps it, or a manager is asked
 *                                        Who holds as many leads as he may by then (ownership.holding) is passed over
 *     an order, a release meanwhile ───► closed: the lead is not argued about any more
 *     it is over, and was about a merge ► the two leads become one (rules/merge.h)
 *
 * One dispute per lead at a time. A claim is kept as "rep/claimed/followed up/marks": two times in ms (0: none) and the
 * letters t (its territory), k (influences the key person), r (the other lead of a merge records that follow-up) and o
 * (nobody said it: he owns that other lead, and whoever owns it when it is decided has the claim). What a claim says may
 * be said anew until the deadline.
 *
 * First follow-up: what was recorded counts (rules/followed.h). What a claim says of it counts only where nothing is
 * recorded of anybody who says the lead is his, the owner included: a word does not beat a record.
 */
#ifndef LR_RULES_DISPUTE_H
#define LR_RULES_DISPUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/slice.h"

struct json;
struct lead_state;
struct work;

/* A claim by `rep` (an index) on work->state, which somebody owns, with what the activity brings as evidence. The lead is
 * written, with its event. false: there are as many claims as a lead keeps, and nothing was changed. */
bool dispute_claim(struct work *work, size_t rep, const struct json *evidence);
/* The same for the owner of `other`, which work->state may be merged with (work->state.contest): what that lead records
 * speaks for him. */
bool dispute_claim_by(struct work *work, size_t rep, const struct lead_state *other);
/* Is the lead argued about, or does a manager have to decide who owns it and what it may be merged with? */
bool dispute_is_open(const struct lead_state *state);
/* The dispute, if there is one, ends without a decision: `reason` is the order's. No event is added for a lead without one. */
void dispute_close(struct work *work, const char *reason);
/* Decides the dispute that is due; false: none is. The lead is written. */
bool dispute_fire(struct work *work);

#endif
