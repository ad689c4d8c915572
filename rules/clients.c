/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/clients.h"

#include <stdlib.h>

#include "rules/cel/cel.h"
#include "rules/decide.h"
#include "rules/json/json.h"
#include "rules/kept.h"
#include "rules/lifecycle.h"
#include "rules/model.h"
#include "rules/text/normalise.h"

const char *const clients_kinds[CLIENT_KINDS] = {"industry", "region"};
static const char *const facts[CLIENT_KINDS] = {"blank.industry", "blank.region"};

/* Where there is no region, the country. */
static struct slice value_of(const struct lead *lead, size_t kind)
{
	if (kind == 0)
		return lead->company.industry;
	return lead->location.region.len != 0 ? lead->location.region : lead->location.country;
}

/* SLICE_NONE for a lead without the field. */
static struct slice key_of(struct work *work, const struct lead *lead, size_t kind)
{
	struct slice folded = text_key(work->arena, value_of(lead, kind));
	if (folded.len == 0)
		return SLICE_NONE;
	return ARENA_JOIN(work->arena, SLICE("mem/clients/"), slice_of(clients_kinds[kind]), SLICE("/"), folded);
}

int clients_by_name(const void *a, const void *b)
{
	return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

/* Had the firm clients there before it used leadrouter? */
static bool is_known(const struct work *work, const struct lead *lead, size_t kind)
{
	const struct lifecycle_words *words = &lifecycle_rules(work->model)->clients[kind];
	struct slice folded = text_key(work->arena, value_of(lead, kind));
	return words->count != 0 && bsearch(&folded, words->names, words->count, sizeof *words->names, clients_by_name) != NULL;
}

static int64_t count_of(const struct work *work, struct slice key)
{
	struct slice value = overlay_get(&work->decider->overlay, key);
	struct json_limits limits = {100, 2, 4};
	const struct json *json = value.len != 0 ? json_read(value, limits, work->arena, NULL) : NULL;
	const struct json *count = json_get(json, "n");
	return count != NULL && count->type == JSON_IS_INT && count->integer > 0 ? count->integer : 0;
}

size_t clients_facts(struct work *work, struct cel_entry *ret_entries)
{
	unsigned wanted = lifecycle_rules(work->model)->blank;
	size_t count = 0;
	for (size_t kind = 0; kind < CLIENT_KINDS; kind++) {
		if ((wanted >> kind & 1) == 0)
			continue;
		struct slice key = key_of(work, &work->prepared->lead, kind);
		bool is_blank = key.len != 0 && count_of(work, key) == 0 && !is_known(work, &work->prepared->lead, kind);
		ret_entries[count++] = (struct cel_entry){cel_string(slice_of(facts[kind])), cel_bool(is_blank)};
	}
	return count;
}

void clients_count(struct work *work, int change)
{
	unsigned wanted = lifecycle_rules(work->model)->blank;
	if (wanted == 0)
		return;
	struct lead *lead = arena_alloc(work->arena, sizeof *lead);
	kept_restore(work->model, &work->state, work->lead_id, work->arena, lead);
	for (size_t kind = 0; kind < CLIENT_KINDS; kind++) {
		struct slice key = (wanted >> kind & 1) != 0 ? key_of(work, lead, kind) : SLICE_NONE;
		if (key.len == 0)
			continue;
		int64_t count = count_of(work, key) + change;
		if (count <= 0)
			overlay_remove(&work->decider->overlay, key);
		else
			overlay_put(&work->decider->overlay, key, slice_of(arena_printf(work->arena, "{\"n\":%lld}", (long long)count)), 0);
	}
}
