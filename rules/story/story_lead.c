/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/story/story_lead.h"

#include "rules/calendar/instant.h"
#include "rules/story/explain.h"
#include "rules/story/explain_parts.h"
#include "rules/story/story.h"

/* ---- how it came to who has it, or to nobody */

/* %p: the owner before, %o: the owner, %a: who acted, %t: the team. */
static const struct reason {
	const char *code, *given, *taken;
} reasons[] = {
	{"waited", "it had waited for team %t and it was the turn of %o", ""},
	{"manual", "%a ordered it", "%a took it back from %p"},
	{"claimed", "%o claimed it while it was free", ""},
	{"declined", "%p declined it and it was the turn of %o in team %t", "%p declined it and nobody else could be asked"},
	{"breach", "%p did not act in time and it was the turn of %o in team %t",
         "%p did not act in time and nobody else could be asked"},
	{"released", "", "%p gave it up"},
	{"expired", "", "nothing had moved for so long that it was taken back from %p"},
	{"max_hops", "", "it had gone from hand to hand too often; %p had it last"},
	{"handed_over", "all that %p had was handed over", "%p has left and nobody follows"},
	{"dispute", "the dispute about it was decided for %o", ""},
	{"approved", "%a consented to it", "%a did not consent to it"},
	{"screened", "%a looked at it and found it real", "%a looked at it"},
	{"hold_ended", "nobody decided about it in time", "nobody decided about it in time"},
	{"acted_in_time", "it turned out that %o had acted in time", ""},
	{"split", "it was split off again from the lead that it had gone into", ""},
	{"merged", "", "it was merged into another lead of the same person"},
	{"team_gone", "", "the team that it waited for is not in the configuration any more"},
};

static void put_member(struct strbuf *out, const struct json *data, const char *name)
{
	if (json_get_text(data, name).len != 0)
		put_text(out, data, name);
	else
		strbuf_puts(out, "somebody");
}

static void put_filled(struct strbuf *out, const char *text, const struct json *data)
{
	for (; *text != '\0'; text++) {
		if (*text != '%') {
			strbuf_putc(out, *text);
			continue;
		}
		text++;
		put_member(out, data, *text == 'p' ? "previous_owner" : *text == 'o' ? "owner" : *text == 'a' ? "actor" : "team");
	}
}

static const char *words_of(const struct json *data, bool is_given)
{
	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
		if (slice_is(json_get_text(data, "reason"), reasons[i].code))
			return is_given ? reasons[i].given : reasons[i].taken;
	return "";
}

static void put_cause(struct strbuf *out, const struct json *data, bool is_given)
{
	const char *words = words_of(data, is_given);
	if (words[0] == '\0') {
		strbuf_puts(out, ": ");
		put_text(out, data, "why");
		return;
	}
	strbuf_puts(out, " because ");
	put_filled(out, words, data);
	if (json_get_text(data, "comment").len != 0) {
		strbuf_puts(out, " (\"");
		put_joined(out, json_get_text(data, "comment"));
		strbuf_puts(out, "\")");
	}
	strbuf_putc(out, '.');
}

static void say_taken(struct strbuf *out, const struct json *data)
{
	if (slice_is(json_get_text(data, "status"), "waiting")) {
		strbuf_puts(out, " waits for team ");
		put_text(out, data, "team");
	} else {
		strbuf_puts(out, " belongs to nobody");
	}
}

static void say_change(struct strbuf *out, const struct json *event)
{
	const struct json *data = json_get(event, "data");
	struct slice type = json_get_text(event, "type");
	bool is_given = slice_is(type, "lead.assigned");
	if (!is_given && !slice_is(type, "lead.unassigned")) {
		explain_sentence(out, type, data);
		return;
	}
	put_text(out, data, "lead_id");
	if (is_given) {
		strbuf_puts(out, " went to ");
		put_text(out, data, "owner");
	} else {
		say_taken(out, data);
	}
	put_cause(out, data, is_given);
}

