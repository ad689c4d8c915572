/* SPDX-License-Identifier: Apache-2.0
 *
 * Stage rules: which route takes the lead, and to which team.
 */
#include "rules/decide.h"

#include "rules/hold.h"
#include "rules/model.h"

enum step stage_rules(struct work *work)
{
	if (work->rep != SIZE_MAX)
		return STEP_NEXT;
	match_routes(work->model, &work->prepared->lead, work->slots, &work->scratch, &work->match);
	if (work->match.route == NULL)
		return settle_unassigned(work, "no_route");
	work->team = work->match.team;
	work->state.rule = work->match.route->name;
	return work->match.route->hold != NULL ? hold_settle(work) : STEP_NEXT;
}
