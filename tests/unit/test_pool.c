/* SPDX-License-Identifier: Apache-2.0
 *
 * Pools under random leads, presence and time (semantics.md 2.1–2.4), through the doors of rules.h:
 *
 *   - with a desk that stays or one that is made anew, and with any batch size: the same bytes
 *   - the log, replayed elsewhere: the same state
 *   - no cap is exceeded at any instant, nobody who is away gets anything
 *   - no later lead overtakes an earlier one of the same rank that waits for the same pool and that the same rep could take
 *   - nobody is offered again what he has declined, at most one owner at any time, each change counted once
 *
 * Leads are of one or two units, and some are declined.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/yaml.h"
#include "rules/base/arena.h"
#include "rules/base/diag.h"
#include "rules/base/source.h"
#include "rules/base/strbuf.h"
#include "rules/json/json.h"
#include "rules/model.h"
#include "rules/pool_report.h"
#include "rules/world.h"

enum { REPS = 6, STEPS = 160, SEEDS = 60, OPEN_MAX = 3, DAY_MAX = 7, HOUR_MAX = 4, WAITING_MAX = 400 };

static const int64_t START = 1795424400000; /* Monday 2026-11-23, 10:00 in Berlin */

static const char head[] =
	"dedup: {identity_key_file: none}\n"
	"score:\n"
	"  criteria: [{name: high, points: 40, when: lead.intent == \"high\"}]\n"
	"  grades: [{grade: A, from: 40}, {grade: B, from: lowest}]\n"
	"calendars:\n"
	"  office: {zone: Europe/Berlin, week: {mon-fri: [\"09:00-17:00\"]}}\n"
	"  late: {zone: Europe/Berlin, week: {mon-sat: [\"14:00-22:00\"]}}\n"
	"followup: {calendar: office}\n"
	"reps:\n"
	"  - {id: ana, attributes: {region: [DE, AT], cost: 2}}\n"
	"  - {id: bob, attributes: {region: [DE], cost: 1}}\n"
	"  - {id: cy, attributes: {region: [FR], cost: 1}, calendar: late}\n"
	"  - {id: dee, attributes: {region: [], cost: 3}}\n"
	"  - {id: eve, attributes: {region: [FR, DE], cost: 2}}\n"
	"  - {id: fay, attributes: {cost: 1}, active: false}\n"
	"preferences:\n"
	"  areas: [{value: DE, rep: bob}, {value: DE, rep: ana, rank: 2}, {value: FR, rep: eve}]\n"
	"routes:\n"
	"  - {name: big, when: lead.interest.product == \"big\", team: two}\n"
	"  - {name: rest, team: one}\n"
	"teams:\n"
	"  - {id: two, reps: [eve, {rep: ana, weight: 2}, dee], nobody: [{next_pool: one}, {wait: 90m}, {fallback_queue: desk}],\n"
	"     sizes: [{size: 2, when: lead.location.country == \"FR\"}],\n"
	"     capacity: {open: 3, caps: [{most: 7, per: day, zone: Europe/Berlin}, {most: 4, within: 1h}]}}\n";

/* Options of team one; all have the same limits, so that the test can count. */
static const char *const options[] = {
	"nobody: [wait]",
	"nobody: [{wait: 2h}, fallback_queue], keep_hours: true",
	"nobody: [wait], rotation: credit",
	"nobody: [{wait: 45m}, {wait: 45m}], choose_by: load, catch_up: full",
	"nobody: [wait], catch_up: none, keep_hours: true",
	"nobody: [wait], catch_up: {capped: 2}, lanes: [{name: hot, when: grade == \"A\"}]",
	"nobody: [wait], stale_after: 3h, criteria: [{name: table, prefer: {table: areas, by: lead.location.country}}, "
	"{name: region, when: lead.location.country in rep.attributes.region}, {name: cost, lowest: rep.attributes.cost}]",
	"nobody: [wait], balance: {threshold: 1}, criteria: [{name: region, when: lead.location.country in rep.attributes.region}], "
	"moves: [automatic, owner_match]",
	"nobody: [wait], stale_after: 1h}\ndegraded: {roster: last_word", /* the braces around it close the section */
	"nobody: [{wait: 2h}, fallback_queue], catch_up: none, keep_hours: true, stale_after: 2h}\ndegraded: {roster: last_word",
};
enum { OPTIONS = sizeof options / sizeof *options };

