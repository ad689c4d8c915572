/* SPDX-License-Identifier: Apache-2.0
 *
 * One line is one line whatever is in it, contact data is masked, and what a service manager is told (log.c, notify.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <inttypes.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include <jansson.h>

#include "daemon/log.h"
#include "daemon/notify.h"
#include "rules/base/mem.h"

struct bench {
	int fds[2];
	struct log *log;
	char text[4 * LOG_LINE_BYTES];
};

static int setup(void **state)
{
	struct bench *bench = xcalloc(1, sizeof *bench);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, bench->fds), 0);
	bench->log = log_new(bench->fds[1], LOG_LEVEL_INFO, LOG_FORMAT_JSON, false);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;
	log_free(bench->log);
	close(bench->fds[0]);
	close(bench->fds[1]);
	free(bench);
	return 0;
}

/* What one write() brought; a line is one. "" when there was none. */
static const char *written(struct bench *bench)
{
	ssize_t len = recv(bench->fds[0], bench->text, sizeof bench->text - 1, MSG_DONTWAIT);
	bench->text[len < 0 ? 0 : len] = '\0';
	return bench->text;
}

static json_t *parsed(struct bench *bench)
{
	const char *text = written(bench);
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1); /* one line, whole */
	assert_true(strlen(text) <= LOG_LINE_BYTES);
	json_t *line = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	if (line == NULL)
		fail_msg("no JSON: %s", text);
	return line;
}

static void expect(json_t *line, const char *name, const char *wanted)
{
	assert_string_equal(json_string_value(json_object_get(line, name)), wanted);
}

static void fields_have_their_types(void **state)
{
	struct bench *bench = *state;
	log_write(bench->log, LOG_LEVEL_WARNING, "hello", LOG_TEXT("t", "x"), LOG_INT("i", -3), LOG_BOOL("b", true),
	          LOG_SLICE("none", SLICE_NONE));
	json_t *line = parsed(bench);
	expect(line, "level", "warning");
	expect(line, "msg", "hello");
	expect(line, "t", "x");
	expect(line, "none", "");
	assert_int_equal(json_integer_value(json_object_get(line, "i")), -3);
	assert_true(json_is_true(json_object_get(line, "b")));
	assert_int_equal(strlen(json_string_value(json_object_get(line, "ts"))), strlen("2026-11-21T22:05:15.026Z"));
	json_decref(line);
}

static void nothing_from_outside_forges_a_line(void **state)
{
	static const char *const texts[] = {
		"a\n{\"ts\":\"\",\"level\":\"error\",\"msg\":\"forged\"}", "a\r\nb", "\"},{\"msg\":\"forged\"", "\x1b[2J\x1b]0;title\x07",
		"\\", "\xff\xfe bad", "\xe2\x80\xa8 line separator \xc2\x85 next line", "\x7f\x01",
	};
	struct bench *bench = *state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		log_write(bench->log, LOG_LEVEL_INFO, "m", LOG_TEXT("value", texts[i]));
		json_t *line = parsed(bench);
		assert_int_equal(json_object_size(line), 4);
		expect(line, "msg", "m");
		for (const char *at = bench->text; at[1] != '\0'; at++)
			assert_true((unsigned char)*at >= ' ' && *at != 0x7f);
		json_decref(line);
	}
	log_configure(bench->log, LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		log_write(bench->log, LOG_LEVEL_INFO, "m", LOG_TEXT("value", texts[i]));
		const char *text = written(bench);
		assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
		assert_null(strchr(text, '\x1b'));
		assert_null(strchr(text, '\r'));
	}
}

