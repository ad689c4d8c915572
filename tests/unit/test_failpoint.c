/* SPDX-License-Identifier: Apache-2.0
 *
 * Failpoints as a test build has them: this program brings its own copy of failpoint.c, compiled with them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define LR_FAILPOINTS
#include "daemon/failpoint.c"

#include <sys/wait.h>

/* The wait status of a child that passes "commit.offsets" `passes` times and another place once. */
static int status_of(const char *setting, int passes)
{
	int status = 0;
	pid_t child = fork();
	if (child == 0) {
		setenv("LR_FAILPOINT", setting, 1);
		if (freopen("/dev/null", "w", stderr) == NULL)
			_exit(9);
		failpoint(RENEW);
		for (int i = 0; i < passes; i++)
			failpoint(COMMIT_OFFSETS);
		_exit(0);
	}
	waitpid(child, &status, WUNTRACED);
	if (WIFSTOPPED(status)) {
		kill(child, SIGCONT);
		int last = 0;
		waitpid(child, &last, 0);
	}
	return status;
}

static void it_strikes_at_the_nth_pass(void **state)
{
	(void)state;
	int status = status_of("commit.offsets:3:kill", 3);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	status = status_of("commit.offsets:3:kill", 2);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	status = status_of("commit.offsets:1:exit", 5);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == FAILPOINT_EXIT_CODE);
	status = status_of("commit.offsets:2:stop", 2);
	assert_true(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
}

static void a_misspelt_setting_ends_the_process_at_once(void **state)
{
	(void)state;
	static const char *const WRONG[] = {"commit.offset:1:kill", "commit.offsets", "commit.offsets:0:kill",
	                                    "commit.offsets:1", "commit.offsets:1:die", ":1:kill"};
	for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
		int status = status_of(WRONG[i], 0);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 2);
	}
}

static void without_a_setting_nothing_happens(void **state)
{
	(void)state;
	int status = status_of("", 3);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_string_equal(failpoint_name(FAILPOINT_EPOCH_INSTALL), "epoch.install");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_strikes_at_the_nth_pass),
		cmocka_unit_test(a_misspelt_setting_ends_the_process_at_once),
		cmocka_unit_test(without_a_setting_nothing_happens),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
