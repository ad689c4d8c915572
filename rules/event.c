/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/event.h"

#include <string.h>

#include "rules/base/strbuf.h"
#include "rules/decide.h"
#include "rules/degraded.h"
#include "rules/event_clock.h"
#include "rules/event_page.h"
#include "rules/idents.h"
#include "rules/json/json.h"
#include "rules/likelihood.h"
#include "rules/model.h"
#include "rules/own.h"
#include "rules/pool_choose.h"
#include "rules/touch.h"
#include "rules/trace.h"

const char *out_topic_name(enum out_topic topic)
{
	switch (topic) {
	case OUT_ASSIGNMENTS:
		return "assignments";
	case OUT_FOLLOWUPS:
		return "followups";
	case OUT_LIFECYCLE:
		return "lifecycle";
	case OUT_REJECTED:
		return "rejected";
	case OUT_TOPICS:
		break;
	}
	return "?";
}

struct slice event_cause(const struct record *record, struct arena *arena)
{
	char partition[DECIMAL_BYTES], offset[DECIMAL_BYTES];
	return ARENA_JOIN(arena, record->topic, SLICE("/"), decimal_text(record->partition, partition), SLICE("/"),
	                  decimal_text(record->offset, offset));
}

/* ---- the frame around every event */

/* "<type>:<cause>": one cause has at most one event of a type; of another lead that it set in motion, its id and ownership
 * version stand behind it. */
static struct slice id_of(const struct work *work, const char *type)
{
	char version[DECIMAL_BYTES];
	if (work->is_aside)
		return ARENA_JOIN(work->arena, slice_of(type), SLICE(":"), work->cause, SLICE(":"), work->lead_id, SLICE(":"),
		                  decimal_text(work->state.version, version));
	return ARENA_JOIN(work->arena, slice_of(type), SLICE(":"), work->cause);
}

static struct event *add(struct work *work, enum out_topic topic, const char *type)
{
	if (work->ret->event_count == work->event_room)
		work_more_events(work);
	struct event *event = &work->events[work->ret->event_count++];
	event->topic = topic;
	event->type = type;
	event->id = id_of(work, type);
	event->cause = work->cause;
	event->subject = work->lead_id;
	event->at_ms = work->now_ms;
	return event;
}

static void put_traceparent(const struct work *work, struct event *event)
{
	if (work->prepared == NULL || work->prepared->envelope.traceparent.len == 0)
		return;
	struct header *header = arena_alloc(work->arena, sizeof *header);
	*header = (struct header){SLICE("traceparent"), work->prepared->envelope.traceparent};
	event->headers = header;
	event->header_count = 1;
}

enum { PAGE_BYTES = 4000 }; /* most events stay below; larger ones grow */

struct json_writer *page_open(struct page *page, const struct work *work)
{
	page->text = (struct strbuf)STRBUF_IN(work->arena);
	strbuf_reserve(&page->text, PAGE_BYTES);
	page->writer = (struct json_writer)JSON_WRITER(&page->text);
	json_open_object(&page->writer, NULL);
	json_put_text(&page->writer, "lead_id", work->lead_id);
	return &page->writer;
}

struct event *page_close(struct page *page, struct work *work, enum out_topic topic, const char *type)
{
	event_put_origin(&page->writer, work, type);
	json_close_object(&page->writer);
	struct slice value = strbuf_keep(&page->text, work->arena);
	struct event *event = add(work, topic, type);
	event->key = work->lead_id;
	event->value = value;
	event->has_key = event->has_value = true;
	put_traceparent(work, event);
	return event;
}

/* ---- parts */

void event_put_owner(struct json_writer *writer, const struct work *work)
{
	const struct lead_state *state = &work->state;
	if (state->owner.len != 0) {
		size_t rep = model_find_rep(work->model, state->owner);
		json_put_text(writer, "owner", state->owner);
		json_put_text(writer, "owner_name", rep != SIZE_MAX ? work->model->reps[rep].name : state->owner);
	}
	if (state->team.len != 0) {
		size_t team = model_find_team(work->model, state->team);
		json_put_text(writer, "team", state->team);
		json_put_text(writer, "team_name", team != SIZE_MAX ? work->model->teams[team].name : state->team);
	}
}

