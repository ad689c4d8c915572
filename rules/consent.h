/* SPDX-License-Identifier: Apache-2.0
 *
 * Assignments that need somebody's consent (S4-RESOURCE): the lead is `pending`, stays with its owner if it has one, and
 * waits for activity.approve or for the time after which the consent counts as given or refused. What it rested as goes on
 * meanwhile (rules/rest.h).
 */
#ifndef LR_RULES_CONSENT_H
#define LR_RULES_CONSENT_H

#include <stdbool.h>
#include <stddef.h>

struct work;

/* Does giving work->state to `rep` of `team` need consent? Then it was asked for: the lead is written, with its event. */
bool consent_ask(struct work *work, size_t rep, size_t team);
/* The same for a lead that is just being taken in: only the state is filled in. */
bool consent_ask_first(struct work *work, size_t rep, size_t team);
/* The lead goes another way, so nobody is to consent any more: the turn of whoever was to get it goes back to him, for
 * `reason`. Nothing where it is not pending. The caller writes the lead. */
void consent_withdraw(struct work *work, const char *reason);
/* Nobody has answered in time. */
void consent_timeout(struct work *work);

#endif
