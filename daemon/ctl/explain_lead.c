/* SPDX-License-Identifier: Apache-2.0
 *
 * leadctl explain LEAD-ID: what a running instance knows of the lead now, and what the output topics tell of it. The decision
 * is not made again: the events say why (law 7), in the words of the configuration that was in force.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/ctl/ctl.h"
#include "daemon/generation.h"
#include "daemon/kafka_tool.h"
#include "daemon/settings.h"
#include "rules/base/arena.h"
#include "rules/detail.h"
#include "rules/event_shown.h"
#include "rules/json.h"
#include "rules/explain.h"
#include "rules/instant.h"
#include "rules/model.h"
#include "rules/story.h"

enum {
	LOOK_MS = 200,
	IDLE_MS = 2000,       /* nothing came for so long: that was all; --idle-ms says otherwise */
	SEARCH_MS_MAX = 60000,
	EVENTS_MAX = 500,     /* of one lead; the latest are kept */
	EVENT_BYTES_MAX = 4 << 20,
};

static const struct json_limits LIMITS = {64 << 20, 64, 10000000};

struct found {
	int64_t timestamp_ms;
	size_t order;
	struct slice topic, type, id, value;
};

struct search {
	const struct ctl_args *args;
	const char *lead_id;
	struct arena arena;
	struct found *events; /* ring of the latest */
	size_t count;         /* ever found */
	bool is_cut;          /* time was over before the topics were */
};

/* ---- events */

static int64_t monotonic_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct slice keep(struct arena *arena, struct slice text)
{
	return (struct slice){arena_memdupz(arena, text.p, text.len), text.len};
}

static void take(struct search *search, const struct kafka_follower *follower, const struct kafka_seen *seen)
{
	struct slice type = kafka_follower_header(follower, "ce_type");
	if (!slice_is(seen->key, search->lead_id) || type.len == 0 || slice_is(type, "lead.rejected"))
		return;
	search->events[search->count % EVENTS_MAX] = (struct found){
		.timestamp_ms = seen->timestamp_ms,
		.order = search->count,
		.topic = keep(&search->arena, slice_of(seen->topic)),
		.type = keep(&search->arena, type),
		.id = keep(&search->arena, kafka_follower_header(follower, "ce_id")),
		.value = keep(&search->arena, seen->value),
	};
	search->count++;
}

static int read_topics(struct search *search, struct kafka_follower *follower, struct err *err)
{
	int64_t begun_ms = monotonic_ms(), last_ms = begun_ms;
	int64_t idle_ms = search->args->idle_ms > 0 ? search->args->idle_ms : IDLE_MS;
	while (monotonic_ms() - last_ms < idle_ms) {
		struct kafka_seen seen;
		int found = kafka_follower_next(follower, LOOK_MS, &seen, err);
		if (found < 0)
			return -1;
		if (found > 0) {
			take(search, follower, &seen);
			last_ms = monotonic_ms();
		}
		search->is_cut = last_ms - begun_ms > SEARCH_MS_MAX;
		if (search->is_cut)
			break;
	}
	return 0;
}

static int compare_found(const void *a, const void *b)
{
	const struct found *x = a, *y = b;
	if (x->timestamp_ms != y->timestamp_ms)
		return x->timestamp_ms < y->timestamp_ms ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static int find_events(struct search *search, const struct generation *generation, struct err *err)
{
	const struct kafka_options options = settings_kafka(generation_config(generation), &search->arena);
	search->events = arena_array(&search->arena, EVENTS_MAX, sizeof *search->events);
	struct kafka_follower *follower = kafka_follower_new(&options, options.outputs, OUT_TOPICS, true, err);
	int result = follower != NULL ? read_topics(search, follower, err) : -1;
	kafka_follower_free(follower);
	qsort(search->events, search->count < EVENTS_MAX ? search->count : EVENTS_MAX, sizeof *search->events, compare_found);
	return result;
}

/* ---- the story */

static bool counts_all_time(const struct model *model, struct slice letter)
{
	for (size_t i = 0; i < model->grade_count; i++)
		if (slice_equal(model->grades[i].letter, letter))
			return model->grades[i].first_response.business_ms == 0 && model->grades[i].first_response.business_days == 0;
	return false;
}

/* The first response's clock, which an assignment started, by today's calendars. */
static void put_clock(struct json_writer *writer, const struct model *model, const struct json *data)
{
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
		.levels = {{SLICE("pre_breach"), remind_ms}},
	};
	if (timeline.start_ms < 0 || timeline.due_ms <= timeline.start_ms)
		return;
	json_open_array(writer, "clocks");
	detail_put_timeline(writer, &timeline);
	json_close_array(writer);
}

