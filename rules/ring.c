/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/ring.h"

#include "rules/base/arena.h"
#include "rules/model.h"
#include "rules/pool.h"

/* ---- positions */

static int64_t weight_of(const struct ring *ring, uint32_t member)
{
	return ring->team->members[member].weight;
}

static bool turn_before(const struct turn *a, const struct turn *b)
{
	int64_t left = a->n * b->weight, right = b->n * a->weight;
	if (left != right)
		return left < right;
	if (a->member == RING_NOBODY || b->member == RING_NOBODY)
		return a->member == RING_NOBODY && b->member != RING_NOBODY;
	return a->weight != b->weight ? a->weight > b->weight : a->member < b->member;
}

/* The first turn of a member that does not lie before the mark. */
static int64_t first_turn(const struct ring *ring, uint32_t member, int64_t weight)
{
	const struct turn *mark = &ring->mark;
	int64_t exact = mark->n * weight;
	int64_t n = exact / mark->weight + (exact % mark->weight != 0);
	struct turn turn = {n, weight, member};
	return turn_before(&turn, mark) ? n + 1 : n;
}

/* What catch_up says about somebody who was away, or not: for one who was there the mark is not behind him. */
static void come_in(const struct ring *ring, uint32_t member, struct seat *seat)
{
	int64_t weight = weight_of(ring, member), first = first_turn(ring, member, weight);
	bool is_known = seat->is_known && seat->weight == weight;
	if (is_known && (seat->n >= first || ring->pool->catch_up == CATCH_UP_FULL))
		return;
	if (is_known && ring->pool->catch_up == CATCH_UP_CAPPED)
		seat->owed += first - seat->n;
	seat->n = first;
	seat->weight = weight;
	seat->is_known = is_known;
}

/* Turns that bring him forward. */
static int64_t ahead(const struct ring *ring, const struct seat *seat)
{
	if (ring->pool->catch_up != CATCH_UP_CAPPED || seat->owed == 0)
		return seat->back;
	int64_t left = ring->pool->extra - (seat->day == ring->day ? seat->used : 0);
	if (left < 0)
		left = 0;
	return seat->back + (seat->owed < left ? seat->owed : left);
}

static struct turn place(const struct ring *ring, uint32_t member)
{
	const struct seat *seat = &ring->seats[member];
	return (struct turn){seat->n - ahead(ring, seat), seat->weight, member};
}

struct turn ring_turn(const struct ring *ring, uint32_t member)
{
	struct seat seat = ring->seats[member];
	if (ring->pool->rotation == ROTATION_CREDIT)
		return (struct turn){seat.n, weight_of(ring, member), member};
	come_in(ring, member, &seat);
	return (struct turn){seat.n - ahead(ring, &seat), seat.weight, member};
}

bool ring_is_before(const struct ring *ring, uint32_t a, uint32_t b)
{
	if (ring->pool->rotation == ROTATION_CREDIT) {
		int64_t left = ring->seats[a].n + weight_of(ring, a), right = ring->seats[b].n + weight_of(ring, b);
		if (left != right)
			return left > right;
		return weight_of(ring, a) != weight_of(ring, b) ? weight_of(ring, a) > weight_of(ring, b) : a < b;
	}
	struct turn left = place(ring, a), right = place(ring, b);
	return turn_before(&left, &right);
}

bool ring_is_less_loaded(const struct ring *ring, uint32_t a, uint32_t b)
{
	int64_t left = ring->loads[a] * weight_of(ring, b), right = ring->loads[b] * weight_of(ring, a);
	return left != right ? left < right : ring_is_before(ring, a, b);
}

/* ---- heaps: parents before their children; seats know their place */

typedef bool (*before_fn)(const struct ring *ring, uint32_t a, uint32_t b);

struct order {
	before_fn before;
	size_t offset; /* of the place in struct seat */
};

static const struct order by_turn = {ring_is_before, offsetof(struct seat, at_turn)};
static const struct order by_load = {ring_is_less_loaded, offsetof(struct seat, at_load)};

static uint32_t *place_of(struct ring *ring, const struct order *order, uint32_t member)
{
	return (uint32_t *)(void *)((char *)&ring->seats[member] + order->offset);
}

static void put(struct ring *ring, const struct order *order, struct ring_heap *heap, size_t at, uint32_t member)
{
	heap->items[at] = member;
	*place_of(ring, order, member) = (uint32_t)at + 1;
}

