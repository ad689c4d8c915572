/* SPDX-License-Identifier: Apache-2.0
 *
 * leadrouterd: options, build the parts, run, tear down. No logic here; this is the map.
 *
 *   process        builds all parts, signals, watchdog, reload, drain
 *   generation     config (options) + model (compiled rules) + plug-in instances, under one reference count
 *     yaml, config_files, config, ../rules/model     text -> tree -> options and rules
 *     plugin_host, ../plugins/plugin.h               steps that can be replaced
 *   router         the shards of this process
 *     shard, shard_open, shard_run                   claim, compare, catch up or rebuild, run, back after an abort
 *     batch                                          records -> prepared -> decided; its layer of the overlay
 *     commit                                         what goes into a transaction, and what each failure means
 *   kafka_in       the consumer          committer, kafka_txn   the commit thread and its calls
 *   state_log      leads.state read back view, redis, *.lua     the working view, compare-and-set on the head
 *   admin, control, http                 /metrics and friends; what leadctl asks
 *   loop, clock, log, stats, notify      what everything stands on
 *
 * What is decided, and why, is in rules/: begin with rules/rules.h.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/process.h"
#include "rules/base/strbuf.h"

enum { EXIT_USAGE = 2, EXIT_AWAY = 69, EXIT_CONFIG = 78 };

static const char USAGE[] =
	"usage: leadrouterd -c DIR          route leads with the configuration in DIR\n"
	"       leadrouterd -c DIR -t       check the configuration as start does, and exit\n"
	"       leadrouterd -V              print the version\n"
	"\n"
	"DIR holds leadrouter.yaml and conf.d/*.yaml (default: $LEADROUTER_CONFIG or /etc/leadrouter).\n"
	"A group's first start needs `leadctl bootstrap` once. See leadrouterd(8).\n";

static const struct option LONG[] = {
	{"config", required_argument, NULL, 'c'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{NULL, 0, NULL, 0},
};

static int check(const char *directory)
{
	struct strbuf out = STRBUF_INIT;
	bool is_good = process_check(directory, &out);
	fputs(strbuf_text(&out), stderr);
	strbuf_done(&out);
	return is_good ? EXIT_SUCCESS : EXIT_CONFIG;
}

static int run(const char *directory)
{
	struct strbuf out = STRBUF_INIT;
	struct err err = ERR_INIT;
	struct process *process = process_new(directory, &out, &err);
	int code;
	if (process != NULL) {
		code = process_run(process);
	} else {
		if (err.code == ERR_CONFIG_REFUSED)
			fputs(strbuf_text(&out), stderr);
		fprintf(stderr, "leadrouterd: %s[%s] %s%s%s\n", err_number(err.code), err_word(err.code), err.where,
		        err.where[0] ? ": " : "", err.text);
		code = err.code == ERR_CONFIG_REFUSED ? EXIT_CONFIG : EXIT_AWAY;
	}
	strbuf_done(&out);
	process_free(process);
	return code;
}

int main(int argc, char **argv)
{
	const char *directory = getenv("LEADROUTER_CONFIG");
	bool only_check = false;
	for (int option; (option = getopt_long(argc, argv, "c:thV", LONG, NULL)) != -1;)
		switch (option) {
		case 'c': directory = optarg; break;
		case 't': only_check = true; break;
		case 'h': fputs(USAGE, stdout); return EXIT_SUCCESS;
		case 'V': puts("leadrouterd " LEADROUTER_VERSION); return EXIT_SUCCESS;
		default: fputs(USAGE, stderr); return EXIT_USAGE;
		}
	if (optind != argc) {
		fputs(USAGE, stderr);
		return EXIT_USAGE;
	}
	if (directory == NULL)
		directory = "/etc/leadrouter";
	return only_check ? check(directory) : run(directory);
}
