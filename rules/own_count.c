/* SPDX-License-Identifier: Apache-2.0
 *
 * How many open leads each rep holds, for the holding cap of claims. A lead remembers for whom it is counted ("tally"), so
 * that it is counted once, whatever happens to it and whenever the cap was configured.
 */
#include "rules/own.h"

#include "rules/base/strbuf.h"
#include "rules/decide.h"
#include "rules/json.h"
#include "rules/lifecycle.h"
#include "rules/ownership.h"

static struct slice key_of(struct arena *arena, struct slice rep)
{
	return ARENA_JOIN(arena, SLICE("mem/held/"), rep);
}

int64_t own_held(const struct work *work, struct slice rep)
{
	struct slice value = overlay_get(&work->decider->overlay, key_of(work->arena, rep));
	struct json_limits limits = {100, 2, 4};
	const struct json *json = value.len != 0 ? json_read(value, limits, work->arena, NULL) : NULL;
	const struct json *count = json_get(json, "n");
	return count != NULL && count->type == JSON_IS_INT && count->integer > 0 ? count->integer : 0;
}

static void add(struct work *work, struct slice rep, int change)
{
	int64_t held = own_held(work, rep) + change;
	struct slice key = key_of(work->arena, rep);
	if (held <= 0) {
		overlay_remove(&work->decider->overlay, key);
		return;
	}
	struct slice value = slice_of(arena_printf(work->arena, "{\"n\":%lld}", (long long)held));
	overlay_put(&work->decider->overlay, key, value, 0);
}

void own_count(struct work *work, bool is_gone)
{
	struct lead_state *state = &work->state;
	bool counts = ownership_rules(work->model)->holding != 0 && !is_gone && lifecycle_is_open(state->status);
	struct slice wanted = counts ? state->owner : SLICE_NONE;
	if (slice_equal(state->tally, wanted))
		return;
	if (state->tally.len != 0)
		add(work, state->tally, -1);
	if (wanted.len != 0)
		add(work, wanted, 1);
	state->tally = wanted;
}
