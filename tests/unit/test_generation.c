/* SPDX-License-Identifier: Apache-2.0
 *
 * A generation from files to model: the sample configuration loads without a message, every diagnostic is as its golden
 * file says, and what was read is in the model.
 *
 * A case of tests/rules/diag is one text: the content of leadrouter.yaml, and after a line "#### NAME" that of NAME.
 * PLUGINS in it is the folder of the plug-ins that tests/plugins has. UPDATE=1 rewrites the golden files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <stdio.h>
#include <glob.h>
#include <cmocka.h>

#include "daemon/config.h"
#include "daemon/generation.h"
#include "daemon/loader.h"
#include "rules/base/diag.h"
#include "rules/base/strbuf.h"
#include "rules/calendar/calendar.h"
#include "rules/json/diag_json.h"
#include "rules/model.h"
#include "rules/territory.h"

static const char KEY[] = "0123456789abcdef0123456789abcdef\n";

struct fixture {
	char directory[64];
	struct diags *diags;
	struct strbuf text;
};

static void run(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void run(const char *format, ...)
{
	char command[300];
	va_list args;
	va_start(args, format);
	vsnprintf(command, sizeof command, format, args);
	va_end(args);
	assert_int_equal(system(command), 0);
}

static void write_file(const struct fixture *fixture, const char *name, const char *text, size_t len)
{
	char path[300];
	snprintf(path, sizeof path, "%s/%s", fixture->directory, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	fclose(file);
	assert_int_equal(chmod(path, strstr(name, "exposed") ? 0644 : 0600), 0);
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);
	strcpy(fixture->directory, "/tmp/lr-generation-XXXXXX");
	assert_non_null(mkdtemp(fixture->directory));
	unsetenv("CREDENTIALS_DIRECTORY");
	unsetenv("LEADROUTER_INSTANCE");
	fixture->diags = diags_new();
	write_file(fixture, "identity.key", KEY, strlen(KEY));
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	run("rm -r %s", fixture->directory);
	diags_free(fixture->diags);
	strbuf_done(&fixture->text);
	free(fixture);
	return 0;
}

static struct generation *load(struct fixture *fixture)
{
	return generation_load(fixture->directory, fixture->diags);
}

static struct generation *load_text(struct fixture *fixture, const char *yaml)
{
	write_file(fixture, "leadrouter.yaml", yaml, strlen(yaml));
	struct generation *generation = load(fixture);
	if (generation == NULL) {
		diags_render(fixture->diags, false, &fixture->text);
		fail_msg("%s", strbuf_text(&fixture->text));
	}
	return generation;
}

/* ---- whose calendar */

static const char WHOSE_CALENDAR[] =
	"dedup: {identity_key_file: identity.key}\ncleanse: {sources: [web]}\n"
	"reps: [{id: ana, calendar: madrid}, ben, eve]\n"
	"teams: [{id: east, reps: [ana, ben], calendar: office}, {id: rest, reps: [ana, eve]}]\n"
	"territories: {areas: {rows: [{country: ES, area: south}, {country: DE, area: dach}, {area: world}]}}\n"
	"routes: [{name: east, team: east, when: lead.source == 'web'}, {name: rest, team: rest}]\n"
	"calendars:\n"
	"  office: {zone: Europe/Berlin, week: {mon-fri: ['09:00-17:00']}}\n"
	"  madrid: {zone: Europe/Madrid, week: {mon-fri: ['09:00-14:00', '17:00-20:00']}}\n"
	"  sunny: {zone: Europe/Madrid, week: {mon-sun: ['10:00-14:00']}}\n"
	"  late: {zone: UTC, week: {mon-fri: ['12:00-20:00']}}\n"
	"followup:\n"
	"  calendar: late\n"
	"  calendar_by: {territory: areas, calendars: {south: sunny, dach: office}}\n";

static const char *calendar_for(const struct model *model, const char *rep, const char *team, const char *country)
{
	return calendar_name(model_calendar_of(model, model_find_rep(model, slice_of(rep)), model_find_team(model, slice_of(team)),
	                                       slice_of(country), SLICE_NONE, SLICE_NONE));
}

