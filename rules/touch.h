/* SPDX-License-Identifier: Apache-2.0
 *
 * What is said about a follow-up (activity.touch), and what a site asks for.
 *
 *     {"type":"activity.touch", "lead_id":"L-1", "actor":"ana", "at":"2026-11-23T10:05:00Z",
 *      "method":"phone",              how; one of followup.activity.methods, if there are any
 *      "outcome":"wants an offer",    in words
 *      "content":"crm:call/4711",     where the record of it is found
 *      "reaction":"interested",       of the customer
 *      "attitude":"positive",         positive, neutral or negative
 *      "reached":true,                false: an attempt; nobody was reached
 *      "intent":"high",               potential, clear or high, when it is another one now
 *      "need":{"product":"pump","budget":{"amount":50000,"currency":"EUR"}},    what has changed of lead.interest
 *      "next_follow_up_at":"2026-11-30T09:00:00Z", "next_aim":"send the offer"}
 *
 * All of it goes into the event, lead.status, and nowhere else: words about customers are not stored. Of the changes of
 * intent and need the lead keeps what conditions ask for (rules/kept.h), so that its clocks are planned anew.
 */
#ifndef LR_RULES_TOUCH_H
#define LR_RULES_TOUCH_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/base/err.h"
#include "rules/base/slice.h"

struct activity;
struct arena;
struct json;
struct json_writer;
struct work;

/* Members that can be required, in the order in which they are asked for. */
#define TOUCH_FIELDS(X) \
	X(at) X(actor) X(method) X(outcome) X(content) X(reaction) X(attitude) X(need) X(next_follow_up_at) X(next_aim)

enum touch_field {
#define X(name) TOUCH_##name,
	TOUCH_FIELDS(X)
#undef X
	TOUCH_FIELDS_ALL
};
const char *touch_field_name(enum touch_field field);

enum { TOUCH_METHODS_MAX = 100, TOUCH_WAIT_MS_MAX = 48 * 3600 * 1000 };

struct touch_method {
	struct slice name;
	unsigned required; /* bits of enum touch_field; those that every method needs are among them */
};

/* followup.activity; all zero: anything goes. */
struct touch_rules {
	const struct touch_method *methods;
	size_t method_count; /* 0: any word is a method */
	unsigned required;
	int64_t wait_ms; /* an activity waits so long for a lead that is not known; 0: it does not */
};

struct touch {
	struct slice content, reaction, attitude, intent, next_aim;
	int64_t next_ms;         /* 0: none */
	bool is_attempt;
	const struct json *need; /* an object, or NULL */
};

/* The members beyond method and outcome. 0, or -1 with *err. */
int touch_read(struct activity *activity, struct arena *arena, struct err *err);
/* True when it has what the site asks for; else the record has been rejected. */
bool touch_is_fine(struct work *work);
/* Intent and need of work->state are as the touch says. */
void touch_take_need(struct work *work);
/* What was said, into the event. */
void touch_write(struct json_writer *writer, const struct work *work);

#endif
