/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/absence.h"

#include "rules/clocks.h"
#include "rules/decide.h"
#include "rules/event_page.h"
#include "rules/model.h"
#include "rules/pool_wait.h"

static bool waits_for_an_act(enum clock_kind kind)
{
	return kind == CLOCK_FIRST_RESPONSE || kind == CLOCK_CADENCE || kind == CLOCK_NEXT_FOLLOW_UP;
}

/* The subject is a rep, though a lead was the cause: the event tells nothing of where that came from. */
static void put_event(struct work *work, size_t rep, const struct presence *person, const char *cause)
{
	struct page page = {.text = STRBUF_INIT};
	page.writer = (struct json_writer)JSON_WRITER(&page.text);
	struct json_writer *writer = &page.writer;
	json_open_object(writer, NULL);
	json_put_text(writer, "rep", work->model->reps[rep].id);
	json_put_text(writer, "status", SLICE("away"));
	json_put_text(writer, "previous_status", SLICE("available"));
	json_put_text(writer, "reason", SLICE("breaches"));
	json_put_int(writer, "breaches", person->late);
	json_put_int(writer, "open", person->open);
	json_put_time(writer, "at", work->now_ms);
	int64_t at_ms = work->state.at_ms;
	work->state.at_ms = 0;
	struct event *event = page_close(&page, work, OUT_LIFECYCLE, "rep.presence");
	work->state.at_ms = at_ms;
	event->key = event->subject = work->model->reps[rep].id;
	event->id = slice_of(arena_printf(work->arena, "rep.presence:%s", cause));
}

static struct presence *person_of(struct work *work, struct slice rep, size_t *ret_rep)
{
	*ret_rep = rep.len != 0 ? model_find_rep(work->model, rep) : SIZE_MAX;
	if (work->model->unavailable_after == 0 || *ret_rep == SIZE_MAX)
		return NULL;
	pool_ready(work);
	return desk_person(work->decider->desk, &work->decider->overlay, *ret_rep);
}

void absence_on_told(struct work *work, struct slice timer, const struct clock_plan *plan, const struct clock_told *told)
{
	size_t rep;
	if (told->level->rank != CLOCK_RANK_BREACH || !waits_for_an_act(plan->kind))
		return;
	struct presence *person = person_of(work, work->state.owner, &rep);
	if (person == NULL)
		return;
	person->late++;
	if (person->late >= work->model->unavailable_after && !person->is_away) {
		person->is_away = true;
		person->until_ms = 0;
		put_event(work, rep, person, arena_printf(work->arena, "%.*s:%.*s:%lld", SLICE_ARG(work->lead_id), SLICE_ARG(timer),
		                                          (long long)told->cycle));
	}
	desk_person_changed(work->decider->desk, &work->decider->overlay, rep);
}

void absence_on_act(struct work *work, struct slice rep)
{
	size_t index;
	struct presence *person = person_of(work, rep, &index);
	if (person == NULL || person->late == 0)
		return;
	person->late = 0;
	desk_person_changed(work->decider->desk, &work->decider->overlay, index);
}
