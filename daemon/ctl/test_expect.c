/* SPDX-License-Identifier: Apache-2.0
 *
 * What an `expect` says about a step. Everything is looked up in JSON, in the events and in the stored values: a new event
 * or a new member of the state needs no line here. FIELDS holds the short names that people use for the most common ones.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/ctl/test.h"
#include "rules/base/diag.h"
#include "rules/json/json.h"
#include "rules/json/tree.h"
#include "rules/story/explain.h"
#include "rules/text/zone.h"
#include "rules/world.h"

enum {
	EVENT_BYTES_MAX = 4 << 20,
	TOLD_MAX = 40,         /* decisions in a trace: the latest */
	TOLD_IN_FULL_MAX = 5,  /* of these, told with their reasons */
};

enum origin { OF_DECISION, OF_EVENT, OF_STATE };

/* short name -> where it is found */
static const struct {
	const char *name, *member;
	enum origin origin;
	bool is_time; /* ms since 1970 in the state: shown as people write it */
} FIELDS[] = {
	{"outcome", "outcome", OF_DECISION, false}, {"code", "code", OF_DECISION, false},
	{"field", "field", OF_EVENT, false},        {"reason", "reason", OF_EVENT, false},
	{"why", "why", OF_EVENT, false},            {"owner", "owner", OF_STATE, false},
	{"team", "team", OF_STATE, false},          {"rule", "rule", OF_STATE, false},
	{"score", "score", OF_STATE, false},        {"grade", "grade", OF_STATE, false},
	{"status", "state", OF_STATE, false},       {"source", "source", OF_STATE, false},
	{"deadline", "deadline", OF_STATE, true},   {"remind", "remind", OF_STATE, true},
};

enum { FIELD_COUNT = sizeof FIELDS / sizeof *FIELDS };

static const char *const EXPECT_KEYS[] = {
	"lead",  "outcome", "code",   "field",    "reason", "why",    "owner",  "team",     "rule",      "score", "grade",
	"status", "deadline", "remind", "source", "owners", "events", "includes", "no_events", "state", "keys", "due", NULL};

/* ---- checking */

static bool check_event(const struct node *node, struct test_schemas *schemas, struct diags *diags)
{
	struct slice type;
	if (node->kind != NODE_SCALAR && !node_expect_mapping(node, "an event", diags))
		return false;
	const struct node *value = node->kind == NODE_SCALAR ? node : node_require(node, "type", "an event", diags);
	const struct node *topic = node->kind == NODE_SCALAR ? NULL : node_get(node, "topic");
	return value != NULL && node_read_text(value, "the type of an event", diags, &type) &&
	       test_check_event(node, schemas, diags) && (topic == NULL || test_check_topic(topic, diags));
}

static bool check_events(const struct node *list, const char *what, struct test_schemas *schemas, struct diags *diags)
{
	bool is_fine = node_expect_sequence(list, what, diags);
	for (size_t i = 0; list->kind == NODE_SEQUENCE && i < list->count; i++)
		is_fine &= check_event(list->items[i], schemas, diags);
	return is_fine;
}

static bool check_no_events(const struct node *node, struct test_schemas *schemas, struct diags *diags)
{
	bool is_none;
	if (node->kind == NODE_SEQUENCE)
		return check_events(node, "no_events", schemas, diags);
	if (!node_read_bool(node, "no_events", diags, &is_none))
		return false;
	if (!is_none)
		diags_add(diags, ERR_TEST_EMPTY, node->span, "`no_events: false` expects nothing");
	return is_none;
}

static bool check_owners(const struct node *node, struct diags *diags)
{
	if (node->kind == NODE_SCALAR)
		return node_expect_sequence(node, "owners", diags);
	return true;
}

