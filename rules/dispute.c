/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/dispute.h"

#include "rules/base/strbuf.h"
#include "rules/calendar/instant.h"
#include "rules/consent.h"
#include "rules/decide.h"
#include "rules/event_dispute.h"
#include "rules/followed.h"
#include "rules/json/json.h"
#include "rules/kept.h"
#include "rules/lifecycle.h"
#include "rules/model.h"
#include "rules/own.h"
#include "rules/ownership.h"
#include "rules/scan.h"
#include "rules/territory.h"

const char *dispute_criterion_name(enum dispute_criterion criterion)
{
	static const char *const names[] = {
#define X(id, name) name,
		DISPUTE_CRITERIA(X)
#undef X
	};
	return (size_t)criterion < DISPUTE_CRITERIA_COUNT ? names[criterion] : "none";
}

/* ---- claims as they are kept */

static bool read_claim(struct slice text, struct claimant *claimant)
{
	const char *end = text.p + text.len, *slash = memchr(text.p, '/', text.len);
	if (slash == NULL)
		return false;
	*claimant = (struct claimant){.rep = {text.p, (size_t)(slash - text.p)}};
	struct scan scan = {slash + 1, end};
	if (!scan_int(&scan, &claimant->claimed_ms) || !scan_byte(&scan, '/') || !scan_int(&scan, &claimant->followed_ms) ||
	    !scan_byte(&scan, '/'))
		return false;
	for (; scan.at < end; scan.at++) {
		claimant->is_in_territory |= *scan.at == 't';
		claimant->has_key_person |= *scan.at == 'k';
		claimant->is_recorded |= *scan.at == 'r';
		claimant->is_for_other |= *scan.at == 'o';
	}
	return true;
}

static struct slice claim_text(struct work *work, const struct claimant *claimant)
{
	return slice_of(arena_printf(work->arena, "%.*s/%lld/%lld/%s%s%s%s", SLICE_ARG(claimant->rep),
	                             (long long)claimant->claimed_ms, (long long)claimant->followed_ms,
	                             claimant->is_in_territory ? "t" : "", claimant->has_key_person ? "k" : "", claimant->is_recorded ? "r" : "",
	                             claimant->is_for_other ? "o" : ""));
}

static size_t find_claim(const struct lead_state *state, struct slice rep)
{
	struct claimant claimant;
	for (size_t i = 0; i < state->claims.count; i++)
		if (read_claim(state->claims.items[i], &claimant) && slice_equal(claimant.rep, rep))
			return i;
	return SIZE_MAX;
}

/* ---- evidence */

/* The team that is called like the area of the lead's place has the rep among its members. */
static bool is_in_territory(struct work *work, struct slice rep_id)
{
	const struct ownership_rules *rules = ownership_rules(work->model);
	size_t rep = model_find_rep(work->model, rep_id);
	if (rules->dispute_table == SIZE_MAX || rep == SIZE_MAX)
		return false;
	struct lead *lead = arena_alloc(work->arena, sizeof *lead);
	kept_restore(work->model, &work->state, work->lead_id, work->arena, lead);
	struct slice area = territory_find(work->model->territories[rules->dispute_table], lead->location.country,
	                                   lead->location.region, lead->location.postal_code);
	size_t team = area.len != 0 ? model_find_team(work->model, area) : SIZE_MAX;
	return team != SIZE_MAX && own_team_of(work, rep, area) == team;
}

/* Not in the future, and not before the lead was there. */
static int64_t follow_up(const struct work *work, int64_t at_ms)
{
	return at_ms < work->state.at_ms || at_ms > work->now_ms ? 0 : at_ms;
}

static void take_evidence(struct work *work, const struct json *evidence, struct claimant *claimant)
{
	const struct json *key_person = json_get(evidence, "key_person");
	int64_t at_ms = follow_up(work, instant_parse(json_get_text(evidence, "followed_up_at")));
	if (at_ms != 0 && !claimant->is_recorded)
		claimant->followed_ms = at_ms;
	if (key_person != NULL && key_person->type == JSON_IS_BOOL)
		claimant->has_key_person = key_person->boolean;
	claimant->is_in_territory = is_in_territory(work, claimant->rep);
}

