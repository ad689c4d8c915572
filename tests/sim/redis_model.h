/* SPDX-License-Identifier: Apache-2.0
 *
 * The model of Redis: per shard a head and its containers, changed only by whole commands, as view.h tells them.
 *
 * Each change makes a new immutable version, so that losing writes (fail-over to a replica that is behind, restore of a
 * snapshot, fail-back to an abandoned branch) is setting a pointer.
 */
#ifndef LR_TESTS_SIM_REDIS_MODEL_H
#define LR_TESTS_SIM_REDIS_MODEL_H

#include "daemon/view.h"
#include "tests/sim/sim.h"

/* One state key with its value; `due_ms` is the score in the due set, 0 not in it. */
struct item {
	struct slice key, value;
	int64_t due_ms;
};

/* What a stranger may have put under our keys. */
enum garbage { GARBAGE_NONE, GARBAGE_HEAD /* no head of our form: told as missing */, GARBAGE_CONTAINER /* another type */ };

/* The keys of one shard at one moment. Items are sorted by key. */
struct version {
	enum garbage garbage;
	struct view_head head;
	const struct item *items;
	size_t count;
};

struct redis_shard {
	const struct version *now;
	const struct version **history; /* every version that ever was, abandoned ones too */
	size_t history_count, history_capacity;
};

struct redis_model {
	struct sim *sim;
	struct redis_shard shards[SIM_SHARDS];
	uint64_t restarts;    /* the order of a walk is that of one server process */
	int64_t down_until_us;
};

struct redis_model *redis_model_new(struct sim *sim);

/* A command as it travels: arguments are copied. `before` is what the head must be; which fields of it count depends on
 * the kind. */
enum command_kind {
	COMMAND_READ,
	COMMAND_READ_MEMORY,
	COMMAND_APPLY,
	COMMAND_INSTALL_EPOCH,
	COMMAND_REBUILD_BEGIN,
	COMMAND_REBUILD_CHUNK,
	COMMAND_REBUILD_FINISH,
};

struct command {
	enum command_kind kind;
	int32_t shard;
	struct view_head before;
	struct head after;
	int64_t pos;
	const struct write *writes;
	size_t write_count;
	const struct slice *keys;
	size_t key_count;
	int64_t due_until_ms;
	size_t due_limit;
	bool is_walk;
	uint64_t walk_cursor;
	size_t walk_count;
};

/* Executes the command now and fills the answer (all of it in the schedule's arena). With `is_half` a command that
 * writes stops with an error after some of its writes. */
void redis_model_run(struct redis_model *redis, const struct command *command, bool is_half, struct view_reply *ret);

/* ---- faults */
void redis_model_wipe(struct redis_model *redis, int32_t shard);
/* To any version that ever was. */
void redis_model_set_back(struct redis_model *redis, int32_t shard, size_t history_at);
void redis_model_put_garbage(struct redis_model *redis, int32_t shard, enum garbage garbage);
/* A view that another history made, perhaps with our counters. */
void redis_model_make_foreign(struct redis_model *redis, int32_t shard);

#endif
