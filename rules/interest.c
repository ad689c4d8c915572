/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/interest.h"

#include "rules/appraisal.h"
#include "rules/clocks_env.h"
#include "rules/clocks_lead.h"
#include "rules/decide.h"
#include "rules/event_graded.h"
#include "rules/fixed.h"
#include "rules/model.h"

static size_t band_of(const struct axis_band *bands, size_t count, int32_t points)
{
	size_t i = 0;
	while (i + 1 < count && points < bands[i].from)
		i++;
	return i;
}

static int32_t add_points(int32_t a, int32_t b)
{
	int64_t sum = (int64_t)a + b;
	return sum > INT32_MAX ? INT32_MAX : sum < INT32_MIN ? INT32_MIN : (int32_t)sum;
}

int32_t interest_score(int32_t fit, int32_t interest)
{
	return add_points(fit, interest);
}

const struct grade *interest_grade(const struct model *model, int32_t fit, int32_t interest)
{
	const struct grade_matrix *matrix = model->matrix;
	if (matrix == NULL)
		return score_grade(model, add_points(fit, interest));
	size_t row = band_of(matrix->fit, matrix->fit_count, fit);
	size_t column = band_of(matrix->interest, matrix->interest_count, interest);
	return &model->grades[matrix->cells[row * matrix->interest_count + column]];
}

static int64_t left_milli(const struct model *model, const struct lead_state *state, int64_t now_ms)
{
	if (model->half_life_ms == 0)
		return state->interest_milli;
	return fixed_decay(state->interest_milli, now_ms - state->interest_ms, model->half_life_ms);
}

static int32_t whole_points(int64_t milli)
{
	return (int32_t)(milli / INTEREST_UNIT - (milli % INTEREST_UNIT < 0));
}

int32_t interest_left(const struct model *model, const struct lead_state *state, int64_t now_ms)
{
	return whole_points(left_milli(model, state, now_ms));
}

static int64_t held(int64_t milli)
{
	const int64_t most = (int64_t)INTEREST_MAX * INTEREST_UNIT;
	return milli > most ? most : milli < -most ? -most : milli;
}

void interest_fade(const struct model *model, struct lead_state *state, int64_t now_ms)
{
	if (model->half_life_ms == 0 || state->interest_ms == 0)
		return; /* nothing that fades */
	if ((state->appraised & APPRAISAL_SCORE) != 0)
		return; /* a person has said what it is worth */
	int32_t fit = (int32_t)state->fit, interest = interest_left(model, state, now_ms), score = add_points(fit, interest);
	if (score == state->score)
		return; /* bands that were moved meanwhile grade nobody anew */
	state->told_grade = state->grade;
	state->told_score = state->score;
	state->score = score;
	if ((state->appraised & APPRAISAL_GRADE) != 0)
		return;
	const struct grade *before = score_band(model, state->grade), *grade = interest_grade(model, fit, interest);
	if (grade->stops && (before == NULL || !before->stops))
		state->cleared = 1; /* nobody was stopped: time alone does not hold up the person's next lead */
	state->grade = grade->letter;
}

struct graded interest_before(const struct lead_state *state)
{
	bool has_faded = state->told_grade.len != 0;
	return (struct graded){.before = has_faded ? state->told_grade : state->grade,
	                       .score_before = (int32_t)(has_faded ? state->told_score : state->score)};
}

void interest_tell(struct work *work, struct slice lead_id)
{
	struct lead_state *state = &work->state;
	struct graded graded = interest_before(state);
	state->told_grade = SLICE_NONE;
	if (slice_equal(graded.before, state->grade))
		return;
	graded.fit = (int32_t)state->fit;
	graded.interest = interest_left(work->model, state, work->now_ms);
	event_faded(work, lead_id, &graded);
}

void interest_begin(struct work *work)
{
	struct lead_state *state = &work->state;
	if (work->model->half_life_ms == 0 && work->model->matrix == NULL)
		return; /* one axis: the score says it all */
	state->fit = work->score.fit;
	state->interest_milli = held((int64_t)work->score.interest * INTEREST_UNIT);
	state->interest_ms = state->interest_milli != 0 ? work->now_ms : 0;
}

/* Points of one act, as they are worth now: one that is heard of late has faded since. */
static int64_t milli_of(const struct model *model, const struct criterion *act, int64_t age_ms)
{
	int64_t milli = (int64_t)act->points * INTEREST_UNIT;
	return model->half_life_ms == 0 ? milli : fixed_decay(milli, age_ms, model->half_life_ms);
}

static bool is_act(const struct happened *happened)
{
	const unsigned ours = CLOCK_FACT_CAPTURED | CLOCK_FACT_ASSIGNED | CLOCK_FACT_UNASSIGNED;
	return (happened->facts & ~ours) != 0;
}

void interest_happened(struct work *work, const struct happened *happened)
{
	const struct model *model = work->model;
	struct lead_state *state = &work->state;
	if (model->act_count == 0 || !is_act(happened))
		return;
	struct graded graded = interest_before(state);
	graded.terms = arena_array(work->arena, model->act_count, sizeof *graded.terms);
	int64_t milli = left_milli(model, state, work->now_ms);
	for (size_t i = 0; i < model->act_count; i++) {
		if (!clocks_holds(work, model->acts[i].when, happened))
			continue;
		graded.terms[graded.term_count++] = &model->acts[i];
		milli += milli_of(model, &model->acts[i], work->now_ms - happened->at_ms);
	}
	if (graded.term_count == 0)
		return;
	if (state->interest_ms == 0 && state->appraised == 0)
		state->fit = state->score; /* there was no interest so far */
	state->interest_milli = held(milli);
	state->interest_ms = work->now_ms;
	graded.fit = (int32_t)state->fit;
	graded.interest = interest_left(model, state, work->now_ms);
	appraisal_grade(state, interest_grade(model, graded.fit, graded.interest)->letter, add_points(graded.fit, graded.interest));
	state->told_grade = SLICE_NONE;
	if (slice_equal(state->grade, graded.before))
		return;
	event_graded(work, &graded);
}