/* What this lead records of him goes before what he says. */
static void take_record(const struct lead_state *state, struct claimant *claimant)
{
	int64_t at_ms = followed_first(state, claimant->rep);
	if (at_ms == 0 || (claimant->is_recorded && claimant->followed_ms <= at_ms))
		return;
	claimant->followed_ms = at_ms;
	claimant->is_recorded = true;
}

/* Who holds as many leads as he may is passed over when it is decided: he wins none beyond the cap (semantics.md 2.11). Of two
 * leads that become one he has one already. */
static bool holds_too_many(struct work *work, struct slice rep)
{
	int64_t holding = ownership_rules(work->model)->holding;
	struct slice contest = work->state.contest;
	struct lead_state other;
	if (holding == 0 || own_held(work, rep) < holding)
		return false;
	return contest.len == 0 || work_read_lead(work, contest, &other) <= 0 || !slice_equal(other.owner, rep);
}

/* ---- claiming */

static bool is_due(const struct work *work)
{
	return work->state.dispute_ms != 0 && work->state.dispute_ms <= work->now_ms;
}

static void tell(struct work *work, const char *step, const char *criterion, struct slice winner)
{
	const struct lead_state *state = &work->state;
	struct claimant *claimants = arena_array(work->arena, STATE_CLAIMS_MAX, sizeof *claimants);
	size_t count = 0;
	for (size_t i = 0; i < state->claims.count; i++)
		if (read_claim(state->claims.items[i], &claimants[count])) {
			claimants[count].is_full = is_due(work) && holds_too_many(work, claimants[count].rep);
			take_record(state, &claimants[count++]);
		}
	event_dispute(work, &(struct dispute_step){.step = step, .criterion = criterion, .winner = winner,
	                                           .owner_followed_ms = followed_first(state, state->owner),
	                                           .claimants = claimants, .count = count, .until_ms = state->dispute_ms});
}

/* The claim of that rep as it was, or a new one. SIZE_MAX: there are as many as a lead keeps. */
static size_t take_claim(struct work *work, size_t rep, struct claimant *ret_claimant)
{
	struct lead_state *state = &work->state;
	struct slice id = work->model->reps[rep].id;
	size_t at = find_claim(state, id);
	*ret_claimant = (struct claimant){.rep = id, .claimed_ms = work->now_ms};
	if (at != SIZE_MAX)
		read_claim(state->claims.items[at], ret_claimant);
	else if (state->claims.count != STATE_CLAIMS_MAX)
		at = state->claims.count++;
	return at;
}

static void put_claim(struct work *work, size_t at, const struct claimant *claimant)
{
	struct lead_state *state = &work->state;
	bool is_first = state->dispute_ms == 0;
	state->claims.items[at] = claim_text(work, claimant);
	if (is_first)
		state->dispute_ms = lifecycle_after(work, ownership_rules(work->model)->evidence);
	work_write_lead(work, work->lead_id);
	tell(work, is_first ? "opened" : "evidence", NULL, SLICE_NONE);
}

bool dispute_claim(struct work *work, size_t rep, const struct json *evidence)
{
	struct claimant claimant;
	size_t at = take_claim(work, rep, &claimant);
	if (at == SIZE_MAX)
		return false;
	take_evidence(work, evidence, &claimant);
	claimant.is_for_other = false; /* he says it himself */
	put_claim(work, at, &claimant);
	return true;
}

static void speak_for(struct work *work, const struct lead_state *other, struct claimant *claimant)
{
	int64_t at_ms = follow_up(work, followed_first(other, claimant->rep));
	if (at_ms != 0) {
		claimant->followed_ms = at_ms;
		claimant->is_recorded = true;
	}
	claimant->is_in_territory = is_in_territory(work, claimant->rep);
}

bool dispute_claim_by(struct work *work, size_t rep, const struct lead_state *other)
{
	struct claimant claimant;
	size_t count = work->state.claims.count, at = take_claim(work, rep, &claimant);
	if (at == SIZE_MAX)
		return false;
	claimant.is_for_other = at == count;
	speak_for(work, other, &claimant);
	put_claim(work, at, &claimant);
	return true;
}

