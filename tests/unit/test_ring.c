/* SPDX-License-Identifier: Apache-2.0
 *
 * rules/ring: the promises of semantics.md 2.1 and 2.2, on random teams, weights and absences.
 *
 * Where shares are exact, the test counts every block of (sum of weights) turns, not only those that begin at a
 * multiple of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "rules/base/arena.h"
#include "rules/model.h"
#include "rules/overlay.h"
#include "rules/pool.h"
#include "rules/ring.h"
#include "tests/unit/model_fixture.c"

enum { MOST = 8, TURNS = 4000 };

/* A team of its own: members m0, m1, … */
struct world {
	struct arena arena;
	char names[MOST][4];
	struct rep reps[MOST];
	struct member members[MOST];
	struct team team;
	struct model model;
	struct pool pool;
	struct store store;
	struct overlay overlay;
	int64_t loads[MOST];
};

static uint64_t random_state;

static unsigned pick(unsigned below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)(random_state % below);
}

static void world_init(struct world *world, size_t count, const unsigned *weights)
{
	*world = (struct world){.arena = ARENA_INIT};
	for (size_t i = 0; i < count; i++) {
		world->names[i][0] = 'm';
		world->names[i][1] = (char)('0' + i);
		world->reps[i] = (struct rep){.id = {world->names[i], 2}, .name = {world->names[i], 2}, .is_active = true};
		world->members[i] = (struct member){i, weights[i]};
	}
	world->pool = *pool_of(&(struct team){0});
	world->team = (struct team){.id = SLICE("t"), .members = world->members, .member_count = count, .pool = &world->pool};
	world->model = (struct model){.reps = world->reps, .rep_count = count, .teams = &world->team, .team_count = 1};
}

static void world_done(struct world *world)
{
	arena_done(&world->arena);
	store_done(&world->store);
}

/* Opens the ring as a new batch would: who is active is there. */
static struct ring *reopen(struct world *world)
{
	arena_reset(&world->arena);
	struct ring *ring = arena_alloc(&world->arena, sizeof *ring);
	overlay_init(&world->overlay, store_view(&world->store), SLICE("seed"), &world->arena);
	ring_open(ring, &world->model, &world->team, SLICE(""), world->loads, &world->overlay, &world->arena);
	for (uint32_t i = 0; i < world->team.member_count; i++)
		if (world->reps[i].is_active)
			ring_enter(ring, i);
	return ring;
}

/* Credit: all who are there gain, the first pays. */
static uint32_t next_by_credit(struct ring *ring)
{
	uint32_t candidates[MOST], best = RING_NOBODY;
	size_t count = 0;
	for (uint32_t i = 0; i < ring->team->member_count; i++) {
		if (ring->seats[i].at_turn == 0)
			continue;
		candidates[count++] = i;
		if (best == RING_NOBODY || ring_is_before(ring, i, best))
			best = i;
	}
	ring_pay(ring, candidates, count, best);
	ring_take(ring, best);
	return best;
}

static uint32_t next(struct ring *ring)
{
	if (ring->pool->rotation == ROTATION_CREDIT)
		return next_by_credit(ring);
	for (uint32_t i = 0; i < ring->team->member_count; i++)
		if (ring->pool->catch_up == CATCH_UP_NONE)
			ring_note_presence(ring, i, ring->seats[i].at_turn != 0);
	ring_set_day(ring, 20000);
	uint32_t member = ring_first(ring, 0);
	if (member == RING_NOBODY)
		return member;
	ring_take(ring, member);
	ring_advance(ring, ring_first(ring, 0));
	return member;
}

static void save(struct world *world, struct ring *ring)
{
	ring_flush(ring, &world->overlay, &world->arena);
	store_apply(&world->store, world->overlay.writes, world->overlay.count);
}

/* `turns` turns in batches of random length, stored and read in between. */
static void run(struct world *world, size_t turns, unsigned char *ret_winners)
{
	for (size_t at = 0; at < turns;) {
		struct ring *ring = reopen(world);
		size_t batch = 1 + pick(7);
		for (size_t i = 0; i < batch && at < turns; i++)
			ret_winners[at++] = (unsigned char)next(ring);
		save(world, ring);
	}
}

