/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes through the short way to a lead. The long way is the judge: what the short one takes, the other takes, too, and
 * makes the same lead of it without a remark.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "rules/base/arena.h"
#include "rules/changes.h"
#include "rules/json/json.h"
#include "rules/lead.h"
#include "rules/lead_scan.h"
#include "rules/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void read_with_care(struct slice bytes, struct arena *arena, struct lead *lead)
{
	struct err err = ERR_INIT;
	struct changes changes = {.count = 0};
	const struct json_limits limits = {RULES_RECORD_BYTES_MAX, RULES_JSON_DEPTH_MAX, RULES_JSON_VALUES_MAX};
	const struct json *json = json_read(bytes, limits, arena, &err);
	assert(json != NULL && json->type == JSON_IS_OBJECT);
	lead_init(lead);
	assert(lead_read(json, arena, lead, &changes, &err) == 0 && changes.count == 0 && changes.omitted == 0);
}

static void check_same(const struct lead *a, const struct lead *b)
{
	struct strbuf one = STRBUF_INIT, other = STRBUF_INIT;
	assert((a->consent == NULL) == (b->consent == NULL) && (a->attributes == NULL) == (b->attributes == NULL));
	lead_write(&(struct json_writer)JSON_WRITER(&one), NULL, a);
	lead_write(&(struct json_writer)JSON_WRITER(&other), NULL, b);
	assert(one.len == other.len && memcmp(one.bytes, other.bytes, one.len) == 0);
	strbuf_done(&one);
	strbuf_done(&other);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct arena arena = ARENA_INIT;
	struct slice text = {(const char *)bytes, size};
	struct lead taken, judged;
	lead_init(&taken);
	if (lead_scan(text, &arena, &taken)) {
		read_with_care(text, &arena, &judged);
		check_same(&taken, &judged);
	}
	arena_done(&arena);
	return 0;
}
