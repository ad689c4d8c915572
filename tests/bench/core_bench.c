/* SPDX-License-Identifier: Apache-2.0
 *
 * What the pure core costs: parse, cleanse, identify, decide, write, over generated leads and a real configuration; and then
 * what it costs to fire what is due next for each of these leads.
 *
 *   core_bench DIR RECORDS.jsonl [ROUNDS]
 *
 * RECORDS is what `generate.py --as records` prints. The view is a table in memory, filled by the write-sets as they come,
 * so that duplicates are found as they would be. Each round begins with an empty table. Only core_bench_batch() and
 * core_bench_fire() are the work that is meant: the table and the reading of the file are outside of them, so callgrind is
 * told to collect there (--toggle-collect=core_bench_batch). Prints one line of JSON: leads, rounds, ns per lead and per timer
 * of the median round.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/generation.h"
#include "rules/base/arena.h"
#include "rules/base/diag.h"
#include "rules/base/map.h"
#include "rules/base/mem.h"
#include "rules/base/strbuf.h"
#include "rules/rules.h"

enum { BATCH = 64, ROUNDS_MAX = 99 };

struct leads {
	struct arena arena;
	struct record *records;
	size_t count, capacity;
};

/* The values of one round; keys and values live in its arena. */
struct table {
	struct arena arena;
	struct map values;
};

struct value {
	bool is_tombstone;
	struct slice bytes;
};

static struct slice kept(struct arena *arena, const char *bytes, size_t len)
{
	return (struct slice){arena_memdupz(arena, bytes, len), len};
}

static void read_headers(struct leads *leads, struct record *record, json_t *from)
{
	struct header *headers = arena_array(&leads->arena, json_array_size(from) + 1, sizeof *headers);
	for (size_t i = 0; i < json_array_size(from); i++) {
		json_t *name = json_array_get(json_array_get(from, i), 0), *value = json_array_get(json_array_get(from, i), 1);
		headers[i].name = kept(&leads->arena, json_string_value(name), json_string_length(name));
		headers[i].value = kept(&leads->arena, json_string_value(value), json_string_length(value));
	}
	record->headers = headers;
	record->header_count = json_array_size(from);
}

static void read_line(struct leads *leads, const char *line)
{
	json_t *root = json_loads(line, 0, NULL), *key = json_object_get(root, "key"), *value = json_object_get(root, "value");
	if (!json_is_string(value)) {
		json_decref(root);
		return;
	}
	if (leads->count == leads->capacity) {
		leads->capacity = leads->capacity * 2 + 1024;
		leads->records = xreallocarray(leads->records, leads->capacity, sizeof *leads->records);
	}
	struct record *record = &leads->records[leads->count];
	*record = (struct record){.kind = RECORD_CAPTURED,
	                          .topic = SLICE("leads.captured"),
	                          .offset = (int64_t)leads->count++,
	                          .timestamp_ms = 1790000000000,
	                          .has_key = true,
	                          .has_value = true,
	                          .partition_count = 1};
	record->key = kept(&leads->arena, json_string_value(key), json_string_length(key));
	record->value = kept(&leads->arena, json_string_value(value), json_string_length(value));
	read_headers(leads, record, json_object_get(root, "headers"));
	json_decref(root);
}

static bool read_leads(struct leads *leads, const char *path)
{
	char *line = NULL;
	size_t size = 0;
	FILE *file = fopen(path, "r");
	while (file != NULL && getline(&line, &size, file) > 0)
		read_line(leads, line);
	free(line);
	if (file != NULL)
		fclose(file);
	return leads->count > 0;
}

static enum view_answer look_up(void *ctx, struct slice key, struct slice *ret_value)
{
	const struct table *table = ctx;
	const struct value *value = map_get(&table->values, key);
	if (value == NULL || value->is_tombstone)
		return VIEW_ABSENT;
	*ret_value = value->bytes;
	return VIEW_FOUND;
}

static void walk(void *ctx, struct slice prefix, void (*see)(void *arg, struct slice key), void *arg)
{
	const struct table *table = ctx;
	const struct map_entry *entry;
	for (size_t at = 0; (entry = map_next(&table->values, &at)) != NULL;)
		if (slice_has_prefix(entry->key, prefix) && !((const struct value *)entry->value)->is_tombstone)
			see(arg, entry->key);
}

