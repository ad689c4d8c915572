/* SPDX-License-Identifier: Apache-2.0
 *
 * Logs and transactions of the model of Kafka; what it keeps of the real one is listed in broker.h.
 */
#include "tests/sim/broker.h"

#include <assert.h>
#include <string.h>

#include "tests/sim/process.h"

enum { MARKER_TYPICAL_US = 3000, TXN_TIMEOUT_US = 12000000 };

struct landing {
	struct broker *broker;
	struct txn *txn;
	unsigned bit;
};

struct broker *broker_new(struct sim *sim)
{
	struct broker *broker = arena_alloc(&sim->arena, sizeof(*broker));

	broker->sim = sim;
	broker->committed_tail = &broker->committed_txns;
	return broker;
}

struct txn_age {
	struct broker *broker;
	struct txn *txn;
};

/* transaction.timeout.ms and the coordinator's scan */
static void on_txn_age(void *ctx)
{
	struct txn_age *age = ctx;

	if (age->txn->end == TXN_OPEN)
		broker_time_out_txn(age->broker, age->txn->instance);
}

static struct txn *txn_new(struct broker *broker, size_t instance)
{
	struct txn *txn = arena_alloc(&broker->sim->arena, sizeof(*txn));

	txn->number = ++broker->txn_count;
	txn->instance = instance;
	txn->begun_us = broker->sim->now_us;
	txn->produced_tail = &txn->produced;
	struct txn_age *age = arena_alloc(&broker->sim->arena, sizeof(*age));
	*age = (struct txn_age){broker, txn};
	sim_after(broker->sim, NULL, TXN_TIMEOUT_US, on_txn_age, age);
	return txn;
}

/* ---- leads.state */

static struct entry *append_entry(struct broker *broker, int32_t shard, struct txn *txn, const struct produced *record)
{
	struct state_partition *log = &broker->state[shard];

	if (log->count == log->capacity) {
		size_t capacity = log->capacity ? log->capacity * 2 : 64;
		struct entry *entries = arena_array(&broker->sim->arena, capacity, sizeof(*entries));
		if (log->count > 0)
			memcpy(entries, log->entries, log->count * sizeof(*entries));
		log->entries = entries;
		log->capacity = capacity;
	}
	struct entry *entry = &log->entries[log->count++];
	*entry = (struct entry){log->end++, txn, record, 0};
	return entry;
}

static bool has_landed(const struct entry *entry, int32_t shard)
{
	unsigned bit = PART_STATE + (unsigned)shard;

	return !entry->record || (entry->txn->end != TXN_OPEN && !(entry->txn->unmarked & 1u << bit));
}

int64_t broker_stable_end(struct broker *broker, int32_t shard)
{
	struct state_partition *log = &broker->state[shard];

	while (log->stable_hint < log->count && has_landed(&log->entries[log->stable_hint], shard))
		log->stable_hint++;
	return log->stable_hint < log->count ? log->entries[log->stable_hint].offset : log->end;
}

