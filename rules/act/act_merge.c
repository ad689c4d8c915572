/* SPDX-License-Identifier: Apache-2.0
 *
 * activity.merge, activity.split: a person says that two leads are one, or that what was merged is two. Both name the two
 * leads, `lead_id` and `other`. A split gives each its identity keys and fields back, the absorbed one also its owner, if
 * he is there, or it goes `to` somebody; and they are not merged by themselves again.
 */
#include "rules/decide.h"

#include "rules/clocks_lead.h"
#include "rules/consent.h"
#include "rules/dispute.h"
#include "rules/event_own.h"
#include "rules/idents.h"
#include "rules/lifecycle.h"
#include "rules/merge.h"
#include "rules/model.h"
#include "rules/own.h"
#include "rules/ownership.h"

static int read_other(struct activity *activity, struct err *err)
{
	if (activity_text(activity->data, "other", ACTIVITY_OUTCOME_BYTES_MAX, &activity->other, err) != 0)
		return -1;
	if (activity->other.len == 0)
		return err_set_at(err, ERR_MISSING_FIELD, "other", "the activity names two leads, `lead_id` and `other`");
	if (!state_is_lead_id(activity->other))
		return err_set_at(err, ERR_BAD_LEAD_ID, "other", "not 1 to 64 of A-Z a-z 0-9 . _ : -");
	return 0;
}

int act_merge_read(struct activity *activity, struct arena *arena, struct err *err)
{
	(void)arena;
	return read_other(activity, err);
}

int act_split_read(struct activity *activity, struct arena *arena, struct err *err)
{
	(void)arena;
	if (activity_text(activity->data, "to", ACTIVITY_TEXT_BYTES_MAX, &activity->to, err) != 0)
		return -1;
	return read_other(activity, err);
}

static void refuse(struct work *work, enum err_code code, const char *text)
{
	decide_reject(work, work->prepared->record, code, "other", text);
}

/* false: the record was rejected. */
static bool read_hit(struct work *work, struct hit *other)
{
	other->lead_id = work->activity->other;
	int found = work_read_lead(work, other->lead_id, &other->state);
	if (found <= 0)
		refuse(work, found == 0 ? ERR_UNKNOWN_LEAD : ERR_STATE_MALFORMED,
		       found == 0 ? "no such lead is known here" : "the lead's stored value is not in our form");
	return found > 0;
}

/* ---- merge */

static bool is_in(const struct lead_state *absorbed, struct slice survivor)
{
	return absorbed->status == LEAD_MERGED && slice_equal(absorbed->into, survivor);
}

/* It was done already, by this activity or another. */
static void tell_again(struct work *work, const struct hit *absorbed, const struct hit *survivor)
{
	event_merged(work, &(struct merged){.lead_id = absorbed->lead_id, .into = survivor->lead_id, .match = "order",
	                                    .survivor = &survivor->state, .is_reversible = true, .is_repeated = true});
}

static void forget_apart(struct lead_state *state, struct slice id)
{
	struct state_list *apart = &state->apart;
	size_t kept = 0;
	for (size_t i = 0; i < apart->count; i++)
		if (!slice_equal(apart->items[i], id))
			apart->items[kept++] = apart->items[i];
	apart->count = kept;
}

static bool is_argued(const struct lead_state *state)
{
	return dispute_is_open(state) || state->contest.len != 0;
}

static void merge(struct work *work, struct hit *survivor, struct hit *other)
{
	size_t events = work->ret->event_count;
	forget_apart(&survivor->state, other->lead_id);
	forget_apart(&other->state, survivor->lead_id);
	if (merge_leads(work, survivor, other, "order")) {
		work->lead_id = survivor->lead_id;
		work->state = survivor->state;
		work_write_lead(work, work->lead_id);
	} else if (work->ret->event_count != events) {
		(void)work_read_lead(work, work->lead_id, &work->state); /* it may be argued about from now on */
	} else {
		refuse(work, ERR_CANNOT_MERGE, is_argued(&survivor->state) || is_argued(&other->state)
		                                       ? "who owns it is argued about: wait until that is decided"
		                                       : "the lead that would survive has taken in as many as it can");
	}
}

void act_merge(struct work *work)
{
	struct hit self = {.lead_id = work->lead_id, .state = work->state}, other = {0};
	if (!read_hit(work, &other))
		return;
	if (is_in(&self.state, other.lead_id) || is_in(&other.state, self.lead_id)) {
		bool is_self_in = is_in(&self.state, other.lead_id);
		tell_again(work, is_self_in ? &self : &other, is_self_in ? &other : &self);
	} else if (slice_equal(self.lead_id, other.lead_id) || !lifecycle_is_open(self.state.status) ||
	           !lifecycle_is_open(other.state.status)) {
		refuse(work, ERR_CANNOT_MERGE, "only two different open leads become one");
	} else if (merge_survives(&self, &other)) {
		merge(work, &self, &other);
	} else {
		merge(work, &other, &self);
	}
}

/* ---- split */

static void remember_apart(struct lead_state *state, struct slice id)
{
	struct state_list *apart = &state->apart;
	if (apart->count == STATE_APART_MAX)
		memmove(&apart->items[0], &apart->items[1], --apart->count * sizeof *apart->items);
	apart->items[apart->count++] = id;
}

/* false: it was not listed. */
static bool forget_ident(struct state_list *idents, struct slice name)
{
	for (size_t i = 0; i < idents->count; i++)
		if (slice_equal(idents->items[i], name)) {
			idents->count--;
			memmove(&idents->items[i], &idents->items[i + 1], (idents->count - i) * sizeof *idents->items);
			return true;
		}
	return false;
}

