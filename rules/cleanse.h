/* SPDX-License-Identifier: Apache-2.0
 *
 * A lead as it came -> a lead as rules, people and match keys want it. Every change is noted, masked where it is contact
 * data. Cleansing never fails on odd text: what cannot be understood is kept as it is, dropped or mapped to "other",
 * and said so.
 *
 *     texts      trimmed, control characters gone, NFC          "cleaned"
 *     e-mail     canonical address, or dropped                  "canonical", "dropped_bad_email"
 *     phone      E.164, or kept as typed                        "canonical", "kept_unparsable_phone"
 *     country    ISO alpha-2, or kept                           "canonical", "kept_unknown_country"
 *     region     ISO 3166-2, or kept                            "canonical", "kept_unknown_region"
 *     source     the site's vocabulary, "other" if unknown      "canonical", "unknown_to_other"
 *     intent     potential | clear | high, or dropped           "canonical", "dropped_unknown_intent"
 */
#ifndef LR_RULES_CLEANSE_H
#define LR_RULES_CLEANSE_H

#include "rules/base/slice.h"

struct arena;
struct changes;
struct lead;
struct model;

/* What identities are made of: normalised by rules that may only change with their version. */
struct match_keys {
	struct slice email, phone; /* empty: no key */
	struct slice email_domain;
	const char *phone_verdict; /* "valid", "possible", "unparsable"; NULL without a phone */
};

void cleanse_lead(const struct model *model, struct lead *lead, struct arena *arena, struct changes *changes,
                  struct match_keys *ret_keys);
/* A text as a trace may show it: contact data as its mask, any other text with addresses and numbers in it masked. */
struct schema_row;
struct slice cleanse_shown(const struct schema_row *row, struct slice text, struct arena *arena);

#endif
