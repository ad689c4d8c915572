/* SPDX-License-Identifier: Apache-2.0
 *
 * activity.verdict: what a person found out who looked at the lead (S1-CLEAN-HUMAN, S4-SCREEN). Faults have the reason codes
 * that the machine's own checks give, so that both are counted together.
 */
#include "rules/decide.h"

#include "rules/appraisal.h"
#include "rules/event_lifecycle.h"
#include "rules/hold.h"
#include "rules/lifecycle.h"

int act_verdict_read(struct activity *activity, struct arena *arena, struct err *err)
{
	(void)arena;
	if (activity_text(activity->data, "verdict", ACTIVITY_TEXT_BYTES_MAX, &activity->verdict, err) != 0)
		return -1;
	if (activity->verdict.len == 0)
		return err_set_at(err, ERR_MISSING_FIELD, "verdict", "the activity says no verdict");
	return appraisal_is(activity->verdict) ? appraisal_read(activity, err) : 0;
}

/* What a verdict comes to; LEAD_STATUSES: the state stays, or a held lead goes on. */
static const struct verdict {
	const char *name;
	enum lead_status to;
	enum err_code code; /* the machine's word for it */
	const char *reason; /* NULL: the code's */
} verdicts[] = {
	{"wrong_number", LEAD_INVALID, ERR_BAD_PHONE, NULL},
	{"wrong_email", LEAD_INVALID, ERR_BAD_EMAIL, NULL},
	{"bad_contact", LEAD_INVALID, ERR_BAD_CONTACT, NULL},
	{"no_contact", LEAD_INVALID, ERR_NO_CONTACT, NULL},
	{"missing_data", LEAD_INVALID, ERR_MISSING_FIELD, NULL},
	{"unreachable", LEAD_INVALID, ERR_NONE, "unreachable"},
	{"unclear_intent", LEAD_INVALID, ERR_NONE, "unclear_intent"},
	{"no_need", LEAD_INVALID, ERR_NONE, "no_need"},
	{"not_genuine", LEAD_INVALID, ERR_NONE, "not_genuine"},
	{"no", LEAD_INVALID, ERR_NONE, "not_wanted"},
	{"latent", LEAD_NURTURE, ERR_NONE, "latent"},
	{"yes", LEAD_STATUSES, ERR_NONE, ""},
	{"clear", LEAD_STATUSES, ERR_NONE, ""},
};

static const struct verdict *find_verdict(struct slice name)
{
	for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++)
		if (slice_is(name, verdicts[i].name))
			return &verdicts[i];
	return NULL;
}

static void move_by(struct work *work, const struct verdict *verdict, struct move *move)
{
	const char *before = lead_status_name(work->state.status);
	move->to = verdict->to;
	move->reason = slice_of(verdict->reason != NULL ? verdict->reason : err_word(verdict->code));
	if (move->to == LEAD_NURTURE) {
		move->every = lifecycle_rules(work->model)->nurture_every;
		move->wake_ms = lifecycle_after(work, move->every);
	}
	if (!lifecycle_may(work, move))
		return;
	lifecycle_move(work, move);
	work_write_lead(work, work->lead_id);
	event_moved(work, move, before, false);
}

void act_verdict(struct work *work)
{
	const struct verdict *verdict = find_verdict(work->activity->verdict);
	struct move move = {.to = work->state.status, .verdict = work->activity->verdict};
	if (appraisal_is(work->activity->verdict)) {
		appraisal_decide(work);
	} else if (verdict == NULL) {
		decide_reject(work, work->prepared->record, ERR_UNKNOWN_WORD, "verdict", "there is no such verdict");
	} else if (work->is_repeated) {
		event_moved(work, &move, lead_status_name(work->state.status), true);
	} else if (verdict->to != LEAD_STATUSES) {
		move_by(work, verdict, &move);
	} else if (work->state.status == LEAD_HELD) {
		hold_go_on(work);
	} else {
		work->state.cleared = 1; /* it does not hold up the person's next lead any more, and may itself be had */
		work->state.bar = BAR_NONE;
		work_write_lead(work, work->lead_id);
		event_moved(work, &move, lead_status_name(work->state.status), false);
	}
}