static void put_rule(struct json_writer *writer, const struct work *work)
{
	if (work->match.route != NULL)
		trace_write_rule(writer, work->model, work->match.route);
}

static void put_why(struct json_writer *writer, const struct work *work)
{
	json_open_text(writer, "why");
	trace_why(writer, work);
	json_close_text(writer);
}

static void put_grading(struct json_writer *writer, struct work *work)
{
	json_put_int(writer, "score", work->state.score);
	json_put_text(writer, "grade", work->state.grade);
	trace_write_terms(writer, work);
	likelihood_put(writer, work);
}

/* When an assignment arrives, the next step is fixed (S4-RECORD). */
static void put_next_step(struct json_writer *writer, const struct lead_state *state)
{
	json_open_object(writer, "next_step");
	json_put_text(writer, "action", SLICE("first_contact"));
	event_put_time_if(writer, "by", state->first_response.due_ms);
	json_close_object(writer);
}

/* The reminder before the due time, if one is to come. */
static int64_t remind_at(const struct clock *clock)
{
	return clock->next_ms < clock->due_ms ? clock->next_ms : 0;
}

/* ---- outcomes of a lead */

void event_assigned(struct work *work)
{
	struct page page;
	struct json_writer *writer = page_open(&page, work);
	event_put_if(writer, "lead_no", work->state.number);
	event_put_owner(writer, work);
	json_put_text(writer, "reason", slice_of(work->reason));
	put_rule(writer, work);
	put_why(writer, work);
	put_grading(writer, work);
	json_put_time(writer, "assigned_at", work->now_ms);
	event_put_deadline(writer, work);
	event_put_time_if(writer, "remind_at", remind_at(&work->state.first_response));
	put_next_step(writer, &work->state);
	event_put_helpers(writer, &work->state);
	json_put_int(writer, "ownership_version", work->state.version);
	degraded_put(writer, work);
	pool_put_ledger(writer, work);
	if (work_has_lead(work))
		lead_write(writer, "lead", &work->prepared->lead);
	trace_write(writer, work);
	page_close(&page, work, OUT_ASSIGNMENTS, "lead.assigned");
}

void event_unassigned(struct work *work)
{
	struct page page;
	struct json_writer *writer = page_open(&page, work);
	event_put_if(writer, "lead_no", work->state.number);
	json_put_text(writer, "reason", slice_of(work->reason));
	event_put_if(writer, "queue", pool_queue(work));
	event_put_owner(writer, work);
	put_rule(writer, work);
	put_why(writer, work);
	put_grading(writer, work);
	event_put_if(writer, "candidate", work->state.candidate);
	event_put_if(writer, "asked", work->state.asked);
	event_put_time_if(writer, "until", work->state.wake_ms);
	json_put_time(writer, "at", work->now_ms);
	degraded_put(writer, work);
	pool_put_ledger(writer, work);
	trace_write(writer, work);
	page_close(&page, work, OUT_ASSIGNMENTS, "lead.unassigned");
}

