/* SPDX-License-Identifier: Apache-2.0
 *
 * The story of a lead that was decided: what its events tell, what deciding its record again adds to that (rules/story/again.h),
 * and what is known of it now. One JSON object, put together by `leadctl explain`:
 *
 *     lead_id, state     what a running instance answers
 *     events             in the order of time: topic, type, id, time, data
 *     decided            the one of them that its record came to; or "reject" as in rules/story/detail.h
 *     changed            the latest that changed who owns it, if that is another one
 *     record             topic, partition, offset; "missing": why it could not be decided again, in words
 *     again              as rules/story/again.h writes it
 *     keys, score, routes, routes_tried, route_taken, outcome     as in rules/story/detail.h. By other rules than the event's, or
 *                        without the record, what the event itself has: routes without values, each with "by_event"
 *     clocks             those that it has now
 */
#ifndef LR_RULES_STORY_STORY_LEAD_H
#define LR_RULES_STORY_STORY_LEAD_H

#include <stdbool.h>

#include "rules/base/slice.h"

struct json;
struct strbuf;

/* As story_text(), story_short() and story_why_not(). `is_first`: how it first came to its owner, not how last. */
void story_lead_text(struct strbuf *out, const struct json *story);
void story_lead_short(struct strbuf *out, const struct json *story, bool is_first);
/* What is known of it now, in a line; nothing where no instance answered. */
void story_lead_now(struct strbuf *out, const struct json *story);
bool story_lead_why_not(struct strbuf *out, const struct json *story, struct slice route);

#endif
