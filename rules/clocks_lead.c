/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/clocks_lead.h"

#include "rules/absence.h"
#include "rules/base/strbuf.h"
#include "rules/calendar/calendar.h"
#include "rules/clocks_act.h"
#include "rules/clocks_env.h"
#include "rules/decide.h"
#include "rules/event_clock.h"
#include "rules/interest.h"
#include "rules/likelihood.h"
#include "rules/model.h"

/* ---- what a kind does unless its line says otherwise */

struct kind_row {
	unsigned start, stop, reset, end;
	enum clock_repeat repeat;
	bool is_owners; /* hangs on who owns the lead: a change of owner begins a new cycle */
};

enum {
	CAPTURED = CLOCK_FACT_CAPTURED,
	ASSIGNED = CLOCK_FACT_ASSIGNED,
	UNASSIGNED = CLOCK_FACT_UNASSIGNED,
	TOUCHED = CLOCK_FACT_TOUCHED,
	PROGRESSED = CLOCK_FACT_PROGRESSED,
	NURTURED = CLOCK_FACT_NURTURED,
	CONVERTED = CLOCK_FACT_CONVERTED,
	CLOSED = CLOCK_FACT_CLOSED,
	REOPENED = CLOCK_FACT_REOPENED,
	REPORTED = CLOCK_FACT_REPORTED,
	AWAY = NURTURED | CONVERTED | CLOSED, /* nobody works on it as a lead any more */
};

static const struct kind_row kinds[CLOCK_KINDS] = {
	[CLOCK_FIRST_RESPONSE] = {ASSIGNED, TOUCHED, 0, UNASSIGNED | AWAY, CLOCK_NEVER, true},
	[CLOCK_CADENCE] = {ASSIGNED | REOPENED, TOUCHED, 0, UNASSIGNED | AWAY, CLOCK_RESTART, true},
	[CLOCK_NEXT_FOLLOW_UP] = {0, TOUCHED, 0, UNASSIGNED | AWAY, CLOCK_NEVER, true},
	[CLOCK_RELEASE] = {ASSIGNED | REOPENED, 0, PROGRESSED, UNASSIGNED | AWAY, CLOCK_RESET, true},
	[CLOCK_NURTURE] = {NURTURED, TOUCHED, 0, CONVERTED | CLOSED | REOPENED, CLOCK_RESTART, false},
	[CLOCK_OPPORTUNITY_EXPIRY] = {CONVERTED, 0, 0, CLOSED | REOPENED, CLOCK_NEVER, false},
	[CLOCK_STALE] = {CAPTURED | ASSIGNED | REOPENED, 0, PROGRESSED, AWAY, CLOCK_RESET, false},
	[CLOCK_TOTAL_AGE] = {CAPTURED, 0, 0, CONVERTED | CLOSED, CLOCK_NEVER, false},
	[CLOCK_REPORT_DUE] = {ASSIGNED | REOPENED, REPORTED, 0, UNASSIGNED | AWAY, CLOCK_RESTART, true},
};

enum clock_repeat clocks_usual_repeat(enum clock_kind kind)
{
	return kinds[kind].repeat;
}

/* ---- plans and calendars */

struct who {
	size_t rep, team;
};

static const struct calendar *calendar_for(const struct work *work, const struct lead *lead, struct who who)
{
	return model_calendar_of(work->model, who.rep, who.team, lead->location.country, lead->location.region,
	                         lead->location.postal_code);
}

static bool is_same_text(struct slice a, struct slice b)
{
	return a.p == b.p && a.len == b.len;
}

/* Looked up once for each owner: what a name stands for does not change within a decision, nor does the place of the lead. */
static struct clock_hours owner_hours(struct work *work, const struct lead *lead)
{
	const struct lead_state *state = &work->state;
	bool is_known = work->hours.memo != NULL && is_same_text(work->hours_owner, state->owner) && is_same_text(work->hours_team, state->team);
	if (is_known)
		return work->hours;
	struct who owner = {model_find_rep(work->model, state->owner), model_find_team(work->model, state->team)};
	work->hours.memo = &work->decider->calendars;
	work->hours.owner = work->hours.clock = calendar_for(work, lead, owner);
	work->hours.manager = calendar_for(work, lead, (struct who){SIZE_MAX, owner.team});
	work->hours_owner = state->owner;
	work->hours_team = state->team;
	return work->hours;
}

