/* SPDX-License-Identifier: Apache-2.0
 *
 * One test: a world of its own, the steps in order, until one does not turn out as expected. What follows a failed step
 * is not looked at: it would mostly repeat the failure.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/ctl/test.h"
#include "rules/base/diag.h"
#include "rules/calendar/calendar.h"
#include "rules/facts.h"
#include "rules/json/json.h"
#include "rules/json/tree.h"
#include "rules/model.h"
#include "rules/state.h"
#include "rules/world.h"

struct run {
	const struct test_file *file;
	const struct test_case *test;
	const struct test_setting *setting;
	const struct test_rules *rules; /* in force */
	struct test_rules *made;        /* those that this test made, newest first */
	struct test_result *ret;
	struct diags *diags;
	struct world *world;
	struct test_dump *dump; /* NULL: not asked for */
	size_t covered; /* decisions that coverage has seen */
};

/* ---- what is there before the first step */

static void put_default(struct json_writer *writer, const struct node *lead, const char *name, const char *json)
{
	if (node_get(lead, name) == NULL)
		json_put_raw(writer, name, slice_of(json));
}

/* Members as in the state; what every value must have is filled in. */
static void put_given_lead(struct run *run, const struct node *lead, struct strbuf *out)
{
	bool is_owned = node_get(lead, "owner") != NULL;
	struct json_writer writer = JSON_WRITER(out);
	json_open_object(&writer, NULL);
	put_default(&writer, lead, "ver", is_owned ? "1" : "0");
	put_default(&writer, lead, "state", is_owned ? "\"assigned\"" : "\"unassigned\"");
	put_default(&writer, lead, "score", "0");
	if (node_get(lead, "at") == NULL)
		json_put_int(&writer, "at", world_now_ms(run->world));
	for (size_t i = 0; i < lead->count; i++) {
		struct strbuf value = STRBUF_INIT;
		const struct node *node = lead->members[i].value;
		int64_t ms = node->kind == NODE_SCALAR ? test_time_parse(node->text, run->file->zone) : -1;
		if (ms >= 0)
			strbuf_put_int(&value, ms);
		else
			test_put_value(&value, node, run->file, 0);
		json_put_raw_as(&writer, lead->members[i].key->text, (struct slice){value.bytes, value.len});
		strbuf_done(&value);
	}
	json_close_object(&writer);
}

/* The core would reject it later, or drop its timer without a word. */
static bool is_lead_value(struct run *run, const struct node *node, struct slice value)
{
	struct arena arena = ARENA_INIT;
	struct lead_state state;
	struct err err = ERR_INIT;
	bool is_good = state_get_lead(value, &arena, &state, &err) == 0;
	arena_done(&arena);
	if (!is_good)
		diags_add(run->diags, ERR_TEST_VALUE, node->span, "a lead is not stored like this: %.*s", SLICE_ARG(value));
	return is_good;
}

static void give_leads(struct run *run, const struct node *leads)
{
	for (size_t i = 0; leads != NULL && i < leads->count; i++) {
		struct strbuf text = STRBUF_INIT;
		put_given_lead(run, leads->members[i].value, &text);
		struct slice value = {text.bytes, text.len};
		if (is_lead_value(run, leads->members[i].key, value))
			world_put(run->world, ARENA_JOIN(&run->ret->arena, SLICE("lead/"), leads->members[i].key->text), value);
		strbuf_done(&text);
	}
}

static void give(struct run *run)
{
	const struct node *state = run->test->state;
	give_leads(run, run->test->leads);
	for (size_t i = 0; state != NULL && i < state->count; i++) {
		struct strbuf value = STRBUF_INIT;
		const struct node *node = state->members[i].value;
		if (node->kind == NODE_SCALAR)
			strbuf_append(&value, node->text.p, node->text.len);
		else
			test_put_value(&value, node, run->file, 0);
		world_put(run->world, state->members[i].key->text, (struct slice){value.bytes, value.len});
		strbuf_done(&value);
	}
}

/* ---- time */

static bool cannot_go_back(struct run *run, const struct test_step *step)
{
	struct test_differences *differences = &run->ret->differences;
	struct strbuf now = STRBUF_INIT;
	test_time_put(&now, world_now_ms(run->world), run->file->zone);
	test_differ(differences, "at", node_get(step->node, "at"),
	            arena_printf(&run->ret->arena, "it is %s already: the clock never goes back", strbuf_text(&now)));
	strbuf_done(&now);
	return false;
}

