/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/lifecycle.h"

#include "rules/calendar/calendar.h"
#include "rules/clients.h"
#include "rules/clocks_lead.h"
#include "rules/consent.h"
#include "rules/decide.h"
#include "rules/event_lifecycle.h"
#include "rules/hold.h"
#include "rules/json/json.h"
#include "rules/model.h"
#include "rules/pool_choose.h"
#include "rules/rest.h"
#include "rules/text/normalise.h"

enum { OPEN = 1, OWNED = 2, FREE = 4 };
#define TO(id) (1u << LEAD_##id)

static const struct {
	unsigned flags;
	unsigned moves; /* bit n: to status n */
} states[LEAD_STATUSES] = {
#define STATE(id, name, flags, moves) [LEAD_##id] = {flags, moves},
#include "rules/lifecycle.def"
};

#undef TO

const struct lifecycle_rules *lifecycle_rules(const struct model *model)
{
	static const struct lifecycle_rules none = {.reason_count = 0};
	return model->lifecycle != NULL ? model->lifecycle : &none;
}

bool lifecycle_is_open(enum lead_status status)
{
	return (states[status].flags & OPEN) != 0;
}

bool lifecycle_is_free(enum lead_status status)
{
	return (states[status].flags & FREE) != 0;
}

bool lifecycle_can(enum lead_status from, enum lead_status to)
{
	return (states[from].moves >> to & 1) != 0;
}

enum lead_status lifecycle_find(struct slice name)
{
	int status = 0;
	while (status < LEAD_STATUSES && !slice_is(name, lead_status_name((enum lead_status)status)))
		status++;
	return (enum lead_status)status;
}

/* ---- what is asked of an activity */

static bool refuse(struct work *work, enum err_code code, const char *where, const char *text)
{
	decide_reject(work, work->prepared->record, code, where, text);
	return false;
}

static bool may_approve(const struct lifecycle_rules *rules, struct slice approver)
{
	for (size_t i = 0; i < rules->approvers.count; i++)
		if (slice_equal(rules->approvers.names[i], approver))
			return true;
	return rules->approvers.count == 0;
}

bool lifecycle_is_approved(struct work *work)
{
	const struct activity *activity = work->activity;
	if ((lifecycle_rules(work->model)->approved >> activity->type & 1) == 0)
		return true;
	if (activity->approver.len == 0)
		return refuse(work, ERR_APPROVAL_MISSING, "approver", "the configuration asks for an approver of such activities");
	if (activity->actor.len == 0)
		return refuse(work, ERR_APPROVAL_MISSING, "actor", "who acts has to be named where somebody else approves it");
	if (slice_equal(activity->approver, activity->actor))
		return refuse(work, ERR_APPROVAL_MISSING, "approver", "who acts cannot approve it himself");
	if (!may_approve(lifecycle_rules(work->model), activity->approver))
		return refuse(work, ERR_NOT_AN_APPROVER, "approver", "not one of lifecycle.approvers");
	return true;
}

static bool has_member(const struct json *data, struct slice name)
{
	char text[MODEL_NAME_BYTES + 1];
	memcpy(text, name.p, name.len); /* at most MODEL_NAME_BYTES, checked at load */
	text[name.len] = '\0';
	const struct json *value = json_get(data, text);
	return value != NULL && value->type != JSON_IS_NULL &&
	       !(value->type == JSON_IS_STRING && text_trim(value->text).len == 0);
}

static bool has_needs(struct work *work, const struct lifecycle_needs *needs, const char *what)
{
	for (size_t i = 0; i < needs->count; i++)
		if (!has_member(work->activity->data, needs->names[i]))
			return refuse(work, ERR_TRANSITION_FIELD,
			              arena_printf(work->arena, "%.*s", SLICE_ARG(needs->names[i])),
			              arena_printf(work->arena, "the configuration asks for it before a lead is %s", what));
	return true;
}

bool lifecycle_has_needs(struct work *work, enum lead_status to)
{
	return has_needs(work, &lifecycle_rules(work->model)->needs[to], lead_status_name(to));
}

/* What is kept of a lead is words: a sentence could name the person. */
static bool is_word(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9' && i != 0) || (c == '_' && i != 0)))
			return false;
	}
	return text.len >= 1 && text.len <= MODEL_NAME_BYTES;
}

static bool is_known_reason(const struct lifecycle_rules *rules, struct slice reason)
{
	for (size_t i = 0; i < rules->reason_count; i++)
		if (slice_equal(rules->reasons[i], reason))
			return true;
	return rules->reason_count == 0;
}

static const struct lifecycle_stage *find_stage(const struct lifecycle_rules *rules, struct slice name)
{
	for (size_t i = 0; i < rules->stage_count; i++)
		if (slice_equal(rules->stages[i].name, name))
			return &rules->stages[i];
	return NULL;
}

