/* SPDX-License-Identifier: Apache-2.0
 *
 * Fields of a lead that outlive its intake. A lead's record is gone once it is decided, and contact data is never stored
 * (law 10). Expressions that are asked again later — criteria of a pool, conditions of clocks — may read only what tells
 * nothing about a person; the fields that any of them reads are kept in the lead's state:
 *
 *     "kept":{"company.industry":"Banking","location.country":"DE"}
 *
 * While the configuration is built, each such expression is shown to kept_need(), which refuses contact data; kept_finish()
 * makes model.kept. In a decision kept_text() takes the values out of the lead, kept_restore() puts them into another.
 * Attributes are free: of them only the answers to comparisons are kept (rules/kept_words.h).
 * The source and the lead's id are part of its state anyway; score and grade too; `territory` asks for the place.
 */
#ifndef LR_RULES_KEPT_H
#define LR_RULES_KEPT_H

#include <stdbool.h>

#include "rules/base/slice.h"

struct arena;
struct cel_program;
struct lead;
struct lead_state;
struct model;
struct model_builder;
struct node;
struct schema_row;

/* Notes what `program`, written at `node`, reads of a lead; adds errors (ERR_NOT_KEPT). `what` is named in a note. NULL
 * reads nothing. */
void kept_need(struct model_builder *builder, const struct cel_program *program, const struct node *node,
               const char *what);
/* The customer's place, for calendars and tables that are asked again. */
void kept_need_place(struct model_builder *builder);
/* The same for one field that is named outright, "company.industry": NULL and an error when there is none of that name or it
 * is not kept. */
const struct schema_row *kept_need_field(struct model_builder *builder, const struct node *node);
/* What figures count later events by: campaign, intent, region. */
void kept_need_origin(struct model_builder *builder);
void kept_finish(struct model_builder *builder);

/* Does the model keep anything? */
bool kept_any(const struct model *model);
/* The values that are present, as a JSON object in `arena`; SLICE_NONE when there are none. */
struct slice kept_text(const struct model *model, const struct lead *lead, struct arena *arena);
/* Makes `lead` out of what the state holds: kept fields, source, id. Texts lie in `arena` or are borrowed from the state.
 * Fields that are not kept any more, or have another form, are left out. */
void kept_restore(const struct model *model, const struct lead_state *state, struct slice lead_id, struct arena *arena,
                  struct lead *lead);

#endif
