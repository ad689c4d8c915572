/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/returning.h"

#include "rules/decide.h"
#include "rules/idents.h"
#include "rules/json/json.h"
#include "rules/model.h"
#include "rules/own.h"
#include "rules/pool_choose.h"

/* A grade that is not in the configuration any more stops nothing. */
static bool grade_stops(const struct model *model, struct slice letter)
{
	for (size_t i = 0; i < model->grade_count; i++)
		if (slice_equal(model->grades[i].letter, letter))
			return model->grades[i].stops;
	return false;
}

enum bar returning_bar(const struct model *model, const struct lead_state *past)
{
	if (past->bar != BAR_NONE)
		return (enum bar)past->bar;
	return past->cleared == 0 && grade_stops(model, past->grade) ? BAR_GRADE : BAR_NONE;
}

void returning_note(struct work *work, const struct hit *past)
{
	const struct lead_state *state = &past->state;
	struct returning *returning = arena_alloc(work->arena, sizeof *returning);
	*returning = (struct returning){
		.lead_id = past->lead_id, .owner = state->owner.len != 0 ? state->owner : state->previous, .team = state->team,
		.status = lead_status_name(state->status), .bar = returning_bar(work->model, state),
		.last_ms = state_last_ms(state),
	};
	work->returning = returning;
}

const char *returning_block(const struct work *work)
{
	if (work->is_barred[IDENTITY_EMAIL] || work->is_barred[IDENTITY_PHONE])
		return "do_not_contact";
	const struct returning *past = work->returning;
	return past != NULL && past->bar != BAR_NONE ? bar_word(past->bar).p : NULL;
}

static enum step owner_is_absent(struct work *work, const char *result)
{
	work->returning->result = result;
	return work->model->dedup.is_absent_unassigned ? settle_unassigned(work, "owner_absent") : STEP_NEXT;
}

/* Absence and caps bind the policy, unless it says otherwise by its name (semantics.md 2.3). NULL: nothing is in the way. */
static const char *why_not(struct work *work, size_t rep, size_t team)
{
	enum block block;
	if (pool_can_take(work, rep, team, &block))
		return NULL;
	bool binds = work->model->dedup.returning != RETURNING_SAME_OWNER || block == BLOCK_INACTIVE;
	return binds ? block_name(block) : NULL;
}

static enum step give_back(struct work *work)
{
	struct returning *past = work->returning;
	size_t rep = model_find_rep(work->model, past->owner);
	if (rep == SIZE_MAX)
		return owner_is_absent(work, "unknown");
	size_t team = own_team_of(work, rep, past->team);
	const char *obstacle = why_not(work, rep, team);
	if (obstacle != NULL)
		return owner_is_absent(work, obstacle);
	work->rep = rep;
	work->team = team;
	work->reason = "returning";
	past->result = "taken";
	return STEP_NEXT;
}

enum step returning_owner(struct work *work)
{
	const struct dedup_rules *rules = &work->model->dedup;
	struct returning *past = work->returning;
	if (past == NULL || work->rep != SIZE_MAX || rules->returning == RETURNING_REROUTE ||
	    rules->returning == RETURNING_NEW_LEAD)
		return STEP_NEXT;
	if (past->owner.len == 0)
		past->result = "no_owner";
	else if (rules->returning == RETURNING_WITHIN && work->now_ms - past->last_ms >= rules->within_ms)
		past->result = "too_long_ago";
	else
		return give_back(work);
	return STEP_NEXT;
}

void returning_trace(struct json_writer *writer, const struct work *work)
{
	const struct returning *past = work->returning;
	enum returning_policy policy = work->model->dedup.returning;
	if (past == NULL || policy == RETURNING_NEW_LEAD)
		return;
	json_open_object(writer, "returning");
	json_put_text(writer, "lead_id", past->lead_id);
	json_put_text(writer, "status", slice_of(past->status));
	if (past->owner.len != 0)
		json_put_text(writer, "owner", past->owner);
	json_put_text(writer, "policy", slice_of(returning_policy_name(policy)));
	if (past->result != NULL)
		json_put_text(writer, "result", slice_of(past->result));
	json_close_object(writer);
}
