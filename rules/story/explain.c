/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/story/explain.h"

#include <stdio.h>
#include <stdlib.h>

#include "rules/calendar/instant.h"
#include "rules/story/explain_orders.h"
#include "rules/story/explain_parts.h"
#include "rules/text/zone.h"

/* ---- the sentence */

static void put_owner(struct strbuf *out, const struct json *event)
{
	if (json_get_text(event, "owner").len == 0) {
		strbuf_puts(out, "nobody");
		return;
	}
	put_text(out, event, "owner_name");
	if (json_get_text(event, "team").len != 0) {
		strbuf_puts(out, " (team ");
		put_text(out, event, "team_name");
		strbuf_putc(out, ')');
	}
}

/* A time of the event, in the zone that it names: "2026-11-23 09:30 +01:00". */
static void put_moment(struct strbuf *out, const struct json *event, const char *name)
{
	char zone_text[ZONE_NAME_BYTES + 1];
	snprintf(zone_text, sizeof zone_text, "%.*s", SLICE_ARG(json_get_text(event, "zone")));
	const struct zone *zone = zone_text[0] != '\0' ? zone_load(zone_text) : NULL;
	int64_t ms = instant_parse(json_get_text(event, name));
	struct civil civil;
	if (zone == NULL || ms < 0) {
		put_text(out, event, name);
		return;
	}
	zone_to_civil(zone, ms / 1000, &civil);
	int offset = zone_offset_at(zone, ms / 1000) / 60, east = abs(offset);
	strbuf_printf(out, "%04lld-%02d-%02d %02d:%02d", (long long)civil.year, civil.month, civil.day, civil.hour, civil.minute);
	if (civil.second != 0)
		strbuf_printf(out, ":%02d", civil.second);
	strbuf_printf(out, " %c%02d:%02d", offset < 0 ? '-' : '+', east / 60, east % 60);
}

static void say_assigned(struct strbuf *out, const struct json *event)
{
	if (json_get_text(event, "previous_owner").len != 0) {
		strbuf_puts(out, " went from ");
		put_text(out, event, "previous_owner");
		strbuf_puts(out, " to ");
	} else {
		strbuf_puts(out, " went to ");
	}
	put_owner(out, event);
	if (json_get_text(event, "deadline").len != 0) {
		strbuf_puts(out, ", first contact due ");
		put_moment(out, event, "deadline");
	}
}

static void say_unassigned(struct strbuf *out, const struct json *event)
{
	strbuf_puts(out, " went to nobody: ");
	put_words(out, json_get_text(event, "reason"));
	put_between(out, ", so it is in the queue ", event, "queue", "");
}

static void say_duplicate(struct strbuf *out, const struct json *event)
{
	strbuf_puts(out, " is ");
	put_text(out, event, "first_lead_id");
	strbuf_puts(out, " again (");
	put_words(out, json_get_text(event, "match"));
	strbuf_puts(out, "), which belongs to ");
	put_owner(out, event);
}

static void say_merged(struct strbuf *out, const struct json *event)
{
	strbuf_puts(out, is_true(event, "repeated") ? " had gone into " : " went into ");
	put_text(out, event, "into");
	strbuf_puts(out, " (");
	put_words(out, json_get_text(event, "match"));
	strbuf_puts(out, "), which belongs to ");
	put_owner(out, event);
}

static void say_split(struct strbuf *out, const struct json *event)
{
	strbuf_puts(out, " is a lead of its own again, apart from ");
	put_text(out, event, "into");
}

