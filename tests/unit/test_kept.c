/* SPDX-License-Identifier: Apache-2.0
 *
 * rules/kept and what it stands on: which paths an expression reads, what of a lead outlives its intake, and that a
 * restored lead reads the same in an expression.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/unit/model_fixture.c"

#include "rules/base/strbuf.h"
#include "rules/cel/paths.h"
#include "rules/cel/value.h"
#include "rules/json/json.h"
#include "rules/kept.h"
#include "rules/kept_words.h"
#include "rules/state.h"

static void expect_paths(const struct cel_env *env, const char *text, const char *wanted)
{
	struct arena arena = ARENA_INIT;
	struct strbuf found = STRBUF_INIT;
	struct cel_issues issues;
	struct cel_program *program;
	size_t count;
	assert_int_equal(cel_compile(env, slice_of(text), NULL, &arena, &issues, &program), 0);
	const struct cel_path *paths = cel_program_paths(program, &count);
	for (size_t i = 0; i < count; i++)
		strbuf_printf(&found, "%s%.*s", i ? " " : "", (int)paths[i].length, text + paths[i].offset);
	assert_string_equal(strbuf_text(&found), wanted);
	strbuf_done(&found);
	cel_program_done(program);
	arena_done(&arena);
}

static void an_expression_says_what_it_reads(void **state)
{
	(void)state;
	struct fixture fixture;
	fixture_init(&fixture);
	const struct cel_env *env = fixture.model.env;
	expect_paths(env, "1 + 2", "");
	expect_paths(env, "lead.source == \"web\" || lead.source == \"x\"", "lead.source");
	expect_paths(env, "has(lead.company.employees) && lead.company.employees > 5", "has(lead.company.employees)");
	expect_paths(env, "grade == \"A\" && score > 5 && territory.areas != \"\"", "grade score territory.areas");
	expect_paths(env, "[lead.location.city].exists(c, c == lead.interest.product && grade == c)",
	             "lead.location.city lead.interest.product grade");
	expect_paths(env, "cel.bind(c, lead.location.city, c + c)", "lead.location.city");
	expect_paths(env, "facts[lead.intent] == 1", "facts lead.intent");
	expect_paths(env, "false && lead.intent == \"\"", "lead.intent");
	expect_paths(env, "lead.interest == lead.interest", "lead.interest");
	fixture_done(&fixture);
}

static const struct cel_field attributes[] = {{"cost", &cel_type_int, true},
                                              {"region", &cel_type_string, false},
                                              {"skills", &cel_type_strings, false}};

static bool holds(const struct cel_env *env, const struct cel_value *slots, const char *text)
{
	struct arena arena = ARENA_INIT;
	struct cel_issues issues;
	struct cel_program *program;
	if (cel_compile(env, slice_of(text), &cel_type_bool, &arena, &issues, &program) != 0)
		fail_msg("%s: %s", text, issues.items[0].message);
	bool is_true = cel_is_true(cel_eval(program, slots, &arena, CEL_DEFAULT_STEPS));
	cel_program_done(program);
	arena_done(&arena);
	return is_true;
}

static void a_rep_is_a_variable_with_attributes(void **state)
{
	(void)state;
	struct fixture fixture;
	fixture_init(&fixture);
	struct cel_value skills[] = {cel_string(SLICE("risk")), cel_string(SLICE("tax"))};
	struct cel_value values[] = {cel_int(3), cel_null(), cel_list_of(&fixture.arena, skills, 2)};
	const struct rep rep = {.id = SLICE("ana"), .name = SLICE("Ana"), .attributes = values};
	const struct cel_env *env = schema_pool_env(fixture.model.env, attributes, 3, &fixture.arena);
	struct cel_value slots[SCHEMA_SLOTS] = {0};
	struct schema_rep self;
	schema_rep_init(&self, env, &rep);
	slots[SLOT_REP] = cel_object(&self.object);
	assert_true(holds(env, slots, "rep.id == \"ana\" && rep.name == \"Ana\""));
	assert_true(holds(env, slots, "\"tax\" in rep.attributes.skills && rep.attributes.cost < 4"));
	assert_true(holds(env, slots, "rep.attributes.region == \"\" && !has(rep.attributes.region)"));
	fixture_done(&fixture);
}

static void what_is_kept_comes_back(void **state)
{
	(void)state;
	struct fixture fixture;
	fixture_init(&fixture);
	const struct schema_row *rows[] = {schema_find(SLICE("company.employees")), schema_find(SLICE("interest.budget.amount")),
	                                   schema_find(SLICE("location.city")), schema_find(SLICE("location.country"))};
	struct model *model = &fixture.model;
	struct lead lead, back;
	lead_init(&lead);
	assert_true(kept_text(model, &lead, &fixture.arena).len == 0);
	model->kept = rows;
	model->kept_count = 4;
	assert_true(kept_text(model, &lead, &fixture.arena).len == 0);
	lead.company.employees = (struct lead_int){true, 70};
	lead.interest.budget.amount = (struct lead_real){true, 2.5};
	lead.location.country = SLICE("DE");
	lead.location.city = SLICE("K\"ln");
	struct lead_state kept = {.source = SLICE("web"), .kept = kept_text(model, &lead, &fixture.arena)};
	assert_true(slice_is(kept.kept, "{\"company.employees\":70,\"interest.budget.amount\":2.5,\"location.city\":\"K\\\"ln\","
	                                "\"location.country\":\"DE\"}"));
	struct strbuf stored = STRBUF_INIT;
	struct lead_state read;
	state_put_lead(&stored, &kept);
	assert_int_equal(state_get_lead((struct slice){stored.bytes, stored.len}, &fixture.arena, &read, NULL), 0);
	kept_restore(model, &read, SLICE("L1"), &fixture.arena, &back);
	assert_true(back.company.employees.is_set && back.company.employees.value == 70);
	assert_true(back.interest.budget.amount.is_set && back.interest.budget.amount.value == 2.5);
	assert_true(slice_is(back.location.country, "DE") && slice_is(back.location.city, "K\"ln"));
	assert_true(slice_is(back.source, "web") && slice_is(back.lead_id, "L1"));
	model->kept_count = 1; /* a reload: nobody asks for the others any more */
	kept_restore(model, &read, SLICE("L1"), &fixture.arena, &back);
	assert_true(back.company.employees.value == 70 && back.location.country.len == 0);
	strbuf_done(&stored);
	fixture_done(&fixture);
}

