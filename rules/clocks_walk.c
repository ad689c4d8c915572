/* SPDX-License-Identifier: Apache-2.0
 *
 * Another configuration or other time zones: the due times of all running clocks are computed anew.
 *
 *     mem/plan              {"n":3,"clocks":"9f…","tzdata":"2026b","config":"66…"}  by what due times are computed
 *     mem/walk/clocks.<n>   the walk that brings every lead to plan n
 *
 * A level is never told by a plan that is not in force: clocks_fire() computes the due time before it tells anything, and so
 * does every event of a lead. The walk is for the due times that are earlier now: such a level is told when the walk has
 * visited its lead, so it is late by the time of the walk at most.
 */
#include "rules/clocks_walk.h"

#include <string.h>

#include "rules/base/hash.h"
#include "rules/base/strbuf.h"
#include "rules/calendar/calendar.h"
#include "rules/clocks_lead.h"
#include "rules/decide.h"
#include "rules/json/json.h"
#include "rules/model.h"

static const struct slice plan_key = {"mem/plan", 8};
enum { PLAN_BYTES_MAX = 1000 };

/* ---- what due times depend on */

static void put_calendar(struct strbuf *out, const struct calendar *calendar)
{
	strbuf_printf(out, "|%llx", calendar != NULL ? (unsigned long long)calendar_version(calendar) : 0ull);
}

static void put_span(struct strbuf *out, const struct span *span)
{
	strbuf_printf(out, "|%d,%d,%lld,%lld", (int)span->days, (int)span->business_days, (long long)span->business_ms,
	              (long long)span->elapsed_ms);
}

static void put_text(struct strbuf *out, struct slice text)
{
	strbuf_printf(out, "|%zu:", text.len);
	strbuf_append(out, text.p, text.len);
}

static void put_plan(struct strbuf *out, const struct clock_plan *plan)
{
	put_text(out, plan->name);
	put_text(out, plan->when_text);
	put_span(out, &plan->after);
	put_span(out, &plan->lengthen_up_to);
	put_span(out, &plan->at_most);
	put_span(out, &plan->touch_extends);
	put_calendar(out, plan->calendar);
	strbuf_printf(out, "|%d|%d|%d|%lld|%lld", (int)plan->calendar_by, (int)plan->repeat, plan->is_heard_when_open,
	              (long long)plan->times, (long long)plan->touch_divisor);
	for (size_t i = 0; i < plan->level_count; i++) {
		strbuf_printf(out, "|%d,%d", plan->levels[i].rank, (int)plan->levels[i].action);
		put_span(out, &plan->levels[i].offset);
	}
}

static void put_people(struct strbuf *out, const struct model *model)
{
	for (size_t i = 0; i < model->rep_count; i++)
		if (model->reps[i].calendar != NULL) {
			put_text(out, model->reps[i].id);
			put_calendar(out, model->reps[i].calendar);
		}
	for (size_t i = 0; i < model->team_count; i++)
		if (model->teams[i].calendar != NULL) {
			put_text(out, model->teams[i].id);
			put_calendar(out, model->teams[i].calendar);
		}
}

/* Conditions and places may ask territory tables; then any change of the configuration counts. */
static bool asks_tables(const struct model *model)
{
	bool asks = model->calendar_by != SIZE_MAX;
	for (size_t i = 0; i < model->clock_count; i++)
		for (size_t p = 0; p < model->clocks[i].plan_count; p++) {
			struct slice text = model->clocks[i].plans[p].when_text;
			asks |= text.len != 0 && memmem(text.p, text.len, "territory", strlen("territory")) != NULL;
		}
	return asks;
}

static struct slice fingerprint(const struct work *work)
{
	const struct model *model = work->model;
	struct strbuf all = STRBUF_INIT;
	put_calendar(&all, model->calendar);
	put_people(&all, model);
	for (size_t i = 0; i < model->grade_count; i++) {
		put_text(&all, model->grades[i].letter);
		put_span(&all, &model->grades[i].first_response);
		put_span(&all, &model->grades[i].remind_before);
	}
	for (size_t i = 0; i < model->clock_count; i++)
		for (size_t p = 0; p < model->clocks[i].plan_count; p++)
			put_plan(&all, &model->clocks[i].plans[p]);
	if (asks_tables(model))
		put_text(&all, slice_of(model->config_hash));
	static const uint64_t seed[2] = {0x636c6f63, 0x6b73}; /* fixed: every instance must come to the same */
	const char *hex = arena_printf(work->arena, "%016llx",
	                               (unsigned long long)hash_sip(seed, (struct slice){strbuf_text(&all), all.len}));
	strbuf_done(&all);
	return slice_of(hex);
}

/* ---- the plan in force */

static struct slice walk_key(const struct work *work, int64_t number)
{
	return slice_of(arena_printf(work->arena, RULES_WALK_PREFIX "clocks.%lld", (long long)number));
}

static void put_plan_value(struct work *work, int64_t number, struct slice clocks)
{
	struct strbuf value = STRBUF_INIT;
	struct json_writer writer = JSON_WRITER(&value);
	json_open_object(&writer, NULL);
	json_put_int(&writer, "n", number);
	json_put_text(&writer, "clocks", clocks);
	json_put_text(&writer, "tzdata", slice_of(work->model->tzdata_version));
	json_put_text(&writer, "config", slice_of(work->model->config_hash));
	json_close_object(&writer);
	overlay_put(&work->decider->overlay, plan_key, strbuf_keep(&value, work->arena), 0);
}

static int64_t number_of(const struct json *plan)
{
	const struct json *number = plan != NULL ? json_get(plan, "n") : NULL;
	return number != NULL && number->type == JSON_IS_INT && number->integer > 0 ? number->integer : 0;
}

void clocks_begin(struct work *work)
{
	struct overlay *overlay = &work->decider->overlay;
	struct json_limits limits = {PLAN_BYTES_MAX, 2, 20};
	struct slice value = overlay_get(overlay, plan_key), clocks = fingerprint(work);
	const struct json *plan = value.len != 0 ? json_read(value, limits, work->arena, NULL) : NULL;
	int64_t number = number_of(plan);
	if (plan != NULL && slice_equal(json_get_text(plan, "clocks"), clocks))
		return;
	put_plan_value(work, number + 1, clocks);
	if (value.len == 0)
		return; /* the first one: no due time is older */
	if (overlay_get(overlay, walk_key(work, number)).len != 0)
		overlay_remove(overlay, walk_key(work, number));
	overlay_put(overlay, walk_key(work, number + 1), SLICE("{}"), 0);
}

void clocks_visit(struct work *work, struct slice key)
{
	(void)key;
	work->cause = clocks_cause(work);
	if (clocks_plan_again(work) == 0)
		return;
	work->ret->outcome = OUTCOME_TIMER;
	work_write_lead(work, work->lead_id);
}
