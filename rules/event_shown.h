/* SPDX-License-Identifier: Apache-2.0
 *
 * An event as a person may read it who need not know the customer: the lead in it is masked, all else stays.
 */
#ifndef LR_RULES_EVENT_SHOWN_H
#define LR_RULES_EVENT_SHOWN_H

#include <stdbool.h>

#include "rules/base/slice.h"

struct json;
struct json_writer;

/* Writes the event's data. */
void event_put_shown(struct json_writer *writer, const char *name, const struct json *data, bool is_unmasked);

#endif