void story_lead_short(struct strbuf *out, const struct json *story, bool is_first)
{
	const struct json *changed = json_get(story, "changed");
	if (changed != NULL && !is_first)
		say_change(out, changed);
	else
		story_short(out, story);
}

/* ---- decided again */

static const struct json *again_story(const struct json *story)
{
	return json_get(json_get(story, "again"), "story");
}

static bool has_changed_rules(const struct json *story)
{
	const struct json *again = json_get(story, "again");
	return again != NULL && !is_true(again, "same_rules");
}

static void put_differences(struct strbuf *out, const struct json *story)
{
	const struct json *list = json_get(json_get(story, "again"), "differs");
	for (size_t i = 0; i < count_of(list); i++) {
		struct slice then = json_get_text(&list->items[i], "then"), now = json_get_text(&list->items[i], "now");
		begin_line(out, "");
		put_words(out, json_get_text(&list->items[i], "what"));
		strbuf_puts(out, ": ");
		put(out, then.len != 0 ? then : SLICE("none"));
		strbuf_puts(out, " -> ");
		put(out, now.len != 0 ? now : SLICE("none"));
		strbuf_putc(out, '\n');
	}
}

static void put_record(struct strbuf *out, const struct json *story)
{
	const struct json *record = json_get(story, "record");
	bool differs = count_of(json_get(json_get(story, "again"), "differs")) > 0;
	if (record == NULL)
		return;
	begin_line(out, "Record");
	put_text(out, record, "topic");
	strbuf_printf(out, "/%lld/%lld", (long long)int_of(record, "partition"), (long long)int_of(record, "offset"));
	if (json_get_text(record, "missing").len != 0) {
		strbuf_puts(out, ": ");
		put_text(out, record, "missing");
		strbuf_puts(out, "; told from the event alone, without values\n");
	} else if (has_changed_rules(story)) {
		strbuf_puts(out, ", decided by other rules than those of now; what the event says is what happened\n");
	} else if (differs) {
		strbuf_puts(out, ", decided again by the same rules: what was known then is not all known now, and it comes out "
		                 "differently; what the event says is what happened\n");
		put_differences(out, story);
	} else {
		strbuf_puts(out, ", decided again by the same rules: it comes out the same\n");
	}
}

static void put_by_now(struct strbuf *out, const struct json *story)
{
	const struct json *again = json_get(story, "again");
	bool differs = count_of(json_get(again, "differs")) > 0;
	strbuf_puts(out, "\nThe rules have changed since. By those of now (configuration ");
	put_text(out, again, "config");
	strbuf_puts(out, differs ? ") it would come out differently:\n" : ") it would come out the same:\n");
	put_differences(out, story);
	if (is_true(again, "turn_unknown")) {
		begin_line(out, "");
		strbuf_puts(out, "whose turn it was there is not known: the rotation of that team is taken as new\n");
	}
	if (json_get(again_story(story), "reject") != NULL)
		story_text(out, again_story(story));
	else
		story_reasons(out, again_story(story));
}

/* ---- all of it */

static void put_event(struct strbuf *out, const struct json *event)
{
	put_text(out, event, "time");
	strbuf_puts(out, "  ");
	say_change(out, event);
	strbuf_putc(out, '\n');
}

/* One that was rejected was told by its code. */
static void put_events(struct strbuf *out, const struct json *story)
{
	const struct json *events = json_get(story, "events");
	struct slice decided = json_get_text(json_get(story, "decided"), "id");
	const char *title = "\nWhat else happened:\n";
	for (size_t i = 0; i < count_of(events); i++) {
		const struct json *event = &events->items[i];
		if (slice_equal(json_get_text(event, "id"), decided) || json_get(event, "data") == NULL)
			continue;
		strbuf_puts(out, title);
		put_event(out, event);
		title = "";
	}
}

