/* SPDX-License-Identifier: Apache-2.0
 *
 * Stage dedup: is this lead one that is here already?
 */
#include "rules/decide.h"

#include <string.h>

#include "rules/clocks_lead.h"
#include "rules/event.h"
#include "rules/handover.h"
#include "rules/idents.h"
#include "rules/merge.h"
#include "rules/model.h"
#include "rules/returning.h"

/* What the keys of a record come to. */
struct finding {
	struct hit first, second, past;
	bool has_first, has_second, has_past;
};

/* The older lead is the first one; at the same time the lower id. */
static bool is_older(const struct hit *a, const struct hit *b)
{
	if (a->state.at_ms != b->state.at_ms)
		return a->state.at_ms < b->state.at_ms;
	return slice_compare(a->lead_id, b->lead_id) < 0;
}

/* The lead with this very id: 1 found, 0 not, -1 malformed. */
static int look_at_id(const struct work *work, struct hit *hit)
{
	hit->lead_id = work->lead_id;
	hit->name = ident_match_name(work->prepared->has_own_lead_id ? IDENTITY_LEAD : IDENTITY_EVENT);
	return work_read_lead(work, work->lead_id, &hit->state);
}

static int find_exact(struct work *work, struct finding *finding)
{
	enum sight sight = ident_look(work, IDENTITY_EVENT, &finding->first);
	if (sight == SIGHT_NONE) {
		struct hit hit;
		int found = look_at_id(work, &hit);
		bool is_elsewhere = found == 0 || (found > 0 && hit.state.status == LEAD_MERGED);
		sight = found < 0 ? SIGHT_BAD : is_elsewhere ? ident_look(work, IDENTITY_LEAD, &finding->first) : SIGHT_LIVE;
		if (found > 0 && sight != SIGHT_BAD && (!is_elsewhere || sight == SIGHT_NONE)) {
			finding->first = hit; /* a merged one whose survivor is not at hand says itself where it went */
			sight = SIGHT_LIVE;
		}
	}
	finding->has_first = sight == SIGHT_LIVE;
	return sight == SIGHT_BAD ? -1 : 0;
}

static void add_live(struct finding *finding, const struct hit *hit)
{
	if (finding->has_first && slice_equal(finding->first.lead_id, hit->lead_id))
		return;
	bool is_first = !finding->has_first || is_older(hit, &finding->first);
	if (finding->has_first) {
		finding->second = is_first ? finding->first : *hit;
		finding->has_second = true;
	}
	if (is_first)
		finding->first = *hit;
	finding->has_first = true;
}

/* Of those that were, one that bars the person says so whatever came later; else the one that was acted on last is the one
 * that people remember (semantics.md 2.5): of two at the same instant the later lead, then the lower id. */
static bool is_remembered(const struct hit *past, const struct hit *than)
{
	int64_t last_ms = state_last_ms(&past->state), other_ms = state_last_ms(&than->state);
	if (last_ms != other_ms)
		return last_ms > other_ms;
	if (past->state.at_ms != than->state.at_ms)
		return past->state.at_ms > than->state.at_ms;
	return slice_compare(past->lead_id, than->lead_id) < 0;
}

static bool is_rather(const struct work *work, const struct hit *past, const struct hit *than)
{
	enum bar bar = returning_bar(work->model, &past->state), other = returning_bar(work->model, &than->state);
	return bar != other ? bar > other : is_remembered(past, than);
}

/* Of several that count the older is the first. */
static int add_key(struct work *work, enum identity_kind kind, struct finding *finding)
{
	struct hit hit;
	enum sight sight = ident_look(work, kind, &hit);
	if (sight == SIGHT_LIVE)
		add_live(finding, &hit);
	bool is_person = kind == IDENTITY_EMAIL || kind == IDENTITY_PHONE;
	if (sight == SIGHT_PAST && is_person && (!finding->has_past || is_rather(work, &hit, &finding->past))) {
		finding->past = hit;
		finding->has_past = true;
	}
	return sight == SIGHT_BAD ? -1 : 0;
}

