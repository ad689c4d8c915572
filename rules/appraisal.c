/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/appraisal.h"

#include "rules/activity.h"
#include "rules/decide.h"
#include "rules/event_graded.h"
#include "rules/interest.h"
#include "rules/model.h"
#include "rules/score.h"

/* ---- reading */

static int read_score(struct activity *activity, struct err *err)
{
	int64_t score = INT64_MIN;
	if (activity_int(activity->data, "score", -APPRAISAL_SCORE_MAX, APPRAISAL_SCORE_MAX, &score, err) != 0)
		return -1;
	activity->appraisal.has_score = score != INT64_MIN;
	activity->appraisal.score = activity->appraisal.has_score ? score : 0;
	return 0;
}

int appraisal_read(struct activity *activity, struct err *err)
{
	struct appraisal *appraisal = &activity->appraisal;
	if (activity_text(activity->data, "grade", ACTIVITY_TEXT_BYTES_MAX, &appraisal->grade, err) != 0 ||
	    read_score(activity, err) != 0 ||
	    activity_int(activity->data, "likelihood", 1, APPRAISAL_PERCENT_MAX, &appraisal->percent, err) != 0)
		return -1;
	if (activity->actor.len == 0 || activity->reason.len == 0)
		return err_set_at(err, ERR_MISSING_FIELD, activity->actor.len == 0 ? "actor" : "reason",
		                  "whoever appraises a lead says who he is, and why");
	if (slice_is(activity->verdict, "graded") && appraisal->grade.len == 0 && appraisal->percent == 0)
		return err_set_at(err, ERR_MISSING_FIELD, "grade", "neither a grade nor a likelihood is given");
	if (appraisal->has_score && appraisal->grade.len == 0)
		return err_set_at(err, ERR_MISSING_FIELD, "grade", "a score is given together with its grade");
	return 0;
}

/* ---- what was computed */

void appraisal_grade(struct lead_state *state, struct slice grade, int64_t score)
{
	if ((state->appraised & APPRAISAL_SCORE) == 0)
		state->score = score;
	if ((state->appraised & APPRAISAL_GRADE) == 0)
		state->grade = grade;
}

/* ---- deciding */

/* What there was before anybody appraised it stays known. */
static void keep_computed(struct lead_state *state)
{
	if (state->interest_ms == 0 && (state->appraised & APPRAISAL_SCORE) == 0)
		state->fit = state->score;
}

/* Of a grade that stops, whoever set it, the next lead of the person is a matter for a person again. */
static void settle_bar(struct lead_state *state, const struct grade *grade)
{
	if (grade->stops)
		state->cleared = 0;
	else if (state->bar == BAR_GRADE)
		state->bar = BAR_NONE;
}

static void set(struct lead_state *state, const struct appraisal *appraisal, const struct grade *grade)
{
	keep_computed(state);
	if (appraisal->percent != 0)
		state->percent = appraisal->percent;
	if (grade == NULL)
		return;
	state->appraised = APPRAISAL_GRADE | (appraisal->has_score ? APPRAISAL_SCORE : state->appraised & APPRAISAL_SCORE);
	state->grade = grade->letter;
	if (appraisal->has_score)
		state->score = appraisal->score;
	settle_bar(state, grade);
}

static void take_back(struct work *work)
{
	struct lead_state *state = &work->state;
	bool was_appraised = state->appraised != 0;
	int32_t fit = (int32_t)state->fit, interest = interest_left(work->model, state, work->now_ms);
	state->appraised = state->percent = 0;
	if (was_appraised)
		appraisal_grade(state, interest_grade(work->model, fit, interest)->letter, interest_score(fit, interest));
}

static void tell(struct work *work, struct graded *graded)
{
	work->state.told_grade = SLICE_NONE;
	graded->fit = (int32_t)(work->state.interest_ms == 0 && work->state.appraised == 0 ? work->state.score : work->state.fit);
	graded->interest = interest_left(work->model, &work->state, work->now_ms);
	graded->appraiser = work->activity;
	event_graded(work, graded);
}

void appraisal_decide(struct work *work)
{
	const struct appraisal *appraisal = &work->activity->appraisal;
	const struct grade *grade = appraisal->grade.len != 0 ? score_band(work->model, appraisal->grade) : NULL;
	struct graded graded = interest_before(&work->state);
	if (appraisal->grade.len != 0 && grade == NULL) {
		decide_reject(work, work->prepared->record, ERR_UNKNOWN_WORD, "grade", "no grade of that name is configured");
		return;
	}
	if (!work->is_repeated) {
		if (slice_is(work->activity->verdict, "graded"))
			set(&work->state, appraisal, grade);
		else
			take_back(work);
		work->state.told_grade = SLICE_NONE; /* it is told below */
		work_write_lead(work, work->lead_id);
	}
	tell(work, &graded);
}
