/* SPDX-License-Identifier: Apache-2.0
 *
 * rep.availability: what a roster or a phone system says of a rep's presence (semantics.md 2.3). Being here frees a place, so
 * leads that wait go to him in this very decision (rules/pool_wait.h). What is older than what is known already changes
 * nothing: such events may overtake each other on their way.
 */
#include "rules/decide.h"

#include "rules/event_page.h"
#include "rules/json/json.h"
#include "rules/model.h"
#include "rules/pool_wait.h"

int act_availability_read(struct activity *activity, struct arena *arena, struct err *err)
{
	(void)arena;
	if (activity_text(activity->data, "status", ACTIVITY_TEXT_BYTES_MAX, &activity->status, err) != 0 ||
	    activity_time(activity->data, "until", &activity->until_ms, err) != 0)
		return -1;
	if (!slice_is(activity->status, "available") && !slice_is(activity->status, "away"))
		return err_set_at(err, ERR_FIELD_RANGE, "status", "the status is `available` or `away`");
	if (activity->until_ms > 0 && slice_is(activity->status, "available"))
		return err_set_at(err, ERR_FIELD_RANGE, "until", "only an absence ends at a time");
	return 0;
}

static void put_event(struct work *work, const struct presence *person, bool was_away, bool is_ignored)
{
	struct page page = {.text = STRBUF_INIT};
	page.writer = (struct json_writer)JSON_WRITER(&page.text);
	struct json_writer *writer = &page.writer;
	const struct activity *activity = work->activity;
	json_open_object(writer, NULL);
	json_put_text(writer, "rep", activity->rep);
	json_put_text(writer, "status", person->is_away ? SLICE("away") : SLICE("available"));
	json_put_text(writer, "previous_status", was_away ? SLICE("away") : SLICE("available"));
	event_put_time_if(writer, "until", person->until_ms);
	event_put_if(writer, "actor", activity->actor);
	event_put_if(writer, "reason", activity->reason);
	json_put_int(writer, "open", person->open);
	if (is_ignored)
		json_put_bool(writer, "ignored", true); /* something newer is known */
	json_put_time(writer, "at", work->now_ms);
	struct event *event = page_close(&page, work, OUT_LIFECYCLE, "rep.presence");
	event->key = activity->rep;
	event->subject = activity->rep;
}

void act_availability(struct work *work)
{
	const struct activity *activity = work->activity;
	struct desk *desk = work->decider->desk;
	size_t rep = model_find_rep(work->model, activity->rep);
	if (rep == SIZE_MAX) {
		decide_reject(work, work->prepared->record, ERR_UNKNOWN_REP, "rep", "the configuration has no such rep");
		return;
	}
	struct presence *person = desk_person(desk, &work->decider->overlay, rep);
	bool was_away = person->is_away;
	int64_t at_ms = activity->at_ms >= 0 && activity->at_ms < work->now_ms ? activity->at_ms : work->now_ms;
	bool is_ignored = at_ms < person->seen_ms;
	if (!is_ignored) {
		person->is_away = slice_is(activity->status, "away");
		person->until_ms = person->is_away && activity->until_ms > 0 ? activity->until_ms : 0;
		person->seen_ms = at_ms;
		person->late = 0;
		desk_person_changed(desk, &work->decider->overlay, rep);
	}
	put_event(work, person, was_away, is_ignored);
}