/* Routes behind the one that took the lead, all if none was tried: only while the configuration is the one that decided. */
static void put_routes_behind(struct json_writer *writer, const struct model *model, const struct json *data)
{
	struct slice taken = json_get_text(json_get(data, "rule"), "name");
	bool is_behind = taken.len == 0 && json_get(json_get(data, "trace"), "routes") == NULL;
	if (!slice_is(json_get_text(json_get(data, "trace"), "config"), model->config_hash))
		return;
	for (size_t i = 0; i < model->route_count; i++) {
		const struct route *route = &model->routes[i];
		if (is_behind) {
			json_open_object(writer, NULL);
			json_put_text(writer, "name", route->name);
			json_put_text(writer, "file", slice_of(route->place.file));
			json_put_int(writer, "line", route->place.line);
			json_put_text(writer, "result", SLICE("not_reached"));
			json_close_object(writer);
		}
		is_behind |= slice_equal(route->name, taken);
	}
}

/* Routes as the trace of the event has them. */
static void put_routes(struct json_writer *writer, const struct model *model, const struct json *data)
{
	const struct json *routes = json_get(json_get(data, "trace"), "routes");
	size_t count = routes != NULL && routes->type == JSON_IS_ARRAY ? routes->count : 0;
	json_open_array(writer, "routes");
	for (size_t i = 0; i < count; i++)
		json_put_value(writer, SLICE_NONE, &routes->items[i]);
	put_routes_behind(writer, model, data);
	json_close_array(writer);
	json_put_int(writer, "routes_tried", (int64_t)count);
	json_put_text(writer, "route_taken", json_get_text(json_get(data, "rule"), "name"));
}

static void put_event(struct json_writer *writer, const struct search *search, const struct found *event,
                      const struct json *data)
{
	json_open_object(writer, NULL);
	json_put_text(writer, "topic", event->topic);
	json_put_text(writer, "type", event->type);
	json_put_text(writer, "id", event->id);
	if (event->timestamp_ms >= 0)
		json_put_time(writer, "time", event->timestamp_ms);
	event_put_shown(writer, "data", data, ctl_option(search->args, "unmasked") != NULL);
	json_close_object(writer);
}

/* Events that end a decision about where the lead belongs. */
static bool is_decision(struct slice type)
{
	return slice_is(type, "lead.assigned") || slice_is(type, "lead.unassigned");
}

static const struct json *read_data(struct search *search, const struct found *event)
{
	const struct json_limits limits = {EVENT_BYTES_MAX, 64, 100000};
	return json_read(event->value, limits, &search->arena, NULL);
}

/* `only_decision`: nothing but the latest decision, which is what a sentence is about. */
static const struct json *tell(struct search *search, const struct model *model, struct slice state, bool only_decision)
{
	struct strbuf text = STRBUF_INIT;
	struct json_writer writer = JSON_WRITER(&text);
	size_t count = search->count < EVENTS_MAX ? search->count : EVENTS_MAX;
	const struct json *decision = NULL;
	const struct found *decided = NULL;
	json_open_object(&writer, NULL);
	json_put_text(&writer, "lead_id", slice_of(search->lead_id));
	if (state.len != 0)
		json_put_raw(&writer, "state", state);
	json_open_array(&writer, "events");
	for (size_t i = 0; i < count; i++) {
		const struct json *data = read_data(search, &search->events[i]);
		if (data != NULL && !only_decision)
			put_event(&writer, search, &search->events[i], data);
		if (data != NULL && is_decision(search->events[i].type)) {
			decision = data;
			decided = &search->events[i];
		}
	}
	if (only_decision && decision != NULL)
		put_event(&writer, search, decided, decision);
	json_close_array(&writer);
	if (decision != NULL) {
		put_routes(&writer, model, decision);
		put_clock(&writer, model, decision);
	}
	json_close_object(&writer);
	const struct json *story = json_read_wide((struct slice){text.bytes, text.len}, LIMITS, &search->arena, NULL);
	strbuf_done(&text);
	return story;
}

