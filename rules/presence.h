/* SPDX-License-Identifier: Apache-2.0
 *
 * What a shard's one writer knows about a rep from moment to moment: what he said of his presence, how much he has open,
 * what he was given in each window that caps him (semantics.md 2.3). Stored as mem/rep/<rep>:
 *
 *     {"open":12,"seen":1795298715026,"away":1,"until":…,"late":2,"windows":[["day@Europe/Berlin",start,units],["3600000",at,units,…]]}
 *
 * Everything counts: what automatic ways gave and what people gave. Members with their default are left out.
 */
#ifndef LR_RULES_PRESENCE_H
#define LR_RULES_PRESENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/slice.h"
#include "rules/pool.h"

struct arena;
struct model;

#define NEVER_MS INT64_MAX

/* What was given in one window. */
struct usage {
	const struct cap *cap; /* with the largest `most` of all that count this window */
	int64_t start_ms, units; /* calendar: of the window that `start_ms` begins */
	int64_t *at_ms;        /* rolling: instants, oldest first */
	int64_t *sizes;
	size_t count, room;
};

struct presence {
	int64_t open;     /* units of open leads, and of places that are kept for him (rules/seat.h) */
	int64_t seen_ms;  /* he last said anything; 0: never */
	bool is_away;
	int64_t until_ms; /* of being away; 0: until he says otherwise */
	int64_t late;     /* breaches in a row, rules/absence.h */
	struct usage *usages;
	size_t usage_count;
	bool is_dirty;
};

/* `caps` are those that may apply to the rep in any of his teams. Reads `value`, which may be empty or foreign (-1: it
 * starts afresh). */
int presence_read(struct presence *presence, const struct cap *const *caps, size_t cap_count, struct slice value,
                  struct arena *arena);
struct slice presence_value(const struct presence *presence, struct arena *arena);

/* He was given `units`: they count in the windows from now on. */
void presence_count(struct presence *presence, int64_t units, int64_t now_ms);
/* What is left of a cap for one more lead of `units`: true when it fits. Otherwise *ret_frees_ms is when it will. */
bool presence_fits(const struct presence *presence, const struct cap *cap, int64_t units, int64_t now_ms,
                   int64_t *ret_frees_ms);
/* When less counts against this cap than does now; NEVER_MS: nothing counts. */
int64_t presence_eases(const struct presence *presence, const struct cap *cap, int64_t now_ms);

#endif
