/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/story/rehearse.h"

#include <stdlib.h>

#include "rules/base/map.h"
#include "rules/base/mem.h"
#include "rules/decide.h"
#include "rules/json/json.h"

struct rehearsal {
	const struct model *model;
	struct arena arena; /* keys and values */
	struct map values;  /* key -> struct slice */
};

struct rehearsal *rehearsal_new(const struct model *model)
{
	static const uint64_t seed[2] = {0x7265686561727361, 0x6c}; /* nobody aims at a tool's buckets */
	struct rehearsal *rehearsal = xcalloc(1, sizeof *rehearsal);
	rehearsal->model = model;
	map_init(&rehearsal->values, seed);
	return rehearsal;
}

void rehearsal_free(struct rehearsal *rehearsal)
{
	if (rehearsal == NULL)
		return;
	map_done(&rehearsal->values);
	arena_done(&rehearsal->arena);
	free(rehearsal);
}

static struct slice copy(struct rehearsal *rehearsal, struct slice text)
{
	return (struct slice){arena_memdupz(&rehearsal->arena, text.p, text.len), text.len};
}

static void set(struct rehearsal *rehearsal, struct slice key, struct slice value)
{
	struct slice *kept = arena_alloc(&rehearsal->arena, sizeof *kept);
	*kept = copy(rehearsal, value);
	map_put(&rehearsal->values, copy(rehearsal, key), kept);
}

static bool is_readable(struct slice key, struct slice value, struct arena *arena)
{
	struct lead_state lead;
	struct ident_state ident;
	if (slice_has_prefix(key, SLICE("lead/")))
		return state_get_lead(value, arena, &lead, NULL) == 0;
	if (slice_has_prefix(key, SLICE("ident/")))
		return state_get_ident(value, &ident) == 0;
	struct json_limits limits = {1 << 20, 8, 100000};
	return rules_is_memory(key) && json_read(value, limits, arena, NULL) != NULL;
}

int rehearsal_know(struct rehearsal *rehearsal, struct slice key, struct slice value, struct err *err)
{
	struct arena scratch = ARENA_INIT;
	bool is_good = is_readable(key, value, &scratch);
	arena_done(&scratch);
	if (!is_good)
		return err_set(err, ERR_BAD_VALUE, "no state of leadrouter: a key lead/…, ident/…, ring/… or mem/… with its value was expected");
	set(rehearsal, key, value);
	return 0;
}

static enum view_answer get(void *ctx, struct slice key, struct slice *ret_value)
{
	const struct rehearsal *rehearsal = ctx;
	const struct slice *value = map_get(&rehearsal->values, key);
	if (value == NULL)
		return VIEW_ABSENT;
	*ret_value = *value;
	return VIEW_FOUND;
}

static void walk(void *ctx, struct slice prefix, void (*see)(void *arg, struct slice key), void *arg)
{
	const struct rehearsal *rehearsal = ctx;
	const struct map_entry *entry;
	for (size_t at = 0; (entry = map_next(&rehearsal->values, &at)) != NULL;)
		if (slice_has_prefix(entry->key, prefix))
			see(arg, entry->key);
}

void rehearsal_decide(struct rehearsal *rehearsal, struct prepared *prepared, int64_t now_ms,
                      const struct observer *observer, struct arena *arena, struct decision *ret)
{
	const struct write *writes;
	size_t count;
	struct decider *decider = decider_new(rehearsal->model, (struct rules_view){get, rehearsal, walk}, arena);
	decider->observer = observer;
	decider_decide(decider, prepared, now_ms, ret);
	decider_finish(decider, &writes, &count);
	for (size_t i = 0; i < count; i++)
		if (writes[i].is_tombstone)
			map_remove(&rehearsal->values, writes[i].key);
		else
			set(rehearsal, writes[i].key, writes[i].value);
}