void event_duplicate(struct work *work, struct slice first_lead_id)
{
	struct page page;
	struct json_writer *writer = page_open(&page, work);
	json_put_text(writer, "first_lead_id", first_lead_id);
	event_put_if(writer, "first_lead_no", work->state.number);
	event_put_if(writer, "into", work->state.into);
	if (work->other != NULL) {
		json_put_text(writer, "other_lead_id", work->other->lead_id);
		event_put_if(writer, "other_owner", work->other->state.owner);
	}
	json_put_text(writer, "match", slice_of(work->hit));
	event_put_owner(writer, work);
	json_put_text(writer, "status", slice_of(lead_status_name(work->state.status)));
	json_put_int(writer, "duplicates", work->state.duplicates);
	if (work->is_barred[IDENTITY_EMAIL] || work->is_barred[IDENTITY_PHONE])
		json_put_bool(writer, "do_not_contact", true);
	json_put_text(writer, "source", work->prepared->lead.source);
	event_put_if(writer, "campaign", work->prepared->lead.campaign);
	json_put_time(writer, "first_seen_at", work->state.at_ms);
	json_put_time(writer, "at", work->now_ms);
	trace_write(writer, work);
	struct event *event = page_close(&page, work, OUT_LIFECYCLE, "lead.duplicate");
	event->key = first_lead_id; /* whoever follows the first lead gets this in order */
}

/* ---- activities and timers */

/* The record of an act by somebody who does not work on the lead: it is taken, and is none of its owner's. */
static bool is_outsider(const struct work *work)
{
	const struct activity *act = work->activity;
	return act->type == ACTIVITY_TOUCH && work->state.owner.len != 0 && !own_is_acting(&work->state, act->actor);
}

void event_status(struct work *work, const struct status_change *change)
{
	const struct activity *touch = work->activity;
	struct page page;
	struct json_writer *writer = page_open(&page, work);
	json_put_text(writer, "status", slice_of(lead_status_name(work->state.status)));
	json_put_text(writer, "previous_status", slice_of(change->before));
	event_put_owner(writer, work);
	event_put_if(writer, "actor", touch->actor);
	if (is_outsider(work))
		json_put_bool(writer, "outsider", true);
	event_put_if(writer, "method", touch->method);
	event_put_if(writer, "outcome", touch->outcome);
	if (touch->type == ACTIVITY_TOUCH || touch->type == ACTIVITY_REPORT)
		touch_write(writer, work);
	json_put_time(writer, "touched_at", change->at_ms);
	json_put_bool(writer, "repeated", change->is_repeated);
	json_put_time(writer, "at", work->now_ms);
	page_close(&page, work, OUT_LIFECYCLE, "lead.status");
}

/* ---- rejects */

/* Names of dead-letter headers that tools of Kafka's users know (KIP-1191), and ours. They stand behind the originals, so
 * where a name occurs twice the last one is ours. */
enum { ERROR_HEADERS = 9 };

static struct header text_header(const struct work *work, const char *name, const char *text)
{
	return (struct header){slice_of(name), slice_of(arena_strdup(work->arena, text))};
}

void event_rejected(struct work *work, const struct record *record, const struct err *err)
{
	struct event *event = add(work, OUT_REJECTED, "lead.rejected");
	struct header *headers = arena_array(work->arena, record->header_count + ERROR_HEADERS, sizeof *headers);
	if (record->header_count != 0)
		memcpy(headers, record->headers, record->header_count * sizeof *headers);
	struct header *more = headers + record->header_count;
	more[0] = (struct header){SLICE("__dlq.errors.topic"), record->topic};
	more[1] = text_header(work, "__dlq.errors.partition", arena_printf(work->arena, "%d", (int)record->partition));
	more[2] = text_header(work, "__dlq.errors.offset", arena_printf(work->arena, "%lld", (long long)record->offset));
	more[3] = text_header(work, "__dlq.errors.message", err->text);
	more[4] = text_header(work, "leadrouter.error.code", err_word(err->code));
	more[5] = text_header(work, "leadrouter.error.number", err_number(err->code));
	more[6] = text_header(work, "leadrouter.error.field", err->where);
	more[7] = text_header(work, "leadrouter.error.config", work->model->config_hash);
	more[8] = text_header(work, "leadrouter.error.record", record->kind == RECORD_CAPTURED ? "lead" : "activity");
	event->headers = headers;
	event->header_count = record->header_count + ERROR_HEADERS;
	event->has_key = record->has_key;
	event->has_value = record->has_value;
	event->key = record->key;
	event->value = record->value;
}
