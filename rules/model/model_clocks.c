/* SPDX-License-Identifier: Apache-2.0
 *
 * followup.clocks: one line per plan, lines of one name together. The prose is in rules/clocks.h and leadrouter.yaml(5).
 */
#include <stdio.h>
#include <string.h>

#include "rules/base/suggest.h"
#include "rules/clocks_lead.h"
#include "rules/kept.h"
#include "rules/model/lint_condition.h"
#include "rules/model/model_build.h"
#include "rules/schema.h"

enum { SPAN_PARTS = 4 };

struct reading {
	struct model_builder *builder;
	const struct node *node;    /* the line */
	const struct node *span;    /* of after, every or within */
	struct clock_plan *plan;
	struct clock_level levels[CLOCK_LEVELS_MAX];
	size_t reminders;
	bool is_kind_known; /* else only what is wrong for every kind is said */
};

/* ---- words */

static void no_such_word(struct model_builder *builder, const struct node *node, const char *what,
                         const char *(*name_of)(int), int count)
{
	struct diag *diag = diags_add(builder->diags, ERR_BAD_VALUE, node->span, "`%.*s` is no %s", SLICE_ARG(node->text), what);
	struct suggest suggest = suggest_for(node->text);
	char all[200] = "";
	for (int i = 0; i < count; i++) {
		suggest_offer(&suggest, slice_of(name_of(i)));
		snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? ", " : "", name_of(i));
	}
	diag_did_you_mean(builder->diags, diag, suggest.best);
	diag_help(builder->diags, diag, "one of %s", all);
}

static int find_word(const struct node *node, const char *(*name_of)(int), int count)
{
	for (int i = 0; i < count; i++)
		if (node->kind == NODE_SCALAR && slice_is(node->text, name_of(i)))
			return i;
	return -1;
}

static const char *kind_word(int i)
{
	return clock_kind_name((enum clock_kind)i);
}

static const char *repeat_word(int i)
{
	return clock_repeat_name((enum clock_repeat)i);
}

static const char *action_word(int i)
{
	return clock_action_name((enum clock_action)i);
}

static bool read_word(struct model_builder *builder, const struct node *node, const char *what,
                      const char *(*name_of)(int), int count, int *ret)
{
	struct slice text;
	if (!node_read_text(node, what, builder->diags, &text))
		return false;
	*ret = find_word(node, name_of, count);
	if (*ret >= 0)
		return true;
	no_such_word(builder, node, what, name_of, count);
	return false;
}

/* ---- which clock */

/* What a kind of clock cannot do is not known of one whose kind is unknown. */
static void bad_plan(const struct reading *reading, const struct node *node, const char *text)
{
	if (reading->is_kind_known)
		diags_add(reading->builder->diags, ERR_CLOCK_PLAN, node->span, "%s", text);
}

/* A name of one's own needs to say what kind of clock it is. */
static bool read_kind(struct reading *reading)
{
	struct model_builder *builder = reading->builder;
	const struct node *name = node_require(reading->node, "clock", "a clock", builder->diags);
	const struct node *kind = node_get(reading->node, "kind");
	int number;
	if (name == NULL || !model_read_name(builder, name, "the name of a clock", &reading->plan->name))
		return false;
	int named = find_word(name, kind_word, CLOCK_KINDS);
	if (kind == NULL && named < 0) {
		no_such_word(builder, name, "kind of clock", kind_word, CLOCK_KINDS);
		return false;
	}
	if (kind != NULL && !read_word(builder, kind, "kind of clock", kind_word, CLOCK_KINDS, &number))
		return false;
	if (kind != NULL && named >= 0 && named != number) {
		diags_add(builder->diags, ERR_CLOCK_PLAN, kind->span, "the name of one kind of clock for another");
		return false;
	}
	reading->plan->kind = (enum clock_kind)(kind != NULL ? number : named);
	return true;
}

/* ---- how long */

static bool is_window(const struct reading *reading)
{
	return reading->plan->times != 0;
}

