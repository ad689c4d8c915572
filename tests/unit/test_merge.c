/* SPDX-License-Identifier: Apache-2.0
 *
 * Leads that are merged and taken apart at random: the survivor is at any time what it would be had only those gone into it
 * that are still in it, in the same order.
 */
#include "tests/unit/core_rig.h"

#include "rules/idents.h"

enum { LEADS = 6, STEPS = 40, ROUNDS = 60, MERGES_MAX = LEADS };

/* What a criterion reads is kept. */
static const char CONFIG[] =
	"reps: [ana]\n"
	"teams: [{id: all, reps: [ana], criteria: [{name: nobody, when: 'rep.id == \"x\" && lead.company.industry == \"x\" && "
	"lead.location.city == \"x\" && lead.location.country == \"x\" && lead.intent == \"x\" && lead.company.employees == 1 && "
	"lead.interest.budget.amount == 1.5'}]}]\n"
	"ownership: {match: [{by: account}, {by: company}]}\n"
	"routes: [{name: rest, team: all}]\n";

static uint32_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33);
}

static const char *maybe(uint64_t *random, const char *member)
{
	return next_random(random) % 2 == 0 ? member : "";
}

/* A lead with some of the fields, of some company; its own address unless it is a `repeat` of the first. */
static const char *random_lead(struct rig *rig, uint64_t seed, int number, bool is_repeat)
{
	static const char *const intents[] = {"", "\"intent\":\"potential\",", "\"intent\":\"clear\",", "\"intent\":\"high\","};
	uint64_t random = seed * 1000 + (uint64_t)number;
	for (int i = 0; i < 5; i++)
		(void)next_random(&random);
	const char *intent = intents[next_random(&random) % 4];
	const char *domain = maybe(&random, arena_printf(&rig->arena, "\"domain\":\"d%u.example\",", (unsigned)(next_random(&random) % 2)));
	const char *industry = maybe(&random, arena_printf(&rig->arena, "\"industry\":\"i%d\",", number % 4));
	const char *budget = maybe(&random, arena_printf(&rig->arena, "\"amount\":%d.5,", number));
	const char *city = maybe(&random, arena_printf(&rig->arena, "\"city\":\"c%d\",", number));
	const char *country = maybe(&random, arena_printf(&rig->arena, "\"country\":\"D%c\",", 'A' + number));
	const char *text = arena_printf(&rig->arena, "{\"lead_id\":\"L%d\",\"source\":\"s%d\",%s\"contact\":{\"email\":\"p%d@gmail.com\"},"
	                                "\"company\":{%s%s\"employees\":%d},\"interest\":{\"budget\":{%s\"currency\":\"EUR\"}},"
	                                "\"location\":{%s%s\"region\":\"\"}}",
	                                number, number % 3, intent, is_repeat ? 0 : number, domain, industry, number % 3 + 1, budget, city, country);
	return text;
}

struct merge {
	int survivor, other;
};

struct history {
	size_t count;
	struct merge merges[MERGES_MAX];
};

static struct lead_state lead_of(struct rig *rig, int number)
{
	return rig_state(rig, arena_printf(&rig->arena, "L%d", number));
}

static struct decision order(struct rig *rig, const char *what, int lead, int other)
{
	return rig_act(rig, arena_printf(&rig->arena, "{\"type\":\"activity.%s\",\"lead_id\":\"L%d\",\"other\":\"L%d\",\"actor\":\"mia\"}",
	                                 what, lead, other));
}

static void expect_equal(uint64_t round, int lead, const char *what, struct slice is, struct slice wanted)
{
	if (!slice_equal(is, wanted))
		fail_msg("round %d, L%d: %s \"%.*s\" is not \"%.*s\"", (int)round, lead, what, SLICE_ARG(is), SLICE_ARG(wanted));
}

/* Of a company's keys which, in any order: a lead that was split off takes its turn with them. */
static size_t count_accounts(const struct lead_state *state, const struct lead_state *of)
{
	size_t count = 0;
	for (size_t i = 0; i < state->idents.count; i++)
		count += ident_is_account(state->idents.items[i]) && ident_is_listed(&of->idents, of->idents.count, state->idents.items[i]);
	return count;
}