static void apply(struct table *table, const struct write *writes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct value *value = arena_alloc(&table->arena, sizeof *value);
		value->is_tombstone = writes[i].is_tombstone;
		if (!writes[i].is_tombstone)
			value->bytes = kept(&table->arena, writes[i].value.p, writes[i].value.len);
		map_put(&table->values, kept(&table->arena, writes[i].key.p, writes[i].key.len), value);
	}
}

/* What is measured. */
__attribute__((noinline)) void core_bench_batch(const struct model *model, struct desk *desk, struct rules_view view, struct arena *arena,
                                                const struct record *records, size_t count, int64_t now_ms,
                                                const struct write **ret_writes, size_t *ret_count);
void core_bench_batch(const struct model *model, struct desk *desk, struct rules_view view, struct arena *arena, const struct record *records,
                      size_t count, int64_t now_ms, const struct write **ret_writes, size_t *ret_count)
{
	struct prepared *prepared[BATCH];
	struct slice wants[RULES_WANTS_MAX];
	for (size_t i = 0; i < count; i++) {
		prepared[i] = rules_prepare(model, &records[i], now_ms, arena);
		rules_wants(prepared[i], wants);
	}
	struct decider *decider = decider_new(model, view, arena);
	decider_use_desk(decider, desk);
	for (size_t i = 0; i < count; i++) {
		struct decision decision;
		decider_decide(decider, prepared[i], now_ms, &decision);
	}
	decider_finish(decider, ret_writes, ret_count);
}

__attribute__((noinline)) void core_bench_fire(const struct model *model, struct desk *desk, struct rules_view view, struct arena *arena,
                                               const struct slice *lead_ids, size_t count, int64_t now_ms,
                                               const struct write **ret_writes, size_t *ret_count);
void core_bench_fire(const struct model *model, struct desk *desk, struct rules_view view, struct arena *arena,
                     const struct slice *lead_ids, size_t count, int64_t now_ms, const struct write **ret_writes, size_t *ret_count)
{
	struct decider *decider = decider_new(model, view, arena);
	decider_use_desk(decider, desk);
	for (size_t i = 0; i < count; i++) {
		struct decision decision;
		decider_fire(decider, lead_ids[i], now_ms, &decision);
	}
	decider_finish(decider, ret_writes, ret_count);
}

static int64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

struct round {
	const struct model *model;
	struct table table;
	struct arena arena; /* of one batch */
	struct desk *desk;
};

static int64_t decide_ns(struct round *round, const struct leads *leads)
{
	int64_t spent = 0;
	for (size_t at = 0; at < leads->count; at += BATCH) {
		const struct write *writes;
		size_t write_count, count = leads->count - at < BATCH ? leads->count - at : BATCH;
		arena_reset(&round->arena);
		int64_t began = now_ns();
		core_bench_batch(round->model, round->desk, (struct rules_view){look_up, &round->table, walk}, &round->arena,
		                 &leads->records[at], count, 1790000000000 + (int64_t)at, &writes, &write_count);
		spent += now_ns() - began;
		apply(&round->table, writes, write_count);
	}
	return spent;
}

struct due {
	int64_t at_ms;
	struct slice lead_id;
};

static int by_time(const void *a, const void *b)
{
	const struct due *x = a, *y = b;
	return x->at_ms != y->at_ms ? (x->at_ms > y->at_ms) - (x->at_ms < y->at_ms) : slice_compare(x->lead_id, y->lead_id);
}

/* What each lead is due for, the earliest first. */
static struct due *find_due(const struct table *table, size_t *ret_count)
{
	struct due *due = xreallocarray(NULL, table->values.count + 1, sizeof *due);
	const struct map_entry *entry;
	*ret_count = 0;
	for (size_t at = 0; (entry = map_next(&table->values, &at)) != NULL;) {
		const struct value *value = entry->value;
		int64_t at_ms = value->is_tombstone ? 0 : rules_due_of(entry->key, value->bytes);
		if (at_ms != 0 && slice_has_prefix(entry->key, SLICE("lead/")))
			due[(*ret_count)++] = (struct due){at_ms, {entry->key.p + 5, entry->key.len - 5}};
	}
	qsort(due, *ret_count, sizeof *due, by_time);
	return due;
}

