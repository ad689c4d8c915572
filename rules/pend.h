/* SPDX-License-Identifier: Apache-2.0
 *
 * Activity for a lead that is not known yet. Sales apps and forms are different systems: a call may be reported before the
 * lead itself arrives. Such a record waits (followup.activity.wait_for_lead); when the lead comes it is decided right behind
 * it, else it is rejected when the time is over, byte for byte like every other reject. What is about two leads does not wait.
 *
 *     mem/pend/<lead id>   {"due":…,"items":["<until> <topic>/<partition>/<offset> <sealed record>", …]}
 *     mem/pend-count       how many leads are waited for, so that made-up ids cannot fill the memory
 *
 * A record may hold contact data, which must not lie in Redis (law 10). So it is sealed: a key stream and a tag by
 * HMAC-SHA-256, under a key that is derived from that of the identities; the offset, which no other record has, is the
 * nonce. The same record is sealed to the same bytes on every machine. Once the key is another one, a record that still waits
 * can be rejected only by its place in the topic.
 */
#ifndef LR_RULES_PEND_H
#define LR_RULES_PEND_H

#include <stdbool.h>

#include "rules/base/slice.h"

struct work;

#define PEND_PREFIX "mem/pend/"

enum {
	PEND_RECORD_BYTES_MAX = 8192, /* larger ones do not wait */
	PEND_ITEMS_MAX = 8,           /* per lead */
	PEND_LEADS_MAX = 10000,       /* per shard */
};

/* The activity under decision waits from now on; false: it cannot, because of a limit or because nothing waits here. */
bool pend_keep(struct work *work);
/* The lead of `work` has just been taken in: what waited for it is decided, and its events follow those of the lead. */
void pend_take(struct work *work);
/* For rules/fire.c: what has waited long enough is rejected. */
void pend_fire(struct work *work, struct slice key, struct slice value);

#endif
