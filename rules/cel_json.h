/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON as CEL values, in two forms:
 *
 *     plain   {"score": 62, "tags": ["vip"]}          an object is a map, a whole number an int, any other a double
 *     typed   {"uint": "62"}, {"list": [{"string": "vip"}]}, {"map": [[{"string": "k"}, {"bool": true}]]}
 *
 * The typed form is what cel_print_typed writes, so that every value can be told from every other; `leadctl eval --jsonl`
 * and the conformance run speak it.
 */
#ifndef LR_RULES_CEL_JSON_H
#define LR_RULES_CEL_JSON_H

#include "rules/cel/cel.h"

struct json;

/* Strings borrow the document, everything else lives in `arena`. */
struct cel_value cel_from_json(const struct json *json, struct arena *arena);
/* -1 with *err (ERR_BAD_VALUE) when it is not the typed form. */
int cel_from_typed_json(const struct json *json, struct arena *arena, struct cel_value *ret_value, struct err *err);

#endif
