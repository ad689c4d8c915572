/* SPDX-License-Identifier: Apache-2.0
 *
 * What static analysis says of routes is true of leads: a route that is called unreachable or never true wins no lead, in
 * hundreds of random rule sets with random leads (N=20000 for more). The texts of the warnings are in tests/rules/diag.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/yaml.h"
#include "rules/base/arena.h"
#include "rules/base/diag.h"
#include "rules/base/strbuf.h"
#include "rules/cel/value.h"
#include "rules/json/tree.h"
#include "rules/match.h"
#include "rules/model.h"
#include "rules/model/lint_clause.h"
#include "rules/schema.h"
#include "rules/score.h"

enum { RULE_SETS = 800, LEADS_EACH = 60, ROUTES_MAX = 9, CLAUSES_MAX = 4 };

#define PICK(random, list) (list)[pick(random, sizeof(list) / sizeof *(list))]

struct random {
	uint64_t state;
};

static size_t pick(struct random *random, size_t count)
{
	random->state = random->state * 6364136223846793005u + 1442695040888963407u;
	return (size_t)(random->state >> 33) % count;
}

/* ---- rule sets */

static const char *const sources[] = {"web", "fair", "other"};
static const char *const intents[] = {"", "high", "clear", "potential"};
static const char *const countries[] = {"", "DE", "FR", "DEX"};
static const char *const emails[] = {"", "a@b.c", "aa@b.c", "x@bb.c"};
static const char *const regions[] = {"all", "west", ""};
static const char *const orders[] = {"==", "!=", "<", "<=", ">", ">="};

static void put_text_clause(struct random *random, struct strbuf *out, const char *field, const char *const *values,
                            size_t count)
{
	const char *value = values[pick(random, count)], *other = values[pick(random, count)];
	switch (pick(random, 8)) {
	case 0:
		strbuf_printf(out, "has(%s)", field);
		break;
	case 1:
		strbuf_printf(out, "%s in [\"%s\", \"%s\"]", field, value, other);
		break;
	case 2:
		strbuf_printf(out, "%s.startsWith(\"%.*s\")", field, (int)pick(random, 3), value);
		break;
	case 3:
		strbuf_printf(out, "%s.endsWith(\"%s\")", field, value + (value[0] != '\0' ? pick(random, 2) : 0));
		break;
	case 4:
		strbuf_printf(out, "\"%s\" %s %s", value, PICK(random, orders), field);
		break;
	case 5:
		strbuf_printf(out, "%s == \"%s\" || \"%s\" == %s", field, value, other, field);
		break;
	default:
		strbuf_printf(out, "%s %s \"%s\"", field, pick(random, 2) ? "==" : "!=", value);
	}
}

static void put_number_clause(struct random *random, struct strbuf *out, const char *field, const char *fraction)
{
	const char *order = PICK(random, orders);
	if (pick(random, 5) == 0)
		strbuf_printf(out, "has(%s)", field);
	else if (pick(random, 3) == 0)
		strbuf_printf(out, "%zu%s %s %s", pick(random, 5), fraction, order, field);
	else
		strbuf_printf(out, "%s %s %zu%s", field, order, pick(random, 5), fraction);
}

static void put_clause(struct random *random, struct strbuf *out)
{
	switch (pick(random, 10)) {
	case 0:
		put_text_clause(random, out, "lead.source", sources, 3);
		break;
	case 1:
	case 2:
		put_text_clause(random, out, "lead.intent", intents, 4);
		break;
	case 3:
		put_text_clause(random, out, "lead.location.country", countries, 4);
		break;
	case 4:
		put_text_clause(random, out, "lead.contact.email", emails, 4);
		break;
	case 5:
		put_number_clause(random, out, "lead.company.employees", "");
		break;
	case 6:
		put_number_clause(random, out, "lead.interest.budget.amount", ".0");
		break;
	case 7:
		put_text_clause(random, out, pick(random, 2) ? "territory.part" : "territory.whole", regions, 3);
		break;
	case 8:
		if (pick(random, 2))
			strbuf_printf(out, "grade %s \"%c\"", pick(random, 2) ? "==" : "!=", "ABD"[pick(random, 3)]);
		else
			strbuf_printf(out, "score %s %zu", PICK(random, orders), pick(random, 5));
		break;
	default:
		strbuf_printf(out, "%s", PICK(random, ((const char *const[]){
							 "facts[\"x\"] == 1", "(lead.source == \"web\" || grade == \"A\")",
							 "!(has(lead.intent))", "lead.source  ==\"web\" || facts[\"x\"] == 2",
							 "lead.contact.title.contains(\"a\")", "size(facts) >= 0"})));
	}
}

static void put_part(struct random *random, struct strbuf *out, int depth);