static bool is_stage_fine(struct work *work, struct slice name)
{
	const struct lifecycle_rules *rules = lifecycle_rules(work->model);
	if (name.len == 0)
		return true;
	if (rules->stage_count == 0)
		return is_word(name) || refuse(work, ERR_UNKNOWN_WORD, "stage", "a stage is one word: a-z, 0-9 and _");
	const struct lifecycle_stage *stage = find_stage(rules, name);
	if (stage == NULL)
		return refuse(work, ERR_UNKNOWN_WORD, "stage", "no stage of that name is configured");
	return has_needs(work, &stage->needs, "of this stage");
}

/* A verdict has reasons of its own, those of the machine. */
static bool is_reason_fine(struct work *work, const struct move *move)
{
	bool is_needed = move->to == LEAD_INVALID || move->to == LEAD_LOST;
	if (is_needed && move->reason.len == 0)
		return refuse(work, ERR_TRANSITION_FIELD, "reason", "a lead is not written off without a reason");
	if (is_needed && !is_word(move->reason))
		return refuse(work, ERR_UNKNOWN_WORD, "reason", "a reason is one word such as bought_elsewhere: a-z, 0-9 and _");
	if (is_needed && move->verdict.len == 0 && !is_known_reason(lifecycle_rules(work->model), move->reason))
		return refuse(work, ERR_UNKNOWN_WORD, "reason", "no reason of that name is configured");
	return true;
}

bool lifecycle_may(struct work *work, const struct move *move)
{
	const struct lead_state *state = &work->state;
	const char *from = lead_status_name(state->status), *to = lead_status_name(move->to);
	if (!lifecycle_can(state->status, move->to))
		return refuse(work, ERR_ILLEGAL_TRANSITION, "status",
		              arena_printf(work->arena, "a lead that is %s does not become %s", from, to));
	if ((states[move->to].flags & OWNED) != 0 && state->owner.len == 0)
		return refuse(work, ERR_ILLEGAL_TRANSITION, "status",
		              arena_printf(work->arena, "nobody owns it, so it does not become %s", to));
	bool is_worked_on = (states[move->to].flags & (OPEN | OWNED)) == (OPEN | OWNED);
	if (is_worked_on && state->bar == BAR_CONTACT)
		return refuse(work, ERR_ILLEGAL_TRANSITION, "status", "the person asked not to be contacted");
	if (move->to == LEAD_UNASSIGNED && state->owner.len != 0)
		return refuse(work, ERR_ILLEGAL_TRANSITION, "status", "it has an owner: release it instead");
	return is_reason_fine(work, move) && is_stage_fine(work, move->stage) &&
	       lifecycle_has_needs(work, move->to);
}

/* ---- moving */

void lifecycle_fill_nurture(const struct work *work, struct move *move)
{
	if (move->every.len == 0)
		move->every = lifecycle_rules(work->model)->nurture_every;
	if (move->wake_ms == 0)
		move->wake_ms = lifecycle_after(work, move->every);
}

/* What the move means to the clocks of the lead. */
static unsigned facts_of(enum lead_status from, const struct move *move)
{
	switch (move->to) {
	case LEAD_NURTURE:
	case LEAD_SHELVED:
		return CLOCK_FACT_NURTURED;
	case LEAD_OPPORTUNITY:
		return CLOCK_FACT_CONVERTED | CLOCK_FACT_PROGRESSED;
	case LEAD_DEFERRED:
	case LEAD_CONVERTED:
	case LEAD_LOST:
	case LEAD_INVALID:
		return CLOCK_FACT_CLOSED;
	case LEAD_IN_PROGRESS:
	case LEAD_UNASSIGNED:
		if (from != LEAD_ASSIGNED && from != LEAD_IN_PROGRESS)
			return CLOCK_FACT_REOPENED | CLOCK_FACT_PROGRESSED;
		return from != move->to || move->stage.len != 0 ? CLOCK_FACT_PROGRESSED : 0;
	default:
		return 0;
	}
}

/* A lead that was none costs no turn, where the section says so of the reason (semantics.md 2.1). */
static void credit_back(struct work *work, const struct move *move)
{
	const struct lifecycle_words *words = &lifecycle_rules(work->model)->credit_back;
	struct slice approver = work->activity != NULL ? work->activity->approver : SLICE_NONE;
	bool was_free = work->state.is_free != 0;
	for (size_t i = 0; move->to == LEAD_INVALID && i < words->count; i++)
		if (slice_equal(words->names[i], move->reason)) {
			pool_credit_back(work, work->state.owner, arena_memdupz(work->arena, move->reason.p, move->reason.len), approver);
			if (!was_free && work->state.is_free)
				work->state.is_free = FREE_WHILE_CLOSED;
			return;
		}
}

