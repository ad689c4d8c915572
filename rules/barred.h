/* SPDX-License-Identifier: Apache-2.0
 *
 * A person who asks not to be contacted, by a lead whose keys a newer lead has taken since ("ceded"). The keys become marks at
 * once, so that nothing more of the person is routed. Whichever leads list them, closed, merged or open, are found by a walk:
 *
 *     activity.erase, .disqualify with do_not_contact ──► marks ──► mem/walk/barred/<lead id>  {"idents":[…]}
 *                                                         mem/barred/<key>         {}: until the walk is over
 *     each lead that lists one ──► it lists it no more, so nothing that becomes of it takes the mark away; it is barred
 */
#ifndef LR_RULES_BARRED_H
#define LR_RULES_BARRED_H

#include <stdbool.h>
#include <stddef.h>

#include "rules/base/slice.h"

struct lead_state;
struct work;

#define BARRED_WALK "mem/walk/barred/"

/* `name` leads to a newer lead from now on. */
void barred_cede(struct lead_state *state, struct slice name);
/* The person of work->state is not to be contacted: marks for the keys that were ceded. Returns their number. */
size_t barred_follow(struct work *work);
/* Is the walk about this key still going on? A lead may list it that was not visited yet, and must leave the mark there. */
bool barred_is(struct work *work, struct slice name);

void barred_visit(struct work *work, struct slice key);
void barred_walked(struct work *work, struct slice key);

#endif
