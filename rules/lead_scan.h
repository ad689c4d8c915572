/* SPDX-License-Identifier: Apache-2.0
 *
 * The short way from JSON to struct lead: no tree in between. It takes what nearly all producers send, which is declared
 * fields of their types, each once, in texts without escapes. Of anything else it says nothing but that json_read() and
 * lead_read() are to be asked. tests/fuzz/fuzz_lead.c holds it to their answers.
 */
#ifndef LR_RULES_LEAD_SCAN_H
#define LR_RULES_LEAD_SCAN_H

#include <stdbool.h>

#include "rules/schema.h"

struct arena;

/* Fills an initialised lead. false: not of this kind, or bad; the lead holds some of it and has to be initialised again. */
bool lead_scan(struct slice bytes, struct arena *arena, struct lead *lead);

#endif
