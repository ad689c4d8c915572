/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/event_own.h"

#include "rules/decide.h"
#include "rules/degraded.h"
#include "rules/event_clock.h"
#include "rules/event_lifecycle.h"
#include "rules/event_page.h"
#include "rules/model.h"
#include "rules/own.h"
#include "rules/pool_choose.h"

/* ---- why, in a sentence */

/* How the sentence goes on after the lead's grade. */
static const struct phrase {
	const char *reason, *given, *taken;
} phrases[] = {
	{"manual", "it was given to", "it was taken back"},
	{"claimed", "it was free and was claimed by", ""},
	{"declined", "it was declined, and the next in turn is", "it was declined, and nobody is left to ask"},
	{"released", "", "its owner has given it up"},
	{"expired", "", "nothing has moved for so long that it was taken back"},
	{"handed_over", "what its owner had was handed over to", "its owner has left and nobody follows"},
	{"merged", "", "it was merged into another lead of the same person"},
	{"split", "it was split off again and goes back to", ""},
	{"dispute", "the dispute was decided for", ""},
	{"approved", "consent was given, so it goes to", "consent was not given"},
	{"breach", "nobody acted in time, so it goes to", "nobody acted in time, and nobody is left to ask"},
	{"max_hops", "", "as many as are asked have had it, and nobody acted in time"},
	{"hold_ended", "nobody decided in time, so it goes to", "nobody decided in time"},
	{"screened", "somebody looked at it and it is real, so it goes to", "somebody looked at it"},
};

static const struct phrase *find_phrase(const char *reason)
{
	for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++)
		if (strcmp(phrases[i].reason, reason) == 0)
			return &phrases[i];
	return NULL;
}

static struct slice owner_name(const struct work *work)
{
	size_t rep = model_find_rep(work->model, work->state.owner);
	return rep != SIZE_MAX ? work->model->reps[rep].name : work->state.owner;
}

static void put_why(struct json_writer *writer, const struct work *work, const struct order *order)
{
	const struct phrase *phrase = find_phrase(order->reason);
	struct slice name = owner_name(work);
	struct strbuf why = STRBUF_INIT;
	strbuf_printf(&why, "Grade %.*s (score %lld); ", SLICE_ARG(work->state.grade), (long long)work->state.score);
	if (name.len != 0)
		strbuf_printf(&why, "%s %.*s", phrase != NULL ? phrase->given : "it goes to", SLICE_ARG(name));
	else
		strbuf_puts(&why, phrase != NULL ? phrase->taken : "nobody owns it");
	if (order->actor.len != 0 && strcmp(order->reason, "manual") == 0)
		strbuf_printf(&why, ", by order of %.*s", SLICE_ARG(order->actor));
	strbuf_puts(&why, ".");
	json_put_text(writer, "why", (struct slice){why.bytes, why.len});
	strbuf_done(&why);
}

/* ---- given and taken */

/* A timer or a walk may change the owner more than once under one name: the version tells the changes apart. */
static void close_change(struct page *page, struct work *work, const char *type)
{
	struct event *event = page_close(page, work, OUT_ASSIGNMENTS, type);
	if (work->prepared == NULL || slice_has_prefix(work->cause, SLICE("walk:")))
		event->id = slice_of(arena_printf(work->arena, "%s:%.*s:%lld", type, SLICE_ARG(work->lead_id),
		                                  (long long)work->state.version));
}

static void put_order(struct json_writer *writer, const struct work *work, const struct order *order)
{
	event_put_if(writer, "actor", order->actor);
	event_put_if(writer, "approver", order->approver);
	event_put_if(writer, "comment", order->text);
	event_put_if(writer, "previous_owner", order->previous);
	json_put_int(writer, "score", work->state.score);
	json_put_text(writer, "grade", work->state.grade);
	event_put_if(writer, "route", work->state.rule);
}