/* A survivor that is closed may have lost keys to a newer lead: these stay where they are. Whoever takes a person's key from a
 * closed lead takes it off its list, too. */
static void give_person_back(struct work *work, const struct hit *absorbed, struct slice name)
{
	if (forget_ident(&work->state.idents, name) || lifecycle_is_open(work->state.status))
		work_point_ident(work, name, absorbed->lead_id);
}

/* Those of a company may be several leads'. `before` still knows whose. */
static void give_account_back(struct work *work, const struct hit *absorbed, struct slice name, const struct lead_state *before)
{
	if (!lifecycle_is_open(work->state.status))
		return;
	if (merge_is_only_one(work, before, absorbed->lead_id, name))
		(void)forget_ident(&work->state.idents, name);
	work_point_ident(work, name, absorbed->lead_id);
}

static void give_idents_back(struct work *work, const struct hit *absorbed, const struct lead_state *before)
{
	for (size_t i = 0; i < absorbed->state.idents.count; i++) {
		struct slice name = absorbed->state.idents.items[i];
		if (ident_is_account(name))
			give_account_back(work, absorbed, name, before);
		else
			give_person_back(work, absorbed, name);
	}
}

/* What it was before; a state that waited for a time has lost it. */
static enum lead_status status_before(const struct lead_state *state, bool is_owned)
{
	enum lead_status was = lifecycle_find(state->was);
	if (!is_owned)
		return LEAD_UNASSIGNED;
	if (was == LEAD_STATUSES || !lifecycle_is_open(was) || was == LEAD_WAITING)
		return LEAD_ASSIGNED;
	return lifecycle_timer(was) != NULL ? LEAD_IN_PROGRESS : was;
}

static size_t owner_after(struct work *work, const struct lead_state *state)
{
	if (state->bar == BAR_CONTACT)
		return SIZE_MAX;
	if (work->activity->to.len != 0)
		return model_find_rep(work->model, work->activity->to);
	size_t rep = state->previous.len != 0 ? model_find_rep(work->model, state->previous) : SIZE_MAX;
	return rep != SIZE_MAX && work->model->reps[rep].is_active ? rep : SIZE_MAX;
}

static void revive(struct work *work, const struct hit *absorbed)
{
	struct work aside;
	struct order order = order_of(work, "split");
	work_aside_begin(&aside, work, absorbed->lead_id);
	aside.state = absorbed->state;
	size_t rep = owner_after(work, &absorbed->state);
	size_t team = rep != SIZE_MAX ? own_team_of(&aside, rep, aside.state.team) : SIZE_MAX;
	bool is_asked = work->activity->to.len != 0 && ownership_consent(work->model, team) != NULL;
	enum lead_status status = status_before(&absorbed->state, rep != SIZE_MAX);
	aside.state.into = aside.state.was = SLICE_NONE;
	aside.state.status = LEAD_UNASSIGNED;
	remember_apart(&aside.state, work->lead_id);
	if (rep != SIZE_MAX && !is_asked) {
		own_give(&aside, rep, team, order.reason);
		aside.state.status = status;
	} else {
		aside.state.why = aside.state.bar != BAR_NONE ? bar_word(aside.state.bar) : SLICE("split");
	}
	clocks_happened(&aside, &(struct happened){.facts = CLOCK_FACT_REOPENED, .at_ms = work->now_ms});
	work_write_lead(&aside, aside.lead_id);
	aside.activity = work->activity; /* whose order it was */
	event_split(&aside, &(struct merged){.lead_id = aside.lead_id, .into = work->lead_id, .match = "order", .survivor = &work->state});
	if (is_asked)
		(void)consent_ask(&aside, rep, team);
	else if (rep != SIZE_MAX)
		event_given(&aside, &order);
	work_aside_end(&aside, work);
}

/* It was never a lead of its own: it came as a repeat, and was counted as one. */
static bool was_record(const struct lead_state *absorbed)
{
	return absorbed->was.len == 0;
}

/* The survivor becomes what it would be without it. false: it does not list it. */
static bool take_apart(struct work *work, const struct hit *absorbed)
{
	struct lead_state before = work->state;
	if (!merge_give_back(work, &work->state, absorbed->lead_id))
		return false;
	merge_take_out(&work->state, &absorbed->state);
	if (was_record(&absorbed->state) && work->state.duplicates > 0)
		work->state.duplicates--;
	give_idents_back(work, absorbed, &before);
	remember_apart(&work->state, absorbed->lead_id);
	work_write_lead(work, work->lead_id);
	return true;
}

void act_split(struct work *work)
{
	struct hit absorbed = {0};
	if (!read_hit(work, &absorbed))
		return;
	if (work->is_repeated) {
		event_split(work, &(struct merged){.lead_id = absorbed.lead_id, .into = work->lead_id, .match = "order",
		                                   .survivor = &work->state, .is_repeated = true});
		return;
	}
	if (!is_in(&absorbed.state, work->lead_id)) {
		refuse(work, ERR_CANNOT_SPLIT, "this lead was not merged into the other");
		return;
	}
	if (work->activity->to.len != 0 && absorbed.state.bar == BAR_CONTACT) {
		decide_reject(work, work->prepared->record, ERR_ILLEGAL_TRANSITION, "to", "the person asked not to be contacted");
		return;
	}
	if (work->activity->to.len != 0 && own_find_rep(work, work->activity->to, "to") == SIZE_MAX)
		return;
	if (take_apart(work, &absorbed))
		revive(work, &absorbed);
	else
		refuse(work, ERR_CANNOT_SPLIT, "the lead does not list it among those that it has taken in");
}
