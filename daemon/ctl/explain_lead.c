/* SPDX-License-Identifier: Apache-2.0
 *
 * leadctl explain LEAD-ID and show lead --history: a lead that was decided.
 *
 *     output topics ─► history ─► the event that its record came to ─► topic, partition, offset of that record
 *     leads.captured at that place ─► decided again (rules/story/again.h) ─► the values behind each clause, any route, all keys
 *     control socket ─► its state now ─► its clocks
 *
 * The events say why in the words of the configuration that was in force (law 7); what is decided again is shown beside them
 * and never instead. Without the record, or by other rules, the story is that of the events.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/ctl/ctl.h"
#include "daemon/ctl/history.h"
#include "daemon/generation.h"
#include "daemon/kafka_tool.h"
#include "daemon/settings.h"
#include "rules/calendar/instant.h"
#include "rules/event_shown.h"
#include "rules/json/json.h"
#include "rules/model.h"
#include "rules/rules.h"
#include "rules/state.h"
#include "rules/story/again.h"
#include "rules/story/detail.h"
#include "rules/story/explain.h"
#include "rules/story/story_lead.h"

static const struct json_limits LIMITS = {64 << 20, 64, 10000000};

struct telling {
	const struct ctl_args *args;
	struct slice lead_id;
	struct kafka_options options;
	const struct model *model;
	struct history history;
	struct strbuf state;         /* the answer of an instance; empty: none */
	const struct history_event *decided, *changed; /* NULL: none */
	struct json_writer writer;
};

static bool is_unmasked(const struct telling *telling)
{
	return ctl_option(telling->args, "unmasked") != NULL;
}

static struct slice trace_text(const struct history_event *event, const char *name)
{
	return json_get_text(json_get(event->data, "trace"), name);
}

/* ---- its record, decided again */

struct place_in_log {
	char topic[256];
	int32_t partition;
	int64_t offset;
};

/* "<topic>/<partition>/<offset>" */
static bool read_cause(struct slice cause, struct place_in_log *ret)
{
	char text[320];
	snprintf(text, sizeof text, "%.*s", SLICE_ARG(cause));
	return sscanf(text, "%255[^/]/%" SCNd32 "/%" SCNd64, ret->topic, &ret->partition, &ret->offset) == 3;
}

static int64_t decided_at(const struct history_event *event)
{
	int64_t given_ms = instant_parse(json_get_text(event->data, "assigned_at"));
	int64_t at_ms = given_ms >= 0 ? given_ms : instant_parse(json_get_text(event->data, "at"));
	return at_ms >= 0 ? at_ms : event->timestamp_ms;
}

/* NULL, and the "again" is in `out`; else why it is not, in words. */
static const char *decide_again(struct telling *telling, const struct place_in_log *place, struct strbuf *out)
{
	struct arena *arena = &telling->history.arena;
	const struct history_event *event = telling->decided;
	struct err err = ERR_INIT;
	struct record record;
	int64_t lowest;
	int found = kafka_read_record(&telling->options, place->topic, place->partition, place->offset, arena, &record, &lowest, &err);
	if (found < 0)
		return arena_printf(arena, "it cannot be read (%s)", err.text);
	if (found == 0 && place->offset < lowest)
		return arena_printf(arena, "it is not kept any more (the topic begins at offset %" PRId64 " now)", lowest);
	if (found == 0)
		return "the topic has no such record now";
	const struct again_question question = {
		.model = telling->model, .record = &record, .lead_id = telling->lead_id, .type = event->type, .code = event->code,
		.config = event->data != NULL ? trace_text(event, "config") : event->config, .engine = trace_text(event, "engine"),
		.data = event->data, .at_ms = decided_at(event), .is_unmasked = is_unmasked(telling),
	};
	return again_decide(&question, out) ? NULL : "the topic was made anew: another lead's record is there now";
}

