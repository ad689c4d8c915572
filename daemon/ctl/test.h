/* SPDX-License-Identifier: Apache-2.0
 *
 * leadctl test, its parts in the order in which a file goes through them:
 *
 *     test_read.c     YAML -> struct test_file; everything that can be wrong in a test file is said here
 *     test_names.c    names of events, activities and of what is stored: are there such?
 *     test_schema.c   the same for their members, by config/schemas, which schemas.c holds
 *     test_refs.c     reps, teams and facts that its rules do not know
 *     test_config.c   directory or inline configuration, with overrides -> model
 *     test_json.c     YAML values -> JSON of a record, and JSON as people read it
 *     test_run.c      steps through a world (rules/world.h)
 *     test_match.c    an expectation against JSON -> differences
 *     test_expect.c   what a step expects: fields, events, state
 *     test_report.c   results as text, TAP, JSON lines
 *     test_junit.c    results as JUnit XML
 *     test_dump.c     what a test did and what came of it, for whoever does the same to a daemon
 *     test_coverage.c which rule items were hit
 *     test.c          the verb: files, options, exit code
 *
 * leadctl-test(5) is the format as users know it.
 */
#ifndef LR_DAEMON_CTL_TEST_H
#define LR_DAEMON_CTL_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/base/arena.h"
#include "rules/base/slice.h"
#include "rules/base/strbuf.h"
#include "rules/calendar/span.h"

struct diags;
struct json;
struct model;
struct node;
struct node_member;
struct observer;
struct source;
struct test_schemas;
struct world;
struct zone;

enum {
	TEST_FILES_MAX = 10000,
	TEST_CASES_MAX = 10000,  /* of a file */
	TEST_STEPS_MAX = 10000,  /* of a test */
	TEST_REPEAT_MAX = 10000,
	TEST_IDS_MAX = 16,
	TEST_BATCH_MAX = 10000,
};

/* ---- a file, as read */

enum test_time { TIME_STAYS, TIME_AT, TIME_ADVANCE, TIME_DOWN };
enum test_record { RECORD_NONE, RECORD_LEAD, RECORD_ACT, RECORD_RAW };

struct test_step {
	const struct node *node;
	enum test_time time;
	int64_t at_ms;      /* TIME_AT */
	struct span span;   /* TIME_ADVANCE, TIME_DOWN */
	enum test_record kind;
	const struct node *record, *facts, *event; /* NULL: not given */
	int64_t repeat;
	int64_t late_ms;    /* the record was written so long before */
	bool is_restored; /* all is lost but the log, and the state is rebuilt */
	const struct node *reload, *expect;
};

struct test_case {
	const struct node *node;
	struct slice name;
	struct slice ids[TEST_IDS_MAX]; /* its own, or those of the file */
	size_t id_count;
	int64_t now_ms;
	const struct node *override, *leads, *state; /* NULL: not given */
	struct test_step *steps;
	size_t step_count;
};

struct test_file {
	const char *path;
	struct arena arena;
	const struct source *source;
	struct test_schemas *schemas;
	const struct zone *zone; /* of times without an offset, and of those shown; NULL: UTC, offsets required */
	const struct node *config, *override;
	const struct node *default_lead, *default_activity; /* NULL: not given */
	struct test_case *tests;
	size_t test_count;
};

/* Reads the whole file and says all that is wrong with it. NULL: errors were added. Heap; one owner. */
struct test_file *test_file_read(const char *path, struct diags *diags);
void test_file_free(struct test_file *file);

/* ---- names; false: an error was added */

/* The schemas of config/schemas, each read when it is first asked for. Lives in the arena. */
struct test_schemas *test_schemas_new(struct arena *arena);
/* A member, or a path to one, of what the schema `name` is about. */
bool test_schema_check(struct test_schemas *schemas, struct slice name, const struct node_member *member, struct diags *diags);