const struct entry *broker_entry(const struct broker *broker, int32_t shard, int64_t offset)
{
	const struct state_partition *log = &broker->state[shard];
	size_t low = 0, high = log->count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		if (log->entries[middle].offset < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low < log->count ? &log->entries[low] : NULL;
}

static bool same_key(const struct produced *a, const struct produced *b)
{
	return a->is_barrier == b->is_barrier && (a->is_barrier || slice_equal(a->write.key, b->write.key));
}

/* Is there a newer committed record of the same key among the entries behind `at`? */
static bool is_overwritten(const struct state_partition *log, size_t at, size_t end)
{
	for (size_t i = at + 1; i < end; i++) {
		const struct entry *newer = &log->entries[i];
		if (newer->record && newer->txn->end == TXN_COMMIT && same_key(log->entries[at].record, newer->record))
			return true;
	}
	return false;
}

static bool is_kept(struct broker *broker, struct state_partition *log, size_t at, size_t end)
{
	struct entry *entry = &log->entries[at];

	if (!entry->record || entry->txn->end != TXN_COMMIT)
		return false;
	if (is_overwritten(log, at, end))
		return false;
	if (entry->record->is_barrier || !entry->record->write.is_tombstone)
		return true;
	if (entry->horizon_us == 0)
		entry->horizon_us = broker->sim->now_us + SIM_RETENTION_MS * INT64_C(1000);
	return broker->sim->now_us < entry->horizon_us;
}

/* One pass of the cleaner over the part below the last stable offset; the last entries (active segment) stay. */
void broker_compact(struct broker *broker, int32_t shard)
{
	struct state_partition *log = &broker->state[shard];
	size_t kept = 0;

	broker_stable_end(broker, shard);
	size_t end = log->stable_hint;
	end -= end > 0 ? rng_below(&broker->sim->rng, end < 8 ? end : 8) : 0;
	for (size_t i = 0; i < end; i++) {
		/* what was kept so far lies before i, so the look ahead is not disturbed */
		if (is_kept(broker, log, i, end))
			log->entries[kept++] = log->entries[i];
	}
	if (end < log->count)
		memmove(&log->entries[kept], &log->entries[end], (log->count - end) * sizeof(*log->entries));
	log->count -= end - kept;
	log->stable_hint = 0;
	broker->sim->counts.compactions++;
}

/* ---- transactions */

static void land_offsets(struct broker *broker, const struct txn *txn)
{
	for (size_t shard = 0; shard < SIM_SHARDS && txn->end == TXN_COMMIT; shard++) {
		const struct txn_offsets *from = &txn->offsets[shard];
		for (size_t topic = 0; topic < SIM_TOPICS && from->is_set; topic++)
			broker->committed[shard][topic] =
				(struct committed){from->offsets[topic], topic == 0 ? from->metadata : SLICE_NONE};
	}
}

static void land_marker(struct broker *broker, struct txn *txn, unsigned bit)
{
	if (!(txn->unmarked & 1u << bit))
		return;
	txn->unmarked &= ~(1u << bit);
	if (bit == PART_OFFSETS)
		land_offsets(broker, txn);
	else if (bit >= PART_STATE)
		append_entry(broker, (int32_t)(bit - PART_STATE), txn, NULL);
}

static void on_marker(void *ctx)
{
	struct landing *landing = ctx;

	land_marker(landing->broker, landing->txn, landing->bit);
}

static void decide_txn(struct broker *broker, struct txn *txn, enum txn_end end)
{
	txn->end = end;
	txn->unmarked = txn->added;
	if (end == TXN_COMMIT) {
		*broker->committed_tail = txn;
		broker->committed_tail = &txn->next_committed;
	}
	sim_trace(broker->sim, "broker: transaction %llu of instance %zu %s", (unsigned long long)txn->number,
	          txn->instance, end == TXN_COMMIT ? "committed" : "aborted");
	for (unsigned bit = 0; bit < PART_BITS; bit++) {
		if (!(txn->added & 1u << bit))
			continue;
		struct landing *landing = arena_alloc(&broker->sim->arena, sizeof(*landing));
		*landing = (struct landing){broker, txn, bit};
		sim_after(broker->sim, NULL, sim_latency(broker->sim, MARKER_TYPICAL_US), on_marker, landing);
	}
}

/* A producer that goes on waits for the markers of what it ended (CONCURRENT_TRANSACTIONS). */
static void settle_markers(struct broker *broker, struct coordinator *coordinator)
{
	for (unsigned bit = 0; coordinator->txn && bit < PART_BITS; bit++)
		land_marker(broker, coordinator->txn, bit);
}

uint16_t broker_init_producer(struct broker *broker, size_t instance)
{
	struct coordinator *coordinator = &broker->coordinators[instance];

	if (coordinator->txn && coordinator->txn->end == TXN_OPEN)
		decide_txn(broker, coordinator->txn, TXN_ABORT);
	settle_markers(broker, coordinator);
	coordinator->txn = NULL;
	return ++coordinator->epoch;
}

void broker_time_out_txn(struct broker *broker, size_t instance)
{
	struct coordinator *coordinator = &broker->coordinators[instance];

	if (!broker_has_open_txn(broker, instance))
		return;
	coordinator->epoch++;
	decide_txn(broker, coordinator->txn, TXN_ABORT);
}

bool broker_has_open_txn(const struct broker *broker, size_t instance)
{
	const struct txn *txn = broker->coordinators[instance].txn;

	return txn && txn->end == TXN_OPEN;
}

enum broker_answer broker_add_partition(struct broker *broker, size_t instance, uint16_t epoch, unsigned bit)
{
	struct coordinator *coordinator = &broker->coordinators[instance];

	if (epoch != coordinator->epoch)
		return BROKER_FENCED;
	if (!coordinator->txn || coordinator->txn->end != TXN_OPEN) {
		settle_markers(broker, coordinator);
		coordinator->txn = txn_new(broker, instance);
	}
	coordinator->txn->added |= 1u << bit;
	return BROKER_OK;
}

/* The open transaction that `epoch` may write to through partition `bit`. */
static enum broker_answer find_txn(struct broker *broker, size_t instance, uint16_t epoch, unsigned bit,
                                   struct txn **ret_txn)
{
	struct coordinator *coordinator = &broker->coordinators[instance];

	if (epoch != coordinator->epoch)
		return BROKER_FENCED;
	if (!broker_has_open_txn(broker, instance) || !(coordinator->txn->added & 1u << bit))
		return BROKER_NOT_IN_TXN;
	*ret_txn = coordinator->txn;
	return BROKER_OK;
}

enum broker_answer broker_produce(struct broker *broker, size_t instance, uint16_t epoch,
                                  const struct produced *record, int64_t *ret_offset)
{
	unsigned bit = (record->is_event ? PART_OUT : PART_STATE) + (unsigned)record->shard;
	struct txn *txn;
	enum broker_answer answer = find_txn(broker, instance, epoch, bit, &txn);

	if (answer != BROKER_OK)
		return answer;
	struct produced *copy = arena_alloc(&broker->sim->arena, sizeof(*copy));
	*copy = *record;
	copy->next = NULL;
	*txn->produced_tail = copy;
	txn->produced_tail = &copy->next;
	if (!record->is_event)
		*ret_offset = append_entry(broker, record->shard, txn, copy)->offset;
	return BROKER_OK;
}

enum broker_answer broker_txn_offsets(struct broker *broker, size_t instance, uint16_t epoch,
                                      const struct commit_token *token, int32_t shard,
                                      const int64_t offsets[SIM_TOPICS], struct slice metadata)
{
	struct txn *txn;
	enum broker_answer answer = find_txn(broker, instance, epoch, PART_OFFSETS, &txn);
	int32_t partition_count;

	if (answer != BROKER_OK)
		return answer;
	if (!group_accepts(broker, token))
		return BROKER_OLD_GENERATION;
	struct txn_offsets *to = &txn->offsets[shard];
	to->is_set = true;
	memcpy(to->offsets, offsets, sizeof(to->offsets));
	to->metadata = sim_copy(broker->sim, metadata);
	if (head_from_metadata(to->metadata, &to->head, &partition_count, NULL) != 0)
		sim_finding(broker->sim, BAD_LOG, "metadata that cannot be read back");
	return BROKER_OK;
}

enum broker_answer broker_end_txn(struct broker *broker, size_t instance, uint16_t epoch, enum txn_end end)
{
	struct coordinator *coordinator = &broker->coordinators[instance];

	if (epoch != coordinator->epoch)
		return BROKER_FENCED;
	if (!coordinator->txn)
		return BROKER_NOT_IN_TXN;
	if (coordinator->txn->end == TXN_OPEN)
		decide_txn(broker, coordinator->txn, end);
	return coordinator->txn->end == end ? BROKER_OK : BROKER_NOT_IN_TXN;
}

bool broker_is_stable(const struct broker *broker, int32_t shard)
{
	for (size_t i = 0; i < SIM_INSTANCES_MAX; i++) {
		const struct txn *txn = broker->coordinators[i].txn;
		bool is_pending = txn && txn->offsets[shard].is_set &&
		                  (txn->end == TXN_OPEN || txn->unmarked & 1u << PART_OFFSETS);
		if (is_pending)
			return false;
	}
	return true;
}

void broker_publish(struct broker *broker, int32_t shard, size_t topic, struct record record)
{
	struct input *input = &broker->inputs[shard][topic];

	assert(input->count < input->capacity);
	record.offset = (int64_t)input->count;
	input->records[input->count++] = record;
	for (struct member *member = broker->members; member; member = member->next)
		kafka_in_sim_wake(member->in);
}