static void put_value(struct strbuf *out, const struct json *value)
{
	struct strbuf text = STRBUF_INIT;
	struct json_writer writer = JSON_WRITER(&text);
	if (value->type == JSON_IS_INT && value->integer > 1000000000000) /* ms */
		json_put_time(&writer, NULL, value->integer);
	else
		json_put_value(&writer, SLICE_NONE, value);
	bool is_quoted = text.len >= 2 && text.bytes[0] == '"';
	put(out, is_quoted ? (struct slice){text.bytes + 1, text.len - 2} : (struct slice){text.bytes, text.len});
	strbuf_done(&text);
}

/* What of a lead's state says something to a person; --json has all of it. */
void story_lead_now(struct strbuf *out, const struct json *story)
{
	static const struct {
		const char *name, *words;
	} rows[] = {{"state", ""},          {"owner", "owner "},        {"team", "team "},   {"why", "reason "},
	            {"into", "went into "}, {"prev", "before "},        {"rule", "route "},  {"grade", "grade "},
	            {"score", "score "},    {"no", "number "},          {"stage", "stage "}, {"at", "taken in "},
	            {"given", "given "},    {"touched", "acted on "},   {"wake", "wakes "},  {"dups", "repeats "},
	            {"ver", "changes of owner "}};
	const struct json *states = json_get(story, "state");
	const struct json *lead = count_of(states) > 0 ? json_get(&states->items[0], "lead") : NULL;
	const char *gap = "";
	if (lead == NULL || lead->type != JSON_IS_OBJECT)
		return;
	begin_line(out, "Now");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct json *value = json_get(lead, rows[i].name);
		if (value == NULL || value->type >= JSON_IS_ARRAY)
			continue;
		strbuf_puts(out, gap);
		strbuf_puts(out, rows[i].words);
		put_value(out, value);
		gap = ", ";
	}
	strbuf_putc(out, '\n');
}

/* How it came to its owner; then what its record came to, if that is another story. */
static void put_head(struct strbuf *out, const struct json *story)
{
	if (json_get(story, "changed") != NULL) {
		story_lead_short(out, story, false);
		strbuf_puts(out, "\nFirst of all, ");
	}
	story_lead_short(out, story, true);
	strbuf_puts(out, "\n\n");
}

void story_lead_text(struct strbuf *out, const struct json *story)
{
	const struct json *decided = json_get(story, "decided");
	if (decided != NULL) {
		put_head(out, story);
		story_reasons(out, story);
		put_record(out, story);
		explain_by(out, json_get(json_get(decided, "data"), "trace"));
	}
	if (has_changed_rules(story))
		put_by_now(out, story);
	put_events(out, story);
	strbuf_putc(out, '\n');
	story_lead_now(out, story);
	story_clocks(out, story);
}

/* ---- why not */

/* By the rules of then, of a route that their event does not tell of: those behind the one that took the lead are not tried. */
static void say_not_told(struct strbuf *out, const struct json *story, struct slice route)
{
	struct slice taken = json_get_text(story, "route_taken");
	if (taken.len != 0) {
		strbuf_puts(out, "route \"");
		put(out, taken);
		strbuf_puts(out, "\" took it, and ");
	}
	strbuf_puts(out, "the event says nothing about route \"");
	put(out, route);
	strbuf_putc(out, '"');
}

bool story_lead_why_not(struct strbuf *out, const struct json *story, struct slice route)
{
	struct strbuf then = STRBUF_INIT, now = STRBUF_INIT;
	bool is_told = story_suppose_why_not(&then, story, route, false);
	bool has_now = has_changed_rules(story) && story_suppose_why_not(&now, again_story(story), route, true);
	if (!is_told)
		say_not_told(&then, story, route);
	if (is_told || has_now) {
		put_text(out, story, "lead_id");
		strbuf_printf(out, ": %s.", strbuf_text(&then));
	}
	if (has_now)
		strbuf_printf(out, " The rules have changed since; by those of now, %s.", strbuf_text(&now));
	strbuf_done(&then);
	strbuf_done(&now);
	return is_told || has_now;
}