/* ---- showing */

static void print_state(struct strbuf *out, const struct json *state)
{
	const struct json *lead = state != NULL && state->count > 0 ? json_get(&state->items[0], "lead") : NULL;
	if (lead == NULL)
		return;
	strbuf_printf(out, "%-10s", "Now");
	for (size_t i = 0; i < lead->count; i++) {
		struct json_writer writer = JSON_WRITER(out);
		bool is_list = lead->items[i].type >= JSON_IS_ARRAY;
		if (is_list)
			continue; /* identity keys and marks say nothing to a person */
		strbuf_printf(out, "%s%.*s ", i ? ", " : "", SLICE_ARG(lead->names[i]));
		bool is_time = lead->items[i].type == JSON_IS_INT && lead->items[i].integer > 1000000000000;
		if (is_time)
			json_put_time(&writer, NULL, lead->items[i].integer);
		else
			json_put_value(&writer, SLICE_NONE, &lead->items[i]);
	}
	strbuf_puts(out, "\n");
}

static void print_events(const struct json *story)
{
	const struct json *events = json_get(story, "events");
	struct strbuf out = STRBUF_INIT;
	for (size_t i = 0; events != NULL && i < events->count; i++) {
		const struct json *event = &events->items[i];
		struct slice time = json_get_text(event, "time");
		strbuf_printf(&out, "%.*s  ", SLICE_ARG(time));
		explain_text(&out, json_get_text(event, "type"), json_get(event, "data"));
		strbuf_putc(&out, '\n');
	}
	print_state(&out, json_get(story, "state"));
	ctl_print_text(&out);
	strbuf_done(&out);
}

static int show(struct search *search, const struct model *model, struct slice state)
{
	const struct ctl_args *args = search->args;
	bool is_one = ctl_option(args, "short") != NULL || ctl_option(args, "why-not") != NULL;
	bool is_part = is_one || ctl_option(args, "timeline") != NULL;
	const struct json *story = tell(search, model, state, is_one);
	if (search->is_cut)
		fprintf(stderr, "leadctl: the topics are long; what came behind the first %d s of reading is missing\n",
		        SEARCH_MS_MAX / 1000);
	if (search->count > EVENTS_MAX)
		fprintf(stderr, "leadctl: %zu events; the latest %d are shown\n", search->count, EVENTS_MAX);
	if (is_part || args->json)
		return ctl_print_story(args, story, model);
	print_events(story);
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

int ctl_explain_lead(const struct ctl_args *args, const char *id)
{
	struct generation *generation = ctl_load(args);
	struct strbuf state = STRBUF_INIT;
	struct search search = {.args = args, .lead_id = id, .arena = ARENA_INIT};
	struct err err = ERR_INIT;
	if (generation == NULL)
		return CTL_CONFIG;
	ask_state(args, id, &state);
	int result = find_events(&search, generation, &err);
	int code = CTL_OK;
	if (result != 0)
		code = ctl_fail(CTL_UNAVAILABLE, &err);
	else if (search.count == 0 && state.len == 0)
		code = ctl_usage("nothing is known of a lead `%s`; a file of leads is named by its path", id) ? CTL_FAILED : CTL_OK;
	if (search.count > 0 || state.len > 0)
		code = show(&search, generation_model(generation), (struct slice){state.bytes, state.len});
	strbuf_done(&state);
	arena_done(&search.arena);
	generation_unref(generation);
	return code;
}
