/* SPDX-License-Identifier: Apache-2.0
 *
 * A test file into structs. Each mapping has its list of known keys, so a mistyped one is an error with its place, and a
 * test that could not fail is refused.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config_files.h"
#include "daemon/ctl/test.h"
#include "daemon/yaml.h"
#include "rules/base/diag.h"
#include "rules/base/err.h"
#include "rules/base/mem.h"
#include "rules/calendar/instant.h"
#include "rules/facts.h"
#include "rules/json/tree.h"
#include "rules/text/zone.h"

static const char *const FILE_KEYS[] = {"about",    "id",       "zone",  "now", "config",
                                        "override", "defaults", "tests", NULL};
static const char *const DEFAULT_KEYS[] = {"lead", "activity", NULL};
static const char *const TEST_KEYS[] = {"name", "about", "id", "now", "override", "given", "steps", NULL};
static const char *const GIVEN_KEYS[] = {"leads", "state", NULL};
static const char *const STEP_KEYS[] = {"about", "at",    "advance", "downtime", "restore", "reload", "lead",  "activity",
                                        "record", "facts", "event",   "repeat",   "late",    "expect", NULL};
static const char *const EVENT_KEYS[] = {"id", "source", "type", NULL};
static const char *const RECORD_KEYS[] = {"topic", "value", "key", "headers", NULL};

struct reader {
	struct test_file *file;
	struct diags *diags;
	struct slice ids[TEST_IDS_MAX]; /* of the file */
	size_t id_count;
	int64_t now_ms;                 /* of the file; -1: not given */
};

/* ---- times */

int64_t test_time_parse(struct slice text, const struct zone *zone)
{
	enum { MINUTES = 16, MOST = 40 }; /* bytes of "2026-03-02T09:00" */
	char full[MOST + 8];
	if (text.len < MINUTES || text.len > MOST)
		return -1;
	bool has_seconds = text.len > MINUTES && text.p[MINUTES] == ':';
	snprintf(full, sizeof full, "%.*s%s%.*s", (int)MINUTES, text.p, has_seconds ? "" : ":00", (int)text.len - MINUTES,
	         text.p + MINUTES);
	int64_t ms = instant_parse(slice_of(full));
	if (ms >= 0 || zone == NULL)
		return ms;
	strcat(full, "Z");
	int64_t local_ms = instant_parse(slice_of(full));
	if (local_ms < 0)
		return -1;
	struct civil civil = {.year = 1970, .month = 1, .day = 1, .second = 0};
	civil.day += (int)(local_ms / 86400000);
	civil.second += (int)(local_ms / 1000 % 86400);
	return zone_from_civil(zone, &civil, ZONE_FIRST) * 1000 + local_ms % 1000;
}

void test_time_put(struct strbuf *out, int64_t ms, const struct zone *zone)
{
	const struct zone *shown = zone != NULL ? zone : zone_load("UTC");
	struct civil civil;
	int offset = shown != NULL ? zone_offset_at(shown, ms / 1000) : 0;
	if (shown == NULL)
		return; /* a machine without tz data runs no tests with times */
	zone_to_civil(shown, ms / 1000, &civil);
	strbuf_printf(out, "%04d-%02d-%02dT%02d:%02d:%02d", (int)civil.year, civil.month, civil.day, civil.hour, civil.minute,
	              civil.second);
	if (ms % 1000 != 0)
		strbuf_printf(out, ".%03d", (int)(ms % 1000));
	if (zone == NULL)
		strbuf_putc(out, 'Z');
	else
		strbuf_printf(out, "%c%02d:%02d", offset < 0 ? '-' : '+', abs(offset) / 3600, abs(offset) / 60 % 60);
}

