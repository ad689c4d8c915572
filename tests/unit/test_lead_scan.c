/* SPDX-License-Identifier: Apache-2.0
 *
 * rules/lead_scan: it takes the leads that producers send, takes nothing else, and reads the same as json_read() and
 * lead_read() do, also of documents that were damaged at random.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "rules/base/arena.h"
#include "rules/changes.h"
#include "rules/json/json.h"
#include "rules/lead.h"
#include "rules/lead_scan.h"
#include "rules/rules.h"

static const char FULL[] =
	"{\"lead_id\":\"L-1\",\"captured_at\":\"2026-09-21T14:13:20.5+02:00\",\"source\":\"Web Form\",\"intent\":\"high\",\n"
	" \"contact\": {\"name\": \"Fran\xc3\xa7ois C\xc3\xb4t\xc3\xa9\", \"email\":\"a@acme.example\", \"phone\":\"+12129999998\"} ,"
	"\"company\":{\"name\":\"\",\"employees\":40},\"location\":{},\"interest\":{\"need\":\"more of everything, and at once\","
	"\"budget\":{\"amount\":500,\"currency\":\"EUR\"}},\"consent\":{\"email\":true,\"sms\":false,\"times\":12},"
	"\"attributes\":{\"person\":\"1\"}}\r\n";

static struct slice written(const struct lead *lead, struct arena *arena)
{
	struct strbuf text = STRBUF_INIT;
	lead_write(&(struct json_writer)JSON_WRITER(&text), NULL, lead);
	return strbuf_keep(&text, arena);
}

/* What the long way makes of it; SLICE_NONE: it is refused, or something is remarked. */
static struct slice read_with_care(struct slice bytes, struct arena *arena)
{
	struct err err = ERR_INIT;
	struct changes changes = {.count = 0};
	struct lead lead;
	const struct json_limits limits = {RULES_RECORD_BYTES_MAX, RULES_JSON_DEPTH_MAX, RULES_JSON_VALUES_MAX};
	const struct json *json = json_read(bytes, limits, arena, &err);
	lead_init(&lead);
	if (json == NULL || json->type != JSON_IS_OBJECT || lead_read(json, arena, &lead, &changes, &err) != 0 || changes.count != 0)
		return SLICE_NONE;
	return written(&lead, arena);
}

/* Returns whether it was taken. */
static bool check(struct slice bytes)
{
	struct arena arena = ARENA_INIT;
	struct lead lead;
	lead_init(&lead);
	bool is_taken = lead_scan(bytes, &arena, &lead);
	if (is_taken) {
		struct slice judged = read_with_care(bytes, &arena), taken = written(&lead, &arena);
		assert_int_equal(taken.len, judged.len);
		assert_memory_equal(taken.p, judged.p, judged.len);
	}
	arena_done(&arena);
	return is_taken;
}

static void what_producers_send_is_taken(void **state)
{
	(void)state;
	assert_true(check(slice_of(FULL)));
	assert_true(check(SLICE("{}")));
	assert_true(check(SLICE(" { } ")));
	assert_true(check(SLICE("{\"contact\":{\"wechat\":\"w\"},\"consent\":{}}")));
	assert_true(check(SLICE("{\"company\":{\"employees\":0}}")));
}

static void anything_else_is_left_to_the_long_way(void **state)
{
	(void)state;
	static const struct slice rows[] = {
		{"", 0},
#define ROW(text) {text, sizeof text - 1}
		ROW("[]"), ROW("{} x"), ROW("{}\0"), ROW("{"), ROW("{\"lead_id\":\"L-1\"}}"), ROW("{\"lead_id\":\"L-1\",}"),
		ROW("{\"lead_id\":\"L-1\" \"tenant\":\"t\"}"), ROW("{\"lead_id\":\"L-1"), ROW("{\"lead_id\":\"L\\u002d1\"}"),
		ROW("{\"lead_id\":\"L\t1\"}"), ROW("{\"lead_id\":\"L\0001\"}"), ROW("{\"lead_id\":\"L\xff\"}"),
		ROW("{\"lead_id\":\"a\",\"lead_id\":\"a\"}"), ROW("{\"lead_id\":null}"), ROW("{\"lead_id\":1}"), ROW("{\"leadid\":\"a\"}"),
		ROW("{\"contact\":{\"name\":\"a\",\"name\":\"b\"}}"), ROW("{\"contact\":\"a\"}"), ROW("{\"contact\":{\"age\":1}}"),
		ROW("{\"company\":{\"employees\":-1}}"), ROW("{\"company\":{\"employees\":1.5}}"), ROW("{\"company\":{\"employees\":01}}"),
		ROW("{\"company\":{\"employees\":1e3}}"), ROW("{\"company\":{\"employees\":1234567890123456789}}"),
		ROW("{\"captured_at\":\"yesterday\"}"), ROW("{\"captured_at\":1}"), ROW("{\"consent\":{\"a\":null}}"),
		ROW("{\"consent\":{\"a\":[]}}"), ROW("{\"consent\":{\"a\":1,\"a\":2}}"), ROW("{\"consent\":{\"a\":tru}}"),
		ROW("{\"location\":{\"ip\":\"1234567890123456789012345678901234567890123456\"}}"),
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (check(rows[i]))
			fail_msg("taken: %.*s", SLICE_ARG(rows[i]));
}

static void damaged_documents_read_alike(void **state)
{
	(void)state;
	static const char bytes[] = "\"\\{}[]:, \n09-.eaL\x01\x7f\x80\xc3";
	char text[sizeof FULL];
	size_t taken = 0;
	uint32_t seed = 7;
	for (int i = 0; i < 20000; i++) {
		memcpy(text, FULL, sizeof FULL);
		for (int cuts = i % 3; cuts >= 0; cuts--) {
			seed = seed * 1664525 + 1013904223;
			text[(seed >> 8) % (sizeof FULL - 1)] = bytes[(seed >> 24) % (sizeof bytes - 1)];
		}
		taken += check((struct slice){text, sizeof FULL - 1 - (i % 7 == 0 ? (seed >> 4) % 40 : 0)});
	}
	assert_in_range(taken, 500, 19000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_producers_send_is_taken),
		cmocka_unit_test(anything_else_is_left_to_the_long_way),
		cmocka_unit_test(damaged_documents_read_alike),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