static bool was_erased(const struct work *work)
{
	return work->is_barred[IDENTITY_EVENT] || work->is_barred[IDENTITY_LEAD];
}

/* Exact keys first, then those of the person, then those of the company. What was erased is not taken into a younger lead of
 * the person either. */
static int find_first(struct work *work, struct finding *finding)
{
	if (find_exact(work, finding) != 0)
		return -1;
	if (finding->has_first || was_erased(work))
		return 0;
	if (add_key(work, IDENTITY_EMAIL, finding) != 0 || add_key(work, IDENTITY_PHONE, finding) != 0)
		return -1;
	if (finding->has_first || !work->model->dedup.windows[DEDUP_COMPANY].is_on)
		return 0;
	if (add_key(work, IDENTITY_DOMAIN, finding) != 0 || add_key(work, IDENTITY_COMPANY, finding) != 0)
		return -1;
	finding->has_second = false; /* colleagues are not one person */
	return 0;
}

/* The same event or lead id again: nothing is merged, it is the same. Its own lead may have been merged meanwhile. */
static bool is_repeat(const struct hit *first)
{
	return slice_is(slice_of(first->name), "same_event") || slice_is(slice_of(first->name), "same_lead_id");
}

/* The keys of the person lead to two leads: they are one, unless somebody said that they are not. */
static void merge_both(struct work *work, struct finding *finding)
{
	if (!merge_survives(&finding->first, &finding->second)) {
		struct hit first = finding->first;
		finding->first = finding->second;
		finding->second = first;
	}
	memset(work->is_live, 0, sizeof work->is_live);
	bool is_merged = merge_may(&finding->first, &finding->second) &&
	                 merge_leads(work, &finding->first, &finding->second, finding->second.name);
	if (!is_merged)
		work->other = &finding->second;
}

/* The customer has come again by himself: that is progress, whatever his owner did. The lead's conditions see the first
 * record, with what it took of this one. */
static void note_return(struct work *work, struct slice lead_id)
{
	struct work first;
	if (work->model->clock_count == 0)
		return;
	work_aside_begin(&first, work, lead_id);
	first.state = work->state;
	clocks_happened(&first, &(struct happened){.facts = CLOCK_FACT_PROGRESSED, .at_ms = work->now_ms});
	work->state = first.state;
	work_aside_end(&first, work);
}

static enum step settle_duplicate(struct work *work, struct finding *finding)
{
	if (finding->has_second)
		merge_both(work, finding);
	const struct hit *first = &finding->first;
	bool is_merge = !is_repeat(first);
	struct slice lead_id = work->lead_id;
	work->hit = first->name;
	work->state = first->state;
	work->lead_id = first->lead_id;
	(void)handover_mind(work); /* whoever owns it now is told of the repeat */
	work->lead_id = lead_id;
	size_t listed = work->state.idents.count;
	work->state.duplicates++;
	work_link_idents(work, first->lead_id, true);
	work->ret->outcome = OUTCOME_DUPLICATE;
	work_name(work);
	event_duplicate(work, first->lead_id);
	if (is_merge) {
		merge_record(work, first->lead_id, listed);
		note_return(work, first->lead_id);
	}
	work_write_lead(work, first->lead_id);
	return STEP_DONE;
}

enum step stage_dedup(struct work *work)
{
	struct finding finding; /* a hit is read only when it is there, and three of them are many bytes */
	finding.has_first = finding.has_second = finding.has_past = false;
	if (find_first(work, &finding) != 0) {
		decide_reject(work, work->prepared->record, ERR_STATE_MALFORMED, "", "a stored value is not in our form");
		return STEP_DONE;
	}
	if (finding.has_first)
		return settle_duplicate(work, &finding);
	if (was_erased(work)) {
		decide_reject(work, work->prepared->record, ERR_LEAD_ERASED, "", "what this event told of was erased on request");
		return STEP_DONE;
	}
	if (finding.has_past)
		returning_note(work, &finding.past);
	return STEP_NEXT;
}
