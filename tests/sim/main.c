/* SPDX-License-Identifier: Apache-2.0
 *
 * The simulator's command line.
 *
 *     sim --seeds FROM:TO                     schedules with all defences on
 *     sim --seeds FROM:TO --mutation NAME     with one of them off (see mutations.def): must be caught
 *     sim --mutations [--limit N]             every one of them, each in a process of its own
 *     sim --stops                             what must stop a shard (stops.c)
 *     sim --trace SEED [--mutation NAME]      one schedule, told step by step
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "daemon/mutation.h"
#include "tests/sim/reference.h"
#include "tests/sim/sim.h"
#include "tests/sim/stops.h"

struct mutation {
	const char *name;
	uint64_t seeds;
	const char *what;
};

static const struct mutation mutations[] = {
#define MUTATION(name, seeds, what) {name, seeds, what},
#include "tests/sim/mutations.def"
#undef MUTATION
};

enum { MUTATION_COUNT = sizeof(mutations) / sizeof(*mutations), FINDINGS_SHOWN = 10, STOP_SEEDS = 50 };

/* The one piece of state outside a schedule: set once, before the first one. */
static const char *mutation_in_force;

bool mutation_is(const char *name)
{
	return mutation_in_force && strcmp(mutation_in_force, name) == 0;
}

struct options {
	uint64_t from, to, limit;
	const char *mutation;
	bool all_mutations, stops, is_tracing;
};

static void print_counts(const struct sim_counts *counts)
{
	const struct { const char *name; uint64_t value; } rows[] = {
#define X(name) {#name, counts->name},
		SIM_COUNTS(X)
#undef X
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		printf("%-16s %10" PRIu64 "  %8.2f per schedule\n", rows[i].name, rows[i].value,
		       counts->schedules ? (double)rows[i].value / (double)counts->schedules : 0.0);
	printf("lost/double/duplicate = %" PRIu64 "/%" PRIu64 "/%" PRIu64 "\n", counts->lost, counts->double_owned,
	       counts->duplicate);
}

static void print_failure(const char *program, const struct options *options, uint64_t seed, const char *text)
{
	printf("seed %" PRIu64 ": %s\n    replay: %s --trace %" PRIu64 "%s%s\n", seed, text, program, seed,
	       options->mutation ? " --mutation " : "", options->mutation ? options->mutation : "");
	fflush(stdout);
}

static int run_seeds(const char *program, const struct options *options, const struct reference *reference)
{
	struct sim_counts totals = {0};
	uint64_t failed = 0;
	clock_t started = clock();

	mutation_in_force = options->mutation;
	for (uint64_t seed = options->from; seed < options->to; seed++) {
		char text[400];
		if (sim_run(seed, reference, options->is_tracing, &totals, text, sizeof(text)))
			continue;
		if (failed++ < FINDINGS_SHOWN)
			print_failure(program, options, seed, text);
	}
	print_counts(&totals);
	printf("%.1f s of CPU time\n", (double)(clock() - started) / CLOCKS_PER_SEC);
	printf("%" PRIu64 " passed, %" PRIu64 " failed\n", totals.schedules - failed, failed);
	return failed == 0 ? 0 : 1;
}

/* ---- all mutations */

/* What a child tells about its search, in memory that both see. */
struct search {
	uint64_t seed;
	char text[400];
	bool is_caught;
};

static void search_child(const struct mutation *mutation, uint64_t limit, const struct reference *reference,
                         struct search *search)
{
	struct sim_counts totals = {0};

	mutation_in_force = mutation->name;
	/* what a broken defence makes the code say is of no interest here */
	if (!freopen("/dev/null", "w", stderr))
		_exit(2);
	for (search->seed = 1; search->seed <= limit; search->seed++) {
		if (sim_run(search->seed, reference, false, &totals, search->text, sizeof(search->text)))
			continue;
		search->is_caught = true;
		_exit(0);
	}
	_exit(0);
}

/* True when it was caught, by the oracle or by an assertion of the code under test. */
static bool search_mutation(const struct mutation *mutation, uint64_t limit, const struct reference *reference,
                            struct search *search)
{
	int status = 0;

	*search = (struct search){0};
	fflush(stdout);
	pid_t child = fork();
	if (child == 0)
		search_child(mutation, limit, reference, search);
	if (child < 0 || waitpid(child, &status, 0) != child) {
		snprintf(search->text, sizeof(search->text), "no child process: %s", strerror(errno));
		return false;
	}
	if (WIFSIGNALED(status)) {
		snprintf(search->text, sizeof(search->text), "the code under test ended by signal %d", WTERMSIG(status));
		return true;
	}
	return search->is_caught;
}

static int run_mutations(const struct options *options, const struct reference *reference)
{
	struct search *search =
		mmap(NULL, sizeof(*search), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned passed = 0, failed = 0;

	if (search == MAP_FAILED)
		return 2;
	for (size_t i = 0; i < MUTATION_COUNT; i++) {
		const struct mutation *mutation = &mutations[i];
		uint64_t limit = options->limit ? options->limit : mutation->seeds;
		if (limit == 0) {
			printf("%-28s not run: %s\n", mutation->name, mutation->what);
			continue;
		}
		bool is_caught = search_mutation(mutation, limit, reference, search);
		is_caught ? passed++ : failed++;
		if (is_caught)
			printf("%-28s caught at seed %" PRIu64 ": %s\n", mutation->name, search->seed, search->text);
		else
			printf("%-28s NOT CAUGHT in %" PRIu64 " schedules\n", mutation->name, limit);
	}
	munmap(search, sizeof(*search));
	printf("%u passed, %u failed\n", passed, failed);
	return failed == 0 ? 0 : 1;
}

/* ---- */

static bool is_known(const char *name)
{
	for (size_t i = 0; i < MUTATION_COUNT; i++)
		if (strcmp(mutations[i].name, name) == 0)
			return true;
	return false;
}

static bool parse(int argc, char **argv, struct options *ret)
{
	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;
		if (strcmp(argv[i], "--mutations") == 0) {
			ret->all_mutations = true;
		} else if (strcmp(argv[i], "--stops") == 0) {
			ret->stops = true;
		} else if (strcmp(argv[i], "--seeds") == 0 && value) {
			if (sscanf(value, "%" SCNu64 ":%" SCNu64, &ret->from, &ret->to) != 2)
				return false;
			i++;
		} else if (strcmp(argv[i], "--trace") == 0 && value) {
			ret->from = strtoull(value, NULL, 10);
			ret->to = ret->from + 1;
			ret->is_tracing = true;
			i++;
		} else if (strcmp(argv[i], "--limit") == 0 && value) {
			ret->limit = strtoull(value, NULL, 10);
			i++;
		} else if (strcmp(argv[i], "--mutation") == 0 && value && is_known(value)) {
			ret->mutation = value;
			i++;
		} else {
			return false;
		}
	}
	return ret->all_mutations || ret->stops || ret->to > ret->from;
}

int main(int argc, char **argv)
{
	struct options options = {0};
	struct reference reference = {0};

	if (!parse(argc, argv, &options)) {
		fprintf(stderr, "usage: %s --seeds FROM:TO [--mutation NAME] | --trace SEED [--mutation NAME] | --stops | "
		                "--mutations [--limit N]\n", argv[0]);
		return 2;
	}
	if (!reference_open(&reference))
		return 2;
	if (options.stops)
		return stops_run(&reference, STOP_SEEDS);
	return options.all_mutations ? run_mutations(&options, &reference) : run_seeds(argv[0], &options, &reference);
}
