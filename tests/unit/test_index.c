/* SPDX-License-Identifier: Apache-2.0
 *
 * The index against trying each route in turn: random rule sets over random leads, fixed seeds. Whatever the index says,
 * the same route must win and be explained the same way, and a rule that it rules out must not be true.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "rules/base/arena.h"
#include "rules/base/strbuf.h"
#include "rules/cel/value.h"
#include "rules/index.h"
#include "rules/json/json.h"
#include "rules/match.h"
#include "rules/model.h"
#include "rules/schema.h"
#include "rules/territory.h"

enum { SLOT_VIP = SCHEMA_SLOTS, SLOTS, RULES_MOST = 1500 };

/* ---- chance */

struct dice {
	uint64_t state;
};

static uint32_t roll(struct dice *dice, uint32_t sides)
{
	dice->state ^= dice->state << 13;
	dice->state ^= dice->state >> 7;
	dice->state ^= dice->state << 17;
	return (uint32_t)(dice->state >> 33) % sides;
}

#define ONE_OF(dice, array) ((array)[roll(dice, sizeof(array) / sizeof *(array))])

/* ---- conditions */

static const char *const text_paths[] = {"lead.source",           "lead.location.country",     "lead.company.domain",
					 "lead.contact.email",    "lead.location.postal_code", "grade",
					 "lead.company.industry", "territory.areas",           "facts[\"geo.area\"]",
					 "lead.attributes.plan"};
static const char *const texts[] = {"",
				    "a",
				    "ab",
				    "abc",
				    "web",
				    "DE",
				    "US",
				    "8",
				    "80",
				    "803",
				    "80331",
				    "key",
				    "x@ab.example",
				    "ab.example",
				    ".example",
				    "emea",
				    "A",
				    "über",
				    "a name of more than sixteen bytes",
				    "a name of more than sixteen bytes, and on"};
static const char *const int_paths[] = {"lead.company.employees", "score", "facts[\"size\"]", "lead.attributes.count"};
static const char *const ints[] = {"0", "1", "2", "7", "-1", "9223372036854775807", "-9223372036854775808", "3", "4"};
static const char *const reals[] = {"0.0", "-0.0", "1.0", "0.5", "-0.5", "1e300", "-1e300", "2.0", "7.25"};
static const char *const compares[] = {"==", "!=", "<", "<=", ">", ">="};
static const char *const odd[] = {"lead.source.contains(\"e\")",
				  "(lead.source == \"web\" || score > 2)",
				  "(lead.source == \"web\" || lead.source == \"fair\" || \"\" == lead.source)",
				  "(score == 1 || score == 3 || score in [5, 7])",
				  "(facts[\"geo.area\"] == \"all\" || facts[\"geo.area\"] == \"dach\")",
				  "(facts[\"size\"] == 1 || facts[\"size\"] == \"x\")",
				  "!(lead.source == \"web\")",
				  "!(lead.source == \"web\" || lead.source == \"fair\")",
				  "!(facts[\"geo.area\"] == \"all\")",
				  "!(lead.company.employees < 50)",
				  "!has(lead.company.employees)",
				  "!(score >= 2)",
				  "facts[\"geo.country\"] == \"DE\"",
				  "7 / score > 1",
				  "facts[\"is.known\"] == true",
				  "facts[\"is.known\"] != false",
				  "facts[\"size\"] == true",
				  "facts[\"size\"] > 1.5",
				  "facts[\"size\"] != 2u",
				  "facts[?\"geo.area\"].orValue(\"\") == \"a\"",
				  "has(lead.attributes.plan)",
				  "\"size\" in facts",
				  "[1, 2, 3].exists(x, x == score)",
				  "now > timestamp(\"2026-01-01T00:00:00Z\")",
				  "lead.interest.budget.amount > 1",
				  "lead.company.employees < 1.5",
				  "has(lead.company.employees)",
				  "has(lead.interest.budget)",
				  "!has(lead.company.domain)",
				  "vip",
				  "!vip",
				  "vip == true",
				  "vip != true"};

