/* SPDX-License-Identifier: Apache-2.0
 *
 * The host against plug-ins that keep their contract and such that break it (tests/plugins): whatever they do, the lead
 * goes on, at the latest after the deadline, and nothing of a bad one is ever used.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/batch.h"
#include "daemon/config.h"
#include "daemon/generation.h"
#include "daemon/log.h"
#include "daemon/plugin_host.h"
#include "daemon/stats.h"
#include "rules/base/diag.h"
#include "rules/base/mem.h"
#include "rules/prepared.h"

enum { GUARD_MS = 10000 }; /* a test that waits longer has failed */

static const int64_t NOW = 1795424400000;
static const char LEAD[] = "{\"lead_id\":\"L1\",\"source\":\"web\",\"contact\":{\"email\":\"a@example.com\"},"
                           "\"location\":{\"city\":\"Bonn\"}}";

struct bench {
	char directory[64];
	struct diags *diags;
	struct strbuf text;
	struct loop *loop;
	struct stats *stats;
	struct log *log;
	struct generation *generation;
	struct arena arena;
	size_t done_count, expected;
};

/* Messages of the tests hold nothing of librdkafka. */
void kafka_in_message_free(struct kafka_message *take_message)
{
	free(take_message);
}

static void write_file(const struct bench *bench, const char *name, const char *text)
{
	char path[128];
	snprintf(path, sizeof path, "%s/%s", bench->directory, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	chmod(path, 0600);
}

static int setup(void **state)
{
	struct bench *bench = xcalloc(1, sizeof *bench);
	strcpy(bench->directory, "/tmp/lr-plugin-XXXXXX");
	assert_non_null(mkdtemp(bench->directory));
	unsetenv("CREDENTIALS_DIRECTORY");
	bench->diags = diags_new();
	bench->loop = loop_new();
	bench->stats = stats_new();
	bench->log = log_new(open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_LEVEL_DEBUG, LOG_FORMAT_JSON, false);
	write_file(bench, "identity.key", "0123456789abcdef0123456789abcdef\n");
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;
	char command[128];
	generation_unref(bench->generation);
	arena_done(&bench->arena);
	log_free(bench->log);
	stats_free(bench->stats);
	loop_free(bench->loop);
	diags_free(bench->diags);
	strbuf_done(&bench->text);
	snprintf(command, sizeof command, "rm -r %s", bench->directory);
	assert_int_equal(system(command), 0);
	free(bench);
	return 0;
}

/* ---- configurations */

/* Where the test plug-ins are: beside the folder that this program is in. */
static const char *plugin_path(const char *name)
{
	static char path[4096];
	ssize_t len = readlink("/proc/self/exe", path, sizeof path - 100);
	assert_true(len > 0);
	path[len] = '\0';
	*strrchr(path, '/') = '\0';
	sprintf(strrchr(path, '/'), "/test-plugins/%s.so", name);
	return path;
}

/* `plugins`: "name file deadline mode" rows, separated by '|'. */
static struct plugin_set *open_set(struct bench *bench, const char *plugins, struct loop *loop)
{
	struct strbuf yaml = STRBUF_INIT;
	char rows[512], *rest = rows, *row;
	strbuf_puts(&yaml, "dedup: {identity_key_file: identity.key}\nreps: [ana]\nteams: [{id: all, reps: [ana]}]\n"
	                   "routes: [{name: said, when: 'facts[\"p.said\"] == \"yes\"', team: all}, {name: rest, team: all}]\n"
	                   "plugins:\n");
	snprintf(rows, sizeof rows, "%s", plugins);
	while ((row = strsep(&rest, "|")) != NULL) {
		char name[64], file[64], deadline[16], mode[64];
		assert_int_equal(sscanf(row, " %63s %63s %15s %63[^|]", name, file, deadline, mode), 4);
		strbuf_printf(&yaml, "- {name: %s, path: \"%s\", deadline_ms: %s, settings: {%s}}\n", name, plugin_path(file),
		              deadline, mode);
	}
	write_file(bench, "leadrouter.yaml", strbuf_text(&yaml));
	strbuf_done(&yaml);
	generation_unref(bench->generation);
	bench->generation = generation_load(bench->directory, bench->diags);
	if (bench->generation == NULL) {
		diags_render(bench->diags, false, &bench->text);
		fail_msg("%s", strbuf_text(&bench->text));
	}
	struct plugin_set *set = plugin_set_open(generation_config(bench->generation), bench->directory, loop, bench->stats,
	                                         bench->log, bench->diags);
	if (set != NULL)
		generation_attach(bench->generation, set, plugin_set_close);
	return set;
}

static void use(struct bench *bench, const char *plugins)
{
	if (open_set(bench, plugins, bench->loop) != NULL)
		return;
	diags_render(bench->diags, false, &bench->text);
	fail_msg("%s", strbuf_text(&bench->text));
}

static void expect_refusal(struct bench *bench, const char *plugins, const char *code, const char *text)
{
	assert_null(open_set(bench, plugins, bench->loop));
	diags_render(bench->diags, false, &bench->text);
	if (strstr(strbuf_text(&bench->text), code) == NULL || strstr(strbuf_text(&bench->text), text) == NULL ||
	    strstr(strbuf_text(&bench->text), "leadrouter.yaml:6") == NULL)
		fail_msg("%s", strbuf_text(&bench->text));
}

/* ---- leads */

static struct prepared *prepare(struct bench *bench)
{
	struct record *record = arena_alloc(&bench->arena, sizeof *record);
	*record = (struct record){.kind = RECORD_CAPTURED,
	                          .topic = SLICE("leads.captured"),
	                          .timestamp_ms = NOW,
	                          .value = slice_of(LEAD),
	                          .has_value = true,
	                          .partition_count = 1};
	struct prepared *prepared = rules_prepare(generation_model(bench->generation), record, NOW, &bench->arena);
	assert_true(rules_is_lead(prepared));
	return prepared;
}

static const struct cel_value *fact_of(const struct prepared *prepared, const char *name)
{
	for (size_t i = 0; i < prepared->facts.count; i++)
		if (slice_is(cel_slice(prepared->facts.entries[i].key), name))
			return &prepared->facts.entries[i].value;
	return NULL;
}

static int64_t int_fact(const struct prepared *prepared, const char *name)
{
	const struct cel_value *value = fact_of(prepared, name);
	if (value == NULL)
		fail_msg("there is no fact %s", name);
	return value->as.integer;
}

static uint64_t counted(const struct bench *bench, const char *plugin, const char *result)
{
	const struct slice labels[] = {slice_of(plugin), slice_of(result)};
	return stats_counter_value(bench->stats, STATS_PLUGIN_ANSWERS, labels);
}

static void on_guard(void *ctx)
{
	(void)ctx;
	fail_msg("nothing happened within %d ms", GUARD_MS);
}

static void on_done(void *ctx)
{
	struct bench *bench = ctx;
	if (++bench->done_count == bench->expected)
		loop_stop(bench->loop);
}

static void run_until(struct bench *bench, size_t expected)
{
	struct loop_timer *guard = loop_timer_new(bench->loop, on_guard, NULL);
	bench->expected = expected;
	loop_timer_start(guard, GUARD_MS);
	if (bench->done_count < expected)
		loop_run(bench->loop);
	loop_timer_free(guard);
	assert_int_equal(bench->done_count, expected);
}

static void on_pause(void *ctx)
{
	loop_stop(ctx);
}

/* Lets what is under way in the loop happen for so long: for events whose absence is shown. */
static void run_for(struct bench *bench, int64_t ms)
{
	struct loop_timer *timer = loop_timer_new(bench->loop, on_pause, bench->loop);
	loop_timer_start(timer, ms);
	loop_run(bench->loop);
	loop_timer_free(timer);
}

static struct plugin_ask *ask(struct bench *bench, struct prepared *prepared)
{
	return plugin_host_ask(bench->generation, prepared, on_done, bench);
}

/* ---- those that keep the contract */

static void an_answer_at_once_is_not_waited_for(void **state)
{
	struct bench *bench = *state;
	use(bench, "p scripted 1000 mode: at_once");
	struct prepared *prepared = prepare(bench);
	assert_null(ask(bench, prepared));
	assert_true(slice_is(cel_slice(*fact_of(prepared, "p.said")), "yes"));
	assert_int_equal(int_fact(prepared, "p.runs"), 1);
	assert_true(fact_of(prepared, "p.true")->as.boolean);
	assert_int_equal(counted(bench, "p", "answered"), 1);
	assert_int_equal(bench->done_count, 0);
}

static void an_answer_may_come_later_from_a_timer(void **state)
{
	struct bench *bench = *state;
	use(bench, "p scripted 5000 mode: later");
	struct prepared *first = prepare(bench), *second = prepare(bench);
	assert_non_null(ask(bench, first));
	assert_non_null(ask(bench, second));
	assert_null(fact_of(first, "p.said"));
	run_until(bench, 2);
	assert_non_null(fact_of(first, "p.said"));
	assert_non_null(fact_of(second, "p.said"));
	assert_int_equal(counted(bench, "p", "answered"), 2);
	assert_int_equal(counted(bench, "p", "late"), 0);
}

static void an_answer_may_come_from_a_descriptor(void **state)
{
	struct bench *bench = *state;
	use(bench, "p scripted 5000 mode: watch");
	struct prepared *prepared = prepare(bench);
	assert_non_null(ask(bench, prepared));
	run_until(bench, 1);
	assert_non_null(fact_of(prepared, "p.said"));
}

static void plugins_are_asked_in_order_and_cleansing_ones_first(void **state)
{
	struct bench *bench = *state;
	use(bench, "a scripted 5000 mode: later|b scripted 5000 mode: at_once|c cleanser 5000 mode: at_once");
	struct prepared *prepared = prepare(bench);
	assert_non_null(ask(bench, prepared));
	assert_non_null(fact_of(prepared, "c.said"));
	assert_null(fact_of(prepared, "b.said"));
	run_until(bench, 1);
	assert_non_null(fact_of(prepared, "a.said"));
	assert_non_null(fact_of(prepared, "b.said"));
}

static void only_empty_fields_are_filled(void **state)
{
	struct bench *bench = *state;
	use(bench, "p scripted 1000 mode: fill");
	struct prepared *prepared = prepare(bench);
	assert_null(ask(bench, prepared));
	assert_true(slice_is(rules_field(prepared, "location.country"), "AU"));
	assert_true(slice_is(rules_field(prepared, "contact.email"), "a@example.com"));
	assert_true(slice_is(rules_field(prepared, "lead_id"), "L1"));
	assert_true(slice_is(cel_slice(*fact_of(prepared, "p.city")), "Bonn"));
	const struct change *last = &prepared->changes.items[prepared->changes.count - 1];
	assert_string_equal(last->what, "filled");
	assert_string_equal(last->by, "p");
}

static void two_instances_of_one_file_are_apart(void **state)
{
	struct bench *bench = *state;
	use(bench, "p scripted 1000 mode: at_once|q scripted 1000 mode: at_once");
	assert_null(ask(bench, prepare(bench)));
	struct prepared *prepared = prepare(bench);
	assert_null(ask(bench, prepared));
	assert_int_equal(int_fact(prepared, "p.runs"), 2);
	assert_int_equal(int_fact(prepared, "q.runs"), 2);
}

/* ---- those that do not */

static void a_lead_goes_on_without_an_answer_that_never_comes(void **state)
{
	struct bench *bench = *state;
	use(bench, "p scripted 10 mode: never|q scripted 1000 mode: at_once");
	struct prepared *prepared = prepare(bench);
	assert_non_null(ask(bench, prepared));
	run_until(bench, 1);
	assert_null(fact_of(prepared, "p.said"));
	assert_non_null(fact_of(prepared, "q.said"));
	assert_int_equal(counted(bench, "p", "late"), 1);
	assert_int_equal(counted(bench, "q", "answered"), 1);
}

static void an_answer_after_the_deadline_has_no_effect(void **state)
{
	struct bench *bench = *state;
	use(bench, "p scripted 5 mode: far");
	struct prepared *prepared = prepare(bench);
	assert_non_null(ask(bench, prepared));
	run_until(bench, 1);
	assert_int_equal(counted(bench, "p", "late"), 1);
	run_for(bench, 60);
	assert_null(fact_of(prepared, "p.said"));
	assert_int_equal(counted(bench, "p", "answered"), 0);
	assert_int_equal(bench->done_count, 1);
}

static void refusals_throw_away_what_was_said(void **state)
{
	struct bench *bench = *state;
	use(bench, "p scripted 1000 mode: refuse|q scripted 1000 mode: done_and_refuse|r scripted 1000 mode: at_once");
	struct prepared *prepared = prepare(bench);
	assert_null(ask(bench, prepared));
	assert_null(fact_of(prepared, "p.said"));
	assert_null(fact_of(prepared, "q.said"));
	assert_non_null(fact_of(prepared, "r.said"));
	assert_int_equal(counted(bench, "p", "refused"), 1);
	assert_int_equal(counted(bench, "q", "refused"), 1);
}

static void bad_names_and_texts_are_told_to_the_plugin(void **state)
{
	struct bench *bench = *state;
	use(bench, "p scripted 1000 mode: wrong");
	struct prepared *prepared = prepare(bench);
	assert_null(ask(bench, prepared));
	assert_int_equal(int_fact(prepared, "p.refused"), 13);
}

static void an_answer_has_so_many_facts_and_no_more(void **state)
{
	struct bench *bench = *state;
	use(bench, "p scripted 1000 mode: many|q scripted 1000 mode: many");
	struct prepared *prepared = prepare(bench);
	assert_null(ask(bench, prepared));
	assert_int_equal(prepared->facts.count, FACTS_MAX);
	assert_non_null(fact_of(prepared, "p.f31"));
	assert_null(fact_of(prepared, "p.f32"));
	assert_int_equal(counted(bench, "q", "fact_dropped"), PLUGIN_FACTS_MAX);
}

static void a_plugin_that_never_answers_is_switched_off(void **state)
{
	struct bench *bench = *state;
	use(bench, "p scripted 1 mode: never");
	for (size_t i = 0; i < PLUGIN_LATE_MAX; i++)
		assert_non_null(ask(bench, prepare(bench)));
	run_until(bench, PLUGIN_LATE_MAX);
	assert_int_equal(counted(bench, "p", "late"), PLUGIN_LATE_MAX);
	assert_null(ask(bench, prepare(bench))); /* it is not even asked */
	use(bench, "p scripted 1 mode: never");
	assert_non_null(ask(bench, prepare(bench))); /* a reload asks it again */
	run_until(bench, PLUGIN_LATE_MAX + 1);
}

static void answers_that_come_late_do_not_pile_up(void **state)
{
	struct bench *bench = *state;
	use(bench, "p scripted 1 mode: by_hundreds");
	for (size_t asked = 100; asked <= 2 * PLUGIN_LATE_MAX; asked += 100) {
		for (size_t i = 0; i < 100; i++)
			assert_non_null(ask(bench, prepare(bench)));
		run_until(bench, asked);
	}
	assert_int_equal(counted(bench, "p", "late"), 2 * PLUGIN_LATE_MAX);
	assert_non_null(ask(bench, prepare(bench)));
	run_until(bench, 2 * PLUGIN_LATE_MAX + 1);
}

/* A rebalance cancels whole batches: that says nothing about the plug-in. */
static void cancelled_asks_do_not_switch_a_plugin_off(void **state)
{
	struct bench *bench = *state;
	use(bench, "p scripted 5000 mode: never");
	for (size_t i = 0; i < PLUGIN_LATE_MAX + 10; i++)
		plugin_host_cancel(ask(bench, prepare(bench)));
	assert_int_equal(counted(bench, "p", "cancelled"), PLUGIN_LATE_MAX + 10);
	assert_int_equal(counted(bench, "p", "late"), 0);
	struct plugin_ask *last = ask(bench, prepare(bench));
	assert_non_null(last);
	plugin_host_cancel(last);
}

static void a_cancelled_ask_calls_nobody(void **state)
{
	struct bench *bench = *state;
	use(bench, "p scripted 5000 mode: far");
	struct plugin_ask *waiting = ask(bench, prepare(bench));
	plugin_host_cancel(waiting);
	arena_done(&bench->arena); /* the prepared record is gone as well */
	bench->arena = (struct arena)ARENA_INIT;
	run_for(bench, 60);
	assert_int_equal(bench->done_count, 0);
	assert_int_equal(counted(bench, "p", "answered"), 0);
}

static void closing_copes_with_outstanding_answers(void **state)
{
	static const char *const modes[] = {"never", "at_close", "far", "watch"};
	struct bench *bench = *state;
	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
		char row[64];
		snprintf(row, sizeof row, "p scripted 5000 mode: %s", modes[i]);
		use(bench, row);
		for (int n = 0; n < 5; n++)
			plugin_host_cancel(ask(bench, prepare(bench)));
		generation_unref(bench->generation);
		bench->generation = NULL;
	}
	run_for(bench, 60);
}

