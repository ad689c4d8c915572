/* SPDX-License-Identifier: Apache-2.0
 *
 * activity.erase: the lead is forgotten (rules/erase.h). With `do_not_contact`, or where the person had asked for that before,
 * the keys of the person stay as marks.
 */
#include "rules/erase.h"

int act_erase_read(struct activity *activity, struct arena *arena, struct err *err)
{
	(void)arena;
	return activity_bool(activity->data, "do_not_contact", &activity->is_barring, err);
}

void act_erase(struct work *work)
{
	bool is_barred = work->activity->is_barring || work->state.bar == BAR_CONTACT;
	erase_lead(work, is_barred ? IDENTS_BARRED : IDENTS_GONE, work->activity->reason);
}
