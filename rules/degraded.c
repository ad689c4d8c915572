/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/degraded.h"

#include "rules/decide.h"
#include "rules/json/json.h"
#include "rules/model.h"

const struct degraded_rules *degraded_rules(const struct model *model)
{
	static const struct degraded_rules none = {0};
	return model->degraded != NULL ? model->degraded : &none;
}

/* Of a lead's own record; 0: it came in time, or nobody can tell. */
static int64_t lag_of(const struct work *work)
{
	int64_t most_ms = degraded_rules(work->model)->lag_ms;
	if (most_ms == 0 || !work_has_lead(work) || work->prepared->record->timestamp_ms < 0)
		return 0;
	int64_t lag_ms = work->now_ms - work->prepared->record->timestamp_ms;
	return lag_ms > most_ms ? lag_ms : 0;
}

bool degraded_is_shed(const struct work *work)
{
	const struct degraded_rules *rules = degraded_rules(work->model);
	for (size_t i = 0; i < rules->grade_count; i++)
		if (slice_equal(rules->grades[i], work->state.grade))
			return lag_of(work) != 0;
	return false;
}

void degraded_put(struct json_writer *writer, const struct work *work)
{
	int64_t lag_ms = lag_of(work);
	if (lag_ms == 0 && !work->is_roster_silent)
		return;
	json_put_bool(writer, "degraded", true);
	json_open_array(writer, "degraded_by");
	if (work->is_roster_silent)
		json_put_text(writer, NULL, SLICE("stale_roster"));
	if (lag_ms != 0)
		json_put_text(writer, NULL, SLICE("intake_lag"));
	json_close_array(writer);
	if (lag_ms != 0)
		json_put_int(writer, "intake_lag_ms", lag_ms);
	if (slice_is(slice_of(work->reason), DEGRADED_REASON) && degraded_rules(work->model)->queue.len != 0)
		json_put_text(writer, "queue", degraded_rules(work->model)->queue);
}