static void put_parts(struct random *random, struct strbuf *out, const char *first, const char *second, int depth)
{
	put_part(random, out, depth);
	strbuf_puts(out, first);
	put_part(random, out, depth);
	if (*second == '\0')
		return;
	strbuf_puts(out, second);
	put_part(random, out, depth);
}

/* A clause, or a choice of clauses: every part in brackets. */
static void put_part(struct random *random, struct strbuf *out, int depth)
{
	static const char *const joins[][2] = {{" && ", " || "}, {" || ", ""}, {" || ", " && "}, {" ? ", " : "}, {" && ", ""}};
	bool is_choice = depth > 0 && pick(random, 4) == 0;
	strbuf_puts(out, pick(random, 5) == 0 ? "!(" : "(");
	if (is_choice) {
		size_t join = pick(random, sizeof joins / sizeof *joins);
		put_parts(random, out, joins[join][0], joins[join][1], depth - 1);
	} else {
		put_clause(random, out);
	}
	strbuf_putc(out, ')');
}

static void put_condition(struct random *random, struct strbuf *out)
{
	size_t count = 1 + pick(random, CLAUSES_MAX);
	for (size_t i = 0; i < count; i++) {
		strbuf_puts(out, i ? " && " : "");
		if (pick(random, 4) == 0) {
			put_part(random, out, 3);
			continue;
		}
		bool is_negated = pick(random, 6) == 0;
		strbuf_puts(out, is_negated ? "!(" : count > 1 ? "(" : "");
		put_clause(random, out);
		strbuf_puts(out, is_negated || count > 1 ? ")" : "");
	}
}

enum { FIRST_LINE = 13 };

static void put_rules(struct random *random, struct strbuf *out)
{
	strbuf_puts(out, "dedup: {identity_key_file: k}\ncleanse: {sources: [web, fair]}\nreps: [a]\n"
	                 "teams: [{id: all, reps: [a]}, {id: west, reps: [a]}]\nterritories:\n"
	                 "  part: [{country: DE, area: all}, {country: FR, area: west}]\n"
	                 "  whole: [{country: DE, area: all}, {area: west}]\n"
	                 "score:\n  base: 1\n  criteria: [{name: c, points: 2, when: lead.source == 'web'}]\n"
	                 "  grades: [{grade: A, from: 2}, {grade: B, from: 1}, {grade: D, from: lowest, stops: true}]\n"
	                 "routes:\n");
	size_t count = 1 + pick(random, ROUTES_MAX);
	for (size_t i = 0; i < count; i++) {
		bool is_bare = pick(random, 12) == 0;
		strbuf_printf(out, "  - {name: r%zu, ", i);
		strbuf_puts(out, is_bare ? "" : "when: '");
		if (!is_bare)
			put_condition(random, out);
		strbuf_puts(out, is_bare ? "" : "', ");
		size_t target = is_bare ? 1 + pick(random, 2) : pick(random, 5);
		strbuf_puts(out, target == 1 ? "team_by: part}\n" : target == 2 ? "team_by: whole}\n" : "team: all}\n");
	}
	strbuf_puts(out, "  - {name: rest, team: all}\n");
}

/* ---- leads */

static struct slice text_of(struct random *random, const char *const *values, size_t count)
{
	return slice_of(values[pick(random, count)]);
}

static void make_lead(struct random *random, struct lead *lead)
{
	lead_init(lead);
	lead->lead_id = SLICE("L1");
	lead->source = text_of(random, sources, 3);
	lead->intent = text_of(random, intents, 4);
	lead->location.country = text_of(random, countries, 4);
	lead->contact.email = text_of(random, emails, 4);
	lead->contact.title = pick(random, 2) ? SLICE("a") : SLICE_NONE;
	if (pick(random, 4))
		lead->company.employees = (struct lead_int){true, (int64_t)pick(random, 6)};
	if (pick(random, 4))
		lead->interest.budget.amount = (struct lead_real){true, (double)pick(random, 12) / 2};
}

struct verdicts {
	bool is_called[ROUTES_MAX + 1]; /* unreachable or never true */
	size_t shadowed, never, alternatives, choices;
};

static void read_verdicts(struct diags *diags, struct verdicts *verdicts)
{
	size_t count;
	const struct diag *list = diags_sorted(diags, &count);
	for (size_t i = 0; i < count; i++) {
		bool is_shadowed = list[i].code == ERR_SHADOWED_ROUTE, is_never = list[i].code == ERR_NEVER_MATCHES;
		if (strncmp(list[i].message, "this alternative", 16) == 0) {
			verdicts->alternatives++; /* the route has others */
			continue;
		}
		verdicts->choices += strcmp(list[i].message, "none of these alternatives is ever true") == 0;
		if (!is_shadowed && !is_never)
			continue;
		assert_in_range(list[i].place.line, FIRST_LINE, FIRST_LINE + ROUTES_MAX);
		verdicts->is_called[list[i].place.line - FIRST_LINE] = true;
		verdicts->shadowed += is_shadowed;
		verdicts->never += is_never;
	}
}