bool test_expect_check(const struct node *expect, struct test_schemas *schemas, struct diags *diags)
{
	const struct node *node;
	struct slice lead_id;
	bool is_fine = node_check_keys(expect, EXPECT_KEYS, "`expect`", diags);
	if (expect->count == 0 || (expect->count == 1 && node_get(expect, "lead") != NULL)) {
		diags_add(diags, ERR_TEST_EMPTY, expect->span, "this `expect` expects nothing");
		return false;
	}
	if ((node = node_get(expect, "lead")) != NULL)
		is_fine &= node_read_text(node, "a lead's id", diags, &lead_id);
	if ((node = node_get(expect, "events")) != NULL)
		is_fine &= check_events(node, "events", schemas, diags);
	if ((node = node_get(expect, "includes")) != NULL)
		is_fine &= check_events(node, "includes", schemas, diags);
	if ((node = node_get(expect, "no_events")) != NULL)
		is_fine &= check_no_events(node, schemas, diags);
	if ((node = node_get(expect, "owners")) != NULL)
		is_fine &= check_owners(node, diags);
	if ((node = node_get(expect, "state")) != NULL && !node_is_empty(node))
		is_fine &= node_expect_mapping(node, "state", diags) && test_check_members(node, schemas, diags);
	if ((node = node_get(expect, "keys")) != NULL)
		is_fine &= node_expect_mapping(node, "keys", diags) && test_check_state_keys(node, diags);
	return is_fine;
}

/* ---- events */

struct seen {
	const struct event *event;
	const struct json *data; /* NULL: no JSON */
};

static struct slice header_of(const struct event *event, const char *name)
{
	for (size_t i = event->header_count; i-- > 0;) /* ours stand behind the record's own */
		if (slice_is(event->headers[i].name, name))
			return event->headers[i].value;
	return SLICE_NONE;
}

/* A rejected record is told by its headers, never by its bytes. */
static const struct json *rejection(const struct event *event, struct arena *arena)
{
	struct strbuf text = STRBUF_INIT;
	struct json_writer writer = JSON_WRITER(&text);
	json_open_object(&writer, NULL);
	json_put_text(&writer, "code", header_of(event, "leadrouter.error.code"));
	json_put_text(&writer, "number", header_of(event, "leadrouter.error.number"));
	json_put_text(&writer, "field", header_of(event, "leadrouter.error.field"));
	json_put_text(&writer, "text", header_of(event, "__dlq.errors.message"));
	json_close_object(&writer);
	struct slice copy = {arena_memdupz(arena, text.bytes, text.len), text.len};
	strbuf_done(&text);
	return json_read(copy, (struct json_limits){EVENT_BYTES_MAX, 8, 100}, arena, NULL);
}

static const struct json *data_of(const struct event *event, struct arena *arena)
{
	if (event->topic == OUT_REJECTED)
		return rejection(event, arena);
	return json_read(event->value, (struct json_limits){EVENT_BYTES_MAX, 64, 100000}, arena, NULL);
}

/* All events of this step, in order. */
static struct seen *see_events(const struct test_scene *scene, size_t *ret_count)
{
	size_t total = 0, at = 0, decisions = world_decision_count(scene->world);
	for (size_t i = scene->from; i < decisions; i++)
		total += world_decision(scene->world, i)->decision.event_count;
	struct seen *seen = arena_array(scene->arena, total, sizeof *seen);
	for (size_t i = scene->from; i < decisions; i++) {
		const struct decision *decision = &world_decision(scene->world, i)->decision;
		for (size_t e = 0; e < decision->event_count; e++, at++)
			seen[at] = (struct seen){&decision->events[e], data_of(&decision->events[e], scene->arena)};
	}
	*ret_count = total;
	return seen;
}

static struct slice type_of(const struct node *expected)
{
	return expected->kind == NODE_MAPPING ? node_get(expected, "type")->text : expected->text;
}

/* The members besides those that name the event. */
static const struct node *without_names(const struct node *expected, struct arena *arena)
{
	struct node *rest = arena_alloc(arena, sizeof *rest);
	struct node_member *members = arena_array(arena, expected->count, sizeof *members);
	*rest = *expected;
	rest->count = 0;
	for (size_t i = 0; i < expected->count; i++)
		if (!slice_is(expected->members[i].key->text, "type") && !slice_is(expected->members[i].key->text, "topic"))
			members[rest->count++] = expected->members[i];
	rest->members = members;
	return rest;
}

