/* SPDX-License-Identifier: Apache-2.0
 *
 * What must stop a shard rather than be guessed at (reliability.md W6, W7, W16): somebody changes what the group has
 * committed, or the log, while nobody runs. Afterwards the shard must stop with the right code and decide nothing, and
 * the other shard must go on to its end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/base/mem.h"
#include "tests/sim/broker.h"
#include "tests/sim/process.h"
#include "tests/sim/redis_model.h"
#include "tests/sim/stops.h"

enum { STEPS_BEFORE = 400, STEPS_AFTER = 8000, TAMPERED = 0, OTHER = 1 };

static void lose_offsets(struct sim *sim)
{
	for (size_t topic = 0; topic < SIM_TOPICS; topic++)
		sim->broker->committed[TAMPERED][topic].offset = -1;
}

/* kafka-consumer-groups --reset-offsets */
static void reset_offsets(struct sim *sim)
{
	for (size_t topic = 0; topic < SIM_TOPICS; topic++)
		sim->broker->committed[TAMPERED][topic] = (struct committed){0, SLICE_NONE};
}

static void change_partition_count(struct sim *sim)
{
	char text[HEAD_METADATA_BYTES];
	size_t len = head_to_metadata(&sim->broker->bootstrap[TAMPERED].head, SIM_SHARDS + 1, text);

	sim->broker->committed[TAMPERED][0].metadata = sim_copy(sim, (struct slice){text, len});
}

/* The topic was deleted and created anew. */
static void recreate_topic(struct sim *sim)
{
	sim->broker->committed[TAMPERED][1].offset = (int64_t)sim->broker->inputs[TAMPERED][1].capacity + 1;
}

/* A record of a batch whose offsets were never committed; only a rebuild can meet it. */
static void tear_transaction(struct sim *sim)
{
	struct broker *broker = sim->broker;
	struct produced record = {
		.shard = TAMPERED, .write = {.key = SLICE("ring/torn"), .value = SLICE("1")},
		.head = {.seq = 1000, .hash = "0123456789abcdef"},
	};
	int64_t offset;
	uint16_t epoch = broker_init_producer(broker, 0);

	broker_add_partition(broker, 0, epoch, PART_STATE + TAMPERED);
	broker_produce(broker, 0, epoch, &record, &offset);
	broker_end_txn(broker, 0, epoch, TXN_COMMIT);
	redis_model_wipe(sim->redis, TAMPERED);
}

static void split_assignment(struct sim *sim)
{
	sim->split_shards = 1u << TAMPERED;
}

static const struct {
	const char *name;
	void (*tamper)(struct sim *sim);
	enum err_code code;
} stops[] = {
	{"committed offsets are gone", lose_offsets, ERR_NO_OFFSETS},
	{"offsets were reset", reset_offsets, ERR_FOREIGN_METADATA},
	{"another number of partitions", change_partition_count, ERR_PARTITION_COUNT},
	{"an input topic was created anew", recreate_topic, ERR_LOG_TRUNCATED},
	{"a torn transaction", tear_transaction, ERR_TORN_TRANSACTION},
	{"a split assignment", split_assignment, ERR_SPLIT_ASSIGNMENT},
};

enum { STOP_COUNT = sizeof(stops) / sizeof(*stops) };

/* Events of the shard in committed transactions. */
static size_t count_events(const struct sim *sim, int32_t shard)
{
	size_t count = 0;

	for (const struct txn *txn = sim->broker->committed_txns; txn; txn = txn->next_committed)
		for (const struct produced *at = txn->produced; at; at = at->next)
			count += at->is_event && at->shard == shard;
	return count;
}

static bool has_stopped(const struct sim *sim)
{
	for (size_t i = 0; i < sim->instance_count; i++) {
		struct shard_status status;
		if (!sim->processes[i])
			continue;
		shard_status(sim->processes[i]->shards[TAMPERED], &status);
		if (status.state == SHARD_STOPPED)
			return true;
	}
	return false;
}

static const char *find_fault(const struct sim *sim, enum err_code code, size_t events_before)
{
	if (sim->stop_code != (int)code)
		return "the shard did not stop, or for another reason";
	if (!has_stopped(sim))
		return "the shard did not stay stopped";
	if (count_events(sim, TAMPERED) != events_before)
		return "the stopped shard went on deciding";
	for (size_t topic = 0; topic < SIM_TOPICS; topic++)
		if (sim->broker->committed[OTHER][topic].offset != (int64_t)sim->broker->inputs[OTHER][topic].capacity)
			return "the other shard did not go on";
	return NULL;
}

/* NULL when all was as it must be. */
static const char *run_stop(uint64_t seed, size_t which, const struct reference *reference)
{
	struct sim *sim = xcalloc(1, sizeof(*sim));

	*sim = (struct sim){.seed = seed, .rng = {seed}, .reference = reference, .expects_stop = true, .is_healed = true};
	world_build(sim);
	sim->chances = (struct sim_chances){.is_in_order = true, .compaction = 1};
	sim_steps(sim, rng_below(&sim->rng, STEPS_BEFORE));
	for (size_t i = 0; i < sim->instance_count; i++)
		if (sim->processes[i])
			process_kill(sim->processes[i], "stopped by its admin");
	for (size_t i = 0; i < SIM_INSTANCES_MAX; i++)
		broker_init_producer(sim->broker, i); /* nothing of theirs lands any more */
	stops[which].tamper(sim);
	size_t events_before = count_events(sim, TAMPERED);
	sim_steps(sim, STEPS_AFTER);
	const char *fault = find_fault(sim, stops[which].code, events_before);
	world_done(sim);
	arena_done(&sim->arena);
	free(sim->heap);
	free(sim);
	return fault;
}

int stops_run(const struct reference *reference, uint64_t seeds)
{
	unsigned passed = 0, failed = 0;

	for (size_t which = 0; which < STOP_COUNT; which++) {
		const char *fault = NULL;
		uint64_t seed = 1;
		for (; !fault && seed <= seeds; seed++)
			fault = run_stop(seed, which, reference);
		fault ? failed++ : passed++;
		if (fault)
			printf("%s: seed %llu: %s\n", stops[which].name, (unsigned long long)seed - 1, fault);
	}
	printf("%u passed, %u failed\n", passed, failed);
	return failed == 0 ? 0 : 1;
}
