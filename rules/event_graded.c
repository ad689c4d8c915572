/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/event_graded.h"

#include "rules/activity.h"
#include "rules/decide.h"
#include "rules/event_page.h"
#include "rules/model.h"

static void put_terms(struct json_writer *writer, const struct graded *graded)
{
	json_open_array(writer, "terms");
	for (size_t i = 0; i < graded->term_count; i++) {
		const struct criterion *term = graded->terms[i];
		json_open_object(writer, NULL);
		json_put_text(writer, "name", term->name);
		json_put_int(writer, "points", term->points);
		if (term->place.file != NULL) {
			json_put_text(writer, "file", slice_of(term->place.file));
			json_put_int(writer, "line", term->place.line);
		}
		json_close_object(writer);
	}
	json_close_array(writer);
}

static void put_appraisal(struct json_writer *writer, const struct work *work, const struct graded *graded)
{
	if (work->state.percent != 0) {
		json_open_object(writer, "likelihood");
		json_put_int(writer, "percent", work->state.percent);
		json_put_text(writer, "of", SLICE("person"));
		json_close_object(writer);
	}
	if (graded->appraiser == NULL)
		return;
	json_put_text(writer, "verdict", graded->appraiser->verdict);
	json_put_text(writer, "actor", graded->appraiser->actor);
	json_put_text(writer, "comment", graded->appraiser->reason);
	json_put_bool(writer, "repeated", work->is_repeated);
}

static struct event *put_event(struct work *work, const struct graded *graded)
{
	struct page page;
	struct json_writer *writer = page_open(&page, work);
	event_put_owner(writer, work);
	json_put_text(writer, "grade", work->state.grade);
	json_put_text(writer, "previous_grade", graded->before);
	json_put_int(writer, "score", work->state.score);
	json_put_int(writer, "previous_score", graded->score_before);
	json_put_int(writer, "fit", graded->fit);
	json_put_int(writer, "interest", graded->interest);
	put_terms(writer, graded);
	put_appraisal(writer, work, graded);
	json_put_time(writer, "at", work->now_ms);
	return page_close(&page, work, OUT_LIFECYCLE, "lead.graded");
}

void event_graded(struct work *work, const struct graded *graded)
{
	put_event(work, graded);
}

static bool was_told(const struct work *work, struct slice id)
{
	for (size_t i = 0; i < work->ret->event_count; i++)
		if (slice_equal(work->events[i].id, id))
			return true;
	return false;
}

void event_faded(struct work *work, struct slice lead_id, const struct graded *graded)
{
	struct work aside;
	struct slice id = slice_of(arena_printf(work->arena, "lead.graded:%.*s:%.*s:%lld", SLICE_ARG(lead_id),
	                                        SLICE_ARG(work->state.grade), (long long)work->now_ms));
	if (was_told(work, id))
		return;
	work_aside_begin(&aside, work, lead_id);
	aside.state = work->state;
	put_event(&aside, graded)->id = id;
	work_aside_end(&aside, work);
}
