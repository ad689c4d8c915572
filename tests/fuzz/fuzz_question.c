/* SPDX-License-Identifier: Apache-2.0
 *
 * rules/calendar/calendar_question: any line gives one line of JSON that has an id, and either a result or an error.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/arena.h"
#include "rules/base/strbuf.h"
#include "rules/calendar/calendar_question.h"
#include "rules/json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const struct json_limits limits = {1 << 24, 3, 10};
	struct arena arena = ARENA_INIT;
	struct strbuf out = STRBUF_INIT;
	bool is_answered = calendar_question_answer((struct slice){(const char *)bytes, size}, &arena, &out);
	const struct json *answer = json_read((struct slice){out.bytes, out.len}, limits, &arena, NULL);
	assert(answer != NULL && answer->count == 2 && json_get(answer, "id") != NULL);
	assert((json_get(answer, is_answered ? "result" : "error")) != NULL);
	strbuf_done(&out);
	arena_done(&arena);
	return 0;
}
