/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON -> struct lead: the declared fields, each of its type and length. Unknown members are no error, they are noted.
 */
#ifndef LR_RULES_LEAD_H
#define LR_RULES_LEAD_H

#include "rules/base/err.h"
#include "rules/schema.h"

struct arena;
struct changes;
struct json;
struct json_writer;

/* Fills an initialised lead from a JSON object. Texts are borrowed from the document. 0, or -1 with *err: the code, and
 * the field in err->where. */
int lead_read(const struct json *data, struct arena *arena, struct lead *lead, struct changes *changes,
              struct err *err);

/* Among the rows of an object the one of that name; `count`: there is none. Looks from the row behind `last` on: most producers
 * write the fields in one order. */
size_t lead_find_row(const struct schema_row *rows, size_t count, size_t last, struct slice name);

/* The declared fields that are set, as an object like the one that was read. */
void lead_write(struct json_writer *writer, const char *name, const struct lead *lead);

/* Is there a way to reach the person? */
bool lead_has_contact(const struct lead *lead);

#endif