static void hours_of(struct work *work, const struct clock_plan *plan, struct clock_hours *ret)
{
	const struct lead *lead = clocks_lead(work);
	*ret = owner_hours(work, lead);
	if (plan->calendar_by == CLOCK_BY_NAME)
		ret->clock = plan->calendar;
	else if (plan->calendar_by == CLOCK_BY_TEAM)
		ret->clock = ret->manager;
	else if (plan->calendar_by == CLOCK_BY_CUSTOMER)
		ret->clock = calendar_for(work, lead, (struct who){SIZE_MAX, SIZE_MAX});
}

const struct zone *clocks_zone(struct work *work)
{
	const struct calendar *calendar = owner_hours(work, clocks_lead(work)).owner;
	return calendar != NULL ? calendar_zone(calendar) : NULL;
}

static const struct model_clock *find_clock(const struct model *model, struct slice name)
{
	for (size_t i = 0; i < model->clock_count; i++)
		if (slice_equal(model->clocks[i].name, name))
			return &model->clocks[i];
	return NULL;
}

static const struct clock_plan *first_that_holds(struct work *work, const struct model_clock *clock)
{
	for (size_t i = 0; clock != NULL && i < clock->plan_count; i++)
		if (clock->plans[i].when == NULL || clocks_holds(work, clock->plans[i].when, NULL))
			return &clock->plans[i];
	return NULL;
}

/* `clock` is NULL for a name that the configuration does not have. */
static bool plan_of(struct work *work, const struct model_clock *clock, struct slice name, struct clock_storage *storage,
                    const struct clock_plan **ret_plan, struct clock_hours *ret_hours)
{
	const struct clock_plan *plan = first_that_holds(work, clock);
	if (plan == NULL && slice_is(name, "first_response")) {
		const struct grade *grade = score_band(work->model, work->state.grade);
		if (grade != NULL && grade->has_first_response) {
			storage->plan = clock_plan_of_grade(grade, storage->levels);
			plan = &storage->plan;
		}
	}
	if (plan == NULL)
		return false;
	hours_of(work, plan, ret_hours);
	*ret_plan = plan;
	return true;
}

bool clocks_plan_of(struct work *work, struct slice name, struct clock_storage *storage,
                    const struct clock_plan **ret_plan, struct clock_hours *ret_hours)
{
	return plan_of(work, find_clock(work->model, name), name, storage, ret_plan, ret_hours);
}

/* ---- an event and one clock */

struct asks {
	bool start, stop, reset, extend, end, paused, new_owner;
};

static bool is_asked(struct work *work, const struct cel_program *program, const struct happened *happened, unsigned usual)
{
	return program != NULL ? clocks_holds(work, program, happened) : (happened->facts & usual) != 0;
}

static struct asks asks_of(struct work *work, const struct clock_plan *plan, const struct happened *happened)
{
	const struct kind_row *kind = &kinds[plan->kind];
	unsigned act = plan->counts_attempts ? TOUCHED : CLOCK_FACT_REACHED;
	unsigned stop = (kind->stop & TOUCHED) != 0 ? (kind->stop & ~(unsigned)TOUCHED) | act : kind->stop;
	return (struct asks){
		.start = is_asked(work, plan->start, happened, kind->start),
		.stop = is_asked(work, plan->stop, happened, stop),
		.reset = plan->repeat == CLOCK_RESET && (happened->facts & kind->reset) != 0, /* a configured start does, too */
		.extend = (happened->facts & act) != 0,
		.end = (happened->facts & kind->end) != 0,
		.paused = plan->pause != NULL && clocks_holds(work, plan->pause, happened),
		.new_owner = kind->is_owners && (happened->facts & ASSIGNED) != 0,
	};
}

static void tell(struct work *work, const struct clock *clock, const struct clock_plan *plan,
                 const struct clock_told *told)
{
	event_clock_told(work, clock->name, plan, told);
	absence_on_told(work, clock->name, plan, told);
}

