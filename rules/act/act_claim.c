/* SPDX-License-Identifier: Apache-2.0
 *
 * activity.claim: a rep wants the lead. One that is free he gets, if caps and cool-down allow it: the check and the change
 * are one decision of the shard's only writer. For one that somebody owns a dispute is opened, or the claim is refused.
 */
#include "rules/decide.h"

#include "rules/consent.h"
#include "rules/cooling.h"
#include "rules/dispute.h"
#include "rules/event_own.h"
#include "rules/json/json.h"
#include "rules/lifecycle.h"
#include "rules/own.h"
#include "rules/ownership.h"
#include "rules/text/zone.h"

int act_claim_read(struct activity *activity, struct arena *arena, struct err *err)
{
	(void)arena;
	const struct json *evidence = json_get(activity->data, "evidence");
	if (activity->actor.len == 0)
		return err_set_at(err, ERR_MISSING_FIELD, "actor", "a claim says who claims");
	if (evidence == NULL || evidence->type == JSON_IS_NULL)
		return 0;
	if (evidence->type != JSON_IS_OBJECT)
		return err_set_at(err, ERR_FIELD_TYPE, "evidence", "the field must be an object");
	activity->evidence = evidence;
	return 0;
}

/* ---- claims of a day */

enum { DAY_SECONDS = 86400 };

static int64_t day_of(const struct work *work)
{
	const struct zone *zone = ownership_rules(work->model)->zone;
	int64_t seconds = work->now_ms / 1000;
	return (seconds + (zone != NULL ? zone_offset_at(zone, seconds) : 0)) / DAY_SECONDS;
}

static struct slice claims_key(struct work *work, struct slice rep)
{
	return ARENA_JOIN(work->arena, SLICE("mem/claims/"), rep);
}

static int64_t int_of(const struct json *json, const char *name)
{
	const struct json *value = json_get(json, name);
	return value != NULL && value->type == JSON_IS_INT ? value->integer : 0;
}

static int64_t claims_today(struct work *work, struct slice rep)
{
	struct slice value = overlay_get(&work->decider->overlay, claims_key(work, rep));
	struct json_limits limits = {100, 2, 4};
	const struct json *json = value.len != 0 ? json_read(value, limits, work->arena, NULL) : NULL;
	return int_of(json, "day") == day_of(work) ? int_of(json, "n") : 0;
}

static void note_claim(struct work *work, struct slice rep)
{
	if (ownership_rules(work->model)->claims_per_day == 0)
		return;
	struct slice value = slice_of(arena_printf(work->arena, "{\"day\":%lld,\"n\":%lld}", (long long)day_of(work),
	                                           (long long)claims_today(work, rep) + 1));
	overlay_put(&work->decider->overlay, claims_key(work, rep), value, 0);
}

/* ---- free leads */

static bool is_claimable(const struct lead_state *state)
{
	bool is_free = lifecycle_is_free(state->status) || state->status == LEAD_NURTURE; /* who claims nobody's waits on */
	return is_free && state->bar == BAR_NONE;
}

/* ERR_NONE: nothing speaks against it. */
static enum err_code objection(struct work *work, struct slice rep, int64_t *ret_until_ms)
{
	const struct ownership_rules *rules = ownership_rules(work->model);
	const struct lead_state *state = &work->state;
	if (!is_claimable(state))
		return ERR_NOT_CLAIMABLE;
	*ret_until_ms = cooling_until(work, rep);
	if (*ret_until_ms != 0)
		return ERR_COOL_DOWN;
	if (rules->holding != 0 && own_is_counting(work))
		return ERR_NOT_COUNTED;
	if (rules->holding != 0 && own_held(work, rep) >= rules->holding)
		return ERR_HOLDING_CAP;
	if (rules->claims_per_day != 0 && claims_today(work, rep) >= rules->claims_per_day)
		return ERR_CLAIM_CAP;
	return ERR_NONE;
}

static void claim_free(struct work *work, size_t rep)
{
	struct slice id = work->model->reps[rep].id;
	int64_t until_ms = 0;
	enum err_code code = objection(work, id, &until_ms);
	if (code != ERR_NONE) {
		event_claim_rejected(work, code, until_ms);
		return;
	}
	struct order order = order_of(work, "claimed");
	order.cause = CAUSE_CLAIM;
	note_claim(work, id);
	work->state.tried.count = 0;
	size_t team = own_team_of(work, rep, work->state.team);
	if (!consent_ask(work, rep, team))
		own_order(work, rep, team, &order);
}

/* ---- owned ones */

/* The owner has something to say only while others claim it. */
static void claim_owned(struct work *work, size_t rep)
{
	struct slice id = work->model->reps[rep].id;
	bool is_own = slice_equal(id, work->state.owner);
	int64_t until_ms = cooling_until(work, id);
	if (!lifecycle_is_open(work->state.status) || work->state.bar == BAR_CONTACT)
		event_claim_rejected(work, ERR_NOT_CLAIMABLE, 0);
	else if (!ownership_rules(work->model)->has_dispute || (is_own && work->state.dispute_ms == 0))
		event_claim_rejected(work, ERR_LEAD_OWNED, 0);
	else if (until_ms != 0)
		event_claim_rejected(work, ERR_COOL_DOWN, until_ms);
	else if (!dispute_claim(work, rep, work->activity->evidence))
		event_claim_rejected(work, ERR_CLAIM_CAP, work->state.dispute_ms);
}

void act_claim(struct work *work)
{
	if (work->is_repeated) {
		event_arranged(work);
		return;
	}
	size_t rep = own_find_rep(work, work->activity->actor, "actor");
	if (rep == SIZE_MAX)
		return;
	if (work->state.owner.len == 0)
		claim_free(work, rep);
	else
		claim_owned(work, rep);
}