/* ---- refused when they are loaded */

static void on_done_close(void *ctx)
{
	struct bench *bench = ctx;
	generation_unref(bench->generation);
	bench->generation = NULL;
	bench->done_count++;
	loop_stop(bench->loop);
}

/* The last batch of an old generation may be the one whose answer comes: its plug-in must not be on the stack then. */
static void what_follows_an_answer_may_unload_the_plugin(void **state)
{
	struct bench *bench = *state;
	use(bench, "p scripted 5000 mode: later");
	assert_non_null(plugin_host_ask(bench->generation, prepare(bench), on_done_close, bench));
	run_until(bench, 1);
	assert_null(bench->generation);
}

static void what_is_no_plugin_of_this_version_is_refused(void **state)
{
	struct bench *bench = *state;
	expect_refusal(bench, "p bad_abi 10 mode: x", "LR401", "ABI 2");
	expect_refusal(bench, "p short_size 10 mode: x", "LR401", "(8 bytes)");
	expect_refusal(bench, "p no_symbol 10 mode: x", "LR401", "exports no lr_plugin_v1");
	expect_refusal(bench, "p hollow 10 mode: x", "LR401", "leaves name, open, run or close empty");
	expect_refusal(bench, "p is_not_there 10 mode: x", "LR400", "is_not_there.so");
}

