/* SPDX-License-Identifier: Apache-2.0
 *
 * A time as text: RFC 3339, "2026-11-21T22:05:15.026Z" or with an offset.
 */
#ifndef LR_RULES_CALENDAR_INSTANT_H
#define LR_RULES_CALENDAR_INSTANT_H

#include <stdint.h>

#include "rules/base/slice.h"

/* ms since 1970 (further digits are cut), years 1970 to 9999; -1 when it is no such time. A leap second counts as the
 * second before. */
int64_t instant_parse(struct slice text);

#endif
