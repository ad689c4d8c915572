/* SPDX-License-Identifier: Apache-2.0
 *
 * The daemon's own options: defaults, origins, errors with places, secrets, comparison for a reload.
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
#include <cmocka.h>

#include "daemon/config.h"
#include "daemon/config_files.h"
#include "rules/base/arena.h"
#include "rules/base/diag.h"
#include "rules/base/strbuf.h"
#include "rules/json/tree.h"

struct fixture {
	char directory[64];
	struct arena arena;
	struct diags *diags;
	struct config_files *files;
	struct strbuf text;
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);
	strcpy(fixture->directory, "/tmp/lr-config-XXXXXX");
	assert_non_null(mkdtemp(fixture->directory));
	fixture->diags = diags_new();
	fixture->files = config_files_new(fixture->directory);
	unsetenv("CREDENTIALS_DIRECTORY");
	unsetenv("LEADROUTER_INSTANCE");
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	char command[100];
	snprintf(command, sizeof command, "rm -r %s", fixture->directory);
	assert_int_equal(system(command), 0);
	config_files_free(fixture->files);
	diags_free(fixture->diags);
	arena_done(&fixture->arena);
	strbuf_done(&fixture->text);
	free(fixture);
	return 0;
}

static void write_file(const struct fixture *fixture, const char *name, const char *text, mode_t mode)
{
	char path[200];
	snprintf(path, sizeof path, "%s/%s", fixture->directory, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(chmod(path, mode), 0);
}

static void make_directory(const struct fixture *fixture, const char *name)
{
	char path[200];
	snprintf(path, sizeof path, "%s/%s", fixture->directory, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

static const struct config *build(struct fixture *fixture)
{
	bool is_whole;
	const struct node *root = config_files_tree(fixture->files, &fixture->arena, fixture->diags, &is_whole);
	if (root == NULL || diags_error_count(fixture->diags) != 0)
		return NULL;
	struct model_files reader = config_files_reader(fixture->files);
	return config_build(root, &reader, &fixture->arena, fixture->diags);
}

static const struct config *build_text(struct fixture *fixture, const char *yaml)
{
	write_file(fixture, "leadrouter.yaml", yaml, 0644);
	return build(fixture);
}

static const char *rendered(struct fixture *fixture)
{
	diags_render(fixture->diags, false, &fixture->text);
	return strbuf_text(&fixture->text);
}

static void every_default_is_accepted_by_its_own_row(void **state)
{
	const struct config *config = build_text(*state, "");
	assert_non_null(config);
	assert_int_equal(diags_warning_count(((struct fixture *)*state)->diags), 0);
	assert_string_equal(config->kafka_brokers, "localhost:9092");
	assert_string_equal(config->transactional_id, "leadrouter-1");
	assert_string_equal(config->redis_address.host, "127.0.0.1");
	assert_int_equal(config->redis_address.port, 6379);
	assert_int_equal(config->log_level, CONFIG_LOG_INFO);
	assert_int_equal(config->events_mode, CONFIG_EVENTS_BINARY);
	assert_int_equal(config->limits_batch_records, 500);
	assert_null(config->origins[0].path);
}

static void written_values_have_an_origin(void **state)
{
	struct fixture *fixture = *state;
	setenv("LEADROUTER_INSTANCE", "b7", 1);
	const struct config *config = build_text(fixture, "kafka:\n  group: lr\n  topics: {state: x.state}\n"
	                                                  "  properties: {security.protocol: plaintext, sasl.password: hunter2}\n"
	                                                  "redis: {url: 'unix:/run/redis.sock'}\nlog: {level: debug}\n"
	                                                  "http: {listen: ''}\n"
	                                                  "plugins: [{name: geo, path: geo.so, settings: {database: x}}]\n");
	if (config == NULL)
		fail_msg("%s", rendered(fixture));
	assert_string_equal(config->transactional_id, "lr-b7");
	assert_string_equal(config->redis_address.unix_path, "/run/redis.sock");
	assert_null(config->http_address.host);
	assert_int_equal(config->log_level, CONFIG_LOG_DEBUG);
	assert_int_equal(config->plugin_count, 1);
	assert_int_equal(config->plugins[0].deadline_ms, 200);
	config_print(config, &fixture->text);
	const char *text = strbuf_text(&fixture->text);
	assert_non_null(strstr(text, "kafka.group = \"lr\"   # leadrouter.yaml:2\n"));
	assert_non_null(strstr(text, "kafka.topics.state = \"x.state\"   # leadrouter.yaml:3\n"));
	assert_non_null(strstr(text, "log.level = debug   # leadrouter.yaml:6\n"));
	assert_non_null(strstr(text, "log.format = auto   # default\n"));
	assert_non_null(strstr(text, "kafka.properties.sasl.password = \"[redacted]\"   # leadrouter.yaml:4\n"));
	assert_null(strstr(text, "hunter2"));
}

static void a_default_that_does_not_suit_the_instance_says_so(void **state)
{
	setenv("LEADROUTER_INSTANCE", "east", 1);
	assert_null(build_text(*state, ""));
	unsetenv("LEADROUTER_INSTANCE");
	assert_non_null(strstr(rendered(*state), "the default makes `127.0.0.1:946east` of this instance's name: set http.listen"));
}

static void a_listener_is_for_this_machine_only(void **state)
{
	static const char *const fine[] = {"127.0.0.1:0", "127.1.2.3:9464", "[::1]:9464", "unix:/run/x.sock", ""};
	static const char *const bad[] = {"0.0.0.0:9464", "10.0.0.1:9464", "[::]:9464", "[2001:db8::1]:9464", "router.example.com:9464"};
	for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
		assert_non_null(build_text(*state, arena_printf(&((struct fixture *)*state)->arena, "http: {listen: '%s'}\n", fine[i])));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_null(build_text(*state, arena_printf(&((struct fixture *)*state)->arena, "control: {listen: '%s'}\n", bad[i])));
	assert_non_null(strstr(rendered(*state), "control.listen must be a loopback address or a unix socket"));
}

static void all_errors_come_at_once(void **state)
{
	struct fixture *fixture = *state;
	assert_null(build_text(fixture, "kafka:\n  gruop: x\n  instance: [1]\n  partitions: many\n  topics: {state: a/b, captured: t, activity: t}\n"
	                                "  properties: {group.id: x, linger.mss: 5, test.mock.num.brokers: 3}\n"
	                                "redis: {url: 'rediss://h:1', timeout_ms: 5}\nlog: {level: debg}\nhttp: localhost\n"
	                                "plugins: [{name: Geo, path: x}, {name: a}, {name: a, path: y, deadline: 1}]\n"));
	const char *text = rendered(fixture);
	static const char *const expected[] = {
		"did you mean `group`?", "kafka.instance must be text", "kafka.partitions must be a whole number", "a topic name has only letters",
		"kafka.topics.captured and kafka.topics.activity are the same topic", "group.id cannot be set",
		"linger.mss", "test.mock.num.brokers cannot be set", "TLS to Redis is not built in",
		"redis.timeout_ms must be from 10 to 600000, not 5", "did you mean `debug`?", "http must be a mapping",
		"a bad name for a plug-in", "a plug-in lacks the key `path`", "two plug-ins are called `a`", "unknown key `deadline`",
	};
	for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
		if (strstr(text, expected[i]) == NULL)
			fail_msg("no \"%s\" in:\n%s", expected[i], text);
	assert_int_equal(diags_error_count(fixture->diags), 16);
}

static void sections_are_united_over_files(void **state)
{
	struct fixture *fixture = *state;
	make_directory(fixture, "conf.d");
	write_file(fixture, "conf.d/20-b.yaml", "plugins: [{name: second, path: b}]\nredis: {timeout_ms: 77}\n", 0644);
	write_file(fixture, "conf.d/10-a.yaml", "plugins: [{name: first, path: a}]\n", 0644);
	write_file(fixture, "conf.d/ignored.txt", "{", 0644);
	write_file(fixture, "conf.d/.hidden.yaml", "{", 0644);
	write_file(fixture, "conf.d/almost.yml", "{", 0644);
	const struct config *config = build_text(fixture, "redis: {url: 'h:1'}\n");
	assert_non_null(config);
	assert_int_equal(config->redis_timeout_ms, 77);
	assert_string_equal(config->plugins[0].name, "first");
	assert_string_equal(config->plugins[1].name, "second");
	assert_int_equal(diags_warning_count(fixture->diags), 1);
	assert_non_null(strstr(rendered(fixture), "conf.d/almost.yml\n"));
}

static void a_key_in_two_files_names_both(void **state)
{
	struct fixture *fixture = *state;
	make_directory(fixture, "conf.d");
	write_file(fixture, "conf.d/10-a.yaml", "redis:\n  url: 'h:2'\n", 0644);
	assert_null(build_text(fixture, "redis: {url: 'h:1'}\n"));
	assert_string_equal(rendered(fixture), "error[LR014]: the key `url` is in two files\n"
	                                       " --> conf.d/10-a.yaml:2:3\n"
	                                       "  |\n"
	                                       "2 |   url: 'h:2'\n"
	                                       "  |   ^^^\n"
	                                       " ::: leadrouter.yaml:1:9\n"
	                                       "  |\n"
	                                       "1 | redis: {url: 'h:1'}\n"
	                                       "  |         --- first defined here\n"
	                                       "  = help: leadctl explain LR014\n"
	                                       "\n");
}

static void a_missing_file_is_an_error_not_an_empty_configuration(void **state)
{
	assert_null(build(*state));
	assert_non_null(strstr(rendered(*state), "leadrouter.yaml: No such file"));
}

static void a_fifo_does_not_hang_the_start(void **state)
{
	struct fixture *fixture = *state;
	char path[200];
	snprintf(path, sizeof path, "%s/leadrouter.yaml", fixture->directory);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_null(build(fixture));
	assert_non_null(strstr(rendered(fixture), "is no regular file"));
}

static void secrets_come_from_files_that_are_closed(void **state)
{
	struct fixture *fixture = *state;
	write_file(fixture, "pw", "geheim\n", 0640);
	const struct config *config = build_text(fixture, "redis: {password_file: pw}\n"
	                                                  "kafka: {properties: {sasl.password: 'file:pw'}}\n");
	assert_non_null(config);
	assert_true(slice_is(config->redis_password, "geheim"));
	assert_string_equal(config->properties[0].value, "geheim");

	make_directory(fixture, "credentials");
	write_file(fixture, "credentials/pw", "other", 0400);
	char path[200];
	snprintf(path, sizeof path, "%s/credentials", fixture->directory);
	setenv("CREDENTIALS_DIRECTORY", path, 1);
	config = build(fixture);
	assert_non_null(config);
	assert_true(slice_is(config->redis_password, "other"));
	unsetenv("CREDENTIALS_DIRECTORY");

	write_file(fixture, "pw", "geheim", 0644);
	assert_null(build(fixture));
	assert_non_null(strstr(rendered(fixture), "error[LR005]: everybody can read the secret"));
	assert_null(strstr(rendered(fixture), "geheim"));
}

struct change {
	size_t fixed, reloadable;
};

static void on_change(void *ctx, const char *name, const char *before, const char *after, bool is_reloadable)
{
	struct change *change = ctx;
	if (strcmp(name, "kafka.group") == 0)
		assert_string_equal(before, "\"leadrouter\"");
	if (strcmp(name, "log.level") == 0)
		assert_string_equal(after, "error");
	*(is_reloadable ? &change->reloadable : &change->fixed) += 1;
}

static void a_comparison_tells_what_may_be_reloaded(void **state)
{
	struct change change = {0, 0};
	const struct config *before = build_text(*state, "kafka: {properties: {socket.timeout.ms: 5000}}\n");
	const struct config *after = build_text(*state, "kafka: {group: x}\nlog: {level: error}\n");
	assert_int_equal(config_compare(before, after, on_change, &change), 3);
	assert_int_equal(change.fixed, 2);
	assert_int_equal(change.reloadable, 1);
	assert_int_equal(config_compare(before, before, on_change, &change), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(every_default_is_accepted_by_its_own_row),
		TEST(written_values_have_an_origin),
		TEST(a_default_that_does_not_suit_the_instance_says_so),
		TEST(a_listener_is_for_this_machine_only),
		TEST(all_errors_come_at_once),
		TEST(sections_are_united_over_files),
		TEST(a_key_in_two_files_names_both),
		TEST(a_missing_file_is_an_error_not_an_empty_configuration),
		TEST(a_fifo_does_not_hang_the_start),
		TEST(secrets_come_from_files_that_are_closed),
		TEST(a_comparison_tells_what_may_be_reloaded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