/* What waits for opening hours to be heard is late all the same: it is told before the clock is set to another time. */
static void tell_overdue(struct work *work, struct clock *clock, const struct clock_plan *plan, int64_t at_ms)
{
	struct clock_told told;
	if (at_ms > clock->due_ms && clock_overdue(clock, plan, at_ms, &told))
		tell(work, clock, plan, &told);
}

/* An act for a clock that counts. The windows that ended before it are closed, and those that were not met are told. */
static void count_act(struct work *work, struct clock *clock, const struct clock_plan *plan,
                      const struct clock_hours *hours, int64_t at_ms)
{
	struct clock_told told;
	int result;
	for (int i = 0; i < CLOCK_FIRED_AT_ONCE && (result = clock_roll(clock, plan, hours, at_ms, &told)) != 0; i++)
		if (result == 2)
			tell(work, clock, plan, &told);
	if (clock_count(clock, at_ms) && clock->count == plan->times)
		answers_note(&work->answers, clock, plan, hours, at_ms);
}

/* The act that the clock waits for; the first one that is heard of counts. */
static void stop(struct work *work, struct clock *clock, const struct clock_plan *plan, const struct clock_hours *hours,
                 int64_t at_ms)
{
	if (clock->pause_ms != 0 && clock->stop_ms == 0)
		clock_resume(clock, plan, hours, at_ms); /* until now it stood still, so the due time is a later one */
	tell_overdue(work, clock, plan, at_ms);
	struct clock before = *clock;
	bool is_answer = clock_stop(clock, plan, hours, at_ms) ? before.stop_ms == 0
	                                                       : clock_stop_before(clock, plan, hours, at_ms, &before);
	if (is_answer)
		answers_note(&work->answers, &before, plan, hours, at_ms);
}

/* An opportunity has another closing date than the one that its clock runs for. Who names the same date again, such as with a
 * new stage, does not have what was told of it told once more. */
static bool is_new_closing_date(const struct clock *clock, const struct clock_plan *plan, const struct happened *happened)
{
	return plan->kind == CLOCK_OPPORTUNITY_EXPIRY && (happened->facts & CONVERTED) != 0 && happened->date_ms != 0 &&
	       clock_has_cycle(clock) && happened->at_ms >= clock->start_ms && happened->date_ms != clock->wanted_ms;
}

static void take_closing_date(struct work *work, struct clock *clock, const struct clock_plan *plan,
                              const struct clock_hours *hours, const struct happened *happened)
{
	int64_t old_ms = clock->due_ms;
	tell_overdue(work, clock, plan, happened->at_ms);
	clock_start(clock, plan, hours, happened->at_ms, happened->date_ms);
	if (clock->due_ms != old_ms && clock_has_cycle(clock))
		event_clock_moved(work, clock, plan, old_ms);
}