/* Every block of `sum` turns has exactly its weight of each active member. */
static void expect_exact(const struct world *world, const unsigned char *winners, size_t turns)
{
	size_t sum = 0, counts[MOST] = {0};
	for (size_t i = 0; i < world->team.member_count; i++)
		sum += world->reps[i].is_active ? world->members[i].weight : 0;
	for (size_t at = 0; at < turns; at++) {
		counts[winners[at]]++;
		if (at + 1 > sum)
			counts[winners[at - sum]]--;
		if (at + 1 < sum)
			continue;
		for (size_t i = 0; i < world->team.member_count; i++)
			if (counts[i] != (world->reps[i].is_active ? world->members[i].weight : 0))
				fail_msg("member %zu has %zu of the %zu turns before %zu", i, counts[i], sum, at + 1);
	}
}

static void every_block_gives_each_its_weight(void **state)
{
	(void)state;
	unsigned char winners[TURNS];
	for (uint64_t seed = 1; seed <= 40; seed++) {
		random_state = seed * 0x9E3779B97F4A7C15u;
		unsigned weights[MOST];
		size_t count = 1 + pick(MOST);
		for (size_t i = 0; i < count; i++)
			weights[i] = 1 + pick(pick(2) ? 5 : 60);
		struct world world;
		world_init(&world, count, weights);
		run(&world, TURNS, winners);
		expect_exact(&world, winners, TURNS);
		world_done(&world);
	}
}

static void every_block_is_exact_by_credit_too(void **state)
{
	(void)state;
	static unsigned char winners[TURNS];
	for (uint64_t seed = 1; seed <= 40; seed++) {
		random_state = seed * 0xE7037ED1A0B428DBu;
		unsigned weights[MOST];
		size_t count = 1 + pick(MOST);
		for (size_t i = 0; i < count; i++)
			weights[i] = 1 + pick(pick(2) ? 5 : 60);
		struct world world;
		world_init(&world, count, weights);
		world.pool.rotation = ROTATION_CREDIT;
		run(&world, TURNS, winners);
		expect_exact(&world, winners, TURNS);
		world_done(&world);
	}
}

static void weights_3_7_6_do_not_drift(void **state)
{
	(void)state;
	static unsigned char winners[16000];
	struct world world;
	random_state = 7;
	world_init(&world, 3, (const unsigned[]){3, 7, 6});
	run(&world, 16000, winners);
	size_t counts[3] = {0};
	for (size_t i = 0; i < 16000; i++)
		counts[winners[i]]++;
	assert_int_equal(counts[0], 3000);
	assert_int_equal(counts[1], 7000);
	assert_int_equal(counts[2], 6000);
	world_done(&world);
}

static void ties_go_to_the_heavier_then_to_the_lower_id(void **state)
{
	(void)state;
	unsigned char winners[8];
	struct world world;
	world_init(&world, 3, (const unsigned[]){1, 2, 2});
	run(&world, 8, winners);
	/* positions 0: m1, m2 (heavier), m0; 1/2: m1, m2; 1: m1, m2, m0 */
	assert_memory_equal(winners, ((unsigned char[]){1, 2, 0, 1, 2, 1, 2, 0}), 8);
	world_done(&world);
}

static struct turn turn_of(struct world *world, uint32_t member)
{
	return ring_turn(reopen(world), member);
}

/* After any change of the others, a member that stayed has the very same position. */
static void changes_move_nobody_else(void **state)
{
	(void)state;
	unsigned char winners[200];
	for (uint64_t seed = 1; seed <= 300; seed++) {
		random_state = seed * 0xD1342543DE82EF95u;
		unsigned weights[MOST];
		for (size_t i = 0; i < MOST; i++)
			weights[i] = 1 + pick(9);
		struct world world;
		world_init(&world, MOST - 2, weights);
		run(&world, pick(200), winners);
		struct turn before = turn_of(&world, 0);
		world.members[1].weight = 1 + pick(9);
		world.reps[2].is_active = pick(2);
		world.team.member_count = MOST - 3 + pick(4); /* the last left, or up to two came */
		for (size_t i = MOST - 2; i < MOST; i++) {
			world.names[i][0] = 'm';
			world.names[i][1] = (char)('0' + i);
			world.reps[i] = (struct rep){.id = {world.names[i], 2}, .is_active = true};
			world.members[i] = (struct member){i, weights[i]};
		}
		struct turn after = turn_of(&world, 0);
		assert_true(before.n == after.n && before.weight == after.weight);
		world_done(&world);
	}
}