static void read_times(struct reading *reading)
{
	const struct node *times = node_get(reading->node, "times");
	if (times == NULL)
		return;
	node_read_int(times, "times", 1, CLOCK_COUNT_MAX, reading->builder->diags, &reading->plan->times);
	if (reading->plan->kind != CLOCK_CADENCE)
		bad_plan(reading, times, "only a cadence counts how often");
}

static void read_length(struct reading *reading)
{
	static const char *const names[] = {"after", "every", "within"};
	const struct node *first = NULL;
	for (size_t i = 0; i < 3; i++) {
		const struct node *node = node_get(reading->node, names[i]);
		if (node == NULL)
			continue;
		if (first != NULL) {
			struct diag *diag =
				diags_add(reading->builder->diags, ERR_CLOCK_PLAN, node->span, "the time is given twice");
			diag_second(reading->builder->diags, diag, first->span, "here too");
			model_read_span(reading->builder, node, names[i], &reading->plan->after);
			continue;
		}
		first = node;
		if ((i == 2) != is_window(reading))
			bad_plan(reading, node, i == 2 ? "`within` is the window of a cadence with `times`"
			                               : "a cadence with `times` has a window: `within`");
		if (i == 1 && reading->plan->repeat != CLOCK_RESTART)
			bad_plan(reading, node, "`every` is for a clock that begins anew: repeat: restart");
		if (!model_read_span(reading->builder, node, names[i], &reading->plan->after))
			continue;
		reading->span = node;
		if (span_is_zero(&reading->plan->after))
			diags_add(reading->builder->diags, ERR_OUT_OF_RANGE, node->span, "a clock of no time would always be overdue");
	}
	if (first == NULL && reading->plan->kind != CLOCK_NEXT_FOLLOW_UP)
		bad_plan(reading, reading->node, "how long? `after: 2bd`, `every: 7d`, or `times: 2, within: 7d`");
}

/* ---- levels */

/* Only comparable when both use one and the same kind of unit: then whether `a` is at least as long as `b`. */
static bool is_no_shorter(const struct span *a, const struct span *b)
{
	const int64_t left[SPAN_PARTS] = {a->business_days, a->days, a->business_ms, a->elapsed_ms};
	const int64_t right[SPAN_PARTS] = {b->business_days, b->days, b->business_ms, b->elapsed_ms};
	size_t used = 0, kind = 0;
	for (size_t i = 0; i < SPAN_PARTS; i++)
		if (left[i] != 0 || right[i] != 0) {
			used++;
			kind = i;
		}
	return used == 1 && left[kind] >= right[kind];
}

static void out_of_order(const struct reading *reading, const struct node *node, const char *text)
{
	diags_add(reading->builder->diags, ERR_CLOCK_ORDER, node->span, "%s", text);
}

static void add_reminder(struct reading *reading, const struct node *node)
{
	struct span *span = &reading->levels[reading->reminders].offset;
	if (!model_read_span(reading->builder, node, "remind_before", span))
		return;
	if (span_is_zero(span))
		diags_add(reading->builder->diags, ERR_OUT_OF_RANGE, node->span, "a reminder at the due time is none");
	/* what a next_follow_up allows comes after the rep's date, which may be far off */
	else if (reading->span != NULL && reading->is_kind_known && reading->plan->kind != CLOCK_NEXT_FOLLOW_UP &&
	         is_no_shorter(span, &reading->plan->after))
		out_of_order(reading, node, "the reminder would come before the clock starts");
	else if (reading->reminders > 0 && is_no_shorter(span, &reading->levels[reading->reminders - 1].offset))
		out_of_order(reading, node, "reminders are listed in the order in which they come");
	reading->reminders++;
}

