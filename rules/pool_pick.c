/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/pool_pick.h"

#include <string.h>

#include "rules/calendar/calendar.h"
#include "rules/cel/cel.h"
#include "rules/decide.h"
#include "rules/model.h"
#include "rules/text/normalise.h"

enum { DAY_MS = 86400000 };

/* ---- who is there */

static bool is_there(const struct pick *pick, size_t class)
{
	const struct post *post = pick->post;
	return post->class_open[class] && post->class_free[class] != 0;
}

static void step_out(struct pick *pick, uint32_t member)
{
	size_t class = pool_class(pick->post->pool, member);
	if (pick->ring->seats[member].at_turn == 0)
		return;
	if (pick->aside_count == pick->aside_room) {
		pick->aside_room = pick->aside_room ? pick->aside_room * 2 : 8;
		uint32_t *more = arena_array(&pick->work->scratch, pick->aside_room, sizeof *more);
		if (pick->aside_count != 0)
			memcpy(more, pick->aside, pick->aside_count * sizeof *more);
		pick->aside = more;
	}
	ring_leave(pick->ring, member);
	pick->post->class_free[class]--;
	pick->aside[pick->aside_count++] = member;
}

static void tried_step_out(struct pick *pick)
{
	for (size_t i = 0; i < pick->tried_count; i++) {
		size_t member = team_find_member(pick->post->team, pick->tried[i]);
		if (member != SIZE_MAX)
			step_out(pick, (uint32_t)member);
	}
}

/* Rare, and looks at every member: the pool is full and gives all the same. */
static void guests_step_in(struct pick *pick)
{
	struct post *post = pick->post;
	pick->guests = arena_array(&pick->work->scratch, post->team->member_count, sizeof *pick->guests);
	for (uint32_t i = 0; i < post->team->member_count; i++) {
		if (post->blocks[i] != BLOCK_OPEN && post->blocks[i] != BLOCK_CAP)
			continue;
		ring_enter(pick->ring, i);
		post->class_free[pool_class(post->pool, i)]++;
		pick->guests[pick->guest_count++] = i;
	}
}

void pick_done(struct pick *pick)
{
	for (size_t i = 0; i < pick->aside_count; i++) {
		ring_enter(pick->ring, pick->aside[i]);
		pick->post->class_free[pool_class(pick->post->pool, pick->aside[i])]++;
	}
	for (size_t i = 0; i < pick->guest_count; i++) {
		ring_leave(pick->ring, pick->guests[i]);
		pick->post->class_free[pool_class(pick->post->pool, pick->guests[i])]--;
	}
	pick->aside_count = pick->guest_count = 0;
}

static size_t members_of(const struct pick *pick, const struct classes *classes)
{
	size_t count = 0;
	if (classes->only != RING_NOBODY)
		return 1;
	for (size_t i = 0; i < classes->count; i++)
		count += pick->post->class_free[classes->items[i]];
	return count;
}

/* ---- criteria: each fills `to` with the part of `from` that it prefers */

static struct cel_value ask(const struct pick *pick, const struct pool_criterion *criterion, uint32_t class)
{
	struct work *work = pick->work;
	const struct pool *pool = pick->post->pool;
	struct schema_rep rep;
	size_t sample = pool->sample != NULL ? pool->sample[class] : 0;
	schema_rep_init(&rep, work->model->pool_env, &work->model->reps[pick->post->team->members[sample].rep]);
	work->slots[SLOT_REP] = cel_object(&rep.object);
	return cel_eval(criterion->program, work->slots, &work->scratch, work->model->cel_step_limit);
}

static void keep_true(const struct pick *pick, const struct pool_criterion *criterion, const struct classes *from,
                      struct classes *to)
{
	for (size_t i = 0; i < from->count; i++)
		if (criterion->program == NULL || cel_is_true(ask(pick, criterion, from->items[i])))
			to->items[to->count++] = from->items[i];
}

static void keep_lowest(const struct pick *pick, const struct pool_criterion *criterion, const struct classes *from,
                        struct classes *to)
{
	int64_t lowest = 0;
	for (size_t i = 0; i < from->count; i++) {
		struct cel_value value = ask(pick, criterion, from->items[i]);
		if (value.kind != CEL_INT || (to->count != 0 && value.as.integer > lowest))
			continue;
		if (to->count == 0 || value.as.integer < lowest)
			to->count = 0;
		lowest = value.as.integer;
		to->items[to->count++] = from->items[i];
	}
}