/* Spans count open time of the calendar in force, and days in its zone. */
static bool pass_time(struct run *run, const struct test_step *step)
{
	int64_t now_ms = world_now_ms(run->world), to_ms = now_ms;
	if (step->time == TIME_AT)
		to_ms = step->at_ms;
	else if (step->time != TIME_STAYS)
		to_ms = calendar_add_span(run->rules->model->calendar, now_ms, &step->span);
	if (to_ms < now_ms || to_ms == CALENDAR_NEVER)
		return cannot_go_back(run, step);
	test_dump_time(run->dump, step->time == TIME_DOWN ? "sleep" : "advance", to_ms);
	if (step->time == TIME_DOWN)
		world_sleep(run->world, to_ms);
	else
		world_advance(run->world, to_ms);
	return true;
}

/* ---- records */

static bool read_number(struct slice text, int64_t *ret)
{
	char copy[24];
	char *end;
	if (text.len == 0 || text.len >= sizeof copy)
		return false;
	memcpy(copy, text.p, text.len);
	copy[text.len] = '\0';
	*ret = strtoll(copy, &end, 10);
	return *end == '\0';
}

static size_t read_facts(struct run *run, const struct node *facts, struct world_fact *ret)
{
	size_t count = facts != NULL ? facts->count : 0;
	for (size_t i = 0; i < count; i++) {
		struct slice name = facts->members[i].key->text;
		const struct node *value = facts->members[i].value;
		bool is_plain = value->style == NODE_PLAIN;
		ret[i] = (struct world_fact){.name = arena_memdupz(&run->ret->arena, name.p, name.len), .text = value->text};
		ret[i].kind = WORLD_FACT_TEXT;
		ret[i].boolean = slice_is(value->text, "true");
		if (is_plain && (ret[i].boolean || slice_is(value->text, "false")))
			ret[i].kind = WORLD_FACT_BOOL;
		else if (is_plain && read_number(value->text, &ret[i].integer))
			ret[i].kind = WORLD_FACT_INT;
	}
	return count;
}

static struct slice text_or(const struct node *mapping, const char *name, struct slice otherwise)
{
	const struct node *node = node_get(mapping, name);
	return node != NULL && node->kind == NODE_SCALAR ? node->text : otherwise;
}

enum { EVENT_HEADERS = 5 };

/* A CloudEvent in binary mode, when the step names its event. */
static size_t event_headers(const struct test_step *step, struct header *headers)
{
	if (step->event == NULL)
		return 0;
	bool is_lead = step->kind == RECORD_LEAD;
	headers[0] = (struct header){SLICE("ce_specversion"), SLICE("1.0")};
	headers[1] = (struct header){SLICE("ce_id"), text_or(step->event, "id", SLICE("1"))};
	headers[2] = (struct header){SLICE("ce_source"), text_or(step->event, "source", SLICE("/test"))};
	headers[3] = (struct header){SLICE("ce_type"), text_or(step->event, "type",
	                                                       is_lead ? SLICE("lead.captured")
	                                                               : text_or(step->record, "type", SLICE("activity.touch")))};
	headers[4] = (struct header){SLICE("content-type"), SLICE("application/json")};
	return EVENT_HEADERS;
}

static void feed_world(struct run *run, const struct world_record *record)
{
	test_dump_record(run->dump, record);
	world_feed(run->world, record);
}

static void settle(struct run *run)
{
	test_dump_time(run->dump, "settle", world_now_ms(run->world));
	world_settle(run->world);
}

static void feed_one(struct run *run, const struct test_step *step, const struct node *node, int64_t number)
{
	struct strbuf value = STRBUF_INIT;
	struct header headers[EVENT_HEADERS];
	struct world_fact facts[FACTS_MAX];
	bool is_lead = step->kind == RECORD_LEAD;
	if (is_lead)
		test_put_lead(&value, node, run->file, number);
	else
		test_put_value(&value, node, run->file, number);
	struct world_record record = {
		.kind = is_lead ? RECORD_CAPTURED : RECORD_ACTIVITY,
		.value = {value.bytes, value.len},
		.late_ms = step->late_ms,
		.headers = headers,
		.header_count = event_headers(step, headers),
		.facts = facts,
		.fact_count = read_facts(run, step->facts, facts),
	};
	feed_world(run, &record);
	strbuf_done(&value);
}

