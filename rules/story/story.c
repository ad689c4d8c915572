/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/story/story.h"

#include "rules/story/explain.h"
#include "rules/story/explain_parts.h"

enum { ROUTES_SHOWN = 20 }; /* before the one that took the lead */

/* The event that says what the lead came to. */
static const struct json *main_event(const struct json *story)
{
	const struct json *events = json_get(story, "events"), *decided = json_get(story, "decided");
	return decided != NULL ? decided : count_of(events) > 0 ? &events->items[0] : NULL;
}

static const struct json *trace_of(const struct json *story)
{
	return json_get(json_get(main_event(story), "data"), "trace");
}

/* ---- lines */

static void put_path(struct strbuf *out, const struct json *trace)
{
	const struct json *stages = json_get(trace, "stages");
	if (count_of(stages) == 0)
		return;
	begin_line(out, "Path");
	for (size_t i = 0; i < stages->count; i++) {
		strbuf_puts(out, i ? " > " : "");
		put_words(out, stages->items[i].text);
	}
	strbuf_putc(out, '\n');
}

static void put_keys(struct strbuf *out, const struct json *story)
{
	const struct json *keys = json_get(story, "keys");
	for (size_t i = 0; i < count_of(keys); i++) {
		const struct json *key = &keys->items[i];
		struct slice result = json_get_text(key, "result");
		begin_line(out, i == 0 ? "Keys" : "");
		put_words(out, json_get_text(key, "kind"));
		if (json_get_text(key, "value").len != 0) {
			strbuf_putc(out, ' ');
			put_text(out, key, "value");
		}
		strbuf_puts(out, ": ");
		if (slice_is(result, "known")) {
			strbuf_puts(out, "known, as ");
			put_text(out, key, "lead_id");
		} else {
			strbuf_puts(out, slice_is(result, "unknown") ? "not known" : "not looked at");
		}
		strbuf_putc(out, '\n');
	}
}

static void put_facts(struct strbuf *out, const struct json *trace)
{
	const struct json *facts = json_get(trace, "facts");
	for (size_t i = 0; facts != NULL && facts->type == JSON_IS_OBJECT && i < facts->count; i++) {
		const struct json *fact = &facts->items[i];
		begin_line(out, i == 0 ? "Facts" : "");
		put(out, facts->names[i]);
		strbuf_puts(out, " = ");
		if (fact->type == JSON_IS_BOOL)
			strbuf_puts(out, fact->boolean ? "true" : "false");
		else if (fact->type == JSON_IS_INT)
			strbuf_put_int(out, fact->integer);
		else
			put(out, fact->text);
		strbuf_putc(out, '\n');
	}
}

/* The company's latest lead, where expressions ask for it. */
static void put_account(struct strbuf *out, const struct json *trace)
{
	static const char *const members[] = {"status", "owner", "team", "grade", "last_at"};
	const struct json *account = json_get(trace, "account");
	if (account == NULL)
		return;
	begin_line(out, "Account");
	put_text(out, account, "lead_id");
	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		if (json_get_text(account, members[i]).len != 0) {
			strbuf_printf(out, ", %s ", members[i]);
			put_text(out, account, members[i]);
		}
	strbuf_putc(out, '\n');
}

static void put_criterion(struct strbuf *out, const struct json *criterion)
{
	struct slice result = json_get_text(criterion, "result");
	begin_line(out, "");
	put(out, result);
	for (size_t width = result.len; width < 8; width++)
		strbuf_putc(out, ' ');
	strbuf_printf(out, "%+lld ", (long long)int_of(criterion, "points"));
	put_text(out, criterion, "name");
	put_place(out, criterion);
	if (!slice_is(result, "yes"))
		put_obstacle(out, criterion);
	strbuf_putc(out, '\n');
}

static void put_score(struct strbuf *out, const struct json *story)
{
	const struct json *score = json_get(story, "score"), *criteria = json_get(score, "criteria");
	if (score == NULL) { /* not decided again: the event has the terms that counted */
		explain_score(out, json_get(main_event(story), "data"));
		return;
	}
	begin_line(out, "Score");
	strbuf_printf(out, "%lld, base %lld; grade ", (long long)int_of(score, "total"), (long long)int_of(score, "base"));
	put_text(out, score, "grade");
	if (json_get(score, "grade_from") != NULL)
		strbuf_printf(out, " from %lld", (long long)int_of(score, "grade_from"));
	strbuf_putc(out, '\n');
	for (size_t i = 0; i < count_of(criteria); i++)
		put_criterion(out, &criteria->items[i]);
}