static void the_calendar_of_a_lead_is_the_nearest_one(void **state)
{
	struct fixture *fixture = *state;
	struct generation *generation = load_text(fixture, WHOSE_CALENDAR);
	const struct model *model = generation_model(generation);
	diags_render(fixture->diags, false, &fixture->text);
	assert_string_equal(strbuf_text(&fixture->text), "");
	assert_string_equal(calendar_for(model, "ana", "east", "ES"), "madrid"); /* the rep's own */
	assert_string_equal(calendar_for(model, "ben", "east", "ES"), "office"); /* the team's */
	assert_string_equal(calendar_for(model, "eve", "rest", "ES"), "sunny");  /* the customer's */
	assert_string_equal(calendar_for(model, "eve", "rest", "DE"), "office");
	assert_string_equal(calendar_for(model, "eve", "rest", "FR"), "late"); /* an area without one */
	assert_string_equal(calendar_for(model, "", "", ""), "late");          /* nobody yet, nothing known */
	assert_string_equal(calendar_for(model, "", "east", ""), "office");
	assert_null(model_find_calendar(model, SLICE("night")));
	assert_ptr_equal(model_find_calendar(model, SLICE("late")), model->calendar);
	assert_true(model->tzdata_version[0] != '\0');
	generation_unref(generation);
}

/* ---- the sample */

static void copy_sample(const struct fixture *fixture)
{
	run("cp -r config/leadrouter.yaml config/conf.d config/territories %s", fixture->directory);
}

static void the_sample_configuration_loads_without_a_message(void **state)
{
	struct fixture *fixture = *state;
	copy_sample(fixture);
	struct generation *generation = load(fixture);
	diags_render(fixture->diags, false, &fixture->text);
	assert_string_equal(strbuf_text(&fixture->text), "");
	assert_non_null(generation);
	const struct model *model = generation_model(generation);
	assert_true(model->rep_count >= 12);
	assert_int_equal(model->grade_count, 4);
	assert_int_equal(strlen(model->config_hash), 16);
	assert_non_null(model->regions);
	struct slice area = territory_find(model->territories[0], SLICE("FR"), SLICE_NONE, SLICE("67000"));
	assert_true(slice_is(area, "dach"));
	generation_unref(generation);
}

static char *read_all(const char *path, size_t *ret_len)
{
	FILE *file = fopen(path, "r");
	if (file == NULL)
		return NULL;
	char *text = calloc(1, 1 << 16);
	*ret_len = fread(text, 1, (1 << 16) - 1, file);
	fclose(file);
	return text;
}

static size_t count_of(const char *text, const char *what)
{
	size_t count = 0;
	for (; (text = strstr(text, what)) != NULL; text++)
		count++;
	return count;
}

/* "kafka.topics.state" is in the sample as a comment line "state: leads.state". */
static void the_sample_file_shows_every_option_with_its_default(void **state)
{
	(void)state;
	size_t len, count;
	char *text = read_all("config/leadrouter.yaml", &len);
	assert_non_null(text);
	const struct config_option *options = config_options(&count);
	for (size_t i = 0; i < count; i++) {
		char line[200];
		const char *key = strrchr(options[i].name, '.') + 1;
		snprintf(line, sizeof line, "# %s: %s", key, options[i].initial[0] ? options[i].initial : "\"\"");
		if (count_of(text, line) == 0)
			fail_msg("config/leadrouter.yaml does not show %s as \"%s\"", options[i].name, line);
	}
	free(text);
}

static void the_hash_follows_every_file_but_secrets(void **state)
{
	struct fixture *fixture = *state;
	char first[17], second[17];
	copy_sample(fixture);
	struct generation *generation = load(fixture);
	strcpy(first, generation_model(generation)->config_hash);
	generation_unref(generation);
	write_file(fixture, "identity.key", "another key, which is long enough for this", 42);
	generation = load(fixture);
	assert_string_equal(first, generation_model(generation)->config_hash);
	generation_unref(generation);
	run("echo SK,,,emea >> %s/territories/areas.csv", fixture->directory);
	generation = load(fixture);
	strcpy(second, generation_model(generation)->config_hash);
	assert_string_not_equal(first, second);
	generation_unref(generation);
}