/* What a record of a follow-up says: who, how, what came of it, what is next. */
static void put_said(struct strbuf *out, const struct json *event)
{
	static const struct {
		const char *before, *member;
	} parts[] = {{"; by ", "actor"}, {"; reason: ", "reason"}, {"; method ", "method"}, {"; outcome: ", "outcome"},
	             {"; the customer: ", "reaction"}, {"; attitude ", "attitude"}, {"; recorded in ", "content"},
	             {"; stage ", "stage"}, {"; next step: ", "next_step"}, {"; protected until ", "protected_until"},
	             {"; meant for ", "candidate"}, {", if agreed by ", "asked"}};
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		put_between(out, parts[i].before, event, parts[i].member, "");
	put_helpers(out, event);
	const struct json *next = json_get(event, "next");
	if (next == NULL)
		return;
	strbuf_puts(out, "; next follow-up ");
	put_text(out, next, "wanted_at");
	put_between(out, ": ", next, "aim", "");
}

static void say_status(struct strbuf *out, const struct json *event)
{
	const struct json *response = json_get(event, "first_response");
	if (is_true(event, "repeated")) {
		strbuf_puts(out, ": the same activity came again and changed nothing");
		return;
	}
	bool has_moved = !slice_equal(json_get_text(event, "status"), json_get_text(event, "previous_status"));
	bool is_touch = json_get_text(event, "touched_at").len != 0;
	strbuf_puts(out, is_true(event, "outsider") ? " was touched by somebody who does not work on it and is "
	                 : is_touch ? " was touched and is " : has_moved ? " became " : " is still ");
	put_words(out, json_get_text(event, "status"));
	if (response != NULL)
		strbuf_puts(out, is_true(response, "in_time") ? "; the first response came in time"
		                                              : "; the first response came late");
	put_said(out, event);
	if (is_true(event, "do_not_contact"))
		strbuf_puts(out, "; the person is not to be contacted");
}

/* What each clock waits for; one that the configuration gave a name of its own is told by that name. */
static void put_awaited(struct strbuf *out, const struct json *event)
{
	static const struct {
		const char *timer, *awaited;
	} words[] = {
		{"first_response", "the first contact"},  {"cadence", "the next follow-up"},
		{"next_follow_up", "the follow-up that was promised"}, {"release", "progress, before the lead is released"},
		{"nurture", "the next look at it"},       {"opportunity_expiry", "the decision that was expected"},
		{"stale", "progress"},                    {"total_age", "a result"},
		{"report_due", "the report on it"},
	};
	struct slice timer = json_get_text(event, "timer");
	if (json_get_text(event, "kind").len != 0)
		timer = json_get_text(event, "kind"); /* a clock with a name of the site's own */
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (slice_is(timer, words[i].timer)) {
			strbuf_puts(out, words[i].awaited);
			return;
		}
	strbuf_puts(out, "what the clock \"");
	strbuf_append(out, timer.p, timer.len);
	strbuf_puts(out, "\" waits for");
}

/* Nobody may own a lead that is put off or grows old. */
static void put_who_waits(struct strbuf *out, const struct json *event, const char *owner_verb, const char *verb)
{
	if (json_get_text(event, "owner").len == 0) {
		strbuf_puts(out, verb);
		return;
	}
	put_owner(out, event);
	strbuf_puts(out, owner_verb);
}

/* Where releases are only proposed. */
static void say_proposed(struct strbuf *out, const struct json *event)
{
	strbuf_puts(out, " is still with ");
	put_owner(out, event);
	strbuf_puts(out, "; it is proposed to release it: ");
	put_words(out, json_get_text(event, "reason"));
}

static void say_reminder(struct strbuf *out, const struct json *event)
{
	if (json_get_text(event, "due_at").len != 0) {
		say_woken(out, event);
		return;
	}
	if (json_get_text(event, "proposal").len != 0) {
		say_proposed(out, event);
		return;
	}
	strbuf_puts(out, ": ");
	put_who_waits(out, event, " has until ", "there is time until ");
	put_moment(out, event, "deadline");
	strbuf_puts(out, " for ");
	put_awaited(out, event);
}

/* What the level asks for beside being told; whether that comes about (an exemption, releases that are only proposed) another
 * event tells. */
