/* SPDX-License-Identifier: Apache-2.0
 *
 * activity.erase: what is stored of the lead goes, and the keys under which the person would be known again. With
 * `do_not_contact` these keys stay as marks that name no lead. The keys of the lead's own event and id always stay as such
 * marks, under an HMAC like the others: a repeat must not bring the lead back.
 */
#include "rules/decide.h"

#include "rules/pool_choose.h"

#include "rules/event_lifecycle.h"
#include "rules/merge.h"
#include "rules/own.h"

int act_erase_read(struct activity *activity, struct arena *arena, struct err *err)
{
	(void)arena;
	return activity_bool(activity->data, "do_not_contact", &activity->is_barring, err);
}

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

void act_erase(struct work *work)
{
	size_t keys = work->state.idents.count;
	size_t barred = work_forget_idents(work, work->activity->is_barring ? IDENTS_BARRED : IDENTS_GONE);
	work_bar_lead_id(work);
	forget_absorbed(work);
	own_count(work, true);
	overlay_remove(&work->decider->overlay, state_lead_key(work->arena, work->lead_id));
	pool_on_erase(work);
	event_erased(work, keys, barred);
	/* nothing of it is named in logs and counters any more */
	work->state = (struct lead_state){.version = work->state.version};
}