/* "record", and "again" where it could be made, which is also returned. */
static const struct json *put_record(struct telling *telling)
{
	struct json_writer *writer = &telling->writer;
	struct place_in_log place;
	struct strbuf again = STRBUF_INIT;
	const struct json *result = NULL;
	if (telling->decided == NULL || !read_cause(telling->decided->cause, &place))
		return NULL;
	const char *missing = decide_again(telling, &place, &again);
	json_open_object(writer, "record");
	json_put_text(writer, "topic", slice_of(place.topic));
	json_put_int(writer, "partition", place.partition);
	json_put_int(writer, "offset", place.offset);
	if (missing != NULL)
		json_put_text(writer, "missing", slice_of(missing));
	json_close_object(writer);
	if (missing == NULL) {
		result = json_read_wide((struct slice){again.bytes, again.len}, LIMITS, &telling->history.arena, NULL);
		json_put_value(writer, SLICE("again"), result);
	}
	strbuf_done(&again);
	return result;
}

/* ---- routes */

/* As the trace of the event has them. */
static void put_routes_by_event(struct telling *telling, const struct json *routes)
{
	struct json_writer *writer = &telling->writer;
	json_open_array(writer, "routes");
	for (size_t i = 0; routes != NULL && i < routes->count; i++) {
		const struct json *route = &routes->items[i];
		json_open_object(writer, NULL);
		for (size_t member = 0; route->type == JSON_IS_OBJECT && member < route->count; member++)
			json_put_value(writer, route->names[member], &route->items[member]);
		json_put_bool(writer, "by_event", true);
		json_close_object(writer);
	}
	json_close_array(writer);
}

static size_t place_of(const struct json *routes, struct slice name)
{
	size_t at = 0;
	while (routes != NULL && at < routes->count && !slice_equal(json_get_text(&routes->items[at], "name"), name))
		at++;
	return at;
}

/* How far the decision of then went: to the route that took it, through all of them, or to none. */
static void put_way(struct telling *telling, const struct json *routes)
{
	const struct json *tried = json_get(json_get(telling->decided->data, "trace"), "routes");
	struct slice taken = json_get_text(json_get(telling->decided->data, "rule"), "name");
	size_t count = routes != NULL ? routes->count : 0, at = place_of(routes, taken);
	int64_t way = taken.len != 0 && at < count ? (int64_t)at + 1 : tried != NULL ? (int64_t)count : 0;
	json_put_int(&telling->writer, "routes_tried", way);
	if (taken.len != 0)
		json_put_text(&telling->writer, "route_taken", taken);
}

/* What the record came to, as rules/story/detail.h tells it: by the same rules with all that was seen on the way. */
static void put_reasons(struct telling *telling, const struct json *again)
{
	const struct json *same = json_get(again, "same_rules"), *story = json_get(again, "story");
	const struct json *routes = json_get(json_get(telling->decided->data, "trace"), "routes");
	const char *const parts[] = {"keys", "score", "routes"};
	bool is_same = same != NULL && same->boolean;
	for (size_t i = 0; is_same && i < sizeof parts / sizeof *parts; i++)
		if (json_get(story, parts[i]) != NULL)
			json_put_value(&telling->writer, slice_of(parts[i]), json_get(story, parts[i]));
	if (is_same)
		routes = json_get(story, "routes");
	else if (routes != NULL)
		put_routes_by_event(telling, routes);
	put_way(telling, routes);
	const struct slice type = telling->decided->type;
	json_put_text(&telling->writer, "outcome", (struct slice){type.p + 5, type.len - 5}); /* without "lead." */
}

/* ---- clocks */

static bool counts_all_time(const struct model *model, struct slice letter)
{
	for (size_t i = 0; i < model->grade_count; i++)
		if (slice_equal(model->grades[i].letter, letter))
			return model->grades[i].first_response.business_ms == 0 && model->grades[i].first_response.business_days == 0;
	return false;
}

