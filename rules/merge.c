/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/merge.h"

#include "rules/base/strbuf.h"
#include "rules/clocks_lead.h"
#include "rules/decide.h"
#include "rules/dispute.h"
#include "rules/event_own.h"
#include "rules/idents.h"
#include "rules/json.h"
#include "rules/kept.h"
#include "rules/lifecycle.h"
#include "rules/model.h"
#include "rules/own.h"
#include "rules/ownership.h"
#include "rules/pool_choose.h"

/* ---- which one */

/* How far the work on a lead has come. */
static int progress(enum lead_status status)
{
	switch (status) {
	case LEAD_DEFERRED:
		return 4;
	case LEAD_OPPORTUNITY:
		return 3;
	case LEAD_IN_PROGRESS:
	case LEAD_NURTURE:
	case LEAD_SHELVED:
		return 2;
	case LEAD_ASSIGNED:
		return 1;
	default:
		return 0;
	}
}

bool merge_survives(const struct hit *a, const struct hit *b)
{
	int difference = progress(a->state.status) - progress(b->state.status);
	if (difference != 0)
		return difference > 0;
	if (a->state.at_ms != b->state.at_ms)
		return a->state.at_ms < b->state.at_ms;
	return slice_compare(a->lead_id, b->lead_id) < 0;
}

static bool is_listed(const struct state_list *list, struct slice id)
{
	for (size_t i = 0; i < list->count; i++)
		if (slice_equal(list->items[i], id))
			return true;
	return false;
}

bool merge_may(const struct hit *a, const struct hit *b)
{
	return !is_listed(&a->state.apart, b->lead_id) && !is_listed(&b->state.apart, a->lead_id);
}

/* ---- different owners */

static bool have_two_owners(const struct lead_state *a, const struct lead_state *b)
{
	return a->owner.len != 0 && b->owner.len != 0 && !slice_equal(a->owner, b->owner);
}

/* The dispute about this merge was held: whoever owns the survivor now owns both. */
static bool was_heard(const struct hit *survivor, const struct hit *other)
{
	return survivor->state.dispute_ms == 0 && slice_equal(survivor->state.contest, other->lead_id);
}

/* What the other lead itself records speaks for its owner. */
static const struct json *evidence_of(struct work *work, const struct lead_state *other)
{
	struct strbuf text = STRBUF_INIT;
	struct json_writer writer = JSON_WRITER(&text);
	struct json_limits limits = {200, 2, 4};
	json_open_object(&writer, NULL);
	if (other->touched_ms != 0)
		json_put_time(&writer, "followed_up_at", other->touched_ms);
	json_close_object(&writer);
	return json_read(work_keep(work->arena, &text), limits, work->arena, NULL);
}

/* The other lead's owner claims the survivor. Told once: while it goes on, nothing is added. */
static void open_dispute(struct work *work, struct hit *survivor, const struct hit *other)
{
	size_t rep = model_find_rep(work->model, other->state.owner);
	if (slice_equal(survivor->state.contest, other->lead_id) || rep == SIZE_MAX)
		return;
	struct work aside;
	work_aside_begin(&aside, work, survivor->lead_id);
	aside.state = survivor->state;
	aside.state.contest = other->lead_id;
	if (dispute_claim(&aside, rep, evidence_of(work, &other->state)))
		survivor->state = aside.state;
	work_aside_end(&aside, work);
}

/* ---- absorbing a lead that is there */

/* The person's keys lead to the survivor from now on. */
static void hand_over_idents(struct work *work, const struct lead_state *other, struct hit *survivor)
{
	survivor->state.is_common |= other->is_common;
	for (size_t i = 0; i < other->idents.count; i++) {
		struct slice name = other->idents.items[i];
		struct state_list *idents = &survivor->state.idents;
		work_point_ident(work, name, survivor->lead_id);
		if (!is_listed(idents, name) && idents->count < STATE_IDENTS_MAX)
			idents->items[idents->count++] = name;
	}
}

static void become_merged(struct work *aside, struct slice into)
{
	struct lead_state *state = &aside->state;
	struct order order = {.reason = "merged", .previous = state->owner};
	bool was_owned = state->owner.len != 0;
	state->was = slice_of(lead_status_name(state->status));
	if (was_owned) {
		pool_credit_back(aside, "duplicate", SLICE_NONE);
		own_clear(aside, LEAD_MERGED, "merged");
	}
	state->status = LEAD_MERGED;
	state->why = SLICE_NONE;
	state->into = into;
	state->contest = SLICE_NONE;
	state->wait_ms = state->step = state->wake_ms = 0;
	clocks_happened(aside, &(struct happened){.facts = CLOCK_FACT_CLOSED, .at_ms = aside->now_ms});
	work_write_lead(aside, aside->lead_id);
	if (was_owned)
		event_taken(aside, &order);
}

static void absorb(struct work *work, struct hit *survivor, struct hit *other, const char *match)
{
	struct work aside;
	work_aside_begin(&aside, work, other->lead_id);
	aside.state = other->state;
	dispute_close(&aside, "merged");
	become_merged(&aside, survivor->lead_id);
	other->state = aside.state;
	aside.activity = work->activity; /* whose order it was */
	event_merged(&aside, &(struct merged){.lead_id = other->lead_id, .into = survivor->lead_id, .match = match,
	                                      .survivor = &survivor->state, .is_reversible = true});
	work_aside_end(&aside, work);
}

bool merge_leads(struct work *work, struct hit *survivor, struct hit *other, const char *match)
{
	bool is_order = work->activity != NULL;
	bool has_dispute = ownership_rules(work->model)->has_dispute;
	if (have_two_owners(&survivor->state, &other->state) && !was_heard(survivor, other)) {
		if (has_dispute)
			open_dispute(work, survivor, other);
		if (has_dispute || !is_order)
			return false;
	}
	struct merge_source from = {other->lead_id, other->state.source, other->state.kept};
	if (!merge_take(work, &survivor->state, &from))
		return false;
	hand_over_idents(work, &other->state, survivor);
	survivor->state.contest = SLICE_NONE;
	absorb(work, survivor, other, match);
	return true;
}

/* ---- absorbing a record */

void merge_record(struct work *work, struct slice into)
{
	const struct lead *lead = &work->prepared->lead;
	struct lead_state stub = {.status = LEAD_MERGED, .at_ms = work->now_ms, .source = lead->source, .into = into};
	stub.kept = kept_text(work->model, lead, work->arena);
	stub.idents = work->brought;
	stub.first_response = (struct clock){.name = SLICE("first_response"), .cycle = 1};
	struct merge_source from = {work->lead_id, lead->source, stub.kept};
	bool is_kept = merge_take(work, &work->state, &from);
	if (is_kept) {
		struct strbuf value = STRBUF_INIT;
		state_put_lead(&value, &stub);
		overlay_put(&work->decider->overlay, state_lead_key(work->arena, work->lead_id), work_keep(work->arena, &value), 0);
	}
	event_merged(work, &(struct merged){.lead_id = work->lead_id, .into = into, .match = work->hit, .survivor = &work->state,
	                                    .has_record = true, .is_reversible = is_kept});
}
