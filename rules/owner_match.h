/* SPDX-License-Identifier: Apache-2.0
 *
 * Whose lead is it before any rule is asked (semantics.md 2.5)? In this order:
 *
 *     requested   whom the customer names
 *     (person     who had the person's last lead: rules/returning.h)
 *     account     whose lead of the same company, by its domain, was worked on last; public mail is no company
 *     company     the same by the company's name, the weaker key
 *
 * The keys of a company point to the lead of it that was taken in or acted on last, so of several owners the one with the
 * latest activity counts; of two at the same instant the one whose record came later. Each step has a policy: how it sticks,
 * and what becomes of the lead when its owner is not there.
 */
#ifndef LR_RULES_OWNER_MATCH_H
#define LR_RULES_OWNER_MATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/base/slice.h"
#include "rules/model.h"
#include "rules/stages.h"

struct json_writer;
struct model_builder;
struct node;
struct work;

#define OWNER_STEPS(X) X(REQUESTED, "requested") X(ACCOUNT, "account") X(COMPANY, "company")
enum owner_step {
#define X(id, name) OWNER_##id,
	OWNER_STEPS(X)
#undef X
	OWNER_STEP_COUNT
};
const char *owner_step_name(enum owner_step step);

enum owner_stick { STICK_IF_AVAILABLE, STICK_ALWAYS, STICK_WITHIN };
/* What happens when the owner is not there: the lead goes on to the rules, or stays without an owner. */
enum owner_absent { ABSENT_ROUTE, ABSENT_UNASSIGNED };

struct owner_policy {
	bool is_on;
	enum owner_stick stick;
	enum owner_absent absent;
	struct slice within; /* STICK_WITHIN: span as written, since the last activity on that lead */
	struct place place;  /* of its line; no file: it is not written */
};

/* What became of a step, for the trace. */
struct owner_match {
	enum owner_step step;
	struct slice lead_id, owner;
	int64_t last_ms;    /* when it was acted on last */
	const char *result; /* "taken", "no_owner", "too_long_ago", "unknown", or what keeps him (rules/desk.h) */
};

/* Tries one step; STEP_DONE: the lead is settled. work->rep is set when it was taken. */
enum step owner_match_requested(struct work *work);
enum step owner_match_accounts(struct work *work);
/* Its owner acts on the lead at this time: whoever asks for the latest activity on a lead finds it. Nothing where nobody asks. */
void owner_match_note(struct work *work, int64_t at_ms);
/* An act on the lead: its company's keys point to it from now on. */
void owner_match_touched(struct work *work);
void owner_match_trace(struct json_writer *writer, const struct work *work);

/* `ownership.match`. */
void owner_match_read(struct model_builder *builder, const struct node *list, struct owner_policy policies[OWNER_STEP_COUNT]);

#endif
