/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/idents.h"

#include "rules/barred.h"
#include "rules/base/strbuf.h"
#include "rules/decide.h"
#include "rules/lifecycle.h"
#include "rules/model.h"

/* ---- looking */

bool ident_is_exact(enum identity_kind kind)
{
	return kind == IDENTITY_EVENT || kind == IDENTITY_LEAD;
}

const char *ident_match_name(enum identity_kind kind)
{
	static const char *const names[IDENTITY_KINDS] = {
		[IDENTITY_EVENT] = "same_event", [IDENTITY_LEAD] = "same_lead_id",    [IDENTITY_EMAIL] = "same_email",
		[IDENTITY_PHONE] = "same_phone", [IDENTITY_COMPANY] = "same_company", [IDENTITY_DOMAIN] = "same_company",
	};
	return names[kind];
}

static const struct dedup_window *window_of(const struct model *model, enum identity_kind kind)
{
	switch (kind) {
	case IDENTITY_EMAIL:
		return &model->dedup.windows[DEDUP_EMAIL];
	case IDENTITY_PHONE:
		return &model->dedup.windows[DEDUP_PHONE];
	default:
		return &model->dedup.windows[DEDUP_COMPANY];
	}
}

/* Whom nobody may route says nothing about the others of the company. */
static bool is_blocked(const struct lead_state *state)
{
	return state->bar != BAR_NONE && state->owner.len == 0;
}

static bool is_of_account(enum identity_kind kind)
{
	return kind == IDENTITY_COMPANY || kind == IDENTITY_DOMAIN;
}

static bool counts(const struct work *work, enum identity_kind kind, const struct lead_state *state)
{
	const struct dedup_window *window = window_of(work->model, kind);
	if (is_of_account(kind) && is_blocked(state))
		return false;
	return ident_is_exact(kind) || (window->is_on && lifecycle_is_open(state->status) &&
	                                (window->ms == 0 || work->now_ms - state->at_ms < window->ms));
}

/* Who had this person's latest lead (S4-P6), as far as pools ask for it. */
static void note_familiar(struct work *work, const struct lead_state *past)
{
	if (past->owner.len == 0 || past->at_ms < work->familiar_ms)
		return;
	work->familiar_ms = past->at_ms;
	work->state.familiar = past->owner;
}

static enum sight look(struct work *work, enum identity_kind kind, struct hit *hit)
{
	struct slice key = work->prepared->identity.keys[kind];
	struct ident_state ident;
	if (key.len == 0)
		return SIGHT_NONE;
	struct slice value = overlay_get(&work->decider->overlay, key);
	if (value.len == 0)
		return SIGHT_NONE;
	if (state_get_ident(value, &ident) != 0)
		return SIGHT_BAD;
	work->is_barred[kind] = ident.is_barred;
	if (ident.is_barred)
		return SIGHT_NONE;
	int found = work_read_lead(work, ident.lead_id, &hit->state);
	hit->lead_id = ident.lead_id;
	hit->name = ident_match_name(kind);
	if (found == 0)
		work->is_barred[kind] = ident_is_exact(kind); /* erased, and it did not list the key */
	if (found <= 0)
		return found == 0 ? SIGHT_NONE : SIGHT_BAD;
	if (counts(work, kind, &hit->state))
		return SIGHT_LIVE;
	if (hit->state.status == LEAD_MERGED)
		return SIGHT_NONE; /* the key was not handed on: the survivor could list no more */
	return SIGHT_PAST;
}

static enum sight look_once(struct work *work, enum identity_kind kind, struct hit *hit)
{
	if (work->is_unknown[kind])
		return SIGHT_NONE;
	enum sight sight = look(work, kind, hit);
	work->is_unknown[kind] = sight == SIGHT_NONE;
	work->is_live[kind] = sight == SIGHT_LIVE;
	return sight;
}

enum sight ident_look(struct work *work, enum identity_kind kind, struct hit *ret_hit)
{
	enum sight sight = look_once(work, kind, ret_hit);
	if (sight == SIGHT_PAST)
		note_familiar(work, &ret_hit->state);
	return sight;
}

bool ident_company(struct work *work, struct hit *ret_hit)
{
	static const enum identity_kind kinds[] = {IDENTITY_DOMAIN, IDENTITY_COMPANY};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		enum sight sight = look_once(work, kinds[i], ret_hit);
		if (sight == SIGHT_LIVE || sight == SIGHT_PAST)
			return true;
	}
	return false;
}

/* ---- linking */

static struct slice ident_name(struct slice key)
{
	size_t prefix = sizeof "ident/" - 1;
	return (struct slice){key.p + prefix, key.len - prefix};
}

static void write_ident(struct work *work, struct slice key, struct slice lead_id)
{
	struct strbuf value = STRBUF_IN(work->arena);
	state_put_ident(&value, &(struct ident_state){.at_ms = work->now_ms, .lead_id = lead_id});
	overlay_put(&work->decider->overlay, key, strbuf_keep(&value, work->arena), 0);
}

bool ident_is_listed(const struct state_list *list, size_t count, struct slice name)
{
	for (size_t i = 0; i < count; i++)
		if (slice_equal(list->items[i], name))
			return true;
	return false;
}