static void put_list(struct dice *dice, struct strbuf *out, const char *const *items, uint32_t count, bool is_quoted)
{
	strbuf_putc(out, '[');
	for (uint32_t i = 1 + roll(dice, 12); i > 0; i--)
		strbuf_printf(out, is_quoted ? "\"%s\"%s" : "%s%s", items[roll(dice, count)], i > 1 ? ", " : "]");
}

static void put_text_clause(struct dice *dice, struct strbuf *out)
{
	const char *path = ONE_OF(dice, text_paths), *text = ONE_OF(dice, texts);
	switch (roll(dice, 6)) {
	case 0:
		strbuf_printf(out, "%s in ", path);
		put_list(dice, out, texts, sizeof texts / sizeof *texts, true);
		return;
	case 1:
		strbuf_printf(out, "%s.startsWith(\"%s\")", path, text);
		return;
	case 2:
		strbuf_printf(out, "%s.endsWith(\"%s\")", path, text);
		return;
	case 3:
		strbuf_printf(out, "%s != \"%s\"", path, text);
		return;
	case 4:
		strbuf_printf(out, "\"%s\" == %s", text, path);
		return;
	default:
		strbuf_printf(out, "%s == \"%s\"", path, text);
	}
}

static void put_number_clause(struct dice *dice, struct strbuf *out)
{
	const char *path = ONE_OF(dice, int_paths), *compare = ONE_OF(dice, compares);
	switch (roll(dice, 4)) {
	case 0:
		strbuf_printf(out, "lead.interest.budget.amount %s %s", compare, ONE_OF(dice, reals));
		return;
	case 1:
		strbuf_printf(out, "%s in ", path);
		put_list(dice, out, ints, sizeof ints / sizeof *ints, false);
		return;
	case 2:
		strbuf_printf(out, "%s %s %s", ONE_OF(dice, ints), compare, path);
		return;
	default:
		strbuf_printf(out, "%s %s %s", path, compare, ONE_OF(dice, ints));
	}
}

static void put_condition(struct dice *dice, struct strbuf *out)
{
	for (uint32_t clause = 1 + roll(dice, 5); clause > 0; clause--) {
		switch (roll(dice, 5)) {
		case 0:
			strbuf_puts(out, ONE_OF(dice, odd));
			break;
		case 1:
		case 2:
			put_number_clause(dice, out);
			break;
		default:
			put_text_clause(dice, out);
		}
		strbuf_puts(out, clause > 1 ? " && " : "");
	}
}

/* ---- a rule set, twice: with and without its index */

struct rule_set {
	struct arena arena;
	struct cel_env env;
	const struct territory *tables[1];
	struct team team;
	struct route routes[RULES_MOST];
	const struct cel_program *programs[RULES_MOST];
	struct model plain, indexed;
};

static void declare(struct rule_set *set)
{
	static const struct territory_row rows[] = {{{"DE", 2}, {NULL, 0}, {NULL, 0}, {"emea", 4}},
						    {{"US", 2}, {NULL, 0}, {"80", 2}, {"key", 3}}};
	static const struct slice names[] = {{"areas", 5}};
	struct territory_problem problem;
	set->tables[0] = territory_build(rows, 2, &set->arena, &problem);
	struct cel_variable *variables = arena_array(&set->arena, SLOTS, sizeof *variables);
	set->env = *schema_env_new(names, 1, &set->arena);
	memcpy(variables, set->env.variables, SCHEMA_SLOTS * sizeof *variables);
	variables[SLOT_VIP] = (struct cel_variable){"vip", &cel_type_bool};
	set->env.variables = variables;
	set->env.variable_count = SLOTS;
	set->env.is_lenient = true;
}

/* A random condition may be one that the checker refuses (score > 1 && …): then there is none. */
static const struct cel_program *compile(struct rule_set *set, const char *text)
{
	struct cel_issues issues;
	struct cel_program *program;
	int result = cel_compile(&set->env, slice_of(text), &cel_type_bool, &set->arena, &issues, &program);
	if (result != 0)
		print_message("%s: %s\n", text, issues.items[0].message);
	assert_int_equal(result, 0);
	return program;
}