static void put_routes(struct strbuf *out, const struct json *story)
{
	const struct json *routes = json_get(story, "routes");
	size_t count = count_of(routes);
	int64_t said = int_of(story, "routes_tried");
	size_t tried = said < 0 ? 0 : (uint64_t)said > count ? count : (size_t)said;
	size_t first = tried > ROUTES_SHOWN ? tried - ROUTES_SHOWN : 0;
	if (first > 0) {
		begin_line(out, "Routes");
		strbuf_printf(out, "%zu before these did not match\n", first);
	}
	for (size_t i = first; i < tried; i++)
		explain_route(out, &routes->items[i], i == 0 ? "Routes" : "");
	if (tried != 0 && tried < count) {
		begin_line(out, "");
		strbuf_printf(out, "%zu behind it not reached\n", count - tried);
	}
}

/* ---- all of it */

static void put_code(struct strbuf *out, const struct json *reject)
{
	put_text(out, reject, "number");
	strbuf_putc(out, '[');
	put_text(out, reject, "code");
	strbuf_puts(out, "] ");
	if (json_get_text(reject, "field").len != 0) {
		put_text(out, reject, "field");
		strbuf_puts(out, ": ");
	}
	put_text(out, reject, "text");
}

static void put_reject(struct strbuf *out, const struct json *story)
{
	if (json_get(story, "decided") != NULL) {
		put_text(out, story, "lead_id");
		strbuf_puts(out, " was rejected: ");
	} else {
		strbuf_printf(out, "Record %lld is rejected: ", (long long)int_of(story, "record"));
	}
	put_code(out, json_get(story, "reject"));
}

void story_reasons(struct strbuf *out, const struct json *story)
{
	const struct json *trace = trace_of(story);
	explain_why(out, json_get(main_event(story), "data"));
	put_path(out, trace);
	explain_changes(out, trace);
	put_keys(out, story);
	put_facts(out, trace);
	put_account(out, trace);
	put_score(out, story);
	put_routes(out, story);
	explain_candidates(out, trace);
}

void story_text(struct strbuf *out, const struct json *story)
{
	const struct json *event = main_event(story);
	if (json_get(story, "reject") != NULL) {
		put_reject(out, story);
		strbuf_putc(out, '\n');
		return;
	}
	if (event != NULL) {
		explain_sentence(out, json_get_text(event, "type"), json_get(event, "data"));
		strbuf_puts(out, "\n\n");
	}
	story_reasons(out, story);
	story_clocks(out, story);
	explain_by(out, trace_of(story));
}

/* ---- one sentence */

static const struct json *find_route(const struct json *story, struct slice name, size_t *ret_index)
{
	const struct json *routes = json_get(story, "routes");
	for (size_t i = 0; i < count_of(routes); i++)
		if (slice_equal(json_get_text(&routes->items[i], "name"), name)) {
			*ret_index = i;
			return &routes->items[i];
		}
	return NULL;
}

/* The number behind the slash of "3/2": the weight. */
static int64_t weight_of(const struct json *candidate)
{
	struct slice position = json_get_text(candidate, "position");
	int64_t weight = 0;
	size_t at = 0;
	while (at < position.len && position.p[at] != '/')
		at++;
	for (at++; at < position.len && weight < 1000000; at++)
		weight = position.p[at] >= '0' && position.p[at] <= '9' ? weight * 10 + (position.p[at] - '0') : 0;
	return weight;
}

/* " (2 of 5 shares)", when rotation decided and all who take part are in the trace. */
static void put_shares(struct strbuf *out, const struct json *trace)
{
	const struct json *candidates = json_get(trace, "candidates");
	int64_t own = 0, all = 0;
	for (size_t i = 0; i < count_of(candidates); i++) {
		struct slice result = json_get_text(&candidates->items[i], "result");
		int64_t weight = weight_of(&candidates->items[i]);
		own += slice_is(result, "chosen") ? weight : 0;
		all += slice_is(result, "chosen") || slice_is(result, "turn_comes_later") ? weight : 0;
	}
	bool is_by_load = slice_is(json_get_text(json_get(trace, "pool"), "decided_by"), "load");
	if (own != 0 && !is_by_load && json_get(trace, "candidates_not_shown") == NULL)
		strbuf_printf(out, " (%lld of %lld shares)", (long long)own, (long long)all);
}