static void contact_data_is_masked_in_both_forms(void **state)
{
	struct bench *bench = *state;
	for (int format = LOG_FORMAT_JSON; format <= LOG_FORMAT_TEXT; format++) {
		struct err err = ERR_INIT;
		log_configure(bench->log, LOG_LEVEL_INFO, (enum log_format)format);
		log_write(bench->log, LOG_LEVEL_INFO, "m", LOG_TEXT("mail", "to ana.schmidt@example.com now"),
		          LOG_TEXT("phone", "call +49 151 1234 5678"), LOG_TEXT("hash", "0123456789abcdef"));
		const char *text = written(bench);
		assert_null(strstr(text, "ana.schmidt"));
		assert_null(strstr(text, "1234 5678"));
		assert_non_null(strstr(text, "0123456789abcdef"));
		err_set(&err, ERR_BAD_EMAIL, "bad address ben.jonson@example.com");
		log_err(bench->log, LOG_LEVEL_ERROR, "m", &err);
		text = written(bench);
		assert_null(strstr(text, "ben.jonson"));
		assert_non_null(strstr(text, "LR140"));
		assert_non_null(strstr(text, "bad_email"));
	}
}

static void long_lines_lose_fields_and_say_so(void **state)
{
	struct bench *bench = *state;
	char *big = xcalloc(LOG_LINE_BYTES + 1, 1);
	memset(big, 'x', LOG_LINE_BYTES);
	log_write(bench->log, LOG_LEVEL_INFO, "m", LOG_TEXT("a", "first"), LOG_TEXT("big", big), LOG_TEXT("z", "last"));
	json_t *line = parsed(bench);
	expect(line, "a", "first");
	expect(line, "z", "last");
	assert_null(json_object_get(line, "big"));
	assert_int_equal(json_integer_value(json_object_get(line, "fields_left_out")), 1);
	json_decref(line);
	/* bytes that become six in JSON must not make the line longer than it may be */
	memset(big, '"', LOG_LINE_BYTES);
	big[3000] = '\0';
	log_write(bench->log, LOG_LEVEL_INFO, "m", LOG_TEXT("a", big), LOG_TEXT("b", big), LOG_TEXT("c", big));
	json_decref(parsed(bench));
	struct log_field many[LOG_FIELDS_MAX + 3];
	char names[LOG_FIELDS_MAX + 3][8];
	for (size_t i = 0; i < LOG_FIELDS_MAX + 3; i++) {
		snprintf(names[i], sizeof names[i], "f%zu", i);
		many[i] = LOG_INT(names[i], (int64_t)i);
	}
	log_line(bench->log, LOG_LEVEL_INFO, "m", many, LOG_FIELDS_MAX + 3);
	line = parsed(bench);
	assert_int_equal(json_integer_value(json_object_get(line, "fields_left_out")), 3);
	json_decref(line);
	free(big);
}

static void levels_and_priorities(void **state)
{
	struct bench *bench = *state;
	log_write(bench->log, LOG_LEVEL_DEBUG, "no", LOG_INT("n", 1));
	assert_string_equal(written(bench), "");
	log_configure(bench->log, LOG_LEVEL_DEBUG, LOG_FORMAT_JSON);
	log_write(bench->log, LOG_LEVEL_DEBUG, "yes", LOG_INT("n", 1));
	json_decref(parsed(bench));
	log_free(bench->log);
	bench->log = log_new(bench->fds[1], LOG_LEVEL_INFO, LOG_FORMAT_TEXT, true);
	log_write(bench->log, LOG_LEVEL_ERROR, "x", LOG_INT("n", 1));
	assert_memory_equal(written(bench), "<3>", 3);
	log_write(bench->log, LOG_LEVEL_INFO, "x", LOG_INT("n", 1));
	assert_memory_equal(written(bench), "<6>", 3);
}

/* ---- notify */

struct manager {
	int fd;
	char text[600];
};

static struct notify *listen_as_manager(struct manager *manager, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = strlen(path);
	memcpy(address.sun_path, path, len);
	if (*path == '@')
		address.sun_path[0] = '\0';
	else
		unlink(path);
	manager->fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	assert_int_equal(bind(manager->fd, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)), 0);
	setenv("NOTIFY_SOCKET", path, 1);
	return notify_new();
}

