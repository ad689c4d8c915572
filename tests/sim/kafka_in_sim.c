/* SPDX-License-Identifier: Apache-2.0
 *
 * kafka_in.h over the model of Kafka: one member of the group, its assignment and its positions. Notices of the group
 * reach it as later steps of its process, so a paused process learns of its expulsion only when it wakes.
 */
#include <stdlib.h>

#include "rules/base/mem.h"
#include "tests/sim/broker.h"
#include "tests/sim/process.h"

enum { FETCH_TYPICAL_US = 3000, HEARTBEAT_US = 800000, JOIN_TYPICAL_US = 5000 };

struct fetched {
	bool is_assigned, is_paused, has_position;
	int64_t position[SIM_TOPICS];
};

struct kafka_in {
	struct process *process;
	struct kafka_in_events events;
	uint64_t member_id;
	uint64_t join_count;       /* an assignment that answers an older join is not taken */
	struct commit_token *newest;
	struct fetched shards[SIM_SHARDS];
	bool is_fetching;          /* a step is under way */
};

struct notice {
	struct kafka_in *in;
	uint64_t member_id, join_count;
	int32_t generation;
	uint32_t shards;
};

struct commit_token *commit_token_ref(struct commit_token *token)
{
	token->refs++;
	return token;
}

void commit_token_unref(struct commit_token *token)
{
	if (--token->refs == 0)
		free(token);
}

void kafka_in_message_free(struct kafka_message *take_message)
{
	free(take_message);
}

struct kafka_in *kafka_in_sim_new(struct process *process)
{
	/* in the arena: the group may still want to tell a dead member something */
	struct kafka_in *in = arena_alloc(&process->sim->arena, sizeof(*in));

	in->process = process;
	return in;
}

void kafka_in_sim_free(struct kafka_in *in)
{
	if (in->newest)
		commit_token_unref(in->newest);
	in->newest = NULL;
}

void kafka_in_listen(struct kafka_in *in, const struct kafka_in_events *events)
{
	in->events = *events;
}

uint64_t kafka_in_sim_member(const struct kafka_in *in)
{
	return in->member_id;
}

struct commit_token *kafka_in_sim_newest_token(struct kafka_in *in)
{
	return in->newest;
}

/* ---- membership */

static void revoke_all(struct kafka_in *in, bool is_lost)
{
	for (int32_t shard = 0; shard < SIM_SHARDS; shard++) {
		if (!in->shards[shard].is_assigned)
			continue;
		in->events.on_revoked(in->events.ctx, shard, is_lost);
		in->shards[shard] = (struct fetched){0};
	}
}

static void join(struct kafka_in *in)
{
	if (process_is_gone(in->process))
		return;
	in->join_count++;
	group_join(in->process->sim->broker, in, &in->member_id);
}

void kafka_in_sim_join(struct kafka_in *in)
{
	join(in);
}

void kafka_in_sim_leave(struct kafka_in *in)
{
	revoke_all(in, false);
	if (!process_is_gone(in->process))
		group_leave(in->process->sim->broker, in->member_id);
}

static struct notice *notice_new(struct kafka_in *in, uint64_t member_id)
{
	struct notice *notice = arena_alloc(&in->process->sim->arena, sizeof(*notice));

	*notice = (struct notice){.in = in, .member_id = member_id, .join_count = in->join_count};
	return notice;
}

static void on_rebalance(void *ctx)
{
	struct notice *notice = ctx;
	struct kafka_in *in = notice->in;

	if (notice->member_id != in->member_id || notice->join_count != in->join_count)
		return;
	revoke_all(in, !group_has_member(in->process->sim->broker, in->member_id));
	join(in);
}

void kafka_in_sim_rebalance(struct kafka_in *in, uint64_t member_id)
{
	struct sim *sim = in->process->sim;

	if (!in->process->is_dead)
		sim_after(sim, in->process, rng_between(&sim->rng, 1000, HEARTBEAT_US), on_rebalance, notice_new(in, member_id));
}

static void on_expelled(void *ctx)
{
	struct notice *notice = ctx;
	struct kafka_in *in = notice->in;

	if (notice->member_id != in->member_id)
		return;
	revoke_all(in, true);
	join(in);
}

