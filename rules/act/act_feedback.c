/* SPDX-License-Identifier: Apache-2.0
 *
 * activity.feedback: how satisfied the customer is, from 1 (not at all) to 5 (S0-KPI, S2-ANALYSIS). Changes nothing about the
 * lead; whoever collects the answers sends it, at any time.
 */
#include "rules/decide.h"

#include "rules/event_page.h"

enum { RATING_LEAST = 1, RATING_MOST = 5 };

int act_feedback_read(struct activity *activity, struct arena *arena, struct err *err)
{
	(void)arena;
	const struct json *data = activity->data;
	if (activity_int(data, "rating", RATING_LEAST, RATING_MOST, &activity->rating, err) != 0 ||
	    activity_text(data, "text", ACTIVITY_OUTCOME_BYTES_MAX, &activity->text, err) != 0)
		return -1;
	if (activity->rating == 0)
		return err_set_at(err, ERR_MISSING_FIELD, "rating", "feedback has a rating from 1 to 5");
	return 0;
}

void act_feedback(struct work *work)
{
	const struct activity *activity = work->activity;
	struct page page;
	if (!work->is_repeated)
		work_write_lead(work, work->lead_id);
	struct json_writer *writer = page_open(&page, work);
	event_put_owner(writer, work);
	event_put_if(writer, "actor", activity->actor);
	json_put_int(writer, "rating", activity->rating);
	event_put_if(writer, "text", activity->text);
	if (activity->at_ms > 0)
		json_put_time(writer, "happened_at", activity->at_ms);
	json_put_bool(writer, "repeated", work->is_repeated);
	json_put_time(writer, "at", work->now_ms);
	page_close(&page, work, OUT_LIFECYCLE, "lead.feedback");
}
