/* SPDX-License-Identifier: Apache-2.0
 *
 * leadctl dev: the embedded broker in a process of its own. For trying only, and it says so.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "daemon/ctl/ctl.h"
#include "daemon/mock_broker.h"

enum { PARTITIONS_MAX = 64 };

/* Whoever waits for the file must not wait in vain. */
static int write_address(const char *path, const char *address, struct err *err)
{
	FILE *file = fopen(path, "we");
	bool is_written = file != NULL && fprintf(file, "%s\n", address) > 0;
	if (file != NULL && fclose(file) != 0)
		is_written = false;
	return is_written ? 0 : err_set(err, ERR_TOOL_FILE, "%s: %s", path, strerror(errno));
}

static void wait_for_interrupt(void)
{
	sigset_t set;
	int number;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigwait(&set, &number);
}

int ctl_dev(const struct ctl_args *args)
{
	if (args->partitions > PARTITIONS_MAX)
		return ctl_usage("at most %d partitions", PARTITIONS_MAX);
	int32_t count = args->partitions > 0 ? (int32_t)args->partitions : 1;
	const struct mock_topic topics[] = {
		{"leads.captured", count},  {"leads.activity", count}, {"leads.state", count},    {"leads.assignments", count},
		{"leads.followups", count}, {"leads.lifecycle", count}, {"leads.rejected", count},
	};
	struct err err = ERR_INIT;
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL); /* before the broker's threads: they inherit it, so only sigwait gets them */
	struct mock_broker *broker = mock_broker_new(topics, sizeof topics / sizeof *topics, 1, &err);
	if (broker == NULL)
		return ctl_fail(CTL_UNAVAILABLE, &err);
	const char *address = mock_broker_address(broker);
	fprintf(stderr, "embedded broker (librdkafka's mock cluster) for trying only: it keeps no transactional offsets and\n"
	                "forgets everything when it ends. Interrupt to stop.\n");
	puts(address);
	fflush(stdout);
	bool is_told = args->port_file == NULL || write_address(args->port_file, address, &err) == 0;
	if (is_told)
		wait_for_interrupt();
	mock_broker_free(broker);
	return is_told ? CTL_OK : ctl_fail(CTL_FAILED, &err);
}
