/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/event_graded.h"

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

void event_graded(struct work *work, const struct graded *graded)
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
	json_put_time(writer, "at", work->now_ms);
	page_close(&page, work, OUT_LIFECYCLE, "lead.graded");
}