static bool match_topic(struct test_differences *differences, const char *field, const struct node *topic,
                        const struct seen *seen)
{
	if (topic == NULL || slice_is(topic->text, out_topic_name(seen->event->topic)))
		return true;
	test_differ(differences, arena_printf(differences->arena, "%s.topic", field), topic, out_topic_name(seen->event->topic));
	return false;
}

static bool match_event(struct test_differences *differences, const char *field, const struct node *expected,
                        const struct seen *seen)
{
	if (!slice_is(type_of(expected), seen->event->type)) {
		test_differ(differences, field, expected, seen->event->type);
		return false;
	}
	if (expected->kind == NODE_SCALAR)
		return true;
	bool is_match = match_topic(differences, field, node_get(expected, "topic"), seen);
	return test_match(differences, field, without_names(expected, differences->arena), seen->data) && is_match;
}

static void note_extra(struct test_differences *differences, size_t index, const struct node *list, const struct seen *seen)
{
	struct node nothing = {.kind = NODE_SCALAR, .span = list->span, .text = SLICE("no further event")};
	const char *actual = arena_printf(differences->arena, "%s about %.*s", seen->event->type, SLICE_ARG(seen->event->subject));
	test_differ(differences, arena_printf(differences->arena, "events[%zu]", index), &nothing, actual);
}

/* Exactly these, in this order. Where types part, the next one of the expected type is looked for, so that one event too
 * many does not make all that follow wrong. */
static void expect_events(const struct node *list, const struct seen *seen, size_t count, struct test_differences *differences)
{
	size_t at = 0;
	for (size_t i = 0; i < list->count; i++) {
		const char *field = arena_printf(differences->arena, "events[%zu]", i);
		size_t next = at;
		while (next < count && !slice_is(type_of(list->items[i]), seen[next].event->type))
			next++;
		if (next == count) {
			test_differ(differences, field, list->items[i], "no such event");
			continue;
		}
		for (; at < next; at++)
			note_extra(differences, at, list, &seen[at]);
		match_event(differences, field, list->items[i], &seen[at++]);
	}
	for (; at < count; at++)
		note_extra(differences, at, list, &seen[at]);
}

/* These, in this order, whatever is in between. */
static void expect_includes(const struct node *list, const struct seen *seen, size_t count,
                            struct test_differences *differences)
{
	struct test_differences silent = {.arena = differences->arena, .zone = differences->zone, .is_silent = true};
	size_t at = 0;
	for (size_t i = 0; i < list->count; i++) {
		const char *field = arena_printf(differences->arena, "includes[%zu]", i);
		size_t next = at, near = count;
		while (next < count && !match_event(&silent, field, list->items[i], &seen[next])) {
			if (near == count && slice_is(type_of(list->items[i]), seen[next].event->type))
				near = next;
			next++;
		}
		if (next < count)
			at = next + 1;
		else if (near < count)
			match_event(differences, field, list->items[i], &seen[near]);
		else
			test_differ(differences, field, list->items[i], "no such event");
	}
}

static void expect_no_events(const struct node *node, const struct seen *seen, size_t count,
                             struct test_differences *differences)
{
	struct test_differences silent = {.arena = differences->arena, .zone = differences->zone, .is_silent = true};
	if (node->kind != NODE_SEQUENCE) {
		if (count != 0)
			test_differ(differences, "no_events", node, seen[0].event->type);
		return;
	}
	for (size_t i = 0; i < node->count; i++)
		for (size_t s = 0; s < count; s++)
			if (match_event(&silent, "no_events", node->items[i], &seen[s]))
				test_differ(differences, arena_printf(differences->arena, "no_events[%zu]", i), node->items[i],
				            "there is one");
}

/* ---- fields */

/* The decision that fields speak of: the last one about the lead that is named; else the last one of this step that a
 * record led to; else the last one of all. */
