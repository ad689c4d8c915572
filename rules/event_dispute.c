/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/event_dispute.h"

#include "rules/decide.h"
#include "rules/event_page.h"

static void put_claim(struct json_writer *writer, const struct claimant *claimant)
{
	json_open_object(writer, NULL);
	json_put_text(writer, "rep", claimant->rep);
	json_put_time(writer, "claimed_at", claimant->claimed_ms);
	event_put_time_if(writer, "followed_up_at", claimant->followed_ms);
	if (claimant->followed_ms != 0)
		json_put_bool(writer, "recorded", claimant->is_recorded);
	json_put_bool(writer, "territory", claimant->is_in_territory);
	json_put_bool(writer, "key_person", claimant->has_key_person);
	if (claimant->is_full)
		json_put_text(writer, "passed_over", SLICE("holding_cap"));
	json_close_object(writer);
}

void event_dispute(struct work *work, const struct dispute_step *step)
{
	struct page page;
	struct json_writer *writer = page_open(&page, work);
	json_put_text(writer, "step", slice_of(step->step));
	event_put_owner(writer, work);
	event_put_time_if(writer, "owner_followed_up_at", step->owner_followed_ms);
	json_open_array(writer, "claims");
	for (size_t i = 0; i < step->count; i++)
		put_claim(writer, &step->claimants[i]);
	json_close_array(writer);
	if (step->criterion != NULL)
		json_put_text(writer, "criterion", slice_of(step->criterion));
	event_put_if(writer, "winner", step->winner);
	event_put_time_if(writer, "until", step->until_ms);
	event_put_if(writer, "other_lead_id", work->state.contest);
	json_put_int(writer, "ownership_version", work->state.version);
	json_put_time(writer, "at", work->now_ms);
	page_close(&page, work, OUT_LIFECYCLE, "lead.dispute");
}
