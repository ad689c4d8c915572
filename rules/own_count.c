/* SPDX-License-Identifier: Apache-2.0
 *
 * How many open leads each rep holds, for the holding cap of claims. A lead remembers for whom it is counted ("tally"), so
 * that it is counted once, whatever happens to it and whenever the cap was configured.
 *
 *     mem/holding       {}   the cap is configured, and every write of a lead counts it
 *     mem/walk/holding  {}   leads that were written before that are being counted: nobody claims anything meanwhile, because
 *                            what a rep holds is not known yet
 */
#include "rules/own.h"

#include "rules/base/strbuf.h"
#include "rules/decide.h"
#include "rules/json/json.h"
#include "rules/lifecycle.h"
#include "rules/ownership.h"

static const struct slice mark_key = {"mem/holding", sizeof "mem/holding" - 1};
static const struct slice walk_key = {OWN_WALK, sizeof OWN_WALK - 1};
static const struct slice plan_key = {"mem/plan", sizeof "mem/plan" - 1}; /* rules/clocks_walk.c: the shard is not new */

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

void own_hold(struct work *work, struct slice rep, int change)
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

/* For whom the lead counts. */
static struct slice holder_of(const struct work *work, bool is_gone)
{
	bool counts = ownership_rules(work->model)->holding != 0 && !is_gone && lifecycle_is_open(work->state.status);
	return counts ? work->state.owner : SLICE_NONE;
}

void own_count(struct work *work, bool is_gone)
{
	struct lead_state *state = &work->state;
	struct slice wanted = holder_of(work, is_gone);
	if (slice_equal(state->tally, wanted))
		return;
	if (state->tally.len != 0)
		own_hold(work, state->tally, -1);
	if (wanted.len != 0)
		own_hold(work, wanted, 1);
	state->tally = wanted;
}

/* ---- a cap that is switched on or off */

static bool is_there(const struct work *work, struct slice key)
{
	return overlay_get(&work->decider->overlay, key).len != 0;
}

void own_begin(struct work *work)
{
	struct overlay *overlay = &work->decider->overlay;
	bool has_cap = ownership_rules(work->model)->holding != 0;
	if (has_cap == is_there(work, mark_key))
		return;
	if (!has_cap) { /* what is written from now on counts for nobody */
		overlay_remove(overlay, mark_key);
		if (is_there(work, walk_key))
			overlay_remove(overlay, walk_key);
		return;
	}
	overlay_put(overlay, mark_key, SLICE("{}"), 0);
	if (is_there(work, plan_key))
		overlay_put(overlay, walk_key, SLICE("{}"), 0);
}

void own_visit(struct work *work, struct slice key)
{
	(void)key;
	if (!slice_equal(work->state.tally, holder_of(work, false)))
		work_write_lead(work, work->lead_id);
}

bool own_is_counting(const struct work *work)
{
	return is_there(work, walk_key);
}