static void make_models(struct rule_set *set, size_t count)
{
	set->team = (struct team){.id = SLICE("emea"), .name = SLICE("EMEA")};
	set->plain = (struct model){.teams = &set->team,
				    .team_count = 1,
				    .routes = set->routes,
				    .route_count = count,
				    .territories = set->tables,
				    .territory_count = 1,
				    .env = &set->env,
				    .cel_step_limit = CEL_DEFAULT_STEPS};
	set->indexed = set->plain;
	set->indexed.route_index = index_new(set->programs, count, &set->env, &set->arena);
	assert_non_null(set->indexed.route_index);
}

static struct rule_set *rule_set_new(struct dice *dice, size_t count)
{
	struct rule_set *set = calloc(1, sizeof *set);
	struct strbuf text = STRBUF_INIT;
	declare(set);
	for (size_t i = 0; i < count; i++) {
		strbuf_clear(&text);
		put_condition(dice, &text);
		bool is_plain = roll(dice, 60) == 0, is_by_area = roll(dice, 4) == 0;
		set->programs[i] = is_plain ? NULL : compile(set, strbuf_text(&text));
		set->routes[i] = (struct route){.when = set->programs[i],
						.team = is_by_area ? SIZE_MAX : 0,
						.team_by = is_by_area ? 0 : SIZE_MAX};
	}
	make_models(set, count);
	strbuf_done(&text);
	return set;
}

static void rule_set_free(struct rule_set *set)
{
	arena_done(&set->arena);
	free(set);
}

/* ---- leads */

struct subject {
	struct lead lead;
	struct schema_territories territories;
	struct cel_entry facts[4];
	struct cel_value slots[SLOTS];
};

static struct slice a_text(struct dice *dice)
{
	return slice_of(ONE_OF(dice, texts));
}

static void throw_lead(struct dice *dice, struct lead *lead)
{
	static const double amounts[] = {0.0, -0.0, 1.0, 0.5, -0.5, 1e300, 1e308, 2.0, 7.25, 3.0};
	static const int64_t counts[] = {0, 1, 2, 3, 7, 8, -1, INT64_MAX, INT64_MIN};
	lead_init(lead);
	lead->source = a_text(dice);
	lead->location.country = a_text(dice);
	lead->location.postal_code = a_text(dice);
	lead->company.domain = a_text(dice);
	lead->company.industry = a_text(dice);
	lead->contact.email = a_text(dice);
	lead->company.employees = (struct lead_int){roll(dice, 3) != 0, ONE_OF(dice, counts)};
	lead->interest.budget.amount = (struct lead_real){roll(dice, 3) != 0, ONE_OF(dice, amounts)};
}

/* One of any kind. */
static struct cel_value a_value(struct dice *dice)
{
	switch (roll(dice, 6)) {
	case 0:
		return cel_bool(roll(dice, 2));
	case 1:
		return cel_double((double)roll(dice, 5) / 2);
	case 2:
	case 3:
		return cel_int((int64_t)roll(dice, 5) - 1);
	default:
		return cel_string(a_text(dice));
	}
}

static struct cel_value some_facts(struct dice *dice, struct subject *subject, struct arena *arena)
{
	static const char *const names[] = {"geo.area", "size", "is.known", "geo.country"};
	size_t count = 0;
	for (size_t i = 0; i < 4; i++)
		if (roll(dice, 3) != 0)
			subject->facts[count++] = (struct cel_entry){cel_string(slice_of(names[i])), a_value(dice)};
	return cel_map(cel_map_of(arena, subject->facts, count));
}