static const struct preference_list *find_list(const struct preference_table *table, struct slice key)
{
	size_t low = 0, high = table->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = slice_compare(table->lists[middle].key, key);
		if (order == 0)
			return &table->lists[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static bool has_class(const struct classes *classes, size_t class)
{
	size_t low = 0, high = classes->count; /* criteria keep the order of classes */
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (classes->items[middle] < class)
			low = middle + 1;
		else
			high = middle;
	}
	return low < classes->count && classes->items[low] == class;
}

/* The table has classes by rank, then number: the first rank that is among those left is it. */
static void keep_preferred(const struct pick *pick, const struct pool_criterion *criterion, const struct classes *from,
                           struct classes *to)
{
	struct work *work = pick->work;
	struct cel_value value = cel_eval(criterion->program, work->slots, &work->scratch, work->model->cel_step_limit);
	if (value.kind != CEL_STRING)
		return;
	const struct preference_list *list = find_list(&criterion->table, text_key(&work->scratch, cel_slice(value)));
	unsigned rank = 0;
	if (list != NULL)
		work_reached(work, list);
	for (size_t i = 0; list != NULL && i < list->count; i++) {
		if (to->count != 0 && list->items[i].rank != rank)
			return;
		if (!has_class(from, list->items[i].rep))
			continue;
		rank = list->items[i].rank;
		to->items[to->count++] = (uint32_t)list->items[i].rep;
	}
}

static void keep_familiar(const struct pick *pick, const struct classes *from, struct classes *to)
{
	struct slice id = pick->work->state.familiar;
	size_t rep = id.len != 0 ? model_find_rep(pick->work->model, id) : SIZE_MAX;
	size_t member = rep != SIZE_MAX ? team_find_member(pick->post->team, rep) : SIZE_MAX;
	if (member == SIZE_MAX || pick->ring->seats[member].at_turn == 0 ||
	    !has_class(from, pool_class(pick->post->pool, member)) ||
	    post_block(pick->desk, pick->post, (uint32_t)member, pick->units) != BLOCK_NONE)
		return;
	to->items[to->count++] = (uint32_t)pool_class(pick->post->pool, member);
	to->only = (uint32_t)member;
}

static void narrow(const struct pick *pick, const struct pool_criterion *criterion, const struct classes *from,
                   struct classes *to)
{
	to->count = 0;
	to->only = from->only;
	switch (criterion->kind) {
	case CRITERION_WHEN:
		keep_true(pick, criterion, from, to);
		return;
	case CRITERION_LOWEST:
		keep_lowest(pick, criterion, from, to);
		return;
	case CRITERION_PREFER:
		keep_preferred(pick, criterion, from, to);
		return;
	case CRITERION_FAMILIAR:
		if (from->only == RING_NOBODY)
			keep_familiar(pick, from, to);
		return;
	}
}

/* ---- the chain */

static struct classes room_for_classes(struct pick *pick)
{
	return (struct classes){arena_array(&pick->work->scratch, pick->post->pool->class_count, sizeof(uint32_t)), 0, RING_NOBODY};
}

/* Whom the chain leaves, and who was left before the last criterion that narrowed (`wider`, empty when none did). */
static void run_chain(struct pick *pick, struct pool_trace *trace, struct classes *wider)
{
	const struct pool *pool = pick->post->pool;
	struct classes spare = room_for_classes(pick);
	pick->left = room_for_classes(pick);
	*wider = room_for_classes(pick);
	for (uint32_t class = 0; class < pool->class_count; class++)
		if (is_there(pick, class))
			pick->left.items[pick->left.count++] = class;
	trace->step_count = 0;
	size_t left = members_of(pick, &pick->left);
	for (size_t i = 0; left != 0 && i < pool->criterion_count; i++) {
		narrow(pick, &pool->criteria[i], &pick->left, &spare);
		size_t now = spare.count != 0 ? members_of(pick, &spare) : 0;
		struct criterion_step *step = &trace->steps[trace->step_count++];
		*step = (struct criterion_step){&pool->criteria[i], now == 0      ? CRITERION_SKIPPED
		                                                    : now == left ? CRITERION_SAME
		                                                                  : CRITERION_NARROWED, now != 0 ? now : left};
		if (step->result != CRITERION_NARROWED)
			continue;
		struct classes oldest = *wider;
		*wider = pick->left;
		pick->left = spare;
		spare = oldest;
		left = now;
	}
}

/* ---- the last word: rotation or load */

static bool is_better(const struct pick *pick, bool by_load, uint32_t a, uint32_t b)
{
	return by_load ? ring_is_less_loaded(pick->ring, a, b) : ring_is_before(pick->ring, a, b);
}

static uint32_t best_of_all(const struct pick *pick, const struct classes *classes, bool by_load)
{
	uint32_t best = RING_NOBODY;
	for (uint32_t i = 0; i < pick->post->team->member_count; i++)
		if (pick->ring->seats[i].at_turn != 0 && has_class(classes, pool_class(pick->post->pool, i)) &&
		    (best == RING_NOBODY || is_better(pick, by_load, i, best)))
			best = i;
	return best;
}

static uint32_t best_of(const struct pick *pick, const struct classes *classes, bool by_load)
{
	uint32_t best = RING_NOBODY;
	if (classes->only != RING_NOBODY)
		return classes->only;
	if (pick->post->pool->rotation == ROTATION_CREDIT)
		return best_of_all(pick, classes, by_load);
	for (size_t i = 0; i < classes->count; i++) {
		uint32_t first = by_load ? ring_least_loaded(pick->ring, classes->items[i]) : ring_first(pick->ring, classes->items[i]);
		if (first != RING_NOBODY && (best == RING_NOBODY || is_better(pick, by_load, first, best)))
			best = first;
	}
	return best;
}

/* Are those left so much busier than the others that the last criterion has to give way (2.4, S4-P7)? */
static bool is_unbalanced(const struct pick *pick, const struct classes *wider)
{
	const struct post *post = pick->post;
	if (!post->pool->has_gap || wider->count == 0)
		return false;
	uint32_t left = best_of(pick, &pick->left, true), other = best_of(pick, wider, true);
	if (left == RING_NOBODY || other == RING_NOBODY)
		return false;
	int64_t a = post->team->members[left].weight, b = post->team->members[other].weight;
	return post->loads[left] * b - post->loads[other] * a > post->pool->gap * a * b;
}

static void look_for_day(const struct pick *pick)
{
	const struct calendar *calendar =
		model_calendar_of(pick->work->model, SIZE_MAX, pick->post->index, SLICE_NONE, SLICE_NONE, SLICE_NONE);
	if (pick->post->pool->catch_up != CATCH_UP_CAPPED)
		return;
	int64_t now_ms = pick->desk->now_ms;
	ring_set_day(pick->ring, calendar != NULL ? calendar_day_at(calendar, now_ms) : now_ms / DAY_MS);
}

static void note_presence(const struct pick *pick)
{
	struct post *post = pick->post;
	if (post->pool->catch_up != CATCH_UP_NONE || post->pool->rotation == ROTATION_CREDIT)
		return;
	for (uint32_t i = 0; i < post->team->member_count; i++)
		ring_note_presence(pick->ring, i, post->blocks[i] == BLOCK_NONE && post->class_open[pool_class(post->pool, i)]);
}

static bool is_too_large(const struct pick *pick, uint32_t member)
{
	return pick->units > 1 && !pick->over_capacity &&
	       post_block(pick->desk, pick->post, member, pick->units) != BLOCK_NONE;
}

uint32_t pick_member(struct pick *pick, struct pool_trace *trace)
{
	look_for_day(pick);
	note_presence(pick);
	if (pick->over_capacity)
		guests_step_in(pick);
	tried_step_out(pick); /* after the guests: who declined at his cap is not asked over it */
	for (;;) {
		struct classes wider;
		run_chain(pick, trace, &wider);
		trace->is_reopened = is_unbalanced(pick, &wider);
		trace->is_by_load = pick->post->pool->by_load || trace->is_reopened;
		if (trace->is_reopened)
			pick->left = wider;
		uint32_t member = best_of(pick, &pick->left, trace->is_by_load);
		if (member == RING_NOBODY || !is_too_large(pick, member))
			return member;
		step_out(pick, member); /* and the others are asked again */
	}
}

bool pick_has(const struct pick *pick, uint32_t member)
{
	if (pick->left.only != RING_NOBODY)
		return pick->left.only == member;
	return has_class(&pick->left, pool_class(pick->post->pool, member));
}

/* ---- booking */

static uint32_t *room_for_members(const struct pick *pick)
{
	return arena_array(&pick->work->scratch, pick->post->team->member_count, sizeof(uint32_t));
}

static void pay(struct pick *pick, const uint32_t *candidates, size_t count, uint32_t member)
{
	ring_pay(pick->ring, candidates, count, member);
	pick->turn = ring_turn_text(pick->ring, candidates, count, pick->work->arena);
}

static void pay_candidates(struct pick *pick, uint32_t member)
{
	uint32_t *candidates = room_for_members(pick);
	size_t count = 0;
	for (uint32_t i = 0; i < pick->post->team->member_count; i++)
		if (pick->ring->seats[i].at_turn != 0 && pick_has(pick, i))
			candidates[count++] = i;
	pay(pick, candidates, count, member);
}

/* All who are there, and the one whom it is about. */
static size_t those_there(const struct pick *pick, uint32_t member, uint32_t *ret_members)
{
	size_t count = 0;
	for (uint32_t i = 0; i < pick->post->team->member_count; i++)
		if (i == member ||
		    (pick->ring->seats[i].at_turn != 0 && pick->post->class_open[pool_class(pick->post->pool, i)]))
			ret_members[count++] = i;
	return count;
}

static void advance(struct pick *pick)
{
	uint32_t first = RING_NOBODY;
	for (size_t class = 0; class < pick->post->pool->class_count; class++) {
		if (!pick->post->class_open[class])
			continue;
		uint32_t here = ring_first(pick->ring, class);
		if (here != RING_NOBODY && (first == RING_NOBODY || ring_is_before(pick->ring, here, first)))
			first = here;
	}
	ring_advance(pick->ring, first);
}

void pick_take(struct pick *pick, uint32_t member)
{
	bool is_credit = pick->post->pool->rotation == ROTATION_CREDIT;
	if (is_credit)
		pay_candidates(pick, member);
	ring_take(pick->ring, member);
	pick_done(pick); /* the mark is that of all who are there, not of the candidates */
	if (!is_credit)
		advance(pick);
}

void pick_take_alone(struct pick *pick, uint32_t member)
{
	look_for_day(pick);
	note_presence(pick);
	if (pick->post->pool->rotation == ROTATION_CREDIT) {
		uint32_t *there = room_for_members(pick);
		pay(pick, there, those_there(pick, member, there), member);
	}
	ring_take(pick->ring, member);
	if (pick->post->pool->rotation == ROTATION_STRIDE)
		advance(pick);
}

void pick_give_back(struct pick *pick, uint32_t member, struct slice turn)
{
	if (pick->post->pool->rotation == ROTATION_CREDIT) {
		uint32_t *candidates = room_for_members(pick);
		size_t count = ring_turn_read(pick->ring, turn, candidates);
		if (count == 0)
			count = those_there(pick, member, candidates);
		ring_refund(pick->ring, candidates, count, member);
	}
	ring_give_back(pick->ring, member);
}

/* ---- why nobody */

static bool is_tried(const size_t *tried, size_t count, size_t rep)
{
	for (size_t i = 0; i < count; i++)
		if (tried[i] == rep)
			return true;
	return false;
}

/* Who is off duty counts as that, unless he is away for a reason of his own. */
static void count_hours(const struct post *post, struct pool_try *try)
{
	if (!post->pool->keeps_hours)
		return;
	for (uint32_t i = 0; i < post->team->member_count; i++) {
		enum block block = (enum block)post->blocks[i];
		if (block == BLOCK_INACTIVE || block == BLOCK_AWAY || block == BLOCK_STALE || post->class_open[pool_class(post->pool, i)])
			continue;
		try->counts[block]--;
		try->counts[BLOCK_HOURS]++;
	}
}

void pick_count_blocks(const struct desk *desk, const struct post *post, const size_t *tried, size_t tried_count,
                       struct pool_try *try)
{
	memcpy(try->counts, post->counts, sizeof try->counts);
	count_hours(post, try);
	for (size_t i = 0; i < tried_count; i++) {
		size_t member = team_find_member(post->team, tried[i]);
		if (member == SIZE_MAX || post_block(desk, post, (uint32_t)member, 1) != BLOCK_NONE)
			continue;
		try->counts[BLOCK_NONE]--;
		try->counts[BLOCK_TRIED]++;
	}
	/* who is there and was not tried is too small for it */
	try->counts[BLOCK_SIZE] = try->counts[BLOCK_NONE];
	try->counts[BLOCK_NONE] = 0;
	for (uint32_t i = 0; i < post->team->member_count && try->rejected_count < POOL_REJECTED_SHOWN; i++) {
		size_t rep = post->team->members[i].rep;
		enum block block = post_block(desk, post, i, 1);
		if (block == BLOCK_NONE)
			block = is_tried(tried, tried_count, rep) ? BLOCK_TRIED : BLOCK_SIZE;
		try->rejected[try->rejected_count++] = (struct rejected){rep, block};
	}
}
