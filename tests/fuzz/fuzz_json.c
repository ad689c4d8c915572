/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes through the JSON reader. Limits hold, errors have a code, and what was read writes out and reads back.
 */
#include <assert.h>
#include <stdint.h>

#include "rules/base/arena.h"
#include "rules/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const struct json_limits LIMITS = {4096, 8, 200};

static size_t count_values(const struct json *json, size_t depth)
{
	size_t total = 1;
	assert(depth <= LIMITS.depth);
	for (size_t i = 0; i < json->count; i++)
		total += count_values(&json->items[i], depth + 1);
	return total;
}

static void write(struct json_writer *writer, const char *name, const struct json *json)
{
	if (json->type == JSON_IS_STRING)
		json_put_text(writer, name, json->text);
	else if (json->type == JSON_IS_REAL)
		json_put_real(writer, name, json->real);
	else if (json->type == JSON_IS_INT)
		json_put_int(writer, name, json->integer);
	else if (json->type == JSON_IS_OBJECT)
		json_open_object(writer, name);
	else if (json->type == JSON_IS_ARRAY)
		json_open_array(writer, name);
	else
		json_put_null(writer, name);
	for (size_t i = 0; i < json->count; i++)
		write(writer, json->type == JSON_IS_OBJECT ? json->names[i].p : NULL, &json->items[i]);
	if (json->type == JSON_IS_OBJECT)
		json_close_object(writer);
	else if (json->type == JSON_IS_ARRAY)
		json_close_array(writer);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct arena arena = ARENA_INIT;
	struct err err = ERR_INIT;
	const struct json *json = json_read((struct slice){(const char *)bytes, size}, LIMITS, &arena, &err);
	assert((json == NULL) == (err.code != ERR_NONE));
	if (json != NULL) {
		assert(count_values(json, 0) <= LIMITS.values);
		struct strbuf out = STRBUF_INIT, again = STRBUF_INIT;
		struct json_writer writer = JSON_WRITER(&out), second = JSON_WRITER(&again);
		write(&writer, NULL, json);
		json = json_read((struct slice){out.bytes, out.len}, (struct json_limits){1 << 20, 8, 200}, &arena, &err);
		assert(json != NULL);
		write(&second, NULL, json);
		assert(out.len == again.len && memcmp(out.bytes, again.bytes, out.len) == 0);
		strbuf_done(&out);
		strbuf_done(&again);
	}
	arena_done(&arena);
	return 0;
}