/* Without a state, the first response's clock as an assignment started it, by today's calendars. */
static void put_clock_by_event(struct telling *telling, const struct json *data)
{
	const struct model *model = telling->model;
	const struct json *place = json_get(json_get(data, "lead"), "location");
	int64_t remind_ms = instant_parse(json_get_text(data, "remind_at"));
	struct timeline timeline = {
		.clock = SLICE("first_response"),
		.calendar = model_calendar_of(model, model_find_rep(model, json_get_text(data, "owner")),
	                                      model_find_team(model, json_get_text(data, "team")), json_get_text(place, "country"),
	                                      json_get_text(place, "region"), json_get_text(place, "postal_code")),
		.is_by_wall = counts_all_time(model, json_get_text(data, "grade")),
		.start_ms = instant_parse(json_get_text(data, "assigned_at")),
		.due_ms = instant_parse(json_get_text(data, "deadline")),
		.level_count = remind_ms > 0,
		.levels = {{SLICE("pre_breach"), remind_ms, false}},
	};
	if (timeline.start_ms < 0 || timeline.due_ms <= timeline.start_ms)
		return;
	json_open_array(&telling->writer, "clocks");
	detail_put_timeline(&telling->writer, &timeline);
	json_close_array(&telling->writer);
}

/* The state that the instance showed, in its stored form. */
static bool read_state(struct telling *telling, struct lead_state *ret)
{
	struct arena *arena = &telling->history.arena;
	const struct slice said = {telling->state.bytes, telling->state.len};
	const struct json *answer = said.len != 0 ? json_read_wide(said, LIMITS, arena, NULL) : NULL;
	const struct json *lead = answer != NULL && answer->count != 0 ? json_get(&answer->items[0], "lead") : NULL;
	struct strbuf text = STRBUF_INIT;
	struct json_writer writer = JSON_WRITER(&text);
	if (lead == NULL)
		return false;
	json_put_value(&writer, SLICE_NONE, lead);
	struct slice value = {arena_memdupz(arena, text.bytes, text.len), text.len};
	strbuf_done(&text);
	return state_get_lead(value, arena, ret, NULL) == 0;
}

static void put_clocks(struct telling *telling)
{
	const struct history_event *latest = telling->changed != NULL ? telling->changed : telling->decided;
	struct lead_state state;
	if (read_state(telling, &state))
		detail_put_clocks(&telling->writer, telling->model, telling->lead_id, &state, (int64_t)time(NULL) * 1000);
	else if (latest != NULL && latest->data != NULL)
		put_clock_by_event(telling, latest->data);
}

/* ---- the story */

static void put_event(struct telling *telling, const char *name, const struct history_event *event)
{
	struct json_writer *writer = &telling->writer;
	json_open_object(writer, name);
	json_put_text(writer, "topic", event->topic);
	json_put_text(writer, "type", event->type);
	json_put_text(writer, "id", event->id);
	json_put_text(writer, "cause", event->cause);
	if (event->timestamp_ms >= 0)
		json_put_time(writer, "time", event->timestamp_ms);
	if (event->data != NULL)
		event_put_shown(writer, "data", event->data, is_unmasked(telling));
	json_close_object(writer);
}

static void put_reject(struct json_writer *writer, const struct history_event *event)
{
	json_open_object(writer, "reject");
	json_put_text(writer, "number", event->number);
	json_put_text(writer, "code", event->code);
	json_put_text(writer, "field", event->field);
	json_put_text(writer, "text", event->text);
	json_close_object(writer);
}

/* `with_record`: also what deciding it again adds. */
static const struct json *tell(struct telling *telling, bool with_record)
{
	struct strbuf text = STRBUF_INIT;
	struct json_writer *writer = &telling->writer;
	*writer = (struct json_writer)JSON_WRITER(&text);
	json_open_object(writer, NULL);
	json_put_text(writer, "lead_id", telling->lead_id);
	if (telling->state.len != 0)
		json_put_raw(writer, "state", (struct slice){telling->state.bytes, telling->state.len});
	json_open_array(writer, "events");
	for (size_t i = 0; i < telling->history.count; i++)
		put_event(telling, NULL, &telling->history.events[i]);
	json_close_array(writer);
	if (telling->decided != NULL) {
		put_event(telling, "decided", telling->decided);
		if (telling->decided->data == NULL)
			put_reject(writer, telling->decided);
		put_reasons(telling, with_record ? put_record(telling) : NULL);
	}
	if (telling->changed != NULL)
		put_event(telling, "changed", telling->changed);
	put_clocks(telling);
	json_close_object(writer);
	const struct json *story = json_read_wide((struct slice){text.bytes, text.len}, LIMITS, &telling->history.arena, NULL);
	strbuf_done(&text);
	return story;
}

