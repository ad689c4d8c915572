/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/clients.h"

#include "rules/cel/cel.h"
#include "rules/decide.h"
#include "rules/json.h"
#include "rules/kept.h"
#include "rules/lifecycle.h"
#include "rules/model_build.h"
#include "rules/text/normalise.h"

static const char *const kinds[CLIENT_KINDS] = {"industry", "region"};
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
	return ARENA_JOIN(work->arena, SLICE("mem/clients/"), slice_of(kinds[kind]), SLICE("/"), folded);
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
		bool is_blank = key.len != 0 && count_of(work, key) == 0;
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

/* The fields are asked for when the lead's record is gone: they are kept, as for an expression that reads them. */
static void keep(struct model_builder *builder, const struct node *node, size_t kind)
{
	static const struct slice texts[CLIENT_KINDS] = {
		{"lead.company.industry == \"\"", sizeof "lead.company.industry == \"\"" - 1},
		{"lead.location.region + lead.location.country == \"\"", sizeof "lead.location.region + lead.location.country == \"\"" - 1},
	};
	struct cel_program *program = NULL;
	struct cel_issues issues;
	if (cel_compile(builder->model->env, texts[kind], &cel_type_bool, builder->arena, &issues, &program) != 0)
		return; /* these fields are always declared */
	kept_need(builder, program, node, "lifecycle.blank");
	cel_program_done(program);
}

unsigned clients_read(struct model_builder *builder, const struct node *list)
{
	unsigned wanted = 0;
	if (!node_expect_sequence(list, "lifecycle.blank", builder->diags))
		return 0;
	for (size_t i = 0; i < list->count; i++) {
		size_t kind = model_read_word(builder, list->items[i], "what is counted", kinds, CLIENT_KINDS);
		if (kind == CLIENT_KINDS)
			continue;
		wanted |= 1u << kind;
		keep(builder, list->items[i], kind);
	}
	return wanted;
}