/* Claims stay without a deadline where a merge waits for a manager. */
bool dispute_is_open(const struct lead_state *state)
{
	return state->dispute_ms != 0 || state->claims.count != 0;
}

void dispute_close(struct work *work, const char *reason)
{
	if (!dispute_is_open(&work->state))
		return;
	tell(work, "closed", reason, SLICE_NONE);
	work->state.dispute_ms = 0;
	work->state.claims.count = 0;
}

/* ---- deciding */

static void drop_claim(struct state_list *claims, size_t at)
{
	claims->count--;
	memmove(&claims->items[at], &claims->items[at + 1], (claims->count - at) * sizeof *claims->items);
}

/* The other lead may have changed hands since: whoever owns it now has the claim, unless he has one of his own or owns both. */
static void pass_claim(struct work *work, size_t at, struct claimant *claimant)
{
	struct lead_state *state = &work->state, other;
	if (state->contest.len == 0 || work_read_lead(work, state->contest, &other) <= 0 ||
	    slice_equal(other.owner, claimant->rep))
		return;
	if (other.owner.len == 0 || slice_equal(other.owner, state->owner) || find_claim(state, other.owner) != SIZE_MAX) {
		drop_claim(&state->claims, at);
		return;
	}
	*claimant = (struct claimant){.rep = other.owner, .claimed_ms = claimant->claimed_ms, .is_for_other = true};
	speak_for(work, &other, claimant);
	state->claims.items[at] = claim_text(work, claimant);
}

static void mind_other(struct work *work)
{
	struct claimant claimant;
	for (size_t i = work->state.claims.count; i-- > 0;)
		if (read_claim(work->state.claims.items[i], &claimant) && claimant.is_for_other)
			pass_claim(work, i, &claimant);
}

enum { CLAIMANTS_MAX = STATE_CLAIMS_MAX + 1, COUNTING_MS = 60000 };

/* The owner first: he is one of those who say it is theirs, by what the lead itself records. */
static size_t gather(struct work *work, struct claimant claimants[CLAIMANTS_MAX], bool *ret_is_any_full)
{
	const struct lead_state *state = &work->state;
	size_t count = 0;
	claimants[count++] = (struct claimant){.rep = state->owner};
	take_record(state, &claimants[0]);
	claimants[0].is_in_territory = is_in_territory(work, state->owner);
	for (size_t i = 0; i < state->claims.count; i++) {
		struct claimant claimant;
		if (!read_claim(state->claims.items[i], &claimant))
			continue;
		take_record(state, &claimant);
		if (!slice_equal(claimant.rep, state->owner)) {
			bool is_full = holds_too_many(work, claimant.rep);
			*ret_is_any_full |= is_full;
			claimants[count] = claimant;
			count += !is_full;
			continue;
		}
		claimant.is_in_territory = claimants[0].is_in_territory;
		claimants[0] = claimant;
	}
	return count;
}

/* As soon as one follow-up is recorded, those that are only said do not count. */
static void drop_words(struct claimant *claimants, size_t count)
{
	bool is_any_recorded = false;
	for (size_t i = 0; i < count; i++)
		is_any_recorded |= claimants[i].is_recorded;
	for (size_t i = 0; i < count; i++)
		if (is_any_recorded && !claimants[i].is_recorded)
			claimants[i].followed_ms = 0;
}

static int64_t earliest(const struct claimant *claimants, size_t count)
{
	int64_t best_ms = 0;
	for (size_t i = 0; i < count; i++)
		if (claimants[i].followed_ms != 0 && (best_ms == 0 || claimants[i].followed_ms < best_ms))
			best_ms = claimants[i].followed_ms;
	return best_ms;
}

static bool has_it(const struct claimant *claimant, enum dispute_criterion criterion, int64_t earliest_ms)
{
	switch (criterion) {
	case DISPUTE_FIRST_FOLLOW_UP:
		return claimant->followed_ms != 0 && claimant->followed_ms == earliest_ms;
	case DISPUTE_TERRITORY:
		return claimant->is_in_territory;
	case DISPUTE_KEY_PERSON:
		return claimant->has_key_person;
	case DISPUTE_CRITERIA_COUNT:
		break;
	}
	return false;
}

