/* SPDX-License-Identifier: Apache-2.0
 *
 * The consumer group: eager rebalances, the range assignor, expulsion.
 *
 *     join or leave ─► rebalancing: members hear of it at their next heartbeat, revoke, join again
 *                  ─► all have joined, or the others are expelled ─► generation + 1, assignment
 *
 * Members are kept in the order of their ids, which is what the range assignor goes by; a member that comes back gets a
 * new id.
 */
#include "tests/sim/broker.h"
#include "tests/sim/process.h"

enum { HEARTBEAT_US = 800000, REBALANCE_TIMEOUT_US = 5000000 };

struct deadline {
	struct broker *broker;
	uint64_t rebalance_number;
};

static struct member **find(struct broker *broker, uint64_t member_id)
{
	struct member **link = &broker->members;

	while (*link && (*link)->id != member_id)
		link = &(*link)->next;
	return link;
}

bool group_has_member(const struct broker *broker, uint64_t member_id)
{
	const struct member *member = broker->members;

	while (member && member->id != member_id)
		member = member->next;
	return member != NULL;
}

/* W4: a commit that names no member and no generation is not checked at all. */
bool group_accepts(const struct broker *broker, const struct commit_token *token)
{
	if (!token || token->generation < 0)
		return true;
	return token->generation == broker->generation && group_has_member(broker, token->member_id);
}

static void complete(struct broker *broker)
{
	uint32_t count = 0, at = 0;

	broker->is_rebalancing = false;
	broker->generation++;
	for (const struct member *member = broker->members; member; member = member->next)
		count++;
	for (const struct member *member = broker->members; member; member = member->next, at++) {
		/* range: the first members get one more */
		uint32_t share = SIM_SHARDS / count, more = SIM_SHARDS % count;
		uint32_t first = at * share + (at < more ? at : more);
		uint32_t mine = share + (at < more);
		kafka_in_sim_assign(member->in, member->id, broker->generation, ((1u << mine) - 1) << first);
	}
	sim_trace(broker->sim, "group: generation %d with %u members", broker->generation, count);
}

static void complete_if_all_joined(struct broker *broker)
{
	for (const struct member *member = broker->members; member; member = member->next)
		if (!member->has_joined)
			return;
	if (broker->members)
		complete(broker);
	else
		broker->is_rebalancing = false;
}

static void on_deadline(void *ctx)
{
	struct deadline *deadline = ctx;
	struct broker *broker = deadline->broker;

	if (!broker->is_rebalancing || broker->rebalance_number != deadline->rebalance_number)
		return;
	struct member **link = &broker->members;
	while (*link) {
		struct member *member = *link;
		if (member->has_joined) {
			link = &member->next;
			continue;
		}
		*link = member->next;
		kafka_in_sim_expelled(member->in, member->id);
	}
	complete_if_all_joined(broker);
}

static void begin_rebalance(struct broker *broker)
{
	if (broker->is_rebalancing)
		return;
	broker->is_rebalancing = true;
	broker->rebalance_number++;
	for (struct member *member = broker->members; member; member = member->next) {
		member->has_joined = false;
		kafka_in_sim_rebalance(member->in, member->id);
	}
	struct deadline *deadline = arena_alloc(&broker->sim->arena, sizeof(*deadline));
	*deadline = (struct deadline){broker, broker->rebalance_number};
	sim_after(broker->sim, NULL, REBALANCE_TIMEOUT_US, on_deadline, deadline);
}

/* Member ids are random in Kafka, so a newcomer may sort before the others: here the parity of its number decides. */
static struct member *add_member(struct broker *broker, struct kafka_in *in)
{
	struct member *member = arena_alloc(&broker->sim->arena, sizeof(*member));

	*member = (struct member){.id = ++broker->member_count_ever, .in = in};
	struct member **link = &broker->members;
	while (*link && member->id % 2 == 0)
		link = &(*link)->next;
	member->next = *link;
	*link = member;
	return member;
}

void group_join(struct broker *broker, struct kafka_in *in, uint64_t *member_id)
{
	struct member *member = *find(broker, *member_id);

	begin_rebalance(broker);
	if (!member)
		member = add_member(broker, in);
	member->has_joined = true;
	*member_id = member->id;
	complete_if_all_joined(broker);
}

void group_leave(struct broker *broker, uint64_t member_id)
{
	struct member **link = find(broker, member_id);

	if (!*link)
		return;
	*link = (*link)->next;
	if (broker->is_rebalancing)
		complete_if_all_joined(broker);
	else if (broker->members)
		begin_rebalance(broker);
}

void group_expel(struct broker *broker, uint64_t member_id)
{
	struct member **link = find(broker, member_id);

	if (!*link)
		return;
	sim_trace(broker->sim, "group: member %llu is expelled", (unsigned long long)member_id);
	broker->sim->counts.expulsions++;
	kafka_in_sim_expelled((*link)->in, member_id);
	group_leave(broker, member_id);
}
