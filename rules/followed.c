/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/followed.h"

#include "rules/decide.h"
#include "rules/dispute.h"
#include "rules/model.h"
#include "rules/ownership.h"
#include "rules/scan.h"

struct followed {
	struct slice rep;
	int64_t at_ms;
};

static bool read_entry(struct slice text, struct followed *ret)
{
	const char *slash = memchr(text.p, '/', text.len);
	if (slash == NULL)
		return false;
	ret->rep = (struct slice){text.p, (size_t)(slash - text.p)};
	struct scan scan = {slash + 1, text.p + text.len};
	return scan_int(&scan, &ret->at_ms) && scan.at == scan.end;
}

static size_t find_entry(const struct state_list *acted, struct slice rep, struct followed *ret)
{
	for (size_t i = 0; i < acted->count; i++)
		if (read_entry(acted->items[i], ret) && slice_equal(ret->rep, rep))
			return i;
	return SIZE_MAX;
}

/* Where a later one stands that gives way, when all places are taken; SIZE_MAX: none is later. */
static size_t find_latest(const struct state_list *acted, int64_t at_ms)
{
	struct followed entry;
	size_t latest = SIZE_MAX;
	for (size_t i = 0; i < acted->count; i++)
		if (read_entry(acted->items[i], &entry) && entry.at_ms > at_ms) {
			at_ms = entry.at_ms;
			latest = i;
		}
	return latest;
}

static void put_entry(struct work *work, struct slice rep, int64_t at_ms)
{
	struct state_list *acted = &work->state.acted;
	struct followed entry;
	size_t at = find_entry(acted, rep, &entry);
	if (at == SIZE_MAX)
		at = acted->count < STATE_ACTED_MAX ? acted->count++ : find_latest(acted, at_ms);
	if (at != SIZE_MAX)
		acted->items[at] = slice_of(arena_printf(work->arena, "%.*s/%lld", SLICE_ARG(rep), (long long)at_ms));
}

void followed_before_owner(struct work *work)
{
	const struct lead_state *state = &work->state;
	if (ownership_rules(work->model)->has_dispute && state->acted.count == 0 && state->owner.len != 0 && state->touched_ms != 0)
		put_entry(work, state->owner, state->touched_ms);
}

void followed_note(struct work *work, struct slice actor, int64_t at_ms)
{
	const struct lead_state *state = &work->state;
	bool is_argued = dispute_is_open(state), is_owner = actor.len == 0 || slice_equal(actor, state->owner);
	struct slice rep = is_owner ? state->owner : actor;
	if (!ownership_rules(work->model)->has_dispute || model_find_rep(work->model, rep) == SIZE_MAX)
		return;
	if (is_owner && state->acted.count == 0 && !is_argued)
		return; /* `touched` says it */
	if (is_argued)
		at_ms = work->now_ms;
	int64_t known_ms = followed_first(state, rep);
	if (known_ms != 0 && known_ms <= at_ms)
		return;
	followed_before_owner(work);
	put_entry(work, rep, at_ms);
}

int64_t followed_first(const struct lead_state *state, struct slice rep)
{
	struct followed entry;
	if (state->acted.count == 0)
		return slice_equal(rep, state->owner) ? state->touched_ms : 0;
	return find_entry(&state->acted, rep, &entry) != SIZE_MAX ? entry.at_ms : 0;
}
