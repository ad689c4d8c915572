/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/decide.h"
#include "rules/event_page.h"
#include "rules/lead.h"
#include "rules/merge.h"

/* The survivor's own source first, each once. */
static void put_sources(struct json_writer *writer, const struct lead_state *survivor)
{
	json_open_array(writer, "sources");
	event_put_if(writer, NULL, survivor->source);
	for (size_t i = 0; i < survivor->from.count; i++) {
		struct slice source = merge_from_source(survivor->from.items[i]);
		bool is_new = source.len != 0 && !slice_equal(source, survivor->source);
		for (size_t before = 0; is_new && before < i; before++)
			is_new = !slice_equal(source, merge_from_source(survivor->from.items[before]));
		if (is_new)
			json_put_text(writer, NULL, source);
	}
	json_close_array(writer);
}

static void put_survivor(struct json_writer *writer, const struct work *work, const struct merged *merged)
{
	struct work about = {.model = work->model, .state = *merged->survivor};
	json_put_text(writer, "into", merged->into);
	json_put_text(writer, "match", slice_of(merged->match));
	event_put_owner(writer, &about);
	json_put_text(writer, "status", slice_of(lead_status_name(merged->survivor->status)));
	event_put_if(writer, "lead_no", merged->survivor->number);
	json_put_int(writer, "score", merged->survivor->score);
	event_put_if(writer, "grade", merged->survivor->grade);
	put_sources(writer, merged->survivor);
	if (merged->survivor->kept.len != 0)
		json_put_raw(writer, "fields", merged->survivor->kept);
}

static void put_name_if(struct json_writer *writer, const char *name, struct slice value)
{
	if (value.len != 0)
		json_put_text(writer, NULL, slice_of(name));
}

/* Text is appended and tags are united, but neither is kept here: they may name the person. Whoever keeps the leads does it,
 * with what the record says. */
static void put_to_join(struct json_writer *writer, const struct lead *lead)
{
	const struct json *tags = lead->attributes != NULL ? json_get(lead->attributes, "tags") : NULL;
	json_open_array(writer, "append");
	put_name_if(writer, "interest.need", lead->interest.need);
	json_close_array(writer);
	json_open_array(writer, "unite");
	if (tags != NULL && tags->type == JSON_IS_ARRAY && tags->count != 0)
		json_put_text(writer, NULL, SLICE("attributes.tags"));
	json_close_array(writer);
}

/* Of contact data only which there are: lead.captured, at the place that lr_cause names, has them for whoever may see them. */
static void put_record(struct json_writer *writer, const struct lead *lead)
{
	json_open_object(writer, "record");
	event_put_if(writer, "source", lead->source);
	event_put_if(writer, "campaign", lead->campaign);
	event_put_if(writer, "intent", lead->intent);
	event_put_if(writer, "company", lead->company.name);
	event_put_if(writer, "product", lead->interest.product);
	json_open_array(writer, "contact");
	put_name_if(writer, "name", lead->contact.name);
	put_name_if(writer, "email", lead->contact.email);
	put_name_if(writer, "phone", lead->contact.phone);
	put_name_if(writer, "wechat", lead->contact.wechat);
	json_close_array(writer);
	put_to_join(writer, lead);
	json_close_object(writer);
}

static void put_actor(struct json_writer *writer, const struct work *work)
{
	if (work->activity == NULL)
		return;
	event_put_if(writer, "actor", work->activity->actor);
	event_put_if(writer, "approver", work->activity->approver);
	event_put_if(writer, "comment", work->activity->reason);
}

/* The event is about the lead that was absorbed, and comes to whoever follows the survivor. */
static void tell(struct work *work, const struct merged *merged, const char *type)
{
	struct slice lead_id = work->lead_id;
	struct page page;
	work->lead_id = merged->lead_id;
	struct json_writer *writer = page_open(&page, work);
	put_survivor(writer, work, merged);
	put_actor(writer, work);
	if (merged->has_record)
		put_record(writer, &work->prepared->lead);
	json_put_bool(writer, "reversible", merged->is_reversible);
	json_put_bool(writer, "repeated", merged->is_repeated);
	json_put_time(writer, "at", work->now_ms);
	struct event *event = page_close(&page, work, OUT_LIFECYCLE, type);
	event->key = merged->into;
	work->lead_id = lead_id;
}

void event_merged(struct work *work, const struct merged *merged)
{
	tell(work, merged, "lead.merged");
}

void event_split(struct work *work, const struct merged *split)
{
	tell(work, split, "lead.split");
}
