/* SPDX-License-Identifier: Apache-2.0
 *
 * What is done once per model, and walks over all leads: one row per kind of walk.
 */
#include "rules/barred.h"
#include "rules/clocks_walk.h"
#include "rules/decide.h"
#include "rules/handover.h"
#include "rules/merge.h"
#include "rules/own.h"
#include "rules/pool_wait.h"
#include "rules/report.h"
#include "rules/retention.h"

struct walk_kind {
	struct slice prefix; /* of the walk's key; {NULL, 0} ends the table */
	void (*visit)(struct work *work, struct slice key);  /* work->state is the lead's */
	void (*walked)(struct work *work, struct slice key); /* before the key is taken away; may be NULL */
};

static const struct walk_kind kinds[] = {
	{{CLOCKS_WALK, sizeof CLOCKS_WALK - 1}, clocks_visit, NULL},
	{{HANDOVER_PREFIX, sizeof HANDOVER_PREFIX - 1}, handover_visit, handover_walked},
	{{RULES_WALK_PREFIX "report.", sizeof RULES_WALK_PREFIX "report." - 1}, report_visit, report_walked},
	{{OWN_WALK, sizeof OWN_WALK - 1}, own_visit, NULL},
	{{POOL_WALK, sizeof POOL_WALK - 1}, pool_visit, NULL},
	{{RETENTION_WALK, sizeof RETENTION_WALK - 1}, retention_visit, NULL},
	{{BARRED_WALK, sizeof BARRED_WALK - 1}, barred_visit, barred_walked},
	{{NULL, 0}, NULL, NULL},
};

static const struct walk_kind *kind_of(struct slice key)
{
	for (const struct walk_kind *kind = kinds; kind->visit != NULL; kind++)
		if (slice_has_prefix(key, kind->prefix))
			return kind;
	return NULL;
}

void decide_begin(struct work *work)
{
	work->ret->outcome = OUTCOME_NOTHING;
	own_begin(work);
	clocks_begin(work);
	report_begin(work);
	retention_begin(work);
	pool_open(work);
}

/* false: a decision that is not applied yet has taken the key away. */
static bool is_asked_for(const struct work *work, struct slice key)
{
	return overlay_peek(&work->decider->overlay, key).len != 0;
}

void decide_visit(struct work *work, struct slice key)
{
	const struct walk_kind *kind = kind_of(key);
	work->ret->outcome = OUTCOME_NOTHING;
	if (kind == NULL || !is_asked_for(work, key) || work_read_lead(work, work->lead_id, &work->state) <= 0)
		return; /* gone meanwhile, or not readable: nothing here can be done about it */
	work_name(work);
	kind->visit(work, key);
	if (merge_settled(work))
		work->ret->outcome = OUTCOME_TIMER;
}

void decide_walked(struct work *work, struct slice key)
{
	const struct walk_kind *kind = kind_of(key);
	work->ret->outcome = OUTCOME_NOTHING;
	if (!is_asked_for(work, key))
		return;
	work->cause = slice_of(arena_printf(work->arena, "walk:%.*s", SLICE_ARG(key)));
	if (kind != NULL && kind->walked != NULL)
		kind->walked(work, key);
	overlay_remove(&work->decider->overlay, key);
}