static void expect_same_survivor(uint64_t round, int lead, const struct lead_state *is, const struct lead_state *wanted)
{
	expect_equal(round, lead, "kept", is->kept, wanted->kept);
	expect_equal(round, lead, "added", is->added, wanted->added);
	expect_equal(round, lead, "source", is->source, wanted->source);
	assert_int_equal(is->bar, wanted->bar);
	assert_int_equal(is->duplicates, wanted->duplicates);
	assert_int_equal(is->from.count, wanted->from.count);
	for (size_t i = 0; i < is->from.count; i++)
		expect_equal(round, lead, "from", is->from.items[i], wanted->from.items[i]);
	assert_int_equal(count_accounts(is, is), count_accounts(wanted, wanted));
	assert_int_equal(count_accounts(is, wanted), count_accounts(wanted, is));
	assert_int_equal(count_accounts(is, is), count_accounts(is, wanted));
}

/* ---- orders */

static void open_leads(struct rig *rig, uint64_t round)
{
	rig_open(rig, CONFIG);
	for (int i = 0; i < LEADS; i++) {
		assert_int_equal(rig_lead(rig, random_lead(rig, round, i, false)).outcome, OUTCOME_ASSIGNED);
		rig->now_ms += 1000;
	}
}

static void note_merge(struct history *history, int survivor, int other)
{
	history->merges[history->count++] = (struct merge){survivor, other};
}

static void note_split(struct history *history, int survivor, int other)
{
	size_t kept = 0;
	for (size_t i = 0; i < history->count; i++)
		if (history->merges[i].survivor != survivor || history->merges[i].other != other)
			history->merges[kept++] = history->merges[i];
	history->count = kept;
}

static void merge_or_split(struct rig *rig, struct history *history, uint64_t *random)
{
	int a = (int)(next_random(random) % LEADS), b = (int)(next_random(random) % LEADS);
	bool is_split = next_random(random) % 2 == 0;
	enum lead_status before = lead_of(rig, b).status;
	rig->now_ms += 1000;
	if (a == b || a > b)
		return;
	struct decision decision = order(rig, is_split ? "split" : "merge", a, b);
	if (decision.outcome != OUTCOME_ACTIVITY || before == lead_of(rig, b).status)
		return;
	if (is_split)
		note_split(history, a, b);
	else
		note_merge(history, a, b);
}

static void expect_as_if_merged_once(struct rig *rig, const struct history *history, uint64_t round)
{
	struct rig again;
	open_leads(&again, round);
	for (size_t i = 0; i < history->count; i++)
		assert_int_equal(order(&again, "merge", history->merges[i].survivor, history->merges[i].other).outcome, OUTCOME_ACTIVITY);
	for (int i = 0; i < LEADS; i++) {
		struct lead_state is = lead_of(rig, i), wanted = lead_of(&again, i);
		expect_same_survivor(round, i, &is, &wanted);
	}
	rig_close(&again);
}

static void the_survivor_is_what_remains_in_it(void **state)
{
	(void)state;
	size_t splits = 0;
	for (uint64_t round = 1; round <= ROUNDS; round++) {
		struct rig rig;
		struct history history = {0};
		uint64_t random = round * 7919;
		open_leads(&rig, round);
		for (int i = 0; i < STEPS; i++) {
			size_t before = history.count;
			merge_or_split(&rig, &history, &random);
			splits += history.count < before;
			if (history.count != before)
				expect_as_if_merged_once(&rig, &history, round);
		}
		rig_close(&rig);
	}
	assert_true(splits > ROUNDS);
}

/* ---- records of one person */

static void feed(struct rig *rig, uint64_t round, unsigned without)
{
	rig_open(rig, CONFIG);
	for (int i = 0; i < LEADS; i++, rig->now_ms += 1000)
		if ((without >> i & 1) == 0)
			assert_int_equal(rig_lead(rig, random_lead(rig, round, i, true)).outcome, i == 0 ? OUTCOME_ASSIGNED : OUTCOME_DUPLICATE);
}

static void records_that_were_split_off_leave_nothing_behind(void **state)
{
	(void)state;
	for (uint64_t round = 1; round <= ROUNDS; round++) {
		struct rig rig, again;
		uint64_t random = round * 104729;
		unsigned gone = 0;
		feed(&rig, round, 0);
		for (int i = 0; i < LEADS; i++) {
			int other = 1 + (int)(next_random(&random) % (LEADS - 1));
			if ((gone >> other & 1) != 0)
				continue;
			gone |= 1u << other;
			assert_int_equal(order(&rig, "split", 0, other).outcome, OUTCOME_ACTIVITY);
			feed(&again, round, gone);
			struct lead_state is = lead_of(&rig, 0), wanted = lead_of(&again, 0);
			expect_same_survivor(round, 0, &is, &wanted);
			rig_close(&again);
		}
		rig_close(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_survivor_is_what_remains_in_it),
		cmocka_unit_test(records_that_were_split_off_leave_nothing_behind),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
