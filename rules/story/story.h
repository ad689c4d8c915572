/* SPDX-License-Identifier: Apache-2.0
 *
 * A story is the JSON object that rules/story/detail.h writes about one lead; this renders it for people. What the events of a lead
 * make of it is in rules/story/story_lead.h.
 */
#ifndef LR_RULES_STORY_STORY_H
#define LR_RULES_STORY_STORY_H

#include <stdbool.h>

#include "rules/base/slice.h"

struct json;
struct strbuf;

/* The whole of it, line by line; ends in a line end. */
void story_text(struct strbuf *out, const struct json *story);
/* Parts of it: the lines behind its first sentence, up to the candidates; the clocks. */
void story_reasons(struct strbuf *out, const struct json *story);
void story_clocks(struct strbuf *out, const struct json *story);
/* One sentence: "L-1001 went to felix because route enterprise-dach matched (…), and felix was next in team dach (2 of 5
 * shares)." No line end. */
void story_short(struct strbuf *out, const struct json *story);
/* The clock alone: start, what counts and what does not, reminder, due. Says so if there is none. */
void story_timeline(struct strbuf *out, const struct json *story);
/* Why a route did not take the lead, in one sentence. false, and nothing written: the story has no such route. Of a lead that no
 * route was tried for, any name gets the same answer. */
bool story_why_not(struct strbuf *out, const struct json *story, struct slice route);
/* The same without the lead's id and the full stop. `is_supposed`: of a decision that was not made. */
bool story_suppose_why_not(struct strbuf *out, const struct json *story, struct slice route, bool is_supposed);

#endif