void kafka_in_sim_expelled(struct kafka_in *in, uint64_t member_id)
{
	struct sim *sim = in->process->sim;

	if (!in->process->is_dead)
		sim_after(sim, in->process, rng_between(&sim->rng, 1000, HEARTBEAT_US), on_expelled, notice_new(in, member_id));
}

static void on_assign(void *ctx)
{
	struct notice *notice = ctx;
	struct kafka_in *in = notice->in;

	if (notice->member_id != in->member_id || notice->join_count != in->join_count)
		return;
	struct commit_token *token = xcalloc(1, sizeof(*token));
	*token = (struct commit_token){1, in->member_id, notice->generation};
	if (in->newest)
		commit_token_unref(in->newest);
	in->newest = token;
	for (int32_t shard = 0; shard < SIM_SHARDS; shard++) {
		if (!(notice->shards & 1u << shard))
			continue;
		in->shards[shard] = (struct fetched){.is_assigned = true, .is_paused = true};
		bool is_complete = !(in->process->sim->split_shards & 1u << shard);
		in->events.on_assigned(in->events.ctx, shard, token, is_complete);
	}
}

void kafka_in_sim_assign(struct kafka_in *in, uint64_t member_id, int32_t generation, uint32_t shards)
{
	struct sim *sim = in->process->sim;

	if (in->process->is_dead)
		return;
	struct notice *notice = notice_new(in, member_id);
	notice->generation = generation;
	notice->shards = shards;
	sim_after(sim, in->process, sim_latency(sim, JOIN_TYPICAL_US), on_assign, notice);
}

/* ---- records */

static void deliver(struct kafka_in *in, int32_t shard, size_t topic)
{
	struct fetched *at = &in->shards[shard];
	const struct input *input = &in->process->sim->broker->inputs[shard][topic];
	struct kafka_message *message = xcalloc(1, sizeof(*message));

	message->record = input->records[at->position[topic]++];
	message->topic = topic;
	message->bytes = message->record.key.len + message->record.value.len;
	in->events.on_message(in->events.ctx, shard, message);
}

static bool has_more(const struct kafka_in *in, int32_t shard, size_t topic)
{
	const struct fetched *at = &in->shards[shard];

	return at->is_assigned && !at->is_paused && at->has_position &&
	       at->position[topic] < (int64_t)in->process->sim->broker->inputs[shard][topic].count;
}

/* A few records of a random partition, then the next step. */
static void on_fetch(void *ctx)
{
	struct kafka_in *in = ctx;
	struct sim *sim = in->process->sim;
	uint64_t start = rng_below(&sim->rng, SIM_SHARDS * SIM_TOPICS);

	in->is_fetching = false;
	for (uint64_t i = 0; i < SIM_SHARDS * SIM_TOPICS; i++) {
		uint64_t pick = (start + i) % (SIM_SHARDS * SIM_TOPICS);
		int32_t shard = (int32_t)(pick / SIM_TOPICS);
		size_t topic = pick % SIM_TOPICS;
		if (!has_more(in, shard, topic))
			continue;
		for (uint64_t left = 1 + rng_below(&sim->rng, 4); left > 0 && has_more(in, shard, topic); left--)
			deliver(in, shard, topic);
		kafka_in_sim_wake(in);
		return;
	}
}

void kafka_in_sim_wake(struct kafka_in *in)
{
	struct process *process = in->process;

	if (in->process->is_dead || in->is_fetching)
		return;
	in->is_fetching = true;
	sim_after(process->sim, process, sim_latency(process->sim, FETCH_TYPICAL_US), on_fetch, in);
}

int kafka_in_seek(struct kafka_in *in, int32_t shard, const int64_t offsets[COMMIT_TOPICS_MAX], struct err *err)
{
	struct fetched *at = &in->shards[shard];

	if (!at->is_assigned)
		return err_set(err, ERR_COMMIT_FAILED, "the partition is not assigned");
	for (size_t topic = 0; topic < SIM_TOPICS; topic++)
		at->position[topic] = offsets[topic];
	at->has_position = true;
	kafka_in_sim_wake(in);
	return 0;
}

void kafka_in_pause(struct kafka_in *in, int32_t shard)
{
	in->shards[shard].is_paused = true;
}

void kafka_in_resume(struct kafka_in *in, int32_t shard)
{
	in->shards[shard].is_paused = false;
	kafka_in_sim_wake(in);
}