static const struct decision *find_subject(const struct test_scene *scene, const struct node *lead)
{
	const struct decision *last = NULL;
	for (size_t i = world_decision_count(scene->world); i-- > 0;) {
		const struct world_decision *found = world_decision(scene->world, i);
		if (found->decision.outcome == OUTCOME_NOTHING)
			continue;
		if (lead != NULL && slice_equal(found->decision.lead_id, lead->text))
			return &found->decision;
		if (lead == NULL && i >= scene->from && found->record != SIZE_MAX)
			return &found->decision;
		if (lead == NULL && last == NULL)
			last = &found->decision;
	}
	return last;
}

static const struct json *value_of(const struct test_scene *scene, struct slice key)
{
	struct slice value;
	if (world_get(scene->world, key, &value) != VIEW_FOUND)
		return NULL;
	const struct json *json = json_read(value, (struct json_limits){EVENT_BYTES_MAX, 64, 100000}, scene->arena, NULL);
	if (json != NULL)
		return json;
	struct json *text = arena_alloc(scene->arena, sizeof *text); /* as it is: "1795424400000 L-1" */
	*text = (struct json){.type = JSON_IS_STRING, .text = value};
	return text;
}

static const struct json *event_member(const struct test_scene *scene, const struct decision *decision, const char *name)
{
	for (size_t i = decision != NULL ? decision->event_count : 0; i-- > 0;) {
		const struct json *value = json_get(data_of(&decision->events[i], scene->arena), name);
		if (value != NULL)
			return value;
	}
	return NULL;
}

/* The key of the lead that a decision is about: of a duplicate, the first one. */
static struct slice lead_key(const struct test_scene *scene, const struct decision *decision, const struct node *lead)
{
	struct slice id = lead != NULL ? lead->text : decision != NULL ? decision->lead_id : SLICE_NONE;
	const struct json *first = lead == NULL ? event_member(scene, decision, "first_lead_id") : NULL;
	if (first != NULL && first->type == JSON_IS_STRING)
		id = first->text;
	return ARENA_JOIN(scene->arena, SLICE("lead/"), id);
}

static const struct json *text_json(struct arena *arena, const char *text)
{
	struct json *json = arena_alloc(arena, sizeof *json);
	*json = (struct json){.type = JSON_IS_STRING, .text = slice_of(text)};
	return json;
}

/* A code may be written as its word or its number. */
static const struct json *code_of(const struct test_scene *scene, const struct decision *decision,
                                  const struct node *expected)
{
	if (decision == NULL || decision->outcome != OUTCOME_REJECTED)
		return NULL;
	bool is_number = expected->kind == NODE_SCALAR && slice_is(expected->text, err_number(decision->code));
	return text_json(scene->arena, is_number ? err_number(decision->code) : err_word(decision->code));
}

static const struct json *decision_field(const struct test_scene *scene, const struct decision *decision,
                                         const char *member, const struct node *expected)
{
	if (strcmp(member, "code") == 0)
		return code_of(scene, decision, expected);
	return decision != NULL ? text_json(scene->arena, outcome_name(decision->outcome)) : NULL;
}

static const struct json *time_json(const struct test_scene *scene, int64_t ms)
{
	struct strbuf text = STRBUF_INIT;
	test_time_put(&text, ms, scene->file->zone);
	const struct json *json = text_json(scene->arena, arena_strdup(scene->arena, strbuf_text(&text)));
	strbuf_done(&text);
	return json;
}

static const struct json *as_shown(const struct test_scene *scene, const struct json *value, bool is_time)
{
	return is_time && value != NULL && value->type == JSON_IS_INT ? time_json(scene, value->integer) : value;
}

static const struct json *field_of(const struct test_scene *scene, size_t field, const struct decision *decision,
                                   struct slice key, const struct node *expected)
{
	switch (FIELDS[field].origin) {
	case OF_DECISION:
		return decision_field(scene, decision, FIELDS[field].member, expected);
	case OF_EVENT:
		return event_member(scene, decision, FIELDS[field].member);
	case OF_STATE:
		return as_shown(scene, json_get(value_of(scene, key), FIELDS[field].member), FIELDS[field].is_time);
	}
	return NULL;
}