/* Stop before pause before start, so that of the same instant the stop wins. */
static void apply(struct work *work, struct clock *clock, const struct clock_plan *plan, const struct clock_hours *hours,
                  const struct happened *happened, struct asks asks)
{
	bool has_run = clock->start_ms != 0, was_running = has_run && clock->stop_ms == 0;
	int64_t at_ms = happened->at_ms, stopped_ms = clock->stop_ms;
	bool is_date = plan->kind == CLOCK_NEXT_FOLLOW_UP;
	int64_t date_ms = at_ms >= stopped_ms ? happened->date_ms : 0; /* a date of before is not newer than what followed it */
	if (asks.stop && plan->times != 0)
		count_act(work, clock, plan, hours, at_ms);
	else if (asks.stop)
		stop(work, clock, plan, hours, at_ms);
	if (is_date && date_ms != 0 && at_ms >= clock->start_ms) {
		tell_overdue(work, clock, plan, at_ms);
		clock_start(clock, plan, hours, at_ms, date_ms);
	} else if (asks.new_owner && (asks.start || (is_date && was_running))) {
		clock_start(clock, plan, hours, at_ms, is_date ? clock->wanted_ms : 0);
	} else if (asks.start && is_new_closing_date(clock, plan, happened)) {
		take_closing_date(work, clock, plan, hours, happened);
	} else if (asks.start && !asks.stop && !has_run) {
		clock_start(clock, plan, hours, at_ms, happened->date_ms);
	} else if (asks.start && !asks.stop && plan->repeat == CLOCK_RESUME) {
		clock_resume(clock, plan, hours, at_ms);
	} else if (asks.start && !asks.stop && !was_running && plan->repeat != CLOCK_NEVER && at_ms > stopped_ms) {
		clock_start(clock, plan, hours, at_ms, happened->date_ms);
	} else if (asks.reset || (plan->start != NULL && asks.start && plan->repeat == CLOCK_RESET)) {
		tell_overdue(work, clock, plan, at_ms);
		clock_reset(clock, plan, hours, at_ms);
	} else if (asks.extend) {
		(void)clock_extend(clock, plan, hours, at_ms);
	}
	if (plan->kind == CLOCK_CADENCE && plan->times == 0 && date_ms != 0 && at_ms >= clock->start_ms) {
		tell_overdue(work, clock, plan, at_ms);
		clock_want(clock, plan, hours, happened->date_ms);
	}
	if (asks.paused)
		clock_pause(clock, plan, hours, at_ms);
	else if (clock->pause_ms != 0)
		clock_resume(clock, plan, hours, at_ms);
}

/* ---- breaches that wait to be heard, by the plan that was the lead's before it changed */

struct clocks_waiting {
	struct clock_storage grade;
	size_t count;
	struct {
		struct slice name;
		const struct clock_plan *plan;
	} items[CLOCK_NAMES_MAX + 1];
};

/* One that a newer configuration has moved does not wait: it was never late by that. */
static void note_waiting(struct work *work, const struct clock *clock)
{
	bool waits = clock_is_running(clock) && clock->due_ms < work->now_ms && clock->next_ms > work->now_ms &&
	             clock->level < CLOCK_RANK_BREACH;
	struct clock trial = *clock;
	const struct clock_plan *plan;
	struct clock_hours hours;
	if (!waits)
		return;
	if (work->waiting == NULL)
		work->waiting = arena_alloc(work->arena, sizeof *work->waiting);
	struct clocks_waiting *waiting = work->waiting;
	if (clocks_plan_of(work, clock->name, &waiting->grade, &plan, &hours) && !clock_plan_again(&trial, plan, &hours)) {
		waiting->items[waiting->count].name = clock->name;
		waiting->items[waiting->count++].plan = plan;
	}
}

void clocks_note_waiting(struct work *work)
{
	note_waiting(work, &work->state.first_response);
	for (size_t i = 0; i < work->state.clock_count; i++)
		note_waiting(work, &work->state.clocks[i]);
}

/* The lead has become another one, and its clock has another plan, or none. */
static void tell_waiting(struct work *work, struct clock *clock, int64_t at_ms)
{
	for (size_t i = 0; work->waiting != NULL && i < work->waiting->count; i++)
		if (slice_equal(work->waiting->items[i].name, clock->name))
			tell_overdue(work, clock, work->waiting->items[i].plan, at_ms);
}

static void plan_for_what_it_is_now(struct work *work, struct clock *clock, const struct clock_plan *plan,
                                    const struct clock_hours *hours, int64_t at_ms)
{
	struct clock trial = *clock;
	int64_t old_ms = clock->due_ms;
	if (!clock_plan_again(&trial, plan, hours)) {
		*clock = trial;
		return;
	}
	tell_waiting(work, clock, at_ms);
	if (clock_plan_again(clock, plan, hours))
		event_clock_moved(work, clock, plan, old_ms);
}

/* ---- an event and each clock of its lead */

/* No line of the configuration has such a clock for this lead any more. Returns whether it ran. */
static bool withdraw(struct work *work, struct clock *clock)
{
	bool was_running = clock_has_cycle(clock);
	if (was_running)
		event_clock_withdrawn(work, clock);
	clock_end(clock);
	return was_running;
}