static int read_key(void *ctx, struct slice path, bool is_secret, struct arena *arena, struct slice *ret_bytes,
                    struct err *err)
{
	(void)ctx, (void)path, (void)is_secret, (void)arena, (void)err;
	*ret_bytes = SLICE("0123456789abcdef0123456789abcdef");
	return 0;
}

static struct model *build(const char *more, struct arena *arena)
{
	struct diags *diags = diags_new();
	const struct model_files files = {read_key, NULL};
	const char *text = arena_printf(arena,
	                                "%s  - {id: one, reps: [ana, {rep: bob, weight: 2}, cy, dee, fay], capacity: {open: %d, caps: "
	                                "[{most: %d, per: day, zone: Europe/Berlin}, {most: %d, within: 1h}]}, "
	                                "sizes: [{size: 2, when: lead.interest.product == \"plant\"}], %s}\n",
	                                head, OPEN_MAX, DAY_MAX, HOUR_MAX, more);
	const struct node *root = yaml_read(source_new(arena, "p.yaml", slice_of(text)), arena, diags);
	struct model *model = root != NULL ? model_build(root, &files, arena, diags) : NULL;
	if (model == NULL) {
		struct strbuf said = STRBUF_INIT;
		diags_render(diags, false, &said);
		fail_msg("%s", strbuf_text(&said));
	}
	diags_free(diags);
	return model;
}

/* ---- the events of a run: made once, played several times */

struct step {
	int64_t advance_ms;
	enum record_kind kind;
	const char *json;
};

static uint64_t random_state;

static unsigned pick(unsigned below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)(random_state % below);
}

/* What lead i counts in each team. */
static struct {
	int one, two;
} units[STEPS];

static const char *const reps[REPS] = {"ana", "bob", "cy", "dee", "eve", "fay"};

static struct step make_step(struct arena *arena, unsigned at)
{
	static const char *const places[] = {"DE", "FR", "AT", ""}, *const products[] = {"small", "small", "plant", "big"};
	struct step step = {.advance_ms = pick(5) == 0 ? (int64_t)pick(5) * 3600000 : (int64_t)pick(3) * 60000};
	if (pick(100) < 62) {
		unsigned place = pick(4), product = pick(4);
		units[at].one = product == 2 ? 2 : 1;
		units[at].two = place == 1 ? 2 : 1;
		step.kind = RECORD_CAPTURED;
		step.json = arena_printf(arena,
		                         "{\"lead_id\":\"L%u\",\"intent\":\"%s\",\"contact\":{\"email\":\"p%u@example.com\"},"
		                         "\"location\":{\"country\":\"%s\"},\"interest\":{\"product\":\"%s\"}%s}",
		                         at, pick(3) ? "clear" : "high", at, places[place], products[product],
		                         pick(12) ? "" : ",\"requested_owner\":\"dee\"");
		return step;
	}
	step.kind = RECORD_ACTIVITY;
	if (pick(3) == 0)
		step.json = arena_printf(arena, "{\"type\":\"rep.availability\",\"rep\":\"%s\",\"status\":\"%s\"}", reps[pick(REPS)],
		                         pick(3) ? "available" : "away");
	else if (pick(2))
		step.json = arena_printf(arena, "{\"type\":\"activity.decline\",\"lead_id\":\"L%u\"}", pick(at + 1));
	else
		step.json = arena_printf(arena, "{\"type\":\"activity.disqualify\",\"lead_id\":\"L%u\",\"reason\":\"no_need\"}", pick(at + 1));
	return step;
}

