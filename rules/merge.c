/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/merge.h"

#include "rules/barred.h"
#include "rules/base/strbuf.h"
#include "rules/clocks_lead.h"
#include "rules/consent.h"
#include "rules/decide.h"
#include "rules/dispute.h"
#include "rules/event_own.h"
#include "rules/idents.h"
#include "rules/kept.h"
#include "rules/lifecycle.h"
#include "rules/model.h"
#include "rules/own.h"
#include "rules/ownership.h"
#include "rules/pool_choose.h"
#include "rules/rest.h"

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

/* Whoever has one of the two does not lose it to one that nobody has, however long that was cultivated. */
bool merge_survives(const struct hit *a, const struct hit *b)
{
	bool has_a = a->state.owner.len != 0, has_b = b->state.owner.len != 0;
	if (has_a != has_b)
		return has_a;
	int difference = progress(a->state.status) - progress(b->state.status);
	if (difference != 0)
		return difference > 0;
	if (a->state.at_ms != b->state.at_ms)
		return a->state.at_ms < b->state.at_ms;
	return slice_compare(a->lead_id, b->lead_id) < 0;
}

static bool is_listed(const struct state_list *list, struct slice id)
{
	return ident_is_listed(list, list->count, id);
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

/* Is it `self` that says that it is the same as `other`? */
static bool is_about(const struct hit *self, const struct hit *other)
{
	return slice_equal(self->state.contest, other->lead_id);
}

/* Has it been said who owns the lead? Whoever won it may wait for somebody's consent. */
static bool is_settled(const struct lead_state *state)
{
	return !dispute_is_open(state) && state->status != LEAD_PENDING;
}

/* The dispute about this merge was held: whoever owns the lead that it was about owns both. */
static bool was_heard(const struct hit *a, const struct hit *b)
{
	return (is_about(a, b) && is_settled(&a->state)) || (is_about(b, a) && is_settled(&b->state));
}

/* The dispute has come to nothing, and this is the order that was waited for. */
static bool is_managers_word(const struct work *work, const struct hit *a, const struct hit *b)
{
	return work->activity != NULL &&
	       ((is_about(a, b) && a->state.dispute_ms == 0) || (is_about(b, a) && b->state.dispute_ms == 0));
}

/* Is it argued who has `self`, and not only because a manager has to say what becomes of it and `other`? */
static bool is_argued(const struct hit *self, const struct hit *other)
{
	return self->state.dispute_ms != 0 || (dispute_is_open(&self->state) && !is_about(self, other));
}

/* A lead is written together with the one that names it, so that a reader who finds the one can read the other. */
static void write_beside(struct work *work, const struct hit *other)
{
	struct work aside;
	work_aside_begin(&aside, work, other->lead_id);
	aside.state = other->state;
	work_write_lead(&aside, aside.lead_id);
	work_aside_end(&aside, work);
}

/* The other lead's owner claims the survivor. Told once: while it goes on, and until the two that it was about have become one,
 * nothing is added, and no third lead either. */
static void open_dispute(struct work *work, struct hit *survivor, const struct hit *other)
{
	size_t rep = model_find_rep(work->model, other->state.owner);
	if (survivor->state.contest.len != 0 || is_about(other, survivor) || rep == SIZE_MAX)
		return;
	struct work aside;
	work_aside_begin(&aside, work, survivor->lead_id);
	aside.state = survivor->state;
	aside.state.contest = other->lead_id;
	bool is_open = dispute_claim_by(&aside, rep, &other->state);
	if (is_open)
		survivor->state = aside.state;
	work_aside_end(&aside, work);
	if (is_open)
		write_beside(work, other);
}

/* ---- absorbing a lead that is there */

/* The person's keys lead to the survivor from now on, and what keeps the one from being routed keeps the other, until a person
 * clears it: also when the two are taken apart again. */
static void hand_over_idents(struct work *work, const struct lead_state *other, struct hit *survivor)
{
	survivor->state.is_common |= other->is_common;
	if (survivor->state.bar < other->bar)
		survivor->state.bar = other->bar;
	for (size_t i = 0; i < other->ceded.count; i++)
		barred_cede(&survivor->state, other->ceded.items[i]);
	for (size_t i = 0; i < other->idents.count; i++) {
		struct slice name = other->idents.items[i];
		struct state_list *idents = &survivor->state.idents;
		if (barred_is(work, name)) {
			survivor->state.bar = BAR_CONTACT;
			continue;
		}
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
	const char *was = lead_status_name(state->status);
	if (was_owned) {
		pool_credit_back(aside, aside->state.owner, "duplicate", SLICE_NONE);
		own_clear(aside, LEAD_MERGED, "merged");
	}
	consent_withdraw(aside, "duplicate");
	rest_forget(state);
	state->status = LEAD_MERGED;
	state->was = slice_of(was);
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

static void settle_survivor(struct work *work, struct hit *survivor)
{
	struct work aside;
	work_aside_begin(&aside, work, survivor->lead_id);
	aside.state = survivor->state;
	dispute_close(&aside, "merged");
	survivor->state = aside.state;
	survivor->state.contest = SLICE_NONE;
	work_aside_end(&aside, work);
}

bool merge_leads(struct work *work, struct hit *survivor, struct hit *other, const char *match)
{
	bool is_order = work->activity != NULL;
	bool has_dispute = ownership_rules(work->model)->has_dispute;
	if (have_two_owners(&survivor->state, &other->state) && !was_heard(survivor, other) &&
	    !is_managers_word(work, survivor, other)) {
		if (has_dispute)
			open_dispute(work, survivor, other);
		if (has_dispute || !is_order)
			return false;
	}
	if (is_argued(survivor, other) || is_argued(other, survivor)) /* whoever claims it is heard first */
		return false;
	struct merge_source from = {other->lead_id, other->state.source, other->state.kept, &other->state.idents,
	                            survivor->state.idents.count};
	if (survivor->state.from.count == STATE_FROM_MAX || !merge_take_under(&survivor->state, &other->state) ||
	    !merge_take(work, &survivor->state, &from))
		return false;
	hand_over_idents(work, &other->state, survivor);
	settle_survivor(work, survivor);
	absorb(work, survivor, other, match);
	return true;
}

/* ---- when the dispute is over */

/* Both belong to whoever has the lead that was argued about. */
static void give_survivor(struct work *work, struct hit *survivor, struct slice owner)
{
	struct order order = {.reason = "dispute", .cause = CAUSE_CLAIM};
	size_t rep = model_find_rep(work->model, owner);
	if (rep == SIZE_MAX || !work->model->reps[rep].is_active || slice_equal(survivor->state.owner, owner))
		return;
	struct work aside;
	work_aside_begin(&aside, work, survivor->lead_id);
	aside.state = survivor->state;
	own_order(&aside, rep, own_team_of(&aside, rep, aside.state.team), &order);
	survivor->state = aside.state;
	work_aside_end(&aside, work);
}

/* false: the other is not there any more, is closed or argued about itself, or was said to be somebody else. */
static bool find_contest(const struct work *work, const struct hit *self, struct hit *other)
{
	other->lead_id = self->state.contest;
	return lifecycle_is_open(self->state.status) && work_read_lead(work, other->lead_id, &other->state) > 0 &&
	       lifecycle_is_open(other->state.status) && !dispute_is_open(&other->state) && merge_may(self, other);
}

bool merge_settled(struct work *work)
{
	if (work->state.contest.len == 0 || !is_settled(&work->state))
		return false;
	struct hit self = {.lead_id = work->lead_id, .state = work->state}, other = {0};
	if (work->prepared == NULL && slice_has_prefix(work->cause, SLICE("timer:"))) /* one timer may bring two leads together twice */
		work->cause = slice_of(arena_printf(work->arena, "timer:%.*s:merge:%lld", SLICE_ARG(work->lead_id),
		                                    (long long)work->state.version));
	bool is_there = find_contest(work, &self, &other);
	if (is_there && merge_survives(&self, &other)) {
		is_there = merge_leads(work, &self, &other, "dispute");
	} else if (is_there) {
		give_survivor(work, &other, self.state.owner);
		is_there = merge_leads(work, &other, &self, "dispute");
		write_beside(work, &other);
	}
	work->state = self.state;
	work->state.contest = SLICE_NONE;
	work_write_lead(work, work->lead_id);
	return is_there;
}

/* ---- absorbing a record */

void merge_record(struct work *work, struct slice into, size_t listed)
{
	const struct lead *lead = &work->prepared->lead;
	struct lead_state stub = {.status = LEAD_MERGED, .at_ms = work->now_ms, .source = lead->source, .into = into};
	stub.kept = kept_text(work->model, lead, work->arena);
	stub.idents = work->brought;
	stub.first_response = (struct clock){.name = SLICE("first_response"), .cycle = 1};
	struct merge_source from = {work->lead_id, lead->source, stub.kept, &stub.idents, listed};
	bool is_kept = merge_take(work, &work->state, &from);
	if (is_kept) {
		struct strbuf value = STRBUF_INIT;
		state_put_lead(&value, &stub);
		overlay_put(&work->decider->overlay, state_lead_key(work->arena, work->lead_id), strbuf_keep(&value, work->arena), 0);
	}
	event_merged(work, &(struct merged){.lead_id = work->lead_id, .into = into, .match = work->hit, .survivor = &work->state,
	                                    .has_record = true, .is_reversible = is_kept});
}
