/* SPDX-License-Identifier: Apache-2.0
 *
 * Events about what becomes of a lead, after it was given to somebody: topic lifecycle, and reminders of waiting states.
 */
#ifndef LR_RULES_EVENT_LIFECYCLE_H
#define LR_RULES_EVENT_LIFECYCLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/slice.h"

struct json;
struct json_writer;
struct move;
struct work;

/* "history": what went before, for whoever takes over (S3-SYNC). All events of a lead have its id as their key. */
void event_put_history(struct json_writer *writer, const struct work *work);

/* lead.status: a move was made, or (is_repeated) had been made by the same activity. */
void event_moved(struct work *work, const struct move *move, const char *before, bool is_repeated);

/* lead.converted */
struct conversion {
	const char *before;
	bool is_deferred, is_repeated;
	int64_t date_ms;           /* 0: not given */
	const struct json *amount; /* NULL: not given; a number */
	struct slice currency, customer, band;
};
void event_converted(struct work *work, const struct conversion *conversion);

/* lead.erased: the last event of a lead. `keys` identities were forgotten, `barred` of them keep a mark. */
void event_erased(struct work *work, struct slice reason, size_t keys, size_t barred);

/* followup.reminder (lead.expiring for an opportunity): what the state waited for has come. */
struct waking {
	const char *timer, *before;
	int64_t due_ms, next_ms; /* next_ms: when it comes again; 0: it does not */
	struct slice reason;     /* of the state that waited */
};
void event_woken(struct work *work, const struct waking *waking);

/* lead.issue, lead.complaint, lead.help_requested: told to somebody, ownership unchanged. */
struct note {
	const char *type;
	struct slice department, to, text;
};
void event_note(struct work *work, const struct note *note);

#endif