/* The clock has no plan. Did the lead become another one, or is this what ends such a clock anyway? */
static void end_without_plan(struct work *work, struct clock *clock, const struct happened *happened)
{
	const struct model_clock *known = find_clock(work->model, clock->name);
	enum clock_kind kind = known != NULL ? known->kind : CLOCK_FIRST_RESPONSE;
	tell_waiting(work, clock, happened->at_ms);
	if ((happened->facts & (kinds[kind].end | kinds[kind].stop)) != 0)
		clock_end(clock);
	else
		withdraw(work, clock);
}

/* Whichever of the lines holds: could this begin a clock that the lead does not have yet? */
static bool may_begin(const struct model_clock *line, const struct happened *happened)
{
	for (size_t i = 0; i < line->plan_count; i++)
		if (line->plans[i].start != NULL || (happened->facts & kinds[line->plans[i].kind].start) != 0)
			return true;
	return happened->date_ms != 0;
}

/* Whoever works on the lead is another one, or nobody: the cycle is over, and a new owner begins the next. `line` is NULL
 * for a name that the configuration does not have. */
static void step(struct work *work, const struct model_clock *line, struct slice name, const struct happened *happened)
{
	struct clock *clock = state_clock(&work->state, name, NULL);
	if (clock == NULL && line != NULL && !may_begin(line, happened))
		return;
	struct clock_storage storage;
	const struct clock_plan *plan;
	struct clock_hours hours;
	if (!plan_of(work, line, name, &storage, &plan, &hours)) {
		if (clock != NULL)
			end_without_plan(work, clock, happened);
		return;
	}
	struct asks asks = asks_of(work, plan, happened);
	if (asks.end && !asks.start) {
		if (clock != NULL)
			clock_end(clock);
		return;
	}
	if (clock == NULL && !asks.start && happened->date_ms == 0)
		return;
	if (clock == NULL)
		clock = state_clock(&work->state, name, work->arena);
	if (clock == NULL)
		return; /* more names than a lead has room for: configurations have at most as many, so some are of an older one */
	int64_t old_start_ms = clock->start_ms;
	plan_for_what_it_is_now(work, clock, plan, &hours, happened->at_ms);
	apply(work, clock, plan, &hours, happened, asks);
	if (clock->start_ms != old_start_ms)
		work_reached(work, plan);
}

/* Clocks that the configuration does not have any more end when the lead is looked at. */
static void end_orphans(struct work *work)
{
	for (size_t i = 0; i < work->state.clock_count; i++)
		if (find_clock(work->model, work->state.clocks[i].name) == NULL)
			withdraw(work, &work->state.clocks[i]);
}

int64_t clocks_happened_at(const struct work *work)
{
	int64_t at_ms = work->activity != NULL ? work->activity->at_ms : -1, given_ms = state_given_ms(&work->state);
	if (at_ms < 0 || at_ms > work->now_ms)
		return work->now_ms;
	return at_ms < given_ms ? given_ms : at_ms;
}

void clocks_happened(struct work *work, const struct happened *happened)
{
	const struct model *model = work->model;
	if ((happened->facts & (PROGRESSED | AWAY)) != 0)
		work->state.excused = EXCUSE_NONE; /* what fell due under protection has lost its ground */
	interest_happened(work, happened);
	likelihood_happened(work);
	step(work, find_clock(model, SLICE("first_response")), SLICE("first_response"), happened);
	for (size_t i = 0; i < model->clock_count; i++)
		if (!slice_is(model->clocks[i].name, "first_response"))
			step(work, &model->clocks[i], model->clocks[i].name, happened);
	end_orphans(work);
}

/* What waits for opening hours to be heard is told before the clock ends: to whom it concerns, and for the figures. */
static void tell_before_end(struct work *work, struct clock *clock, unsigned facts, int64_t at_ms)
{
	struct clock_storage storage;
	const struct clock_plan *plan;
	struct clock_hours hours;
	struct clock_told told;
	if (!clock_is_running(clock) || clock->due_ms > at_ms || !clocks_plan_of(work, clock->name, &storage, &plan, &hours))
		return;
	const struct kind_row *kind = &kinds[plan->kind];
	bool ends = (facts & kind->end) != 0 || (kind->is_owners && (facts & ASSIGNED) != 0);
	if (ends && clock_overdue(clock, plan, at_ms, &told))
		tell(work, clock, plan, &told);
}

