/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/clients.h"

#include <stdlib.h>

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

static int by_bytes(const void *a, const void *b)
{
	return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

/* Had the firm clients there before it used leadrouter? */
static bool is_known(const struct work *work, const struct lead *lead, size_t kind)
{
	const struct lifecycle_words *words = &lifecycle_rules(work->model)->clients[kind];
	struct slice folded = text_key(work->arena, value_of(lead, kind));
	return words->count != 0 && bsearch(&folded, words->names, words->count, sizeof *words->names, by_bytes) != NULL;
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

/* Folded and sorted, as a lead's value is looked for. */
static void read_known(struct model_builder *builder, const struct node *list, struct lifecycle_words *words)
{
	if (!node_expect_sequence(list, "where the firm has clients", builder->diags))
		return;
	if (list->count > LIFECYCLE_WORDS_MAX) {
		diags_add(builder->diags, ERR_TOO_MANY, list->span, "more than %d in lifecycle.blank", LIFECYCLE_WORDS_MAX);
		return;
	}
	struct slice *names = arena_array(builder->arena, list->count, sizeof *names);
	for (size_t i = 0; i < list->count; i++) {
		struct slice text;
		if (!node_read_text(list->items[i], "where the firm has clients", builder->diags, &text))
			continue;
		names[words->count] = text_key(builder->arena, text);
		if (names[words->count].len == 0)
			diags_add(builder->diags, ERR_BAD_VALUE, list->items[i]->span, "a name has letters or digits");
		else
			words->count++;
	}
	if (words->count != 0)
		qsort(names, words->count, sizeof *names, by_bytes);
	words->names = names;
}

/* `blank: [industry, region]`, or `blank: {industry: [energy, banking], region: []}` with those that are not blank. */
void clients_read(struct model_builder *builder, const struct node *node, struct lifecycle_rules *rules)
{
	bool has_lists = node->kind == NODE_MAPPING;
	if (!has_lists && !node_expect_sequence(node, "lifecycle.blank", builder->diags))
		return;
	for (size_t i = 0; i < node->count; i++) {
		const struct node *name = has_lists ? node->members[i].key : node->items[i];
		size_t kind = model_read_word(builder, name, "what is counted", kinds, CLIENT_KINDS);
		if (kind == CLIENT_KINDS)
			continue;
		rules->blank |= 1u << kind;
		keep(builder, name, kind);
		if (has_lists)
			read_known(builder, node->members[i].value, &rules->clients[kind]);
	}
}
