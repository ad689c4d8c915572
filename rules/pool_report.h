/* SPDX-License-Identifier: Apache-2.0
 *
 * How a pool stands, for people and metrics: positions, shares owed and given, who is next, who is not there and why.
 */
#ifndef LR_RULES_POOL_REPORT_H
#define LR_RULES_POOL_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/rules.h"

struct desk;
struct json_writer;
struct model;

enum { POOL_REPORT_NEXT = 10 }; /* members named as the next in turn */

/* One object, called `name`, about the team, out of what `view` holds at `now_ms`: a decision made now would see the same. */
void pool_report(struct json_writer *writer, const char *name, const struct model *model, struct rules_view view,
                 size_t team, int64_t now_ms);

/* For every team that the desk has met: leads that wait, and how far apart its members are, in rounds, between the farthest
 * and the one who is there and has waited longest; of a rotation by credit between the most and the least credit for the
 * weight. At most about 1 as long as criteria, absence and turns given back leave the rotation alone: the live bound of
 * fairness (semantics.md 2.1). Who is there is so many times his weight from his share at most. */
void desk_measure(const struct desk *desk, void (*see)(void *ctx, struct slice team, double lag, size_t waiting), void *ctx);

#endif
