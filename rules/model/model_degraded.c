/* SPDX-License-Identifier: Apache-2.0
 *
 * Section degraded: what happens without Redis, with a silent roster, and while intake lags.
 */
#include "rules/base/arena.h"
#include "rules/degraded.h"
#include "rules/model/lint.h"
#include "rules/model/model_build.h"

/* The key is there so that the mode can be read where the others are; what it cannot be is explained, not just refused. */
static void read_redis(struct model_builder *builder, const struct node *node)
{
	struct slice mode;
	if (!node_read_text(node, "degraded.redis", builder->diags, &mode) || slice_is(mode, "stop"))
		return;
	struct diag *diag = diags_add(builder->diags, ERR_NO_OTHER_MODE, node->span, "without Redis there is only `stop`");
	diag_note(builder->diags, diag, "owners, identities and timers are read there with the proof that they are current");
	diag_help(builder->diags, diag, "redis: stop; records wait in Kafka, and no offset is committed");
}

static void read_roster(struct model_builder *builder, const struct node *node, struct degraded_rules *rules)
{
	static const char *const modes[] = {"unavailable", "last_word"};
	rules->is_last_word = model_read_word(builder, node, "a silent roster", modes, 2) == 1;
}

static bool is_grade(const struct model_builder *builder, struct slice name)
{
	for (size_t i = 0; i < builder->model->grade_count; i++)
		if (slice_equal(builder->model->grades[i].letter, name))
			return true;
	return false;
}

static void read_grades(struct model_builder *builder, const struct node *list, struct degraded_rules *rules)
{
	if (!node_expect_sequence(list, "degraded.lag.grades", builder->diags))
		return;
	if (list->count > DEGRADED_GRADES_MAX) {
		diags_add(builder->diags, ERR_TOO_MANY, list->span, "more than %d grades", DEGRADED_GRADES_MAX);
		return;
	}
	struct slice *grades = arena_array(builder->arena, list->count, sizeof *grades);
	for (size_t i = 0; i < list->count; i++) {
		struct slice name;
		if (!model_read_name(builder, list->items[i], "a grade", &name))
			continue;
		if (is_grade(builder, name))
			grades[rules->grade_count++] = name;
		else
			diags_add(builder->diags, ERR_UNKNOWN_REFERENCE, list->items[i]->span, "no grade `%.*s` in score.grades", SLICE_ARG(name));
	}
	rules->grades = grades;
}

static void read_after(struct model_builder *builder, const struct node *node, struct degraded_rules *rules)
{
	struct span span;
	if (!model_read_span(builder, node, "after", &span))
		return;
	if (span.business_days != 0 || span.business_ms != 0 || span_is_zero(&span))
		diags_add(builder->diags, ERR_BAD_SPAN, node->span, "a lag is plain time: 10m, 2h");
	else
		rules->lag_ms = (int64_t)span.days * 86400000 + span.elapsed_ms;
}

/* Grades and queue say what `fallback` is; `go_on` has neither. */
static void read_then(struct model_builder *builder, const struct node *node, struct degraded_rules *rules)
{
	static const char *const modes[] = {"go_on", "fallback"};
	const struct node *then = node_get(node, "then"), *grades = node_get(node, "grades"), *queue = node_get(node, "queue");
	size_t mode = then != NULL ? model_read_word(builder, then, "what happens to late leads", modes, 2) : 0;
	bool is_shed = mode == 1;
	if (mode < 2 && (is_shed != (grades != NULL) || (queue != NULL && !is_shed)))
		diags_add(builder->diags, ERR_MISSING_KEY, node->span, "`then: fallback` and the `grades` that are left to people belong together");
	if (grades != NULL)
		read_grades(builder, grades, rules);
	if (queue != NULL)
		model_read_name(builder, queue, "a queue", &rules->queue);
}

static void read_lag(struct model_builder *builder, const struct node *node, struct degraded_rules *rules)
{
	static const char *const known[] = {"after", "then", "grades", "queue", NULL};
	if (!node_expect_mapping(node, "degraded.lag", builder->diags))
		return;
	node_check_keys(node, known, "degraded.lag", builder->diags);
	const struct node *after = node_require(node, "after", "degraded.lag", builder->diags);
	if (after != NULL)
		read_after(builder, after, rules);
	read_then(builder, node, rules);
}

void model_build_degraded(struct model_builder *builder)
{
	static const char *const known[] = {"redis", "roster", "lag", NULL};
	const struct node *section = model_section(builder, "degraded", NODE_MAPPING);
	if (section == NULL)
		return;
	struct degraded_rules *rules = arena_alloc(builder->arena, sizeof *rules);
	const struct node *redis = node_get(section, "redis"), *roster = node_get(section, "roster"), *lag = node_get(section, "lag");
	node_check_keys(section, known, "degraded", builder->diags);
	if (redis != NULL)
		read_redis(builder, redis);
	if (roster != NULL)
		read_roster(builder, roster, rules);
	if (lag != NULL)
		read_lag(builder, lag, rules);
	builder->model->degraded = rules;
}