static void route_one(struct random *random, const struct model *model, const struct verdicts *verdicts, const char *rules)
{
	struct arena scratch = ARENA_INIT;
	struct lead lead;
	struct match match;
	struct cel_entry fact = {cel_string(SLICE("x")), cel_int((int64_t)pick(random, 3))};
	struct score_range range = score_range(model);
	int32_t score = range.least + (int32_t)pick(random, (size_t)(range.most - range.least) + 1);
	make_lead(random, &lead);
	struct schema_territories territories;
	schema_territories_init(&territories, model->env, model->territories, &lead);
	const struct cel_value slots[SCHEMA_SLOTS] = {
		[SLOT_LEAD] = cel_object(&lead.objects[SCHEMA_LEAD]),
		[SLOT_ACCOUNT] = cel_object(&lead.objects[SCHEMA_ACCOUNT]),
		[SLOT_NOW] = cel_timestamp(1795300000, 0),
		[SLOT_TERRITORY] = cel_object(&territories.object),
		[SLOT_FACTS] = cel_map(cel_map_of(&scratch, &fact, pick(random, 2))),
		[SLOT_GRADE] = cel_string(pick(random, 2) ? SLICE("A") : SLICE("B")),
		[SLOT_SCORE] = cel_int(score),
	};
	match_routes(model, &lead, slots, &scratch, &match);
	assert_non_null(match.route);
	if (verdicts->is_called[match.route - model->routes])
		fail_msg("the route %.*s won, in:\n%s", SLICE_ARG(match.route->name), rules);
	arena_done(&scratch);
}

static int read_key(void *ctx, struct slice path, bool is_secret, struct arena *arena, struct slice *ret_bytes,
                    struct err *err)
{
	(void)ctx, (void)path, (void)is_secret, (void)arena, (void)err;
	*ret_bytes = SLICE("0123456789abcdef0123456789abcdef");
	return 0;
}

static void try_rule_set(struct random *random, struct verdicts *sum)
{
	struct arena arena = ARENA_INIT;
	struct strbuf rules = STRBUF_INIT;
	struct diags *diags = diags_new();
	struct verdicts verdicts = {{false}, 0, 0, 0, 0};
	const struct model_files files = {read_key, NULL};
	put_rules(random, &rules);
	const struct node *root = yaml_read(source_new(&arena, "r.yaml", (struct slice){rules.bytes, rules.len}), &arena, diags);
	struct model *model = root != NULL ? model_build(root, &files, &arena, diags) : NULL;
	if (model == NULL) {
		struct strbuf said = STRBUF_INIT;
		diags_render(diags, false, &said);
		fail_msg("%s\n%s", strbuf_text(&said), strbuf_text(&rules));
	}
	read_verdicts(diags, &verdicts);
	for (size_t i = 0; i < LEADS_EACH; i++)
		route_one(random, model, &verdicts, strbuf_text(&rules));
	sum->shadowed += verdicts.shadowed;
	sum->never += verdicts.never;
	sum->alternatives += verdicts.alternatives;
	sum->choices += verdicts.choices;
	model_done(model);
	diags_free(diags);
	strbuf_done(&rules);
	arena_done(&arena);
}

static void a_route_that_is_called_unreachable_never_wins(void **state)
{
	(void)state;
	struct random random = {20261122};
	struct verdicts sum = {{false}, 0, 0, 0, 0};
	size_t count = getenv("N") != NULL ? strtoul(getenv("N"), NULL, 10) : RULE_SETS;
	for (size_t i = 0; i < count; i++)
		try_rule_set(&random, &sum);
	print_message("%zu shadowed, %zu never true (%zu of them choices), %zu alternatives in %zu rule sets\n", sum.shadowed,
	              sum.never, sum.choices, sum.alternatives, count);
	assert_true(sum.shadowed > count / 4 && sum.never > count / 4 && sum.choices > count / 400 && sum.alternatives > count / 10);
}

static void blanks_are_made_even_outside_of_texts_only(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{" a  in\n[ 'x y' ] ", "a in['x y']"}, {"a=='  '", "a=='  '"},      {"a // b\n", "a // b\n"},
		{"'a\\'  b'", "'a\\'  b'"},            {"a ? b : c", "a?b:c"},      {"\"it's\"  ==  a", "\"it's\"==a"},
	};
	struct arena arena = ARENA_INIT;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct slice even = lint_even_text(slice_of(cases[i][0]), &arena);
		assert_true(slice_is(even, cases[i][1]));
	}
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_route_that_is_called_unreachable_never_wins),
		cmocka_unit_test(blanks_are_made_even_outside_of_texts_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