/* ", of those left by industry, region": the criteria that told members apart; and whether these had the last word. */
static void put_narrowed(struct strbuf *out, const struct json *trace)
{
	const struct json *pool = json_get(trace, "pool"), *list = json_get(pool, "criteria");
	bool is_reopened = is_true(pool, "reopened_for_balance");
	size_t told = 0;
	if (slice_is(json_get_text(pool, "decided_by"), "load"))
		strbuf_puts(out, " by load");
	for (size_t i = 0; i < count_of(list); i++)
		if (slice_is(json_get_text(&list->items[i], "result"), "narrowed")) {
			strbuf_puts(out, told++ != 0 ? ", " : is_reopened ? ", as too much is carried by those left by " : ", of those left by ");
			put_text(out, &list->items[i], "name");
		}
}

/* A route as the trace of an event has it comes without its condition. */
static void put_condition(struct strbuf *out, const struct json *route)
{
	struct slice when = json_get_text(route, "when"), area = json_get_text(route, "area");
	strbuf_puts(out, " matched");
	if (is_true(route, "by_event") && area.len == 0)
		return;
	strbuf_puts(out, " (");
	put_joined(out, when);
	if (area.len != 0) {
		strbuf_puts(out, when.len != 0 ? "; area " : "area ");
		put(out, area);
	}
	strbuf_puts(out, when.len == 0 && area.len == 0 ? "it takes every lead)" : ")");
}

static void say_went(struct strbuf *out, const struct json *story, const struct json *data)
{
	size_t index;
	struct slice rule = json_get_text(json_get(data, "rule"), "name");
	const struct json *route = find_route(story, rule, &index);
	strbuf_puts(out, " went to ");
	put_text(out, data, "owner");
	if (rule.len == 0 && slice_is(json_get_text(data, "reason"), "requested")) {
		strbuf_puts(out, " because the customer asked for ");
		put_text(out, data, "owner");
		return;
	}
	if (rule.len == 0) {
		strbuf_puts(out, " (");
		put_words(out, json_get_text(data, "reason"));
		strbuf_putc(out, ')');
		return;
	}
	strbuf_puts(out, " because route ");
	put(out, rule);
	if (route != NULL)
		put_condition(out, route);
	else
		strbuf_puts(out, " matched");
	if (!slice_is(json_get_text(data, "reason"), "first"))
		return;
	strbuf_puts(out, ", and ");
	put_text(out, data, "owner");
	strbuf_puts(out, " was next in team ");
	put_text(out, data, "team");
	put_narrowed(out, json_get(data, "trace"));
	put_shares(out, json_get(data, "trace"));
}

/* Nobody owns it, but for some there is something to come. */
static void say_kept(struct strbuf *out, const struct json *data)
{
	struct slice reason = json_get_text(data, "reason");
	if (slice_is(reason, "waiting")) {
		strbuf_puts(out, " waits for team ");
		put_text(out, data, "team");
		strbuf_puts(out, ": ");
	} else if (slice_is(reason, "pending")) {
		strbuf_puts(out, " waits for consent: ");
	} else if (slice_is(reason, "held")) {
		strbuf_puts(out, " is held: ");
	} else {
		strbuf_puts(out, " went to nobody: ");
	}
}

void story_short(struct strbuf *out, const struct json *story)
{
	const struct json *event = main_event(story), *data = json_get(event, "data");
	struct slice type = json_get_text(event, "type");
	if (json_get(story, "reject") != NULL) {
		put_reject(out, story);
		return;
	}
	if (slice_is(type, "lead.assigned")) {
		put_text(out, data, "lead_id");
		say_went(out, story, data);
		strbuf_putc(out, '.');
	} else if (slice_is(type, "lead.unassigned")) {
		put_text(out, data, "lead_id");
		say_kept(out, data);
		put_text(out, data, "why");
	} else {
		explain_sentence(out, type, data);
	}
}

/* ---- why not */

static void say_route(struct strbuf *out, const struct json *route)
{
	strbuf_puts(out, "route \"");
	put_text(out, route, "name");
	strbuf_putc(out, '"');
	put_place(out, route);
}