static void rise(struct ring *ring, const struct order *order, struct ring_heap *heap, size_t at)
{
	uint32_t member = heap->items[at];
	while (at > 0 && order->before(ring, member, heap->items[(at - 1) / 2])) {
		put(ring, order, heap, at, heap->items[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	put(ring, order, heap, at, member);
}

static void sink(struct ring *ring, const struct order *order, struct ring_heap *heap, size_t at)
{
	uint32_t member = heap->items[at];
	for (;;) {
		size_t child = 2 * at + 1;
		if (child + 1 < heap->count && order->before(ring, heap->items[child + 1], heap->items[child]))
			child++;
		if (child >= heap->count || !order->before(ring, heap->items[child], member))
			break;
		put(ring, order, heap, at, heap->items[child]);
		at = child;
	}
	put(ring, order, heap, at, member);
}

static void add(struct ring *ring, const struct order *order, struct ring_heap *heap, uint32_t member)
{
	put(ring, order, heap, heap->count++, member);
	rise(ring, order, heap, heap->count - 1);
}

static void drop(struct ring *ring, const struct order *order, struct ring_heap *heap, uint32_t member)
{
	size_t at = *place_of(ring, order, member) - 1;
	*place_of(ring, order, member) = 0;
	uint32_t last = heap->items[--heap->count];
	if (last == member)
		return;
	put(ring, order, heap, at, last);
	rise(ring, order, heap, at);
	sink(ring, order, heap, *place_of(ring, order, last) - 1);
}

static void move(struct ring *ring, const struct order *order, struct ring_heap *heap, uint32_t member)
{
	size_t at = *place_of(ring, order, member) - 1;
	rise(ring, order, heap, at);
	sink(ring, order, heap, *place_of(ring, order, member) - 1);
}

/* Something that orders him has changed. */
static void reorder(struct ring *ring, uint32_t member)
{
	size_t class = pool_class(ring->pool, member);
	if (ring->pool->rotation == ROTATION_CREDIT)
		return; /* every turn looks at all of them */
	if (ring->seats[member].at_turn != 0)
		move(ring, &by_turn, &ring->by_turn[class], member);
	if (ring->by_load != NULL && ring->seats[member].at_load != 0)
		move(ring, &by_load, &ring->by_load[class], member);
}

void ring_enter(struct ring *ring, uint32_t member)
{
	size_t class = pool_class(ring->pool, member);
	if (ring->seats[member].at_turn != 0)
		return;
	if (ring->pool->rotation == ROTATION_STRIDE)
		come_in(ring, member, &ring->seats[member]);
	add(ring, &by_turn, &ring->by_turn[class], member);
	if (ring->by_load != NULL)
		add(ring, &by_load, &ring->by_load[class], member);
}

void ring_leave(struct ring *ring, uint32_t member)
{
	size_t class = pool_class(ring->pool, member);
	if (ring->seats[member].at_turn == 0)
		return;
	drop(ring, &by_turn, &ring->by_turn[class], member);
	if (ring->by_load != NULL)
		drop(ring, &by_load, &ring->by_load[class], member);
}

void ring_reload(struct ring *ring, uint32_t member)
{
	if (ring->by_load != NULL && ring->seats[member].at_load != 0)
		move(ring, &by_load, &ring->by_load[pool_class(ring->pool, member)], member);
}

void ring_reopen(struct ring *ring, size_t class)
{
	struct ring_heap *turns = &ring->by_turn[class];
	if (ring->pool->rotation == ROTATION_CREDIT)
		return;
	for (size_t i = 0; i < turns->count; i++)
		come_in(ring, turns->items[i], &ring->seats[turns->items[i]]);
	for (size_t i = turns->count / 2; i-- > 0;)
		sink(ring, &by_turn, turns, i);
	for (size_t i = ring->by_load != NULL ? turns->count / 2 : 0; i-- > 0;)
		sink(ring, &by_load, &ring->by_load[class], i);
}

uint32_t ring_first(const struct ring *ring, size_t class)
{
	return ring->by_turn[class].count != 0 ? ring->by_turn[class].items[0] : RING_NOBODY;
}

uint32_t ring_least_loaded(const struct ring *ring, size_t class)
{
	return ring->by_load[class].count != 0 ? ring->by_load[class].items[0] : RING_NOBODY;
}

/* ---- turns */

static void touch(struct ring *ring, uint32_t member)
{
	if (!ring->seats[member].is_dirty)
		ring->dirty[ring->dirty_count++] = member;
	ring->seats[member].is_dirty = ring->seats[member].is_known = true;
}

/* He may not be there: a person's order. Then his turn counts from where he would come in. */
static void sit_down(struct ring *ring, uint32_t member)
{
	struct seat *seat = &ring->seats[member];
	if (ring->pool->rotation == ROTATION_STRIDE && seat->at_turn == 0)
		come_in(ring, member, seat);
	seat->weight = weight_of(ring, member);
	touch(ring, member);
}

static void note_high(struct ring *ring, const struct seat *seat)
{
	if (seat->n * ring->high_weight <= ring->high_n * seat->weight)
		return;
	ring->high_n = seat->n;
	ring->high_weight = seat->weight;
	ring->is_dirty = true;
}

void ring_take(struct ring *ring, uint32_t member)
{
	struct seat *seat = &ring->seats[member];
	sit_down(ring, member);
	seat->given++;
	if (ring->pool->rotation == ROTATION_CREDIT)
		return; /* who pays what is the business of the choice */
	int64_t extra = ahead(ring, seat) - seat->back;
	if (seat->back > 0) {
		seat->back--;
	} else if (extra > 0) {
		seat->used = seat->day == ring->day ? seat->used + 1 : 1;
		seat->day = ring->day;
		seat->owed--;
	} else {
		seat->n++;
		note_high(ring, seat);
	}
	reorder(ring, member);
}

void ring_pay(struct ring *ring, const uint32_t *candidates, size_t count, uint32_t winner)
{
	int64_t sum = 0;
	for (size_t i = 0; i < count; i++) {
		ring->seats[candidates[i]].n += weight_of(ring, candidates[i]);
		sum += weight_of(ring, candidates[i]);
		touch(ring, candidates[i]);
	}
	ring->seats[winner].n -= sum;
}

void ring_refund(struct ring *ring, const uint32_t *candidates, size_t count, uint32_t winner)
{
	int64_t sum = 0;
	for (size_t i = 0; i < count; i++) {
		ring->seats[candidates[i]].n -= weight_of(ring, candidates[i]);
		sum += weight_of(ring, candidates[i]);
		touch(ring, candidates[i]);
	}
	ring->seats[winner].n += sum;
}

void ring_give_back(struct ring *ring, uint32_t member)
{
	struct seat *seat = &ring->seats[member];
	sit_down(ring, member);
	seat->given--;
	if (ring->pool->rotation == ROTATION_STRIDE)
		seat->back++;
	reorder(ring, member);
}

/* Takes whole rounds off all positions before they outgrow the codec: the order of turns stays as it is. */
static void rebase(struct ring *ring)
{
	int64_t rounds = ring->mark.n / ring->mark.weight;
	for (uint32_t i = 0; i < ring->team->member_count; i++) {
		struct seat *seat = &ring->seats[i];
		if (!seat->is_known)
			continue;
		seat->n -= rounds * seat->weight;
		if (seat->n < 0)
			seat->n = 0;
		touch(ring, i);
	}
	ring->mark.n -= rounds * ring->mark.weight;
	ring->high_n -= rounds * ring->high_weight;
}

void ring_advance(struct ring *ring, uint32_t first)
{
	static const int64_t rebase_at = (int64_t)1 << (RING_POSITION_BITS - 11);
	if (first == RING_NOBODY || ring->pool->rotation == ROTATION_CREDIT)
		return;
	struct turn turn = place(ring, first);
	if (!turn_before(&ring->mark, &turn))
		return;
	ring->mark = turn;
	ring->is_dirty = true;
	if (turn.n / turn.weight >= rebase_at)
		rebase(ring);
}

void ring_set_day(struct ring *ring, int64_t day)
{
	if (ring->day == day || ring->pool->catch_up != CATCH_UP_CAPPED)
		return;
	ring->day = day;
	for (uint32_t i = 0; i < ring->team->member_count; i++)
		if (ring->seats[i].owed != 0)
			reorder(ring, i);
}

void ring_note_presence(struct ring *ring, uint32_t member, bool is_there)
{
	struct seat *seat = &ring->seats[member];
	if (!seat->is_known || seat->is_out == !is_there)
		return;
	seat->is_out = !is_there;
	touch(ring, member);
	if (!is_there)
		return;
	int64_t exact = ring->high_n * seat->weight;
	int64_t n = exact / ring->high_weight + (exact % ring->high_weight != 0);
	if (n > seat->n)
		seat->n = n;
	reorder(ring, member);
}