static struct world *play(const struct model *model, const struct step *steps, size_t batch, bool keeps_desk)
{
	struct world *world =
		world_new(model, &(struct world_settings){.batch = batch, .now_ms = START, .keeps_desk = keeps_desk});
	for (size_t i = 0; i < STEPS; i++) {
		world_advance(world, world_now_ms(world) + steps[i].advance_ms);
		world_feed(world, &(struct world_record){.kind = steps[i].kind, .value = slice_of(steps[i].json)});
	}
	world_advance(world, world_now_ms(world) + (int64_t)3 * 86400000);
	world_settle(world);
	return world;
}

static void put_events(const struct world *world, struct strbuf *out)
{
	for (size_t i = 0; i < world_decision_count(world); i++) {
		const struct decision *decision = &world_decision(world, i)->decision;
		for (size_t e = 0; e < decision->event_count; e++)
			strbuf_printf(out, "%.*s %.*s\n", SLICE_ARG(decision->events[e].id), SLICE_ARG(decision->events[e].value));
	}
}

static void expect_same(const struct strbuf *a, const struct strbuf *b, const char *what, const char *option)
{
	size_t at = 0;
	while (at < a->len && at < b->len && a->bytes[at] == b->bytes[at])
		at++;
	if (at == a->len && at == b->len)
		return;
	size_t from = at > 200 ? at - 200 : 0;
	fail_msg("%s differs with `%s`:\n%.400s\n---\n%.400s", what, option, strbuf_text(a) + from, strbuf_text(b) + from);
}

/* ---- what must hold, read off the events */

struct waiting {
	char id[16];
	char pool[8];
	size_t number;
	bool is_high;
	int64_t at_ms;
};

struct given {
	int64_t at_ms;
	size_t rep;
	bool is_open;
	int units;
	char id[16];
};

struct watch {
	struct waiting waiting[WAITING_MAX];
	size_t waiting_count;
	struct given given[WAITING_MAX];
	size_t given_count;
	int64_t captured_ms[STEPS]; /* of lead i */
	bool is_away[REPS];
	bool has_declined[STEPS][REPS];
	int64_t version[STEPS];     /* of ownership, as last told */
	size_t owner_plus_1[STEPS];
	size_t declined_count;
	struct arena arena;
};

static size_t find_rep(struct slice id)
{
	for (size_t i = 0; i < REPS; i++)
		if (slice_is(id, reps[i]))
			return i;
	return REPS;
}

static void drop_waiting(struct watch *watch, struct slice lead)
{
	for (size_t i = 0; i < watch->waiting_count; i++)
		if (slice_is(lead, watch->waiting[i].id)) {
			watch->waiting[i] = watch->waiting[--watch->waiting_count];
			return;
		}
}

static void check_caps(const struct watch *watch, size_t rep, int64_t now_ms)
{
	int open = 0, hour = 0, day = 0;
	int64_t midnight = (now_ms + 3600000) / 86400000; /* Berlin in winter */
	for (size_t i = 0; i < watch->given_count; i++) {
		const struct given *given = &watch->given[i];
		if (given->rep != rep)
			continue;
		open += given->is_open ? given->units : 0;
		hour += given->at_ms + 3600000 > now_ms ? given->units : 0;
		day += (given->at_ms + 3600000) / 86400000 == midnight ? given->units : 0;
	}
	if (open > OPEN_MAX || hour > HOUR_MAX || day > DAY_MAX)
		fail_msg("%s has %d open, %d in an hour, %d in a day", reps[rep], open, hour, day);
}

static int units_of(size_t number, struct slice pool)
{
	return slice_is(pool, "one") ? units[number].one : units[number].two;
}

/* An automatic gift of lead `number` to `rep` in `pool`: nobody better or older waits there whom he could take as well. */
static void check_order(const struct watch *watch, size_t number, struct slice pool, size_t rep, bool is_high)
{
	for (size_t i = 0; i < watch->waiting_count; i++) {
		const struct waiting *other = &watch->waiting[i];
		bool is_older = other->at_ms < watch->captured_ms[number];
		bool could_take = units_of(other->number, pool) <= units_of(number, pool) && !watch->has_declined[other->number][rep];
		if (slice_is(pool, other->pool) && number != other->number && could_take &&
		    (other->is_high > is_high || (other->is_high == is_high && is_older)))
			fail_msg("L%zu overtakes %s in pool %s", number, other->id, other->pool);
	}
}

