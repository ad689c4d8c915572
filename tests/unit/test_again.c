/* SPDX-License-Identifier: Apache-2.0
 *
 * A record that was decided, decided again: by the same rules it comes out as its event says, whatever was there before it;
 * by other rules the event and what comes out now stand side by side.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/json/json.h"
#include "rules/story/again.h"
#include "rules/story/rehearse.h"
#include "tests/unit/model_fixture.c"

enum { NOW_MS = 1795168800 };

static const struct json_limits limits = {1 << 20, 32, 10000};

struct bench {
	struct fixture fixture;
	struct arena arena;
	struct rehearsal *rehearsal; /* what is there */
	struct strbuf out;
	int64_t count;
};

static void bench_init(struct bench *bench)
{
	*bench = (struct bench){.arena = ARENA_INIT, .out = STRBUF_INIT};
	fixture_init(&bench->fixture);
	bench->fixture.model.dedup.windows[DEDUP_PHONE].is_on = false;
	bench->rehearsal = rehearsal_new(&bench->fixture.model);
}

static void bench_done(struct bench *bench)
{
	rehearsal_free(bench->rehearsal);
	strbuf_done(&bench->out);
	arena_done(&bench->arena);
	fixture_done(&bench->fixture);
}

static void know(struct bench *bench, const char *key, const char *value)
{
	assert_int_equal(rehearsal_know(bench->rehearsal, slice_of(key), slice_of(value), NULL), 0);
}

struct decided {
	struct record record;
	struct decision decision;
	struct slice code;
};

/* As the daemon decides it, with a plug-in's word for vips. */
static struct decided decide(struct bench *bench, const char *lead)
{
	struct decided decided = {.record = fixture_record(RECORD_CAPTURED, bench->count++, lead)};
	struct prepared *prepared = rules_prepare(&bench->fixture.model, &decided.record, NOW_MS, &bench->arena);
	if (strstr(lead, "\"vip\"") != NULL)
		rules_add_fact_bool(prepared, "vip.is", true);
	if (strstr(lead, "\"nowhere\"") != NULL)
		rules_fill_field(prepared, "location.country", SLICE("FR"), "geo");
	rehearsal_decide(bench->rehearsal, prepared, NOW_MS, NULL, &bench->arena, &decided.decision);
	if (decided.decision.outcome == OUTCOME_REJECTED)
		decided.code = slice_of(err_word(decided.decision.code));
	return decided;
}

static const struct json *again(struct bench *bench, const struct decided *decided, const char *lead_id)
{
	const struct event *event = &decided->decision.events[0];
	bool is_rejected = decided->decision.outcome == OUTCOME_REJECTED;
	const struct again_question question = {
		.model = &bench->fixture.model, .record = &decided->record, .lead_id = slice_of(lead_id), .type = slice_of(event->type),
		.code = decided->code, .config = SLICE("00112233aabbccdd"), .engine = SLICE(LEADROUTER_VERSION),
		.data = is_rejected ? NULL : json_read(event->value, limits, &bench->arena, NULL), .at_ms = NOW_MS,
	};
	strbuf_clear(&bench->out);
	if (!again_decide(&question, &bench->out))
		return NULL;
	struct slice copy = {arena_memdupz(&bench->arena, bench->out.bytes, bench->out.len), bench->out.len};
	return json_read(copy, limits, &bench->arena, NULL);
}

static bool is_same_rules(const struct json *again)
{
	return json_get(again, "same_rules")->boolean;
}

static void check_same(struct bench *bench, const char *lead_id, const char *lead, const char *outcome)
{
	const struct decided decided = decide(bench, lead);
	assert_string_equal(outcome_name(decided.decision.outcome), outcome);
	const struct json *found = again(bench, &decided, lead_id);
	assert_non_null(found);
	assert_true(is_same_rules(found));
	if (json_get(found, "differs")->count != 0)
		print_error("%s\n", strbuf_text(&bench->out));
	assert_int_equal(json_get(found, "differs")->count, 0);
}

