/* SPDX-License-Identifier: Apache-2.0
 *
 * Outcome -> events. Each function appends to the decision; values are JSON with times as RFC 3339 and a trace that says
 * why. Contact data is only in lead.assigned (under "lead": somebody has to be able to call), which has a topic of its
 * own.
 */
#ifndef LR_RULES_EVENT_H
#define LR_RULES_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/base/slice.h"

struct arena;
struct err;
struct record;
struct work;

/* "<topic>/<partition>/<offset>" */
struct slice event_cause(const struct record *record, struct arena *arena);

void event_assigned(struct work *work);
void event_unassigned(struct work *work);
void event_duplicate(struct work *work, struct slice first_lead_id);

struct status_change {
	const char *before; /* name of the status */
	bool is_repeated;   /* this event was taken before: nothing changed */
	int64_t at_ms;      /* of the activity */
};
void event_status(struct work *work, const struct status_change *change);
/* The original record with headers that say what was wrong. */
void event_rejected(struct work *work, const struct record *record, const struct err *err);

#endif