static void put_action(struct strbuf *out, const struct json *event)
{
	struct slice action = json_get_text(event, "action");
	if (slice_is(action, "manager"))
		strbuf_puts(out, "; the manager is told");
	else if (slice_is(action, "reassign"))
		strbuf_puts(out, "; somebody else is to get it");
	else if (slice_is(action, "pool"))
		strbuf_puts(out, "; it is to be taken back");
}

static void say_overdue(struct strbuf *out, const struct json *event)
{
	strbuf_puts(out, " is overdue: ");
	put_who_waits(out, event, " had until ", "there was time until ");
	put_moment(out, event, "deadline");
	strbuf_puts(out, " for ");
	put_awaited(out, event);
	put_action(out, event);
}

static void say_rescheduled(struct strbuf *out, const struct json *event)
{
	bool is_over = slice_is(json_get_text(event, "reason"), "withdrawn");
	strbuf_puts(out, ": the time for ");
	put_awaited(out, event);
	if (is_over) {
		strbuf_puts(out, " ran until ");
		put_moment(out, event, "old_deadline");
		strbuf_puts(out, " and is no longer asked for");
		return;
	}
	strbuf_puts(out, " moved from ");
	put_moment(out, event, "old_deadline");
	strbuf_puts(out, " to ");
	put_moment(out, event, "deadline");
}

static void put_count(struct strbuf *out, const struct json *figures, const char *name)
{
	const struct json *count = json_get(figures, name);
	strbuf_printf(out, "%lld", count != NULL ? (long long)count->integer : 0);
}

/* A digest is about no lead. */
static void say_digest(struct strbuf *out, const struct json *event)
{
	const struct json *scope = json_get(event, "scope"), *leads = json_get(event, "leads");
	const struct json *figures = json_get(json_get(event, "total"), "figures");
	strbuf_puts(out, "Digest ");
	put_text(out, event, "kind");
	strbuf_putc(out, ' ');
	put_text(out, json_get(event, "period"), "name");
	if (scope != NULL && scope->count != 0)
		strbuf_printf(out, " for %.*s %.*s", SLICE_ARG(scope->names[0]), SLICE_ARG(scope->items[0].text));
	if (leads != NULL)
		strbuf_printf(out, ": %zu lead%s", leads->count, leads->count == 1 ? "" : "s");
	if (figures != NULL) {
		strbuf_puts(out, ": ");
		put_count(out, figures, "obtained");
		strbuf_puts(out, " leads obtained, ");
		put_count(out, figures, "first_met");
		strbuf_puts(out, " of ");
		put_count(out, figures, "first_due");
		strbuf_puts(out, " first contacts in time, ");
		put_count(out, figures, "orders");
		strbuf_puts(out, " orders");
	}
	strbuf_putc(out, '.');
}

/* Nor is this. */
static void say_presence(struct strbuf *out, const struct json *event)
{
	put_text(out, event, "rep");
	strbuf_puts(out, slice_is(json_get_text(event, "status"), "away") ? " is away" : " is here");
	if (int_of(event, "breaches") != 0)
		strbuf_printf(out, ", as %lld leads in a row have become late", (long long)int_of(event, "breaches"));
	if (json_get_text(event, "until").len != 0) {
		strbuf_puts(out, " until ");
		put_text(out, event, "until");
	}
	strbuf_puts(out, is_true(event, "ignored") ? "; what came now is older and changes nothing." : ".");
}

static void say_rejected(struct strbuf *out, const struct json *event)
{
	strbuf_puts(out, " was rejected");
	if (json_get_text(event, "text").len == 0)
		return;
	strbuf_puts(out, ": ");
	put_text(out, event, "text");
}

static const struct {
	const char *type;
	void (*say)(struct strbuf *out, const struct json *event);
	bool is_about_lead;
} sentences[] = {
#define EVENT_TYPE(type, say, is_about_lead) {type, say, is_about_lead},
#include "rules/event_type.def"
};
enum { SENTENCES = sizeof sentences / sizeof *sentences };

const char *explain_type(size_t at)
{
	return at < SENTENCES ? sentences[at].type : NULL;
}

