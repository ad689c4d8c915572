/* SPDX-License-Identifier: Apache-2.0
 *
 * What many rules cost: 10, 1,000 and 10,000 routes over leads that only the last one takes, and over leads at random;
 * loading them, with a territory table of 1,000,000 rows beside them; a look-up in that table; one condition.
 *
 *   rules_bench [ROUNDS [SHAPE]]       a shape, `condition` or `load`: nothing but that
 *
 * The configurations are written into a folder of its own and loaded as at a start. In each round all sizes are measured
 * one after the other, and a ratio is taken inside the round; medians of the rounds are printed as one line of JSON. Times
 * are CPU time of the process, in ns, and in ms for loads: those wait for nothing but the disk, and the files are in memory.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "daemon/generation.h"
#include "rules/base/arena.h"
#include "rules/base/diag.h"
#include "rules/base/strbuf.h"
#include "rules/cel/value.h"
#include "rules/match.h"
#include "rules/model.h"
#include "rules/rules.h"
#include "rules/schema.h"
#include "rules/territory.h"

enum { SIZES = 3, ROUNDS_MAX = 99, LEADS = 256, BATCH = 64, MATCHES = 4096, PLACES = 1 << 16, ROWS = 1000000 };

static const int sizes[SIZES] = {10, 1000, 10000};
static const int64_t NOW_MS = 1790000000000;

/* ---- the rules: route i of `count` and the leads that look for it */

enum shape {
	SHAPE_EQUAL,  /* all ask for the same country and size, each for a product of its own */
	SHAPE_PREFIX, /* the same with a prefix of the postal code */
	SHAPE_RANGE,  /* bands that follow each other */
	SHAPE_CROSS,  /* each clause holds for many, all together for the last one alone */
	SHAPE_MIXED,  /* different fields, some clauses that no index can look up; leads at random */
	SHAPES
};

static const char *const shape_names[SHAPES] = {"equal", "prefix", "range", "cross", "mixed"};
static const char *const countries[] = {"DE", "AT", "CH", "FR", "US", "JP", "BR", "IN"};
static const char *const product_kinds[] = {"pump", "valve", "sensor", "drive"};

static void put_mixed(FILE *file, int i)
{
	const char *country = countries[i / 7 % 8], *kind = product_kinds[i / 3 % 4];
	switch (i % 6) {
	case 0:
		fprintf(file, "lead.location.country == \"%s\" && lead.interest.product == \"%s %d\"", country, kind,
			i / 6);
		return;
	case 1:
		fprintf(file,
			"lead.location.country in [\"%s\", \"%s\"] && lead.company.domain.endsWith(\"%d.example\")",
			country, countries[(i / 7 + 3) % 8], i);
		return;
	case 2:
		fprintf(file, "lead.company.employees >= %d && lead.company.employees < %d && grade == \"A\"", i * 2,
			i * 2 + 12);
		return;
	case 3:
		fprintf(file, "lead.location.country == \"%s\" && lead.location.postal_code.startsWith(\"%05d\")",
			country, i);
		return;
	case 4:
		fprintf(file, "lead.interest.product == \"%s %d\" && lead.contact.title.contains(\"%d\")", kind, i / 6,
			i % 100);
		return;
	default:
		fprintf(file, "lead.source != \"web\" && score > %d && lead.company.industry == \"industry %d\"",
			i % 50, i);
	}
}

/* Eight countries, five industries, seven sizes: only the last one is for the first country and the first industry. */
static void put_cross(FILE *file, int i, int count)
{
	int country = i % 8, industry = i / 8 % 5;
	if (i == count - 1)
		country = industry = 0;
	else if (country == 0 && industry == 0)
		industry = 1;
	fprintf(file, "lead.location.country == \"%s\" && lead.company.industry == \"industry %d\"", countries[country],
		industry);
	fprintf(file, " && lead.company.employees > %d", i % 7);
}

