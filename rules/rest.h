/* SPDX-License-Identifier: Apache-2.0
 *
 * Leads that rest until a day: nurture, shelved, opportunity, deferred. They go on whoever owns them, and what they rest as is
 * not lost while they wait for a place in a pool or for somebody's consent:
 *
 *     nurture ──► waiting, pending (was nurture, later: its day) ──► whoever gets it: nurture, with that day
 *                      └── the day comes meanwhile: it is told, as it would have been
 */
#ifndef LR_RULES_REST_H
#define LR_RULES_REST_H

#include <stdbool.h>

#include "rules/lifecycle.h"
#include "rules/state.h"

struct work;

bool rest_is(enum lead_status status);
/* What the lead rests as, by itself or behind its waiting; .to is LEAD_STATUSES when it does not. */
struct move rest_of(const struct lead_state *state);
/* The lead waits for somebody from now on: it keeps what it rested as. */
void rest_keep(struct lead_state *state, const struct move *rest);
void rest_forget(struct lead_state *state);
/* Whoever was waited for does not get it: the lead is again what it was. false: it did not rest, or it has no owner and was
 * something else than nurture, so it rests no more. */
bool rest_resume(struct lead_state *state);
/* Tells that the day of a lead that waits has come; false: nothing was due. */
bool rest_fire(struct work *work);

#endif