/* ---- what is in the model */

#define MINIMAL "dedup: {identity_key_file: identity.key}\nreps: [ana]\nteams: [{id: all, reps: [ana]}]\n" \
	        "routes: [{name: rest, team: all}]\n"

static void a_minimal_configuration_has_sane_defaults(void **state)
{
	struct generation *generation = load_text(*state, MINIMAL);
	const struct model *model = generation_model(generation);
	assert_int_equal(model->grade_count, 1);
	assert_int_equal(model->grades[0].from, INT32_MIN);
	assert_false(model->grades[0].has_first_response);
	assert_true(calendar_is_open(model->calendar, 1795300000000));
	assert_true(model->dedup.windows[DEDUP_EMAIL].is_on && model->dedup.windows[DEDUP_PHONE].is_on);
	assert_int_equal(model->dedup.windows[DEDUP_EMAIL].ms, 0);
	assert_int_equal(model->sources.count, 1);
	assert_true(slice_is(model->sources.names[0], "other"));
	assert_true(slice_is(model->identity_key_id, "k1"));
	assert_true(slice_is(model->identity_secret, "0123456789abcdef0123456789abcdef"));
	assert_int_equal(model->tenant_count, 0);
	assert_null(model->routes[0].when);
	assert_int_equal(model->routes[0].place.line, 4);
	assert_string_equal(model->routes[0].place.file, "leadrouter.yaml");
	generation_unref(generation);
}

static void grades_are_ordered_and_people_sorted(void **state)
{
	struct generation *generation =
		load_text(*state, "dedup: {identity_key_file: identity.key, window: 2d 12h}\n"
	                          "tenants: [b, a]\n"
	                          "reps: [zoe, {id: ana, name: Ana}, {id: ben, active: false}]\n"
	                          "teams: [{id: two, reps: [{rep: zoe, weight: 7}, ben, ana]}, {id: one, reps: [ana]}]\n"
	                          "score:\n  grades:\n  - {grade: C, from: lowest, stops: true}\n"
	                          "  - {grade: A, from: 50, first_response: 30m, remind_before: 5m}\n"
	                          "  - {grade: B, from: -3}\n"
	                          "routes: [{name: x, when: \"lead.intent == 'high'\", team: one}, {name: rest, team: two}]\n");
	const struct model *model = generation_model(generation);
	assert_true(slice_is(model->grades[0].letter, "A"));
	assert_true(slice_is(model->grades[1].letter, "B"));
	assert_true(slice_is(model->grades[2].letter, "C"));
	assert_int_equal(model->grades[0].first_response.elapsed_ms, 1800000);
	assert_int_equal(model->dedup.windows[DEDUP_EMAIL].ms, 2 * 86400000LL + 12 * 3600000LL);
	assert_int_equal(model_find_rep(model, SLICE("ana")), 0);
	assert_int_equal(model_find_rep(model, SLICE("nobody")), SIZE_MAX);
	assert_int_equal(model_find_team(model, SLICE("one")), 0);
	const struct team *two = &model->teams[model_find_team(model, SLICE("two"))];
	assert_int_equal(two->member_count, 3);
	assert_true(slice_is(model->reps[two->members[0].rep].id, "ana"));
	assert_int_equal(two->members[2].weight, 7);
	assert_non_null(model->routes[0].when);
	assert_true(slice_is(model->routes[0].when_text, "lead.intent == 'high'"));
	assert_int_equal(model->tenant_count, 2);
	generation_unref(generation);
}

static void count_free(void *part)
{
	*(int *)part += 1;
}