/* As it is, well-formed or not. */
static void feed_raw(struct run *run, const struct test_step *step)
{
	const struct node *value = node_get(step->record, "value"), *headers = node_get(step->record, "headers");
	size_t header_count = headers != NULL ? headers->count : 0;
	struct header *list = arena_array(&run->ret->arena, header_count, sizeof *list);
	for (size_t i = 0; i < header_count; i++) {
		const struct node *text = headers->members[i].value;
		list[i] = (struct header){headers->members[i].key->text, node_is_empty(text) ? SLICE_NONE : text->text};
	}
	struct strbuf bytes = STRBUF_INIT;
	if (value != NULL && value->kind == NODE_SCALAR)
		strbuf_append(&bytes, value->text.p, value->text.len);
	else if (value != NULL)
		test_put_value(&bytes, value, run->file, 0);
	bool is_activity = slice_is(text_or(step->record, "topic", SLICE("captured")), "activity");
	struct world_record record = {
		.kind = is_activity ? RECORD_ACTIVITY : RECORD_CAPTURED,
		.value = {strbuf_text(&bytes), bytes.len},
		.has_no_value = value == NULL || node_is_empty(value),
		.late_ms = step->late_ms,
		.key = text_or(step->record, "key", SLICE_NONE),
		.headers = list,
		.header_count = header_count,
	};
	feed_world(run, &record);
	strbuf_done(&bytes);
}

static void feed(struct run *run, const struct test_step *step)
{
	if (step->kind == RECORD_NONE)
		return;
	if (step->kind == RECORD_RAW) {
		feed_raw(run, step);
		return;
	}
	const struct node *base = step->kind == RECORD_LEAD ? run->file->default_lead : run->file->default_activity;
	const struct node *node = test_patch(base, step->record, &run->ret->arena);
	for (int64_t i = 1; i <= step->repeat; i++)
		feed_one(run, step, node, i);
}

/* ---- rules */

static bool use_patch(struct run *run, const struct node *patch)
{
	struct test_rules *rules = test_rules_patched(run->file, run->setting->site, run->rules->root, patch, run->diags);
	if (rules == NULL)
		return false;
	rules->next = run->made;
	run->made = rules;
	run->rules = rules;
	if (run->setting->coverage != NULL)
		test_coverage_add(run->setting->coverage, rules->model);
	return true;
}

/* ---- steps */

static void cover(struct run *run)
{
	size_t count = world_decision_count(run->world);
	for (; run->setting->coverage != NULL && run->covered < count; run->covered++) {
		const struct decision *decision = &world_decision(run->world, run->covered)->decision;
		for (size_t i = 0; i < decision->event_count; i++) {
			struct arena arena = ARENA_INIT;
			if (decision->events[i].topic != OUT_REJECTED)
				test_coverage_hit(run->setting->coverage,
				                  json_read(decision->events[i].value, (struct json_limits){4 << 20, 64, 100000}, &arena, NULL));
			arena_done(&arena);
		}
	}
}

static void note_failure(struct run *run, const struct test_step *step, size_t number, const struct test_scene *scene)
{
	struct test_result *ret = run->ret;
	ret->has_failed = true;
	ret->step = step;
	ret->step_number = number;
	ret->at_ms = world_now_ms(run->world);
	test_tell(scene, &ret->trace);
}

/* false: stop here. */
static bool take_step(struct run *run, const struct test_step *step, size_t number, struct test_scene *scene)
{
	bool acts = step->record != NULL || step->reload != NULL || step->is_restored;
	if (step->time != TIME_STAYS || step->reload != NULL)
		settle(run); /* what is due at the old instant belongs to the step before */
	if (acts || step->time != TIME_STAYS)
		scene->from = world_decision_count(run->world);
	if (step->time != TIME_STAYS && !pass_time(run, step)) {
		note_failure(run, step, number, scene);
		return false;
	}
	if (acts)
		scene->from = world_decision_count(run->world); /* what fired on the way is not what the record led to */
	if (step->is_restored) {
		settle(run);
		world_restore(run->world);
	}
	if (step->reload != NULL) {
		if (!use_patch(run, step->reload))
			return false;
		settle(run);
		world_set_model(run->world, run->rules->model);
		test_dump_config(run->dump, run->rules->root);
	}
	feed(run, step);
	if (step->expect == NULL)
		return true;
	settle(run);
	test_expect(scene, step->expect, &run->ret->differences);
	if (run->ret->differences.count == 0)
		return true;
	note_failure(run, step, number, scene);
	return false;
}

