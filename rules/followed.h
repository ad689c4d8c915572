/* SPDX-License-Identifier: Apache-2.0
 *
 * Who has followed up a lead, and when first: what the router itself was told of while it happened (semantics.md 2.12).
 *
 * While only its owner acts, the lead's `touched` is that time and nothing else is stored. As soon as another rep acts, or
 * the lead changes hands, it keeps `acted`, "rep/ms" of each rep who did: the STATE_ACTED_MAX earliest, because only the
 * first ones can decide anything. An act that is heard of while the lead is argued about counts from when it was heard of:
 * nobody enters yesterday's call once he knows what it is worth. Nothing is kept where there are no disputes.
 */
#ifndef LR_RULES_FOLLOWED_H
#define LR_RULES_FOLLOWED_H

#include <stdint.h>

#include "rules/base/slice.h"

struct lead_state;
struct work;

/* `actor` has followed up work->state at that time; nobody named: its owner. Before `touched` takes the time in. */
void followed_note(struct work *work, struct slice actor, int64_t at_ms);
/* work->state is about to change hands, and `touched` with it. */
void followed_before_owner(struct work *work);
/* When the rep first did, ms; 0: nothing is recorded of him. */
int64_t followed_first(const struct lead_state *state, struct slice rep);

#endif
