/* SPDX-License-Identifier: Apache-2.0
 *
 * Members are written in the order in which the stages find them out. Criteria and routes are evaluated once more, clause by
 * clause, over the same slots: the decision itself is never told by this code.
 */
#include "rules/story/detail.h"

#include <string.h>

#include "rules/base/strbuf.h"
#include "rules/calendar/calendar.h"
#include "rules/cel/conjunct.h"
#include "rules/cleanse.h"
#include "rules/clock_pause.h"
#include "rules/clocks_lead.h"
#include "rules/event_shown.h"
#include "rules/model.h"
#include "rules/text/zone.h"

static void put_place(struct json_writer *writer, const struct place *place)
{
	if (place->file == NULL)
		return;
	json_put_text(writer, "file", slice_of(place->file));
	json_put_int(writer, "line", place->line);
}

/* ---- identity keys */

static const struct {
	char letter; /* in the key: ident/<key id>.<version>.<letter>.<mac> */
	const char *kind, *path;
} key_kinds[] = {
	{'v', "event", NULL}, {'l', "lead_id", "lead_id"}, {'e', "email", "contact.email"}, {'p', "phone", "contact.phone"},
	{'c', "company", "company.name"}, {'d', "domain", NULL},
};

static char letter_of(struct slice key)
{
	size_t dots = 0;
	for (size_t i = 0; i + 1 < key.len; i++)
		if (key.p[i] == '.' && ++dots == 2)
			return key.p[i + 1];
	return '\0';
}

static void put_key_value(struct detail *detail, const struct work *work, const char *path)
{
	const struct schema_row *row = path != NULL ? schema_find(slice_of(path)) : NULL;
	if (row == NULL)
		return;
	struct slice text = schema_text_of(&work->prepared->lead, row);
	json_put_text(&detail->writer, "value", detail->is_unmasked ? text : cleanse_shown(row, text, work->arena));
}

static void put_key_result(struct json_writer *writer, const struct work *work, int kind)
{
	struct ident_state ident;
	struct slice value = SLICE_NONE;
	if (!work->is_unknown[kind])
		value = overlay_get(&work->decider->overlay, work->prepared->identity.keys[kind]);
	if (value.len != 0 && state_get_ident(value, &ident) == 0) {
		json_put_text(writer, "result", SLICE("known"));
		json_put_text(writer, "lead_id", ident.lead_id);
	} else {
		json_put_text(writer, "result", work->is_unknown[kind] ? SLICE("unknown") : SLICE("not_looked_at"));
	}
}

static void put_keys(struct detail *detail, const struct work *work)
{
	json_open_array(&detail->writer, "keys");
	for (int kind = 0; kind < IDENTITY_KINDS; kind++) {
		struct slice key = work->prepared->identity.keys[kind];
		for (size_t i = 0; key.len != 0 && i < sizeof key_kinds / sizeof *key_kinds; i++) {
			if (key_kinds[i].letter != letter_of(key))
				continue;
			json_open_object(&detail->writer, NULL);
			json_put_text(&detail->writer, "kind", slice_of(key_kinds[i].kind));
			put_key_value(detail, work, key_kinds[i].path);
			put_key_result(&detail->writer, work, kind);
			json_close_object(&detail->writer);
		}
	}
	json_close_array(&detail->writer);
}

/* ---- conditions */

/* The first clause of a condition that is not true, and what it saw. */
static void put_clause(struct detail *detail, struct work *work, struct slice clause)
{
	if (clause.len == 0)
		return;
	json_put_text(&detail->writer, "clause", clause);
	detail_put_values(&detail->writer, work->model->env, work->slots, clause, detail->is_unmasked, &work->scratch);
}

static void put_criterion(struct detail *detail, struct work *work, const struct criterion *criterion)
{
	struct json_writer *writer = &detail->writer;
	size_t clause = 0, count = 0;
	struct cel_value said = cel_null(), value = cel_bool(true);
	if (criterion->when != NULL)
		value = cel_eval_explain(criterion->when, work->slots, &work->scratch, work->model->cel_step_limit, &clause, &said);
	json_open_object(writer, NULL);
	json_put_text(writer, "name", criterion->name);
	json_put_int(writer, "points", criterion->points);
	put_place(writer, &criterion->place);
	json_put_text(writer, "when", criterion->when_text);
	json_put_text(writer, "result", cel_is_true(value) ? SLICE("yes") : cel_is_error(value) ? SLICE("error") : SLICE("no"));
	if (!cel_is_true(value)) {
		const struct cel_conjunct *clauses = cel_program_conjuncts(criterion->when, &count);
		struct slice text = cel_program_text(criterion->when);
		if (clause < count)
			put_clause(detail, work, (struct slice){text.p + clauses[clause].offset, clauses[clause].length});
	}
	if (cel_is_error(value))
		json_put_text(writer, "error", slice_of(value.as.error->text));
	json_close_object(writer);
}