/* ---- owners: of each record of the step */

static size_t list_owners(const struct test_scene *scene, struct slice **ret_owners)
{
	size_t count = 0, decisions = world_decision_count(scene->world);
	struct slice *owners = arena_array(scene->arena, decisions - scene->from, sizeof *owners);
	for (size_t i = scene->from; i < decisions; i++)
		if (world_decision(scene->world, i)->record != SIZE_MAX) {
			struct slice owner = world_decision(scene->world, i)->decision.owner;
			owners[count++] = owner.len != 0 ? owner : SLICE("nobody");
		}
	*ret_owners = owners;
	return count;
}

static const struct json *owners_in_order(const struct test_scene *scene, const struct slice *owners, size_t count)
{
	struct json *items = arena_array(scene->arena, count, sizeof *items), *list = arena_alloc(scene->arena, sizeof *list);
	for (size_t i = 0; i < count; i++)
		items[i] = (struct json){.type = JSON_IS_STRING, .text = owners[i]};
	*list = (struct json){.type = JSON_IS_ARRAY, .items = items, .count = count};
	return list;
}

static const struct json *owners_by_count(const struct test_scene *scene, const struct slice *owners, size_t count)
{
	struct json *items = arena_array(scene->arena, count, sizeof *items), *object = arena_alloc(scene->arena, sizeof *object);
	struct slice *names = arena_array(scene->arena, count, sizeof *names);
	size_t different = 0;
	for (size_t i = 0; i < count; i++) {
		size_t at = 0;
		while (at < different && !slice_equal(names[at], owners[i]))
			at++;
		if (at == different) {
			names[different++] = owners[i];
			items[at] = (struct json){.type = JSON_IS_INT};
		}
		items[at].integer++;
	}
	*object = (struct json){.type = JSON_IS_OBJECT, .items = items, .names = names, .count = different};
	return object;
}

/* A list is the order; a mapping says how many each got, and that nobody else got any. */
static void expect_owners(const struct test_scene *scene, const struct node *expected, struct test_differences *differences)
{
	struct slice *owners;
	size_t count = list_owners(scene, &owners);
	if (expected->kind == NODE_SEQUENCE) {
		test_match(differences, "owners", expected, owners_in_order(scene, owners, count));
		return;
	}
	const struct json *counts = owners_by_count(scene, owners, count);
	test_match(differences, "owners", expected, counts);
	for (size_t i = 0; i < counts->count; i++) {
		if (node_find(expected, counts->names[i]) != NULL)
			continue;
		struct node nothing = {.kind = NODE_SCALAR, .span = expected->span, .text = SLICE("no lead")};
		test_differ(differences, arena_printf(scene->arena, "owners.%.*s", SLICE_ARG(counts->names[i])), &nothing,
		            arena_printf(scene->arena, "%lld", (long long)counts->items[i].integer));
	}
}

/* ---- all of it */

static void expect_events_of(const struct test_scene *scene, const struct node *expect, struct test_differences *differences)
{
	size_t count;
	const struct seen *seen = see_events(scene, &count);
	const struct node *node;
	if ((node = node_get(expect, "events")) != NULL)
		expect_events(node, seen, count, differences);
	if ((node = node_get(expect, "includes")) != NULL)
		expect_includes(node, seen, count, differences);
	if ((node = node_get(expect, "no_events")) != NULL)
		expect_no_events(node, seen, count, differences);
}

static void expect_keys(const struct test_scene *scene, const struct node *keys, struct test_differences *differences)
{
	for (size_t i = 0; i < keys->count; i++)
		test_match(differences, arena_memdupz(scene->arena, keys->members[i].key->text.p, keys->members[i].key->text.len),
		           keys->members[i].value, value_of(scene, keys->members[i].key->text));
}

static void expect_due(const struct test_scene *scene, const struct node *expected, struct slice key,
                       struct test_differences *differences)
{
	int64_t due_ms = world_due_of(scene->world, key);
	test_match(differences, "due", expected, due_ms != 0 ? time_json(scene, due_ms) : NULL);
}