void clocks_before(struct work *work, unsigned facts, int64_t at_ms)
{
	tell_before_end(work, &work->state.first_response, facts, at_ms);
	for (size_t i = 0; i < work->state.clock_count; i++)
		tell_before_end(work, &work->state.clocks[i], facts, at_ms);
}

void clocks_before_owner(struct work *work, bool is_given)
{
	clocks_before(work, is_given ? ASSIGNED : UNASSIGNED, work->now_ms);
}

void clocks_on_owner(struct work *work)
{
	bool is_owned = work->state.owner.len != 0;
	clocks_happened(work, &(struct happened){.facts = is_owned ? ASSIGNED : UNASSIGNED, .at_ms = work->now_ms});
}

const struct clock *clocks_running(const struct work *work, enum clock_kind kind)
{
	for (size_t i = 0; i < work->state.clock_count; i++) {
		const struct clock *clock = &work->state.clocks[i];
		const struct model_clock *known = find_clock(work->model, clock->name);
		if (known != NULL && known->kind == kind && clock_is_running(clock))
			return clock;
	}
	return NULL;
}

/* ---- time */

static struct clock *earliest(struct lead_state *state)
{
	struct clock *best = &state->first_response;
	for (size_t i = 0; i < state->clock_count; i++) {
		struct clock *clock = &state->clocks[i];
		if (clock->next_ms != 0 && (best->next_ms == 0 || clock->next_ms < best->next_ms))
			best = clock;
	}
	return best;
}

struct slice clocks_cause(struct work *work)
{
	const struct clock *clock = earliest(&work->state);
	char cycle[DECIMAL_BYTES];
	return ARENA_JOIN(work->arena, SLICE("timer:"), work->lead_id, SLICE(":"), clock->name, SLICE(":"),
	                  decimal_text(clock->cycle, cycle));
}

size_t clocks_fire(struct work *work)
{
	size_t told_count = 0;
	work->cause = clocks_cause(work);
	for (int i = 0; i < CLOCK_FIRED_AT_ONCE; i++) {
		struct clock *clock = earliest(&work->state);
		struct clock_storage storage;
		const struct clock_plan *plan;
		struct clock_hours hours;
		struct clock_told told;
		int64_t old_ms = clock->due_ms, old_next_ms = clock->next_ms;
		if (clock->next_ms == 0 || clock->next_ms > work->now_ms)
			break;
		if (!clocks_plan_of(work, clock->name, &storage, &plan, &hours)) {
			withdraw(work, clock);
			told_count++;
			continue;
		}
		if (clock_plan_again(clock, plan, &hours)) {
			event_clock_moved(work, clock, plan, old_ms);
			told_count++;
		} else {
			clock->next_ms = old_next_ms; /* levels of a newer plan that lie in the past are not told late */
		}
		bool was_due = clock->next_ms != 0 && clock->next_ms <= work->now_ms;
		bool tells = clock_fire(clock, plan, &hours, work->now_ms, &told);
		told_count += was_due;
		if (tells)
			clocks_act(work, clock, plan, &told);
	}
	return told_count;
}

static size_t plan_one_again(struct work *work, struct clock *clock)
{
	struct clock_storage storage;
	const struct clock_plan *plan;
	struct clock_hours hours;
	int64_t old_ms = clock->due_ms, old_next_ms = clock->next_ms;
	if (!clock_has_cycle(clock))
		return 0;
	if (!clocks_plan_of(work, clock->name, &storage, &plan, &hours))
		return withdraw(work, clock);
	bool has_moved = clock_plan_again(clock, plan, &hours);
	if (has_moved)
		event_clock_moved(work, clock, plan, old_ms);
	return has_moved || clock->next_ms != old_next_ms;
}

size_t clocks_plan_again(struct work *work)
{
	size_t count = plan_one_again(work, &work->state.first_response);
	for (size_t i = 0; i < work->state.clock_count; i++)
		count += plan_one_again(work, &work->state.clocks[i]);
	return count;
}