/* A key that pointed to a lead which counts no more: when that one is erased, the key must stay where it points now. */
static void take_ident(struct work *work, const struct hit *hit, struct slice name)
{
	struct work past;
	size_t kept = 0;
	work_aside_begin(&past, work, hit->lead_id);
	past.state = hit->state;
	struct state_list *idents = &past.state.idents;
	for (size_t i = 0; i < idents->count; i++)
		if (!slice_equal(idents->items[i], name))
			idents->items[kept++] = idents->items[i];
	if (kept != idents->count) {
		idents->count = kept;
		barred_cede(&past.state, name);
		work_write_lead(&past, past.lead_id);
	}
	work_aside_end(&past, work);
}

/* Another lead of the same company: which of them its keys point to changes with every act, and whoever is erased leaves
 * them to the others. */
static void note_common(struct work *work, const struct hit *hit)
{
	work->state.is_common = 1;
	if (hit->state.is_common != 0)
		return;
	struct work other;
	work_aside_begin(&other, work, hit->lead_id);
	other.state = hit->state;
	other.state.is_common = 1;
	work_write_lead(&other, other.lead_id);
	work_aside_end(&other, work);
}

static bool is_needed(struct work *work, enum identity_kind kind, struct slice lead_id, bool with_event)
{
	struct hit hit;
	if (work->prepared->identity.keys[kind].len == 0 || (kind == IDENTITY_EVENT && !with_event) ||
	    (kind == IDENTITY_LEAD && slice_equal(work->prepared->lead.lead_id, lead_id)))
		return false;
	if (work->is_live[kind] && !is_of_account(kind))
		return false;
	/* else it has a lead that counts already, or its mark must stay */
	enum sight sight = ident_look(work, kind, &hit);
	bool is_person = kind == IDENTITY_EMAIL || kind == IDENTITY_PHONE; /* those of an account are shared by its leads */
	if (is_person && sight == SIGHT_PAST && !slice_equal(hit.lead_id, lead_id))
		take_ident(work, &hit, ident_name(work->prepared->identity.keys[kind]));
	if (is_of_account(kind) && (sight == SIGHT_PAST || sight == SIGHT_LIVE) && !slice_equal(hit.lead_id, lead_id))
		note_common(work, &hit);
	return (sight == SIGHT_NONE || sight == SIGHT_PAST) && !work->is_barred[kind];
}

/* Exact keys are never rewritten, so they work unlisted, too; a key of the person that is not listed would be lost when the
 * lead is merged or erased. */
static bool list_ident(struct work *work, enum identity_kind kind, struct slice name)
{
	struct state_list *idents = &work->state.idents;
	bool is_exact = ident_is_exact(kind);
	if (ident_is_listed(idents, idents->count, name))
		return true;
	if (idents->count < (is_exact ? STATE_EXACT_MAX : STATE_IDENTS_MAX))
		idents->items[idents->count++] = name;
	else if (!is_exact)
		return false;
	return true;
}

void work_point_ident(struct work *work, struct slice name, struct slice lead_id)
{
	if (!barred_is(work, name))
		write_ident(work, ARENA_JOIN(work->arena, SLICE("ident/"), name), lead_id);
}

void work_link_idents(struct work *work, struct slice lead_id, bool with_event)
{
	for (int kind = 0; kind < IDENTITY_KINDS; kind++) {
		struct slice key = work->prepared->identity.keys[kind];
		if (!is_needed(work, (enum identity_kind)kind, lead_id, with_event))
			continue;
		if (!list_ident(work, (enum identity_kind)kind, ident_name(key)))
			continue;
		write_ident(work, key, lead_id);
		work->brought.items[work->brought.count++] = ident_name(key);
	}
}

/* ---- forgetting */

char ident_kind_letter(struct slice name)
{
	size_t dots = 0, at = 0;
	while (at < name.len && dots < 2)
		dots += name.p[at++] == '.';
	return at < name.len ? name.p[at] : '\0';
}

bool ident_is_account(struct slice name)
{
	char kind = ident_kind_letter(name);
	return kind == identity_letter(IDENTITY_COMPANY) || kind == identity_letter(IDENTITY_DOMAIN);
}

/* The mark of an event or of an id says nothing about a person, and without it a repeat would bring the lead back. What a
 * person asks for binds that person, not everybody of the company. */
static bool stays_as_mark(struct slice name, enum idents_fate fate)
{
	char kind = ident_kind_letter(name);
	bool is_person = kind == identity_letter(IDENTITY_EMAIL) || kind == identity_letter(IDENTITY_PHONE);
	return kind == identity_letter(IDENTITY_EVENT) || kind == identity_letter(IDENTITY_LEAD) ||
	       (is_person && fate == IDENTS_BARRED);
}

/* Where the keys of its company point is not known here: those that others have, too, stay. One that pointed to this very
 * lead leads nowhere then, until the next record or act of the company. */
static bool stays_with_others(const struct lead_state *state, struct slice name)
{
	return state->is_common != 0 && ident_is_account(name);
}

static void bar(struct work *work, struct slice key)
{
	struct strbuf value = STRBUF_INIT;
	state_put_ident(&value, &(struct ident_state){.at_ms = work->now_ms, .is_barred = true});
	overlay_put(&work->decider->overlay, key, strbuf_keep(&value, work->arena), 0);
}

void work_bar_ident(struct work *work, struct slice name)
{
	bar(work, ARENA_JOIN(work->arena, SLICE("ident/"), name));
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
		if (stays_with_others(&work->state, idents->items[i]))
			continue;
		if (!stays_as_mark(idents->items[i], fate) && !barred_is(work, idents->items[i])) {
			overlay_remove(&work->decider->overlay, key);
			continue;
		}
		bar(work, key);
		barred++;
	}
	idents->count = 0;
	return barred + (fate == IDENTS_BARRED ? barred_follow(work) : 0);
}
