/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/event_clock.h"

#include <string.h>

#include "rules/base/strbuf.h"
#include "rules/calendar/calendar.h"
#include "rules/clocks_lead.h"
#include "rules/decide.h"
#include "rules/event_page.h"
#include "rules/model.h"
#include "rules/text/zone.h"

static const char *type_of(const struct clock_plan *plan, const struct clock_level *level)
{
	if (level->rank >= CLOCK_RANK_BREACH)
		return "followup.overdue";
	bool expires = plan->kind == CLOCK_OPPORTUNITY_EXPIRY || plan->kind == CLOCK_RELEASE;
	return expires ? "lead.expiring" : "followup.reminder";
}

static void put_plan(struct json_writer *writer, const struct clock_plan *plan)
{
	if (plan->file == NULL)
		return;
	json_open_object(writer, "plan");
	json_put_text(writer, "file", slice_of(plan->file));
	json_put_int(writer, "line", plan->line);
	json_close_object(writer);
}

/* For people to read the times of the event in: those themselves are UTC. */
static void put_zone(struct json_writer *writer, struct work *work)
{
	const struct zone *zone = clocks_zone(work);
	if (zone != NULL && strcmp(zone_name(zone), "UTC") != 0)
		json_put_text(writer, "zone", slice_of(zone_name(zone)));
}

void event_put_deadline(struct json_writer *writer, struct work *work)
{
	int64_t due_ms = work->state.first_response.due_ms;
	event_put_time_if(writer, "deadline", due_ms);
	if (due_ms != 0)
		put_zone(writer, work);
}

static int64_t assigned_at(const struct lead_state *state)
{
	return state->first_response.start_ms != 0 ? state->first_response.start_ms : state->at_ms;
}

void event_clock_told(struct work *work, struct slice timer, const struct clock_plan *plan,
                      const struct clock_told *told)
{
	const struct lead_state *state = &work->state;
	const struct clock_level *level = told->level;
	struct page page;
	struct json_writer *writer = page_open(&page, work);
	json_put_text(writer, "timer", timer);
	if (!slice_is(timer, clock_kind_name(plan->kind)))
		json_put_text(writer, "kind", slice_of(clock_kind_name(plan->kind)));
	json_put_int(writer, "cycle", told->cycle);
	json_put_text(writer, "level", level->name);
	event_put_owner(writer, work);
	event_put_if(writer, "grade", state->grade);
	event_put_if(writer, "rule", state->rule);
	if (level->action != CLOCK_NOTIFY)
		json_put_text(writer, "action", slice_of(clock_action_name(level->action)));
	json_put_time(writer, "assigned_at", assigned_at(state));
	json_put_time(writer, "started_at", told->start_ms);
	json_put_time(writer, "deadline", told->due_ms);
	put_zone(writer, work);
	if (level->rank >= CLOCK_RANK_BREACH)
		json_put_int(writer, "late_ms", work->now_ms - told->due_ms);
	if (plan->times != 0) {
		json_put_int(writer, "count", told->count);
		json_put_int(writer, "times", plan->times);
	}
	event_put_if(writer, "suggested", plan->suggested);
	put_plan(writer, plan);
	json_put_time(writer, "at", work->now_ms);
	struct event *event = page_close(&page, work, OUT_FOLLOWUPS, type_of(plan, level));
	char cycle[DECIMAL_BYTES];
	event->id = ARENA_JOIN(work->arena, work->lead_id, SLICE(":"), timer, SLICE(":"), decimal_text(told->cycle, cycle), SLICE(":"),
	                       level->name);
}

/* followup.rescheduled up to the due time that counted until now. */
static struct json_writer *open_change(struct page *page, struct work *work, const struct clock *clock, const char *reason,
                                       int64_t old_ms)
{
	struct json_writer *writer = page_open(page, work);
	json_put_text(writer, "timer", clock->name);
	json_put_int(writer, "cycle", clock->cycle);
	json_put_text(writer, "reason", slice_of(reason));
	event_put_owner(writer, work);
	event_put_if(writer, "grade", work->state.grade);
	json_put_time(writer, "started_at", clock->start_ms);
	json_put_time(writer, "old_deadline", old_ms);
	put_zone(writer, work);
	return writer;
}

static struct event *close_change(struct page *page, struct work *work)
{
	json_put_text(&page->writer, "tzdata", slice_of(work->model->tzdata_version));
	json_put_text(&page->writer, "config", slice_of(work->model->config_hash));
	json_put_time(&page->writer, "at", work->now_ms);
	return page_close(page, work, OUT_FOLLOWUPS, "followup.rescheduled");
}

void event_clock_moved(struct work *work, struct clock *clock, const struct clock_plan *plan, int64_t old_ms)
{
	struct page page;
	struct json_writer *writer = open_change(&page, work, clock, "recomputed", old_ms);
	json_put_time(writer, "deadline", clock->due_ms);
	put_plan(writer, plan);
	struct event *event = close_change(&page, work);
	clock->moves++; /* not the time: who takes a change back moves the clock to where it has been before */
	event->id = slice_of(arena_printf(work->arena, "%.*s:%.*s:%lld:rescheduled:%lld", SLICE_ARG(work->lead_id),
	                                  SLICE_ARG(clock->name), (long long)clock->cycle, (long long)clock->moves));
}

void event_clock_withdrawn(struct work *work, const struct clock *clock)
{
	struct page page;
	open_change(&page, work, clock, "withdrawn", clock->due_ms);
	struct event *event = close_change(&page, work);
	event->id = slice_of(arena_printf(work->arena, "%.*s:%.*s:%lld:withdrawn", SLICE_ARG(work->lead_id),
	                                  SLICE_ARG(clock->name), (long long)clock->cycle));
}
