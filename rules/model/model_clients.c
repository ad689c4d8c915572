/* SPDX-License-Identifier: Apache-2.0
 *
 * `lifecycle.blank`: what is counted, and where the firm has clients already (rules/clients.h).
 */
#include "rules/clients.h"

#include <stdlib.h>

#include "rules/cel/cel.h"
#include "rules/kept.h"
#include "rules/lifecycle.h"
#include "rules/model/model_build.h"
#include "rules/text/normalise.h"

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
		qsort(names, words->count, sizeof *names, clients_by_name);
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
		size_t kind = model_read_word(builder, name, "what is counted", clients_kinds, CLIENT_KINDS);
		if (kind == CLIENT_KINDS)
			continue;
		rules->blank |= 1u << kind;
		keep(builder, name, kind);
		if (has_lists)
			read_known(builder, node->members[i].value, &rules->clients[kind]);
	}
}