void event_put_helpers(struct json_writer *writer, const struct lead_state *state)
{
	if (state->helpers.count == 0)
		return;
	json_open_array(writer, "collaborators");
	for (size_t i = 0; i < state->helpers.count; i++) {
		struct slice helper = state->helpers.items[i];
		const char *slash = memchr(helper.p, '/', helper.len);
		size_t rep_len = slash != NULL ? (size_t)(slash - helper.p) : helper.len;
		json_open_object(writer, NULL);
		json_put_text(writer, "rep", (struct slice){helper.p, rep_len});
		if (slash != NULL && rep_len + 1 < helper.len)
			json_put_text(writer, "role", (struct slice){slash + 1, helper.len - rep_len - 1});
		json_close_object(writer);
	}
	json_close_array(writer);
}

/* When an assignment arrives, the next step is fixed (S4-RECORD). */
static void put_next_step(struct json_writer *writer, const struct lead_state *state, struct slice next_step)
{
	json_open_object(writer, "next_step");
	json_put_text(writer, "action", next_step.len != 0 ? next_step : SLICE("first_contact"));
	event_put_time_if(writer, "by", state->first_response.due_ms);
	json_close_object(writer);
}

static void put_engine(struct json_writer *writer, const struct work *work)
{
	json_open_object(writer, "trace");
	pool_put_trace(writer, work);
	json_put_text(writer, "config", slice_of(work->model->config_hash));
	json_put_text(writer, "engine", SLICE(LEADROUTER_VERSION));
	json_close_object(writer);
}

void event_given(struct work *work, const struct order *order)
{
	struct page page;
	struct json_writer *writer = page_open(&page, work);
	event_put_owner(writer, work);
	json_put_text(writer, "reason", slice_of(order->reason));
	put_why(writer, work, order);
	put_order(writer, work, order);
	event_put_helpers(writer, &work->state);
	json_put_time(writer, "assigned_at", work->now_ms);
	event_put_deadline(writer, work);
	put_next_step(writer, &work->state, order->next_step);
	event_put_history(writer, work);
	json_put_int(writer, "ownership_version", work->state.version);
	degraded_put(writer, work);
	pool_put_ledger(writer, work);
	put_engine(writer, work);
	close_change(&page, work, "lead.assigned");
}

void event_taken(struct work *work, const struct order *order)
{
	struct page page;
	struct json_writer *writer = page_open(&page, work);
	json_put_text(writer, "reason", slice_of(order->reason));
	json_put_text(writer, "status", slice_of(lead_status_name(work->state.status)));
	event_put_if(writer, "queue", pool_queue(work));
	event_put_owner(writer, work);
	put_why(writer, work, order);
	put_order(writer, work, order);
	event_put_time_if(writer, "until", work->state.wake_ms);
	event_put_history(writer, work);
	json_put_int(writer, "ownership_version", work->state.version);
	json_put_time(writer, "at", work->now_ms);
	degraded_put(writer, work);
	pool_put_ledger(writer, work);
	put_engine(writer, work);
	close_change(&page, work, "lead.unassigned");
}

/* ---- not changed */

static struct json_writer *open_refusal(struct page *page, const struct work *work, enum err_code code)
{
	struct json_writer *writer = page_open(page, work);
	json_put_text(writer, "code", slice_of(err_word(code)));
	json_put_text(writer, "number", slice_of(err_number(code)));
	event_put_owner(writer, work);
	json_put_text(writer, "status", slice_of(lead_status_name(work->state.status)));
	event_put_if(writer, "actor", work->activity->actor);
	json_put_text(writer, "activity", slice_of(activity_type_name(work->activity->type)));
	return writer;
}

void event_conflict(struct work *work, enum err_code code)
{
	struct page page;
	struct json_writer *writer = open_refusal(&page, work, code);
	json_put_int(writer, "expected_version", work->activity->expected_version);
	json_put_int(writer, "ownership_version", work->state.version);
	json_put_time(writer, "at", work->now_ms);
	page_close(&page, work, OUT_LIFECYCLE, "ownership.conflict");
}

void event_claim_rejected(struct work *work, enum err_code code, int64_t until_ms)
{
	struct page page;
	struct json_writer *writer = open_refusal(&page, work, code);
	event_put_time_if(writer, "until", until_ms);
	json_put_int(writer, "ownership_version", work->state.version);
	json_put_time(writer, "at", work->now_ms);
	page_close(&page, work, OUT_LIFECYCLE, "claim.rejected");
}

