/* SPDX-License-Identifier: Apache-2.0
 *
 * What a lead comes to: given to somebody with its clock running, or to nobody with a reason.
 */
#include "rules/clocks_lead.h"
#include "rules/consent.h"
#include "rules/decide.h"

#include <string.h>

#include "rules/event.h"
#include "rules/intake.h"
#include "rules/kept.h"
#include "rules/model.h"
#include "rules/own.h"
#include "rules/pool_choose.h"

/* A name is contact data and not kept (law 10): whoever rewards a referral finds it in the record. */
static void note_referral(struct work *work)
{
	struct slice referrer = work->prepared->lead.referrer;
	if (referrer.len == 0)
		return;
	size_t rep = model_find_rep(work->model, referrer);
	work->state.referral = rep != SIZE_MAX ? work->model->reps[rep].id : ARENA_JOIN(work->arena, SLICE("!"), work->cause);
}

/* Those who help whoever gets it; nobody helps himself. */
static void note_roles(struct work *work)
{
	const struct route *route = work->match.route;
	struct state_list *helpers = &work->state.helpers;
	for (size_t i = 0; route != NULL && i < route->role_count; i++) {
		struct slice role = route->roles[i], rep = own_helper_rep(role);
		size_t index = model_find_rep(work->model, rep);
		if (index != SIZE_MAX && work->model->reps[index].is_active && !slice_equal(rep, work->state.owner))
			helpers->items[helpers->count++] = role;
	}
}

static void settle_state(struct work *work, enum lead_status status)
{
	work->state.status = status;
	work->state.at_ms = work->now_ms;
	work->state.source = work->prepared->lead.source;
	if (!pool_asks_familiar(work))
		work->state.familiar = SLICE_NONE;
	note_roles(work);
	intake_number_lead(work);
	note_referral(work);
	work->state.kept = kept_text(work->model, &work->prepared->lead, work->arena);
	if (work->model->clock_count != 0)
		clocks_happened(work, &(struct happened){.facts = CLOCK_FACT_CAPTURED | (status == LEAD_NURTURE ? CLOCK_FACT_NURTURED : 0),
		                                         .at_ms = work->now_ms});
	work_link_idents(work, work->lead_id, work->prepared->has_own_lead_id);
	work_write_lead(work, work->lead_id);
	work_name(work);
}

enum step settle_kept(struct work *work, enum lead_status status, const char *reason)
{
	work->reason = reason;
	work->state.why = slice_of(reason);
	if (work->team != SIZE_MAX)
		work->state.team = work->model->teams[work->team].id;
	settle_state(work, status);
	work->ret->outcome = OUTCOME_UNASSIGNED;
	event_unassigned(work);
	return STEP_DONE;
}

enum step settle_unassigned(struct work *work, const char *reason)
{
	return settle_kept(work, strcmp(reason, "waiting") == 0 ? LEAD_WAITING : LEAD_UNASSIGNED, reason);
}

enum step stage_followup(struct work *work)
{
	if (consent_ask_first(work, work->rep, work->team))
		return settle_kept(work, LEAD_PENDING, "pending");
	own_give(work, work->rep, work->team, work->reason);
	settle_state(work, LEAD_ASSIGNED);
	work->ret->outcome = OUTCOME_ASSIGNED;
	event_assigned(work);
	return STEP_DONE;
}