static bool read_time(struct reader *reader, const struct node *node, const char *what, int64_t *ret_ms)
{
	struct slice text;
	if (!node_read_text(node, what, reader->diags, &text))
		return false;
	int64_t ms = test_time_parse(text, reader->file->zone);
	if (ms >= 0) {
		*ret_ms = ms;
		return true;
	}
	struct diag *diag = diags_add(reader->diags, ERR_BAD_TIME, node->span, "%s is not a time", what);
	diag_help(reader->diags, diag, "%s", reader->file->zone != NULL
	                                         ? "write 2026-03-02T09:00, or with an offset, 2026-03-02T09:00+01:00"
	                                         : "write 2026-03-02T09:00+01:00, or give the file a `zone`");
	return false;
}

static bool read_span(struct reader *reader, const struct node *node, const char *what, struct span *ret_span)
{
	struct slice text;
	struct err err = ERR_INIT;
	if (!node_read_text(node, what, reader->diags, &text))
		return false;
	if (span_parse(text, ret_span, &err) == 0)
		return true;
	diags_add(reader->diags, err.code, node->span, "%s: %s", what, err.text);
	return false;
}

/* ---- ids of requirements */

static bool is_id(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.p[i];
		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || strchr(".-_", c) != NULL))
			return false;
	}
	return text.len > 0 && text.len <= 40;
}

static void add_id(struct reader *reader, const struct node *node, struct slice *ids, size_t *count)
{
	struct slice text;
	if (!node_read_text(node, "an id", reader->diags, &text))
		return;
	if (!is_id(text))
		diags_add(reader->diags, ERR_BAD_NAME, node->span, "an id is 1 to 40 of letters, digits, `.`, `-` and `_`");
	else if (*count == TEST_IDS_MAX)
		diags_add(reader->diags, ERR_TOO_MANY, node->span, "more than %d ids", TEST_IDS_MAX);
	else
		ids[(*count)++] = text;
}

/* One id, or a list of them. */
static void read_ids(struct reader *reader, const struct node *node, struct slice *ids, size_t *count)
{
	*count = 0;
	if (node->kind != NODE_SEQUENCE) {
		add_id(reader, node, ids, count);
		return;
	}
	for (size_t i = 0; i < node->count; i++)
		add_id(reader, node->items[i], ids, count);
}

/* ---- steps */

static const struct node *get_mapping(struct reader *reader, const struct node *node, const char *name)
{
	const struct node *value = node_get(node, name);
	if (value != NULL && !node_expect_mapping(value, name, reader->diags))
		return NULL;
	return value;
}

static void refuse(struct reader *reader, enum err_code code, const struct node *node, const char *what)
{
	diags_add(reader->diags, code, node->span, "%s", what);
}

static void read_step_time(struct reader *reader, struct test_step *step)
{
	const struct node *at = node_get(step->node, "at"), *advance = node_get(step->node, "advance"),
					  *downtime = node_get(step->node, "downtime");
	if ((at != NULL) + (advance != NULL) + (downtime != NULL) > 1)
		refuse(reader, ERR_TEST_STEP, step->node, "a step has one of `at`, `advance` and `downtime`");
	else if (at != NULL && read_time(reader, at, "`at`", &step->at_ms))
		step->time = TIME_AT;
	else if (advance != NULL && read_span(reader, advance, "`advance`", &step->span))
		step->time = TIME_ADVANCE;
	else if (downtime != NULL && read_span(reader, downtime, "`downtime`", &step->span))
		step->time = TIME_DOWN;
}

static void check_raw(struct reader *reader, const struct node *record)
{
	const struct node *topic = node_get(record, "topic"), *headers = node_get(record, "headers");
	node_check_keys(record, RECORD_KEYS, "a record", reader->diags);
	if (topic != NULL && (topic->kind != NODE_SCALAR || (!slice_is(topic->text, "captured") && !slice_is(topic->text, "activity"))))
		diags_add(reader->diags, ERR_BAD_VALUE, topic->span, "`topic` is captured or activity");
	if (headers == NULL || !node_expect_mapping(headers, "headers", reader->diags))
		return;
	for (size_t i = 0; i < headers->count; i++)
		if (headers->members[i].value->kind != NODE_SCALAR)
			diags_add(reader->diags, ERR_WRONG_TYPE, headers->members[i].value->span, "a header is text, or ~ for a null one");
}