static void close_given(struct watch *watch, struct slice lead)
{
	for (size_t i = 0; i < watch->given_count; i++)
		if (slice_is(lead, watch->given[i].id))
			watch->given[i].is_open = false;
}

/* Who had the lead has it no more, and each change of owner is told once and counted by one. */
static void check_owner(struct watch *watch, const struct json *json, size_t number, size_t rep_plus_1)
{
	const struct json *version = json_get(json, "ownership_version");
	struct slice previous = json_get_text(json, "previous_owner");
	if (version == NULL)
		return; /* it had nobody and has nobody */
	size_t before = watch->owner_plus_1[number];
	if (version->integer != watch->version[number] + 1 || (before == 0 ? previous.len != 0 : !slice_is(previous, reps[before - 1])))
		fail_msg("L%zu of %s, version %lld, goes from %.*s, version %lld", number, before ? reps[before - 1] : "nobody",
		         (long long)watch->version[number], SLICE_ARG(previous), (long long)version->integer);
	watch->version[number] = version->integer;
	watch->owner_plus_1[number] = rep_plus_1;
	if (before != 0 && slice_is(json_get_text(json, "reason"), "declined")) {
		watch->has_declined[number][before - 1] = true;
		watch->declined_count++;
	}
}

static void see_event(struct watch *watch, const struct event *event, int64_t now_ms)
{
	const struct json *json = json_read(event->value, (struct json_limits){1 << 20, 16, 10000}, &watch->arena, NULL);
	if (json == NULL)
		return; /* a reject: the original bytes */
	struct slice lead = json_get_text(json, "lead_id"), reason = json_get_text(json, "reason"), team = json_get_text(json, "team");
	bool is_high = slice_is(json_get_text(json, "grade"), "A");
	size_t number = lead.len > 1 ? strtoul(arena_memdupz(&watch->arena, lead.p + 1, lead.len - 1), NULL, 10) : 0;
	if (strcmp(event->type, "rep.presence") == 0)
		watch->is_away[find_rep(json_get_text(json, "rep"))] = slice_is(json_get_text(json, "status"), "away");
	if (strcmp(event->type, "lead.unassigned") == 0) {
		drop_waiting(watch, lead);
		close_given(watch, lead);
		check_owner(watch, json, number, 0);
		if (!slice_is(reason, "waiting") && !slice_is(json_get_text(json, "status"), "waiting"))
			return;
		assert_true(watch->waiting_count < WAITING_MAX);
		struct waiting *row = &watch->waiting[watch->waiting_count++];
		snprintf(row->id, sizeof row->id, "%.*s", SLICE_ARG(lead));
		snprintf(row->pool, sizeof row->pool, "%.*s", SLICE_ARG(team));
		row->number = number;
		row->is_high = is_high;
		row->at_ms = watch->captured_ms[number];
	}
	if (strcmp(event->type, "lead.status") == 0 && slice_is(json_get_text(json, "status"), "invalid")) {
		drop_waiting(watch, lead);
		close_given(watch, lead);
	}
	if (strcmp(event->type, "lead.assigned") != 0)
		return;
	size_t rep = find_rep(json_get_text(json, "owner"));
	bool was_handed_on = json_get(json_get(json_get(json, "trace"), "pool"), "outcome") != NULL;
	drop_waiting(watch, lead);
	close_given(watch, lead);
	check_owner(watch, json, number, rep + 1);
	assert_true(watch->given_count < WAITING_MAX && rep < REPS);
	if (watch->has_declined[number][rep])
		fail_msg("%s has declined %.*s and gets it again", reps[rep], SLICE_ARG(lead));
	struct given *given = &watch->given[watch->given_count++];
	*given = (struct given){now_ms, rep, true, units_of(number, team), ""};
	snprintf(given->id, sizeof given->id, "%.*s", SLICE_ARG(lead));
	if (slice_is(reason, "requested"))
		return; /* a person's wish */
	if (watch->is_away[rep])
		fail_msg("%s is away and gets %.*s", reps[rep], SLICE_ARG(lead));
	check_caps(watch, rep, now_ms);
	if (!was_handed_on)
		check_order(watch, number, team, rep, is_high);
}

