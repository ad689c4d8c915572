/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/trace.h"

#include <string.h>

#include "rules/base/strbuf.h"
#include "rules/decide.h"
#include "rules/degraded.h"
#include "rules/json/json.h"
#include "rules/model.h"
#include "rules/owner_match.h"
#include "rules/pool_choose.h"
#include "rules/returning.h"
#include "rules/stages.h"

static const char *const stage_names[] = {
#define X(name) #name,
	ALL_STAGES(X)
#undef X
};

static void put_place(struct json_writer *writer, const struct place *place)
{
	if (place->file == NULL)
		return;
	json_put_text(writer, "file", slice_of(place->file));
	json_put_int(writer, "line", place->line);
}

/* ---- parts that are the same in each event */

static void write_term(struct json_writer *writer, const struct criterion *term)
{
	json_open_object(writer, NULL);
	json_put_text(writer, "name", term->name);
	json_put_int(writer, "points", term->points);
	put_place(writer, &term->place);
	json_close_object(writer);
}

static void write_route(struct json_writer *writer, const struct route *route)
{
	json_put_text(writer, "name", route->name);
	put_place(writer, &route->place);
}

/* Members of an object that is open. */
static void put_route(struct json_writer *writer, const struct model *model, const struct route *route)
{
	if (model->told_routes != NULL)
		json_put_raw(writer, NULL, model->told_routes[route - model->routes]);
	else
		write_route(writer, route);
}

void trace_write_rule(struct json_writer *writer, const struct model *model, const struct route *route)
{
	json_open_object(writer, "rule");
	put_route(writer, model, route);
	json_close_object(writer);
}

void trace_prepare(struct model *model, struct arena *arena)
{
	struct slice *terms = arena_array(arena, model->criterion_count, sizeof *terms);
	struct slice *routes = arena_array(arena, model->route_count, sizeof *routes);
	for (size_t i = 0; i < model->criterion_count; i++) {
		struct strbuf text = STRBUF_INIT;
		write_term(&(struct json_writer)JSON_WRITER(&text), &model->criteria[i]);
		terms[i] = strbuf_keep(&text, arena);
	}
	for (size_t i = 0; i < model->route_count; i++) {
		struct strbuf text = STRBUF_INIT;
		write_route(&(struct json_writer)JSON_WRITER(&text), &model->routes[i]);
		routes[i] = strbuf_keep(&text, arena);
	}
	model->told_terms = terms;
	model->told_routes = routes;
}

/* ,"a","b": a lead that went all the way shows them all. */
static const char all_stages[] =
#define X(name) ",\"" #name "\""
	ALL_STAGES(X)
#undef X
	;

static void put_stages(struct json_writer *writer, const struct work *work)
{
	json_open_array(writer, "stages");
	if (work->stages_run == sizeof stage_names / sizeof *stage_names)
		json_put_raw(writer, NULL, (struct slice){all_stages + 1, sizeof all_stages - 2});
	else
		for (size_t i = 0; i < work->stages_run; i++)
			json_put_text(writer, NULL, slice_of(stage_names[i]));
	json_close_array(writer);
}

static void put_change(struct json_writer *writer, const struct change *change)
{
	json_open_object(writer, NULL);
	json_put_text(writer, "field", slice_of(change->field));
	json_put_text(writer, "what", slice_of(change->what));
	if (change->from.len != 0)
		json_put_text(writer, "from", change->from);
	if (change->to.len != 0)
		json_put_text(writer, "to", change->to);
	if (change->by != NULL)
		json_put_text(writer, "by", slice_of(change->by));
	json_close_object(writer);
}

static void put_changes(struct json_writer *writer, const struct changes *changes)
{
	json_open_array(writer, "changes");
	for (size_t i = 0; i < changes->count; i++)
		put_change(writer, &changes->items[i]);
	json_close_array(writer);
	if (changes->omitted != 0)
		json_put_int(writer, "changes_not_shown", (int64_t)changes->omitted);
}

