/* SPDX-License-Identifier: Apache-2.0
 *
 * Timers: what is due for one lead or one memory key.
 */
#include "rules/decide.h"

#include "rules/base/strbuf.h"
#include "rules/clocks_lead.h"
#include "rules/dispute.h"
#include "rules/handover.h"
#include "rules/lifecycle.h"
#include "rules/merge.h"
#include "rules/model.h"
#include "rules/pend.h"
#include "rules/report.h"
#include "rules/retention.h"
#include "rules/pool_wait.h"
#include "rules/own.h"

/* The index names a lead that is not there, or whose value nobody here can read: it would be named again with every poll.
 * Every write of a lead also sets or removes its timer, so one write ends that. A value that is not in our form may be
 * that of a newer version: it stays as it is, byte for byte. */
static void forget_timer(struct work *work, struct slice key)
{
	struct overlay *overlay = &work->decider->overlay;
	struct slice value = overlay_get(overlay, key);
	if (value.len == 0)
		overlay_remove(overlay, key);
	else
		overlay_put(overlay, key, value, 0);
}

/* A lead or a memory key is fired again and again: its due time tells which time it was. That is the cause of whatever follows,
 * first of all of what is given to those who waited. */
static void note_due(struct work *work, struct slice name, int64_t due_ms)
{
	char due[DECIMAL_BYTES];
	work->ret->since_ms = due_ms;
	work->cause = ARENA_JOIN(work->arena, SLICE("timer:"), name, SLICE(":"), decimal_text(due_ms, due));
}

static bool read_due_lead(struct work *work, struct slice lead_id)
{
	bool is_there = work_read_lead(work, lead_id, &work->state) > 0;
	note_due(work, lead_id, is_there ? state_next_due(&work->state) : 0);
	return is_there;
}

/* The lead itself may be among those who waited: then its state is another one. */
static bool begin_lead(struct work *work, struct slice key, struct slice lead_id)
{
	struct slice before = overlay_get(&work->decider->overlay, key);
	bool is_there = read_due_lead(work, lead_id);
	pool_begin(work);
	work->lead_id = lead_id;
	if (overlay_get(&work->decider->overlay, key).p == before.p)
		return is_there;
	is_there = work_read_lead(work, lead_id, &work->state) > 0;
	work->ret->since_ms = is_there ? state_next_due(&work->state) : 0;
	return is_there;
}

void decide_timers(struct work *work, struct slice lead_id)
{
	struct slice key = state_lead_key(work->arena, lead_id);
	work->ret->outcome = OUTCOME_NOTHING;
	if (!begin_lead(work, key, lead_id)) {
		forget_timer(work, key);
		return;
	}
	work_name(work);
	if (retention_fire(work)) {
		work->ret->outcome = OUTCOME_TIMER;
		return;
	}
	bool has_told = handover_mind(work);
	has_told |= clocks_fire(work) != 0;
	has_told |= lifecycle_wake(work);
	has_told |= dispute_fire(work);
	has_told |= own_exemption_ends(work);
	has_told |= merge_settled(work);
	if (!has_told)
		return;
	work->ret->outcome = OUTCOME_TIMER;
	work_write_lead(work, work->lead_id);
}

/* ---- memory keys: one row per kind that can be due */

struct memory_kind {
	struct slice prefix;
	void (*fire)(struct work *work, struct slice key, struct slice value);
};

static const struct memory_kind memory_kinds[] = {
	{{"mem/wait/", 9}, pool_fire_wait},
	{{"mem/tick/", 9}, pool_fire_tick},
	{{PEND_PREFIX, sizeof PEND_PREFIX - 1}, pend_fire},
	{{"mem/report/", 11}, report_fire},
	{{NULL, 0}, NULL},
};

void decide_memory(struct work *work, struct slice key)
{
	struct slice value = overlay_get(&work->decider->overlay, key);
	work->ret->outcome = OUTCOME_NOTHING;
	note_due(work, key, value.len != 0 ? rules_due_of(key, value) : 0);
	pool_begin(work);
	value = overlay_get(&work->decider->overlay, key); /* it may be of one who waited */
	for (const struct memory_kind *kind = memory_kinds; value.len != 0 && kind->fire != NULL; kind++)
		if (slice_has_prefix(key, kind->prefix)) {
			kind->fire(work, key, value);
			return;
		}
	forget_timer(work, key);
}
