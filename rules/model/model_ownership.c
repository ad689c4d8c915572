/* SPDX-License-Identifier: Apache-2.0
 *
 * Section ownership: caps and cool-down of claims, the ladder of disputes, consents.
 */
#include "rules/base/arena.h"
#include "rules/cel/cel.h"
#include "rules/kept.h"
#include "rules/model/model_build.h"
#include "rules/ownership.h"
#include "rules/text/zone.h"

const struct ownership_rules *ownership_rules(const struct model *model)
{
	static const struct ownership_rules none = {.dispute_table = SIZE_MAX};
	return model->ownership != NULL ? model->ownership : &none;
}

const struct consent *ownership_consent(const struct model *model, size_t team)
{
	const struct ownership_rules *rules = ownership_rules(model);
	for (size_t i = 0; i < rules->consent_count; i++)
		if (rules->consents[i].team == team)
			return &rules->consents[i];
	return NULL;
}

/* ---- small values */

static void read_cap(struct model_builder *builder, const struct node *node, const char *what, int64_t *ret_number)
{
	if (node != NULL)
		node_read_int(node, what, 1, OWNERSHIP_CAP_MAX, builder->diags, ret_number);
}

static void read_zone(struct model_builder *builder, const struct node *node, struct ownership_rules *rules)
{
	struct slice text;
	if (node == NULL || !node_read_text(node, "zone", builder->diags, &text))
		return;
	rules->zone = zone_load(arena_printf(&builder->scratch, "%.*s", SLICE_ARG(text)));
	if (rules->zone == NULL)
		diags_add(builder->diags, ERR_BAD_ZONE, node->span, "`%.*s` is no time zone", SLICE_ARG(text));
}

/* ---- disputes */

static void read_ladder(struct model_builder *builder, const struct node *node, struct ownership_rules *rules)
{
	const char *words[DISPUTE_CRITERIA_COUNT];
	const struct node *first[DISPUTE_CRITERIA_COUNT] = {NULL};
	for (int i = 0; i < DISPUTE_CRITERIA_COUNT; i++)
		words[i] = dispute_criterion_name((enum dispute_criterion)i);
	if (!node_expect_sequence(node, "ladder", builder->diags))
		return;
	for (size_t i = 0; i < node->count; i++) {
		size_t word = model_read_word(builder, node->items[i], "a criterion", words, DISPUTE_CRITERIA_COUNT);
		if (word == DISPUTE_CRITERIA_COUNT)
			continue;
		if (first[word] == NULL) {
			first[word] = node->items[i];
			rules->ladder[rules->ladder_count++] = (enum dispute_criterion)word;
			continue;
		}
		struct diag *diag = diags_add(builder->diags, ERR_DUPLICATE, node->items[i]->span, "the criterion `%s` is there twice",
		                              words[word]);
		diag_second(builder->diags, diag, first[word]->span, "first defined here");
	}
}

static bool asks_for_territory(const struct ownership_rules *rules)
{
	for (size_t i = 0; i < rules->ladder_count; i++)
		if (rules->ladder[i] == DISPUTE_TERRITORY)
			return true;
	return false;
}

/* The lead's place is asked for when its record is gone: it is kept, as for an expression that reads it. */
static void keep_place(struct model_builder *builder, const struct node *node)
{
	struct slice place = SLICE("lead.location.country + lead.location.region + lead.location.postal_code == \"\"");
	struct cel_program *program = NULL;
	struct cel_issues issues;
	if (cel_compile(builder->model->env, place, &cel_type_bool, builder->arena, &issues, &program) != 0)
		return; /* these fields are always declared */
	kept_need(builder, program, node, "ownership.dispute");
	cel_program_done(program);
}

