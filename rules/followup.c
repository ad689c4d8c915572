/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/followup.h"

#include "rules/calendar.h"
#include "rules/model.h"
#include "rules/state.h"

const char *followup_level_name(enum followup_level level)
{
	switch (level) {
	case FOLLOWUP_NOTHING:
		return "";
	case FOLLOWUP_REMINDER:
		return "pre_breach";
	case FOLLOWUP_OVERDUE:
		return "breach";
	}
	return "?";
}

void followup_start(const struct model *model, const struct grade *grade, int64_t start_ms, struct lead_state *lead)
{
	lead->deadline_ms = lead->remind_ms = 0;
	lead->level = 0;
	if (grade == NULL || !grade->has_first_response)
		return;
	int64_t deadline_ms = calendar_add_span(model->calendar, start_ms, &grade->first_response);
	if (deadline_ms == CALENDAR_NEVER || deadline_ms <= 0)
		return;
	lead->deadline_ms = deadline_ms;
	if (span_is_zero(&grade->remind_before))
		return;
	int64_t remind_ms = calendar_subtract_span(model->calendar, deadline_ms, &grade->remind_before);
	if (remind_ms > start_ms && remind_ms < deadline_ms)
		lead->remind_ms = remind_ms;
}

enum followup_level followup_fire(struct lead_state *lead, int64_t now_ms)
{
	int64_t due_ms = state_next_due(lead);
	if (due_ms == 0 || due_ms > now_ms)
		return FOLLOWUP_NOTHING;
	bool is_reminder = lead->level == 0 && lead->remind_ms != 0;
	lead->level = is_reminder ? FOLLOWUP_REMINDER : FOLLOWUP_OVERDUE;
	return is_reminder ? FOLLOWUP_REMINDER : FOLLOWUP_OVERDUE;
}
