/* SPDX-License-Identifier: Apache-2.0
 *
 * activity.report: the report on an important lead was handed in (S0-REPORT); `content` says where it is found.
 */
#include "rules/decide.h"

#include "rules/clocks_lead.h"
#include "rules/event.h"

int act_report_read(struct activity *activity, struct arena *arena, struct err *err)
{
	return touch_read(activity, arena, err);
}

void act_report(struct work *work)
{
	int64_t at_ms = work->activity->at_ms;
	struct status_change change = {.before = lead_status_name(work->state.status), .is_repeated = work->is_repeated,
	                               .at_ms = at_ms < 0 || at_ms > work->now_ms ? work->now_ms : at_ms};
	if (!work->is_repeated) {
		clocks_happened(work, &(struct happened){.facts = CLOCK_FACT_REPORTED, .at_ms = change.at_ms});
		work_write_lead(work, work->lead_id);
	}
	event_status(work, &change);
}
