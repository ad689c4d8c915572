/* SPDX-License-Identifier: Apache-2.0
 *
 * An event of ours -> text that a sales manager reads: one sentence, or the whole story.
 *
 *     Lead web-17 went to Ana Alvarez (team EMEA), first contact due 2026-11-23T11:00:00.000Z.
 *
 *     Why       Grade A (score 70); route "dach-high" (routes.yaml:2) sends it to team EMEA, where it was the turn of …
 *     Score     +40 intent (score.yaml:2), +30 size (score.yaml:3)
 *     Routes    no   vip (routes.yaml:5): "vip.is" in facts
 *               yes  rest (routes.yaml:11)
 *     Owner     the customer asked for dee: away
 *     Nobody    in team key: dee away
 *     Turn      ana 0/2 chosen, bob 0/1 turn comes later, cy not active
 *     Changed   contact.phone canonical: 030****4567 -> +493****4567
 *
 * Needs nothing but the event, so leadctl can explain what it finds in a topic. No contact data: what is shown of it is
 * masked already, and the lead itself is not.
 */
#ifndef LR_RULES_STORY_EXPLAIN_H
#define LR_RULES_STORY_EXPLAIN_H

#include <stddef.h>

#include "rules/base/slice.h"

struct json;
struct strbuf;

/* The types of all events that are sent, each once; NULL behind the last. */
const char *explain_type(size_t at);

/* One sentence, no line end. `type` is the event's type ("lead.assigned"); an unknown one is named and that is all. */
void explain_sentence(struct strbuf *out, struct slice type, const struct json *event);
/* The sentence and, where the event has a trace, the lines behind it. Ends in a line end. */
void explain_text(struct strbuf *out, struct slice type, const struct json *event);

/* Single lines of it, for rules/story/story.c: "Why", "Score", who was asked and whose turn it was, "Changed", "By". Nothing where there
 * is nothing to say. A route may have "values" behind its clause, as rules/story/detail.h writes them. */
void explain_route(struct strbuf *out, const struct json *route, const char *label);
void explain_why(struct strbuf *out, const struct json *event);
void explain_score(struct strbuf *out, const struct json *event);
void explain_candidates(struct strbuf *out, const struct json *trace);
void explain_changes(struct strbuf *out, const struct json *trace);
void explain_by(struct strbuf *out, const struct json *trace);

#endif