/* Shares are exact from the first turn after a change of members, weights or availability. */
static void blocks_are_exact_after_every_change(void **state)
{
	(void)state;
	static unsigned char winners[TURNS];
	for (uint64_t seed = 1; seed <= 60; seed++) {
		random_state = seed * 0xA0761D6478BD642Fu;
		unsigned weights[MOST];
		size_t count = 2 + pick(MOST - 2);
		for (size_t i = 0; i < count; i++)
			weights[i] = 1 + pick(12);
		struct world world;
		world_init(&world, count, weights);
		for (int change = 0; change < 25; change++) {
			size_t member = pick((unsigned)count);
			if (pick(2))
				world.members[member].weight = 1 + pick(12);
			else
				world.reps[member].is_active = !world.reps[member].is_active;
			world.reps[pick((unsigned)count)].is_active = true; /* never empty */
			size_t turns = 1 + pick(300);
			run(&world, turns, winners);
			expect_exact(&world, winners, turns);
		}
		world_done(&world);
	}
}

/* The simulation of semantics.md 2.1: four equal reps, C away for leads 300 to 499. */
static void who_comes_back_gets_no_arrears(void **state)
{
	(void)state;
	static unsigned char winners[1000];
	struct world world;
	random_state = 3;
	world_init(&world, 4, (const unsigned[]){1, 1, 1, 1});
	run(&world, 300, winners);
	world.reps[2].is_active = false;
	run(&world, 200, winners + 300);
	world.reps[2].is_active = true;
	run(&world, 500, winners + 500);
	size_t totals[4] = {0}, after[4] = {0};
	for (size_t i = 0; i < 1000; i++)
		totals[winners[i]]++;
	for (size_t i = 500; i < 600; i++)
		after[winners[i]]++;
	assert_int_equal(totals[2], 200);
	assert_true(totals[0] + totals[1] + totals[3] == 800);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(after[i], 25);
		assert_true(i == 2 || totals[i] == 266 || totals[i] == 267);
	}
	world_done(&world);
}

static void newcomers_do_not_catch_up(void **state)
{
	(void)state;
	static unsigned char winners[400];
	struct world world;
	random_state = 11;
	world_init(&world, 3, (const unsigned[]){2, 1, 3});
	world.team.member_count = 2;
	run(&world, 300, winners);
	world.team.member_count = 3;
	run(&world, 60, winners);
	expect_exact(&world, winners, 60);
	world_done(&world);
}

static void nobody_there_is_said(void **state)
{
	(void)state;
	struct world world;
	world_init(&world, 2, (const unsigned[]){1, 1});
	world.reps[0].is_active = world.reps[1].is_active = false;
	assert_true(next(reopen(&world)) == RING_NOBODY);
	world_done(&world);
}

static void foreign_bytes_start_afresh_and_say_so(void **state)
{
	(void)state;
	struct world world;
	world_init(&world, 2, (const unsigned[]){1, 1});
	const struct write write = {.key = SLICE("ring/t"), .value = SLICE("{\"m0\":[1,2]}")};
	store_apply(&world.store, &write, 1);
	struct ring *ring = reopen(&world);
	assert_true(ring->was_malformed);
	assert_int_equal(next(ring), 0);
	world_done(&world);
}

/* Numbers near the limit of the codec move down together; turns go on as before. */
static void positions_never_overflow(void **state)
{
	(void)state;
	unsigned char winners[100];
	struct world world;
	random_state = 5;
	world_init(&world, 2, (const unsigned[]){2, 1});
	const struct write writes[] = {
		{.key = SLICE("mem/seat/t//m0"), .value = SLICE("[1125899906842622,2,5]")},
		{.key = SLICE("mem/seat/t//m1"), .value = SLICE("[562949953421311,1,5]")},
	};
	store_apply(&world.store, writes, 2);
	run(&world, 100, winners);
	expect_exact(&world, winners, 100);
	struct ring *ring = reopen(&world);
	assert_true(ring_turn(ring, 0).n < 1000 && ring_turn(ring, 1).n < 1000);
	world_done(&world);
}