static void a_part_goes_with_the_last_reference(void **state)
{
	int freed = 0;
	struct generation *generation = load_text(*state, MINIMAL);
	generation_attach(generation, &freed, count_free);
	assert_ptr_equal(generation_part(generation), &freed);
	generation_ref(generation);
	generation_unref(generation);
	assert_int_equal(freed, 0);
	generation_unref(generation);
	assert_int_equal(freed, 1);
}

static void errors_for_programs_are_json_lines(void **state)
{
	struct fixture *fixture = *state;
	const char *yaml = "dedup: {identity_key_file: identity.key}\nreps: [\"an\\ta\"]\nreps2: 1\n" \
	                   "teams: [{id: all, reps: [ana, ana]}]\n";
	write_file(fixture, "leadrouter.yaml", yaml, strlen(yaml));
	assert_null(load(fixture));
	diags_set_directory(fixture->diags, "/etc/x/");
	diags_render_json(fixture->diags, &fixture->text);
	const char *text = strbuf_text(&fixture->text);
	assert_non_null(strstr(text, "{\"severity\":\"error\",\"code\":\"LR010\",\"word\":\"unknown_key\",\"message\":"
	                             "\"there is no section `reps2`\",\"file\":\"/etc/x/leadrouter.yaml\",\"line\":3,"
	                             "\"column\":1,\"length\":5,\"label\":\"did you mean `reps`?\"}\n"));
	const char *verdict = strstr(text, "{\"verdict\":\"bad\",\"errors\":");
	assert_non_null(verdict);
	assert_string_equal(strchr(verdict, '\n'), "\n");
}

/* ---- golden files */

/* `text` with each `old` as `new`. */
static void replace(struct strbuf *out, const char *text, const char *old, const char *new)
{
	const char *found;
	while ((found = strstr(text, old)) != NULL) {
		strbuf_append(out, text, (size_t)(found - text));
		strbuf_puts(out, new);
		text = found + strlen(old);
	}
	strbuf_puts(out, text);
}

/* Beside the folder that this program is in. */
static const char *plugin_folder(void)
{
	static char path[4096];
	ssize_t len = readlink("/proc/self/exe", path, sizeof path - 100);
	assert_true(len > 0);
	path[len] = '\0';
	*strrchr(path, '/') = '\0';
	strcpy(strrchr(path, '/'), "/test-plugins");
	return path;
}

/* Writes the files of one case. The plug-ins are linked into the folder, so that the text need not change. */
static void unpack(const struct fixture *fixture, const char *text)
{
	char name[100] = "leadrouter.yaml";
	run("mkdir %s/conf.d && ln -s %s %s/PLUGINS", fixture->directory, plugin_folder(), fixture->directory);
	for (;;) {
		const char *next = strstr(text, "#### ");
		write_file(fixture, name, text, next ? (size_t)(next - text) : strlen(text));
		if (next == NULL || sscanf(next, "#### %90[^\n]", name) != 1)
			return;
		text = strchr(next, '\n') + 1;
	}
}

static void diagnose(struct fixture *fixture, const char *text, struct strbuf *out)
{
	unpack(fixture, text);
	generation_unref(loader_load(fixture->directory, NULL, NULL, NULL, fixture->diags));
	diags_set_directory(fixture->diags, "");
	struct strbuf rendered = STRBUF_INIT;
	diags_render(fixture->diags, false, &rendered);
	diags_verdict(fixture->diags, &rendered);
	strbuf_putc(&rendered, '\n');
	replace(out, rendered.bytes, fixture->directory, "DIR"); /* it differs from run to run */
	strbuf_done(&rendered);
}

