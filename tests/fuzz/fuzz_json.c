/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes through the JSON reader. jansson is the judge: both take the same documents and read the same values.
 * Limits hold, errors have a code, and what was read writes out and reads back.
 */
#include <assert.h>
#include <jansson.h>
#include <stdint.h>
#include <string.h>

#include "rules/base/arena.h"
#include "rules/json/json.h"

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

static bool is_same(const struct json *ours, const json_t *theirs)
{
	switch (json_typeof(theirs)) {
	case JSON_OBJECT:
		if (ours->type != JSON_IS_OBJECT || ours->count != json_object_size(theirs))
			return false;
		for (size_t i = 0; i < ours->count; i++) {
			const json_t *value = json_object_get(theirs, ours->names[i].p);
			if (value == NULL || !is_same(&ours->items[i], value))
				return false;
		}
		return true;
	case JSON_ARRAY:
		if (ours->type != JSON_IS_ARRAY || ours->count != json_array_size(theirs))
			return false;
		for (size_t i = 0; i < ours->count; i++)
			if (!is_same(&ours->items[i], json_array_get(theirs, i)))
				return false;
		return true;
	case JSON_STRING:
		return ours->type == JSON_IS_STRING &&
		       slice_equal(ours->text, (struct slice){json_string_value(theirs), json_string_length(theirs)});
	case JSON_INTEGER:
		return ours->type == JSON_IS_INT && ours->integer == json_integer_value(theirs);
	case JSON_REAL:
		return ours->type == JSON_IS_REAL && ours->real == json_real_value(theirs);
	case JSON_TRUE:
	case JSON_FALSE:
		return ours->type == JSON_IS_BOOL && ours->boolean == json_is_true(theirs);
	case JSON_NULL:
		return ours->type == JSON_IS_NULL;
	}
	return false;
}

/* Without our limits, that is: jansson has others. It takes "2\0" for 2; we refuse every NUL. */
static void compare_with_judge(struct slice bytes, struct arena *arena)
{
	if (bytes.len != 0 && memchr(bytes.p, '\0', bytes.len) != NULL)
		return;
	struct err err = ERR_INIT;
	const struct json *ours = json_read(bytes, (struct json_limits){1 << 20, 500, 1 << 20}, arena, &err);
	json_t *theirs = json_loadb(bytes.p, bytes.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
	if (err.code != ERR_JSON_TOO_DEEP) {
		assert((ours == NULL) == (theirs == NULL));
		assert(ours == NULL || is_same(ours, theirs));
	}
	json_decref(theirs);
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
	compare_with_judge((struct slice){(const char *)bytes, size}, &arena);
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
