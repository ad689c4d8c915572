/* SPDX-License-Identifier: Apache-2.0
 *
 * A record that was decided once is decided again, to explain what became of it: by the evaluator that decides live, with an
 * observer beside it (rules/story/detail.h), over what the event of then tells of the state (rules/story/known.h), at the time of then,
 * and by the rules that are given, which may be other ones by now. One JSON object:
 *
 *     config, engine   of the rules that it was decided by now
 *     same_rules       they are those that the event names
 *     differs          [{"what", "then", "now"}]: where it comes out differently; empty: nowhere
 *     turn_unknown     true: another team would have had it, of whose rotation the event says nothing
 *     story            the object of rules/story/detail.h
 *
 * Which member's turn it was depends on more than an event tells: two members of one team are a difference by other rules
 * only, and those of different teams are not compared. What the event says is what happened, whatever comes out here.
 */
#ifndef LR_RULES_STORY_AGAIN_H
#define LR_RULES_STORY_AGAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/base/slice.h"

struct json;
struct model;
struct record;
struct strbuf;

struct again_question {
	const struct model *model;
	const struct record *record;
	struct slice lead_id;     /* whose record it should be */
	struct slice type, code;  /* of the event; code: of a lead.rejected */
	struct slice config, engine; /* that decided it, as far as the event says */
	const struct json *data;  /* of the event; NULL for a lead.rejected */
	int64_t at_ms;            /* when it was decided */
	bool is_unmasked;
};

/* Appends the object. false, and nothing is appended: the record is of another lead. */
bool again_decide(const struct again_question *question, struct strbuf *out);

#endif