static void put_condition(FILE *file, enum shape shape, int i, int count)
{
	switch (shape) {
	case SHAPE_EQUAL:
		fprintf(file,
			"lead.location.country == \"DE\" && lead.company.employees >= 10 && lead.interest.product == "
			"\"pump %d\"",
			i);
		return;
	case SHAPE_PREFIX:
		fprintf(file, "lead.location.country == \"DE\" && lead.location.postal_code.startsWith(\"%05d\")", i);
		return;
	case SHAPE_RANGE:
		fprintf(file,
			"lead.location.country == \"DE\" && lead.company.employees >= %d && lead.company.employees < "
			"%d",
			i + 20, i + 21);
		return;
	case SHAPE_CROSS:
		put_cross(file, i, count);
		return;
	case SHAPE_MIXED:
	case SHAPES:
		put_mixed(file, i);
	}
}

struct person {
	char country[3], product[24], postal_code[12], domain[40], industry[24];
	int employees;
};

static struct person person_for(enum shape shape, int count, uint32_t number)
{
	struct person person;
	uint32_t i = (uint32_t)count - 1, chance = number * 2654435761u >> 8;
	if (shape == SHAPE_MIXED)
		i = chance % 10000; /* of all rules there are in the largest set */
	bool is_last = shape != SHAPE_MIXED;
	snprintf(person.country, sizeof person.country, "%s", is_last ? "DE" : countries[chance / 10000 % 8]);
	snprintf(person.product, sizeof person.product, "%s %u", is_last ? "pump" : product_kinds[i / 3 % 4],
		 is_last ? i : i / 6);
	snprintf(person.postal_code, sizeof person.postal_code, "%05u", i);
	snprintf(person.domain, sizeof person.domain, "company%u.example", i);
	snprintf(person.industry, sizeof person.industry, "industry %u", shape == SHAPE_CROSS ? 0 : i);
	person.employees = shape == SHAPE_MIXED ? (int)i * 2 : (int)i + 20;
	return person;
}

/* ---- configurations */

static char folder[64] = "/tmp/lr-rules-bench-XXXXXX";

static FILE *create(const char *directory, const char *name)
{
	char path[200];
	snprintf(path, sizeof path, "%s/%s", directory, name);
	FILE *file = fopen(path, "w");
	if (file == NULL || chmod(path, 0600) != 0) {
		fprintf(stderr, "rules_bench: cannot write %s\n", path);
		exit(1);
	}
	return file;
}

static void put_routes(FILE *file, enum shape shape, int count)
{
	fputs("routes:\n", file);
	for (int i = 0; i < count; i++) {
		fprintf(file, "  - name: rule %d\n    when: >-\n      ", i);
		put_condition(file, shape, i, count);
		fputs("\n    team: everybody\n", file);
	}
	fputs("  - {name: rest, team: everybody}\n", file);
}

/* A hundred countries, two letters each. */
static const char COUNTRIES[] =
	"ADAEAFAGAIALAMAOARATAUAWAZBABBBDBEBFBGBHBIBJBNBOBRBSBTBWBYBZCACDCFCGCHCICLCMCNCOCRCUCVCYCZDEDJDKDMDO"
	"DZECEEEGERESETFIFJFRGAGBGDGEGHGMGNGQGRGTGWGYHNHRHTHUIDIEILINIQIRISITJMJOJPKEKGKHKMKNKPKRKWKZLALBLCLI";

/* Postal prefixes of three, four and five characters in a hundred countries. */
static void place_of(uint32_t row, char ret_country[3], char ret_prefix[8])
{
	memcpy(ret_country, COUNTRIES + row % 100 * 2, 2);
	ret_country[2] = '\0';
	snprintf(ret_prefix, 8, "%04u", row / 100);
}

static void put_territory(const char *directory)
{
	FILE *file = create(directory, "areas.csv");
	char country[3], prefix[8];
	fputs("country,region,postal_prefix,area\n", file);
	for (uint32_t row = 0; row < ROWS; row++) {
		place_of(row, country, prefix);
		fprintf(file, "%s,,%s,everybody\n", country, prefix);
	}
	fclose(file);
}

