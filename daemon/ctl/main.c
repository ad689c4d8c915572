/* SPDX-License-Identifier: Apache-2.0
 *
 * leadctl: finds the verb, parses the options that verbs share, calls the verb's function. One file per verb beside this
 * one; commands.def is the list.
 */
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/ctl/ctl.h"
#include "rules/base/suggest.h"

struct command {
	const char *name;
	int (*run)(const struct ctl_args *args);
	const char *options, *arguments, *summary, *help;
};

static const struct command COMMANDS[] = {
#define COMMAND(name, function, options, arguments, summary, help) {name, function, options, arguments, summary, help},
#include "daemon/ctl/commands.def"
#undef COMMAND
};

enum { COMMAND_COUNT = sizeof COMMANDS / sizeof *COMMANDS };

int ctl_fail(int code, const struct err *err)
{
	fprintf(stderr, "leadctl: %s[%s] %s%s%s\n", err_number(err->code), err_word(err->code), err->where,
	        err->where[0] ? ": " : "", err->text);
	return code;
}

int ctl_usage(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fputs("leadctl: ", stderr);
	vfprintf(stderr, format, args);
	fputs("\n", stderr);
	va_end(args);
	return CTL_USAGE;
}

static int print_help(FILE *out)
{
	fputs("examples:\n"
	      "  leadctl check -c /etc/leadrouter      is this configuration good?\n"
	      "  leadctl send leads.jsonl              publish captured leads\n"
	      "  leadctl watch                         see who gets which lead, and why\n"
	      "  leadctl show lead L-1001              who owns it, since when, what is due\n"
	      "  leadctl explain L-1001 --short        why it went there, in a sentence\n"
	      "  leadctl explain lead.json             where a lead would go, and why not elsewhere\n"
	      "\ncommands:\n",
	      out);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		fprintf(out, "  %-10s %s\n", COMMANDS[i].name, COMMANDS[i].summary);
	fputs("\n`leadctl help COMMAND` tells more; leadctl(1) tells all.\n", out);
	return out == stdout ? CTL_OK : CTL_USAGE;
}

static int print_command_help(const struct command *command)
{
	printf("usage: leadctl %s %s\n\n%s\n%s", command->name, command->arguments, command->summary, command->help);
	return CTL_OK;
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (strcmp(COMMANDS[i].name, name) == 0)
			return &COMMANDS[i];
	return NULL;
}

static int unknown_command(const char *name)
{
	struct suggest near = suggest_for(slice_of(name));
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		suggest_offer(&near, slice_of(COMMANDS[i].name));
	if (near.best.len > 0)
		return ctl_usage("there is no command `%s`; did you mean `%.*s`?", name, SLICE_ARG(near.best));
	return ctl_usage("there is no command `%s`; `leadctl help` lists them", name);
}

static bool parse_number(const char *text, int64_t *ret)
{
	char *end;
	if (text == NULL) /* getopt gives one to each option that takes one */
		return false;
	*ret = strtoll(text, &end, 10);
	return *text != '\0' && *end == '\0' && *ret >= 0;
}

/* ---- options: those that every verb takes, and behind them those of its row */

enum { JSON = 256, FROM_START, EXPLAIN, IDLE_MS, OWN };
enum { OWN_OPTIONS_MAX = 16 };

static const struct option SHARED[] = {
	{"config", required_argument, NULL, 'c'},  {"socket", required_argument, NULL, 's'},
	{"topic", required_argument, NULL, 't'},   {"tenant", required_argument, NULL, 'k'},
	{"json", no_argument, NULL, JSON},         {"from-start", no_argument, NULL, FROM_START},
	{"explain", no_argument, NULL, EXPLAIN},   {"idle-ms", required_argument, NULL, IDLE_MS},
};

enum { SHARED_COUNT = sizeof SHARED / sizeof *SHARED };

struct ctl_values {
	struct option options[SHARED_COUNT + OWN_OPTIONS_MAX + 1];
	const char *values[OWN_OPTIONS_MAX];
	char names[256];
};

static void declare_options(struct ctl_values *values, const char *own)
{
	memcpy(values->options, SHARED, sizeof SHARED);
	snprintf(values->names, sizeof values->names, "%s", own);
	char *state = NULL;
	int count = 0;
	for (char *name = strtok_r(values->names, " ", &state); name != NULL && count < OWN_OPTIONS_MAX;
	     name = strtok_r(NULL, " ", &state)) {
		size_t len = strlen(name);
		bool has_value = name[len - 1] == '=';
		if (has_value)
			name[len - 1] = '\0';
		values->options[SHARED_COUNT + count] =
			(struct option){name, has_value ? required_argument : no_argument, NULL, OWN + count};
		count++;
	}
}

const char *ctl_option(const struct ctl_args *args, const char *name)
{
	for (int i = 0; args->values->options[SHARED_COUNT + i].name != NULL; i++)
		if (strcmp(args->values->options[SHARED_COUNT + i].name, name) == 0)
			return args->values->values[i];
	return NULL;
}

static bool parse_args(int argc, char **argv, struct ctl_args *args)
{
	bool is_good = true;
	for (int option; (option = getopt_long(argc, argv, "c:s:t:k:l:p:n:", args->values->options, NULL)) != -1;)
		switch (option) {
		case 'c': args->directory = optarg; break;
		case 's': args->socket = optarg; break;
		case 't': args->topic = optarg; break;
		case 'k': args->tenant = optarg; break;
		case 'l': args->port_file = optarg; break;
		case 'p': is_good &= parse_number(optarg, &args->partitions); break;
		case 'n': is_good &= parse_number(optarg, &args->count); break;
		case IDLE_MS: is_good &= parse_number(optarg, &args->idle_ms); break;
		case JSON: args->json = true; break;
		case FROM_START: args->from_start = true; break;
		case EXPLAIN: args->explain = true; break;
		default:
			if (option < OWN)
				return false;
			args->values->values[option - OWN] = optarg != NULL ? optarg : "";
		}
	args->rest = argv + optind;
	args->rest_count = argc - optind;
	if (!is_good)
		fputs("leadctl: a number is expected behind -p, -n and --idle-ms\n", stderr);
	return is_good;
}

/* Behind the command, as in `leadctl calendar import --help`; what stands behind -- is no option. */
static bool asks_for_help(char **words)
{
	while (*words != NULL && strcmp(*words, "--") != 0)
		if (strcmp(*words++, "--help") == 0)
			return true;
	return false;
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	if (argc < 2)
		return print_help(stderr);
	bool wants_help = strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0;
	if (wants_help && argc < 3)
		return print_help(stdout);
	const char *name = wants_help ? argv[2] : argv[1];
	const struct command *command = find_command(name);
	if (command == NULL)
		return unknown_command(name);
	if (wants_help || asks_for_help(argv + 2))
		return print_command_help(command);
	const char *directory = getenv("LEADROUTER_CONFIG");
	struct ctl_values values = {0};
	declare_options(&values, command->options);
	struct ctl_args args = {.directory = directory ? directory : "/etc/leadrouter", .values = &values};
	argv[1] = argv[0]; /* getopt's messages name the program */
	if (!parse_args(argc - 1, argv + 1, &args))
		return ctl_usage("usage: leadctl %s %s", command->name, command->arguments);
	return command->run(&args);
}
