/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/event_lifecycle.h"

#include <string.h>

#include "rules/decide.h"
#include "rules/event_page.h"
#include "rules/lifecycle.h"
#include "rules/pool_choose.h"

static void put_notice(struct json_writer *writer, const struct work *work, enum lead_status status)
{
	const struct lifecycle_notice *notice = &lifecycle_rules(work->model)->notices[status];
	if (notice->count == 0)
		return;
	json_open_array(writer, "notify");
	for (size_t i = 0; i < notice->count; i++)
		json_put_text(writer, NULL, notice->names[i]);
	json_close_array(writer);
}

/* Who did it and why. */
static void put_actor(struct json_writer *writer, const struct work *work)
{
	const struct activity *activity = work->activity;
	event_put_if(writer, "actor", activity->actor);
	event_put_if(writer, "approver", activity->approver);
	if (activity->at_ms > 0)
		json_put_time(writer, "happened_at", activity->at_ms);
}

static void put_status(struct json_writer *writer, const struct work *work, const char *before)
{
	json_put_text(writer, "status", slice_of(lead_status_name(work->state.status)));
	json_put_text(writer, "previous_status", slice_of(before));
}

void event_moved(struct work *work, const struct move *move, const char *before, bool is_repeated)
{
	struct page page;
	struct json_writer *writer = page_open(&page, work);
	put_status(writer, work, before);
	event_put_owner(writer, work);
	put_actor(writer, work);
	event_put_if(writer, "verdict", move->verdict);
	event_put_if(writer, "reason", move->reason);
	event_put_if(writer, "stage", move->stage);
	event_put_if(writer, "next_step", move->next_step);
	event_put_time_if(writer, "wakes_at", work->state.wake_ms);
	put_notice(writer, work, work->state.status);
	json_put_int(writer, "ownership_version", work->state.version);
	json_put_bool(writer, "repeated", is_repeated);
	pool_put_ledger(writer, work);
	json_put_time(writer, "at", work->now_ms);
	page_close(&page, work, OUT_LIFECYCLE, "lead.status");
}

/* A rep by his id; anybody else by the record that names him. */
static void put_referral(struct json_writer *writer, struct slice referral)
{
	if (referral.len != 0 && referral.p[0] == '!')
		json_put_text(writer, "referred_in", (struct slice){referral.p + 1, referral.len - 1});
	else
		event_put_if(writer, "referrer", referral);
}

void event_put_history(struct json_writer *writer, const struct work *work)
{
	const struct lead_state *state = &work->state;
	json_open_object(writer, "history");
	json_put_time(writer, "captured_at", state->at_ms);
	event_put_time_if(writer, "first_touched_at", state->touched_ms);
	event_put_if(writer, "source", state->source);
	event_put_if(writer, "lead_no", state->number);
	put_referral(writer, state->referral);
	event_put_if(writer, "rule", state->rule);
	json_put_int(writer, "score", state->score);
	json_put_text(writer, "grade", state->grade);
	json_put_int(writer, "duplicates", state->duplicates);
	json_close_object(writer);
}

static void put_amount(struct json_writer *writer, const struct json *amount)
{
	if (amount != NULL && amount->type == JSON_IS_INT)
		json_put_int(writer, "amount", amount->integer);
	else if (amount != NULL)
		json_put_real(writer, "amount", amount->real);
}

void event_converted(struct work *work, const struct conversion *conversion)
{
	struct page page;
	struct json_writer *writer = page_open(&page, work);
	put_status(writer, work, conversion->before);
	json_put_text(writer, "kind", conversion->is_deferred ? SLICE("deferred") : SLICE("paid"));
	event_put_owner(writer, work);
	put_actor(writer, work);
	event_put_if(writer, "band", conversion->band);
	put_amount(writer, conversion->amount);
	event_put_if(writer, "currency", conversion->currency);
	event_put_if(writer, "customer_number", conversion->customer);
	event_put_time_if(writer, "date", conversion->date_ms);
	event_put_history(writer, work);
	put_notice(writer, work, work->state.status);
	json_put_int(writer, "ownership_version", work->state.version);
	json_put_bool(writer, "repeated", conversion->is_repeated);
	json_put_time(writer, "at", work->now_ms);
	page_close(&page, work, OUT_LIFECYCLE, "lead.converted");
}

void event_erased(struct work *work, struct slice reason, size_t keys, size_t barred)
{
	struct page page;
	struct json_writer *writer = page_open(&page, work);
	if (work->activity != NULL)
		put_actor(writer, work);
	event_put_if(writer, "reason", reason);
	json_put_int(writer, "identities", (int64_t)keys);
	json_put_int(writer, "barred", (int64_t)barred);
	json_put_time(writer, "at", work->now_ms);
	page_close(&page, work, OUT_LIFECYCLE, "lead.erased");
}

void event_woken(struct work *work, const struct waking *waking)
{
	bool is_expiring = strcmp(waking->timer, lifecycle_timer(LEAD_OPPORTUNITY)) == 0;
	struct page page;
	struct json_writer *writer = page_open(&page, work);
	json_put_text(writer, "timer", slice_of(waking->timer));
	put_status(writer, work, waking->before);
	event_put_owner(writer, work);
	event_put_if(writer, "reason", waking->reason);
	event_put_if(writer, "stage", work->state.stage);
	json_put_time(writer, "due_at", waking->due_ms);
	event_put_time_if(writer, "wakes_at", waking->next_ms);
	json_put_time(writer, "at", work->now_ms);
	struct event *event = page_close(&page, work, OUT_FOLLOWUPS, is_expiring ? "lead.expiring" : "followup.reminder");
	event->id = slice_of(arena_printf(work->arena, "%.*s:%s:wake:%lld", SLICE_ARG(work->lead_id), waking->timer,
	                                  (long long)work->state.wakes));
	event->cause = slice_of(arena_printf(work->arena, "timer:%.*s:%s:wake:%lld", SLICE_ARG(work->lead_id), waking->timer,
	                                     (long long)work->state.wakes));
}

void event_note(struct work *work, const struct note *note)
{
	struct page page;
	struct json_writer *writer = page_open(&page, work);
	event_put_owner(writer, work);
	put_actor(writer, work);
	event_put_if(writer, "department", note->department);
	event_put_if(writer, "to", note->to);
	event_put_if(writer, "text", note->text);
	json_put_bool(writer, "repeated", work->is_repeated);
	json_put_time(writer, "at", work->now_ms);
	page_close(&page, work, OUT_LIFECYCLE, note->type);
}