/* "lead.assigned", or a mapping that has it as its `type` beside members of such an event. */
bool test_check_event(const struct node *event, struct test_schemas *schemas, struct diags *diags);
bool test_check_topic(const struct node *topic, struct diags *diags);
/* A mapping of members of a lead's stored value, or of paths in them. */
bool test_check_members(const struct node *members, struct test_schemas *schemas, struct diags *diags);
/* A mapping of keys of the state: "ring/dach". */
bool test_check_state_keys(const struct node *keys, struct diags *diags);
/* The type and the members of an activity; one that we do not know is sent as a `record`. `defaults` may have the type;
 * NULL: there are none. */
bool test_check_activity(const struct node *activity, const struct node *defaults, struct test_schemas *schemas,
                         struct diags *diags);

/* ---- time */

/* "2026-03-02T09:00+01:00", seconds optional; without an offset in `zone`, if there is one. -1: no such time. */
int64_t test_time_parse(struct slice text, const struct zone *zone);
/* "2026-03-02T09:00:00+01:00" */
void test_time_put(struct strbuf *out, int64_t ms, const struct zone *zone);

/* ---- configuration */

/* `base` with `patch` over it: mappings by key, anything else replaced, `~` takes a key away. A mapping over a list
 * names items by their id, name, grade or rep. The result shares what did not change; new parts live in the arena. */
const struct node *test_patch(const struct node *base, const struct node *patch, struct arena *arena);

/* The configuration of the directory, read once, when first needed. */
struct test_site;
struct test_site *test_site_new(const char *directory);
void test_site_free(struct test_site *site);

/* A model with the tree that it was made from. Heap; one owner. */
struct test_rules {
	struct arena arena;
	const struct node *root; /* may share nodes of file and site */
	struct model *model;
	struct test_rules *next;
};

/* What the file runs under: its own `config`, or that of the directory; with its `override`. NULL: errors were added. */
struct test_rules *test_rules_of_file(struct test_file *file, struct test_site *site, struct diags *diags);
/* The same rules with a patch over them. */
struct test_rules *test_rules_patched(const struct test_file *file, struct test_site *site, const struct node *root,
                                      const struct node *patch, struct diags *diags);
void test_rules_free(struct test_rules *rules);

/* ---- JSON */

/* Every key of a lead must be a declared field. false: an error was added. */
bool test_lead_check(const struct node *lead, struct diags *diags);
/* The JSON of a record. `{n}` in texts becomes `number` when it is not 0. */
void test_put_lead(struct strbuf *out, const struct node *lead, const struct test_file *file, int64_t number);
void test_put_value(struct strbuf *out, const struct node *value, const struct test_file *file, int64_t number);
/* JSON as text, cut after some hundred bytes. NULL: "nothing". */
void test_json_show(struct strbuf *out, const struct json *json);
/* An expectation as it could be written in one line. */
void test_node_show(struct strbuf *out, const struct node *node);

/* ---- differences */

struct test_difference {
	const char *field;    /* "events[1].level" */
	const char *expected, *actual;
	unsigned line;        /* of the expectation */
};

struct test_differences {
	struct arena *arena;
	const struct zone *zone;
	bool is_silent; /* nothing is noted: only the answer counts */
	struct test_difference *items; /* heap */
	size_t count, capacity;
};

void test_differ(struct test_differences *differences, const char *field, const struct node *expected,
                 const char *actual);
/* Is `actual` (NULL: absent) what `expected` says? Each mismatch is noted under its path from `field`. */
bool test_match(struct test_differences *differences, const char *field, const struct node *expected,
                const struct json *actual);

/* ---- results */

struct test_result {
	const struct test_file *file;
	const struct test_case *test;
	bool has_failed;
	const struct test_step *step;      /* that failed */
	size_t step_number;                /* from 1 */
	int64_t at_ms;                     /* the clock then */
	struct test_differences differences;
	struct strbuf trace;               /* what happened instead, in words */
	struct arena arena;
};

struct test_coverage;
struct test_dump;

/* What all tests of a session share. */
struct test_setting {
	struct test_site *site;
	struct test_coverage *coverage; /* NULL: not asked for */
	size_t batch;                   /* records decided together; no result depends on it */
	const char *dump;               /* directory that test_dump.c writes to; NULL: not asked for */
	size_t *dumped;                 /* how many tests it has written */
	bool trace;                     /* what happened is told of tests that pass, too */
};

