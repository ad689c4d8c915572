/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/owner_match.h"

#include "rules/base/strbuf.h"
#include "rules/decide.h"
#include "rules/idents.h"
#include "rules/json/json.h"
#include "rules/lifecycle.h"
#include "rules/model.h"
#include "rules/own.h"
#include "rules/ownership.h"
#include "rules/pool_choose.h"

const char *owner_step_name(enum owner_step step)
{
	static const char *const names[] = {
#define X(id, name) name,
		OWNER_STEPS(X)
#undef X
	};
	return (size_t)step < OWNER_STEP_COUNT ? names[step] : "?";
}

static const struct owner_policy *policy_of(const struct work *work, enum owner_step step)
{
	return &ownership_rules(work->model)->match[step];
}

static enum step absent(struct work *work, const struct owner_policy *policy)
{
	return policy->absent == ABSENT_UNASSIGNED ? settle_unassigned(work, "owner_absent") : STEP_NEXT;
}

/* Absence and caps bind the match, unless it says otherwise by its name (semantics.md 2.3). Who is not active is never there. */
static const char *obstacle(struct work *work, const struct owner_policy *policy, size_t rep, size_t team)
{
	enum block block;
	if (rep == SIZE_MAX)
		return "unknown";
	if (pool_can_take(work, rep, team, &block) || (policy->stick == STICK_ALWAYS && block != BLOCK_INACTIVE))
		return NULL;
	return block_name(block);
}

static void take(struct work *work, size_t rep, size_t team, enum owner_step step)
{
	work->rep = rep;
	work->team = team;
	work->reason = owner_step_name(step);
	work_reached(work, policy_of(work, step));
}

/* A customer who names a person gets that person, if he is there (S3-MANUAL). */
enum step owner_match_requested(struct work *work)
{
	const struct owner_policy *policy = policy_of(work, OWNER_REQUESTED);
	struct slice name = work->prepared->lead.requested_owner;
	if (name.len == 0)
		return STEP_NEXT;
	size_t rep = model_find_person(work->model, name, work->arena), team = rep != SIZE_MAX ? own_team_of(work, rep, SLICE_NONE) : SIZE_MAX;
	const char *result = obstacle(work, policy, rep, team);
	work->requested = result != NULL ? result : "taken";
	if (result != NULL)
		return rep == SIZE_MAX ? STEP_NEXT : absent(work, policy);
	take(work, rep, team, OWNER_REQUESTED);
	return STEP_NEXT;
}

static bool is_too_long_ago(const struct work *work, const struct owner_policy *policy, const struct lead_state *state)
{
	int64_t until_ms =
		policy->stick == STICK_WITHIN ? lifecycle_from(work, state_last_ms(state), policy->within) : 0;
	return until_ms != 0 && until_ms <= work->now_ms;
}

static enum step match_key(struct work *work, enum owner_step step, enum identity_kind kind)
{
	const struct owner_policy *policy = policy_of(work, step);
	struct hit hit;
	if (!policy->is_on)
		return STEP_NEXT;
	enum sight sight = ident_look(work, kind, &hit);
	if (sight != SIGHT_LIVE && sight != SIGHT_PAST)
		return STEP_NEXT; /* a value that cannot be read was said at dedup */
	struct owner_match *match = arena_alloc(work->arena, sizeof *match);
	*match = (struct owner_match){.step = step, .lead_id = hit.lead_id, .owner = hit.state.owner,
	                              .last_ms = state_last_ms(&hit.state)};
	work->owner_match = match;
	if (hit.state.owner.len == 0 || is_too_long_ago(work, policy, &hit.state)) {
		match->result = hit.state.owner.len == 0 ? "no_owner" : "too_long_ago";
		return STEP_NEXT;
	}
	size_t rep = model_find_rep(work->model, hit.state.owner);
	size_t team = rep != SIZE_MAX ? own_team_of(work, rep, hit.state.team) : SIZE_MAX;
	match->result = obstacle(work, policy, rep, team);
	if (match->result != NULL)
		return absent(work, policy);
	match->result = "taken";
	take(work, rep, team, step);
	return STEP_NEXT;
}

enum step owner_match_accounts(struct work *work)
{
	if (work->rep != SIZE_MAX)
		return STEP_NEXT;
	if (match_key(work, OWNER_ACCOUNT, IDENTITY_DOMAIN) == STEP_DONE)
		return STEP_DONE;
	return work->rep != SIZE_MAX ? STEP_NEXT : match_key(work, OWNER_COMPANY, IDENTITY_COMPANY);
}

static bool asks_account(const struct work *work)
{
	const struct ownership_rules *rules = ownership_rules(work->model);
	return rules->match[OWNER_ACCOUNT].is_on || rules->match[OWNER_COMPANY].is_on || work->model->dedup.asks_account;
}

void owner_match_note(struct work *work, int64_t at_ms)
{
	struct lead_state *state = &work->state;
	enum returning_policy returning = work->model->dedup.returning;
	bool is_asked = asks_account(work) || (returning != RETURNING_REROUTE && returning != RETURNING_NEW_LEAD);
	if (is_asked && state->touched_ms != 0 && at_ms > state_last_ms(state))
		state->last_ms = at_ms;
}

void owner_match_touched(struct work *work)
{
	if (!asks_account(work))
		return;
	for (size_t i = 0; i < work->state.idents.count; i++) {
		struct slice name = work->state.idents.items[i];
		if (!ident_is_account(name))
			continue;
		struct strbuf value = STRBUF_INIT;
		state_put_ident(&value, &(struct ident_state){.at_ms = work->now_ms, .lead_id = work->lead_id});
		overlay_put(&work->decider->overlay, ARENA_JOIN(work->arena, SLICE("ident/"), name), strbuf_keep(&value, work->arena), 0);
	}
}

void owner_match_trace(struct json_writer *writer, const struct work *work)
{
	const struct owner_match *match = work->owner_match;
	if (match == NULL)
		return;
	json_open_object(writer, "owner_match");
	json_put_text(writer, "by", slice_of(owner_step_name(match->step)));
	json_put_text(writer, "lead_id", match->lead_id);
	if (match->owner.len != 0)
		json_put_text(writer, "owner", match->owner);
	json_put_text(writer, "result", slice_of(match->result));
	json_put_time(writer, "last_at", match->last_ms);
	json_close_object(writer);
}
