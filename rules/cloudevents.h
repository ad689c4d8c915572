/* SPDX-License-Identifier: Apache-2.0
 *
 * What a record says about itself, in any of three forms:
 *
 *     binary      headers ce_specversion, ce_id, ce_source, ce_type; the value is the data
 *     structured  one JSON object with specversion, id, source, type and data (content-type application/cloudevents+json,
 *                 or no content-type and a "specversion" member)
 *     bare        a JSON object that is the data itself
 */
#ifndef LR_RULES_CLOUDEVENTS_H
#define LR_RULES_CLOUDEVENTS_H

#include <stdbool.h>

#include "rules/base/err.h"
#include "rules/base/slice.h"

struct arena;
struct json;
struct record;

enum { CLOUDEVENT_ATTRIBUTE_BYTES_MAX = 1024 };

/* Texts are borrowed from the record or lie in the arena. Empty: not given. */
struct envelope {
	struct slice id, source, type; /* id and source together are unique by the producer's promise */
	struct slice traceparent;      /* W3C trace context, passed on to every event */
	const struct json *data;       /* an object; NULL: it was taken */
};

/* Who may take the data as it stands, so that no tree is made of it. false: he cannot, and it is read. */
struct data_taker {
	bool (*take)(void *ctx, struct slice bytes);
	void *ctx;
};

/* Opens the record: limits, form, JSON. 0, or -1 with *err. */
int cloudevents_open(const struct record *record, const struct data_taker *taker, struct arena *arena,
                     struct envelope *ret_envelope, struct err *err);

#endif