static void read_step_record(struct reader *reader, struct test_step *step)
{
	static const struct {
		const char *name;
		enum test_record kind;
	} kinds[] = {{"lead", RECORD_LEAD}, {"activity", RECORD_ACT}, {"record", RECORD_RAW}};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		const struct node *node = get_mapping(reader, step->node, kinds[i].name);
		if (node == NULL)
			continue;
		if (step->kind != RECORD_NONE)
			refuse(reader, ERR_TEST_STEP, step->node, "a step has one of `lead`, `activity` and `record`");
		step->kind = kinds[i].kind;
		step->record = node;
	}
	if (step->kind == RECORD_LEAD)
		test_lead_check(step->record, reader->diags);
	if (step->kind == RECORD_ACT)
		test_check_activity(step->record, reader->file->default_activity, reader->file->schemas, reader->diags);
	if (step->kind == RECORD_RAW)
		check_raw(reader, step->record);
}

static void check_facts(struct reader *reader, const struct node *facts)
{
	if (facts->count > FACTS_MAX)
		diags_add(reader->diags, ERR_TOO_MANY, facts->span, "more than %d facts", FACTS_MAX);
	for (size_t i = 0; i < facts->count; i++) {
		const struct node *key = facts->members[i].key, *value = facts->members[i].value;
		if (value->kind != NODE_SCALAR)
			diags_add(reader->diags, ERR_WRONG_TYPE, value->span, "a fact is text, a whole number, true or false");
		if (key->text.len > FACT_NAME_BYTES_MAX || value->text.len > FACT_TEXT_BYTES_MAX)
			diags_add(reader->diags, ERR_OUT_OF_RANGE, key->span, "a fact has a name of at most %d bytes and a text of %d",
			          FACT_NAME_BYTES_MAX, FACT_TEXT_BYTES_MAX);
	}
}

/* Plain time: no calendar says how long a record was under way. */
static void read_late(struct reader *reader, const struct node *late, struct test_step *step)
{
	struct span span;
	if (!read_span(reader, late, "`late`", &span))
		return;
	if (span.business_days != 0 || span.business_ms != 0)
		refuse(reader, ERR_BAD_SPAN, late, "`late` is plain time: 15m, 2h");
	else if (step->kind == RECORD_NONE)
		refuse(reader, ERR_TEST_STEP, late, "`late` belongs to a record");
	else
		step->late_ms = (int64_t)span.days * 86400000 + span.elapsed_ms;
}

/* What only makes sense beside a record. */
static void read_step_extras(struct reader *reader, struct test_step *step)
{
	const struct node *repeat = node_get(step->node, "repeat");
	step->facts = get_mapping(reader, step->node, "facts");
	step->event = get_mapping(reader, step->node, "event");
	step->repeat = 1;
	if (node_get(step->node, "late") != NULL)
		read_late(reader, node_get(step->node, "late"), step);
	if (step->facts != NULL)
		check_facts(reader, step->facts);
	if (step->event != NULL)
		node_check_keys(step->event, EVENT_KEYS, "`event`", reader->diags);
	if (repeat != NULL)
		node_read_int(repeat, "`repeat`", 1, TEST_REPEAT_MAX, reader->diags, &step->repeat);
	if (step->facts != NULL && step->kind != RECORD_LEAD)
		refuse(reader, ERR_TEST_STEP, step->facts, "facts belong to a `lead`");
	if ((step->event != NULL || repeat != NULL) && step->kind != RECORD_LEAD && step->kind != RECORD_ACT)
		refuse(reader, ERR_TEST_STEP, step->node, "`event` and `repeat` belong to a `lead` or an `activity`");
}