/* It was a lead after all, and its owner has it. */
static void take_turn_again(struct work *work, const struct move *move)
{
	if (work->state.is_free == FREE_WHILE_CLOSED && lifecycle_is_open(move->to) && work->state.owner.len != 0)
		pool_take_again(work, "reopened");
}

void lifecycle_move(struct work *work, const struct move *move)
{
	struct lead_state *state = &work->state;
	consent_withdraw(work, "withdrawn");
	credit_back(work, move);
	take_turn_again(work, move);
	struct happened happened = {.facts = facts_of(state->status, move), .at_ms = clocks_happened_at(work), .reason = move->reason};
	if (move->to == LEAD_OPPORTUNITY)
		happened.date_ms = move->wake_ms;
	clocks_before(work, happened.facts, happened.at_ms);
	if (move->to == LEAD_CONVERTED || state->status == LEAD_CONVERTED)
		clients_count(work, move->to == LEAD_CONVERTED ? 1 : -1);
	rest_forget(state);
	state->status = move->to;
	state->why = is_word(move->reason) ? move->reason : SLICE_NONE;
	if (move->stage.len != 0)
		state->stage = move->stage;
	state->wake_ms = move->wake_ms;
	state->every = move->every;
	answers_note_status(work);
	if (happened.facts != 0)
		clocks_happened(work, &happened);
	const struct clock *expiry = clocks_running(work, CLOCK_OPPORTUNITY_EXPIRY);
	bool tells = expiry != NULL && (expiry->next_ms != 0 || expiry->wanted_ms == state->wake_ms);
	if (move->to == LEAD_OPPORTUNITY && tells)
		state->wake_ms = 0; /* the clock tells of the date, with its levels */
}

int64_t lifecycle_from(const struct work *work, int64_t start_ms, struct slice text)
{
	struct span span;
	if (text.len == 0 || span_parse(text, &span, NULL) != 0)
		return 0;
	size_t rep = model_find_rep(work->model, work->state.owner), team = model_find_team(work->model, work->state.team);
	const struct calendar *calendar = model_calendar_of(work->model, rep, team, SLICE_NONE, SLICE_NONE, SLICE_NONE);
	int64_t due_ms = calendar_add_span(calendar, start_ms, &span);
	return due_ms == CALENDAR_NEVER || due_ms <= start_ms ? 0 : due_ms;
}

int64_t lifecycle_after(const struct work *work, struct slice span)
{
	return lifecycle_from(work, work->now_ms, span);
}

struct slice lifecycle_band_of(const struct lifecycle_rules *rules, int64_t amount)
{
	struct slice band = SLICE_NONE;
	for (size_t i = 0; i < rules->band_count && rules->bands[i].from <= amount; i++)
		band = rules->bands[i].name;
	return band;
}

/* ---- waking */

const char *lifecycle_timer(enum lead_status status)
{
	switch (status) {
	case LEAD_NURTURE:
		return "nurture";
	case LEAD_SHELVED:
		return "shelved";
	case LEAD_OPPORTUNITY:
		return "opportunity_expiry";
	case LEAD_DEFERRED:
		return "deferred";
	case LEAD_HELD:
		return "hold";
	case LEAD_PENDING:
		return "approval";
	default:
		return NULL;
	}
}

/* A shelved lead comes off the shelf; the others stay what they are, and somebody is told. */
bool lifecycle_wake(struct work *work)
{
	struct lead_state *state = &work->state;
	if (rest_fire(work))
		return true;
	if (state->wake_ms == 0 || state->wake_ms > work->now_ms)
		return false;
	if (state->status == LEAD_PENDING) {
		work->cause = slice_of(arena_printf(work->arena, "timer:%.*s:approval:%lld", SLICE_ARG(work->lead_id),
		                                    (long long)state->wake_ms));
		consent_timeout(work);
		return true;
	}
	if (state->status == LEAD_HELD) {
		hold_timeout(work);
		return true;
	}
	struct waking waking = {.timer = lifecycle_timer(state->status), .due_ms = state->wake_ms,
	                        .before = lead_status_name(state->status)};
	state->wake_ms = waking.next_ms = lifecycle_after(work, state->every);
	state->wakes++;
	if (waking.timer == NULL)
		return true; /* its state went on without it */
	if (state->status == LEAD_SHELVED) {
		state->status = state->owner.len != 0 ? LEAD_IN_PROGRESS : LEAD_UNASSIGNED;
		if (state->bar != BAR_NONE)
			state->why = bar_word(state->bar);
	}
	waking.reason = state->why;
	event_woken(work, &waking);
	return true;
}
