/* SPDX-License-Identifier: Apache-2.0
 *
 * The commands of redis_model.h. What the scripts beside daemon/view.h promise is written down here a second time, in
 * the plainest way; tests/sim/redis_diff compares the two.
 */
#include "tests/sim/redis_model.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/mutation.h"
#include "rules/base/mem.h"

static const struct version empty_version;

static void set_version(struct redis_model *redis, int32_t shard, const struct version *version)
{
	struct redis_shard *at = &redis->shards[shard];

	if (at->history_count == at->history_capacity) {
		size_t capacity = at->history_capacity ? at->history_capacity * 2 : 64;
		const struct version **history = arena_array(&redis->sim->arena, capacity, sizeof(*history));
		if (at->history_count > 0)
			memcpy(history, at->history, at->history_count * sizeof(*history));
		at->history = history;
		at->history_capacity = capacity;
	}
	at->history[at->history_count++] = version;
	at->now = version;
}

struct redis_model *redis_model_new(struct sim *sim)
{
	struct redis_model *redis = arena_alloc(&sim->arena, sizeof(*redis));

	redis->sim = sim;
	for (int32_t shard = 0; shard < SIM_SHARDS; shard++)
		set_version(redis, shard, &empty_version);
	return redis;
}

/* ---- items */

static size_t place_of(const struct version *version, struct slice key, bool *ret_is_there)
{
	size_t low = 0, high = version->count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = slice_compare(version->items[middle].key, key);
		if (order == 0) {
			*ret_is_there = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_is_there = false;
	return low;
}

static const struct item *find_item(const struct version *version, struct slice key)
{
	bool is_there;
	size_t at = place_of(version, key, &is_there);

	return is_there ? &version->items[at] : NULL;
}

/* `items` has room for one more than `version->count`. */
static void write_item(struct version *version, struct item *items, const struct write *write)
{
	bool is_there;
	size_t at = place_of(version, write->key, &is_there);
	size_t behind = version->count - at;

	if (write->is_tombstone) {
		if (!is_there)
			return;
		memmove(&items[at], &items[at + 1], (behind - 1) * sizeof(*items));
		version->count--;
		return;
	}
	if (!is_there) {
		memmove(&items[at + 1], &items[at], behind * sizeof(*items));
		version->count++;
	}
	items[at] = (struct item){write->key, write->value, write->due_ms};
}

/* The version after the first `count` writes. */
static struct version *written(struct redis_model *redis, const struct version *from, const struct write *writes, size_t count)
{
	struct version *version = arena_alloc(&redis->sim->arena, sizeof(*version));
	struct item *items = arena_array(&redis->sim->arena, from->count + count, sizeof(*items));

	*version = *from;
	if (from->count > 0)
		memcpy(items, from->items, from->count * sizeof(*items));
	version->items = items;
	for (size_t i = 0; i < count; i++)
		write_item(version, items, &writes[i]);
	return version;
}

/* ---- reading */

static void answer_item(struct redis_model *redis, const struct version *version, struct slice key, struct view_reply *ret)
{
	struct view_value *values = (struct view_value *)(uintptr_t)ret->values;
	const struct item *item = find_item(version, key);

	(void)redis;
	values[ret->value_count++] =
		(struct view_value){.key = key, .is_found = item != NULL, .value = item ? item->value : SLICE_NONE};
}

static struct slice lead_key(struct redis_model *redis, struct slice lead_id)
{
	const char *text = arena_printf(&redis->sim->arena, "lead/%.*s", SLICE_ARG(lead_id));

	return slice_of(text);
}

static int by_due(const void *a, const void *b)
{
	const struct item *x = *(const struct item *const *)a, *y = *(const struct item *const *)b;

	return x->due_ms != y->due_ms ? (x->due_ms > y->due_ms) - (x->due_ms < y->due_ms) : slice_compare(x->key, y->key);
}

/* A lead's id; a memory key as a whole. */
static struct slice name_of(struct slice key)
{
	if (rules_is_memory(key))
		return key;
	return (struct slice){key.p + strlen("lead/"), key.len - strlen("lead/")};
}

static void answer_due(struct redis_model *redis, const struct version *version, const struct command *command,
                       struct view_reply *ret)
{
	const struct item **all = arena_array(&redis->sim->arena, version->count, sizeof(*all));
	struct slice *due = arena_array(&redis->sim->arena, command->due_limit, sizeof(*due));
	size_t count = 0;

	for (size_t i = 0; i < version->count; i++)
		if (version->items[i].due_ms > 0)
			all[count++] = &version->items[i];
	qsort(all, count, sizeof(*all), by_due);
	ret->due = due;
	for (size_t i = 0; i < count; i++) {
		/* due_until 0 is before them all: nothing is due, but the next one is told */
		bool is_taken = all[i]->due_ms <= command->due_until_ms && ret->due_count < command->due_limit;
		if (!is_taken) {
			ret->next_due_ms = all[i]->due_ms;
			return;
		}
		due[ret->due_count++] = name_of(all[i]->key);
		if (!rules_is_memory(all[i]->key))
			answer_item(redis, version, all[i]->key, ret);
	}
}

/* Like a scan: leads in the order of a hash of their key, so that what stays is seen whatever comes and goes meanwhile. */
struct walked {
	uint64_t place;
	const struct item *item;
};

static int by_place(const void *a, const void *b)
{
	const struct walked *x = a, *y = b;

	return (x->place > y->place) - (x->place < y->place);
}

static uint64_t scan_place(const struct redis_model *redis, struct slice key)
{
	uint64_t hash = 14695981039346656037u + redis->restarts * 0x9e3779b97f4a7c15u; /* FNV-1a, seeded by the process */

	for (size_t i = 0; i < key.len; i++)
		hash = (hash ^ (unsigned char)key.p[i]) * 1099511628211u;
	return 1 + (hash >> 8);
}

static void answer_walk(struct redis_model *redis, const struct version *version, const struct command *command,
                        struct view_reply *ret)
{
	struct walked *all = arena_array(&redis->sim->arena, version->count, sizeof(*all));
	struct slice *names = arena_array(&redis->sim->arena, version->count, sizeof(*names));
	size_t count = 0;

	for (size_t i = 0; i < version->count; i++) {
		uint64_t place = scan_place(redis, version->items[i].key);
		if (slice_has_prefix(version->items[i].key, SLICE("lead/")) && place >= command->walk_cursor)
			all[count++] = (struct walked){place, &version->items[i]};
	}
	qsort(all, count, sizeof(*all), by_place);
	ret->walked = names;
	for (size_t i = 0; i < count; i++) {
		if (i >= command->walk_count && all[i].place != all[i - 1].place) {
			ret->walk_next = all[i].place;
			return;
		}
		names[ret->walked_count++] = name_of(all[i].item->key);
		answer_item(redis, version, all[i].item->key, ret);
	}
}

/* The leads that those of the answer may be merged with. */
static void answer_beside(struct redis_model *redis, const struct version *version, struct view_reply *ret)
{
	size_t count = ret->value_count;

	for (size_t i = 0; i < count; i++) {
		const struct view_value *value = &ret->values[i];
		struct slice beside = SLICE_NONE;
		if (value->is_found && slice_has_prefix(value->key, SLICE("lead/")))
			beside = rules_lead_beside(value->value);
		if (beside.len > 0)
			answer_item(redis, version, lead_key(redis, beside), ret);
	}
}

static void run_read(struct redis_model *redis, const struct version *version, const struct command *command,
                     struct view_reply *ret)
{
	size_t most = 2 * (2 * command->key_count + command->due_limit + 2 * version->count);

	ret->values = arena_array(&redis->sim->arena, most, sizeof(*ret->values));
	for (size_t i = 0; i < command->key_count; i++)
		answer_item(redis, version, command->keys[i], ret);
	for (size_t i = 0; i < command->key_count; i++) {
		const struct view_value *value = &ret->values[i];
		struct slice lead = SLICE_NONE;
		if (value->is_found && slice_has_prefix(value->key, SLICE("ident/")))
			lead = rules_ident_lead(value->value);
		if (lead.len > 0)
			answer_item(redis, version, lead_key(redis, lead), ret);
	}
	answer_due(redis, version, command, ret);
	if (command->is_walk)
		answer_walk(redis, version, command, ret);
	answer_beside(redis, version, ret);
}

static void run_read_memory(struct redis_model *redis, const struct version *version, struct view_reply *ret)
{
	ret->values = arena_array(&redis->sim->arena, version->count, sizeof(*ret->values));
	for (size_t i = 0; i < version->count; i++)
		if (rules_is_memory(version->items[i].key))
			answer_item(redis, version, version->items[i].key, ret);
}

/* ---- writing */

static bool heads_equal(const struct head *a, const struct head *b)
{
	return a->seq == b->seq && strcmp(a->hash, b->hash) == 0 &&
	       (a->epoch == b->epoch || mutation_is("epoch-not-in-head"));
}

/* Exactly what was seen: a missing head, a loading mark with its epoch and chunk, or a normal head. */
static bool fits(const struct view_head *is, const struct view_head *expected)
{
	if (mutation_is("no-cas"))
		return true;
	if (mutation_is("final-head-first") && expected->state == VIEW_HEAD_LOADING)
		return is->head.epoch == expected->head.epoch;
	if (is->state != expected->state)
		return false;
	switch (is->state) {
	case VIEW_HEAD_MISSING:
		return true;
	case VIEW_HEAD_LOADING:
		return is->chunk == expected->chunk &&
		       (is->head.epoch == expected->head.epoch || mutation_is("epoch-not-in-head"));
	case VIEW_HEAD_NORMAL:
		return heads_equal(&is->head, &expected->head);
	}
	return false;
}

static struct view_head head_behind(const struct command *command, const struct view_head *is)
{
	struct view_head to = *is;

	switch (command->kind) {
	case COMMAND_READ:
	case COMMAND_READ_MEMORY:
		break;
	case COMMAND_INSTALL_EPOCH:
		to.head.epoch = command->after.epoch;
		break;
	case COMMAND_APPLY:
	case COMMAND_REBUILD_FINISH:
		to = (struct view_head){VIEW_HEAD_NORMAL, command->after, command->pos, 0};
		break;
	case COMMAND_REBUILD_BEGIN:
		to = (struct view_head){VIEW_HEAD_LOADING, command->after, 0, 0};
		break;
	case COMMAND_REBUILD_CHUNK:
		to.chunk = command->before.chunk + 1;
		break;
	}
	return to;
}

/* True when the script says that what lies there is not ours. Only a rebuild's begin looks past that. */
static bool is_broken(const struct version *version, enum command_kind kind)
{
	switch (kind) {
	case COMMAND_READ:
	case COMMAND_READ_MEMORY:
		return version->garbage == GARBAGE_HEAD ||
		       (version->garbage == GARBAGE_CONTAINER && version->head.state == VIEW_HEAD_NORMAL);
	case COMMAND_APPLY:
		return version->garbage != GARBAGE_NONE;
	case COMMAND_INSTALL_EPOCH:
		return version->garbage == GARBAGE_HEAD;
	case COMMAND_REBUILD_CHUNK:
		return version->garbage == GARBAGE_CONTAINER;
	case COMMAND_REBUILD_BEGIN:
	case COMMAND_REBUILD_FINISH:
		return false;
	}
	return false;
}

static void run_write(struct redis_model *redis, const struct command *command, bool is_half, struct view_reply *ret)
{
	const struct version *from = redis->shards[command->shard].now;
	struct version emptied = {.head = from->head}; /* of garbage, too */
	size_t count = command->write_count;

	ret->head = from->head;
	bool is_done_before = command->kind == COMMAND_APPLY && from->garbage != GARBAGE_HEAD &&
	                      from->head.state == VIEW_HEAD_NORMAL && heads_equal(&from->head.head, &command->after);
	if (is_done_before && !fits(&from->head, &command->before)) {
		ret->status = VIEW_DONE; /* q and h name the content: this very batch was applied earlier */
		return;
	}
	bool is_headless = command->kind == COMMAND_INSTALL_EPOCH && command->before.state == VIEW_HEAD_MISSING;
	if (is_headless || !fits(&from->head, &command->before)) {
		ret->status = from->garbage == GARBAGE_HEAD ? VIEW_BROKEN : VIEW_STALE;
		return;
	}
	if (is_broken(from, command->kind)) {
		ret->status = VIEW_BROKEN;
		return;
	}
	if (is_half)
		count = count ? rng_below(&redis->sim->rng, count + 1) : 0;
	/* a rebuild sets its mark first and empties afterwards; all others write the head last */
	bool is_begin = command->kind == COMMAND_REBUILD_BEGIN;
	struct version *to = written(redis, is_begin && !is_half ? &emptied : from, command->writes, count);
	if (!is_half || is_begin || mutation_is("apply-head-first"))
		to->head = head_behind(command, &from->head);
	set_version(redis, command->shard, to);
	ret->status = is_half ? VIEW_UNKNOWN : VIEW_DONE;
	ret->head = to->head;
}

void redis_model_run(struct redis_model *redis, const struct command *command, bool is_half, struct view_reply *ret)
{
	const struct version *version = redis->shards[command->shard].now;

	*ret = (struct view_reply){.status = VIEW_DONE, .err = ERR_INIT, .head = version->head};
	bool is_read = command->kind == COMMAND_READ || command->kind == COMMAND_READ_MEMORY;
	if (is_read && is_broken(version, command->kind)) {
		ret->status = VIEW_BROKEN;
		return;
	}
	switch (command->kind) {
	case COMMAND_READ:
		run_read(redis, version, command, ret);
		return;
	case COMMAND_READ_MEMORY:
		run_read_memory(redis, version, ret);
		return;
	case COMMAND_APPLY:
	case COMMAND_INSTALL_EPOCH:
	case COMMAND_REBUILD_BEGIN:
	case COMMAND_REBUILD_CHUNK:
	case COMMAND_REBUILD_FINISH:
		run_write(redis, command, is_half, ret);
		return;
	}
}

/* ---- faults */

void redis_model_wipe(struct redis_model *redis, int32_t shard)
{
	set_version(redis, shard, &empty_version);
}

void redis_model_set_back(struct redis_model *redis, int32_t shard, size_t history_at)
{
	set_version(redis, shard, redis->shards[shard].history[history_at]);
}

void redis_model_put_garbage(struct redis_model *redis, int32_t shard, enum garbage garbage)
{
	struct version *version = arena_alloc(&redis->sim->arena, sizeof(*version));

	*version = *redis->shards[shard].now;
	version->garbage = garbage;
	if (garbage == GARBAGE_HEAD)
		version->head = (struct view_head){.state = VIEW_HEAD_MISSING};
	set_version(redis, shard, version);
}

/* Counters near ours, values of the other shard or of another time, a hash that is not ours. */
void redis_model_make_foreign(struct redis_model *redis, int32_t shard)
{
	struct sim *sim = redis->sim;
	const struct redis_shard *other = &redis->shards[rng_below(&sim->rng, SIM_SHARDS)];
	struct version *version = arena_alloc(&sim->arena, sizeof(*version));

	*version = *other->history[rng_below(&sim->rng, other->history_count)];
	version->head.state = VIEW_HEAD_NORMAL;
	version->head.head.epoch = redis->shards[shard].now->head.head.epoch + rng_below(&sim->rng, 3);
	version->head.head.seq = redis->shards[shard].now->head.head.seq;
	if (rng_hits(&sim->rng, 5000) && version->head.head.seq > 0)
		version->head.head.seq -= rng_below(&sim->rng, version->head.head.seq + 1);
	for (size_t i = 0; i < HEAD_HASH_BYTES - 1; i++)
		version->head.head.hash[i] = "0123456789abcdef"[rng_below(&sim->rng, 16)];
	set_version(redis, shard, version);
}
