/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/erase.h"

#include "rules/event_lifecycle.h"
#include "rules/merge.h"
#include "rules/own.h"
#include "rules/pool_choose.h"

static void forget_one(struct work *work, struct slice absorbed)
{
	struct slice lead_id = work->lead_id;
	work->lead_id = absorbed;
	work_bar_lead_id(work);
	overlay_remove(&work->decider->overlay, state_lead_key(work->arena, absorbed));
	work->lead_id = lead_id;
}

/* What was merged into it, and what had been merged into that, was the same person. */
static void forget_absorbed(struct work *work)
{
	for (size_t i = 0; i < work->state.from.count; i++)
		forget_one(work, merge_from_id(work->state.from.items[i]));
	for (size_t i = 0; i < work->state.under.count; i++)
		forget_one(work, work->state.under.items[i]);
}

void erase_lead(struct work *work, enum idents_fate fate, struct slice reason)
{
	size_t keys = work->state.idents.count + (fate == IDENTS_BARRED ? work->state.ceded.count : 0);
	size_t barred = work_forget_idents(work, fate);
	work_bar_lead_id(work);
	forget_absorbed(work);
	own_count(work, true);
	overlay_remove(&work->decider->overlay, state_lead_key(work->arena, work->lead_id));
	pool_on_erase(work);
	event_erased(work, reason, keys, barred);
	/* nothing of it is named in logs and counters any more */
	work->state = (struct lead_state){.version = work->state.version};
}
