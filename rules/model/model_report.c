/* SPDX-License-Identifier: Apache-2.0
 *
 * Section report: which digests come, and when.
 */
#include "rules/base/suggest.h"
#include "rules/calendar/calendar.h"
#include "rules/kept.h"
#include "rules/model/model_build.h"
#include "rules/report.h"

enum { GRADES_MAX = MODEL_GRADES_MAX };

static const char *const weekdays[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

static void bad_value(struct model_builder *builder, const struct node *node, const char *help)
{
	struct diag *diag = diags_add(builder->diags, ERR_BAD_VALUE, node->span, "`%.*s` is none of these", SLICE_ARG(node->text));
	diag_help(builder->diags, diag, "%s", help);
}

/* "18:00" */
static bool read_at(struct model_builder *builder, const struct node *mapping, const char *what, int32_t *ret_second)
{
	const struct node *node = node_require(mapping, "at", what, builder->diags);
	struct err err = ERR_INIT;
	struct slice text;
	struct hours hours;
	if (node == NULL || !node_read_text(node, what, builder->diags, &text))
		return false;
	if (hours_parse(text, SLICE("24:00"), &hours, &err) != 0) {
		diags_add(builder->diags, err.code, node->span, "%s", err.text);
		return false;
	}
	*ret_second = hours.open;
	return true;
}

static bool read_weekday(struct model_builder *builder, const struct node *node, int *ret_day)
{
	for (int day = 0; day < 7; day++)
		if (slice_is(node->text, weekdays[day])) {
			*ret_day = day;
			return true;
		}
	bad_value(builder, node, "one of mon, tue, wed, thu, fri, sat, sun");
	return false;
}

/* A weekday for what comes each week, a number for what comes each month. */
static bool read_on(struct model_builder *builder, const struct node *node, struct report_line *line)
{
	int64_t day;
	if (line->every == FIGURES_WEEK)
		return node->kind == NODE_SCALAR ? read_weekday(builder, node, &line->on)
		                                 : node_read_text(node, "on", builder->diags, &(struct slice){0});
	if (!node_read_int(node, "on", 1, 28, builder->diags, &day))
		return false;
	line->on = (int)day;
	return true;
}

static void read_line(struct model_builder *builder, const struct node *node, const char *what, struct report_line *line)
{
	const struct node *on = node_get(node, "on");
	bool is_good = read_at(builder, node, what, &line->second);
	if (on != NULL && line->every != FIGURES_DAY)
		is_good &= read_on(builder, on, line);
	line->is_on = is_good;
}

/* ---- the digests */

static void read_daily(struct model_builder *builder, const struct node *node, struct report_rules *rules)
{
	static const char *const known[] = {"at", NULL};
	node_check_keys(node, known, "report.daily", builder->diags);
	rules->lines[REPORT_DAILY].every = FIGURES_DAY;
	read_line(builder, node, "report.daily", &rules->lines[REPORT_DAILY]);
}

static void read_due_today(struct model_builder *builder, const struct node *node, struct report_rules *rules)
{
	static const char *const known[] = {"at", NULL};
	node_check_keys(node, known, "report.due_today", builder->diags);
	rules->lines[REPORT_DUE_TODAY].every = FIGURES_DAY;
	read_line(builder, node, "report.due_today", &rules->lines[REPORT_DUE_TODAY]);
}

static void read_monthly(struct model_builder *builder, const struct node *node, struct report_rules *rules)
{
	static const char *const known[] = {"on", "at", NULL};
	node_check_keys(node, known, "report.monthly", builder->diags);
	rules->lines[REPORT_MONTHLY] = (struct report_line){.every = FIGURES_MONTH, .on = 1};
	read_line(builder, node, "report.monthly", &rules->lines[REPORT_MONTHLY]);
}

static bool is_grade(const struct model *model, struct slice letter)
{
	for (size_t i = 0; i < model->grade_count; i++)
		if (slice_equal(model->grades[i].letter, letter))
			return true;
	return false;
}

static void unknown_grade(struct model_builder *builder, const struct node *node)
{
	struct diag *diag = diags_add(builder->diags, ERR_UNKNOWN_REFERENCE, node->span, "no grade `%.*s`", SLICE_ARG(node->text));
	struct suggest near = suggest_for(node->text);
	for (size_t i = 0; i < builder->model->grade_count; i++)
		suggest_offer(&near, builder->model->grades[i].letter);
	diag_did_you_mean(builder->diags, diag, near.best);
}

static void read_grades(struct model_builder *builder, const struct node *node, struct report_rules *rules)
{
	if (!node_expect_sequence(node, "report.weekly_digest.grades", builder->diags))
		return;
	if (node->count > GRADES_MAX) {
		diags_add(builder->diags, ERR_TOO_MANY, node->span, "more than %d grades", GRADES_MAX);
		return;
	}
	struct slice *grades = arena_array(builder->arena, node->count, sizeof *grades);
	for (size_t i = 0; i < node->count; i++) {
		if (!node_read_text(node->items[i], "a grade", builder->diags, &grades[i]))
			continue;
		if (!is_grade(builder->model, grades[i]))
			unknown_grade(builder, node->items[i]);
	}
	rules->weekly_grades = grades;
	rules->weekly_grade_count = node->count;
}

static void read_weekly(struct model_builder *builder, const struct node *node, struct report_rules *rules)
{
	static const char *const known[] = {"on", "at", "grades", "by", NULL};
	const struct node *by = node_get(node, "by"), *grades = node_get(node, "grades");
	struct slice text;
	node_check_keys(node, known, "report.weekly_digest", builder->diags);
	rules->lines[REPORT_WEEKLY] = (struct report_line){.every = FIGURES_WEEK, .on = 4};
	read_line(builder, node, "report.weekly_digest", &rules->lines[REPORT_WEEKLY]);
	if (grades != NULL)
		read_grades(builder, grades, rules);
	if (by == NULL || !node_read_text(by, "report.weekly_digest.by", builder->diags, &text))
		return;
	rules->is_weekly_by_region = slice_is(text, "region");
	if (!rules->is_weekly_by_region && !slice_is(text, "team"))
		bad_value(builder, by, "team or region");
}

static void read_every(struct model_builder *builder, const struct node *node, struct report_line *line)
{
	struct slice text;
	if (!node_read_text(node, "report.audit.every", builder->diags, &text))
		return;
	if (slice_is(text, "day") || slice_is(text, "week") || slice_is(text, "month"))
		line->every = slice_is(text, "day") ? FIGURES_DAY : slice_is(text, "week") ? FIGURES_WEEK : FIGURES_MONTH;
	else
		bad_value(builder, node, "day, week or month");
}

/* It comes on the first day of a period, for the one that is over. */
static void read_audit(struct model_builder *builder, const struct node *node, struct report_rules *rules)
{
	static const char *const known[] = {"every", "at", "leads", "seed", NULL};
	struct report_line *line = &rules->lines[REPORT_AUDIT];
	const struct node *every = node_get(node, "every"), *leads = node_get(node, "leads");
	const struct node *seed = node_require(node, "seed", "report.audit", builder->diags);
	node_check_keys(node, known, "report.audit", builder->diags);
	line->every = FIGURES_WEEK;
	rules->audit_leads = 20;
	if (every != NULL)
		read_every(builder, every, line);
	line->on = line->every == FIGURES_MONTH;
	line->is_on = read_at(builder, node, "report.audit.at", &line->second);
	if (leads != NULL)
		node_read_int(leads, "report.audit.leads", 1, REPORT_AUDIT_MAX, builder->diags, &rules->audit_leads);
	if (seed != NULL)
		model_read_name(builder, seed, "a seed", &rules->audit_seed);
}

static const struct {
	const char *name;
	void (*read)(struct model_builder *builder, const struct node *node, struct report_rules *rules);
} parts[] = {
	{"daily", read_daily}, {"due_today", read_due_today}, {"weekly_digest", read_weekly}, {"monthly", read_monthly},
	{"audit", read_audit},
};

void model_build_report(struct model_builder *builder)
{
	static const char *const known[] = {"calendar", "daily", "due_today", "weekly_digest", "monthly", "audit", NULL};
	const struct node *section = model_section(builder, "report", NODE_MAPPING);
	if (section == NULL)
		return;
	struct report_rules *rules = arena_alloc(builder->arena, sizeof *rules);
	const struct node *calendar = node_get(section, "calendar");
	node_check_keys(section, known, "report", builder->diags);
	if (calendar != NULL)
		rules->calendar = model_read_calendar(builder, calendar);
	const struct calendar *zoned = rules->calendar != NULL ? rules->calendar : builder->model->calendar;
	rules->zone = zoned != NULL ? calendar_zone(zoned) : NULL;
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		const struct node *node = node_get(section, parts[i].name);
		if (node != NULL && node_expect_mapping(node, parts[i].name, builder->diags))
			parts[i].read(builder, node, rules);
	}
	kept_need_origin(builder);
	builder->model->report = rules;
}
