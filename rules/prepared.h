/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of the core: what rules_prepare() makes of a record and decider_decide() works on.
 */
#ifndef LR_RULES_PREPARED_H
#define LR_RULES_PREPARED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/activity.h"
#include "rules/changes.h"
#include "rules/cloudevents.h"
#include "rules/facts.h"
#include "rules/identity.h"
#include "rules/lead.h"
#include "rules/rules.h"

enum prepared_kind { PREPARED_REJECT, PREPARED_LEAD, PREPARED_ACTIVITY };

struct prepared {
	enum prepared_kind kind;
	const struct model *model;
	const struct record *record;
	struct arena *arena;
	int64_t now_ms;           /* of intake */
	struct err err;           /* PREPARED_REJECT */
	struct envelope envelope; /* valid unless the record could not be opened */
	struct lead lead;         /* PREPARED_LEAD */
	bool has_own_lead_id;     /* the producer gave it */
	struct changes changes;
	struct identity identity; /* PREPARED_LEAD */
	struct facts facts;
	struct activity activity; /* PREPARED_ACTIVITY */
	struct slice mark;        /* PREPARED_ACTIVITY: of the event, for repeats; empty without an event id */
};

#endif
