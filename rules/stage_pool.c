/* SPDX-License-Identifier: Apache-2.0
 *
 * Stages pool and choose: who of the team could take the lead, and who gets it. Both are one question to rules/pool_choose.h;
 * `choose` is where the answer stands when somebody was named before any pool was asked.
 */
#include "rules/decide.h"

#include "rules/degraded.h"
#include "rules/model.h"
#include "rules/own.h"
#include "rules/pool_choose.h"

/* A route that names a rep: the team is for when he cannot take it. Who is not in it has the caps and hours of his own, and
 * whoever consents for that is asked. */
static bool take_named(struct work *work)
{
	const struct route *route = work->match.route;
	enum block block;
	if (route == NULL || route->rep_plus_1 == 0)
		return false;
	size_t rep = route->rep_plus_1 - 1, own = own_team_of(work, rep, work->model->teams[work->team].id);
	size_t team = own != SIZE_MAX ? own : work->team;
	work->named = route->rep_plus_1;
	if (!pool_can_take(work, rep, team, &block)) {
		work->named_block = block;
		return false;
	}
	work->rep = rep;
	work->team = team;
	work->reason = "named";
	return true;
}

enum step stage_pool(struct work *work)
{
	if (work->rep != SIZE_MAX || take_named(work))
		return STEP_NEXT;
	if (degraded_is_shed(work))
		return settle_unassigned(work, DEGRADED_REASON);
	switch (pool_choose(work, work->team, NULL, 0, CAUSE_AUTOMATIC)) {
	case POOL_CHOSEN:
		work->reason = "first";
		return STEP_NEXT;
	case POOL_WAITING:
	case POOL_NOBODY:
		break;
	}
	return settle_unassigned(work, work->reason);
}

enum step stage_choose(struct work *work)
{
	if (work->candidate_count == 0)
		pool_note_given(work, CAUSE_OWNER_MATCH); /* requested or named: no pool was asked */
	return STEP_NEXT;
}

void pool_finish(struct decider *decider)
{
	struct desk *desk = decider->desk;
	for (size_t i = 0; i < desk->ring_count; i++) {
		ring_flush(desk->used[i], &decider->overlay, decider->arena);
		desk->used[i]->is_used = false;
	}
	desk->ring_count = 0;
	for (size_t i = 0; i < desk->dirty_people_count; i++) {
		size_t rep = desk->dirty_people[i];
		struct slice key = ARENA_JOIN(decider->arena, SLICE("mem/rep/"), decider->model->reps[rep].id);
		desk->people[rep].is_dirty = false;
		overlay_put(&decider->overlay, key, presence_value(&desk->people[rep], decider->arena), 0);
	}
	desk->dirty_people_count = 0;
	desk->is_written = true;
}