void explain_sentence(struct strbuf *out, struct slice type, const struct json *event)
{
	size_t at = 0;
	while (at < SENTENCES && !slice_is(type, sentences[at].type))
		at++;
	if (at < SENTENCES && !sentences[at].is_about_lead) {
		sentences[at].say(out, event);
		return;
	}
	strbuf_puts(out, "Lead ");
	put_text(out, event, "lead_id");
	if (at < SENTENCES) {
		sentences[at].say(out, event);
	} else {
		strbuf_puts(out, ": ");
		put(out, type);
	}
	strbuf_putc(out, '.');
}

/* ---- the lines behind it: a label in the first column, once */

void explain_why(struct strbuf *out, const struct json *event)
{
	if (json_get_text(event, "why").len == 0)
		return;
	begin_line(out, "Why");
	put_text(out, event, "why");
	strbuf_putc(out, '\n');
}

void explain_score(struct strbuf *out, const struct json *event)
{
	const struct json *terms = json_get(event, "terms");
	if (count_of(terms) == 0)
		return;
	begin_line(out, "Score");
	for (size_t i = 0; i < terms->count; i++) {
		strbuf_printf(out, "%s%+lld ", i ? ", " : "", (long long)int_of(&terms->items[i], "points"));
		put_text(out, &terms->items[i], "name");
		put_place(out, &terms->items[i]);
	}
	strbuf_putc(out, '\n');
}

void explain_route(struct strbuf *out, const struct json *route, const char *label)
{
	struct slice result = json_get_text(route, "result");
	begin_line(out, label);
	put_words(out, result);
	for (size_t width = result.len; width < 8; width++)
		strbuf_putc(out, ' ');
	put_text(out, route, "name");
	put_place(out, route);
	put_obstacle(out, route);
	if (json_get_text(route, "area").len != 0) {
		strbuf_puts(out, ": ");
		put_text(out, route, "area");
	}
	strbuf_putc(out, '\n');
}

static void put_routes(struct strbuf *out, const struct json *trace)
{
	const struct json *routes = json_get(trace, "routes");
	for (size_t i = 0; i < count_of(routes); i++)
		explain_route(out, &routes->items[i], i == 0 ? "Routes" : "");
}

/* What each criterion of the team left. */
static void put_criteria(struct strbuf *out, const struct json *trace)
{
	const struct json *list = json_get(json_get(trace, "pool"), "criteria");
	for (size_t i = 0; i < count_of(list); i++) {
		const struct json *criterion = &list->items[i];
		struct slice result = json_get_text(criterion, "result");
		begin_line(out, i == 0 ? "Criteria" : "");
		put_text(out, criterion, "name");
		put_place(out, criterion);
		if (slice_is(result, "skipped"))
			strbuf_puts(out, ": skipped, as it would leave nobody\n");
		else
			strbuf_printf(out, ": %s%lld left\n",
			              slice_is(result, "same") ? "still " : "",
			              (long long)int_of(criterion, "left"));
	}
	if (is_true(json_get(trace, "pool"), "reopened_for_balance"))
		strbuf_puts(out, "Balance   those left carry too much more than who was left before the last of these that narrowed: load decides among them\n");
}

/* Somebody who comes before any rotation, and what was in his way. */
static void put_asked(struct strbuf *out, const struct json *trace)
{
	static const struct {
		const char *part, *words, *rep, *result;
	} rows[] = {{"requested_owner", "the customer asked for ", "rep", "result"},
	            {"returning", "the customer's last lead was with ", "owner", "result"},
	            {"owner_match", "the company's latest lead is with ", "owner", "result"},
	            {"named_rep", "the route names ", "rep", "reason"}};
	const char *label = "Owner";
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct json *part = json_get(trace, rows[i].part);
		if (json_get_text(part, rows[i].result).len == 0)
			continue;
		begin_line(out, label);
		strbuf_puts(out, rows[i].words);
		put(out, json_get_text(part, rows[i].rep).len != 0 ? json_get_text(part, rows[i].rep) : SLICE("nobody"));
		if (json_get_text(part, "lead_id").len != 0) {
			strbuf_puts(out, ", ");
			put_text(out, part, "lead_id");
		}
		strbuf_puts(out, ": ");
		put_words(out, json_get_text(part, rows[i].result));
		strbuf_putc(out, '\n');
		label = "";
	}
}

