/* SPDX-License-Identifier: Apache-2.0
 *
 * The clocks in a lead's value, for rules/state.c only. The first response, which every lead has, is stored as few plain
 * members (deadline, remind, touched, cycle, level); "first" is there only when they do not say it all. The others are
 * arrays of numbers by name; zeros at the end are left out.
 *
 * `next` in an array: 0 at the due time, -1 nothing is left to tell.
 */
#ifndef LR_RULES_STATE_CLOCKS_H
#define LR_RULES_STATE_CLOCKS_H

#include "rules/json/json.h"
#include "rules/scan.h"
#include "rules/state.h"

/* The plain member: when the reminder of the first response is told; 0: there is none to come. */
int64_t state_remind_ms(const struct lead_state *lead);
void state_put_first(struct json_writer *writer, struct slice name, const struct lead_state *lead);
void state_put_clocks(struct json_writer *writer, struct slice name, const struct lead_state *lead);

bool state_scan_first(struct scan *scan, struct lead_state *lead);
bool state_scan_clocks(struct scan *scan, struct lead_state *lead, struct arena *arena);
bool state_read_first(const struct json *from, struct lead_state *lead);
bool state_read_clocks(const struct json *from, struct lead_state *lead, struct arena *arena);
/* After reading: from the stored form to that of struct clock. False when a number cannot be. */
bool state_clocks_settle(struct lead_state *lead);

#endif