/* What the route says by itself. */
static void say_result(struct strbuf *out, const struct json *route)
{
	struct slice result = json_get_text(route, "result");
	if (slice_is(result, "yes"))
		strbuf_puts(out, "would match");
	else if (slice_is(result, "no_team"))
		strbuf_puts(out, "holds, but its territory names no team for this place");
	else if (slice_is(result, "error"))
		strbuf_puts(out, "could not be evaluated");
	else
		strbuf_puts(out, "does not match");
	put_obstacle(out, route);
}

/* Nothing where the route was not asked. */
static void say_by_itself(struct strbuf *out, const struct json *route)
{
	if (slice_is(json_get_text(route, "result"), "not_reached"))
		return;
	strbuf_puts(out, "; by itself ");
	say_route(out, route);
	strbuf_putc(out, ' ');
	say_result(out, route);
}

/* Where the decision ended before any route was tried. */
static void say_stop(struct strbuf *out, const struct json *story)
{
	const struct json *data = json_get(main_event(story), "data");
	struct slice outcome = json_get_text(story, "outcome"), reason = json_get_text(data, "reason");
	if (slice_is(reason, "grade_stops")) {
		strbuf_puts(out, "leads of grade ");
		put_text(out, data, "grade");
		strbuf_puts(out, " are not routed");
	} else if (slice_is(reason, "requested")) {
		strbuf_puts(out, "the customer asked for ");
		put_text(out, data, "owner");
	} else if (json_get_text(data, "first_lead_id").len != 0) {
		strbuf_puts(out, "it is ");
		put_text(out, data, "first_lead_id");
		strbuf_puts(out, " again (");
		put_words(out, json_get_text(data, "match"));
		strbuf_putc(out, ')');
	} else if (json_get_text(data, "owner").len != 0) {
		put_text(out, data, "owner");
		strbuf_puts(out, " comes before any route (");
		put_words(out, reason);
		strbuf_putc(out, ')');
	} else if (json_get(story, "reject") != NULL) {
		strbuf_puts(out, "it was rejected: ");
		put_code(out, json_get(story, "reject"));
	} else {
		strbuf_puts(out, "the lead is ");
		put_words(out, outcome);
		if (reason.len != 0) {
			strbuf_puts(out, " (");
			put_words(out, reason);
			strbuf_putc(out, ')');
		}
	}
}

/* `is_supposed`: nothing of it happened. */
static void say_why_not(struct strbuf *out, const struct json *story, const struct json *route, size_t index, bool is_supposed)
{
	size_t taken_index = SIZE_MAX;
	struct slice taken_name = json_get_text(story, "route_taken");
	const struct json *taken = taken_name.len != 0 ? find_route(story, taken_name, &taken_index) : NULL;
	if (route != NULL && route == taken) {
		say_route(out, route);
		strbuf_puts(out, is_supposed ? " would take it" : " did take it");
	} else if (route == NULL || int_of(story, "routes_tried") == 0) {
		strbuf_puts(out, is_supposed ? "no route would be tried, because " : "no route was tried, because ");
		say_stop(out, story);
		if (route != NULL)
			say_by_itself(out, route);
	} else if (taken != NULL && taken_index < index) {
		say_route(out, taken);
		strbuf_puts(out, is_supposed ? " comes first and would take it" : " comes first and took it");
		say_by_itself(out, route);
	} else {
		say_route(out, route);
		strbuf_putc(out, ' ');
		say_result(out, route);
	}
}

bool story_suppose_why_not(struct strbuf *out, const struct json *story, struct slice name, bool is_supposed)
{
	size_t index = SIZE_MAX;
	const struct json *route = find_route(story, name, &index);
	struct slice outcome = json_get_text(story, "outcome"); /* some come before the score: no route was looked at */
	bool is_stopped = json_get(story, "routes") == NULL && (slice_is(outcome, "duplicate") || slice_is(outcome, "rejected"));
	if (route == NULL && !is_stopped)
		return false;
	say_why_not(out, story, route, index, is_supposed);
	return true;
}

bool story_why_not(struct strbuf *out, const struct json *story, struct slice name)
{
	struct strbuf answer = STRBUF_INIT;
	bool is_known = story_suppose_why_not(&answer, story, name, false);
	if (is_known && json_get_text(story, "lead_id").len != 0)
		put_text(out, story, "lead_id");
	else if (is_known) /* what cannot be read has no id */
		strbuf_printf(out, "Record %lld", (long long)int_of(story, "record"));
	if (is_known)
		strbuf_printf(out, ": %s.", strbuf_text(&answer));
	strbuf_done(&answer);
	return is_known;
}
