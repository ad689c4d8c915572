/* SPDX-License-Identifier: Apache-2.0
 *
 * The model of Kafka: logs, transactions, committed offsets and one consumer group.
 *
 * What it keeps of the real thing, because the protocol leans on it:
 *   - a transaction spans partitions; its end is one decision, the markers land on each partition at their own time;
 *   - until its marker has landed a transaction holds the last stable offset of the partition, and committed offsets
 *     answer "unstable";
 *   - an offset commit is checked for member and generation, not for ownership of the partition, and never for moving
 *     forward; generation -1 with no member passes unchecked (reliability.md W4);
 *   - the end of a transaction names a producer epoch and nothing more, so a late copy ends whatever that epoch has
 *     begun since (W8); produce requests are verified against the running transaction (KIP-890 part 1);
 *   - re-initialising a transactional id raises the epoch and aborts what was open; so does the transaction time-out;
 *   - compaction keeps the newest committed record per key below the last stable offset; tombstones go after
 *     delete.retention.ms.
 */
#ifndef LR_TESTS_SIM_BROKER_H
#define LR_TESTS_SIM_BROKER_H

#include "daemon/commit.h"
#include "rules/rules.h"
#include "tests/sim/sim.h"

/* Partitions that a transaction can touch, as bits. */
enum { PART_OUT = 0, PART_STATE = 8, PART_OFFSETS = 16, PART_BITS = 17 };

enum txn_end { TXN_OPEN, TXN_COMMIT, TXN_ABORT };

/* One record that a transaction produced, in the order in which it did. */
struct produced {
	struct produced *next;
	int32_t shard;
	bool is_event, is_barrier;
	struct event event;    /* is_event: a deep copy */
	struct write write;    /* else; a barrier has none */
	struct head head;      /* headers q and h; a barrier's epoch */
};

struct txn_offsets {
	bool is_set;
	int64_t offsets[SIM_TOPICS];
	struct slice metadata;
	struct head head; /* parsed from it */
};

struct txn {
	uint64_t number;       /* for traces */
	size_t instance;
	enum txn_end end;
	uint32_t added;        /* partitions that are part of it */
	uint32_t unmarked;     /* of those: the marker has not landed */
	int64_t begun_us;
	struct produced *produced, **produced_tail;
	struct txn_offsets offsets[SIM_SHARDS];
	struct txn *next_committed;
};

/* One entry of leads.state[p]. */
struct entry {
	int64_t offset;
	struct txn *txn;
	const struct produced *record; /* NULL: a marker */
	int64_t horizon_us;            /* of a tombstone that compaction has met: when it may go; 0 not met */
};

struct state_partition {
	struct entry *entries; /* by offset, with holes once compacted */
	size_t count, capacity;
	int64_t end;           /* offset of the next record */
	size_t stable_hint;    /* entries before this one have landed */
};

struct coordinator {
	uint16_t epoch;
	struct txn *txn;       /* the latest; NULL before the first */
};

struct committed {
	int64_t offset;
	struct slice metadata;
};

struct input {
	struct record *records; /* in the order of offsets */
	size_t count, capacity;
};

struct member {
	uint64_t id;
	struct kafka_in *in;
	bool has_joined;        /* in the rebalance under way */
	struct member *next;    /* by id */
};

struct broker {
	struct sim *sim;
	struct input inputs[SIM_SHARDS][SIM_TOPICS];
	size_t inputs_to_come;  /* records that have not been published yet */
	struct state_partition state[SIM_SHARDS];
	struct coordinator coordinators[SIM_INSTANCES_MAX];
	struct committed committed[SIM_SHARDS][SIM_TOPICS];
	struct txn_offsets bootstrap[SIM_SHARDS];
	struct txn *committed_txns, **committed_tail; /* in the order of their decision */
	uint64_t txn_count;
	struct member *members;
	uint64_t member_count_ever;
	int32_t generation;
	bool is_rebalancing;
	uint64_t rebalance_number;
};

enum broker_answer {
	BROKER_OK,
	BROKER_FENCED,     /* the producer epoch is old */
	BROKER_NOT_IN_TXN, /* the transaction has not begun there, or ended already */
	BROKER_OLD_GENERATION,
};

struct broker *broker_new(struct sim *sim);

/* ---- transactions; `epoch` is what the producer believes */
uint16_t broker_init_producer(struct broker *broker, size_t instance);
enum broker_answer broker_add_partition(struct broker *broker, size_t instance, uint16_t epoch, unsigned bit);
/* Takes a copy. *ret_offset: where it lies in leads.state, for state records and barriers. */
enum broker_answer broker_produce(struct broker *broker, size_t instance, uint16_t epoch,
                                  const struct produced *record, int64_t *ret_offset);
enum broker_answer broker_txn_offsets(struct broker *broker, size_t instance, uint16_t epoch,
                                      const struct commit_token *token, int32_t shard,
                                      const int64_t offsets[SIM_TOPICS], struct slice metadata);
enum broker_answer broker_end_txn(struct broker *broker, size_t instance, uint16_t epoch, enum txn_end end);
/* What the coordinator does with a transaction that is open for too long. */
void broker_time_out_txn(struct broker *broker, size_t instance);
bool broker_has_open_txn(const struct broker *broker, size_t instance);

/* ---- reading */
/* False while a transaction that is not finished holds offsets of the shard. */
bool broker_is_stable(const struct broker *broker, int32_t shard);
/* First offset that a read_committed reader may not pass. */
int64_t broker_stable_end(struct broker *broker, int32_t shard);
/* The first entry at or behind `offset`, or NULL. */
const struct entry *broker_entry(const struct broker *broker, int32_t shard, int64_t offset);
void broker_compact(struct broker *broker, int32_t shard);
void broker_publish(struct broker *broker, int32_t shard, size_t topic, struct record record);

/* ---- group.c */
void group_join(struct broker *broker, struct kafka_in *in, uint64_t *member_id);
void group_leave(struct broker *broker, uint64_t member_id);
/* The session of this member has run out. */
void group_expel(struct broker *broker, uint64_t member_id);
bool group_accepts(const struct broker *broker, const struct commit_token *token);
bool group_has_member(const struct broker *broker, uint64_t member_id);

/* ---- told to a member (kafka_in_sim.c); each is a later step of its process */
void kafka_in_sim_rebalance(struct kafka_in *in, uint64_t member_id);
void kafka_in_sim_assign(struct kafka_in *in, uint64_t member_id, int32_t generation, uint32_t shards);
void kafka_in_sim_expelled(struct kafka_in *in, uint64_t member_id);
/* New records lie in the log. */
void kafka_in_sim_wake(struct kafka_in *in);

struct commit_token {
	unsigned refs;
	uint64_t member_id;
	int32_t generation;
};

#endif
