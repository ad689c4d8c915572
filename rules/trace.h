/* SPDX-License-Identifier: Apache-2.0
 *
 * Why: the part of an event that lets a person follow the decision (design.md law 7).
 */
#ifndef LR_RULES_TRACE_H
#define LR_RULES_TRACE_H

struct json_writer;
struct strbuf;
struct work;

/* The member "trace" of an event about a lead: stages, changes, facts, routes, candidates, configuration, engine. */
void trace_write(struct json_writer *writer, const struct work *work);
/* "terms": what the score is made of. */
void trace_write_terms(struct json_writer *writer, const struct work *work);
/* One English sentence for a sales manager. */
void trace_why(struct strbuf *out, const struct work *work);

#endif
