/* SPDX-License-Identifier: Apache-2.0
 *
 * Why: the part of an event that lets a person follow the decision (design.md law 7).
 */
#ifndef LR_RULES_TRACE_H
#define LR_RULES_TRACE_H

struct arena;
struct json_writer;
struct model;
struct route;
struct work;

/* What events say of each criterion and route, ready to be copied: model->told_terms and told_routes, in the arena. A model
 * without them says the same. */
void trace_prepare(struct model *model, struct arena *arena);

/* "rule": the route. */
void trace_write_rule(struct json_writer *writer, const struct model *model, const struct route *route);

/* The member "trace" of an event about a lead: stages, changes, facts, routes, candidates, configuration, engine. */
void trace_write(struct json_writer *writer, const struct work *work);
/* "terms": what the score is made of. */
void trace_write_terms(struct json_writer *writer, const struct work *work);
/* One English sentence for a sales manager. */
void trace_why(struct json_writer *out, const struct work *work);

#endif