/* `remind_before: 4bh` or `[1bd, 2bh]`. */
static void read_reminders(struct reading *reading)
{
	const struct node *node = node_get(reading->node, "remind_before");
	if (node == NULL)
		return;
	if (node->kind != NODE_SEQUENCE) {
		add_reminder(reading, node);
	} else if (node->count > CLOCK_LEVELS_MAX / 2) {
		diags_add(reading->builder->diags, ERR_TOO_MANY, node->span, "more than %d reminders", CLOCK_LEVELS_MAX / 2);
	} else {
		for (size_t i = 0; i < node->count; i++)
			add_reminder(reading, node->items[i]);
	}
	for (size_t i = 0; i < reading->reminders; i++) {
		size_t to_go = reading->reminders - i; /* 1: the last one */
		struct clock_level *level = &reading->levels[i];
		level->rank = to_go == 1 ? CLOCK_RANK_REMINDER : 1 - (int)to_go;
		level->name = SLICE("pre_breach");
		if (to_go > 1)
			level->name = slice_of(arena_printf(reading->builder->arena, "pre_breach_%zu", to_go));
	}
}

static void check_action(const struct reading *reading, const struct node *node, enum clock_action action)
{
	bool moves = action == CLOCK_REASSIGN || action == CLOCK_TO_POOL;
	enum clock_kind kind = reading->plan->kind;
	if (moves && (kind == CLOCK_NURTURE || kind == CLOCK_OPPORTUNITY_EXPIRY))
		bad_plan(reading, node, "such a lead is not given to somebody else by a clock: notify or manager");
}

static enum clock_action read_action(struct reading *reading, const struct node *node, enum clock_action usual)
{
	int action = (int)usual;
	if (node != NULL && read_word(reading->builder, node, "action", action_word, CLOCK_TO_POOL + 1, &action))
		check_action(reading, node, (enum clock_action)action);
	return action < 0 ? usual : (enum clock_action)action;
}

/* `{level: manager, after: 2bh, action: manager}`. */
static void read_level(struct reading *reading, const struct node *node, struct model_names *names,
                       struct clock_level *level)
{
	static const char *const known[] = {"level", "after", "action", NULL};
	struct model_builder *builder = reading->builder;
	if (!node_expect_mapping(node, "a level", builder->diags))
		return;
	node_check_keys(node, known, "a level", builder->diags);
	const struct node *name = node_require(node, "level", "a level", builder->diags);
	const struct node *after = node_require(node, "after", "a level", builder->diags);
	if (name != NULL && model_read_name(builder, name, "the name of a level", &level->name)) {
		model_names_add(builder, names, level->name, name);
		if (slice_is(level->name, "breach") || slice_has_prefix(level->name, SLICE("pre_breach")))
			bad_plan(reading, name, "`breach` is the due time itself, and reminders are `remind_before`");
	}
	if (after != NULL && model_read_span(builder, after, "after", &level->offset)) {
		if (span_is_zero(&level->offset))
			diags_add(builder->diags, ERR_OUT_OF_RANGE, after->span, "a level at the due time is `on_breach`");
		else if (level->rank > CLOCK_RANK_BREACH + 1 && is_no_shorter(&level[-1].offset, &level->offset))
			out_of_order(reading, after, "levels are listed in the order in which they come");
	}
	enum clock_action usual = slice_is(level->name, "manager") ? CLOCK_TELL_MANAGER : CLOCK_NOTIFY;
	level->action = read_action(reading, node_get(node, "action"), usual);
}