static void configure(char *ret_directory, const char *what, enum shape shape, int count, bool has_territory)
{
	snprintf(ret_directory, 100, "%s/%s-%s-%d", folder, what, shape_names[shape], count);
	if (mkdir(ret_directory, 0700) != 0)
		exit(1);
	FILE *key = create(ret_directory, "identity.key"), *file = create(ret_directory, "leadrouter.yaml");
	fputs("0123456789abcdef0123456789abcdef\n", key);
	fclose(key);
	fputs("dedup: {identity_key_file: identity.key, identity_key_id: k1}\n"
	      "reps: [{id: ana}]\nteams: [{id: everybody, reps: [ana]}]\n"
	      "score: {base: 10, grades: [{grade: A, from: lowest}]}\n",
	      file);
	if (has_territory) {
		fputs("territories: {areas: {csv: areas.csv}}\n", file);
		put_territory(ret_directory);
	}
	put_routes(file, shape, count);
	fclose(file);
}

static struct generation *load(const char *directory)
{
	struct diags *diags = diags_new();
	struct generation *generation = generation_load(directory, diags);
	if (generation == NULL) {
		struct strbuf text = STRBUF_INIT;
		diags_render(diags, false, &text);
		fprintf(stderr, "%s", strbuf_text(&text));
		exit(1);
	}
	diags_free(diags);
	return generation;
}

/* ---- measuring */

static double cpu_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

static double median(const double *values, int count)
{
	double sorted[ROUNDS_MAX];
	memcpy(sorted, values, (size_t)count * sizeof *sorted);
	qsort(sorted, (size_t)count, sizeof *sorted, by_value);
	return sorted[count / 2];
}

/* One set of rules with its leads, as values and as records. */
struct bench {
	char directory[100];
	struct generation *generation;
	const struct model *model;
	struct arena arena;
	struct lead *leads[LEADS];
	struct record records[LEADS];
	double match_ns[ROUNDS_MAX], lead_ns[ROUNDS_MAX];
	double taken; /* share of the leads that another route than the last takes */
};

static void make_lead(struct bench *bench, enum shape shape, int count, uint32_t number)
{
	struct person *person = arena_alloc(&bench->arena, sizeof *person);
	*person = person_for(shape, count, number);
	struct lead *lead = bench->leads[number] = arena_alloc(&bench->arena, sizeof *lead);
	lead_init(lead);
	lead->source = SLICE("chat");
	lead->location.country = slice_of(person->country);
	lead->location.postal_code = slice_of(person->postal_code);
	lead->interest.product = slice_of(person->product);
	lead->company.domain = slice_of(person->domain);
	lead->company.industry = slice_of(person->industry);
	lead->company.employees = (struct lead_int){true, person->employees};
	const char *json = arena_printf(&bench->arena,
					"{\"source\":\"chat\",\"contact\":{\"name\":\"Ana\",\"email\":\"person%u@%s\"},"
					"\"location\":{\"country\":\"%s\",\"postal_code\":"
					"\"%s\"},\"interest\":{\"product\":\"%s\"},\"company\":{\"name\":\"ACME\","
					"\"domain\":\"%s\",\"industry\":\"%s\",\"employees\":%d}}",
					number, person->domain, person->country, person->postal_code, person->product,
					person->domain, person->industry, person->employees);
	bench->records[number] = (struct record){.kind = RECORD_CAPTURED,
						 .topic = SLICE("leads.captured"),
						 .offset = number,
						 .timestamp_ms = NOW_MS,
						 .value = slice_of(json),
						 .has_value = true,
						 .partition_count = 1};
}

static void match_one(const struct bench *bench, size_t number, struct arena *scratch, struct match *ret_match)
{
	const struct model *model = bench->model;
	struct schema_territories territories;
	struct cel_value slots[SCHEMA_SLOTS] = {[SLOT_NOW] = cel_timestamp(NOW_MS / 1000, 0),
						[SLOT_FACTS] = cel_zero(&cel_type_map),
						[SLOT_GRADE] = cel_string(SLICE("A")),
						[SLOT_SCORE] = cel_int(10)};
	schema_territories_init(&territories, model->env, model->territories, bench->leads[number]);
	slots[SLOT_LEAD] = cel_object(&bench->leads[number]->objects[SCHEMA_LEAD]);
	slots[SLOT_ACCOUNT] = cel_object(&bench->leads[number]->objects[SCHEMA_ACCOUNT]);
	slots[SLOT_TERRITORY] = cel_object(&territories.object);
	match_routes(model, bench->leads[number], slots, scratch, ret_match);
}

