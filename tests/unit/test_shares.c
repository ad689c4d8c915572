/* SPDX-License-Identifier: Apache-2.0
 *
 * Shares where turns are given back and leads move by orders (semantics.md 2.1, 2.2), in both forms of rotation, with random
 * weights: leads, declines, orders to somebody or to the team, bad leads, reps who come and go, leads that few may have.
 *
 *   - the ledger in the events is that of the rotation: a lead costs one rep one turn at most, and only that one comes back
 *   - all credits together are 0 at any time
 *   - afterwards every block of (sum of weights) leads is exact again
 *   - and nobody is farther from his share than what `leadctl ring` says
 */
#include "tests/unit/core_rig.h"

#include <math.h>

#include "rules/pool_report.h"

enum { REPS = 5, STEPS = 120, LEADS_MAX = STEPS, SEEDS = 40, SETTLE_ROUNDS = 60, WEIGHT_MAX = 5 };

struct run {
	struct rig rig;
	uint64_t random;
	bool is_credit, has_manual;  /* an order counts as a turn, too */
	int weights[REPS], sum;
	int leads, quiet_leads;
	int holder[LEADS_MAX + 1];   /* whose turn lead n cost; -1: nobody's */
	int given[REPS];
};

static unsigned pick(struct run *run, unsigned below)
{
	run->random = run->random * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(run->random >> 33) % below;
}

static void run_open(struct run *run, uint64_t seed, bool is_credit, bool has_manual)
{
	*run = (struct run){.random = seed * 7919, .is_credit = is_credit, .has_manual = has_manual};
	struct strbuf text = STRBUF_INIT;
	strbuf_puts(&text, "reps: [");
	for (int i = 0; i < REPS; i++)
		strbuf_printf(&text, "%s{id: r%d, attributes: {few: %d}}", i ? ", " : "", i, i < 2);
	strbuf_puts(&text, "]\nlifecycle: {credit_back: [no_need]}\nroutes: [{name: rest, team: all}]\nteams: [{id: all, reps: [");
	for (int i = 0; i < REPS; i++) {
		run->weights[i] = 1 + (int)pick(run, WEIGHT_MAX);
		run->sum += run->weights[i];
		strbuf_printf(&text, "%s{rep: r%d, weight: %d}", i ? ", " : "", i, run->weights[i]);
	}
	strbuf_printf(&text, "], rotation: %s, moves: [%s], "
	                     "criteria: [{name: few, when: 'lead.intent != \"high\" || rep.attributes.few == 1'}]}]\n",
	              is_credit ? "credit" : "stride", has_manual ? "automatic, manual" : "automatic");
	rig_open(&run->rig, strbuf_text(&text));
	strbuf_done(&text);
	for (size_t i = 0; i <= LEADS_MAX; i++)
		run->holder[i] = -1;
}

/* ---- what the events say */

static int number_in(struct slice text)
{
	assert_true(text.len >= 2);
	return atoi(text.p + 1);
}

static void book(struct run *run, int lead, const struct json *entry)
{
	int rep = number_in(json_get_text(entry, "rep"));
	bool is_debit = slice_is(json_get_text(entry, "entry"), "debit");
	if (run->holder[lead] != (is_debit ? -1 : rep))
		fail_msg("L%d: %s of r%d, and r%d had its turn", lead, is_debit ? "a debit" : "a credit-back", rep, run->holder[lead]);
	run->holder[lead] = is_debit ? rep : -1;
	run->given[rep] += is_debit ? 1 : -1;
}

static void book_all(struct run *run, const struct decision *decision)
{
	for (size_t i = 0; i < decision->event_count; i++) {
		const struct json *value = rig_value(&run->rig, &decision->events[i]);
		const struct json *ledger = json_get(value, "ledger");
		for (size_t at = 0; ledger != NULL && at < ledger->count; at++)
			book(run, number_in(json_get_text(value, "lead_id")), &ledger->items[at]);
	}
}

/* ---- what the rotation says */

static const struct json *report_of(struct run *run)
{
	struct strbuf text = STRBUF_INIT;
	struct json_writer writer = JSON_WRITER(&text);
	json_open_object(&writer, NULL);
	pool_report(&writer, "ring", run->rig.model, store_view(&run->rig.store), 0, run->rig.now_ms);
	json_close_object(&writer);
	struct slice copy = {arena_memdupz(&run->rig.arena, text.bytes, text.len), text.len};
	strbuf_done(&text);
	const struct json *root = json_read(copy, (struct json_limits){1 << 16, 8, 1000}, &run->rig.arena, NULL);
	return &json_get(json_get(root, "ring"), "lanes")->items[0];
}

static double real_of(const struct json *value)
{
	assert_non_null(value);
	return value->type == JSON_IS_INT ? (double)value->integer : value->real;
}

static void expect_ledger(struct run *run)
{
	const struct json *members = json_get(report_of(run), "members");
	int64_t credits = 0;
	for (int i = 0; i < REPS; i++) {
		const struct json *member = &members->items[i];
		if (json_get(member, "given")->integer != run->given[i])
			fail_msg("r%d was given %lld, and the ledger says %d", i, (long long)json_get(member, "given")->integer, run->given[i]);
		credits += strtoll(json_get_text(member, "position").p, NULL, 10);
	}
	if (run->is_credit && credits != 0)
		fail_msg("the credits are %lld together", (long long)credits);
}

