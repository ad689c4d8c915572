/* SPDX-License-Identifier: Apache-2.0
 *
 * What the policies of owner match and the holds of routes are read from.
 */
#include "rules/base/suggest.h"
#include "rules/calendar/span.h"
#include "rules/hold.h"
#include "rules/model/model_build.h"
#include "rules/owner_match.h"

bool model_read_span_text(struct model_builder *builder, const struct node *node, const char *what, struct slice *ret_text)
{
	struct err err = ERR_INIT;
	struct span span;
	struct slice text;
	if (node == NULL || !node_read_text(node, what, builder->diags, &text))
		return false;
	if (span_parse(text, &span, &err) != 0)
		diags_add(builder->diags, ERR_BAD_SPAN, node->span, "%s", err.text);
	else if (span_is_zero(&span))
		diags_add(builder->diags, ERR_OUT_OF_RANGE, node->span, "%s of no time", what);
	else
		*ret_text = text;
	return ret_text->len != 0;
}

size_t model_read_word(struct model_builder *builder, const struct node *node, const char *what, const char *const *words,
                       size_t count)
{
	struct slice text;
	if (!node_read_text(node, what, builder->diags, &text))
		return count;
	struct suggest suggest = suggest_for(text);
	for (size_t i = 0; i < count; i++) {
		if (slice_is(text, words[i]))
			return i;
		suggest_offer(&suggest, slice_of(words[i]));
	}
	struct diag *diag = diags_add(builder->diags, ERR_BAD_VALUE, node->span, "`%.*s` cannot stand for %s", SLICE_ARG(text), what);
	diag_did_you_mean(builder->diags, diag, suggest.best);
	const char *list = "";
	for (size_t i = 0; i < count; i++)
		list = arena_printf(&builder->scratch, "%s%s%s", list, i != 0 ? ", " : "", words[i]);
	diag_note(builder->diags, diag, "one of: %s", list);
	return count;
}

/* ---- owner match */

static void read_policy(struct model_builder *builder, const struct node *node, struct owner_policy *policy)
{
	static const char *const sticks[] = {"if_available", "always", "within"};
	static const char *const absents[] = {"route", "unassigned"};
	const struct node *stick = node_get(node, "stick"), *within = node_get(node, "within"), *absent = node_get(node, "absent");
	policy->is_on = true;
	if (stick != NULL) {
		size_t word = model_read_word(builder, stick, "how a match sticks", sticks, 3);
		policy->stick = word < 3 ? (enum owner_stick)word : STICK_IF_AVAILABLE;
	}
	if (absent != NULL && model_read_word(builder, absent, "what happens without the owner", absents, 2) == 1)
		policy->absent = ABSENT_UNASSIGNED;
	model_read_span_text(builder, within, "within", &policy->within);
	if ((policy->stick == STICK_WITHIN) != (within != NULL))
		diags_add(builder->diags, ERR_MISSING_KEY, node->span, "`stick: within` and a span in `within` belong together");
}

static void read_match(struct model_builder *builder, const struct node *node, const struct node **first,
                       struct owner_policy *policies)
{
	static const char *const known[] = {"by", "stick", "within", "absent", NULL};
	const char *steps[OWNER_STEP_COUNT];
	for (int i = 0; i < OWNER_STEP_COUNT; i++)
		steps[i] = owner_step_name((enum owner_step)i);
	if (!node_expect_mapping(node, "an owner match", builder->diags))
		return;
	node_check_keys(node, known, "an owner match", builder->diags);
	const struct node *by = node_require(node, "by", "an owner match", builder->diags);
	size_t step = by != NULL ? model_read_word(builder, by, "a match", steps, OWNER_STEP_COUNT) : OWNER_STEP_COUNT;
	if (step == OWNER_STEP_COUNT)
		return;
	if (first[step] != NULL) {
		struct diag *diag = diags_add(builder->diags, ERR_DUPLICATE, by->span, "the match by `%s` is there twice", steps[step]);
		diag_second(builder->diags, diag, first[step]->span, "first defined here");
	}
	first[step] = by;
	policies[step] = (struct owner_policy){.place = model_place(node)};
	read_policy(builder, node, &policies[step]);
	if (step != OWNER_REQUESTED)
		builder->model->dedup.has_company_keys = true;
}

void owner_match_read(struct model_builder *builder, const struct node *list, struct owner_policy policies[OWNER_STEP_COUNT])
{
	const struct node *first[OWNER_STEP_COUNT] = {NULL};
	if (!node_expect_sequence(list, "ownership.match", builder->diags))
		return;
	for (size_t i = 0; i < list->count; i++)
		read_match(builder, list->items[i], first, policies);
}

/* ---- holds */

static void read_hold(struct model_builder *builder, const struct node *by, const struct node *route, struct hold *hold)
{
	static const char *const others[] = {"assign", "nurture", "keep"};
	const struct node *otherwise = node_get(route, "otherwise"), *within = node_get(route, "within");
	model_read_name(builder, by, "who decides", &hold->by);
	model_read_span_text(builder, within, "within", &hold->within);
	if (otherwise != NULL) {
		size_t word = model_read_word(builder, otherwise, "what happens otherwise", others, 3);
		hold->otherwise = word < 3 ? (enum hold_otherwise)word : HOLD_ASSIGN;
	}
	if (otherwise != NULL && within == NULL)
		diags_add(builder->diags, ERR_MISSING_KEY, otherwise->span, "`otherwise` comes after a time: `within` is missing");
}

const struct hold *hold_read(struct model_builder *builder, const struct node *route)
{
	const struct node *by = node_get(route, "hold"), *cultivate = node_get(route, "cultivate");
	const struct node *within = node_get(route, "within"), *otherwise = node_get(route, "otherwise");
	if (by == NULL && (within != NULL || otherwise != NULL))
		diags_add(builder->diags, ERR_MISSING_KEY, (within != NULL ? within : otherwise)->span, "only a route with `hold` has this");
	if (by == NULL && cultivate == NULL)
		return NULL;
	struct hold *hold = arena_alloc(builder->arena, sizeof *hold);
	if (by != NULL && cultivate != NULL) {
		struct diag *diag = diags_add(builder->diags, ERR_BAD_VALUE, cultivate->span, "a route has `hold` or `cultivate`, not both");
		diag_second(builder->diags, diag, by->span, "the other one");
	} else if (by != NULL) {
		read_hold(builder, by, route, hold);
	} else {
		model_read_span_text(builder, cultivate, "cultivate", &hold->every);
	}
	return hold;
}