/* 200 turns, C away for the middle 100: how many of the first `after` turns behind his return are his? */
static size_t turns_after_return(enum pool_catch_up policy, int64_t extra, size_t after)
{
	unsigned char winners[400];
	struct world world;
	size_t count = 0;
	random_state = 13;
	world_init(&world, 4, (const unsigned[]){1, 1, 1, 1});
	world.pool.catch_up = policy;
	world.pool.extra = extra;
	run(&world, 101, winners);
	world.reps[2].is_active = false;
	run(&world, 99, winners);
	world.reps[2].is_active = true;
	run(&world, after, winners);
	for (size_t i = 0; i < after; i++)
		count += winners[i] == 2;
	world_done(&world);
	return count;
}

/* 2.1: the four policies, for one who missed 33 rounds. */
static void catch_up_is_a_policy(void **state)
{
	(void)state;
	assert_int_equal(turns_after_return(CATCH_UP_CLAMP, 0, 100), 25);
	assert_int_equal(turns_after_return(CATCH_UP_FULL, 0, 33), 33);
	assert_int_equal(turns_after_return(CATCH_UP_CAPPED, 3, 3), 3);
	assert_int_equal(turns_after_return(CATCH_UP_CAPPED, 3, 103), 28); /* three more, on one day */
	assert_int_equal(turns_after_return(CATCH_UP_NONE, 0, 4), 0); /* behind him who is farthest */
	assert_int_equal(turns_after_return(CATCH_UP_NONE, 0, 5), 1);
	assert_int_equal(turns_after_return(CATCH_UP_NONE, 0, 101), 25);
}

static void a_turn_given_back_comes_next(void **state)
{
	(void)state;
	unsigned char winners[12];
	struct world world;
	random_state = 17;
	world_init(&world, 3, (const unsigned[]){1, 1, 1});
	run(&world, 9, winners);
	struct ring *ring = reopen(&world);
	ring_give_back(ring, 1);
	save(&world, ring);
	run(&world, 4, winners);
	assert_memory_equal(winners, ((unsigned char[]){1, 0, 1, 2}), 4);
	ring = reopen(&world);
	assert_int_equal(ring->seats[0].given + ring->seats[1].given + ring->seats[2].given, 12); /* 13 less the one */
	world_done(&world);
}

/* Credit back while he is away: no clamp takes it. */
static void a_turn_given_back_outlives_an_absence(void **state)
{
	(void)state;
	unsigned char winners[30];
	struct world world;
	random_state = 19;
	world_init(&world, 3, (const unsigned[]){1, 1, 1});
	run(&world, 9, winners);
	world.reps[1].is_active = false;
	struct ring *ring = reopen(&world);
	ring_give_back(ring, 1);
	save(&world, ring);
	run(&world, 20, winners);
	world.reps[1].is_active = true;
	run(&world, 4, winners);
	size_t count = 0;
	for (size_t i = 0; i < 4; i++)
		count += winners[i] == 1;
	assert_int_equal(count, 2);
	world_done(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_block_gives_each_its_weight),
		cmocka_unit_test(every_block_is_exact_by_credit_too),
		cmocka_unit_test(weights_3_7_6_do_not_drift),
		cmocka_unit_test(ties_go_to_the_heavier_then_to_the_lower_id),
		cmocka_unit_test(changes_move_nobody_else),
		cmocka_unit_test(blocks_are_exact_after_every_change),
		cmocka_unit_test(who_comes_back_gets_no_arrears),
		cmocka_unit_test(newcomers_do_not_catch_up),
		cmocka_unit_test(nobody_there_is_said),
		cmocka_unit_test(foreign_bytes_start_afresh_and_say_so),
		cmocka_unit_test(positions_never_overflow),
		cmocka_unit_test(catch_up_is_a_policy),
		cmocka_unit_test(a_turn_given_back_comes_next),
		cmocka_unit_test(a_turn_given_back_outlives_an_absence),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
