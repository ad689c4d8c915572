/* SPDX-License-Identifier: Apache-2.0
 *
 * When lines are written: at once, or gathered until the loop's turn is over; always whole and in order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "daemon/log.h"
#include "daemon/loop.h"

struct rig {
	int read_fd, write_fd;
	struct loop *loop;
	struct log *log;
	char text[65536];
};

static void rig_init(struct rig *rig)
{
	int fds[2];
	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	*rig = (struct rig){.read_fd = fds[0], .write_fd = fds[1]};
	rig->loop = loop_new();
	rig->log = log_new(rig->write_fd, LOG_LEVEL_INFO, LOG_FORMAT_JSON, false);
	log_gather(rig->log, rig->loop);
}

static void rig_done(struct rig *rig)
{
	log_gather(rig->log, NULL);
	log_free(rig->log);
	loop_free(rig->loop);
	close(rig->read_fd);
	close(rig->write_fd);
}

/* What has been written since; counts the lines. */
static size_t lines_written(struct rig *rig)
{
	size_t lines = 0;
	ssize_t got = read(rig->read_fd, rig->text, sizeof rig->text - 1);
	rig->text[got > 0 ? got : 0] = '\0';
	for (const char *at = rig->text; (at = strchr(at, '\n')) != NULL; at++)
		lines++;
	if (got > 0)
		assert_int_equal(rig->text[got - 1], '\n');
	return lines;
}

static void say(struct rig *rig, enum log_level level, int number)
{
	log_write(rig->log, level, "said", LOG_INT("number", number));
}

static void stop(void *ctx)
{
	loop_stop(ctx);
}

static void turn(struct rig *rig)
{
	loop_defer(rig->loop, stop, rig->loop);
	loop_run(rig->loop);
}

static void lines_gather_until_the_turn_is_over(void **state)
{
	(void)state;
	struct rig rig;
	rig_init(&rig);
	say(&rig, LOG_LEVEL_INFO, 1);
	say(&rig, LOG_LEVEL_INFO, 2);
	assert_int_equal(lines_written(&rig), 0);
	turn(&rig);
	assert_int_equal(lines_written(&rig), 2);
	say(&rig, LOG_LEVEL_INFO, 3);
	turn(&rig);
	assert_int_equal(lines_written(&rig), 1);
	rig_done(&rig);
}

static void an_error_takes_along_what_was_said_before(void **state)
{
	(void)state;
	struct rig rig;
	rig_init(&rig);
	say(&rig, LOG_LEVEL_INFO, 1);
	say(&rig, LOG_LEVEL_ERROR, 2);
	assert_int_equal(lines_written(&rig), 2);
	assert_true(strstr(rig.text, "\"number\":1") < strstr(rig.text, "\"number\":2"));
	say(&rig, LOG_LEVEL_WARNING, 3);
	assert_int_equal(lines_written(&rig), 1);
	rig_done(&rig);
}

static void *say_from_elsewhere(void *ctx)
{
	say(ctx, LOG_LEVEL_INFO, 2);
	return NULL;
}

static void other_threads_write_at_once_and_in_order(void **state)
{
	(void)state;
	struct rig rig;
	pthread_t thread;
	rig_init(&rig);
	say(&rig, LOG_LEVEL_INFO, 1);
	assert_int_equal(pthread_create(&thread, NULL, say_from_elsewhere, &rig), 0);
	pthread_join(thread, NULL);
	assert_int_equal(lines_written(&rig), 2);
	assert_true(strstr(rig.text, "\"number\":1") < strstr(rig.text, "\"number\":2"));
	rig_done(&rig);
}

static void many_lines_are_written_whole(void **state)
{
	(void)state;
	struct rig rig;
	rig_init(&rig);
	for (int i = 0; i < 300; i++)
		say(&rig, LOG_LEVEL_INFO, i);
	size_t before = lines_written(&rig);
	assert_true(before > 0 && before < 300);
	turn(&rig);
	assert_int_equal(before + lines_written(&rig), 300);
	rig_done(&rig);
}

static void the_last_lines_come_at_the_end(void **state)
{
	(void)state;
	struct rig rig;
	rig_init(&rig);
	say(&rig, LOG_LEVEL_INFO, 1);
	log_gather(rig.log, NULL);
	assert_int_equal(lines_written(&rig), 1);
	say(&rig, LOG_LEVEL_INFO, 2);
	assert_int_equal(lines_written(&rig), 1);
	rig_done(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_gather_until_the_turn_is_over),
		cmocka_unit_test(an_error_takes_along_what_was_said_before),
		cmocka_unit_test(other_threads_write_at_once_and_in_order),
		cmocka_unit_test(many_lines_are_written_whole),
		cmocka_unit_test(the_last_lines_come_at_the_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
