/* SPDX-License-Identifier: Apache-2.0
 *
 * The place that is kept for whoever is to get a lead that waits for consent: it counts in his load and in the windows of his
 * caps, and among what he holds, from the decision in which he is chosen, so that no more is promised to him than he may have
 * (semantics.md 2.3). When he gets the lead the place becomes it; when he does not it is free again, but for the windows:
 * there it counts like a lead that was declined. A lead remembers for whom it keeps one ("seat").
 */
#ifndef LR_RULES_SEAT_H
#define LR_RULES_SEAT_H

#include <stdbool.h>
#include <stddef.h>

struct work;

/* Before every write of a lead: there is a place while it is pending, and none else. */
void seat_follow(struct work *work);
/* The owner changes, so the place ends. Was it that of `rep`, who is counted in the windows already? */
bool seat_leave(struct work *work, size_t rep);
/* Is it kept for `rep`? */
bool seat_is_of(const struct work *work, size_t rep);

#endif