static size_t declined; /* in all runs: shows that the mix has them */

static size_t check_run(const struct world *world, const struct step *steps)
{
	struct watch *watch = calloc(1, sizeof *watch);
	int64_t now_ms = START;
	for (size_t i = 0; i < STEPS; i++)
		watch->captured_ms[i] = now_ms += steps[i].advance_ms;
	size_t waited = 0;
	for (size_t i = 0; i < world_decision_count(world); i++) {
		const struct world_decision *told = world_decision(world, i);
		for (size_t e = 0; e < told->decision.event_count; e++) {
			waited += memmem(told->decision.events[e].id.p, told->decision.events[e].id.len, ":L", 2) != NULL;
			see_event(watch, &told->decision.events[e], told->at_ms);
		}
	}
	declined += watch->declined_count;
	arena_done(&watch->arena);
	free(watch);
	return waited;
}

/* ---- */

static size_t run_seed(uint64_t seed, const char *option)
{
	struct arena arena = ARENA_INIT;
	struct model *model = build(option, &arena);
	struct step steps[STEPS];
	struct strbuf first = STRBUF_INIT, dump = STRBUF_INIT;
	random_state = seed * 0x9E3779B97F4A7C15u + 1;
	for (unsigned i = 0; i < STEPS; i++)
		steps[i] = make_step(&arena, i);
	struct world *plain = play(model, steps, 1, false);
	put_events(plain, &first);
	world_dump(plain, &dump);
	size_t waited = check_run(plain, steps);
	const struct {
		size_t batch;
		bool keeps_desk;
	} ways[] = {{1, true}, {4, true}, {9, false}};
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		struct strbuf events = STRBUF_INIT, state = STRBUF_INIT;
		struct world *world = play(model, steps, ways[i].batch, ways[i].keeps_desk);
		put_events(world, &events);
		world_dump(world, &state);
		expect_same(&first, &events, "the list of events", option);
		expect_same(&dump, &state, "the state", option);
		strbuf_done(&events);
		strbuf_done(&state);
		world_free(world);
	}
	struct strbuf state = STRBUF_INIT;
	struct world *other = world_new(model, &(struct world_settings){.now_ms = START});
	assert_int_equal(world_replay(other, world_log(plain)), 0);
	world_dump(other, &state);
	expect_same(&dump, &state, "the state after a replay", option);
	strbuf_done(&state);
	world_free(other);
	world_free(plain);
	strbuf_done(&first);
	strbuf_done(&dump);
	model_done(model);
	arena_done(&arena);
	return waited;
}

static void pools_keep_their_promises(void **state)
{
	(void)state;
	size_t waited = 0, count = getenv("N") != NULL ? strtoul(getenv("N"), NULL, 10) : SEEDS;
	for (uint64_t seed = 1; seed <= count; seed++)
		waited += run_seed(seed, options[seed % OPTIONS]);
	print_message("%zu leads were given from a backlog, %zu were declined\n", waited, declined);
	assert_true(waited > count && declined > count);
}