static void an_expression_says_how_it_compares(void **state)
{
	(void)state;
	struct fixture fixture;
	fixture_init(&fixture);
	const struct cel_env *env = fixture.model.env;
	expect_paths(env, "lead.attributes.tier == \"a\" || \"b\" != lead.attributes[\"tier\"]", "lead.attributes.tier lead.attributes[\"tier\"]");
	expect_paths(env, "\"a\" in lead.attributes.tags && \"a\" in lead.attributes.tags", "lead.attributes.tags");
	expect_paths(env, "has(lead.attributes.tags)", "has(lead.attributes.tags)");
	expect_paths(env, "lead.attributes.tier in [\"a\"]", "lead.attributes.tier");
	expect_paths(env, "lead.attributes.tier in [\"a\", lead.intent]", "lead.attributes lead.intent");
	expect_paths(env, "lead.attributes.tier == lead.intent", "lead.attributes lead.intent");
	expect_paths(env, "lead.attributes.tier.size() == 1", "lead.attributes");
	expect_paths(env, "facts[\"x\"] == \"y\"", "facts");
	fixture_done(&fixture);
}

static const struct json *json_of(struct arena *arena, const char *text)
{
	return json_read(slice_of(text), (struct json_limits){1000, 4, 100}, arena, NULL);
}

/* Nothing but the words that the configuration asks for is ever stored. */
static void of_attributes_only_the_answers_are_kept(void **state)
{
	(void)state;
	struct fixture fixture;
	fixture_init(&fixture);
	struct kept_word tags[] = {{SLICE("hot lead"), SLICE("attributes.tags/hot+lead")}, {SLICE("vip"), SLICE("attributes.tags/vip")}};
	struct kept_word tiers[] = {{SLICE("gold"), SLICE_NONE}};
	const struct kept_member members[] = {
		{.name = SLICE("tags"), .path = SLICE("attributes.tags"), .is_list = true, .words = tags, .word_count = 2},
		{.name = SLICE("tier"), .path = SLICE("attributes.tier"), .is_text = true, .words = tiers, .word_count = 1}};
	struct model *model = &fixture.model;
	model->kept_members = members;
	model->kept_member_count = 2;
	static const struct {
		const char *attributes, *kept, *back;
	} cases[] = {
		{"{\"tags\":[\"Jo Smith\",\"vip\",\"hot lead\",7],\"tier\":\"gold\",\"mail\":\"jo@example.com\"}",
	         "{\"attributes.tags\":\"\",\"attributes.tags/hot+lead\":1,\"attributes.tags/vip\":1,\"attributes.tier\":\"gold\"}",
	         "{\"tags\":[\"hot lead\",\"vip\"],\"tier\":\"gold\"}"},
		{"{\"tags\":[],\"tier\":\"jo@example.com\"}", "{\"attributes.tags\":\"\",\"attributes.tier\":\"\"}", "{\"tags\":[],\"tier\":\"\"}"},
		{"{\"tags\":\"vip\",\"tier\":[\"gold\"]}", "{\"attributes.tier\":\"\"}", "{\"tier\":\"\"}"},
		{"{\"mail\":\"jo@example.com\"}", "", NULL},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct lead lead, back;
		lead_init(&lead);
		lead.attributes = json_of(&fixture.arena, cases[i].attributes);
		struct lead_state kept = {.kept = kept_text(model, &lead, &fixture.arena)};
		assert_true(slice_is(kept.kept, cases[i].kept));
		kept_restore(model, &kept, SLICE("L1"), &fixture.arena, &back);
		assert_true((back.attributes == NULL) == (cases[i].back == NULL));
		if (cases[i].back != NULL) {
			struct strbuf text = STRBUF_INIT;
			json_put_value(&(struct json_writer)JSON_WRITER(&text), SLICE_NONE, back.attributes);
			assert_string_equal(strbuf_text(&text), cases[i].back);
			strbuf_done(&text);
		}
		assert_true(slice_equal(kept_text(model, &back, &fixture.arena), kept.kept));
	}
	fixture_done(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_expression_says_what_it_reads),
		cmocka_unit_test(an_expression_says_how_it_compares),
		cmocka_unit_test(of_attributes_only_the_answers_are_kept),
		cmocka_unit_test(a_rep_is_a_variable_with_attributes),
		cmocka_unit_test(what_is_kept_comes_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