/* ---- showing */

/* Each event with all that it says. */
static void print_history(const struct json *story)
{
	const struct json *events = json_get(story, "events");
	struct strbuf out = STRBUF_INIT;
	for (size_t i = 0; events != NULL && i < events->count; i++) {
		const struct json *event = &events->items[i];
		struct slice time = json_get_text(event, "time");
		if (json_get(event, "data") == NULL)
			continue;
		strbuf_printf(&out, "%.*s  ", SLICE_ARG(time));
		explain_text(&out, json_get_text(event, "type"), json_get(event, "data"));
		strbuf_putc(&out, '\n');
	}
	story_lead_now(&out, story);
	ctl_print_text(&out);
	strbuf_done(&out);
}

static void warn_of_gaps(const struct history *history)
{
	if (history->is_cut)
		fprintf(stderr, "leadctl: the topics are long; what came behind the first %d s of reading is missing\n",
		        HISTORY_SECONDS_MAX);
	if (history->found > history->count)
		fprintf(stderr, "leadctl: %zu events; the latest %d are shown\n", history->found, HISTORY_EVENTS_MAX);
}

static int show(struct telling *telling, bool is_history)
{
	telling->decided = history_decided(&telling->history);
	telling->changed = history_changed(&telling->history, telling->lead_id);
	warn_of_gaps(&telling->history);
	const struct json *story = tell(telling, !is_history);
	if (!is_history || telling->args->json)
		return ctl_print_story(telling->args, story, telling->model, true);
	print_history(story);
	return CTL_OK;
}

/* The answer of the instance as JSON; empty when nobody answers or the lead is unknown there, which is said on stderr. */
static void ask_state(const struct ctl_args *args, const char *id, struct strbuf *ret_state)
{
	struct strbuf target = STRBUF_INIT;
	struct err err = ERR_INIT;
	strbuf_puts(&target, "/show/lead?id=");
	ctl_put_query(&target, id);
	int status = ctl_ask(args, false, strbuf_text(&target), ret_state, &err);
	strbuf_done(&target);
	if (status < 0)
		ctl_fail(CTL_UNAVAILABLE, &err);
	else if (status != 200)
		fprintf(stderr, "leadctl: no instance asked has lead %s now\n", id);
	if (status != 200)
		strbuf_clear(ret_state);
}

int ctl_explain_lead(const struct ctl_args *args, const char *id, bool is_history)
{
	struct generation *generation = ctl_load(args);
	struct telling telling = {.args = args, .lead_id = slice_of(id), .state = STRBUF_INIT};
	struct arena arena = ARENA_INIT;
	struct err err = ERR_INIT;
	int code = CTL_OK;
	if (generation == NULL)
		return CTL_CONFIG;
	telling.model = generation_model(generation);
	telling.options = settings_kafka(generation_config(generation), &arena);
	ask_state(args, id, &telling.state);
	if (history_read(&telling.history, &telling.options, telling.lead_id, args->idle_ms, &err) != 0)
		code = ctl_fail(CTL_UNAVAILABLE, &err);
	else if (telling.history.count == 0 && telling.state.len == 0)
		code = ctl_usage("nothing is known of a lead `%s`; a file of leads is named by its path", id) ? CTL_FAILED : CTL_OK;
	else
		code = show(&telling, is_history);
	strbuf_done(&telling.state);
	history_done(&telling.history);
	arena_done(&arena);
	generation_unref(generation);
	return code;
}