/* The longest run of ten against ten ones: 10 in a row by stride, 2 by credit (2.1). */
static void credit_mixes(void **state)
{
	(void)state;
	(void)options;
	for (int is_credit = 0; is_credit < 2; is_credit++) {
		struct arena arena = ARENA_INIT;
		struct strbuf text = STRBUF_INIT;
		struct diags *diags = diags_new();
		const struct model_files files = {read_key, NULL};
		strbuf_puts(&text, "dedup: {identity_key_file: none}\nreps: [big, m0, m1, m2, m3, m4, m5, m6, m7, m8, m9]\n"
		                   "routes: [{name: rest, team: t}]\nteams:\n  - {id: t, reps: [{rep: big, weight: 10}, m0, m1, m2, m3, m4, "
		                   "m5, m6, m7, m8, m9], rotation: ");
		strbuf_puts(&text, is_credit ? "credit}\n" : "stride}\n");
		const struct node *root = yaml_read(source_new(&arena, "c.yaml", (struct slice){text.bytes, text.len}), &arena, diags);
		struct model *model = model_build(root, &files, &arena, diags);
		assert_non_null(model);
		struct world *world = world_new(model, &(struct world_settings){.now_ms = START, .keeps_desk = true});
		size_t big = 0, run = 0, longest = 0;
		for (int i = 0; i < 200; i++) {
			world_feed(world, &(struct world_record){
				.value = slice_of(arena_printf(&arena, "{\"lead_id\":\"L%d\",\"contact\":{\"email\":\"p%d@example.com\"}}", i, i))});
			const struct world_decision *told = world_decision(world, world_decision_count(world) - 1);
			bool is_big = slice_is(told->decision.owner, "big");
			big += is_big;
			run = is_big ? run + 1 : 0;
			longest = run > longest ? run : longest;
		}
		assert_int_equal(big, 100);
		assert_int_equal(longest, is_credit ? 2 : 10);
		world_free(world);
		model_done(model);
		diags_free(diags);
		strbuf_done(&text);
		arena_done(&arena);
	}
}

/* ---- what people are told */

static enum view_answer look_up(void *ctx, struct slice key, struct slice *ret_value)
{
	return world_get(ctx, key, ret_value);
}

struct looking {
	struct slice prefix;
	void (*see)(void *arg, struct slice key);
	void *arg;
};

static void look_at(void *ctx, struct slice key, struct slice value, int64_t due_ms)
{
	const struct looking *looking = ctx;
	(void)value, (void)due_ms;
	if (slice_has_prefix(key, looking->prefix))
		looking->see(looking->arg, key);
}

static void look_through(void *ctx, struct slice prefix, void (*see)(void *arg, struct slice key), void *arg)
{
	world_each(ctx, look_at, &(struct looking){prefix, see, arg});
}

static void a_report_says_who_is_next_and_why_others_are_not(void **state)
{
	(void)state;
	struct arena arena = ARENA_INIT;
	struct strbuf text = STRBUF_INIT;
	struct json_writer writer = JSON_WRITER(&text);
	struct model *model = build("nobody: [wait]", &arena);
	struct world *world = world_new(model, &(struct world_settings){.now_ms = START});
	world_feed(world, &(struct world_record){
		.kind = RECORD_ACTIVITY, .value = SLICE("{\"type\":\"rep.availability\",\"rep\":\"dee\",\"status\":\"away\"}")});
	for (int i = 0; i < 10; i++)
		world_feed(world, &(struct world_record){
			.value = slice_of(arena_printf(&arena, "{\"lead_id\":\"L%d\",\"contact\":{\"email\":\"p%d@example.com\"}}", i, i))});
	pool_report(&writer, NULL, model, (struct rules_view){look_up, world, look_through}, model_find_team(model, SLICE("one")),
	            world_now_ms(world));
	const struct json *report = json_read((struct slice){text.bytes, text.len}, (struct json_limits){1 << 16, 8, 1000}, &arena, NULL);
	const struct json *lane = &json_get(report, "lanes")->items[0], *members = json_get(lane, "members");
	assert_int_equal(json_get(report, "waiting")->integer, 1); /* three have three each */
	assert_int_equal(json_get(report, "available")->integer, 0);
	assert_int_equal(json_get(lane, "given")->integer, 9);
	assert_int_equal(json_get(lane, "next")->count, 0);
	assert_int_equal(members->count, 5);
	static const char *const presence[] = {"at_open_limit", "at_open_limit", "at_open_limit", "away", "not_active"};
	for (size_t i = 0; i < 5; i++)
		assert_true(slice_is(json_get_text(&members->items[i], "presence"), presence[i]));
	world_free(world);
	model_done(model);
	strbuf_done(&text);
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pools_keep_their_promises),
		cmocka_unit_test(credit_mixes),
		cmocka_unit_test(a_report_says_who_is_next_and_why_others_are_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