static void read_step(struct reader *reader, const struct node *node, struct test_step *step)
{
	step->node = node;
	if (!node_expect_mapping(node, "a step", reader->diags))
		return;
	node_check_keys(node, STEP_KEYS, "a step", reader->diags);
	read_step_time(reader, step);
	read_step_record(reader, step);
	read_step_extras(reader, step);
	if (node_get(node, "restore") != NULL)
		node_read_bool(node_get(node, "restore"), "`restore`", reader->diags, &step->is_restored);
	step->reload = get_mapping(reader, node, "reload");
	step->expect = get_mapping(reader, node, "expect");
	if (step->expect != NULL)
		test_expect_check(step->expect, reader->file->schemas, reader->diags);
	if (step->time == TIME_STAYS && step->record == NULL && step->reload == NULL && step->expect == NULL &&
	    !step->is_restored && diags_error_count(reader->diags) == 0)
		refuse(reader, ERR_TEST_STEP, node, "this step does nothing");
}

/* ---- tests */

static void read_steps(struct reader *reader, struct test_case *test)
{
	const struct node *steps = node_require(test->node, "steps", "a test", reader->diags);
	bool expects = false;
	if (steps == NULL || !node_expect_sequence(steps, "steps", reader->diags))
		return;
	if (steps->count > TEST_STEPS_MAX) {
		diags_add(reader->diags, ERR_TOO_MANY, steps->span, "more than %d steps", TEST_STEPS_MAX);
		return;
	}
	test->steps = arena_array(&reader->file->arena, steps->count, sizeof *test->steps);
	for (test->step_count = 0; test->step_count < steps->count; test->step_count++) {
		struct test_step *step = &test->steps[test->step_count];
		read_step(reader, steps->items[test->step_count], step);
		expects |= node_get(step->node, "expect") != NULL;
	}
	if (!expects) {
		struct diag *diag = diags_add(reader->diags, ERR_TEST_EMPTY, test->node->span, "this test expects nothing");
		diag_help(reader->diags, diag, "give one of its steps an `expect`");
	}
}

static void read_given(struct reader *reader, struct test_case *test)
{
	const struct node *given = get_mapping(reader, test->node, "given");
	if (given == NULL)
		return;
	node_check_keys(given, GIVEN_KEYS, "`given`", reader->diags);
	test->leads = get_mapping(reader, given, "leads");
	test->state = get_mapping(reader, given, "state");
	for (size_t i = 0; test->leads != NULL && i < test->leads->count; i++)
		if (node_expect_mapping(test->leads->members[i].value, "a lead's state", reader->diags))
			test_check_members(test->leads->members[i].value, reader->file->schemas, reader->diags);
	if (test->state != NULL)
		test_check_state_keys(test->state, reader->diags);
}

static void read_test(struct reader *reader, const struct node *node, struct test_case *test)
{
	test->node = node;
	if (!node_expect_mapping(node, "a test", reader->diags))
		return;
	node_check_keys(node, TEST_KEYS, "a test", reader->diags);
	const struct node *name = node_require(node, "name", "a test", reader->diags);
	const struct node *ids = node_get(node, "id"), *now = node_get(node, "now");
	if (name != NULL)
		node_read_text(name, "a test's name", reader->diags, &test->name);
	memcpy(test->ids, reader->ids, sizeof test->ids);
	test->id_count = reader->id_count;
	if (ids != NULL)
		read_ids(reader, ids, test->ids, &test->id_count);
	test->now_ms = reader->now_ms;
	if (now != NULL)
		read_time(reader, now, "`now`", &test->now_ms);
	else if (test->now_ms < 0)
		diags_add(reader->diags, ERR_MISSING_KEY, node->span, "neither the test nor its file says what time it is: `now`");
	test->override = get_mapping(reader, node, "override");
	read_given(reader, test);
	read_steps(reader, test);
}

static void check_names(struct reader *reader)
{
	const struct test_file *file = reader->file;
	for (size_t i = 0; i < file->test_count; i++)
		for (size_t j = 0; j < i && file->tests[i].name.len != 0; j++) {
			if (!slice_equal(file->tests[i].name, file->tests[j].name))
				continue;
			struct diag *diag = diags_add(reader->diags, ERR_DUPLICATE, node_get(file->tests[i].node, "name")->span,
			                              "two tests have this name");
			diag_second(reader->diags, diag, node_get(file->tests[j].node, "name")->span, "the first one");
			break;
		}
}

