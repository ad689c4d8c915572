/* SPDX-License-Identifier: Apache-2.0
 *
 * Stage owner_match: is there somebody whose lead this is before any rule is asked?
 */
#include "rules/decide.h"

#include "rules/owner_match.h"
#include "rules/returning.h"

enum step stage_owner_match(struct work *work)
{
	if (owner_match_requested(work) == STEP_DONE || returning_owner(work) == STEP_DONE)
		return STEP_DONE;
	return owner_match_accounts(work);
}