#define CONTACT(name) "\"contact\":{\"email\":\"" name "@example.com\"}"

static void by_the_same_rules_it_comes_out_the_same(void **state)
{
	(void)state;
	static const struct {
		const char *lead_id, *lead, *outcome;
	} cases[] = {
		{"L1", "{\"lead_id\":\"L1\",\"intent\":\"high\",\"company\":{\"employees\":500},\"location\":{\"country\":\"DE\"}," CONTACT("a") "}", "assigned"},
		{"L2", "{\"lead_id\":\"L2\",\"intent\":\"high\",\"company\":{\"employees\":500},\"location\":{\"country\":\"DE\"}," CONTACT("b") "}", "assigned"},
		{"L3", "{\"lead_id\":\"L3\",\"source\":\"web\"," CONTACT("c") "}", "assigned"},
		{"L4", "{\"lead_id\":\"L4\",\"source\":\"web\"," CONTACT("a") "}", "duplicate"},
		{"L1", "{\"lead_id\":\"L1\",\"source\":\"web\"," CONTACT("a") "}", "duplicate"},
		{"L5", "{\"lead_id\":\"L5\",\"requested_owner\":\"bob\"," CONTACT("e") "}", "assigned"},
		{"L6", "{\"lead_id\":\"L6\",\"requested_owner\":\"cy\"," CONTACT("f") "}", "assigned"},
		{"L7", "{\"lead_id\":\"L7\",\"contact\":{\"email\":\"g@school.edu\"}}", "unassigned"},
		{"L8", "{\"lead_id\":\"L8\",\"campaign\":\"vip\"," CONTACT("h") "}", "assigned"},
		{"L9", "{\"lead_id\":\"L9\",\"campaign\":\"nowhere\"," CONTACT("i") "}", "assigned"},
		{"L10", "{\"lead_id\":\"L10\",\"contact\":{\"name\":\"x\"}}", "rejected"},
	};
	struct bench bench;
	bench_init(&bench);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		check_same(&bench, cases[i].lead_id, cases[i].lead, cases[i].outcome);
	bench_done(&bench);
}

static void who_was_away_is_away_again(void **state)
{
	(void)state;
	struct bench bench;
	bench_init(&bench);
	know(&bench, "mem/rep/ana", "{\"away\":1}");
	check_same(&bench, "L1", "{\"lead_id\":\"L1\",\"location\":{\"country\":\"FR\"}," CONTACT("a") "}", "assigned");
	check_same(&bench, "L2", "{\"lead_id\":\"L2\",\"requested_owner\":\"ana\"," CONTACT("b") "}", "assigned");
	know(&bench, "mem/rep/dee", "{\"away\":1}");
	check_same(&bench, "L3", "{\"lead_id\":\"L3\",\"source\":\"web\"," CONTACT("c") "}", "unassigned");
	bench_done(&bench);
}

static void whom_the_person_had_is_known_again(void **state)
{
	(void)state;
	struct bench bench;
	bench_init(&bench);
	bench.fixture.model.dedup.returning = RETURNING_SAME_OWNER;
	const struct decided first = decide(&bench, "{\"lead_id\":\"L1\",\"requested_owner\":\"bob\"," CONTACT("a") "}");
	assert_true(slice_is(first.decision.owner, "bob"));
	know(&bench, "lead/L1", "{\"ver\":1,\"state\":\"lost\",\"owner\":\"bob\",\"team\":\"emea\",\"score\":0,\"grade\":\"B\",\"at\":1}");
	check_same(&bench, "L2", "{\"lead_id\":\"L2\",\"source\":\"web\"," CONTACT("a") "}", "assigned");
	bench_done(&bench);
}

