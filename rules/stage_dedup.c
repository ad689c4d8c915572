/* SPDX-License-Identifier: Apache-2.0
 *
 * Stage dedup: is this lead one that is here already?
 */
#include "rules/decide.h"

#include "rules/base/strbuf.h"
#include "rules/event.h"
#include "rules/model.h"

static struct slice ident_name(struct slice key)
{
	size_t prefix = sizeof "ident/" - 1;
	return (struct slice){key.p + prefix, key.len - prefix};
}

/* Leads that this one may repeat. */
struct hit {
	const char *name;
	struct slice lead_id;
	struct lead_state state;
	bool is_old; /* there is such a lead, but outside of the window */
};

static bool is_in_window(const struct work *work, const struct lead_state *state)
{
	return work->model->dedup_window_ms == 0 || work->now_ms - state->at_ms < work->model->dedup_window_ms;
}

/* 1: the lead exists and counts, 0: not, -1: its state is malformed. */
static int look_at(const struct work *work, struct slice lead_id, bool within_window, struct hit *hit)
{
	int found = work_read_lead(work, lead_id, &hit->state);
	hit->is_old = found > 0 && within_window && !is_in_window(work, &hit->state);
	if (found <= 0 || (within_window && !is_in_window(work, &hit->state)))
		return found < 0 ? -1 : 0;
	hit->lead_id = lead_id;
	return 1;
}

/* The same event or lead id means the same lead, however old it is; a person's keys count inside the window. */
static bool is_exact(enum identity_kind kind)
{
	return kind == IDENTITY_EVENT || kind == IDENTITY_LEAD;
}

/* Who had this person's latest lead (S4-P6), as far as pools ask for it. */
static void note_familiar(struct work *work, const struct lead_state *old)
{
	if (old->owner.len == 0 || old->at_ms < work->familiar_ms)
		return;
	work->familiar_ms = old->at_ms;
	work->state.familiar = old->owner;
}

static int look_at_key(struct work *work, enum identity_kind kind, struct hit *hit)
{
	struct slice key = work->prepared->identity.keys[kind];
	struct ident_state ident;
	if (key.len == 0)
		return 0;
	if (work->is_unknown[kind])
		return 0;
	struct slice value = overlay_get(&work->decider->overlay, key);
	if (value.len != 0 && state_get_ident(value, &ident) != 0)
		return -1;
	if (value.len != 0 && ident.is_barred) {
		work->is_barred[kind] = true;
		return 0;
	}
	int found = value.len != 0 ? look_at(work, ident.lead_id, !is_exact(kind), hit) : 0;
	work->is_unknown[kind] = found == 0;
	if (value.len != 0 && hit->is_old)
		note_familiar(work, &hit->state);
	return found;
}

/* The older lead is the first one; at the same time the lower id. */
static bool is_older(const struct hit *a, const struct hit *b)
{
	if (a->state.at_ms != b->state.at_ms)
		return a->state.at_ms < b->state.at_ms;
	return slice_compare(a->lead_id, b->lead_id) < 0;
}

/* Exact keys first; when the keys of the person point to different leads, the older one is the first. */
static int find_first(struct work *work, struct hit *best)
{
	struct hit hit;
	int found = look_at_key(work, IDENTITY_EVENT, best);
	best->name = "same_event";
	if (found != 0)
		return found;
	found = look_at(work, work->lead_id, false, best);
	best->name = work->prepared->has_own_lead_id ? "same_lead_id" : "same_event";
	if (found != 0)
		return found;
	found = look_at_key(work, IDENTITY_LEAD, best);
	if (found != 0)
		return found;
	int email = look_at_key(work, IDENTITY_EMAIL, best);
	best->name = "same_email";
	int phone = look_at_key(work, IDENTITY_PHONE, &hit);
	if (email < 0 || phone < 0)
		return -1;
	if (phone > 0 && (email == 0 || is_older(&hit, best))) {
		*best = hit;
		best->name = "same_phone";
	}
	return email > 0 || phone > 0;
}

static void write_ident(struct work *work, struct slice key, struct slice lead_id)
{
	struct strbuf value = STRBUF_INIT;
	state_put_ident(&value, &(struct ident_state){.at_ms = work->now_ms, .lead_id = lead_id});
	overlay_put(&work->decider->overlay, key, work_keep(work->arena, &value), 0);
}