static void put_score(struct detail *detail, struct work *work)
{
	struct json_writer *writer = &detail->writer;
	json_open_object(writer, "score");
	json_put_int(writer, "base", work->model->score_base);
	json_put_int(writer, "total", work->score.total);
	json_put_text(writer, "grade", work->score.grade->letter);
	if (work->score.grade->from != INT32_MIN)
		json_put_int(writer, "grade_from", work->score.grade->from);
	json_open_array(writer, "criteria");
	for (size_t i = 0; i < work->model->criterion_count; i++)
		put_criterion(detail, work, &work->model->criteria[i]);
	json_close_array(writer);
	json_close_object(writer);
}

static void put_route(struct detail *detail, struct work *work, const struct route *route)
{
	struct json_writer *writer = &detail->writer;
	struct match_try try =
		match_try_route(work->model, &work->prepared->lead, work->slots, &work->scratch, route);
	json_open_object(writer, NULL);
	json_put_text(writer, "name", route->name);
	put_place(writer, &route->place);
	json_put_text(writer, "result", slice_of(match_result_name(try.result)));
	if (route->when_text.len != 0)
		json_put_text(writer, "when", route->when_text);
	put_clause(detail, work, try.clause);
	if (try.error != NULL)
		json_put_text(writer, "error", slice_of(try.error));
	if (try.area.len != 0)
		json_put_text(writer, "area", try.area);
	json_close_object(writer);
}

static void put_routes(struct detail *detail, struct work *work)
{
	json_open_array(&detail->writer, "routes");
	for (size_t i = 0; i < work->model->route_count; i++)
		put_route(detail, work, &work->model->routes[i]);
	json_close_array(&detail->writer);
}

/* ---- clocks */

static void put_pieces(struct json_writer *writer, const struct timeline *timeline)
{
	struct calendar_piece pieces[DETAIL_PIECES_MAX];
	bool is_cut;
	size_t count =
		calendar_explain(timeline->calendar, timeline->start_ms, timeline->due_ms, pieces, DETAIL_PIECES_MAX, &is_cut);
	json_open_array(writer, "pieces");
	for (size_t i = 0; i < count; i++) {
		json_open_object(writer, NULL);
		json_put_time(writer, "from", pieces[i].from_ms);
		json_put_time(writer, "to", pieces[i].to_ms);
		json_put_bool(writer, "counts", pieces[i].is_open);
		if (pieces[i].holiday != NULL)
			json_put_text(writer, "holiday", slice_of(pieces[i].holiday));
		json_close_object(writer);
	}
	json_close_array(writer);
	if (is_cut)
		json_put_bool(writer, "more_pieces", true);
}

static void put_pauses(struct json_writer *writer, const struct clock_pause *pauses)
{
	json_open_array(writer, "pauses");
	for (size_t i = 0; i < CLOCK_PAUSES_MAX && pauses[i].to_ms != 0; i++) {
		json_open_object(writer, NULL);
		json_put_time(writer, "from", pauses[i].from_ms);
		json_put_time(writer, "to", pauses[i].to_ms);
		json_close_object(writer);
	}
	json_close_array(writer);
}

static void put_interruptions(struct json_writer *writer, const struct timeline *timeline)
{
	if (timeline->stop_ms != 0)
		json_put_time(writer, "stopped", timeline->stop_ms);
	if (timeline->pause_ms != 0)
		json_put_time(writer, "paused", timeline->pause_ms);
	if (timeline->left_ms != 0) {
		char left[SPAN_TEXT_BYTES];
		span_format(&timeline->left, left);
		json_put_time(writer, "paused_before", timeline->left_ms);
		json_put_text(writer, "left_then", slice_of(left));
	}
	if (timeline->pauses[0].to_ms != 0)
		put_pauses(writer, timeline->pauses);
}

/* What the plan allows, and where that is written. */
static void put_plan(struct json_writer *writer, const struct clock_plan *plan)
{
	char after[SPAN_TEXT_BYTES];
	span_format(&plan->after, after);
	if (!span_is_zero(&plan->after))
		json_put_text(writer, "allows", slice_of(after));
	if (plan->times != 0)
		json_put_int(writer, "times", plan->times);
	if (plan->file == NULL)
		return;
	json_put_text(writer, "file", slice_of(plan->file));
	json_put_int(writer, "line", plan->line);
}