/* ---- arrangements */

static struct json_writer *open_status(struct page *page, const struct work *work, const char *before)
{
	struct json_writer *writer = page_open(page, work);
	json_put_text(writer, "status", slice_of(lead_status_name(work->state.status)));
	json_put_text(writer, "previous_status", slice_of(before));
	event_put_owner(writer, work);
	if (work->activity != NULL) {
		event_put_if(writer, "actor", work->activity->actor);
		event_put_if(writer, "approver", work->activity->approver);
		event_put_if(writer, "reason", work->activity->reason);
	}
	return writer;
}

static void close_status(struct page *page, struct work *work)
{
	if (work->state.bar == BAR_CONTACT)
		json_put_bool(&page->writer, "do_not_contact", true);
	json_put_int(&page->writer, "ownership_version", work->state.version);
	json_put_bool(&page->writer, "repeated", work->is_repeated);
	json_put_time(&page->writer, "at", work->now_ms);
	page_close(page, work, OUT_LIFECYCLE, "lead.status");
}

void event_pending(struct work *work, const char *before, struct slice candidate, struct slice asked, const char *verdict)
{
	struct page page;
	struct json_writer *writer = open_status(&page, work, before);
	event_put_if(writer, "candidate", candidate);
	event_put_if(writer, "asked", asked);
	if (verdict != NULL)
		json_put_text(writer, "verdict", slice_of(verdict));
	pool_put_ledger(writer, work); /* the turn that goes back */
	event_put_time_if(writer, "wakes_at", work->state.wake_ms);
	close_status(&page, work);
}

void event_arranged(struct work *work)
{
	struct page page;
	struct json_writer *writer = open_status(&page, work, lead_status_name(work->state.status));
	event_put_helpers(writer, &work->state);
	event_put_time_if(writer, "protected_until", work->state.exempt_ms);
	close_status(&page, work);
}

void event_release_proposed(struct work *work, const char *reason)
{
	struct page page;
	struct json_writer *writer = page_open(&page, work);
	json_put_text(writer, "timer", SLICE("release"));
	json_put_text(writer, "proposal", SLICE("release"));
	json_put_text(writer, "reason", slice_of(reason));
	json_put_text(writer, "status", slice_of(lead_status_name(work->state.status)));
	event_put_owner(writer, work);
	event_put_history(writer, work);
	json_put_int(writer, "ownership_version", work->state.version);
	json_put_time(writer, "at", work->now_ms);
	struct event *event = page_close(&page, work, OUT_FOLLOWUPS, "lead.expiring");
	event->id = slice_of(arena_printf(work->arena, "%.*s:release:proposed:%lld:%lld", SLICE_ARG(work->lead_id),
	                                  (long long)work->state.version, (long long)work->now_ms));
	if (work->prepared == NULL)
		event->cause = slice_of(arena_printf(work->arena, "timer:%.*s:release:%lld", SLICE_ARG(work->lead_id),
		                                     (long long)work->state.version));
}

/* The subject is a rep here, not a lead. */
void event_handover(struct work *work, const struct handover *handover)
{
	struct page page = {.text = STRBUF_INIT};
	page.writer = (struct json_writer)JSON_WRITER(&page.text);
	struct json_writer *writer = &page.writer;
	json_open_object(writer, NULL);
	json_put_text(writer, "rep", handover->rep);
	json_put_text(writer, "step", handover->is_done ? SLICE("done") : SLICE("begun"));
	event_put_if(writer, "to", handover->to);
	event_put_if(writer, "team", handover->team);
	event_put_if(writer, "actor", handover->actor);
	event_put_if(writer, "approver", handover->approver);
	event_put_if(writer, "reason", handover->reason);
	json_put_time(writer, "at", work->now_ms);
	work->lead_id = handover->rep;
	struct event *event = page_close(&page, work, OUT_LIFECYCLE, "rep.handed_over");
	if (handover->is_done)
		event->id = ARENA_JOIN(work->arena, SLICE("rep.handed_over:"), handover->order, SLICE(":done"));
}