static void settings_are_checked_before_it_is_opened(void **state)
{
	struct bench *bench = *state;
	expect_refusal(bench, "p scripted 10 mode: at_once, colour: red", "LR402", "has no setting `colour`");
	expect_refusal(bench, "p scripted 10 note: x", "LR402", "needs the setting `mode`: what it does");
}

static void what_does_not_open_is_refused_with_its_reason(void **state)
{
	struct bench *bench = *state;
	expect_refusal(bench, "p scripted 10 mode: nonsense", "LR400", "no mode nonsense");
	expect_refusal(bench, "p scripted 10 mode: silent", "LR400", "does not say why");
}

static void one_bad_plugin_closes_the_good_ones(void **state)
{
	struct bench *bench = *state;
	assert_null(open_set(bench, "a scripted 10 mode: at_once|b scripted 10 mode: nonsense|c bad_abi 10 x: y", bench->loop));
	assert_int_equal(diags_error_count(bench->diags), 2);
}

static void a_check_opens_plugins_without_a_loop(void **state)
{
	struct bench *bench = *state;
	assert_non_null(open_set(bench, "p scripted 10 mode: later", NULL));
}

/* ---- a batch that is decided again */

static enum view_answer nothing_there(void *ctx, struct slice key, struct slice *ret_value)
{
	(void)ctx, (void)key, (void)ret_value;
	return VIEW_ABSENT;
}