static int64_t fire_ns(struct round *round, size_t *ret_count)
{
	int64_t spent = 0;
	struct due *due = find_due(&round->table, ret_count);
	for (size_t at = 0; at < *ret_count; at += BATCH) {
		const struct write *writes;
		struct slice lead_ids[BATCH];
		size_t write_count, count = *ret_count - at < BATCH ? *ret_count - at : BATCH;
		for (size_t i = 0; i < count; i++)
			lead_ids[i] = due[at + i].lead_id;
		arena_reset(&round->arena);
		int64_t began = now_ns();
		core_bench_fire(round->model, round->desk, (struct rules_view){look_up, &round->table, walk}, &round->arena, lead_ids,
		                count, due[at + count - 1].at_ms, &writes, &write_count);
		spent += now_ns() - began;
		apply(&round->table, writes, write_count);
	}
	free(due);
	return spent;
}

struct cost {
	double lead_ns, timer_ns;
	size_t timers;
};

static struct cost run_round(const struct model *model, const struct leads *leads)
{
	const uint64_t seed[2] = {1, 2};
	struct cost cost;
	struct round round = {.model = model, .table = {.arena = ARENA_INIT}, .arena = ARENA_INIT, .desk = desk_new()};
	map_init(&round.table.values, seed);
	cost.lead_ns = (double)decide_ns(&round, leads) / (double)leads->count;
	cost.timer_ns = (double)fire_ns(&round, &cost.timers);
	cost.timer_ns = cost.timers != 0 ? cost.timer_ns / (double)cost.timers : 0;
	desk_free(round.desk);
	map_done(&round.table.values);
	arena_done(&round.table.arena);
	arena_done(&round.arena);
	return cost;
}

/* Tables that fill at first use (plans of phone numbers) are full before anything is counted. */
static void warm_up(const struct model *model, const struct leads *leads)
{
	struct arena arena = ARENA_INIT;
	for (size_t i = 0; i < leads->count; i++) {
		arena_reset(&arena);
		rules_prepare(model, &leads->records[i], 1790000000000, &arena);
	}
	arena_done(&arena);
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

static void measure(const struct generation *generation, const struct leads *leads, int rounds)
{
	double lead_ns[ROUNDS_MAX], timer_ns[ROUNDS_MAX];
	size_t timers = 0;
	warm_up(generation_model(generation), leads);
	for (int i = 0; i < rounds; i++) {
		struct cost cost = run_round(generation_model(generation), leads);
		lead_ns[i] = cost.lead_ns;
		timer_ns[i] = cost.timer_ns;
		timers = cost.timers;
	}
	qsort(lead_ns, (size_t)rounds, sizeof *lead_ns, by_value);
	qsort(timer_ns, (size_t)rounds, sizeof *timer_ns, by_value);
	printf("{\"leads\": %zu, \"rounds\": %d, \"batch\": %d, \"ns_per_lead\": %.0f, \"timers\": %zu, \"ns_per_timer\": %.0f}\n",
	       leads->count, rounds, (int)BATCH, lead_ns[rounds / 2], timers, timer_ns[rounds / 2]);
}

int main(int argc, char **argv)
{
	struct leads leads = {.arena = ARENA_INIT};
	struct strbuf text = STRBUF_INIT;
	int rounds = argc > 3 ? atoi(argv[3]) : 5;
	if (argc < 3 || rounds < 1 || rounds > ROUNDS_MAX) {
		fprintf(stderr, "usage: core_bench DIR RECORDS.jsonl [ROUNDS]\n");
		return 2;
	}
	struct diags *diags = diags_new();
	struct generation *generation = generation_load(argv[1], diags);
	bool is_good = generation != NULL && read_leads(&leads, argv[2]);
	if (is_good) {
		measure(generation, &leads, rounds);
	} else {
		diags_render(diags, false, &text);
		fprintf(stderr, "%score_bench: no configuration in %s, or no records in %s\n", strbuf_text(&text), argv[1], argv[2]);
	}
	generation_unref(generation);
	diags_free(diags);
	strbuf_done(&text);
	arena_done(&leads.arena);
	free(leads.records);
	return is_good ? 0 : 1;
}
