/* SPDX-License-Identifier: Apache-2.0
 *
 * Who lets one lead after the other become late is taken as away (followup.unavailable_after_breaches: N).
 *
 *     breach ─► mem/rep/<rep>.late + 1 ─► N in a row: away, rep.presence {reason: breaches}
 *     act of his on any lead, or a word of his presence (rep.availability) ─► 0
 *
 * Counted are the breaches of clocks that wait for an act of the owner: first_response, cadence and next_follow_up. He gets
 * nothing new from pools until rep.availability says that he is there; what he owns stays his. Each shard counts by itself what it sees
 * of him: all of it, unless he works for tenants that lie in several.
 */
#ifndef LR_RULES_ABSENCE_H
#define LR_RULES_ABSENCE_H

#include "rules/base/slice.h"

struct clock_plan;
struct clock_told;
struct work;

enum { ABSENCE_BREACHES_MAX = 1000 };

/* A level of a clock was told to the owner of work->state. */
void absence_on_told(struct work *work, struct slice timer, const struct clock_plan *plan, const struct clock_told *told);
/* work->activity is an act on the lead by `rep`. */
void absence_on_act(struct work *work, struct slice rep);

#endif