static const char *told(struct manager *manager)
{
	ssize_t len = recv(manager->fd, manager->text, sizeof manager->text - 1, MSG_DONTWAIT);
	manager->text[len < 0 ? 0 : len] = '\0';
	return manager->text;
}

static void a_manager_is_told(void **state)
{
	char file[64], name[64];
	(void)state;
	snprintf(file, sizeof file, "/tmp/lr-notify-%d", (int)getpid());
	snprintf(name, sizeof name, "@lr-notify-%d", (int)getpid());
	const char *const paths[] = {file, name};
	for (size_t i = 0; i < 2; i++) {
		struct manager manager;
		struct notify *notify = listen_as_manager(&manager, paths[i]);
		assert_null(getenv("NOTIFY_SOCKET"));
		notify_ready(notify, "routing");
		assert_string_equal(told(&manager), "READY=1\nSTATUS=routing");
		notify_status(notify, "waiting");
		assert_string_equal(told(&manager), "STATUS=waiting");
		notify_stopping(notify, "draining");
		assert_string_equal(told(&manager), "STOPPING=1\nSTATUS=draining");
		notify_watchdog(notify);
		assert_string_equal(told(&manager), "WATCHDOG=1");
		uint64_t usec;
		struct timespec now;
		notify_reloading(notify);
		clock_gettime(CLOCK_MONOTONIC, &now);
		assert_int_equal(sscanf(told(&manager), "RELOADING=1\nMONOTONIC_USEC=%" SCNu64, &usec), 1);
		assert_true(usec / 1000000 <= (uint64_t)now.tv_sec && usec / 1000000 + 2 >= (uint64_t)now.tv_sec);
		close(manager.fd);
		notify_watchdog(notify); /* a manager that has gone is no reason to stop */
		notify_free(notify);
	}
	unlink(file);
}

static void without_a_manager_nothing_is_sent(void **state)
{
	(void)state;
	static const char *const odd[] = {"", "relative", "/", "@"};
	char path_that_is_too_long[300];
	unsetenv("NOTIFY_SOCKET");
	memset(path_that_is_too_long, '/', sizeof path_that_is_too_long);
	path_that_is_too_long[299] = '\0';
	for (size_t i = 0; i < 6; i++) {
		if (i > 0)
			setenv("NOTIFY_SOCKET", i < 5 ? odd[i - 1] : path_that_is_too_long, 1);
		struct notify *notify = notify_new();
		notify_ready(notify, "x");
		notify_reloading(notify);
		notify_free(notify);
	}
	notify_free(NULL);
}

static void the_watchdog_is_ours_only_by_process_id(void **state)
{
	(void)state;
	char pid[16];
	setenv("WATCHDOG_USEC", "3000000", 1);
	struct notify *notify = notify_new();
	assert_int_equal(notify_watchdog_ms(notify), 3000);
	assert_null(getenv("WATCHDOG_USEC"));
	notify_free(notify);
	setenv("WATCHDOG_USEC", "3000000", 1);
	setenv("WATCHDOG_PID", "1", 1);
	notify = notify_new();
	assert_int_equal(notify_watchdog_ms(notify), 0);
	notify_free(notify);
	snprintf(pid, sizeof pid, "%d", (int)getpid());
	setenv("WATCHDOG_USEC", "3000000", 1);
	setenv("WATCHDOG_PID", pid, 1);
	notify = notify_new();
	assert_int_equal(notify_watchdog_ms(notify), 3000);
	notify_free(notify);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(fields_have_their_types),
		TEST(nothing_from_outside_forges_a_line),
		TEST(contact_data_is_masked_in_both_forms),
		TEST(long_lines_lose_fields_and_say_so),
		TEST(levels_and_priorities),
		cmocka_unit_test(a_manager_is_told),
		cmocka_unit_test(without_a_manager_nothing_is_sent),
		cmocka_unit_test(the_watchdog_is_ours_only_by_process_id),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
