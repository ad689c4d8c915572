/* SPDX-License-Identifier: Apache-2.0
 *
 * Sentences about what people do with leads after intake, for rules/story/explain.c: each begins behind "Lead L-1" and ends before
 * the full stop.
 */
#ifndef LR_RULES_STORY_EXPLAIN_ORDERS_H
#define LR_RULES_STORY_EXPLAIN_ORDERS_H

struct json;
struct strbuf;

void say_converted(struct strbuf *out, const struct json *event);
void say_erased(struct strbuf *out, const struct json *event);
void say_issue(struct strbuf *out, const struct json *event);
void say_complaint(struct strbuf *out, const struct json *event);
void say_help(struct strbuf *out, const struct json *event);
void say_feedback(struct strbuf *out, const struct json *event);
void say_graded(struct strbuf *out, const struct json *event);
/* "; helped by hector (engineer), ana"; nothing when nobody does. */
void put_helpers(struct strbuf *out, const struct json *event);
void say_conflict(struct strbuf *out, const struct json *event);
void say_claim_rejected(struct strbuf *out, const struct json *event);
void say_dispute(struct strbuf *out, const struct json *event);
/* A state has come to its time: "due_at" is there instead of a deadline. */
void say_woken(struct strbuf *out, const struct json *event);
/* rep.handed_over is about a rep: the whole sentence. */
void say_handed_over(struct strbuf *out, const struct json *event);

#endif
