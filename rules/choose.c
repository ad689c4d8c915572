/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/choose.h"

#include "rules/base/arena.h"
#include "rules/model.h"
#include "rules/state.h"

/* Positions this large are moved down together, so that n = position * weight stays inside the codec's limit and
 * products of n and a weight stay inside 63 bits. */
static const int64_t rebase_at = (int64_t)1 << (STATE_POSITION_BITS - 11);

static struct slice member_id(const struct ring *ring, size_t slot)
{
	return ring->model->reps[ring->team->members[slot].rep].id;
}

/* Members are sorted by id. SIZE_MAX when it left the team. */
static size_t find_slot(const struct ring *ring, struct slice id)
{
	size_t low = 0, high = ring->team->member_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = slice_compare(member_id(ring, middle), id);
		if (order == 0)
			return middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return SIZE_MAX;
}

/* Slots as stored: is_in means that it was in. */
static void load(struct ring *ring, struct slice value, struct arena *arena)
{
	struct ring_member *members;
	size_t count;
	if (value.len == 0)
		return;
	if (state_get_ring(value, arena, &members, &count, NULL) != 0) {
		ring->was_malformed = true;
		return;
	}
	for (size_t i = 0; i < count; i++) {
		size_t slot = find_slot(ring, members[i].id);
		if (slot != SIZE_MAX)
			ring->slots[slot] = (struct ring_slot){members[i].n, members[i].weight, !members[i].is_out, true};
	}
}

static bool is_active(const struct ring *ring, size_t slot)
{
	return ring->model->reps[ring->team->members[slot].rep].is_active;
}

/* Positions first, then the higher weight, then the lower id (slots stand in the order of ids). */
static bool goes_before(const struct ring_slot *a, const struct ring_slot *b)
{
	int64_t left = a->n * b->weight, right = b->n * a->weight;
	if (left != right)
		return left < right;
	return a->weight != b->weight ? a->weight > b->weight : a < b;
}

/* Where the rotation stands: entrants take their first turn at or behind it. */
struct mark {
	int64_t n, weight;           /* as a position */
	const struct ring_slot *next; /* whose turn it is there; NULL: turns at this position have not begun */
};

static struct mark mark_at(const struct ring_slot *slot, bool is_next)
{
	return (struct mark){slot->n, slot->weight, is_next ? slot : NULL};
}

/* The next turn among those who stayed with the same weight, else the lowest position of those who stayed at all. If
 * nobody stayed, the highest position that is known: the last who was there had come that far. */
static struct mark find_mark(const struct ring *ring)
{
	const struct ring_slot *same = NULL, *stayed = NULL, *known = NULL;
	for (size_t i = 0; i < ring->team->member_count; i++) {
		const struct ring_slot *slot = &ring->slots[i];
		bool stays = slot->is_known && slot->is_in && is_active(ring, i);
		if (stays && slot->weight == ring->team->members[i].weight && (same == NULL || goes_before(slot, same)))
			same = slot;
		if (stays && (stayed == NULL || goes_before(slot, stayed)))
			stayed = slot;
		if (slot->is_known && (known == NULL || goes_before(known, slot)))
			known = slot;
	}
	if (same != NULL)
		return mark_at(same, true);
	if (stayed != NULL)
		return mark_at(stayed, false);
	return known != NULL ? mark_at(known, false) : (struct mark){0, 1, NULL};
}

/* The first turn of `slot` that does not lie before the mark. At the very position of the mark that depends on the
 * order of ties: those who go before the next one have had their turn there. */
static int64_t first_turn(const struct mark *mark, const struct ring_slot *slot, int64_t weight)
{
	int64_t exact = mark->n * weight;
	int64_t n = (exact + mark->weight - 1) / mark->weight;
	if (exact % mark->weight != 0 || mark->next == NULL)
		return n;
	bool is_earlier = weight != mark->weight ? weight > mark->weight : slot < mark->next;
	return is_earlier ? n + 1 : n;
}

static void enter(struct ring_slot *slot, int64_t weight, const struct mark *mark)
{
	bool is_same = slot->is_known && slot->weight == weight;
	if (!is_same || !slot->is_in) {
		int64_t first = first_turn(mark, slot, weight);
		if (!is_same || slot->n < first)
			slot->n = first;
	}
	slot->weight = weight;
	slot->is_in = slot->is_known = true;
}

/* Takes whole turns of everybody off all positions: the order of turns stays as it is. */
static void rebase(struct ring *ring, int64_t whole)
{
	for (size_t i = 0; i < ring->team->member_count; i++) {
		struct ring_slot *slot = &ring->slots[i];
		slot->n -= whole * slot->weight;
		if (slot->n < 0)
			slot->n = 0;
	}
}

void ring_open(struct ring *ring, const struct model *model, const struct team *team, struct slice value,
               struct arena *arena)
{
	*ring = (struct ring){.model = model, .team = team};
	ring->slots = arena_array(arena, team->member_count, sizeof *ring->slots);
	load(ring, value, arena);
	struct mark mark = find_mark(ring);
	if (mark.n / mark.weight >= rebase_at) {
		rebase(ring, mark.n / mark.weight);
		mark.n %= mark.weight;
	}
	for (size_t i = 0; i < team->member_count; i++) {
		if (is_active(ring, i))
			enter(&ring->slots[i], team->members[i].weight, &mark);
		else
			ring->slots[i].is_in = false;
	}
}

size_t ring_next(struct ring *ring)
{
	size_t best = SIZE_MAX;
	for (size_t i = 0; i < ring->team->member_count; i++)
		if (ring->slots[i].is_in && (best == SIZE_MAX || goes_before(&ring->slots[i], &ring->slots[best])))
			best = i;
	if (best != SIZE_MAX)
		ring->slots[best].n++;
	return best;
}

size_t ring_candidates(const struct ring *ring)
{
	size_t count = 0;
	for (size_t i = 0; i < ring->team->member_count; i++)
		count += ring->slots[i].is_in;
	return count;
}

void ring_put(struct strbuf *out, const struct ring *ring, struct arena *arena)
{
	struct ring_member *members = arena_array(arena, ring->team->member_count, sizeof *members);
	size_t count = 0;
	for (size_t i = 0; i < ring->team->member_count; i++) {
		const struct ring_slot *slot = &ring->slots[i];
		if (slot->is_known)
			members[count++] = (struct ring_member){member_id(ring, i), slot->n, slot->weight, !slot->is_in};
	}
	state_put_ring(out, members, count);
}