static void put_fact(struct json_writer *writer, const struct cel_entry *fact)
{
	const char *name = fact->key.as.bytes; /* ends in a NUL: rules_add_fact copied it */
	if (fact->value.kind == CEL_BOOL)
		json_put_bool(writer, name, fact->value.as.boolean);
	else if (fact->value.kind == CEL_INT)
		json_put_int(writer, name, fact->value.as.integer);
	else
		json_put_text(writer, name, cel_slice(fact->value));
}

static void put_facts(struct json_writer *writer, const struct work *work)
{
	const struct facts *said = &work->prepared->facts;
	if (said->count + work->counted_count == 0)
		return;
	json_open_object(writer, "facts");
	for (size_t i = 0; i < said->count; i++)
		put_fact(writer, &said->entries[i]);
	for (size_t i = 0; i < work->counted_count; i++)
		put_fact(writer, &work->counted[i]);
	json_close_object(writer);
}

static inline void put_if(struct json_writer *writer, const char *name, struct slice text)
{
	if (text.len != 0)
		json_put_text(writer, name, text);
}

/* The company's latest lead, as expressions saw it. */
static void put_account(struct json_writer *writer, const struct lead_account *account)
{
	if (account->lead_id.len == 0)
		return;
	json_open_object(writer, "account");
	json_put_text(writer, "lead_id", account->lead_id);
	put_if(writer, "owner", account->owner);
	put_if(writer, "team", account->team);
	put_if(writer, "grade", account->grade);
	put_if(writer, "status", account->status);
	if (account->last_at.is_set)
		json_put_time(writer, "last_at", account->last_at.value);
	json_close_object(writer);
}

static void put_try(struct json_writer *writer, const struct model *model, const struct match_try *try)
{
	json_open_object(writer, NULL);
	put_route(writer, model, try->route);
	json_put_text(writer, "result", slice_of(match_result_name(try->result)));
	if (try->clause.len != 0)
		json_put_text(writer, "clause", try->clause);
	if (try->error != NULL)
		json_put_text(writer, "error", slice_of(try->error));
	if (try->area.len != 0)
		json_put_text(writer, "area", try->area);
	json_close_object(writer);
}

static void put_routes(struct json_writer *writer, const struct model *model, const struct match *match)
{
	if (match->tried_count == 0)
		return;
	json_open_array(writer, "routes");
	for (size_t i = 0; i < match->tried_count; i++)
		put_try(writer, model, &match->tried[i]);
	json_close_array(writer);
	if (match->not_shown != 0)
		json_put_int(writer, "routes_not_shown", (int64_t)match->not_shown);
}

/* Positions are exact fractions, so they are shown as such. */
static void put_candidate(struct json_writer *writer, const struct work *work, const struct candidate *candidate)
{
	char position[2 * DECIMAL_BYTES], *at = decimal_put(position, candidate->position.n);
	*at++ = '/';
	at = decimal_put(at, candidate->position.weight);
	json_open_object(writer, NULL);
	json_put_text(writer, "rep", work->model->reps[candidate->rep].id);
	json_put_text(writer, "result", slice_of(candidate->result));
	json_put_text(writer, "position", (struct slice){position, (size_t)(at - position)});
	json_close_object(writer);
}

static void put_candidates(struct json_writer *writer, const struct work *work)
{
	if (work->candidate_count == 0)
		return;
	json_open_array(writer, "candidates");
	for (size_t i = 0; i < work->candidate_count; i++)
		put_candidate(writer, work, &work->candidates[i]);
	json_close_array(writer);
	if (work->candidates_total > work->candidate_count)
		json_put_int(writer, "candidates_not_shown", (int64_t)(work->candidates_total - work->candidate_count));
	if (work->was_ring_malformed)
		json_put_bool(writer, "rotation_restarted", true);
}

static void put_failed(struct json_writer *writer, const struct score *score)
{
	if (score->failed_count == 0)
		return;
	json_open_array(writer, "criteria_failed");
	for (size_t i = 0; i < score->failed_count; i++)
		json_put_text(writer, NULL, score->failed[i]->name);
	json_close_array(writer);
}