static void read_levels(struct reading *reading)
{
	struct model_builder *builder = reading->builder;
	const struct node *list = node_get(reading->node, "levels");
	read_reminders(reading);
	size_t count = reading->reminders;
	enum clock_action usual = reading->plan->kind == CLOCK_RELEASE ? CLOCK_TO_POOL : CLOCK_NOTIFY;
	reading->levels[count++] = (struct clock_level){SLICE("breach"), CLOCK_RANK_BREACH, {0},
	                                                read_action(reading, node_get(reading->node, "on_breach"), usual)};
	if (list != NULL && node_expect_sequence(list, "levels", builder->diags)) {
		struct model_names names;
		model_names_init(&names, "level");
		if (list->count > CLOCK_LEVELS_MAX / 2 - 1)
			diags_add(builder->diags, ERR_TOO_MANY, list->span, "more than %d levels", CLOCK_LEVELS_MAX / 2 - 1);
		for (size_t i = 0; i < list->count && i < CLOCK_LEVELS_MAX / 2 - 1; i++, count++) {
			reading->levels[count] = (struct clock_level){.rank = CLOCK_RANK_BREACH + 1 + (int)i};
			read_level(reading, list->items[i], &names, &reading->levels[count]);
		}
		model_names_done(&names);
	}
	struct clock_level *levels = arena_array(builder->arena, count, sizeof *levels);
	memcpy(levels, reading->levels, count * sizeof *levels);
	reading->plan->levels = levels;
	reading->plan->level_count = count;
}

/* ---- the rest */

static const struct cel_program *read_condition(struct reading *reading, const char *name, const struct cel_env *env,
                                                struct slice *ret_text)
{
	const struct node *node = node_get(reading->node, name);
	const struct cel_program *program = NULL;
	const char *what = arena_printf(reading->builder->arena, "`%s` of the clock `%.*s`", name,
	                                SLICE_ARG(reading->plan->name));
	if (node == NULL || !model_read_condition(reading->builder, env, node, what, ret_text, &program))
		return NULL;
	if (program == NULL && strcmp(name, "when") != 0)
		bad_plan(reading, node, "this would hold for every event");
	kept_need(reading->builder, program, node, what);
	lint_stored_condition(reading->builder, node, program, what);
	return program;
}

static void read_calendar(struct reading *reading)
{
	static const struct {
		const char *word;
		enum clock_calendar by;
	} words[] = {{"nearest", CLOCK_BY_NEAREST}, {"rep", CLOCK_BY_REP}, {"team", CLOCK_BY_TEAM}, {"customer", CLOCK_BY_CUSTOMER}};
	const struct node *node = node_get(reading->node, "calendar");
	for (size_t i = 0; node != NULL && node->kind == NODE_SCALAR && i < 4; i++)
		if (slice_is(node->text, words[i].word)) {
			reading->plan->calendar_by = words[i].by;
			return;
		}
	if (node == NULL)
		return;
	reading->plan->calendar_by = CLOCK_BY_NAME;
	reading->plan->calendar = model_read_calendar(reading->builder, node);
}

static void read_bool(struct reading *reading, const char *name, bool *ret)
{
	const struct node *node = node_get(reading->node, name);
	if (node != NULL)
		node_read_bool(node, name, reading->builder->diags, ret);
}

static void read_bound(struct reading *reading, const char *name, enum clock_kind kind, struct span *ret)
{
	const struct node *node = node_get(reading->node, name);
	if (node == NULL)
		return;
	model_read_span(reading->builder, node, name, ret);
	if (reading->is_kind_known && reading->plan->kind != kind)
		diags_add(reading->builder->diags, ERR_CLOCK_PLAN, node->span, "`%s` belongs to a %s", name, clock_kind_name(kind));
}

/* "half": each act moves the due time by half of what the one before did. */
static const char *part_word(int i)
{
	static const char *const names[] = {"half", "third", "quarter"};
	return names[i];
}

static void read_extension(struct reading *reading)
{
	struct clock_plan *plan = reading->plan;
	const struct node *node = node_get(reading->node, "each_time"), *span = node_get(reading->node, "touch_extends");
	int part = 0;
	read_bound(reading, "touch_extends", CLOCK_RELEASE, &plan->touch_extends);
	if (span != NULL && reading->span != NULL && is_no_shorter(&plan->touch_extends, &plan->after))
		bad_plan(reading, span, "an act that is worth the whole time would be progress");
	if (node != NULL && span == NULL)
		bad_plan(reading, node, "how `touch_extends` goes on, but there is none");
	if (node != NULL && !read_word(reading->builder, node, "part", part_word, 3, &part))
		return;
	plan->touch_divisor = CLOCK_EXTENSION_DIVISOR + part;
}