/* {"plan": …, "count": …} as a lead has them. */
static const struct json *some_attributes(struct dice *dice, struct arena *arena)
{
	static const struct slice names[] = {{"plan", 4}, {"count", 5}};
	struct json *object = arena_alloc(arena, sizeof *object), *items = arena_array(arena, 2, sizeof *items);
	items[0] = (struct json){.type = JSON_IS_STRING, .text = a_text(dice)};
	items[1] = (struct json){.type = JSON_IS_INT, .integer = (int64_t)roll(dice, 5)};
	if (roll(dice, 4) == 0)
		items[1] = (struct json){.type = JSON_IS_REAL, .real = 2.5};
	*object = (struct json){.type = JSON_IS_OBJECT, .names = names, .items = items, .count = roll(dice, 3)};
	return object;
}

static void throw_subject(struct dice *dice, const struct rule_set *set, struct arena *arena, struct subject *subject)
{
	throw_lead(dice, &subject->lead);
	schema_territories_init(&subject->territories, &set->env, set->tables, &subject->lead);
	subject->lead.attributes = roll(dice, 4) != 0 ? some_attributes(dice, arena) : NULL;
	subject->slots[SLOT_LEAD] = cel_object(&subject->lead.objects[SCHEMA_LEAD]);
	subject->slots[SLOT_ACCOUNT] = cel_object(&subject->lead.objects[SCHEMA_ACCOUNT]);
	subject->slots[SLOT_NOW] = cel_timestamp(1790000000, 0);
	subject->slots[SLOT_TERRITORY] = cel_object(&subject->territories.object);
	subject->slots[SLOT_FACTS] = some_facts(dice, subject, arena);
	subject->slots[SLOT_GRADE] = cel_string(a_text(dice));
	subject->slots[SLOT_SCORE] = cel_int((int64_t)roll(dice, 9) - 1);
	subject->slots[SLOT_VIP] = cel_bool(roll(dice, 2));
}

/* ---- comparing */

static void compare_matches(const struct rule_set *set, const struct subject *subject, struct arena *scratch)
{
	struct match plain, indexed;
	match_routes(&set->plain, &subject->lead, subject->slots, scratch, &plain);
	match_routes(&set->indexed, &subject->lead, subject->slots, scratch, &indexed);
	assert_ptr_equal(plain.route, indexed.route);
	assert_int_equal(plain.not_shown, indexed.not_shown);
	assert_int_equal(plain.tried_count, indexed.tried_count);
	if (plain.route != NULL)
		assert_int_equal(plain.team, indexed.team);
	for (size_t i = 0; i < plain.tried_count; i++) {
		assert_ptr_equal(plain.tried[i].route, indexed.tried[i].route);
		assert_int_equal(plain.tried[i].result, indexed.tried[i].result);
		assert_ptr_equal(plain.tried[i].clause.p, indexed.tried[i].clause.p);
	}
}

/* Candidates come in order, and what lies between them is not true. Returns their number. */
static size_t check_candidates(const struct rule_set *set, const struct cel_value *slots, struct arena *scratch)
{
	struct index_walk walk;
	size_t next = 0, count = 0, candidate;
	index_walk_begin(&walk, set->indexed.route_index, slots, scratch);
	do {
		candidate = index_walk_next(&walk);
		for (; next < set->plain.route_count && next < candidate; next++) {
			assert_non_null(set->programs[next]);
			struct cel_value value = cel_eval(set->programs[next], slots, scratch, CEL_DEFAULT_STEPS);
			assert_false(cel_is_true(value));
		}
		assert_true(candidate == SIZE_MAX || candidate == next);
		count += candidate != SIZE_MAX;
		next++;
	} while (candidate != SIZE_MAX);
	return count;
}

static void compare(uint64_t seed, size_t rules, size_t leads)
{
	struct dice dice = {seed * 0x9E3779B97F4A7C15 + 1};
	struct rule_set *set = rule_set_new(&dice, rules);
	struct arena scratch = ARENA_INIT;
	size_t candidates = 0;
	for (size_t i = 0; i < leads; i++) {
		struct subject subject;
		arena_reset(&scratch);
		throw_subject(&dice, set, &scratch, &subject);
		compare_matches(set, &subject, &scratch);
		candidates += check_candidates(set, subject.slots, &scratch);
	}
	if (rules >= 100) /* of the clauses four in five are looked up, so few rules are left */
		assert_true(candidates < rules * leads / 4);
	arena_done(&scratch);
	rule_set_free(set);
}