static void put_not_shown(struct strbuf *out, const struct json *object, const char *name)
{
	if (int_of(object, name) > 0)
		strbuf_printf(out, ", and %lld more", (long long)int_of(object, name));
	strbuf_putc(out, '\n');
}

/* Teams that had nobody, and why each of theirs could not take it. */
static void put_nobody(struct strbuf *out, const struct json *trace)
{
	const struct json *tries = json_get(json_get(trace, "pool"), "nobody");
	for (size_t i = 0; i < count_of(tries); i++) {
		const struct json *list = json_get(&tries->items[i], "rejected");
		begin_line(out, i == 0 ? "Nobody" : "");
		strbuf_puts(out, "in team ");
		put_text(out, &tries->items[i], "pool");
		for (size_t at = 0; at < count_of(list); at++) {
			strbuf_puts(out, at == 0 ? ": " : ", ");
			put_text(out, &list->items[at], "rep");
			strbuf_putc(out, ' ');
			put_words(out, json_get_text(&list->items[at], "reason"));
		}
		put_not_shown(out, &tries->items[i], "rejected_not_shown");
	}
}

void explain_candidates(struct strbuf *out, const struct json *trace)
{
	const struct json *list = json_get(trace, "candidates");
	put_asked(out, trace);
	put_nobody(out, trace);
	put_criteria(out, trace);
	if (count_of(list) == 0)
		return;
	begin_line(out, "Turn");
	for (size_t i = 0; i < list->count; i++) {
		strbuf_puts(out, i ? ", " : "");
		put_text(out, &list->items[i], "rep");
		if (json_get_text(&list->items[i], "position").len != 0) {
			strbuf_putc(out, ' ');
			put_text(out, &list->items[i], "position");
		}
		strbuf_putc(out, ' ');
		put_words(out, json_get_text(&list->items[i], "result"));
	}
	put_not_shown(out, trace, "candidates_not_shown");
}

static void put_change(struct strbuf *out, const struct json *change, const char *label)
{
	begin_line(out, label);
	put_text(out, change, "field");
	strbuf_putc(out, ' ');
	put_words(out, json_get_text(change, "what"));
	if (json_get_text(change, "by").len != 0) {
		strbuf_puts(out, " by ");
		put_text(out, change, "by");
	}
	struct slice from = json_get_text(change, "from"), to = json_get_text(change, "to");
	if (from.len != 0 || to.len != 0) {
		strbuf_puts(out, ": ");
		put(out, from);
		strbuf_puts(out, from.len != 0 && to.len != 0 ? " -> " : "");
		put(out, to);
	}
	strbuf_putc(out, '\n');
}

void explain_changes(struct strbuf *out, const struct json *trace)
{
	const struct json *changes = json_get(trace, "changes");
	for (size_t i = 0; i < count_of(changes); i++)
		put_change(out, &changes->items[i], i == 0 ? "Changed" : "");
}

void explain_by(struct strbuf *out, const struct json *trace)
{
	if (trace == NULL)
		return;
	begin_line(out, "By");
	strbuf_puts(out, "configuration ");
	put_text(out, trace, "config");
	strbuf_puts(out, ", leadrouter ");
	put_text(out, trace, "engine");
	strbuf_putc(out, '\n');
}

void explain_text(struct strbuf *out, struct slice type, const struct json *event)
{
	const struct json *trace = json_get(event, "trace");
	explain_sentence(out, type, event);
	strbuf_putc(out, '\n');
	explain_why(out, event);
	explain_score(out, event);
	put_routes(out, trace);
	explain_candidates(out, trace);
	explain_changes(out, trace);
	explain_by(out, trace);
}
