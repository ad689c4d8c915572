/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a line for `leadctl eval --jsonl`: the answer is one object on one line, with an id, and with a value that can
 * be read back or an error, but for lines that ask for neither.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "rules/cel_json.h"
#include "rules/eval_line.h"
#include "rules/json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool is_kept, const char *promise)
{
	if (is_kept)
		return;
	fprintf(stderr, "broken promise: %s\n", promise);
	abort();
}

/* Kinds of values that have no typed form to read: opaque ones, and objects that only name their type. */
static bool is_one_way(const struct json *value, int depth)
{
	if (value->type == JSON_IS_OBJECT && (json_get(value, "optional") != NULL || json_get(value, "type") != NULL))
		return true;
	for (size_t i = 0; depth < 64 && value->type >= JSON_IS_ARRAY && i < value->count; i++)
		if (is_one_way(&value->items[i], depth + 1))
			return true;
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct json_limits limits = {.bytes = 64 << 20, .depth = 1000, .values = 10000000};
	struct arena arena = ARENA_INIT;
	struct strbuf out = STRBUF_INIT;
	eval_line((struct slice){(const char *)data, size}, &out);
	check(memchr(out.bytes, '\n', out.len) == NULL, "the answer is one line");
	const struct json *answer = json_read_wide((struct slice){out.bytes, out.len}, limits, &arena, NULL);
	check(answer != NULL && answer->type == JSON_IS_OBJECT, "the answer is an object");
	check(json_get(answer, "id") != NULL, "the answer has an id");
	const struct json *value = json_get(answer, "value");
	check(value == NULL || json_get(answer, "error") == NULL, "a value or an error");
	struct cel_value again;
	check(value == NULL || is_one_way(value, 0) || cel_from_typed_json(value, &arena, &again, NULL) == 0,
	      "a value can be read back");
	strbuf_done(&out);
	arena_done(&arena);
	return 0;
}