/* Reps and teams of what is given, and facts, are such as the rules of the test know. false: errors were added. */
bool test_check_refs(const struct test_case *test, const struct test_rules *rules, struct diags *diags);

/* Runs one test and fills the result. false: its configuration is wrong, errors were added. */
bool test_run(const struct test_setting *setting, const struct test_file *file, const struct test_case *test,
              const struct test_rules *rules, struct test_result *ret, struct diags *diags);
void test_result_done(struct test_result *result);

/* What was decided in a test, as the expectations of a step see it. */
struct test_scene {
	const struct test_file *file;
	const struct world *world;
	size_t from; /* the first decision of this step */
	struct arena *arena;
};

/* Keys and kinds of an `expect`. false: an error was added. */
bool test_expect_check(const struct node *expect, struct test_schemas *schemas, struct diags *diags);
/* Compares; what differs is noted. */
void test_expect(const struct test_scene *scene, const struct node *expect, struct test_differences *differences);
/* What happened: earlier decisions in a sentence each, those of this step in full. */
void test_tell(const struct test_scene *scene, struct strbuf *out);
/* All decisions of the test, each with its reasons. */
void test_tell_all(const struct test_scene *scene, struct strbuf *out);

/* A file that cannot be tested, or not all of it, and why. */
struct test_fault {
	const char *path;
	char *text; /* heap */
};

/* ---- telling a test to another program
 *
 * DIR/<n>.jsonl: a line {"op":…} for each thing that is done, in order, then a line for each event and for each key of the
 * state at the end. The input topics are called "t<n>.leads.captured" and "t<n>.leads.activity", so that a broker has room
 * for many tests. Each function but the first does nothing with NULL. */

struct world_record;

/* NULL: an error was added. */
struct test_dump *test_dump_open(const char *directory, size_t number, const struct test_file *file,
                                 const struct test_case *test, struct diags *diags);
const char *test_dump_prefix(const struct test_dump *dump);
/* Rules that are in force from here on. */
void test_dump_config(struct test_dump *dump, const struct node *root);
/* "advance", "sleep": until `ms`; "settle": no time passes. */
void test_dump_time(struct test_dump *dump, const char *op, int64_t ms);
void test_dump_record(struct test_dump *dump, const struct world_record *record);
/* All that is stored now, under `op`: "given" before the first step, "state" behind the last. */
void test_dump_state(struct test_dump *dump, const char *op, const struct world *world);
/* Every event of the test, and that the dump is complete. */
void test_dump_close(struct test_dump *dump, const struct world *world);

/* ---- reports */

void test_report_text(const struct test_result *result, bool colour, struct strbuf *out);
void test_report_tap(const struct test_result *result, size_t number, struct strbuf *out);
void test_report_json(const struct test_result *result, struct strbuf *out);
void test_report_junit(struct test_result *const *results, size_t count, const struct test_fault *faults, size_t fault_count,
                       struct strbuf *out);
/* "S0-FIRST  pass  3 tests" a line, by id. */
void test_report_ids(struct test_result *const *results, size_t count, struct strbuf *out);

/* ---- coverage */

struct test_coverage *test_coverage_new(void);
void test_coverage_free(struct test_coverage *coverage);
/* The items of a model, with no hits yet; one that is known (same kind, place and name) keeps its hits. */
void test_coverage_add(struct test_coverage *coverage, const struct model *model);
/* Give this one to the world, so that it hears what no event tells. NULL without a coverage. */
const struct observer *test_coverage_observer(const struct test_coverage *coverage);
/* An event's terms, grade, routes, criteria of the team, and the level that it tells. */
void test_coverage_hit(struct test_coverage *coverage, const struct json *event);
void test_coverage_put(const struct test_coverage *coverage, struct strbuf *out);
void test_coverage_put_json(const struct test_coverage *coverage, struct strbuf *out);

#endif