static char *decide(struct batch *batch)
{
	const struct head tip = {.epoch = 1, .seq = 7, .hash = "0123456789abcdef"};
	const struct rules_view view = {nothing_there, NULL, NULL};
	batch_decide(batch, view, &(struct batch_work){0}, NOW, &tip);
	struct strbuf all = STRBUF_INIT;
	for (size_t i = 0; i < batch->job.event_count; i++) {
		const struct event *event = &batch->job.events[i];
		strbuf_append(&all, event->id.p, event->id.len);
		strbuf_append(&all, event->value.p, event->value.len);
	}
	char *text = xstrdup(strbuf_text(&all));
	strbuf_done(&all);
	return text;
}

static void on_prepared(void *ctx)
{
	struct batch *batch = ctx;
	on_done(batch->shard); /* the bench, see below */
}

static void a_batch_decided_again_sees_the_same_answers(void **state)
{
	struct bench *bench = *state;
	use(bench, "p scripted 5000 mode: later|q scripted 1000 mode: at_once");
	struct batch *batch = batch_new((struct shard *)bench, bench->generation, 2);
	for (int i = 0; i < 2; i++) {
		struct kafka_message *message = xcalloc(1, sizeof *message);
		message->record = (struct record){.kind = RECORD_CAPTURED,
		                                  .topic = SLICE("leads.captured"),
		                                  .offset = i,
		                                  .value = slice_of(LEAD),
		                                  .has_value = true,
		                                  .partition_count = 1};
		batch_add(batch, message);
	}
	batch_prepare(batch, NOW, on_prepared);
	assert_int_equal(batch->state, BATCH_PREPARING);
	run_until(bench, 1);
	assert_int_equal(batch->state, BATCH_WAITING);
	char *first = decide(batch);
	assert_non_null(strstr(first, "\"p.runs\":2"));
	assert_non_null(strstr(first, "\"q.runs\":1"));
	for (int again = 0; again < 3; again++) {
		batch_forget_decision(batch);
		char *second = decide(batch);
		assert_string_equal(first, second);
		free(second);
	}
	assert_int_equal(counted(bench, "p", "answered"), 2); /* it was not asked again */
	assert_int_equal(counted(bench, "q", "answered"), 2);
	free(first);
	batch_free(batch);
}

