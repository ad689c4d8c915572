/* SPDX-License-Identifier: Apache-2.0
 *
 * rules/state: what is written reads back, both readers agree, foreign bytes are refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "rules/base/arena.h"
#include "rules/base/strbuf.h"
#include "rules/rules.h"
#include "rules/state.h"

static const struct lead_state SAMPLE = {
	.version = 1,
	.status = LEAD_ASSIGNED,
	.owner = {"ana", 3},
	.team = {"emea", 4},
	.rule = {"high-dach", 9},
	.grade = {"A", 1},
	.source = {"web", 3},
	.score = 55,
	.at_ms = 1795298715026,
	.first_response = {.cycle = 1, .start_ms = 1795298715026, .due_ms = 1795305915026, .next_ms = 1795302315026},
	.idents = {2, {{"k1.1.e.0123456789abcdefghijkl", 29}, {"k1.1.p.0123456789abcdefghijkl", 29}}},
};

static struct slice bytes_of(const struct strbuf *buf)
{
	return (struct slice){buf->bytes, buf->len};
}

static void a_lead_is_small_and_readable(void **state)
{
	(void)state;
	struct strbuf out = STRBUF_INIT;
	state_put_lead(&out, &SAMPLE);
	assert_string_equal(out.bytes,
	                    "{\"ver\":1,\"state\":\"assigned\",\"owner\":\"ana\",\"team\":\"emea\",\"rule\":\"high-dach\","
	                    "\"score\":55,\"grade\":\"A\",\"at\":1795298715026,\"deadline\":1795305915026,"
	                    "\"remind\":1795302315026,\"idents\":[\"k1.1.e.0123456789abcdefghijkl\","
	                    "\"k1.1.p.0123456789abcdefghijkl\"],\"source\":\"web\"}");
	strbuf_done(&out);
}

static void check_round_trip(const struct lead_state *lead)
{
	struct arena arena = ARENA_INIT;
	struct strbuf first = STRBUF_INIT, second = STRBUF_INIT;
	struct lead_state back;
	struct err err = ERR_INIT;
	state_put_lead(&first, lead);
	assert_int_equal(state_get_lead(bytes_of(&first), &arena, &back, &err), 0);
	state_put_lead(&second, &back);
	assert_string_equal(first.bytes, second.bytes);
	assert_int_equal(back.first_response.cycle, lead->first_response.cycle);
	assert_int_equal(back.duplicates, lead->duplicates);
	assert_int_equal(state_next_due(&back), state_next_due(lead));
	strbuf_done(&first);
	strbuf_done(&second);
	arena_done(&arena);
}

static void leads_read_back(void **state)
{
	(void)state;
	struct lead_state lead = SAMPLE;
	check_round_trip(&lead);
	lead.owner = SLICE("o\"dd \\ näme");
	lead.recent = (struct state_list){1, {{"abc", 3}}};
	lead.duplicates = 7;
	lead.first_response.cycle = 2;
	lead.first_response.level = 1;
	lead.touched_ms = lead.first_response.stop_ms = 5;
	lead.first_response.next_ms = 0;
	check_round_trip(&lead);
	check_round_trip(&(struct lead_state){.status = LEAD_UNASSIGNED, .score = -5, .first_response = {.cycle = 1},
	                                      .why = {"x", 1}});
}

/* The same members with a space in between are read the careful way. */
static void both_readers_agree(void **state)
{
	(void)state;
	struct arena arena = ARENA_INIT;
	struct strbuf out = STRBUF_INIT, spaced = STRBUF_INIT, again = STRBUF_INIT;
	struct lead_state back;
	struct err err = ERR_INIT;
	state_put_lead(&out, &SAMPLE);
	strbuf_puts(&spaced, "{ ");
	strbuf_puts(&spaced, out.bytes + 1);
	assert_int_equal(state_get_lead(bytes_of(&spaced), &arena, &back, &err), 0);
	state_put_lead(&again, &back);
	assert_string_equal(out.bytes, again.bytes);
	strbuf_done(&out);
	strbuf_done(&spaced);
	strbuf_done(&again);
	arena_done(&arena);
}

