/* SPDX-License-Identifier: Apache-2.0
 *
 * An event as a CloudEvents 1.0 message on Kafka: which headers it carries, and in structured mode which value.
 *
 *     binary      value = data, `content-type: application/json`, every attribute a `ce_<name>` header
 *     structured  value = {"specversion":…, …, "data": …}, `content-type: application/cloudevents+json; charset=UTF-8`
 *
 * Both carry `lr_cause`, and the event's own headers (traceparent) at the end. A rejected record is no CloudEvent of
 * ours: its original headers come first, byte for byte and in their order, then what the core adds, then lr_id, lr_type
 * and lr_cause; whoever reads a name that occurs twice takes the last one, as Kafka's clients do.
 *
 * Pure: no client, no clock. All texts live in the arena or are borrowed from the event.
 */
#ifndef LR_DAEMON_CLOUDEVENTS_H
#define LR_DAEMON_CLOUDEVENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "rules/base/arena.h"
#include "rules/base/slice.h"
#include "rules/rules.h"

struct cloudevents_options {
	const char *source;      /* ce_source; a URI reference, not empty */
	const char *type_prefix; /* "com.example." or NULL */
	const char *type_suffix; /* ".v1" or NULL */
	bool structured;
};

struct cloudevents_message {
	const struct header *headers;
	size_t header_count;
	bool has_value;
	struct slice value;
};

void cloudevents_message(const struct cloudevents_options *options, const struct event *event, struct arena *arena,
                         struct cloudevents_message *ret);

enum { CLOUDEVENTS_TIME_BYTES = 32 };
/* RFC 3339 in UTC with milliseconds: "2026-11-21T22:05:15.042Z". Years 0000–9999; outside they are clamped. */
void cloudevents_time(int64_t at_ms, char ret_text[CLOUDEVENTS_TIME_BYTES]);

#endif
