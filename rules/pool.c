/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/pool.h"

const char *pool_cause_name(enum pool_cause cause)
{
	switch (cause) {
	case CAUSE_AUTOMATIC:
		return "automatic";
	case CAUSE_OWNER_MATCH:
		return "owner_match";
	case CAUSE_MANUAL:
		return "manual";
	case CAUSE_CLAIM:
		return "claim";
	case CAUSES:
		break;
	}
	return "?";
}

const char *pool_outcome_name(enum pool_outcome_kind kind)
{
	switch (kind) {
	case POOL_WAIT:
		return "wait";
	case POOL_NEXT:
		return "next_pool";
	case POOL_OVER_CAPACITY:
		return "over_capacity_owner";
	case POOL_FALLBACK:
		return "fallback_queue";
	}
	return "?";
}

const struct pool *pool_of(const struct team *team)
{
	static const struct pool_outcome fallback = {.kind = POOL_FALLBACK, .team = SIZE_MAX, .rep = SIZE_MAX};
	static const struct pool plain = {
		.moves = 1u << CAUSE_AUTOMATIC, .outcomes = &fallback, .outcome_count = 1, .class_count = 1};
	return team->pool != NULL ? team->pool : &plain;
}

const struct capacity *pool_capacity(const struct pool *pool, const struct rep *rep)
{
	return rep->capacity != NULL ? rep->capacity : &pool->capacity;
}

size_t team_find_member(const struct team *team, size_t rep)
{
	size_t low = 0, high = team->member_count; /* members are in the order of reps */
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (team->members[middle].rep < rep)
			low = middle + 1;
		else
			high = middle;
	}
	return low < team->member_count && team->members[low].rep == rep ? low : SIZE_MAX;
}