/* As a reader of the file meets them; those of one line keep their order. */
static void sort_by_line(struct test_differences *differences)
{
	for (size_t i = 1; i < differences->count; i++) {
		struct test_difference moved = differences->items[i];
		size_t at = i;
		for (; at > 0 && differences->items[at - 1].line > moved.line; at--)
			differences->items[at] = differences->items[at - 1];
		differences->items[at] = moved;
	}
}

void test_expect(const struct test_scene *scene, const struct node *expect, struct test_differences *differences)
{
	const struct node *lead = node_get(expect, "lead"), *node;
	const struct decision *decision = find_subject(scene, lead);
	struct slice key = lead_key(scene, decision, lead);
	for (size_t i = 0; i < FIELD_COUNT; i++)
		if ((node = node_get(expect, FIELDS[i].name)) != NULL)
			test_match(differences, FIELDS[i].name, node, field_of(scene, i, decision, key, node));
	if ((node = node_get(expect, "owners")) != NULL)
		expect_owners(scene, node, differences);
	if ((node = node_get(expect, "state")) != NULL)
		test_match(differences, "state", node, value_of(scene, key));
	if ((node = node_get(expect, "keys")) != NULL)
		expect_keys(scene, node, differences);
	if ((node = node_get(expect, "due")) != NULL)
		expect_due(scene, node, key, differences);
	expect_events_of(scene, expect, differences);
	sort_by_line(differences);
}

/* ---- telling */

static void tell_reject(const struct event *event, struct strbuf *out)
{
	struct slice field = header_of(event, "leadrouter.error.field");
	strbuf_printf(out, "rejected: %.*s%s%.*s (%.*s)\n", SLICE_ARG(field), field.len != 0 ? ": " : "",
	              SLICE_ARG(header_of(event, "__dlq.errors.message")), SLICE_ARG(header_of(event, "leadrouter.error.code")));
}

static void tell_event(const struct test_scene *scene, const struct event *event, bool in_full, struct strbuf *out)
{
	struct strbuf text = STRBUF_INIT;
	if (event->topic == OUT_REJECTED)
		tell_reject(event, &text);
	else if (in_full)
		explain_text(&text, slice_of(event->type), data_of(event, scene->arena));
	else
		explain_sentence(&text, slice_of(event->type), data_of(event, scene->arena));
	for (const char *line = strbuf_text(&text); *line != '\0';) {
		size_t len = strcspn(line, "\n");
		strbuf_printf(out, "  %.*s\n", (int)len, line);
		line += len + (line[len] == '\n');
	}
	strbuf_done(&text);
}

/* From the decision `from` on, with the reasons of those from `in_full` on. */
static void tell_from(const struct test_scene *scene, size_t from, size_t in_full, struct strbuf *out)
{
	for (size_t i = from; i < world_decision_count(scene->world); i++) {
		const struct world_decision *made = world_decision(scene->world, i);
		if (made->decision.outcome == OUTCOME_NOTHING)
			continue;
		test_time_put(out, made->at_ms, scene->file->zone);
		strbuf_printf(out, " %s%s %.*s\n", made->record == SIZE_MAX ? "" : "record: ", outcome_name(made->decision.outcome),
		              SLICE_ARG(made->decision.lead_id));
		for (size_t e = 0; e < made->decision.event_count; e++)
			tell_event(scene, &made->decision.events[e], i >= in_full, out);
	}
}

static size_t last_of(size_t count, size_t most)
{
	return count > most ? count - most : 0;
}

void test_tell(const struct test_scene *scene, struct strbuf *out)
{
	size_t count = world_decision_count(scene->world), from = last_of(count, TOLD_MAX), in_full = last_of(count, TOLD_IN_FULL_MAX);
	if (from > 0)
		strbuf_printf(out, "… %zu decisions before\n", from);
	tell_from(scene, from, in_full > scene->from ? in_full : scene->from, out);
}

void test_tell_all(const struct test_scene *scene, struct strbuf *out)
{
	tell_from(scene, 0, 0, out);
}