static void take_steps(struct run *run)
{
	struct test_scene scene = {run->file, run->world, 0, &run->ret->arena};
	size_t errors = diags_error_count(run->diags);
	give(run);
	test_dump_state(run->dump, "given", run->world);
	for (size_t i = 0; i < run->test->step_count && diags_error_count(run->diags) == errors; i++)
		if (!take_step(run, &run->test->steps[i], i + 1, &scene))
			break;
	settle(run);
	cover(run);
	if (run->setting->trace && !run->ret->has_failed)
		test_tell_all(&scene, &run->ret->trace);
}

/* Any state can be rebuilt from its log, byte for byte and timer for timer: no test says so, each one shows it. */
static void check_log(struct run *run)
{
	static const struct node wish = {.kind = NODE_SCALAR, .text = {"the same state, rebuilt from its log", 36}};
	struct world *rebuilt = world_new(run->rules->model, &(struct world_settings){.now_ms = run->test->now_ms});
	struct strbuf state = STRBUF_INIT, again = STRBUF_INIT;
	world_dump(run->world, &state);
	if (world_replay(rebuilt, world_log(run->world)) == 0)
		world_dump(rebuilt, &again);
	if (strcmp(strbuf_text(&state), strbuf_text(&again)) != 0) {
		struct node expected = wish;
		expected.span = run->test->node->span;
		test_differ(&run->ret->differences, "state", &expected,
		            arena_printf(&run->ret->arena, "%s\ninstead of\n%s", strbuf_text(&again), strbuf_text(&state)));
		run->ret->has_failed = true;
		run->ret->step = &run->test->steps[run->test->step_count - 1];
		run->ret->step_number = run->test->step_count;
		run->ret->at_ms = world_now_ms(run->world);
	}
	strbuf_done(&state);
	strbuf_done(&again);
	world_free(rebuilt);
}

static void run_in_world(struct run *run)
{
	const struct world_settings settings = {.batch = run->setting->batch,
	                                        .now_ms = run->test->now_ms,
	                                        .topic_prefix = test_dump_prefix(run->dump),
	                                        .observer = test_coverage_observer(run->setting->coverage)};
	run->world = world_new(run->rules->model, &settings);
	test_dump_config(run->dump, run->rules->root);
	take_steps(run);
	test_dump_state(run->dump, "state", run->world);
	test_dump_close(run->dump, run->world);
	if (!run->ret->has_failed)
		check_log(run);
	world_free(run->world);
}

bool test_run(const struct test_setting *setting, const struct test_file *file, const struct test_case *test,
              const struct test_rules *rules, struct test_result *ret, struct diags *diags)
{
	size_t errors = diags_error_count(diags);
	struct run run = {.file = file, .test = test, .setting = setting, .rules = rules, .ret = ret, .diags = diags};
	*ret = (struct test_result){.file = file, .test = test};
	ret->differences = (struct test_differences){.arena = &ret->arena, .zone = file->zone};
	if (setting->coverage != NULL)
		test_coverage_add(setting->coverage, rules->model);
	if (setting->dump != NULL)
		run.dump = test_dump_open(setting->dump, ++*setting->dumped, file, test, diags);
	if ((setting->dump == NULL || run.dump != NULL) && (test->override == NULL || use_patch(&run, test->override)) &&
	    test_check_refs(test, run.rules, diags))
		run_in_world(&run);
	while (run.made != NULL) {
		struct test_rules *next = run.made->next;
		test_rules_free(run.made);
		run.made = next;
	}
	return diags_error_count(diags) == errors;
}

void test_result_done(struct test_result *result)
{
	free(result->differences.items);
	strbuf_done(&result->trace);
	arena_done(&result->arena);
}
