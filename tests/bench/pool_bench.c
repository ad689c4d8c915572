/* SPDX-License-Identifier: Apache-2.0
 *
 * What the size of a pool costs a decision: the same leads for 10, 1,000 and 50,000 reps, interleaved, with a desk that
 * stays from batch to batch as in the daemon. `plain` is a team with nothing but its members; `chain` has seven criteria
 * over attributes (15 classes), a preference table, capacity, and chooses by load in case of a gap. Beside it what it
 * takes to make the desk anew, once after a start, a reload or an abort.
 *
 *     pool_bench ROUNDS       one JSON object; figures, never verdicts
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "daemon/yaml.h"
#include "rules/base/arena.h"
#include "rules/base/diag.h"
#include "rules/base/source.h"
#include "rules/base/strbuf.h"
#include "rules/model.h"
#include "rules/rules.h"

enum { SIZES = 3, SHAPES = 2, BATCH = 64, LEADS = 64 * 40, ROUNDS_MAX = 50 };

static const int sizes[SIZES] = {10, 1000, 50000};
static const char *const shapes[SHAPES] = {"plain", "chain"};
static const int64_t NOW = 1795424400000;

struct bench {
	struct arena arena;
	struct model *model;
	struct desk *desk;
	struct record *records;
	double ns[ROUNDS_MAX];
	double open_ms;
};

static double cpu_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static enum view_answer nothing(void *ctx, struct slice key, struct slice *ret_value)
{
	(void)ctx, (void)key, (void)ret_value;
	return VIEW_ABSENT;
}

static int read_key(void *ctx, struct slice path, bool is_secret, struct arena *arena, struct slice *ret_bytes,
                    struct err *err)
{
	(void)ctx, (void)path, (void)is_secret, (void)arena, (void)err;
	*ret_bytes = SLICE("0123456789abcdef0123456789abcdef");
	return 0;
}

static void put_config(struct strbuf *out, int reps, int shape)
{
	strbuf_puts(out, "dedup: {identity_key_file: key}\nreps:\n");
	for (int i = 0; i < reps; i++)
		strbuf_printf(out, "  - {id: r%05d, attributes: {region: x%d, cost: %d}}\n", i, i % 5, i % 3);
	if (shape == 1)
		strbuf_puts(out, "preferences: {areas: [{value: DE, rep: r00000}, {value: DE, rep: r00001, rank: 2}]}\n");
	strbuf_puts(out, "routes: [{name: rest, team: all}]\nteams:\n  - id: all\n    reps: [");
	for (int i = 0; i < reps; i++)
		strbuf_printf(out, "%s{rep: r%05d, weight: %d}", i ? ", " : "", i, 1 + i % 4);
	strbuf_puts(out, "]\n");
	if (shape == 0)
		return;
	strbuf_puts(out, "    capacity: {open: 90000}\n    nobody: [wait]\n    balance: {threshold: 9000}\n    criteria:\n"
	                 "      - {name: industry, when: lead.company.industry == rep.attributes.region}\n"
	                 "      - {name: function, when: lead.interest.function == \"x\" || rep.attributes.cost < 3}\n"
	                 "      - {name: table, prefer: {table: areas, by: lead.location.country}}\n"
	                 "      - {name: region, when: rep.attributes.region == \"x1\" || lead.location.country != \"DE\"}\n"
	                 "      - {name: cost, lowest: rep.attributes.cost}\n"
	                 "      - {name: key, when: grade == \"A\" || rep.attributes.cost > 0}\n"
	                 "      - {name: familiar, familiar: true}\n");
}

static void bench_open(struct bench *bench, int reps, int shape)
{
	struct strbuf text = STRBUF_INIT;
	struct diags *diags = diags_new();
	const struct model_files files = {read_key, NULL};
	put_config(&text, reps, shape);
	const struct node *root =
		yaml_read(source_new(&bench->arena, "bench.yaml", (struct slice){text.bytes, text.len}), &bench->arena, diags);
	bench->model = root != NULL ? model_build(root, &files, &bench->arena, diags) : NULL;
	if (bench->model == NULL) {
		strbuf_clear(&text);
		diags_render(diags, false, &text);
		fprintf(stderr, "%.2000s", strbuf_text(&text));
		exit(1);
	}
	bench->desk = desk_new();
	bench->records = arena_array(&bench->arena, LEADS, sizeof *bench->records);
	for (int i = 0; i < LEADS; i++)
		bench->records[i] = (struct record){
			.topic = SLICE("leads.captured"), .offset = i, .has_value = true, .partition_count = 1,
			.value = slice_of(arena_printf(&bench->arena,
			                               "{\"lead_id\":\"L%d\",\"contact\":{\"email\":\"p%d@example.com\"},\"company\":"
			                               "{\"industry\":\"x%d\"},\"location\":{\"country\":\"%s\"}}",
			                               i, i, i % 7, i % 3 ? "FR" : "DE"))};
	diags_free(diags);
	strbuf_done(&text);
}

/* Decisions alone: parsing and cleansing cost the same for every pool. */
static double decide_leads(struct bench *bench)
{
	struct arena arena = ARENA_INIT;
	double spent = 0;
	for (int at = 0; at < LEADS; at += BATCH) {
		struct prepared *prepared[BATCH];
		struct decision decision;
		const struct write *writes;
		size_t count;
		arena_reset(&arena);
		for (int i = 0; i < BATCH; i++)
			prepared[i] = rules_prepare(bench->model, &bench->records[at + i], NOW, &arena);
		double began = cpu_ns();
		struct decider *decider = decider_new(bench->model, (struct rules_view){nothing, NULL, NULL}, &arena);
		decider_use_desk(decider, bench->desk);
		for (int i = 0; i < BATCH; i++) {
			decider_decide(decider, prepared[i], NOW, &decision);
			if (decision.outcome != OUTCOME_ASSIGNED) {
				fprintf(stderr, "pool_bench: a lead was not assigned but %s\n", outcome_name(decision.outcome));
				exit(1);
			}
		}
		decider_finish(decider, &writes, &count);
		spent += cpu_ns() - began;
	}
	arena_done(&arena);
	return spent / LEADS;
}

