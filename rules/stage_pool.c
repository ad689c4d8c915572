/* SPDX-License-Identifier: Apache-2.0
 *
 * Stages pool and choose: who of the team could take the lead, and whose turn it is.
 */
#include "rules/decide.h"

#include "rules/base/strbuf.h"
#include "rules/model.h"

/* A ring is read once per batch and stays in memory until the batch is finished. */
static struct ring *ring_of(struct decider *decider, size_t team)
{
	if (decider->rings == NULL) {
		decider->rings = arena_array(decider->arena, decider->model->team_count, sizeof *decider->rings);
		decider->rings_used = arena_array(decider->arena, decider->model->team_count, sizeof *decider->rings_used);
	}
	if (decider->rings[team] != NULL)
		return decider->rings[team];
	struct ring *ring = decider->rings[team] = arena_alloc(decider->arena, sizeof *ring);
	const struct team *members = &decider->model->teams[team];
	struct slice value = overlay_get(&decider->overlay, state_ring_key(decider->arena, members->id));
	ring_open(ring, decider->model, members, value, decider->arena);
	decider->rings_used[decider->rings_used_count++] = team;
	return ring;
}

/* Whom to show in the trace: the first members as they stood before the choice. */
static void note_candidates(struct work *work, const struct ring *ring)
{
	work->candidates_total = ring->team->member_count;
	work->was_ring_malformed = ring->was_malformed;
	for (size_t i = 0; i < ring->team->member_count && i < CANDIDATES_SHOWN; i++)
		work->candidates[work->candidate_count++] =
			(struct candidate){ring->team->members[i].rep, ring->slots[i], false};
}

enum step stage_pool(struct work *work)
{
	if (work->rep != SIZE_MAX)
		return STEP_NEXT;
	const struct ring *ring = ring_of(work->decider, work->team);
	note_candidates(work, ring);
	work->active_total = ring_candidates(ring);
	return work->active_total == 0 ? settle_unassigned(work, "no_candidate") : STEP_NEXT;
}

/* The chosen one is always shown, in the last row if it is not among the first. */
static void mark_chosen(struct work *work, size_t member, struct ring_slot before)
{
	size_t row = member < CANDIDATES_SHOWN ? member : CANDIDATES_SHOWN - 1;
	work->candidates[row] = (struct candidate){work->rep, before, true};
}

enum step stage_choose(struct work *work)
{
	if (work->rep != SIZE_MAX)
		return STEP_NEXT;
	struct ring *ring = ring_of(work->decider, work->team);
	size_t member = ring_next(ring);
	struct ring_slot before = ring->slots[member];
	before.n--;
	work->rep = ring->team->members[member].rep;
	work->reason = "first";
	mark_chosen(work, member, before);
	return STEP_NEXT;
}

/* The rings that were used go into the write-set. */
void pool_finish(struct decider *decider)
{
	for (size_t i = 0; i < decider->rings_used_count; i++) {
		const struct ring *ring = decider->rings[decider->rings_used[i]];
		struct strbuf value = STRBUF_INIT;
		ring_put(&value, ring, decider->arena);
		overlay_put(&decider->overlay, state_ring_key(decider->arena, ring->team->id), work_keep(decider->arena, &value), 0);
	}
}
