/* SPDX-License-Identifier: Apache-2.0
 *
 * What sales apps report about a lead. `activity.touch` (somebody acted: called, wrote, met) is understood; the other
 * types of design.md §4 are known by name and refused with a code of their own.
 */
#ifndef LR_RULES_ACTIVITY_H
#define LR_RULES_ACTIVITY_H

#include <stdint.h>

#include "rules/base/err.h"
#include "rules/base/slice.h"

struct json;

enum { ACTIVITY_TEXT_BYTES_MAX = 64, ACTIVITY_OUTCOME_BYTES_MAX = 500 };

struct touch {
	struct slice lead_id, actor, method, outcome; /* borrowed; may be empty, but for lead_id */
	struct slice tenant;
	int64_t at_ms; /* -1: not given */
};

/* `type` is the event's type, empty for bare JSON without one. 0, or -1 with *err. */
int activity_read(struct slice type, const struct json *data, struct touch *ret_touch, struct err *err);

#endif