static double first_decision_ms(struct bench *bench)
{
	struct arena arena = ARENA_INIT;
	struct decision decision;
	const struct write *writes;
	size_t count;
	desk_forget(bench->desk);
	struct prepared *prepared = rules_prepare(bench->model, &bench->records[0], NOW, &arena);
	double began = cpu_ns();
	struct decider *decider = decider_new(bench->model, (struct rules_view){nothing, NULL, NULL}, &arena);
	decider_use_desk(decider, bench->desk);
	decider_decide(decider, prepared, NOW, &decision);
	decider_finish(decider, &writes, &count);
	double spent = cpu_ns() - began;
	arena_done(&arena);
	return spent / 1e6;
}

static int by_value(const void *left, const void *right)
{
	const double *a = left, *b = right;
	return (*a > *b) - (*a < *b);
}

static double median(double *values, int count)
{
	qsort(values, (size_t)count, sizeof *values, by_value);
	return values[count / 2];
}

static void measure(int shape, int rounds)
{
	struct bench *benches = calloc(SIZES, sizeof *benches);
	double ratios[ROUNDS_MAX];
	if (benches == NULL)
		abort();
	for (int i = 0; i < SIZES; i++) {
		bench_open(&benches[i], sizes[i], shape);
		benches[i].open_ms = first_decision_ms(&benches[i]);
		decide_leads(&benches[i]);
	}
	for (int round = 0; round < rounds; round++) {
		for (int i = 0; i < SIZES; i++)
			benches[i].ns[round] = decide_leads(&benches[i]);
		ratios[round] = benches[SIZES - 1].ns[round] / benches[0].ns[round];
	}
	printf("\"%s\": {", shapes[shape]);
	for (int i = 0; i < SIZES; i++)
		printf("\"decide_ns_%d\": %.0f, \"desk_ms_%d\": %.1f, ", sizes[i], median(benches[i].ns, rounds), sizes[i],
		       benches[i].open_ms);
	printf("\"ratio\": %.2f}", median(ratios, rounds));
	for (int i = 0; i < SIZES; i++) {
		desk_free(benches[i].desk);
		model_done(benches[i].model);
		arena_done(&benches[i].arena);
	}
	free(benches);
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 5;
	if (rounds < 1 || rounds > ROUNDS_MAX) {
		fprintf(stderr, "usage: pool_bench ROUNDS (1 to %d)\n", ROUNDS_MAX);
		return 2;
	}
	printf("{");
	for (int shape = 0; shape < SHAPES; shape++) {
		printf("%s", shape ? ", " : "");
		measure(shape, rounds);
	}
	printf("}\n");
	return 0;
}
