/* SPDX-License-Identifier: Apache-2.0
 *
 * leadctl test: which files, in which order, with which report, and the exit code.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/ctl/ctl.h"
#include "daemon/ctl/test.h"
#include "rules/base/diag.h"
#include "rules/base/mem.h"
#include "rules/json/json.h"

enum { PATH_BYTES = 4096 };

struct session {
	const struct ctl_args *args;
	char **paths; /* heap, each too */
	size_t path_count;
	struct test_file **files;
	size_t file_count;
	struct test_result **results;
	size_t result_count, failed;
	struct test_setting setting;
	size_t dumped;
	struct test_fault *faults; /* files that are invalid */
	size_t fault_count;
};

/* ---- which files */

static void add_path(struct session *session, const char *path)
{
	session->paths = xreallocarray(session->paths, session->path_count + 1, sizeof *session->paths);
	session->paths[session->path_count++] = xstrdup(path);
}

static int by_bytes(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

static bool is_test_name(const char *name)
{
	size_t len = strlen(name);
	return name[0] != '.' && len > 5 && strcmp(name + len - 5, ".yaml") == 0;
}

/* The *.yaml of a directory in byte order. false: it cannot be read. */
static bool add_directory(struct session *session, const char *path)
{
	char full[PATH_BYTES];
	size_t from = session->path_count;
	DIR *directory = opendir(path);
	if (directory == NULL)
		return false;
	const struct dirent *entry;
	while ((entry = readdir(directory)) != NULL)
		if (is_test_name(entry->d_name) && session->path_count < TEST_FILES_MAX &&
		    snprintf(full, sizeof full, "%s/%s", path, entry->d_name) < (int)sizeof full)
			add_path(session, full);
	closedir(directory);
	if (session->path_count > from)
		qsort(session->paths + from, session->path_count - from, sizeof *session->paths, by_bytes);
	return true;
}

static bool is_directory(const char *path)
{
	struct stat status;
	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static int find_files(struct session *session, struct err *err)
{
	char path[PATH_BYTES];
	const struct ctl_args *args = session->args;
	for (int i = 0; i < args->rest_count; i++)
		if (!is_directory(args->rest[i]))
			add_path(session, args->rest[i]);
		else if (!add_directory(session, args->rest[i]))
			return err_set(err, ERR_TOOL_FILE, "cannot read %s: %s", args->rest[i], strerror(errno));
	snprintf(path, sizeof path, "%s/tests", args->directory);
	if (args->rest_count == 0)
		add_directory(session, path);
	if (session->path_count == 0)
		return err_set(err, ERR_NO_TESTS, "no *.yaml in %s: name a file, or put tests there",
		               args->rest_count == 0 ? path : args->rest[0]);
	return 0;
}

/* ---- running */

static void print(struct strbuf *text, FILE *stream)
{
	fwrite(strbuf_text(text), 1, text->len, stream);
	strbuf_done(text);
}

static void put_hidden(const struct diags *diags, struct strbuf *out)
{
	if (diags_hidden_count(diags) == 0)
		return;
	diags_verdict(diags, out);
	strbuf_puts(out, "\n\n");
}

static void show_errors(struct session *session, const char *path, struct diags *diags)
{
	struct strbuf out = STRBUF_INIT, plain = STRBUF_INIT;
	diags_render(diags, isatty(STDERR_FILENO), &out);
	put_hidden(diags, &out);
	print(&out, stderr);
	diags_render(diags, false, &plain);
	put_hidden(diags, &plain);
	session->faults = xreallocarray(session->faults, session->fault_count + 1, sizeof *session->faults);
	session->faults[session->fault_count++] = (struct test_fault){path, strbuf_detach(&plain, NULL)};
}

static void report(struct session *session, const struct test_result *result)
{
	struct strbuf out = STRBUF_INIT;
	if (session->args->json)
		test_report_json(result, &out);
	else if (ctl_option(session->args, "tap") != NULL)
		test_report_tap(result, session->result_count, &out);
	else if (result->has_failed || ctl_option(session->args, "ids") == NULL)
		test_report_text(result, isatty(STDOUT_FILENO), &out);
	print(&out, stdout);
}

static void run_tests(struct session *session, struct test_file *file, const struct test_rules *rules, struct diags *diags)
{
	for (size_t i = 0; i < file->test_count; i++) {
		struct test_result *result = xcalloc(1, sizeof *result);
		if (!test_run(&session->setting, file, &file->tests[i], rules, result, diags)) {
			test_result_done(result); /* its own rules are invalid: neither passed nor failed */
			free(result);
			continue;
		}
		session->results = xreallocarray(session->results, session->result_count + 1, sizeof(struct test_result *));
		session->results[session->result_count++] = result;
		session->failed += result->has_failed;
		report(session, result);
	}
}

static void run_file(struct session *session, const char *path)
{
	struct diags *diags = diags_new();
	struct test_rules *rules = NULL;
	struct test_file *file = test_file_read(path, diags);
	if (file != NULL) {
		session->files = xreallocarray(session->files, session->file_count + 1, sizeof(struct test_file *));
		session->files[session->file_count++] = file;
		rules = test_rules_of_file(file, session->setting.site, diags);
	}
	if (rules != NULL)
		run_tests(session, file, rules, diags);
	if (diags_error_count(diags) != 0)
		show_errors(session, path, diags);
	test_rules_free(rules);
	diags_free(diags);
}

/* ---- summing up */

static int write_junit(const struct session *session, const char *path, struct err *err)
{
	struct strbuf out = STRBUF_INIT;
	FILE *file = fopen(path, "we");
	if (file == NULL)
		return err_set(err, ERR_TOOL_FILE, "cannot write %s: %s", path, strerror(errno));
	test_report_junit(session->results, session->result_count, session->faults, session->fault_count, &out);
	bool is_good = fwrite(strbuf_text(&out), 1, out.len, file) == out.len;
	strbuf_done(&out);
	if (fclose(file) != 0 || !is_good)
		return err_set(err, ERR_TOOL_FILE, "cannot write %s: %s", path, strerror(errno));
	return 0;
}

static void put_json_summary(const struct session *session, struct strbuf *out)
{
	struct json_writer writer = JSON_WRITER(out);
	json_open_object(&writer, NULL);
	json_put_text(&writer, "verdict", session->fault_count ? SLICE("invalid") : session->failed ? SLICE("failed") : SLICE("passed"));
	json_put_int(&writer, "files", (int64_t)session->file_count);
	json_put_int(&writer, "passed", (int64_t)(session->result_count - session->failed));
	json_put_int(&writer, "failed", (int64_t)session->failed);
	json_close_object(&writer);
	strbuf_putc(out, '\n');
}

static void put_summary(const struct session *session, struct strbuf *out)
{
	if (ctl_option(session->args, "ids") != NULL)
		test_report_ids(session->results, session->result_count, out);
	if (session->setting.coverage != NULL)
		test_coverage_put(session->setting.coverage, out);
	strbuf_printf(out, "%zu passed, %zu failed\n", session->result_count - session->failed, session->failed);
}

static void sum_up(const struct session *session)
{
	struct strbuf out = STRBUF_INIT;
	if (session->args->json) {
		if (session->setting.coverage != NULL)
			test_coverage_put_json(session->setting.coverage, &out);
		put_json_summary(session, &out);
	} else if (ctl_option(session->args, "tap") != NULL) {
		if (session->fault_count != 0)
			strbuf_printf(&out, "Bail out! %s is invalid\n", session->faults[0].path);
		else
			strbuf_printf(&out, "1..%zu\n", session->result_count);
	} else {
		put_summary(session, &out);
	}
	print(&out, stdout);
}

static int run_all(struct session *session)
{
	struct err err = ERR_INIT;
	const char *junit = ctl_option(session->args, "junit");
	if (find_files(session, &err) != 0)
		return ctl_fail(CTL_USAGE, &err);
	if (ctl_option(session->args, "tap") != NULL)
		puts("TAP version 14");
	for (size_t i = 0; i < session->path_count; i++)
		run_file(session, session->paths[i]);
	sum_up(session);
	if (junit != NULL && write_junit(session, junit, &err) != 0)
		return ctl_fail(CTL_USAGE, &err);
	return session->fault_count != 0 ? CTL_CONFIG : session->failed != 0 ? CTL_FAILED : CTL_OK;
}

static void session_done(struct session *session)
{
	for (size_t i = 0; i < session->result_count; i++) {
		test_result_done(session->results[i]);
		free(session->results[i]);
	}
	for (size_t i = 0; i < session->file_count; i++)
		test_file_free(session->files[i]);
	for (size_t i = 0; i < session->path_count; i++)
		free(session->paths[i]);
	for (size_t i = 0; i < session->fault_count; i++)
		free(session->faults[i].text);
	free(session->faults);
	free(session->results);
	free(session->files);
	free(session->paths);
	test_coverage_free(session->setting.coverage);
	test_site_free(session->setting.site);
}

static bool read_batch(const char *text, size_t *ret)
{
	char *end;
	unsigned long number = text != NULL ? strtoul(text, &end, 10) : 1;
	if (text != NULL && (*text < '1' || *text > '9' || *end != '\0' || number > TEST_BATCH_MAX))
		return false;
	*ret = number;
	return true;
}

int ctl_test(const struct ctl_args *args)
{
	if (args->json && ctl_option(args, "tap") != NULL)
		return ctl_usage("--json and --tap exclude each other");
	size_t batch;
	if (!read_batch(ctl_option(args, "batch"), &batch))
		return ctl_usage("--batch is a number from 1 to %d", TEST_BATCH_MAX);
	struct session session = {.args = args, .setting = {.site = test_site_new(args->directory), .batch = batch}};
	if (ctl_option(args, "coverage") != NULL)
		session.setting.coverage = test_coverage_new();
	session.setting.dump = ctl_option(args, "dump");
	session.setting.dumped = &session.dumped;
	session.setting.trace = ctl_option(args, "trace") != NULL;
	int code = run_all(&session);
	session_done(&session);
	return code;
}