static double time_matches(struct bench *bench, size_t matches)
{
	struct arena scratch = ARENA_INIT;
	struct match match;
	size_t taken = 0;
	double began = cpu_ns();
	for (size_t i = 0; i < matches; i++) {
		arena_reset(&scratch);
		match_one(bench, i % LEADS, &scratch, &match);
		taken += match.route != &bench->model->routes[bench->model->route_count - 1];
	}
	double spent = cpu_ns() - began;
	bench->taken = (double)taken / (double)matches;
	arena_done(&scratch);
	return spent / (double)matches;
}

static enum view_answer nothing(void *ctx, struct slice key, struct slice *ret_value)
{
	(void)ctx, (void)key, (void)ret_value;
	return VIEW_ABSENT;
}

/* Bytes to events: everything that a lead costs in the core. */
static void decide_batch(const struct bench *bench, size_t first, struct arena *arena)
{
	const struct write *writes;
	size_t count;
	struct decider *decider = decider_new(bench->model, (struct rules_view){nothing, NULL, NULL}, arena);
	for (size_t i = first; i < first + BATCH; i++) {
		struct decision decision;
		decider_decide(decider, rules_prepare(bench->model, &bench->records[i], NOW_MS, arena), NOW_MS,
			       &decision);
		if (decision.outcome != OUTCOME_ASSIGNED) {
			fprintf(stderr, "rules_bench: a lead was not assigned but %s\n",
				outcome_name(decision.outcome));
			exit(1);
		}
	}
	decider_finish(decider, &writes, &count);
}

static double time_leads(const struct bench *bench)
{
	struct arena arena = ARENA_INIT;
	double began = cpu_ns();
	for (size_t at = 0; at < LEADS; at += BATCH) {
		arena_reset(&arena);
		decide_batch(bench, at, &arena);
	}
	double spent = cpu_ns() - began;
	arena_done(&arena);
	return spent / LEADS;
}

static void bench_open(struct bench *bench, enum shape shape, int count)
{
	configure(bench->directory, "match", shape, count, false);
	bench->generation = load(bench->directory);
	bench->model = generation_model(bench->generation);
	for (uint32_t i = 0; i < LEADS; i++)
		make_lead(bench, shape, count, i);
	time_leads(bench);
}

static void bench_close(struct bench *bench)
{
	generation_unref(bench->generation);
	arena_done(&bench->arena);
}

static double median_ratio(const double *over, const double *under, int rounds)
{
	double ratios[ROUNDS_MAX];
	for (int i = 0; i < rounds; i++)
		ratios[i] = over[i] / under[i];
	return median(ratios, rounds);
}

static void print_shape(const char *name, const struct bench *benches, int rounds)
{
	const struct bench *few = &benches[0], *many = &benches[SIZES - 1];
	printf("\"%s\": {", name);
	for (int i = 0; i < SIZES; i++)
		printf("\"match_ns_%d\": %.0f, \"lead_ns_%d\": %.0f, ", sizes[i], median(benches[i].match_ns, rounds),
		       sizes[i], median(benches[i].lead_ns, rounds));
	printf("\"taken\": %.2f, \"match_ratio\": %.3f, \"lead_ratio\": %.3f, \"extra_ns\": %.0f}, ", many->taken,
	       median_ratio(many->match_ns, few->match_ns, rounds), median_ratio(many->lead_ns, few->lead_ns, rounds),
	       median(many->match_ns, rounds) - median(few->match_ns, rounds));
}

static void measure_shape(enum shape shape, int rounds)
{
	struct bench *benches = calloc(SIZES, sizeof *benches);
	if (benches == NULL)
		abort();
	for (int i = 0; i < SIZES; i++)
		bench_open(&benches[i], shape, sizes[i]);
	for (int round = 0; round < rounds; round++)
		for (int i = 0; i < SIZES; i++) {
			benches[i].match_ns[round] = time_matches(&benches[i], MATCHES);
			benches[i].lead_ns[round] = time_leads(&benches[i]);
		}
	print_shape(shape_names[shape], benches, rounds);
	for (int i = 0; i < SIZES; i++)
		bench_close(&benches[i]);
	free(benches);
}

/* ---- loading, and the large table */