static bool check_case(const char *path)
{
	void *state;
	size_t len;
	char golden[300];
	struct strbuf out = STRBUF_INIT;
	setup(&state);
	char *text = read_all(path, &len);
	assert_non_null(text);
	diagnose(state, text, &out);
	snprintf(golden, sizeof golden, "%.*s.expected", (int)(strlen(path) - strlen(".yaml")), path);
	if (getenv("UPDATE") != NULL) {
		FILE *file = fopen(golden, "w");
		assert_non_null(file);
		fputs(out.bytes, file);
		fclose(file);
	}
	char *expected = read_all(golden, &len);
	bool is_same = expected != NULL && strcmp(expected, out.bytes) == 0;
	if (!is_same)
		fprintf(stderr, "== %s\n-- expected\n%s-- got\n%s", path, expected ? expected : "(no file)\n", out.bytes);
	free(text);
	free(expected);
	strbuf_done(&out);
	teardown(&state);
	return is_same;
}

static void every_diagnostic_is_as_its_golden_file_says(void **state)
{
	(void)state;
	glob_t cases;
	size_t bad = 0;
	assert_int_equal(glob("tests/rules/diag/*.yaml", 0, NULL, &cases), 0);
	for (size_t i = 0; i < cases.gl_pathc; i++)
		bad += !check_case(cases.gl_pathv[i]);
	globfree(&cases);
	if (bad != 0)
		fail_msg("%zu golden files differ; UPDATE=1 rewrites them", bad);
}

/* What no configuration provokes. */
static const struct {
	enum err_code code;
	const char *because;
} elsewhere[] = {
	{ERR_BAD_REGEX, "a pattern in a rule is told as LR609, with its place"},
	{ERR_PLUGIN_LATE, "only a plug-in that runs can be late"},
};

static bool is_seen_elsewhere(enum err_code code)
{
	for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++)
		if (elsewhere[i].code == code)
			return true;
	return false;
}

/* LR001–LR099, LR400–LR499, LR600–LR699 and LR700–LR799: configuration, plug-ins, expressions, more configuration. */
static bool is_of_configuration(const char *number)
{
	return strncmp(number, "LR0", 3) == 0 || strncmp(number, "LR4", 3) == 0 || strncmp(number, "LR6", 3) == 0 ||
	       strncmp(number, "LR7", 3) == 0;
}

/* A code that nothing shows is a code that nobody has looked at. */
static void every_configuration_code_has_a_golden_file(void **state)
{
	(void)state;
	struct strbuf all = STRBUF_INIT;
	glob_t goldens;
	size_t len;
	assert_int_equal(glob("tests/rules/diag/*.expected", 0, NULL, &goldens), 0);
	assert_int_equal(glob("tests/rules/explain/*.transcript", GLOB_APPEND, NULL, &goldens), 0);
	for (size_t i = 0; i < goldens.gl_pathc; i++) {
		char *text = read_all(goldens.gl_pathv[i], &len);
		strbuf_append(&all, text, len);
		free(text);
	}
	globfree(&goldens);
	assert_null(strstr(all.bytes, "hunter2")); /* the password in kafka-properties.yaml */
	for (int code = ERR_NONE + 1; code < ERR_COUNT; code++) {
		char wanted[16];
		const char *number = err_number((enum err_code)code);
		snprintf(wanted, sizeof wanted, "[%s]", number);
		if (!is_of_configuration(number))
			continue;
		bool is_shown = strstr(all.bytes, wanted) != NULL, is_exempt = is_seen_elsewhere((enum err_code)code);
		if (!is_shown && !is_exempt)
			fail_msg("no golden file shows %s (%s)", number, err_word((enum err_code)code));
		if (is_shown && is_exempt)
			fail_msg("a golden file shows %s: it needs no exemption", number);
	}
	strbuf_done(&all);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_calendar_of_a_lead_is_the_nearest_one),
		TEST(the_sample_configuration_loads_without_a_message),
		cmocka_unit_test(the_sample_file_shows_every_option_with_its_default),
		TEST(the_hash_follows_every_file_but_secrets),
		TEST(a_minimal_configuration_has_sane_defaults),
		TEST(grades_are_ordered_and_people_sorted),
		TEST(a_part_goes_with_the_last_reference),
		TEST(errors_for_programs_are_json_lines),
		cmocka_unit_test(every_diagnostic_is_as_its_golden_file_says),
		cmocka_unit_test(every_configuration_code_has_a_golden_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