static void a_batch_that_is_freed_cancels_its_asks(void **state)
{
	struct bench *bench = *state;
	use(bench, "p scripted 5000 mode: far");
	struct batch *batch = batch_new((struct shard *)bench, bench->generation, 1);
	struct kafka_message *message = xcalloc(1, sizeof *message);
	message->record = (struct record){
		.kind = RECORD_CAPTURED, .topic = SLICE("t"), .value = slice_of(LEAD), .has_value = true, .partition_count = 1};
	batch_add(batch, message);
	batch_prepare(batch, NOW, on_prepared);
	generation_unref(bench->generation);
	bench->generation = NULL;
	batch_free(batch); /* the last reference: the plug-in is closed as well */
	run_for(bench, 60);
	assert_int_equal(bench->done_count, 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_answer_at_once_is_not_waited_for),
		TEST(an_answer_may_come_later_from_a_timer),
		TEST(an_answer_may_come_from_a_descriptor),
		TEST(plugins_are_asked_in_order_and_cleansing_ones_first),
		TEST(only_empty_fields_are_filled),
		TEST(two_instances_of_one_file_are_apart),
		TEST(a_lead_goes_on_without_an_answer_that_never_comes),
		TEST(an_answer_after_the_deadline_has_no_effect),
		TEST(refusals_throw_away_what_was_said),
		TEST(bad_names_and_texts_are_told_to_the_plugin),
		TEST(an_answer_has_so_many_facts_and_no_more),
		TEST(a_plugin_that_never_answers_is_switched_off),
		TEST(answers_that_come_late_do_not_pile_up),
		TEST(cancelled_asks_do_not_switch_a_plugin_off),
		TEST(a_cancelled_ask_calls_nobody),
		TEST(closing_copes_with_outstanding_answers),
		TEST(what_follows_an_answer_may_unload_the_plugin),
		TEST(what_is_no_plugin_of_this_version_is_refused),
		TEST(settings_are_checked_before_it_is_opened),
		TEST(what_does_not_open_is_refused_with_its_reason),
		TEST(one_bad_plugin_closes_the_good_ones),
		TEST(a_check_opens_plugins_without_a_loop),
		TEST(a_batch_decided_again_sees_the_same_answers),
		TEST(a_batch_that_is_freed_cancels_its_asks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
