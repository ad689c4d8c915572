/* SPDX-License-Identifier: Apache-2.0
 *
 * People who come back: their last lead is closed, or older than the window of the key that they were known by. It becomes a
 * new lead, and dedup.returning says whose. A person who asked not to be contacted, or one of whose last leads had a
 * grade that stops and was not cleared by anybody, is routed to nobody, whatever number of times they come.
 */
#ifndef LR_RULES_RETURNING_H
#define LR_RULES_RETURNING_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/base/slice.h"
#include "rules/stages.h"
#include "rules/state.h"

struct hit;
struct model;
struct json_writer;
struct work;

/* What is remembered of the last lead while its successor is decided. */
struct returning {
	struct slice lead_id, owner, team;
	const char *status;
	const char *result; /* what became of its owner: "taken", "too_long_ago", …; NULL: nobody asked */
	int64_t last_ms;    /* when somebody last acted on it */
	enum bar bar;
};

/* What this lead of the person means to the next one. */
enum bar returning_bar(const struct model *model, const struct lead_state *past);
void returning_note(struct work *work, const struct hit *past);
/* Why the person may not be routed to anybody: a reason code, or NULL. */
const char *returning_block(const struct work *work);
/* Gives the lead to whom the policy names, if nobody was chosen before. */
enum step returning_owner(struct work *work);
/* {"lead_id": …, "policy": …, "result": …} in the trace. */
void returning_trace(struct json_writer *writer, const struct work *work);

#endif
