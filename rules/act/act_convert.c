/* SPDX-License-Identifier: Apache-2.0
 *
 * activity.convert: the customer has bought, or will at a date that was agreed on (S2-CONVERT, S3-CONVERT). The event names
 * the owner and the reward band as they are now (S2-REWARD).
 */
#include "rules/decide.h"

#include "rules/event_lifecycle.h"
#include "rules/json/json.h"
#include "rules/lifecycle.h"

int act_convert_read(struct activity *activity, struct arena *arena, struct err *err)
{
	(void)arena;
	const struct json *data = activity->data;
	activity->kind = SLICE("paid");
	if (activity_text(data, "kind", ACTIVITY_TEXT_BYTES_MAX, &activity->kind, err) != 0 ||
	    activity_text(data, "currency", ACTIVITY_TEXT_BYTES_MAX, &activity->currency, err) != 0 ||
	    activity_text(data, "customer_number", ACTIVITY_TEXT_BYTES_MAX, &activity->customer, err) != 0 ||
	    activity_number(data, "amount", &activity->amount, err) != 0 ||
	    activity_time(data, "date", &activity->date_ms, err) != 0)
		return -1;
	bool is_deferred = slice_is(activity->kind, "deferred");
	if (!is_deferred && !slice_is(activity->kind, "paid"))
		return err_set_at(err, ERR_UNKNOWN_WORD, "kind", "not paid or deferred");
	if (is_deferred && activity->date_ms == 0)
		return err_set_at(err, ERR_MISSING_FIELD, "date", "a deferred purchase has a date");
	return 0;
}

enum { AMOUNT_MAX_BITS = 53 };

/* Whole units, for the bands; what a double cannot hold exactly is in the highest band anyway. */
static int64_t whole(const struct json *amount)
{
	const double most = (double)((int64_t)1 << AMOUNT_MAX_BITS);
	if (amount->type == JSON_IS_INT)
		return amount->integer;
	return amount->real >= most ? (int64_t)most : amount->real <= -most ? -(int64_t)most : (int64_t)amount->real;
}

void act_convert(struct work *work)
{
	const struct activity *activity = work->activity;
	bool is_deferred = slice_is(activity->kind, "deferred");
	struct move move = {.to = is_deferred ? LEAD_DEFERRED : LEAD_CONVERTED};
	struct conversion conversion = {.before = lead_status_name(work->state.status), .is_deferred = is_deferred,
	                                .is_repeated = work->is_repeated, .date_ms = activity->date_ms,
	                                .amount = activity->amount, .currency = activity->currency,
	                                .customer = activity->customer};
	move.wake_ms = is_deferred ? activity->date_ms : 0;
	if (activity->amount != NULL)
		conversion.band = lifecycle_band_of(lifecycle_rules(work->model), whole(activity->amount));
	if (!work->is_repeated) {
		if (!lifecycle_may(work, &move))
			return;
		lifecycle_move(work, &move);
		work_write_lead(work, work->lead_id);
	}
	event_converted(work, &conversion);
}