static void read_tests(struct reader *reader, const struct node *root)
{
	struct test_file *file = reader->file;
	const struct node *tests = node_require(root, "tests", "a test file", reader->diags);
	if (tests == NULL || !node_expect_sequence(tests, "tests", reader->diags))
		return;
	if (tests->count == 0)
		diags_add(reader->diags, ERR_TEST_EMPTY, tests->span, "there is no test in this file");
	if (tests->count > TEST_CASES_MAX) {
		diags_add(reader->diags, ERR_TOO_MANY, tests->span, "more than %d tests", TEST_CASES_MAX);
		return;
	}
	file->tests = arena_array(&file->arena, tests->count, sizeof *file->tests);
	for (; file->test_count < tests->count; file->test_count++)
		read_test(reader, tests->items[file->test_count], &file->tests[file->test_count]);
	check_names(reader);
}

static void read_zone(struct reader *reader, const struct node *node)
{
	struct slice name;
	if (!node_read_text(node, "zone", reader->diags, &name))
		return;
	reader->file->zone = zone_load(arena_memdupz(&reader->file->arena, name.p, name.len));
	if (reader->file->zone == NULL)
		diags_add(reader->diags, ERR_BAD_ZONE, node->span, "there is no time zone of this name");
}

static void read_defaults(struct reader *reader, const struct node *root)
{
	const struct node *defaults = get_mapping(reader, root, "defaults");
	if (defaults == NULL)
		return;
	node_check_keys(defaults, DEFAULT_KEYS, "`defaults`", reader->diags);
	reader->file->default_lead = get_mapping(reader, defaults, "lead");
	reader->file->default_activity = get_mapping(reader, defaults, "activity");
	if (reader->file->default_lead != NULL)
		test_lead_check(reader->file->default_lead, reader->diags);
}

static void read_root(struct reader *reader, const struct node *root)
{
	const struct node *zone, *now, *ids;
	if (!node_expect_mapping(root, "a test file", reader->diags))
		return;
	node_check_keys(root, FILE_KEYS, "a test file", reader->diags);
	if ((zone = node_get(root, "zone")) != NULL)
		read_zone(reader, zone);
	if ((ids = node_get(root, "id")) != NULL)
		read_ids(reader, ids, reader->ids, &reader->id_count);
	if ((now = node_get(root, "now")) != NULL)
		read_time(reader, now, "`now`", &reader->now_ms);
	reader->file->config = get_mapping(reader, root, "config");
	reader->file->override = get_mapping(reader, root, "override");
	read_defaults(reader, root);
	read_tests(reader, root);
}

struct test_file *test_file_read(const char *path, struct diags *diags)
{
	size_t errors = diags_error_count(diags);
	struct test_file *file = xcalloc(1, sizeof *file);
	struct config_files *files = config_files_new(".");
	struct model_files reader = config_files_reader(files);
	struct slice bytes;
	struct err err = ERR_INIT;
	file->path = arena_strdup(&file->arena, path);
	file->schemas = test_schemas_new(&file->arena);
	if (reader.read(reader.ctx, slice_of(path), false, &file->arena, &bytes, &err) != 0) {
		diags_add(diags, ERR_TOOL_FILE, SOURCE_SPAN_NONE, "%s", err.text);
	} else {
		file->source = source_new(&file->arena, path, bytes);
		const struct node *root = yaml_read(file->source, &file->arena, diags);
		if (root != NULL)
			read_root(&(struct reader){.file = file, .diags = diags, .now_ms = -1}, root);
	}
	config_files_free(files);
	if (diags_error_count(diags) == errors)
		return file;
	test_file_free(file);
	return NULL;
}

void test_file_free(struct test_file *file)
{
	if (file == NULL)
		return;
	arena_done(&file->arena);
	free(file);
}