static void put_requested(struct json_writer *writer, const struct work *work)
{
	if (work->requested == NULL)
		return;
	json_open_object(writer, "requested_owner");
	json_put_text(writer, "rep", work->prepared->lead.requested_owner);
	json_put_text(writer, "result", slice_of(work->requested));
	json_close_object(writer);
}

void trace_write(struct json_writer *writer, const struct work *work)
{
	json_open_object(writer, "trace");
	put_stages(writer, work);
	if (work_has_lead(work)) {
		put_changes(writer, &work->prepared->changes);
		put_facts(writer, work);
		put_account(writer, &work->prepared->lead.account);
		put_failed(writer, &work->score);
		put_requested(writer, work);
		returning_trace(writer, work);
		owner_match_trace(writer, work);
	}
	put_routes(writer, work->model, &work->match);
	put_candidates(writer, work);
	pool_put_trace(writer, work);
	json_put_text(writer, "config", slice_of(work->model->config_hash));
	json_put_text(writer, "engine", SLICE(LEADROUTER_VERSION));
	json_close_object(writer);
}

void trace_write_terms(struct json_writer *writer, const struct work *work)
{
	json_open_array(writer, "terms");
	for (size_t i = 0; i < work->score.term_count; i++) {
		const struct criterion *term = work->score.terms[i];
		if (work->model->told_terms != NULL)
			json_put_raw(writer, NULL, work->model->told_terms[term - work->model->criteria]);
		else
			write_term(writer, term);
	}
	json_close_array(writer);
}

/* ---- the sentence */

static void say(struct json_writer *out, const char *before, struct slice text, const char *after)
{
	json_add_text(out, slice_of(before));
	json_add_text(out, text);
	json_add_text(out, slice_of(after));
}

static void add_int(struct json_writer *out, int64_t value)
{
	char text[DECIMAL_BYTES];
	json_add_text(out, decimal_text(value, text));
}

static void say_grade(struct json_writer *out, const struct work *work)
{
	say(out, "Grade ", work->state.grade, " (score ");
	add_int(out, work->state.score);
	json_add_text(out, SLICE(")"));
}

static void say_route(struct json_writer *out, const struct work *work)
{
	const struct route *route = work->match.route;
	say(out, "route \"", route->name, "\"");
	if (route->place.file != NULL) {
		say(out, " (", slice_of(route->place.file), ":");
		add_int(out, route->place.line);
		json_add_text(out, SLICE(")"));
	}
	say(out, " sends it to team ", work->model->teams[work->match.team].name, "");
}

static bool is_one_left(const struct pool_trace *trace)
{
	bool is_narrowed = false;
	for (size_t i = 0; i < trace->step_count; i++)
		is_narrowed |= trace->steps[i].result == CRITERION_NARROWED;
	return is_narrowed && trace->steps[trace->step_count - 1].left == 1;
}

static bool is_over_capacity(const struct work *work)
{
	return work->pool != NULL && work->pool->outcome != NULL && work->pool->outcome->kind == POOL_OVER_CAPACITY;
}

/* Why him of all who are there: rotation has the last word only where criteria and load leave it one. */
static void say_choice(struct json_writer *out, const struct work *work)
{
	struct slice name = work->model->reps[work->rep].name;
	const struct pool_trace *trace = work->pool;
	if (is_over_capacity(work))
		say(out, ", where nobody has room: ", name, " gets it over the limits");
	else if (work->active_total == 1)
		say(out, ", where ", name, " is the only one available");
	else if (trace != NULL && trace->is_reopened)
		say(out, ", where those whom its criteria leave carry too much, and ", name, " carries least");
	else if (trace != NULL && is_one_left(trace))
		say(out, ", where its criteria leave ", name, " alone");
	else if (trace != NULL && trace->is_by_load)
		say(out, ", where ", name, " carries least");
	else
		say(out, ", where it was the turn of ", name, "");
}