static double time_load(const char *directory, int rounds)
{
	double ms[ROUNDS_MAX];
	for (int i = 0; i < rounds; i++) {
		double began = cpu_ns();
		struct generation *generation = load(directory);
		ms[i] = (cpu_ns() - began) / 1e6;
		generation_unref(generation);
	}
	return median(ms, rounds);
}

static double time_places(const struct territory *territory)
{
	static char countries_of[PLACES][3], prefixes[PLACES][8];
	size_t found = 0;
	for (uint32_t i = 0; i < PLACES; i++)
		place_of(i * 2654435761u % ROWS, countries_of[i], prefixes[i]);
	double began = cpu_ns();
	for (size_t i = 0; i < PLACES; i++)
		found += territory_find(territory, slice_of(countries_of[i]), SLICE("Some-Region"),
					slice_of(prefixes[i]))
				 .len != 0;
	double spent = cpu_ns() - began;
	if (found != PLACES)
		exit(1);
	return spent / PLACES;
}

static void measure_loads(int rounds)
{
	char plain[100], with_rows[100];
	double ns[ROUNDS_MAX];
	configure(plain, "load", SHAPE_MIXED, 10000, false);
	configure(with_rows, "rows", SHAPE_MIXED, 10000, true);
	printf("\"load_ms\": %.1f, ", time_load(plain, rounds));
	printf("\"load_with_rows_ms\": %.1f, ", time_load(with_rows, rounds));
	struct generation *generation = load(with_rows);
	for (int i = 0; i < rounds; i++)
		ns[i] = time_places(generation_model(generation)->territories[0]);
	printf("\"territory_ns\": %.0f, ", median(ns, rounds));
	generation_unref(generation);
}

/* ---- one condition of three clauses that hold */

__attribute__((noinline)) static size_t evaluate(const struct cel_program *program, const struct cel_value *slots,
						 struct arena *scratch, size_t times)
{
	size_t held = 0;
	for (size_t i = 0; i < times; i++)
		held += cel_is_true(cel_eval(program, slots, scratch, CEL_DEFAULT_STEPS));
	return held;
}

static void measure_condition(int rounds)
{
	enum { TIMES = 100000 };
	struct arena arena = ARENA_INIT, scratch = ARENA_INIT;
	struct cel_issues issues;
	struct cel_program *program;
	struct lead lead;
	double ns[ROUNDS_MAX];
	lead_init(&lead);
	lead.source = SLICE("web");
	lead.location.country = SLICE("DE");
	lead.company.employees = (struct lead_int){true, 500};
	struct cel_value slots[SCHEMA_SLOTS] = {[SLOT_LEAD] = cel_object(&lead.objects[SCHEMA_LEAD]),
	                                        [SLOT_ACCOUNT] = cel_object(&lead.objects[SCHEMA_ACCOUNT])};
	struct slice text =
		SLICE("lead.source == \"web\" && lead.location.country == \"DE\" && lead.company.employees >= 100");
	if (cel_compile(schema_env_new(NULL, 0, &arena), text, &cel_type_bool, &arena, &issues, &program) != 0)
		abort();
	for (int i = 0; i < rounds; i++) {
		double began = cpu_ns();
		if (evaluate(program, slots, &scratch, TIMES) != TIMES)
			abort();
		ns[i] = (cpu_ns() - began) / TIMES;
	}
	printf("\"condition_ns\": %.1f, ", median(ns, rounds));
	arena_done(&scratch);
	arena_done(&arena);
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 5;
	const char *only = argc > 2 ? argv[2] : NULL;
	char command[100];
	if (rounds < 1 || rounds > ROUNDS_MAX || mkdtemp(folder) == NULL) {
		fprintf(stderr, "usage: rules_bench [ROUNDS [SHAPE]]\n");
		return 2;
	}
	printf("{");
	for (int shape = 0; shape < SHAPES; shape++)
		if (only == NULL || strcmp(only, shape_names[shape]) == 0)
			measure_shape((enum shape)shape, rounds);
	if (only == NULL || strcmp(only, "condition") == 0)
		measure_condition(rounds);
	if (only == NULL || strcmp(only, "load") == 0)
		measure_loads(rounds);
	printf("\"rounds\": %d}\n", rounds);
	snprintf(command, sizeof command, "rm -r %s", folder);
	return system(command) == 0 ? 0 : 1;
}
