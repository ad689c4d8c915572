/* SPDX-License-Identifier: Apache-2.0
 *
 * What the output topics tell of one lead, for explain and show --history: its events, what others' records did to it, and its
 * rejected records, in the order of time. CloudEvents in binary or structured mode, with the prefix and suffix of the
 * configuration taken off their types.
 */
#ifndef LR_DAEMON_CTL_HISTORY_H
#define LR_DAEMON_CTL_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/arena.h"
#include "rules/base/err.h"
#include "rules/base/slice.h"

struct json;
struct kafka_options;

enum {
	HISTORY_EVENTS_MAX = 500,  /* of one lead; the latest are kept, and those of its intake */
	HISTORY_SECONDS_MAX = 60,  /* of reading */
};

struct history_event {
	int64_t timestamp_ms;
	size_t order;             /* in which it was read */
	struct slice topic, type, id, cause;
	const struct json *data;  /* NULL for lead.rejected: its bytes are nobody's business here */
	struct slice number, code, field, text, config; /* of a lead.rejected */
	bool is_intake;           /* what its own captured record came to */
};

struct history {
	struct arena arena;
	struct history_event *events;
	size_t count, found; /* kept, and all */
	bool is_cut;         /* time was over before the topics were */
};

/* -1 with *err. Ends when the topics have been read to their end, or when nothing came for idle_ms. history_done() in any
 * case. */
int history_read(struct history *history, const struct kafka_options *options, struct slice lead_id, int64_t idle_ms,
                 struct err *err);
void history_done(struct history *history);
/* What the lead's record came to: given or kept, else found to be another lead's, else rejected. NULL: no event says. */
const struct history_event *history_decided(const struct history *history);
/* The latest later one that changed who owns it. NULL: none. */
const struct history_event *history_changed(const struct history *history, struct slice lead_id);

#endif