static void read_repeat(struct reading *reading)
{
	const struct node *node = node_get(reading->node, "repeat");
	enum clock_repeat usual = clocks_usual_repeat(reading->plan->kind);
	int repeat = (int)usual;
	if (node != NULL && read_word(reading->builder, node, "repeat", repeat_word, CLOCK_RESUME + 1, &repeat) &&
	    is_window(reading) && repeat != CLOCK_RESTART)
		bad_plan(reading, node, "windows follow each other: repeat: restart");
	reading->plan->repeat = repeat < 0 ? usual : (enum clock_repeat)repeat;
}

static void read_hops(struct reading *reading)
{
	const struct node *node = node_get(reading->node, "max_hops");
	if (node != NULL)
		node_read_int(node, "max_hops", 0, CLOCK_HOPS_MAX, reading->builder->diags, &reading->plan->max_hops);
}

/* What the reminder suggests is a word that a follow-up may use. */
static void read_suggestion(struct reading *reading)
{
	const struct touch_rules *rules = &reading->builder->model->touch_rules;
	const struct node *node = node_get(reading->node, "suggest");
	if (node == NULL || !model_read_name(reading->builder, node, "a method", &reading->plan->suggested))
		return;
	struct suggest suggest = suggest_for(node->text);
	for (size_t i = 0; i < rules->method_count; i++) {
		if (slice_equal(rules->methods[i].name, node->text))
			return;
		suggest_offer(&suggest, rules->methods[i].name);
	}
	if (rules->method_count == 0)
		return;
	struct diag *diag = diags_add(reading->builder->diags, ERR_UNKNOWN_REFERENCE, node->span,
	                              "`%.*s` is not among followup.activity.methods", SLICE_ARG(node->text));
	diag_did_you_mean(reading->builder->diags, diag, suggest.best);
}

static bool read_plan(struct model_builder *builder, const struct node *node, struct clock_plan *plan)
{
	static const char *const known[] = {"clock", "kind", "when", "after", "every", "within", "times", "start", "stop",
	                                    "pause", "remind_before", "on_breach", "levels", "repeat", "calendar",
	                                    "notify_not_before", "count_attempts", "lengthen_up_to", "at_most", "touch_extends",
	                                    "each_time", "max_hops", "suggest", NULL};
	struct reading reading = {.builder = builder, .node = node, .plan = plan};
	struct slice unused;
	*plan = (struct clock_plan){.is_heard_when_open = true, .counts_attempts = true, .max_hops = CLOCK_HOPS_USUAL,
	                            .file = node_path(node), .line = node_line(node)};
	if (!node_expect_mapping(node, "a clock", builder->diags))
		return false;
	node_check_keys(node, known, "a clock", builder->diags);
	reading.is_kind_known = read_kind(&reading);
	read_times(&reading);
	read_repeat(&reading);
	read_length(&reading);
	plan->when = read_condition(&reading, "when", builder->when_env, &plan->when_text);
	plan->start = read_condition(&reading, "start", builder->event_env, &unused);
	plan->stop = read_condition(&reading, "stop", builder->event_env, &unused);
	plan->pause = read_condition(&reading, "pause", builder->event_env, &unused);
	read_levels(&reading);
	read_calendar(&reading);
	read_bool(&reading, "notify_not_before", &plan->is_heard_when_open);
	read_bool(&reading, "count_attempts", &plan->counts_attempts);
	read_bound(&reading, "lengthen_up_to", CLOCK_CADENCE, &plan->lengthen_up_to);
	read_bound(&reading, "at_most", CLOCK_NEXT_FOLLOW_UP, &plan->at_most);
	read_extension(&reading);
	read_hops(&reading);
	read_suggestion(&reading);
	return reading.is_kind_known;
}