/* What expressions saw of the company's latest lead. */
static void the_account_is_known_again(void **state)
{
	(void)state;
	static const char lead[] = "{\"lead_id\":\"L2\",\"company\":{\"domain\":\"acme.example\"},\"contact\":{\"email\":\"b@example.com\"}}";
	struct bench bench;
	bench_init(&bench);
	bench.fixture.model.dedup.asks_account = bench.fixture.model.dedup.has_company_keys = true;
	(void)decide(&bench, "{\"lead_id\":\"L1\",\"requested_owner\":\"bob\",\"company\":{\"domain\":\"acme.example\"}," CONTACT("a") "}");
	const struct decided decided = decide(&bench, lead);
	const struct json *found = again(&bench, &decided, "L2");
	const struct json *event = &json_get(json_get(found, "story"), "events")->items[0];
	const struct json *account = json_get(json_get(json_get(event, "data"), "trace"), "account");
	assert_true(slice_is(json_get_text(account, "lead_id"), "L1"));
	assert_true(slice_is(json_get_text(account, "owner"), "bob"));
	assert_true(slice_is(json_get_text(account, "status"), "assigned"));
	assert_int_equal(json_get(found, "differs")->count, 0);
	bench_done(&bench);
}

/* Values behind the clauses, of routes behind the one that took the lead, too. */
static void every_route_says_what_it_saw(void **state)
{
	(void)state;
	struct bench bench;
	bench_init(&bench);
	const struct decided decided =
		decide(&bench, "{\"lead_id\":\"L1\",\"campaign\":\"vip\",\"location\":{\"country\":\"US\"}," CONTACT("a") "}");
	const struct json *routes = json_get(json_get(again(&bench, &decided, "L1"), "story"), "routes");
	assert_int_equal(routes->count, 4);
	const struct json *value = json_get(&routes->items[0], "values");
	assert_true(slice_is(json_get_text(&routes->items[0], "clause"), "grade == \"A\""));
	assert_true(slice_is(json_get_text(&value->items[0], "value"), "\"B\""));
	assert_true(slice_is(json_get_text(&routes->items[1], "result"), "yes"));
	assert_true(slice_is(json_get_text(&routes->items[3], "result"), "yes"));
	assert_null(strstr(strbuf_text(&bench.out), "a@example.com"));
	bench_done(&bench);
}

static void other_rules_are_told_and_what_they_change(void **state)
{
	(void)state;
	struct bench bench;
	bench_init(&bench);
	const struct decided decided = decide(&bench, "{\"lead_id\":\"L1\",\"campaign\":\"vip\"," CONTACT("a") "}");
	bench.fixture.routes[1].team = 2;
	strcpy(bench.fixture.model.config_hash, "ffffffffffffffff");
	const struct json *found = again(&bench, &decided, "L1");
	assert_false(is_same_rules(found));
	const struct json *differs = json_get(found, "differs");
	assert_int_equal(differs->count, 1);
	assert_true(slice_is(json_get_text(&differs->items[0], "what"), "team"));
	assert_true(slice_is(json_get_text(&differs->items[0], "then"), "key"));
	assert_true(slice_is(json_get_text(&differs->items[0], "now"), "world"));
	assert_true(json_get(found, "turn_unknown")->boolean);
	bench_done(&bench);
}

static void another_lead_at_that_place_is_not_decided(void **state)
{
	(void)state;
	struct bench bench;
	bench_init(&bench);
	const struct decided decided = decide(&bench, "{\"lead_id\":\"L1\"," CONTACT("a") "}");
	assert_null(again(&bench, &decided, "L2"));
	assert_int_equal(bench.out.len, 0);
	bench_done(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_the_same_rules_it_comes_out_the_same),
		cmocka_unit_test(who_was_away_is_away_again),
		cmocka_unit_test(whom_the_person_had_is_known_again),
		cmocka_unit_test(the_account_is_known_again),
		cmocka_unit_test(every_route_says_what_it_saw),
		cmocka_unit_test(other_rules_are_told_and_what_they_change),
		cmocka_unit_test(another_lead_at_that_place_is_not_decided),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