static bool has_ident(const struct lead_state *state, struct slice name)
{
	for (size_t i = 0; i < state->idents.count; i++)
		if (slice_equal(state->idents.items[i], name))
			return true;
	return false;
}

static bool is_needed(struct work *work, enum identity_kind kind, struct slice lead_id, bool with_event)
{
	struct hit hit;
	if (work->prepared->identity.keys[kind].len == 0 || (kind == IDENTITY_EVENT && !with_event) ||
	    (kind == IDENTITY_LEAD && slice_equal(work->prepared->lead.lead_id, lead_id)))
		return false;
	/* else it has a lead that counts already, or its mark must stay */
	return look_at_key(work, kind, &hit) == 0 && !work->is_barred[kind];
}

void work_link_idents(struct work *work, struct slice lead_id, bool with_event)
{
	for (int kind = 0; kind < IDENTITY_KINDS; kind++) {
		struct slice key = work->prepared->identity.keys[kind];
		if (!is_needed(work, (enum identity_kind)kind, lead_id, with_event))
			continue;
		if (!has_ident(&work->state, ident_name(key))) {
			bool has_room = work->state.idents.count < STATE_IDENTS_MAX;
			if (!has_room && !is_exact((enum identity_kind)kind))
				continue;
			if (has_room)
				work->state.idents.items[work->state.idents.count++] = ident_name(key);
		}
		write_ident(work, key, lead_id);
	}
}

/* ---- forgetting */

/* The kind in "<key id>.<version>.<kind>.<mac>"; '\0' when there is none. */
static char kind_of(struct slice name)
{
	size_t dots = 0, at = 0;
	while (at < name.len && dots < 2)
		dots += name.p[at++] == '.';
	return at < name.len ? name.p[at] : '\0';
}

/* The mark of an event or of an id says nothing about a person, and without it a repeat would bring the lead back. */
static bool stays_as_mark(struct slice name, enum idents_fate fate)
{
	char kind = kind_of(name);
	return kind == identity_letter(IDENTITY_EVENT) || kind == identity_letter(IDENTITY_LEAD) || fate == IDENTS_BARRED;
}

static void bar(struct work *work, struct slice key)
{
	struct strbuf value = STRBUF_INIT;
	state_put_ident(&value, &(struct ident_state){.at_ms = work->now_ms, .is_barred = true});
	overlay_put(&work->decider->overlay, key, work_keep(work->arena, &value), 0);
}

void work_bar_lead_id(struct work *work)
{
	bar(work, identity_key(work->model, IDENTITY_LEAD, 1, work->lead_id, work->arena));
}

size_t work_forget_idents(struct work *work, enum idents_fate fate)
{
	struct state_list *idents = &work->state.idents;
	size_t barred = 0;
	for (size_t i = 0; i < idents->count; i++) {
		struct slice key = ARENA_JOIN(work->arena, SLICE("ident/"), idents->items[i]);
		if (!stays_as_mark(idents->items[i], fate)) {
			overlay_remove(&work->decider->overlay, key);
			continue;
		}
		bar(work, key);
		barred++;
	}
	idents->count = 0;
	return barred;
}

static enum step settle_duplicate(struct work *work, const struct hit *first)
{
	work->hit = first->name;
	work->state = first->state;
	work->state.duplicates++;
	work_link_idents(work, first->lead_id, true);
	work_write_lead(work, first->lead_id);
	work->ret->outcome = OUTCOME_DUPLICATE;
	work_name(work);
	event_duplicate(work, first->lead_id);
	return STEP_DONE;
}

enum step stage_dedup(struct work *work)
{
	struct hit first;
	int found = find_first(work, &first);
	if (found > 0)
		return settle_duplicate(work, &first);
	if (found == 0 && (work->is_barred[IDENTITY_EVENT] || work->is_barred[IDENTITY_LEAD])) {
		decide_reject(work, work->prepared->record, ERR_LEAD_ERASED, "", "what this event told of was erased on request");
		return STEP_DONE;
	}
	if (found == 0)
		return STEP_NEXT;
	decide_reject(work, work->prepared->record, ERR_STATE_MALFORMED, "", "a stored value is not in our form");
	return STEP_DONE;
}