static void foreign_bytes_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"", "{}", "x", "null", "[]", "{\"ver\":1}", "{\"ver\":1,\"state\":\"gone\",\"score\":1,\"at\":1}",
		"{\"ver\":\"1\",\"state\":\"assigned\",\"score\":1,\"at\":1}",
		"{\"ver\":1,\"state\":\"assigned\",\"score\":1,\"at\":1,\"new\":2}",
		"{\"ver\":1,\"state\":\"assigned\",\"score\":1,\"at\":1,\"cycle\":0}",
		"{\"ver\":1,\"state\":\"assigned\",\"score\":99999999999,\"at\":1}",
		"{\"ver\":1,\"state\":\"assigned\",\"score\":1,\"at\":1} ", /* taken: white space */
		"{\"ver\":1,\"state\":\"assigned\",\"score\":1,\"at\":1}x",
		"{\"ver\":1,\"state\":\"assigned\",\"score\":1,\"at\":1,\"idents\":[\"\xff\"]}",
		"{\"ver\":1,\"state\":\"assigned\",\"score\":1,\"at\":1,\"kept\":{\"a\":[1]}}",
		"{\"ver\":1,\"state\":\"assigned\",\"score\":1,\"at\":1,\"kept\":{\"a\":1}x}",
		"{\"ver\":1,\"state\":\"assigned\",\"score\":1,\"at\":-1}", /* a clock that began then would not be taken */
		"{\"ver\":1,\"state\":\"assigned\",\"score\":1,\"at\":0,\"deadline\":9}", /* or not be known to have begun */
	};
	struct arena arena = ARENA_INIT;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct lead_state lead;
		struct err err = ERR_INIT;
		int result = state_get_lead(slice_of(bad[i]), &arena, &lead, &err);
		assert_int_equal(result, i == 11 ? 0 : -1);
		assert_int_equal(err.code, i == 11 ? ERR_NONE : ERR_STATE_MALFORMED);
	}
	arena_done(&arena);
}

static int64_t due_of(const char *members)
{
	char text[300];
	snprintf(text, sizeof text, "{\"ver\":1,\"state\":\"assigned\",\"score\":1,\"grade\":\"A\",\"at\":100%s}", members);
	return rules_due_of(SLICE("lead/x"), slice_of(text));
}

static void the_plain_members_are_the_first_response(void **state)
{
	(void)state;
	assert_int_equal(due_of(""), 0);
	assert_int_equal(due_of(",\"deadline\":900,\"remind\":700"), 700);
	assert_int_equal(due_of(",\"deadline\":900,\"remind\":700,\"level\":1"), 900);
	assert_int_equal(due_of(",\"deadline\":900"), 900);
	assert_int_equal(due_of(",\"deadline\":900,\"level\":2"), 0);
	assert_int_equal(due_of(",\"deadline\":900,\"touched\":300"), 0);
	assert_int_equal(due_of(",\"deadline\":900,\"first\":[200]"), 900);
	assert_int_equal(due_of(",\"deadline\":900,\"first\":[200,950]"), 950);
	assert_int_equal(due_of(",\"deadline\":900,\"first\":[200,-1]"), 0);
	assert_int_equal(due_of(",\"deadline\":900,\"first\":[200,0,0,300]"), 0);
}

static void the_earliest_clock_is_due(void **state)
{
	(void)state;
	assert_int_equal(due_of(",\"clocks\":{\"stale\":[1,0,100,800],\"cadence\":[1,0,100,500,450]}"), 450);
	assert_int_equal(due_of(",\"deadline\":300,\"clocks\":{\"stale\":[1,0,100,800]}"), 300);
	assert_int_equal(due_of(",\"clocks\":{\"stale\":[2]}"), 0);
	assert_int_equal(due_of(",\"clocks\":{\"stale\":[0]}"), 0); /* malformed: cycles begin at 1 */
	assert_int_equal(due_of(",\"clocks\":{\"stale\":[1,0,100,800],\"stale\":[1,0,100,700]}"), 0);
	assert_int_equal(due_of(",\"clocks\":{\"stale\":[1,0,100,800,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]}"), 0);
}

