/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/clocks_act.h"

#include "rules/clocks.h"
#include "rules/decide.h"
#include "rules/event_clock.h"

void clocks_act(struct work *work, const struct clock *clock, const struct clock_plan *plan,
                const struct clock_told *told)
{
	event_clock_told(work, clock->name, plan, told);
}
