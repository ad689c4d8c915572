/* SPDX-License-Identifier: Apache-2.0
 *
 * One question to CEL as a line of JSON, one line of JSON as the answer: what `leadctl eval --jsonl` speaks, and the way in
 * which the conformance suite and the comparison with a second engine drive ours.
 *
 *     {"id": 1, "expr": "x + 1", "bindings": {"x": {"int": "1"}}}        ->  {"id":1,"value":{"int":"2"}}
 *     {"id": 2, "expr": "n > 1", "bindings_json": {"n": 2}}              ->  {"id":2,"value":{"bool":true}}
 *     {"id": 3, "expr": "1 / 0"}                                         ->  {"id":3,"error":"division by zero"}
 *
 *     id             any value; comes back as it is (a number beyond 64 bits as a double). A line that cannot be read has id
 *                    null
 *     bindings       name -> typed value (rules/cel_json.h), in which every value can be told from every other
 *     bindings_json  name -> plain JSON, or a text that holds such an object: a number written without fraction and exponent
 *                    is an int if it fits, any other a double; an object is a map with texts as keys
 *
 * A name has type dyn unless "declare" says more: {"x": "int", "l": {"list": "string"}, "m": {"map": ["string", "dyn"]}}.
 * Further members, each false or absent by default: "type": true adds "type" to the answer, "check_only": true leaves out the
 * evaluation, "unchecked": true the type check; "container" is the namespace in which names are looked up first.
 * A member with another name is an error.
 */
#ifndef LR_RULES_EVAL_LINE_H
#define LR_RULES_EVAL_LINE_H

#include "rules/base/slice.h"

struct strbuf;

enum {
	EVAL_LINE_BYTES_MAX = 1 << 20,
	EVAL_LINE_DEPTH_MAX = 64,
	EVAL_LINE_VALUES_MAX = 100000,
	EVAL_LINE_NAMES_MAX = 256, /* bound or declared */
};

/* Appends the answer to one line, without a line end. */
void eval_line(struct slice line, struct strbuf *out);
/* The answer to a line that was not read: {"id":null,"error":"…"}. */
void eval_line_refuse(const char *why, struct strbuf *out);

#endif