static void a_pause_that_ends_before_it_begins_is_malformed(void **state)
{
	(void)state;
	assert_int_equal(due_of(",\"clocks\":{\"stale\":[1,0,100,800,0,0,0,0,0,0,0,120,130]}"), 800);
	assert_int_equal(due_of(",\"clocks\":{\"stale\":[1,0,100,800,0,0,0,0,0,0,0,120,110]}"), 0);
	assert_int_equal(due_of(",\"clocks\":{\"stale\":[1,0,100,800,0,0,0,110,0,0,0,120,130,0,0,0,0,-2,5]}"), 800);
	assert_int_equal(due_of(",\"clocks\":{\"stale\":[1,0,100,800,0,0,0,110,0,0,0,120,130,0,0,0,0,54901]}"), 0);
	assert_int_equal(due_of(",\"clocks\":{\"stale\":[1,0,100,800,0,0,0,9007199254740991,0,0,0,120,130]}"), 0);
}

static void clocks_read_back(void **state)
{
	(void)state;
	struct lead_state lead = SAMPLE;
	struct clock clocks[CLOCK_NAMES_MAX] = {
		{.name = {"cadence", 7}, .cycle = 3, .level = -2, .start_ms = 10, .due_ms = 90, .next_ms = 80, .count = 2},
		{.name = {"a \"quoted\" one", 14}, .cycle = 1, .start_ms = 10, .due_ms = 90, .pause_ms = 20,
		 .pauses = {{12, 14}, {16, 18}, {18, 19}}, .settled = {7, -2, -3600000, 1, 20}},
		{.name = {"stale", 5}, .cycle = 1, .level = 2, .start_ms = 10, .due_ms = 90},
		{.name = {"never ran", 9}, .cycle = 1},
		{.name = {"over", 4}, .cycle = 2},
	};
	lead.clocks = clocks;
	for (size_t i = 0; i < 5; i++) {
		lead.clock_count = i + 1;
		check_round_trip(&lead);
	}
	lead.first_response.start_ms += 5;
	lead.first_response.pause_ms = lead.first_response.start_ms + 5;
	lead.first_response.next_ms = 0;
	lead.first_response.pauses[0] = (struct clock_pause){lead.first_response.start_ms + 1, lead.first_response.start_ms + 4};
	check_round_trip(&lead);
	lead.first_response.settled = (struct clock_settled){lead.first_response.start_ms + 1, 3, 0, 0, 0};
	check_round_trip(&lead);
}

static void what_wakes_is_due_too(void **state)
{
	(void)state;
	struct lead_state lead = {.first_response = {.next_ms = 100}, .wake_ms = 99};
	assert_true(state_next_due(&lead) == 99);
	lead.wake_ms = 101;
	assert_true(state_next_due(&lead) == 100);
	lead.first_response.next_ms = 0;
	assert_true(state_next_due(&lead) == 101);
}

static void a_mark_names_no_lead(void **state)
{
	(void)state;
	struct strbuf out = STRBUF_INIT;
	struct ident_state back;
	state_put_ident(&out, &(struct ident_state){.at_ms = 17, .is_barred = true});
	assert_string_equal(out.bytes, "17 !");
	assert_int_equal(state_get_ident(bytes_of(&out), &back), 0);
	assert_true(back.is_barred && back.lead_id.len == 0);
	assert_int_equal(rules_ident_lead(bytes_of(&out)).len, 0);
	strbuf_done(&out);
}

static void idents_read_back(void **state)
{
	(void)state;
	struct strbuf out = STRBUF_INIT;
	struct ident_state back;
	state_put_ident(&out, &(struct ident_state){.at_ms = 1795298715026, .lead_id = SLICE("crm:4711")});
	assert_string_equal(out.bytes, "1795298715026 crm:4711");
	assert_int_equal(state_get_ident(bytes_of(&out), &back), 0);
	assert_true(back.at_ms == 1795298715026);
	assert_true(slice_is(back.lead_id, "crm:4711"));
	static const char *const bad[] = {"", " a", "1", "1 ", "x a", "1 a b", "1 a@b.c", "01 a", "9999999999999999999 a"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(state_get_ident(slice_of(bad[i]), &back), -1);
	strbuf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lead_is_small_and_readable),
		cmocka_unit_test(leads_read_back),
		cmocka_unit_test(both_readers_agree),
		cmocka_unit_test(foreign_bytes_are_refused),
		cmocka_unit_test(the_plain_members_are_the_first_response),
		cmocka_unit_test(the_earliest_clock_is_due),
		cmocka_unit_test(a_pause_that_ends_before_it_begins_is_malformed),
		cmocka_unit_test(clocks_read_back),
		cmocka_unit_test(what_wakes_is_due_too),
		cmocka_unit_test(a_mark_names_no_lead),
		cmocka_unit_test(idents_read_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
