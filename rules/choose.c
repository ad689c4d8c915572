/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/choose.h"

#include "rules/base/arena.h"
#include "rules/model.h"
#include "rules/state.h"

/* Positions this large are moved down together; products with a weight stay far inside 63 bits. */
static const int64_t rebase_at = (int64_t)1 << (STATE_POSITION_BITS - 1);

static struct slice member_id(const struct ring *ring, size_t slot)
{
	return ring->model->reps[ring->team->members[slot].rep].id;
}

static bool is_lower(int64_t n, int64_t weight, const struct ring_slot *than)
{
	return n * than->weight < than->n * weight;
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

/* The lowest position among those who stayed; if nobody did, among those who are known; else 0. */
static struct ring_slot lowest_position(const struct ring *ring)
{
	struct ring_slot stayed = {0, 1, false, false}, known = stayed;
	for (size_t i = 0; i < ring->team->member_count; i++) {
		const struct ring_slot *slot = &ring->slots[i];
		if (!slot->is_known || !is_active(ring, i))
			continue;
		if (!known.is_known || is_lower(slot->n, slot->weight, &known))
			known = *slot;
		if (slot->is_in && (!stayed.is_known || is_lower(slot->n, slot->weight, &stayed)))
			stayed = *slot;
	}
	return stayed.is_known ? stayed : known;
}

static int64_t round_up(const struct ring_slot *position, int64_t weight)
{
	return (position->n * weight + position->weight - 1) / position->weight;
}

static void enter(struct ring_slot *slot, int64_t weight, const struct ring_slot *lowest)
{
	int64_t entry = round_up(lowest, weight);
	bool is_same = slot->is_known && slot->weight == weight;
	bool stays = is_same && slot->is_in;
	if (!stays && !(is_same && slot->n > entry))
		slot->n = entry;
	slot->weight = weight;
	slot->is_in = slot->is_known = true;
}

/* Takes whole turns of everybody off all positions: the order of turns stays as it is. */
static void rebase(struct ring *ring, const struct ring_slot *lowest)
{
	int64_t whole = lowest->n / lowest->weight;
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
	struct ring_slot lowest = lowest_position(ring);
	for (size_t i = 0; i < team->member_count; i++) {
		if (is_active(ring, i))
			enter(&ring->slots[i], team->members[i].weight, &lowest);
		else
			ring->slots[i].is_in = false;
	}
	lowest = lowest_position(ring);
	if (lowest.n >= rebase_at)
		rebase(ring, &lowest);
}

/* Positions first, then the higher weight; ids are in order already, so the earlier one stays. */
static bool goes_before(const struct ring_slot *a, const struct ring_slot *b)
{
	int64_t left = a->n * b->weight, right = b->n * a->weight;
	return left != right ? left < right : a->weight > b->weight;
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