/* The record is gone: it waited, was declined, came back … */
static void say_later(struct json_writer *out, const struct work *work)
{
	bool is_given = work->rep != SIZE_MAX;
	if (slice_is(slice_of(work->reason), "waited"))
		json_add_text(out, SLICE("; it waited"));
	else
		say(out, "; ", slice_of(work->reason), "");
	if (work->team != SIZE_MAX)
		say(out, " for team ", work->model->teams[work->team].name, "");
	if (!is_given)
		json_add_text(out, SLICE(", where nobody is available"));
	else if (work->candidate_count != 0 || is_over_capacity(work))
		say_choice(out, work);
	else
		say(out, ", and went to ", work->model->reps[work->rep].name, "");
	json_add_text(out, SLICE("."));
}

static bool was_handed_on(const struct work *work)
{
	return work->match.team != SIZE_MAX && work->team != work->match.team;
}

/* Of somebody who had it before any rule was asked. */
static const char *before_owner(const char *reason)
{
	if (strcmp(reason, "returning") == 0)
		return "; the customer's last lead was with ";
	if (strcmp(reason, "account") == 0 || strcmp(reason, "company") == 0)
		return "; the company's latest lead is with ";
	return "; the customer asked for ";
}

static void say_owner(struct json_writer *out, const struct work *work)
{
	struct slice name = work->model->reps[work->rep].name;
	if (work->match.route == NULL) {
		say(out, before_owner(work->reason), name, ".");
		return;
	}
	json_add_text(out, SLICE("; "));
	say_route(out, work);
	if (was_handed_on(work) && !is_over_capacity(work))
		say(out, ", where nobody was available, and on to ", work->model->teams[work->team].name, "");
	if (work->candidate_count == 0 && !is_over_capacity(work))
		say(out, ", and names ", name, "");
	else
		say_choice(out, work);
	json_add_text(out, SLICE("."));
}

/* The last of those who were looked at, in the order of the match (2.5), is the one who is not there. */
static const char *absent_owner(const struct work *work)
{
	if (work->owner_match != NULL)
		return "who has the company's latest lead";
	if (work->returning != NULL && work->returning->result != NULL)
		return "who had the person's last lead";
	return work->requested != NULL ? "whom the customer asked for" : "who was to have it";
}

static void say_unassigned(struct json_writer *out, const struct work *work)
{
	if (slice_is(work->state.why, "pending")) {
		say(out, "; ", work->state.asked, " has to consent before ");
		say(out, "", work->state.candidate, " gets it.");
	} else if (slice_is(work->state.why, "held")) {
		say(out, "; ", work->state.asked, " decides what becomes of it.");
	} else if (slice_is(work->state.why, "cultivated")) {
		json_add_text(out, SLICE("; it is looked at again from time to time."));
	} else if (slice_is(work->state.why, "do_not_contact")) {
		json_add_text(out, SLICE("; the person asked not to be contacted."));
	} else if (slice_is(work->state.why, "stopped_before")) {
		json_add_text(out, SLICE("; the person's last lead had a grade that is not routed, and nobody has cleared it."));
	} else if (slice_is(work->state.why, "owner_absent")) {
		say(out, "; ", slice_of(absent_owner(work)), " is not there.");
	} else if (slice_is(work->state.why, "grade_stops")) {
		json_add_text(out, SLICE("; leads of this grade are kept but not routed."));
	} else if (slice_is(work->state.why, DEGRADED_REASON)) {
		json_add_text(out, SLICE("; it was long under way, and leads of this grade are left to people then."));
	} else if (work->match.route == NULL) {
		json_add_text(out, SLICE("; no route matches it."));
	} else {
		json_add_text(out, SLICE("; "));
		say_route(out, work);
		json_add_text(out, SLICE(", where nobody is available"));
		json_add_text(out, slice_of(slice_is(work->state.why, "waiting") ? "; it waits." : "."));
	}
}

void trace_why(struct json_writer *out, const struct work *work)
{
	say_grade(out, work);
	if (!work_has_lead(work))
		say_later(out, work);
	else if (work->rep != SIZE_MAX && work->state.owner.len != 0)
		say_owner(out, work);
	else
		say_unassigned(out, work);
}
