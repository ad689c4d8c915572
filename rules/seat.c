/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/seat.h"

#include "rules/decide.h"
#include "rules/model.h"
#include "rules/own.h"
#include "rules/pool_choose.h"
#include "rules/pool_wait.h"

static void count(struct work *work, struct slice id, int change)
{
	size_t rep = model_find_rep(work->model, id);
	if (id.len == 0)
		return;
	own_hold(work, id, change);
	if (rep != SIZE_MAX)
		pool_change_load(work, rep, change * pool_units(work));
}

static void keep(struct work *work, struct slice id)
{
	struct slice before = work->state.seat;
	if (slice_equal(before, id))
		return;
	pool_ready(work);
	count(work, before, -1);
	count(work, id, 1);
	work->state.seat = id;
}

void seat_follow(struct work *work)
{
	keep(work, work->state.status == LEAD_PENDING ? work->state.candidate : SLICE_NONE);
}

bool seat_leave(struct work *work, size_t rep)
{
	bool is_his = seat_is_of(work, rep);
	keep(work, SLICE_NONE);
	return is_his;
}

bool seat_is_of(const struct work *work, size_t rep)
{
	return rep != SIZE_MAX && work->state.seat.len != 0 && slice_equal(work->state.seat, work->model->reps[rep].id);
}