void detail_put_timeline(struct json_writer *writer, const struct timeline *timeline)
{
	json_open_object(writer, NULL);
	json_put_text(writer, "clock", timeline->clock);
	if (timeline->plan != NULL)
		put_plan(writer, timeline->plan);
	json_put_text(writer, "calendar", slice_of(calendar_name(timeline->calendar)));
	json_put_text(writer, "zone", slice_of(zone_name(calendar_zone(timeline->calendar))));
	json_put_time(writer, "start", timeline->start_ms);
	if (timeline->wanted_ms != 0)
		json_put_time(writer, "wanted", timeline->wanted_ms);
	if (timeline->extensions != 0)
		json_put_int(writer, "extensions", timeline->extensions);
	if (timeline->is_by_wall)
		json_put_bool(writer, "all_time_counts", true);
	else if (timeline->stop_ms == 0 && timeline->pause_ms == 0)
		put_pieces(writer, timeline);
	put_interruptions(writer, timeline);
	json_put_time(writer, "due", timeline->due_ms);
	if (timeline->is_overdue)
		json_put_bool(writer, "overdue", true);
	json_open_array(writer, "levels");
	for (size_t i = 0; i < timeline->level_count; i++) {
		json_open_object(writer, NULL);
		json_put_text(writer, "name", timeline->levels[i].name);
		json_put_time(writer, "at", timeline->levels[i].at_ms);
		if (timeline->levels[i].is_told)
			json_put_bool(writer, "told", true);
		json_close_object(writer);
	}
	json_close_array(writer);
	json_close_object(writer);
}

static void add_levels(struct timeline *timeline, const struct clock_plan *plan, int64_t told)
{
	for (size_t i = 0; i < plan->level_count; i++) {
		const struct clock_level *level = &plan->levels[i];
		int64_t at_ms = level->rank < CLOCK_RANK_BREACH
		                        ? calendar_subtract_span(timeline->calendar, timeline->due_ms, &level->offset)
		                        : calendar_add_span(timeline->calendar, timeline->due_ms, &level->offset);
		bool is_shown = at_ms > timeline->start_ms && at_ms != CALENDAR_NEVER && level->rank != CLOCK_RANK_BREACH;
		if (is_shown && timeline->level_count < CLOCK_LEVELS_MAX)
			timeline->levels[timeline->level_count++] =
				(struct timeline_level){level->name, at_ms, told != CLOCK_RANK_NONE && level->rank <= told};
	}
}

static void put_clock(struct json_writer *writer, struct work *work, const struct clock *clock, struct slice name)
{
	struct clock_storage storage;
	const struct clock_plan *plan;
	struct clock_hours hours;
	if (clock->start_ms == 0 || clock->due_ms <= clock->start_ms || !clocks_plan_of(work, name, &storage, &plan, &hours))
		return;
	struct timeline timeline = {.clock = name,
	                            .calendar = hours.clock,
	                            .is_by_wall = plan->after.business_ms == 0 && plan->after.business_days == 0,
	                            .plan = plan,
	                            .start_ms = clock->start_ms,
	                            .wanted_ms = clock->wanted_ms,
	                            .extensions = span_is_zero(&plan->touch_extends) ? 0 : clock->count,
	                            .due_ms = clock->due_ms,
	                            .stop_ms = clock->stop_ms,
	                            .pause_ms = clock->pause_ms,
	                            .left_ms = clock->settled.until_ms,
	                            .is_overdue = clock->level >= CLOCK_RANK_BREACH};
	memcpy(timeline.pauses, clock->pauses, sizeof timeline.pauses);
	clock_pause_left(clock, plan, &timeline.left);
	if (clock->stop_ms == 0)
		add_levels(&timeline, plan, clock->level);
	detail_put_timeline(writer, &timeline);
}

static bool has_clocks(const struct lead_state *state)
{
	bool has_any = state->first_response.start_ms != 0;
	for (size_t i = 0; i < state->clock_count; i++)
		has_any |= state->clocks[i].start_ms != 0;
	return has_any;
}

static void put_all_clocks(struct json_writer *writer, struct work *work)
{
	const struct lead_state *state = &work->state;
	json_open_array(writer, "clocks");
	put_clock(writer, work, &state->first_response, slice_of(clock_kind_name(CLOCK_FIRST_RESPONSE)));
	for (size_t i = 0; i < state->clock_count; i++)
		put_clock(writer, work, &state->clocks[i], state->clocks[i].name);
	json_close_array(writer);
}