static void test_small_sets(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 250; seed++)
		compare(seed, seed % 64, 400);
}

static void test_large_sets(void **state)
{
	(void)state;
	static const size_t sizes[] = {511, 512, 513, 1024, RULES_MOST};
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		compare(1000 + i, sizes[i], 300);
}

/* ---- what it is there for: of rules that it understands in full, only true ones are left */

static void set_rule(struct rule_set *set, size_t i, const char *text)
{
	set->programs[i] = compile(set, text);
	set->routes[i] = (struct route){.when = set->programs[i], .team_by = SIZE_MAX};
}

/* `pattern` with the number of the rule for # and the next one for @. */
static void put_pattern(struct strbuf *out, const char *pattern, size_t i)
{
	strbuf_clear(out);
	for (; *pattern != '\0'; pattern++) {
		if (*pattern == '#' || *pattern == '@')
			strbuf_put_int(out, (int64_t)i + (*pattern == '@'));
		else
			strbuf_putc(out, *pattern);
	}
}

static void only_the_last_is_left(const char *pattern, const struct cel_value *slots)
{
	struct rule_set *set = calloc(1, sizeof *set);
	struct arena scratch = ARENA_INIT;
	struct strbuf text = STRBUF_INIT;
	declare(set);
	for (size_t i = 0; i < RULES_MOST; i++) {
		put_pattern(&text, pattern, i);
		set_rule(set, i, strbuf_text(&text));
	}
	strbuf_done(&text);
	make_models(set, RULES_MOST);
	struct index_walk walk;
	index_walk_begin(&walk, set->indexed.route_index, slots, &scratch);
	assert_int_equal(index_walk_next(&walk), RULES_MOST - 1);
	assert_int_equal(index_walk_next(&walk), SIZE_MAX);
	arena_done(&scratch);
	rule_set_free(set);
}

static void test_one_is_left(void **state)
{
	(void)state;
	struct lead lead;
	lead_init(&lead);
	lead.source = lead.contact.email = SLICE("web1499");
	lead.location.country = SLICE("DE");
	lead.company.employees = (struct lead_int){true, RULES_MOST - 1};
	lead.interest.budget.amount = (struct lead_real){true, RULES_MOST - 1};
	struct cel_value slots[SLOTS] = {
		[SLOT_LEAD] = cel_object(&lead.objects[SCHEMA_LEAD]),
		[SLOT_ACCOUNT] = cel_object(&lead.objects[SCHEMA_ACCOUNT]), [SLOT_SCORE] = cel_int(RULES_MOST - 1)};
	const struct cel_entry facts[] = {{cel_string(SLICE("size")), cel_int(RULES_MOST - 1)},
					  {cel_string(SLICE("area")), cel_string(SLICE("area 1499"))}};
	struct arena arena = ARENA_INIT;
	slots[SLOT_FACTS] = cel_map(cel_map_of(&arena, facts, 2));
	only_the_last_is_left("lead.source == 'web#'", slots);
	only_the_last_is_left("lead.location.country == 'DE' && lead.source in ['x', 'web#']", slots);
	only_the_last_is_left("lead.source.startsWith('web#') && score == #", slots);
	only_the_last_is_left("lead.contact.email.endsWith('b#') && lead.contact.email.startsWith('web')", slots);
	only_the_last_is_left("score >= # && score < @", slots);
	only_the_last_is_left("has(lead.company.employees) && lead.company.employees == #", slots);
	only_the_last_is_left("lead.interest.budget.amount >= #.0 && lead.interest.budget.amount < @.0", slots);
	only_the_last_is_left("lead.location.country != 'US' && score in [#, -1]", slots);
	only_the_last_is_left("facts['size'] == #", slots);
	only_the_last_is_left("'area' in facts && facts['area'] == 'area #' && facts['size'] > 3", slots);
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small_sets),
		cmocka_unit_test(test_large_sets),
		cmocka_unit_test(test_one_is_left),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
