/* SPDX-License-Identifier: Apache-2.0
 *
 * Leads that no rule gives away at once (S0-MANAGER, S4-SCREEN). A route with `hold` keeps the lead for a person who decides:
 *
 *     activity.reassign                he gives it to somebody
 *     activity.verdict yes, clear      it goes to the team of the route
 *     activity.verdict no, latent …    it is written off, or cultivated
 *     nothing within the time          as the route says: assign it to the team, nurture it, or keep it and remind him
 *
 * A route with `cultivate` puts it among those that are looked at again from time to time.
 */
#ifndef LR_RULES_HOLD_H
#define LR_RULES_HOLD_H

#include <stdbool.h>

#include "rules/base/slice.h"
#include "rules/stages.h"

struct model_builder;
struct node;
struct work;

enum hold_otherwise { HOLD_ASSIGN, HOLD_NURTURE, HOLD_KEEP };

/* Part of a route. */
struct hold {
	struct slice by;     /* who decides; empty: the route cultivates */
	struct slice within; /* span as written; empty: without end */
	enum hold_otherwise otherwise;
	struct slice every;  /* cultivate: span as written */
};

/* work->match is of a route with a hold. Returns STEP_DONE. */
enum step hold_settle(struct work *work);
/* A verdict that lets the held lead go on to the team of its route; false: the record was rejected. */
bool hold_go_on(struct work *work);
/* The time to decide is over. */
void hold_timeout(struct work *work);

/* The keys hold, within, otherwise and cultivate of a route; NULL: it has none of them. */
const struct hold *hold_read(struct model_builder *builder, const struct node *route);

#endif