/* Each lead that somebody has cost him his turn, and one that was none cost nobody anything. */
static void expect_holders(struct run *run)
{
	for (int lead = 0; run->has_manual && lead < run->leads; lead++) {
		struct lead_state state = rig_state(&run->rig, arena_printf(&run->rig.arena, "L%d", lead));
		int owner = state.owner.len != 0 && state.status != LEAD_INVALID ? number_in(state.owner) : -1;
		if (run->holder[lead] != owner)
			fail_msg("L%d is r%d's, and cost r%d a turn", lead, owner, run->holder[lead]);
	}
}

/* Where all leads were for all, nobody is farther from his share than the rounds that are published. */
static void expect_bound(struct run *run)
{
	const struct json *lane = report_of(run), *members = json_get(lane, "members");
	double lag = real_of(json_get(lane, "lag_rounds"));
	for (int i = 0; i < REPS; i++) {
		const struct json *member = &members->items[i];
		double off = fabs(real_of(json_get(member, "given")) - real_of(json_get(member, "owed")));
		if (off > lag * run->weights[i] + 0.02)
			fail_msg("r%d is %.2f from his share, with a lag of %.3f rounds of %d", i, off, lag, run->weights[i]);
	}
}

/* ---- what happens */

static void lead_comes(struct run *run, const char *intent)
{
	struct decision decision = rig_lead(&run->rig, arena_printf(&run->rig.arena, "{\"lead_id\":\"L%d\",\"intent\":\"%s\",\"contact\":{\"wechat\":\"w%d\"}}",
	                                                            run->leads, intent, run->leads));
	book_all(run, &decision);
	run->leads++;
}

static void act(struct run *run, const char *type, const char *more)
{
	int lead = (int)pick(run, (unsigned)run->leads);
	struct decision decision = rig_act(&run->rig, arena_printf(&run->rig.arena, "{\"type\":\"activity.%s\",\"lead_id\":\"L%d\",\"actor\":\"boss\"%s}",
	                                                           type, lead, more));
	if (decision.outcome != OUTCOME_REJECTED)
		book_all(run, &decision);
}

static void presence(struct run *run, int rep, bool is_there)
{
	rig_act(&run->rig, arena_printf(&run->rig.arena, "{\"type\":\"rep.availability\",\"rep\":\"r%d\",\"status\":\"%s\"}", rep,
	                                is_there ? "available" : "away"));
}

static void step(struct run *run, bool is_for_all)
{
	run->rig.now_ms += 60000;
	switch (run->leads == 0 ? 0 : pick(run, is_for_all ? 6 : 10)) {
	default:
		lead_comes(run, "potential");
		return;
	case 3:
		act(run, "reassign", arena_printf(&run->rig.arena, ",\"to\":\"r%u\"", pick(run, REPS)));
		return;
	case 4:
		act(run, "disqualify", ",\"reason\":\"no_need\"");
		return;
	case 5:
		act(run, "status", ",\"status\":\"in_progress\",\"reason\":\"after_all\"");
		return;
	case 6:
		act(run, "decline", "");
		return;
	case 7:
		act(run, "reassign", ",\"team\":\"all\"");
		return;
	case 8:
		lead_comes(run, "high");
		return;
	case 9:
		presence(run, (int)pick(run, REPS - 1), pick(run, 2) == 0);
		return;
	}
}

/* A lead that leaves nothing behind but its turn. Returns whose it was. */
static int quiet_lead(struct run *run)
{
	struct decision decision = rig_lead(&run->rig, arena_printf(&run->rig.arena, "{\"lead_id\":\"Q%d\",\"contact\":{\"wechat\":\"q%d\"}}",
	                                                            run->quiet_leads, run->quiet_leads));
	run->quiet_leads++;
	int rep = number_in(decision.owner);
	run->given[rep]++;
	return rep;
}

static void expect_exact_blocks(struct run *run)
{
	int counts[REPS] = {0}, last[REPS * WEIGHT_MAX];
	for (int i = 0; i < REPS; i++)
		presence(run, i, true);
	for (int i = 0; i < SETTLE_ROUNDS * run->sum; i++)
		(void)quiet_lead(run);
	for (int i = 0; i < 3 * run->sum; i++) {
		if (i >= run->sum)
			counts[last[i % run->sum]]--;
		counts[last[i % run->sum] = quiet_lead(run)]++;
		for (int rep = 0; i + 1 >= run->sum && rep < REPS; rep++)
			if (counts[rep] != run->weights[rep])
				fail_msg("r%d has %d of a block of %d, and weighs %d", rep, counts[rep], run->sum, run->weights[rep]);
	}
}

static void play(uint64_t seed, bool is_credit, bool is_for_all)
{
	struct run run;
	run_open(&run, seed, is_credit, is_for_all || seed % 2 == 0);
	for (int i = 0; i < STEPS; i++) {
		step(&run, is_for_all);
		expect_ledger(&run);
		expect_holders(&run);
		if (is_for_all)
			expect_bound(&run);
	}
	expect_exact_blocks(&run);
	expect_ledger(&run);
	rig_close(&run.rig);
}

static void shares_by_stride(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		play(seed, false, seed % 3 == 0);
}

static void shares_by_credit(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		play(seed, true, seed % 3 == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares_by_stride),
		cmocka_unit_test(shares_by_credit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