/* Those who have it stay; when nobody does, all do. Returns how many are left. */
static size_t narrow(struct claimant *claimants, size_t count, enum dispute_criterion criterion)
{
	int64_t earliest_ms = earliest(claimants, count);
	size_t kept = 0;
	for (size_t i = 0; i < count; i++)
		kept += has_it(&claimants[i], criterion, earliest_ms);
	if (kept == 0)
		return count;
	kept = 0;
	for (size_t i = 0; i < count; i++)
		if (has_it(&claimants[i], criterion, earliest_ms))
			claimants[kept++] = claimants[i];
	return kept;
}

/* The criterion that leaves a single one, or DISPUTE_CRITERIA_COUNT. */
static enum dispute_criterion judge(const struct ownership_rules *rules, struct claimant *claimants, size_t count)
{
	for (size_t i = 0; i < rules->ladder_count; i++) {
		count = narrow(claimants, count, rules->ladder[i]);
		if (count == 1)
			return rules->ladder[i];
	}
	return DISPUTE_CRITERIA_COUNT;
}

/* Nobody is told to own both: the leads stay apart until a manager gives this one to somebody, or merges them. */
static void leave_to_manager(struct work *work)
{
	work->state.dispute_ms = 0;
	if (work->state.contest.len == 0)
		work->state.claims.count = 0;
	work_write_lead(work, work->lead_id);
}

/* Who is lent gets it by consent, whatever he has won; on a closed lead nobody works, so it only counts for him. */
static void give(struct work *work, size_t rep)
{
	struct order order = {.reason = "dispute", .cause = CAUSE_CLAIM};
	size_t team = own_team_of(work, rep, work->state.team);
	if (!lifecycle_is_open(work->state.status) || !consent_ask(work, rep, team))
		own_order(work, rep, team, &order);
}

/* A winner who has left meanwhile gets nothing. */
static void end(struct work *work, struct slice winner)
{
	size_t rep = model_find_rep(work->model, winner);
	bool moves = rep != SIZE_MAX && work->model->reps[rep].is_active && !slice_equal(winner, work->state.owner);
	work->state.dispute_ms = 0;
	work->state.claims.count = 0;
	if (moves)
		give(work, rep);
	else
		work_write_lead(work, work->lead_id);
}

static const char *criterion_word(const struct ownership_rules *rules, enum dispute_criterion criterion, bool is_alone)
{
	if (criterion != DISPUTE_CRITERIA_COUNT)
		return dispute_criterion_name(criterion);
	return is_alone ? "holding_cap" : rules->is_managers ? "manager" : "none";
}

static void decide(struct work *work)
{
	const struct ownership_rules *rules = ownership_rules(work->model);
	struct claimant claimants[CLAIMANTS_MAX];
	bool is_any_full = false;
	mind_other(work);
	size_t count = gather(work, claimants, &is_any_full);
	bool is_alone = count == 1 && is_any_full; /* nobody but the owner may have it */
	drop_words(claimants, count);
	enum dispute_criterion criterion = is_alone ? DISPUTE_CRITERIA_COUNT : judge(rules, claimants, count);
	bool is_decided = criterion != DISPUTE_CRITERIA_COUNT, is_left = !is_decided && !is_alone && rules->is_managers;
	struct slice winner = is_decided ? claimants[0].rep : work->state.owner;
	tell(work, is_left ? "undecided" : "decided", criterion_word(rules, criterion, is_alone), winner);
	if (is_left)
		leave_to_manager(work);
	else
		end(work, winner);
}

bool dispute_fire(struct work *work)
{
	if (!is_due(work))
		return false;
	if (ownership_rules(work->model)->holding != 0 && own_is_counting(work)) {
		work->state.dispute_ms = work->now_ms + COUNTING_MS; /* what each of them holds is not known yet */
		return true;
	}
	work->cause = slice_of(arena_printf(work->arena, "timer:%.*s:dispute:%lld", SLICE_ARG(work->lead_id),
	                                    (long long)work->state.dispute_ms));
	decide(work);
	return true;
}
