/* SPDX-License-Identifier: Apache-2.0
 *
 * The core over a configuration that is written in the test, compiled by the code that compiles everybody's. Included as
 * source; each test file is an executable of its own.
 */
#ifndef LR_TESTS_CORE_RIG_H
#define LR_TESTS_CORE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/unit/model_fixture.c"

#include "daemon/yaml.h"
#include "rules/base/diag.h"
#include "rules/base/strbuf.h"
#include "rules/json/json.h"
#include "rules/state.h"

struct rig {
	struct arena arena; /* of the model and of all decisions, until the test ends */
	struct model *model;
	struct store store;
	int64_t offset;
	int64_t now_ms;
};

static int rig_read_file(void *ctx, struct slice path, bool is_secret, struct arena *arena, struct slice *ret_bytes,
                         struct err *err)
{
	(void)ctx, (void)path, (void)is_secret, (void)arena, (void)err; /* the key is the only file */
	*ret_bytes = SLICE("0123456789abcdef0123456789abcdef");
	return 0;
}

static const char RIG_BASE[] = "dedup: {identity_key_file: identity.key, by: [email, phone]}\n";

/* NULL and the diagnostics on stderr when the text is wrong. */
static struct model *rig_model(struct arena *arena, const char *text)
{
	const struct model_files files = {.read = rig_read_file};
	struct diags *diags = diags_new();
	struct slice whole = slice_of(arena_printf(arena, "%s%s", RIG_BASE, text));
	const struct node *root = yaml_read(source_new(arena, "test.yaml", whole), arena, diags);
	struct model *model = root != NULL ? model_build(root, &files, arena, diags) : NULL;
	if (model == NULL) {
		struct strbuf shown = STRBUF_INIT;
		diags_render(diags, false, &shown);
		fputs(strbuf_text(&shown), stderr);
		strbuf_done(&shown);
	}
	diags_free(diags);
	return model;
}

/* Starts on Monday, 2026-11-23, 09:00 UTC. */
static void __attribute__((unused)) rig_open(struct rig *rig, const char *text)
{
	*rig = (struct rig){.now_ms = 1795424400000};
	rig->model = rig_model(&rig->arena, text);
	assert_non_null(rig->model);
}

/* The rules change, the state stays. */
static void __attribute__((unused)) rig_reload(struct rig *rig, const char *text)
{
	model_done(rig->model);
	rig->model = rig_model(&rig->arena, text);
	assert_non_null(rig->model);
}

static void __attribute__((unused)) rig_close(struct rig *rig)
{
	model_done(rig->model);
	store_done(&rig->store);
	arena_done(&rig->arena);
}

static struct decision rig_finish(struct rig *rig, struct decider *decider, const struct decision *decision)
{
	const struct write *writes;
	size_t count;
	decider_finish(decider, &writes, &count);
	store_apply(&rig->store, writes, count);
	return *decision;
}

static struct decision rig_feed_record(struct rig *rig, const struct record *record)
{
	struct record *kept = arena_alloc(&rig->arena, sizeof *kept);
	*kept = *record;
	struct prepared *prepared = rules_prepare(rig->model, kept, rig->now_ms, &rig->arena);
	struct decider *decider = decider_new(rig->model, store_view(&rig->store), &rig->arena);
	struct decision decision;
	decider_decide(decider, prepared, rig->now_ms, &decision);
	return rig_finish(rig, decider, &decision);
}

/* A captured lead, an activity: bare JSON in a batch of its own. */
static struct decision __attribute__((unused)) rig_lead(struct rig *rig, const char *json)
{
	struct record record = fixture_record(RECORD_CAPTURED, rig->offset++, json);
	return rig_feed_record(rig, &record);
}

static struct decision __attribute__((unused)) rig_act(struct rig *rig, const char *json)
{
	struct record record = fixture_record(RECORD_ACTIVITY, rig->offset++, json);
	return rig_feed_record(rig, &record);
}

/* An activity with an event id, so that a repeat of it is known. */
static struct decision __attribute__((unused)) rig_act_as(struct rig *rig, const char *id, const char *type, const char *json)
{
	struct header *headers = arena_array(&rig->arena, 4, sizeof *headers);
	headers[0] = (struct header){SLICE("ce_specversion"), SLICE("1.0")};
	headers[1] = (struct header){SLICE("ce_id"), slice_of(id)};
	headers[2] = (struct header){SLICE("ce_source"), SLICE("app")};
	headers[3] = (struct header){SLICE("ce_type"), slice_of(type)};
	struct record record = fixture_record(RECORD_ACTIVITY, rig->offset++, json);
	record.headers = headers;
	record.header_count = 4;
	return rig_feed_record(rig, &record);
}

static struct decision __attribute__((unused)) rig_fire(struct rig *rig, const char *name)
{
	struct decider *decider = decider_new(rig->model, store_view(&rig->store), &rig->arena);
	struct decision decision;
	decider_fire(decider, slice_of(name), rig->now_ms, &decision);
	return rig_finish(rig, decider, &decision);
}

static const struct json *rig_value(struct rig *rig, const struct event *event)
{
	struct err err = ERR_INIT;
	const struct json *json = json_read(event->value, (struct json_limits){1 << 20, 20, 5000}, &rig->arena, &err);
	assert_string_equal(err.text, "");
	return json;
}

/* The first event of a type, or the test fails. */
static __attribute__((unused)) const struct json *rig_event(struct rig *rig, const struct decision *decision, const char *type)
{
	for (size_t i = 0; i < decision->event_count; i++)
		if (strcmp(decision->events[i].type, type) == 0)
			return rig_value(rig, &decision->events[i]);
	fail_msg("no %s but %s (%s)", type, decision->event_count ? decision->events[0].type : "nothing", err_word(decision->code));
	return NULL;
}

static void __attribute__((unused)) rig_expect(const struct json *json, const char *name, const char *wanted)
{
	struct slice text = json_get_text(json, name);
	if (!slice_is(text, wanted))
		fail_msg("%s is \"%.*s\", not \"%s\"", name, SLICE_ARG(text), wanted);
}

static void __attribute__((unused)) rig_expect_int(const struct json *json, const char *name, int64_t wanted)
{
	const struct json *value = json_get(json, name);
	if (value == NULL || value->type != JSON_IS_INT || value->integer != wanted)
		fail_msg("%s is %lld, not %lld", name, value ? (long long)value->integer : -1, (long long)wanted);
}

static void __attribute__((unused)) rig_expect_reject(const struct decision *decision, enum err_code code)
{
	if (decision->outcome != OUTCOME_REJECTED || decision->code != code)
		fail_msg("%s (%s), not rejected (%s)", outcome_name(decision->outcome), err_word(decision->code), err_word(code));
	assert_int_equal(decision->event_count, 1);
	assert_int_equal(decision->events[0].topic, OUT_REJECTED);
}

static struct lead_state __attribute__((unused)) rig_state(struct rig *rig, const char *lead_id)
{
	struct lead_state state;
	const char *value = store_text(&rig->store, arena_printf(&rig->arena, "lead/%s", lead_id));
	if (state_get_lead(slice_of(arena_strdup(&rig->arena, value)), &rig->arena, &state, NULL) != 0)
		fail_msg("lead %s has the value %s", lead_id, value);
	return state;
}

#endif