static void read_dispute(struct model_builder *builder, const struct node *node, struct ownership_rules *rules)
{
	static const char *const known[] = {"evidence", "ladder", "territory", "otherwise", NULL};
	static const char *const others[] = {"owner", "manager"};
	static const enum dispute_criterion usual[] = {DISPUTE_FIRST_FOLLOW_UP, DISPUTE_TERRITORY, DISPUTE_KEY_PERSON};
	if (!node_expect_mapping(node, "ownership.dispute", builder->diags))
		return;
	node_check_keys(node, known, "ownership.dispute", builder->diags);
	const struct node *evidence = node_require(node, "evidence", "ownership.dispute", builder->diags);
	const struct node *ladder = node_get(node, "ladder"), *table = node_get(node, "territory");
	rules->has_dispute = true;
	model_read_span_text(builder, evidence, "evidence", &rules->evidence);
	if (ladder != NULL) {
		read_ladder(builder, ladder, rules);
	} else {
		memcpy(rules->ladder, usual, sizeof usual);
		rules->ladder_count = DISPUTE_CRITERIA_COUNT;
	}
	if (node_get(node, "otherwise") != NULL)
		rules->is_managers = model_read_word(builder, node_get(node, "otherwise"), "what happens otherwise", others, 2) == 1;
	if (table != NULL) {
		rules->dispute_table = model_read_table(builder, table, "ownership.dispute.territory");
		keep_place(builder, table);
	} else if (ladder != NULL && asks_for_territory(rules)) {
		struct diag *diag = diags_add(builder->diags, ERR_MISSING_KEY, ladder->span, "the ladder asks for a territory");
		diag_help(builder->diags, diag, "name the table of areas in `territory`: each area is the id of a team");
	}
}

/* ---- consents */

static bool read_consent(struct model_builder *builder, const struct node *node, struct consent *consent)
{
	static const char *const known[] = {"team", "by", "within", "otherwise", NULL};
	static const char *const others[] = {"refuse", "grant"};
	*consent = (struct consent){.team = SIZE_MAX};
	if (!node_expect_mapping(node, "a consent", builder->diags))
		return false;
	node_check_keys(node, known, "a consent", builder->diags);
	const struct node *of = node_require(node, "team", "a consent", builder->diags);
	const struct node *by = node_require(node, "by", "a consent", builder->diags), *otherwise = node_get(node, "otherwise");
	model_read_span_text(builder, node_get(node, "within"), "within", &consent->within);
	if (otherwise != NULL)
		consent->is_granted = model_read_word(builder, otherwise, "what happens otherwise", others, 2) == 1;
	if (otherwise != NULL && node_get(node, "within") == NULL)
		diags_add(builder->diags, ERR_MISSING_KEY, otherwise->span, "`otherwise` comes after a time: `within` is missing");
	if (of == NULL || by == NULL || !model_read_name(builder, by, "who consents", &consent->by))
		return false;
	consent->team = model_read_team(builder, of, "the team of a consent");
	return consent->team != SIZE_MAX;
}

static void read_consents(struct model_builder *builder, const struct node *list, struct ownership_rules *rules)
{
	if (!node_expect_sequence(list, "ownership.consent", builder->diags))
		return;
	if (list->count > OWNERSHIP_CONSENTS_MAX) {
		diags_add(builder->diags, ERR_TOO_MANY, list->span, "more than %d consents", OWNERSHIP_CONSENTS_MAX);
		return;
	}
	struct consent *consents = arena_array(builder->arena, list->count, sizeof *consents);
	for (size_t i = 0; i < list->count; i++)
		rules->consent_count += read_consent(builder, list->items[i], &consents[rules->consent_count]);
	rules->consents = consents;
}

/* ---- the section */

void model_build_ownership(struct model_builder *builder)
{
	static const char *const known[] = {"cool_down", "holding", "claims_per_day", "zone", "protect_at_most", "release",
	                                    "dispute", "consent", "match", NULL};
	static const char *const modes[] = {"auto", "propose"};
	const struct node *section = model_section(builder, "ownership", NODE_MAPPING);
	if (section == NULL)
		return;
	struct ownership_rules *rules = arena_alloc(builder->arena, sizeof *rules);
	rules->dispute_table = SIZE_MAX;
	node_check_keys(section, known, "ownership", builder->diags);
	model_read_span_text(builder, node_get(section, "cool_down"), "cool_down", &rules->cool_down);
	model_read_span_text(builder, node_get(section, "protect_at_most"), "protect_at_most", &rules->protect_at_most);
	read_cap(builder, node_get(section, "holding"), "holding", &rules->holding);
	read_cap(builder, node_get(section, "claims_per_day"), "claims_per_day", &rules->claims_per_day);
	read_zone(builder, node_get(section, "zone"), rules);
	if (node_get(section, "release") != NULL)
		rules->is_release_proposed = model_read_word(builder, node_get(section, "release"), "a way to release", modes, 2) == 1;
	if (node_get(section, "dispute") != NULL)
		read_dispute(builder, node_get(section, "dispute"), rules);
	if (node_get(section, "consent") != NULL)
		read_consents(builder, node_get(section, "consent"), rules);
	if (node_get(section, "match") != NULL)
		owner_match_read(builder, node_get(section, "match"), rules->match);
	builder->model->ownership = rules;
}