static enum view_answer see_nothing(void *ctx, struct slice key, struct slice *ret_value)
{
	(void)ctx, (void)key, (void)ret_value;
	return VIEW_ABSENT;
}

void detail_put_clocks(struct json_writer *writer, const struct model *model, struct slice lead_id,
                       const struct lead_state *state, int64_t now_ms)
{
	struct arena arena = ARENA_INIT;
	struct decision decision;
	struct work work;
	if (!has_clocks(state))
		return;
	work_begin(&work, decider_new(model, (struct rules_view){see_nothing, NULL, NULL}, &arena), NULL, now_ms, &decision);
	work.lead_id = lead_id;
	work.state = *state;
	put_all_clocks(writer, &work);
	arena_done(&work.scratch);
	arena_done(&arena);
}

/* Clocks begin to run when it is settled what the lead comes to, whichever stage that is. */
static void put_started_clocks(struct detail *detail, struct work *work)
{
	if (!has_clocks(&work->state) || detail->has_clocks)
		return;
	detail->has_clocks = true;
	put_all_clocks(&detail->writer, work);
}

/* ---- looking on */

static void on_stage(void *ctx, enum stage stage, struct work *work)
{
	struct detail *detail = ctx;
	if (stage == STAGE_dedup) {
		json_put_text(&detail->writer, "lead_id", work->lead_id);
		put_keys(detail, work);
	} else if (stage == STAGE_score) {
		put_score(detail, work);
		put_routes(detail, work);
	} else if (stage == STAGE_rules) {
		detail->routes_tried = work->match.tried_count + work->match.not_shown;
		detail->route_taken = work->match.route;
	}
	if (stage != STAGE_dedup) /* there it would be those of another lead */
		put_started_clocks(detail, work);
}

void detail_begin(struct detail *detail, struct strbuf *out, bool is_unmasked)
{
	*detail = (struct detail){.writer = JSON_WRITER(out), .is_unmasked = is_unmasked};
	detail->observer = (struct observer){.on_stage = on_stage, .ctx = detail};
	json_open_object(&detail->writer, NULL);
}

/* ---- what it came to */

static struct slice header_of(const struct event *event, const char *name)
{
	struct slice value = SLICE_NONE;
	for (size_t i = 0; i < event->header_count; i++)
		if (slice_is(event->headers[i].name, name))
			value = event->headers[i].value; /* the last one of a name is ours */
	return value;
}

/* A rejected record is told by its code, never by its bytes. */
static void put_reject(struct json_writer *writer, const struct decision *decision)
{
	const struct event *event = &decision->events[0];
	json_open_object(writer, "reject");
	json_put_text(writer, "number", slice_of(err_number(decision->code)));
	json_put_text(writer, "code", slice_of(err_word(decision->code)));
	json_put_text(writer, "field", header_of(event, "leadrouter.error.field"));
	json_put_text(writer, "text", header_of(event, "__dlq.errors.message"));
	json_close_object(writer);
}

static void put_event(struct detail *detail, const struct event *event)
{
	static const struct json_limits limits = {4 << 20, 64, 1000000};
	struct arena arena = ARENA_INIT;
	const struct json *data = event->has_value ? json_read(event->value, limits, &arena, NULL) : NULL;
	json_open_object(&detail->writer, NULL);
	json_put_text(&detail->writer, "topic", slice_of(out_topic_name(event->topic)));
	json_put_text(&detail->writer, "type", slice_of(event->type));
	json_put_text(&detail->writer, "id", event->id);
	if (data != NULL && event->topic != OUT_REJECTED)
		event_put_shown(&detail->writer, "data", data, detail->is_unmasked);
	json_close_object(&detail->writer);
	arena_done(&arena);
}

void detail_end(struct detail *detail, const struct decision *decision)
{
	struct json_writer *writer = &detail->writer;
	json_put_int(writer, "routes_tried", (int64_t)detail->routes_tried);
	if (detail->route_taken != NULL)
		json_put_text(writer, "route_taken", detail->route_taken->name);
	json_put_text(writer, "outcome", slice_of(outcome_name(decision->outcome)));
	if (decision->outcome == OUTCOME_REJECTED && decision->event_count != 0)
		put_reject(writer, decision);
	json_open_array(writer, "events");
	for (size_t i = 0; i < decision->event_count; i++)
		put_event(detail, &decision->events[i]);
	json_close_array(writer);
	json_close_object(writer);
}