static void plan_done(const struct clock_plan *plan)
{
	const struct cel_program *const programs[] = {plan->when, plan->start, plan->stop, plan->pause};
	for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
		if (programs[i] != NULL)
			cel_program_done((struct cel_program *)(uintptr_t)programs[i]);
}

/* ---- all */

struct draft {
	struct clock_plan plan;
	const struct node *node;
	bool is_taken;
};

static void check_group(struct model_builder *builder, const struct draft *first, const struct draft *next)
{
	struct diag *diag;
	if (next->plan.kind != first->plan.kind)
		diag = diags_add(builder->diags, ERR_CLOCK_PLAN, next->node->span, "the clock `%.*s` is of another kind above",
		                 SLICE_ARG(first->plan.name));
	else if (first->plan.when == NULL)
		diag = diags_add(builder->diags, ERR_CLOCK_PLAN, next->node->span,
		                 "this line never counts: one above it holds for every lead");
	else
		return;
	diag_second(builder->diags, diag, first->node->span, "the line above");
}

/* The lines of one name, in the order of the files. */
static void group(struct model_builder *builder, struct draft *drafts, size_t count, size_t first)
{
	struct model_clock *clocks = (struct model_clock *)(uintptr_t)builder->model->clocks;
	if (builder->model->clock_count == CLOCK_NAMES_MAX) {
		diags_add(builder->diags, ERR_TOO_MANY, drafts[first].node->span, "more than %d clocks of different names",
		          CLOCK_NAMES_MAX);
		return;
	}
	struct model_clock *clock = &clocks[builder->model->clock_count++];
	struct clock_plan *plans = arena_array(builder->arena, count, sizeof *plans);
	const struct draft *above = NULL;
	*clock = (struct model_clock){drafts[first].plan.name, drafts[first].plan.kind, plans, 0};
	for (size_t i = first; i < count; i++) {
		if (drafts[i].is_taken || !slice_equal(drafts[i].plan.name, clock->name))
			continue;
		if (above != NULL)
			check_group(builder, above, &drafts[i]);
		above = &drafts[i];
		drafts[i].is_taken = true;
		plans[clock->plan_count++] = drafts[i].plan;
	}
}

static void build(struct model_builder *builder, const struct node *list)
{
	struct draft *drafts = arena_array(&builder->scratch, list->count, sizeof *drafts);
	size_t count = 0;
	for (size_t i = 0; i < list->count; i++) {
		drafts[count].node = list->items[i];
		if (read_plan(builder, list->items[i], &drafts[count].plan))
			count++;
		else
			plan_done(&drafts[count].plan);
	}
	builder->model->clocks = arena_array(builder->arena, CLOCK_NAMES_MAX, sizeof *builder->model->clocks);
	for (size_t i = 0; i < count && builder->model->clock_count < CLOCK_NAMES_MAX + 1; i++)
		if (!drafts[i].is_taken)
			group(builder, drafts, count, i);
}

void model_build_clocks(struct model_builder *builder)
{
	const struct node *section = model_section(builder, "followup", NODE_MAPPING), *list = node_get(section, "clocks");
	builder->when_env = clocks_when_env(builder->model->env, builder->arena);
	builder->event_env = clocks_event_env(builder->model->env, builder->arena);
	if (builder->model->calendar_by != SIZE_MAX)
		kept_need_place(builder);
	if (list != NULL && node_expect_sequence(list, "followup.clocks", builder->diags)) {
		if (list->count <= CLOCK_PLANS_MAX)
			build(builder, list);
		else
			diags_add(builder->diags, ERR_TOO_MANY, list->span, "more than %d lines of clocks", CLOCK_PLANS_MAX);
	}
	if (!model_has_failed(builder))
		model_warn_calendars(builder);
}

void model_clocks_done(const struct model *model)
{
	for (size_t i = 0; i < model->clock_count; i++)
		for (size_t p = 0; p < model->clocks[i].plan_count; p++)
			plan_done(&model->clocks[i].plans[p]);
}
